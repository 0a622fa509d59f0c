"""Time passing over one ticket in memory: ladder steps, breaches, quiet rules, clock rules, in the order of their instants.

Bounded: a life that does too much, or lasts too long, is cut.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from routing import ladder as ladders
from routing import react, simulated
from routing.actions import Action
from routing.assignment import Assignment
from routing.decision import Decision, decide
from routing.effects import Effects
from routing.facts import Facts
from routing.ladder import Asked, Firing, StepTimer
from routing.quiet_rows import QuietRow, QuietRows
from routing.react import Reaction
from routing.rulebook import Rulebook
from routing.rules import React
from routing.simulated import Simulated
from routing.sla import OPEN_STATUSES

HORIZON = timedelta(days=5 * 366)
MOST_HAPPENINGS = 5_000
MOST_TURNS = 20_000  # things that fell due, whether or not they did anything

Changed = dict[str, tuple[str | None, str | None]]
_Due = tuple[datetime, int, Callable[[], None]]


class Happening(msgspec.Struct, frozen=True):
    """Something that happens to the ticket. at: aware.

    action: a level is the one the ticket came to; its rule is "" of what is built in and of events.
    """

    at: datetime
    action: Action
    why: str = ""


class Ticking:
    """One ticket from its first message on, over which time passes.

    happenings: in order; opening: how many of them are the decision's own. applied: ids of rules and "ladder/step" that
    did something, in order. is_cut: it did too much, or lasts too long, and was not followed further.
    """

    def __init__(self, rulebook: Rulebook, facts: Facts, decision: Decision | None = None) -> None:
        self.rulebook, self.seen, self.now = rulebook, facts, facts.at
        self.decision = decision or decide(rulebook, facts)
        self.ticket: Simulated = simulated.opened(rulebook, self.decision, at=self.now)
        self.happenings: list[Happening] = []
        self.applied: list[str] = list(self.decision.matched)
        self.is_cut = False
        self._ends_at = self.now + HORIZON
        self._turns = 0
        self._effects = Effects(
            rulebook, self.ticket, self.decision, record=self._record, applied=self.applied
        )
        self._effects.lines.append(facts.body)
        self._quiet = QuietRows(rulebook.react, rulebook.calendars)
        self._daily = {
            rule.rule.id: (rule, react.next_daily(rule, self.now, rulebook.calendars))
            for rule in rulebook.react
            if rule.daily is not None
        }
        self._effects.opening(self.decision.actions, self.now)
        self.opening = len(self.happenings)
        self._begin()

    @property
    def is_ignored(self) -> bool:
        """Whether the message was kept and nothing else: there is no ticket."""
        return any(action.kind == "ignore" for action in self.decision.actions)

    @property
    def routed(self) -> Decision:
        """What the ticket was routed by last."""
        return self._effects.decided

    def advance(self, until: datetime) -> None:
        """Let time pass up to an instant; what falls due exactly then has happened."""
        end = min(until, self._ends_at)
        while not (self.is_cut or self.is_ignored) and (due := self._next_due()) and due[0] <= end:
            self.now = max(self.now, due[0])  # what is past already happens at once
            self._turns += 1
            due[2]()
            self.is_cut = self._turns >= MOST_TURNS or len(self.happenings) >= MOST_HAPPENINGS
        self.is_cut = self.is_cut or end < until
        self.now = max(self.now, until)

    def facts(
        self,
        event: str,
        *,
        changed: Changed | None = None,
        rating: int | None = None,
        target: str | None = None,
        said: Facts | None = None,
    ) -> Facts:
        """The facts of an event now, with the ticket as it is. said: whose words these are, None = the customer's last."""
        return msgspec.structs.replace(
            said or self.seen,
            at=self.now,
            event=event,
            ticket=self.ticket.facts(),
            changed=changed or {},
            rating=rating,
            target=target,
        )

    # -- rules ----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """The ticket is there: rules that wait for it, then the first look of the quiet rules."""
        if not self.is_ignored:
            self._carry_out(self._reaction("created"))
            self._settle()

    def _reaction(self, event: str, *, only: str | None = None, **more: Any) -> Reaction:
        """What the rules ask for, with the ticket as it is before the event."""
        if not any(event in rule.on for rule in self.rulebook.react):  # facts are made only for who asks
            return Reaction(rulebook=self.rulebook.hash, event=event)
        return react.react(self.rulebook, self.facts(event, **more), only=only)

    def _carry_out(self, reaction: Reaction, why: str = "") -> None:
        self.applied.extend(reaction.matched)
        for rule, error in reaction.failed:
            self._record(Action("rule_failed", error, rule), "a rule that breaks is no match")
        if reaction.actions:
            self._effects.apply(
                reaction.actions, self.facts(reaction.event), why=why or f"on {reaction.event}"
            )

    def _settle(self) -> None:
        """The whole change is done: quiet rules look at what it left."""
        if any(rule.quiet for rule in self.rulebook.react):
            holding = react.quiet_holding(self.rulebook, self.facts("quiet"))
            self._quiet.settle(self.ticket.pending_since, holding)
        self.ticket.pending_since.clear()

    def _record(self, action: Action, why: str) -> None:
        self.happenings.append(Happening(self.now, action, why))

    # -- what falls due -------------------------------------------------------------------------------------------

    def _next_due(self) -> _Due | None:
        """What falls due first; of several at an instant the ladder, then skills, snooze, quiet rules and clock rules."""
        found = [*self._of_open_ticket(), *self._of_any_ticket()]
        return min(found, key=lambda due: (max(due[0], self.now), due[1]), default=None)

    def _of_open_ticket(self) -> Iterator[_Due]:
        if not self.ticket.is_open:
            return
        timer = next(iter(self.ticket.timers()), None)
        if timer is not None:
            yield timer.due_at, 0, partial(self._climb, timer)
        if self.ticket.relax_at is not None:
            yield self.ticket.relax_at, 1, self._relax
        if self.ticket.waits and self.ticket.status in ("new", "open"):
            begins = self._effects.placing.next_duty(self.facts("step"))
            if begins is not None:
                yield begins, 1, self._pick_up

    def _of_any_ticket(self) -> Iterator[_Due]:
        if self.ticket.snoozed_until is not None:
            yield self.ticket.snoozed_until, 2, self._wake
        row = self._quiet.next_due()
        if row is not None and row.due_at is not None:
            yield row.due_at, 3, partial(self._fall_quiet, row)
        if self.ticket.status != "closed":
            for rule, at in self._daily.values():
                yield at, 4, partial(self._ring, rule, at)

    def _climb(self, timer: StepTimer) -> None:
        """A target is missed, or a step's moment has come."""
        self.ticket.fired[timer.key] = Firing(timer.due_at, self.now)
        if timer.step < 0:
            self._breach(timer)
        elif self.ticket.ladder is not None:
            step = self.ticket.ladder.steps[timer.step]
            is_warning = timer.round == 0 and ladders.is_warning(step.when)
            reaction = self._reaction("sla_warning", target=timer.target) if is_warning else None
            self._step(timer, step)
            if reaction is not None:
                self._carry_out(reaction)
        self._settle()

    def _breach(self, timer: StepTimer) -> None:
        target = timer.target or ""
        self.ticket.breach(target, self.now)
        reaction = self._reaction("promise_due" if target == "promise" else "sla_breached", target=target)
        policy = f" of policy {self.ticket.sla}" if self.ticket.sla else ""
        self._record(Action("breach", target, ""), f"{target}{policy} was due")
        self._carry_out(reaction)

    def _step(self, timer: StepTimer, step: ladders.Step) -> None:
        assert self.ticket.ladder is not None  # noqa: S101 - whose step it is
        self.applied.append(f"{self.ticket.ladder.name}/{timer.step}")
        facts = self.facts("step")
        why = f"{step.at}, notice {timer.round + 1} of {step.times}" if step.times > 1 else step.at
        actions = ladders.round_actions(self.ticket.ladder, timer)
        self._effects.apply(actions, facts, why=why)
        if timer.round == 0 and ladders.ack_within_s(self.ticket.ladder, timer.step) is not None:
            notices = [action for action in actions if action.kind == "notify"]
            is_reached = any(self._effects.placing.is_reached(str(action.value), facts) for action in notices)
            self.ticket.asked.append(Asked(key=timer.key, sent_at=self.now, is_reached=is_reached))

    def _relax(self) -> None:
        self.ticket.relax_at = None
        self._effects.placing.relax(self.facts("step"))
        self._settle()

    def _wake(self) -> None:
        """A snooze is over: the ticket is open again, if nobody has changed its status meanwhile."""
        ticket, ticket_since = self.ticket, self.ticket.since.get("status_changed")
        is_asleep = ticket.status == "on_hold" and ticket_since == ticket.snoozed_at
        ticket.snoozed_until = ticket.snoozed_at = None
        if is_asleep:
            self._turn("open", why="the snooze is over")
        self._settle()

    # -- changes that are no rule's ---------------------------------------------------------------------------------

    def _turn(self, status: str, *, event: str = "status", why: str) -> None:
        """A status that no rule has written, with the rules that wait for it. event: as clocks see it."""
        before = self.ticket.status
        if before == status:
            return
        is_reopened = not self.ticket.is_open and status in OPEN_STATUSES
        kinds = ["status_changed", "reopened"] if is_reopened else ["status_changed"]
        changed: Changed = {"status": (before, status)}
        chosen = self._effects.placing.for_reopened(self.facts("step")) if is_reopened else None
        if chosen is not None:
            changed["agent"] = self.ticket.agent, chosen.agent
            kinds.append("assigned" if chosen.agent else "unassigned")
        reactions = [self._reaction(kind, changed=changed) for kind in kinds]
        self.ticket.set_status(status, self.now, event=event)
        self._record(Action("status", status, ""), why)
        if chosen is not None:
            self._effects.placing.hand_on(chosen, self.now, "whose it was is away, or holds enough")
        for reaction in reactions:
            self._carry_out(reaction)

    def _hand_on(self, chosen: Assignment | None, why: str) -> None:
        """A built-in assignment, with the rules that wait for it. None = it stays as it is."""
        if chosen is None:
            return
        kind = "assigned" if chosen.agent else "unassigned"
        reaction = self._reaction(kind, changed={"agent": (self.ticket.agent, chosen.agent)})
        self._effects.placing.hand_on(chosen, self.now, why)
        self._carry_out(reaction)

    def _pick_up(self) -> None:
        """Somebody's hours begin: what waits is looked at."""
        self._hand_on(self._effects.placing.for_waiting(self.facts("step")), "somebody has come on duty")
        self._settle()

    def _fall_quiet(self, row: QuietRow) -> None:
        """Its moment has come: the condition is looked at once more."""
        reaction = self._reaction("quiet", only=row.rule.rule.id)
        self._quiet.close(row, has_fired=bool(reaction.matched))
        event = row.rule.quiet.since if row.rule.quiet else ""
        self._carry_out(reaction, f"quiet since {event} at {row.since.isoformat()}")
        self._settle()

    def _ring(self, rule: React, at: datetime) -> None:
        self._daily[rule.rule.id] = rule, react.next_daily(rule, at, self.rulebook.calendars)
        self._carry_out(self._reaction("clock", only=rule.rule.id), f"on the clock at {at.isoformat()}")
        self._settle()
