"""What an iCalendar file closes: whole local days and spans of time, once or again and again.

A closing is kept as its file says it, and looked at year by year when a year is asked for, so that none is endless.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from routing.open_weeks import Span, instant_of_us, us_of
from routing.recurrence import Rule, Walk

_DAY_S = 86_400
_KEPT_YEARS = 60


class Closing(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event. start: a local date, closed for so many days, or a local time, ISO 8601.

    A time's end is wall_s later on the wall clock, and then exact_s later. zone: IANA name, "" = that of the calendar.
    also: further starts. without: starts that fell out; a date stands for all of that date.
    """

    name: str
    start: str
    days: int = 0
    wall_s: int = 0
    exact_s: int = 0
    zone: str = ""
    rule: Rule | None = None
    also: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def is_whole_days(self) -> bool:
        return self.days > 0

    @property
    def length_days(self) -> int:
        """Days that it takes at most."""
        return self.days or (self.wall_s + self.exact_s) // _DAY_S + 1


def last_of(closings: Iterable[Closing]) -> date | None:
    """The last date on which one of them may close something; None = one goes on for ever, or there are none."""
    last: date | None = None
    for each in closings:
        if each.rule is not None and not each.rule.until:
            return None
        starts = (each.start, *each.also, *((each.rule.until,) if each.rule else ()))
        day = max(date.fromisoformat(start[:10]) for start in starts) + timedelta(days=each.length_days - 1)
        last = day if last is None else max(last, day)
    return last


class Closings:
    """The closings of one calendar. zone: that of the calendar."""

    def __init__(self, closings: tuple[Closing, ...], zone: ZoneInfo) -> None:
        self._whole = [_Series(each, zone) for each in closings if each.is_whole_days]
        self._timed = [_Series(each, zone) for each in closings if not each.is_whole_days]
        self._days: dict[int, dict[date, str]] = {}
        self._spans: dict[int, list[tuple[int, int, str]]] = {}
        self._merged: dict[int, list[Span]] = {}

    def name_of(self, day: date) -> str | None:
        """What closes a whole local date; None = nothing does."""
        if not self._whole:
            return None
        known = self._days.get(day.year)
        if known is None:
            known = _kept(self._days, day.year, self._closed_days(day.year))
        return known.get(day)

    def spans(self, low: int, high: int) -> list[Span]:
        """The closed time that touches what lies between two instants, disjoint and in order."""
        if not self._timed:
            return []
        found: list[Span] = []
        for year in range(_year_of(low), _year_of(high) + 1):
            merged = self._merged.get(year)
            if merged is None:
                merged = _kept(self._merged, year, _disjoint(self._named(year)))
            first = bisect_left(merged, low, key=lambda span: span[1])
            found.extend(span for span in merged[first : bisect_left(merged, (high,))] if span[1] > low)
        return found

    def named(self, low: int, high: int) -> list[tuple[int, int, str]]:
        """The closed time that touches what lies between two instants, by name, in order of its beginning."""
        years = range(_year_of(low), _year_of(high) + 1) if self._timed else ()
        return [each for year in years for each in self._named(year) if each[0] < high and each[1] > low]

    def _named(self, year: int) -> list[tuple[int, int, str]]:
        known = self._spans.get(year)
        if known is None:
            begin, end = us_of(datetime(year, 1, 1, tzinfo=UTC)), us_of(datetime(year + 1, 1, 1, tzinfo=UTC))
            found = ((*span, each.name) for each in self._timed for span in each.spans(year))
            cut = sorted((max(low, begin), min(high, end), name) for low, high, name in found)
            known = _kept(self._spans, year, [each for each in cut if each[0] < each[1]])
        return known

    def _closed_days(self, year: int) -> dict[date, str]:
        found: dict[date, str] = {}
        for each in self._whole:
            for day in each.days(year):
                found.setdefault(day, each.name)
        return found


class _Series:
    """One closing, with what is worked out once."""

    def __init__(self, closing: Closing, zone: ZoneInfo) -> None:
        self.name = closing.name
        self._closing = closing
        self._zone = ZoneInfo(closing.zone) if closing.zone else zone
        self._first = datetime.fromisoformat(closing.start)
        self._walk = Walk(closing.rule, self._first.date()) if closing.rule else None
        self._also = tuple(datetime.fromisoformat(each) for each in closing.also)
        self._without = frozenset(closing.without)

    def days(self, year: int) -> Iterator[date]:
        """The dates of a year that are closed."""
        begin, end = date(year, 1, 1), date(year, 12, 31)
        length = self._closing.days
        for start in self._starts(begin - timedelta(days=length - 1), end + timedelta(days=1)):
            low, high = start.date(), start.date() + timedelta(days=length - 1)
            for number in range(max(low, begin).toordinal(), min(high, end).toordinal() + 1):
                yield date.fromordinal(number)

    def spans(self, year: int) -> Iterator[Span]:
        """The spans that may touch a year of UTC."""
        before = timedelta(days=self._closing.length_days + 2)
        for start in self._starts(date(year, 1, 1) - before, date(year, 12, 31) + timedelta(days=3)):
            end = start + timedelta(seconds=self._closing.wall_s)
            yield self._instant(start), self._instant(end) + self._closing.exact_s * 1_000_000

    def _instant(self, local: datetime) -> int:
        """A time that occurs twice is the first; one that does not exist counts by the clock before (RFC 5545 §3.3.5)."""
        return us_of(local.replace(tzinfo=self._zone))

    def _starts(self, low: date, high: date) -> Iterator[datetime]:
        """Local starts on dates from low on, before high."""
        dates = self._walk.dates(low, high) if self._walk else iter((self._first.date(),))
        timed = (datetime.combine(day, self._first.time()) for day in dates)
        for start in (*timed, *self._also):
            if low <= start.date() < high and not (self._without and self._is_without(start)):
                yield start

    def _is_without(self, start: datetime) -> bool:
        return start.date().isoformat() in self._without or start.isoformat() in self._without


def _disjoint(spans: list[tuple[int, int, str]]) -> list[Span]:
    merged: list[Span] = []
    for start, end, _ in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _year_of(t: int) -> int:
    return instant_of_us(t).year


def _kept(table: dict[int, Any], year: int, made: Any) -> Any:
    if len(table) >= _KEPT_YEARS:
        table.clear()
    table[year] = made
    return made
