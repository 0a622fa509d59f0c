"""How on-call schedules are written: YAML nodes -> schedules, and moments of the week like "mon-fri 08:00"."""

import re
from collections.abc import Collection
from datetime import date, datetime, time
from typing import Literal

import msgspec

from routing.calendar_text import read_zone, weekdays_from
from routing.naming import check_name, read_names
from routing.problems import Problem
from routing.schedule import Layer, Override, Schedule, instant_at
from routing.typed import convert, said
from routing.yaml_text import Node

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\Z")


_LAYER_HINTS = {
    "from": "like from: 2026-11-02",
    "handover": 'like handover: "mon 09:00"',
    "agents": "like agents: [ania, marek]",
}
_HINTS = {"timezone": "like timezone: Europe/Warsaw", "layers": "a list of who takes turns when"}
_OVERRIDE_HINTS = {
    "from": "like from: 2026-12-24T09:00",
    "until": "like until: 2026-12-26T09:00",
    "agent": "like agent: ania",
}


class _ScheduleNode(msgspec.Struct, frozen=True):
    timezone: Node
    layers: Node
    overrides: Node | None = None


class _LayerNode(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    rotate: Literal["daily", "weekly"]
    from_: Node
    handover: Node
    agents: Node
    days: Node | None = None


class _OverrideNode(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    from_: Node
    until: Node
    agent: Node


def read_schedule(name: str, node: Node, agents: Collection[str], problems: list[Problem]) -> Schedule | None:
    """`{timezone: Europe/Warsaw, layers: [{rotate: weekly, from: 2026-11-02, handover: "mon 09:00", agents: [rui]}]}`.

    With `overrides: [{from: 2026-12-24T09:00, until: 2026-12-26T09:00, agent: ewa}]`, in local time of the schedule.
    """
    before = len(problems)
    written = convert(node, _ScheduleNode, problems=problems, partial=True, hints=_HINTS)
    if written is None:
        return None
    zone = read_zone(written.timezone, problems)
    if not written.layers.is_list or not written.layers.value:
        message = f"'layers' is a list of who takes turns when, got {said(written.layers)}"
        problems.append(written.layers.problem("wrong-type", message))
        return None
    layers = [_read_layer(each, agents, problems) for each in written.layers.value]
    overrides = _read_overrides(written.overrides, zone, agents, problems) if written.overrides else ()
    if any(problem.severity == "error" for problem in problems[before:]):
        return None
    return Schedule(name, zone, tuple(layer for layer in layers if layer), overrides)


def _read_overrides(
    node: Node, zone: str, agents: Collection[str], problems: list[Problem]
) -> tuple[Override, ...]:
    """In the order written: of two that overlap the later one wins, which is a warning."""
    if not node.is_list:
        message = f"'overrides' is a list of who has which hours, got {said(node)}"
        problems.append(node.problem("wrong-type", message, "like [{from: …, until: …, agent: ania}]"))
        return ()
    found: list[tuple[Node, Override]] = []
    for each in node.value:
        override = _read_override(each, zone, agents, problems)
        if override is None:
            continue
        other = next((first for first, held in found if _overlap(held, override)), None)
        if other is not None:
            message = f"these hours overlap those of line {other.line}"
            problems.append(each.warning("override-overlap", message, "the later one wins: cut one of them"))
        found.append((each, override))
    return tuple(override for _, override in found)


def _overlap(one: Override, other: Override) -> bool:
    return one.start < other.end and other.start < one.end


def _read_override(
    node: Node, zone: str, agents: Collection[str], problems: list[Problem]
) -> Override | None:
    written = convert(node, _OverrideNode, problems=problems, partial=True, hints=_OVERRIDE_HINTS)
    if written is None:
        return None
    agent = check_name(written.agent, agents, "agent", problems)
    start, end = (_read_local(each, problems) for each in (written.from_, written.until))
    if start is None or end is None or agent is None or not zone:
        return None
    first, last = instant_at(zone, start), instant_at(zone, end)
    if first >= last:
        message = f"the hours end ({said(written.until)}) before they begin"
        problems.append(
            written.until.problem("bad-value", message, "are from and until the wrong way round?")
        )
        return None
    return Override(first, last, agent)


def _read_local(node: Node, problems: list[Problem]) -> datetime | None:
    """A local time of the schedule's zone, naive."""
    if isinstance(node.value, str) and _LOCAL.match(node.value):
        try:
            return datetime.fromisoformat(node.value)
        except ValueError:
            pass
    hint = "write it like 2026-12-24T09:00, in the schedule's own time"
    problems.append(node.problem("bad-value", f"no date and time {said(node)}", hint))
    return None


def _read_layer(node: Node, agents: Collection[str], problems: list[Problem]) -> Layer | None:
    written = convert(node, _LayerNode, problems=problems, partial=True, hints=_LAYER_HINTS)
    if written is None:
        return None
    if written.agents.is_list and not written.agents.value:
        problems.append(
            written.agents.problem("wrong-type", "nobody takes turns here", "like agents: [ania]")
        )
    members = read_names(written.agents, agents, "agent", problems)
    start = _read_date(written.from_, problems)
    handover = _read_handover(written.handover, written.rotate, problems)
    days = read_weekdays(written.days, problems) if written.days else None
    if start is None or handover is None:
        return None
    return Layer(members, written.rotate, start, handover[0], handover[1], days)


def _read_date(node: Node, problems: list[Problem]) -> date | None:
    if isinstance(node.value, str) and _DATE.match(node.value):
        try:
            return date.fromisoformat(node.value)
        except ValueError:
            pass
    problems.append(node.problem("bad-value", f"no date {said(node)}", "write it like 2026-11-02"))
    return None


def _read_handover(node: Node, rotate: str, problems: list[Problem]) -> tuple[int | None, time] | None:
    """(weekday with Monday 0, None = every day; local time)."""
    first, _, last = node.value.strip().rpartition(" ") if isinstance(node.value, str) else ("", "", "")
    at, days = clock_from(last), weekdays_from(first) if first else ()
    wanted = 1 if rotate == "weekly" else 0
    if at is None or days is None or len(days) != wanted:
        hint = 'write it like "mon 09:00"' if wanted else 'write it like "09:00", in quotes'
        message = f"no {rotate} hand-over {said(node)}"
        problems.append(node.problem("bad-value", message, hint))
        return None
    return (days[0] if days else None), at


def read_weekdays(node: Node, problems: list[Problem]) -> frozenset[int] | None:
    """`sat-sun`, or a list of such; Monday is 0."""
    found: set[int] = set()
    for each in node.value if node.is_list else (node,):
        days = weekdays_from(each.value) if isinstance(each.value, str) else None
        if days is None:
            hint = "write mon, tue, wed, thu, fri, sat, sun or a range like mon-fri"
            problems.append(each.problem("bad-value", f"no weekday {said(each)}", hint))
        else:
            found.update(days)
    if node.is_list and not node.value:
        problems.append(node.problem("wrong-type", "the list of weekdays is empty"))
    return frozenset(found) or None


def moments_from(text: str) -> tuple[frozenset[int], time] | None:
    """Weekdays and time of `mon-fri 08:00`, `mon, thu 08:00` or `08:00` (every day); None = not understood."""
    first, _, last = text.strip().rpartition(" ")
    at = clock_from(last)
    parts = [weekdays_from(part) for part in first.split(",")] if first else [tuple(range(7))]
    if at is None or any(part is None for part in parts):
        return None
    return frozenset(day for part in parts for day in part or ()), at


def clock_from(text: str) -> time | None:
    """`08:00`, from 00:00 to 23:59; None = not understood."""
    found = _CLOCK.match(text)
    return time(int(found[1]), int(found[2])) if found else None
