"""Whose phone rings for a call, and in which order: those on duty, level by level from where the ticket is.

Inside a level: who has all the skills first, then who was given something longest ago. Where skills may be relaxed the
others of the level follow; nobody on the phone waits half an hour for that. Whoever the customer knows comes first of all,
of whatever level. Capacity does not count: what keeps a phone from ringing is a call, and the caller says who has one.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import msgspec

from routing import assignment
from routing.duty import Looked, People, look, missing
from routing.people import Skills, Team

_NEVER = datetime.min.replace(tzinfo=UTC)


class Rung(msgspec.Struct, frozen=True):
    """One agent who may be rung. has_all: they have the skills that are asked for."""

    agent: str
    level: str
    has_all: bool = True


def in_order(
    team: Team,
    people: People,
    *,
    level: str | None = None,
    skills: Skills | None = None,
    language: str | None = None,
    known: str | None = None,
    but: AbstractSet[str] = frozenset(),
) -> tuple[Rung, ...]:
    """Everybody who may be rung, each once. level: where the ticket is, None = the first. but: who has a call already.

    known: whom the customer knows. An agent without a phone is not rung.
    """
    need = assignment.needed(skills, language)
    may_lack = skills is None or skills.relax_s is not None
    names = tuple(team.levels)
    first = names.index(level) if level in names else 0
    found: dict[str, Rung] = {}
    for name in names[first:]:
        for each in _of_level(team, name, people, need):
            if each.agent not in but and (each.has_all or may_lack):
                found.setdefault(each.agent, each)
    return tuple(sorted(found.values(), key=lambda each: each.agent != known))


def _of_level(team: Team, level: str, people: People, need: frozenset[str]) -> Iterator[Rung]:
    there = [name for name in look(team, level, people, Looked()) if people.agents[name].phone]
    lacking = {name: bool(missing(people.agents[name], need)) for name in there}
    idle_since = {name: people.load(name).last_assigned_at or _NEVER for name in there}
    for name in sorted(there, key=lambda each: (lacking[each], idle_since[each])):
        yield Rung(name, level, has_all=not lacking[name])
