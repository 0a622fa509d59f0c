"""What is queued, as rows: what may be sent now, what became of it, what an operator does about it.

A row is decided with its cause and sent at least once (intake.delivering): a crash between the other side's "taken" and
our note of it sends the same message, with the same Message-ID, again.
"""

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import BigInteger, bindparam, func, select

from channels.contract import Delivered, DeliveryFailed, OutboundMessage
from intake import attempts as tries
from intake import events, failures, tickets, undeliverable
from intake.failures import Failure
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

PAGE = 400
_o = schema.outbox.c
_decode = msgspec.json.Decoder(OutboundMessage).decode
_DUE = Statement(
    select(_o.id, _o.payload, _o.attempts, _o.error)
    .where(_o.state == "queued", _o.next_at <= bindparam("now"))
    .order_by(_o.next_at)
    .limit(bindparam("most"))
)
_NEXT = Statement(select(func.min(_o.next_at)).where(_o.state == "queued"))
_BRING_NEARER = Statement(
    schema.outbox.update()
    .where(_o.state == "queued")
    .values(next_at=_o.next_at - bindparam("by", type_=BigInteger()))
)
_FROM_THE_FUTURE = Statement(
    schema.outbox.update()
    .where(_o.state == "queued", _o.created_at > bindparam("now"))
    .values(next_at=bindparam("now_too"))
)
_DELIVERED = Statement(
    schema.outbox.update()
    .where(_o.id == bindparam("outbox_id"), _o.state == "queued", _o.attempts <= bindparam("up_to"))
    .values(
        state=bindparam("to"),
        provider_id=bindparam("sid"),
        sent_at=bindparam("now"),
        attempts=bindparam("tried"),
        next_at=None,
        error=None,
    )
)
_TICKET = Statement(select(_o.ticket_id, _o.customer_id, _o.medium).where(_o.id == bindparam("id")))


class Queued(msgspec.Struct, frozen=True):
    """What may be sent now. error: what became of the last try, None = there was none."""

    id: int
    outbound: OutboundMessage
    attempts: int
    error: str | None = None


def due(tx: Tx, *, most: int = PAGE) -> list[Queued]:
    """Return what may be sent now, the longest waiting first."""
    return [Queued(row[0], _decode(row[1]), row[2], row[3]) for row in tx.all(_DUE, now=tx.now, most=most)]


def look(tx: Tx) -> tuple[list[Queued], int | None]:
    """Return what may be sent now, and when the next is to be tried, microseconds UTC; None = nothing waits."""
    row = tx.one(_NEXT)
    return due(tx), row[0] if row is not None else None


def bring_nearer(tx: Tx, by_us: int) -> None:
    """Bring nearer what waits for an instant of a clock that has been set back by so much, microseconds."""
    tx.run(_BRING_NEARER, by=by_us)


def send_what_is_of_the_future(tx: Tx) -> None:
    """Send now what was queued by a clock that has been set back since."""
    tx.run(_FROM_THE_FUTURE, now=tx.now, now_too=tx.now)


def note_delivered(tx: Tx, outbox_id: int, delivered: Delivered, attempts: int) -> None:
    """Note that a try was taken, unless a report has told more of it by now."""
    tx.run(
        _DELIVERED,
        outbox_id=outbox_id,
        up_to=attempts,
        to=delivered.state,
        sid=delivered.provider_id or None,
        now=tx.now,
        tried=attempts,
    )
    if delivered.refused:
        _note_refused(tx, outbox_id, delivered.refused)


def _note_refused(tx: Tx, outbox_id: int, refused: Mapping[str, str]) -> None:
    """Tell the ticket who in copy did not get what went out, and mark those addresses."""
    ticket_id, customer_id, _ = tx.one(_TICKET, id=outbox_id) or (None, None, "")
    for address, reason in refused.items():
        undeliverable.mark_refused(tx, address, reason)
        events.record(
            tx,
            "copy_failed",
            ticket_id=ticket_id,
            customer_id=customer_id,
            outbox=str(outbox_id),
            addresses=[address],
            reason="refused",
            diagnostic=reason[:300],
        )


def note_failed(
    tx: Tx,
    outbox_id: int,
    failure: DeliveryFailed,
    attempts: int,
    next_at: int | None,
    context: Context | None = None,
) -> bool:
    """Keep the reason; next_at None = given up, which its ticket is told, and the rules of context.

    False when it was dropped while it was on its way, or a report has said what became of it: that stays.
    """
    if next_at is None:
        failures.blame(tx, outbox_id, failure)
    ticket_id, customer_id, medium = tx.one(_TICKET, id=outbox_id) or (None, None, "")
    ticket = tickets.locked_final(tx, ticket_id) if next_at is None and ticket_id is not None else None
    state = "queued" if next_at is not None else "failed"
    # Mail is sent again under the same Message-ID, and whoever has it twice can tell.
    reason = tries.reason_of(failure.reason, unknown=failure.unknown and medium != tries.MAIL)
    touched = tx.update(
        schema.outbox,
        {"id": outbox_id, "state": "queued"},
        state=state,
        attempts=attempts,
        error=reason[:500],
        next_at=next_at,
    )
    if not touched:
        return False
    if next_at is None:
        events.record(
            tx,
            "delivery_failed",
            ticket_id=ticket_id,
            customer_id=customer_id,
            outbox=str(outbox_id),
            reason=failure.reason[:500],
        )
    if ticket is not None and context is not None:
        failures.follow(tx, context, ticket, outbox_id, Failure("refused", detail=failure.reason[:500]))
    return True


UNSENT = ("failed", "queued", "withheld")


def retry(tx: Tx, outbox_id: int, *, states: Collection[str] = UNSENT) -> bool:
    """Send a failed, waiting or withheld message now; false when there is no such row, or it has gone out.

    An answer that had counted as not given counts from now on. states: of which it has to be in one.
    """
    ticket = _locked(tx, outbox_id)
    tries.forget_id(tx, outbox_id)
    touched = {
        state: tx.update(
            schema.outbox,
            {"id": outbox_id, "state": state},
            state="queued",
            next_at=tx.now,
            attempts=0,
            counted=0,
        )
        for state in states
    }
    if not any(touched.values()):
        return False
    if (touched.get("failed") or touched.get("withheld")) and ticket is not None:
        failures.give_again(tx, ticket, outbox_id)
    tx.signal("outbox", tx.now)
    return True


def drop(tx: Tx, outbox_id: int) -> bool:
    """Never send a failed, waiting or withheld message; false when there is no such row, or it has gone out.

    An answer that still waited was not given.
    """
    ticket = _locked(tx, outbox_id)
    touched = {
        state: tx.update(schema.outbox, {"id": outbox_id, "state": state}, state="dropped", next_at=None)
        for state in UNSENT
    }
    if touched["queued"] and ticket is not None:
        failures.take_back(tx, ticket, outbox_id)
    return any(touched.values())


def _locked(tx: Tx, outbox_id: int) -> Ticket | None:
    """Hold the ticket of a row; None = it has none."""
    row = tx.one(_TICKET, id=outbox_id)
    return tickets.locked_final(tx, row[0]) if row is not None and row[0] is not None else None
