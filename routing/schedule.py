"""On-call schedules: who is on call when. A later layer wins where it is active.

Hand-overs are wall-clock times of the schedule's zone. One that occurs twice counts at its first occurrence, one that
does not exist at the next instant; turns are counted in hand-overs, so that a change of clocks shifts nobody's.
"""

import functools
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from routing.open_weeks import instant_of

_DAY = timedelta(days=1)
_HORIZON_DAYS = 3 * 366  # a rotation that changes nobody in three years never does


class Layer(msgspec.Struct, frozen=True):
    """agents take turns, the first one from the first hand-over on or after `start`; before it the layer is not active.

    rotate: "daily" or "weekly"; handover: (weekday with Monday 0, None = every day; local time). days: weekdays on
    which it is active, counted from hand-over to hand-over; None = all. A daily rotation hands over on those only.
    """

    agents: tuple[str, ...]
    rotate: str
    start: date
    handover_day: int | None
    handover_at: time
    days: frozenset[int] | None = None

    @property
    def first_day(self) -> date:
        """The date of the first hand-over."""
        if self.handover_day is None:
            return self.start
        return self.start + timedelta(days=(self.handover_day - self.start.weekday()) % 7)

    def agent_on(self, day: date) -> str | None:
        """Who has the day that begins with the hand-over of that date; None = the layer is not active then."""
        passed = (day - self.first_day).days
        if passed < 0 or not self.agents or (self.days is not None and day.weekday() not in self.days):
            return None
        turn = passed // 7 if self.rotate == "weekly" else self._days_before(passed)
        return self.agents[turn % len(self.agents)]

    def _days_before(self, passed: int) -> int:
        """How many of its days lie in so many days from the first hand-over."""
        if self.days is None:
            return passed
        weeks, rest = divmod(passed, 7)
        first = self.first_day.weekday()
        return weeks * len(self.days) + sum((first + each) % 7 in self.days for each in range(rest))


class Schedule(msgspec.Struct, frozen=True):
    """timezone: an IANA name. Hand-overs are wall-clock times there."""

    name: str
    timezone: str
    layers: tuple[Layer, ...]

    @property
    def agents(self) -> tuple[str, ...]:
        """Everybody who is ever on call, each once."""
        return tuple(dict.fromkeys(name for layer in self.layers for name in layer.agents))

    def to_json(self) -> dict[str, Any]:
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]


def on_call(schedule: Schedule, at: datetime) -> str | None:
    """Who is on call at an instant; None = no layer is active."""
    day = at.astimezone(ZoneInfo(schedule.timezone)).date()
    for layer in reversed(schedule.layers):
        begins = _handover(schedule.timezone, day, layer.handover_at)
        agent = layer.agent_on(day if begins <= at else day - _DAY)
        if agent is not None:
            return agent
    return None


def next_handover(schedule: Schedule, after: datetime) -> datetime | None:
    """The first instant after another at which somebody else, or nobody, is on call; UTC. None = nobody changes."""
    before = on_call(schedule, after)
    for instant in _handovers(schedule, after):
        if on_call(schedule, instant) != before:
            return instant
    return None


def shifts(schedule: Schedule, start: datetime, end: datetime) -> Iterator[tuple[datetime, str | None]]:
    """Who is on call from which instant, between two instants; the first begins at start."""
    yield start, on_call(schedule, start)
    at = next_handover(schedule, start)
    while at is not None and at < end:
        yield at, on_call(schedule, at)
        at = next_handover(schedule, at)


def _handovers(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """The hand-over instants of all layers after an instant, in order, as far as anything can still change."""
    day = after.astimezone(ZoneInfo(schedule.timezone)).date()
    times = sorted({layer.handover_at for layer in schedule.layers})
    for _ in range(_days_ahead(schedule, day)):
        instants = (_handover(schedule.timezone, day, each) for each in times)
        yield from sorted({instant for instant in instants if instant > after})
        day += _DAY


def _days_ahead(schedule: Schedule, day: date) -> int:
    """Days after which every layer has begun and every turn has come round, three years at most."""
    to_start = max(((layer.first_day - day).days for layer in schedule.layers), default=0)
    turns = sum(7 * (len(layer.agents) + 1) for layer in schedule.layers)
    return min(max(0, to_start) + turns + 7, _HORIZON_DAYS)


@functools.lru_cache(maxsize=4_096)
def _handover(timezone: str, day: date, at: time) -> datetime:
    """The instant of a hand-over, UTC."""
    return instant_of(datetime.combine(day, at), ZoneInfo(timezone), fold=0)
