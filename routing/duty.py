"""Who is on duty: inside their hours, or on the schedule for a level that is on call; not away, not at capacity."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from routing import schedule
from routing.calendar import Calendar, NeverOpen
from routing.facts import AgentLoad
from routing.people import Agent, Team
from routing.schedule import Duty, Schedule

_IDLE = AgentLoad()
NO_SCHEDULES: Mapping[str, Schedule] = {}


class Candidate(msgspec.Struct, frozen=True):
    """One agent that was looked at. reason: why taken or passed over, a few words."""

    agent: str
    level: str
    taken: bool
    reason: str


class People(msgspec.Struct, frozen=True):
    """Everybody at one instant. loads: an agent that is not named has nothing to do and is there.

    schedules: {} = nobody asks who is on call, every agent of a level counts. medium: whose capacity counts,
    None = capacity does not (notices).
    """

    agents: Mapping[str, Agent]
    loads: Mapping[str, AgentLoad]
    at: datetime
    calendars: Mapping[str, Calendar]
    schedules: Mapping[str, Schedule] = NO_SCHEDULES
    medium: str | None = None

    def load(self, name: str) -> AgentLoad:
        return self.loads.get(name, _IDLE)


class Looked:
    """What was found on the way. candidates: passed over, with why; full: of them, those only at capacity."""

    def __init__(self) -> None:
        self.candidates: list[Candidate] = []
        self.full: list[str] = []

    def skilled(self, people: People, need: frozenset[str]) -> tuple[str, ...]:
        """Those at capacity who have the skills."""
        return tuple(name for name in self.full if not missing(people.agents[name], need))


def on_duty(team: Team, level: str, people: People) -> tuple[str, ...]:
    """The agents of a level who are on duty, in the order written; () for a level that the team does not have."""
    return tuple(look(team, level, people, Looked()))


def is_on_duty(name: str, people: People, *, teams: Iterable[Team] = ()) -> bool:
    """Whether an agent is there: not away, and inside their hours or on call for one of the teams."""
    if name not in people.agents or people.load(name).away:
        return False
    if absence(name, people) is None:
        return True
    rotas = people.schedules
    called = {rotas[each] for team in teams for each in team.on_call.values() if each in rotas}
    return any(schedule.on_call(each, people.at) == name for each in called)


def is_open(team: Team, people: People) -> bool:
    """Whether somebody of any level of the team is on duty."""
    return any(look(team, level, people, Looked()) for level in team.levels)


def stand_in(name: str, *, agents: Mapping[str, Agent], loads: Mapping[str, AgentLoad]) -> str:
    """Who gets what is meant for an agent by name: the agent, or while away their deputy, or that one's.

    The agent all the same when everybody of the chain is away.
    """
    return next((each for each in chain(name, agents) if not loads.get(each, _IDLE).away), name)


def chain(name: str, agents: Mapping[str, Agent]) -> tuple[str, ...]:
    """An agent, their deputy, that one's, each once."""
    seen = [name]
    while seen[-1] in agents:
        deputy = agents[seen[-1]].deputy
        if deputy is None or deputy in seen:
            break
        seen.append(deputy)
    return tuple(seen)


def next_duty(team: Team, level: str, people: People) -> datetime | None:
    """The next instant at which the hours or the shift of somebody of a level begin; None = nobody's ever do again.

    Who is there already is not waited for: what keeps them from a ticket is no matter of hours.
    """
    rota = people.schedules.get(team.on_call.get(level, ""))
    if rota is not None:
        return schedule.next_handover(rota, people.at)
    hours = {people.agents[name].hours for name in team.levels.get(level, ())}
    calendars = [people.calendars[each] for each in hours if each is not None]
    return min(_openings(calendars, people.at), default=None)


def _openings(calendars: Iterable[Calendar], at: datetime) -> Iterator[datetime]:
    for each in calendars:
        if not each.is_open(at):
            with contextlib.suppress(NeverOpen):
                yield each.next_open(at)


def look(team: Team, level: str, people: People, looked: Looked) -> list[str]:
    """Those of a level who are on duty; the others are noted with the reason."""
    rota = people.schedules.get(team.on_call.get(level, ""))
    called = schedule.duty(rota, people.at) if rota else None
    present = []
    for name in _members(team, level, called, people):
        reason = _uncalled(name, called, rota, people) if called and rota else absence(name, people)
        full = fullness(name, team, people) if reason is None else None
        if reason is None and full is None:
            present.append(name)
            continue
        looked.candidates.append(Candidate(name, level, taken=False, reason=reason or full or ""))
        if reason is None:
            looked.full.append(name)
    return present


def _members(team: Team, level: str, called: Duty | None, people: People) -> tuple[str, ...]:
    """The agents of a level, and whoever took or swapped its hours and takes no turns otherwise."""
    members = team.levels.get(level, ())
    extra = called.agent if called is not None else None
    return (*members, extra) if extra in people.agents and extra not in members and extra else members


def _uncalled(name: str, called: Duty, rota: Schedule, people: People) -> str | None:
    """Why an agent is not on call; None = they are. Hours do not count: the schedule says who works."""
    if name != called.agent:
        note = f", {called.note}" if called.note else ""
        return f"not on call now ({rota.name}: {called.agent or 'nobody'}{note})"
    return "away" if people.load(name).away else None


def absence(name: str, people: People) -> str | None:
    """Why an agent is not there by their own hours; None = they are."""
    if people.load(name).away:
        return "away"
    hours = people.agents[name].hours
    if hours is not None and not people.calendars[hours].is_open(people.at):
        return f"outside their hours ({hours})"
    return None


def fullness(name: str, team: Team, people: People) -> str | None:
    """Why an agent may get no more of this medium; None = they may, or the medium has no cap."""
    said = people.load(name).presence.get(people.medium or "")
    if said is not None:
        return f"{said} for {people.medium}"
    most = team.most(people.medium)
    if people.medium is None or most is None:
        return None
    held = people.load(name).open_tickets.get(people.medium, 0)
    return f"at capacity: {held} of {most} {people.medium}" if held >= most else None


def missing(agent: Agent, need: frozenset[str]) -> list[str]:
    """The skills that an agent lacks, by name. need: in lower case."""
    return sorted(need - {skill.casefold() for skill in agent.skills}) if need else []
