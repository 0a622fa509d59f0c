"""Routing once more, while no person has taken the ticket: a later line says what the first did not."""

from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake import (
    call_facts,
    clocks,
    customers,
    event_facts,
    events,
    facts,
    occasion,
    placing,
    seating,
    tickets,
)
from intake.model import Arrival, Context, Ticket
from intake.occasion import Occasion
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import decision as rules
from routing.actions import Action
from routing.conversation import LINE_BY_LINE
from routing.decision import Decision
from routing.facts import FACTS_VERSION, AgentLoad, Facts
from routing.people import LIVE

LINES_MAX = 50

_encode = msgspec.json.Encoder().encode
_m = schema.messages.c
_SAID = Statement(
    select(_m.subject, _m.body, _m.visible_text)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction == "in")
    .order_by(_m.id)
    .limit(bindparam("most"))
)
_FIRST_FACTS = Statement(
    select(schema.decisions.c.facts)
    .where(schema.decisions.c.ticket_id == bindparam("ticket_id"))
    .order_by(schema.decisions.c.id)
    .limit(1)
)
_LAST_DECISION = Statement(
    select(schema.decisions.c.decision)
    .where(schema.decisions.c.ticket_id == bindparam("ticket_id"))
    .order_by(schema.decisions.c.id.desc())
    .limit(1)
)
_RECEIPT = Statement(
    select(_m.id)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction == "out", _m.automatic.is_not(None))
    .limit(1)
)


def route(
    tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion
) -> tuple[Ticket, tuple[Action, ...]]:
    """Decide anew and move the ticket; as it is then, and what else the decision asks for.

    The clocks go on from the first line: only their policy and priority may change.
    """
    if ticket.taken_at is not None:
        occasion.not_done(tx, ticket, action, "a person has taken the ticket")
        return ticket, ()
    seen = _seen(tx, context, ticket)
    decided = rules.decide(context.rulebook, seen)
    if ticket.agent is None and call_facts.is_live(tx, ticket.id):
        decided = msgspec.structs.replace(decided, agent=None, waits_for=None)
    known = _matched(tx, ticket)
    if known == decided.matched:
        return ticket, ()  # nothing new was said: the ticket stays with whom it is
    moved = _moved(tx, context, ticket, seen, decided)
    clocks.follow(tx, ticket, moved)
    if moved.agent != ticket.agent:
        placing.tell(tx, context, ticket, moved, happened, why=f"rule {decided.rule}")
    tx.update(schema.tickets, {"id": ticket.id}, rule=decided.rule)
    if moved.skills != ticket.skills:
        placing.await_relaxing(tx, moved)
    decision = rules.decision_json(decided, {})
    tx.insert(
        schema.decisions,
        id=tx.new_id(),
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        message_id=0,
        at=tx.now,
        rulebook=decided.rulebook,
        facts_version=FACTS_VERSION,
        facts=facts.stored_whole(seen),
        decision=_encode(decision).decode(),
    )
    events.of_ticket(tx, moved, "routed_again", actor=f"rule:{action.rule}", rule=decided.rule)
    # What would throw the message away comes too late, and a receipt goes out once.
    has_receipt = tx.one(_RECEIPT, ticket_id=ticket.id) is not None
    undone = ("ignore", "reply") if has_receipt else ("ignore",)
    done = {*known, "default"}  # what these rules ask for was done when they matched first
    further = [each for each in decided.actions if each.kind not in undone and each.rule not in done]
    if decided.sla != ticket.sla:
        further.insert(0, Action("sla", decided.sla, decided.rule))
    return moved, tuple(further)


