"""Agents go away and come back. What they leave behind goes on without them.

Going away moves their tickets that wait for us (new, open): to their deputy when there, else to somebody of the level,
else they wait with the team. What waits for others (pending, on hold) stays with them, and goes on when the customer
writes. With `keep` nothing moves. Which tickets those are is written down when they go; each is then moved once, in a
transaction of its own, and both sides get one mail with a list. A move that was cut off goes on with what is left.

Coming back gives nothing back: whoever has a ticket by then keeps it. What still waits is picked up (intake.waiting), by
who had it before first. Away until an instant ends by itself. This is a clockwork (intake.clockworks).
"""

import logging
from collections.abc import Iterator
from typing import Literal

import msgspec
from sqlalchemy import BigInteger, bindparam, case, cast, func, select

from intake import (
    agents,
    away_letters,
    events,
    failpoints,
    instants,
    promised_text,
    quiet,
    reactions,
    seating,
    tickets,
)
from intake.model import Context
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement, upsert
from routing import moment_text
from routing.rulebook import Rulebook
from routing.targets import PRIORITIES

KIND = "presence"
PAGE = 50

log = logging.getLogger("intake.presence")

Outcome = Literal["moved", "waiting", "stayed"]

_s = schema.agent_state.c
_m = schema.away_moves.c
_t = schema.tickets.c
_AWAY = Statement(
    upsert(schema.agent_state)
    .values(
        name=bindparam("name"),
        is_away=1,
        away_since=bindparam("now"),
        away_until=bindparam("until"),
        is_keeping=bindparam("is_keeping"),
    )
    .on_conflict_do_update(
        index_elements=[_s.name],
        set_={
            "is_away": 1,
            "away_since": case((_s.is_away == 1, _s.away_since), else_=bindparam("now")),
            "away_until": bindparam("until"),
            "is_keeping": bindparam("is_keeping"),
        },
    )
)
_BACK = Statement(
    schema.agent_state.update()
    .where(_s.name == bindparam("of_agent"), _s.is_away == 1)
    .values(is_away=0, away_since=None, away_until=None, is_keeping=0)
)
_ENDED = Statement(
    select(_s.name).where(_s.is_away == 1, _s.away_until <= bindparam("now")).order_by(_s.away_until)
)
_NEXT = Statement(select(func.min(_s.away_until)).where(_s.is_away == 1))
_rank = case({name: place for place, name in enumerate(reversed(PRIORITIES))}, value=_t.priority, else_=9)
_PLAN = Statement(
    upsert(schema.away_moves)
    .from_select(
        ["agent", "ticket_id", "since"],
        select(_t.agent, _t.id, cast(bindparam("now"), BigInteger)).where(
            _t.agent == bindparam("of_agent"),
            _t.solved_at.is_(None),
            (_t.status == "new") | (_t.status == "open"),
        ),
    )
    .on_conflict_do_update(
        index_elements=[_m.agent, _m.ticket_id], set_={"state": "pending", "since": bindparam("now")}
    )
)
_ANY_MOVE = Statement(select(_m.since).limit(1))
_PENDING = Statement(
    select(_m.agent, _m.ticket_id)
    .join(schema.tickets, _t.id == _m.ticket_id)
    .where(_m.state == "pending")
    .order_by(_rank, _m.ticket_id)
    .limit(bindparam("most"))
)
_CLAIM = Statement(
    schema.away_moves.update()
    .where(
        _m.agent == bindparam("of_agent"),
        _m.ticket_id == bindparam("of_ticket"),
        _m.state == "pending",
    )
    .values(state="stayed")
)
_STAY = Statement(
    schema.away_moves.update()
    .where(_m.agent == bindparam("of_agent"), _m.state == "pending")
    .values(state="stayed")
)
_LEAVERS = Statement(select(_m.agent).group_by(_m.agent))


class Left(msgspec.Struct, frozen=True):
    """What was said of an agent. tickets: how many go on without them; 0 when they keep what is theirs."""

    name: str
    until: int | None
    tickets: int


def until_us(context: Context, name: str, said: str, *, now_us: int) -> int:
    """Return a moment as an agent says it, in the zone of their hours, else of those of a colleague in their team, else UTC.

    Microseconds UTC. Raises: moment_text.NoMoment.
    """
    now = instants.datetime_from_us(now_us)
    zone = promised_text.zone_of_people(context.rulebook, (name, *_colleagues(context.rulebook, name)))
    return instants.us_from_datetime(moment_text.moment_from(said, now=now, zone=zone))


