"""Open hours of a place: when it is open, and how much open time lies between two instants.

Arithmetic is done on UTC microseconds; a week of slots is computed once and kept. Where clocks change, a local time
that occurs twice opens a slot at the first and closes one at the second; one that does not exist moves to the next
instant. A slot belongs to the local day it starts on, also when it ends after midnight: a holiday closes the whole of it.
"""

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

Slot = tuple[int, int]  # seconds since local midnight; the end may lie on the next day (up to 48 h)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_DAY_S = 86_400
_MAX_WEEKS = 1_100  # 21 years without the open time asked for: the calendar is as good as never open


class NeverOpen(ValueError):
    """The calendar has no open time within 21 years."""


class CalendarText(msgspec.Struct, frozen=True):
    """A calendar as it is stored. week: Monday first; holidays: country codes ("PL", "DE-BY"); dates: ISO date -> slots."""

    name: str
    timezone: str
    week: tuple[tuple[Slot, ...], ...]
    holidays: tuple[str, ...] = ()
    dates: dict[str, tuple[Slot, ...]] = {}


class Calendar:
    """Open time of one calendar. Instants are aware; results are UTC. Two with the same text are equal."""

    def __init__(self, text: CalendarText) -> None:
        self.text = text
        self.name = text.name
        self.zone = ZoneInfo(text.timezone)
        self._own = {date.fromisoformat(day): slots for day, slots in text.dates.items()}
        self._weeks: dict[int, _Week] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calendar) and other.text == self.text

    def __hash__(self) -> int:
        return hash((self.text.name, self.text.timezone, self.text.week))

    def __repr__(self) -> str:
        return f"Calendar({self.text!r})"

    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` makes an equal calendar."""
        return msgspec.to_builtins(self.text)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Calendar":
        return cls(msgspec.convert(value, CalendarText))

    @property
    def is_always_open(self) -> bool:
        """Whether every minute of every day is open, so that a bare day means 24 hours."""
        whole = all(_covers_day(slots) for slots in self.text.week)
        return whole and not self.text.holidays and all(_covers_day(slots) for slots in self._own.values())

    def slots_on(self, day: date) -> tuple[Slot, ...]:
        """The slots that start on a local date: its own ones, else none on a holiday, else the weekday's."""
        own = self._own.get(day)
        if own is not None:
            return own
        if self.holiday(day):
            return ()
        return self.text.week[day.weekday()]

    def holiday(self, day: date) -> str | None:
        """The name of the public holiday on a local date; None = not one."""
        for code in self.text.holidays:
            name = public_holidays(code, day.year).get(day)
            if name:
                return name
        return None

    def is_open(self, at: datetime) -> bool:
        """Whether the instant lies in a slot; its start does, its end does not."""
        return self._slot_end(_us(at)) is not None

    def next_open(self, at: datetime) -> datetime:
        """The instant itself when open, else the start of the next slot. Raises: NeverOpen."""
        t = _us(at)
        if self._slot_end(t) is not None:
            return at
        monday = self._first_monday(t)
        for _ in range(_MAX_WEEKS):
            week = self._week(monday)
            index = bisect_left(week.starts, t)
            if index < len(week.starts):
                return _instant(week.starts[index])
            monday += 7
        raise NeverOpen(f"calendar '{self.name}' does not open within 21 years")

    def add(self, at: datetime, open_s: float) -> datetime:
        """The instant when that much open time has passed; at the very end of a slot it is due then, not later.

        Raises: NeverOpen.
        """
        need = round(open_s * 1e6)
        if need <= 0:
            return at
        t = _us(at)
        monday = self._first_monday(t)
        for _ in range(_MAX_WEEKS):
            week = self._week(monday)
            need += week.open_before(t)
            if need <= week.total:
                return _instant(week.at_open(need))
            need -= week.total
            monday += 7
        raise NeverOpen(f"calendar '{self.name}' does not open long enough within 21 years")

    def open_between(self, start: datetime, end: datetime) -> float:
        """Seconds of open time, exact to the microsecond; 0 when end is not after start."""
        low, high = _us(start), _us(end)
        if high <= low:
            return 0.0
        monday, last = self._first_monday(low), self._local_date(high).toordinal()
        total = 0
        while monday <= last:
            week = self._week(monday)
            total += week.open_before(high) - week.open_before(low)
            monday += 7
        return total / 1e6

    def add_working_days(self, at: datetime, days: int) -> datetime:
        """The same time of day so many open days on; counting starts at the next opening, a closed time moves to one.

        An open day is a local date on which a slot starts. A time inside a night's slot belongs to the day the slot
        started on. Raises: NeverOpen.
        """
        local = self.next_open(at).astimezone(self.zone)
        day = self._shift_day(local)
        offset_days = (local.date() - day).days
        for _ in range(days):
            day = self._next_open_day(day)
        moved = self._instant_of(day, offset_days * _DAY_S + _seconds_of(local.time()), fold=local.fold)
        moved += timedelta(microseconds=local.microsecond)
        return moved if self._is_slot_end(moved) else self.next_open(moved)

    def closed_days(self, start: date, *, count: int) -> tuple[tuple[date, str], ...]:
        """The next dates from start, within two years, that are closed against the weekly hours, each with why."""
        found: list[tuple[date, str]] = []
        for offset in range(731):
            day = start + timedelta(days=offset)
            if self.text.week[day.weekday()] and not self.slots_on(day):
                found.append((day, self.holiday(day) or "own date"))
            if len(found) == count:
                break
        return tuple(found)

    # -- weeks of slots in UTC microseconds -------------------------------------------------------------------

    def _local_date(self, t: int) -> date:
        return _instant(t).astimezone(self.zone).date()

    def _first_monday(self, t: int) -> int:
        """Ordinal of the Monday whose week may hold a slot that is open at t: a night's slot began the day before."""
        day = self._local_date(t).toordinal() - 1
        return day - (day - 1) % 7

    def _week(self, monday: int) -> "_Week":
        week = self._weeks.get(monday)
        if week is None:
            if len(self._weeks) > 2_000:  # far dates of old tickets: keep the store of weeks small
                self._weeks.clear()
            week = self._weeks[monday] = self._make_week(date.fromordinal(monday))
        return week

    def _make_week(self, monday: date) -> "_Week":
        intervals: list[tuple[int, int]] = []
        reached = max((end for _, end in self._intervals(monday - _DAY)), default=0)
        for offset in range(7):
            for start, end in self._intervals(monday + timedelta(days=offset)):
                if end > max(start, reached):
                    intervals.append((max(start, reached), end))
                    reached = end
        return _Week(intervals)

    def _intervals(self, day: date) -> list[tuple[int, int]]:
        slots = self.slots_on(day)
        return sorted(
            (_us(self._instant_of(day, start, fold=0)), _us(self._instant_of(day, end, fold=1)))
            for start, end in slots
        )

    def _instant_of(self, day: date, seconds: int, *, fold: int) -> datetime:
        """The instant of a local time, given as seconds since midnight of the day (48 h at most)."""
        local = datetime.combine(day, time()) + timedelta(seconds=seconds)
        return instant_of(local, self.zone, fold=fold)

    def _slot_end(self, t: int) -> int | None:
        """End of the merged slot that is open at t; None = closed."""
        monday = self._first_monday(t)
        for week in (self._week(monday), self._week(monday + 7)):
            index = bisect_right(week.starts, t) - 1
            if index >= 0 and t < week.ends[index]:
                return week.ends[index]
        return None

    def _is_slot_end(self, at: datetime) -> bool:
        t = _us(at)
        monday = self._first_monday(t)
        return any(t in self._week(each).ends for each in (monday, monday + 7))

    def _shift_day(self, local: datetime) -> date:
        """The latest local date with a slot that is open at the instant."""
        t = _us(local)
        for day in (local.date(), local.date() - _DAY):
            if any(start <= t < end for start, end in self._intervals(day)):
                return day
        return local.date()

    def _next_open_day(self, day: date) -> date:
        for _ in range(_MAX_WEEKS * 7):
            day += _DAY
            if self.slots_on(day):
                return day
        raise NeverOpen(f"calendar '{self.name}' has no open day within 21 years")


class _Week:
    """Disjoint intervals in order, UTC microseconds, with the open time before each."""

    __slots__ = ("_before", "_open_ends", "ends", "starts", "total")

    def __init__(self, intervals: list[tuple[int, int]]) -> None:
        self.starts = tuple(start for start, _ in intervals)
        self.ends = tuple(end for _, end in intervals)
        self._before: list[int] = []
        self._open_ends: list[int] = []
        self.total = 0
        for start, end in intervals:
            self._before.append(self.total)
            self.total += end - start
            self._open_ends.append(self.total)

    def open_before(self, t: int) -> int:
        """Open microseconds of this week before t."""
        index = bisect_right(self.starts, t) - 1
        if index < 0:
            return 0
        return self._before[index] + min(t, self.ends[index]) - self.starts[index]

    def at_open(self, need: int) -> int:
        """The instant at which need > 0 open microseconds of this week have passed; the end of a slot counts as in it."""
        index = bisect_left(self._open_ends, need)
        return self.starts[index] + need - self._before[index]


def instant_of(local: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    """The instant of a naive local time, UTC; fold: 0 or 1, of one that occurs twice; the next instant of one that never does."""
    at = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == local:
        return at
    return _end_of_gap(local, zone)


def _end_of_gap(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the clocks jump over a local time that does not exist."""
    early = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    late = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    before = early.astimezone(zone).utcoffset()
    while late - early > _MICROSECOND * 1_000_000:
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


@functools.lru_cache(maxsize=256)
def public_holidays(code: str, year: int) -> dict[date, str]:
    """Public holidays of a country ("PL") or a part of one ("DE-BY") in a year.

    Raises: ValueError for a code that the holidays library does not know. The library is imported here, on first
    use: it costs 25 MB and 0.2 s, which a desk without holidays need not pay.
    """
    import holidays

    country, _, part = code.partition("-")
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=[year])
    except NotImplementedError:
        raise ValueError(f"no holidays are known for '{code}'") from None
    return {day: found.get(day) or "holiday" for day in list(found)}


def _covers_day(slots: tuple[Slot, ...]) -> bool:
    reached = 0
    for start, end in sorted(slots):
        if start > reached:
            return False
        reached = max(reached, end)
    return reached >= _DAY_S


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _instant(t: int) -> datetime:
    return _EPOCH + timedelta(microseconds=t)


def _seconds_of(clock: time) -> int:
    return clock.hour * 3_600 + clock.minute * 60 + clock.second


ALWAYS_OPEN = Calendar(CalendarText("always open", "UTC", (((0, _DAY_S),),) * 7))
"""Every instant is open: the measure of wall-clock time."""
