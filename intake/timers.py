"""Timers are rows, written with their ticket; this is the bell. Each fires once, late after a downtime rather than never.

The next due instant is held in memory, so that an idle look is a comparison; APScheduler rings at it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select

from intake import (
    armaments,
    clocks,
    clockworks,
    delaying,
    effects,
    events,
    failpoints,
    instants,
    occasion,
    placing,
    quiet,
    reactions,
    steps,
    tickets,
)
from intake.model import Context, Ticket
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement
from routing import ladder
from routing.actions import Action

PAGE = 200
LATE_US = 60 * 1_000_000  # later than this is said to be late
STORE_BACK_OFF_S = 2.0

log = logging.getLogger("intake.timers")

_t = schema.timers.c
_DUE = Statement(
    select(_t.id, _t.ticket_id)
    .where(_t.state == "pending", _t.due_at <= bindparam("now"))
    .order_by(_t.due_at, _t.id)
    .limit(bindparam("most"))
)
_NEXT = Statement(select(func.min(_t.due_at)).where(_t.state == "pending"))
_CLAIM = Statement(
    schema.timers.update()
    .where(_t.id == bindparam("timer_id"), _t.state == "pending")
    .values(state="fired", fired_at=bindparam("now"))
    .returning(_t.kind, _t.policy, _t.step, _t.target, _t.due_at)
)
_o = schema.outbox.c
_REACHED = Statement(
    select(_o.id)
    .where(_o.cause == bindparam("cause"), _o.action > bindparam("first"), _o.action < bindparam("last"))
    .limit(1)
)

_ANY = instants.datetime_from_us(0)

Told = Callable[[str, dict[str, Any]], None]


class Fired(msgspec.Struct, frozen=True):
    """late_s: seconds after the due instant."""

    ref: str
    step: str
    late_s: float


def fire(tx: Tx, context: Context, timer_id: int, ticket_id: int) -> Fired | None:
    """Do what a timer stands for, once: None when somebody else has, or its ticket is done."""
    ticket = tickets.locked(tx, ticket_id)
    row = tx.one(_CLAIM, timer_id=timer_id, now=tx.now)
    if row is None:
        return None
    timer = _Timer(timer_id, *row)
    failpoints.reach("timers.in_transaction")
    if not ticket.is_open and timer.kind not in _ALSO_WHEN_DONE:
        return None
    after = _FIRES[timer.kind](tx, context, ticket, timer)
    if after is None:
        return None
    quiet.follow(tx, context, after)
    return Fired(ticket.ref, timer.step, (tx.now - timer.due_at) / 1_000_000)


class _Timer(msgspec.Struct, frozen=True):
    id: int
    kind: str
    policy: str
    step: str
    target: str | None
    due_at: int

    @property
    def cause(self) -> Cause:
        return Cause(name=f"timer:{self.id}")

    @property
    def since_us(self) -> int:
        """What its policy names after the @: the instant that it counts from."""
        return int(self.policy.rpartition("@")[2])


def _breach(tx: Tx, context: Context, ticket: Ticket, timer: _Timer) -> Ticket | None:
    target = timer.target or ""
    if not clocks.note_breach(tx, ticket, target, timer.due_at):
        return ticket
    event = "promise_due" if target == "promise" else "sla_breached"
    return reactions.react(tx, context, ticket, event, cause=timer.cause).ticket


def _climb(tx: Tx, context: Context, ticket: Ticket, timer: _Timer) -> Ticket:
    """Take one step of the ticket's ladder; one that comes before a breach is a warning, which rules may wait for."""
    key = ladder.parsed_key(timer.step)
    armament = armaments.load(tx, ticket.armament) if ticket.armament is not None else None
    if key is None or armament is None or armament.ladder is None or key.step >= len(armament.ladder.steps):
        return ticket
    step = armament.ladder.steps[key.step]
    actions = ladder.round_actions(
        armament.ladder, ladder.StepTimer(timer.step, timer.target, _ANY, key.step, key.round)
    )
    _tell_escalated(tx, ticket, timer, actions)
    happened = occasion.of_ticket(tx, ticket, cause=timer.cause.name)
    after = effects.apply(tx, context, ticket, actions, happened)
    if key.round == 0 and ladder.ack_within_s(armament.ladder, key.step) is not None:
        reached = tx.one(
            _REACHED, cause=timer.cause.name, first="notify:escalated:", last="notify:escalated;"
        )
        tx.update(schema.timers, {"id": timer.id}, is_reached=int(reached is not None))
        clocks.look_again(tx, after)
    if key.round == 0 and ladder.is_warning(step.when):
        return reactions.react(tx, context, ticket, "sla_warning", cause=timer.cause, now=after).ticket
    return after


