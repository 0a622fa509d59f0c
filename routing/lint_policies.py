"""Policies whose time never comes, and targets that nobody is told about when they are missed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from routing import ladder_timers, sla
from routing.calendar import NeverOpen
from routing.problems import Problem
from routing.sla import PRIORITIES
from routing.yaml_text import Node

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

Nodes = Mapping[str, Mapping[str, Node]]
_ANY_DAY = datetime(2026, 1, 7, 12, tzinfo=UTC)


def never_due(rulebook: "Rulebook", nodes: Nodes) -> Iterator[Problem]:
    """Errors: the calendar has too little open time for a target or a step."""
    for name, policy in rulebook.policies.items():
        calendar = rulebook.calendar_of(name)
        try:
            for priority in PRIORITIES:
                clocks = sla.start(policy, priority=priority, at=_ANY_DAY, calendar=calendar)
                ladder_timers.steps(policy, rulebook.ladder_of(name), clocks, calendar=calendar)
        except NeverOpen as error:
            message = f"policy '{name}' asks for more open time than there is: {error}"
            yield nodes["sla"][name].problem("never-due", message, "shorten it, or open the calendar more")


def targets_without_step(rulebook: "Rulebook", nodes: Nodes) -> Iterator[Problem]:
    """Targets of a policy for which its ladder, if it has one, has no step."""
    for name, policy in rulebook.policies.items():
        ladder = rulebook.ladder_of(name)
        stepped = {step.when.target for step in ladder.steps} if ladder else set()
        for target in policy.targets:
            if target not in stepped:
                why = f"ladder '{ladder.name}' has no step for it" if ladder else "it has no ladder"
                message = f"nobody is told when '{target}' of policy '{name}' is missed: {why}"
                hint = f"add {{at: {target} breach, notify: lead}}"
                yield nodes["sla"][name].warning("no-step", message, hint)
