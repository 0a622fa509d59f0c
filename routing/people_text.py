"""How agents and teams are written: YAML nodes -> people."""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from routing.naming import ADDRESS, check_name, entries, without_later
from routing.people import Agent, Team
from routing.problems import Problem
from routing.typed import convert, said
from routing.yaml_text import Node

_PHONE = re.compile(r"\+[1-9]\d{5,14}\Z")


class _AgentNode(msgspec.Struct, frozen=True):
    email: Node | None = None
    phone: Node | None = None
    skills: tuple[str, ...] = ()
    hours: Node | None = None


class _TeamNode(msgspec.Struct, frozen=True):
    levels: Node
    assign: Node | None = None


class _AssignNode(msgspec.Struct, frozen=True):
    by: Literal["least_loaded", "round_robin"] = "least_loaded"


def read_agent(name: str, node: Node, calendars: Iterable[str], problems: list[Problem]) -> Agent | None:
    """`{email: ania@example.com, phone: "+48600000001", skills: [pl], hours: office}`."""
    written = convert(
        without_later(node, ("deputy", "urgent"), problems), _AgentNode, problems=problems, partial=True
    )
    if written is None:
        return None
    hours = check_name(written.hours, calendars, "calendar", problems) if written.hours else None
    return Agent(
        name,
        _read_form(written.email, ADDRESS, "address", "write it like ania@example.com", problems),
        _read_form(
            written.phone, _PHONE, "phone number", 'write it like "+48600000001", in quotes', problems
        ),
        written.skills,
        hours,
    )


def _read_form(
    node: Node | None, form: re.Pattern[str], what: str, hint: str, problems: list[Problem]
) -> str | None:
    if node is None:
        return None
    if isinstance(node.value, str) and form.match(node.value):
        return node.value
    problems.append(node.problem("bad-value", f"{said(node)} is no {what}", hint))
    return None


def read_team(name: str, node: Node, agents: Iterable[str], problems: list[Problem]) -> Team | None:
    """`{levels: {l1: [ania, marek], lead: [tomek]}, assign: least_loaded}`."""
    written = convert(node, _TeamNode, problems=problems, partial=True)
    if written is None:
        return None
    levels = _read_levels(written.levels, frozenset(agents), problems)
    by = _read_assign(written.assign, problems) if written.assign else "least_loaded"
    return Team(name, levels, by) if levels else None


def _read_levels(node: Node, agents: frozenset[str], problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    if not isinstance(node.value, dict) or not node.value:
        problems.append(node.problem("wrong-type", f"'levels' wants {{l1: [names]}}, got {said(node)}"))
        return {}
    levels: dict[str, tuple[str, ...]] = {}
    for level, child in entries([node], "level", problems).items():
        if child.is_mapping:
            where = child.keys.get("schedule", child)
            problems.append(where.problem("not-supported", "'schedule' is not supported yet"))
        members = [
            check_name(each, agents, "agent", problems)
            for each in (child.value if child.is_list else (child,))
            if not child.is_mapping
        ]
        levels[level] = tuple(dict.fromkeys(member for member in members if member))
    return levels


def _read_assign(node: Node, problems: list[Problem]) -> str:
    if node.is_scalar:
        by = convert(node, Literal["least_loaded", "round_robin"], problems=problems)
        return by or "least_loaded"
    written = convert(
        without_later(node, ("capacity",), problems), _AssignNode, problems=problems, partial=True
    )
    return written.by if written else "least_loaded"
