"""Promises: a moment is agreed with the customer, said to them in their language, watched, and kept or broken.

An agent makes one (intake.desk_promises), or a rule. From then on it is a target of the ticket like the others: a person's
public answer after it was made keeps it, so does solving the ticket, or an agent who says that it was kept. Who made it is
reminded before its moment, unless a ladder does so, and told when it was broken; the assignee as well.
"""

from datetime import datetime, timedelta

import msgspec

from intake import (
    answer_form,
    answering,
    armaments,
    clocks,
    delaying,
    events,
    forwarding,
    instants,
    notices,
    occasion,
    outgoing,
    promised_text,
    promises,
    tickets,
    undeliverable,
)
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.outbound import Draft
from intake.replies import Reply, TemplateProblem
from intake.store.engine import Tx
from routing.actions import Action

REMINDER = promises.REMINDER
REMIND_BEFORE = timedelta(minutes=30)  # and of a promise for less than an hour half way
_TARGET = "promise"


def promise(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    """Do what a rule promises; the customer hears of it by the rule's own `reply`. none withdraws what was promised."""
    actor = f"rule:{action.rule}"
    if action.value is None:
        return withdraw(tx, ticket, actor=actor)
    if not ticket.is_open:
        occasion.not_done(tx, ticket, action, f"the ticket is {ticket.status}")
        return ticket
    return make(tx, context, ticket, delaying.instant(tx, action.value), actor=actor)


def make(
    tx: Tx, context: Context, ticket: Ticket, at: datetime, *, actor: str, is_told: bool = False
) -> Ticket:
    """Note the moment agreed with the customer; one agreed before it is moved. at: aware. is_told: the customer knows."""
    due_us = instants.us_from_datetime(at)
    clocks.note_late(tx, ticket, _TARGET)
    promised = tickets.stamp(tx, ticket, promised_at=due_us)
    events.of_ticket(tx, ticket, "promised", actor=actor, due_at=instants.rfc3339(at), told=is_told)
    clocks.promise(tx, promised, at)
    promises.keep(tx, ticket, made_by=actor, due_us=due_us, is_told=is_told)
    if context.notices.promise_due and not _is_on_the_ladder(tx, ticket):
        delaying.alarm(tx, ticket, REMINDER, _reminder_at(tx, at))
    return promised


def withdraw(tx: Tx, ticket: Ticket, *, actor: str) -> Ticket:
    """Take back what was promised; nothing happens when nothing is."""
    if ticket.promised_at is None:
        return ticket
    clocks.note_late(tx, ticket, _TARGET)
    free = tickets.stamp(tx, ticket, promised_at=None)
    due_at = instants.rfc3339_from_us(ticket.promised_at)
    events.of_ticket(tx, ticket, "promise_withdrawn", actor=actor, due_at=due_at)
    clocks.promise(tx, free, None)
    return free


def _is_on_the_ladder(tx: Tx, ticket: Ticket) -> bool:
    """Whether a step of the ticket's ladder looks after its promise."""
    ladder = armaments.load(tx, ticket.armament).ladder if ticket.armament is not None else None
    return ladder is not None and any(step.when.target == _TARGET for step in ladder.steps)


def _reminder_at(tx: Tx, at: datetime) -> datetime:
    now = instants.datetime_from_us(tx.now)
    return max(at - REMIND_BEFORE, now + (at - now) / 2)


# -- what the customer is told ------------------------------------------------------------------------------------------


def line(tx: Tx, context: Context, ticket: Ticket, at: datetime, *, agent: str) -> str | None:
    """Return the words that an answer carries; None when no template has them."""
    words = _words(tx, context, ticket, at, agent=agent, is_in_answer=True)
    return None if words is None else words.text.strip() or None


def say(tx: Tx, context: Context, ticket: Ticket, at: datetime, *, agent: str) -> str | None:
    """Tell the customer what is promised, in a message of its own; why that cannot be, None = it is on its way."""
    happened = occasion.of_ticket(tx, ticket, cause=f"promise:{ticket.id}:{tx.new_id()}")
    reason = answering.refusal(context, ticket, happened)
    if reason is not None or happened.address is None:
        return reason
    to = forwarding.addressee(tx, ticket, happened.address)
    if undeliverable.has_complained(tx, to.address):
        return "the address has called our mail spam"
    words = _words(tx, context, ticket, at, agent=agent, is_in_answer=False)
    if words is None:
        return f"there is no reply template '{promised_text.TEMPLATE}' that can be filled in"
    draft = Draft(
        cause=happened.cause,
        action=promises.ACTION,
        to=to,
        cc=answer_form.copies(tx, context, ticket, to) if happened.medium == occasion.MAIL else (),
        subject=answering.subject(ticket, words, happened),
        text=words.text,
        from_name=answer_form.from_name(context, agent),
        author=agent,
        automatic="auto-generated",  # a template's words: they count as no answer
        answers=happened.answers,
        medium=happened.medium,
        account=happened.account if happened.medium in occasion.OWN else None,
    )
    refused = outgoing.refusal(tx, context, ticket, draft)
    is_sent = outgoing.send(tx, context, ticket, draft)
    return refused or (None if is_sent is not None else "no channel of this configuration can send it")


def _words(
    tx: Tx, context: Context, ticket: Ticket, at: datetime, *, agent: str, is_in_answer: bool
) -> Reply | None:
    happened = occasion.of_ticket(tx, ticket, cause="")
    zone = promised_text.zone_of(tx, context, ticket, agent=agent)
    values = answering.values(tx, context, ticket, happened)
    moment = promised_text.Moment(tx, ticket, context, at=at.astimezone(zone))
    values |= {"promised": moment, "in_answer": is_in_answer}
    try:
        rendered: Reply | None = context.replies.render(promised_text.TEMPLATE, ticket.language, values)
    except TemplateProblem as problem:
        events.of_ticket(tx, ticket, "reply_failed", template=promised_text.TEMPLATE, reason=str(problem))
        return None
    return rendered


# -- what agents are told -----------------------------------------------------------------------------------------------


def remind(tx: Tx, context: Context, ticket: Ticket, *, cause: str) -> Ticket:
    """Tell who has promised something that its moment comes near, if it is still owed."""
    owed = promises.latest(tx, ticket.id)
    is_over = (
        owed is None or owed.state != "open" or owed.due_at <= tx.now
    )  # then it is told that it was broken
    if owed is None or is_over or not context.notices.promise_due:
        return ticket
    minutes = -(-(owed.due_at - tx.now) // 60_000_000)
    headline = f"{_moment(tx, context, ticket, owed)} is promised to the customer of {ticket.ref}: {minutes} min are left."
    _tell(tx, context, ticket, (owed.by or "assignee",), "promise_due", headline, cause)
    return ticket


def tell_broken(tx: Tx, context: Context, ticket: Ticket, *, cause: str) -> None:
    """Tell who made it, and who has the ticket, that a promise was broken."""
    broken = promises.latest(tx, ticket.id)
    is_owed = broken is not None and broken.state == "broken" and broken.ended_at is None
    if broken is None or not is_owed or not context.notices.promise_broken:
        return
    people = tuple(dict.fromkeys(filter(None, (broken.by, ticket.agent))))
    headline = f"What was promised to the customer of {ticket.ref} for {_moment(tx, context, ticket, broken)} has not come."
    _tell(tx, context, ticket, people or (ticket.level or "team",), "promise_broken", headline, cause)


def _moment(tx: Tx, context: Context, ticket: Ticket, owed: promises.Promise) -> str:
    """Write a promise's moment for colleagues."""
    zone = promised_text.zone_of(tx, context, ticket, agent=owed.by)
    return instants.datetime_from_us(owed.due_at).astimezone(zone).strftime("%a %Y-%m-%d %H:%M %Z")


def _tell(
    tx: Tx, context: Context, ticket: Ticket, targets: tuple[str, ...], kind: str, headline: str, cause: str
) -> None:
    happened = occasion.of_ticket(tx, ticket, cause=cause)
    notice = notices.Notice(kind=kind, headline=headline, cause=cause, quote=happened.text)
    for target in targets:
        notices.send(tx, context, ticket, target, notice)


class Warned(msgspec.Struct, frozen=True):
    """What an agent should know of a moment. sentence: for people; code: for programs."""

    code: str
    sentence: str


def doubts(tx: Tx, ticket: Ticket, at: datetime) -> tuple[Warned, ...]:
    """Return what speaks against a moment, none of which forbids it."""
    if ticket.armament is None:
        return ()
    armed = armaments.load(tx, ticket.armament)
    if armed.calendar.is_open(at):
        return ()
    local = at.astimezone(armed.calendar.zone)
    opens = armed.calendar.next_open(at).astimezone(armed.calendar.zone)
    sentence = (
        f"{local:%a %Y-%m-%d %H:%M} is outside the hours of calendar '{armed.calendar.name}', "
        f"which opens again {opens:%a %Y-%m-%d %H:%M}"
    )
    return (Warned("closed", sentence),)
