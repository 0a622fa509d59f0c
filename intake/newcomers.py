"""A new conversation: the rules decide, and all that follows from it is written with it."""

from datetime import datetime
from typing import Any

import msgspec

from channels.contract import Message
from intake import (
    addresses,
    agents,
    changing,
    clocks,
    conversations,
    effects,
    events,
    facts,
    forwarding,
    journal,
    notices,
    occasion,
    participants,
    placing,
    quiet,
    reactions,
    seating,
    tickets,
)
from intake.conversations import Place
from intake.model import OPEN_STATUSES, Arrival, Context, Ticket
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Tx
from routing import decision as rules
from routing.actions import Action
from routing.decision import Decision
from routing.facts import FACTS_VERSION, AgentLoad, Facts

_encode = msgspec.json.Encoder().encode


def open_ticket(tx: Tx, context: Context, arrival: Arrival, place: Place) -> None:
    """Decide where a new conversation goes, and write all that follows from it."""
    seen = facts.of_arrival(tx, context, arrival)
    seen, decided = _decided(tx, context, arrival, seen)
    if any(action.kind == "ignore" for action in decided.actions):
        _ignore(tx, context, arrival, decided)
        return
    message = arrival.message
    ticket = _new_ticket(tx, context, arrival, decided)
    ticket = msgspec.structs.replace(ticket, gathered_by=place.gathered_by)
    tickets.insert(tx, ticket, rule=decided.rule, links=(place.linked_to, place.suggested))
    if message.sender is not None:
        tickets.add_participant(tx, ticket, message.sender)
    message_id = conversations.attach(tx, arrival, ticket)
    _tell_opening(tx, ticket, place, decided, arrival.problem)
    forwarding.tell(tx, ticket, message)
    participants.add_named(tx, context, arrival, ticket)
    due = _arm(tx, context, ticket)
    _keep_decision(tx, ticket, message_id, seen, rules.decision_json(decided, due))
    if ticket.agent is not None and context.notices.assigned:
        headline = f"A new ticket {ticket.ref} is yours."
        notices.of_message(tx, context, ticket, "assigned", headline, message_id, message)
    happened = occasion.of_arrival(arrival, message_id)
    if ticket.skills is not None:
        placing.await_relaxing(tx, ticket)
    opened = effects.apply(tx, context, ticket, _effects(decided), happened)
    if context.rulebook.react:
        cause = Cause(name=happened.cause, seen=seen, occasion=happened)
        opened = reactions.react(tx, context, opened, "created", cause=cause).ticket
        quiet.follow(tx, context, opened, seen=seen, is_new=True)


def _decided(tx: Tx, context: Context, arrival: Arrival, seen: Facts) -> tuple[Facts, Decision]:
    """Decide, and seat whoever is to have it; anew with what is known by then when somebody was quicker."""
    for _ in range(seating.TRIES):
        decided = rules.decide(context.rulebook, seen)
        if _is_takers(arrival.message):
            return seen, msgspec.structs.replace(decided, agent=None, waits_for=None)
        agent, status = decided.agent, _status(decided)
        if agent is None or status not in OPEN_STATUSES:
            break
        load = seen.agents.get(agent, AgentLoad())
        if seating.sit(tx, context, agent, load, team=decided.team, medium=arrival.message.kind):
            break
        seen = msgspec.structs.replace(seen, agents=agents.loads(tx))
    else:
        decided = msgspec.structs.replace(decided, agent=None, waits_for="capacity_full")
    return seen, decided


def _is_takers(message: Message) -> bool:
    """Whether it is a call that somebody takes, or has taken: its ticket is theirs, and nobody is chosen."""
    return message.call is not None and message.call.outcome in (None, "answered")


def _status(decided: Decision) -> str:
    is_spam = any(action.kind == "spam" for action in decided.actions)
    return "closed" if is_spam else decided.status or "new"


