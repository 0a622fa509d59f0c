"""Open time as disjoint intervals of UTC microseconds, one table for each week of UTC, made once and kept.

Looking up is arithmetic on integers; the zone is only asked about weeks near a change of clocks.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Slot = tuple[int, int]  # seconds since local midnight; the end may lie on the next day (up to 48 h)
Span = tuple[int, int]  # microseconds since 1970, UTC

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
_WEEK_US = 7 * _DAY_US
_NEAR_DAYS = 3  # an offset counts for a week when it holds so long around it: slots reach 48 h, zones 14 h
_KEPT_WEEKS = 2_000


def us_of(at: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * _SECOND_US + since.microseconds


def instant_of_us(t: int) -> datetime:
    """The instant of microseconds since 1970, UTC; before 2200, so that a float holds them."""
    return datetime.fromtimestamp(t / 1e6, UTC)  # half the time of adding a timedelta


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
    while late - early > timedelta(seconds=1):
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


class Week:
    """The intervals of one week of UTC, in order, cut at its borders; with the open time before each."""

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

    def is_open(self, t: int) -> bool:
        index = bisect_right(self.starts, t) - 1
        return index >= 0 and t < self.ends[index]

    def next_start(self, t: int) -> int | None:
        """The first start at t or later."""
        index = bisect_left(self.starts, t)
        return self.starts[index] if index < len(self.starts) else None

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


class OpenWeeks:
    """The weeks of a calendar. Days are proleptic ordinals.

    slots_on: a local date -> the slots that start on it. closed: what of them, between two instants, is closed all the
    same: spans, disjoint and in order; None = nothing ever is.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        slots_on: Callable[[date], tuple[Slot, ...]],
        closed: Callable[[date, int, int], list[Span]] | None = None,
    ) -> None:
        self._zone = zone
        self._slots_on = slots_on
        self._closed = closed
        self._weeks: dict[int, Week] = {}
        self._slots: dict[int, tuple[Slot, ...]] = {}
        self._offsets: dict[int, int | None] = {}
        self._intervals: dict[int, list[Span]] = {}

    def number(self, t: int) -> int:
        """The number of the week that holds an instant."""
        return t // _WEEK_US

    def week(self, number: int) -> Week:
        found = self._weeks.get(number)
        if found is None:
            if len(self._weeks) > _KEPT_WEEKS:  # far dates of old tickets: keep the tables few
                for kept in (self._weeks, self._slots, self._offsets, self._intervals):
                    kept.clear()
            found = self._weeks[number] = self._make(number)
        return found

    def is_open(self, t: int) -> bool:
        return self.week(t // _WEEK_US).is_open(t)

    def is_end(self, t: int) -> bool:
        """Whether a slot ends at t."""
        number = t // _WEEK_US
        before = self.week(number - 1).ends if t == number * _WEEK_US else ()
        return t in self.week(number).ends or before[-1:] == (t,)

    def is_open_day(self, day: int) -> bool:
        """Whether a slot that starts on a local date has open time: the clocks may jump over it, or a file close it."""
        return bool(self.slots(day) and self.intervals(day))

    def slots(self, day: int) -> tuple[Slot, ...]:
        found = self._slots.get(day)
        if found is None:
            found = self._slots[day] = self._slots_on(date.fromordinal(day))
        return found

    def intervals(self, day: int) -> list[Span]:
        """The open time of the slots that start on a local date, in order."""
        found = self._intervals.get(day)
        if found is None:
            found = self.uncut(day)
            if self._closed is not None and found:
                last = max(end for _, end in found)
                found = _cut(found, self._closed(date.fromordinal(day), found[0][0], last))
            found = self._intervals[day] = [each for each in found if each[0] < each[1]]
        return found

    def uncut(self, day: int) -> list[Span]:
        """The slots that start on a local date, whatever is closed of them; one that the clocks jump over is empty."""
        return sorted(
            (
                self.us_of_local(day, start * _SECOND_US, fold=0),
                self.us_of_local(day, end * _SECOND_US, fold=1),
            )
            for start, end in self.slots(day)
        )

    def local(self, t: int) -> tuple[int, int, int]:
        """The local date of an instant, microseconds since its midnight on the wall clock, and the fold."""
        offset = self._offset(t // _WEEK_US)
        if offset is not None:
            days, since = divmod(t + offset, _DAY_US)
            return days + _EPOCH_ORDINAL, since, 0
        at = instant_of_us(t).astimezone(self._zone)
        since = ((at.hour * 60 + at.minute) * 60 + at.second) * _SECOND_US + at.microsecond
        return at.toordinal(), since, at.fold

    def us_of_local(self, day: int, since: int, *, fold: int) -> int:
        """The instant of a local time: microseconds since midnight of a date, 48 h at most."""
        wall = (day - _EPOCH_ORDINAL) * _DAY_US + since
        offset = self._offset(wall // _WEEK_US)
        if offset is not None:
            return wall - offset
        whole, rest = divmod(since, _SECOND_US)
        local = datetime.combine(date.fromordinal(day), time()) + timedelta(seconds=whole)
        return us_of(instant_of(local, self._zone, fold=fold)) + rest

    def _offset(self, number: int) -> int | None:
        """What the zone adds to UTC during a week and the days around it; None = the clocks change there."""
        try:
            return self._offsets[number]
        except KeyError:
            first = instant_of_us(number * _WEEK_US) - timedelta(days=_NEAR_DAYS)
            days = (first + timedelta(days=each) for each in range(7 + 2 * _NEAR_DAYS + 1))
            offsets = {day.astimezone(self._zone).utcoffset() for day in days}
            only = offsets.pop() if len(offsets) == 1 else None
            offset = None if only is None else only // timedelta(microseconds=1)
            self._offsets[number] = offset
            return offset

    def _make(self, number: int) -> Week:
        low, high = number * _WEEK_US, (number + 1) * _WEEK_US
        first, last = self.local(low)[0] - 2, self.local(high)[0]
        merged: list[Span] = []
        # what is left of a night may begin after the next day has
        for start, end in sorted(each for day in range(first, last + 1) for each in self.intervals(day)):
            begin, stop = max(start, low), min(end, high)
            if merged and begin <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(stop, merged[-1][1])
            elif begin < stop:
                merged.append((begin, stop))
        return Week(merged)


def _cut(intervals: list[Span], closed: list[Span]) -> list[Span]:
    """The intervals without the closed spans, which are disjoint and in order."""
    left = []
    for start, end in intervals:
        begin = start
        for low, high in closed:
            if high <= begin or low >= end:
                continue
            if low > begin:
                left.append((begin, low))
            begin = max(begin, high)
        if begin < end:
            left.append((begin, end))
    return left
