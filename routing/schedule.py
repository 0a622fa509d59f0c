"""On-call schedules: who is on call when. A later layer wins where it is active, an override over all layers.

Hand-overs are wall-clock times of the schedule's zone. One that occurs twice counts at its first occurrence, one that
does not exist at the next instant; turns are counted in hand-overs, so that a change of clocks shifts nobody's.
Overrides stand in the rules, or come from the desk (taken, swapped); of two that overlap the later one wins.
"""

import functools
import heapq
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from routing.open_weeks import instant_of

_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)
_HORIZON_DAYS = 3 * 366  # a rotation that changes nobody in three years never does
_SAID = {"layer": "", "override": "override", "taken": "taken from", "swapped": "swapped with"}

Why = Literal["layer", "override", "taken", "swapped"]
"""Why somebody is on call: by a layer, by an override of the rules, or because they took or swapped the hours."""


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


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """agent has the hours from start to end (aware instants, the end is not among them), whatever layers say.

    instead_of: who had them, None = nobody, or the rules do not say.
    """

    start: datetime
    end: datetime
    agent: str
    why: Why = "override"
    instead_of: str | None = None


class Duty(msgspec.Struct, frozen=True):
    """Who is on call, and why. agent: None = nobody. instead_of: whose hours they were, None = nobody's else."""

    agent: str | None
    why: Why = "layer"
    instead_of: str | None = None

    @property
    def note(self) -> str:
        """What is worth saying beside the name: "swapped with rui"; "" for who has it by a layer."""
        if self.why in ("taken", "swapped") and self.instead_of is None:
            return self.why
        return " ".join(filter(None, (_SAID[self.why], self.instead_of)))


class Shift(msgspec.Struct, frozen=True):
    """Hours that somebody, or nobody, has without a break. end: None = nobody is seen to follow."""

    start: datetime
    end: datetime | None
    duty: Duty


class Schedule(msgspec.Struct, frozen=True):
    """timezone: an IANA name. Hand-overs are wall-clock times there. overrides: of the rules, then of the desk."""

    name: str
    timezone: str
    layers: tuple[Layer, ...]
    overrides: tuple[Override, ...] = ()

    @property
    def agents(self) -> tuple[str, ...]:
        """Everybody who is ever on call as the rules say, each once."""
        members = [name for layer in self.layers for name in layer.agents]
        return tuple(dict.fromkeys((*members, *(each.agent for each in self.overrides))))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def overridden(self, overrides: tuple[Override, ...]) -> "Schedule":
        """The same with more overrides, which win over those it has."""
        return msgspec.structs.replace(self, overrides=(*self.overrides, *overrides)) if overrides else self

    def said(self, at: datetime) -> str:
        """An instant on the schedule's own clock: "Mon 2026-11-02 09:00"."""
        return f"{at.astimezone(self.zone):%a %Y-%m-%d %H:%M}"

    def to_json(self) -> dict[str, Any]:
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]


def in_force(
    schedules: Mapping[str, Schedule], changed: Mapping[str, tuple[Override, ...]]
) -> Mapping[str, Schedule]:
    """The schedules of the rules with what the desk changed. changed: schedule -> its overrides, earlier ones first."""
    if not changed:
        return schedules
    return {name: each.overridden(changed.get(name, ())) for name, each in schedules.items()}


def on_call(schedule: Schedule, at: datetime) -> str | None:
    """Who is on call at an instant; None = no layer is active."""
    return duty(schedule, at).agent


def duty(schedule: Schedule, at: datetime) -> Duty:
    """Who is on call at an instant, and why."""
    for each in reversed(schedule.overrides):
        if each.start <= at < each.end:
            return Duty(each.agent, each.why, each.instead_of)
    day = at.astimezone(schedule.zone).date()
    for layer in reversed(schedule.layers):
        agent = layer.agent_on(_day_of(schedule.timezone, day, layer.handover_at, at))
        if agent is not None:
            return Duty(agent)
    return Duty(None)


def next_handover(schedule: Schedule, after: datetime) -> datetime | None:
    """The first instant after another at which somebody else, or nobody, is on call; UTC. None = nobody changes."""
    before = on_call(schedule, after)
    return next((each for each in _instants(schedule, after) if on_call(schedule, each) != before), None)


def on_call_since(schedule: Schedule, at: datetime) -> datetime | None:
    """The instant since which whoever is on call has been so without a break; None = for three years, or for ever."""
    now = on_call(schedule, at)
    for instant in _instants_back(schedule, at):
        if on_call(schedule, instant - _MOMENT) != now:
            return instant
    return None


