"""Agents as rows: presence, turn and load. Who they are and how they are reached stands in the rulebook."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import bindparam, select

from intake import instants, oncall
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import assignment
from routing.assignment import Assignment, People, Preferred
from routing.facts import AgentLoad

MAIL = "email"
URGENT = "urgent"

_l = schema.agent_load.c
_s = schema.agent_state.c
_LOADS = Statement(select(_l.name, _l.medium, _l.open_tickets).where(_l.open_tickets > 0))
_STATES = Statement(select(_s.name, _s.is_away, _s.away_until, _s.last_assigned_at))
_STATE = Statement(
    select(_s.is_away, _s.is_keeping, _s.away_since, _s.away_until).where(_s.name == bindparam("name"))
)


class State(msgspec.Struct, frozen=True):
    """Whether an agent is away at this moment. is_keeping: nothing of theirs goes to others meanwhile.

    since, until: microseconds UTC; until None = until they say that they are back.
    """

    is_away: bool = False
    is_keeping: bool = False
    since: int | None = None
    until: int | None = None


def state(tx: Tx, name: str) -> State:
    """Return where an agent is; one of whom nothing was said is there."""
    row = tx.one(_STATE, name=name)
    if row is None or not row[0] or (row[3] is not None and row[3] <= tx.now):
        return State()
    return State(is_away=True, is_keeping=bool(row[1]), since=row[2], until=row[3])


def loads(tx: Tx) -> dict[str, AgentLoad]:
    """Return how busy each agent is; an agent without a row has nothing to do and is there."""
    open_tickets: dict[str, dict[str, int]] = {}
    for name, medium, count in tx.all(_LOADS):
        open_tickets.setdefault(name, {})[medium] = count
    found = {name: AgentLoad(open_tickets=counts) for name, counts in open_tickets.items()}
    for name, is_away, until_us, last_us in tx.all(_STATES):
        found[name] = AgentLoad(
            open_tickets=open_tickets.get(name, {}),
            away=bool(is_away) and (until_us is None or until_us > tx.now),
            last_assigned_at=None if last_us is None else instants.datetime_from_us(last_us),
        )
    return found


def people(tx: Tx, context: Context, *, loads: Mapping[str, AgentLoad], medium: str | None = None) -> People:
    """Return everybody as they are at this moment. medium: whose capacity counts, None = capacity does not."""
    book = context.rulebook
    now = instants.datetime_from_us(tx.now)
    return People(book.agents, loads, now, book.calendars, oncall.schedules(tx, context), medium)


def choose(
    tx: Tx,
    context: Context,
    ticket: Ticket,
    *,
    level: str | Sequence[str] | None,
    loads: Mapping[str, AgentLoad],
    relaxed: bool = False,
    prefer: Preferred | None = None,
) -> Assignment | None:
    """Return who of the ticket's team gets it; None when the rules no longer have the team. level: as assignment.choose."""
    team = context.rulebook.teams.get(ticket.team or "")
    if team is None:
        return None
    everybody = people(tx, context, loads=loads, medium=ticket.medium)
    return assignment.choose(
        team,
        level=level,
        agents=everybody.agents,
        loads=loads,
        at=everybody.at,
        calendars=everybody.calendars,
        schedules=everybody.schedules,
        skills=ticket.skills,
        language=ticket.language,
        medium=ticket.medium,
        relaxed=relaxed,
        prefer=prefer,
    )


def choose_named(
    tx: Tx, context: Context, ticket: Ticket, name: str, *, level: str | None, loads: Mapping[str, AgentLoad]
) -> Assignment | None:
    """Return who gets a ticket that is meant for an agent; None when the rules no longer have the team."""
    team = context.rulebook.teams.get(ticket.team or "")
    if team is None:
        return None
    everybody = people(tx, context, loads=loads, medium=ticket.medium)
    return assignment.named(
        name, team, everybody, level=level, skills=ticket.skills, language=ticket.language
    )


def able(tx: Tx, context: Context, ticket: Ticket, *, loads: Mapping[str, AgentLoad]) -> tuple[str, ...]:
    """Return who of the ticket's team could have it at this moment: of its level, else of the others."""
    team = context.rulebook.teams.get(ticket.team or "")
    if team is None:
        return ()
    everybody = people(tx, context, loads=loads, medium=ticket.medium)
    levels = [ticket.level or "", *team.levels]
    found = (
        assignment.able(team, level, everybody, skills=ticket.skills, language=ticket.language)
        for level in levels
    )
    return next((names for names in found if names), ())


class Reach(msgspec.Struct, frozen=True):
    """Whom a notice reaches. addresses: address -> agent's name, "" for a bare address. refused: ways nothing can go."""

    addresses: dict[str, str]
    refused: tuple[str, ...] = ()


def reached(tx: Tx, context: Context, ticket: Ticket, target: str, *, by: str | None = None) -> Reach:
    """Return whom a notice to target reaches now, by mail: the one way that this configuration can go.

    target: "assignee", "team", a team's, a level's or an agent's name, or an address. by: a way, "urgent" = each
    agent's own order of ways, None = by mail.
    """
    if "@" in target:
        return Reach({target: ""})
    book = context.rulebook
    addresses: dict[str, str] = {}
    refused: dict[str, None] = {}
    for name in _names(tx, context, ticket, target):
        agent = book.agents.get(name)
        if agent is None:
            continue
        ways = (agent.urgent or (MAIL,)) if by == URGENT else (by or MAIL,)
        refused |= {way: None for way in ways if way != MAIL}
        if MAIL in ways and agent.email:
            addresses[agent.email] = name
    return Reach(addresses, tuple(refused))


def _names(tx: Tx, context: Context, ticket: Ticket, target: str) -> tuple[str, ...]:
    book = context.rulebook
    if target in ("assignee", "agent"):
        return (_stand_in(tx, context, ticket.agent),) if ticket.agent else ()
    if target in book.agents:
        return (_stand_in(tx, context, target),)
    if target in book.teams:
        return _on_duty(tx, context, target, None)
    if target == "team":
        return _on_duty(tx, context, ticket.team, None)
    return _on_duty(tx, context, ticket.team, target)


def _stand_in(tx: Tx, context: Context, name: str) -> str:
    agent = context.rulebook.agents.get(name)
    if agent is None or agent.deputy is None:
        return name
    return assignment.stand_in(name, agents=context.rulebook.agents, loads=loads(tx))


def _on_duty(tx: Tx, context: Context, team_name: str | None, level: str | None) -> tuple[str, ...]:
    team = context.rulebook.teams.get(team_name or "")
    if team is None:
        return ()
    everybody = people(tx, context, loads=loads(tx))
    names: dict[str, None] = {}
    for each in (level,) if level else tuple(team.levels):
        names |= dict.fromkeys(
            assignment.on_duty(
                team,
                each,
                agents=everybody.agents,
                loads=everybody.loads,
                at=everybody.at,
                calendars=everybody.calendars,
                schedules=everybody.schedules,
            )
        )
    return tuple(names)
