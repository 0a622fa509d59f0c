"""iCalendar files (RFC 5545) -> what they close: holidays and closed hours as Google, Outlook and others export them.

An event of whole days closes those dates, one with times its time. What is cancelled closes nothing, nor does what is
marked as free time, unless that is asked for. An event that can't be followed is left out with a warning; a file that is no calendar
or damaged is refused with its first problem.
"""

from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import Any

import msgspec

from routing import ical_lines, ical_rules, ical_times
from routing.closings import Closing
from routing.ical_lines import Component, Line
from routing.ical_times import Length, Moment, UnknownZone
from routing.ical_zones import Zones
from routing.problems import Problem
from routing.recurrence import Rule, Walk

NAME_MAX_CHARACTERS = 120
LENGTH_MAX_DAYS = 3_660
RECURRING_MAX_DAYS = 400
STEPS_MAX = 200_000
"""Periods that are walked to find the ends of all rules of a file that count their dates."""
DATES_MAX = 10_000
"""Dates on which the events of a file may recur within a year, altogether: a calendar looks at all of them at once."""
_ALL_DAY_MARKS = ("X-MICROSOFT-CDO-ALLDAYEVENT", "X-FUNAMBOL-ALLDAY")


class Ical(msgspec.Struct, frozen=True):
    """What a file says. events: how many it has. free: how many close nothing because they are marked as free time."""

    closings: tuple[Closing, ...]
    warnings: tuple[Problem, ...]
    events: int
    free: int


class _LeftOut(Exception):
    """An event says something that is not followed."""


def read(text: str, *, file: str, is_free_closed: bool = False) -> Ical:
    """What a file closes. is_free_closed: events that are marked as free time close, too.

    Raises: ConfigError with one problem when it is no calendar or damaged.
    """
    calendars = ical_lines.components(text, file=file)
    return _Reading(calendars, file, is_free_closed=is_free_closed).ical()


class _Event(msgspec.Struct, frozen=True):
    """An event that is read so far. replaces: the start of the one of a series that it stands for, None = of none."""

    component: Component
    uid: str
    name: str
    start: Moment
    length: Length
    replaces: Moment | None
    is_closing: bool


