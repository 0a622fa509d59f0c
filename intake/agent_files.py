"""The files of an agent's mail that go along with the answer: read out of the mail itself when it is delivered."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Attachment, OutboundFile
from intake import attaching
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

# Smaller pictures inside a text are mostly the logo of a signature; a picture of a screen is larger.
LOGO_MAX_BYTES = 24 * 1024
_PROOFS = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")

_BLOB = Statement(select(schema.journal.c.blob_id).where(schema.journal.c.id == bindparam("journal_id")))
_decode = msgspec.json.Decoder(tuple[Attachment, ...]).decode


def is_sent(file: Attachment) -> bool:
    """Whether a file is part of what the agent says, and can be read out of the mail."""
    is_logo = file.inline and file.size <= LOGO_MAX_BYTES
    return bool(file.part) and not is_logo and file.content_type not in _PROOFS


def of_mail(
    tx: Tx, journal_id: int, files: Sequence[Attachment], *, max_bytes: int
) -> tuple[OutboundFile, ...]:
    """Return the files as an answer carries them. Raises: attaching.TooMuch."""
    sent = [each for each in files if is_sent(each)]
    row = tx.one(_BLOB, journal_id=journal_id) if sent else None
    if row is None:
        return ()
    attaching.check_size([each.size for each in sent], max_bytes=max_bytes)
    names = attaching.unique_names([each.name for each in sent])
    return tuple(
        OutboundFile(name, each.content_type, each.size, each.sha256, blob=int(row[0]), part=each.part)
        for name, each in zip(names, sent, strict=True)
    )


def of_note(tx: Tx, journal_id: int | None, written: str, *, max_bytes: int) -> tuple[OutboundFile, ...]:
    """Return the files of a note that keeps an answer. written: the note's attachments as JSON. Raises: attaching.TooMuch."""
    return of_mail(tx, journal_id, _decode(written), max_bytes=max_bytes) if journal_id is not None else ()
