"""What agents answer to a call that tells them of a notice, and what became of it on its way.

A number proves nobody: whoever holds the phone may say that they look at it, or pass it on, and no more. What they
answer by text: intake.paged_texts.
"""

from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels import page_calls
from channels.contract import CallEvent, Happened, Identity, OutboundMessage
from intake import (
    acknowledging,
    attempts,
    deliveries,
    desk,
    events,
    failures,
    holds,
    journal,
    passing_on,
    summonses,
    tickets,
)
from intake.acknowledging import Outcome, Said
from intake.failures import Failure
from intake.model import Context, Received, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.summonses import Summons

SETTLED = "automatic"  # what a journal row becomes that was about a page
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
_OVER = frozenset(("completed", "busy", "no-answer", "failed", "canceled"))
_WORDS = {
    "busy": "the line was busy",
    "no-answer": "nobody answered",
    "failed": "the call could not be made",
    "canceled": "the call was cancelled",
}
_PROVIDER_ID = Statement(select(schema.outbox.c.provider_id).where(schema.outbox.c.id == bindparam("id")))


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
    close(tx, received, ticket)


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
        told = _Status(
            ticket=ticket,
            summons=summons,
            outbox_id=outbox_id,
            outbound=found[0],
            status=str(happened.details.get("status", "")),
            call=event.call,
        )
        _move(tx, context, told)
    elif happened.what == page_calls.ACKNOWLEDGED:
        acknowledge(tx, context, summons, how="call", outbox_id=outbox_id)
    elif happened.what == page_calls.PASSED_ON:
        pass_on(tx, context, ticket, summons, how="call")
    elif happened.what == page_calls.UNANSWERED:
        _tell(tx, ticket, summons, "page_unanswered", outbox_id)
    return ticket


class _Status(msgspec.Struct, frozen=True, kw_only=True):
    """What Twilio says of one page call. status: its word; call: its id, "" = it names none."""

    ticket: Ticket | None
    summons: Summons
    outbox_id: int
    outbound: OutboundMessage
    status: str
    call: str


def _move(tx: Tx, context: Context, told: _Status) -> None:
    """Note how far a call got; one that reached nobody is followed by the next way, at once."""
    state = _STATES.get(told.status)
    if told.status in _OVER:
        holds.let_go(tx, page_calls.session(str(told.outbox_id)))
    if state is None or (state != "delivered" and _is_of_another_call(tx, told)):
        return
    reason = _WORDS.get(told.status) if state == "failed" else None
    if told.call not in ("", *attempts.lost_of(told.outbound)):
        deliveries.note_id(tx, told.outbox_id, told.call)
    is_moved = deliveries.advance(tx, told.outbox_id, state, reason=reason)
    if is_moved or told.status == "ringing":
        _tell(tx, told.ticket, told.summons, "page_call", told.outbox_id, status=told.status)
    if is_moved and state == "failed" and told.ticket is not None:
        failures.follow(tx, context, told.ticket, told.outbox_id, Failure(told.status, detail=reason or ""))


def _is_of_another_call(tx: Tx, told: _Status) -> bool:
    """Whether it is about an earlier call of the same page: only that somebody picked up counts."""
    if told.call in attempts.lost_of(told.outbound):
        return True
    row = tx.one(_PROVIDER_ID, id=told.outbox_id)
    return bool(told.call and row is not None and row[0] is not None and row[0] != told.call)


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


def pass_on(
    tx: Tx, context: Context, ticket: Ticket | None, summons: Summons, *, how: str
) -> passing_on.Passed:
    """Pass a page on; what came of it. ticket: None = a test, which goes to nobody else."""
    if ticket is None:
        return passing_on.PASSED if summonses.close(tx, summons, "passed_on") else passing_on.NOTHING
    return passing_on.pass_on(tx, context, ticket, summons, how=how)


def _tell(
    tx: Tx, ticket: Ticket | None, summons: Summons, kind: str, outbox_id: int | None, **more: str
) -> None:
    told: dict[str, Any] = {"cause": summons.cause, "outbox": str(outbox_id), **more}
    if ticket is None:
        events.record(tx, kind, agent=summons.agent, **told)
    else:
        events.of_ticket(tx, ticket, kind, agent=summons.agent, **told)


def close(tx: Tx, received: Received, ticket: Ticket | None) -> None:
    """Close the journal row of what was about a page."""
    about = {} if ticket is None else {"ticket_id": ticket.id, "customer_id": ticket.customer_id}
    journal.close(tx, received.id, SETTLED, **about)
