"""Rules that fire when nothing has happened for a while: timer rows of the kind "quiet".

For each (ticket, rule, since-event): no row while the condition does not hold; a pending row from the first whole change
after which it does, due so long after the since-event, which may be past; fired, or cancelled as soon as the condition
stopped holding. Either way that was it until the next since-event. The row's policy names that event and its instant.
"""

from functools import lru_cache

import msgspec
from sqlalchemy import bindparam, select

from intake import event_facts, instants
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import RowsStatement, Statement
from routing import react
from routing.facts import Facts
from routing.rulebook import Rulebook
from routing.rules import React

KIND = "quiet"

_encode = msgspec.json.Encoder().encode
_t = schema.timers.c
_ROWS = Statement(
    select(_t.id, _t.policy, _t.step, _t.state).where(_t.ticket_id == bindparam("ticket_id"), _t.kind == KIND)
)
_WRITE = RowsStatement(
    schema.timers,
    ("id", "ticket_id", "customer_id", "kind", "policy", "step", "due_at"),
    lambda insert: insert.on_conflict_do_nothing(
        index_elements=[_t.ticket_id, _t.policy, _t.step, _t.due_at]
    ),
)


def follow(
    tx: Tx, context: Context, ticket: Ticket, *, seen: Facts | None = None, is_new: bool = False
) -> None:
    """Bring the rows of a ticket up to date after a whole change of it. seen: the facts of its cause, when they are known."""
    book = context.rulebook
    if not has_rules(book):
        return
    if seen is None:
        facts = event_facts.of_ticket(tx, context, ticket, KIND)
    else:
        facts = event_facts.of_event(tx, context, seen, ticket, KIND)
    holding = {each.rule.id: each for each in react.quiet_holding(book, facts)}
    rows = () if is_new else tx.all(_ROWS, ticket_id=ticket.id)
    present = {each.rule.id: since_event(ticket, each) for each in book.react if each.quiet is not None}
    for row_id, policy, rule, state in rows:
        # A rule that a reload has taken away keeps its rows: a reload touches no timer.
        is_over = rule in present and (rule not in holding or policy != present[rule])
        if state == "pending" and is_over:
            tx.update(schema.timers, {"id": row_id, "state": "pending"}, state="cancelled")
    known = {(policy, rule) for _, policy, rule, _ in rows}
    _write(
        tx,
        context,
        ticket,
        [rule for name, rule in holding.items() if present[name] and (present[name], name) not in known],
    )


@lru_cache(maxsize=4)
def has_rules(book: Rulebook) -> bool:
    """Whether any rule waits for silence."""
    return any(each.quiet is not None for each in book.react)


def since_event(ticket: Ticket, rule: React) -> str | None:
    """Return the last event that the rule counts from, like "created@1794304800000000"; None = it has not happened."""
    assert rule.quiet is not None  # noqa: S101 - asked of quiet rules only
    at = getattr(ticket, f"{rule.quiet.since}_at")
    return None if at is None else f"{rule.quiet.since}@{at}"


def _write(tx: Tx, context: Context, ticket: Ticket, rules: list[React]) -> None:
    rows = []
    for each in rules:
        policy = since_event(ticket, each) or ""
        since = instants.datetime_from_us(int(policy.rpartition("@")[2]))
        due_us = instants.us_from_datetime(react.quiet_due(each, since, context.rulebook.calendars))
        rows.append((tx.new_id(), ticket.id, ticket.customer_id, KIND, policy, each.rule.id, due_us))
    if rows:
        tx.run(_WRITE, rows=_encode(rows).decode())
        tx.signal("timers", min(row[-1] for row in rows))
