"""Tries to send what no idempotency key protects: each is written down before it is made, so that none is made blindly.

A try whose outcome nobody noted may have reached the other side: we crashed, the connection broke, the time ran out.
Before the next one the other side is asked what it has (`sent_before` of the channel), and what it has and no other row
of ours does is this one. The operator reads in the outbox that it is not known.

Beginning a try is also how one of several daemons on a store takes it: whoever is second does not send.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Text, bindparam, func, select

from channels.contract import OutboundMessage
from intake import addresses
from intake.keys import Keys
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement

UNKNOWN = "it is not known whether it was sent: "
UNDER_WAY = f"{UNKNOWN}it was being sent"
LEASE_US = 90_000_000  # longer than a try takes (Options.timeout_s is at most a minute)
MAIL_LEASE_US = 900_000_000  # a large mail to a slow relay
LOST = "lost"  # in OutboundMessage.extra: the provider ids under which it did not arrive
MAIL = "email"

_o = schema.outbox.c
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(OutboundMessage).decode
_TAKEN = Statement(
    select(_o.id).where(
        _o.provider_id == bindparam("provider_id"),
        _o.medium != MAIL,
        _o.provider_id.is_not(None),
        _o.account == bindparam("account"),
    )
)
_FAILED = Statement(
    select(_o.payload, _o.provider_id).where(
        _o.id == bindparam("id"),
        _o.state == "failed",
        _o.medium != MAIL,
        _o.provider_id.is_not(None),
    )
)
# Only as it was seen: due, and after as many tries. Another daemon may have had the same look.
_BEGIN = Statement(
    schema.outbox.update()
    .where(
        _o.id == bindparam("outbox_id"),
        _o.state == "queued",
        _o.attempts < bindparam("attempts_now"),
        _o.next_at <= bindparam("now"),
    )
    .values(
        attempts=bindparam("attempts_too"),
        error=func.coalesce(bindparam("why", type_=Text()), _o.error),
        next_at=bindparam("until"),
    )
)
_RECIPIENT = Statement(select(_o.account, _o.recipient).where(_o.id == bindparam("id")))
_OPEN = Statement(select(_o.payload, _o.account).where(_o.id == bindparam("id"), _o.state == "queued"))


def is_unknown(error: str | None) -> bool:
    """Whether the last try of a row, by what the row says of it, may have reached the other side."""
    return (error or "").startswith(UNKNOWN)


def reason_of(reason: str, *, unknown: bool) -> str:
    """Return what a row says of a try that failed."""
    return f"{UNKNOWN}{reason}" if unknown and not is_unknown(reason) else reason


def begin(tx: Tx, outbox_id: int, attempts: int, *, is_blind: bool = True) -> bool:
    """Write down that a try begins; false when the row is not to be sent any more, or another daemon sends it.

    attempts: with this one. Until it is noted how it ended nobody tries again: whoever finds the row after a crash looks
    it up when the other side has had the time to list it. is_blind: false for mail, which is sent again as it is.
    """
    taken = tx.run(
        _BEGIN,
        outbox_id=outbox_id,
        attempts_now=attempts,
        attempts_too=attempts,
        why=UNDER_WAY if is_blind else None,
        now=tx.now,
        until=tx.now + (LEASE_US if is_blind else MAIL_LEASE_US),
    )
    return taken > 0


def put_off(tx: Tx, outbox_id: int, wait_s: float) -> None:
    """Send it when its turn comes; that is no try."""
    next_at = tx.now + int(wait_s * 1_000_000)
    tx.update(schema.outbox, {"id": outbox_id, "state": "queued"}, next_at=next_at)


def claim(tx: Tx, outbox_id: int, found: Iterable[str]) -> str | None:
    """Take the first of what the other side has that is no other row's, nor lost: it was sent; None = it was not.

    found: provider ids, the oldest first. Holds a lock on the recipient: two rows may look at the same ones.
    """
    recipient = tx.one(_RECIPIENT, id=outbox_id)
    if recipient is None:
        return None
    tx.lock("sender", f"sent:{recipient[0]}:{recipient[1]}")
    row = tx.one(_OPEN, id=outbox_id)
    if row is None:
        return None
    lost = lost_of(_decode(row[0]))
    sent = next((each for each in found if each not in lost and not _is_taken(tx, row[1], each)), None)
    if sent is not None:
        note_sent(tx, outbox_id, sent)
    return sent


def _is_taken(tx: Tx, account: str, provider_id: str) -> bool:
    return tx.one(_TAKEN, provider_id=provider_id, account=account) is not None


def note_sent(tx: Tx, outbox_id: int, provider_id: str) -> bool:
    """Note under which id the other side has a row that we thought it had not; whether that was so."""
    return bool(
        tx.update(
            schema.outbox,
            {"id": outbox_id, "state": "queued"},
            state="sent",
            provider_id=provider_id,
            sent_at=tx.now,
            next_at=None,
            error=None,
        )
    )


def lost_of(outbound: OutboundMessage) -> tuple[str, ...]:
    return tuple(outbound.extra.get(LOST, ()))


def again(
    tx: Tx, outbox_id: int, outbound: OutboundMessage, provider_id: str, *, at: int, attempts: int, why: str
) -> None:
    """Send a row once more that did not arrive under an id. attempts: so far; whoever still notes one of them is late."""
    extra: dict[str, Any] = outbound.extra | {LOST: [*lost_of(outbound), provider_id]}
    tx.update(
        schema.outbox,
        {"id": outbox_id},
        state="queued",
        provider_id=None,
        attempts=attempts + 1,
        counted=0,
        next_at=at,
        error=why[:500],
        payload=_encode(msgspec.structs.replace(outbound, extra=extra)).decode(),
    )
    tx.signal("outbox", at)


def forget_id(tx: Tx, outbox_id: int) -> None:
    """Count the id under which a failed row is known as lost, because it is sent again by hand. Mail has none."""
    row = tx.one(_FAILED, id=outbox_id)
    if row is None:
        return
    outbound = _decode(row[0])
    extra = outbound.extra | {LOST: [*lost_of(outbound), row[1]]}
    payload = _encode(msgspec.structs.replace(outbound, extra=extra)).decode()
    tx.update(schema.outbox, {"id": outbox_id}, provider_id=None, payload=payload)


def reference(keys: Keys, outbox_id: int) -> str:
    """Return what a provider's report brings back: which row it is about, signed."""
    number = addresses.base36(outbox_id)
    return f"{number}.{keys.sign('delivery', number)}"


def outbox_id_from_reference(keys: Keys, text: str) -> int | None:
    """Return the row that a report is about; None = it names none that we signed."""
    number, _, token = text.partition(".")
    is_number = number.isascii() and number.isalnum() and len(number) <= 13
    if not is_number or not keys.verify("delivery", token, number):
        return None
    return int(number, 36)


def row_by_provider_id(tx: Tx, account: str, provider_id: str) -> Row | None:
    """Return the id of the row that an account's provider knows by this id."""
    return tx.one(_TAKEN, provider_id=provider_id, account=account)
