"""Every change of clocks of every time zone 2020-2040, found by asking each zone what it adds to UTC, day by day."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
LAST = datetime(2041, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


class Change(NamedTuple):
    """A change of clocks. at: the first instant of the new offset, UTC. before, after: what the zone adds to UTC."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_forward(self) -> bool:
        """Local times are jumped over; else some occur twice."""
        return self.after > self.before

    @property
    def gap_or_fold(self) -> tuple[datetime, datetime]:
        """The local times, naive, from the first to the end, that never occur or occur twice."""
        shown = sorted((self.before, self.after))
        local = self.at.replace(tzinfo=None)
        return local + shown[0], local + shown[1]


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    found = at.astimezone(zone).utcoffset()
    assert found is not None
    return found


@cache
def changes(name: str, first: datetime = FIRST, last: datetime = LAST) -> tuple[Change, ...]:
    """The changes of a zone, in order. A zone that changed twice within a day would be missed; none does."""
    zone = ZoneInfo(name)
    found = []
    low, before = first, offset(zone, first)
    while low < last:
        high = low + DAY
        after = offset(zone, high)
        if after != before:
            found.append(Change(name, _change_between(zone, low, high), before, after))
        low, before = high, after
    return tuple(found)


def _change_between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = offset(zone, low)
    while high - low > SECOND:
        middle = low + (high - low) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


@cache
def zones() -> tuple[str, ...]:
    """Every zone that this Python knows, by name."""
    return tuple(sorted(available_timezones()))


@cache
def behaviours() -> dict[tuple[object, ...], tuple[str, ...]]:
    """What a zone's clocks do in these years -> the zones whose clocks do it: what is right for one is for all of them."""
    found: dict[tuple[object, ...], list[str]] = {}
    for name in zones():
        told = tuple((each.at, each.before, each.after) for each in changes(name))
        found.setdefault((offset(ZoneInfo(name), FIRST), *told), []).append(name)
    return {what: tuple(names) for what, names in found.items()}


def distinct() -> Iterator[str]:
    """One zone for each behaviour."""
    return (names[0] for names in behaviours().values())
