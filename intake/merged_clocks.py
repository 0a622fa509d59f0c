"""The clocks of two tickets that become one: those of the older go on, and so do its steps; both can be put back.

A promise is the customer's, whichever ticket it was made on: of two the one that is due first goes on.
"""

from typing import Any

import msgspec
from sqlalchemy import bindparam, or_, select

from intake import clocks, events, instants, promises, steps, tickets
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import RowsStatement, Statement
from routing.targets import Clock

_PROMISE = "promise"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Clock).decode
_c, _t = schema.clocks.c, schema.timers.c
_CLOCKS = Statement(
    select(_c.target, _c.state, _c.clock, _c.due_at).where(_c.ticket_id == bindparam("ticket_id"))
)
_CLEAR_CLOCKS = Statement(schema.clocks.delete().where(_c.ticket_id == bindparam("ticket_id")))
_WRITE_CLOCKS = RowsStatement(schema.clocks, ("ticket_id", "target", "state", "clock", "due_at"))
_MOVE_CLOCKS = Statement(
    schema.clocks.update()
    .where(_c.ticket_id == bindparam("from_ticket"))
    .values(ticket_id=bindparam("to_ticket"))
)
_of_ladder = or_(_t.kind == steps.STEP, _t.kind == steps.BREACH, _t.kind == steps.ACK)
_TIMER_COLUMNS = (
    "id", "ticket_id", "customer_id", "kind", "policy", "step", "target", "due_at", "state", "fired_at", "is_reached",
    "acknowledged_at",
)  # fmt: skip
_TIMERS = Statement(
    select(*(_t[name] for name in _TIMER_COLUMNS)).where(_t.ticket_id == bindparam("ticket_id"), _of_ladder)
)
_CLEAR_TIMERS = Statement(schema.timers.delete().where(_t.ticket_id == bindparam("ticket_id"), _of_ladder))
_WRITE_TIMERS = RowsStatement(schema.timers, _TIMER_COLUMNS)
_MOVE_TIMERS = Statement(
    schema.timers.update()
    .where(_t.ticket_id == bindparam("from_ticket"), _of_ladder)
    .values(ticket_id=bindparam("to_ticket"))
)
_CLEAR_PROMISE = Statement(
    schema.clocks.delete().where(_c.ticket_id == bindparam("ticket_id"), _c.target == bindparam("target"))
)
_MOVE_REMINDER = Statement(
    schema.timers.update()
    .where(_t.ticket_id == bindparam("from_ticket"), _t.kind == promises.REMINDER, _t.state == "pending")
    .values(ticket_id=bindparam("to_ticket"))
)
_CANCEL = Statement(
    schema.timers.update()
    .where(_t.ticket_id == bindparam("of_ticket"), _t.state == "pending")
    .values(state="cancelled")
)

ClockRow = tuple[str, str, str, int | None]
TimerRow = tuple[str | int | None, ...]


class Kept(msgspec.Struct, frozen=True):
    """What is needed to put the clocks back. source: of the ticket merged. into: of the other, as far as they were changed."""

    source: tuple[ClockRow, ...]
    into: tuple[ClockRow, ...] = ()
    timers: tuple[TimerRow, ...] = ()
    sla: str | None = None
    armament: str | None = None
    promised_at: int | None = None
    promises: tuple[str, ...] = ()  # ids of those that went along
    is_exchanged: bool = False
    is_carried: bool = False  # only the promise went along


def go_on(tx: Tx, source: Ticket, into: Ticket, after: Ticket) -> Kept:
    """Let the clocks of the older ticket go on in `into`. after: `into` with the status that it has by now."""
    kept = _go_on(tx, source, into, after)
    for each in (source, into):
        clocks.keep_soonest(tx, each.id)
    return kept


def _go_on(tx: Tx, source: Ticket, into: Ticket, after: Ticket) -> Kept:
    of_source, of_into = _rows(tx, source), _rows(tx, into)
    theirs, ours = _promised(of_source), _promised(of_into)
    if not (source.is_open and source.created_at < into.created_at and source.armament is not None):
        return _end(tx, source, after, of_source, theirs if _is_first(theirs, ours) else None)
    kept = Kept(
        of_source,
        of_into,
        tuple(tuple(row) for row in tx.all(_TIMERS, ticket_id=into.id)),
        into.sla,
        into.armament,
        into.promised_at,
        tuple(map(str, promises.owed(tx, source.id))),
        is_exchanged=True,
    )
    if ours is not None and not _is_first(ours, theirs):
        promises.drop(tx, into, ours)
    _clear(tx, into)
    _move(tx, source, into)
    columns = {"sla": source.sla, "armament": source.armament, "promised_at": source.promised_at}
    tx.update(schema.tickets, {"id": into.id}, **columns)
    _tell_inherited(tx, source, into)
    promises.move(tx, tuple(map(int, kept.promises)), source=source, into=into)
    now = msgspec.structs.replace(after, **columns)
    if ours is not None and _is_first(ours, theirs):
        now = _promise(tx, now, ours)
    clocks.follow(tx, msgspec.structs.replace(now, status=source.status, priority=source.priority), now)
    clocks.look_again(tx, now)
    tx.run(_CANCEL, of_ticket=source.id)
    return kept


