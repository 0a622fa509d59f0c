"""What agents answer by text to a page: 1 takes it on, 2 passes it on, and one text says what that came to.

"1" means what they had been told when they sent it: the newest page that nobody has acknowledged, and not one that was
written while they typed, nor one that came after, however late the text is settled (intake.paged_answers has the rest).
"1 K7FQ2XA" means that ticket. What answers no page is a customer's message like any other.
"""

import re
from collections.abc import Iterable

import msgspec

from channels.contract import Address, Message
from intake import (
    events,
    instants,
    journal,
    outgoing,
    paged_answers,
    paging,
    passing_on,
    refs,
    summonses,
    tickets,
)
from intake.model import Account, Context, Received, Ticket
from intake.outbound import Draft
from intake.reaching import TEXT
from intake.store.engine import Tx
from intake.summonses import Summons

ANSWERED_WITHIN_US = 24 * 3_600 * 1_000_000  # a page of yesterday is not what a "1" of today means
READ_WITHIN_US = 5_000_000  # nobody has a text on their telephone, reads it and answers in less
_ANSWER = re.compile(r"[\s\"'.,!]*([12])(?:[\s\"'.,!:#]+([0-9A-Za-z-]{7,9}))?[\s\"'.,!]*")


class _Answer(msgspec.Struct, frozen=True):
    """ref: of the ticket that it names, None = it names none."""

    digit: str
    ref: str | None = None


class _Text(msgspec.Struct, frozen=True, kw_only=True):
    """A text of an agent's that answers a page. sent_us: microseconds UTC, as far as it is known."""

    received: Received
    account: Account
    agents: tuple[str, ...]
    number: str
    answer: _Answer
    sent_us: int


def settle(tx: Tx, context: Context, received: Received, account: Account, message: Message) -> bool:
    """Take a text that answers a page; false when it answers none."""
    text = _text(context, received, account, message)
    summons = None if text is None else _meant(tx, text)
    if text is None or summons is None:
        return False
    ticket = None if summons.ticket_id is None else tickets.locked_final(tx, summons.ticket_id)
    summons = summonses.load(tx, summons.id) or summons  # as it is now that the ticket is held
    answered = _taken_on if text.answer.digit == "1" else _passed_on
    said = answered(tx, context, ticket, summons)
    waits = None if text.answer.digit == "2" else _waiting(tx, text)
    _confirm(tx, context, text, ticket, said if waits is None else f"{said} {waits}")
    paged_answers.close(tx, received, ticket)
    return True


def agents_of(context: Context, message: Message) -> tuple[str, ...]:
    """Return the agents whose number a message comes from; () = nobody's. Some share a telephone."""
    sender = message.sender
    if sender is None or sender.kind != "phone":
        return ()
    return tuple(each.name for each in context.rulebook.agents.values() if each.phone == sender.value)


def note_unanswering(tx: Tx, context: Context, received: Received, message: Message) -> None:
    """Say on a ticket that its message came from an agent's number, and answered no page."""
    agents = agents_of(context, message)
    if not agents:
        return
    settled = journal.outcome(tx, received.id)
    events.record(
        tx, "agent_number", ticket_id=settled.ticket_id, customer_id=settled.customer_id, agent=agents[0]
    )


# -- which page it means ----------------------------------------------------------------------------------------------


def _text(context: Context, received: Received, account: Account, message: Message) -> _Text | None:
    answer = _read(message.visible_text or message.text)
    agents = agents_of(context, message) if answer is not None and account.medium == "sms" else ()
    if answer is None or message.sender is None or not agents:
        return None
    # One that the reconciler brings was sent long before it is received.
    sent_at = min(received.raw.received_at, message.sent_at or received.raw.received_at)
    return _Text(
        received=received,
        account=account,
        agents=agents,
        number=message.sender.value,
        answer=answer,
        sent_us=instants.us_from_datetime(sent_at),
    )


