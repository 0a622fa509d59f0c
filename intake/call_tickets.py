"""The ticket of a call: who gets it, and what each thing that is told of the call does to it.

    which one      intake.call_places
    while it rings no agent is chosen: whoever takes the call gets the ticket (intake.views has whom the rules let ring)
    somebody talks that is a person's public answer; one that was too short to be any is taken back at the end
    nobody did     at the end the ticket is given to somebody like any other, and rules that wait for `call_missed` hear of it

The call is one message of the conversation, written anew as it goes on, and each thing that happened is an event.
"""

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Happened, Identity
from intake import (
    call_places,
    call_text,
    call_timeline,
    clocks,
    closed_texts,
    conversations,
    events,
    fetches,
    instants,
    missed_calls,
    opt_out_hints,
    quiet,
    reactions,
    retention,
    search_index,
    seating,
    tickets,
    voicemails,
    words,
)
from intake.call_rows import Call
from intake.call_timeline import State
from intake.model import Account, Context, Received, Ticket
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_c = schema.calls.c
_COUNTED = Statement(select(_c.counted_at).where(_c.id == bindparam("id")))
_OF_OUR_CALL = frozenset(("author", "author_name", "external_id"))  # are as they were written when we called
_ACTORS = {
    "customer": frozenset(
        ("language", "chose", "missed_key", "text_asked", "consent", "recorded", "transcribed")
    ),
    "agent": frozenset(("accepted", "declined", "connected", "agent_left")),
}


def follow(tx: Tx, context: Context, received: Received, account: Account, before: Call, after: Call) -> Call:
    """Do what new knowledge of a call asks for; the call with the ticket that it has by then."""
    if after.ticket_id is not None:
        _go_on(tx, context, received, before, after, tickets.locked_final(tx, after.ticket_id))
        return after
    if after.direction != "in" or not call_places.is_due(before, after):
        return after
    placed = call_places.place(tx, context, received, account, after)
    if placed.ticket_id is not None:
        ticket = tickets.load(tx, placed.ticket_id)
        assert ticket is not None  # noqa: S101 - it was opened or joined just now
        none_yet = msgspec.structs.replace(placed, timeline=())
        _go_on(tx, context, received, none_yet, placed, tickets.final(tx, ticket))
    return placed


# -- what is told of a call that has a ticket ---------------------------------------------------------------------


def _go_on(tx: Tx, context: Context, received: Received, before: Call, after: Call, ticket: Ticket) -> None:
    was, now = before.state, after.state
    _tell(tx, ticket, before, after)
    _write_anew(tx, after, ticket)
    cause = Cause(name=f"call:{after.id}", occasion=missed_calls.answering(tx, context, after, ticket))
    if closed_texts.is_asked(before, after):
        ticket = closed_texts.answer(tx, context, ticket, after, cause=cause)
    if now.agent != was.agent:
        ticket = _taken(tx, context, ticket, was.agent, now.agent, cause=cause)
    if now.connected_at is not None and was.connected_at is None:
        ticket = _answered(tx, context, ticket, now, call_id=after.id, cause=cause)
    if now.outcome is not None and was.outcome is None:
        ticket = _ended(tx, context, ticket, now, call_id=after.id, cause=cause)
    if now.transcript is not None and now.transcript != was.transcript:
        _suggest(tx, context, after, ticket)
        ticket = voicemails.read(tx, context, ticket, now, cause=cause)
    if now.outcome is not None and was.outcome is None:
        ticket = missed_calls.react(tx, context, ticket, after, cause=cause)
    quiet.follow(tx, context, ticket)


def _suggest(tx: Tx, context: Context, call: Call, ticket: Ticket) -> None:
    """Look whether a message left asks to be left alone: an agent decides."""
    said = call.state.transcript
    if said is not None and call.caller is not None and call.message_id is not None:
        caller = Identity("phone", call.caller)
        opt_out_hints.suggest(
            tx,
            context,
            caller,
            said.text,
            medium=call_text.VOICE,
            ticket_id=ticket.id,
            message_id=call.message_id,
        )


def _tell(tx: Tx, ticket: Ticket, before: Call, after: Call) -> None:
    """Write an event for each thing that is new in the call's timeline."""
    known = {call_timeline.name_of(each) for each in before.timeline}
    for each in after.timeline:
        if call_timeline.name_of(each) not in known:
            details = {name: value for name, value in each.details.items() if name != "text"}
            at = instants.rfc3339(each.at)
            events.of_ticket(
                tx,
                ticket,
                f"call_{each.what}",
                actor=_actor(each),
                call=after.call,
                happened_at=at,
                **details,
            )


