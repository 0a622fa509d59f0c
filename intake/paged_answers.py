"""What agents answer to a call or a text that tells them of a notice, and what became of it on its way.

A number proves nobody: whoever holds the phone may say that they look at it, or pass it on, and no more. "1" by text
means the newest page that nobody has acknowledged; what answers no page is a customer's message like any other.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from channels import page_calls
from channels.contract import Address, CallEvent, Happened, Identity, Message
from intake import (
    acknowledging,
    attempts,
    deliveries,
    desk,
    events,
    failures,
    journal,
    outgoing,
    paging,
    passing_on,
    summonses,
    tickets,
)
from intake.acknowledging import Outcome, Said
from intake.failures import Failure
from intake.model import Account, Context, Received, Ticket
from intake.outbound import Draft
from intake.reaching import TEXT
from intake.store import schema
from intake.store.engine import Tx
from intake.summonses import Summons

ANSWERED_WITHIN_US = 24 * 3_600 * 1_000_000  # a page of yesterday is not what a "1" of today means
SETTLED = "automatic"  # what a journal row becomes that was about a page
_ANSWER = re.compile(r"[\s\"'.,!]*([12])[\s\"'.,!]*")
# Twilio's words for a call (twilio.com/docs/voice/api/call-resource#call-status-values, checked 2026-11) -> ours.
_STATES = {
    "queued": "sent",
    "initiated": "sent",
    "ringing": "sent",
    "in-progress": "delivered",
    "answered": "delivered",
    "completed": "delivered",
    "busy": "failed",
    "no-answer": "failed",
    "failed": "failed",
    "canceled": "failed",
}
_WORDS = {
    "busy": "the line was busy",
    "no-answer": "nobody answered",
    "failed": "the call could not be made",
    "canceled": "the call was cancelled",
}


def is_about_page(tx: Tx, context: Context, received: Received, happening: CallEvent) -> bool:
    """Whether what happened in a call is about a page, and so no customer's call.

    The reconciler knows no page: it brings a call that we made to a number, and that is an agent's, or known to us.
    """
    if any(each.what in page_calls.WORDS for each in happening.happened):
        return True
    if happening.direction != "out":
        return False
    return _page_of(tx, received, happening) is not None or _is_agents(context, happening.caller)


def _page_of(tx: Tx, received: Received, happening: CallEvent) -> int | None:
    """Return the outbox id of a page by its provider's id; None = it is no page's."""
    row = attempts.row_by_provider_id(tx, received.raw.account, happening.call) if happening.call else None
    found = summonses.of_page(tx, int(row[0])) if row is not None else None
    return None if row is None or found is None else int(row[0])


def _is_agents(context: Context, number: Identity | None) -> bool:
    return number is not None and any(each.phone == number.value for each in context.rulebook.agents.values())


# -- by phone ---------------------------------------------------------------------------------------------------------


def settle(tx: Tx, context: Context, received: Received, happening: CallEvent) -> None:
    """Do what a turn or a status of a page call means, and close its journal row."""
    ticket: Ticket | None = None
    page = _page_of(tx, received, happening)
    for each in happening.happened:
        told = each
        if each.what == "ended" and page is not None:
            told = Happened(page_calls.STATUS, each.at, {**each.details, "page": str(page)})
        ticket = _happened(tx, context, happening, told) or ticket
    _close(tx, received, ticket)


def _happened(tx: Tx, context: Context, event: CallEvent, happened: Happened) -> Ticket | None:
    """Settle one thing; the ticket it is about, None = a test, or no page of ours."""
    page = str(happened.details.get("page", ""))
    found = summonses.of_page(tx, int(page)) if page_calls.page_of(page_calls.session(page)) else None
    if found is None:
        return None
    summons = found[1]
    ticket = None if summons.ticket_id is None else tickets.locked_final(tx, summons.ticket_id)
    summons = summonses.load(tx, summons.id) or summons  # as it is now that the ticket is held
    outbox_id = int(page)
    if happened.what == page_calls.STATUS:
        _move(tx, context, ticket, summons, outbox_id, happened, call=event.call)
    elif happened.what == page_calls.ACKNOWLEDGED:
        acknowledge(tx, context, summons, how="call", outbox_id=outbox_id)
    elif happened.what == page_calls.PASSED_ON:
        pass_on(tx, context, ticket, summons, how="call")
    elif happened.what == page_calls.UNANSWERED:
        _tell(tx, ticket, summons, "page_unanswered", outbox_id)
    return ticket


def _move(
    tx: Tx,
    context: Context,
    ticket: Ticket | None,
    summons: Summons,
    outbox_id: int,
    happened: Happened,
    *,
    call: str,
) -> None:
    """Note how far a call got; one that reached nobody is followed by the next way, at once."""
    status = str(happened.details.get("status", ""))
    state = _STATES.get(status)
    if state is None:
        return
    reason = _WORDS.get(status) if state == "failed" else None
    if call:
        tx.update(schema.outbox, {"id": outbox_id, "provider_id": None}, provider_id=call)
    is_moved = deliveries.advance(tx, outbox_id, state, reason=reason)
    if is_moved or status == "ringing":
        _tell(tx, ticket, summons, "page_call", outbox_id, status=status)
    if is_moved and state == "failed" and ticket is not None:
        failures.follow(tx, context, ticket, outbox_id, Failure(status, detail=reason or ""))


def acknowledge(
    tx: Tx, context: Context, summons: Summons, *, how: acknowledging.How, outbox_id: int | None
) -> Outcome | None:
    """Say that the agent of a summons looks at it; None = it is a test, or nothing is left to say it of."""
    if summons.ticket_id is None:
        if summonses.close(tx, summons, "acknowledged"):
            _tell(tx, None, summons, "oncall_test_acknowledged", outbox_id, how=how)
        return None
    ticket = tickets.locked_final(tx, summons.ticket_id)
    try:
        return acknowledging.acknowledge(
            tx, context, ticket.ref, Said(agent=summons.agent, how=how, notice=outbox_id)
        )
    except desk.DeskError as error:  # not in the rules any more
        _tell(tx, ticket, summons, "page_answer_refused", outbox_id, reason=str(error))
        return None


def pass_on(tx: Tx, context: Context, ticket: Ticket | None, summons: Summons, *, how: str) -> bool:
    """Pass a page on; false when there is nothing to pass on."""
    if ticket is None:
        return summonses.close(tx, summons, "passed_on")
    return passing_on.pass_on(tx, context, ticket, summons, how=how)


def _tell(
    tx: Tx, ticket: Ticket | None, summons: Summons, kind: str, outbox_id: int | None, **more: str
) -> None:
    told: dict[str, Any] = {"cause": summons.cause, "outbox": str(outbox_id), **more}
    if ticket is None:
        events.record(tx, kind, agent=summons.agent, **told)
    else:
        events.of_ticket(tx, ticket, kind, agent=summons.agent, **told)


# -- by text ----------------------------------------------------------------------------------------------------------


def agents_of(context: Context, message: Message) -> tuple[str, ...]:
    """Return the agents whose number a message comes from; () = nobody's. Some share a telephone."""
    sender = message.sender
    if sender is None or sender.kind != "phone":
        return ()
    return tuple(each.name for each in context.rulebook.agents.values() if each.phone == sender.value)


