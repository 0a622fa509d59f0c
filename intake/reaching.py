"""Whom a notice reaches now, and who was passed over and why: people are looked up at the moment it is written."""

from collections.abc import Iterable

import msgspec

from intake import agents, instants, oncall
from intake.model import Context, Ticket
from intake.store.engine import Tx
from routing import assignment, duty
from routing.people import Agent, Team

MAIL = "email"
URGENT = "urgent"
_ASSIGNEE = ("assignee", "agent")


class Skipped(msgspec.Struct, frozen=True):
    """An agent who was meant and is not told. reason: a few words."""

    agent: str
    reason: str


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a notice reaches. addresses: address -> agent's name, "" for a bare address. refused: ways nothing can go.

    why_nobody: what stands against it where there is nobody to look at, "" = the skipped ones tell.
    """

    addresses: dict[str, str]
    refused: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    why_nobody: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The agents who are told, sorted."""
        return tuple(sorted(name for name in self.addresses.values() if name))


def reached(tx: Tx, context: Context, ticket: Ticket, target: str, *, by: str | None = None) -> Reach:
    """Return whom a notice to target reaches now, by mail: the one way that this configuration can go.

    target: "assignee", "team", a team's, a level's or an agent's name, or an address. by: a way, "urgent" = each
    agent's own order of ways, None = by mail.
    """
    if "@" in target:
        return Reach(addresses={target: ""})
    names, skipped, why_nobody = _meant(tx, context, ticket, target)
    addresses: dict[str, str] = {}
    refused: dict[str, None] = {}
    for name in names:
        agent = context.rulebook.agents.get(name)
        if agent is None:
            skipped.append(Skipped(name, "not in the rules any more"))
            continue
        ways = (agent.urgent or (MAIL,)) if by == URGENT else (by or MAIL,)
        refused |= {way: None for way in ways if way != MAIL}
        if MAIL in ways and agent.email:
            addresses[agent.email] = name
        else:
            skipped.append(Skipped(name, _why_not_reached(agent, ways)))
    return Reach(addresses=addresses, refused=tuple(refused), skipped=tuple(skipped), why_nobody=why_nobody)


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


def _why_not_reached(agent: Agent, ways: Iterable[str]) -> str:
    others = [way for way in ways if way != MAIL]
    if others:
        return f"nothing in this configuration reaches agents by {' or '.join(others)}"
    return "the rules name no email address"
