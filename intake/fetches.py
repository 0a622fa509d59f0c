"""Files that another side keeps for us, as rows: wanted, kept as blobs, named in their message, deleted over there.

A row is written with the message that names the file (a picture of a text), or with what a call left behind (a recording).
Until its bytes are here (intake.fetching) the file is an attachment without size and hash. It is kept once, whoever fetches
it how often; one that cannot be had is given up after some days, which the ticket is told. Where files are scanned, one that
is not scanned yet, or is infected, has its bytes in its row alone: the attachment says why it has none.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, or_, select

from channels import loading
from channels.contract import Fetched, FetchFailed, RawMessage
from intake import events
from intake.model import Arrival
from intake.store import blobs, schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

PAGE = 50
# After the n-th failed try, seconds; together about three days. A provider may name a file before it can give it.
BACK_OFF_S = (1, 2, 5, 15, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400)
SIGNAL = "fetches"
HELD, INFECTED = "held", "infected"
APART = frozenset((HELD, INFECTED))

_f = schema.fetches.c
_m = schema.messages.c
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_ASK = Statement(
    upsert(schema.fetches)
    .values(
        {
            name: bindparam(name)
            for name in (
                "id", "account", "reference", "ticket_id", "customer_id", "message_id", "part", "state",
                "attempts", "next_at", "created_at",
            )
        }
    )
    .on_conflict_do_nothing(index_elements=[_f.account, _f.reference])
)  # fmt: skip
# What waits for an instant that no back-off can have meant was queued by a clock that has been set back since.
_DUE = Statement(
    select(_f.id, _f.account, _f.reference, _f.attempts, _f.state)
    .where(_f.next_at.is_not(None), or_(_f.next_at <= bindparam("now"), _f.next_at > bindparam("never")))
    .order_by(_f.next_at)
    .limit(bindparam("most"))
)
_NEXT = Statement(select(func.min(_f.next_at)).where(_f.next_at.is_not(None)))
_ROW = Statement(select(_f.ticket_id, _f.customer_id, _f.message_id, _f.part).where(_f.id == bindparam("id")))
_BLOB = Statement(select(_f.blob_id).where(_f.id == bindparam("id")))
_DONE = Statement(
    select(
        _f.part,
        _f.state,
        _f.error,
        _f.blob_id,
        schema.blobs.c.hash,
        schema.blobs.c.size_bytes,
        _f.thumbnail_id,
    )
    .join(schema.blobs, schema.blobs.c.id == _f.blob_id)
    .where(_f.message_id == bindparam("message_id"))
)
_MESSAGE = Statement(select(_m.ticket_id, _m.attachments).where(_m.id == bindparam("id")))


class Wanted(msgspec.Struct, frozen=True):
    """A file to be fetched now. reference: what its account's channel calls it.

    is_here: it is kept, and to be deleted on the other side. is_held: its bytes are here, and not scanned yet.
    """

    id: int
    account: str
    reference: str
    attempts: int
    is_here: bool = False
    is_held: bool = False

    @property
    def waits_as(self) -> str:
        """The state of its row for as long as nobody else has settled it."""
        return HELD if self.is_held else "queued"


def ask(
    tx: Tx,
    *,
    account: str,
    reference: str,
    part: str,
    ticket_id: int | None = None,
    customer_id: int | None = None,
    message_id: int | None = None,
) -> bool:
    """Want a file; whether nobody has wanted it before. part: of the attachment of the message that it becomes."""
    is_first = tx.run(
        _ASK,
        id=tx.new_id(),
        account=account,
        reference=reference,
        ticket_id=ticket_id,
        customer_id=customer_id,
        message_id=message_id,
        part=part,
        state="queued",
        attempts=0,
        next_at=tx.now,
        created_at=tx.now,
    )
    if is_first:
        tx.signal(SIGNAL, tx.now)
    return bool(is_first)


def of_message(tx: Tx, arrival: Arrival, *, ticket_id: int, message_id: int) -> None:
    """Want the files of a message that its provider keeps; mail brings its own."""
    if not arrival.message.attachments:
        return
    for part, reference in kept_elsewhere(arrival.received.raw).items():
        ask(
            tx,
            account=arrival.received.raw.account,
            reference=reference,
            part=part,
            ticket_id=ticket_id,
            customer_id=arrival.customer.id,
            message_id=message_id,
        )


def kept_elsewhere(raw: RawMessage) -> dict[str, str]:
    """Return what of a message's files its channel says is kept elsewhere: part -> reference."""
    try:
        module = loading.module_for(raw.kind)
    except LookupError:  # the channel was taken away, its messages were not
        return {}
    named: Callable[[RawMessage], dict[str, str]] | None = getattr(module, "kept_elsewhere", None)
    return {} if named is None else named(raw)


def name_again(tx: Tx, message_id: int) -> None:
    """Name the files in a message that has been parsed again: it has forgotten what is known of them."""
    for part, state, error, blob_id, digest, size, thumbnail_id in tx.all(_DONE, message_id=message_id):
        if state in APART:
            name_in(tx, message_id, part, {"problem": error})
        else:
            known = {"size": size, "sha256": digest, "blob": str(blob_id)}
            name_in(tx, message_id, part, known | _small(thumbnail_id))


def look(tx: Tx) -> tuple[list[Wanted], int | None]:
    """Return what is to be fetched now, and when the next is, microseconds UTC; None = nothing waits."""
    never = tx.now + int(2 * max(BACK_OFF_S) * 1_000_000)
    rows = tx.all(_DUE, now=tx.now, never=never, most=PAGE)
    found = [
        Wanted(number, account, reference, attempts, is_here=state == "here", is_held=state == HELD)
        for number, account, reference, attempts, state in rows
    ]
    row = tx.one(_NEXT)
    return found, row[0] if row is not None else None


