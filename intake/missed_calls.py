"""Calls in which nobody spoke and nothing was left: rules that wait for `call_missed` decide what becomes of them.

Whether a message was left is known some seconds after the end, when the provider has the recording: where one may be, the
call is looked at again then, by a timer. A rule's reply goes out as a text to the number that called: once in so many
hours, to numbers that may be mobile, never to hidden ones, not when it would come hours later or after somebody has
spoken with them, and past the gate of consent and budget like everything else (intake.permission). What the customer
answers joins the ticket of the call (intake.conversations).
"""

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Address
from intake import (
    answering_by_phone,
    call_rows,
    closed_texts,
    customers,
    delaying,
    instants,
    lateness,
    reactions,
)
from intake.call_rows import Call
from intake.call_timeline import State
from intake.due import Due
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

EVENT = "call_missed"
TIMER = "call_missed"
OUTCOMES = frozenset(("missed", "hung_up", "failed"))
RECORDING_COMES_WITHIN_US = 20_000_000  # seconds, mostly; the text is to come within half a minute
LATE_US = 3_600 * 1_000_000  # "we missed your call" is about one just now
_WITHOUT_MESSAGE = frozenset(("hung_up_in_menu", "hung_up_waiting"))

_c = schema.calls.c
_SPOKEN_SINCE = Statement(
    select(_c.id)
    .where(
        _c.customer_id == bindparam("customer_id"),
        _c.started_at >= bindparam("since"),
        _c.id != bindparam("but"),
        _c.answered_at.is_not(None),
    )
    .limit(1)
)


def react(tx: Tx, context: Context, ticket: Ticket, call: Call, *, cause: Cause) -> Ticket:
    """Let the rules see a call that has ended without anybody, now or soon; the ticket as they leave it."""
    if call.state.outcome not in OUTCOMES or EVENT not in reactions.awaited(context.rulebook):
        return ticket
    if not _may_have_message(call):
        return _tell(tx, context, ticket, call, cause=cause)
    due_us = tx.now + RECORDING_COMES_WITHIN_US
    delaying.set_timer(tx, ticket, TIMER, policy=f"call@{call.id}", due_us=due_us)
    return ticket


def look_again(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> Ticket:
    """Let the rules see the call of a timer, unless a message was left in it; the ticket as they leave it."""
    call = call_rows.load_by_id(tx, timer.since_us)
    if call is None or call.state.outcome not in OUTCOMES:
        return ticket
    cause = Cause(name=f"call:{call.id}", occasion=answering(tx, context, call, ticket))
    return _tell(tx, context, ticket, call, cause=cause)


def answering(tx: Tx, context: Context, call: Call, ticket: Ticket) -> Occasion:
    """Return the occasion of what happens in a call: an answer is a text to who called, where that can arrive."""
    account = answering_by_phone.texting_account(context, ticket)
    is_textable = (
        account is not None and call.caller is not None and answering_by_phone.is_textable(tx, call.caller)
    )
    return Occasion(
        cause=f"call:{call.id}",
        address=Address(call.caller) if is_textable and call.caller is not None else None,
        medium=answering_by_phone.SMS,
        account=account.name if account is not None else None,
        customer=customers.load(tx, ticket.customer_id),
    )


def _may_have_message(call: Call) -> bool:
    """Whether a recording may still be told of: one was asked for, or nobody knows what the caller heard."""
    was_asked = any(each.what == "voicemail_offered" for each in call.timeline)
    return was_asked or call.state.why not in _WITHOUT_MESSAGE


def _tell(tx: Tx, context: Context, ticket: Ticket, call: Call, *, cause: Cause) -> Ticket:
    if cause.occasion is not None:
        once_s = context.calls.text_back_hours * 3_600
        refusal = _too_late(tx, call, call.state)
        occasion = msgspec.structs.replace(cause.occasion, once_s=once_s, refusal=refusal)
        cause = msgspec.structs.replace(cause, occasion=occasion)
    return reactions.react(tx, context, ticket, EVENT, cause=cause).ticket


def _too_late(tx: Tx, call: Call, state: State) -> str | None:
    """Say why a text about the call would astonish who gets it; None = it would not."""
    if closed_texts.was_asked(call):
        return "they asked for a text in the call"
    ended_us = tx.now if state.ended_at is None else instants.us_from_datetime(state.ended_at)
    if tx.now - ended_us > LATE_US:
        return f"the call was told of {lateness.words(ended_us, tx.now)}"
    started_us = ended_us if state.started_at is None else instants.us_from_datetime(state.started_at)
    spoken = {"customer_id": call.customer_id, "since": started_us, "but": call.id}
    return "somebody has spoken with them since" if tx.one(_SPOKEN_SINCE, **spoken) is not None else None
