"""The named things of a rulebook: calendars, agents, teams, SLA policies and ladders, read from YAML."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from routing.calendar import Calendar, CalendarText, Slot, public_holidays
from routing.condition_text import weekdays_from
from routing.durations import Span, offset_from, seconds_from, span_from
from routing.ladder import Ladder, Step, When
from routing.people import Agent, Team
from routing.problems import Problem, did_you_mean
from routing.sla import PRIORITIES, TARGETS, Policy, Target
from routing.typed import convert, said
from routing.yaml_text import Node

Status = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
STATUSES = ("new", "open", "pending", "on_hold", "solved", "closed")
RESERVED = ("none", "any", "default", "all", "not", "assignee", "agent", "team")
LATER_TARGETS = ("next_response", "update", "promise")
ROUND_LIMIT = 100

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")
_ADDRESS = re.compile(r"[^@\s<>]{1,64}@[^@\s<>]{1,255}\Z")
_PHONE = re.compile(r"\+[1-9]\d{5,14}\Z")
_AT = re.compile(r"(\w+)\s+(\S+)\Z")
_PERCENT = re.compile(r"(\d{1,3})%\Z")
_COUNTRY = re.compile(r"[A-Z]{2,3}(-[A-Z0-9]{1,5})?\Z")

Entries = dict[str, Node]


def entries(nodes: Iterable[Node], what: str, problems: list[Problem]) -> Entries:
    """Name -> node of a section, from all files that have it; a name twice or reserved is a problem."""
    found: Entries = {}
    for node in nodes:
        if not isinstance(node.value, dict):
            problems.append(
                node.problem("wrong-type", f"wanted a mapping of {what}s by name, got {said(node)}")
            )
            continue
        for name, child in node.value.items():
            key = node.keys[name]
            if name in found:
                first = found[name]
                message = f"{what} '{name}' is written twice"
                problems.append(
                    key.problem("duplicate-name", message, f"the first is in {first.file}:{first.line}")
                )
            elif name in RESERVED or not _NAME.match(name):
                problems.append(
                    key.problem("bad-name", f"'{name}' can't name a {what}", "use letters, digits, - and _")
                )
            else:
                found[name] = child
    return found


def without_later(node: Node, later: Iterable[str], problems: list[Problem]) -> Node:
    """The mapping without the keys of things that are still to come, each of which is refused."""
    if not isinstance(node.value, dict):
        return node
    gone = [key for key in node.value if key in set(later)]
    problems.extend(node.keys[key].problem("not-supported", f"'{key}' is not supported yet") for key in gone)
    return msgspec.structs.replace(
        node, value={key: each for key, each in node.value.items() if key not in gone}
    )


def check_name(node: Node, known: Iterable[str], what: str, problems: list[Problem]) -> str | None:
    """The text at the node when it is one of the known names."""
    if isinstance(node.value, str) and node.value in known:
        return node.value
    code = "unknown-" + what.replace(" ", "-")
    got = f"'{node.text}'" if node.is_scalar and node.value is not None else f"like {said(node)}"
    problems.append(node.problem(code, f"no {what} {got}", did_you_mean(node.text, known)))
    return None


# -- calendars ------------------------------------------------------------------------------------------------------


class _CalendarNode(msgspec.Struct, frozen=True):
    timezone: Node
    open: Node
    holidays: Node | None = None
    dates: Node | None = None


def read_calendar(name: str, node: Node, problems: list[Problem]) -> Calendar | None:
    """`{timezone: Europe/Warsaw, open: {mon-fri: ["08:00-12:00"]}, holidays: PL, dates: {2026-12-24: closed}}`."""
    before = len(problems)
    written = convert(node, _CalendarNode, problems=problems, partial=True)
    if written is None:
        return None
    zone = _read_zone(written.timezone, problems)
    week = _read_week(written.open, problems)
    countries = _read_countries(written.holidays, problems) if written.holidays else ()
    dates = _read_dates(written.dates, problems) if written.dates else {}
    if len(problems) > before:
        return None
    calendar = Calendar(CalendarText(name, zone, week, countries, dates))
    return calendar if _opens(calendar, node, problems) else None


def _opens(calendar: Calendar, node: Node, problems: list[Problem]) -> bool:
    if any(calendar.text.week):
        return True
    problems.append(node.problem("never-open", f"calendar '{calendar.name}' is never open"))
    return False


def _read_zone(node: Node, problems: list[Problem]) -> str:
    try:
        return ZoneInfo(str(node.value)).key
    except (ValueError, OSError, KeyError):  # unknown, or no name at all
        hint = "write a name like Europe/Warsaw or UTC"
        problems.append(node.problem("unknown-timezone", f"no time zone {said(node)}", hint))
        return ""


def _read_week(node: Node, problems: list[Problem]) -> tuple[tuple[Slot, ...], ...]:
    week: list[tuple[Slot, ...]] = [()] * 7
    if not isinstance(node.value, dict) or not node.value:
        problems.append(
            node.problem("wrong-type", f"'open' wants {{mon-fri: \"09:00-17:00\"}}, got {said(node)}")
        )
        return tuple(week)
    written: dict[int, str] = {}
    for key, child in node.value.items():
        days = weekdays_from(key)
        if days is None:
            hint = "write mon, tue, wed, thu, fri, sat, sun or a range like mon-fri"
            problems.append(node.keys[key].problem("bad-value", f"no weekday '{key}'", hint))
            continue
        slots = _read_slots(child, problems)
        for day in days:
            if day in written:
                message = f"'{key}' and '{written[day]}' both give hours for one day"
                problems.append(node.keys[key].problem("duplicate-day", message))
            written[day] = key
            week[day] = slots
    return tuple(week)


def _read_slots(node: Node, problems: list[Problem]) -> tuple[Slot, ...]:
    if node.value == "closed":
        return ()
    slots = []
    for each in node.value if node.is_list else (node,):
        slot = slot_from(each.value) if isinstance(each.value, str) else None
        if slot is None:
            hint = 'write "09:00-17:00", "22:00-06:00" for a night, or closed'
            problems.append(each.problem("bad-value", f"no opening time {said(each)}", hint))
        else:
            slots.append(slot)
    ordered = sorted(slots)
    if any(first[1] > second[0] for first, second in pairwise(ordered)):
        problems.append(node.problem("overlap", "two opening times of one day overlap"))
    return tuple(ordered)


def slot_from(text: str) -> Slot | None:
    """Seconds since midnight of `08:00-12:00`; `22:00-06:00` ends on the next day; None = not understood."""
    first, _, last = text.replace(" ", "").partition("-")
    begin, end = _CLOCK.match(first), _CLOCK.match(last)
    if not begin or not end:
        return None
    low = int(begin[1]) * 3_600 + int(begin[2]) * 60
    high = int(end[1]) * 3_600 + int(end[2]) * 60
    if low >= 86_400 or high > 86_400 or low == high:
        return None
    return low, high if high > low else high + 86_400


def _read_countries(node: Node, problems: list[Problem]) -> tuple[str, ...]:
    codes = []
    for each in node.value if node.is_list else (node,):
        if not isinstance(each.value, str) or not _COUNTRY.match(each.value):
            hint = "write a country like PL, or a part of one like DE-BY"
            problems.append(each.problem("bad-value", f"no country code {said(each)}", hint))
            continue
        try:
            public_holidays(each.value, 2026)
            codes.append(each.value)
        except ValueError as error:
            problems.append(each.problem("unknown-country", str(error)))
    return tuple(codes)


def _read_dates(node: Node, problems: list[Problem]) -> dict[str, tuple[Slot, ...]]:
    if not isinstance(node.value, dict):
        problems.append(node.problem("wrong-type", f"'dates' wants {{2026-12-24: closed}}, got {said(node)}"))
        return {}
    dates = {}
    for key, child in node.value.items():
        try:
            dates[date.fromisoformat(key).isoformat()] = _read_slots(child, problems)
        except ValueError:
            problems.append(
                node.keys[key].problem("bad-value", f"no date '{key}'", "write it like 2026-12-24")
            )
    return dates


# -- people ---------------------------------------------------------------------------------------------------------


class _AgentNode(msgspec.Struct, frozen=True):
    email: Node | None = None
    phone: Node | None = None
    skills: tuple[str, ...] = ()
    hours: Node | None = None


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
        _read_form(written.email, _ADDRESS, "address", "write it like ania@example.com", problems),
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


class _TeamNode(msgspec.Struct, frozen=True):
    levels: Node
    assign: Node | None = None


class _AssignNode(msgspec.Struct, frozen=True):
    by: Literal["least_loaded", "round_robin"] = "least_loaded"


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


# -- policies -------------------------------------------------------------------------------------------------------


class _PolicyNode(msgspec.Struct, frozen=True):
    calendar: Node
    first_response: Node | None = None
    resolution: Node | None = None
    pause: tuple[Status, ...] = ()
    ladder: Node | None = None


def read_policy(
    name: str,
    node: Node,
    calendars: Mapping[str, Calendar | None],
    ladders: Iterable[str],
    problems: list[Problem],
) -> Policy | None:
    """`{calendar: office, first_response: {urgent: 30m, normal: 4h}, resolution: 3 working days, pause: [pending]}`."""
    written = convert(
        without_later(node, LATER_TARGETS, problems), _PolicyNode, problems=problems, partial=True
    )
    if written is None:
        return None
    calendar = check_name(written.calendar, calendars, "calendar", problems)
    ladder = check_name(written.ladder, ladders, "ladder", problems) if written.ladder else None
    targets = {}
    for target in TARGETS:
        child = getattr(written, target)
        if child is not None:
            targets[target] = Target(_read_spans(child, calendars.get(calendar or ""), problems))
    if not targets:
        problems.append(
            node.problem("missing-key", f"policy '{name}' has no target", "add first_response or resolution")
        )
    return Policy(name, calendar or "", targets, written.pause, ladder)


def _read_spans(node: Node, calendar: Calendar | None, problems: list[Problem]) -> dict[str, Span]:
    if not isinstance(node.value, dict):
        return {"": _read_span(node, calendar, problems)}
    spans = {}
    for priority, child in node.value.items():
        if priority not in PRIORITIES:
            hint = did_you_mean(priority, PRIORITIES)
            problems.append(
                node.keys[priority].problem("unknown-priority", f"no priority '{priority}'", hint)
            )
        spans[priority] = _read_span(child, calendar, problems)
    if not spans:
        problems.append(
            node.problem("wrong-type", "a target wants a length like 4h, or one for each priority")
        )
    return spans


def _read_span(node: Node, calendar: Calendar | None, problems: list[Problem]) -> Span:
    span = span_from(node.value) if isinstance(node.value, str) else None
    if span is None:
        hint = "write it like 30m, 4h or 3 working days"
        problems.append(node.problem("bad-length", f"no length of time {said(node)}", hint))
        return Span("")
    if span.has_days and calendar is not None and not calendar.is_always_open:
        message = f"'{span.text}' could mean 24 hours or a day's open hours: calendar '{calendar.name}' is not always open"
        problems.append(
            node.problem("bare-day", message, f"write '{_days_in(span.text)} working days', or hours")
        )
    return span


def _days_in(text: str) -> str:
    return text.partition("d")[0]


# -- ladders --------------------------------------------------------------------------------------------------------


class _RepeatNode(msgspec.Struct, frozen=True):
    every: Node
    times: Node


class _StepNode(msgspec.Struct, frozen=True):
    at: Node
    notify: Node | None = None
    level: Node | None = None
    priority: Priority | None = None
    tags: Node | None = None
    repeat: Node | None = None


class Targets(msgspec.Struct, frozen=True):
    """Whom a notice may go to and where a ticket may move: names of levels, agents and teams."""

    levels: frozenset[str]
    agents: frozenset[str]
    teams: frozenset[str]


def read_ladder(name: str, node: Node, targets: Targets, problems: list[Problem]) -> Ladder | None:
    """A list of `{at: first_response 80%, notify: assignee}`."""
    if not node.is_list or not node.value:
        problems.append(node.problem("wrong-type", f"a ladder is a list of steps, got {said(node)}"))
        return None
    steps = [_read_step(each, targets, problems) for each in node.value]
    return Ladder(name, tuple(step for step in steps if step is not None))


def _read_step(node: Node, targets: Targets, problems: list[Problem]) -> Step | None:
    written = convert(
        without_later(node, ("by", "ack_within"), problems), _StepNode, problems=problems, partial=True
    )
    if written is None:
        return None
    when = _read_at(written.at, problems)
    every_s, times = _read_repeat(written.repeat, problems) if written.repeat else (None, 1)
    step = Step(
        written.at.text,
        when or When("", "breach"),
        read_notify(written.notify, targets, problems) if written.notify else (),
        read_names(written.level, targets.levels, "level", problems) if written.level else (),
        written.priority,
        read_tags(written.tags, problems) if written.tags else (),
        every_s,
        times,
    )
    if not (written.notify or written.level or written.priority or written.tags):
        problems.append(
            node.problem("missing-key", "this step does nothing", "add notify, level, priority or tags")
        )
    return step if when else None


def _read_at(node: Node, problems: list[Problem]) -> When | None:
    written = _AT.match(node.value) if isinstance(node.value, str) else None
    if node.value == "unacknowledged":
        problems.append(node.problem("not-supported", "'unacknowledged' is not supported yet"))
        return None
    if not written:
        hint = "write it like 'first_response 80%', 'first_response breach' or 'resolution +15m'"
        problems.append(node.problem("bad-step", f"no instant of a step {said(node)}", hint))
        return None
    target, text = written.groups()
    if target not in TARGETS:
        problems.append(_unknown_target(node, target))
        return None
    when = _when(target, text)
    if when is None:
        problems.append(node.problem("bad-step", f"no instant '{text}'", "write 80%, breach, +15m or -10m"))
    return when


def _unknown_target(node: Node, target: str) -> Problem:
    if target in LATER_TARGETS:
        return node.problem("not-supported", f"the target '{target}' is not supported yet")
    return node.problem("unknown-target", f"no target '{target}'", did_you_mean(target, TARGETS))


def _when(target: str, text: str) -> When | None:
    if text == "breach":
        return When(target, "breach")
    percent = _PERCENT.match(text)
    if percent and 0 < int(percent[1]) < 100:
        return When(target, "percent", float(percent[1]))
    offset = offset_from(text)
    return When(target, "offset", float(offset)) if offset else None


def _read_repeat(node: Node, problems: list[Problem]) -> tuple[int | None, int]:
    if isinstance(node.value, dict) and "every" in node.value and "times" not in node.value:
        problems.append(node.problem("unbounded-ladder", "this step repeats for ever", "add times: 3"))
        return None, 1
    written = convert(node, _RepeatNode, problems=problems)
    if written is None:
        return None, 1
    every_s = seconds_from(written.every.value) if isinstance(written.every.value, str) else None
    if not every_s:
        problems.append(
            written.every.problem(
                "bad-length", f"no length of time {said(written.every)}", "write it like 15m"
            )
        )
    times = written.times.value
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= ROUND_LIMIT:
        problems.append(
            written.times.problem("bad-value", f"'times' is 1 to {ROUND_LIMIT}, got {said(written.times)}")
        )
        return None, 1
    return every_s, times


# -- what rules and ladders share -----------------------------------------------------------------------------------


def read_names(node: Node, known: Iterable[str], what: str, problems: list[Problem]) -> tuple[str, ...]:
    """One name or a list of them, each known."""
    each = node.value if node.is_list else (node,)
    return tuple(name for child in each if (name := check_name(child, known, what, problems)))


def read_tags(node: Node, problems: list[Problem]) -> tuple[str, ...]:
    """One tag or a list of them: short words."""
    tags = []
    for each in node.value if node.is_list else (node,):
        if isinstance(each.value, str) and _NAME.match(each.value) and each.value not in ("none", "any"):
            tags.append(each.value)
        else:
            problems.append(each.problem("bad-value", f"no tag {said(each)}", "use letters, digits, - and _"))
    return tuple(tags)


def read_notify(node: Node, targets: Targets, problems: list[Problem]) -> tuple[str, ...]:
    """assignee, agent, team, a level, an agent's or a team's name, or an address; one or a list."""
    known = {"assignee", "agent", "team", *targets.levels, *targets.agents, *targets.teams}
    found = []
    for each in node.value if node.is_list else (node,):
        if isinstance(each.value, str) and _ADDRESS.match(each.value):
            found.append(each.value)
        elif name := check_name(each, known, "recipient", problems):
            found.append(name)
    return tuple(found)
