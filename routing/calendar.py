"""Open hours of a place: when it is open, and how much open time lies between two instants.

Arithmetic is done on UTC microseconds, on tables of weeks (`routing.open_weeks`). Where clocks change, a local time
that occurs twice opens a slot at the first and closes one at the second; one that does not exist moves to the next
instant. A slot belongs to the local day it starts on, also when it ends after midnight: a holiday closes the whole of it.
A closing of some hours (of an iCalendar file) takes just those out of it. A date of one's own is stronger than both.
"""

import functools
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from routing.closings import Closing, Closings, last_of
from routing.open_weeks import OpenWeeks, Slot, Span, instant_of_us, us_of

__all__ = ["ALWAYS_OPEN", "Calendar", "CalendarText", "NeverOpen", "Slot", "public_holidays"]

_DAY_S = 86_400
_DAY_US = _DAY_S * 1_000_000
_MAX_WEEKS = 1_100  # 21 years without the open time asked for: the calendar is as good as never open


class NeverOpen(ValueError):
    """The calendar has no open time within 21 years."""


class CalendarText(msgspec.Struct, frozen=True):
    """A calendar as it is stored. week: Monday first; holidays: country codes ("PL", "DE-BY"); dates: ISO date -> slots.

    closings: what the iCalendar files said when they were read.
    """

    name: str
    timezone: str
    week: tuple[tuple[Slot, ...], ...]
    holidays: tuple[str, ...] = ()
    dates: dict[str, tuple[Slot, ...]] = {}
    closings: tuple[Closing, ...] = ()


