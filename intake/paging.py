"""Agents who are told of a notice way after way: a call, then a text, then a mail, in their own order.

A summons is the row of one agent and one notice. The first way is gone with the notice, the next when that one has
failed, or when nobody has acknowledged it in time (`oncall.next_way_minutes`); each try is a row of the outbox, decided
once, and the wait for the next way is a timer of the ticket, so a crash loses neither and does nothing twice. An
acknowledgement, by whatever way, ends every summons of its ticket; it stops no clock.

Tests (`intake oncall page --test`) are about no ticket: each of their summonses has one way.
"""

from collections.abc import Set as AbstractSet

from sqlalchemy import bindparam

from channels import page_calls
from channels.contract import Address, OutboundMessage
from channels.page_calls import Paged
from intake import counters, events, looks, notice_letters, outgoing, page_text, reaching, summonses, tickets
from intake.due import Due
from intake.model import Account, Context, Ticket
from intake.notice_letters import Written
from intake.notice_page import Page
from intake.outbound import Draft
from intake.reaching import CALL, MAIL, Reached
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert
from intake.summonses import Summons

TIMER = summonses.TIMER
COUNTER = "agent_phone"
MINUTE_US = 60 * 1_000_000
TEST_WITHIN_US = 15 * MINUTE_US  # whoever has asked for a test looks no longer

_t = schema.timers.c
_ALARM = Statement(
    upsert(schema.timers)
    .values(
        {
            name: bindparam(name)
            for name in ("id", "ticket_id", "customer_id", "kind", "policy", "step", "due_at")
        }
    )
    .on_conflict_do_nothing(index_elements=[_t.ticket_id, _t.policy, _t.step, _t.due_at])
)


def is_for(person: Reached) -> bool:
    """Whether somebody is told by a summons: not by a single mail, which needs none."""
    return person.ways != (MAIL,)


def summon(tx: Tx, context: Context, ticket: Ticket, page: Page, person: Reached) -> bool:
    """Begin to tell an agent of a notice; false when none of their ways could be gone, or it has been begun before."""
    begun = summonses.begin(tx, ticket, person.name, person.ways, page.notice)
    return begun is not None and _go(tx, context, ticket, begun, page, first=0)


