"""What came in: the raw bytes, committed and fsynced before anybody is told "got it", and what became of each.

A message's keys are unique for ever. A second message with a known key is a row of its own (state `duplicate`, with
its bytes), never a second ticket, and can be restored. Rows of one lane are settled in the order of their ids.
"""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Inventory, RawMessage, Receipt, Unavailable
from intake import events, failpoints, instants
from intake.keys import Keys
from intake.model import Received
from intake.pressure import Pressure
from intake.store import blobs, schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement, upsert, values_of

KNOWN_MAX = 1_000
RECENT_MAX_BYTES = 8 * 1024 * 1024
ROOM_CHECK_S = 1.0
QUARANTINED_ATTEMPTS = 4  # one failure more and it is quarantined again

_j = schema.journal.c
_encode = msgspec.json.Encoder().encode

_INSERT = Statement(
    upsert(schema.journal)
    .values(
        {
            name: bindparam(name)
            for name in ("kind", "account", "lane", "received_at", "envelope", "blob_id", "key", "state")
        }
    )
    .returning(_j.id)
)
_KEEP_KEY = Statement(
    upsert(schema.journal_keys)
    .values(key=bindparam("key"), journal_id=bindparam("journal_id"))
    .on_conflict_do_nothing(index_elements=[schema.journal_keys.c.key])
)
_OWNER = Statement(
    select(_j.id, _j.lane)
    .join(schema.journal_keys, schema.journal_keys.c.journal_id == _j.id)
    .where(schema.journal_keys.c.key == bindparam("key"))
)
_KEPT = Statement(
    select(_j.envelope)
    .join(schema.journal_keys, schema.journal_keys.c.journal_id == _j.id)
    .where(schema.journal_keys.c.key == bindparam("key"))
)
_KNOWN = Statement(select(schema.journal_keys.c.key).where(schema.journal_keys.c.key.in_(values_of("keys"))))
_CURSOR = Statement(select(schema.cursors.c.position).where(schema.cursors.c.name == bindparam("name")))
_MOVE_CURSOR = Statement(
    upsert(schema.cursors)
    .values(name=bindparam("name"), position=bindparam("position"))
    .on_conflict_do_update(index_elements=[schema.cursors.c.name], set_={"position": bindparam("position")})
)
_PENDING = Statement(
    select(_j.id, _j.lane)
    .where(_j.state == "pending", _j.id > bindparam("after"))
    .order_by(_j.id)
    .limit(bindparam("most"))
)
_PENDING_OF = Statement(
    select(_j.id, _j.lane)
    .where(_j.state == "pending", _j.id <= bindparam("most"), _j.lane.in_(values_of("lanes")))
    .order_by(_j.id)
)
_LOAD = Statement(
    select(
        _j.id,
        _j.kind,
        _j.account,
        _j.lane,
        _j.received_at,
        _j.envelope,
        _j.blob_id,
        _j.duplicate_of,
        _j.ticket_id,
        _j.message_id,
        _j.attempts,
        _j.evidence,
    ).where(_j.id == bindparam("id"))
)

_RETRY = Statement(
    schema.journal.update()
    .where(_j.state == "quarantined", _j.ticket_id.is_(None))
    .values(state="pending", attempts=bindparam("attempts"))
)
_OUTCOME = Statement(
    select(_j.customer_id, _j.ticket_id, _j.message_id, _j.state).where(_j.id == bindparam("id"))
)


def keep(
    tx: Tx, raw: RawMessage, blob: blobs.PreparedBlob, keys: Sequence[str], *, is_looked_for: bool = True
) -> Receipt:
    """Write the journal row of a message. keys: the keyed hashes of raw.keys.

    is_looked_for: whether the dispatcher has to look for it; false where its row is named in a signal of its own.
    """
    tx.lock("sender", raw.lane)
    row = tx.one(
        _INSERT,
        kind=raw.kind,
        account=raw.account,
        lane=raw.lane,
        received_at=instants.us_from_datetime(raw.received_at),
        envelope=_encode(raw.envelope).decode(),
        blob_id=blobs.keep(tx, blob),
        key=keys[0] if keys else None,
        state="pending",
    )
    assert row is not None  # noqa: S101 - RETURNING of an insert
    journal_id = int(row[0])
    # Every key is kept, also of a duplicate that brings a new one: each of them now means this message.
    owners = [key for key in keys if not tx.run(_KEEP_KEY, key=key, journal_id=journal_id)]
    if owners:
        _mark_duplicate(tx, journal_id, owners[0])
    if raw.cursor is not None:
        move_cursor(tx, raw.account, raw.cursor)
    if is_looked_for:
        tx.signal("journal", journal_id)
    failpoints.reach("journal.before_commit")
    return Receipt(journal_id, journal_id, bool(owners))


