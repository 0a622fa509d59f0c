"""Tickets that wait for somebody of their team are picked up as soon as somebody may have them.

Whoever becomes free rings the bell: a ticket that is solved or given away, an agent who is back, hours and shifts that
begin (the alarm kept here), skills that are relaxed, rules that are loaded. One look then asks for each kind of ticket
that waits (team, level, medium, language, skills) whether anybody may have one, and gives those out one by one, each in
a transaction of its own which looks again: urgent ones first, then what is due first, then what came first.

When nothing waits, a look is one read of an index that is empty.
"""

import heapq
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, case, func, select

from intake import (
    agents,
    alarms,
    failpoints,
    instants,
    medium_presence,
    quiet,
    reactions,
    seating,
    threads,
    tickets,
)
from intake.model import Context, Ticket
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Row, Store, StoreError, Tx
from intake.store.statements import Statement
from routing import assignment
from routing.assignment import Preferred
from routing.people import Skills
from routing.targets import PRIORITIES

KIND = "waiting"
PAGE = 50
LOOK_US = 5_000_000  # a look that is cut off is made again so much later

log = logging.getLogger("intake.waiting")

_t = schema.tickets.c
_c = schema.clocks.c
# What is pending or on hold waits for others, and needs nobody yet.
_waits = (_t.waits_since.is_not(None), _t.solved_at.is_(None), (_t.status == "new") | (_t.status == "open"))
_COMMON = ("team", "level", "medium", "language", "skills", "prefers")
_KINDS = Statement(
    select(*(_t[name] for name in _COMMON)).where(*_waits).group_by(*(_t[name] for name in _COMMON))
)
_rank = case({name: place for place, name in enumerate(reversed(PRIORITIES))}, value=_t.priority, else_=9)
_due = select(func.min(_c.due_at)).where(_c.ticket_id == _t.id).scalar_subquery()
_never = 2**62
_FIRST = Statement(
    select(_rank, func.coalesce(_due, _never), _t.created_at, _t.id)
    .where(*_waits, *(func.coalesce(_t[name], "") == bindparam(f"of_{name}") for name in _COMMON))
    .order_by(_rank, func.coalesce(_due, _never), _t.created_at, _t.id)
    .limit(bindparam("most"))
)


class Kind(msgspec.Struct, frozen=True):
    """What tickets have in common that wait for the same people. "" = none; skills as JSON."""

    team: str
    level: str
    medium: str
    language: str
    skills: str
    prefers: str

    def parameters(self) -> dict[str, str]:
        return {f"of_{name}": getattr(self, name) for name in _COMMON}


class _First(msgspec.Struct, frozen=True, order=True):
    """A ticket that waits, in the order in which they are given out."""

    rank: int
    due_at: int
    created_at: int
    ticket_id: int


def next_due(tx: Tx) -> int | None:
    """Return when to look at what waits, microseconds UTC; None = nothing does, or nobody it waits for ever comes."""
    return alarms.due_at(tx, tickets.WAITING)


def look_after_reload(tx: Tx) -> None:
    """Have what waits looked at once rules that were just loaded are in force."""
    tickets.somebody_is_free(tx, in_us=seating.SETTLED_US)


async def run_due(store: Store, context: Context) -> int:
    """Give out what waits and can be given to somebody now, then set the alarm; how many. Raises: StoreError."""
    claim = await store.write(_claim)
    if claim is None:
        return 0
    given = 0
    while taken := await _give_out(store, context):
        given += taken
    again_at = await store.read(lambda tx: _next_look(tx, context))
    await store.write(lambda tx: alarms.move(tx, tickets.WAITING, seen=claim, to=again_at))
    return given


def _claim(tx: Tx) -> int | None:
    """Put the alarm off for as long as a look may take; where it is then, None = it has been looked at."""
    due_us = next_due(tx)
    if due_us is None or due_us > tx.now:
        return None
    until_us = tx.now + LOOK_US
    return until_us if alarms.move(tx, tickets.WAITING, seen=due_us, to=until_us) else None


