"""Ladders: what happens when a target comes near, is missed, or stays missed.

When the steps fall due stands in ladder_timers.py.
"""

from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from routing import sla
from routing.actions import Action
from routing.targets import Clock

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
    """One step. at: as written. level: names in order of preference. times: of all notices, the first included.

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
    """Something that falls due. key: see `step_key`; "breach:first_response" for a breach, "…/1" in a later run.

    step: index in the ladder, -1 for a breach without a step; round: 0 for the first notice; run: the clock's.
    """

    key: str
    target: str | None
    due_at: datetime
    step: int
    round: int
    run: int = 0


class Firing(msgspec.Struct, frozen=True):
    """When a step, or a notice of it, was due, and when it was taken: later after a downtime, or when its clock moved."""

    due_at: datetime
    fired_at: datetime


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A notice of a step that somebody is asked to acknowledge. key: the step's that sent it; aware instants.

    is_reached: it went to somebody. acknowledged_at: None = nobody has. A ticket that is done asks nobody any more, also
    when it is opened again: what was asked before then is not given.
    """

    key: str
    sent_at: datetime
    is_reached: bool = True
    acknowledged_at: datetime | None = None


class StepKey(msgspec.Struct, frozen=True):
    """What a key stands for. run: of the clock that the step, or the notice it follows, belongs to."""

    ladder: str
    step: int
    round: int = 0
    run: int = 0

    def __str__(self) -> str:
        """Write "nudge/0", "nudge/0/1" for its second notice, "nudge/0/0/2" for the first one of the clock's run 2."""
        parts = [self.ladder, str(self.step)]
        if self.round or self.run:
            parts.append(str(self.round))
        if self.run:
            parts.append(str(self.run))
        return "/".join(parts)


def parsed_key(key: str) -> StepKey | None:
    """The parts of a step's key; None for a breach's, and for what is no key."""
    name, *numbers = key.split("/")
    if not 1 <= len(numbers) <= 3 or key.startswith(BREACH) or not all(each.isdigit() for each in numbers):
        return None
    return StepKey(name, *map(int, numbers))


def ack_within_s(ladder: Ladder, step: int) -> int | None:
    """Wall-clock seconds in which a step's notice wants an acknowledgement; None = nobody waits for one.

    An `unacknowledged` step that says nothing gives as long as the step it follows, if another one follows it.
    """
    if not 0 <= step < len(ladder.steps):
        return None
    found = ladder.steps[step]
    if found.ack_within_s is not None or found.when.kind != "unacknowledged":
        return found.ack_within_s
    before = source(ladder, step)
    if before is None or follower(ladder, step) is None:
        return None
    return ack_within_s(ladder, before)


def facts(ladder: Ladder | None, clocks: tuple[Clock, ...], fired: Container[str]) -> dict[str, str]:
    """Target -> what rules see as `ticket.sla.TARGET`, without those that do not count. fired: keys of fired steps."""
    seen = {clock.target: sla.fact(clock, is_warned=is_warned(ladder, clock, fired)) for clock in clocks}
    return {target: word for target, word in seen.items() if word is not None}


def is_warned(ladder: Ladder | None, clock: Clock, fired: Container[str]) -> bool:
    """Whether a step before the breach of this run has fired."""
    return ladder is not None and any(
        step.when.target == clock.target
        and is_warning(step.when)
        and str(StepKey(ladder.name, index, 0, clock.run)) in fired
        for index, step in enumerate(ladder.steps)
    )


def is_warning(when: When) -> bool:
    """Whether a step comes before the breach, so that its firing is the event `sla_warning`."""
    return (when.kind == "percent" and when.value < 100) or (when.kind == "offset" and when.value < 0)


def actions(ladder: Ladder, step: int, *, run: int = 0) -> tuple[Action, ...]:
    """What a step does: first where the ticket goes, then what else is written, then who is told.

    A level has the option `relaxed`: its agents need no skills. A notice has `by` and `ack_within_s` where it wants them,
    and `also`: who else gets it. A reply has `run_of`: the target and its run, for which the customer is told once.
    run: of the clock.
    """
    found = ladder.steps[step]
    rule = f"{ladder.name}/{step}"
    done: list[Action] = []
    if found.level:
        done.append(Action("level", list(found.level), rule, {"relaxed": True}))
    if found.priority:
        done.append(Action("priority", found.priority, rule))
    if found.tags:
        done.append(Action("tags", list(found.tags), rule))
    done.extend(_ruled(action, rule, f"{target_of(ladder, step)}/{run}") for action in found.actions)
    asked = {"by": found.by, "ack_within_s": ack_within_s(ladder, step)}
    options = {name: value for name, value in asked.items() if value is not None}
    return (*done, *(_notice(found, target, rule, options) for target in found.notify))


def _notice(step: Step, target: str, rule: str, options: dict[str, Any]) -> Action:
    also = [name for name in step.notify if name != target]
    return Action("notify", target, rule, {**options, "also": also} if also else options)


def round_actions(ladder: Ladder, timer: StepTimer) -> tuple[Action, ...]:
    """What a timer does: all of its step at first, only the notices when it repeats, nothing for a bare breach."""
    if timer.step < 0:
        return ()
    done = actions(ladder, timer.step, run=timer.run)
    return done if timer.round == 0 else tuple(action for action in done if action.kind == "notify")


def target_of(ladder: Ladder, step: int) -> str:
    """The target that a step belongs to; of an `unacknowledged` one that of the notice it follows in the end."""
    index: int | None = step
    while index is not None and ladder.steps[index].when.kind == "unacknowledged":
        index = source(ladder, index)
    return "" if index is None else ladder.steps[index].when.target


def _ruled(action: Action, rule: str, run_of: str) -> Action:
    options = {**action.options, "run_of": run_of} if action.kind == "reply" else action.options
    return msgspec.structs.replace(action, rule=rule, options=options)


def _asks(step: Step) -> bool:
    """Whether an `unacknowledged` step may follow the notice of this one."""
    return bool(step.notify) and (step.ack_within_s is not None or step.when.kind == "unacknowledged")


def source(ladder: Ladder, step: int) -> int | None:
    """The step whose notice an `unacknowledged` step follows: the nearest before it that asks."""
    return next((index for index in range(step - 1, -1, -1) if _asks(ladder.steps[index])), None)


def follower(ladder: Ladder, step: int) -> int | None:
    """The `unacknowledged` step that follows a step's notice; None = nothing does."""
    for index in range(step + 1, len(ladder.steps)):
        if ladder.steps[index].when.kind == "unacknowledged":
            return index if source(ladder, index) == step else None
    return None
