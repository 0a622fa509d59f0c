"""A ticket lived once more under other rules: opened by their decision, then what people really did, at the same instants.

Not lived again: promises, merges, replies that the other rules would have provoked or spared.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from intake.backtest.stored import Said
from routing import yaml_text
from routing.decision import Decision
from routing.facts import Facts
from routing.life import Event, Life
from routing.rulebook import Rulebook
from routing.sla import Clock
from routing.yaml_text import Node

_OF_THE_OPENING = ("version", "enrich", "route", "default", "fields", "tests")
_CHANGES = ("status_changed", "reopened", "priority_changed", "assigned", "unassigned", "team_changed")


class Lived(msgspec.Struct, frozen=True):
    """breached: targets that were missed. notices: how many people were told. is_whole: it could be followed to the end."""

    breached: frozenset[str] = frozenset()
    notices: int = 0
    is_whole: bool = True


def lived(
    rulebook: Rulebook, facts: Facts, decision: Decision, history: Sequence[Said], *, until: datetime
) -> Lived:
    """What becomes of the ticket until an instant. facts: of its first message, with the instant it was created."""
    try:
        life = Life(rulebook, facts, decision)
        for said in history:
            event = _event(rulebook, said)
            if event is not None:
                life.happen(event)
        life.advance(until)
    except Exception:  # noqa: BLE001 - one ticket that cannot be followed must not end the whole look; it is counted
        return Lived(is_whole=False)
    kinds = [each.action for each in life.happenings]
    breached = frozenset(str(action.value) for action in kinds if action.kind == "breach")
    return Lived(breached, sum(action.kind == "notify" for action in kinds), is_whole=not life.is_cut)


def _event(rulebook: Rulebook, said: Said) -> Event | None:
    """What happened, as a life takes it; changes only when a person made them: rules are asked anew."""
    if said.kind not in _CHANGES:
        return Event(at=said.at, kind=said.kind, message=said.message, by=_agent(said.actor))
    is_unknown = said.field == "team" and said.to not in rulebook.teams
    if not said.actor.startswith("agent:") or is_unknown:
        return None
    return Event(at=said.at, kind="status_changed", changes={said.field: said.to}, by=_agent(said.actor))


def _agent(actor: str) -> str | None:
    return actor.removeprefix("agent:") if actor.startswith("agent:") else None


def as_they_were(clocks: Sequence[Clock], *, until: datetime) -> frozenset[str]:
    """Targets that were missed; one that nobody has noted yet counts when its instant has passed."""
    return frozenset(
        clock.target
        for clock in clocks
        if clock.breached_at is not None
        or (clock.state == "running" and clock.due_at is not None and clock.due_at <= until)
    )


def without(rulebook: Rulebook, react: frozenset[str]) -> Rulebook:
    """The rulebook without some of its react rules."""
    if not react:
        return rulebook
    kept = tuple(each for each in rulebook.react if each.rule.id not in react)
    return msgspec.structs.replace(rulebook, react=kept)


def course(rulebook: Rulebook) -> Any:
    """Everything that says how a ticket goes on once it is opened, as written: equal = the same decision lives the same."""
    sections: list[Any] = [rulebook.lists]
    for name, text in rulebook.files.items():
        document = yaml_text.read(text, file=name)
        if isinstance(document.value, dict):
            sections += [
                (section, _plain(node))
                for section, node in document.value.items()
                if section not in _OF_THE_OPENING
            ]
    return sections


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(each) for key, each in node.value.items()}
    return [_plain(each) for each in node.value] if isinstance(node.value, tuple) else node.value