def _ignore(tx: Tx, context: Context, arrival: Arrival, decided: Decision) -> None:
    """Keep the message without a ticket, with the rule that wanted it so; `journal replay` can bring it back."""
    rule = next(action.rule for action in decided.actions if action.kind == "ignore")
    customer_id, journal_id = arrival.customer.id, arrival.received.id
    changing.block_sender(tx, context, arrival.message.sender, decided.actions)
    events.record(tx, "ignored", customer_id=customer_id, actor=f"rule:{rule}", journal=journal_id)
    journal.close(tx, journal_id, "ignored", customer_id=customer_id, problem=f"ignored by rule {rule}")


def _new_ticket(tx: Tx, context: Context, arrival: Arrival, decided: Decision) -> Ticket:
    message = arrival.message
    is_spam = any(action.kind == "spam" for action in decided.actions)
    armament = context.armaments.get(decided.sla or "") if not is_spam else None
    status = _status(decided)
    return Ticket(
        id=tx.new_id(),
        ref=tickets.new_ref(tx, context.keys),
        customer_id=arrival.customer.id,
        subject=message.subject or _first_line(message),
        status=status,  # type: ignore[arg-type]  # the rulebook's reader lets only these through
        priority=decided.priority,
        team=decided.team,
        level=decided.level,
        agent=decided.agent,
        language=decided.language or message.language,
        tags=decided.tags,
        medium=message.kind,
        account=arrival.account.name,
        own_address=addresses.own_address(arrival.account, arrival.recipients),
        sla=decided.sla,
        armament=armament.hash if armament else None,
        reopened=0,
        is_spam=is_spam,
        created_at=arrival.at(tx.now),
        solved_at=tx.now if status in ("solved", "closed") else None,
        fields=decided.fields,
        skills=decided.skills,
        assigned_at=tx.now if decided.agent is not None else None,
        waits_since=tx.now if decided.waits_for is not None else None,
        nature=decided.nature,
    )


def _first_line(message: Message) -> str:
    for line in (message.visible_text or message.text).splitlines():
        if line.strip():
            return line.strip()[:120]
    return "(no subject)"


def _tell_opening(tx: Tx, ticket: Ticket, place: Place, decided: Decision, problem: str | None) -> None:
    events.of_ticket(tx, ticket, "created", actor="customer", rule=decided.rule, matched=decided.matched)
    if ticket.agent is not None:
        events.of_ticket(tx, ticket, "assigned", actor=f"rule:{decided.rule}", field="agent", to=ticket.agent)
    elif decided.waits_for is not None:
        seating.tell_waiting(tx, ticket, decided.waits_for, ticket.level)
    if place.linked_to is not None or place.suggested is not None:
        kind = "linked" if place.linked_to is not None else "link_suggested"
        other = tickets.load(tx, place.linked_to or place.suggested or 0)
        events.of_ticket(tx, ticket, kind, to=other.ref if other else None)
    if problem is not None:
        events.of_ticket(tx, ticket, "unreadable", problem=problem)
    for rule, error in decided.failed:
        events.rule_failed(tx, ticket, rule, on="created", error=error)


def _arm(tx: Tx, context: Context, ticket: Ticket) -> dict[str, datetime]:
    if ticket.armament is None or ticket.sla is None:
        return {}
    started = clocks.arm(tx, ticket, context.armaments[ticket.sla])
    return {clock.target: clock.due_at for clock in started if clock.due_at is not None}


def _keep_decision(tx: Tx, ticket: Ticket, message_id: int, seen: Facts, decision: dict[str, Any]) -> None:
    tx.insert(
        schema.decisions,
        id=tx.new_id(),
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        message_id=message_id,
        at=tx.now,
        rulebook=decision["rulebook"],
        facts_version=FACTS_VERSION,
        facts=facts.stored(seen),
        decision=_encode(decision).decode(),
    )


def _effects(decided: Decision) -> list[Action]:
    """Return what is done now; that it is spam has made the ticket what it is."""
    return [action for action in decided.actions if action.kind != "spam"]
