"""Who gets a ticket: the first level with somebody on duty, there the one with the least to do or the longest wait.

On duty = inside the agent's hours and not away. Ties go to the one assigned longest ago, then to the order written,
so that the same facts always give the same agent.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from routing.calendar import Calendar
from routing.facts import AgentLoad
from routing.people import Agent, Team

_NEVER = datetime.min.replace(tzinfo=UTC)
_IDLE = AgentLoad()


class Candidate(msgspec.Struct, frozen=True):
    """One agent that was looked at. reason: why taken or passed over, a few words."""

    agent: str
    level: str
    taken: bool
    reason: str


class Assignment(msgspec.Struct, frozen=True):
    """agent: None = nobody is on duty, the ticket waits with the team. candidates: in the order they were looked at."""

    agent: str | None
    level: str
    candidates: tuple[Candidate, ...]


def choose(
    team: Team,
    *,
    level: str | Sequence[str] | None,
    agents: Mapping[str, Agent],
    loads: Mapping[str, AgentLoad],
    at: datetime,
    calendars: Mapping[str, Calendar],
    by: str | None = None,
) -> Assignment:
    """The agent for a ticket of the team.

    level: a name, or several in order of preference; None = the first level. With nobody on duty in any of them the
    ticket stays at the first of them that the team has. by: least_loaded or round_robin, None = the team's own.
    """
    names = _levels(team, level)
    passed: list[Candidate] = []
    for name in names:
        present = _look(team, name, agents=agents, loads=loads, at=at, calendars=calendars, passed=passed)
        if present:
            ranked = _ranked(present, loads=loads, by=by or team.assign)
            chosen = [_verdict(each, name, loads=loads, taken=each == ranked[0]) for each in ranked]
            return Assignment(ranked[0], name, (*passed, *chosen))
    return Assignment(None, names[0] if names else team.first_level, tuple(passed))


def on_duty(
    team: Team,
    level: str,
    *,
    agents: Mapping[str, Agent],
    loads: Mapping[str, AgentLoad],
    at: datetime,
    calendars: Mapping[str, Calendar],
) -> tuple[str, ...]:
    """The agents of a level who are on duty, in the order written; () for a level that the team does not have."""
    present: list[str] = _look(team, level, agents=agents, loads=loads, at=at, calendars=calendars, passed=[])
    return tuple(present)


def _levels(team: Team, level: str | Sequence[str] | None) -> tuple[str, ...]:
    wanted = (team.first_level,) if level is None else (level,) if isinstance(level, str) else tuple(level)
    return tuple(name for name in wanted if name in team.levels)


def _look(
    team: Team,
    level: str,
    *,
    agents: Mapping[str, Agent],
    loads: Mapping[str, AgentLoad],
    at: datetime,
    calendars: Mapping[str, Calendar],
    passed: list[Candidate],
) -> list[str]:
    """Those of a level who are on duty; the others are appended to passed with the reason."""
    present = []
    for name in team.levels.get(level, ()):
        reason = _absence(agents[name], load=loads.get(name, _IDLE), at=at, calendars=calendars)
        if reason is None:
            present.append(name)
        else:
            passed.append(Candidate(name, level, taken=False, reason=reason))
    return present


def _absence(agent: Agent, *, load: AgentLoad, at: datetime, calendars: Mapping[str, Calendar]) -> str | None:
    if load.away:
        return "away"
    if agent.hours is not None and not calendars[agent.hours].is_open(at):
        return f"outside their hours ({agent.hours})"
    return None


def _ranked(present: list[str], *, loads: Mapping[str, AgentLoad], by: str) -> list[str]:
    def rank(name: str) -> tuple[int, datetime]:
        load = loads.get(name, _IDLE)
        open_tickets = 0 if by == "round_robin" else sum(load.open_tickets.values())
        return open_tickets, load.last_assigned_at or _NEVER

    return sorted(present, key=rank)


def _verdict(name: str, level: str, *, loads: Mapping[str, AgentLoad], taken: bool) -> Candidate:
    count = sum(loads.get(name, _IDLE).open_tickets.values())
    held = f"{count} open ticket{'' if count == 1 else 's'}"
    return Candidate(name, level, taken=taken, reason=f"{'taken' if taken else 'not first in turn'}: {held}")