class _Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text of an agent's that answers a page."""

    received: Received
    account: Account
    agent: str
    number: str


def settle_text(tx: Tx, context: Context, received: Received, account: Account, message: Message) -> bool:
    """Take a text that answers a page; false when it answers none."""
    found = _ANSWER.fullmatch(message.visible_text or message.text)
    agents = agents_of(context, message) if found is not None and account.medium == "sms" else ()
    summons = _meant(tx, agents)
    if found is None or summons is None or message.sender is None:
        return False
    ticket = None if summons.ticket_id is None else tickets.locked_final(tx, summons.ticket_id)
    summons = summonses.load(tx, summons.id) or summons  # as it is now that the ticket is held
    answered = _acknowledged_by_text if found[1] == "1" else _passed_on_by_text
    said = answered(tx, context, ticket, summons)
    text = _Text(received=received, account=account, agent=summons.agent, number=message.sender.value)
    _confirm(tx, context, text, ticket, said)
    _close(tx, received, ticket)
    return True


def _meant(tx: Tx, agents: Iterable[str]) -> Summons | None:
    """Return the newest page of these agents that nobody has acknowledged, else the newest; None = none of this day."""
    since_us = tx.now - ANSWERED_WITHIN_US
    found = [each for agent in agents for each in summonses.newest(tx, agent, since_us=since_us)]
    found.sort(key=lambda each: each.id, reverse=True)
    waiting = (each for each in found if each.state != "passed_on" and paging.outcome_of(tx, each)[0] == "")
    return next(waiting, found[0] if found else None)


def _acknowledged_by_text(tx: Tx, context: Context, ticket: Ticket | None, summons: Summons) -> str:
    outcome = acknowledge(tx, context, summons, how="text", outbox_id=summons.outbox_id)
    if ticket is None:
        return "Thank you: the test has reached you."
    if outcome is None:
        return f"{ticket.ref}: nothing was changed."
    if outcome.is_done:
        return f"{ticket.ref}: you have it. Thank you."
    if outcome.look is None:
        return f"{ticket.ref} is {outcome.ticket.status}: there is nothing left to do."
    who = "you have" if outcome.look.agent == summons.agent else f"{outcome.look.agent} has"
    return f"{ticket.ref}: {who} it already."


def _passed_on_by_text(tx: Tx, context: Context, ticket: Ticket | None, summons: Summons) -> str:
    is_passed = pass_on(tx, context, ticket, summons, how="text")
    if ticket is None:
        return "Thank you: the test has reached you."
    if is_passed:
        return f"{ticket.ref}: passed on."
    outcome, by = paging.outcome_of(tx, summons)
    if outcome == "theirs":
        return f"{ticket.ref}: {by} has it already."
    return f"{ticket.ref}: there is nothing to pass on."


def _confirm(tx: Tx, context: Context, text: _Text, ticket: Ticket | None, said: str) -> None:
    """Say by one text what an answer came to, from the account that it was sent to."""
    draft = Draft(
        cause=f"journal:{text.received.id}",
        action="page_confirmed",
        to=Address(text.number, text.agent),
        subject="",
        text=said,
        author="system",
        automatic="auto-replied",
        is_public=False,
        medium="sms",
        account=text.account.name if text.account.can_deliver else paging.account_for(context, TEXT),
    )
    if ticket is None:
        outgoing.send_apart(tx, context, draft)
    else:
        outgoing.send(tx, context, ticket, draft)


def note_unanswering(tx: Tx, context: Context, received: Received, message: Message) -> None:
    """Say on a ticket that its message came from an agent's number, and answered no page."""
    agents = agents_of(context, message)
    if not agents:
        return
    settled = journal.outcome(tx, received.id)
    events.record(
        tx, "agent_number", ticket_id=settled.ticket_id, customer_id=settled.customer_id, agent=agents[0]
    )


def _close(tx: Tx, received: Received, ticket: Ticket | None) -> None:
    about = {} if ticket is None else {"ticket_id": ticket.id, "customer_id": ticket.customer_id}
    journal.close(tx, received.id, SETTLED, **about)
