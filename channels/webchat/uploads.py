"""Files of visitors: taken whole, looked into, kept, and given out again as downloads alone.

Whoever has to prove who they are, or to agree to something, does so first: nothing is read of a file before.
What a file is its first bytes say, not its name, nor what the page says. Nothing of it is ever shown by our own origin: it
leaves as bytes to be saved (RFC 6266), with a policy that runs nothing.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote

from aiohttp import web

from channels import hooks
from channels.webchat import limits, protocol, talk, work
from channels.webchat.door import Door, Problem, Visitor
from channels.webchat.rooms import Rooms
from channels.webchat.settings import Options
from channels.webchat.sniffing import type_of

NAME_MAX = 120
NAME_LOOKED_AT = 2_000
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PLACE = re.compile(r"[0-9]{1,15}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\:*?\"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]")
DOWNLOAD = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Uploads:
    """Answers /upload and /file for one account."""

    def __init__(self, options: Options, rooms: Rooms, door: Door, bodies: hooks.Bodies) -> None:
        self._options, self._rooms, self._door, self._bodies = options, rooms, door, bodies

    async def take(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Keep a file; what the page then names in a line."""
        visitor = self._door.visitor(request)
        upload_id = request.query.get("id", "")
        if not _ID.fullmatch(upload_id):
            raise Problem(400, protocol.Failed(code="bad_message", text="id is a UUID."))
        if self._options.files.per_line == 0:
            raise Problem(415, protocol.Failed(code="bad_message", text="No files are taken here."))
        self._check_work(visitor, upload_id, request.query.get("work", ""))
        await self._rooms.check_uploads(visitor, upload_id)
        async with self._bodies.read(request) as body:
            upload = self._described(upload_id, request.query.get("name", ""), body)
            try:
                answer = await self._rooms.talk.upload(visitor, upload, body)
            except limits.Refused as error:
                raise Problem(429, talk.too_much(error, upload_id)) from None
        return web.Response(body=answer.encode(), content_type="application/json", headers=dict(headers))

    def _check_work(self, visitor: Visitor, upload_id: str, done: str) -> None:
        """Raises: Problem, 428."""
        try:
            self._rooms.talk.check_work(visitor, upload_id, done)
        except work.Required as required:
            raise Problem(428, required.asked) from None

    def _described(self, upload_id: str, name: str, body: bytes) -> dict[str, object]:
        """Return what is kept of a file beside its bytes. Raises: Problem, 415."""
        found = type_of(body)
        if found not in self._options.files.types:
            raise Problem(415, protocol.Failed(code="bad_message", text="Files of this kind are not taken."))
        return {"id": upload_id, "name": safe_name(name), "content_type": found, "size": len(body)}

    async def give(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Give a file of the visitor's own chat, to be saved."""
        visitor = self._door.visitor(request)
        seq, number = request.match_info["seq"], request.match_info["n"]
        if not _PLACE.fullmatch(seq) or not _PLACE.fullmatch(number):
            raise Problem(404, protocol.Failed(code="not_found", text="There is no such file."))
        await self._rooms.proofs.check(visitor)
        found = await self._rooms.feed(visitor).file(int(seq), int(number))
        if found is None:
            raise Problem(404, protocol.Failed(code="not_found", text="There is no such file."))
        named = {"Content-Disposition": disposition(found.name or "file")}
        return web.Response(
            body=found.content,
            content_type="application/octet-stream",
            headers={**headers, **DOWNLOAD, **named},
        )


def safe_name(name: str) -> str:
    """Return a name without paths, controls and what turns text around; "file" when nothing is left."""
    plain = unicodedata.normalize("NFC", _UNSAFE.sub("_", name[:NAME_LOOKED_AT])).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if dot and len(ending) <= 10:
        return f"{stem[: NAME_MAX - len(ending) - 1]}.{ending}"
    return plain[:NAME_MAX] or "file"


def disposition(name: str) -> str:
    """Return a Content-Disposition that saves (RFC 6266 §4): in ASCII, and as it is called."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename={json.dumps(plain)}; filename*=UTF-8''{quote(name, safe='')}"
