"""Agents as they are at this moment: where, how busy, since and until when. Reads only."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select

from intake import agents, instants
from intake.model import Context
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import assignment, schedule
from routing.calendar import Calendar
from routing.people import Agent, Team
from routing.rulebook import Rulebook

FAR = timedelta(days=62)  # hours that do not end within it are not said to end

_t = schema.tickets.c
_WAITING = Statement(
    select(_t.team, func.count()).where(_t.waits_since.is_not(None), _t.solved_at.is_(None)).group_by(_t.team)
)


class Held(msgspec.Struct, frozen=True):
    """Open tickets of one medium. capacity: team -> how many it lets the agent hold; a team that is not named: any number."""

    open: int
    capacity: dict[str, int]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One agent. levels: "team/level". until: when the duty ends, or the absence; None = nobody knows, or never.

    next_at: when they are on duty next, None = they are, or nobody knows. is_removed: the rules no longer name them.
    presence: medium -> "busy" or "away", of media that they take nothing new of.
    """

    name: str
    levels: tuple[str, ...]
    is_on_duty: bool
    is_away: bool
    until: datetime | None
    next_at: datetime | None
    load: dict[str, Held]
    skills: tuple[str, ...]
    deputy: str | None
    is_keeping: bool = False
    is_removed: bool = False
    presence: dict[str, str] = {}


def everybody(tx: Tx, context: Context) -> list[Shown]:
    """Return every agent of the rules in their order, then those who are gone from the rules and still hold tickets."""
    loads = agents.loads(tx)
    people = agents.people(tx, context, loads=loads)
    book = context.rulebook
    shown = [_shown(tx, book, each, people) for each in book.agents.values()]
    gone = [name for name, load in loads.items() if name not in book.agents and load.open_tickets]
    return [*shown, *(_gone(name, people) for name in sorted(gone))]


def waiting(tx: Tx) -> dict[str, int]:
    """Return team -> how many tickets wait for somebody of it."""
    return {team or "": count for team, count in tx.all(_WAITING)}


def as_json(shown: Shown) -> dict[str, Any]:
    """Return the public keys."""
    return {
        "name": shown.name,
        "levels": list(shown.levels),
        "on_duty": shown.is_on_duty,
        "away": shown.is_away,
        "until": instants.rfc3339(shown.until) if shown.until else None,
        "next": instants.rfc3339(shown.next_at) if shown.next_at else None,
        "keeps": shown.is_keeping,
        "load": {medium: msgspec.to_builtins(held) for medium, held in shown.load.items()},
        "skills": list(shown.skills),
        "deputy": shown.deputy,
        "in_rules": not shown.is_removed,
        "presence": shown.presence,
    }


def _shown(tx: Tx, book: Rulebook, agent: Agent, people: assignment.People) -> Shown:
    teams = [team for team in book.teams.values() if any(agent.name in each for each in team.levels.values())]
    state = agents.state(tx, agent.name)
    is_there = assignment.is_on_duty(agent.name, people, teams=book.teams.values())
    back_at = instants.datetime_from_us(state.until) if state.until is not None else None
    begins = back_at or people.at if state.is_away else people.at
    return Shown(
        name=agent.name,
        levels=tuple(_levels(agent.name, teams)),
        is_on_duty=is_there,
        is_away=state.is_away,
        until=back_at if state.is_away else _ends(agent, teams, people) if is_there else None,
        next_at=None
        if is_there or (state.is_away and not back_at)
        else _begins(agent, teams, people, begins),
        load=_load(agent.name, teams, people),
        skills=agent.skills,
        deputy=agent.deputy,
        is_keeping=state.is_keeping,
        presence=state.media,
    )


def _gone(name: str, people: assignment.People) -> Shown:
    return Shown(
        name=name,
        levels=(),
        is_on_duty=False,
        is_away=False,
        until=None,
        next_at=None,
        load=_load(name, [], people),
        skills=(),
        deputy=None,
        is_removed=True,
    )


def _levels(name: str, teams: list[Team]) -> Iterator[str]:
    return (
        f"{team.name}/{level}" for team in teams for level, members in team.levels.items() if name in members
    )


def _load(name: str, teams: list[Team], people: assignment.People) -> dict[str, Held]:
    """Return medium -> what they hold of it, for each medium that has a cap or an open ticket."""
    open_tickets = people.load(name).open_tickets
    media = dict.fromkeys((*(medium for team in teams for medium in team.capacity), *open_tickets))
    return {
        medium: Held(
            open_tickets.get(medium, 0),
            {team.name: team.capacity[medium] for team in teams if medium in team.capacity},
        )
        for medium in media
    }


def _ends(agent: Agent, teams: list[Team], people: assignment.People) -> datetime | None:
    """Return when somebody who is on duty is so no more: their hours end, else their shift."""
    hours = people.calendars[agent.hours] if agent.hours is not None else None
    if hours is None or hours.is_open(people.at):
        return closes(hours, people.at) if hours is not None else None
    shifts = [each for each in _rotas(teams, people) if schedule.on_call(each, people.at) == agent.name]
    ends = [end for each in shifts if (end := schedule.next_handover(each, people.at)) is not None]
    return max(ends, default=None)


def _begins(agent: Agent, teams: list[Team], people: assignment.People, at: datetime) -> datetime | None:
    """Return when the hours or a shift of somebody begin, from an instant on."""
    if agent.hours is None:
        return at
    found = [people.calendars[agent.hours].next_open(at)]
    for rota in _rotas(teams, people):
        shifts = schedule.shifts(rota, at, at + FAR)
        found += [start for start, name in shifts if name == agent.name][:1]
    return min(found)


def _rotas(teams: list[Team], people: assignment.People) -> list[schedule.Schedule]:
    names = dict.fromkeys(name for team in teams for name in team.on_call.values())
    return [people.schedules[name] for name in names if name in people.schedules]


def closes(calendar: Calendar, at: datetime) -> datetime | None:
    """Return the end of the open time that an instant lies in, to the minute; None = not within two months."""
    low, high = at, at + FAR
    if _is_open_through(calendar, at, high):
        return None
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if _is_open_through(calendar, at, middle) else (low, middle)
    return high.replace(second=0, microsecond=0)


def _is_open_through(calendar: Calendar, start: datetime, end: datetime) -> bool:
    return calendar.open_between(start, end) >= (end - start).total_seconds()
