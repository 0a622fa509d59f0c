"""The files of a ticket, whatever brought them: read out of the raw mail, or where they are kept by themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.email.message import attachment_bytes
from intake import refs, tickets
from intake.store import blobs, schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_m = schema.messages.c
_decode = msgspec.json.Decoder().decode
_MESSAGES = Statement(
    select(_m.id, _m.direction, _m.attachments, schema.journal.c.blob_id)
    .join(schema.journal, schema.journal.c.id == _m.journal_id, isouter=True)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.attachments != "[]")
    .order_by(_m.id)
)
_MESSAGE = Statement(
    select(_m.id, _m.direction, _m.attachments, schema.journal.c.blob_id)
    .join(schema.journal, schema.journal.c.id == _m.journal_id, isouter=True)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.id == bindparam("message_id"))
)


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a message. size: bytes. content: None = it is not here, and `problem` says why.

    message: id. direction: as of the message: in, out, note. thumbnail: a small JPEG of a picture, None = there is none.
    """

    message: int
    direction: str
    name: str
    content_type: str
    size: int
    content: bytes | None = None
    problem: str = ""
    thumbnail: bytes | None = None


def of_ticket(tx: Tx, ticket_id: int, folder: Path) -> Iterator[KeptFile]:
    """Give the files of a ticket in the order of its messages. folder: of the blobs. Raises: StoreError."""
    for message_id, direction, attachments, blob_id in tx.all(_MESSAGES, ticket_id=ticket_id):
        for each in _decode(attachments):
            yield _kept(tx, each, folder, message=(message_id, direction, blob_id))


def of_message(tx: Tx, typed_ref: str, message_id: int, number: int, folder: Path) -> KeptFile | None:
    """Give one file of a ticket's message, counted from 0; None = there is none. Raises: StoreError."""
    ref = refs.normalized(typed_ref)
    ticket = None if ref is None else tickets.load_by_ref(tx, ref)
    row = None if ticket is None else tx.one(_MESSAGE, ticket_id=ticket.id, message_id=message_id)
    files = [] if row is None else _decode(row[2])
    if row is None or number >= len(files):
        return None
    return _kept(tx, files[number], folder, message=(row[0], row[1], row[3]))


def _kept(tx: Tx, file: dict[str, Any], folder: Path, *, message: tuple[int, str, int | None]) -> KeptFile:
    """Read a file. message: id, direction and the blob of what brought it."""
    content, problem = _content(tx, file, folder, raw_blob=message[2])
    return KeptFile(
        message=message[0],
        direction=message[1],
        name=file.get("name", "file"),
        content_type=file.get("content_type", ""),
        size=file.get("size", 0),
        content=content,
        problem=problem,
        thumbnail=thumbnail(tx, file, folder),
    )


def thumbnail(tx: Tx, file: dict[str, Any], folder: Path) -> bytes | None:
    """Return the small JPEG of an attachment; None = there is none. file: as its message names it. Raises: StoreError."""
    named = file.get("thumbnail")
    return blobs.body_of(tx, int(named), folder) if named else None


def _content(tx: Tx, file: dict[str, Any], folder: Path, *, raw_blob: int | None) -> tuple[bytes | None, str]:
    """Return a file's bytes, or why there are none. raw_blob: of the message that brought it."""
    part = file.get("part", "")
    if not file.get("sha256"):
        return None, file.get("problem") or "it has not been fetched yet"
    if file.get("blob"):
        body = blobs.body_of(tx, int(file["blob"]), folder)
        # A provider's file stands by itself ("media:0"); one that went out may stand in the mail that it came from.
        is_in_mail = part.replace(".", "").isdecimal()
        return (attachment_bytes(body, part) if is_in_mail else body), ""
    if raw_blob is None:
        return None, "the message that brought it is gone"
    try:
        return attachment_bytes(blobs.body_of(tx, raw_blob, folder), part), ""
    except LookupError as error:
        return None, str(error)
