"""Before WhatsApp's 24 hours end without an answer: whoever has the ticket is told, and the customer once if the admin says so.

A timer of the ticket, set in the transaction of each message that opens the window anew (`phone.whatsapp_nudge_hours`
before its end; 0, the default, = never). It does nothing when an agent has answered, the ticket is done, or the window is
over by then: after a downtime nobody is told of an hour that has passed.
"""

from datetime import datetime, timedelta

from channels.contract import Address
from intake import (
    answering,
    delaying,
    events,
    instants,
    journal,
    notices,
    occasion,
    permission,
    threads,
    tickets,
    whatsapp_window,
)
from intake.due import Due
from intake.model import Arrival, Context, Ticket
from intake.notices import Notice
from intake.permission import Asked
from intake.store.engine import Tx
from intake.threads import Said
from routing.actions import Action

TIMER = "window"
EVENT = "window_closes"
_RULE = "whatsapp_nudge"  # who says it to the customer, as the ticket's history has it


def follow(tx: Tx, context: Context, arrival: Arrival) -> None:
    """Set the timer anew for what a customer has just written by WhatsApp."""
    message, sender = arrival.message, arrival.message.sender
    is_theirs = message.kind == whatsapp_window.MEDIUM and message.automatic is None
    if not context.phone.whatsapp_nudge_hours or not is_theirs or sender is None:
        return
    settled = journal.outcome(tx, arrival.received.id)
    ticket = tickets.load(tx, settled.ticket_id) if settled.ticket_id is not None else None
    if ticket is None:
        return
    until = whatsapp_window.ends_at(tx, ticket, account=arrival.account.name, address=sender.value)
    if until is not None and whatsapp_window.is_open(until, now_us=tx.now):
        delaying.alarm(tx, ticket, TIMER, _due_at(context, until))


def look_again(tx: Tx, context: Context, ticket: Ticket) -> None:
    """Set the timer of a ticket whose messages are others than before: one that took another in, or gave it back."""
    said = threads.load(tx, ticket.id).last_by(whatsapp_window.MEDIUM)
    if said is None or not context.phone.whatsapp_nudge_hours or _is_answered(ticket):
        return
    until = whatsapp_window.ends_at(tx, ticket, account=said.account, address=said.author)
    if until is not None and whatsapp_window.is_open(until, now_us=tx.now):
        delaying.alarm(tx, ticket, TIMER, _due_at(context, until))


def nudge(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> Ticket:
    """Tell that the window closes, if somebody still waits in it; later, when it has moved; the ticket after it."""
    said = threads.load(tx, ticket.id).last_by(whatsapp_window.MEDIUM)
    if said is None or not context.phone.whatsapp_nudge_hours or _is_answered(ticket):
        return ticket
    until = whatsapp_window.ends_at(tx, ticket, account=said.account, address=said.author)
    if until is None or not whatsapp_window.is_open(until, now_us=tx.now):
        return ticket
    if _due_at(context, until) > instants.datetime_from_us(tx.now):  # they wrote to the same sender elsewhere
        delaying.alarm(tx, ticket, TIMER, _due_at(context, until))
        return ticket
    events.of_ticket(tx, ticket, EVENT, until=instants.rfc3339(until))
    _tell(tx, context, ticket, timer, said, until)
    return _say(tx, context, ticket, timer, said, until)


def _due_at(context: Context, until: datetime) -> datetime:
    return until - timedelta(hours=context.phone.whatsapp_nudge_hours)


def _is_answered(ticket: Ticket) -> bool:
    wrote_at = ticket.customer_replied_at or ticket.created_at
    return ticket.agent_replied_at is not None and ticket.agent_replied_at >= wrote_at


def _tell(tx: Tx, context: Context, ticket: Ticket, timer: Due, said: Said, until: datetime) -> None:
    """Tell whose ticket it is; where it is nobody's, its level."""
    minutes = -(-(until - instants.datetime_from_us(tx.now)) // timedelta(minutes=1))
    headline = (
        f"WhatsApp's 24 hours on {ticket.ref} end at {until:%H:%M} UTC, in {minutes} min, without an answer: "
        "after that only a template may be sent."
    )
    notice = Notice(kind=EVENT, headline=headline, cause=timer.cause, quote=said.text, due_at=timer.due_at)
    target = "assignee" if ticket.agent is not None else ticket.level or "team"
    notices.send(tx, context, ticket, target, notice)


def _say(tx: Tx, context: Context, ticket: Ticket, timer: Due, said: Said, until: datetime) -> Ticket:
    """Send the customer the admin's words, where there are any and they would still come within the window."""
    template = context.phone.whatsapp_nudge_reply
    if not template:
        return ticket
    happened = occasion.Occasion(
        cause=timer.cause,
        address=Address(said.author),
        medium=whatsapp_window.MEDIUM,
        account=said.account,
        refusal=_too_late(tx, context, ticket, timer, said, until),
        due_at=timer.due_at,
    )
    return answering.reply(tx, context, ticket, Action("reply", template, _RULE), happened)


def _too_late(
    tx: Tx, context: Context, ticket: Ticket, timer: Due, said: Said, until: datetime
) -> str | None:
    """Say that the quiet hours last longer than the window; None = they do not."""
    asked = Asked(
        medium=whatsapp_window.MEDIUM,
        account=context.accounts.get(said.account),
        recipient=said.author,
        is_public=True,
        is_automatic=True,
        cause=timer.cause,
        action="reply",
        created_at=tx.now,
        ticket_id=ticket.id,
    )
    verdict = permission.ask(tx, context, asked)
    waits = verdict.reason == "quiet" and verdict.at is not None
    if waits and verdict.at is not None and verdict.at >= instants.us_from_datetime(until):
        return "it is night there, and WhatsApp's 24 hours end before the morning"
    return None
