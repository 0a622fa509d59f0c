"""Hours of the week at which a notice or a ticket would reach nobody, and agents whom no notice reaches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from routing.conditions import Leaf, leaves
from routing.ladder import Step
from routing.lint_hours import ALL_WEEK, WEEKS, Week
from routing.lint_means import step_node, turns_of
from routing.lint_relations import required
from routing.lint_rules import at
from routing.people import Team
from routing.predicates import Open
from routing.problems import Problem
from routing.rules import React, Rule
from routing.yaml_text import Node

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

Nodes = Mapping[str, Mapping[str, Node]]
_FACTS_OF_TIME = ("time.", "agent.available", "team.open_now")


class _Gap(msgspec.Struct, frozen=True):
    """Nobody is there. who: the level as written; when: like "sat 00:00"."""

    who: str
    team: str
    when: str
    has_level: bool


def unreachable_agents(rulebook: "Rulebook", nodes: Nodes) -> Iterator[Problem]:
    """Agents with neither an address nor a phone number."""
    for name, agent in rulebook.agents.items():
        if not agent.email and not agent.phone and name in nodes["agents"]:
            turns = turns_of(rulebook, name)
            message = f"no notice reaches agent '{name}'{turns}{' and' if turns else ', who'} has no email and no phone"
            yield nodes["agents"][name].warning("unreachable-agent", message, "add email: NAME@your.example")


def nobody_there(rulebook: "Rulebook", nodes: Nodes) -> Iterator[Problem]:
    """Steps of ladders and notices of rules that reach nobody at some hour of the week."""
    weeks = [
        Week(monday, calendars=rulebook.calendars, schedules=rulebook.schedules, agents=rulebook.agents)
        for monday in WEEKS
    ]
    yield from _steps(rulebook, nodes, weeks)
    yield from _rules(rulebook, weeks)


# -- ladders ----------------------------------------------------------------------------------------------------------


def _steps(rulebook: "Rulebook", nodes: Nodes, weeks: Sequence[Week]) -> Iterator[Problem]:
    told: set[tuple[str, int]] = set()
    for team, policy in sorted(pairs(rulebook)):
        ladder = rulebook.ladder_of(policy) if policy in rulebook.policies else None
        for index, step in enumerate(ladder.steps if ladder else ()):
            if ladder is None or (ladder.name, index) in told:
                continue
            gap = _step_gap(rulebook, step, rulebook.teams[team], policy, weeks)
            if gap is not None:
                told.add((ladder.name, index))
                yield _step_problem(nodes["ladders"][ladder.name], index, gap, policy)


def _step_gap(
    rulebook: "Rulebook", step: Step, team: Team, policy: str, weeks: Sequence[Week]
) -> _Gap | None:
    calendar = rulebook.calendar_of(policy)
    for week in weeks:
        hours = week.open[calendar.name]
        told = _gap(rulebook, week, step.notify, team, hours=hours) if step.notify else None
        moved = _gap(rulebook, week, step.level, team, hours=hours) if step.level else None
        if told or moved:
            return told or moved
    return None


def _step_problem(ladder: Node, index: int, gap: _Gap, policy: str) -> Problem:
    message = f"this step reaches nobody {_said(gap)}, while policy '{policy}' counts"
    return step_node(ladder, index).warning(
        "nobody-there", message, "name a second level, like [lead, oncall]"
    )


def _said(gap: _Gap) -> str:
    if not gap.has_level:
        return f"for a ticket of team '{gap.team}', which has no level {gap.who}"
    return f"from {gap.when} on: nobody of {gap.who} of team '{gap.team}' is on duty then"


def _gap(rulebook: "Rulebook", week: Week, targets: Iterable[str], team: Team, *, hours: int) -> _Gap | None:
    """The first minute of the hours at which none of the targets reaches anybody; None also when that can't be told."""
    reached = 0
    names = list(targets)
    for target in names:
        minutes = _reached(rulebook, week, target, team)
        if minutes is None:
            return None
        reached |= minutes
    missing = hours & ~reached
    if not missing:
        return None
    home = next(iter(rulebook.calendars.values()), None)
    zone = home.zone if home else ZoneInfo("UTC")
    when = f"{week.said(missing, zone)} ({zone.key})"
    who = ", ".join(f"'{name}'" for name in names)
    return _Gap(
        who, team.name, when, has_level=any(name in team.levels or name in rulebook.teams for name in names)
    )