def _actor(each: Happened) -> str:
    if each.what in _ACTORS["agent"]:
        return f"agent:{each.details.get('agent', '')}" if each.details.get("agent") else "system"
    return "customer" if each.what in _ACTORS["customer"] else "system"


def _write_anew(tx: Tx, call: Call, ticket: Ticket) -> None:
    """Write the call's message as it is known now, and want the recordings that it names."""
    if call.message_id is None:
        return
    files = voicemails.attachments(tx, call, ticket)
    message = call_text.message(
        call.state, caller=call.caller, own=call.own, direction=call.direction, attachments=files
    )
    content = conversations.content(message)
    if call.direction == "out":
        content = {name: value for name, value in content.items() if name not in _OF_OUR_CALL}
    tx.update(schema.messages, {"id": call.message_id}, **content)
    search_index.renew(tx, call.message_id)
    fetches.name_again(tx, call.message_id)
    retention.name_again(tx, call.message_id)


def _taken(
    tx: Tx, context: Context, ticket: Ticket, former: str | None, agent: str | None, *, cause: Cause
) -> Ticket:
    """Give a ticket that nobody has to whoever takes the call; and back, when they are not there after all."""
    after = ticket
    if former is not None and ticket.agent == former and ticket.taken_at is None:
        after = tickets.change(tx, after, actor="system", agent=None)
    if agent is not None and agent in context.rulebook.agents:
        if after.agent is None and after.is_open:
            after = seating.give(tx, context, after, agent, actor=f"agent:{agent}") or after
        else:
            seating.take_turn(tx, agent)
    return reactions.changed_by_hand(tx, context, ticket, after, cause=cause)


def _answered(tx: Tx, context: Context, ticket: Ticket, call: State, *, call_id: int, cause: Cause) -> Ticket:
    """Somebody speaks with the customer: that is an answer, and the ticket is in their hands."""
    actor = f"agent:{call.agent}" if call.agent else "system"
    events.of_ticket(tx, ticket, "agent_replied", actor=actor, call=cause.name)
    began_at = tx.now if call.connected_at is None else instants.us_from_datetime(call.connected_at)
    at = tickets.counted_from(tx, ticket, min(began_at, tx.now))
    answered = tickets.stamp(tx, ticket, agent_replied_at=at, taken_at=ticket.taken_at or tx.now)
    tx.update(schema.calls, {"id": call_id}, counted_at=at)
    clocks.answered(tx, answered, at=at)
    reacted = reactions.react(tx, context, ticket, "agent_replied", cause=cause, now=answered, said="")
    after = reacted.ticket
    if after.status == "new" and not reacted.has_status:
        after = seating.set_status(tx, context, after, "open", actor=actor, cause=cause.name)
    return reactions.changed_by_hand(tx, context, reacted.ticket, after, cause=cause)


def _ended(tx: Tx, context: Context, ticket: Ticket, call: State, *, call_id: int, cause: Cause) -> Ticket:
    """Take a talk back that was too short to be an answer; give a ticket that nobody took to somebody."""
    is_short = call.talk_s is not None and call.talk_s < context.calls.answered_after_s
    if is_short:
        return _taken_back(tx, ticket, call_id)
    if call.outcome == "answered" or ticket.agent is not None or not ticket.is_open:
        return ticket
    placed = seating.pick(tx, context, ticket, level=ticket.level, actor="system")
    if placed.agent is not None:
        seating.tell(tx, context, ticket, placed, cause=cause.name, why="a call")
    return reactions.changed_by_hand(tx, context, ticket, placed, cause=cause)


def _taken_back(tx: Tx, ticket: Ticket, call_id: int) -> Ticket:
    """Count a talk of a few seconds as none: clocks go on, and the last word is the one before."""
    row = tx.one(_COUNTED, id=call_id)
    if row is None or row[0] is None:
        return ticket
    tx.update(schema.calls, {"id": call_id}, counted_at=None)
    events.of_ticket(tx, ticket, "call_too_short")
    answers = words.past(tx, ticket).answers
    last = instants.us_from_datetime(answers[-1]) if answers else None
    after = tickets.stamp(tx, ticket, agent_replied_at=last)
    clocks.answer_undelivered(tx, after, row[0])
    return after
