"""One clock of one target: how it runs, pauses, is met, moves with priority and policy.

A clock counts open time of its policy's calendar, a promise wall-clock time. What happens to a ticket stands in
`routing.sla`.
"""

from datetime import datetime

import msgspec

from routing.calendar import ALWAYS_OPEN, Calendar
from routing.durations import Span
from routing.targets import Clock, Policy

replace = msgspec.structs.replace


def start_target(
    target: str, *, policy: Policy, priority: str, at: datetime, calendar: Calendar, run: int = 0
) -> Clock:
    """One running clock that begins at an instant."""
    budget_s, due_at = _length(policy.targets[target].span(priority), at=at, calendar=calendar)
    return Clock(target, "running", budget_s, 0.0, at, due_at, run=run)


def begin_promise(instant: datetime, *, at: datetime, run: int = 0) -> Clock:
    """The clock of a promise made at an instant; wall clock, whatever the calendar."""
    return Clock("promise", "running", max(0.0, (instant - at).total_seconds()), 0.0, at, instant, run=run)


def used_s(clock: Clock, *, at: datetime, calendar: Calendar) -> float:
    """Open seconds used up to an instant."""
    if clock.state != "running" or clock.running_since is None:
        return clock.used_s
    return clock.used_s + measure(clock, calendar).open_between(clock.running_since, at)


def left_s(clock: Clock, *, at: datetime, calendar: Calendar) -> float:
    """Open seconds left at an instant; negative after the breach."""
    return clock.budget_s - used_s(clock, at=at, calendar=calendar)


def instant_at_used(clock: Clock, *, used: float, calendar: Calendar) -> datetime | None:
    """When a running clock has used so many open seconds; the start of its run when that was before. None = not running."""
    if clock.state != "running" or clock.running_since is None:
        return None
    return measure(clock, calendar).add(clock.running_since, max(0.0, used - clock.used_s))


def breach(clock: Clock, *, at: datetime) -> Clock:
    """The clock with its breach noted at the due instant, however late that is seen; only the first counts."""
    if clock.breached_at is not None or clock.state not in ("running", "paused"):
        return clock
    when = clock.due_at if clock.due_at is not None and clock.due_at <= at else at
    return replace(clock, breached_at=when)


