"""What rules may ask of a ticket's calls: the last one counts. Whether somebody is on the line for it at this moment."""

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import CallFacts
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

LIVE_US = 6 * 3_600 * 1_000_000  # no call is taken for under way for longer
NEEDS = frozenset(("call.choice", "call.outcome"))
NOTHING = CallFacts()

_decode = msgspec.json.Decoder(tuple[str, ...]).decode
_c = schema.calls.c
_LAST = Statement(
    select(_c.choices, _c.outcome)
    .where(_c.ticket_id == bindparam("ticket_id"))
    .order_by(_c.started_at.desc(), _c.id.desc())
    .limit(1)
)
_LIVE = Statement(
    select(_c.id)
    .where(
        _c.ticket_id == bindparam("ticket_id"),
        _c.direction == "in",
        _c.outcome.is_(None),
        _c.started_at >= bindparam("since"),
    )
    .limit(1)
)


def of_ticket(tx: Tx, context: Context, ticket: Ticket) -> CallFacts:
    """Return the facts of the ticket's last call, as far as the rules ask."""
    if context.rulebook.needs.isdisjoint(NEEDS):
        return NOTHING
    row = tx.one(_LAST, ticket_id=ticket.id)
    if row is None:
        return NOTHING
    choices = _decode(row[0])
    return CallFacts(choices[-1] if choices else None, row[1])


def is_live(tx: Tx, ticket_id: int) -> bool:
    """Whether a caller waits, or speaks with somebody: then who takes the call gets the ticket, and nobody is chosen."""
    return tx.one(_LIVE, ticket_id=ticket_id, since=tx.now - LIVE_US) is not None
