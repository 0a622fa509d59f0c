"""Who has said what when, of a ticket's whole conversation: what clocks ask for when an answer turns out not to count."""

from operator import itemgetter

import msgspec
from sqlalchemy import bindparam, func, literal, or_, select

from intake import instants
from intake.model import OPEN_STATUSES, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing.sla import Past

_decode = msgspec.json.Decoder().decode
_m = schema.messages.c
_o = schema.outbox.c
_e = schema.events.c
_c = schema.calls.c
_TURNS = Statement(
    select(_e.at, _e.details)
    .where(_e.ticket_id == bindparam("ticket_id"), _e.kind == "status_changed")
    .order_by(_e.id.desc())
)
_WORDS = Statement(
    select(_m.at, _m.direction, _m.author, _o.state)
    .outerjoin(schema.outbox, (_o.ticket_id == _m.ticket_id) & (_o.message_id == _m.id))
    .where(
        _m.ticket_id == bindparam("ticket_id"),
        _m.direction != "note",
        _m.automatic.is_(None),
        or_(
            _m.direction == "in", _m.medium != "voice"
        ),  # a call of ours is an answer when somebody spoke: see _TALKS
    )
    .order_by(_m.at, _m.id)
)
_TALKS = Statement(  # shaped like an answer of somebody
    select(_c.counted_at, literal("out"), func.coalesce(_c.agent, ""), literal("sent"))
    .where(_c.ticket_id == bindparam("ticket_id"), _c.counted_at.is_not(None))
    .order_by(_c.counted_at)
)


def past(tx: Tx, ticket: Ticket) -> Past:
    """Return the public words that stand: an answer that came back for good is none.

    Who wrote before the ticket was solved does not wait any more, also when it is open again.
    """
    answers, waiting_since = [], None
    done_at = _done_at(tx, ticket)
    said = [*tx.all(_WORDS, ticket_id=ticket.id), *tx.all(_TALKS, ticket_id=ticket.id)]
    for at, direction, author, state in sorted(said, key=itemgetter(0)):
        if direction == "in":
            is_first = waiting_since is None and at > done_at
            waiting_since = at if is_first else waiting_since
        elif state not in ("failed", "dropped", "withheld") and not author.startswith("rule:"):
            answers.append(instants.datetime_from_us(at))
            waiting_since = None
    return Past(
        created_at=instants.datetime_from_us(ticket.created_at),
        answers=tuple(answers),
        waiting_since=None if waiting_since is None else instants.datetime_from_us(waiting_since),
        status_since=instants.datetime_from_us(ticket.status_changed_at or ticket.created_at),
    )


def _done_at(tx: Tx, ticket: Ticket) -> int:
    """When the ticket was solved or closed last, whether or not it is open again; -1 = never."""
    for at, details in tx.all(_TURNS, ticket_id=ticket.id):
        if _decode(details).get("to") not in OPEN_STATUSES:
            return int(at)
    return -1
