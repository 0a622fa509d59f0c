"""Which mail of ours a report is about, proven, and how far that one has got: forward, never back.

Proof is our signed return path, or the Message-ID: it carries a signature too, so nobody who has not seen the mail can
name it. Whoever has seen it but did not get it from us (somebody copied, somebody it was passed on to) knows the
Message-ID as well; hence what names no more than that must be about an address that the mail went to.
"""

import hmac
from collections.abc import Iterable

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import OutboundMessage
from intake import addresses
from intake.model import Account, Context
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, values_of

# A state may only be reached from these: a report that comes late, or twice, moves nothing.
_BEFORE = {
    "sent": ("queued",),
    "delivered": ("queued", "sent"),
    "read": ("queued", "sent", "delivered"),
    "failed": ("queued", "sent", "delivered"),
}

_o = schema.outbox.c
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(OutboundMessage).decode
_BY_ID = Statement(
    select(
        _o.id, _o.ticket_id, _o.message_id, _o.account, _o.cause, _o.action, _o.recipient, _o.payload
    ).where(_o.id == bindparam("id"))
)
_MOVE = Statement(
    schema.outbox.update()
    .where(_o.id == bindparam("outbox_id"), _o.state.in_(values_of("states")))
    .values(state=bindparam("to"), error=bindparam("reason"), next_at=None)
)
_NOTE_ID = Statement(
    schema.outbox.update()
    .where(_o.id == bindparam("outbox_id"), _o.provider_id.is_(None))
    .values(provider_id=bindparam("known_as"))
)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A mail of ours. message_id: of the conversation's message, None = a notice. is_returned: it came back on our path."""

    id: int
    ticket_id: int
    message_id: int | None
    account: str
    cause: str
    action: str
    recipient: str
    copies: frozenset[str]
    is_returned: bool

    def concerns(self, named: Iterable[str]) -> bool:
        """Whether a report about these addresses is about whom the mail was for; named: as the report writes them.

        On our own return path the report may name whom the mail was passed on to, or nobody at all.
        """
        lowered = {each.lower() for each in named}
        if self.recipient.lower() in lowered:
            return True
        if lowered & self.copies:
            return False
        return self.is_returned

    def failed_copies(self, named: Iterable[str]) -> tuple[str, ...]:
        return tuple(each for each in named if each.lower() in self.copies)


def find(
    tx: Tx, context: Context, account: Account, recipients: tuple[str, ...], identifier: str | None
) -> Sent | None:
    """Return the mail that a report is about; None = none of ours, or nothing proves that it is.

    recipients: of the report; identifier: the Message-ID it names.
    """
    for recipient in recipients:
        outbox_id = addresses.bounced_outbox_id(context.keys, account, recipient)
        row = tx.one(_BY_ID, id=outbox_id) if outbox_id is not None else None
        if row is not None and row[1] is not None:
            return _sent(row, is_returned=True)
    outbox_id = addresses.outbox_id_from_message_id(identifier) if identifier else None
    row = tx.one(_BY_ID, id=outbox_id) if outbox_id is not None else None
    if row is None or row[1] is None or identifier is None:
        return None
    ours = _decode(row[7]).message_id.lower().encode()
    return _sent(row, is_returned=False) if hmac.compare_digest(ours, identifier.lower().encode()) else None


def advance(tx: Tx, outbox_id: int, state: str, *, reason: str | None = None) -> bool:
    """Move a row forward; false when it is there or further already. reason: why it failed."""
    states = _encode(_BEFORE[state]).decode()
    return tx.run(_MOVE, outbox_id=outbox_id, states=states, to=state, reason=reason) > 0


def note_id(tx: Tx, outbox_id: int, provider_id: str) -> bool:
    """Note under which id the other side has a row, where its answer has not been noted; whether that was so."""
    return tx.run(_NOTE_ID, outbox_id=outbox_id, known_as=provider_id) > 0


def _sent(row: Row, *, is_returned: bool) -> Sent:
    return Sent(
        id=row[0],
        ticket_id=row[1],
        message_id=row[2],
        account=row[3],
        cause=row[4],
        action=row[5],
        recipient=row[6],
        copies=frozenset(each.address.lower() for each in _decode(row[7]).cc),
        is_returned=is_returned,
    )