def envelope_of(tx: Tx, key: str) -> dict[str, Any] | None:
    """Return what was kept with the message that has a key; None = there is none. key: the keyed hash."""
    row = tx.one(_KEPT, key=key)
    return None if row is None else msgspec.json.decode(row[0])


def position(tx: Tx, name: str) -> bytes | None:
    """Return how far something has got; None = it has not begun."""
    row = tx.one(_CURSOR, name=name)
    return None if row is None else bytes(row[0])


def move_cursor(tx: Tx, name: str, position: bytes) -> None:
    tx.run(_MOVE_CURSOR, name=name, position=position)


def _mark_duplicate(tx: Tx, journal_id: int, key: str) -> None:
    """Point a row at the first one of its message and put it into that one's lane: it is settled after it."""
    owner = tx.one(_OWNER, key=key)
    if owner is not None:
        tx.update(schema.journal, {"id": journal_id}, duplicate_of=owner[0], lane=owner[1])


def pending(tx: Tx, *, after: int, most: int) -> Sequence[tuple[int, str]]:
    """Return (id, lane) of unsettled rows in journal order."""
    return [(row[0], row[1]) for row in tx.all(_PENDING, after=after, most=most)]


def pending_of(tx: Tx, lanes: Sequence[str], *, most: int) -> Sequence[tuple[int, str]]:
    """Return (id, lane) of the unsettled rows of some lanes in journal order, up to an id."""
    return [(row[0], row[1]) for row in tx.all(_PENDING_OF, lanes=_encode(lanes).decode(), most=most)]


def load(tx: Tx, journal_id: int, folder: Path, raw: RawMessage | None = None) -> Received:
    """Return a row with its bytes. raw: the message itself when it is still in memory."""
    row = tx.one(_LOAD, id=journal_id)
    if row is None:
        raise LookupError(f"the journal has no row {journal_id}")
    if raw is None:
        raw = RawMessage(
            kind=row[1],
            account=row[2],
            lane=row[3],
            received_at=instants.datetime_from_us(row[4]),
            envelope=msgspec.json.decode(row[5]),
            body=blobs.body_of(tx, row[6], folder),
        )
    return Received(
        id=row[0],
        raw=raw,
        duplicate_of=row[7],
        ticket_id=row[8],
        message_id=row[9],
        attempts=row[10],
        evidence=None if row[11] is None else msgspec.json.decode(row[11]),
    )


def keep_evidence(tx: Tx, journal_id: int, evidence: Any) -> None:
    """Keep what was looked up about a message: it is never asked again, so that a replay reads the same."""
    tx.update(schema.journal, {"id": journal_id}, evidence=_encode(evidence).decode())


