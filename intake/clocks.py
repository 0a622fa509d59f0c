"""SLA clocks of a ticket as rows: what happens to it goes to routing.sla, what comes back is written, told and scheduled.

Every function is called in the transaction of its cause, after the ticket's own change.
"""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select

from intake import armaments, events, instants, promises, steps, words
from intake.armaments import Armament
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import RowsStatement, Statement
from routing import ladder, sla
from routing.calendar import ALWAYS_OPEN
from routing.sla import Change, Clock, Clocks, Policy

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Clock).decode
_c = schema.clocks.c

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

_KEEP_SOONEST = Statement(
    schema.tickets.update()
    .where(schema.tickets.c.id == bindparam("of_ticket"))
    .values(
        next_due_at=select(func.min(_c.due_at))
        .where(_c.ticket_id == bindparam("of_ticket"))
        .scalar_subquery()
    )
)

# What a ticket without a policy counts with: only a promise, on the wall clock.
_UNARMED = Armament("", "", Policy("", "", {}), None, ALWAYS_OPEN)


class _Step(msgspec.Struct, frozen=True):
    """One clock moved by one event. old: None = it is new. why: in words; actor: as of events."""

    old: Clock | None
    new: Clock
    change: Change
    why: str
    actor: str


def arm(tx: Tx, ticket: Ticket, armament: Armament) -> Clocks:
    """Start the clocks of a new ticket and write its timers."""
    started = sla.after(
        armament.policy,
        (),
        _change(tx, ticket, ticket, "created", at=instants.datetime_from_us(ticket.created_at)),
        calendar=armament.calendar,
    )
    _save(tx, ticket, started)
    steps.begin(tx, ticket, armament, started)
    return started


def load(tx: Tx, ticket_id: int) -> Clocks:
    return tuple(_decode(row[0]) for row in tx.all(_CLOCKS, ticket_id=ticket_id))


def follow(tx: Tx, before: Ticket, after: Ticket) -> None:
    """Move the clocks as a change of the ticket's status or priority asks for."""
    if before.status != after.status:
        _move(tx, before, after, "status")
    if before.priority != after.priority:
        _move(tx, after, after, "priority")


def customer_wrote(tx: Tx, before: Ticket, after: Ticket, *, at: int) -> None:
    """The customer's next message: somebody waits for an answer. after: with the status that it leaves behind.

    at: since when it counts, microseconds UTC.
    """
    if before.status != after.status or "next_response" in _armament(tx, after).policy.targets:
        _move(tx, before, after, "customer_message", at=instants.datetime_from_us(at))


def answered(tx: Tx, ticket: Ticket, *, at: int | None = None) -> None:
    """A person's public answer went out. at: when, microseconds UTC; None = now."""
    given_at = None if at is None else instants.datetime_from_us(at)
    _move(tx, ticket, ticket, "answered", at=given_at)


def promise_kept(tx: Tx, ticket: Ticket, *, actor: str) -> None:
    """What was promised was done, as somebody says."""
    _move(tx, ticket, ticket, "promise_kept", actor=actor)


def answer_undelivered(tx: Tx, ticket: Ticket, answered_at: int) -> None:
    """An answer came back for good: it was not given. answered_at: microseconds UTC."""
    taken_back = instants.datetime_from_us(answered_at)
    _move(tx, ticket, ticket, "answer_undelivered", taken_back=taken_back, past=words.past(tx, ticket))


def promise(tx: Tx, ticket: Ticket, at: datetime | None) -> None:
    """Something is promised for an instant; None = it is withdrawn."""
    _move(tx, ticket, ticket, "promised", promise=at)


def rearm(tx: Tx, before: Ticket, after: Ticket) -> None:
    """The ticket has another policy; the time used counts. None as the new one ends every clock."""
    if after.armament is None:
        drop(tx, before, after)
        return
    calendar = armaments.load(tx, before.armament).calendar if before.armament else None
    armed: dict[str, Any] = {"before": before.armament, "armament": after.armament}
    events.of_ticket(tx, after, "sla_armed", policy=after.sla, **armed)
    _move(tx, before, after, "policy", past=words.past(tx, after), calendar_before=calendar)


def drop(tx: Tx, before: Ticket, after: Ticket) -> None:
    """Nothing is owed any more: spam, merged, no policy. The promise goes with the others."""
    reason = "spam" if after.is_spam else "merged" if after.armament is not None else "no policy"
    _move(tx, before, before, "dropped", why=reason)


def note_breach(tx: Tx, ticket: Ticket, target: str, due_us: int) -> bool:
    """Note that a target has passed its due instant and tell it; false when it was met, stopped or moved before that.

    Of a promise it is told as well that it was broken.
    """
    due_at = instants.datetime_from_us(due_us)
    for clock in load(tx, ticket.id):
        if clock.target != target:
            continue
        if clock.state == "running" and clock.breached_at is None and clock.due_at == due_at:
            _save(tx, ticket, (sla.breach(clock, at=instants.datetime_from_us(tx.now)),))
        elif clock.breached_at != due_at:
            return False
        _tell_breach(tx, ticket, clock, due_at)
        return True
    return False