class Calendar:
    """Open time of one calendar. Instants are aware; results are UTC. Two with the same text are equal."""

    def __init__(self, text: CalendarText) -> None:
        self.text = text
        self.name = text.name
        self.zone = ZoneInfo(text.timezone)
        self._own = {date.fromisoformat(day): slots for day, slots in text.dates.items()}
        self._closings = Closings(text.closings, self.zone)
        is_cut = any(not each.is_whole_days for each in text.closings)
        self._weeks = OpenWeeks(self.zone, self.slots_on, self._closed_hours if is_cut else None)

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
        whole = all(_covers_day(slots) for slots in (*self.text.week, *self._own.values()))
        return whole and not self.text.holidays and not self.text.closings

    def slots_on(self, day: date) -> tuple[Slot, ...]:
        """The slots that start on a local date: its own ones, else none on a holiday, else the weekday's."""
        own = self._own.get(day)
        if own is not None:
            return own
        if self.holiday(day):
            return ()
        return self.text.week[day.weekday()]

    def holiday(self, day: date) -> str | None:
        """The name of what closes a whole local date: a public holiday or an event of a file; None = nothing does."""
        for code in self.text.holidays:
            name = public_holidays(code, day.year).get(day)
            if name:
                return name
        return self._closings.name_of(day)

    def is_open(self, at: datetime) -> bool:
        """Whether the instant lies in a slot; its start does, its end does not."""
        return self._weeks.is_open(us_of(at))

    def next_open(self, at: datetime) -> datetime:
        """The instant itself when open, else the start of the next slot. Raises: NeverOpen."""
        t = us_of(at)
        opens = self._next_open(t)
        return at if opens == t else instant_of_us(opens)

    def add(self, at: datetime, open_s: float) -> datetime:
        """The instant when that much open time has passed; at the very end of a slot it is due then, not later.

        Raises: NeverOpen.
        """
        need = round(open_s * 1e6)
        if need <= 0:
            return at
        t = us_of(at)
        number = self._weeks.number(t)
        week = self._weeks.week(number)
        need += week.open_before(t)
        for _ in range(_MAX_WEEKS):
            if need <= week.total:
                return instant_of_us(week.at_open(need))
            need -= week.total
            number += 1
            week = self._weeks.week(number)
        raise NeverOpen(f"calendar '{self.name}' does not open long enough within 21 years")

    def open_between(self, start: datetime, end: datetime) -> float:
        """Seconds of open time, exact to the microsecond; 0 when end is not after start."""
        low, high = us_of(start), us_of(end)
        if high <= low:
            return 0.0
        weeks = self._weeks
        first, last = weeks.number(low), weeks.number(high)
        total = weeks.week(last).open_before(high) - weeks.week(first).open_before(low)
        return (total + sum(weeks.week(number).total for number in range(first, last))) / 1e6

    def add_working_days(self, at: datetime, days: int) -> datetime:
        """The same time of day so many open days on; counting starts at the next opening, a closed time moves to one.

        An open day is a local date on which a slot starts. A time inside a night's slot belongs to the day the slot
        started on. Raises: NeverOpen.
        """
        t = self._next_open(us_of(at))
        today, since, fold = self._weeks.local(t)
        shift = day = self._shift_day(t, today)
        for _ in range(days):
            day = self._next_open_day(day)
        moved = self._weeks.us_of_local(day, (today - shift) * _DAY_US + since, fold=fold)
        return instant_of_us(moved if self._weeks.is_end(moved) else self._next_open(moved))

    def closed_days(self, start: date, *, count: int) -> tuple[tuple[date, str], ...]:
        """The next dates from start, within two years, that are closed against the weekly hours, each with why.

        One that a file closes for some hours says which: "Staff party, 14:00-18:00".
        """
        found: list[tuple[date, str]] = []
        for offset in range(731):
            day = start + timedelta(days=offset)
            why = self._why_closed(day)
            if why:
                found.append((day, why))
            if len(found) == count:
                break
        return tuple(found)

    @property
    def files_end(self) -> date | None:
        """The last date on which its iCalendar files close something; None = they go on for ever, or there are none."""
        return last_of(self.text.closings)

    def _why_closed(self, day: date) -> str:
        """Why a date is closed against the weekly hours, or some hours of it; "" when it is not."""
        if not self.text.week[day.weekday()]:
            return ""
        if not self.slots_on(day):
            return self.holiday(day) or "own date"
        if day in self._own:
            return ""
        return "; ".join(dict.fromkeys(self._closed_parts(day)))

    def _closed_parts(self, day: date) -> Iterator[str]:
        """What closes hours of the slots that start on a date, and which hours."""
        for start, end in self._weeks.uncut(day.toordinal()):
            for low, high, name in self._closings.named(start, end):
                if low <= start and high >= end:
                    yield name
                    continue
                span = (
                    instant_of_us(each).astimezone(self.zone) for each in (max(low, start), min(high, end))
                )
                yield f"{name}, " + "-".join(f"{each:%H:%M}" for each in span)

    def _closed_hours(self, day: date, low: int, high: int) -> list[Span]:
        """What of a date's slots a file closes; nothing of a date of one's own."""
        return [] if day in self._own else self._closings.spans(low, high)

    def _next_open(self, t: int) -> int:
        number = self._weeks.number(t)
        if self._weeks.week(number).is_open(t):
            return t
        for each in range(number, number + _MAX_WEEKS):
            start = self._weeks.week(each).next_start(t)
            if start is not None:
                return start
        raise NeverOpen(f"calendar '{self.name}' does not open within 21 years")

    def _shift_day(self, t: int, today: int) -> int:
        """The latest local date with a slot that is open at the instant."""
        for day in (today, today - 1):
            if any(start <= t < end for start, end in self._weeks.intervals(day)):
                return day
        return today

    def _next_open_day(self, day: int) -> int:
        for each in range(day + 1, day + 1 + _MAX_WEEKS * 7):
            if self._weeks.is_open_day(each):
                return each
        raise NeverOpen(f"calendar '{self.name}' has no open day within 21 years")


@functools.lru_cache(maxsize=256)
def public_holidays(code: str, year: int) -> dict[date, str]:
    """Public holidays of a country ("PL") or a part of one ("DE-BY") in a year.

    Raises: ValueError for a code that the holidays library does not know. The library is imported here, on first
    use: it costs 25 MB and 0.2 s, which a desk without holidays need not pay.
    """
    import holidays

    country, _, part = code.partition("-")
    try:
        # Unsaid, the language would be that of whoever started the process; what has no English keeps its own.
        found = holidays.country_holidays(country, subdiv=part or None, years=[year], language="en_US")
    except NotImplementedError:
        raise ValueError(f"no holidays are known for '{code}'") from None
    return {day: found.get(day) or "holiday" for day in list(found)}


def parts_of_country(country: str) -> tuple[str, ...]:
    """The parts of a country whose public holidays are known; () for a country that is not."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    return tuple(known.get(country, ()))


def _covers_day(slots: tuple[Slot, ...]) -> bool:
    reached = 0
    for start, end in sorted(slots):
        if start > reached:
            return False
        reached = max(reached, end)
    return reached >= _DAY_S


ALWAYS_OPEN = Calendar(CalendarText("always open", "UTC", (((0, _DAY_S),),) * 7))
"""Every instant is open: the measure of wall-clock time."""
