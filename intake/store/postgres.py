"""PostgreSQL: the write contract under READ COMMITTED, several writer threads with a connection each.

A write is one transaction that begins with a row of its own in `writes`. When the answer to its COMMIT is lost, the
next attempt begins with the same row: PostgreSQL lets it wait until the first transaction has ended, and a conflict
says that it was committed. What decides on the same thing waits for the other in `tx.lock`; READ COMMITTED then sees
what the other committed (SERIALIZABLE was 2.7 to 7 times slower and fights SKIP LOCKED).
"""

import queue
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

import psycopg

from intake import instants
from intake.store.engine import Ids, Member, Store, StoreError, Tx, do_left
from intake.store.postgres_errors import is_connection_lost, is_worth_a_try, name_of, store_error
from intake.store.statements import Engine
from intake.store.writer import deliver

T = TypeVar("T")
Connect = Callable[[str], "psycopg.Connection[Any]"]

WRITERS = 4
READERS = 4
TRIES = 8  # about 3.5 s with the pauses between them: a restart of the server passes unnoticed
FIRST_PAUSE_S, LAST_PAUSE_S = 0.05, 1.0
WRITES_KEPT_US = 86_400_000_000
SWEEP_EVERY_S = 3_600
_DURABLE = {"on", "remote_apply"}
_SESSION = (
    "SET lock_timeout = '10s'; SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '30s'"
)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(kind)s::text || ':' || %(key)s::text, 0))"
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


def connect(url: str) -> "psycopg.Connection[Any]":
    """Open a connection that leaves transactions to us and notices within seconds that the other side is gone."""
    return psycopg.connect(
        url, autocommit=True, connect_timeout=5, tcp_user_timeout=10_000, application_name="intake"
    )


class PostgresTx(Tx):
    engine: ClassVar[Engine] = "postgresql"

    def _lock(self, kind: str, key: str) -> None:
        self._execute(_LOCK, {"kind": kind, "key": key})


