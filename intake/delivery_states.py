"""How far each answer of a ticket has got, for whoever looks at it: queued, sent, delivered, read, or why it failed."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, select

from intake import instants
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, values_of

_o = schema.outbox.c
_OF_TICKET = Statement(
    select(_o.message_id, _o.state, _o.error, _o.attempts, _o.next_at)
    .where(_o.ticket_id == bindparam("ticket_id"), _o.message_id.is_not(None))
    .order_by(_o.id)
)


_OF_MESSAGES = Statement(
    select(_o.message_id, _o.state, _o.error, _o.attempts, _o.next_at)
    .where(_o.ticket_id == bindparam("ticket_id"), _o.message_id.in_(values_of("ids", BigInteger())))
    .order_by(_o.id)
)


def of_ticket(tx: Tx, ticket_id: int) -> dict[int, dict[str, Any]]:
    """Return the delivery of each message that went out. reason: why it waits or failed, None = nothing is wrong."""
    return _deliveries(tx.all(_OF_TICKET, ticket_id=ticket_id))


def of_messages(tx: Tx, ticket_id: int, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """See of_ticket, of some of its messages."""
    asked = msgspec.json.encode(ids).decode()
    return _deliveries(tx.all(_OF_MESSAGES, ticket_id=ticket_id, ids=asked))


def _deliveries(rows: Sequence[Row]) -> dict[int, dict[str, Any]]:
    return {
        message_id: {
            "state": state,
            "reason": error,
            "attempts": attempts,
            "next_at": instants.rfc3339_from_us(next_at if state == "queued" else None),
        }
        for message_id, state, error, attempts, next_at in rows
    }
