"""A second process that reads and parses while a backlog lasts: the daemon's own core is then left for settling.

It is told journal ids, reads the rows on a connection of its own and answers with what the mails say; their bytes
never pass through the daemon again. Idle daemons have none, and one that has nothing to do for a minute ends.
"""

import asyncio
import importlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from channels.contract import Message
from intake import child, journal, memory, parsing
from intake.model import Received
from intake.parsing import Reader

LIMIT_S = 60.0  # for one batch, of which each message is bounded
IDLE_S = 60.0
REST_S = 30.0  # after it has failed

log = logging.getLogger("intake.backlog")


class Read(msgspec.Struct, frozen=True):
    """A message as the process has understood it; as intake.parsing.Parsed."""

    message: Message
    problem: str | None = None


Answer = tuple[Received, Read | None]  # Read None = it needs the slow road; the row then has its bytes
_Answers = list[tuple[Received, Read | None] | None]

_encode = msgspec.msgpack.Encoder().encode
_decode_answers = msgspec.msgpack.Decoder(_Answers).decode


class Setup(msgspec.Struct, frozen=True):
    """What the process is told first. readers: account -> module's name and options.

    examined: accounts whose messages the daemon looks up first.
    """

    store: str
    folder: str
    readers: dict[str, tuple[str, Any]]
    examined: frozenset[str] = frozenset()


class BacklogReader:
    """The daemon's side of the process."""

    def __init__(self, *, store: str, folder: Path, readers: Mapping[str, Reader]) -> None:
        told = {name: reader.to_builtins() for name, reader in readers.items()}
        examined = frozenset(name for name, reader in readers.items() if reader.examine is not None)
        self._greeting = _encode(Setup(store, str(folder), told, examined))
        self._child = child.Child("intake.backlog")
        self._starting: asyncio.Task[None] | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._rests_until = 0.0

    def is_ready(self) -> bool:
        """Whether a batch can be given now; the first question starts the process."""
        if self._child.is_running and (self._starting is None or self._starting.done()):
            return True
        loop = asyncio.get_running_loop()
        if (self._starting is None or self._starting.done()) and loop.time() > self._rests_until:
            self._starting = loop.create_task(self._start())
        return False

    async def read(self, ids: Sequence[int]) -> list[Answer | None]:
        """Return what the rows say, in the order given; None = look at that row yourself.

        Raises: child.ChildFailed.
        """
        loop = asyncio.get_running_loop()
        if self._end_timer is not None:
            self._end_timer.cancel()
        self._end_timer = loop.call_later(IDLE_S, lambda: loop.create_task(self.close()))
        try:
            return _decode_answers(
                await self._child.ask(_encode(list(ids)), limit_s=LIMIT_S, greeting=self._greeting)
            )
        except child.ChildFailed:
            self._rests_until = loop.time() + REST_S
            raise

    async def _start(self) -> None:
        try:
            await self._child.ask(_encode([]), limit_s=LIMIT_S, greeting=self._greeting)
        except child.ChildFailed as error:
            self._rests_until = asyncio.get_running_loop().time() + REST_S
            log.warning("backlog_reader_failed", extra={"reason": str(error)})

    async def close(self) -> None:
        if self._end_timer is not None:
            self._end_timer.cancel()
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        await self._child.end()


class _Process:
    """The process's side."""

    def __init__(self) -> None:
        self._setup: Setup | None = None

    def answer(self, request: bytes) -> bytes:
        if self._setup is None:
            self._open(msgspec.msgpack.decode(request, type=Setup))
            return b""
        ids = msgspec.msgpack.decode(request, type=list[int])
        return _encode([self._read(number) for number in ids])

    def _open(self, setup: Setup) -> None:
        from intake.store import blobs, opening

        self._setup = setup
        self._examined = setup.examined
        self._folder = Path(setup.folder) / blobs.FOLDER
        self._store = opening.open_store(setup.store, Path(setup.folder))
        modules = {name: importlib.import_module(module) for name, (module, _) in setup.readers.items()}
        self._readers = {
            name: Reader(modules[name], msgspec.convert(options, modules[name].Options))
            for name, (_, options) in setup.readers.items()
        }

    def _read(self, number: int) -> Answer | None:
        try:
            received = self._store.read_now(lambda tx: journal.load(tx, number, self._folder))
        except Exception:  # noqa: BLE001 - the daemon meets the same fault, and tells it
            return None
        if received.evidence is None and received.raw.account in self._examined:
            return None
        parsed = parsing.parse_fast(self._readers, received.raw, received.evidence)
        if parsed is None:
            return received, None
        if not isinstance(parsed.message, Message):
            return None
        raw = msgspec.structs.replace(received.raw, body=b"")
        return msgspec.structs.replace(received, raw=raw), Read(parsed.message, parsed.problem)


if __name__ == "__main__":
    memory.keep_small()
    child.serve(_Process().answer)
