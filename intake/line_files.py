"""The files of lines: what visitors have uploaded, found by the journal row that brought it, and what agents have sent.

An upload is a turn of its session: its bytes are the body of a raw message. The line that names it makes it an attachment,
which is fetched (intake.fetching) like a file that another side keeps: scanned, made small, named in its message.
"""

from pathlib import Path

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Fetched, FetchFailed, OutboundMessage
from intake import attaching, session_lines
from intake.fetches import APART
from intake.keys import Keys
from intake.store import blobs, schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement

_j, _k, _f = schema.journal.c, schema.journal_keys.c, schema.fetches.c
_UPLOAD = Statement(
    select(_j.blob_id, _j.envelope)
    .join(schema.journal_keys, _k.journal_id == _j.id)
    .where(_k.key == bindparam("key"))
)
_STATE = Statement(select(_f.state).where(_f.reference == bindparam("reference")))
_PAYLOAD = Statement(select(schema.outbox.c.payload).where(schema.outbox.c.id == bindparam("id")))
_outbound = msgspec.json.Decoder(OutboundMessage).decode
_envelope = msgspec.json.Decoder().decode


class Uploads:
    """Where uploads are read. folder: of the blobs."""

    def __init__(self, store: Store, keys: Keys, *, folder: Path) -> None:
        self._store, self._keys, self.folder = store, keys, folder

    async def fetch(self, reference: str) -> Fetched:
        """Return an upload, as a channel's fetch does. Raises: FetchFailed, StoreError."""
        found = await self._store.read(lambda tx: self.read(tx, reference))
        if found is None:
            raise FetchFailed("the upload is not in the journal", retryable=False)
        return found

    def read(self, tx: Tx, reference: str) -> Fetched | None:
        """Return an upload; None = there is none. reference: its raw message's key. Raises: StoreError."""
        row = tx.one(_UPLOAD, key=self._keys.fingerprint(reference))
        upload = None if row is None else _envelope(row[1]).get("upload")
        if row is None or not isinstance(upload, dict):
            return None
        content = blobs.body_of(tx, row[0], self.folder)
        return Fetched(content, str(upload.get("content_type", "")), str(upload.get("name", "")))


def read(tx: Tx, uploads: Uploads, session: str, seq: int, number: int) -> Fetched | None:
    """Return the n-th file of a line, from 0; None = there is none, or it may not be given out. Raises: StoreError."""
    found = session_lines.one(tx, session, seq)
    if found is None or not 0 <= number < len(found[0].line.files):
        return None
    fed, outbox_id = found
    reference = fed.line.files[number].reference
    if reference:
        state = tx.one(_STATE, reference=reference)
        return None if state is not None and state[0] in APART else uploads.read(tx, reference)
    row = None if outbox_id is None else tx.one(_PAYLOAD, id=outbox_id)
    sent = () if row is None else _outbound(row[0]).attachments
    if number >= len(sent):
        return None
    file = attaching.with_content(tx, sent[number], uploads.folder)
    return Fetched(file.content, file.content_type, file.name)
