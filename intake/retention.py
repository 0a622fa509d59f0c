"""Recordings that are kept no longer: `calls.keep_recordings_days` after we heard of one it goes, here and at the provider.

Here it goes first, in one transaction with the message that names it; what was written down of it stays. Then the
channel of its account is asked to delete it (`forget`), at every look until it has. A recording that we never got is
deleted there all the same.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import bindparam, or_, select

from channels.contract import FetchFailed
from intake import events
from intake.store import blobs, schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement
from intake.voicemails import PART

LOOK_S = 3_600.0
AT_ONCE = 1_000
KEPT, GOING, GONE = ("done", "failed", "infected"), "forgetting", "forgotten"
_DAY_US = 24 * 3_600 * 1_000_000

log = logging.getLogger("intake.retention")

_f, _m = schema.fetches.c, schema.messages.c
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_OLD = Statement(
    select(_f.id)
    .where(
        _f.part.startswith(PART),
        or_(*(_f.state == each for each in KEPT)),
        _f.created_at < bindparam("before"),
    )
    .order_by(_f.id)
    .limit(bindparam("most"))
)
_ROW = Statement(
    select(_f.state, _f.blob_id, _f.message_id, _f.ticket_id, _f.customer_id, _f.part).where(
        _f.id == bindparam("id")
    )
)
_GOING = Statement(
    select(_f.id, _f.account, _f.reference).where(_f.state == GOING).order_by(_f.id).limit(bindparam("most"))
)
_GONE_OF = Statement(
    select(_f.part).where(_f.message_id == bindparam("message_id"), or_(_f.state == GOING, _f.state == GONE))
)
_MESSAGE = Statement(select(_m.ticket_id, _m.attachments).where(_m.id == bindparam("id")))
PROBLEM = "it was deleted: recordings are kept no longer (calls.keep_recordings_days)"


class Waiting(msgspec.Struct, frozen=True):
    """A recording that is gone here, and not yet at the provider. reference: what its account's channel calls it."""

    id: int
    account: str
    reference: str


def forget(tx: Tx, fetch_id: int) -> bool:
    """Delete a recording here; whether it was still there to be deleted."""
    row = tx.one(_ROW, id=fetch_id)
    if row is None:
        return False
    state, blob_id, message_id, ticket_id, customer_id, part = row
    message = tx.one(_MESSAGE, id=message_id) if message_id is not None else None
    owner = message[0] if message is not None else ticket_id  # a message may have moved to another ticket
    if owner is not None:
        tx.lock("ticket", owner)
    if state not in KEPT or not tx.update(
        schema.fetches, {"id": fetch_id, "state": state}, state=GOING, blob_id=None
    ):
        return False
    if blob_id is not None:
        blobs.release(tx, blob_id)
    if message_id is not None:
        name_again(tx, message_id)
    told = {"message": str(message_id), "part": part}
    events.record(tx, "recording_forgotten", ticket_id=owner, customer_id=customer_id, **told)
    return True


def _note_gone(tx: Tx, fetch_id: int) -> None:
    tx.update(schema.fetches, {"id": fetch_id, "state": GOING}, state=GONE)


def name_again(tx: Tx, message_id: int) -> None:
    """Say in a message which of its recordings are gone. Needs its ticket's lock."""
    gone = {row[0] for row in tx.all(_GONE_OF, message_id=message_id)}
    message = tx.one(_MESSAGE, id=message_id) if gone else None
    if message is None:
        return
    files = [_without_sound(each) if each.get("part") in gone else each for each in _decode(message[1])]
    tx.update(schema.messages, {"id": message_id}, attachments=_encode(files).decode())


def _without_sound(file: dict[str, Any]) -> dict[str, Any]:
    return {name: file[name] for name in file if name not in ("sha256", "blob")} | {"problem": PROBLEM}


class Retention:
    """Looks once in an hour. sources: account -> its channel; days: how long recordings are kept."""

    def __init__(self, store: Store, sources: Mapping[str, Any], *, days: float) -> None:
        self._store, self._sources, self._days = store, sources, days

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("recordings_not_forgotten reason=%s", error.sentence)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Delete what is old enough, here and at its provider. Raises: StoreError."""
        before = self._store.now_us() - int(self._days * _DAY_US)
        old = await self._store.read(lambda tx: [row[0] for row in tx.all(_OLD, before=before, most=AT_ONCE)])
        for number in old:
            await self._store.write(functools.partial(forget, fetch_id=number))
        waiting = await self._store.read(lambda tx: [Waiting(*row) for row in tx.all(_GOING, most=AT_ONCE)])
        for each in waiting:
            if await self._is_gone(each):
                await self._store.write(functools.partial(_note_gone, fetch_id=each.id))

    async def _is_gone(self, waiting: Waiting) -> bool:
        """Delete a recording at its provider; whether it is gone there, or was never deletable."""
        source = self._sources.get(waiting.account)
        forget_there: Callable[[str], Awaitable[None]] | None = getattr(source, "forget", None)
        if source is None:
            return False  # the account may come back
        if forget_there is None:
            return True
        try:
            await forget_there(waiting.reference)
        except FetchFailed as failure:
            log.warning("recording_not_forgotten account=%s reason=%s", waiting.account, failure.reason)
            return False
        except Exception:
            log.exception("recording_not_forgotten", extra={"account": waiting.account})
            return False
        return True
