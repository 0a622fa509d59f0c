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

from intake import armaments, clocks, customers, effects, events, failpoints, instants, tickets
from intake.model import Context, Ticket
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
_LAST_WORDS = Statement(
    select(schema.messages.c.visible_text, schema.messages.c.body)
    .where(schema.messages.c.ticket_id == bindparam("ticket_id"), schema.messages.c.direction == "in")
    .order_by(schema.messages.c.id.desc())
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
    kind, _, step, target, due_at = row
    failpoints.reach("timers.in_transaction")
    if not ticket.is_open:
        return None
    fired = Fired(ticket.ref, step, (tx.now - due_at) / 1_000_000)
    if kind == "breach":
        clocks.note_breach(tx, ticket, target)
    else:
        _climb(tx, context, ticket, timer_id, step, due_at)
    return fired


def _climb(tx: Tx, context: Context, ticket: Ticket, timer_id: int, step: str, due_at: int) -> None:
    """Take one step of the ticket's ladder."""
    if ticket.armament is None:
        return
    armament = armaments.load(tx, ticket.armament)
    actions = _actions(armament.ladder, step)
    events.record(
        tx,
        "escalated",
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        actor=f"rule:{step}",
        step=step,
        due_at=instants.rfc3339_from_us(due_at),
        is_late=tx.now - due_at > LATE_US,
        actions=[{"kind": action.kind, "value": action.value} for action in actions],
    )
    customer = customers.load(tx, ticket.customer_id)
    occasion = effects.Occasion(cause=f"timer:{timer_id}", customer=customer, text=_last_words(tx, ticket))
    effects.apply(tx, context, ticket, actions, occasion)


def _actions(climbed: ladder.Ladder | None, step: str) -> tuple[Action, ...]:
    """Return what the step of a key like "nudge/0" or "nudge/0/1" (its second notice) does."""
    _, index, *rounds = step.split("/")
    if climbed is None or not 0 <= int(index) < len(climbed.steps):
        return ()
    return ladder.round_actions(
        climbed, ladder.StepTimer(step, None, _ANY, int(index), int(rounds[0]) if rounds else 0)
    )


def _last_words(tx: Tx, ticket: Ticket) -> str:
    row = tx.one(_LAST_WORDS, ticket_id=ticket.id)
    return "" if row is None else row[0] if row[0] is not None else row[1]


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
        """Fire all that is due, in the order of due instants, then set the bell to the next."""
        while True:
            rows = await self._store.read(lambda tx: tx.all(_DUE, now=tx.now, most=PAGE))
            for timer_id, ticket_id in rows:
                await self._fire(timer_id, ticket_id)
            if len(rows) < PAGE:
                break
        self._next_us = None
        row = await self._store.read(lambda tx: tx.one(_NEXT))
        if row is not None and row[0] is not None:
            self._set(row[0])

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


def _give_up(tx: Tx, timer_id: int, ticket_id: int, reason: str) -> None:
    """Keep one broken step from stopping all that come after it: it is marked, and loud."""
    tx.update(schema.timers, {"id": timer_id, "state": "pending"}, state="failed", fired_at=tx.now)
    events.record(tx, "timer_failed", ticket_id=ticket_id, timer=str(timer_id), reason=reason)
