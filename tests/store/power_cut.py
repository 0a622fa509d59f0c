"""Cut the power under the real store, many times, and look for acknowledged writes that are gone.

A VFS of APSW stands between SQLite and its files. It knows what was fsynced. At a random moment the power fails: what
was fsynced stands; each write since then is there, is not, or is torn between two 512-byte sectors, in any order; a
file that was never fsynced is gone. The store is then opened on what is left, and the next cut goes on from there.

    python -m tests.store.power_cut --cuts 5000

The seed that is printed makes the same choices again (not the same timing of threads).
"""

import argparse
import contextlib
import random
import secrets
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import apsw
import msgspec
from sqlalchemy import select

from intake.store import opening, schema
from intake.store.engine import StoreError, Tx
from intake.store.sqlite import FILE, SqliteStore
from intake.store.statements import Statement
from tests.store.disk import Disk, Image
from tests.store.memory import memory_folder

THREADS = 4
WRITES = 10  # of each thread, unless the power fails before
CUT_WITHIN = 700  # operations on files; some runs end before
CUTS_ON_ONE_STORE = 10
CHECKPOINT_PAGES = 40  # so that most runs see checkpoints and a WAL that begins anew

_BLOBS = Statement(select(schema.blobs.c.hash, schema.blobs.c.body))
_COUNTERS = Statement(select(schema.counters.c.key))


class Report(msgspec.Struct):
    """What a number of cuts came to. lost: acknowledged and gone. half: writes of which only a part is there."""

    seed: int
    cuts: int = 0
    acknowledged: int = 0
    lost: int = 0
    half: int = 0
    damaged: int = 0

    def is_clean(self) -> bool:
        return not (self.lost or self.half or self.damaged)

    def __str__(self) -> str:
        bound = (
            f"; 95 % upper bound of a loss {3 / self.acknowledged:.1e} a write"
            if self.is_clean() and self.acknowledged
            else ""
        )
        return (
            f"{self.cuts} power cuts, {self.acknowledged} acknowledged writes: {self.lost} lost, {self.half} half kept,"
            f" {self.damaged} stores damaged (seed {self.seed}){bound}"
        )


def run(*, cuts: int, seed: int, synchronous: str = "FULL") -> Report:
    """Cut the power so many times. synchronous: "NORMAL" is the mutant that must be found out."""
    report = Report(seed)
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(
        prefix="intake-cuts-", dir=memory_folder(room_bytes=30_000_000)
    ) as folder:
        new = _new_store(Path(folder))
        image, kept = new, dict[str, int]()
        for number in range(cuts):
            if number % CUTS_ON_ONE_STORE == 0:
                image, kept = new, {}
            image = _cut_once(Path(folder) / str(number), image, kept, rng, report, synchronous)
            report.cuts += 1
            shutil.rmtree(Path(folder) / str(number))
    return report


def store_on(disk: Disk, path: Path, *, synchronous: str = "FULL") -> SqliteStore:
    """Open the real store on the file, through the VFS that tells the disk of every operation."""
    _vfs.disk = disk
    return SqliteStore(path, connect=lambda path: Apsw(path, synchronous))


def _new_store(folder: Path) -> Image:
    opening.open_store("", folder / "new").close()
    return {FILE: (folder / "new" / FILE).read_bytes()}


def _cut_once(
    folder: Path, image: Image, kept: dict[str, int], rng: random.Random, report: Report, synchronous: str
) -> Image:
    """Write until the power fails; what is left on disk. kept: acknowledged so far, by hash, with its size."""
    _lay_out(folder / "before", image)
    disk = Disk(image, rng, cut_at=rng.randrange(CUT_WITHIN))
    sizes = [rng.choice((10, 300, 3_000, 20_000)) for _ in range(THREADS * WRITES)]
    with closing(store_on(disk, folder / "before" / FILE, synchronous=synchronous)) as store:
        acknowledged = _write_all(store, sizes)
        left = disk.cut()
    kept.update(acknowledged)
    report.acknowledged += len(acknowledged)
    _lay_out(folder / "after", left)
    return _examine(folder / "after", kept, report)


def _lay_out(folder: Path, image: Image) -> None:
    folder.mkdir(parents=True)
    for name, content in image.items():
        (folder / name).write_bytes(content)


