"""What agents do: answer, note, change the status, assign. The command line, the desk and the API call these alike."""

import difflib
from datetime import datetime
from typing import Any

import msgspec

from channels.contract import Address, OutboundFile
from intake import (
    answer_form,
    answering_by_chat,
    answering_by_phone,
    changing,
    clocks,
    events,
    forwarding,
    outgoing,
    promising,
    quiet,
    reactions,
    refs,
    seating,
    threads,
    tickets,
)
from intake.answering_by_phone import CannotAnswer, Chosen, Way
from intake.model import OPEN_STATUSES, STATUSES, Context, Ticket
from intake.outbound import Draft
from intake.reactions import Cause
from intake.store.engine import Tx
from intake.threads import Said, Thread
from routing.targets import PRIORITIES


class DeskError(Exception):
    """What was asked cannot be done: one sentence for the agent."""


def find(tx: Tx, typed_ref: str, *, is_locked: bool = True, is_followed: bool = True) -> Ticket:
    """Return the ticket of a ref as somebody typed it; of a merged one the ticket it is in now, when it is followed.

    Raises: DeskError.
    """
    ref = refs.normalized(typed_ref)
    if ref is None:
        raise DeskError(
            f"'{typed_ref}' is not a ticket's ref: seven letters and digits, as in a mail's subject"
        )
    ticket = tickets.load_by_ref(tx, ref)
    if ticket is None:
        raise DeskError(f"there is no ticket {ref}")
    if is_followed:
        ticket = tickets.final(tx, ticket)
    return tickets.locked(tx, ticket.id) if is_locked else ticket


def reply(
    tx: Tx,
    context: Context,
    typed_ref: str,
    *,
    agent: str,
    text: str,
    status: str | None = None,
    files: tuple[OutboundFile, ...] = (),
    promise: datetime | None = None,
    chosen: Chosen | None = None,
) -> int:
    """Answer the customer on their channel; the outbox id. status: the ticket's afterwards, None = open.

    text: Markdown. Others who take part get a copy. The answer meets first_response. promise: a moment to come, which the
    answer then names. chosen: a template of WhatsApp, instead of a text. Raises: DeskError.
    """
    check_agent(context, agent)
    if chosen is not None and promise is not None:
        raise DeskError("a template has its own words: promise in an answer of yours, or by itself")
    if not text.strip() and chosen is None:
        raise DeskError("the answer is empty: nothing was sent")
    ticket = find(tx, typed_ref)
    said = _promised(tx, context, ticket, promise, agent=agent, status=status)
    try:
        draft = _draft(
            tx, context, ticket, agent, f"{text.rstrip()}\n\n{said}" if said else text, chosen=chosen
        )
        answering_by_phone.check_allowed(tx, context, ticket, draft, files=files)
    except CannotAnswer as error:
        raise DeskError(str(error)) from error
    outbox_id = outgoing.send(tx, context, ticket, msgspec.structs.replace(draft, attachments=files))
    if outbox_id is None:
        raise DeskError(f"no channel of this configuration can answer ticket {ticket.ref}")
    events.of_ticket(tx, ticket, "agent_replied", actor=f"agent:{agent}", outbox=str(outbox_id))
    answered = tickets.stamp(tx, ticket, agent_replied_at=tx.now, taken_at=ticket.taken_at or tx.now)
    clocks.answered(tx, answered)
    cause = cause_of(tx, agent)
    reacted = reactions.react(tx, context, ticket, "agent_replied", cause=cause, now=answered, said=text)
    after = seating.answered(tx, context, reacted.ticket, agent)
    after = reactions.changed_by_hand(tx, context, reacted.ticket, after, cause=cause)
    if status is None and after.status == "new" and not reacted.has_status:
        status = "open"
    if status is not None:
        after = _turn(tx, context, after, _status(status), agent, cause)
    if promise is not None:
        after = promising.make(tx, context, after, promise, actor=f"agent:{agent}", is_told=said is not None)
    quiet.follow(tx, context, after)
    return outbox_id


def _promised(
    tx: Tx, context: Context, ticket: Ticket, at: datetime | None, *, agent: str, status: str | None
) -> str | None:
    """Return what an answer says of the promise that it carries; None = nothing. Raises: DeskError."""
    if at is None:
        return None
    if _status(status or ticket.status) not in OPEN_STATUSES:
        raise DeskError(
            f"a ticket that is {status or ticket.status} owes nothing: promise something, or solve it"
        )
    return promising.line(tx, context, ticket, at, agent=agent)


def note(tx: Tx, context: Context, typed_ref: str, *, agent: str, text: str) -> int:
    """Write down what only colleagues see; the message's id. Raises: DeskError."""
    check_agent(context, agent)
    if not text.strip():
        raise DeskError("the note is empty: nothing was kept")
    ticket = find(tx, typed_ref)
    message_id = tickets.add_note(tx, ticket, author=agent, text=text)
    events.of_ticket(tx, ticket, "note_added", actor=f"agent:{agent}")
    after = reactions.react(tx, context, ticket, "note_added", cause=cause_of(tx, agent), said=text).ticket
    quiet.follow(tx, context, after)
    return message_id


def set_status(tx: Tx, context: Context, typed_ref: str, status: str, *, agent: str) -> Ticket:
    """Change the status; clocks pause, go on, are met or reopened by it. Raises: DeskError."""
    check_agent(context, agent)
    after = _turn(tx, context, find(tx, typed_ref), _status(status), agent, cause_of(tx, agent))
    quiet.follow(tx, context, after)
    return after


