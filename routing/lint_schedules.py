"""Instants ahead at which nobody is on call, whom that leaves alone, and overrides that are over.

Unlike other warnings these depend on the day, so that they are asked for with an instant: the dates of layers, overrides and
changes of clocks count as they are, not a week in general. What the desk takes and swaps is no matter of the rules.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from routing import schedule
from routing.ladder import Step
from routing.lint_hours import ALL_WEEK, WEEKS, Week
from routing.lint_means import step_node
from routing.lint_people import pairs
from routing.people import Team
from routing.problems import Problem
from routing.schedule import Schedule, Shift
from routing.yaml_text import Node

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

Nodes = Mapping[str, Mapping[str, Node]]
AHEAD = timedelta(weeks=8)
_MINUTES_A_DAY, _MINUTES_AN_HOUR = 1_440, 60


def dated(rulebook: "Rulebook", nodes: Nodes, at: datetime) -> Iterator[Problem]:
    """What is wrong with schedules in the weeks that follow an instant."""
    gaps = {name: schedule.gaps(rota, at, at + AHEAD) for name, rota in rulebook.schedules.items()}
    for name, rota in rulebook.schedules.items():
        node = nodes["schedules"][name]
        if gaps[name]:
            hint = "have a layer or an override cover it"
            yield node.warning("oncall-gap", _said(rota, gaps[name], at), hint)
        yield from _over(rota, node, at)
    yield from _steps(rulebook, nodes, gaps, at)


def _said(rota: Schedule, gaps: Sequence[Shift], at: datetime) -> str:
    """Where the first gap is, how long it is, and how many follow."""
    first, more = gaps[0], len(gaps) - 1
    end = first.end or at + AHEAD
    is_longer = end >= at + AHEAD
    begins = "now" if first.start <= at else f"from {rota.said(first.start)}"
    length = "8 weeks and more" if is_longer else _length(end - first.start)
    until = "" if is_longer else f" until {rota.said(end)}"
    times = f", and {more} more time{'' if more == 1 else 's'} within 8 weeks" if more else ""
    return f"nobody is on call for '{rota.name}' {begins}{until} ({length}, {rota.timezone}){times}"


def _length(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    days, rest = divmod(minutes, _MINUTES_A_DAY)
    hours, left = divmod(rest, _MINUTES_AN_HOUR)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (left, "min")) if number]
    return " ".join(parts) or "less than a minute"


def _over(rota: Schedule, node: Node, at: datetime) -> Iterator[Problem]:
    """Overrides that are over: they change nothing any more."""
    written = node.value.get("overrides") if node.is_mapping else None
    for place, each in enumerate(rota.overrides if written is not None else ()):
        if each.end <= at and written is not None:
            message = f"these hours of '{rota.name}' were over on {rota.said(each.end)}"
            yield written.value[place].hint("past-override", message, "take it away")


def _steps(
    rulebook: "Rulebook", nodes: Nodes, gaps: Mapping[str, Sequence[Shift]], at: datetime
) -> Iterator[Problem]:
    """Steps that tell nobody but who is on call, where the week in general has no gap: that is told elsewhere."""
    covered = _covered_all_week(rulebook)
    told: set[tuple[str, int]] = set()
    for team, policy in sorted(pairs(rulebook)):
        ladder = rulebook.ladder_of(policy) if policy in rulebook.policies else None
        for index, step in enumerate(ladder.steps if ladder else ()):
            name = _only_schedule(step, rulebook.teams[team])
            if ladder is None or name not in covered or not gaps.get(name) or (ladder.name, index) in told:
                continue
            told.add((ladder.name, index))
            message = f"this step tells nobody else of team '{team}', and {_said(rulebook.schedules[name], gaps[name], at)}"
            place = step_node(nodes["ladders"][ladder.name], index)
            yield place.warning("oncall-gap", message, "name a second level, like [lead, oncall]")


def _covered_all_week(rulebook: "Rulebook") -> frozenset[str]:
    weeks = [
        Week(monday, calendars=rulebook.calendars, schedules=rulebook.schedules, agents=rulebook.agents)
        for monday in WEEKS
    ]
    return frozenset(
        name for name in rulebook.schedules if all(week.on_call[name] == ALL_WEEK for week in weeks)
    )


def _only_schedule(step: Step, team: Team) -> str:
    """The schedule that all of a step's targets hang on; "" = somebody else is told, too."""
    names = {team.on_call.get(target, "") for target in step.notify}
    return names.pop() if len(names) == 1 else ""
