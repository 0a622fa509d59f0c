"""Open time found by walking over minutes and looking at the wall clock: slow, plain, and none of the program's code.

What it goes by: a slot belongs to the local day it starts on. A local time that occurs twice opens a slot at the first
and closes one at the second; one that does not exist moves to the next instant. Time that runs out at the very end of
a slot is due then. A working day is the same time of day on the next day with open time; it starts counting at the next
opening, and one that ends in closed time ends at the next opening.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
BLOCK = 15  # no zone changes its clocks twice within a quarter of an hour
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()

Slots = Sequence[tuple[int, int]]  # seconds since midnight


class Walked:
    """Some days of a zone, minute by minute. start: on a whole quarter of an hour, UTC. week: Monday first.

    own: hours of dates that go before all else. closed_dates: whose slots are closed. closed: minutes (first, end) that
    are closed whatever the slots say, but those of own dates.
    """

    def __init__(
        self,
        zone: str,
        start: datetime,
        days: int,
        *,
        week: Sequence[Slots],
        own: Mapping[date, Slots] | None = None,
        closed_dates: Collection[date] = (),
        closed: Iterable[tuple[int, int]] = (),
    ) -> None:
        self.start = start
        self.count = days * 1440
        self.week, self.own, self.closed_dates = week, own or {}, closed_dates
        self.wall = _wall(ZoneInfo(zone), start, self.count)
        self._first_from, self._last_at = _showing(self.wall)
        self._is_closed = bytearray(self.count)
        for low, high in closed:
            self._is_closed[low:high] = b"\1" * (high - low)
        self.is_open = bytearray(self.count)
        self.days = {day: self._open_minutes(day) for day in self._whole_days()}
        for spans in self.days.values():
            for low, high in spans:
                self.is_open[low:high] = b"\1" * (high - low)
        self.before = list(accumulate(self.is_open, initial=0))

    def at(self, minute: int) -> datetime:
        return self.start + MINUTE * minute

    def next_open(self, minute: int) -> int | None:
        found = self.is_open.find(1, minute)
        return None if found < 0 else found

    def add(self, minute: int, length: int) -> int | None:
        """The minute at which so many open ones have passed; None = not within the days walked."""
        found = bisect_left(self.before, self.before[minute] + length)
        return found if found <= self.count else None

    def add_working_days(self, minute: int, days: int) -> int | None:
        first = self.next_open(minute)
        if first is None:
            return None
        holding = [day for day, spans in self.days.items() if any(low <= first < high for low, high in spans)]
        later = [
            day
            for day, spans in self.days.items()
            if day > max(holding) and any(low < high for low, high in spans)
        ]
        if len(later) < days:
            return None
        shown = self.wall[first] + (later[days - 1] - max(holding)) * 1440
        is_second = self._first_from.get(self.wall[first]) != first
        due = self._last_at.get(shown) if is_second else None
        due = self._first_from.get(shown) if due is None else due
        if due is None:
            return None
        return due if self.is_open[due] or self.is_open[due - 1] else self.next_open(due)

    def _whole_days(self) -> range:
        """Days, as numbers, all of whose slots begin and end within what is walked."""
        return range(self.wall[0] // 1440 + 1, self.wall[-1] // 1440 - 1)

    def _open_minutes(self, day: int) -> list[tuple[int, int]]:
        """(first, end) of the open time of a day's slots."""
        on = date.fromordinal(_EPOCH_DAY + day)
        if on in self.own:
            return [self._span(day, slot) for slot in self.own[on]]
        if on in self.closed_dates:
            return []
        return [
            each for slot in self.week[on.weekday()] for each in self._without_closed(*self._span(day, slot))
        ]

    def _span(self, day: int, slot: tuple[int, int]) -> tuple[int, int]:
        opens, closes = day * 1440 + slot[0] // 60, day * 1440 + slot[1] // 60
        low = self._first_from[opens]
        return low, max(low, self._last_at.get(closes, self._first_from[closes]))

    def _without_closed(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        while low < high:
            if self._is_closed[low]:
                low += 1
                continue
            end = self._is_closed.find(1, low, high)
            end = high if end < 0 else end
            yield low, end
            low = end


def _wall(zone: ZoneInfo, start: datetime, count: int) -> list[int]:
    """What the wall clock shows at each minute, as minutes since 1970 on the same clock."""
    wall: list[int] = []
    first = (start - _EPOCH) // MINUTE
    ahead = [_minutes_ahead(zone, start + MINUTE * n) for n in range(0, count + BLOCK, BLOCK)]
    for block, n in enumerate(range(0, count, BLOCK)):
        if ahead[block] == ahead[block + 1]:
            wall.extend(range(first + n + ahead[block], first + n + ahead[block] + BLOCK))
        else:  # somewhere in between: Antarctica/Casey has changed its clocks a minute after midnight
            wall.extend(first + m + _minutes_ahead(zone, start + MINUTE * m) for m in range(n, n + BLOCK))
    return wall


def _minutes_ahead(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset // MINUTE


def _showing(wall: list[int]) -> tuple[dict[int, int], dict[int, int]]:
    """A time on the wall -> the first minute that shows it or, if none does, a later one; the last minute that shows it."""
    first: dict[int, int] = {}
    reached = wall[0]
    for minute, shown in enumerate(wall):
        while reached <= shown:
            first[reached] = minute
            reached += 1
    return first, {shown: minute for minute, shown in enumerate(wall)}
