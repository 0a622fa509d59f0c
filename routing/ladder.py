"""Ladders: what happens when a target comes near, is missed, or stays missed.

A step's instant follows its clock: when the clock moves, it moves. `steps` is asked again after every change of a
clock; the keys are stable, so a caller that keeps the fired ones fires each once.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from routing import sla
from routing.actions import Action
from routing.calendar import Calendar
from routing.sla import Clock, Policy

BREACH = "breach:"  # the key of a target's breach itself, which is an event even without a step


class When(msgspec.Struct, frozen=True):
    """The instant of a step.

    kind: percent (value 0–100 and more), breach, offset (value: signed open seconds), or
    unacknowledged (target "": it follows the notice of the step before that asks for an acknowledgement).
    """

    target: str
    kind: Literal["percent", "breach", "offset", "unacknowledged"]
    value: float = 0.0


class Step(msgspec.Struct, frozen=True):
    """One rung. at: as written. level: names in order of preference. times: of all notices, the first included.

    every_s: open seconds between repeated notices, None = it happens once. by: a way to reach agents, None = email.
    ack_within_s: wall-clock seconds in which somebody must acknowledge the notice, None = nobody has to.
    """

    at: str
    when: When
    notify: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    priority: str | None = None
    tags: tuple[str, ...] = ()
    every_s: int | None = None
    times: int = 1
    by: str | None = None
    ack_within_s: int | None = None
    actions: tuple[
        Action, ...
    ] = ()  # what else it does, as rules write it (reply, status, team, agent, note, …)


class Ladder(msgspec.Struct, frozen=True):
    """Steps in the order they are written."""

    name: str
    steps: tuple[Step, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` makes an equal ladder."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Ladder":
        return msgspec.convert(value, cls)


class StepTimer(msgspec.Struct, frozen=True):
    """Something that falls due. key: "nudge/0", "nudge/0/1" for its second notice, "breach:first_response".

    step: index in the ladder, -1 for a breach without a step; round: 0 for the first notice.
    """

    key: str
    target: str | None
    due_at: datetime
    step: int
    round: int


def steps(
    policy: Policy, ladder: Ladder | None, clocks: tuple[Clock, ...], *, calendar: Calendar
) -> tuple[StepTimer, ...]:
    """What falls due for running clocks if nothing changes, earliest first; instants may lie in the past.

    A breach that is noted already is not given again; the steps of a breached target are. Raises: NeverOpen.
    """
    running = {clock.target: clock for clock in clocks if clock.state == "running"}
    timers = [
        _breach_timer(clock) for clock in running.values() if clock.breached_at is None and clock.due_at
    ]
    for index, step in enumerate(ladder.steps if ladder else ()):
        clock = running.get(step.when.target)
        if clock is not None and ladder is not None:
            timers.extend(_rounds(ladder, index, clock, calendar=calendar))
    return tuple(sorted(timers, key=lambda timer: (timer.due_at, timer.step, timer.round)))


def actions(ladder: Ladder, step: int) -> tuple[Action, ...]:
    """What a step does: first where the ticket goes, then who is told."""
    rung = ladder.steps[step]
    rule = f"{ladder.name}/{step}"
    done: list[Action] = []
    if rung.level:
        done.append(Action("level", list(rung.level), rule))
    if rung.priority:
        done.append(Action("priority", rung.priority, rule))
    if rung.tags:
        done.append(Action("tags", list(rung.tags), rule))
    return (*done, *(Action("notify", target, rule) for target in rung.notify))


def round_actions(ladder: Ladder, timer: StepTimer) -> tuple[Action, ...]:
    """What a timer does: all of its step at first, only the notices when it repeats, nothing for a bare breach."""
    if timer.step < 0:
        return ()
    done = actions(ladder, timer.step)
    return done if timer.round == 0 else tuple(action for action in done if action.kind == "notify")


def _breach_timer(clock: Clock) -> StepTimer:
    assert clock.due_at is not None  # noqa: S101 - a running clock has one
    return StepTimer(BREACH + clock.target, clock.target, clock.due_at, -1, 0)


def _rounds(ladder: Ladder, index: int, clock: Clock, *, calendar: Calendar) -> list[StepTimer]:
    step = ladder.steps[index]
    first = _instant(step.when, clock, calendar=calendar)
    if first is None:
        return []
    timers = []
    for number in range(step.times):
        due_at = calendar.add(first, number * (step.every_s or 0))
        key = f"{ladder.name}/{index}" + (f"/{number}" if number else "")
        timers.append(StepTimer(key, clock.target, due_at, index, number))
    return timers


def _instant(when: When, clock: Clock, *, calendar: Calendar) -> datetime | None:
    if when.kind == "percent":
        return sla.instant_at_used(clock, used=clock.budget_s * when.value / 100, calendar=calendar)
    if when.kind == "offset" and when.value < 0:
        return sla.instant_at_used(clock, used=clock.budget_s + when.value, calendar=calendar)
    if clock.due_at is None:
        return None
    return calendar.add(clock.due_at, when.value)
