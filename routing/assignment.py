"""Who gets a ticket: the first level with somebody on duty, there the one with the least to do or the longest wait.

On duty = inside the agent's hours (or on the schedule, for a level that is on call), not away, not at capacity. Skills
choose inside the level: with nobody skilled on duty the ticket waits with the team until they are relaxed. Ties go to
the one assigned longest ago, then to the order written, so that the same facts always give the same agent.

What is fair between equals (one level, the same skills, on duty the same hours):

    round_robin    whoever was given a ticket longest ago is next. Nothing is counted, so nothing is made up for: who
                   comes back from lunch is next once, and then every other time like everybody. Over the hours that
                   equals share, what each is given differs by one at most.
    least_loaded   whoever has the fewest open tickets, of all media and teams together, in absolute numbers: a cap says
                   how much is too much, not how fast somebody works. A ticket so never leaves its agent more than one
                   above an equal who could have had it. Who comes back with fewer than the others gets the next ones
                   until they have as many: that is what least loaded means, it is at most what they have fewer, never
                   more than their capacity, and nobody else's ticket moves because of it.

Load and turns are rows, and turns only ever grow, so that a restart or a clock that was set back changes nobody's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from routing import schedule
from routing.duty import (
    Candidate,
    Looked,
    People,
    absence,
    chain,
    fullness,
    is_on_duty,
    is_open,
    look,
    missing,
    next_duty,
    on_duty,
    stand_in,
)
from routing.people import Skills, Team
from routing.schedule import Schedule

__all__ = [
    "Assignment", "Candidate", "People", "Preferred", "able", "choose", "is_on_duty", "is_open", "named", "needed", "next_duty",
    "on_duty", "stand_in",
]  # fmt: skip

_NEVER = datetime.min.replace(tzinfo=UTC)


class Assignment(msgspec.Struct, frozen=True):
    """agent: None = nobody on duty has the skills, the ticket waits with the team. candidates: in the order looked at.

    full: those who would do and are at capacity. is_left: nobody has it on purpose (`agent: none`), and it waits for nobody.
    """

    agent: str | None
    level: str
    candidates: tuple[Candidate, ...]
    full: tuple[str, ...] = ()
    is_left: bool = False

    @property
    def waits_for(self) -> str | None:
        """Why the ticket waits, as its event names it: capacity_full or nobody_on_duty; None = it does not."""
        if self.agent is not None or self.is_left:
            return None
        return "capacity_full" if self.full else "nobody_on_duty"


class Preferred(msgspec.Struct, frozen=True):
    """Who comes first among those able. why: a few words. anywhere: of whatever level of the team they are.

    last: who comes after all the others, because a ladder took the ticket from them: they get it when nobody else can.
    """

    agent: str = ""
    why: str = ""
    anywhere: bool = False
    last: str | None = None


def choose(
    team: Team,
    people: People,
    *,
    level: str | Sequence[str] | None,
    by: str | None = None,
    skills: Skills | None = None,
    language: str | None = None,
    relaxed: bool = False,
    prefer: Preferred | None = None,
) -> Assignment:
    """The agent for a ticket of the team.

    level: a name, or several in order of preference; None = the first level. With nobody on duty in any of them the
    ticket stays at the first of them that the team has. by: least_loaded or round_robin, None = the team's own.
    language: the ticket's, None = unknown, and then it is no skill to ask for. relaxed: anybody of the level may have
    it, who has the skills comes first. prefer: who gets it before all others, when able.
    """
    need = needed(skills, language)
    return _choose(
        team, level, people, need=need, relaxed=relaxed, by=by or team.assign, prefer=prefer, looked=Looked()
    )


def named(
    name: str,
    team: Team,
    people: People,
    *,
    level: str | Sequence[str] | None,
    skills: Skills | None = None,
    language: str | None = None,
) -> Assignment:
    """The agent for a ticket that is meant for one by name. level: whose turn it is when they cannot have it.

    While they are away their deputy gets it, or that one's, if there. Hours do not count for who is named, capacity
    does. Nobody of them: as usual in the level.
    """
    looked, levels = Looked(), _levels(team, level)
    here = levels[0] if levels else team.first_level
    for each in chain(name, people.agents):
        reason = _unable(each, name, team, people)
        if reason is None:
            why = "named" if each == name else f"stands in for {name}"
            taken = Candidate(each, here, taken=True, reason=f"{why}: {_held(each, people)}")
            return Assignment(each, here, (*looked.candidates, taken))
        looked.candidates.append(Candidate(each, here, taken=False, reason=reason))
        if not _is_absent(each, name, people):
            looked.full.append(each)
            break  # a deputy stands in for who is away, not for who is busy
    need = needed(skills, language)
    return _choose(team, level, people, need=need, relaxed=False, by=team.assign, prefer=None, looked=looked)


def able(
    team: Team, level: str, people: People, *, skills: Skills | None = None, language: str | None = None
) -> tuple[str, ...]:
    """Everybody of a level who could have a ticket at this moment, in the order written."""
    need = needed(skills, language)
    present = look(team, level, people, Looked())
    return tuple(name for name in present if not missing(people.agents[name], need))


def _choose(
    team: Team,
    level: str | Sequence[str] | None,
    people: People,
    *,
    need: frozenset[str],
    relaxed: bool,
    by: str,
    prefer: Preferred | None,
    looked: Looked,
) -> Assignment:
    names = _levels(team, level)
    here = names[0] if names else team.first_level
    known = _known(team, names, people, need, prefer)
    if known is not None:
        return Assignment(known.agent, here, (*looked.candidates, known))
    for name in names:
        present = look(team, name, people, looked)
        if present:
            picked = _pick(
                present, name, people, need=need, relaxed=relaxed, by=by, prefer=prefer, looked=looked
            )
            return _noted(picked, people.schedules.get(team.on_call.get(name, "")), people.at)
    full = tuple(looked.full) if relaxed else looked.skilled(people, need)
    return Assignment(None, here, tuple(looked.candidates), full)


def _known(
    team: Team, names: Sequence[str], people: People, need: frozenset[str], prefer: Preferred | None
) -> Candidate | None:
    """Who is preferred wherever they are, when they are of another level of the team, there and able."""
    if prefer is None or not prefer.anywhere:
        return None
    for level, members in team.levels.items():
        if level in names or prefer.agent not in members:
            continue
        is_there = prefer.agent in look(team, level, people, Looked())
        if is_there and not missing(people.agents[prefer.agent], need):
            reason = f"taken: {prefer.why}, {_held(prefer.agent, people)}"
            return Candidate(prefer.agent, level, taken=True, reason=reason)
    return None


def needed(skills: Skills | None, language: str | None) -> frozenset[str]:
    """The skills asked for, in lower case. language: what "language" stands for, None = unknown, and not asked for."""
    words = (language if word == "language" else word for word in (skills.need if skills else ()))
    return frozenset(word.casefold() for word in words if word)


def _levels(team: Team, level: str | Sequence[str] | None) -> tuple[str, ...]:
    wanted = (team.first_level,) if level is None else (level,) if isinstance(level, str) else tuple(level)
    return tuple(name for name in wanted if name in team.levels)


def _unable(name: str, meant: str, team: Team, people: People) -> str | None:
    """Why a ticket meant for one agent is not for this one of the chain; None = it is."""
    if _is_absent(name, meant, people):
        return absence(name, people) if name in people.agents else "not in the rules"
    return fullness(name, team, people)


def _is_absent(name: str, meant: str, people: People) -> bool:
    if name not in people.agents or people.load(name).away:
        return True
    return name != meant and absence(name, people) is not None


def _pick(
    present: list[str],
    level: str,
    people: People,
    *,
    need: frozenset[str],
    relaxed: bool,
    by: str,
    prefer: Preferred | None,
    looked: Looked,
) -> Assignment:
    """One of those on duty in a level; nobody when skills are needed that none of them has."""
    lacking = {name: missing(people.agents[name], need) for name in present}
    skilled = [name for name in present if not lacking[name]]
    able = skilled or (present if relaxed else [])
    unable = [
        Candidate(name, level, taken=False, reason=f"does not know {', '.join(lacking[name])}")
        for name in present
        if name not in able
    ]
    ranked = _ranked(able, people, by=by, prefer=prefer or Preferred())
    chosen = [_verdict(name, level, people, taken=name == ranked[0], prefer=prefer) for name in ranked]
    candidates = (*looked.candidates, *unable, *chosen)
    full = () if ranked else looked.skilled(people, need)
    return Assignment(ranked[0] if ranked else None, level, candidates, full)


def _noted(picked: Assignment, rota: Schedule | None, at: datetime) -> Assignment:
    """The same, saying why the one who is taken is on call when no layer says so."""
    note = schedule.duty(rota, at).note if rota else ""
    if not note:
        return picked
    candidates = tuple(
        msgspec.structs.replace(each, reason=f"{each.reason}, on call ({note})") if each.taken else each
        for each in picked.candidates
    )
    return msgspec.structs.replace(picked, candidates=candidates)


def _ranked(able: list[str], people: People, *, by: str, prefer: Preferred) -> list[str]:
    def rank(name: str) -> tuple[bool, bool, int, datetime]:
        load = people.load(name)
        open_tickets = 0 if by == "round_robin" else sum(load.open_tickets.values())
        return name == prefer.last, name != prefer.agent, open_tickets, load.last_assigned_at or _NEVER

    return sorted(able, key=rank)


def _verdict(name: str, level: str, people: People, *, taken: bool, prefer: Preferred | None) -> Candidate:
    known = f"{prefer.why}, " if prefer is not None and prefer.agent == name else ""
    verdict = "taken" if taken else "not first in turn"
    return Candidate(name, level, taken=taken, reason=f"{verdict}: {known}{_held(name, people)}")


def _held(name: str, people: People) -> str:
    count = sum(people.load(name).open_tickets.values())
    return f"{count} open ticket{'' if count == 1 else 's'}"
