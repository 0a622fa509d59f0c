"""What did not arrive: an answer that came back was not given, and rules may wait for it."""

from sqlalchemy import bindparam, select

from intake import clocks, instants, quiet, reactions, tickets, words
from intake.model import Context, Ticket
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_m = schema.messages.c
_ANSWER = Statement(
    select(_m.at, _m.author, _m.automatic)
    .join(schema.outbox, schema.outbox.c.message_id == _m.id)
    .where(schema.outbox.c.id == bindparam("outbox_id"))
)


def follow(tx: Tx, context: Context, ticket: Ticket, outbox_id: int) -> Ticket:
    """Take back what a delivery that failed for good had done, and let the rules react. The row says failed already."""
    row = tx.one(_ANSWER, outbox_id=outbox_id)
    after = ticket
    if row is not None and row[2] is None and not row[1].startswith("rule:"):
        answers = words.past(tx, ticket).answers
        answered_at = instants.us_from_datetime(answers[-1]) if answers else None
        after = tickets.stamp(tx, ticket, agent_replied_at=answered_at)
        clocks.answer_undelivered(tx, after, row[0])
    cause = Cause(name=f"undelivered:{outbox_id}")
    after = reactions.react(tx, context, ticket, "delivery_failed", cause=cause, now=after).ticket
    quiet.follow(tx, context, after)
    return after