def pause(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """The clock standing still. Only a running resolution or update pauses; a breached one keeps its due instant."""
    if clock.target not in ("resolution", "update") or clock.state != "running":
        return clock
    halted = _halt(clock, at=at, calendar=calendar)
    due_at = halted.due_at if halted.breached_at else None
    return replace(halted, state="paused", due_at=due_at)


def resume(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """A paused clock going on with what is left."""
    if clock.state != "paused":
        return clock
    due_at = clock.due_at if clock.breached_at else calendar.add(at, clock.budget_s - clock.used_s)
    return replace(clock, state="running", running_since=at, due_at=due_at)


def meet(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """The target met at an instant; met after the due instant it stays breached too. An answer at the instant is in time."""
    if clock.state not in ("running", "paused"):
        return clock
    return replace(_halt(clock, at=at, calendar=calendar), state="met", met_at=at)


def take_back(clock: Clock) -> Clock:
    """A met clock running again as if it had never been met: the time since counts too."""
    if clock.state != "met":
        return clock
    return replace(clock, state="running", running_since=clock.met_at, met_at=None)


def stop(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """The target given up without being met (spam, merged): nothing falls due any more."""
    if clock.state == "idle":
        return replace(clock, state="stopped")
    if clock.state not in ("running", "paused"):
        return clock
    return replace(_halt(clock, at=at, calendar=calendar), state="stopped")


def reopen(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """A resolution that had ended, or a first_response that nobody gave, going on with what is left, at least a quarter.

    Worked: 8 h with 7 h used has 1 h left, so it goes on with 2 h. A met first_response never starts again.
    """
    ended = {"resolution": ("met", "stopped"), "first_response": ("stopped",)}.get(clock.target, ())
    if clock.state not in ended:
        return clock
    left = max(clock.budget_s - clock.used_s, clock.budget_s / 4)
    reopened = replace(clock, used_s=clock.budget_s - left, met_at=None)
    return replace(reopened, state="running", running_since=at, due_at=calendar.add(at, left))


def retarget(clock: Clock, *, policy: Policy, priority: str, at: datetime, calendar: Calendar) -> Clock:
    """A running or paused clock with the length that another priority gives it; used time counts.

    A breached or met target keeps its instant, also when nobody has noted the breach yet; a target that the policy does
    not have stops. The new due instant may lie in the past: its steps fire at once.
    """
    clock = _late(clock, at)
    if clock.breached_at is not None or clock.state not in ("running", "paused") or clock.target == "promise":
        return clock
    if clock.target not in policy.targets:
        return stop(clock, at=at, calendar=calendar)
    since = clock.started_at or clock.running_since or at
    budget_s, due_at = _length(policy.targets[clock.target].span(priority), at=since, calendar=calendar)
    changed = replace(clock, budget_s=budget_s)
    if clock.state == "paused" or clock.running_since is None:
        return changed
    if clock.used_s > 0 or clock.started_at is not None:
        due_at = calendar.add(clock.running_since, budget_s - clock.used_s)
    return replace(changed, due_at=due_at)


def rearm(
    clock: Clock, *, policy: Policy, priority: str, at: datetime, calendar: Calendar, old: Calendar
) -> Clock:
    """A clock under another policy and its calendar; open time used so far was counted by the old one's calendar.

    A target that the policy does not have stops; a breach that it had stays one.
    """
    if clock.target != "promise" and clock.target not in policy.targets:
        return stop(clock, at=at, calendar=old)
    is_counted = clock.state == "running" and clock.target != "promise"
    if old == calendar or not is_counted:
        return retarget(clock, policy=policy, priority=priority, at=at, calendar=calendar)
    clock = _late(clock, at)
    if clock.breached_at is not None or clock.running_since is None:
        return replace(_halt(clock, at=at, calendar=old), running_since=at)
    since = clock.started_at or clock.running_since
    budget_s, _ = _length(policy.targets[clock.target].span(priority), at=since, calendar=calendar)
    left = budget_s - used_s(clock, at=at, calendar=old)
    is_past = left <= 0
    due_at = old.add(clock.running_since, budget_s - clock.used_s) if is_past else calendar.add(at, left)
    halted = _halt(clock, at=at, calendar=old)
    return replace(halted, budget_s=budget_s, due_at=due_at, running_since=at)


def _length(span: Span, *, at: datetime, calendar: Calendar) -> tuple[float, datetime]:
    """Open seconds of a span that begins at an instant, and when it ends if nothing stops it.

    Working days end at the same time of day, which may be an opening; what is counted afterwards is their open time.
    """
    if span.working_days is None:
        return float(span.seconds or 0), calendar.add(at, span.seconds or 0)
    due_at = calendar.add_working_days(at, span.working_days)
    return calendar.open_between(at, due_at), due_at


def measure(clock: Clock, calendar: Calendar) -> Calendar:
    """The calendar that a clock counts by: its policy's, the wall clock for a promise."""
    return ALWAYS_OPEN if clock.target == "promise" else calendar


def _late(clock: Clock, at: datetime) -> Clock:
    """The clock with the breach that its due instant has become, if it has passed."""
    if clock.state != "running" or clock.due_at is None or at <= clock.due_at:
        return clock
    return breach(clock, at=at)


def _halt(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
    """Time used is settled and a due instant that has passed becomes the breach."""
    used = used_s(clock, at=at, calendar=calendar)
    began = clock.started_at or clock.running_since
    return replace(_late(clock, at), used_s=used, running_since=None, started_at=began)
