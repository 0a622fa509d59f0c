"""How far each answer of a ticket has got, for whoever looks at it: queued, sent, delivered, read, or why it failed."""

from typing import Any

from sqlalchemy import bindparam, select

from intake import instants
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_o = schema.outbox.c
_OF_TICKET = Statement(
    select(_o.message_id, _o.state, _o.error, _o.attempts, _o.next_at)
    .where(_o.ticket_id == bindparam("ticket_id"), _o.message_id.is_not(None))
    .order_by(_o.id)
)


def of_ticket(tx: Tx, ticket_id: int) -> dict[int, dict[str, Any]]:
    """Return the delivery of each message that went out. reason: why it waits or failed, None = nothing is wrong."""
    return {
        message_id: {
            "state": state,
            "reason": error,
            "attempts": attempts,
            "next_at": instants.rfc3339_from_us(next_at if state == "queued" else None),
        }
        for message_id, state, error, attempts, next_at in tx.all(_OF_TICKET, ticket_id=ticket_id)
    }
