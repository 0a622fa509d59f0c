"""When the steps of a ladder fall due.

A step's instant follows its clock: when the clock moves, it moves. `steps` is asked again after every change of a
clock, `acknowledgement_timers` after every notice, acknowledgement and answer; the keys are stable, so a caller that
keeps the fired ones fires each once.

The notices of a step that repeats keep to the grid of its first one's due instant. A notice that went out so late that
the next is due already begins a new grid: nobody is told three times in one minute what was due thrice.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from routing.calendar import Calendar
from routing.clock import instant_at_used, measure
from routing.ladder import (
    BREACH,
    Asked,
    Firing,
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

_NOTHING: Mapping[str, Firing] = {}


def steps(
    policy: Policy,
    ladder: Ladder | None,
    clocks: tuple[Clock, ...],
    *,
    calendar: Calendar,
    answered_at: datetime | None = None,
    fired: Mapping[str, Firing] = _NOTHING,
) -> tuple[StepTimer, ...]:
    """What falls due for running clocks if nothing changes, earliest first; instants may lie in the past.

    A breach that is noted already is not given again, neither is what has fired; the steps of a breached target are.
    answered_at: the last public answer of a person, which ends the repetition of every step that was due by then.
    fired: key -> when. Raises: NeverOpen.
    """
    running = {clock.target: clock for clock in clocks if clock.state == "running"}
    timers = [
        _breach_timer(clock, clock.due_at)
        for clock in running.values()
        if clock.breached_at is None and clock.due_at
    ]
    for index, step in enumerate(ladder.steps if ladder else ()):
        clock = running.get(step.when.target)
        if clock is None or ladder is None:
            continue
        first = _instant(step.when, clock, calendar=calendar)
        if first is not None:
            key = StepKey(ladder.name, index, 0, clock.run)
            timers += _rounds(
                step, key, first, clock.target, calendar=calendar, answered_at=answered_at, fired=fired
            )
    return tuple(sorted(timers, key=_order))


def acknowledgement_timers(
    ladder: Ladder,
    asked: Iterable[Asked],
    *,
    calendar: Calendar,
    answered_at: datetime | None = None,
) -> tuple[StepTimer, ...]:
    """When the `unacknowledged` steps after notices are due, earliest first; a notice that was answered has none.

    A notice that reached nobody: at once. Not acknowledged: ack_within after it (wall clock). Acknowledged but not
    answered: ack_within after that; a caller that keeps what has fired gives the step to whichever came first, it or the
    acknowledgement. Only the first notice of a step counts. asked: in any order, of every step so far. answered_at: the
    last public answer of a person.
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


def untold_breaches(clocks: Iterable[Clock]) -> tuple[StepTimer, ...]:
    """Breaches that are noted in the clocks; one that an event came upon before its timer did is still to be told."""
    return tuple(_breach_timer(clock, clock.breached_at) for clock in clocks if clock.breached_at is not None)


def _order(timer: StepTimer) -> tuple[datetime, int, int]:
    return timer.due_at, timer.step, timer.round


def _breach_timer(clock: Clock, due_at: datetime) -> StepTimer:
    key = BREACH + clock.target + (f"/{clock.run}" if clock.run else "")
    return StepTimer(key, clock.target, due_at, -1, 0, clock.run)


def _rounds(
    step: Step,
    key: StepKey,
    first: datetime,
    target: str | None,
    *,
    calendar: Calendar,
    answered_at: datetime | None = None,
    fired: Mapping[str, Firing] = _NOTHING,
) -> list[StepTimer]:
    """A step's notices that have not gone out: one, or several with open time between them until a public answer."""
    last = _last_sent(step, key, fired)
    began = fired.get(str(key))
    is_ended = answered_at is not None and answered_at >= (began.due_at if began else first)
    start = 0 if last is None else last + 1
    grid = first if last is None else _grid(step, fired[_named(key, last)], calendar)
    timers = []
    for number in range(start, 1 if is_ended else step.times):
        due_at = calendar.add(grid, (number - max(0, start - 1)) * (step.every_s or 0))
        timers.append(StepTimer(_named(key, number), target, due_at, key.step, number, key.run))
    return timers


def _last_sent(step: Step, key: StepKey, fired: Mapping[str, Firing]) -> int | None:
    """The number of the last notice of a step that went out; None = none has."""
    return max((number for number in range(step.times) if _named(key, number) in fired), default=None)


def _grid(step: Step, last: Firing, calendar: Calendar) -> datetime:
    """The instant that the next notices count from: when the last was due, or went out, if the next is past by then."""
    is_late = calendar.add(last.due_at, step.every_s or 0) <= last.fired_at
    return last.fired_at if is_late else last.due_at


def _named(key: StepKey, number: int) -> str:
    return str(msgspec.structs.replace(key, round=number))


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
    if asked.acknowledged_at is not None:
        return asked.acknowledged_at + timedelta(seconds=within_s)
    return asked.sent_at + timedelta(seconds=within_s if asked.is_reached else 0)