def keep(
    tx: Tx,
    wanted: Wanted,
    fetched: Fetched,
    prepared: blobs.PreparedBlob,
    *,
    is_left: bool = True,
    thumbnail: blobs.PreparedBlob | None = None,
) -> bool:
    """Keep a file that is here; whether it was still wanted. is_left: it stays on the other side, too."""
    ticket_id, customer_id, message_id, part = owner_of(tx, wanted)
    blob_id = take(
        tx,
        wanted,
        prepared,
        state="done" if is_left else "here",
        attempts=wanted.attempts + 1 if is_left else 0,
        next_at=None if is_left else tx.now,
        error=None,
    )
    if blob_id is None:
        return False
    thumbnail_id = None if thumbnail is None else blobs.keep(tx, thumbnail)
    tx.update(schema.fetches, {"id": wanted.id}, thumbnail_id=thumbnail_id)
    known = {"size": prepared.size_bytes, "sha256": prepared.hash, "blob": str(blob_id), "problem": None}
    if message_id is not None:
        name_in(tx, message_id, part, named(fetched) | known | _small(thumbnail_id))
    events.record(
        tx, "file_fetched", ticket_id=ticket_id, customer_id=customer_id, message=str(message_id), part=part
    )
    return True


def take(tx: Tx, wanted: Wanted, prepared: blobs.PreparedBlob, **values: Any) -> int | None:
    """Put a file's bytes into its row; the blob's id, None = it is not wanted any more. values: of the row. Needs owner_of."""
    before = tx.one(_BLOB, id=wanted.id)
    if not tx.update(schema.fetches, {"id": wanted.id, "state": wanted.waits_as}, **values):
        return None
    blob_id = blobs.keep(tx, prepared)
    tx.update(schema.fetches, {"id": wanted.id}, blob_id=blob_id)
    if before is not None and before[0] is not None:
        blobs.release(tx, before[0])
    return blob_id


def named(fetched: Fetched) -> dict[str, Any]:
    """Return what an attachment says of a file by what the other side has said of it."""
    return {"content_type": fetched.content_type} | ({"name": fetched.name} if fetched.name else {})


def _small(thumbnail_id: int | None) -> dict[str, Any]:
    return {} if thumbnail_id is None else {"thumbnail": str(thumbnail_id)}


def note_deleted(tx: Tx, wanted: Wanted, failure: FetchFailed | None, next_at: int | None) -> None:
    """Note what came of deleting a file on the other side. failure: None = it is gone; next_at: None = no more tries."""
    ticket_id, customer_id, message_id, part = owner_of(tx, wanted)
    was_waiting = tx.update(
        schema.fetches,
        {"id": wanted.id, "state": "here"},
        state="done" if next_at is None else "here",
        attempts=wanted.attempts + 1,
        next_at=next_at,
        error=None if failure is None else failure.reason,
    )
    if was_waiting and next_at is None:
        events.record(
            tx,
            "file_deleted_elsewhere" if failure is None else "file_not_deleted_elsewhere",
            ticket_id=ticket_id,
            customer_id=customer_id,
            message=str(message_id),
            part=part,
            **({} if failure is None else {"reason": failure.reason}),
        )


def note_failed(tx: Tx, wanted: Wanted, failure: FetchFailed, next_at: int | None) -> bool:
    """Note that a file was not given to us; whether it was still wanted. next_at: None = it is given up."""
    ticket_id, customer_id, message_id, part = owner_of(tx, wanted)
    was_waiting = tx.update(
        schema.fetches,
        {"id": wanted.id, "state": wanted.waits_as},
        state="failed" if next_at is None else wanted.waits_as,
        attempts=wanted.attempts + 1,
        next_at=next_at,
        error=failure.reason,
    )
    if was_waiting and next_at is None:
        if message_id is not None:
            name_in(tx, message_id, part, {"problem": failure.reason})
        events.record(
            tx,
            "file_not_fetched",
            ticket_id=ticket_id,
            customer_id=customer_id,
            message=str(message_id),
            part=part,
            reason=failure.reason,
        )
    return bool(was_waiting)


def owner_of(tx: Tx, wanted: Wanted) -> tuple[int | None, int | None, int | None, str]:
    """Return whose a file is, as it is now: a message may have moved to another ticket. Holds the ticket's lock."""
    row = tx.one(_ROW, id=wanted.id)
    if row is None:
        raise LookupError(f"there is no file {wanted.id} to be fetched")
    ticket_id, customer_id, message_id, part = row
    moved = tx.one(_MESSAGE, id=message_id) if message_id is not None else None
    ticket_id = moved[0] if moved is not None else ticket_id
    if ticket_id is not None:
        tx.lock("ticket", ticket_id)
    return ticket_id, customer_id, message_id, part


def name_in(tx: Tx, message_id: int, part: str, known: dict[str, Any]) -> None:
    """Write what is known of a file into its message; None = that is true no more. Needs the ticket's lock."""
    row = tx.one(_MESSAGE, id=message_id)
    if row is None:
        return
    over = {name for name, value in known.items() if value is None}
    files = [
        {name: value for name, value in (each | known).items() if name not in over}
        if each.get("part") == part
        else each
        for each in _decode(row[1])
    ]
    tx.update(schema.messages, {"id": message_id}, attachments=_encode(files).decode())
