"""Messages that say the same thing join one ticket: alerts of one host, say. Whoever writes them.

A key counts for the ticket that a message of it has opened; it stands there as a keyed hash.
"""

import msgspec
from sqlalchemy import bindparam, select

from intake import events, facts, instants, tickets
from intake.model import Arrival, Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import gathering_key
from routing.conversation import Gathering
from routing.view import View

_m = schema.messages.c
_t = schema.tickets.c
_NEWEST = Statement(select(_t.id).where(_t.gathered_by == bindparam("key")).order_by(_t.id.desc()).limit(1))
_LAST_AT = Statement(
    select(_m.at)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction == "in")
    .order_by(_m.id.desc())
    .limit(1)
)


class Gathered(msgspec.Struct, frozen=True):
    """key: what a new ticket of this message gathers by. ticket: the one that it joins, None = there is none (any more)."""

    rule: str
    key: str
    ticket: Ticket | None


def find(tx: Tx, context: Context, arrival: Arrival) -> Gathered | None:
    """Look for the ticket that gathers the message; None = no gathering of the rules is for it.

    A forged sender is gathered nowhere. Holds the lock on the key, and on the ticket that is joined.
    """
    if not context.rulebook.conversations.by or arrival.message.trust.is_refuted:
        return None
    view = View.of(context.rulebook, facts.of_arrival(tx, context, arrival))
    for rule in context.rulebook.conversations.by:
        text = _key(tx, rule, view, arrival)
        if text is not None:
            key = context.keys.fingerprint(f"gathering\0{rule.id}\0{text}")
            return Gathered(rule.id, key, _ticket(tx, rule, key, arrival))
    return None


def _key(tx: Tx, rule: Gathering, view: View, arrival: Arrival) -> str | None:
    """Return the key that the rule gives the message, None = it is not for it. A rule that breaks is for nothing."""
    try:
        return gathering_key.filled(rule.key, view) if rule.when.holds(view) else None
    except Exception as error:  # noqa: BLE001 - pure code; whatever breaks in one rule must not lose the message
        events.record(
            tx,
            "rule_failed",
            customer_id=arrival.customer.id,
            actor=f"rule:{rule.id}",
            journal=arrival.received.id,
            reason=f"{type(error).__name__}: {error}",
        )
        return None


def _ticket(tx: Tx, rule: Gathering, key: str, arrival: Arrival) -> Ticket | None:
    # Who writes does not matter here: the key stands where the customer stands otherwise, in the order of locks too.
    tx.lock("customer", f"gathering:{key}")
    row = tx.one(_NEWEST, key=key)
    if row is None:
        return None
    gathers = tickets.load(tx, int(row[0]))
    if gathers is None:
        return None
    ticket = tickets.locked(tx, tickets.final(tx, gathers).id)
    last = tx.one(_LAST_AT, ticket_id=ticket.id)
    has_room = rule.has_room(
        status=ticket.status,
        last_at=instants.datetime_from_us(last[0] if last is not None else ticket.created_at),
        at=arrival.received.raw.received_at,
        is_automatic=bool(arrival.message.automatic),
    )
    return ticket if has_room else None
