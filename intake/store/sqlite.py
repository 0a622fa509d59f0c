"""The embedded engine: SQLite in WAL mode with synchronous=FULL, one writer thread, readers on their own connections.

NORMAL loses acknowledged rows silently at a power cut (measured: 0 of 813 survived), so the store refuses to run with
anything but FULL. Every write begins with BEGIN IMMEDIATE: a read that turns into a write fails at once otherwise.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from intake import instants
from intake.store.engine import Ids, Member, Store, StoreError, Tx
from intake.store.statements import Engine
from intake.store.writer import Writer

T = TypeVar("T")

FILE = "intake.db"  # inside the data folder
BUSY_TIMEOUT_MS = 5_000
SYNCHRONOUS_FULL = 2
Connect = Callable[[Path], Any]


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that leaves transactions to us and may be used by one thread after another."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)


class SqliteTx(Tx):
    engine: ClassVar[Engine] = "sqlite"

    def _lock(self, kind: str, key: str) -> None:
        """Nothing to do: there is one writer."""


class SqliteSession:
    """The writer's connection, opened again when it cannot even roll back any more."""

    def __init__(self, open_connection: Callable[[], Any], clock: Callable[[], int], ids: Ids) -> None:
        self._open = open_connection
        self._clock = clock
        self._ids = ids
        self._connection = open_connection()

    def begin(self) -> None:
        if self._connection is None:
            self._connection = self._open()
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if not self.is_in_transaction():
            return
        try:
            self._connection.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - closing rolls back as well
            self.close()

    def savepoint(self) -> None:
        self._connection.execute("SAVEPOINT member")

    def release(self) -> None:
        self._connection.execute("RELEASE member")

    def rollback_to_savepoint(self) -> None:
        self._connection.execute("ROLLBACK TO member")

    def is_in_transaction(self) -> bool:
        return self._connection is not None and bool(self._connection.in_transaction)

    def tx(self) -> SqliteTx:
        return SqliteTx(self._connection.execute, now=self._clock(), ids=self._ids)

    def store_error(self, error: BaseException) -> StoreError | None:
        return store_error(error)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


# Primary result codes (sqlite.org/rescode.html, read 2026-11) that are the machine's fault and not the statement's.
_BUSY, _LOCKED, _NOMEM, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = (
    5,
    6,
    7,
    8,
    10,
    11,
    13,
    14,
    26,
)
_SENTENCES: dict[int, tuple[str, bool, bool]] = {  # code -> sentence, is_full, is_final
    _BUSY: ("the store is locked by another process: stop what holds it, or wait", False, False),
    _LOCKED: ("the store is locked by another process: stop what holds it, or wait", False, False),
    _NOMEM: ("the machine has no memory left for the store", False, False),
    _READONLY: (
        "the store cannot be written: give the daemon's user the right to write its folder",
        False,
        True,
    ),
    _IOERR: ("the disk reports an error when the store is read or written: look at the disk", False, False),
    _CORRUPT: ("the store's file is damaged: restore the last backup with 'intake db restore'", False, True),
    _FULL: ("the disk is full: free some room, intake goes on by itself", True, False),
    _CANTOPEN: ("the store cannot be opened: check that its folder exists and may be read", False, True),
    _NOTADB: ("the store's file is not an intake store (or is encrypted or damaged)", False, True),
}


def store_error(error: BaseException, path: Path | None = None) -> StoreError | None:
    """Say an error of the machine in one sentence; None when it is the statement's own (a constraint, a bug)."""
    if isinstance(error, StoreError):
        return error
    code = getattr(error, "sqlite_errorcode", None)
    if code is None or code & 0xFF not in _SENTENCES:
        return None
    sentence, is_full, is_final = _SENTENCES[code & 0xFF]
    where = f" ({path})" if path else ""
    return StoreError(f"{sentence}{where}", is_full=is_full, is_final=is_final)


