"""Why a step of a ladder is taken, said for its notices and its event; and what a late notice does to those after it."""

from datetime import UTC, timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake import clocks, instants, looks, notice_text, summonses
from intake.armaments import Armament
from intake.model import Ticket
from intake.notice_text import Follows, Line, Told
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import ladder as ladders
from routing.ladder import Ladder, StepKey

_t = schema.timers.c
_NOTICE = Statement(
    select(_t.fired_at, _t.is_reached, _t.acknowledged_at, _t.id)
    .where(_t.ticket_id == bindparam("ticket_id"), _t.step == bindparam("step"), _t.state == "fired")
    .limit(1)
)


def told(tx: Tx, ticket: Ticket, ladder: Ladder, key: StepKey) -> Told:
    """Return why a step is taken now, and what is asked of those it tells."""
    now = instants.datetime_from_us(tx.now)
    target = ladders.target_of(ladder, key.step)
    due_at = next((each.due_at for each in clocks.load(tx, ticket.id) if each.target == target), None)
    step = ladder.steps[key.step]
    found = notice_text.of_step(step, target, ref=ticket.ref, due_at=due_at, now=now, number=key.round)
    follows = _follows(tx, ticket, ladder, key) if step.when.kind == "unacknowledged" else None
    if follows is not None:
        found = msgspec.structs.replace(found, headline=notice_text.of_follower(follows, ref=ticket.ref))
    return msgspec.structs.replace(found, wish=_wish(ladder, key, tx.now) if key.round == 0 else None)


def details(told_of: Told, *, ladder: Ladder, key: StepKey, now_us: int) -> dict[str, Any]:
    """Return what the event `escalated` says besides what was done: the step as written, and why it was taken."""
    now = instants.datetime_from_us(now_us)
    step = ladder.steps[key.step]
    said = {"at": step.at, "why": told_of.headline.written(now=now, zone=UTC)}
    return said if step.times == 1 else {**said, "notice": key.round + 1, "of": step.times}


def is_grid_new(armament: Armament, step: str, *, due_at: int, now_us: int) -> bool:
    """Whether a notice that repeats goes out so late that the next is due already: those after it count from now."""
    key = ladders.parsed_key(step)
    if key is None or armament.ladder is None:
        return False
    found = armament.ladder.steps[key.step]
    if key.round + 1 >= found.times or found.every_s is None:
        return False
    following = armament.calendar.add(instants.datetime_from_us(due_at), found.every_s)
    return instants.us_from_datetime(following) <= now_us


def _follows(tx: Tx, ticket: Ticket, ladder: Ladder, key: StepKey) -> Follows | None:
    """Return the notice that an `unacknowledged` step follows."""
    source = ladders.source(ladder, key.step)
    if source is None:
        return None
    row = tx.one(_NOTICE, ticket_id=ticket.id, step=str(StepKey(ladder.name, source, 0, key.run)))
    if row is None:
        return None
    look = looks.last(tx, ticket.id) if row[2] is not None else None
    told_of = summonses.told_of(tx, f"timer:{row[3]}")
    return Follows(
        sent_at=instants.datetime_from_us(row[0]),
        is_reached=bool(row[1]),
        acknowledged_at=None if row[2] is None else instants.datetime_from_us(row[2]),
        acknowledged_by=None if look is None else look.agent,
        passed_on_by=next((name for name, state in told_of.items() if state == "passed_on"), None),
    )


def _wish(ladder: Ladder, key: StepKey, now_us: int) -> Line | None:
    """Return what is asked of the reader: to say by when that they look at it, and who is told otherwise."""
    within_s = ladders.ack_within_s(ladder, key.step)
    if within_s is None:
        return None
    follower = ladders.follower(ladder, key.step)
    names = ladder.steps[follower].notify if follower is not None else ()
    otherwise = f"; otherwise {' and '.join(names)} will be told" if names else ""
    until = instants.datetime_from_us(now_us) + timedelta(seconds=within_s)
    return Line(f"Please say by {{0}} that you look at it{otherwise}.", (until,))
