"""Calls in which nobody spoke and nothing was left: rules that wait for `call_missed` decide what becomes of them.

A rule's reply goes out as a text to the number that called: once in so many hours, to numbers that may be mobile, never to
hidden ones, and past the gate of consent and budget like everything else (intake.permission). What the customer answers
joins the ticket of the call (intake.conversations).
"""

from typing import TYPE_CHECKING

import msgspec

from channels.contract import Address
from intake import answering_by_phone, customers, reactions
from intake.call_timeline import State
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.reactions import Cause
from intake.store.engine import Tx

if TYPE_CHECKING:
    from intake.calls import Call

EVENT = "call_missed"
OUTCOMES = frozenset(("missed", "hung_up", "failed"))


def react(tx: Tx, context: Context, ticket: Ticket, call: State, *, cause: Cause) -> Ticket:
    """Let the rules see a call that has ended without anybody; the ticket as they leave it."""
    if call.outcome not in OUTCOMES:
        return ticket
    if cause.occasion is not None:
        rarely = msgspec.structs.replace(cause.occasion, once_s=context.calls.text_back_hours * 3_600)
        cause = msgspec.structs.replace(cause, occasion=rarely)
    return reactions.react(tx, context, ticket, EVENT, cause=cause).ticket


def answering(tx: Tx, context: Context, call: "Call", ticket: Ticket) -> Occasion:
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