def _write_all(store: SqliteStore, sizes: list[int]) -> dict[str, int]:
    """Write from several threads until all is done or the power is off; what was acknowledged."""
    acknowledged: dict[str, int] = {}

    def write(sizes: list[int]) -> None:
        for size in sizes:
            body = secrets.token_bytes(size)
            digest = sha256(body).hexdigest()
            try:
                store.write_now(partial(_keep, digest=digest, body=body))
            except StoreError:
                return
            acknowledged[digest] = size

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(write, (sizes[start::THREADS] for start in range(THREADS))))
    return acknowledged


def _keep(tx: Tx, digest: str, body: bytes) -> None:
    """Write to two tables, so that half a write would show."""
    tx.insert(schema.blobs, id=tx.new_id(), hash=digest, size_bytes=len(body), refs=1, body=body)
    tx.insert(schema.counters, name="kept", key=digest, window_start=0, used=0)


def _examine(folder: Path, kept: dict[str, int], report: Report) -> Image:
    """Open what is left with the real store and compare it with what was acknowledged."""
    try:
        with closing(SqliteStore(folder / FILE)) as store:
            present = store.read_now(_present)
            counted = {row[0] for row in store.read_now(lambda tx: tx.all(_COUNTERS))}
            report.damaged += not store.read_now(_is_sound)
    except (StoreError, sqlite3.Error):
        report.damaged += 1
        return {FILE: (folder / FILE).read_bytes()}
    report.lost += len(kept.keys() - present)
    report.half += len(present ^ counted)
    for lost in kept.keys() - present:  # counted once
        del kept[lost]
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _present(tx: Tx) -> set[str]:
    return {digest for digest, body in tx.all(_BLOBS) if sha256(body).hexdigest() == digest}


def _is_sound(tx: Tx) -> bool:
    return bool(tx._execute("PRAGMA integrity_check", {}).fetchall() == [("ok",)])


class Apsw:
    """The few words of a sqlite3 connection that the store uses, said to APSW through the VFS that forgets."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self._connection = apsw.Connection(str(path), vfs=_vfs.name)
        self._synchronous = synchronous
        self._disk = _vfs.disk
        self._connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> "_Cursor":
        if sql.startswith("PRAGMA wal_autocheckpoint"):
            return _Cursor(iter(()), 0)
        if sql == "PRAGMA synchronous=FULL":
            sql = f"PRAGMA synchronous={self._synchronous}"
        elif sql == "PRAGMA synchronous":  # the mutant is not to be refused, but found
            return _Cursor(iter([(2,)]), 0)
        self._require_power()
        try:
            rows = self._connection.execute(sql, parameters).fetchall()
        except apsw.Error as error:
            self._require_power()
            raise _as_sqlite3(error) from error
        return _Cursor(iter(rows), self._connection.changes())

    def close(self) -> None:
        with contextlib.suppress(apsw.Error):  # as the standard library's does
            self._connection.close()

    def _require_power(self) -> None:
        """Answer nothing any more once the power is off, whatever SQLite makes of the errors meanwhile."""
        if self._disk.is_off:
            error = sqlite3.OperationalError("the power is off")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error


class _Cursor:
    def __init__(self, rows: Iterator[tuple[Any, ...]], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)


def _as_sqlite3(error: apsw.Error) -> sqlite3.Error:
    kind = sqlite3.IntegrityError if isinstance(error, apsw.ConstraintError) else sqlite3.OperationalError
    translated = kind(str(error))
    translated.sqlite_errorcode = getattr(error, "extendedresult", sqlite3.SQLITE_ERROR)
    return translated


class _Vfs(apsw.VFS):
    """Gives SQLite files that tell the disk what is written and fsynced."""

    def __init__(self, name: str) -> None:
        super().__init__(name, base="")
        self.name = name
        self.disk = Disk({}, random.Random(0), cut_at=0)

    def xOpen(self, name: Any, flags: list[int]) -> "_File":  # noqa: N802
        return _File(self.disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001
        self.disk.delete(Path(filename).name)
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "temporary").name

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.write(self._name, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk.truncate(self._name, newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.sync(self._name)  # the real file is not: nothing real is at stake


_vfs = _Vfs("intake-forgets")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cuts", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--synchronous", choices=("FULL", "NORMAL"), default="FULL")
    chosen = parser.parse_args()
    report = run(cuts=chosen.cuts, seed=chosen.seed, synchronous=chosen.synchronous)
    print(report)
    return 0 if report.is_clean() else 1


if __name__ == "__main__":
    sys.exit(main())