def _end(
    tx: Tx, source: Ticket, after: Ticket, of_source: tuple[ClockRow, ...], promise: Clock | None
) -> Kept:
    """End the clocks of a ticket that is merged. promise: the one that goes on in the other."""
    if promise is None:
        clocks.drop(tx, source, source)
        tx.run(_CANCEL, of_ticket=source.id)
        return Kept(of_source)
    ids = promises.owed(tx, source.id)
    of_into = tuple(row for row in _rows(tx, after) if row[0] == _PROMISE)
    promises.move(tx, ids, source=source, into=after)
    tx.run(_MOVE_REMINDER, from_ticket=source.id, to_ticket=after.id)
    clocks.drop(tx, source, source)
    tx.run(_CANCEL, of_ticket=source.id)
    _promise(tx, after, promise)
    return Kept(
        of_source, of_into, promised_at=after.promised_at, promises=tuple(map(str, ids)), is_carried=True
    )


def _promised(rows: tuple[ClockRow, ...]) -> Clock | None:
    """The clock of the promise that a ticket owes; None = it owes none."""
    found = next((row for row in rows if row[0] == _PROMISE and row[1] == "running"), None)
    return None if found is None else _decode(found[2])


def _is_first(one: Clock | None, other: Clock | None) -> bool:
    """Whether one is a promise, and due before the other."""
    if one is None or one.due_at is None:
        return False
    return other is None or other.due_at is None or one.due_at < other.due_at


def _promise(tx: Tx, ticket: Ticket, promise: Clock) -> Ticket:
    """Let a promise go on in a ticket; one that it had before gives way."""
    assert promise.due_at is not None  # noqa: S101 - _is_first
    promised = tickets.stamp(tx, ticket, promised_at=instants.us_from_datetime(promise.due_at))
    clocks.promise(tx, promised, promise.due_at)
    return promised


def go_back(tx: Tx, source: Ticket, into: Ticket, kept: Kept) -> None:
    """Give each ticket its own clocks again; those of the one merged are as they were then."""
    if kept.is_exchanged:
        _move(tx, into, source)
        columns = {"sla": kept.sla, "armament": kept.armament, "promised_at": kept.promised_at}
        tx.update(schema.tickets, {"id": into.id}, **columns)
        tx.run(_CLEAR_CLOCKS, ticket_id=into.id)
        _write(tx, into, kept.into)
        if kept.timers:
            tx.run(_WRITE_TIMERS, rows=_encode(kept.timers).decode())
        events.of_ticket(tx, into, "sla_given_back", ref=source.ref, armament=kept.armament)
    elif kept.is_carried:
        tx.run(_CLEAR_PROMISE, ticket_id=into.id, target=_PROMISE)
        _write(tx, into, kept.into)
        tx.update(schema.tickets, {"id": into.id}, promised_at=kept.promised_at)
    promises.move(tx, tuple(map(int, kept.promises)), source=into, into=source)
    events.of_ticket(tx, source, "sla_restored", ref=into.ref)
    tx.run(_CLEAR_CLOCKS, ticket_id=source.id)
    _write(tx, source, kept.source)
    _restore_promises(tx, ((source, kept.source), (into, kept.into)))
    for each in (source.id, into.id):
        ticket = tickets.load(tx, each)
        if ticket is not None:
            clocks.look_again(tx, ticket)
            clocks.keep_soonest(tx, each)


def _restore_promises(tx: Tx, both: tuple[tuple[Ticket, tuple[ClockRow, ...]], ...]) -> None:
    """Let the rows of promises say again what their clocks say."""
    for ticket, rows in both:
        for target, _, clock, _ in rows:
            if target == _PROMISE:
                promises.restore(tx, ticket, _decode(clock))


def _tell_inherited(tx: Tx, source: Ticket, into: Ticket) -> None:
    """Say whose clocks go on here, and what was counted by until now: the history of the clocks follows it."""
    armed: dict[str, Any] = {"before": into.armament, "armament": source.armament}
    events.of_ticket(tx, into, "sla_inherited", ref=source.ref, **armed)


def _rows(tx: Tx, ticket: Ticket) -> tuple[ClockRow, ...]:
    return tuple((row[0], row[1], row[2], row[3]) for row in tx.all(_CLOCKS, ticket_id=ticket.id))


def _write(tx: Tx, ticket: Ticket, rows: tuple[ClockRow, ...]) -> None:
    if rows:
        tx.run(_WRITE_CLOCKS, rows=_encode([(ticket.id, *row) for row in rows]).decode())


def _clear(tx: Tx, ticket: Ticket) -> None:
    tx.run(_CLEAR_CLOCKS, ticket_id=ticket.id)
    tx.run(_CLEAR_TIMERS, ticket_id=ticket.id)


def _move(tx: Tx, source: Ticket, into: Ticket) -> None:
    for statement in (_MOVE_CLOCKS, _MOVE_TIMERS):
        tx.run(statement, from_ticket=source.id, to_ticket=into.id)
