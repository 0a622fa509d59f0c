"""How the admin's own tests are written: YAML nodes -> situations, steps in time, and what is expected of them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec

from routing.customer_text import WHEN_NOT_SAID, offset_s_of, read_instant
from routing.facts import Facts
from routing.problems import Problem, did_you_mean
from routing.situation_text import (
    People,
    Situation,
    read_situation,
    situation_from,
)
from routing.sla import TARGETS
from routing.step_text import Step, StepNode, read_step
from routing.typed import convert, said
from routing.yaml_text import Node

__all__ = [
    "ACTION_KINDS",
    "EXPECTABLE",
    "WHEN_NOT_SAID",
    "Case",
    "Expectation",
    "People",
    "Situation",
    "Step",
    "TimelineEntry",
    "read_cases",
    "read_played",
    "read_situation",
    "spoken",
]

ACTION_KINDS = (
    "team", "level", "agent", "skills", "priority", "status", "sla", "tags", "untag", "nature", "language", "reply",
    "note", "notify", "hand_off", "webhook", "rating", "incident", "promise", "snooze", "route", "reopen", "ignore",
    "spam", "block", "close", "breach",
)  # fmt: skip
"""What may stand in a timeline, `field.NAME` beside them; "breach" is the target's own."""

EXPECTABLE = (
    "rule", "matched", *ACTION_KINDS, *(f"due.{target}" for target in TARGETS), "joins",
)  # fmt: skip
"""What a test may ask for, `field.NAME` beside them."""

JOINS = ("same", "reopened", "follow_up", "new")
"""What a customer's message of a step comes to: the ticket, the ticket again, a linked new one, an unlinked new one."""

_BARE = ("ignore", "spam", "block", "close", "rating", "skills")  # no value to name, or none in one word
_INSTANTS = ("promise", "snooze", *(f"due.{target}" for target in TARGETS))


class Expectation(msgspec.Struct, frozen=True):
    """A field of the outcome and what it should, or must not, be. value: JSON; of an instant in UTC, RFC 3339."""

    field: str
    value: Any
    node: Node


class TimelineEntry(msgspec.Struct, frozen=True):
    """What is expected so many seconds after the message. actions: texts as `spoken` gives them."""

    offset_s: int
    text: str
    actions: tuple[str, ...]
    node: Node


class CaseStep(Step, frozen=True, kw_only=True):
    """A step and what is expected when it is done: of the ticket then, and of what was done since the step before."""

    expect: tuple[Expectation, ...] = ()
    never: tuple[Expectation, ...] = ()


