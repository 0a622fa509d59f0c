"""GET /live: the stream that an open tab of the desk listens to, as server-sent events (WHATWG HTML §9.2).

Events hold no words of customers. Lines of chats do (intake.web.desk.glimpses): they are told to who may see their ticket, as
access.may says of each listener, and the guard cuts a stream when its session ends. A beat every BEAT_S shows both ends that the other is there; after LIFE_S it ends, and
the page comes back with its number, so that nobody listens longer than their session lives.
"""

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from intake import instants
from intake.web.access import Action, Who
from intake.web.routes import Route

if TYPE_CHECKING:
    from intake.web.desk.desk import Desk

BEAT_S = 15.0
LIFE_S = 600.0
WRITE_S = 20.0
_BEAT = b"event: beat\ndata: {}\n\n"
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold the lines back
}


def routes(desk: "Desk") -> list[Route]:
    """The stream, and the end of every stream when the daemon stops."""

    async def live(request: web.Request, who: Who) -> web.StreamResponse:
        return await _stream(desk, request, who)

    return [Route("GET", "/live", Action.see_desk, live, is_long_lived=True)]


async def _stream(desk: "Desk", request: web.Request, who: Who) -> web.StreamResponse:
    after = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    until = time.monotonic() + LIFE_S
    # Whoever has gone away is not worth a word in the log: every tab that is closed does.
    with (
        desk.live.listening(who, after=after) as listener,
        desk.places.stream() as name,
        contextlib.suppress(ConnectionError),
    ):
        await _write(response, _hello(desk, name))
        while not listener.is_over and time.monotonic() < until:
            await _write(response, await listener.next(BEAT_S) or _BEAT)
    return response


async def _write(response: web.StreamResponse, lines: bytes) -> None:
    """Write, or give up on somebody who has stopped to read. Raises: ConnectionError."""
    try:
        async with asyncio.timeout(WRITE_S):
            await response.write(lines)
    except TimeoutError:
        raise ConnectionResetError("the other end does not read") from None


def _hello(desk: "Desk", name: str) -> bytes:
    """Give the time here, which countdowns go by, the version of the modules, and the stream's name for desk.places."""
    now = instants.rfc3339_from_us(desk.store.now_us())
    told = {"now": now, "version": desk.assets.version, "stream": name}
    return b"retry: 1000\nevent: hello\ndata: " + msgspec.json.encode(told) + b"\n\n"