def set_priority(tx: Tx, context: Context, typed_ref: str, priority: str, *, agent: str) -> Ticket:
    """Change the priority; running targets follow it. Raises: DeskError."""
    check_agent(context, agent)
    if priority not in PRIORITIES:
        known = ", ".join(PRIORITIES)
        raise DeskError(f"'{priority}' is not a priority{meant(priority, list(PRIORITIES))}: {known}")
    ticket = find(tx, typed_ref)
    changed = tickets.change(tx, ticket, actor=f"agent:{agent}", priority=priority)
    clocks.follow(tx, ticket, changed)
    after = reactions.changed_by_hand(tx, context, ticket, changed, cause=cause_of(tx, agent))
    quiet.follow(tx, context, after)
    return after


def set_policy(tx: Tx, context: Context, typed_ref: str, policy: str | None, *, agent: str) -> Ticket:
    """Put the ticket under another SLA policy, None = under none; the time used counts. Raises: DeskError."""
    check_agent(context, agent)
    known = sorted(context.armaments)
    if policy is not None and policy not in known:
        listed = f": {', '.join(known)}" if known else ": the rules have none"
        raise DeskError(f"'{policy}' is not a policy of the rules{meant(policy, known)}{listed}")
    after = changing.put_under(tx, context, find(tx, typed_ref), policy, actor=f"agent:{agent}")
    quiet.follow(tx, context, after)
    return after


def _turn(tx: Tx, context: Context, ticket: Ticket, status: str, agent: str, cause: Cause) -> Ticket:
    """Set the status with what it brings: clocks, and the rules that wait for it."""
    if ticket.status == status:
        return ticket
    changed = seating.set_status(tx, context, ticket, status, actor=f"agent:{agent}", cause=cause.name)
    changed = tickets.stamp(tx, changed, taken_at=ticket.taken_at or tx.now)
    clocks.follow(tx, ticket, changed)
    return reactions.changed_by_hand(tx, context, ticket, changed, cause=cause)


def cause_of(tx: Tx, agent: str) -> Cause:
    """Return a cause of its own for each call: an agent may do the same thing twice."""
    return Cause(name=f"desk:{agent}:{tx.new_id()}")


def _draft(
    tx: Tx, context: Context, ticket: Ticket, agent: str, text: str, *, chosen: Chosen | None = None
) -> Draft:
    """Return an answer to whoever wrote last, with what stands around its text. Raises: DeskError, CannotAnswer."""
    thread = threads.load(tx, ticket.id)
    line = answering_by_chat.answered(thread)
    if line is not None and chosen is None:
        return _chat_draft(tx, context, ticket, line, agent=agent, text=text, thread=thread)
    by = answering_by_phone.way(tx, context, ticket, thread)
    if by is not None:
        return _phone_draft(tx, ticket, by, thread, agent=agent, text=text, chosen=chosen)
    if chosen is not None:
        raise DeskError(f"templates are for WhatsApp, and ticket {ticket.ref} is answered by mail")
    last = thread.last_by_mail
    first = answer_form.without_words(tx, context, ticket) if last is None else None
    if last is None and first is None:
        raise DeskError(f"ticket {ticket.ref} has nobody to answer: its messages name no sender")
    wrote = Address(last.author, last.author_name) if last is not None else first
    assert wrote is not None  # noqa: S101 - one of the two is there
    to = forwarding.addressee(tx, ticket, wrote)
    return Draft(
        # Unlike a rule's effects, an agent may say the same thing twice: every call is a cause of its own.
        cause=f"agent:{agent}:{tx.new_id()}",
        action="reply",
        to=to,
        cc=answer_form.copies(tx, context, ticket, to),
        subject=threads.subject_of_answer(ticket),
        text=answering_by_chat.without_buttons(context, ticket, text),
        below=answer_form.below(context, ticket, last, agent=agent),
        from_name=answer_form.from_name(context, agent),
        author=agent,
        answers=thread.answers,
    )


def _chat_draft(
    tx: Tx, context: Context, ticket: Ticket, line: Said, *, agent: str, text: str, thread: Thread
) -> Draft:
    """Return an answer to who chats. Raises: CannotAnswer."""
    account = answering_by_chat.account_of(tx, context, ticket, line)
    return Draft(
        cause=f"agent:{agent}:{tx.new_id()}",
        action="reply",
        to=answering_by_chat.recipient(line),
        subject=threads.subject_of_answer(ticket),
        text=text,
        author=agent,
        answers=thread.answers,
        medium=account.medium,
        account=account.name,
    )


def _phone_draft(
    tx: Tx, ticket: Ticket, by: Way, thread: Thread, *, agent: str, text: str, chosen: Chosen | None
) -> Draft:
    """Return an answer to who texts or calls: without signature and quote, which are a mail's."""
    extra: dict[str, Any] = {}
    if by.is_text:
        text, extra = answering_by_phone.words(tx, ticket, by, text=text, chosen=chosen)
    return Draft(
        cause=f"agent:{agent}:{tx.new_id()}",
        action="reply",
        to=by.to,
        subject=threads.subject_of_answer(ticket),
        text=text,
        author=agent,
        answers=thread.answers if by.is_text else (),
        medium=by.medium,
        account=by.account.name,
        extra=extra,
    )


def check_agent(context: Context, agent: str) -> None:
    if agent not in context.rulebook.agents:
        raise DeskError(
            f"there is no agent '{agent}' in the rules{meant(agent, list(context.rulebook.agents))}"
        )


def _status(status: str) -> str:
    if status not in STATUSES:
        raise DeskError(f"'{status}' is not a status{meant(status, list(STATUSES))}: {', '.join(STATUSES)}")
    return status


def meant(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" — did you mean '{close[0]}'?" if close else ""