def _colleagues(book: Rulebook, name: str) -> Iterator[str]:
    for team in book.teams.values():
        names = [each for level in team.levels.values() for each in level]
        if name in names:
            yield from names


def go(tx: Tx, context: Context, name: str, *, until_us: int | None, keep: bool, by: str) -> Left:
    """Note that an agent is away, and which of their tickets go on. until_us: None = until they say they are back."""
    tx.run(_AWAY, name=name, now=tx.now, until=until_us, is_keeping=int(keep))
    planned = 0 if keep else tx.run(_PLAN, of_agent=name, now=tx.now)
    if keep:
        tx.run(_STAY, of_agent=name)
    until = instants.rfc3339_from_us(until_us)
    events.record(
        tx, "agent_away", actor=f"agent:{by}", agent=name, until=until, is_keeping=keep, tickets=planned
    )
    tx.signal("timers", tx.now if planned else until_us or tx.now)
    return Left(name, until_us, planned)


def come_back(tx: Tx, name: str, *, by: str | None) -> bool:
    """Note that an agent is there again; false = they were not away. by: None = the time they named is over."""
    if not tx.run(_BACK, of_agent=name):
        return False
    tx.run(_STAY, of_agent=name)
    actor = "system" if by is None else f"agent:{by}"
    events.record(tx, "agent_back", actor=actor, agent=name)
    tickets.somebody_is_free(tx)
    return True


def next_due(tx: Tx) -> int | None:
    """Return when somebody's absence ends, microseconds UTC; tickets to be moved are due since they went."""
    moves, ends = tx.one(_ANY_MOVE), tx.one(_NEXT)
    return min((row[0] for row in (moves, ends) if row and row[0] is not None), default=None)


async def run_due(store: Store, context: Context) -> int:
    """End absences that are over, move what is left behind, and tell both sides; how many moves. Raises: StoreError."""
    for (name,) in await store.read(lambda tx: tx.all(_ENDED, now=tx.now)):
        await store.write(lambda tx, name=name: _end(tx, name))  # type: ignore[misc]
    moved = await move_all(store, context)
    for (name,) in await store.read(lambda tx: tx.all(_LEAVERS)):
        await store.write(lambda tx, name=name: away_letters.send(tx, context, name))  # type: ignore[misc]
    return moved


async def move_all(store: Store, context: Context) -> int:
    """Move every ticket that somebody left behind, each once; how many."""
    done = 0
    while pending := await store.read(lambda tx: tx.all(_PENDING, most=PAGE)):
        for name, ticket_id in pending:
            await _try(store, context, name, ticket_id)
        done += len(pending)
    return done


async def _try(store: Store, context: Context, name: str, ticket_id: int) -> None:
    """Move one ticket; one that breaks is told and stays, and holds up no other. Raises: StoreError."""
    try:
        await store.write(lambda tx: move(tx, context, name, ticket_id))
    except StoreError:
        raise
    except Exception:
        log.exception("move_failed", extra={"ticket": ticket_id, "agent": name})
        await store.write(lambda tx: tx.run(_CLAIM, of_agent=name, of_ticket=ticket_id))


def move(tx: Tx, context: Context, name: str, ticket_id: int) -> Outcome | None:
    """Move one ticket of somebody who is away; None = that was done already."""
    ticket = tickets.locked(tx, ticket_id)
    if not tx.run(_CLAIM, of_agent=name, of_ticket=ticket_id):
        return None
    failpoints.reach("presence.in_transaction")
    if ticket.agent != name or ticket.status not in ("new", "open") or not agents.state(tx, name).is_away:
        return "stayed"
    placed = seating.reassign(tx, context, ticket)
    cause = Cause(name=f"away:{name}:{ticket_id}:{tx.new_id()}")
    after = reactions.changed_by_hand(tx, context, ticket, placed, cause=cause)
    quiet.follow(tx, context, after)
    outcome: Outcome = "moved" if after.agent is not None else "waiting"
    where = {"agent": name, "ticket_id": ticket_id}
    tx.update(schema.away_moves, where, state=outcome, to_agent=after.agent)
    return outcome


def _end(tx: Tx, name: str) -> None:
    state = agents.state(tx, name)
    if not state.is_away:  # else another time was named meanwhile
        come_back(tx, name, by=None)