class Case(msgspec.Struct, frozen=True):
    """One of the admin's tests. exactly: nothing else may happen than what `expect` and `timeline` say.

    because: how what is expected was worked out, for whoever reads it.
    """

    name: str
    node: Node
    situation: Situation
    expect: tuple[Expectation, ...] = ()
    never: tuple[Expectation, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    exactly: bool = False
    steps: tuple[CaseStep, ...] = ()
    because: str = ""


class _CaseNode(msgspec.Struct, frozen=True):
    name: str
    message: Node
    at: Node | None = None
    given: Node | None = None
    lists: dict[str, tuple[str, ...]] = {}
    expect: Node | None = None
    never: Node | None = None
    timeline: Node | None = None
    exactly: bool = False
    steps: Node | None = None
    because: str = ""


class _PlayedNode(_CaseNode, frozen=True, kw_only=True):
    """What is only played needs no name."""

    name: str = ""


def read_played(node: Node, people: People, problems: list[Problem]) -> Case | None:
    """A test on its own, as it stands under `tests:`, or a situation with steps; None when there is a problem."""
    return _read_case(node, people, problems, shape=_PlayedNode)


def read_cases(nodes: Collection[Node], people: People, problems: list[Problem]) -> tuple[Case, ...]:
    """Every test that could be read, in file order."""
    cases: list[Case] = []
    for node in nodes:
        if not node.is_list:
            problems.append(node.problem("wrong-type", f"'tests' is a list, got {said(node)}"))
            continue
        cases.extend(case for each in node.value if (case := _read_case(each, people, problems)))
    return tuple(cases)


def _read_case(
    node: Node, people: People, problems: list[Problem], *, shape: type[_CaseNode] = _CaseNode
) -> Case | None:
    before = len(problems)
    written = convert(node, shape, problems=problems, partial=True)
    if written is None:
        return None
    situation = situation_from(written, node, people, problems)
    case = Case(
        written.name,
        node,
        situation,
        _read_expectations(written.expect, problems),
        _read_expectations(written.never, problems),
        _read_timeline(written.timeline, situation.facts.at, problems),
        written.exactly,
        _read_steps(written.steps, situation.facts, people, problems) if written.steps else (),
        written.because,
    )
    return case if len(problems) == before else None


# -- steps ----------------------------------------------------------------------------------------------------------


def _read_steps(node: Node, facts: Facts, people: People, problems: list[Problem]) -> tuple[CaseStep, ...]:
    """The steps in the order of time, which is the order written. facts: of the message that began it."""
    if not node.is_list:
        hint = "like [{at: +1h, event: agent_replied}]"
        problems.append(node.problem("wrong-type", f"'steps' is a list, got {said(node)}", hint))
        return ()
    steps: list[CaseStep] = []
    for each in node.value:
        step = _read_step(each, facts, people, problems)
        if step is None:
            continue
        if steps and step.offset_s < steps[-1].offset_s:
            message = f"the step at {step.text} comes before the one at {steps[-1].text}"
            problems.append(each.problem("bad-value", message, "write steps in the order of time"))
        steps.append(step)
    return tuple(steps)


def _read_step(node: Node, facts: Facts, people: People, problems: list[Problem]) -> CaseStep | None:
    written = convert(node, StepNode, problems=problems, partial=True)
    step = read_step(written, node, facts, people, problems) if written else None
    if step is None:
        return None
    return CaseStep(
        **msgspec.structs.asdict(step),
        expect=_read_expectations(written.expect, problems),
        never=_read_expectations(written.never, problems),
    )


# -- what is expected -----------------------------------------------------------------------------------------------


def _read_expectations(node: Node | None, problems: list[Problem]) -> tuple[Expectation, ...]:
    if node is None:
        return ()
    if not isinstance(node.value, dict):
        problems.append(node.problem("wrong-type", f"wanted {{team: NAME}} or the like, got {said(node)}"))
        return ()
    found = []
    for field, child in node.value.items():
        if field in EXPECTABLE or _is_field(field):
            found.append(_read_expectation(field, child, problems))
        else:
            hint = did_you_mean(field, (*EXPECTABLE, "field.NAME"))
            problems.append(node.keys[field].problem("unknown-key", f"a test can't ask for '{field}'", hint))
    return tuple(found)


def _is_field(name: str) -> bool:
    return name.startswith("field.") and len(name) > len("field.")


def _read_expectation(field: str, node: Node, problems: list[Problem]) -> Expectation:
    if field in _INSTANTS and node.value not in ("none", "any"):
        return Expectation(field, read_instant(node, problems).isoformat(), node)
    if field == "joins" and node.value not in JOINS:
        hint = did_you_mean(node.text, JOINS)
        problems.append(node.problem("bad-value", f"a message never joins {said(node)}", hint))
    return Expectation(field, node.plain_value(), node)


# -- timelines ------------------------------------------------------------------------------------------------------


def spoken(kind: str, value: Any) -> tuple[str, ...]:
    """An action as timelines name it: `notify lead`, `tags vip`, `agent none`, `close`; one text for each value of a list."""
    if isinstance(value, list | tuple):
        return tuple(f"{kind} {each}" for each in value)
    if kind in _BARE or value is True:
        return (kind,)
    if isinstance(value, bool):
        return (f"{kind} {str(value).lower()}",)
    return (f"{kind} {'none' if value is None else value}",)


def _read_timeline(node: Node | None, start: datetime, problems: list[Problem]) -> tuple[TimelineEntry, ...]:
    if node is None:
        return ()
    if not isinstance(node.value, dict):
        problems.append(node.problem("wrong-type", f'wanted {{"+15m": notify lead}}, got {said(node)}'))
        return ()
    found = []
    for key, child in node.value.items():
        offset_s = offset_s_of(node.keys[key], start, problems)
        if offset_s is None:
            continue
        found.append(TimelineEntry(offset_s, key, _read_happenings(child, problems), child))
    return tuple(found)


def _read_happenings(node: Node, problems: list[Problem]) -> tuple[str, ...]:
    nodes = node.value if node.is_list else (node,)
    return tuple(text for each in nodes if (text := _read_happening(each, problems)))


def _read_happening(node: Node, problems: list[Problem]) -> str | None:
    """`notify lead`, `note Please look`, `close`."""
    kind, _, value = node.value.strip().partition(" ") if isinstance(node.value, str) else ("", "", "")
    value = value.strip()
    if kind not in ACTION_KINDS and not _is_field(kind):
        if not value:
            problems.append(node.problem("wrong-type", f"wanted 'notify lead' or the like, got {said(node)}"))
            return None
        hint = did_you_mean(kind, ACTION_KINDS)
        problems.append(node.problem("unknown-action", f"no action '{kind}'", hint))
        return None
    if not value and kind not in _BARE:
        message = f"'{kind}' wants to know what of it"
        problems.append(node.problem("wrong-type", message, f"like '{kind} NAME'"))
        return None
    return kind if kind in _BARE or value == "true" else f"{kind} {value}"
