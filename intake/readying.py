"""The files of a message just before it leaves: looked at by the scanner, and made small enough for the medium.

What is infected is never sent, and its message is given up, which the agent is told. While the scanner is away nothing with a
file leaves. A picture that has been made smaller is what the links of the message give; the conversation keeps the original.
"""

import asyncio
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import DeliveryFailed, OutboundFile, OutboundMessage
from channels.twilio import sendable_files
from intake import events, pictures
from intake.model import Context
from intake.pictures import NoPicture, Pictures
from intake.scanning import NoAnswer, Scan
from intake.store import blobs, schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement

_encode = msgspec.json.Encoder().encode
_o = schema.outbox.c
_ROW = Statement(select(_o.ticket_id, _o.customer_id).where(_o.id == bindparam("id")))


class Readying:
    """scan: None = nothing is scanned. folder: of the blobs. told: of what happened."""

    def __init__(
        self,
        store: Store,
        *,
        folder: Path,
        context: Callable[[], Context | None],
        scan: Scan | None = None,
        made: Pictures | None = None,
        told: Callable[[str, dict[str, Any]], None] = lambda event, fields: None,
    ) -> None:
        self._store, self._folder, self._context = store, folder, context
        self._scan, self._pictures, self._told = scan, made, told

    async def ready(self, outbound: OutboundMessage) -> OutboundMessage:
        """Return the message as it may leave, with the bytes of its files. Raises: DeliveryFailed, StoreError."""
        if not outbound.attachments:
            return outbound
        for file in outbound.attachments:
            await self._check(outbound, file)
        return await self._fit(outbound)

    async def _check(self, outbound: OutboundMessage, file: OutboundFile) -> None:
        if self._scan is None:
            return
        try:
            found = await self._scan(file.content)
        except NoAnswer as error:
            self._told("scanner_away", {"outbox": outbound.id, "reason": str(error)})
            raise DeliveryFailed(f"its files wait for the virus scanner: {error}", retryable=True) from error
        if found is not None:
            self._told("file_infected", {"outbox": outbound.id, "found": found})
            raise DeliveryFailed(f"the file '{file.name}' is infected ({found})", retryable=False)

    async def _fit(self, outbound: OutboundMessage) -> OutboundMessage:
        context = self._context()
        account = context.accounts.get(outbound.account) if context is not None else None
        if account is None or not sendable_files.is_carrier(account.medium) or not pictures.is_installed():
            return outbound
        sized = [(each.content_type, each.size) for each in outbound.attachments]
        targets = sendable_files.targets(account.medium, sized)
        if not targets:
            return outbound
        made = {
            place: await self._fitted(outbound.attachments[place], max_bytes, account.medium)
            for place, max_bytes in targets.items()
        }
        contents = {
            place: await asyncio.to_thread(blobs.prepare, file.content, self._folder)
            for place, file in made.items()
        }
        return await self._store.write(lambda tx: _put(tx, outbound, made, contents))

    async def _fitted(self, file: OutboundFile, max_bytes: int, medium: str) -> OutboundFile:
        """Return a picture that is small enough. Raises: DeliveryFailed."""
        works = self._pictures or Pictures()
        try:
            content = await works.fitted(file.content, max_bytes=max_bytes)
        except NoPicture as error:
            reason = (
                f"the picture '{file.name}' is too large for {medium}, and cannot be made smaller: {error}"
            )
            raise DeliveryFailed(reason, retryable=False) from error
        name, digest = sendable_files.jpeg_name(file.name), sha256(content).hexdigest()
        return OutboundFile(name, sendable_files.FITTED_TYPE, len(content), digest, content=content)


def _put(
    tx: Tx,
    outbound: OutboundMessage,
    made: Mapping[int, OutboundFile],
    contents: Mapping[int, blobs.PreparedBlob],
) -> OutboundMessage:
    """Write into the message's row which files it has now. made, contents: place -> what stands there now."""
    files = list(outbound.attachments)
    ticket_id, customer_id = tx.one(_ROW, id=int(outbound.id)) or (None, None)
    for place, file in made.items():
        before = files[place]
        files[place] = msgspec.structs.replace(file, blob=blobs.keep(tx, contents[place]))
        said: dict[str, Any] = {
            "outbox": outbound.id,
            "name": before.name,
            "size": before.size,
            "sent_size": file.size,
        }
        events.record(tx, "picture_fitted", ticket_id=ticket_id, customer_id=customer_id, **said)
    stored = tuple(msgspec.structs.replace(each, content=b"") for each in files)
    payload = _encode(msgspec.structs.replace(outbound, attachments=stored)).decode()
    tx.update(schema.outbox, {"id": int(outbound.id)}, payload=payload)
    return msgspec.structs.replace(outbound, attachments=tuple(files))