def _reached(rulebook: "Rulebook", week: Week, target: str, team: Team) -> int | None:
    """When a target reaches somebody; None = it hangs on the ticket."""
    if target in ("assignee", "agent"):
        return None
    if target == "team":
        return week.team(team)
    if target in rulebook.teams:
        return week.team(rulebook.teams[target])
    if target in rulebook.agents or "@" in target:
        return ALL_WEEK
    return week.level(team, target)


def pairs(rulebook: "Rulebook") -> set[tuple[str, str]]:
    """Which team's tickets may have which policy, as enrich, route and default are written."""
    slas = _written(rulebook.enrich, "sla")
    first = {*_written(rulebook.enrich, "team"), *_written([rulebook.default], "team")}
    last = {*slas, *_written([rulebook.default], "sla")}
    found = {(team, policy) for team in first for policy in last}
    for rule in rulebook.route:
        own = _written([rule], "sla")
        teams, policies = _written([rule], "team") or first, {*slas, *own} if own else last
        found |= {(team, policy) for team in teams for policy in policies}
    return {(team, policy) for team, policy in found if team in rulebook.teams}


def _written(rules: Iterable[Rule], field: str) -> set[Any]:
    return {write.value for rule in rules for write in rule.then if write.field == field and write.value}


# -- rules ------------------------------------------------------------------------------------------------------------


def _rules(rulebook: "Rulebook", weeks: Sequence[Week]) -> Iterator[Problem]:
    everybody = [name for name in _teams_of_tickets(rulebook) if name in rulebook.teams]
    for rule, react in _with_notice(rulebook):
        own = [name for name in _written([rule], "team") if name in rulebook.teams]
        gap = _rule_gap(rulebook, rule, react, own or everybody, weeks)
        if gap is not None:
            message = f"the notice of rule '{rule.id}' reaches nobody {_said(gap)}"
            yield at(rule, "nobody-there", message, "name a second level, or ask for the time in `when`")


def _with_notice(rulebook: "Rulebook") -> Iterator[tuple[Rule, React | None]]:
    known: list[tuple[Rule, React | None]] = [(rule, None) for rule in (*rulebook.rules, rulebook.default)]
    known += [(each.rule, each) for each in rulebook.react]
    yield from (
        pair for pair in known if any(write.field == "notify" and write.value for write in pair[0].then)
    )


def _teams_of_tickets(rulebook: "Rulebook") -> list[str]:
    rules = (*rulebook.rules, rulebook.default, *(each.rule for each in rulebook.react))
    return sorted(_written(rules, "team"))


def _rule_gap(
    rulebook: "Rulebook", rule: Rule, react: React | None, teams: Iterable[str], weeks: Sequence[Week]
) -> _Gap | None:
    for week in weeks:
        hours = _hours(rulebook, rule, react, week)
        for write in rule.then if hours else ():
            if write.field != "notify" or not write.value:
                continue
            for team in teams:
                gap = _gap(rulebook, week, _names(write.value), rulebook.teams[team], hours=hours)
                if gap is not None:
                    return gap
    return None


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _hours(rulebook: "Rulebook", rule: Rule, react: React | None, week: Week) -> int:
    """The minutes at which the rule may act; none when its condition asks for time in a way that is not counted here."""
    found = ALL_WEEK
    counted = 0
    for part in required(rule.when):
        if isinstance(part, Leaf) and isinstance(part.test, Open):
            minutes = week.open[part.test.calendar]
            found &= minutes if part.test.wanted else ALL_WEEK & ~minutes
            counted += 1
    asked = sum(leaf.fact.name.startswith(_FACTS_OF_TIME) for leaf in leaves(rule.when))
    if asked != counted:
        return 0
    if react is not None and react.daily is not None:
        calendar = rulebook.calendars[react.daily.calendar]
        return found & week.moments(react.daily.days, react.daily.at, calendar)
    if react is not None and react.quiet is not None and react.quiet.calendar is not None:
        return found & week.open[react.quiet.calendar]
    return found
