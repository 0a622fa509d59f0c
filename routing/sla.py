"""SLA policies and their clocks: how long is left, when it is due, what pausing and priority do.

A clock counts open time of its policy's calendar. first_response runs from created to a person's first public answer,
is never paused and never starts again; resolution runs from created to solved and is paused in the policy's statuses.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from routing.calendar import Calendar
from routing.durations import Span

State = Literal["running", "paused", "met", "stopped"]

PRIORITIES = ("low", "normal", "high", "urgent")
TARGETS = ("first_response", "next_response", "resolution", "update", "promise")


class Target(msgspec.Struct, frozen=True):
    """How long one target may take. spans: priority -> length; the key "" = any priority."""

    spans: dict[str, Span]

    def span(self, priority: str) -> Span:
        """The length at a priority: its own, else the next higher one listed, else the highest listed."""
        if "" in self.spans:
            return self.spans[""]
        rank = PRIORITIES.index(priority)
        for name in PRIORITIES[rank:] + tuple(reversed(PRIORITIES[:rank])):
            if name in self.spans:
                return self.spans[name]
        raise KeyError(priority)


class Policy(msgspec.Struct, frozen=True):
    """What a ticket is promised. calendar, ladder: names; pause: statuses in which resolution does not count."""

    name: str
    calendar: str
    targets: dict[str, Target]
    pause: tuple[str, ...] = ()
    ladder: str | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` makes an equal policy."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Policy":
        return msgspec.convert(value, cls)

    def strictness(self, priority: str) -> float:
        """Seconds of first_response at a priority as written; infinite when there is none."""
        target = self.targets.get("first_response")
        return float(target.span(priority).nominal_s) if target else float("inf")


class Clock(msgspec.Struct, frozen=True):
    """One target of one ticket. Seconds are open time; instants are aware.

    used_s: open time used before running_since. due_at: None while paused without a breach, and when stopped early.
    breached_at: the due instant that passed, kept for ever; met_at: when it was met, None = not (or again not) met.
    """

    target: str
    state: State
    budget_s: float
    used_s: float = 0.0
    running_since: datetime | None = None
    due_at: datetime | None = None
    breached_at: datetime | None = None
    met_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` makes an equal clock."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Clock":
        return msgspec.convert(value, cls)


def start(policy: Policy, *, priority: str, at: datetime, calendar: Calendar) -> tuple[Clock, ...]:
    """The running clocks of a ticket created at an instant, first_response before resolution. Raises: NeverOpen."""
    return tuple(
        start_target(name, policy=policy, priority=priority, at=at, calendar=calendar)
        for name in TARGETS
        if name in policy.targets
    )


def start_target(target: str, *, policy: Policy, priority: str, at: datetime, calendar: Calendar) -> Clock:
    """One running clock that begins at an instant."""
    budget_s, due_at = _length(policy.targets[target].span(priority), at=at, calendar=calendar)
    return Clock(target, "running", budget_s, 0.0, at, due_at)


def _length(span: Span, *, at: datetime, calendar: Calendar) -> tuple[float, datetime]:
    """Open seconds of a span that begins at an instant, and when it ends if nothing stops it.

    Working days end at the same time of day, which may be an opening; what is counted afterwards is their open time.
    """
    if span.working_days is None:
        return float(span.seconds or 0), calendar.add(at, span.seconds or 0)
    due_at = calendar.add_working_days(at, span.working_days)
    return calendar.open_between(at, due_at), due_at


def used_s(clock: Clock, *, at: datetime, calendar: Calendar) -> float:
    """Open seconds used up to an instant."""
    if clock.state != "running" or clock.running_since is None:
        return clock.used_s
    return clock.used_s + calendar.open_between(clock.running_since, at)


def left_s(clock: Clock, *, at: datetime, calendar: Calendar) -> float:
    """Open seconds left at an instant; negative after the breach."""
    return clock.budget_s - used_s(clock, at=at, calendar=calendar)


def breach(clock: Clock, *, at: datetime) -> Clock:
    """The clock with its breach noted at the due instant, however late that is seen; only the first counts."""
    if clock.breached_at is not None or clock.state in ("met", "stopped"):
        return clock
    when = clock.due_at if clock.due_at is not None and clock.due_at <= at else at
    return msgspec.structs.replace(clock, breached_at=when)


def pause(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """The clock standing still. Only a running resolution pauses; a breached one keeps its due instant."""
    if clock.target == "first_response" or clock.state != "running":
        return clock
    halted = _halt(clock, at=at, calendar=calendar)
    due_at = halted.due_at if halted.breached_at else None
    return msgspec.structs.replace(halted, state="paused", due_at=due_at)


def resume(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """A paused clock going on with what is left."""
    return _run_on(clock, at=at, calendar=calendar) if clock.state == "paused" else clock


def meet(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """The target met at an instant; met after the due instant it stays breached too. An answer at the instant is in time."""
    if clock.state not in ("running", "paused"):
        return clock
    return msgspec.structs.replace(_halt(clock, at=at, calendar=calendar), state="met", met_at=at)


def stop(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """The target given up without being met (spam, merged): nothing falls due any more."""
    if clock.state not in ("running", "paused"):
        return clock
    return msgspec.structs.replace(_halt(clock, at=at, calendar=calendar), state="stopped")


def reopen(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """A met resolution going on with what is left, at least a quarter of its length. first_response never starts again.

    Worked: 8 h with 7 h used has 1 h left, so it goes on with 2 h.
    """
    if clock.target == "first_response" or clock.state != "met":
        return clock
    left = max(clock.budget_s - clock.used_s, clock.budget_s / 4)
    reopened = msgspec.structs.replace(clock, used_s=clock.budget_s - left, met_at=None)
    due_at = calendar.add(at, left)
    return msgspec.structs.replace(reopened, state="running", running_since=at, due_at=due_at)


def retarget(clock: Clock, *, policy: Policy, priority: str, at: datetime, calendar: Calendar) -> Clock:
    """A running or paused clock with the length that another priority or policy gives it; used time counts.

    A breached or met target keeps its instant; a target that the policy does not have stops. The new due instant may
    lie in the past: its steps fire at once.
    """
    if clock.breached_at is not None or clock.state not in ("running", "paused"):
        return clock
    if clock.target not in policy.targets:
        return stop(clock, at=at, calendar=calendar)
    since = clock.running_since or at
    budget_s, due_at = _length(policy.targets[clock.target].span(priority), at=since, calendar=calendar)
    changed = msgspec.structs.replace(clock, budget_s=budget_s)
    if clock.state == "paused":
        return changed
    if clock.used_s > 0:
        due_at = calendar.add(since, budget_s - clock.used_s)
    return msgspec.structs.replace(changed, due_at=due_at)


def _halt(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """Time used is settled and a due instant that has passed becomes the breach."""
    used = used_s(clock, at=at, calendar=calendar)
    late = clock.state == "running" and clock.due_at is not None and at > clock.due_at
    breached_at = clock.breached_at or (clock.due_at if late else None)
    return msgspec.structs.replace(clock, used_s=used, running_since=None, breached_at=breached_at)


def _run_on(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    due_at = clock.due_at if clock.breached_at else calendar.add(at, clock.budget_s - clock.used_s)
    return msgspec.structs.replace(clock, state="running", running_since=at, due_at=due_at)


def due(clocks: tuple[Clock, ...]) -> dict[str, datetime]:
    """Target -> due instant, of those that have one."""
    return {clock.target: clock.due_at for clock in clocks if clock.due_at is not None}


def instant_at_used(clock: Clock, *, used: float, calendar: Calendar) -> datetime | None:
    """When a running clock has used so many open seconds; the start of its run when that was before. None = not running."""
    if clock.state != "running" or clock.running_since is None:
        return None
    return calendar.add(clock.running_since, max(0.0, used - clock.used_s))
