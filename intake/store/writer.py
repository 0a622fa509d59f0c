"""One thread writes, and commits all that waits as one group: a thread hop and an fsync are paid once for many writes.

An urgent write is one that a sender waits for: it goes first, and a group that has one commits as soon as no further
urgent one waits, so that an acknowledgement never waits for work that could be done later.

Each member of a group has a savepoint of its own: what one raises takes nothing from the others. When an error ends
the whole transaction (a full disk does, released savepoints included), the members run again, one by one. What members
leave (Tx.leave) is done once, behind the last of them.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Protocol

from intake.store.engine import Left, Member, Signals, StoreError, Tx, do_left, merged
from intake.store.waiting import Waiting

GROUP_MAX = 512
PASSED_OVER_S = 0.012  # when no other write has come to its turn for so long, urgent or not,
TURN_S = 0.004  # the others have so long: no crowd shuts them out
GROUP_S = 0.020  # a group that has run this long commits: nobody's acknowledgement waits for a crowd


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
        self._waiting = Waiting()
        self._others_ran = 0.0
        self._tell = tell
        self._opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(open_session,), name="store-writer", daemon=True
        )
        self._thread.start()
        self._opened.result()

    def put(self, member: Member) -> None:
        if not self._waiting.put(member):
            raise StoreError("the store is closed")

    def close(self) -> None:
        """Commit what was asked for, then end the thread."""
        self._waiting.end()
        self._thread.join()

    def _run(self, open_session: Callable[[], Session]) -> None:
        try:
            session = open_session()
        except BaseException as error:  # noqa: BLE001 - given to the thread that opens the store
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        while (first := self._waiting.first()) is not None:
            self._commit_group(session, first)
        session.close()

    def _commit_group(self, session: Session, first: Member) -> None:
        """Run first and what waits behind it."""
        members = [first]
        try:
            session.begin()
        except BaseException as error:  # noqa: BLE001 - told to each member
            while (member := self._waiting.urgent() or self._waiting.other()) is not None:
                members.append(member)  # one timeout for all of them, not one after another
            self._refuse(session, members, error)
            return
        try:
            _run_member(session, first)
            for member in self._group(first):
                members.append(member)
                _run_member(session, member)
            _do_left(session, members)
            session.commit()
        except BaseException as error:  # noqa: BLE001 - told to each member
            session.rollback()
            self._one_by_one(session, members, error)
            return
        deliver(members, self._tell)

    def _group(self, first: Member) -> Iterator[Member]:
        """Yield what is committed together with first."""
        started, has_urgent, turn_ends = time.monotonic(), first.is_urgent, 0.0
        if not first.is_urgent:
            self._others_ran = started
        for _ in range(GROUP_MAX - 1):
            now = time.monotonic()
            if now - started >= GROUP_S:
                return
            member = self._waiting.urgent()
            if member is not None:
                has_urgent = True
                yield member
                continue
            if has_urgent and not turn_ends:
                if now - self._others_ran < PASSED_OVER_S:
                    return
                turn_ends = now + TURN_S
            member = self._waiting.other() if not has_urgent or now < turn_ends else None
            if member is None:
                return
            self._others_ran = now
            yield member

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
        member.signals, member.left = tx.signals, tx.left
    session.release()


def _do_left(session: Session, members: list[Member]) -> None:
    """Do what the members have left that succeeded: of a key the last one's value."""
    left: Left = {}
    for member in members:
        if member.error is None:
            for do, values in member.left.items():
                left.setdefault(do, {}).update(values)
    if left:
        do_left(session.tx(), left)


def _alone(session: Session, member: Member) -> None:
    member.error = None
    try:
        session.begin()
        _run_member(session, member)
        _do_left(session, [member])
        session.commit()
    except BaseException as error:  # noqa: BLE001 - told to the member
        session.rollback()
        member.error = session.store_error(error) or error