class PostgresStore(Store):
    """One database. Listeners are called in the threads that write, several at once."""

    engine: ClassVar[Engine] = "postgresql"

    def __init__(
        self,
        url: str,
        *,
        clock: instants.Clock = instants.now,
        ids: Ids | None = None,
        writers: int = WRITERS,
        connect: Connect = connect,
    ) -> None:
        super().__init__(clock=clock, ids=ids)
        self.name = name_of(url)
        self._url = url
        self._connect = connect
        self._is_down = False
        self._swept_s = -SWEEP_EVERY_S * 1.0
        self._is_closed = False
        self._closing = threading.Lock()
        self._queue: queue.SimpleQueue[Member | None] = queue.SimpleQueue()
        self._readers: queue.LifoQueue[Line] = queue.LifoQueue()
        for _ in range(READERS):
            self._readers.put(Line(self._open))
        first = Line(self._open)
        self._said_plainly(first.connection)
        lines = [first, *(Line(self._open) for _ in range(writers - 1))]
        self._threads = [
            threading.Thread(target=self._run, args=(line,), name=f"store-writer-{number}", daemon=True)
            for number, line in enumerate(lines)
        ]
        for thread in self._threads:
            thread.start()

    def read_now(self, fn: Callable[[Tx], T]) -> T:
        with self._reader() as line:
            if self._is_closed:
                raise StoreError("the store is closed")
            return self._said_plainly(lambda: self._try(line, lambda: self._read(line, fn)))

    async def has_foreign_writes(self) -> bool:
        return True

    def close(self) -> None:
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            for _ in self._threads:
                self._queue.put(None)
        for thread in self._threads:
            thread.join()
        readers = [self._readers.get() for _ in range(READERS)]  # waits for the reads under way
        for line in readers:
            line.hang_up()
            self._readers.put(line)

    def _put(self, member: Member) -> None:
        with self._closing:
            if self._is_closed:
                raise StoreError("the store is closed")
            self._queue.put(member)

    def _run(self, line: "Line") -> None:
        while (member := self._queue.get()) is not None:
            self._write(line, member)
            deliver([member], self._tell)
            if time.monotonic() - self._swept_s > SWEEP_EVERY_S:
                self._sweep(line)
        line.hang_up()

    def _write(self, line: "Line", member: Member) -> None:
        write_id = f"{self.now_us():016x}{secrets.token_hex(8)}"
        try:
            self._said_plainly(lambda: self._try(line, lambda: self._write_once(line, member, write_id)))
        except BaseException as error:  # noqa: BLE001 - told to the caller
            member.error = error

    def _write_once(self, line: "Line", member: Member, write_id: str) -> None:
        connection = line.connection()
        if not _begin(connection, write_id, self.now_us()):
            connection.execute("ROLLBACK")  # the attempt whose answer was lost did commit: its result stands
            return
        tx = PostgresTx(connection.execute, now=self.now_us(), ids=self._ids)
        member.result = member.fn(tx)
        member.signals = tx.signals
        do_left(tx, tx.left)
        if connection.execute("COMMIT").statusmessage != "COMMIT":
            raise RuntimeError("a write caught a database error and went on: nothing of it was kept")

    def _read(self, line: "Line", fn: Callable[[Tx], T]) -> T:
        connection = line.connection()
        connection.execute(_READ)
        result = fn(PostgresTx(connection.execute, now=self.now_us(), ids=self._ids))
        connection.execute("ROLLBACK")
        return result

    def _try(self, line: "Line", attempt: Callable[[], T]) -> T:
        """Attempt it again while the server's state is to blame; only once while it is known to be down."""
        for number in range(TRIES):
            try:
                result = attempt()
            except BaseException as error:
                line.recover(error)
                if not is_worth_a_try(error) or number + 1 == TRIES or self._is_down:
                    self._is_down = self._is_down or is_connection_lost(error)
                    raise
                time.sleep(_pause_s(number))
            else:
                self._is_down = False
                return result
        raise AssertionError  # the last attempt returned or raised

    @contextmanager
    def _reader(self) -> Iterator["Line"]:
        line = self._readers.get()
        try:
            yield line
        finally:
            self._readers.put(line)

    def _open(self) -> "psycopg.Connection[Any]":
        connection = self._connect(self._url)
        connection.execute(_SESSION)
        level, fsync = _settings(connection)
        if level not in _DURABLE or fsync != "on":
            connection.close()
            raise StoreError(
                f"PostgreSQL {self.name} would lose messages at a power cut (synchronous_commit {level}, fsync {fsync}):"
                " set both to on",
                is_final=True,
            )
        return connection

    def _said_plainly(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except psycopg.Error as error:
            raise store_error(error, self.name) or error from error

    def _sweep(self, line: "Line") -> None:
        self._swept_s = time.monotonic()
        old = f"{self.now_us() - WRITES_KEPT_US:016x}"
        try:
            line.connection().execute("DELETE FROM writes WHERE id < %(old)s", {"old": old})
        except psycopg.Error as error:
            line.recover(error)


class Line:
    """A connection that is opened when needed, and again after it was lost."""

    def __init__(self, open_connection: Callable[[], "psycopg.Connection[Any]"]) -> None:
        self._open = open_connection
        self._connection: psycopg.Connection[Any] | None = None

    def connection(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._connection = self._open()
        return self._connection

    def recover(self, error: BaseException) -> None:
        """Leave no transaction open after error, nor a connection that may be broken."""
        if self._connection is None:
            return
        if self._connection.closed or is_connection_lost(error):
            self.hang_up()
            return
        try:
            self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self.hang_up()

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def version(url: str) -> str | None:
    """Return the version of the schema, or None when there is none yet."""
    with connection_to(url) as connection:
        versions, journal = _row(connection, "SELECT to_regclass('alembic_version'), to_regclass('journal')")
        if versions is None and journal is not None:
            raise StoreError(
                f"PostgreSQL {name_of(url)} holds tables of something else: name another database",
                is_final=True,
            )
        if versions is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


@contextmanager
def connection_to(url: str) -> Iterator["psycopg.Connection[Any]"]:
    """Open a connection for one use. Raises: StoreError, in one sentence, for every error of the server."""
    try:
        with connect(url) as connection:
            yield connection
    except psycopg.Error as error:
        raise store_error(error, name_of(url)) or error from error


def _begin(connection: "psycopg.Connection[Any]", write_id: str, at_us: int) -> bool:
    """Begin, in one round trip, a transaction that holds the write's id; false when that is committed already."""
    insert = f"INSERT INTO writes (id, at) VALUES ('{write_id}', {at_us:d}) ON CONFLICT DO NOTHING"  # noqa: S608 - ours
    cursor = connection.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED; {insert}")
    cursor.nextset()
    return cursor.rowcount == 1


def _row(connection: "psycopg.Connection[Any]", sql: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(sql).fetchone()
    return row or ()


def _settings(connection: "psycopg.Connection[Any]") -> tuple[str, str]:
    level, fsync = _row(connection, "SELECT current_setting('synchronous_commit'), current_setting('fsync')")
    return str(level), str(fsync)


def _pause_s(number: int) -> float:
    return min(FIRST_PAUSE_S * 2.0**number, LAST_PAUSE_S) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