def _moved(tx: Tx, context: Context, ticket: Ticket, seen: Facts, decided: Decision) -> Ticket:
    """Go where the decision says; where somebody else was seated meanwhile, to nobody yet."""
    columns, actor = _columns(ticket, decided), f"rule:{decided.rule}"
    agent = columns["agent"]
    if agent in (None, ticket.agent):
        moved = tickets.change(tx, ticket, actor=actor, **columns)
        if moved.agent is not None or decided.waits_for is None:
            return moved
        seating.tell_waiting(tx, moved, decided.waits_for, moved.level)
        return tickets.stamp(tx, moved, waits_since=moved.waits_since or tx.now)
    bare = tickets.change(tx, ticket, actor=actor, **(columns | {"agent": None}))
    load = seen.agents.get(agent, AgentLoad())
    if seating.sit(tx, context, agent, load, team=decided.team, medium=ticket.medium):
        return tickets.change(tx, bare, actor=actor, is_seated=True, agent=agent)
    return seating.pick(tx, context, bare, level=bare.level, actor=actor)


def further_line(tx: Tx, context: Context, ticket: Ticket, arrival: Arrival, message_id: int) -> Ticket:
    """Route again by a customer's next line, where lines are short and the first says little ("hi"); the ticket then."""
    medium = arrival.message.kind
    is_short = medium in LINE_BY_LINE and ticket.medium in (
        medium,
        LIVE,
    )  # a text may say what a call was about
    if not is_short or ticket.taken_at is not None or not ticket.is_open:
        return ticket
    happened = occasion.of_arrival(arrival, message_id)
    again = Action("route", "again", "conversations")
    routed, further = route(tx, context, ticket, again, happened)
    from intake import effects  # it does what is asked here, and asks here for `route: again`

    return effects.apply(tx, context, routed, further, happened)


def once_more(tx: Tx, context: Context, ticket: Ticket, *, cause: str) -> Ticket:
    """Route again because a call has told more; the ticket then. cause: unique for this."""
    happened = Occasion(cause=cause, customer=customers.load(tx, ticket.customer_id))
    routed, further = route(tx, context, ticket, Action("route", "again", "conversations"), happened)
    from intake import effects  # it does what is asked here, and asks here for `route: again`

    return effects.apply(tx, context, routed, further, happened)


def _seen(tx: Tx, context: Context, ticket: Ticket) -> Facts:
    """Return the facts of all that the customer has said so far, as of a message that opens a ticket.

    What only the first message could tell (headers, recipients) is as it was decided on.
    """
    seen = event_facts.of_ticket(tx, context, ticket, "created")
    first = tx.one(_FIRST_FACTS, ticket_id=ticket.id)
    if first is not None:
        then = msgspec.json.decode(first[0], type=Facts)
        names = ("recipient", "headers", "spam_score", "form", "chat_page")
        seen = msgspec.structs.replace(seen, **{name: getattr(then, name) for name in names})
    said = tx.all(_SAID, ticket_id=ticket.id, most=LINES_MAX)
    lines = [body if visible_text is None else visible_text for _, body, visible_text in said]
    subject = next((subject for subject, *_ in said if subject), seen.subject)
    whole = msgspec.structs.replace(seen, ticket=None, subject=subject, body="\n".join(lines))
    return facts.with_kept(tx, context, whole)


def _matched(tx: Tx, ticket: Ticket) -> tuple[str, ...]:
    """Return the rules that the last decision came from."""
    row = tx.one(_LAST_DECISION, ticket_id=ticket.id)
    return () if row is None else tuple(msgspec.json.decode(row[0]).get("matched", ()))


def _columns(ticket: Ticket, decided: Decision) -> dict[str, Any]:
    stays = decided.team == ticket.team and ticket.agent is not None
    return {
        "team": decided.team,
        "level": ticket.level if stays else decided.level,
        "agent": ticket.agent if stays else decided.agent,
        "priority": decided.priority,
        "nature": decided.nature or ticket.nature,
        "language": decided.language or ticket.language,
        "tags": tuple(dict.fromkeys((*ticket.tags, *decided.tags))),
        "fields": {**ticket.fields, **decided.fields},
        "skills": decided.skills,
    }
