"""Agents as rows: presence, turn and load. Who they are stands in the rulebook, how they are reached in intake.reaching."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import bindparam, func, select

from intake import events, instants, medium_presence, oncall
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert
from routing import assignment
from routing.assignment import Assignment, People, Preferred
from routing.facts import AgentLoad

_l = schema.agent_load.c
_s = schema.agent_state.c
_LOADS = Statement(select(_l.name, _l.medium, _l.open_tickets).where(_l.open_tickets > 0))
_t = schema.tickets.c
_COUNT = Statement(
    select(_t.agent, _t.medium, func.count())
    .where(_t.agent.is_not(None), _t.solved_at.is_(None))
    .group_by(_t.agent, _t.medium)
)
_PUT_RIGHT = Statement(
    upsert(schema.agent_load)
    .values(name=bindparam("name"), medium=bindparam("medium"), open_tickets=bindparam("counted"))
    .on_conflict_do_update(
        index_elements=[_l.name, _l.medium],
        set_={"open_tickets": bindparam("counted")},
        where=_l.open_tickets == bindparam("kept"),  # else it has just changed, and was looked at too early
    )
)
_STATES = Statement(select(_s.name, _s.is_away, _s.away_until, _s.last_assigned_at, _s.media))
_STATE = Statement(
    select(_s.is_away, _s.is_keeping, _s.away_since, _s.away_until, _s.media).where(
        _s.name == bindparam("name")
    )
)


class State(msgspec.Struct, frozen=True):
    """Whether an agent is away at this moment. is_keeping: nothing of theirs goes to others meanwhile.

    since, until: microseconds UTC; until None = until they say that they are back. media: medium -> "busy" or "away".
    """

    is_away: bool = False
    is_keeping: bool = False
    since: int | None = None
    until: int | None = None
    media: dict[str, str] = {}

    def is_gone(self, medium: str) -> bool:
        """Whether they let go of what comes up meanwhile on a ticket of a medium."""
        return (self.is_away and not self.is_keeping) or self.media.get(medium) == "away"


def state(tx: Tx, name: str) -> State:
    """Return where an agent is; one of whom nothing was said is there."""
    row = tx.one(_STATE, name=name)
    if row is None:
        return State()
    media = medium_presence.holding(row[4], now_us=tx.now)
    if not row[0] or (row[3] is not None and row[3] <= tx.now):
        return State(media=media)
    return State(is_away=True, is_keeping=bool(row[1]), since=row[2], until=row[3], media=media)


def loads(tx: Tx) -> dict[str, AgentLoad]:
    """Return how busy each agent is; an agent without a row has nothing to do and is there."""
    open_tickets: dict[str, dict[str, int]] = {}
    for name, medium, count in tx.all(_LOADS):
        open_tickets.setdefault(name, {})[medium] = count
    found = {name: AgentLoad(open_tickets=counts) for name, counts in open_tickets.items()}
    for name, is_away, until_us, last_us, media in tx.all(_STATES):
        found[name] = AgentLoad(
            open_tickets=open_tickets.get(name, {}),
            away=bool(is_away) and (until_us is None or until_us > tx.now),
            last_assigned_at=None if last_us is None else instants.datetime_from_us(last_us),
            presence=medium_presence.holding(media, now_us=tx.now),
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
        everybody,
        level=level,
        skills=ticket.skills,
        language=ticket.language,
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


class Recounted(msgspec.Struct, frozen=True):
    """A count that was not right. kept: what it said; counted: what there is."""

    agent: str
    medium: str
    kept: int
    counted: int


def recount(tx: Tx) -> list[Recounted]:
    """Put right what is kept of how many open tickets each agent has; what was wrong."""
    kept = {(name, medium): count for name, medium, count in tx.all(_LOADS)}
    counted = {(name, medium): count for name, medium, count in tx.all(_COUNT)}
    wrong = [
        Recounted(*pair, kept.get(pair, 0), counted.get(pair, 0))
        for pair in sorted(kept.keys() | counted.keys())
        if kept.get(pair, 0) != counted.get(pair, 0)
    ]
    for each in wrong:
        tx.run(_PUT_RIGHT, name=each.agent, medium=each.medium, kept=each.kept, counted=each.counted)
        events.record(tx, "agent_load_repaired", **msgspec.structs.asdict(each))
    return wrong
