"""The clocks of two tickets that become one: those of the older go on, and so do its steps; both can be put back."""

from typing import Any

import msgspec
from sqlalchemy import bindparam, or_, select

from intake import clocks, events, promises, steps, tickets
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import RowsStatement, Statement

_encode = msgspec.json.Encoder().encode
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
_CANCEL = Statement(
    schema.timers.update()
    .where(_t.ticket_id == bindparam("of_ticket"), _t.state == "pending")
    .values(state="cancelled")
)

ClockRow = tuple[str, str, str, int | None]
TimerRow = tuple[str | int | None, ...]


class Kept(msgspec.Struct, frozen=True):
    """What is needed to put the clocks back. source: of the ticket merged. into: of the other, where they were changed."""

    source: tuple[ClockRow, ...]
    into: tuple[ClockRow, ...] = ()
    timers: tuple[TimerRow, ...] = ()
    sla: str | None = None
    armament: str | None = None
    promised_at: int | None = None
    promises: tuple[str, ...] = ()  # ids of those that went along
    is_exchanged: bool = False


def go_on(tx: Tx, source: Ticket, into: Ticket, after: Ticket) -> Kept:
    """Let the clocks of the older ticket go on in `into`. after: `into` with the status that it has by now."""
    of_source = _rows(tx, source)
    is_exchanged = source.is_open and source.created_at < into.created_at and source.armament is not None
    if not is_exchanged:
        clocks.drop(tx, source, source)
        tx.run(_CANCEL, of_ticket=source.id)
        return Kept(of_source)
    kept = Kept(
        of_source,
        _rows(tx, into),
        tuple(tuple(row) for row in tx.all(_TIMERS, ticket_id=into.id)),
        into.sla,
        into.armament,
        into.promised_at,
        tuple(map(str, promises.owed(tx, source.id))),
        is_exchanged=True,
    )
    _clear(tx, into)
    _move(tx, source, into)
    columns = {"sla": source.sla, "armament": source.armament, "promised_at": source.promised_at}
    tx.update(schema.tickets, {"id": into.id}, **columns)
    _tell_inherited(tx, source, into)
    promises.move(tx, tuple(map(int, kept.promises)), source=source, into=into)
    now = msgspec.structs.replace(after, **columns)
    clocks.follow(tx, msgspec.structs.replace(now, status=source.status, priority=source.priority), now)
    clocks.look_again(tx, now)
    tx.run(_CANCEL, of_ticket=source.id)
    return kept


def go_back(tx: Tx, source: Ticket, into: Ticket, kept: Kept) -> None:
    """Give each ticket its own clocks again; those of the one merged are as they were then."""
    if kept.is_exchanged:
        _move(tx, into, source)
        columns = {"sla": kept.sla, "armament": kept.armament, "promised_at": kept.promised_at}
        tx.update(schema.tickets, {"id": into.id}, **columns)
        _write(tx, into, kept.into)
        if kept.timers:
            tx.run(_WRITE_TIMERS, rows=_encode(kept.timers).decode())
        events.of_ticket(tx, into, "sla_given_back", ref=source.ref, armament=kept.armament)
        promises.move(tx, tuple(map(int, kept.promises)), source=into, into=source)
    events.of_ticket(tx, source, "sla_restored", ref=into.ref)
    tx.run(_CLEAR_CLOCKS, ticket_id=source.id)
    _write(tx, source, kept.source)
    for each in (source.id, into.id):
        ticket = tickets.load(tx, each)
        if ticket is not None:
            clocks.look_again(tx, ticket)


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
