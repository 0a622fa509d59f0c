"""Promises as rows: what was agreed with which customer, by whom, for when, and what became of it.

A ticket has one promise at a time, and its clock says how that one stands; each row here is one of them, for the report.

    open       its moment is to come
    kept       a person answered, or solved the ticket, or said so, by then
    broken     its moment passed; ended_at then tells when it was made good, None = it is still owed
    moved      another moment was agreed before this one
    withdrawn  somebody took it back
    dropped    the ticket owes nothing any more: spam
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import BigInteger, and_, bindparam, cast, or_, select

from intake import events, instants
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, values_of
from routing.sla import Clock

State = Literal["open", "kept", "broken", "moved", "withdrawn", "dropped"]
STATES: tuple[State, ...] = ("open", "kept", "broken", "moved", "withdrawn", "dropped")
ACTION = "promise"  # of the outbox row that tells the customer
REMINDER = "remind"  # the kind of the timer that reminds who made it

_encode = msgspec.json.Encoder().encode
_p, _r = schema.promises.c, schema.timers.c
COLUMNS = (
    _p.id, _p.ticket_id, _p.made_by, _p.made_at, _p.due_at, _p.state, _p.ended_at, _p.is_told,
)  # fmt: skip
_is_latest = (
    select(_p.id)
    .where(_p.ticket_id == bindparam("of_ticket"), _p.due_at == bindparam("due_us"))
    .order_by(_p.made_at.desc(), _p.id.desc())
    .limit(1)
    .scalar_subquery()
)
_FOLLOW = Statement(
    schema.promises.update()
    .where(_p.id == _is_latest)
    .values(state=bindparam("to"), ended_at=cast(bindparam("ended"), BigInteger()))
)
_NO_REMINDER = Statement(
    schema.timers.update()
    .where(_r.ticket_id == bindparam("of_ticket"), _r.kind == bindparam("reminder"), _r.state == "pending")
    .values(state="cancelled")
)
_LATEST = Statement(
    select(*COLUMNS)
    .where(_p.ticket_id == bindparam("ticket_id"))
    .order_by(_p.made_at.desc(), _p.id.desc())
    .limit(1)
)
_OF_TICKETS = Statement(
    select(*COLUMNS).where(_p.ticket_id.in_(values_of("ids", BigInteger()))).order_by(_p.made_at, _p.id)
)
_MOVE = Statement(
    schema.promises.update()
    .where(_p.ticket_id == bindparam("from_ticket"), _p.id.in_(values_of("ids", BigInteger())))
    .values(ticket_id=bindparam("to_ticket"))
)
_OWED = Statement(
    select(_p.id).where(
        _p.ticket_id == bindparam("ticket_id"),
        or_(_p.state == "open", and_(_p.state == "broken", _p.ended_at.is_(None))),
    )
)


class Promise(msgspec.Struct, frozen=True):
    """One row. Instants: microseconds UTC. made_by: an actor ("agent:ania", "rule:call-back"). See the module docstring."""

    id: int
    ticket_id: int
    made_by: str
    made_at: int
    due_at: int
    state: State
    ended_at: int | None
    is_told: int

    @property
    def by(self) -> str | None:
        """The agent who made it; None = a rule did."""
        kind, _, name = self.made_by.partition(":")
        return name if kind == "agent" else None

    def late_us(self, now: int) -> int | None:
        """How long after its moment it was made good, or how long it has been owed since; None = it was not late."""
        if self.state != "broken":
            return None
        return max(0, (now if self.ended_at is None else self.ended_at) - self.due_at)


def keep(tx: Tx, ticket: Ticket, *, made_by: str, due_us: int, is_told: bool) -> None:
    """Write a promise that was just made."""
    tx.insert(
        schema.promises,
        id=tx.new_id(),
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        made_by=made_by,
        made_at=tx.now,
        due_at=due_us,
        is_told=int(is_told),
    )


def follow(
    tx: Tx, ticket: Ticket, old: Clock | None, new: Clock, *, event: str, actor: str = "system"
) -> None:
    """Write what an event made of the ticket's promise. old, new: its clock before and after; event: see sla.Change."""
    if old is not None and new.run != old.run:
        if old.state == "running":
            _end(tx, ticket, old, "moved")
    elif new.state == "stopped" and old is not None and old.state == "running":
        given_up = msgspec.structs.replace(new, due_at=old.due_at)
        _end(tx, ticket, given_up, "dropped" if event == "dropped" else "withdrawn")
    elif old is not None and (old.state, old.breached_at) != (new.state, new.breached_at):
        _set(tx, ticket, new, _state_of(new), ended_at=new.met_at)
        if new.state == "met" and new.breached_at is None:
            events.of_ticket(tx, ticket, "promise_kept", actor=actor, due_at=_time(new.due_at), event=event)
    if new.state != "running":
        tx.run(_NO_REMINDER, of_ticket=ticket.id, reminder=REMINDER)


