"""SLA clocks and timers of a ticket as rows: written with what moves them, in the same transaction."""

from collections.abc import Callable

import msgspec
from sqlalchemy import bindparam, select

from intake import armaments, events, instants
from intake.armaments import Armament
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import RowsStatement, Statement
from routing import ladder, sla
from routing.sla import Clock

Clocks = tuple[Clock, ...]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Clock).decode
_c = schema.clocks.c
_t = schema.timers.c

_CLOCKS = Statement(select(_c.clock).where(_c.ticket_id == bindparam("ticket_id")).order_by(_c.target))
_SAVE = RowsStatement(
    schema.clocks,
    ("ticket_id", "target", "state", "clock", "due_at"),
    lambda insert: insert.on_conflict_do_update(
        index_elements=[_c.ticket_id, _c.target],
        set_={
            "state": insert.excluded.state,
            "clock": insert.excluded.clock,
            "due_at": insert.excluded.due_at,
        },
    ),
)
_TIMERS = Statement(select(_t.id, _t.step, _t.due_at, _t.state).where(_t.ticket_id == bindparam("ticket_id")))
_SCHEDULE = RowsStatement(
    schema.timers,
    ("id", "ticket_id", "customer_id", "kind", "policy", "step", "target", "due_at"),
    # The same step at the same instant again: a cancelled row comes back, a fired one stays fired.
    lambda insert: insert.on_conflict_do_update(
        index_elements=[_t.ticket_id, _t.policy, _t.step, _t.due_at],
        set_={"state": "pending"},
        where=_t.state == "cancelled",
    ),
)


def arm(tx: Tx, ticket: Ticket, armament: Armament) -> Clocks:
    """Start the clocks of a new ticket and write its timers."""
    at = instants.datetime_from_us(ticket.created_at)
    started = sla.start(armament.policy, priority=ticket.priority, at=at, calendar=armament.calendar)
    _save(tx, ticket, started)
    steps = ladder.steps(armament.policy, armament.ladder, started, calendar=armament.calendar)
    _schedule(tx, ticket, armament, steps)
    return started


def load(tx: Tx, ticket_id: int) -> Clocks:
    return tuple(_decode(row[0]) for row in tx.all(_CLOCKS, ticket_id=ticket_id))


def follow(tx: Tx, before: Ticket, after: Ticket, *, answered: bool = False) -> None:
    """Move the clocks as a change of the ticket asks for. answered: a person's public answer went out.

    Semantics of the targets: first_response is met by the first answer and never runs again; resolution pauses in the
    policy's statuses, is met by solved and goes on after a reopening.
    """
    if before.armament is None:
        return
    armament = armaments.load(tx, before.armament)
    at, calendar, pauses = instants.datetime_from_us(tx.now), armament.calendar, armament.policy.pause
    moves: list[Callable[[Clock], Clock]] = []
    if answered:
        moves.append(
            lambda clock: (
                sla.meet(clock, at=at, calendar=calendar) if clock.target == "first_response" else clock
            )
        )
    if before.is_open and not after.is_open:
        moves.append(lambda clock: _ended(clock, armament, tx))
    if not before.is_open and after.is_open:
        moves.append(lambda clock: sla.reopen(clock, at=at, calendar=calendar))
    if before.status in pauses and after.status not in pauses and after.is_open:
        moves.append(lambda clock: sla.resume(clock, at=at, calendar=calendar))
    if after.status in pauses and before.status not in pauses:
        moves.append(lambda clock: sla.pause(clock, at=at, calendar=calendar))
    if before.priority != after.priority:
        moves.append(
            lambda clock: sla.retarget(
                clock, policy=armament.policy, priority=after.priority, at=at, calendar=calendar
            )
        )
    if moves:
        _move(tx, after, armament, moves)


def note_breach(tx: Tx, ticket: Ticket, target: str) -> bool:
    """Note that a target has passed its due instant; false when it is met, stopped, moved or noted already."""
    for clock in load(tx, ticket.id):
        if clock.target == target and clock.state == "running" and clock.breached_at is None:
            breached = sla.breach(clock, at=instants.datetime_from_us(tx.now))
            _save(tx, ticket, (breached,))
            events.record(
                tx,
                "sla_breached",
                ticket_id=ticket.id,
                customer_id=ticket.customer_id,
                target=target,
                due_at=instants.rfc3339(breached.breached_at) if breached.breached_at else None,
            )
            return True
    return False


def _ended(clock: Clock, armament: Armament, tx: Tx) -> Clock:
    """Solved: resolution is met; a first_response that nobody gave is not owed any more."""
    at = instants.datetime_from_us(tx.now)
    end = sla.meet if clock.target == "resolution" else sla.stop
    return end(clock, at=at, calendar=armament.calendar)


def _move(tx: Tx, ticket: Ticket, armament: Armament, moves: list[Callable[[Clock], Clock]]) -> None:
    before = load(tx, ticket.id)
    after = before
    for move in moves:
        after = tuple(move(clock) for clock in after)
    if before == after:
        return
    _save(tx, ticket, after)
    for old, new in zip(before, after, strict=True):
        _tell(tx, ticket, old, new)
    _reschedule(tx, ticket, armament, after)


def _tell(tx: Tx, ticket: Ticket, old: Clock, new: Clock) -> None:
    if old.state != new.state:
        events.record(
            tx,
            f"sla_{new.state}",
            ticket_id=ticket.id,
            customer_id=ticket.customer_id,
            target=new.target,
            due_at=instants.rfc3339(new.due_at) if new.due_at else None,
        )


def _save(tx: Tx, ticket: Ticket, clocks: Clocks) -> None:
    rows = []
    for clock in clocks:
        due_at = clock.due_at if clock.state == "running" else None
        due_us = None if due_at is None else instants.us_from_datetime(due_at)
        rows.append((ticket.id, clock.target, clock.state, _encode(clock).decode(), due_us))
    if rows:
        tx.run(_SAVE, rows=_encode(rows).decode())


def _reschedule(tx: Tx, ticket: Ticket, armament: Armament, clocks: Clocks) -> None:
    """Move what has not fired; a step that has fired for a target does not fire again when the target moves."""
    rows = tx.all(_TIMERS, ticket_id=ticket.id)
    fired = {step for _, step, _, state in rows if state == "fired"}
    wanted = {
        (step.key, instants.us_from_datetime(step.due_at)): step
        for step in ladder.steps(armament.policy, armament.ladder, clocks, calendar=armament.calendar)
        if step.key not in fired
    }
    for identifier, step, due_at, state in rows:
        if state == "pending" and wanted.pop((step, due_at), None) is None:
            tx.update(schema.timers, {"id": identifier}, state="cancelled")
    _schedule(tx, ticket, armament, tuple(wanted.values()))


def _schedule(tx: Tx, ticket: Ticket, armament: Armament, steps: tuple[ladder.StepTimer, ...]) -> None:
    """Write the steps as timer rows, and tell the bell of the first."""
    if not steps:
        return
    rows = [
        (
            tx.new_id(),
            ticket.id,
            ticket.customer_id,
            "breach" if step.step < 0 else "step",
            armament.policy.name,
            step.key,
            step.target,
            instants.us_from_datetime(step.due_at),
        )
        for step in steps
    ]
    tx.run(_SCHEDULE, rows=_encode(rows).decode())
    tx.signal("timers", min(row[-1] for row in rows))
