"""A talk that is recorded now: which call it is, and that its recording was paused or went on."""

import msgspec
from sqlalchemy import bindparam, select

from intake import events, tickets
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_c = schema.calls.c
_UNDER_WAY = Statement(
    select(_c.account, _c.call, _c.ticket_id)
    .where(_c.call == bindparam("call"), _c.ended_at.is_(None))
    .order_by(_c.id.desc())
    .limit(1)
)


class Talk(msgspec.Struct, frozen=True):
    """A call under way. call: the provider's id. ticket_id: None = it has none yet."""

    account: str
    call: str
    ticket_id: int | None


def find(tx: Tx, call: str) -> Talk | None:
    """Return a call that has not ended; None = there is no such call."""
    row = tx.one(_UNDER_WAY, call=call)
    return None if row is None else Talk(*row)


def note(tx: Tx, talk: Talk, action: str) -> None:
    """Write on the ticket that the recording was paused, resumed or stopped."""
    if talk.ticket_id is None:
        return
    ticket = tickets.locked_final(tx, talk.ticket_id)
    events.of_ticket(tx, ticket, f"recording_{action}", call=talk.call)
