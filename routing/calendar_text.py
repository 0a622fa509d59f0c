"""How calendars are written: YAML nodes -> calendars."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from routing import beside, ical
from routing.calendar import Calendar, CalendarText, NeverOpen, Slot, parts_of_country, public_holidays
from routing.closings import Closing
from routing.conditions import WEEKDAYS
from routing.ical import Ical
from routing.naming import entries
from routing.problems import ConfigError, Problem, has_error
from routing.typed import convert, said
from routing.yaml_text import Node

_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")
_COUNTRY = re.compile(r"[A-Z]{2,3}(-[A-Z0-9]{1,5})?\Z")
_DAY_S = 86_400
_LONG_NIGHT_S = 16 * 3_600
_ANY_DAY = datetime(
    2026, 1, 1, tzinfo=UTC
)  # whether a country is known, or a calendar ever opens, is the same on all

_HINTS = {"timezone": "like timezone: Europe/Warsaw", "open": 'like open: {mon-fri: "09:00-17:00"}'}


class _CalendarNode(msgspec.Struct, frozen=True):
    timezone: Node
    open: Node
    holidays: Node | None = None
    dates: Node | None = None


class FileNode(msgspec.Struct, frozen=True):
    """`{file: company.ics}`. free: whether events that are marked as free time leave the calendar open."""

    file: Node
    free: Literal["open", "closed"] = "open"


def read_calendar(
    name: str, node: Node, brought: Mapping[str, str], problems: list[Problem]
) -> Calendar | None:
    """`{timezone: Europe/Warsaw, open: {mon-fri: ["08:00-12:00"]}, holidays: PL, dates: {2026-12-24: closed}}`.

    brought: file -> text of the iCalendar files that the caller has.
    """
    before = len(problems)
    written = convert(node, _CalendarNode, problems=problems, partial=True, hints=_HINTS)
    if written is None:
        return None
    zone = read_zone(written.timezone, problems)
    week = _read_week(written.open, problems)
    countries, closings = (
        _read_holidays(written.holidays, brought, problems) if written.holidays else ((), ())
    )
    dates = _read_dates(written.dates, problems) if written.dates else {}
    if has_error(problems[before:]):
        return None
    calendar = Calendar(CalendarText(name, zone, week, countries, dates, closings))
    return calendar if _opens(calendar, node, problems) else None


def _opens(calendar: Calendar, node: Node, problems: list[Problem]) -> bool:
    if not any(calendar.text.week):
        problems.append(node.problem("never-open", f"calendar '{calendar.name}' is never open"))
        return False
    try:
        if calendar.text.closings:
            calendar.next_open(_ANY_DAY)
    except NeverOpen:
        message = f"calendar '{calendar.name}' is never open: its files close every day"
        problems.append(node.problem("never-open", message))
        return False
    return True


def read_zone(node: Node, problems: list[Problem]) -> str:
    """An IANA name; "" when there is none such."""
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
            if slot[1] > _DAY_S and slot[1] - slot[0] > _LONG_NIGHT_S:
                hours = (slot[1] - slot[0]) // 3_600
                message = f"{said(each)} is open for {hours} hours, through the night"
                problems.append(each.warning("long-night", message, "are the two times the wrong way round?"))
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


def weekdays_from(text: str) -> tuple[int, ...] | None:
    """`fri` or `mon-fri` or `sat-mon` as numbers, Monday 0; None = not understood."""
    first, _, last = text.strip().lower().partition("-")
    if first not in WEEKDAYS or (last and last not in WEEKDAYS):
        return None
    low, high = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    return tuple((low + step) % 7 for step in range((high - low) % 7 + 1))


def files_of(texts: Mapping[str, str]) -> tuple[str, ...]:
    """The iCalendar files that calendars name, of all files of the rules; what can't be read is left to `load` to tell."""
    return files_named(entries(list(beside.sections(texts, "calendars")), "calendar", []))


def files_named(calendars: Mapping[str, Node]) -> tuple[str, ...]:
    """The same of the section that is read already."""
    written = (
        node.value["holidays"] for node in calendars.values() if node.is_mapping and "holidays" in node.value
    )
    named = (each.value.get("file") for node in written for each in _items(node) if each.is_mapping)
    return tuple(sorted({node.value for node in named if node is not None and beside.is_file_name(node)}))


def _read_holidays(
    node: Node, brought: Mapping[str, str], problems: list[Problem]
) -> tuple[tuple[str, ...], tuple[Closing, ...]]:
    """`PL`, `{file: company.ics}`, or a list of such."""
    codes: list[str] = []
    closings: list[Closing] = []
    for each in _items(node):
        if each.is_mapping:
            closings.extend(_read_file(each, brought, problems))
        elif _is_country(each, problems):
            codes.append(each.value)
    return tuple(dict.fromkeys(codes)), tuple(dict.fromkeys(closings))


def _items(node: Node) -> tuple[Node, ...]:
    return node.value if node.is_list else (node,)


def _is_country(node: Node, problems: list[Problem]) -> bool:
    if not isinstance(node.value, str) or not _COUNTRY.match(node.value):
        hint = "write a country like PL, a part of one like DE-BY, or {file: company.ics}"
        problems.append(node.problem("bad-value", f"no country code {said(node)}", hint))
        return False
    try:
        public_holidays(node.value, _ANY_DAY.year)
    except ValueError as error:
        country, _, part = node.value.partition("-")
        parts = parts_of_country(country) if part else ()
        hint = "own days go under dates:, or into a file: {file: company.ics}"
        if parts:
            hint = f"of {country} these parts are known: {', '.join(parts)}"
        problems.append(node.problem("unknown-country", str(error), hint))
        return False
    return True


def _read_file(node: Node, brought: Mapping[str, str], problems: list[Problem]) -> tuple[Closing, ...]:
    """What a file closes; nothing when it is not there, which is told."""
    written: FileNode | None = convert(node, FileNode, problems=problems)
    if written is None:
        return ()
    if not beside.is_file_name(written.file):
        hint = "the file stands beside the rules: write company.ics"
        problems.append(written.file.problem("bad-value", f"{said(written.file)} is no name of a file", hint))
        return ()
    file = written.file.value
    if file not in brought:
        hint = "the calendar goes on without it; the file belongs beside the rules"
        problems.append(written.file.warning("missing-calendar", f"the file '{file}' is not there", hint))
        return ()
    try:
        found = _ical(brought[file], file, is_free_closed=written.free == "closed")
    except ConfigError as error:
        problems.extend(error.problems)
        return ()
    problems.extend(found.warnings)
    if not found.closings:
        problems.append(_closes_nothing(written.file, found))
    return found.closings


def _closes_nothing(node: Node, found: Ical) -> Problem:
    if found.free:
        message = f"nothing in '{node.value}' closes: {found.free} of its {found.events} events are marked as free time"
        return node.warning(
            "closes-nothing", message, f"if they close all the same: {{file: {node.value}, free: closed}}"
        )
    return node.warning(
        "closes-nothing", f"nothing in '{node.value}' closes: it has {found.events} events", ""
    )


@lru_cache(maxsize=8)
def _ical(text: str, file: str, *, is_free_closed: bool) -> Ical:
    """Raises: ConfigError."""
    return ical.read(text, file=file, is_free_closed=is_free_closed)


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
