"""The steps of a ticket's ladder and the breaches of its targets as timer rows, kept in step with its clocks.

Rows of the kind "ack" are `unacknowledged` steps: they follow a notice that somebody is asked to acknowledge, not a clock.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, bindparam, or_, select

from intake import instants
from intake.armaments import Armament
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import RowsStatement, Statement, values_of
from routing import ladder, ladder_timers
from routing.actions import Action
from routing.ladder import Asked, Firing, StepTimer
from routing.sla import Clocks

STEP, BREACH, ACK = "step", "breach", "ack"
OPEN = ("pending", "failing")  # states of a timer that is still to fire
# What is_reached says of a notice that somebody is asked to acknowledge. OVER: its ticket was done since, so that nobody
# waits for an acknowledgement any more, also when the ticket is opened again.
NOBODY, SOMEBODY, OVER = 0, 1, 2
ASKING = (NOBODY, SOMEBODY)

_ANY = instants.datetime_from_us(0)
_encode = msgspec.json.Encoder().encode
_t = schema.timers.c
_ROWS = Statement(
    select(_t.id, _t.step, _t.due_at, _t.state, _t.fired_at, _t.is_reached, _t.acknowledged_at).where(
        _t.ticket_id == bindparam("ticket_id"), or_(_t.kind == STEP, _t.kind == BREACH, _t.kind == ACK)
    )
)
_FIRED = Statement(
    select(_t.step).where(
        _t.ticket_id == bindparam("ticket_id"), or_(_t.kind == STEP, _t.kind == ACK), _t.state == "fired"
    )
)
_ACKNOWLEDGE = Statement(
    schema.timers.update()
    .where(_t.ticket_id == bindparam("of_ticket"), _t.is_reached < OVER, _t.acknowledged_at.is_(None))
    .values(acknowledged_at=bindparam("now"))
    .returning(_t.step)
)
_NO_MORE = Statement(
    schema.timers.update()
    .where(_t.ticket_id == bindparam("of_ticket"), _t.is_reached.is_not(None))
    .values(is_reached=OVER)
)
_CANCEL = Statement(
    schema.timers.update()
    .where(_t.id.in_(values_of("ids", BigInteger())), or_(_t.state == "pending", _t.state == "failing"))
    .values(state="cancelled")
)
_WRITE = RowsStatement(
    schema.timers,
    ("id", "ticket_id", "customer_id", "kind", "policy", "step", "target", "due_at"),
    # The same step at the same instant again: a cancelled row comes back, a fired one stays fired.
    lambda insert: insert.on_conflict_do_update(
        index_elements=[_t.ticket_id, _t.policy, _t.step, _t.due_at],
        set_={"state": "pending"},
        where=_t.state == "cancelled",
    ),
)


def begin(tx: Tx, ticket: Ticket, armament: Armament, clocks: Clocks) -> None:
    """Write the timers of a new ticket."""
    _write(tx, ticket, armament, _of_clocks(ticket, armament, clocks, {}))


def follow(tx: Tx, ticket: Ticket, armament: Armament, clocks: Clocks, *, late: Clocks = ()) -> None:
    """Move what has not fired; a step that has fired for a target does not fire again when the target moves.

    late: what an event has just found breached; one whose timer was cancelled before, by an answer that came back, is
    told by a new one.
    """
    if not ticket.is_open:
        tx.run(_NO_MORE, of_ticket=ticket.id)
    rows = tx.all(_ROWS, ticket_id=ticket.id)
    fired = _fired(rows)
    asked = _unacknowledged(ticket, armament, rows)
    wanted = {
        (step.key, instants.us_from_datetime(step.due_at)): step
        for step in (
            *_of_clocks(ticket, armament, clocks, fired),
            *ladder_timers.untold_breaches(late),
            *asked,
        )
        if step.key not in fired
    }
    # A breach that an event came upon before its timer did is noted in the clock, and still to be told.
    untold = {instants.us_from_datetime(each.breached_at) for each in clocks if each.breached_at is not None}
    cancelled = [
        row_id
        for row_id, step, due_at, state, *_ in rows
        if state in OPEN
        and wanted.pop((step, due_at), None) is None
        and not (step.startswith(ladder.BREACH) and due_at in untold)
    ]
    if cancelled:
        tx.run(_CANCEL, ids=_encode(cancelled).decode())
    _write(tx, ticket, armament, tuple(wanted.values()))


def _fired(rows: Sequence[Row]) -> dict[str, Firing]:
    """Key of each step that has fired, or was skipped -> when."""
    return {
        row[1]: Firing(instants.datetime_from_us(row[2]), instants.datetime_from_us(row[4] or row[2]))
        for row in rows
        if row[3] in ("fired", "skipped")
    }


def acknowledge(tx: Tx, ticket: Ticket) -> tuple[str, ...]:
    """Note that somebody has seen every notice that asked for it; the keys of their steps."""
    return tuple(sorted(row[0] for row in tx.all(_ACKNOWLEDGE, of_ticket=ticket.id, now=tx.now)))


def actions(armament: Armament, step: str, target: str | None = None) -> tuple[Action, ...]:
    """Return what a step's timer does; nothing for a breach's, and where the ladder has no such step. step: its key."""
    key = ladder.parsed_key(step)
    if key is None or armament.ladder is None or key.step >= len(armament.ladder.steps):
        return ()
    return ladder.round_actions(armament.ladder, StepTimer(step, target, _ANY, key.step, key.round, key.run))


def fired(tx: Tx, ticket_id: int) -> frozenset[str]:
    """Return the keys of the steps that have fired."""
    return frozenset(row[0] for row in tx.all(_FIRED, ticket_id=ticket_id))


def _of_clocks(
    ticket: Ticket, armament: Armament, clocks: Clocks, fired: Mapping[str, Firing]
) -> tuple[StepTimer, ...]:
    return ladder_timers.steps(
        armament.policy,
        armament.ladder,
        clocks,
        calendar=armament.calendar,
        answered_at=_answered_at(ticket),
        fired=fired,
    )


def _unacknowledged(ticket: Ticket, armament: Armament, rows: Sequence[Row]) -> tuple[StepTimer, ...]:
    if armament.ladder is None or not ticket.is_open:
        return ()
    asked = [
        Asked(
            key=row[1],
            sent_at=instants.datetime_from_us(row[4]),
            is_reached=bool(row[5]),
            acknowledged_at=None if row[6] is None else instants.datetime_from_us(row[6]),
        )
        for row in rows
        if row[3] == "fired" and row[5] in ASKING
    ]
    return ladder_timers.acknowledgement_timers(
        armament.ladder, asked, calendar=armament.calendar, answered_at=_answered_at(ticket)
    )


def _answered_at(ticket: Ticket) -> datetime | None:
    at_us = ticket.agent_replied_at
    return None if at_us is None else instants.datetime_from_us(at_us)


def _write(tx: Tx, ticket: Ticket, armament: Armament, timers: tuple[StepTimer, ...]) -> None:
    """Write the steps as rows, and tell the bell of the first."""
    if not timers:
        return
    rows = [
        (
            tx.new_id(),
            ticket.id,
            ticket.customer_id,
            BREACH if timer.step < 0 else STEP if timer.target else ACK,
            armament.policy.name,
            timer.key,
            timer.target,
            instants.us_from_datetime(timer.due_at),
        )
        for timer in timers
    ]
    tx.run(_WRITE, rows=_encode(rows).decode())
    tx.signal("timers", min(row[-1] for row in rows))
