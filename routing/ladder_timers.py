"""When the steps of a ladder fall due.

A step's instant follows its clock: when the clock moves, it moves. `steps` is asked again after every change of a
clock, `acknowledgement_timers` after every notice, acknowledgement and answer; the keys are stable, so a caller that
keeps the fired ones fires each once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from routing.calendar import Calendar
from routing.clock import instant_at_used, measure
from routing.ladder import (
    BREACH,
    Asked,
    Ladder,
    Step,
    StepKey,
    StepTimer,
    When,
    ack_within_s,
    follower,
    parsed_key,
)
from routing.targets import Clock, Policy


def steps(
    policy: Policy,
    ladder: Ladder | None,
    clocks: tuple[Clock, ...],
    *,
    calendar: Calendar,
    answered_at: datetime | None = None,
) -> tuple[StepTimer, ...]:
    """What falls due for running clocks if nothing changes, earliest first; instants may lie in the past.

    A breach that is noted already is not given again; the steps of a breached target are. answered_at: the last public
    answer of a person, which ends the repetition of every step that was due by then. Raises: NeverOpen.
    """
    running = {clock.target: clock for clock in clocks if clock.state == "running"}
    timers = [
        _breach_timer(clock) for clock in running.values() if clock.breached_at is None and clock.due_at
    ]
    for index, step in enumerate(ladder.steps if ladder else ()):
        clock = running.get(step.when.target)
        if clock is None or ladder is None:
            continue
        first = _instant(step.when, clock, calendar=calendar)
        if first is not None:
            key = StepKey(ladder.name, index, 0, clock.run)
            timers += _rounds(step, key, first, clock.target, calendar=calendar, answered_at=answered_at)
    return tuple(sorted(timers, key=_order))


def acknowledgement_timers(
    ladder: Ladder,
    asked: Iterable[Asked],
    *,
    calendar: Calendar,
    answered_at: datetime | None = None,
) -> tuple[StepTimer, ...]:
    """When the `unacknowledged` steps after notices are due, earliest first; a notice that was answered has none.

    A notice that reached nobody: at once. Not acknowledged: ack_within after it (wall clock). Acknowledged in time but
    not answered: ack_within after that. Only the first notice of a step counts. asked: in any order, of every step so
    far. answered_at: the last public answer of a person.
    """
    timers: list[StepTimer] = []
    for each in asked:
        key = parsed_key(each.key)
        if key is None or key.ladder != ladder.name or key.round or _is_answered(each, answered_at):
            continue
        within_s = ack_within_s(ladder, key.step)
        next_step = follower(ladder, key.step)
        if within_s is None or next_step is None:
            continue
        due_at = _unacknowledged_at(each, within_s)
        following = StepKey(ladder.name, next_step, 0, key.run)
        timers += _rounds(ladder.steps[next_step], following, due_at, None, calendar=calendar)
    return tuple(sorted(timers, key=_order))


def _order(timer: StepTimer) -> tuple[datetime, int, int]:
    return timer.due_at, timer.step, timer.round


def _breach_timer(clock: Clock) -> StepTimer:
    assert clock.due_at is not None  # noqa: S101 - a running clock has one
    key = BREACH + clock.target + (f"/{clock.run}" if clock.run else "")
    return StepTimer(key, clock.target, clock.due_at, -1, 0, clock.run)


def _rounds(
    step: Step,
    key: StepKey,
    first: datetime,
    target: str | None,
    *,
    calendar: Calendar,
    answered_at: datetime | None = None,
) -> list[StepTimer]:
    """A step's notices: one, or several with open time between them until a public answer."""
    is_ended = answered_at is not None and answered_at >= first
    timers = []
    for number in range(1 if is_ended else step.times):
        due_at = calendar.add(first, number * (step.every_s or 0))
        name = str(msgspec.structs.replace(key, round=number))
        timers.append(StepTimer(name, target, due_at, key.step, number, key.run))
    return timers


def _instant(when: When, clock: Clock, *, calendar: Calendar) -> datetime | None:
    if when.kind == "percent":
        return instant_at_used(clock, used=clock.budget_s * when.value / 100, calendar=calendar)
    if when.kind == "offset" and when.value < 0:
        return instant_at_used(clock, used=clock.budget_s + when.value, calendar=calendar)
    if clock.due_at is None:
        return None
    return measure(clock, calendar).add(clock.due_at, when.value)


def _is_answered(asked: Asked, answered_at: datetime | None) -> bool:
    return answered_at is not None and answered_at >= asked.sent_at


def _unacknowledged_at(asked: Asked, within_s: int) -> datetime:
    if not asked.is_reached:
        return asked.sent_at
    due_at = asked.sent_at + timedelta(seconds=within_s)
    if asked.acknowledged_at is not None and asked.acknowledged_at <= due_at:
        return asked.acknowledged_at + timedelta(seconds=within_s)
    return due_at
