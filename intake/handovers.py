"""When somebody else is on call from now on: a clockwork (see intake.clockworks).

The new one gets every notice of the ended shift that nobody has acknowledged, once for each ticket, as a notice that can
be acknowledged; both get a list of what the shift leaves behind. A day before, the next one is told, or that nobody
follows. Hours taken and swapped, and a change of the rules, hand over like a rotation does.

An `unacknowledged` step keeps its minute: a hand-over buys nobody time, because the customer waits all the same. Who
acknowledges the new notice stops it like anybody else.

Notices are claimed page by page, each in a transaction of its own; the hand-over is over once its row has moved on, in
the transaction of the lists. Cut off anywhere, what was done is not done again. Hand-overs missed in a downtime are one:
from whoever was known last to whoever has it now, marked late.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from intake import (
    events,
    failpoints,
    handover_texts,
    instants,
    notices,
    oncall,
    oncall_letters,
    pages,
    tickets,
    turns,
)
from intake.model import Context, Ticket
from intake.pages import Left, Page
from intake.store.engine import Store, StoreError, Tx
from intake.telling import ESCALATED
from intake.turns import Turn
from routing import schedule as schedules_of
from routing.schedule import Duty, Schedule

LATE_US = 60 * 1_000_000
AGAIN_US = 60 * 1_000_000  # after what broke, and for a schedule that only another daemon's rules have
_MOMENT = timedelta(microseconds=1)

log = logging.getLogger("intake.handovers")

KIND = "handover"

next_due = turns.next_due
upcoming = turns.upcoming


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as it was looked at. at: when whoever has it began, None = nobody else has it than before.

    left: what the ended shift was told of.
    """

    turn: Turn
    duty: Duty
    at: datetime | None = None
    left: tuple[Left, ...] = ()


async def run_due(store: Store, context: Context) -> int:
    """Hand over what is due, each once; how many schedules were looked at. Raises: StoreError."""
    names = await store.read(turns.due)
    for name in names:
        try:
            await _hand_over(store, context, name)
        except StoreError:
            raise
        except Exception as error:
            log.exception("handover_failed", extra={"schedule": name})
            reason = type(error).__name__
            await store.write(lambda tx, name=name, reason=reason: _put_off(tx, name, reason))  # type: ignore[misc]
    return len(names)


async def _hand_over(store: Store, context: Context, name: str) -> None:
    seen = await store.read(lambda tx: look(tx, context, name))
    if seen is None:
        await store.write(lambda tx: turns.look_at(tx, name, tx.now + AGAIN_US))
        return
    for each in seen.left if seen.duty.agent is not None else ():
        await _hand_one(store, context, seen, each)
    await store.write(lambda tx: finish(tx, context, seen))


async def _hand_one(store: Store, context: Context, seen: Seen, left: Left) -> None:
    """Hand one ticket over; one that breaks is told and does not stop the others."""
    try:
        await store.write(lambda tx: hand(tx, context, seen, left))
    except StoreError:
        raise
    except Exception as error:
        ticket, timer, reason = left.ticket, f"handover:{seen.turn.schedule}", type(error).__name__
        log.exception("handover_failed", extra={"ticket": ticket.ref})
        await store.write(lambda tx: events.of_ticket(tx, ticket, "timer_failed", timer=timer, reason=reason))


def look(tx: Tx, context: Context, name: str) -> Seen | None:
    """Return who has a schedule now, and what the ended shift leaves behind; None when these rules do not have it."""
    turn = turns.load(tx, name)
    if turn is None or name not in context.rulebook.schedules:
        return None
    rota, now = oncall.schedules(tx, context)[name], instants.datetime_from_us(tx.now)
    duty = schedules_of.duty(rota, now)
    if duty.agent == turn.agent:
        return Seen(turn=turn, duty=duty)
    began = schedules_of.on_call_since(rota, now)
    is_known = began is not None and instants.us_from_datetime(began) > turn.since_at
    return Seen(turn=turn, duty=duty, at=began if is_known and began else now, left=pages.left(tx, name))


def hand(tx: Tx, context: Context, seen: Seen, left: Left) -> bool:
    """Give a ticket to the next shift, once: a notice if nobody has acknowledged it; false when there is nothing to do."""
    name = seen.turn.schedule
    ticket = tickets.locked(tx, left.ticket.id)
    agent = seen.duty.agent
    if agent is None or oncall.duty(tx, context, name).agent != agent:
        return False
    ended = [page for page in left.pages if page.agent != agent and pages.close(tx, page)]
    failpoints.reach("handovers.in_transaction")
    if not ended or not ticket.is_open:
        return False
    at_us = instants.us_from_datetime(seen.at) if seen.at else tx.now
    if any(page.agent == agent and page.sent_at >= at_us for page in left.pages):
        return False  # a step has told them already, at the hand-over or since
    _pass_on(tx, context, seen, ticket, ended, agent=agent, at_us=at_us)
    return True


def _pass_on(
    tx: Tx, context: Context, seen: Seen, ticket: Ticket, ended: Sequence[Page], *, agent: str, at_us: int
) -> None:
    """Open the page of the next shift; with a notice when nobody has acknowledged the last of the ended one."""
    name, last = seen.turn.schedule, ended[-1]
    is_waiting = pages.left_of(tx, ticket, ended).is_waiting
    sent_at = tx.now if is_waiting else last.sent_at
    pages.write(tx, ticket, schedule=name, agent=agent, rule=last.rule, way=last.way, sent_at=sent_at)
    if is_waiting:
        notice = notices.Notice(
            kind=f"{ESCALATED}handover:{name}",
            headline=handover_texts.headline(ticket, seen.turn.agent, last),
            cause=f"handover:{name}:{at_us}:{ticket.id}",
            quote=handover_texts.words(tx, ticket),
            by=last.way,
        )
        notices.send(tx, context, ticket, agent, notice)


