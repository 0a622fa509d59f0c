"""Who has said what when, of a ticket's whole conversation: what clocks ask for when an answer turns out not to count."""

from sqlalchemy import bindparam, select

from intake import instants
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing.sla import Past

_m = schema.messages.c
_o = schema.outbox.c
_WORDS = Statement(
    select(_m.at, _m.direction, _m.author, _o.state)
    .outerjoin(schema.outbox, (_o.ticket_id == _m.ticket_id) & (_o.message_id == _m.id))
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction != "note", _m.automatic.is_(None))
    .order_by(_m.at, _m.id)
)


def past(tx: Tx, ticket: Ticket) -> Past:
    """Return the public words that stand: an answer that came back for good is none."""
    answers, waiting_since = [], None
    for at, direction, author, state in tx.all(_WORDS, ticket_id=ticket.id):
        if direction == "in":
            waiting_since = at if waiting_since is None else waiting_since
        elif state not in ("failed", "dropped") and not author.startswith("rule:"):
            answers.append(instants.datetime_from_us(at))
            waiting_since = None
    return Past(
        created_at=instants.datetime_from_us(ticket.created_at),
        answers=tuple(answers),
        waiting_since=None if waiting_since is None else instants.datetime_from_us(waiting_since),
    )