def _read(words: str) -> _Answer | None:
    """Return what a text answers; None = it is no answer, but somebody's words."""
    found = _ANSWER.fullmatch(words)
    if found is None:
        return None
    ref = refs.normalized(found[2]) if found[2] is not None else None
    return None if ref is None and found[2] is not None else _Answer(found[1], ref)


def _meant(tx: Tx, text: _Text) -> Summons | None:
    """Return the newest page that they may have read and that waits, else that nobody has taken, else of this day."""
    told = _told(tx, text)
    if text.answer.ref is not None:
        told = [each for each in told if text.answer.ref in _refs(tx, each)]
    untaken = [each for each in told if _is_untaken(tx, each)]
    waiting = [each for each in untaken if not _is_answered(tx, each)]
    read = [each for each in waiting if each.created_at <= text.sent_us - READ_WITHIN_US]
    return next(iter((*read, *waiting, *untaken, *told)), None)


def _told(tx: Tx, text: _Text) -> list[Summons]:
    """Return what these agents had been told of when they sent it, the newest first."""
    since_us = text.sent_us - ANSWERED_WITHIN_US
    found = [each for agent in text.agents for each in summonses.newest(tx, agent, since_us=since_us)]
    found = [each for each in found if each.created_at <= text.sent_us]
    return sorted(found, key=lambda each: each.id, reverse=True)


def _is_untaken(tx: Tx, summons: Summons) -> bool:
    """Whether nobody looks at it, nor has passed it on."""
    return paging.outcome_of(tx, summons)[0] == ""


def _is_answered(tx: Tx, summons: Summons) -> bool:
    """Whether the customer has an answer, so that nobody waits for an acknowledgement."""
    ticket = None if summons.ticket_id is None else tickets.load(tx, summons.ticket_id)
    return ticket is not None and paging.is_answered(tickets.final(tx, ticket), summons)


def _refs(tx: Tx, summons: Summons) -> Iterable[str]:
    """Give the ref that they were told, and that of the ticket which it was merged into."""
    ticket = None if summons.ticket_id is None else tickets.load(tx, summons.ticket_id)
    return () if ticket is None else (ticket.ref, tickets.final(tx, ticket).ref)


def _waiting(tx: Tx, text: _Text) -> str | None:
    """Say what else these agents were told of and nobody has; None = nothing."""
    untaken = (each for each in _told(tx, text) if each.ticket_id is not None and _is_untaken(tx, each))
    waiting = [each for each in untaken if not _is_answered(tx, each)]
    names = list(dict.fromkeys(list(_refs(tx, each))[-1] for each in waiting))
    if not names:
        return None
    more = f" and {len(names) - 1} more wait" if len(names) > 1 else " waits"
    return f"{names[0]}{more} as well: reply 1 to take it on."


# -- what it comes to -------------------------------------------------------------------------------------------------


def _taken_on(tx: Tx, context: Context, ticket: Ticket | None, summons: Summons) -> str:
    outcome = paged_answers.acknowledge(tx, context, summons, how="text", outbox_id=summons.outbox_id)
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


def _passed_on(tx: Tx, context: Context, ticket: Ticket | None, summons: Summons) -> str:
    passed = paged_answers.pass_on(tx, context, ticket, summons, how="text")
    if ticket is None:
        return "Thank you: the test has reached you."
    if passed == passing_on.PASSED:
        return f"{ticket.ref}: passed on."
    if passed == passing_on.NOBODY:
        return f"{ticket.ref}: there is nobody else to tell now. It stays with you: reply 1 to take it on."
    outcome, by = paging.outcome_of(tx, summons)
    if outcome == "theirs":
        return f"{ticket.ref}: {by} has it already."
    return f"{ticket.ref}: there is nothing to pass on."


def _confirm(tx: Tx, context: Context, text: _Text, ticket: Ticket | None, said: str) -> None:
    """Say by one text what an answer came to, from the account that it was sent to."""
    draft = Draft(
        cause=f"journal:{text.received.id}",
        action="page_confirmed",
        to=Address(text.number, text.agents[0]),
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
