"""How calendars are written: YAML nodes -> calendars."""

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from routing import holiday_text
from routing.calendar import Calendar, CalendarText, NeverOpen, Slot
from routing.conditions import WEEKDAYS
from routing.problems import Problem, has_error
from routing.typed import convert, said
from routing.yaml_text import Node

_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")
_DAY_S = 86_400
_LONG_NIGHT_S = 16 * 3_600
_FAR_YEAR = 2100
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # whether a calendar ever opens does not depend on it

_HINTS = {"timezone": "like timezone: Europe/Warsaw", "open": 'like open: {mon-fri: "09:00-17:00"}'}


class _CalendarNode(msgspec.Struct, frozen=True):
    timezone: Node
    open: Node
    holidays: Node | None = None
    dates: Node | None = None


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
        holiday_text.read_holidays(written.holidays, brought, problems) if written.holidays else ((), ())
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
        for at in _looked_at(calendar):
            calendar.next_open(at)
    except NeverOpen:
        message = f"calendar '{calendar.name}' is never open: its files close every day"
        problems.append(node.problem("never-open", message))
        return False
    return True


def _looked_at(calendar: Calendar) -> set[datetime]:
    """When a calendar with files must open again: any day, and after the last of what recurs has begun."""
    starts = {datetime.fromisoformat(each.start[:10]).replace(tzinfo=UTC) for each in calendar.text.closings}
    near = {each for each in starts if each.year < _FAR_YEAR}
    return {_ANY_DAY, max(near, default=_ANY_DAY)} if starts else set()


def read_zone(node: Node, problems: list[Problem]) -> str:
    """An IANA name; "" when there is none such."""
    try:
        return ZoneInfo(str(node.value)).key
    except (ValueError, OSError, KeyError):  # unknown, or no name at all
        near = _zone_like(str(node.value)[:60])
        hint = f"did you mean '{near}'?" if near else "write a name like Europe/Warsaw or UTC"
        problems.append(node.problem("unknown-timezone", f"no time zone {said(node)}", hint))
        return ""


def _zone_like(text: str) -> str:
    """The zone that is meant by a city alone, in other case or with one letter wrong; "" = none."""
    folded = text.strip().lower().replace(" ", "_")
    names = sorted(available_timezones())
    same = (name for name in names if name.lower() == folded or name.lower().endswith(f"/{folded}"))
    return next(same, "") or next(iter(difflib.get_close_matches(text, names, n=1, cutoff=0.9)), "")


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


def _read_dates(node: Node, problems: list[Problem]) -> dict[str, tuple[Slot, ...]]:
    if not isinstance(node.value, dict):
        problems.append(node.problem("wrong-type", f"'dates' wants {{2026-12-24: closed}}, got {said(node)}"))
        return {}
    dates = {}
    for key, child in node.value.items():
        if _is_date(key):
            dates[key] = _read_slots(child, problems)
        else:
            hint = "write it like 2026-12-24"
            problems.append(node.keys[key].problem("bad-value", f"no date '{key}'", hint))
    return dates


def _is_date(text: str) -> bool:
    """Written in one way only, so that none stands there twice."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
