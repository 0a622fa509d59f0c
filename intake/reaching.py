"""Whom a notice reaches now, and by which ways; who was passed over and why: looked up at the moment it is written.

A way is how an agent is told, not what a customer writes by: mail, a text, a call. It can be gone when some account here
carries it and the rules name where it leads to. Several are tried one after the other: see intake.paging.
"""

from collections.abc import Iterable

import msgspec

from intake import agents, instants, oncall, outgoing
from intake.model import Context, Ticket
from intake.store.engine import Tx
from routing import assignment, duty
from routing.people import WAYS, Agent, Team

MAIL, TEXT, CALL = "email", "sms", "call"
URGENT = "urgent"
MEDIA = {MAIL: "email", TEXT: "sms", CALL: "voice"}
"""Way -> the medium of the account that carries it; nothing carries the others."""
_ASSIGNEE = ("assignee", "agent")


class Skipped(msgspec.Struct, frozen=True):
    """An agent who was meant and is not told. reason: a few words."""

    agent: str
    reason: str


class Reached(msgspec.Struct, frozen=True):
    """Somebody whom a notice reaches. name: "" = a bare address. where: way -> address or number, in their own order."""

    name: str
    where: dict[str, str]

    @property
    def ways(self) -> tuple[str, ...]:
        return tuple(self.where)


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a notice reaches. refused: ways that nothing here can go.

    why_nobody: what stands against it where there is nobody to look at, "" = the skipped ones tell.
    """

    people: tuple[Reached, ...] = ()
    refused: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    why_nobody: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The agents who are told, sorted."""
        return tuple(sorted(each.name for each in self.people if each.name))


def ways(context: Context) -> frozenset[str]:
    """Return the ways that some account here can go."""
    return frozenset(way for way, medium in MEDIA.items() if outgoing.first_of(context, medium) is not None)


def reached(tx: Tx, context: Context, ticket: Ticket, target: str, *, by: str | None = None) -> Reach:
    """Return whom a notice to target reaches now, and how.

    target: "assignee", "team", a team's, a level's or an agent's name, or an address. by: a way, "urgent" = each
    agent's own order of ways, None = by mail.
    """
    if "@" in target:
        return Reach(people=(Reached("", {MAIL: target}),))
    names, skipped, why_nobody = _meant(tx, context, ticket, target)
    here = ways(context)
    people: list[Reached] = []
    refused: dict[str, None] = {}
    for name in names:
        agent = context.rulebook.agents.get(name)
        if agent is None:
            skipped.append(Skipped(name, "not in the rules any more"))
            continue
        asked = ways_of(agent, by)
        refused |= {way: None for way in asked if way not in here}
        where = {way: led for way in asked if way in here and (led := leads_to(agent, way))}
        if where:
            people.append(Reached(name, where))
        else:
            skipped.append(Skipped(name, why_not(agent, asked, here)))
    return Reach(people=tuple(people), refused=tuple(refused), skipped=tuple(skipped), why_nobody=why_nobody)


def ways_of(agent: Agent, by: str | None) -> tuple[str, ...]:
    """Return the ways to try, in order. by: as of `reached`."""
    return (agent.urgent or (MAIL,)) if by == URGENT else (by or MAIL,)


def leads_to(agent: Agent, way: str) -> str | None:
    """Return the address or number that the rules name for a way; None = none."""
    return agent.email if way == MAIL else agent.phone if way in (TEXT, CALL) else None


def why_not(agent: Agent, asked: Iterable[str], here: frozenset[str]) -> str:
    """Say why none of the asked ways reaches an agent. here: the ways that can be gone."""
    missing = [way for way in asked if way not in here]
    if missing:
        return f"nothing in this configuration reaches agents by {' or '.join(missing)}"
    lacks = ["phone number" if way in (TEXT, CALL) else "email address" for way in asked if way in WAYS]
    return f"the rules name no {' and no '.join(dict.fromkeys(lacks))}"


def _meant(
    tx: Tx, context: Context, ticket: Ticket, target: str
) -> tuple[tuple[str, ...], list[Skipped], str]:
    """Return who is meant and on duty, who is meant and is not, and why there is nobody of whom either could be said."""
    book = context.rulebook
    named = ticket.agent if target in _ASSIGNEE else target if target in book.agents else None
    if named is not None:
        stand_in = _stand_in(tx, context, named)
        skipped = [] if stand_in == named else [Skipped(named, f"away: {stand_in} stands in")]
        return (stand_in,), skipped, ""
    if target in _ASSIGNEE:
        return (), [], "the ticket has no agent"
    team_name, level = (target, None) if target in book.teams else (ticket.team, target)
    team = book.teams.get(team_name or "")
    if team is None:
        return (), [], "the rules have no such team any more" if team_name else "the ticket has no team"
    if level not in (None, "team") and level not in team.levels:
        return (), [], f"team {team.name} has no level {level}"
    return _on_duty(tx, context, team, tuple(team.levels) if level in (None, "team") else (str(level),))


def _stand_in(tx: Tx, context: Context, name: str) -> str:
    agent = context.rulebook.agents.get(name)
    if agent is None or agent.deputy is None:
        return name
    return assignment.stand_in(name, agents=context.rulebook.agents, loads=agents.loads(tx))


def _on_duty(
    tx: Tx, context: Context, team: Team, levels: Iterable[str]
) -> tuple[tuple[str, ...], list[Skipped], str]:
    book, now = context.rulebook, instants.datetime_from_us(tx.now)
    rotas = oncall.schedules(tx, context)
    people = duty.People(book.agents, agents.loads(tx), now, book.calendars, rotas)
    looked = duty.Looked()
    names = dict.fromkeys(name for level in levels for name in duty.look(team, level, people, looked))
    passed = {each.agent: each.reason for each in looked.candidates if each.agent not in names}
    return tuple(names), [Skipped(name, reason) for name, reason in passed.items()], ""