def _tell_escalated(tx: Tx, ticket: Ticket, timer: _Timer, actions: tuple[Action, ...]) -> None:
    events.of_ticket(
        tx,
        ticket,
        "escalated",
        actor=f"rule:{timer.step}",
        step=timer.step,
        due_at=instants.rfc3339_from_us(timer.due_at),
        is_late=tx.now - timer.due_at > LATE_US,
        actions=[{"kind": action.kind, "value": action.value} for action in actions],
    )


def _quiet(tx: Tx, context: Context, ticket: Ticket, timer: _Timer) -> Ticket:
    return reactions.fire_quiet(tx, context, ticket, timer_id=timer.id, rule=timer.step, policy=timer.policy)


def _wake(tx: Tx, context: Context, ticket: Ticket, timer: _Timer) -> Ticket:
    woken = delaying.wake(tx, context, ticket, timer.since_us)
    return reactions.changed_by_hand(tx, context, ticket, woken, cause=timer.cause)


def _relax(tx: Tx, context: Context, ticket: Ticket, timer: _Timer) -> Ticket:
    return placing.relax(tx, context, ticket, occasion.of_ticket(tx, ticket, cause=timer.cause.name))


_FIRES: dict[str, Callable[[Tx, Context, Ticket, _Timer], Ticket | None]] = {
    steps.BREACH: _breach,
    steps.STEP: _climb,
    steps.ACK: _climb,
    quiet.KIND: _quiet,
    delaying.SNOOZE: _wake,
    delaying.RELAX: _relax,
}
_ALSO_WHEN_DONE = frozenset((quiet.KIND, steps.BREACH))


class Timers:
    """Fires what is due, for as long as it runs."""

    def __init__(
        self,
        store: Store,
        *,
        context: Callable[[], Context],
        scheduler: Any,
        told: Told = lambda event, fields: None,
    ) -> None:
        self._store = store
        self._context = context
        self._scheduler = scheduler
        self._told = told
        self._next_us: int | None = None
        self._bell = asyncio.Event()

    def due_at(self, due_us: int) -> None:
        """A timer was written: ring earlier if it is the next one."""
        if self._next_us is None or due_us < self._next_us:
            self._set(due_us)

    def ring(self) -> None:
        """Look at what is due."""
        self._bell.set()

    async def run(self) -> None:
        """Fire until cancelled."""
        self._bell.set()
        while True:
            await self._bell.wait()
            self._bell.clear()
            try:
                await self.fire_due()
            except StoreError as error:
                self._told("timers_delayed", {"reason": error.sentence})
                self._set(self._store.now_us() + int(STORE_BACK_OFF_S * 1_000_000))

    async def fire_due(self) -> None:
        """Fire all that is due, in the order of due instants, then set the bell to the next; clock rules come last."""
        while True:
            rows = await self._store.read(lambda tx: tx.all(_DUE, now=tx.now, most=PAGE))
            for timer_id, ticket_id in rows:
                await self._fire(timer_id, ticket_id)
            if len(rows) < PAGE:
                break
        await clockworks.run_due(self._store, self._context())
        self._next_us = None
        next_us = await self._store.read(_next_due)
        if next_us is not None:
            self._set(next_us)

    async def _fire(self, timer_id: int, ticket_id: int) -> None:
        context = self._context()
        try:
            fired = await self._store.write(lambda tx: fire(tx, context, timer_id, ticket_id))
        except StoreError:
            raise
        except Exception as error:
            log.exception("timer_failed", extra={"timer": timer_id})
            reason = type(error).__name__
            await self._store.write(lambda tx: _give_up(tx, timer_id, ticket_id, reason))
            return
        if fired is not None:
            self._told(
                "timer_fired", {"ticket": fired.ref, "step": fired.step, "late_s": round(fired.late_s, 3)}
            )

    def _set(self, due_us: int) -> None:
        self._next_us = due_us
        with contextlib.suppress(RuntimeError):  # the scheduler has been shut down: the daemon is ending
            self._scheduler.add_job(
                self.ring,
                "date",
                run_date=instants.datetime_from_us(max(due_us, self._store.now_us())),
                id="bell",
                replace_existing=True,
                misfire_grace_time=None,
            )


def _next_due(tx: Tx) -> int | None:
    row = tx.one(_NEXT)
    found = [each for each in (row[0] if row else None, clockworks.next_due(tx)) if each is not None]
    return min(found, default=None)


def _give_up(tx: Tx, timer_id: int, ticket_id: int, reason: str) -> None:
    """Keep one broken step from stopping all that come after it: it is marked, and loud."""
    tx.update(schema.timers, {"id": timer_id, "state": "pending"}, state="failed", fired_at=tx.now)
    events.record(tx, "timer_failed", ticket_id=ticket_id, timer=str(timer_id), reason=reason)