async def _give_out(store: Store, context: Context) -> int:
    """Give out the first page of what can be given; how many. A kind that nobody may have any more is left."""
    page = await store.read(lambda tx: _page(tx, context))
    spent: set[Kind] = set()
    given = 0
    for kind, first in page:
        if kind in spent:
            continue
        is_given = await _try(store, context, first.ticket_id)
        if is_given:
            given += 1
        elif is_given is False:
            spent.add(kind)
    return given


async def _try(store: Store, context: Context, ticket_id: int) -> bool | None:
    """Give out one ticket; None = it broke, which is told and keeps nobody else waiting. Raises: StoreError."""
    try:
        return await store.write(lambda tx: pick_up(tx, context, ticket_id)) is not None
    except StoreError:
        raise
    except Exception:
        log.exception("pick_up_failed", extra={"ticket": ticket_id})
        return None


def pick_up(tx: Tx, context: Context, ticket_id: int) -> Ticket | None:
    """Give one ticket to somebody, with all that follows; None = it waits no more, or there is still nobody."""
    ticket = tickets.locked(tx, ticket_id)
    if ticket.waits_since is None or ticket.agent is not None or ticket.status not in ("new", "open"):
        return None
    placed = seating.pick_up(tx, context, ticket)
    if placed is None:
        return None
    failpoints.reach("waiting.in_transaction")
    cause = Cause(name=f"pick_up:{ticket.id}:{tx.new_id()}")
    words = threads.load(tx, ticket.id).last_words
    text = words.text if words is not None else ""
    seating.tell(tx, context, ticket, placed, cause=cause.name, text=text, why="")
    after = reactions.changed_by_hand(tx, context, ticket, placed, cause=cause)
    quiet.follow(tx, context, after)
    return after


def _page(tx: Tx, context: Context) -> list[tuple[Kind, _First]]:
    """Return the first tickets, of all kinds together, that somebody may have at this moment."""
    found = []
    for kind in _kinds(tx):
        if _is_possible(tx, context, kind):
            rows = tx.all(_FIRST, most=PAGE, **kind.parameters())
            found.append([(_First(*row), kind) for row in rows])
    merged = heapq.merge(*found, key=lambda each: each[0])
    return [(kind, first) for first, kind in _at_most(merged, PAGE)]


def _at_most(values: Any, most: int) -> Iterator[Any]:
    return (value for value, _ in zip(values, range(most), strict=False))


def _kinds(tx: Tx) -> list[Kind]:
    return [_kind(row) for row in tx.all(_KINDS)]


def _kind(row: Row) -> Kind:
    return Kind(*(value or "" for value in row))


def _is_possible(tx: Tx, context: Context, kind: Kind) -> bool:
    """Whether anybody may have a ticket of this kind."""
    team = context.rulebook.teams.get(kind.team)
    if team is None:
        return False
    loads = agents.loads(tx)
    people = agents.people(tx, context, loads=loads, medium=kind.medium)
    chosen = assignment.choose(
        team,
        people,
        level=kind.level or None,
        skills=msgspec.json.decode(kind.skills, type=Skills) if kind.skills else None,
        language=kind.language or None,
        prefer=Preferred(kind.prefers, "", anywhere=True) if kind.prefers else None,
    )
    return chosen.agent is not None


def _next_look(tx: Tx, context: Context) -> int | None:
    """Return when the hours or the shift of anybody begin for whom something waits, or somebody is available again."""
    people = agents.people(tx, context, loads={})
    teams = context.rulebook.teams
    found: list[datetime] = []
    for team, level in {(kind.team, kind.level) for kind in _kinds(tx) if kind.team in teams}:
        at = assignment.next_duty(teams[team], level or teams[team].first_level, people)
        found += [at] if at is not None else []
    starts = [instants.us_from_datetime(at) for at in found]
    ends = medium_presence.next_end(tx) if teams else None
    return min((*starts, *(() if ends is None else (ends,))), default=None)
