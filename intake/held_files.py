"""Files that are here and not for anybody: they wait for the virus scanner, or it has found something in them.

Their bytes are in the row of the fetch alone. The attachment that names such a file says why it has none, so nothing shows,
links, sends or writes it out. What is infected stays, for whoever has to look into it.
"""

from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Fetched
from intake import events, fetches
from intake.fetches import HELD, INFECTED, Wanted
from intake.store import blobs, schema
from intake.store.engine import StoreError, Tx
from intake.store.statements import Statement

# After the n-th look at a scanner that is away, seconds; then every five minutes, for as long as it takes.
BACK_OFF_S = (5, 15, 60, 300)
WAITS = "it waits for the virus scanner (files.clamd)"

_f, _m = schema.fetches.c, schema.messages.c
_decode = msgspec.json.Decoder().decode
_ROW = Statement(select(_f.blob_id, _f.message_id, _f.part).where(_f.id == bindparam("id")))
_FILES = Statement(select(_m.attachments).where(_m.id == bindparam("id")))


def next_look(wanted: Wanted, *, now_us: int) -> int:
    """Return when the scanner is asked again, microseconds UTC."""
    tried = wanted.attempts if wanted.is_held else 0
    return now_us + BACK_OFF_S[min(tried, len(BACK_OFF_S) - 1)] * 1_000_000


def hold(tx: Tx, wanted: Wanted, fetched: Fetched, prepared: blobs.PreparedBlob, *, next_at: int) -> bool:
    """Keep a file that has not been scanned; whether it was still wanted. next_at: microseconds UTC."""
    attempts = wanted.attempts + 1 if wanted.is_held else 1
    values = {"state": HELD, "error": WAITS, "attempts": attempts, "next_at": next_at}
    return _apart(tx, wanted, fetched, prepared, values)


def condemn(tx: Tx, wanted: Wanted, fetched: Fetched, prepared: blobs.PreparedBlob, *, found: str) -> bool:
    """Keep an infected file apart, and name it on its ticket; whether it was still wanted. found: what is in it."""
    ticket_id, customer_id, message_id, part = fetches.owner_of(tx, wanted)
    error = f"it is infected ({found}): it is kept apart, and goes nowhere"
    values = {"state": INFECTED, "error": error, "attempts": wanted.attempts + 1, "next_at": None}
    if not _apart(tx, wanted, fetched, prepared, values):
        return False
    events.record(
        tx,
        "file_infected",
        ticket_id=ticket_id,
        customer_id=customer_id,
        message=str(message_id),
        part=part,
        found=found,
        sha256=prepared.hash,
    )
    return True


def _apart(
    tx: Tx, wanted: Wanted, fetched: Fetched, prepared: blobs.PreparedBlob, values: dict[str, Any]
) -> bool:
    """Put a file's bytes into its row, and the reason into its message. values: of the row."""
    _, _, message_id, part = fetches.owner_of(tx, wanted)
    if fetches.take(tx, wanted, prepared, **values) is None:
        return False
    if message_id is not None:
        fetches.name_in(tx, message_id, part, fetches.named(fetched) | {"problem": values["error"]})
    return True


def content(tx: Tx, wanted: Wanted, folder: Path) -> Fetched:
    """Return a file that is held, as it was fetched. folder: of the blobs. Raises: StoreError when it is gone or damaged."""
    row = tx.one(_ROW, id=wanted.id)
    if row is None or row[0] is None:
        raise StoreError(f"the bytes of fetch {wanted.id} are not in the store", is_final=True)
    blob_id, message_id, part = row
    files = tx.one(_FILES, id=message_id) if message_id is not None else None
    types = (
        [each.get("content_type") for each in _decode(files[0]) if each.get("part") == part] if files else []
    )
    return Fetched(blobs.body_of(tx, blob_id, folder), next(iter(types), None) or "application/octet-stream")