class _Reader:
    """A thread's connection. turn: held while it is read, because SQLite crashes when it is closed in the middle."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.turn = threading.RLock()


class SqliteStore(Store):
    """One file. `connect` opens connections; the power-cut tests bring one whose disk forgets."""

    engine: ClassVar[Engine] = "sqlite"

    def __init__(
        self,
        path: Path,
        *,
        clock: instants.Clock = instants.now,
        ids: Ids | None = None,
        connect: Connect = connect,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    ) -> None:
        super().__init__(clock=clock, ids=ids)
        self.path = path
        self._connect = connect
        self._busy_timeout_ms = busy_timeout_ms
        self._is_closed = False
        self._readers = threading.local()
        self._open_readers: list[_Reader] = []
        self._opening = threading.Lock()
        self._data_version = -1
        self._writer = Writer(self._open_session, self._tell)

    def _open_session(self) -> SqliteSession:
        return SqliteSession(self._open_writer, self.now_us, self._ids)

    def _open_writer(self) -> Any:
        try:
            return self._connected(self._prepare)
        except Exception as error:
            raise store_error(error, self.path) or error from error

    def _connected(self, prepare: Callable[[Any], None]) -> Any:
        """Open a connection and prepare it; one that cannot be is closed."""
        connection = self._connect(self.path)
        try:
            prepare(connection)
        except UnicodeDecodeError as error:  # the message about a damaged schema quotes the damage
            connection.close()
            sentence, is_full, is_final = _SENTENCES[_CORRUPT]
            raise StoreError(f"{sentence} ({self.path})", is_full=is_full, is_final=is_final) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout={self._busy_timeout_ms}")
        mode = self._wal_mode(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-8000")
        connection.execute("PRAGMA wal_autocheckpoint=4000")  # 16 MB: a checkpoint costs a second fsync
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
        if mode != "wal" or level != SYNCHRONOUS_FULL:
            raise StoreError(
                f"the store would lose messages at a power cut (journal_mode {mode}, synchronous {level}):"
                " put it on a local disk that allows WAL",
                is_final=True,
            )

    def _put(self, member: Member) -> None:
        self._writer.put(member)

    def _wal_mode(self, connection: Any) -> str:
        """Ask for WAL; a new file may be turned to it by another process at this moment, which SQLite does not wait for."""
        until_s = time.monotonic() + self._busy_timeout_ms / 1000
        while True:
            try:
                return str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != _BUSY or time.monotonic() > until_s:
                    raise
                time.sleep(0.01)

    def read_now(self, fn: Callable[[Tx], T]) -> T:
        try:
            reader = self._reader()
            with reader.turn:
                self._check_open()
                return self._read(reader.connection, fn)
        except Exception as error:
            raise store_error(error, self.path) or error from error

    def _read(self, connection: Any, fn: Callable[[Tx], T]) -> T:
        connection.execute("BEGIN")
        try:
            return fn(SqliteTx(connection.execute, now=self.now_us(), ids=self._ids))
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _reader(self) -> "_Reader":
        """Give the reader of this thread."""
        self._check_open()
        reader: _Reader | None = getattr(self._readers, "reader", None)
        if reader is None:
            reader = self._readers.reader = self._open_reader()
        return reader

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreError("the store is closed")

    def _open_reader(self) -> "_Reader":
        with self._opening:
            self._check_open()
            reader = _Reader(self._connected(self._prepare_reader))
            self._open_readers.append(reader)
        return reader

    def _prepare_reader(self, connection: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout={self._busy_timeout_ms}")
        connection.execute("PRAGMA query_only=1")

    async def has_foreign_writes(self) -> bool:
        # On the writer's own connection the number moves only when somebody else commits.
        version = await self.write(_data_version)
        changed, self._data_version = version != self._data_version, version
        return changed

    def close(self) -> None:
        """Close it once the reads under way have ended: a thread reads on when who waited for it is cancelled."""
        with self._opening:
            self._is_closed = True
        self._writer.close()
        while self._open_readers:
            reader = self._open_readers.pop()
            with reader.turn:
                reader.connection.close()


def _data_version(tx: Tx) -> int:
    return int(tx._execute("PRAGMA data_version", {}).fetchone()[0])  # noqa: SLF001
