"""What another side says became of a message of ours: it moves forward, whatever the order in which that is told.

queued < sent < failed < delivered < read: a message that failed by one report and arrived by another has arrived. A report
names our row by the reference that went with the message, else by the provider's id of it; a signed reference finds the
row even when the report comes before the provider's answer. What may arrive later is sent again, a few times; what comes
late about an earlier try counts only when it says that it arrived. What follows a failure is what follows one of mail.
"""

from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import DeliveryReport, OutboundMessage
from intake import attempts, events, failures, journal, summonses, tickets
from intake.failures import Failure
from intake.model import Context, Received, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, values_of

STRANGER = "a report about no message of ours"
# After the n-th try that did not arrive, seconds: a phone that is off, a carrier that has too much to do.
AGAIN_S = (300, 3_600)

_BEFORE = {
    "queued": (),
    "sent": ("queued",),
    "failed": ("queued", "sent"),
    "delivered": ("queued", "sent", "failed"),
    "read": ("queued", "sent", "failed", "delivered"),
}
_ARRIVED = frozenset(("delivered", "read"))
_o = schema.outbox.c
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(OutboundMessage).decode
_ROW = Statement(
    select(
        _o.id,
        _o.ticket_id,
        _o.customer_id,
        _o.message_id,
        _o.medium,
        _o.account,
        _o.recipient,
        _o.state,
        _o.provider_id,
        _o.attempts,
        _o.payload,
    ).where(_o.id == bindparam("id"))
)
_MOVE = Statement(
    schema.outbox.update()
    .where(_o.id == bindparam("outbox_id"), _o.state.in_(values_of("states")))
    .values(state=bindparam("to"), error=bindparam("why"), next_at=None)
)


class _Row(msgspec.Struct, frozen=True):
    id: int
    ticket_id: int | None
    customer_id: int | None
    message_id: int | None
    medium: str
    account: str
    recipient: str
    state: str
    provider_id: str | None
    attempts: int
    payload: str


def settle(tx: Tx, context: Context, received: Received, happening: DeliveryReport) -> None:
    """Do what a report asks for, and close its journal row."""
    row = _find(tx, context, received, happening)
    if row is None:
        journal.close(tx, received.id, "automatic", problem=STRANGER)
        return
    ticket = _apply(tx, context, row, happening)
    ticket_id = ticket.id if ticket is not None else None
    journal.close(tx, received.id, "automatic", ticket_id=ticket_id, customer_id=row.customer_id)


def apply(tx: Tx, context: Context, outbox_id: int, happening: DeliveryReport) -> None:
    """Do what a report asks for that was fetched, not sent to us."""
    row = _load(tx, outbox_id)
    if row is not None:
        _apply(tx, context, row, happening)


def _apply(tx: Tx, context: Context, row: _Row, happening: DeliveryReport) -> Ticket | None:
    """Move the row and do what follows; the ticket it is about, None = no one."""
    if happening.address_problem and _is_current(row, happening) and not _is_refuted(row, happening):
        failures.blame_number(tx, row.medium, row.account, row.recipient, happening.address_problem)
    ticket = tickets.locked_final(tx, row.ticket_id) if row.ticket_id is not None else None
    # Locked, it may have gone further than when it was looked at first.
    row = _load(tx, row.id) or row
    if _is_current(row, happening):
        _follow(tx, context, ticket, _with_id(tx, row, happening), happening)
    elif happening.state in _ARRIVED and happening.provider_id in attempts.lost_of(_decode(row.payload)):
        _arrive(tx, ticket, row, happening)
    return ticket


def _find(tx: Tx, context: Context, received: Received, happening: DeliveryReport) -> _Row | None:
    """Return the row that a report is about; None = none of ours."""
    outbox_id = attempts.outbox_id_from_reference(context.keys, happening.reference)
    if outbox_id is None and happening.provider_id:
        named = attempts.row_by_provider_id(tx, received.raw.account, happening.provider_id)
        outbox_id = int(named[0]) if named is not None else None
    row = _load(tx, outbox_id) if outbox_id is not None else None
    return row if row is not None and row.account == received.raw.account else None


def _load(tx: Tx, outbox_id: int) -> _Row | None:
    row = tx.one(_ROW, id=outbox_id)
    return None if row is None else _Row(*row)


