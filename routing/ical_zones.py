"""What calendars call time zones -> IANA names: IANA's own, paths that end in one, Windows's, or told by their clocks.

A file describes the zones that it names (VTIMEZONE, RFC 5545 §3.6.5). A description whose name says nothing is held
against the zones that Windows knows: the one whose clock shows the same all through two years is meant.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import msgspec

from routing import ical_rules
from routing.ical_lines import Component
from routing.recurrence import Rule, Walk
from routing.windows_zones import WINDOWS_ZONES

_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?\Z")
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)")
_LOOKED_AT = tuple(date(2026, 1, 1) + timedelta(days=each) for each in range(730))
_UTC = frozenset(("UTC", "GMT", "Z", "ETC/UTC", "ETC/GMT", "COORDINATED UNIVERSAL TIME"))

Onset = tuple[datetime, int]  # local, the seconds that are added to UTC from then on


class Zones:
    """The zones that a file names."""

    def __init__(self, calendars: Iterable[Component]) -> None:
        self._described: dict[str, Component] = {}
        for part in (each for calendar in calendars for each in calendar.parts):
            name = part.first("TZID")
            if part.name == "VTIMEZONE" and name is not None:
                self._described[name.value.strip().strip('"')] = part
        self._known: dict[str, str | None] = {}

    def named(self, name: str) -> str | None:
        """The IANA name of what the file calls a zone; None = nobody knows what it is."""
        if name not in self._known:
            self._known[name] = self._found(name)
        return self._known[name]

    def _found(self, name: str) -> str | None:
        described = self._described.get(name)
        told = described.first("X-LIC-LOCATION") if described else None
        for each in (name, told.value.strip() if told else ""):
            known = _by_name(each)
            if known:
                return known
        return _by_clock(described) if described else None


@cache
def _by_name(name: str) -> str | None:
    if name.upper() in _UTC:
        return "UTC"
    if name in WINDOWS_ZONES:
        return WINDOWS_ZONES[name]
    parts = name.strip("/").split("/")
    for start in range(min(len(parts), 6)):
        known = _iana("/".join(parts[start:]))
        if known and (start == 0 or "/" in known):
            return known
    return None


def _iana(name: str) -> str | None:
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, KeyError):
        return None


def _by_clock(described: Component) -> str | None:
    onsets = sorted(onset for part in described.parts for onset in _onsets(part))
    if not onsets:
        return None
    shown = tuple(_offset_on(day, onsets) for day in _LOOKED_AT)
    return next((name for name in WINDOWS_ZONES.values() if _shows(name, shown)), None)


def _onsets(part: Component) -> list[Onset]:
    """When a description's summer or winter begins, up to the years that are looked at."""
    told, start, line = part.first("TZOFFSETTO"), part.first("DTSTART"), part.first("RRULE")
    offset = _OFFSET.match(told.value.strip()) if told else None
    moment = _MOMENT.match(start.value.strip()) if start else None
    if offset is None or moment is None:
        return []
    seconds = (int(offset[2]) * 60 + int(offset[3])) * 60 + int(offset[4] or 0)
    seconds = -seconds if offset[1] == "-" else seconds
    try:
        first = _moment(moment)
        found = [first, *_further(part)]
        rule = _rule(line.value) if line else None
    except ValueError:
        return []
    if rule:
        low, high = _LOOKED_AT[0] - timedelta(days=800), _LOOKED_AT[-1] + timedelta(days=1)
        found += [
            datetime.combine(day, first.time())
            for day in Walk(rule, first.date()).dates(max(low, first.date()), high)
        ]
    return [(each, seconds) for each in found]


def _rule(value: str) -> Rule | None:
    """With the day on which it ends, give or take the zone: that is long ago or never."""
    written = ical_rules.parsed(value)
    if written.rule is None or not written.until:
        return written.rule
    until = datetime.strptime(written.until[:8], "%Y%m%d").date().isoformat()  # noqa: DTZ007 - a date
    return msgspec.structs.replace(written.rule, until=until)


def _further(part: Component) -> list[datetime]:
    found = (_MOMENT.match(each) for line in part.all("RDATE") for each in line.value.split(","))
    return [_moment(each) for each in found if each]


def _moment(found: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = map(int, found.groups())
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - on the clock that it tells of


def _offset_on(day: date, onsets: list[Onset]) -> int:
    """At noon."""
    noon = datetime.combine(day, time(12))
    return next((seconds for at, seconds in reversed(onsets) if at <= noon), onsets[0][1])


def _shows(name: str, shown: tuple[int, ...]) -> bool:
    zone = ZoneInfo(name)
    noons = (datetime.combine(day, time(12), zone).utcoffset() for day in _LOOKED_AT)
    return all(offset == timedelta(seconds=each) for offset, each in zip(noons, shown, strict=True))
