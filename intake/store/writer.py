"""One thread writes, and commits all that waits as one group: a thread hop and an fsync are paid once for many writes.

Each member of a group has a savepoint of its own: what one raises takes nothing from the others. When an error ends
the whole transaction (a full disk does, released savepoints included), the members run again, one by one.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from intake.store.engine import Member, Signals, StoreError, Tx, merged

GROUP_MAX = 512
GROUP_S = 0.020  # a group that has run this long commits: nobody's acknowledgement waits for a crowd


_NOBODY = Member(lambda tx: None, Future(), None)  # the queue is empty


class Session(Protocol):
    """What the writer needs of an engine's connection."""

    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def savepoint(self) -> None: ...
    def release(self) -> None: ...
    def rollback_to_savepoint(self) -> None: ...
    def is_in_transaction(self) -> bool: ...
    def tx(self) -> Tx: ...
    def store_error(self, error: BaseException) -> StoreError | None: ...
    def close(self) -> None: ...


class Writer:
    """Runs members in order on the session that `open_session` opens in the writer's own thread."""

    def __init__(self, open_session: Callable[[], Session], tell: Callable[[Signals], None]) -> None:
        self._queue: queue.SimpleQueue[Member | None] = queue.SimpleQueue()
        self._tell = tell
        self._opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(open_session,), name="store-writer", daemon=True
        )
        self._is_closed = False
        self._closing = threading.Lock()
        self._thread.start()
        self._opened.result()

    def put(self, member: Member) -> None:
        with self._closing:  # nothing is queued behind the end
            if self._is_closed:
                raise StoreError("the store is closed")
            self._queue.put(member)

    def close(self) -> None:
        """Commit what was asked for, then end the thread."""
        with self._closing:
            if not self._is_closed:
                self._is_closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self, open_session: Callable[[], Session]) -> None:
        try:
            session = open_session()
        except BaseException as error:  # noqa: BLE001 - given to the thread that opens the store
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        is_open = True
        while is_open:
            first = self._queue.get()
            if first is None:
                break
            is_open = self._commit_group(session, first)
        session.close()

    def _commit_group(self, session: Session, first: Member) -> bool:
        """Run first and all that waits behind it; false when the writer was told to end."""
        members = [first]
        is_open = True
        try:
            session.begin()
        except BaseException as error:  # noqa: BLE001 - told to each member
            is_open = self._take_waiting(members)  # one timeout for all of them, not one after another
            self._refuse(session, members, error)
            return is_open
        started = time.monotonic()
        try:
            _run_member(session, first)
            while len(members) < GROUP_MAX and time.monotonic() - started < GROUP_S:
                member = self._next_waiting()
                if member is None or member is _NOBODY:
                    is_open = member is not None
                    break
                members.append(member)
                _run_member(session, member)
            session.commit()
        except BaseException as error:  # noqa: BLE001 - told to each member
            session.rollback()
            self._one_by_one(session, members, error)
            return is_open
        deliver(members, self._tell)
        return is_open

    def _next_waiting(self) -> Member | None:
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            return _NOBODY

    def _take_waiting(self, members: list[Member]) -> bool:
        while (member := self._next_waiting()) is not _NOBODY:
            if member is None:
                return False
            members.append(member)
        return True

    def _refuse(self, session: Session, members: list[Member], error: BaseException) -> None:
        for member in members:
            member.error = session.store_error(error) or error
        deliver(members, self._tell)

    def _one_by_one(self, session: Session, members: list[Member], error: BaseException) -> None:
        if len(members) == 1:
            self._refuse(session, members, error)
            return
        for number, member in enumerate(members):
            _alone(session, member)
            if isinstance(member.error, StoreError) and not member.error.is_full:
                self._refuse(
                    session, members[number + 1 :], member.error
                )  # each would wait as long for the same
                deliver(members[: number + 1], self._tell)
                return
        deliver(members, self._tell)


def deliver(members: list[Member], tell: Callable[[Signals], None]) -> None:
    """Give each caller its result, in its own loop, and the listeners the signals of what was committed."""
    signals: Signals = {}
    for member in members:
        if member.error is None:
            for name, value in member.signals.items():
                signals[name] = merged(signals.get(name), value)
    by_loop: dict[asyncio.AbstractEventLoop | None, list[Member]] = {}
    for member in members:
        by_loop.setdefault(member.loop, []).append(member)
    for loop, group in by_loop.items():
        if loop is None:
            _settle_all(group)
            continue
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits there any more
            loop.call_soon_threadsafe(_settle_all, group)
    tell(signals)


def _settle_all(members: list[Member]) -> None:
    for member in members:
        member.settle()


def _run_member(session: Session, member: Member) -> None:
    """Run one member; an error of its own undoes only its own work, an error of the engine goes up."""
    session.savepoint()
    tx = session.tx()
    try:
        member.result = member.fn(tx)
    except BaseException as error:
        if session.store_error(error) is not None or not session.is_in_transaction():
            raise
        session.rollback_to_savepoint()
        member.error = error
    else:
        member.error = None
        member.signals = tx.signals
    session.release()


def _alone(session: Session, member: Member) -> None:
    member.error = None
    try:
        session.begin()
        _run_member(session, member)
        session.commit()
    except BaseException as error:  # noqa: BLE001 - told to the member
        session.rollback()
        member.error = session.store_error(error) or error