def next_way(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> Ticket:
    """Go the next way of a summons that nobody has acknowledged in time."""
    summons = summonses.load(tx, timer.since_us)
    if summons is None or summons.state != "open":
        return ticket
    if is_answered(ticket, summons):
        summonses.close(tx, summons, "done")
        return ticket
    _go_on(tx, context, ticket, summons)
    return ticket


def failed(tx: Tx, context: Context, ticket: Ticket, outbox_id: int) -> bool:
    """Go the next way at once, because this one has failed; false when the try was none of ours, or no way is left."""
    summons = summonses.of_try(tx, outbox_id)
    if summons is None or summons.state != "open" or not ticket.is_open:
        return False
    summonses.cancel_next_way(tx, summons)
    return _go_on(tx, context, ticket, summons)


def _go_on(tx: Tx, context: Context, ticket: Ticket, summons: Summons) -> bool:
    others = tuple(sorted(summonses.told_of(tx, summons.cause)))
    page = Page.of(tx, context, ticket, summons.notice, others=others)
    return _go(tx, context, ticket, summons, page, first=summons.place + 1)


def _go(tx: Tx, context: Context, ticket: Ticket, summons: Summons, page: Page, *, first: int) -> bool:
    """Go the first way from a place on that can be gone; the one after it waits."""
    for place in range(first, len(summons.ways)):
        way = summons.ways[place]
        written = _try(tx, context, ticket, page, summons, way)
        if written is None:
            continue
        summonses.note_try(tx, summons, place=place, outbox_id=written.outbox_id)
        if place + 1 < len(summons.ways):
            _wait(tx, context, ticket, summons, summons.ways[place + 1])
        events.of_ticket(
            tx,
            ticket,
            "paged",
            agent=summons.agent,
            way=way,
            cause=summons.cause,
            outbox=None if written.outbox_id is None else str(written.outbox_id),
            way_number=place + 1,
            of=len(summons.ways),
        )
        return True
    summonses.close(tx, summons, "failed")
    return False


def _wait(tx: Tx, context: Context, ticket: Ticket, summons: Summons, way: str) -> None:
    """Set the timer of the next way."""
    due_us = tx.now + round(context.oncall.next_way_minutes * MINUTE_US)
    tx.run(
        _ALARM,
        id=tx.new_id(),
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        kind=TIMER,
        policy=summons.policy,
        step=f"{summons.agent}/{way}",
        due_at=due_us,
    )
    tx.signal("timers", due_us)


# -- one try ----------------------------------------------------------------------------------------------------------


def _try(tx: Tx, context: Context, ticket: Ticket, page: Page, summons: Summons, way: str) -> Written | None:
    """Write the outbox row of one way; None when it cannot be gone: the rules or the accounts have changed since."""
    person = context.rulebook.agents.get(summons.agent)
    where = reaching.leads_to(person, way) if person is not None else None
    if where is None or way not in reaching.ways(context):
        return None
    if way == MAIL:
        return notice_letters.write(tx, context, ticket, page, where, summons.agent)
    return _send(tx, context, ticket, _draft(context, page, summons, way, where))


def _draft(context: Context, page: Page, summons: Summons, way: str, number: str) -> Draft:
    account, extra = account_for(context, way), extra_of(context, way, summons)
    said = page_text.text(page, summons.agent)
    if way == CALL:
        said = page_text.sentence(page, summons.agent, str(extra["language"]))
    return Draft(
        cause=summons.cause,
        action=f"notify:{summons.kind}:{way}:{number}",
        to=Address(number, summons.agent),
        subject="",
        text=said,
        author="system",
        automatic="auto-generated",
        is_public=False,
        medium=reaching.MEDIA[way],
        account=account,
        extra=extra,
    )


def extra_of(context: Context, way: str, summons: Summons) -> dict[str, object]:
    """Return what a channel and the outbox have to know of a try: which summons it is of; how a call rings and speaks."""
    told: dict[str, object] = {summonses.KEY: str(summons.id)}
    if way != CALL:
        return told
    account = context.accounts.get(account_for(context, way) or "") or outgoing.first_of(
        context, reaching.MEDIA[CALL]
    )
    language = page_text.language_of(context, account, summons.agent)
    return {**told, "call": "page", "ring_s": context.oncall.ring_s, "language": language}


def account_for(context: Context, way: str) -> str | None:
    """Return the account that the configuration names for a way; None = it names none that can."""
    named = context.accounts.get(context.oncall.calls if way == CALL else context.oncall.texts)
    return named.name if named is not None and _can(named, way) else None


def _can(account: Account, way: str) -> bool:
    return account.can_deliver and account.medium == reaching.MEDIA[way]


def _send(tx: Tx, context: Context, ticket: Ticket, draft: Draft) -> Written | None:
    """Write the row; not more of them than an agent can bear in a minute."""
    most = context.limits.notices_per_minute
    if not counters.take(tx, COUNTER, draft.to.address, limit=most, window_us=MINUTE_US):
        return None
    outbox_id = outgoing.send(tx, context, ticket, draft)
    return None if outbox_id is None else Written(outbox_id)


# -- what ends it -----------------------------------------------------------------------------------------------------


def stop(tx: Tx, ticket: Ticket) -> int:
    """End every summons of a ticket, because somebody looks at it: no further way is gone; how many."""
    ended = [
        summons
        for summons in summonses.open_ones(tx, ticket.id)
        if summonses.close(tx, summons, "acknowledged")
    ]
    for summons in ended:
        # The first way is a copy of the notice: whether it still goes out is said where copies are.
        if summons.place:
            summonses.drop_tries(tx, summons)
    return len(ended)


def is_answered(ticket: Ticket, summons: Summons) -> bool:
    """Whether the customer has had an answer since."""
    return (ticket.agent_replied_at or 0) >= summons.created_at


def is_wanted(tx: Tx, outbound: OutboundMessage) -> bool:
    """Whether a call or text that is about to leave still tells somebody something; what is no try of a summons does.

    The provider may have been away for hours: nobody's phone rings at night for what was done in the evening.
    """
    number = outbound.extra.get(summonses.KEY)
    summons = None if number is None else summonses.load(tx, int(number))
    if summons is None:
        return True
    if summons.ticket_id is None:
        return tx.now - summons.created_at <= TEST_WITHIN_US
    ticket = tickets.load(tx, summons.ticket_id)
    if ticket is None:
        return False
    ticket = tickets.final(tx, ticket)
    is_done = not ticket.is_open and (ticket.status_changed_at or 0) > summons.created_at
    # What a rule tells because of an answer is told in the very instant of it.
    return not is_done and (ticket.agent_replied_at or 0) <= summons.created_at


# -- looking ----------------------------------------------------------------------------------------------------------


def paged(tx: Tx, session: str | None, *, busy: AbstractSet[str] = frozenset()) -> Paged | None:
    """Return what the session of a page call tells an agent of, as it is now; None = it is no such session.

    busy: agents for whom another call rings.
    """
    page = page_calls.page_of(session)
    found = summonses.of_page(tx, int(page)) if page is not None else None
    if page is None or found is None:
        return None
    outbound, summons = found
    outcome, by = outcome_of(tx, summons)
    if not outcome and summonses.is_kept(tx, summons):
        outcome = "alone"
    return Paged(
        page=page,
        said=outbound.text,
        language=str(outbound.extra.get("language", "en")),
        is_test=summons.ticket_id is None,
        agent=summons.agent,
        is_free=summons.agent not in busy,
        outcome=outcome,
        by=by,
    )


def outcome_of(tx: Tx, summons: Summons) -> tuple[page_calls.Outcome, str]:
    """Return what has become of a summons, and who looks at its ticket, "" = nobody, or the one who is told."""
    if summons.state == "passed_on":
        return "passed_on", ""
    if summons.ticket_id is None:
        return ("yours" if summons.state == "acknowledged" else ""), ""
    ticket = tickets.load(tx, summons.ticket_id)
    if ticket is None or not tickets.final(tx, ticket).is_open:
        return "over", ""
    ticket = tickets.final(tx, ticket)
    look = looks.last(tx, ticket.id) if summons.state == "acknowledged" else looks.standing(tx, ticket)
    if look is None:
        return "", ""
    return ("yours", "") if look.agent == summons.agent else ("theirs", look.agent)
