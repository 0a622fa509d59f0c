"""What a page reads beside the chat itself: whether somebody is there, its settings, and the chat as a file to keep."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from aiohttp import web

from channels import contract
from channels.webchat import limits, protocol, settings, talk, transcripts, wire
from channels.webchat.door import Door, Problem
from channels.webchat.protocol import Failed
from channels.webchat.rooms import Rooms
from channels.webchat.settings import Options
from channels.webchat.uploads import DOWNLOAD, disposition

LINES_MAX = 5_000
_encode = msgspec.json.Encoder().encode


class Pages:
    """Answers for one account."""

    def __init__(self, options: Options, rooms: Rooms, door: Door) -> None:
        self._rooms, self._door = rooms, door
        self._settings = _encode(settings.for_pages(options))

    async def settings(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Answer from memory."""
        return _json(self._settings, headers, max_age_s=300)

    async def status(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Answer from what was looked up 2 s ago at most, for all pages together."""
        return _json(_encode(await self._rooms.status()), headers, max_age_s=30)

    async def transcript(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Give the whole chat, to be saved."""
        visitor = self._door.visitor(request)
        await self._rooms.proofs.check(visitor)
        form = request.query.get("as", "txt")
        if form not in transcripts.FORMS:
            raise Problem(400, Failed(code="bad_message", text="as is txt or html."))
        lines = await _lines(self._rooms.feed(visitor))
        body = transcripts.made(lines, form=form, sets=self._rooms.options.quick_replies)
        named = {"Content-Disposition": disposition(f"chat.{form}")}
        return web.Response(
            body=body.encode(),
            content_type="text/plain" if form == "txt" else "text/html",
            charset="utf-8",
            headers={**headers, **DOWNLOAD, **named},
        )

    async def mail_transcript(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Have the whole chat mailed to its visitor."""
        return await self._turn(request, headers, protocol.Transcript)

    async def forget(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Have nothing of the chat shown any more."""
        return await self._turn(request, headers, protocol.Forget)

    async def _turn(
        self,
        request: web.Request,
        headers: Mapping[str, str],
        verb: type[protocol.Transcript] | type[protocol.Forget],
    ) -> web.StreamResponse:
        """Take a turn that a page asks for by a bare POST. Raises: contract.Refused, contract.Unavailable."""
        visitor = self._door.visitor(request)
        about = str(uuid.uuid4())
        if not await self._rooms.has_begun(
            visitor
        ):  # there is nothing to send or to forget, and nothing to keep of it
            done = protocol.Ack(about, 0, wire.instant(datetime.now(UTC)))
            return _accepted(protocol.text_of(done), headers)
        try:
            self._rooms.talk.count(visitor)
        except limits.Refused as error:
            raise Problem(429, talk.too_much(error, about)) from None
        answer = await self._rooms.talk.taken(visitor, verb(about))
        return _accepted(answer, headers)


def _accepted(answer: str, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        status=202, body=answer.encode(), content_type="application/json", headers=dict(headers)
    )


async def _lines(feed: contract.Feed) -> list[contract.Fed]:
    """Return the lines that there are now. Raises: contract.Unavailable."""
    lines: list[contract.Fed] = []
    last = 0
    try:
        async for thing in feed:
            if isinstance(thing, contract.Opened):
                last = min(thing.last_seq, LINES_MAX)
            elif isinstance(thing, contract.Fed):
                lines.append(thing)
            if len(lines) >= last:
                break
    finally:
        feed.close()
    return lines


def _json(body: bytes, headers: Mapping[str, str], *, max_age_s: int) -> web.Response:
    kept = {"Cache-Control": f"public, max-age={max_age_s}"}
    return web.Response(body=body, content_type="application/json", headers={**headers, **kept})
