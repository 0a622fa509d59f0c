"""Actions that look ahead: sleep until an instant; and the timers of a ticket that stand alone of their kind."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam

from intake import clocks, instants, seating, tickets
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert
from routing.actions import Action

SNOOZE = "snooze"
RELAX = "relax"

_t = schema.timers.c
_CANCEL = Statement(
    schema.timers.update()
    .where(_t.ticket_id == bindparam("of_ticket"), _t.kind == bindparam("of_kind"), _t.state == "pending")
    .values(state="cancelled")
)
_SET = Statement(
    upsert(schema.timers)
    .values(
        {
            name: bindparam(name)
            for name in ("id", "ticket_id", "customer_id", "kind", "policy", "step", "due_at")
        }
    )
    .on_conflict_do_update(
        index_elements=[_t.ticket_id, _t.policy, _t.step, _t.due_at],
        set_={"state": "pending"},
        where=_t.state == "cancelled",
    )
)


def snooze(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    """Put the ticket on hold until an instant; then it is open again, if nobody has changed its status before."""
    if action.value is None:
        return ticket
    actor = f"rule:{action.rule}"
    slept = seating.set_status(tx, context, ticket, "on_hold", actor=actor, cause=happened.cause)
    alarm(tx, slept, SNOOZE, instant(tx, action.value))
    return slept


def wake(tx: Tx, context: Context, ticket: Ticket, armed_at: int) -> Ticket:
    """End a snooze, unless the status was changed since. armed_at: microseconds UTC."""
    changed_at = ticket.status_changed_at
    if ticket.status != "on_hold" or (changed_at is not None and changed_at > armed_at):
        return ticket
    woken = tickets.change(tx, ticket, actor="system", status="open")
    clocks.follow(tx, ticket, woken)
    return seating.hand_back(tx, context, woken, cause=f"wake:{ticket.id}:{armed_at}")


def alarm(tx: Tx, ticket: Ticket, kind: str, at: datetime) -> None:
    """Set the ticket's one timer of a kind; its policy keeps when that was done."""
    tx.run(_CANCEL, of_ticket=ticket.id, of_kind=kind)
    set_timer(tx, ticket, kind, policy=f"{kind}@{tx.now}", due_us=instants.us_from_datetime(at))


def set_timer(tx: Tx, ticket: Ticket, kind: str, *, policy: str, due_us: int) -> None:
    """Set one more timer of a kind. policy: what tells it from others, with a number behind an @."""
    tx.run(
        _SET,
        id=tx.new_id(),
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        kind=kind,
        policy=policy,
        step=kind,
        due_at=due_us,
    )
    tx.signal("timers", due_us)


def instant(tx: Tx, value: Any) -> datetime:
    """Return the instant of an action's value, UTC: RFC 3339, or {seconds} from now on the wall clock."""
    if isinstance(value, dict):
        return instants.datetime_from_us(tx.now) + timedelta(seconds=value["seconds"])
    return datetime.fromisoformat(str(value)).astimezone(UTC)
