"""Why, and why not: every rule tried by the plain evaluator, without the index; every step of a ladder; every agent.

All of it works on the facts and the rulebook of the day, so that last month's decision is told in last month's words.
"""

from collections.abc import Container, Iterable
from datetime import datetime

import msgspec

from routing import conditions, decision
from routing import ladder as ladders
from routing.assignment import Candidate
from routing.case_text import spoken
from routing.decision import Decision, Reason, decide, next_view
from routing.draft import Ignored
from routing.facts import Facts
from routing.ladder import Asked, Ladder, Step, StepTimer
from routing.rulebook import Rulebook
from routing.rules import React, Rule
from routing.simulated import Simulated, opened
from routing.sla import Clock
from routing.view import View


class StepOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a ladder. step: "nudge/0". does: as timelines name it. due_at: aware, None = it will not fire so.

    outcome: fired, waits, or why it does not: a sentence.
    """

    step: str
    at: str
    does: tuple[str, ...]
    outcome: str
    due_at: datetime | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """All that can be told of a decision. ladder: as the ticket began. candidates: the agents looked at.

    ignored: writes that lost, or that nothing can be done with. failed: (rule, error) of rules that broke.
    """

    reasons: tuple[Reason, ...]
    why_not: tuple[Reason, ...]
    ladder: tuple[StepOutcome, ...]
    candidates: tuple[Candidate, ...]
    ignored: tuple[Ignored, ...]
    failed: tuple[tuple[str, str], ...]


def explained(rulebook: Rulebook, facts: Facts, decided: Decision | None = None) -> Explanation:
    """A decision in full. decided: None = it is decided again, which gives the same with the rulebook of that day."""
    found = decided or decide(rulebook, facts)
    return Explanation(
        reasons=found.reasons,
        why_not=why_not(rulebook, facts),
        ladder=outcomes(opened(rulebook, found, at=facts.at)),
        candidates=found.candidates,
        ignored=found.ignored,
        failed=found.failed,
    )


# -- rules ------------------------------------------------------------------------------------------------------------


def why_not(rulebook: Rulebook, facts: Facts) -> tuple[Reason, ...]:
    """The rules that did not count, in file order, each with its conditions and why it did not."""
    decided = decide(rulebook, facts)
    counted = set(decided.matched)
    view, route_view = _views(rulebook, facts)
    return tuple(
        _reason(rule, route_view if rule.stage == "route" else view, winner=decided.rule)
        for rule in rulebook.rules
        if rule.id not in counted
    )


def why_not_react(rulebook: Rulebook, facts: Facts, *, only: str | None = None) -> tuple[Reason, ...]:
    """The react rules that did not apply to an event, in file order, each with why: another event, or its conditions.

    facts: of the ticket before the event. only: the one quiet or clock rule whose moment had come.
    """
    view = View.of(rulebook, facts)
    found = (_react_reason(each, view, only=only) for each in rulebook.react)
    return tuple(each for each in found if each is not None)


def matching(rulebook: Rulebook, facts: Facts) -> tuple[str, ...]:
    """Ids of the rules that count, found rule by rule: the truth that the index is tested against."""
    view, route_view = _views(rulebook, facts)
    enriching = [rule.id for rule in rulebook.enrich if decision.holds(rule, view, [])]
    winner = next((rule.id for rule in rulebook.route if decision.holds(rule, route_view, [])), None)
    return (*enriching, winner) if winner else tuple(enriching)


def _views(rulebook: Rulebook, facts: Facts) -> tuple[View, View]:
    """The message as enrich rules and as route rules see it."""
    view = View.of(rulebook, facts)
    enriching = [rule for rule in rulebook.enrich if decision.holds(rule, view, [])]
    return view, next_view(rulebook, view, enriching)


def _react_reason(each: React, view: View, *, only: str | None) -> Reason | None:
    """Why a react rule did not apply; None = it did."""
    rule, event = each.rule, view.facts.event
    if event not in each.on:
        return Reason(rule.id, rule.line, (), f"waits for {' or '.join(each.on)}, not for {event}")
    if only not in (None, rule.id):
        return Reason(rule.id, rule.line, (), f"its moment is another than that of '{only}'")
    failed: list[tuple[str, str]] = []
    if decision.holds(rule, view, failed):
        return None
    return _reason(rule, view, winner="")


def _reason(rule: Rule, view: View, *, winner: str) -> Reason:
    try:
        held = rule.when.holds(view)
        results = conditions.results(rule.when, view)
    except Exception as error:  # noqa: BLE001 - a broken rule is told, not raised
        return Reason(rule.id, rule.line, (), f"failed: {type(error).__name__}: {error}")
    outcome = f"matches, but '{winner}' comes first" if held else "does not match"
    return Reason(rule.id, rule.line, results, outcome)


# -- ladders ----------------------------------------------------------------------------------------------------------


def outcomes(ticket: Simulated) -> tuple[StepOutcome, ...]:
    """Each step of a ticket's ladder: fired, when it will, or why it does not; () without a ladder."""
    if ticket.ladder is None:
        return ()
    timers = ticket.timers() if ticket.is_open else ()
    return of_ladder(ticket.ladder, ticket.clocks, timers, fired=ticket.fired, asked=ticket.asked)


def of_ladder(
    ladder: Ladder,
    clocks: Iterable[Clock],
    timers: Iterable[StepTimer],
    *,
    fired: Container[str],
    asked: Iterable[Asked] = (),
) -> tuple[StepOutcome, ...]:
    """Each step of a ladder. timers: what falls due; fired: keys that have; asked: notices to be acknowledged."""
    by_target = {clock.target: clock for clock in clocks}
    waiting = {timer.step: timer.due_at for timer in reversed(tuple(timers)) if timer.round == 0}
    sent = tuple(asked)
    return tuple(
        _outcome_of(ladder, number, step, by_target, waiting.get(number), fired, sent)
        for number, step in enumerate(ladder.steps)
    )


def _outcome_of(
    ladder: Ladder,
    number: int,
    step: Step,
    clocks: dict[str, Clock],
    due_at: datetime | None,
    fired: Container[str],
    asked: tuple[Asked, ...],
) -> StepOutcome:
    name = f"{ladder.name}/{number}"
    run = clocks[step.when.target].run if step.when.target in clocks else 0
    does = tuple(
        text for action in ladders.actions(ladder, number) for text in spoken(action.kind, action.value)
    )
    if str(ladders.StepKey(ladder.name, number, 0, run)) in fired:
        return StepOutcome(name, step.at, does, "fired")
    if due_at is not None:
        return StepOutcome(name, step.at, does, "waits", due_at)
    if step.when.kind == "unacknowledged":
        return StepOutcome(name, step.at, does, _why_no_follower(asked))
    return StepOutcome(name, step.at, does, _why_no_clock(step.when.target, clocks.get(step.when.target)))


def _why_no_follower(asked: tuple[Asked, ...]) -> str:
    if not asked:
        return "no notice that asks to be acknowledged has gone out"
    return "the notice was answered, or another step follows it"


def _why_no_clock(target: str, clock: Clock | None) -> str:
    if clock is None:
        return f"{target} has not begun"
    said = {
        "met": f"{target} was met",
        "paused": f"{target} stands still",
        "stopped": f"{target} was given up",
        "idle": f"{target} waits for the customer's next message",
    }
    return said.get(clock.state, f"{target} has no instant for it")
