"""Whose an open ticket becomes: every path ends here, and none of them gives anybody more than their capacity.

    pick         somebody of a level is chosen: new, moved, relaxed, picked up, given back
    pick_named   it is meant for somebody by name: they, their deputy while they are away, else as usual
    give         a person gives it to somebody
    set_status   a ticket that was done is open again: back to whom it was, if there is room
    hand_back    its agent is away: their deputy, somebody of the level, else it waits with the team

A seat is a row's number of open tickets, and is taken by one conditional UPDATE: eight writers that see the last free
one leave one of them with it, and the others choose anew. Who has just been given a ticket is another row, which must
be as it was when the choice was made, presence included: so turns stay fair, and nobody is given a ticket in the moment
they go away. Both rows stay locked until the commit, so that choices of the same agent come one after the other.

A ticket that nobody may have waits: `waits_since` is set, and intake.waiting picks it up when somebody becomes free. A
ticket that was left with nobody on purpose (`agent: none`) does not wait.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, case, cast, func, select

from intake import agents, alarms, events, instants, notices, tickets
from intake.model import OPEN_STATUSES, Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert
from routing.assignment import Assignment, Preferred
from routing.facts import AgentLoad

TRIES = 8
NO_CAP = 2**31
SETTLED_US = 1_000_000  # what waits is looked at so much later: by then whoever became free at this moment has committed

_IDLE = AgentLoad()
_l = schema.agent_load.c
_s = schema.agent_state.c
_others = schema.agent_state.alias("others")
_now = cast(bindparam("now"), BigInteger)
_latest = select(func.coalesce(func.max(_others.c.last_assigned_at), 0)).scalar_subquery()
_next_turn = case((_latest < _now, _now), else_=_latest + 1)
_is_away = case(((_s.is_away == 1) & (_s.away_until.is_(None) | (_s.away_until > _now)), 1), else_=0)
_TURN = Statement(
    upsert(schema.agent_state)
    .values(name=bindparam("name"), is_away=0, last_assigned_at=_next_turn)
    .on_conflict_do_update(
        index_elements=[_s.name],
        set_={"last_assigned_at": _next_turn},
        where=(func.coalesce(_s.last_assigned_at, -1) == bindparam("seen")) & (_is_away == bindparam("away")),
    )
)
_SIT = Statement(
    upsert(schema.agent_load)
    .values(name=bindparam("name"), medium=bindparam("medium"), open_tickets=1)
    .on_conflict_do_update(
        index_elements=[_l.name, _l.medium],
        set_={"open_tickets": _l.open_tickets + 1},
        where=_l.open_tickets < bindparam("most"),
    )
)

Choose = Callable[[Mapping[str, AgentLoad]], Assignment | None]


def pick(
    tx: Tx,
    context: Context,
    ticket: Ticket,
    *,
    level: str | Sequence[str] | None,
    actor: str,
    relaxed: bool = False,
    prefer: Preferred | None = None,
) -> Ticket:
    """Give the ticket to somebody of a level who may have it; with nobody there it stays with whom it is, or waits."""

    def choose(loads: Mapping[str, AgentLoad]) -> Assignment | None:
        return agents.choose(tx, context, ticket, level=level, loads=loads, relaxed=relaxed, prefer=prefer)

    return _placed(tx, context, ticket, choose, actor)


def pick_named(
    tx: Tx, context: Context, ticket: Ticket, name: str, *, level: str | None, actor: str
) -> Ticket:
    """Give the ticket to an agent, or to who stands in for them; else to somebody of the level."""

    def choose(loads: Mapping[str, AgentLoad]) -> Assignment | None:
        return agents.choose_named(tx, context, ticket, name, level=level, loads=loads)

    return _placed(tx, context, ticket, choose, actor)


def pick_up(tx: Tx, context: Context, ticket: Ticket) -> Ticket | None:
    """Give a ticket that waits to whoever may have it by now; None = still nobody, and nothing is written."""
    prefer = Preferred(ticket.prefers, "had it before", anywhere=True) if ticket.prefers else None

    def choose(loads: Mapping[str, AgentLoad]) -> Assignment | None:
        return agents.choose(tx, context, ticket, level=ticket.level, loads=loads, prefer=prefer)

    chosen = _seated(tx, context, ticket, choose)
    if chosen is None or chosen.agent is None:
        return None
    _tell_candidates(tx, ticket, chosen, actor="system")
    return tickets.change(tx, ticket, actor="system", is_seated=True, agent=chosen.agent)


def give(tx: Tx, context: Context, ticket: Ticket, to: str, *, actor: str) -> Ticket | None:
    """Give the ticket to an agent as a person wants it, there or not; None = they hold as many as they may."""
    if ticket.agent == to:
        return ticket
    if ticket.is_open:
        if not _has_room(tx, context, to, team=ticket.team, medium=ticket.medium):
            return None
        tx.run(_TURN, name=to, now=tx.now, **_seen(agents.loads(tx).get(to, _IDLE)))
    return tickets.change(tx, ticket, actor=actor, is_seated=True, agent=to)


def take_turn(tx: Tx, agent: str) -> None:
    """Count that an agent was given something that is no new ticket: a call about one of theirs."""
    tx.run(_TURN, name=agent, now=tx.now, **_seen(agents.loads(tx).get(agent, _IDLE)))


def answered(tx: Tx, context: Context, ticket: Ticket, by: str) -> Ticket:
    """Give a ticket that nobody has to whoever has answered it, where its team wants that and they have room."""
    team = context.rulebook.teams.get(ticket.team or "")
    if team is None or not team.answering or ticket.agent is not None or not ticket.is_open:
        return ticket
    return give(tx, context, ticket, by, actor=f"agent:{by}") or ticket


def sit(tx: Tx, context: Context, agent: str, seen: AgentLoad, *, team: str | None, medium: str) -> bool:
    """Seat an agent who was chosen for an open ticket; false = things have changed since they were seen so."""
    is_their_turn = tx.run(_TURN, name=agent, now=tx.now, **_seen(seen))
    return bool(is_their_turn) and _has_room(tx, context, agent, team=team, medium=medium)


def set_status(
    tx: Tx, context: Context, ticket: Ticket, status: str, *, actor: str, cause: str, text: str = ""
) -> Ticket:
    """Change the status. A ticket that was done goes back to its agent, if they are there and have room; else on.

    cause, text: of the notices to who loses and who gets it.
    """
    is_reopened = status in OPEN_STATUSES and not ticket.is_open
    former = ticket.agent
    if not is_reopened or former is None:
        return tickets.change(tx, ticket, actor=actor, status=status)
    is_there = former in context.rulebook.agents and not agents.state(tx, former).is_gone(ticket.medium)
    if is_there and _has_room(tx, context, former, team=ticket.team, medium=ticket.medium):
        return tickets.change(tx, ticket, actor=actor, is_seated=True, status=status)
    reopened = tickets.change(tx, ticket, actor=actor, status=status)
    placed = pick_named(tx, context, reopened, former, level=reopened.level, actor="system")
    tell(tx, context, ticket, placed, cause=cause, text=text, why=_why_not(tx, former, ticket.medium))
    return placed


def hand_back(tx: Tx, context: Context, ticket: Ticket, *, cause: str, text: str = "") -> Ticket:
    """Take an open ticket from an agent who is away (for its medium) and does not keep what is theirs; as it is then."""
    if (
        not ticket.is_open
        or ticket.agent is None
        or not agents.state(tx, ticket.agent).is_gone(ticket.medium)
    ):
        return ticket
    placed = reassign(tx, context, ticket)
    tell(tx, context, ticket, placed, cause=cause, text=text, why="you are away")
    return placed


def reassign(tx: Tx, context: Context, ticket: Ticket) -> Ticket:
    """Give the ticket of somebody who is away to their deputy, to somebody of the level, or to nobody: then it waits."""
    former = ticket.agent or ""
    freed = tickets.change(tx, ticket, actor="system", agent=None)
    freed = tickets.stamp(tx, freed, waits_since=tx.now, prefers=former)
    return pick_named(tx, context, freed, former, level=freed.level, actor="system")


def tell(
    tx: Tx, context: Context, before: Ticket, after: Ticket, *, cause: str, text: str = "", why: str
) -> None:
    """Send the built-in notices of an assignment that no person made. text: what the customer wrote.

    Who is away is not told: their deputy would read it, who may be the one that has it now.
    """
    if before.agent == after.agent:
        return
    if after.agent is not None and context.notices.assigned:
        headline = f"Ticket {after.ref} is yours now."
        notice = notices.Notice(kind="assigned", headline=headline, cause=cause, quote=text)
        notices.send(tx, context, after, after.agent, notice)
    is_told = before.agent is not None and not agents.state(tx, before.agent).is_away
    if before.agent is not None and is_told and context.notices.taken:
        headline = f"Ticket {after.ref} is not yours any more ({why})."
        notice = notices.Notice(kind="taken", headline=headline, cause=cause, quote=text)
        notices.send(tx, context, after, before.agent, notice)


def wait(tx: Tx, ticket: Ticket, chosen: Assignment) -> Ticket:
    """Note that the ticket waits for somebody of its team, and why."""
    tell_waiting(tx, ticket, chosen.waits_for, chosen.level)
    return tickets.stamp(tx, ticket, waits_since=ticket.waits_since or tx.now)


def tell_waiting(tx: Tx, ticket: Ticket, why: str | None, level: str | None) -> None:
    """Write the event of an assignment that found nobody: capacity_full or nobody_on_duty."""
    if why is not None:
        events.of_ticket(tx, ticket, why, team=ticket.team, level=level)
        alarms.ring(tx, tickets.WAITING, tx.now + SETTLED_US)


def _placed(tx: Tx, context: Context, ticket: Ticket, choose: Choose, actor: str) -> Ticket:
    chosen = _seated(tx, context, ticket, choose)
    if chosen is None:
        return ticket
    _tell_candidates(tx, ticket, chosen, actor=actor)
    if chosen.agent is not None:
        return tickets.change(tx, ticket, actor=actor, is_seated=True, level=chosen.level, agent=chosen.agent)
    moved = tickets.change(tx, ticket, actor=actor, level=chosen.level)
    return wait(tx, moved, chosen) if moved.agent is None else moved


def _seated(tx: Tx, context: Context, ticket: Ticket, choose: Choose) -> Assignment | None:
    """Choose until whoever is chosen could be seated; None when the rules no longer have the team."""
    chosen = None
    for _ in range(TRIES):
        loads = agents.loads(tx)
        chosen = choose(loads)
        if chosen is None or chosen.agent is None or chosen.agent == ticket.agent or not ticket.is_open:
            return chosen
        load = loads.get(chosen.agent, _IDLE)
        if sit(tx, context, chosen.agent, load, team=ticket.team, medium=ticket.medium):
            return chosen
    return None if chosen is None else msgspec.structs.replace(chosen, agent=None)


def _has_room(tx: Tx, context: Context, agent: str, *, team: str | None, medium: str) -> bool:
    """Take a seat of the agent for a ticket of a medium; false = they hold as many as the ticket's team lets them."""
    most = context.rulebook.teams[team].most(medium) if team in context.rulebook.teams else None
    return bool(tx.run(_SIT, name=agent, medium=medium, most=NO_CAP if most is None else most))


