"""What agents answer to a call that tells them of a notice, and what became of it on its way.

A number proves nobody: whoever holds the phone may say that they look at it, or pass it on, and no more. What they
answer by text: intake.paged_texts.
"""

from typing import Any

from channels import page_calls
from channels.contract import CallEvent, Happened, Identity
from intake import (
    acknowledging,
    attempts,
    deliveries,
    desk,
    events,
    failures,
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