def shifts(schedule: Schedule, start: datetime, end: datetime) -> Iterator[tuple[datetime, str | None]]:
    """Who is on call from which instant, between two instants; the first begins at start."""
    for each in turns(schedule, start, end):
        yield each.start, each.duty.agent


def turns(schedule: Schedule, start: datetime, end: datetime) -> Iterator[Shift]:
    """The shifts between two instants, in order, cut at both; whoever stays on call has one."""
    for _, pieces in groupby(hours(schedule, start, end), key=lambda piece: piece.duty.agent):
        first, *rest = pieces
        yield msgspec.structs.replace(first, end=rest[-1].end) if rest else first


def hours(schedule: Schedule, start: datetime, end: datetime) -> Iterator[Shift]:
    """The shifts between two instants, cut also where the same agent goes on for another reason."""
    since, now = start, duty(schedule, start)
    for instant in _instants(schedule, start, until=end):
        found = duty(schedule, instant)
        if found != now:
            yield Shift(since, instant, now)
            since, now = instant, found
    if since < end:
        yield Shift(since, end, now)


def gaps(schedule: Schedule, start: datetime, end: datetime) -> tuple[Shift, ...]:
    """When nobody is on call between two instants, cut at both."""
    return tuple(each for each in turns(schedule, start, end) if each.duty.agent is None)


def _instants(schedule: Schedule, after: datetime, *, until: datetime | None = None) -> Iterator[datetime]:
    """The instants after another at which anything may change, in order, each once.

    until: not from there on; None = as far as anything can still change.
    """
    bounds = sorted({bound for each in schedule.overrides for bound in (each.start, each.end)})
    day = after.astimezone(schedule.zone).date()
    days = _days_ahead(schedule, day) if until is None else (until - after).days + 3
    merged = heapq.merge(
        (bound for bound in bounds if bound > after),
        (each for each in _handovers(schedule, day, days, step=_DAY) if each > after),
    )
    for instant, _ in groupby(merged):
        if until is not None and instant >= until:
            return
        yield instant


def _instants_back(schedule: Schedule, at: datetime) -> Iterator[datetime]:
    """The instants up to another at which anything may have changed, the latest first, for three years."""
    bounds = sorted({bound for each in schedule.overrides for bound in (each.start, each.end)}, reverse=True)
    day = at.astimezone(schedule.zone).date()
    first = min((layer.first_day for layer in schedule.layers), default=day)
    days = min(_HORIZON_DAYS, max(0, (day - first).days)) + 3
    merged = heapq.merge(
        (bound for bound in bounds if bound <= at),
        (each for each in _handovers(schedule, day + _DAY, days, step=-_DAY) if each <= at),
        reverse=True,
    )
    for instant, _ in groupby(merged):
        yield instant


def _handovers(schedule: Schedule, day: date, days: int, *, step: timedelta) -> Iterator[datetime]:
    """The hand-over instants of all layers on so many days, in order; step: a day forwards or backwards."""
    times = sorted({layer.handover_at for layer in schedule.layers}, reverse=step < timedelta())
    for _ in range(days):
        yield from (_handover(schedule.timezone, day, each) for each in times)
        day += step


def _days_ahead(schedule: Schedule, day: date) -> int:
    """Days after which every layer has begun and every turn has come round, three years at most."""
    to_start = max(((layer.first_day - day).days for layer in schedule.layers), default=0)
    rounds = sum(7 * (len(layer.agents) + 1) for layer in schedule.layers)
    return min(max(0, to_start) + rounds + 7, _HORIZON_DAYS)


def _day_of(timezone: str, day: date, at: time, instant: datetime) -> date:
    """The date whose hand-over was the last one. day: the local date of the instant; the clocks may go back over midnight."""
    following = day + _DAY
    if _handover(timezone, following, at) <= instant:
        return following
    return day if _handover(timezone, day, at) <= instant else day - _DAY


@functools.lru_cache(maxsize=4_096)
def _handover(timezone: str, day: date, at: time) -> datetime:
    """The instant of a hand-over, UTC."""
    return instant_of(datetime.combine(day, at), ZoneInfo(timezone), fold=0)


def instant_at(timezone: str, local: datetime) -> datetime:
    """The instant of a naive local time, UTC, read as a hand-over is."""
    return instant_of(local, ZoneInfo(timezone), fold=0)
