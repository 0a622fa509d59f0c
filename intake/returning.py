"""Who has answered a customer last: a team may want customers who come back to go to them."""

import msgspec
from sqlalchemy import bindparam, select

from intake.model import Context, Customer
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, values_of

LOOKED_AT_MAX = 100  # tickets of the customer, the newest

_encode = msgspec.json.Encoder().encode
_t = schema.tickets.c
_m = schema.messages.c
_newest = (
    select(_t.id, _t.agent_replied_at)
    .where(_t.customer_id == bindparam("customer_id"))
    .order_by(_t.id.desc())
    .limit(LOOKED_AT_MAX)
    .subquery()
)
_ANSWERED = Statement(
    select(_m.author, _m.at)
    .join(_newest, _newest.c.id == _m.ticket_id)
    .where(
        _newest.c.agent_replied_at >= bindparam("since"),
        _m.direction == "out",
        _m.automatic.is_(None),
        _m.at >= bindparam("since"),
        _m.author.in_(values_of("agents")),
    )
    .order_by(_m.at.desc(), _m.id.desc())
    .limit(1)
)


def answered(tx: Tx, context: Context, customer: Customer) -> tuple[str, int] | None:
    """Return who gave the customer the last answer, and when (microseconds UTC); None = nobody, or no team asks."""
    book = context.rulebook
    spans = [team.returning_s for team in book.teams.values() if team.returning_s is not None]
    if not spans or customer.is_new:
        return None
    since = tx.now - max(spans) * 1_000_000
    names = _encode(sorted(book.agents)).decode()
    row = tx.one(_ANSWERED, customer_id=customer.id, since=since, agents=names)
    return None if row is None else (row[0], row[1])
