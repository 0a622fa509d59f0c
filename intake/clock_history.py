"""The history of a ticket's clocks: when each ran and stood still, why, by whom, and what it had used by then.

Nothing is kept for it beside what happens anyway: its moves stand in the ticket's events (intake.clock_events), a warning
is a step that has fired. Reads only.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake import armaments, clock_events, clocks, instants
from intake.armaments import Armament
from intake.clock_events import Moved
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement
from routing import ladder, sla
from routing.calendar import ALWAYS_OPEN
from routing.ladder import Step
from routing.sla import TARGETS, Clock

_r = schema.timers.c
_STEPS = Statement(
    select(_r.step, _r.target, _r.due_at, _r.state)
    .where(_r.ticket_id == bindparam("ticket_id"), _r.kind == "step")
    .order_by(_r.due_at, _r.id)
)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """One target. clock: as it is now; used_s: by now. moves: oldest first, of all its runs.

    warnings: instants of steps before the breach that are to come.
    """

    clock: Clock
    used_s: float
    moves: tuple[Moved, ...]
    warnings: tuple[datetime, ...] = ()


class Lives(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket's clocks, in the order of TARGETS. armed: (instant, armament) since when it counts by which, None = by none."""

    ticket: Ticket
    now: datetime
    armed: tuple[tuple[datetime, Armament | None], ...]
    histories: tuple[History, ...]

    def armament_at(self, at: datetime) -> Armament | None:
        """What the ticket was armed with at an instant."""
        known = [armament for since, armament in self.armed if since <= at]
        return known[-1] if known else self.armed[0][1] if self.armed else None


def of_ticket(tx: Tx, ticket: Ticket) -> Lives:
    """Return the histories of the clocks that a ticket has."""
    now = instants.datetime_from_us(tx.now)
    moves, armed = clock_events.of_ticket(tx, ticket, until=now)
    loaded = tuple((at, armaments.load(tx, digest) if digest else None) for at, digest in armed)
    armament = loaded[-1][1]
    steps = tx.all(_STEPS, ticket_id=ticket.id)
    known = {clock.target: clock for clock in clocks.load(tx, ticket.id)}
    found = [
        _history(known[target], moves.get(target, []), steps, armament, now)
        for target in TARGETS
        if target in known
    ]
    return Lives(ticket=ticket, now=now, armed=loaded, histories=tuple(found))


def public(lives: Lives) -> list[dict[str, Any]]:
    """Give each target as JSON shows it."""
    return [_target_object(each) for each in lives.histories]


def _history(
    clock: Clock, moves: list[Moved], steps: Sequence[Row], armament: Armament | None, now: datetime
) -> History:
    calendar = armament.calendar if armament is not None else ALWAYS_OPEN
    is_told = any(each.what == "breached" and each.run == clock.run for each in moves)
    if clock.breached_at is not None and not is_told:
        moves = [*moves, _breach(clock)]
    warned, to_come = [], []
    for key, target, due_us, state in steps:
        step = _warning(key, armament) if target == clock.target else None
        if step is None:
            continue
        due_at = instants.datetime_from_us(due_us)
        if state == "fired":
            warned.append(_warned(key, step, due_at, clock))
        elif state == "pending":
            to_come.append(due_at)
    return History(
        clock=clock,
        used_s=sla.used_s(clock, at=now, calendar=calendar),
        moves=tuple(sorted([*moves, *warned], key=lambda each: each.at)),
        warnings=tuple(to_come),
    )


def _breach(clock: Clock) -> Moved:
    """The breach that an event came upon and that no timer has told yet."""
    at = clock.breached_at
    assert at is not None  # noqa: S101 - asked for of breached clocks only
    budget_s = clock.budget_s
    return Moved(at=at, what="breached", why="it was due", used_s=budget_s, budget_s=budget_s, run=clock.run)


def _warning(key: str, armament: Armament | None) -> Step | None:
    """The ladder's step before a breach that a timer's key stands for; None = it is none, or of another ladder."""
    parsed = ladder.parsed_key(key)
    climbed = armament.ladder if armament is not None else None
    if (
        parsed is None
        or climbed is None
        or parsed.ladder != climbed.name
        or parsed.step >= len(climbed.steps)
    ):
        return None
    step = climbed.steps[parsed.step]
    return step if ladder.is_warning(step.when) and not parsed.round else None


def _warned(key: str, step: Step, due_at: datetime, clock: Clock) -> Moved:
    parsed = ladder.parsed_key(key)
    value = step.when.value
    used_s = clock.budget_s * value / 100 if step.when.kind == "percent" else clock.budget_s + value
    return Moved(
        at=due_at,
        what="warned",
        why=step.at,
        actor=f"rule:{key}",
        used_s=used_s,
        budget_s=clock.budget_s,
        run=parsed.run if parsed is not None else 0,
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else instants.rfc3339(at)


def _target_object(found: History) -> dict[str, Any]:
    clock = found.clock
    return {
        "target": clock.target,
        "state": clock.state,
        "budget_s": round(clock.budget_s, 6),
        "used_s": round(found.used_s, 6),
        "due_at": _time(clock.due_at),
        "met_at": _time(clock.met_at),
        "breached_at": _time(clock.breached_at),
        "history": [_move_object(each) for each in found.moves],
    }


def _move_object(moved: Moved) -> dict[str, Any]:
    value: dict[str, Any] = {
        "at": _time(moved.at),
        "what": moved.what,
        "why": moved.why,
        "actor": moved.actor,
        "used_s": round(moved.used_s, 6),
        "budget_s": round(moved.budget_s, 6),
        "due_at": _time(moved.due_at),
    }
    if moved.run:
        value["run"] = moved.run
    if moved.ticket is not None:
        value["ticket"] = moved.ticket
    return value
