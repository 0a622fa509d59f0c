"""Routing once more, while no person has taken the ticket: a later line says what the first did not."""

from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake import clocks, event_facts, events, facts, occasion, placing, tickets
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import decision as rules
from routing.actions import Action
from routing.decision import Decision
from routing.facts import FACTS_VERSION

_encode = msgspec.json.Encoder().encode
_m = schema.messages.c
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
    seen = event_facts.of_ticket(tx, context, ticket, "created")
    seen = msgspec.structs.replace(seen, ticket=None)
    decided = rules.decide(context.rulebook, seen)
    moved = tickets.change(tx, ticket, actor=f"rule:{decided.rule}", **_columns(ticket, decided))
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
    further = [each for each in decided.actions if each.kind not in undone]
    if decided.sla != ticket.sla:
        further.insert(0, Action("sla", decided.sla, decided.rule))
    return moved, tuple(further)


def _columns(ticket: Ticket, decided: Decision) -> dict[str, Any]:
    return {
        "team": decided.team,
        "level": decided.level,
        "agent": decided.agent,
        "priority": decided.priority,
        "nature": decided.nature or ticket.nature,
        "language": decided.language or ticket.language,
        "tags": tuple(dict.fromkeys((*ticket.tags, *decided.tags))),
        "fields": {**ticket.fields, **decided.fields},
        "skills": decided.skills,
    }
