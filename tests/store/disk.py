"""A disk that keeps what was fsynced and, when the power fails, any part of the rest."""

import itertools
import random
import threading

import apsw

SECTOR_BYTES = 512

Image = dict[str, bytes]  # the files that are left, by name
Change = tuple[int, bytes] | int  # a write at an offset, or the new size


class Disk:
    """Counts operations; at number cut_at the power fails and every later one is an I/O error."""

    def __init__(self, image: Image, rng: random.Random, *, cut_at: int) -> None:
        self._durable = {name: bytearray(content) for name, content in image.items()}
        self._pending: dict[str, list[Change]] = {}
        self._rng = rng
        self._operations_left = cut_at
        self._left: Image | None = None
        self._is_over = False
        self._turn = threading.Lock()

    @property
    def is_off(self) -> bool:
        return self._left is not None

    def write(self, name: str, offset: int, block: bytes) -> None:
        with self._turn:
            self._tick()
            self._pending.setdefault(name, []).append((offset, block))

    def truncate(self, name: str, size: int) -> None:
        with self._turn:
            self._tick()
            self._pending.setdefault(name, []).append(size)

    def sync(self, name: str) -> None:
        with self._turn:
            self._tick()
            content = self._durable.setdefault(name, bytearray())
            for change in self._pending.pop(name, []):
                _apply(content, change)

    def delete(self, name: str) -> None:
        with self._turn:
            self._tick()
            self._pending.pop(name, None)
            self._durable.pop(name, None)

    def cut(self) -> Image:
        """End the run: the power fails now unless it has failed already. What is left; later operations go nowhere."""
        with self._turn:
            self._is_over = True
            if self._left is None:
                self._left = self._what_is_left()
            return self._left

    def _tick(self) -> None:
        if self._is_over:
            return
        if self._left is None and self._operations_left > 0:
            self._operations_left -= 1
            return
        if self._left is None:
            self._left = self._what_is_left()
        raise apsw.IOError("the power is off")

    def _what_is_left(self) -> Image:
        chance = self._rng.choice(
            (0.0, 0.0, 0.5, 0.9, 1.0)
        )  # of each write since the fsync to have reached the disk
        order_is_kept = self._rng.random() < 0.3
        for name, content in self._durable.items():
            changes = [change for change in self._pending.get(name, []) if self._rng.random() < chance]
            if not order_is_kept:
                self._rng.shuffle(changes)
            for change in changes:
                self._apply_torn(content, change)
        return {name: bytes(content) for name, content in self._durable.items()}

    def _apply_torn(self, content: bytearray, change: Change) -> None:
        if isinstance(change, int) or self._rng.random() < 0.7:
            _apply(content, change)
            return
        offset, block = change
        for start, end in _sectors(offset, len(block)):
            if self._rng.random() < 0.5:
                _apply(content, (start, block[start - offset : end - offset]))


class FailingDisk(Disk):
    """Operation number `fails_at`, from 1, is an I/O error; the ones before and after it work."""

    def __init__(self, *, fails_at: int) -> None:
        super().__init__({}, random.Random(0), cut_at=0)
        self.operations = 0
        self._fails_at = fails_at

    def _tick(self) -> None:
        self.operations += 1
        if self.operations == self._fails_at:
            raise apsw.IOError("injected")


def _sectors(offset: int, size: int) -> list[tuple[int, int]]:
    edges = [
        offset,
        *range(offset - offset % SECTOR_BYTES + SECTOR_BYTES, offset + size, SECTOR_BYTES),
        offset + size,
    ]
    return list(itertools.pairwise(edges))


def _apply(content: bytearray, change: Change) -> None:
    if isinstance(change, int):
        del content[change:]
        return
    offset, block = change
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(block)] = block