def finish(tx: Tx, context: Context, seen: Seen) -> bool:
    """Write the lists, tell who comes next, and move on; false when somebody else has, or who has it changed meanwhile."""
    name, turn = seen.turn.schedule, seen.turn
    tx.lock("schedule", name)
    rota, now = oncall.schedules(tx, context).get(name), instants.datetime_from_us(tx.now)
    if rota is None or turns.load(tx, name) != turn or schedules_of.duty(rota, now) != seen.duty:
        return False
    failpoints.reach("handovers.finish")
    since_at = turn.since_at
    if seen.at is not None:
        _tell_handed_over(tx, context, rota, seen)
        tickets.somebody_is_free(tx)  # what waits for whoever is on call may go to somebody now
        since_at = instants.us_from_datetime(seen.at)
    told = _tell_next(tx, context, rota, turn)
    turns.save(
        tx,
        msgspec.structs.replace(
            turn,
            agent=seen.duty.agent,
            since_at=since_at,
            next_at=_next_look(context, rota, now),
            told=told,
        ),
    )
    return True


def _tell_handed_over(tx: Tx, context: Context, rota: Schedule, seen: Seen) -> None:
    assert seen.at is not None  # noqa: S101 - it is a hand-over
    before, after = seen.turn.agent, seen.duty.agent
    is_late = tx.now - instants.us_from_datetime(seen.at) > LATE_US
    end = schedules_of.next_handover(rota, instants.datetime_from_us(tx.now))
    listed = handover_texts.Listed(
        schedule=rota,
        before=before,
        after=after,
        at=seen.at,
        until=end,
        is_late=is_late,
        note=seen.duty.note,
        left=seen.left,
        held=handover_texts.held(tx, context, rota, before, seen.left),
        promises=handover_texts.promises(tx, context, rota, until=end),
    )
    reached = oncall_letters.handed_over(tx, context, listed)
    events.record(
        tx,
        "handed_over",
        schedule=rota.name,
        agent=after,
        handed_by=before,
        why=seen.duty.why,
        at=instants.rfc3339(seen.at),
        is_late=is_late,
        tickets=[each.ticket.ref for each in seen.left],
        unacknowledged=[each.ticket.ref for each in seen.left if each.is_waiting],
        told=reached,
    )
    if after is None:
        _tell_gap(tx, context, rota, start=seen.at, end=end, before=before)


def _tell_next(tx: Tx, context: Context, rota: Schedule, turn: Turn) -> dict[int, str]:
    """Tell everybody whose shift begins within the day and who does not know; start -> who was told, kept for later."""
    now = instants.datetime_from_us(tx.now)
    known = {start: who for start, who in turn.told.items() if start > tx.now}
    for shift in _within_a_day(context, rota, now):
        start_us, agent = instants.us_from_datetime(shift), schedules_of.on_call(rota, shift)
        if known.get(start_us) == (agent or ""):
            continue
        known[start_us] = agent or ""
        before = schedules_of.on_call(rota, shift - _MOMENT)
        end = schedules_of.next_handover(rota, shift)
        if agent is None:
            _tell_gap(tx, context, rota, start=shift, end=end, before=before)
        elif not _knows(tx, context, rota.name, start_us):
            oncall_letters.coming(tx, context, rota, agent, start=shift, end=end, before=before)
    return known


def _within_a_day(context: Context, rota: Schedule, now: datetime) -> list[datetime]:
    """Return the hand-overs of which somebody is to be told by now."""
    found: list[datetime] = []
    at = schedules_of.next_handover(rota, now)
    while at is not None and at <= now + _notice(context):
        found.append(at)
        at = schedules_of.next_handover(rota, at)
    return found


def _next_look(context: Context, rota: Schedule, now: datetime) -> int | None:
    """Return the next hand-over, or the day before one that nobody has been told of yet; microseconds UTC."""
    at = first = schedules_of.next_handover(rota, now)
    while at is not None and at <= now + _notice(context):
        at = schedules_of.next_handover(rota, at)
    found = [each for each in (first, at - _notice(context) if at else None) if each is not None]
    return min((instants.us_from_datetime(each) for each in found), default=None)


def _notice(context: Context) -> timedelta:
    return timedelta(hours=context.oncall.remind_hours)


def _knows(tx: Tx, context: Context, name: str, start_us: int) -> bool:
    """Whether the hours changed hands at the desk within the day: who has them did it, or was told then."""
    since = start_us - int(context.oncall.remind_hours * 3_600_000_000)
    return any(
        each.schedule == name and each.start_at <= start_us < each.until_at and each.changed_at >= since
        for each in oncall.changes(tx)
    )


def _tell_gap(
    tx: Tx, context: Context, rota: Schedule, *, start: datetime, end: datetime | None, before: str | None
) -> None:
    """Say loudly that nobody is on call: an event, a line of the log, and mails to who goes and to the leads."""
    reached = oncall_letters.nobody(tx, context, rota, start=start, end=end, before=before)
    told: dict[str, Any] = {
        "schedule": rota.name,
        "since": instants.rfc3339(start),
        "until": instants.rfc3339(end) if end else None,
    }
    events.record(tx, "nobody_on_duty", **told, told=reached)
    tx.signal("told", [("nobody_on_call", told)])


def _put_off(tx: Tx, name: str, reason: str) -> None:
    """Keep one broken schedule from being looked at without end: it is loud, and tried again."""
    turns.look_at(tx, name, tx.now + AGAIN_US)
    events.record(tx, "timer_failed", timer=f"handover:{name}", reason=reason)
