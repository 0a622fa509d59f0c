"""Rules that run at a time of day, over the tickets that match: `on: clock`.

One row for each rule holds its next instant. A run goes through the tickets that are not closed in pages, notes how far
it has come, and is over once its row has moved to the next instant. A ticket's own row (kind "clock") is claimed in the
transaction of what the rule does to it, so that a run that was cut off does nothing twice. Runs missed in a downtime
are made up for by one.
"""

import logging

import msgspec
from sqlalchemy import BigInteger, bindparam, cast, func, select

from intake import event_facts, events, failpoints, instants, quiet, reactions, tickets
from intake.model import Context
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement, upsert
from routing import react
from routing.rulebook import Rulebook
from routing.rules import Daily, React

KIND = "clock"
PAGE = 100

log = logging.getLogger("intake.dailies")

_encode = msgspec.json.Encoder(order="deterministic").encode
_d = schema.dailies.c
_t = schema.timers.c
_ROWS = Statement(select(_d.rule, _d.spec))
_DUE = Statement(
    select(_d.rule, _d.next_at, _d.cursor).where(_d.next_at <= bindparam("now")).order_by(_d.next_at, _d.rule)
)
_NEXT = Statement(select(func.min(_d.next_at)))
_UPCOMING = Statement(select(_d.rule, _d.next_at))
_SET = Statement(
    upsert(schema.dailies)
    .values(rule=bindparam("rule"), spec=bindparam("spec"), next_at=bindparam("next_at"))
    .on_conflict_do_update(
        index_elements=[_d.rule],
        set_={"spec": bindparam("spec"), "next_at": bindparam("next_at"), "cursor": None},
    )
)
_FORGET = Statement(schema.dailies.delete().where(_d.rule == bindparam("rule")))
_MOVE = Statement(
    schema.dailies.update()
    .where(_d.rule == bindparam("at_rule"), _d.next_at == bindparam("run_at"))
    .values(next_at=bindparam("next_at"), cursor=cast(bindparam("cursor"), BigInteger()))
)
_LIVING = Statement(
    select(schema.tickets.c.id)
    .where(schema.tickets.c.status != "closed", schema.tickets.c.id > bindparam("after"))
    .order_by(schema.tickets.c.id)
    .limit(bindparam("most"))
)
_CLAIM = Statement(
    upsert(schema.timers)
    .values(
        {
            name: bindparam(name)
            for name in ("id", "ticket_id", "customer_id", "policy", "step", "due_at", "fired_at")
        }
        | {"kind": KIND, "state": "fired"}
    )
    .on_conflict_do_nothing(index_elements=[_t.ticket_id, _t.policy, _t.step, _t.due_at])
)


def keep(tx: Tx, book: Rulebook) -> None:
    """Give each clock rule its next instant; one that is as it was keeps the one it has, even past."""
    specs = {each.rule.id: (each, _spec(each.daily)) for each in book.react if each.daily is not None}
    known: dict[str, str] = dict(tx.all(_ROWS))
    for name in known.keys() - specs.keys():
        tx.run(_FORGET, rule=name)
    for name, (rule, spec) in specs.items():
        if known.get(name) != spec:
            next_at = _next_us(rule, book, tx.now)
            tx.run(_SET, rule=name, spec=spec, next_at=next_at)
            tx.signal("timers", next_at)


def next_due(tx: Tx) -> int | None:
    """Return when the next run is due, microseconds UTC; None = no clock rule."""
    row = tx.one(_NEXT)
    return None if row is None else row[0]


def upcoming(tx: Tx) -> list[tuple[str, int]]:
    """Return the rules and when each runs next, microseconds UTC."""
    return [(row[0], row[1]) for row in tx.all(_UPCOMING)]


async def run_due(store: Store, context: Context) -> int:
    """Make every run that is due, each once however many were missed; how many. Raises: StoreError."""
    due = await store.read(lambda tx: tx.all(_DUE, now=tx.now))
    rules = {each.rule.id: each for each in context.rulebook.react if each.daily is not None}
    known = [(rules[name], run_at, cursor) for name, run_at, cursor in due if name in rules]
    for rule, run_at, cursor in known:
        await _run(store, context, rule, run_at=run_at, after=-1 if cursor is None else cursor)
    return len(known)


async def _run(store: Store, context: Context, rule: React, *, run_at: int, after: int) -> None:
    while True:
        page, matching = await store.read(lambda tx, after=after: _page(tx, context, rule, after))  # type: ignore[misc]
        for ticket_id in matching:
            await _visit(store, context, rule, run_at=run_at, ticket_id=ticket_id)
        if len(page) < PAGE:
            break
        after = page[-1]
        await store.write(
            lambda tx, after=after: tx.run(  # type: ignore[misc]
                _MOVE, at_rule=rule.rule.id, run_at=run_at, next_at=run_at, cursor=after
            )
        )
    await store.write(lambda tx: _finish(tx, context.rulebook, rule, run_at))


def _page(tx: Tx, context: Context, rule: React, after: int) -> tuple[list[int], list[int]]:
    """Return the next tickets, and those of them that match as they stand."""
    page = [row[0] for row in tx.all(_LIVING, after=after, most=PAGE)]
    return page, [ticket_id for ticket_id in page if _matches(tx, context, rule, ticket_id)]


def _matches(tx: Tx, context: Context, rule: React, ticket_id: int) -> bool:
    ticket = tickets.load(tx, ticket_id)
    if ticket is None:
        return False
    facts = event_facts.of_ticket(tx, context, ticket, KIND)
    reaction = react.react(context.rulebook, facts, only=rule.rule.id)
    return bool(reaction.matched or reaction.failed)


async def _visit(store: Store, context: Context, rule: React, *, run_at: int, ticket_id: int) -> None:
    """Do what the rule says to one ticket; one that breaks is told and does not stop the others."""
    try:
        await store.write(lambda tx: visit(tx, context, rule, run_at=run_at, ticket_id=ticket_id))
    except StoreError:
        raise
    except Exception as error:
        log.exception("timer_failed", extra={"rule": rule.rule.id})
        reason = type(error).__name__
        await store.write(
            lambda tx: events.record(
                tx, "timer_failed", ticket_id=ticket_id, timer=f"{KIND}:{rule.rule.id}", reason=reason
            )
        )


def visit(tx: Tx, context: Context, rule: React, *, run_at: int, ticket_id: int) -> bool:
    """Do what the rule says to one ticket in the run of an instant; false when that has been done."""
    ticket = tickets.locked(tx, ticket_id)
    row_id = tx.new_id()
    claimed = tx.run(
        _CLAIM,
        id=row_id,
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        policy=KIND,
        step=rule.rule.id,
        due_at=run_at,
        fired_at=tx.now,
    )
    if not claimed:
        return False
    failpoints.reach("timers.in_transaction")
    cause = Cause(name=f"timer:{row_id}")
    after = reactions.react(tx, context, ticket, KIND, cause=cause, only=rule.rule.id).ticket
    quiet.follow(tx, context, after)
    return True


def _finish(tx: Tx, book: Rulebook, rule: React, run_at: int) -> None:
    failpoints.reach("dailies.finish")
    tx.run(_MOVE, at_rule=rule.rule.id, run_at=run_at, next_at=_next_us(rule, book, tx.now), cursor=None)


def _next_us(rule: React, book: Rulebook, now_us: int) -> int:
    after = instants.datetime_from_us(now_us)
    return instants.us_from_datetime(react.next_daily(rule, after, book.calendars))


def _spec(daily: Daily) -> str:
    return _encode({"days": sorted(daily.days), "at": daily.at.isoformat(), "in": daily.calendar}).decode()
