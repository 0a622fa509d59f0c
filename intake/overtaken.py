"""Late answers to a customer: of several that a downtime has held up on one ticket, only the last goes out.

A reply of a ladder's step ("it takes longer than we said") is still true when it comes late: its target is still open,
or the timer would have been cancelled. What is not true any more is that several of them, or a reminder and the closing
words after it, come within one second. So a reply that is late by more than an hour is withheld when another timer of
the same ticket, due by now as well, says something to the customer after it. Everything else a late timer does is done.
"""

from sqlalchemy import bindparam, select

from intake import armaments, quiet, steps
from intake.due import Due
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

LATE_US = 3_600 * 1_000_000

_t = schema.timers.c
_AFTER = Statement(
    select(_t.id, _t.kind, _t.policy, _t.step, _t.target, _t.due_at)
    .where(
        _t.ticket_id == bindparam("ticket_id"),
        _t.state == "pending",
        _t.due_at >= bindparam("after"),
        _t.due_at <= bindparam("now"),
    )
    .order_by(_t.due_at, _t.id)
)


def is_overtaken(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> bool:
    """Whether what a late timer says to the customer is overtaken by what the ticket's next due timers say."""
    if tx.now - timer.due_at <= LATE_US:
        return False
    waiting = [Due(*row) for row in tx.all(_AFTER, ticket_id=ticket.id, after=timer.due_at, now=tx.now)]
    return any(
        _replies(tx, context, ticket, each)
        for each in waiting
        if (each.due_at, each.id) > (timer.due_at, timer.id)
    )


def _replies(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> bool:
    if timer.kind == quiet.KIND:
        rules = (each.rule for each in context.rulebook.react if each.rule.id == timer.step)
        return any(write.field == "reply" and write.value for rule in rules for write in rule.then)
    if timer.kind in (steps.STEP, steps.ACK) and ticket.armament is not None:
        actions = steps.actions(armaments.load(tx, ticket.armament), timer.step, timer.target)
        return any(action.kind == "reply" for action in actions)
    return False
