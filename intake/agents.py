"""Agents as rows: presence, turn and load. Who they are and how they are reached stands in the rulebook."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, select

from intake import instants
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert
from routing import assignment
from routing.assignment import Assignment
from routing.facts import AgentLoad

MAIL = "email"
URGENT = "urgent"

_l = schema.agent_load.c
_s = schema.agent_state.c
_LOADS = Statement(select(_l.name, _l.medium, _l.open_tickets).where(_l.open_tickets > 0))
_STATES = Statement(select(_s.name, _s.is_away, _s.last_assigned_at))
_TURN = Statement(
    upsert(schema.agent_state)
    .values(name=bindparam("name"), is_away=0, last_assigned_at=bindparam("now"))
    .on_conflict_do_update(index_elements=[_s.name], set_={"last_assigned_at": bindparam("now")})
)


def loads(tx: Tx) -> dict[str, AgentLoad]:
    """Return how busy each agent is; an agent without a row has nothing to do and is there."""
    open_tickets: dict[str, dict[str, int]] = {}
    for name, medium, count in tx.all(_LOADS):
        open_tickets.setdefault(name, {})[medium] = count
    found = {name: AgentLoad(open_tickets=counts) for name, counts in open_tickets.items()}
    for name, is_away, last_us in tx.all(_STATES):
        found[name] = AgentLoad(
            open_tickets=open_tickets.get(name, {}),
            away=bool(is_away),
            last_assigned_at=None if last_us is None else instants.datetime_from_us(last_us),
        )
    return found


def note_turn(tx: Tx, agent: str) -> None:
    """Remember that the agent has just been given a ticket."""
    tx.run(_TURN, name=agent, now=tx.now)


def choose(
    tx: Tx,
    context: Context,
    ticket: Ticket,
    *,
    level: str | Sequence[str] | None,
    relaxed: bool = False,
) -> Assignment | None:
    """Return who of the ticket's team gets it; None when the rules no longer have the team. level: as assignment.choose."""
    book = context.rulebook
    team = book.teams.get(ticket.team or "")
    if team is None:
        return None
    return assignment.choose(
        team,
        level=level,
        agents=book.agents,
        loads=loads(tx),
        at=instants.datetime_from_us(tx.now),
        calendars=book.calendars,
        schedules=book.schedules,
        skills=ticket.skills,
        language=ticket.language,
        medium=ticket.medium,
        relaxed=relaxed,
    )


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
    book = context.rulebook
    team = book.teams.get(team_name or "")
    if team is None:
        return ()
    at = instants.datetime_from_us(tx.now)
    present = loads(tx)
    names: dict[str, None] = {}
    for each in (level,) if level else tuple(team.levels):
        names |= dict.fromkeys(
            assignment.on_duty(
                team,
                each,
                agents=book.agents,
                loads=present,
                at=at,
                calendars=book.calendars,
                schedules=book.schedules,
            )
        )
    return tuple(names)