def note_broken(tx: Tx, ticket: Ticket, clock: Clock) -> None:
    """Write that the promise whose clock this is was broken; once for each."""
    _set(tx, ticket, clock, "broken", ended_at=clock.met_at)
    events.of_ticket(tx, ticket, "promise_broken", due_at=_time(clock.due_at))


def drop(tx: Tx, ticket: Ticket, clock: Clock) -> None:
    """Write that a promise is owed no more, because another one takes its place."""
    _end(tx, ticket, clock, "moved")


def restore(tx: Tx, ticket: Ticket, clock: Clock) -> None:
    """Write once more what the clock of a promise says, unless somebody had ended it."""
    if clock.state != "stopped":
        _set(tx, ticket, clock, _state_of(clock), ended_at=clock.met_at)


def _end(tx: Tx, ticket: Ticket, clock: Clock, state: State) -> None:
    """End a promise now; one that was broken stays so."""
    ended_at = instants.datetime_from_us(tx.now)
    _set(tx, ticket, clock, "broken" if clock.breached_at is not None else state, ended_at=ended_at)


def _set(tx: Tx, ticket: Ticket, clock: Clock, state: State, *, ended_at: datetime | None) -> None:
    if clock.due_at is None:
        return
    ended_us = None if ended_at is None else instants.us_from_datetime(ended_at)
    due_us = instants.us_from_datetime(clock.due_at)
    tx.run(_FOLLOW, of_ticket=ticket.id, due_us=due_us, to=state, ended=ended_us)


def _state_of(clock: Clock) -> State:
    if clock.breached_at is not None:
        return "broken"
    return "kept" if clock.state == "met" else "open"


def _time(at: datetime | None) -> str | None:
    return None if at is None else instants.rfc3339(at)


def note_untold(tx: Tx, ticket: Ticket) -> None:
    """Write that the customer was not reached with what was promised last."""
    found = latest(tx, ticket.id)
    if found is not None:
        tx.update(schema.promises, {"id": found.id}, is_told=0)


def latest(tx: Tx, ticket_id: int) -> Promise | None:
    """Return the ticket's promise made last; None = there never was one."""
    row = tx.one(_LATEST, ticket_id=ticket_id)
    return None if row is None else Promise(*row)


def owed(tx: Tx, ticket_id: int) -> tuple[int, ...]:
    """Return the ids of promises that the ticket still owes: one at most."""
    return tuple(row[0] for row in tx.all(_OWED, ticket_id=ticket_id))


def move(tx: Tx, ids: Sequence[int], *, source: Ticket, into: Ticket) -> None:
    """Let promises go on in another ticket."""
    if ids:
        tx.run(_MOVE, ids=_encode(ids).decode(), from_ticket=source.id, to_ticket=into.id)


def of_tickets(tx: Tx, ids: Sequence[int]) -> dict[int, Promise]:
    """Return ticket id -> its promise made last, of those that have one."""
    if not ids:
        return {}
    return {row[1]: Promise(*row) for row in tx.all(_OF_TICKETS, ids=_encode(ids).decode())}


def public(promise: Promise, *, now: int) -> dict[str, Any]:
    """Give a promise as JSON shows it beside its ticket."""
    late_us = promise.late_us(now)
    return {
        "due_at": instants.rfc3339_from_us(promise.due_at),
        "state": promise.state,
        "by": promise.by,
        "made_by": promise.made_by,
        "made_at": instants.rfc3339_from_us(promise.made_at),
        "ended_at": instants.rfc3339_from_us(promise.ended_at),
        "late_s": None if late_us is None else late_us // 1_000_000,
        "told": bool(promise.is_told),
    }