def _is_current(row: _Row, happening: DeliveryReport) -> bool:
    """Whether a report is about the last try of a row, not about one that did not arrive."""
    if row.provider_id is not None:
        return not happening.provider_id or happening.provider_id == row.provider_id
    return happening.provider_id not in attempts.lost_of(_decode(row.payload))


def _with_id(tx: Tx, row: _Row, happening: DeliveryReport) -> _Row:
    """Note the provider's id where its answer has not been noted: whoever reports on a message has it."""
    if row.provider_id is not None or not happening.provider_id:
        return row
    if attempts.note_sent(tx, row.id, happening.provider_id):
        return msgspec.structs.replace(row, state="sent", provider_id=happening.provider_id)
    tx.update(schema.outbox, {"id": row.id}, provider_id=happening.provider_id)
    return msgspec.structs.replace(row, provider_id=happening.provider_id)


def _is_refuted(row: _Row, happening: DeliveryReport) -> bool:
    """Whether the message has arrived where it is said that nothing arrives. STOP holds all the same."""
    return row.state in _ARRIVED and happening.address_problem != "opted_out"


def _follow(tx: Tx, context: Context, ticket: Ticket | None, row: _Row, happening: DeliveryReport) -> None:
    if happening.state in _ARRIVED:
        _arrive(tx, ticket, row, happening)
    elif happening.state == "failed" and row.state in _BEFORE["failed"]:
        if not _again(tx, ticket, row, happening):
            _fail(tx, context, ticket, row, happening)
    elif happening.state == "sent":
        _move(tx, row, "sent")


def _arrive(tx: Tx, ticket: Ticket | None, row: _Row, happening: DeliveryReport) -> None:
    """Move the delivery forward; an answer that had counted as not given was given after all."""
    if not _move(tx, row, happening.state):
        return
    if row.state == "failed" and ticket is not None:
        failures.give_again(tx, ticket, row.id)
    _tell(tx, row, f"answer_{happening.state}")


def _again(tx: Tx, ticket: Ticket | None, row: _Row, happening: DeliveryReport) -> bool:
    """Have it sent again when it may arrive later; whether it is. An agent who is paged is told by their next way instead."""
    outbound = _decode(row.payload)
    tried = len(attempts.lost_of(outbound))
    if summonses.KEY in outbound.extra:
        return False
    if not happening.may_be_resent or tried >= len(AGAIN_S) or row.provider_id is None:
        return False
    at = tx.now + AGAIN_S[tried] * 1_000_000
    attempts.again(tx, row.id, outbound, row.provider_id, at=at, attempts=row.attempts, why=happening.detail)
    _tell(tx, row, "delivery_delayed", reason=happening.detail, code=happening.code)
    return True


def _fail(tx: Tx, context: Context, ticket: Ticket | None, row: _Row, happening: DeliveryReport) -> None:
    """Mark the delivery as failed; what follows for the ticket follows once."""
    problem = happening.address_problem or "undelivered"
    failure = Failure(problem, happening.code, happening.detail)
    if not _move(tx, row, "failed", why=happening.detail):
        return
    _tell(
        tx,
        row,
        "delivery_failed",
        reason=problem,
        code=happening.code,
        diagnostic=happening.detail[:300],
    )
    told = {"outbox": row.id, "account": row.account, "reason": happening.detail}
    tx.signal("told", [("delivery_failed", told | ({"ticket": ticket.ref} if ticket else {}))])
    if ticket is not None:
        failures.follow(tx, context, ticket, row.id, failure)


def _move(tx: Tx, row: _Row, state: str, *, why: str | None = None) -> bool:
    states = _encode(_BEFORE[state]).decode()
    return tx.run(_MOVE, outbox_id=row.id, states=states, to=state, why=(why or "")[:500] or None) > 0


def _tell(tx: Tx, row: _Row, kind: str, **details: Any) -> None:
    """Write it into the ticket's history: where it is about a message of the conversation, or went wrong."""
    if row.message_id is None and kind.startswith("answer_"):
        return
    events.record(
        tx,
        kind,
        ticket_id=row.ticket_id,
        customer_id=row.customer_id,
        outbox=str(row.id),
        address=row.recipient,
        **details,
    )
