"""A flood: more messages of one sender within minutes than a person writes. They become one ticket.

Where a medium joins messages anyway nothing changes. Elsewhere each message would open a ticket, and an automatic answer;
beyond the limit it joins the newest open ticket of the sender, on the same account, which is told once an hour.
"""

from sqlalchemy import bindparam, select

from intake import counters, events, tickets
from intake.model import Arrival, Context, Ticket
from intake.opt_outs import PHONE_MEDIA
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

FLOOD, TOLD = "phone_flood", "phone_flood_told"
_MINUTE_US = 60_000_000

_t = schema.tickets.c
_NEWEST = Statement(
    select(_t.id)
    .where(
        _t.customer_id == bindparam("customer_id"),
        _t.medium == bindparam("medium"),
        _t.account == bindparam("account"),
        _t.solved_at.is_(None),
        _t.merged_into.is_(None),
    )
    .order_by(_t.id.desc())
    .limit(1)
)


def ticket_of(tx: Tx, context: Context, arrival: Arrival) -> Ticket | None:
    """Return the ticket that a further message of a flood joins, locked; None = it is no flood, or nothing is open."""
    limits, sender = context.phone, arrival.message.sender
    if sender is None or not limits.flood_messages or arrival.message.kind not in PHONE_MEDIA:
        return None
    key, window_us = f"{sender.kind}:{sender.value}", int(limits.flood_minutes * _MINUTE_US)
    if counters.take(tx, FLOOD, key, limit=limits.flood_messages, window_us=window_us):
        return None
    tx.lock("customer", arrival.customer.id)
    row = tx.one(
        _NEWEST,
        customer_id=arrival.customer.id,
        medium=arrival.message.kind,
        account=arrival.account.name,
    )
    if row is None:
        return None
    ticket = tickets.locked(tx, row[0])
    if counters.take(tx, TOLD, key, limit=1):
        told = {"sender": sender.value, "messages": limits.flood_messages, "minutes": limits.flood_minutes}
        events.of_ticket(tx, ticket, "flood", actor="customer", **told)
        tx.signal("told", [("phone_flood", {"ticket": ticket.ref, **told})])
    return ticket


def forget(tx: Tx) -> int:
    """Remove some counters that count nothing any more; how many. They name numbers."""
    return counters.forget(tx, FLOOD, window_us=24 * counters.HOUR_US) + counters.forget(tx, TOLD)
