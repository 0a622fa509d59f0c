"""Who looks at a ticket: the last acknowledgement that still counts."""

import msgspec
from sqlalchemy import and_, bindparam, func, select

from intake import tickets
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_o = schema.outbox.c
_e = schema.events.c

is_escalation = and_(_o.action > "notify:escalated:", _o.action < "notify:escalated;")
"""An outbox row is a notice that a rule or a step of a ladder asked for."""

_NEWEST = Statement(
    select(func.max(_o.created_at)).where(_o.ticket_id == bindparam("ticket_id"), is_escalation)
)
_LAST = Statement(
    select(_e.actor, _e.at)
    .where(_e.ticket_id == bindparam("ticket_id"), _e.kind == "acknowledged")
    .order_by(_e.id.desc())
    .limit(1)
)


class Look(msgspec.Struct, frozen=True):
    """Who looks at a ticket, and since when. agent: a name of the rules; at: microseconds UTC."""

    agent: str
    at: int


def last(tx: Tx, ticket_id: int) -> Look | None:
    """Return who acknowledged the ticket last, however long ago; None = nobody ever has."""
    row = tx.one(_LAST, ticket_id=ticket_id)
    return None if row is None else Look(row[0].partition(":")[2], row[1])


def of_ref(tx: Tx, ref: str) -> Look | None:
    """Return who looks at the ticket of a ref; None also when there is none."""
    ticket = tickets.load_by_ref(tx, ref)
    return None if ticket is None else standing(tx, ticket)


def standing(tx: Tx, ticket: Ticket) -> Look | None:
    """Return who looks at it; None = nobody has since the last notice, the customer's last words, the last status."""
    look = last(tx, ticket.id)
    if look is None or not ticket.is_open:
        return None
    newest = tx.one(_NEWEST, ticket_id=ticket.id)
    since = (newest[0] if newest else None, ticket.customer_replied_at, ticket.status_changed_at)
    return look if look.at >= max(each or 0 for each in since) else None
