"""A text that answers ours about a call: it belongs to the ticket of the call, whatever `conversations` says for texts.

Nothing in a text names what it answers. What we texted to this customer last is what they have before their eyes, so that
decides, as long as the ticket takes messages.
"""

from typing import Any

from sqlalchemy import bindparam, func, select

from intake import tickets
from intake.model import Arrival, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing.people import LIVE

TEXTS = frozenset(("sms", "whatsapp"))

_t, _m = schema.tickets.c, schema.messages.c
_TEXTED = Statement(
    select(_t.id, _t.medium, func.max(_m.at).label("last"))
    .join(schema.messages, _m.ticket_id == _t.id)
    .where(
        _t.customer_id == bindparam("customer_id"),
        _t.status != "closed",
        _m.direction == "out",
        _m.medium == bindparam("medium"),
        _m.account == bindparam("account"),
    )
    .group_by(_t.id, _t.medium)
    .order_by(func.max(_m.at).desc())
    .limit(1)
)


def ticket_of(tx: Tx, arrival: Arrival) -> Ticket | None:
    """Return the ticket of the call that our last text to the customer was about, locked; None = it was about no call."""
    message = arrival.message
    if message.kind not in TEXTS or message.sender is None or arrival.customer.is_new:
        return None
    tx.lock("customer", arrival.customer.id)
    where: dict[str, Any] = {
        "customer_id": arrival.customer.id,
        "medium": message.kind,
        "account": arrival.account.name,
    }
    row = tx.one(_TEXTED, **where)
    return tickets.locked(tx, row[0]) if row is not None and row[1] == LIVE else None