class _Reading:
    def __init__(self, calendars: list[Component], file: str, *, is_free_closed: bool) -> None:
        self._components = [
            part for calendar in calendars for part in calendar.parts if part.name == "VEVENT"
        ]
        self._zones = Zones(calendars)
        self._file = file
        self._is_free_closed = is_free_closed
        self._warnings: list[Problem] = []
        self._free = 0
        self._steps_left = STEPS_MAX
        self._dates_left = DATES_MAX

    def ical(self) -> Ical:
        events = [event for each in self._components if (event := self._tried(self._event, each))]
        replaced: dict[str, list[Moment]] = {}
        for event in events:
            if event.replaces is not None:
                replaced.setdefault(event.uid, []).append(event.replaces)
        closings: list[Closing] = []
        for event in events:
            if event.is_closing:
                others = replaced.get(event.uid, []) if event.replaces is None else []
                closings += self._tried(self._closings, event.component, event, others) or ()
        return Ical(tuple(closings), tuple(self._warnings), len(self._components), self._free)

    def _tried(self, read: Any, component: Component, *more: Any) -> Any:
        """What a reader makes of an event; None = it is left out, which is told. Raises: ConfigError."""
        try:
            return read(component, *more)
        except (_LeftOut, UnknownZone) as reason:
            message = f"the event '{_name(component)}' closes nothing: {reason}"
            at = (self._file, component.number, 1)
            self._warnings.append(
                Problem(*at, "warning", "left-out", message, "write it under dates: instead")
            )
            return None

    def _event(self, component: Component) -> _Event:
        start_line = component.first("DTSTART")
        if start_line is None:
            raise ical_lines.broken(
                self._file, component.number, f"the event '{_name(component)}' has no DTSTART"
            )
        replaces = component.first("RECURRENCE-ID")
        if replaces is not None and "RANGE" in replaces.parameters:
            raise _LeftOut("it changes a series from some day on (RANGE=THISANDFUTURE)")
        start, length = self._span(component, start_line)
        is_cancelled = component.text("STATUS") == "CANCELLED"
        is_free = component.text("TRANSP") == "TRANSPARENT" and not self._is_free_closed
        self._free += is_free and not is_cancelled
        return _Event(
            component=component,
            uid=uid.value if (uid := component.first("UID")) else "",
            name=_name(component),
            start=start,
            length=length,
            replaces=self._moments(replaces)[0] if replaces else None,
            is_closing=not is_cancelled and not is_free,
        )

    def _span(self, component: Component, start_line: Line) -> tuple[Moment, Length]:
        start = self._moments(start_line)[0]
        end_line, length_line = component.first("DTEND"), component.first("DURATION")
        length = Length(1 if start.is_date else 0, 0)
        if end_line is not None:
            end = self._moments(end_line)[0]
            if _is_all_day(component, start, end):
                start, end = _as_date(start), _as_date(end)
            length = self._told(end_line, ical_times.length_between, start, end)
        elif length_line is not None:
            length = self._told(length_line, ical_times.length, length_line.value, "DURATION")
        if length.whole_days > LENGTH_MAX_DAYS:
            raise _LeftOut(f"it is longer than {LENGTH_MAX_DAYS} days")
        return start, length

    def _closings(self, component: Component, event: _Event, replaced: list[Moment]) -> list[Closing]:
        without = [*self._all(component, "EXDATE"), *replaced]
        plain = _closing(event.name, event.start, event.length, without)
        rules = component.all("RRULE") if event.replaces is None else []
        if component.first("EXRULE"):
            raise _LeftOut("it has EXRULE, which is not followed")
        if rules and plain.length_days > RECURRING_MAX_DAYS:
            raise _LeftOut(f"it recurs, and is longer than {RECURRING_MAX_DAYS} days")
        made = [msgspec.structs.replace(plain, rule=self._rule(line, event)) for line in rules] or [plain]
        also, periods = self._further(component, event)
        made[0] = msgspec.structs.replace(made[0], also=tuple(each.text for each in also))
        made += [_closing(event.name, start, length, without) for start, length in periods]
        return [each for each in made if each.is_whole_days or each.wall_s or each.exact_s]

    def _rule(self, line: Line, event: _Event) -> Rule:
        written = self._told(line, ical_rules.parsed, line.value)
        if written.rule is None:
            raise _LeftOut(written.unfollowed)
        if any(named not in (None, (own,)) for named, own in zip(written.times, _clock(event), strict=True)):
            raise _LeftOut("it recurs within a day")
        rule: Rule = written.rule
        first = event.start.date
        if written.until:
            until = self._told(line, ical_times.moment, written.until, line, self._zones)
            rule = msgspec.structs.replace(rule, until=_last_date(until, event.start).isoformat())
        if written.count:
            walk = Walk(rule, first)
            last = walk.nth(written.count, steps=self._steps_left)
            self._steps_left -= walk.steps
            if last is None:
                raise _LeftOut("finding its last day takes too long")
            rule = msgspec.structs.replace(rule, until=last.isoformat())
        self._count_dates(rule, first)
        return rule

    def _count_dates(self, rule: Rule, first: date) -> None:
        """Raises: _LeftOut when the events of the file recur too often altogether."""
        year = Walk(rule, first).dates(first, first + timedelta(days=min(366, (date.max - first).days)))
        count = sum(1 for _ in year)
        if count > self._dates_left:
            raise _LeftOut(f"the events of this file recur on more than {DATES_MAX} dates of a year")
        self._dates_left -= count

    def _further(
        self, component: Component, event: _Event
    ) -> tuple[list[Moment], list[tuple[Moment, Length]]]:
        """RDATE: further starts, and periods of a length of their own."""
        starts: list[Moment] = []
        periods: list[tuple[Moment, Length]] = []
        for line in component.all("RDATE"):
            for text in filter(None, (each.strip() for each in line.value.split(","))):
                begin, _, end = text.partition("/")
                start = self._told(line, ical_times.moment, begin, line, self._zones)
                if not end:
                    starts.append(_like(start.on_clock_of(event.start), event.start))
                elif end.upper().startswith("P"):
                    periods.append((start, self._told(line, ical_times.length, end, "RDATE")))
                else:
                    last = self._told(line, ical_times.moment, end, line, self._zones)
                    periods.append((start, self._told(line, ical_times.length_between, start, last)))
        return starts, periods

    def _all(self, component: Component, name: str) -> list[Moment]:
        return [each for line in component.all(name) for each in self._moments(line)]

    def _moments(self, line: Line) -> list[Moment]:
        found: list[Moment] = self._told(line, ical_times.moments, line, self._zones)
        if not found and line.name != "EXDATE":
            raise ical_lines.broken(self._file, line.number, f"{line.name} has no value")
        return found

    def _told(self, line: Line, read: Any, *arguments: Any) -> Any:
        """What a reader makes of a line. Raises: ConfigError at the line; UnknownZone."""
        try:
            return read(*arguments)
        except UnknownZone:
            raise
        except ValueError as error:
            raise ical_lines.broken(self._file, line.number, str(error)) from None


def _name(component: Component) -> str:
    line = component.first("SUMMARY")
    text = ical_lines.unescaped(line.value)[:NAME_MAX_CHARACTERS] if line else ""
    return text or "closed"


def _closing(name: str, start: Moment, length: Length, without: Iterable[Moment]) -> Closing:
    left = dict.fromkeys(each.on_clock_of(start).text for each in without)
    if start.is_date:
        # a file may name the day that falls out by its first minute
        dates = tuple(dict.fromkeys(each[:10] for each in left))
        return Closing(name, start.text, days=length.whole_days, without=dates)
    seconds = length.seconds if start.zone else 0
    wall = length.days * 86_400 + length.seconds - seconds
    return Closing(name, start.text, wall_s=wall, exact_s=seconds, zone=start.zone, without=tuple(left))


def _is_all_day(component: Component, start: Moment, end: Moment) -> bool:
    """Outlook writes whole days as times from midnight to midnight, with a mark."""
    marked = any(component.text(mark) in ("TRUE", "1") for mark in _ALL_DAY_MARKS)
    midnight = start.local.time() == end.local.time() == time()
    return marked and midnight and not start.is_date and start.zone == end.zone and start.local < end.local


def _as_date(moment: Moment) -> Moment:
    return Moment(moment.local, "", is_date=True)


def _like(moment: Moment, start: Moment) -> Moment:
    """A further start in the shape of the first one: a date for a date, else with a time."""
    if start.is_date:
        return _as_date(moment)
    if moment.is_date:
        local = moment.local.replace(
            hour=start.local.hour, minute=start.local.minute, second=start.local.second
        )
        return Moment(local, start.zone)
    return moment


def _last_date(until: Moment, start: Moment) -> date:
    """The last date on which a series can start that goes on until then."""
    if until.is_date or start.is_date:
        return until.date
    last = until.on_clock_of(start).local
    return last.date() if last.time() >= start.local.time() else last.date() - timedelta(days=1)


def _clock(event: _Event) -> tuple[int, int, int]:
    return event.start.local.hour, event.start.local.minute, event.start.local.second
