"""The write contract, the same on both engines.

`await store.write(fn)`: fn(tx) is synchronous, takes at most 20 ms, may run more than once and never catches a
database error; it has no I/O, no clock, no randomness of its own (`tx.now`, `tx.new_id()`). Before it reads what it
decides on, it calls `tx.lock(kind, key)`, in the order of LOCK_ORDER. Its result is given out only after COMMIT.
"""

import asyncio
import logging
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from sqlalchemy import Table

from intake import instants
from intake.store import statements
from intake.store.statements import Engine, Statement

_log = logging.getLogger(__name__)

T = TypeVar("T")
Row = tuple[Any, ...]
Signals = dict[str, Any]
Listener = Callable[[Signals], None]
Do = Callable[["Tx", dict[Any, Any]], None]
Left = dict[Do, dict[Any, Any]]

_FIRST_MAX = 2_048  # half of what a millisecond has is left to whoever counts from the highest
LOCK_ORDER = ("sender", "customer", "ticket", "team", "agent", "schedule")


class StoreError(Exception):
    """The store could not do it; nothing of the write was kept.

    sentence: what is wrong and what to do, for the operator. is_full: no room left on the disk.
    is_final: trying again cannot help (damaged file, newer schema, no permission).
    """

    def __init__(self, sentence: str, *, is_full: bool = False, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.is_full = is_full
        self.is_final = is_final


class LockOrderError(Exception):
    """A write asked for its locks in an order that can deadlock: a bug of ours, seen on every engine."""


class Ids:
    """Makes 63-bit ids that grow with time: milliseconds since 2026, 10 bits of process, 12 bits of count.

    New rows so stand at the end of each tree, and two daemons make no id twice: should their ten bits be the same, they
    count from different numbers in each millisecond.
    """

    _EPOCH_MS = 1_767_225_600_000  # 2026-01-01T00:00Z

    def __init__(self, clock: instants.Clock, *, process: int | None = None) -> None:
        self._clock = clock
        self._process = (secrets.randbelow(1024) if process is None else process) << 12
        self._before_first = (secrets.randbelow(_FIRST_MAX) if process is None else 0) - 1
        self._last_ms = 0
        self._count = self._before_first
        self._turn = threading.Lock()

    @classmethod
    def lowest(cls, at_us: int) -> int:
        """The lowest id that can have been made at an instant or later."""
        return max(at_us // 1000 - cls._EPOCH_MS, 0) << 22

    def new(self, now_us: int | None = None) -> int:
        """Make one. now_us: the time, where the caller has just looked at the clock."""
        with self._turn:
            now_us = instants.us_from_datetime(self._clock()) if now_us is None else now_us
            now_ms = max(now_us // 1000 - self._EPOCH_MS, 1)
            if now_ms > self._last_ms:
                self._last_ms, self._count = now_ms, self._before_first
            self._count += 1
            if (
                self._count == 4096
            ):  # borrow from the future rather than repeat; also when the clock was set back
                self._last_ms, self._count = self._last_ms + 1, self._before_first + 1
            return self._last_ms << 22 | self._process | self._count


class Tx(ABC):
    """One write or read under way. now: microseconds UTC, the same during the whole transaction."""

    engine: ClassVar[Engine]

    def __init__(self, execute: Callable[[str, Any], Any], *, now: int, ids: Ids) -> None:
        self._execute = execute  # runs on the driver's connection and returns its cursor
        self.now = now
        self._ids = ids
        self.signals: Signals = {}
        self.left: Left = {}
        self._lock_rank = (-1, "")

    def new_id(self) -> int:
        return self._ids.new(self.now)

    def _run(self, statement: Statement, parameters: dict[str, Any]) -> Any:
        sql, own, pick = statement.compiled(self.engine)
        if own:
            parameters = {**own, **parameters}
        return self._execute(sql, parameters if pick is None else pick(parameters))

    def run(self, statement: Statement, **parameters: Any) -> int:
        """Run a statement that returns no rows; how many rows it touched."""
        return int(self._run(statement, parameters).rowcount)

    def one(self, statement: Statement, **parameters: Any) -> Row | None:
        """Return the first row, or None."""
        row: Row | None = self._run(statement, parameters).fetchone()
        return row

    def all(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        rows: Sequence[Row] = self._run(statement, parameters).fetchall()
        return rows

    def insert(self, table: Table, **values: Any) -> None:
        self._run(statements.insert_statement(table, tuple(values)), values)

    def update(self, table: Table, where: Mapping[str, Any], /, **values: Any) -> int:
        """Set values where the named columns are equal; how many rows there were."""
        statement = statements.update_statement(table, tuple(values), tuple(where))
        return int(self._run(statement, statements.update_parameters(values, where)).rowcount)

    def lock(self, kind: str, key: object) -> None:
        """Wait until nobody else decides on the same thing; held until the end of the transaction.

        Raises: LockOrderError when an earlier lock of this transaction should have come after this one.
        """
        rank = (LOCK_ORDER.index(kind), str(key))
        if rank < self._lock_rank:
            raise LockOrderError(f"lock {kind} {key} was asked for after {self._lock_rank}")
        if rank != self._lock_rank:
            self._lock_rank = rank
            self._lock(kind, str(key))

    @abstractmethod
    def _lock(self, kind: str, key: str) -> None: ...

    def signal(self, name: str, value: Any) -> None:
        """Tell listeners after COMMIT; over a group of writes numbers keep the smallest and lists are joined."""
        self.signals[name] = merged(self.signals.get(name), value)

    def leave(self, do: "Do", key: Any, value: Any) -> None:
        """Leave something to be done in the same commit, once for all writes of a group: do(tx, {key: value}).

        Of a key that is left again the later value counts. Until then no statement of the group sees what is left.
        """
        self.left.setdefault(do, {})[key] = value


def do_left(tx: Tx, left: Left) -> None:
    """Do what writes have left: the last thing before their commit."""
    for do, values in left.items():
        do(tx, values)


def merged(old: Any, new: Any) -> Any:
    if old is None:
        return new
    if isinstance(new, list):
        return [*old, *new]
    return min(old, new)


class Member:
    """One write that waits for its commit. is_urgent: somebody outside waits for it."""

    __slots__ = ("error", "fn", "future", "is_urgent", "left", "loop", "result", "signals")

    def __init__(
        self,
        fn: Callable[[Any], Any],
        future: "asyncio.Future[Any] | Future[Any]",
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        is_urgent: bool = False,
    ) -> None:
        self.fn = fn
        self.is_urgent = is_urgent
        self.future = future
        self.loop = loop
        self.result: Any = None
        self.error: BaseException | None = None
        self.signals: Signals = {}
        self.left: Left = {}

    def settle(self) -> None:
        if self.future.done():  # the caller went away; the commit stands all the same
            return
        if self.error is None:
            self.future.set_result(self.result)
        elif isinstance(self.error, StopIteration):  # a future refuses it, and its caller would wait for ever
            self.future.set_exception(RuntimeError("a write raised StopIteration"))
        else:
            self.future.set_exception(self.error)


class Store(ABC):
    """What both engines give: writes, reads, signals after commit. `clock` is the one source of time."""

    engine: ClassVar[Engine]

    def __init__(self, *, clock: instants.Clock, ids: Ids | None = None) -> None:
        self.clock = clock
        self._ids = ids or Ids(clock)
        self._listeners: list[Listener] = []

    @property
    def is_shared(self) -> bool:
        """Whether other daemons may stand on it; a file's lock keeps them away from SQLite."""
        return self.engine == "postgresql"

    def now_us(self) -> int:
        return instants.us_from_datetime(self.clock())

    def now(self) -> datetime:
        return self.clock()

    def listen(self, listener: Listener) -> None:
        """Call listener with the signals of each commit, in the thread that committed."""
        self._listeners.append(listener)

    def _tell(self, signals: Signals) -> None:
        if signals:
            for listener in self._listeners:
                try:
                    listener(signals)
                except Exception:  # noqa: BLE001 - logged
                    # The commit stands and the writing thread goes on, whatever a listener makes of it.
                    _log.exception("store_listener_failed")

    async def write(self, fn: Callable[[Tx], T], *, is_urgent: bool = False) -> T:
        """Run fn in a transaction; its result once the commit is on disk.

        Not undone by the cancellation of the caller. is_urgent: a sender waits for it; on SQLite it goes before others.
        Raises: what fn raised, or StoreError; nothing was kept then.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(Member(fn, future, loop, is_urgent=is_urgent))
        return await future  # a caller that is cancelled ends its own wait, never the write

    def write_now(self, fn: Callable[[Tx], T]) -> T:
        """As write, from a thread that may wait."""
        future: Future[T] = Future()
        self._put(Member(fn, future))
        return future.result()

    @abstractmethod
    def _put(self, member: Member) -> None:
        """Let a writer run the member. Raises: StoreError when the store is closed."""

    @abstractmethod
    def read_now(self, fn: Callable[[Tx], T]) -> T:
        """Run fn on a snapshot that sees every committed write."""

    async def read(self, fn: Callable[[Tx], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(None, self.read_now, fn)

    @abstractmethod
    async def has_foreign_writes(self) -> bool:
        """Whether another process has committed since the last call; true where that cannot be known."""

    @abstractmethod
    def close(self) -> None:
        """Finish the writes already asked for, then close."""
