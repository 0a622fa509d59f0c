"""The files of a ticket, whatever brought them: read out of the raw mail, or where they are kept by themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.email.message import attachment_bytes
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
            content, problem = _content(tx, each, folder, raw_blob=blob_id)
            yield KeptFile(
                message=message_id,
                direction=direction,
                name=each.get("name", "file"),
                content_type=each.get("content_type", ""),
                size=each.get("size", 0),
                content=content,
                problem=problem,
                thumbnail=thumbnail(tx, each, folder),
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
