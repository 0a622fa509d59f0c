"""Bounces: matched only by our signed return path or our Message-ID; they move an outbox row forward, never back."""

from sqlalchemy import bindparam, select

from channels.contract import Message
from intake import addresses, events, failures, tickets
from intake.model import Account, Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_o = schema.outbox.c
_BY_ID = Statement(select(_o.id, _o.ticket_id).where(_o.id == bindparam("id")))
_BY_EXTERNAL_ID = Statement(
    select(_o.id, _o.ticket_id)
    .join(schema.messages, schema.messages.c.id == _o.message_id)
    .where(schema.messages.c.external_id == bindparam("external_id"), schema.messages.c.direction == "out")
)

_FAIL = Statement(
    schema.outbox.update()
    .where(_o.id == bindparam("outbox_id"), _o.state != "failed")
    .values(state="failed", error=bindparam("reason"), next_at=None)
)


def note(
    tx: Tx, context: Context, account: Account, message: Message, recipients: tuple[str, ...]
) -> Ticket | None:
    """Mark what came back as failed when it failed for good; the ticket it belongs to, None when it is no bounce of ours."""
    if message.automatic != "bounce":
        return None
    row = _returned(tx, context, account, recipients) or _named(tx, message)
    if row is None or row[1] is None:
        return None
    ticket = tickets.locked(tx, row[1])
    failed = [each for each in message.bounce.recipients if each.permanent] if message.bounce else []
    fresh = False
    if failed:
        reason = failed[0].diagnostic or failed[0].reason or failed[0].status
        fresh = tx.run(_FAIL, outbox_id=row[0], reason=reason[:500]) > 0
    events.record(
        tx,
        "delivery_failed" if failed else "delivery_delayed",
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        outbox=str(row[0]),
        addresses=[each.address for each in message.bounce.recipients] if message.bounce else [],
    )
    return failures.follow(tx, context, ticket, row[0]) if fresh else ticket


def _returned(
    tx: Tx, context: Context, account: Account, recipients: tuple[str, ...]
) -> tuple[int, int | None] | None:
    for recipient in recipients:
        outbox_id = addresses.bounced_outbox_id(context.keys, account, recipient)
        row = tx.one(_BY_ID, id=outbox_id) if outbox_id is not None else None
        if row is not None:
            return row[0], row[1]
    return None


def _named(tx: Tx, message: Message) -> tuple[int, int | None] | None:
    original = message.bounce.original_message_id if message.bounce else None
    row = tx.one(_BY_EXTERNAL_ID, external_id=original) if original else None
    return None if row is None else (row[0], row[1])
