"""How agents and teams are written: YAML nodes -> people."""

import re
from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from routing.durations import read_seconds
from routing.naming import ADDRESS, check_medium, check_name, entries
from routing.people import WAYS, Agent, Team
from routing.problems import Problem
from routing.schedule import Schedule
from routing.typed import convert, said
from routing.yaml_text import Node

MOST_TICKETS = 10_000
"""The highest capacity of an agent: more is a slip."""

_PHONE = re.compile(r"\+[1-9]\d{5,14}\Z")


class _AgentNode(msgspec.Struct, frozen=True):
    email: Node | None = None
    phone: Node | None = None
    skills: tuple[str, ...] = ()
    hours: Node | None = None
    urgent: Node | None = None
    deputy: Node | None = None


class _TeamNode(msgspec.Struct, frozen=True):
    levels: Node
    assign: Node | None = None


class _AssignNode(msgspec.Struct, frozen=True):
    by: Literal["least_loaded", "round_robin"] = "least_loaded"
    capacity: Node | None = None
    returning: Node | None = None
    answering: bool = False


class _OnCallNode(msgspec.Struct, frozen=True):
    schedule: Node


def read_agent(
    name: str, node: Node, calendars: Collection[str], agents: Collection[str], problems: list[Problem]
) -> Agent | None:
    """`{email: ania@example.com, phone: "+48600000001", skills: [pl], hours: office, urgent: [call, sms], deputy: ewa}`."""
    written = convert(node, _AgentNode, problems=problems, partial=True)
    if written is None:
        return None
    agent = Agent(
        name,
        _read_form(written.email, ADDRESS, "address", "write it like ania@example.com", problems),
        _read_form(
            written.phone, _PHONE, "phone number", 'write it like "+48600000001", in quotes', problems
        ),
        written.skills,
        check_name(written.hours, calendars, "calendar", problems) if written.hours else None,
        _read_ways(written.urgent, problems) if written.urgent else (),
        _read_deputy(name, written.deputy, agents, problems) if written.deputy else None,
    )
    if written.urgent:
        _check_ways(agent, written.urgent, problems)
    return agent


def _read_ways(node: Node, problems: list[Problem]) -> tuple[str, ...]:
    ways = [check_name(each, WAYS, "way", problems) for each in (node.value if node.is_list else (node,))]
    return tuple(dict.fromkeys(way for way in ways if way))


def _check_ways(agent: Agent, node: Node, problems: list[Problem]) -> None:
    """A way needs what it goes by: without that it is passed over when a notice is sent."""
    for way, needed, there in (
        ("email", "email", agent.email),
        ("sms", "phone", agent.phone),
        ("call", "phone", agent.phone),
    ):
        if way in agent.urgent and there is None:
            message = f"'{agent.name}' can't be reached by {way}: there is no '{needed}'"
            problems.append(node.warning("cannot-reach", message, f"add {needed}, or take {way} away"))


def _read_deputy(name: str, node: Node, agents: Collection[str], problems: list[Problem]) -> str | None:
    if node.value == name:
        problems.append(
            node.problem("bad-value", f"'{name}' can't be their own deputy", "name another agent")
        )
        return None
    return check_name(node, agents, "agent", problems)


def _read_form(
    node: Node | None, form: re.Pattern[str], what: str, hint: str, problems: list[Problem]
) -> str | None:
    if node is None:
        return None
    if isinstance(node.value, str) and form.match(node.value):
        return node.value
    problems.append(node.problem("bad-value", f"{said(node)} is no {what}", hint))
    return None


def read_team(
    name: str,
    node: Node,
    agents: Collection[str],
    schedules: Mapping[str, Schedule | None],
    problems: list[Problem],
) -> Team | None:
    """`{levels: {l1: [ania, marek], oncall: {schedule: nights}}, assign: {capacity: {chat: 3}, returning: 30d}}`.

    schedules: name -> None for one that could not be read, which is told at its own place.
    """
    written = convert(
        node, _TeamNode, problems=problems, partial=True, hints={"levels": "like levels: {l1: [ania]}"}
    )
    if written is None:
        return None
    levels, on_call = _read_levels(written.levels, agents, schedules, problems)
    assign = _read_assign(written.assign, problems) if written.assign else _NOTHING_SAID
    if not levels:
        return None
    return Team(
        name, levels, assign.by, assign.capacity, on_call, assign.returning_s, answering=assign.answering
    )


def _read_levels(
    node: Node, agents: Collection[str], schedules: Mapping[str, Schedule | None], problems: list[Problem]
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Level -> agents, and level -> schedule of those whose members are on call."""
    if not isinstance(node.value, dict) or not node.value:
        problems.append(node.problem("wrong-type", f"'levels' wants {{l1: [names]}}, got {said(node)}"))
        return {}, {}
    levels: dict[str, tuple[str, ...]] = {}
    on_call: dict[str, str] = {}
    for level, child in entries([node], "level", problems).items():
        if child.is_mapping:
            levels[level] = ()
            schedule = _read_on_call(child, schedules, problems)
            if schedule:
                on_call[level] = schedule
                known = schedules[schedule]
                levels[level] = known.agents if known else ()
            continue
        members = [
            check_name(each, agents, "agent", problems)
            for each in (child.value if child.is_list else (child,))
        ]
        levels[level] = tuple(dict.fromkeys(member for member in members if member))
    return levels, on_call


def _read_on_call(
    node: Node, schedules: Mapping[str, Schedule | None], problems: list[Problem]
) -> str | None:
    written = convert(
        node, _OnCallNode, problems=problems, partial=True, hints={"schedule": "like {schedule: NAME}"}
    )
    return check_name(written.schedule, schedules, "schedule", problems) if written else None


class _Assign(msgspec.Struct, frozen=True):
    by: str = "least_loaded"
    capacity: dict[str, int] = {}
    returning_s: int | None = None
    answering: bool = False


_NOTHING_SAID = _Assign()


def _read_assign(node: Node, problems: list[Problem]) -> _Assign:
    if node.is_scalar:
        by = convert(node, Literal["least_loaded", "round_robin"], problems=problems)
        return _Assign(by or "least_loaded")
    written = convert(node, _AssignNode, problems=problems, partial=True)
    if written is None:
        return _NOTHING_SAID
    return _Assign(
        written.by,
        _read_capacity(written.capacity, problems) if written.capacity else {},
        read_seconds(written.returning, problems, hint="like 30d") if written.returning else None,
        written.answering,
    )


def _read_capacity(node: Node, problems: list[Problem]) -> dict[str, int]:
    """Medium -> how many open tickets one agent may hold."""
    if not isinstance(node.value, dict) or not node.value:
        hint = "like {email: 10, chat: 3}"
        problems.append(
            node.problem("wrong-type", f"'capacity' wants a number for each medium, got {said(node)}", hint)
        )
        return {}
    capacity = {}
    for medium, child in node.value.items():
        check_medium(node.keys[medium], problems)
        count = child.value
        if isinstance(count, int) and not isinstance(count, bool) and 0 < count <= MOST_TICKETS:
            capacity[medium] = count
        else:
            message = f"a capacity is 1 to {MOST_TICKETS} tickets, got {said(child)}"
            problems.append(child.problem("bad-value", message, "a medium that is not named has no cap"))
    return capacity
