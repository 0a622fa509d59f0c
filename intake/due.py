"""Timers whose instant has come, as rows: which are next, which failed and are tried again, how late they are.

State: pending -> fired; a timer that breaks is "failing" and tried again later, then "failed", which is loud and waits
for an operator (`intake timers retry`). cancelled and skipped ones never fire.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, func, or_, select

from intake import events
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

# After the n-th failed try, seconds: a fault of the moment passes, one of ours is known within a quarter of an hour.
BACK_OFF_S = (2, 15, 120, 600)
ATTEMPTS_MAX = len(BACK_OFF_S) + 1
COUNTED_MAX = 10_000  # a figure needs no more than "very many", and must not cost more with every timer

_t = schema.timers.c
_is_due = (_t.state == "pending") & (_t.due_at <= bindparam("now"))
_DUE = Statement(
    select(_t.due_at, _t.id, _t.ticket_id).where(_is_due).order_by(_t.due_at, _t.id).limit(bindparam("most"))
)
_DUE_AGAIN = Statement(
    select(_t.due_at, _t.id, _t.ticket_id)
    .where(_t.state == "failing", _t.retry_at <= bindparam("now"))
    .order_by(_t.retry_at, _t.id)
    .limit(bindparam("most"))
)
_NEXT = Statement(select(func.min(_t.due_at)).where(_t.state == "pending"))
_NEXT_AGAIN = Statement(select(func.min(_t.retry_at)).where(_t.state == "failing"))
_ATTEMPTS = Statement(
    select(_t.attempts).where(
        _t.id == bindparam("timer_id"), or_(_t.state == "pending", _t.state == "failing")
    )
)
_RETRY = Statement(
    schema.timers.update()
    .where(_t.id == bindparam("timer_id"), or_(_t.state == "failed", _t.state == "failing"))
    .values(state="pending", attempts=0, retry_at=None, fired_at=None)
)
_FAILED = Statement(select(_t.id).where(_t.state == "failed").order_by(_t.id).limit(bindparam("most")))
_late = select(_t.due_at).where(_is_due).order_by(_t.due_at).limit(bindparam("most")).subquery()
_LATE = Statement(select(func.count(), func.min(_late.c.due_at)).select_from(_late))


class Due(msgspec.Struct, frozen=True):
    """One timer that fires. policy, step, target: as its row has them; due_at: microseconds UTC."""

    id: int
    kind: str
    policy: str
    step: str
    target: str | None
    due_at: int

    @property
    def cause(self) -> str:
        return f"timer:{self.id}"

    @property
    def since_us(self) -> int:
        """What its policy names after the @: the instant that it counts from."""
        return int(self.policy.rpartition("@")[2])


class Late(msgspec.Struct, frozen=True):
    """What is due and has not fired. count: at most COUNTED_MAX; oldest_us: the first due instant, None = nothing is.

    failed: ids of timers that were given up, the first few.
    """

    count: int
    oldest_us: int | None
    failed: tuple[int, ...] = ()


def page(tx: Tx, *, most: int) -> list[tuple[int, int]]:
    """Return (timer id, ticket id) of what is to fire now, in the order of due instants; at most so many of each kind."""
    rows = [*tx.all(_DUE, now=tx.now, most=most), *tx.all(_DUE_AGAIN, now=tx.now, most=most)]
    return [(row[1], row[2]) for row in sorted(rows)]


def next_at(tx: Tx) -> int | None:
    """Return when the next timer is to fire or to be tried again, microseconds UTC; None = there is none."""
    rows = (tx.one(_NEXT), tx.one(_NEXT_AGAIN))
    return min((row[0] for row in rows if row is not None and row[0] is not None), default=None)


def note_failure(tx: Tx, timer_id: int, ticket_id: int, reason: str) -> int | None:
    """Have a timer that broke tried again, and given up in the end; how often it has failed, None = it fired meanwhile.

    The ticket's other timers go on: one broken step stops nothing that comes after it.
    """
    tx.lock("ticket", ticket_id)
    row = tx.one(_ATTEMPTS, timer_id=timer_id)
    if row is None:
        return None
    attempts = int(row[0]) + 1
    if attempts < ATTEMPTS_MAX:
        retry_at = tx.now + BACK_OFF_S[attempts - 1] * 1_000_000
        tx.update(schema.timers, {"id": timer_id}, state="failing", attempts=attempts, retry_at=retry_at)
        tx.signal("timers", retry_at)
        return attempts
    tx.update(
        schema.timers, {"id": timer_id}, state="failed", attempts=attempts, retry_at=None, fired_at=tx.now
    )
    events.record(
        tx, "timer_failed", ticket_id=ticket_id, timer=str(timer_id), reason=reason, attempts=attempts
    )
    return attempts


def retry(tx: Tx, timer_id: int) -> bool:
    """Fire a timer that was given up, now; false when there is no such timer."""
    is_found = tx.run(_RETRY, timer_id=timer_id) > 0
    tx.signal("timers", tx.now)
    return is_found


def failed(tx: Tx, *, most: int) -> Sequence[int]:
    """Return the ids of timers that were given up, the oldest first."""
    return [row[0] for row in tx.all(_FAILED, most=most)]


def late(tx: Tx, *, most_failed: int) -> Late:
    """Return what is behind now; it costs the same however many timers are open."""
    count, oldest = tx.one(_LATE, now=tx.now, most=COUNTED_MAX) or (0, None)
    return Late(count, oldest, tuple(failed(tx, most=most_failed)))
