"""Which ticket a customer's message joins: the simulated one, the same again after a reopening, or a new one."""

from datetime import datetime
from typing import Literal

import msgspec

from routing import gathering_key
from routing.conversation import Gathering, MediumRule
from routing.facts import Facts
from routing.rulebook import Rulebook
from routing.simulated import Simulated
from routing.view import View

Joins = Literal["same", "follow_up", "new"]


class Gathered(msgspec.Struct, frozen=True):
    """What gathers a message: the rule, and the key that the message gives."""

    rule: Gathering
    key: str


def gathered(rulebook: Rulebook, facts: Facts) -> Gathered | None:
    """The first gathering that is for a message; None = none is. One that breaks is for nothing."""
    if not rulebook.conversations.by:
        return None
    view = View.of(rulebook, msgspec.structs.replace(facts, ticket=None))
    for rule in rulebook.conversations.by:
        try:
            key = gathering_key.filled(rule.key, view) if rule.when.holds(view) else None
        except Exception:  # noqa: BLE001, S112 - a rule that breaks is no match
            continue
        if key is not None:
            return Gathered(rule, key)
    return None


def by_reference(ticket: Simulated, rule: MediumRule, at: datetime) -> Joins:
    """A message with a valid reference: it joins, unless the ticket is closed or was solved too long ago."""
    return "same" if _is_joinable(ticket, rule, at) else _otherwise(rule)


def by_medium(ticket: Simulated, rule: MediumRule, at: datetime) -> Joins:
    """A message without a reference: it joins where the medium says so, else it is a new ticket."""
    return "same" if rule.join == "open" and _is_joinable(ticket, rule, at) else "new"


def by_key(ticket: Simulated, first: Gathered | None, now: Gathered, message: Facts, at: datetime) -> Joins:
    """A message that is gathered: it joins the ticket of the same key within so long of its last message."""
    same = first is not None and (first.rule.id, first.key) == (now.rule.id, now.key)
    has_room = now.rule.has_room(
        status=ticket.status, last_at=ticket.heard_at, at=at, is_automatic=bool(message.automatic)
    )
    return "same" if same and has_room else "new"


def _otherwise(rule: MediumRule) -> Joins:
    return "follow_up" if rule.then == "follow_up" else "new"


def _is_joinable(ticket: Simulated, rule: MediumRule, at: datetime) -> bool:
    return rule.has_room(status=ticket.status, solved_at=ticket.solved_at, at=at)