def _why_not(tx: Tx, agent: str, medium: str) -> str:
    return "you are away" if agents.state(tx, agent).is_gone(medium) else "you hold as many as you may"


def _seen(load: AgentLoad) -> dict[str, Any]:
    last = load.last_assigned_at
    return {"seen": -1 if last is None else instants.us_from_datetime(last), "away": int(load.away)}


def _tell_candidates(tx: Tx, ticket: Ticket, chosen: Assignment, *, actor: str) -> None:
    """Keep who was looked at, and why each was taken or passed over."""
    events.of_ticket(
        tx, ticket, "agents_compared", actor=actor, agent=chosen.agent, candidates=chosen.candidates
    )


def is_full(tx: Tx, context: Context, ticket: Ticket, agent: str) -> bool:
    """Whether the agent holds as many tickets of this medium as the ticket's team lets them."""
    team = context.rulebook.teams.get(ticket.team or "")
    most = team.most(ticket.medium) if team else None
    held = agents.loads(tx).get(agent, _IDLE).open_tickets.get(ticket.medium, 0)
    return most is not None and held >= most


def why_full(tx: Tx, context: Context, ticket: Ticket, agent: str) -> str:
    """Say, in one sentence, that an agent may get no more, and who else could have the ticket now."""
    team = context.rulebook.teams[ticket.team or ""]
    loads = agents.loads(tx)
    held = loads.get(agent, _IDLE).open_tickets.get(ticket.medium, 0)
    others = [name for name in agents.able(tx, context, ticket, loads=loads) if name != agent]
    could = (
        f"{' or '.join(others)} could take it" if others else f"nobody else of {team.name} could take it now"
    )
    return f"{agent} has {held} of {team.capacity.get(ticket.medium, held)} {ticket.medium} tickets: {could}"