class Journal:
    """The Gate that channels are handed."""

    def __init__(self, store: Store, keys: Keys, *, folder: Path, min_free_disk_bytes: int = 0) -> None:
        self._store = store
        self._keys = keys
        self._folder = folder
        self._min_free_bytes = min_free_disk_bytes
        self._room_checked_at = 0.0
        self._has_room = True
        self._recent: OrderedDict[int, RawMessage] = OrderedDict()
        self._recent_bytes = 0
        self.pressure = Pressure()

    async def submit(self, raw: RawMessage) -> Receipt:
        failpoints.reach("smtp.before_submit")
        self.check_room()
        await self.pressure.begin()
        try:
            blob = await self.prepared(raw.body)
            hashes = [self._keys.fingerprint(key) for key in raw.keys]
            receipt = await self._store.write(lambda tx: keep(tx, raw, blob, hashes), is_urgent=True)
        except StoreError as error:
            raise Unavailable(error.sentence, full=error.is_full) from error
        except OSError as error:
            raise Unavailable(
                f"the message's file could not be written: {error.strerror}", full=True
            ) from error
        finally:
            self.pressure.end()
        failpoints.reach("journal.after_commit")
        self.remember(receipt.id, raw)
        return receipt

    async def cursor(self, name: str) -> bytes | None:
        row = await self._store.read(lambda tx: tx.one(_CURSOR, name=name))
        return None if row is None else bytes(row[0])

    async def known(self, keys: Iterable[str]) -> frozenset[str]:
        by_hash = {self._keys.fingerprint(key): key for key in keys}
        if len(by_hash) > KNOWN_MAX:
            raise ValueError(f"at most {KNOWN_MAX} keys at once, not {len(by_hash)}")
        asked = _encode(list(by_hash)).decode()
        rows = await self._store.read(lambda tx: tx.all(_KNOWN, keys=asked))
        return frozenset(by_hash[row[0]] for row in rows)

    async def reconcile(self, inventory: Inventory) -> frozenset[str]:
        from intake import ledger  # it needs this module

        by_hash = {self._keys.fingerprint(key): key for key in inventory.keys or ()}
        try:
            missing = await ledger.reconcile(self._store, inventory, list(by_hash))
        except StoreError as error:
            raise Unavailable(error.sentence, full=error.is_full) from error
        return frozenset(by_hash[each] for each in missing)

    def recent(self, journal_id: int) -> RawMessage | None:
        """Take a message that has just come in out of memory; None = read it from the store."""
        raw = self._recent.pop(journal_id, None)
        if raw is not None:
            self._recent_bytes -= len(raw.body)
        return raw

    def remember(self, journal_id: int, raw: RawMessage) -> None:
        """Spare the settlement that will follow soon the way to the store."""
        self._recent[journal_id] = raw
        self._recent_bytes += len(raw.body)
        while self._recent_bytes > RECENT_MAX_BYTES:
            _, oldest = self._recent.popitem(last=False)
            self._recent_bytes -= len(oldest.body)

    async def prepared(self, body: bytes) -> blobs.PreparedBlob:
        """Make a body ready to be kept, off the loop when it is large. Raises: OSError, StoreError."""
        if len(body) <= blobs.INLINE_MAX_BYTES:
            return blobs.prepare(body, self._folder)
        prepared = await asyncio.to_thread(blobs.prepare, body, self._folder)
        failpoints.reach("blob.after_file")
        return prepared

    def check_room(self) -> None:
        """Refuse before the disk is full: what is left is needed to settle what was taken.

        Raises: Unavailable(full=True).
        """
        if time.monotonic() - self._room_checked_at > ROOM_CHECK_S:
            disk = os.statvfs(self._folder)
            self._has_room = disk.f_bavail * disk.f_frsize >= self._min_free_bytes
            self._room_checked_at = time.monotonic()
        if not self._has_room:
            raise Unavailable("the disk is nearly full: free some room, intake goes on by itself", full=True)


def replay(tx: Tx, journal_id: int, *, state: str | None = None) -> bool:
    """Send a settled or quarantined row through parse and settle again; false when there is no such row.

    state: the one that it has to be in, None = any.
    """
    where: dict[str, Any] = {"id": journal_id} | ({} if state is None else {"state": state})
    touched = tx.update(schema.journal, where, state="pending", problem=None, attempts=0, next_at=None)
    tx.signal("journal_again", 1)
    return touched > 0


def note_failure(tx: Tx, journal_id: int, *, attempts: int, problem: str, is_over: bool) -> None:
    """Count a failed settlement; is_over: its lane goes on without it, until it is tried again."""
    state = "quarantined" if is_over else "pending"
    tx.update(schema.journal, {"id": journal_id}, state=state, attempts=attempts, problem=problem)
    if is_over:
        events.record(tx, "quarantined", journal=journal_id, problem=problem)


def retry_quarantined(tx: Tx) -> int:
    """Give each quarantined row that has no ticket one more try; how many there are."""
    tx.signal("journal_again", 1)
    return tx.run(_RETRY, attempts=QUARANTINED_ATTEMPTS)


class Outcome(msgspec.Struct, frozen=True):
    """What became of a row, as far as it has been settled."""

    customer_id: int | None
    ticket_id: int | None
    message_id: int | None = None
    state: str = "pending"


def outcome(tx: Tx, journal_id: int) -> Outcome:
    row = tx.one(_OUTCOME, id=journal_id)
    return Outcome(None, None) if row is None else Outcome(*row)


def close(tx: Tx, journal_id: int, state: str, **columns: Any) -> None:
    """Say what became of a row."""
    tx.update(schema.journal, {"id": journal_id}, state=state, settled_at=tx.now, next_at=None, **columns)
