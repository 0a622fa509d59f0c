"""What a timer does when its instant has come: one transaction, in which its row is claimed, so that it happens once.

A timer that fires late does what it would have done in time, and says how late it is. Two things give way: notices
beyond an agent's cap go into a digest (intake.digests), and of several late answers to one customer the last goes out.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import bindparam, or_, select

from intake import (
    armaments,
    climbing,
    clocks,
    delaying,
    digests,
    effects,
    events,
    failpoints,
    instants,
    lateness,
    missed_calls,
    occasion,
    overtaken,
    paging,
    placing,
    promising,
    quiet,
    reactions,
    steps,
    tickets,
    whatsapp_nudges,
)
from intake.due import Due
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import ladder
from routing.actions import Action

_t = schema.timers.c
_CLAIM = Statement(
    schema.timers.update()
    .where(
        _t.id == bindparam("timer_id"),
        or_(_t.state == "pending", _t.state == "failing"),
        _t.due_at <= bindparam("now"),  # the clock may have been set back since it was seen to be due
    )
    .values(state="fired", fired_at=bindparam("now"))
    .returning(_t.id, _t.kind, _t.policy, _t.step, _t.target, _t.due_at)
)
_o = schema.outbox.c
_SENT = Statement(
    select(_o.id)
    .where(
        _o.cause == bindparam("cause"),
        _o.action > bindparam("first"),
        _o.action < bindparam("last"),
        _o.state != "withheld",
    )
    .limit(1)
)
_ASKED = ("notify:escalated:", "notify:escalated;")  # the actions of a step's notices stand between these


class Fired(msgspec.Struct, frozen=True):
    """late_s: seconds after the due instant."""

    ref: str
    step: str
    late_s: float
    kind: str = steps.STEP


def fire(tx: Tx, context: Context, timer_id: int, ticket_id: int) -> Fired | None:
    """Do what a timer stands for, once: None when somebody else has, or its ticket is done."""
    ticket = tickets.locked(tx, ticket_id)
    row = tx.one(_CLAIM, timer_id=timer_id, now=tx.now)
    if row is None:
        return None
    timer = Due(*row)
    failpoints.reach("timers.in_transaction")
    if not ticket.is_open and timer.kind not in _ALSO_WHEN_DONE:
        return None
    after = _FIRES[timer.kind](tx, context, ticket, timer)
    if after is None:
        return None
    quiet.follow(tx, context, after)
    failpoints.reach("timers.effects_written")
    return Fired(ticket.ref, timer.step, (tx.now - timer.due_at) / 1_000_000, timer.kind)


def _cause(timer: Due) -> Cause:
    return Cause(name=timer.cause, target=timer.target, due_at=timer.due_at)


def _breach(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> Ticket | None:
    target = timer.target or ""
    if not clocks.note_breach(tx, ticket, target, timer.due_at):
        return ticket
    event = "promise_due" if target == "promise" else "sla_breached"
    if target == "promise":
        promising.tell_broken(tx, context, ticket, cause=timer.cause)
    return reactions.react(tx, context, ticket, event, cause=_cause(timer)).ticket


def _climb(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> Ticket:
    """Take one step of the ticket's ladder; one that comes before a breach is a warning, which rules may wait for."""
    key = ladder.parsed_key(timer.step)
    armament = armaments.load(tx, ticket.armament) if ticket.armament is not None else None
    if key is None or armament is None or armament.ladder is None or key.step >= len(armament.ladder.steps):
        return ticket
    step = armament.ladder.steps[key.step]
    actions = steps.actions(armament, timer.step, timer.target)
    told = climbing.told(tx, ticket, armament.ladder, key)
    _tell_escalated(
        tx, ticket, timer, actions, climbing.details(told, ladder=armament.ladder, key=key, now_us=tx.now)
    )
    happened = _occasion(tx, context, ticket, timer, actions)
    after = effects.apply(tx, context, ticket, actions, msgspec.structs.replace(happened, told=told))
    asks = key.round == 0 and ladder.ack_within_s(armament.ladder, key.step) is not None
    if asks:
        tx.update(schema.timers, {"id": timer.id}, is_reached=int(_is_reached(tx, timer)))
    if asks or climbing.is_grid_new(armament, timer.step, due_at=timer.due_at, now_us=tx.now):
        clocks.look_again(tx, after)
    if key.round == 0 and ladder.is_warning(step.when):
        return reactions.react(tx, context, ticket, "sla_warning", cause=_cause(timer), now=after).ticket
    return after


def _is_reached(tx: Tx, timer: Due) -> bool:
    """Whether a notice of the timer goes to somebody, by itself or in a digest."""
    first, last = _ASKED
    return tx.one(_SENT, cause=timer.cause, first=first, last=last) is not None or digests.holds(
        tx, timer.cause
    )


def _tell_escalated(
    tx: Tx, ticket: Ticket, timer: Due, actions: tuple[Action, ...], why: dict[str, Any]
) -> None:
    events.of_ticket(
        tx,
        ticket,
        "escalated",
        actor=f"rule:{timer.step}",
        step=timer.step,
        due_at=instants.rfc3339_from_us(timer.due_at),
        is_late=lateness.is_late(timer.due_at, tx.now),
        actions=[{"kind": action.kind, "value": action.value} for action in actions],
        **why,
    )


def _occasion(tx: Tx, context: Context, ticket: Ticket, timer: Due, actions: tuple[Action, ...]) -> Occasion:
    replies = any(action.kind == "reply" for action in actions)
    return msgspec.structs.replace(
        occasion.of_ticket(tx, ticket, cause=timer.cause),
        due_at=timer.due_at,
        is_overtaken=replies and overtaken.is_overtaken(tx, context, ticket, timer),
    )


def _quiet(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> Ticket:
    is_overtaken = overtaken.is_overtaken(tx, context, ticket, timer)
    cause = Cause(name=timer.cause, due_at=timer.due_at, is_overtaken=is_overtaken)
    return reactions.fire_quiet(tx, context, ticket, cause=cause, rule=timer.step, policy=timer.policy)


def _wake(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> Ticket:
    woken = delaying.wake(tx, context, ticket, timer.since_us)
    return reactions.changed_by_hand(tx, context, ticket, woken, cause=_cause(timer))


def _relax(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> Ticket:
    return placing.relax(tx, context, ticket, occasion.of_ticket(tx, ticket, cause=timer.cause))


def _remind(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> Ticket:
    return promising.remind(tx, context, ticket, cause=timer.cause)


_FIRES: dict[str, Callable[[Tx, Context, Ticket, Due], Ticket | None]] = {
    steps.BREACH: _breach,
    steps.STEP: _climb,
    steps.ACK: _climb,
    quiet.KIND: _quiet,
    delaying.SNOOZE: _wake,
    delaying.RELAX: _relax,
    promising.REMINDER: _remind,
    paging.TIMER: paging.next_way,
    missed_calls.TIMER: missed_calls.look_again,
    whatsapp_nudges.TIMER: whatsapp_nudges.nudge,
}
_ALSO_WHEN_DONE = frozenset((quiet.KIND, steps.BREACH))
