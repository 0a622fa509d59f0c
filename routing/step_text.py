"""How the steps of the admin's tests are written: `{at: +1h, event: agent_replied, status: pending}`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from routing.action_values import read_moment
from routing.customer_text import offset_s_of
from routing.facts import EVENTS, AgentLoad, Facts, SenderFacts
from routing.message_text import MessageNode, with_message
from routing.naming import STATUSES, check_name
from routing.problems import Problem
from routing.situation_text import People, check_known, loads
from routing.sla import PRIORITIES
from routing.typed import said
from routing.yaml_text import Node

_BY_ITSELF = ("created", "quiet", "clock", "sla_warning", "sla_breached", "promise_due")
_WRITTEN = tuple(field.encode_name for field in msgspec.structs.fields(MessageNode))
_SAID = ("subject", "body", "language", "attachments")
_CHANGED = ("status", "priority", "team", "level", "agent", "promise")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "customer_replied": (*_WRITTEN, "reference"),
    "agent_replied": (*_SAID, *_CHANGED),
    "note_added": (*_SAID, *_CHANGED),
    "status_changed": ("status", "priority", "promise"),
    "reopened": ("status",),
    "assigned": ("agent", "level", "team", "status"),
    "unassigned": (),
    "team_changed": ("team", "level", "agent"),
    "merged": (),
    "rated": ("rating", "body"),
    "acknowledged": ("agent",),
    "delivery_failed": (),
    "transcribed": _SAID,
    "call_missed": ("call",),
    "chat_left": (),
    "incident_opened": (),
    "incident_closed": (),
    "": ("priority", "promise"),  # a person changes it, and does nothing else
}
_COMPULSORY = {"status_changed": "status", "assigned": "agent", "team_changed": "team", "rated": "rating"}
_OF_OURS = ("agent_replied", "note_added")
_TEXTS = ("customer_replied", *_OF_OURS, "transcribed", "call_missed")
_ALWAYS = ("at", "event", "away", "load", "expect", "never")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something happens, or time passes, so many seconds of wall clock after the message that began the ticket.

    event: None = only time passes, or a person changes something. message: the facts of what was written, with its instant and event, without the
    ticket; None = nothing was. has_language: whether its language was said. has_reference: whether it carries a valid
    reference to the ticket. changes: status, priority, team, level, agent, promise -> what the event sets; None = none; of
    agent_replied and acknowledged the agent is who did it. agents: how busy who is from here on, None = as before.
    """

    offset_s: int
    text: str
    node: Node
    event: str | None = None
    message: Facts | None = None
    has_language: bool = True
    has_reference: bool = True
    changes: dict[str, Any] = {}
    rating: int | None = None
    agents: dict[str, AgentLoad] | None = None


class StepNode(MessageNode, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A step as written."""

    at: Node
    event: Node | None = None
    status: Node | None = None
    priority: Node | None = None
    team: Node | None = None
    level: Node | None = None
    agent: Node | None = None
    promise: Node | None = None
    rating: Node | None = None
    reference: bool | None = None
    away: tuple[str, ...] | None = None
    load: dict[str, dict[str, int]] | None = None
    expect: Node | None = None
    never: Node | None = None


def read_step(
    written: StepNode, node: Node, facts: Facts, people: People, problems: list[Problem]
) -> Step | None:
    """One step; None when its instant is not understood. facts: of the message that began the ticket."""
    offset_s = offset_s_of(written.at, facts.at, problems)
    if offset_s is None:
        return None
    event = _read_event(written.event, problems) if written.event else None
    _check_keys(node, written, event, problems)
    check_known((*(written.away or ()), *(written.load or ())), people.agents, "agent", node, problems)
    has_reference = facts.channel == "email" if written.reference is None else written.reference
    return Step(
        offset_s=offset_s,
        text=written.at.text,
        node=node,
        event=event,
        message=_message(written, event, offset_s, facts, problems),
        has_language=event not in _TEXTS or "language" in node.value,
        has_reference=has_reference,
        changes=_changes(written, people, problems),
        rating=_read_rating(written.rating, problems) if written.rating else None,
        agents=_agents(written, facts),
    )


def _agents(written: StepNode, facts: Facts) -> dict[str, AgentLoad] | None:
    """How busy who is from this step on: what it does not say is as it was given; None = it says nothing."""
    if written.away is None and written.load is None:
        return None
    given = {name: load.open_tickets for name, load in facts.agents.items()}
    return {**facts.agents, **loads(written.away or (), {**given, **(written.load or {})})}


def _read_event(node: Node, problems: list[Problem]) -> str | None:
    event = check_name(node, EVENTS, "event", problems)
    if event in _BY_ITSELF:
        hint = "take 'event' away: time alone brings it about"
        problems.append(node.problem("bad-value", f"'{event}' happens by itself", hint))
    return event


def _check_keys(node: Node, written: StepNode, event: str | None, problems: list[Problem]) -> None:
    """The event has what it needs, and nothing stands beside it that says nothing of it."""
    if written.event is not None and event is None:
        return
    allowed = (*_ALWAYS, *_KEYS.get(event or "", ()))
    for key in node.value:
        if key in StepNode.__struct_encode_fields__ and key not in allowed:
            said_of = f"of {event}" if event else "without an event"
            problems.append(node.keys[key].problem("wrong-place", f"'{key}' says nothing {said_of}"))
    needed = _COMPULSORY.get(event or "")
    if needed and needed not in node.value:
        problems.append(node.problem("missing-key", f"'{needed}' is missing", f"{event} says which"))


def _message(
    written: StepNode, event: str | None, offset_s: int, facts: Facts, problems: list[Problem]
) -> Facts | None:
    """What was written, by the customer of the first message unless the step says else, or by one of ours."""
    if event not in _TEXTS:
        return None
    bare = msgspec.structs.replace(facts, at=facts.at + timedelta(seconds=offset_s), event=event)
    if event in _OF_OURS:
        bare = msgspec.structs.replace(bare, direction="out", created_by="agent", sender=SenderFacts())
    return with_message(bare, written, problems)


def _changes(written: StepNode, people: People, problems: list[Problem]) -> dict[str, Any]:
    known = {
        "status": STATUSES,
        "priority": PRIORITIES,
        "team": people.teams,
        "level": people.levels,
        "agent": people.agents,
    }
    found: dict[str, Any] = {}
    for field, names in known.items():
        node = getattr(written, field)
        if node is None:
            continue
        if node.value == "none" and field in ("agent", "level"):
            found[field] = None
        elif names is None:
            found[field] = node.text
        else:
            found[field] = check_name(node, names, field, problems)
    if written.promise is not None:
        is_taken_back = written.promise.value == "none"
        found["promise"] = None if is_taken_back else read_moment(written.promise, None, problems)
    return found


def _read_rating(node: Node, problems: list[Problem]) -> int | None:
    if isinstance(node.value, int) and not isinstance(node.value, bool) and 1 <= node.value <= 5:
        return node.value
    problems.append(node.problem("bad-value", f"a rating is 1 to 5, not {said(node)}"))
    return None
