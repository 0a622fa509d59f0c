"""A ticket's rows as a ticket in memory, which then lives on under the rules in force. Reads only."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, select

from intake import armaments, clocks, event_facts, instants, oncall, quiet, words
from intake.model import Context, Ticket
from intake.steps import ASKING, OPEN
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement
from routing import ladder_timers
from routing.ladder import Asked, Firing
from routing.quiet_rows import QuietRow, State
from routing.resumed import Resumed
from routing.rulebook import Rulebook
from routing.simulated import Simulated
from routing.sla import Clocks

_ARMED = "(armed)"  # the calendar and the ladder that a ticket keeps, beside those of the rules
_STEPS = ("step", "breach", "ack")
_QUIET: dict[str, State] = {"pending": "pending", "fired": "fired"}
_SINCE = ("created", "customer_replied", "agent_replied", "assigned", "status_changed")

_t = schema.timers.c
_TIMERS = Statement(
    select(_t.kind, _t.policy, _t.step, _t.due_at, _t.state, _t.fired_at, _t.is_reached, _t.acknowledged_at)
    .where(_t.ticket_id == bindparam("ticket_id"))
    .order_by(_t.due_at, _t.id)
)


def resumed(tx: Tx, context: Context, ticket: Ticket) -> Resumed:
    """The ticket as it is now. Raises: LookupError when the rules no longer have its team."""
    if ticket.team not in context.rulebook.teams:
        raise LookupError(f"the rules have no team '{ticket.team}' any more")
    book = _armed(tx, context.rulebook, ticket)
    timers = tx.all(_TIMERS, ticket_id=ticket.id)
    seen = msgspec.structs.replace(
        event_facts.of_ticket(tx, context, ticket, "created"),
        ticket=None,
        on_call=oncall.overrides(tx, context.rulebook),
    )
    now = instants.datetime_from_us(tx.now)
    rows = tuple(_quiet_rows(book, ticket, timers))
    return Resumed(book, seen, _simulated(tx, book, ticket, timers), quiet=rows, now=now)


def _armed(tx: Tx, book: Rulebook, ticket: Ticket) -> Rulebook:
    """The rules in force, with the policy, ladder and calendar that the ticket was armed with."""
    if ticket.armament is None or ticket.sla is None:
        return book
    kept = armaments.load(tx, ticket.armament)
    policy = msgspec.structs.replace(
        kept.policy, name=ticket.sla, calendar=_ARMED, ladder=_ARMED if kept.ladder else None
    )
    return msgspec.structs.replace(
        book,
        policies={**book.policies, ticket.sla: policy},
        calendars={**book.calendars, _ARMED: kept.calendar},
        ladders={**book.ladders, _ARMED: kept.ladder} if kept.ladder else book.ladders,
    )


def _simulated(tx: Tx, book: Rulebook, ticket: Ticket, timers: Sequence[Row]) -> Simulated:
    past = words.past(tx, ticket)
    steps = [row for row in timers if row[0] in _STEPS]
    pending = {row[0]: row for row in timers if row[4] == "pending"}
    held = clocks.load(tx, ticket.id)
    return Simulated(
        rulebook=book,
        created_at=past.created_at,
        heard_at=_at(ticket.customer_replied_at) or past.created_at,
        status=ticket.status,
        priority=ticket.priority,
        team=ticket.team or "",
        level=ticket.level,
        agent=ticket.agent,
        nature=ticket.nature,
        language=ticket.language,
        tags=ticket.tags,
        fields=ticket.fields,
        skills=ticket.skills,
        relax_at=_due(pending.get("relax")),
        sla=ticket.sla if ticket.armament is not None else None,
        reopened=ticket.reopened,
        promise=_at(ticket.promised_at),
        snoozed_until=_due(pending.get("snooze")),
        solved_at=_at(ticket.solved_at),
        is_taken=ticket.taken_at is not None,
        is_spam=ticket.is_spam,
        waits=ticket.waits_since is not None,
        prefers=ticket.prefers,
        clocks=held,
        fired=_fired(held, steps),
        asked=[_asked(row) for row in steps if row[4] == "fired" and row[6] in ASKING],
        since={name: at for name in _SINCE if (at := _at(getattr(ticket, f"{name}_at"))) is not None},
        answers=past.answers,
        words=(past.waiting_since,) if past.waiting_since is not None else (),
    )


def _fired(held: Clocks, steps: Sequence[Row]) -> dict[str, Firing]:
    """Key of each step that has fired -> when; with breaches that no row is going to tell."""
    waiting = {row[2] for row in steps if row[4] in OPEN}
    noted = ladder_timers.untold_breaches(held)
    fired = {each.key: Firing(each.due_at, each.due_at) for each in noted if each.key not in waiting}
    return fired | {row[2]: _firing(row) for row in steps if row[4] in ("fired", "skipped")}


def _firing(row: Row) -> Firing:
    return Firing(instants.datetime_from_us(row[3]), instants.datetime_from_us(row[5] or row[3]))


def _asked(row: Row) -> Asked:
    return Asked(
        key=row[2],
        sent_at=instants.datetime_from_us(row[5]),
        is_reached=bool(row[6]),
        acknowledged_at=_at(row[7]),
    )


def _quiet_rows(book: Rulebook, ticket: Ticket, timers: Sequence[Row]) -> Iterator[QuietRow]:
    """Of each quiet rule whose since-event has happened: its row since the last of them, or that it waits."""
    kept = {(row[1], row[2]): row for row in timers if row[0] == quiet.KIND}
    for rule in book.react:
        policy = quiet.since_event(ticket, rule) if rule.quiet is not None else None
        if policy is None:
            continue
        since = instants.datetime_from_us(int(policy.rpartition("@")[2]))
        row = kept.get((policy, rule.rule.id))
        if row is None:
            yield QuietRow(rule, since)
        else:
            yield QuietRow(rule, since, _QUIET.get(row[4], "dead"), instants.datetime_from_us(row[3]))


def _at(at_us: int | None) -> datetime | None:
    return None if at_us is None else instants.datetime_from_us(at_us)


def _due(row: Row | None) -> datetime | None:
    return None if row is None else instants.datetime_from_us(row[3])
