"""Open tickets get a policy as it is now. A reload never does that by itself; `intake rules rearm` does.

The time used counts. What would already be due is recorded as skipped, so that nobody is told at once of all that a
stricter policy would have told them before.
"""

import msgspec
from sqlalchemy import BigInteger, bindparam, or_, select

from intake import clocks, events, tickets
from intake.armaments import Armament
from intake.model import Ticket
from intake.steps import ACK, BREACH, STEP
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement, values_of

CHUNK = 20  # tickets in one transaction: the desk goes on meanwhile

_t = schema.tickets.c
_r = schema.timers.c
_encode = msgspec.json.Encoder().encode
_PAGE = Statement(
    select(_t.id, _t.armament)
    .where(_t.sla == bindparam("policy"), _t.solved_at.is_(None), _t.id > bindparam("after"))
    .order_by(_t.id)
    .limit(bindparam("most"))
)
_PENDING = Statement(
    select(_r.id, _r.kind, _r.step, _r.target, _r.due_at).where(
        _r.ticket_id == bindparam("ticket_id"),
        _r.state == "pending",
        or_(_r.kind == STEP, _r.kind == BREACH, _r.kind == ACK),
    )
)
_SKIP = Statement(
    schema.timers.update()
    .where(_r.id.in_(values_of("ids", BigInteger())))
    .values(state="skipped", fired_at=bindparam("now"))
)


class Count(msgspec.Struct, frozen=True):
    """What became of open tickets of a policy. unchanged: had it as it is now; skipped: steps already due, not fired."""

    moved: int = 0
    unchanged: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.moved + other.moved, self.unchanged + other.unchanged, self.skipped + other.skipped)


class _Undone(Exception):
    """Ends a trial: nothing of it is kept."""

    def __init__(self, count: Count, last: int) -> None:
        super().__init__()
        self.outcome = count, last


def rearm(store: Store, armament: Armament, *, is_trial: bool = False, actor: str = "system") -> Count:
    """Move every open ticket of the policy, in chunks. is_trial: only count, keep nothing."""
    total, last = Count(), 0
    while last >= 0:
        after = last

        def chunk(tx: Tx, after: int = after) -> tuple[Count, int]:
            outcome = _chunk(tx, armament, after, actor)
            if is_trial:
                raise _Undone(*outcome)
            return outcome

        try:
            count, last = store.write_now(chunk)
        except _Undone as undone:
            count, last = undone.outcome
        total += count
    return total


def _chunk(tx: Tx, armament: Armament, after: int, actor: str) -> tuple[Count, int]:
    """Move the next tickets; the count, and the last one's id, -1 = there are no more."""
    rows = tx.all(_PAGE, policy=armament.policy.name, after=after, most=CHUNK)
    total = Count()
    for ticket_id in sorted((row[0] for row in rows), key=str):  # as locks are ordered
        total += _move(tx, tickets.locked(tx, ticket_id), armament, actor)
    return total, rows[-1][0] if len(rows) == CHUNK else -1


def _move(tx: Tx, ticket: Ticket, armament: Armament, actor: str) -> Count:
    if not ticket.is_open or ticket.sla != armament.policy.name:
        return Count()
    if ticket.armament == armament.hash:
        return Count(unchanged=1)
    waiting = {row[0] for row in tx.all(_PENDING, ticket_id=ticket.id)}
    armed = tickets.stamp(tx, ticket, armament=armament.hash)
    clocks.rearm(tx, ticket, armed)
    skipped = _skip_due(tx, armed, waiting)
    events.of_ticket(tx, armed, "sla_rearmed", actor=actor, policy=armament.policy.name, skipped=skipped)
    return Count(moved=1, skipped=len(skipped))


def _skip_due(tx: Tx, ticket: Ticket, waiting: set[int]) -> list[str]:
    """Skip what the new policy would already have done; what was waiting before is fired as ever."""
    due = [row for row in tx.all(_PENDING, ticket_id=ticket.id) if row[4] <= tx.now and row[0] not in waiting]
    if due:
        tx.run(_SKIP, ids=_encode([row[0] for row in due]).decode(), now=tx.now)
    for _, kind, _, target, due_at in due:
        if kind == BREACH:
            clocks.note_breach(tx, ticket, target, due_at)  # it is missed all the same, and reports say so
    return [row[2] for row in due if row[1] != BREACH]
