"""Which ticket a call is on: looked for as soon as it is known what it is about, or how it ended.

The open ticket that the caller says it is about, if it is theirs; else that of their last call, when nobody has answered it
and it was minutes ago; else what `conversations` says for voice; else a new one. Who says that it is about something else
is on a new one.
"""

import msgspec
from sqlalchemy import bindparam, select

from intake import (
    call_rows,
    call_text,
    conversations,
    customers,
    instants,
    journal,
    newcomers,
    refs,
    rerouting,
    tickets,
)
from intake.call_rows import Call
from intake.conversations import Place
from intake.model import Account, Arrival, Context, Received, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

SOMETHING_ELSE = (
    "something_else"  # the choice of who was offered the open ticket, and called about another matter
)

_c = schema.calls.c
_LAST_BEFORE = Statement(
    select(_c.ticket_id, _c.counted_at)
    .where(
        _c.customer_id == bindparam("customer_id"),
        _c.account == bindparam("account"),
        _c.direction == "in",
        _c.id != bindparam("but"),
        _c.ticket_id.is_not(None),
        _c.started_at >= bindparam("since"),
    )
    .order_by(_c.started_at.desc())
    .limit(1)
)


def is_due(before: Call, after: Call) -> bool:
    """Whether it becomes a ticket now: enough is told, and what is new may change what rules have made of it."""
    if not _is_ripe(after):
        return False
    was, now = before.state, after.state
    return (
        before == after
        or not _is_ripe(before)
        or (was.outcome, was.recordings) != (now.outcome, now.recordings)
    )


def _is_ripe(call: Call) -> bool:
    """Whether it is known what it is about, or how it ended; and who called, or that they hide it."""
    is_identified = call.caller or any(
        each.what in ("started", "ended", "menu_done") for each in call.timeline
    )
    return call.state.is_placeable and bool(is_identified)


def place(tx: Tx, context: Context, received: Received, account: Account, call: Call) -> Call:
    """Make the call part of a conversation; without a ticket when a rule ignores it."""
    from intake import pipeline  # which comes here

    state = call.state
    message = call_text.message(state, caller=call.caller, own=call.own)
    arrival = Arrival(
        received=received,
        message=message,
        account=account,
        customer=customers.identify(tx, message),
        recipients=(call.own,) if call.own else (),
    )
    if state.language and arrival.customer.language != state.language:
        tx.update(schema.customers, {"id": arrival.customer.id}, language=state.language)
    place = _found(tx, context, arrival, call)
    if place.ticket is not None:
        pipeline.join(tx, context, arrival, place.ticket, place)
    else:
        newcomers.open_ticket(tx, context, arrival, place)
    done = journal.outcome(tx, received.id)
    placed = msgspec.structs.replace(
        call, customer_id=arrival.customer.id, ticket_id=done.ticket_id, message_id=done.message_id
    )
    call_rows.save(tx, placed)
    if place.ticket is not None:
        _route_again(tx, context, placed, message=done.message_id)
    return placed


def _found(tx: Tx, context: Context, arrival: Arrival, call: Call) -> Place:
    """Return where the call belongs."""
    customer = arrival.customer
    if arrival.message.sender is None or customer.is_new or SOMETHING_ELSE in call.state.choices:
        return conversations.NEW
    tx.lock("customer", customer.id)
    named = _named(tx, context, arrival, call)
    if named is not None:
        return Place(ticket=named)
    again = _called_before(tx, context, arrival, call)
    if again is not None:
        return Place(ticket=again)
    return conversations.place(tx, context, arrival)


def _named(tx: Tx, context: Context, arrival: Arrival, call: Call) -> Ticket | None:
    """Return the ticket that the caller has chosen, when it is theirs and takes another message."""
    ref = refs.normalized(call.state.open_ref or "")
    found = tickets.load_by_ref(tx, ref) if ref is not None else None
    if found is None:
        return None
    found = tickets.final(tx, found)
    is_theirs = found.customer_id == arrival.customer.id or arrival.message.sender in tickets.participants(
        tx, found.id
    )
    if not is_theirs:
        return None
    ticket = tickets.locked(tx, found.id)
    return (
        ticket if conversations.is_joinable(tx, ticket, context.rulebook.conversations.of("voice")) else None
    )


def _called_before(tx: Tx, context: Context, arrival: Arrival, call: Call) -> Ticket | None:
    """Return the open ticket of the caller's last call, when that was minutes ago and no talk counts as an answer."""
    span_us = round(context.calls.together_minutes * 60_000_000)
    if not span_us:
        return None
    started_at = call.state.started_at
    start_us = tx.now if started_at is None else instants.us_from_datetime(started_at)
    row = tx.one(
        _LAST_BEFORE,
        customer_id=arrival.customer.id,
        account=call.account,
        but=call.id,
        since=start_us - span_us,
    )
    if row is None or row[1] is not None:
        return None
    ticket = tickets.locked_final(tx, row[0])
    return ticket if ticket.is_open else None


def _route_again(tx: Tx, context: Context, call: Call, *, message: int | None) -> None:
    """Decide anew, while nobody has taken the ticket: this call may be about something else than the last."""
    ticket = tickets.load(tx, call.ticket_id or 0)
    if ticket is not None and ticket.medium == call_text.VOICE and ticket.is_open:
        rerouting.once_more(tx, context, ticket, cause=f"message:{message}")