def note_late(tx: Tx, ticket: Ticket, target: str) -> None:
    """Note a breach that no timer has come to yet, because something is about to take the target's place."""
    for clock in load(tx, ticket.id):
        is_late = clock.due_at is not None and instants.us_from_datetime(clock.due_at) < tx.now
        if clock.target == target and clock.state == "running" and clock.breached_at is None and is_late:
            assert clock.due_at is not None  # noqa: S101 - is_late
            note_breach(tx, ticket, target, instants.us_from_datetime(clock.due_at))


def states(tx: Tx, ticket: Ticket) -> dict[str, str]:
    """Return target -> running, paused, warned, breached or met, as rules see them."""
    clocks = load(tx, ticket.id)
    return ladder.facts(_armament(tx, ticket).ladder, clocks, steps.fired(tx, ticket.id)) if clocks else {}


def look_again(tx: Tx, ticket: Ticket) -> None:
    """Bring the timers up to date after what no clock counts: a notice sent, an acknowledgement."""
    if ticket.armament is not None:
        steps.follow(tx, ticket, _armament(tx, ticket), load(tx, ticket.id))


def _armament(tx: Tx, ticket: Ticket) -> Armament:
    return armaments.load(tx, ticket.armament) if ticket.armament is not None else _UNARMED


def _change(
    tx: Tx, before: Ticket, after: Ticket, event: Any, *, at: datetime | None = None, **more: Any
) -> Change:
    """Return a change as clocks see it. at: when it happened, None = now."""
    return Change(
        event=event,
        at=at or instants.datetime_from_us(tx.now),
        before=before.status,
        after=after.status,
        priority=after.priority,
        **more,
    )


def _move(
    tx: Tx, before: Ticket, after: Ticket, event: str, *, actor: str = "system", why: str = "", **more: Any
) -> None:
    if after.armament is None and before.armament is None and not after.promised_at and event != "promised":
        return
    armament, change = _armament(tx, after), _change(tx, before, after, event, **more)
    clocks = load(tx, after.id)
    moved = sla.after(armament.policy, clocks, change, calendar=armament.calendar)
    # An answer ends what waits for one, and a ticket that is done asks nobody: also where no clock moves by it.
    is_noticed = event in ("policy", "answered", "answer_undelivered") or before.is_open != after.is_open
    if moved == clocks and not is_noticed:
        return
    known = {clock.target: clock for clock in clocks}
    _save(tx, after, tuple(clock for clock in moved if known.get(clock.target) != clock))
    for clock in moved:
        old = known.get(clock.target)
        if clock == old:
            continue
        _tell(tx, after, _Step(old, clock, change, why or _why(after, change), actor), armament)
        if clock.target == "promise":
            promises.follow(tx, after, old, clock, event=event, actor=actor)
    steps.follow(tx, after, armament, moved, late=sla.newly_breached(clocks, moved))


def _tell(tx: Tx, ticket: Ticket, step: _Step, armament: Armament) -> None:
    """Tell a move of a clock, with what its history is made of. That nobody waits any more is none."""
    old, new, at = step.old, step.new, step.change.at
    is_noted = old is not None and sla.breach(old, at=at) == new  # its timer tells the breach
    if new.state == "idle" or is_noted:
        return
    is_same = old is not None and (old.state, old.run, old.met_at) == (new.state, new.run, new.met_at)
    told: dict[str, Any] = {
        "target": new.target,
        "due_at": instants.rfc3339(new.due_at) if new.due_at else None,
        "used_s": round(sla.used_s(new, at=at, calendar=armament.calendar), 6),
        "budget_s": round(new.budget_s, 6),
        "event": step.change.event,
        "why": step.why,
    }
    if new.run:
        told["run"] = new.run
    kind = "sla_moved" if is_same else f"sla_{new.state}"
    events.of_ticket(tx, ticket, kind, actor=step.actor, **told)


def _why(ticket: Ticket, change: Change) -> str:
    """Say what moved a clock, in words for people."""
    return {
        "customer_message": "the customer wrote",
        "answer_undelivered": "an answer did not arrive",
        "status": ticket.status,
        "priority": f"priority {ticket.priority}",
        "policy": f"policy {ticket.sla}",
        "promised": "withdrawn" if change.promise is None else "promised",
        "promise_kept": "kept",
    }.get(change.event, change.event)


def _tell_breach(tx: Tx, ticket: Ticket, clock: Clock, due_at: datetime) -> None:
    told: dict[str, Any] = {"run": clock.run} if clock.run else {}
    due, used_s = instants.rfc3339(due_at), round(clock.budget_s, 6)
    events.of_ticket(tx, ticket, "sla_breached", target=clock.target, due_at=due, used_s=used_s, **told)
    if clock.target == "promise":
        promises.note_broken(tx, ticket, clock)


def _save(tx: Tx, ticket: Ticket, clocks: Clocks) -> None:
    rows = []
    for clock in clocks:
        due_at = clock.due_at if clock.state == "running" else None
        due_us = None if due_at is None else instants.us_from_datetime(due_at)
        rows.append((ticket.id, clock.target, clock.state, _encode(clock).decode(), due_us))
    if rows:
        tx.run(_SAVE, rows=_encode(rows).decode())
        keep_soonest(tx, ticket.id)


def keep_soonest(tx: Tx, ticket_id: int) -> None:
    """Write beside the ticket which of its clocks is due first: lists are ordered by it."""
    tx.run(_KEEP_SOONEST, of_ticket=ticket_id)
