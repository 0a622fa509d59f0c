"""The chat without a WebSocket, for proxies that break those: what is said is posted, what is heard is a long answer.

Server-sent events (html.spec.whatwg.org §9.2, 2026-11), read by fetch, because an EventSource can send no Authorization.
"""

import asyncio
import contextlib
from collections.abc import Mapping

from aiohttp import web

from channels import contract, hooks
from channels.webchat import protocol
from channels.webchat.door import Door, Problem
from channels.webchat.rooms import Room, Rooms

KEEP_S = 15.0
SEND_WITHIN_S = 30.0
_STREAM = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx hands each piece on at once
}


class Streams:
    """Answers /send and /stream for one account."""

    def __init__(self, rooms: Rooms, door: Door, bodies: hooks.Bodies) -> None:
        self._rooms, self._door, self._bodies = rooms, door, bodies
        self._open: set[asyncio.Task[None]] = set()
        self._listening: dict[str, Room] = {}  # by session: what is posted is said by who listens there

    async def send(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Do one thing that the page says; the answers, as an array."""
        visitor = self._door.visitor(request)
        room = self._listening.get(visitor.session)
        feed = self._rooms.feed(visitor) if room is None else room.feed
        async with self._bodies.read(request) as body:
            answers = await self._rooms.hear(visitor, body, feed)
        said = f"[{','.join(answers)}]".encode()
        return web.Response(body=said, content_type="application/json", headers=dict(headers))

    async def stream(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Send what the feed brings until the page goes."""
        visitor = self._door.visitor(request)
        after = _number(request.headers.get("Last-Event-ID") or request.query.get("after", "0"))
        visitor.locale = request.query.get("locale", "")[:35]
        if not self._rooms.enter(visitor.address):
            failed = protocol.Failed(code="unavailable", text="Too many connections.", retry_after_s=30)
            raise Problem(503, failed)
        room = self._listening[visitor.session] = self._rooms.open(visitor, after=after)
        answer = web.StreamResponse(headers={**headers, **_STREAM})
        try:
            await answer.prepare(request)
            await self._until_gone(answer, room)
        finally:
            room.close()
            if self._listening.get(visitor.session) is room:
                del self._listening[visitor.session]
            self._rooms.leave(visitor.address)
        return answer

    async def hang_up(self) -> None:
        """End all of them: the daemon stops."""
        for each in list(self._open):
            each.cancel()

    async def _until_gone(self, answer: web.StreamResponse, room: Room) -> None:
        saying = asyncio.create_task(_say(answer, room))
        self._open.add(saying)
        try:
            while not saying.done():
                await asyncio.wait({saying}, timeout=KEEP_S)
                if not saying.done():
                    await _write(answer, ": here\n\n")
        except ConnectionError:
            pass
        finally:
            self._open.discard(saying)
            saying.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError, contract.Unavailable):
                await saying


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise Problem(400, protocol.Failed(code="bad_message", text="after is a number."))
    return int(text)


async def _say(answer: web.StreamResponse, room: Room) -> None:
    async for text in room:
        seq = protocol.seq_of(text)
        named = "" if seq is None else f"id: {seq}\n"
        await _write(answer, f"{named}data: {text}\n\n")


async def _write(answer: web.StreamResponse, text: str) -> None:
    """Raises: ConnectionError when nobody reads for too long."""
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            await answer.write(text.encode())
    except TimeoutError:
        raise ConnectionError("nobody reads") from None
