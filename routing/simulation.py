"""A ticket's future when nobody answers: what its ladder does, each with its instant, in order."""

from datetime import datetime

import msgspec

from routing import assignment, ladder, sla
from routing.actions import Action
from routing.decision import Decision
from routing.facts import Facts
from routing.ladder import StepTimer
from routing.rulebook import Rulebook
from routing.sla import Clock


class Happening(msgspec.Struct, frozen=True):
    """Something that happens to the ticket. at: aware; action: a level is the one the ticket came to."""

    at: datetime
    action: Action


def future(rulebook: Rulebook, decision: Decision, facts: Facts, *, until: datetime) -> tuple[Happening, ...]:
    """Everything that falls due up to an instant, included; nothing when the ticket has no policy."""
    if decision.sla is None:
        return ()
    return _Future(rulebook, decision, facts).run(until)


def armed(rulebook: Rulebook, decision: Decision, *, at: datetime) -> tuple[Clock, ...]:
    """The clocks that a ticket with this decision starts with."""
    if decision.sla is None:
        return ()
    policy = rulebook.policies[decision.sla]
    return sla.start(policy, priority=decision.priority, at=at, calendar=rulebook.calendar_of(decision.sla))


class _Future:
    """One run: the clocks move when a step changes the priority, and each step fires once."""

    def __init__(self, rulebook: Rulebook, decision: Decision, facts: Facts) -> None:
        assert decision.sla is not None  # noqa: S101 - asked for by future()
        self.rulebook, self.decision, self.facts = rulebook, decision, facts
        self.policy = rulebook.policies[decision.sla]
        self.calendar = rulebook.calendar_of(decision.sla)
        self.ladder = rulebook.ladder_of(decision.sla)
        self.clocks = armed(rulebook, decision, at=facts.at)
        self.fired: set[str] = set()
        self.happenings: list[Happening] = []

    def run(self, until: datetime) -> tuple[Happening, ...]:
        now = self.facts.at
        while (timer := self._next()) is not None and timer.due_at <= until:
            now = max(now, timer.due_at)  # a step whose instant is past fires at once
            self.fired.add(timer.key)
            if timer.step < 0:
                self._breach(timer, now)
            elif self.ladder is not None:
                for action in ladder.round_actions(self.ladder, timer):
                    self._do(action, now)
        return tuple(self.happenings)

    def _next(self) -> StepTimer | None:
        timers = ladder.steps(self.policy, self.ladder, self.clocks, calendar=self.calendar)
        return next((timer for timer in timers if timer.key not in self.fired), None)

    def _breach(self, timer: StepTimer, now: datetime) -> None:
        self.clocks = tuple(
            sla.breach(clock, at=now) if clock.target == timer.target else clock for clock in self.clocks
        )
        self.happenings.append(Happening(now, Action("breach", timer.target, "")))

    def _do(self, action: Action, now: datetime) -> None:
        if action.kind == "level":
            action = msgspec.structs.replace(action, value=self._level(action.value, now))
        if action.kind == "priority":
            self.clocks = tuple(
                sla.retarget(clock, policy=self.policy, priority=action.value, at=now, calendar=self.calendar)
                for clock in self.clocks
            )
        values = action.value if action.kind == "tags" else [action.value]
        self.happenings.extend(
            Happening(now, msgspec.structs.replace(action, value=value)) for value in values
        )

    def _level(self, wanted: list[str], now: datetime) -> str:
        chosen = assignment.choose(
            self.rulebook.teams[self.decision.team],
            level=wanted,
            agents=self.rulebook.agents,
            loads=self.facts.agents,
            at=now,
            calendars=self.rulebook.calendars,
        )
        return chosen.level
