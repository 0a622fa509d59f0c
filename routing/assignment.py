"""Who gets a ticket: the first level with somebody on duty, there the one with the least to do or the longest wait.

On duty = inside the agent's hours (or on the schedule, for a level that is on call), not away, not at capacity. Skills
choose inside the level: with nobody skilled on duty the ticket waits with the team until they are relaxed. Ties go to
the one assigned longest ago, then to the order written, so that the same facts always give the same agent.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from routing import schedule
from routing.calendar import Calendar
from routing.facts import AgentLoad
from routing.people import Agent, Skills, Team
from routing.schedule import Schedule

_NEVER = datetime.min.replace(tzinfo=UTC)
_IDLE = AgentLoad()
_NO_SCHEDULES: Mapping[str, Schedule] = {}


class Candidate(msgspec.Struct, frozen=True):
    """One agent that was looked at. reason: why taken or passed over, a few words."""

    agent: str
    level: str
    taken: bool
    reason: str


class Assignment(msgspec.Struct, frozen=True):
    """agent: None = nobody on duty has the skills, the ticket waits with the team. candidates: in the order looked at."""

    agent: str | None
    level: str
    candidates: tuple[Candidate, ...]


class People(msgspec.Struct, frozen=True):
    """Everybody at one instant. loads: an agent that is not named has nothing to do and is there.

    schedules: {} = nobody asks who is on call, every agent of a level counts. medium: whose capacity counts,
    None = capacity does not (notices).
    """

    agents: Mapping[str, Agent]
    loads: Mapping[str, AgentLoad]
    at: datetime
    calendars: Mapping[str, Calendar]
    schedules: Mapping[str, Schedule] = _NO_SCHEDULES
    medium: str | None = None

    def load(self, name: str) -> AgentLoad:
        return self.loads.get(name, _IDLE)


def choose(
    team: Team,
    *,
    level: str | Sequence[str] | None,
    agents: Mapping[str, Agent],
    loads: Mapping[str, AgentLoad],
    at: datetime,
    calendars: Mapping[str, Calendar],
    by: str | None = None,
    schedules: Mapping[str, Schedule] = _NO_SCHEDULES,
    skills: Skills | None = None,
    language: str | None = None,
    medium: str | None = None,
    relaxed: bool = False,
) -> Assignment:
    """The agent for a ticket of the team.

    level: a name, or several in order of preference; None = the first level. With nobody on duty in any of them the
    ticket stays at the first of them that the team has. by: least_loaded or round_robin, None = the team's own.
    language: the ticket's, None = unknown, and then it is no skill to ask for. relaxed: anybody of the level may have
    it, who has the skills comes first.
    """
    people = People(agents, loads, at, calendars, schedules, medium)
    need = _needed(skills, language)
    names = _levels(team, level)
    passed: list[Candidate] = []
    for name in names:
        present = _look(team, name, people, passed)
        if present:
            return _pick(
                present, name, people, need=need, relaxed=relaxed, by=by or team.assign, passed=passed
            )
    return Assignment(None, names[0] if names else team.first_level, tuple(passed))


def on_duty(
    team: Team,
    level: str,
    *,
    agents: Mapping[str, Agent],
    loads: Mapping[str, AgentLoad],
    at: datetime,
    calendars: Mapping[str, Calendar],
    schedules: Mapping[str, Schedule] = _NO_SCHEDULES,
    medium: str | None = None,
) -> tuple[str, ...]:
    """The agents of a level who are on duty, in the order written; () for a level that the team does not have.

    medium: None = an agent at capacity is on duty too, as for notices.
    """
    return tuple(_look(team, level, People(agents, loads, at, calendars, schedules, medium), []))


def is_on_duty(
    name: str,
    *,
    teams: Iterable[Team] = (),
    agents: Mapping[str, Agent],
    loads: Mapping[str, AgentLoad],
    at: datetime,
    calendars: Mapping[str, Calendar],
    schedules: Mapping[str, Schedule] = _NO_SCHEDULES,
) -> bool:
    """Whether an agent is there: not away, and inside their hours or on call for one of the teams."""
    people = People(agents, loads, at, calendars, schedules)
    if name not in agents or people.load(name).away:
        return False
    if _absence(name, people) is None:
        return True
    called = {schedules[each] for team in teams for each in team.on_call.values() if each in schedules}
    return any(schedule.on_call(each, at) == name for each in called)


def is_open(
    team: Team,
    *,
    agents: Mapping[str, Agent],
    loads: Mapping[str, AgentLoad],
    at: datetime,
    calendars: Mapping[str, Calendar],
    schedules: Mapping[str, Schedule] = _NO_SCHEDULES,
) -> bool:
    """Whether somebody of any level of the team is on duty."""
    people = People(agents, loads, at, calendars, schedules)
    return any(_look(team, level, people, []) for level in team.levels)


def stand_in(name: str, *, agents: Mapping[str, Agent], loads: Mapping[str, AgentLoad]) -> str:
    """Who gets what is meant for an agent by name: the agent, or while away their deputy, or that one's.

    The agent all the same when everybody of the chain is away.
    """
    seen = [name]
    while loads.get(seen[-1], _IDLE).away:
        deputy = agents[seen[-1]].deputy if seen[-1] in agents else None
        if deputy is None or deputy in seen:
            return name
        seen.append(deputy)
    return seen[-1]


def _needed(skills: Skills | None, language: str | None) -> frozenset[str]:
    words = (language if word == "language" else word for word in (skills.need if skills else ()))
    return frozenset(word.casefold() for word in words if word)


def _levels(team: Team, level: str | Sequence[str] | None) -> tuple[str, ...]:
    wanted = (team.first_level,) if level is None else (level,) if isinstance(level, str) else tuple(level)
    return tuple(name for name in wanted if name in team.levels)


def _look(team: Team, level: str, people: People, passed: list[Candidate]) -> list[str]:
    """Those of a level who are on duty; the others are appended to passed with the reason."""
    rota = people.schedules.get(team.on_call.get(level, ""))
    called = schedule.on_call(rota, people.at) if rota else None
    present = []
    for name in team.levels.get(level, ()):
        reason = _uncalled(name, called, rota, people) if rota else _absence(name, people)
        reason = reason or _fullness(name, team, people)
        if reason is None:
            present.append(name)
        else:
            passed.append(Candidate(name, level, taken=False, reason=reason))
    return present


def _uncalled(name: str, called: str | None, rota: Schedule, people: People) -> str | None:
    """Why an agent is not on call; None = they are. Hours do not count: the schedule says who works."""
    if name != called:
        return f"not on call now ({rota.name}: {called or 'nobody'})"
    return "away" if people.load(name).away else None


def _absence(name: str, people: People) -> str | None:
    if people.load(name).away:
        return "away"
    hours = people.agents[name].hours
    if hours is not None and not people.calendars[hours].is_open(people.at):
        return f"outside their hours ({hours})"
    return None


def _fullness(name: str, team: Team, people: People) -> str | None:
    """Why an agent may get no more of this medium; None = they may, or the medium has no cap."""
    if people.medium is None or people.medium not in team.capacity:
        return None
    held, most = people.load(name).open_tickets.get(people.medium, 0), team.capacity[people.medium]
    return f"at capacity: {held} of {most} {people.medium}" if held >= most else None


def _pick(
    present: list[str],
    level: str,
    people: People,
    *,
    need: frozenset[str],
    relaxed: bool,
    by: str,
    passed: list[Candidate],
) -> Assignment:
    """One of those on duty in a level; nobody when skills are needed that none of them has."""
    missing = {name: _missing(people.agents[name], need) for name in present}
    skilled = [name for name in present if not missing[name]]
    able = skilled or (present if relaxed else [])
    unable = [
        Candidate(name, level, taken=False, reason=f"does not know {', '.join(missing[name])}")
        for name in present
        if name not in able
    ]
    ranked = _ranked(able, people, by=by)
    chosen = [_verdict(name, level, people, taken=name == ranked[0]) for name in ranked]
    return Assignment(ranked[0] if ranked else None, level, (*passed, *unable, *chosen))


def _missing(agent: Agent, need: frozenset[str]) -> list[str]:
    return sorted(need - {skill.casefold() for skill in agent.skills}) if need else []


def _ranked(able: list[str], people: People, *, by: str) -> list[str]:
    def rank(name: str) -> tuple[int, datetime]:
        load = people.load(name)
        open_tickets = 0 if by == "round_robin" else sum(load.open_tickets.values())
        return open_tickets, load.last_assigned_at or _NEVER

    return sorted(able, key=rank)


def _verdict(name: str, level: str, people: People, *, taken: bool) -> Candidate:
    count = sum(people.load(name).open_tickets.values())
    held = f"{count} open ticket{'' if count == 1 else 's'}"
    return Candidate(name, level, taken=taken, reason=f"{'taken' if taken else 'not first in turn'}: {held}")
