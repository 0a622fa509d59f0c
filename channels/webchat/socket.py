"""The WebSocket of a chat (RFC 6455): one task hears the page, one says what the feed brings.

Nothing is compressed: a compressor takes more memory than all the rest of a chat together, and a line is short. One task
looks after all of them whether their other ends are there: a timer for each would be more than the rest of what it needs.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence

from aiohttp import WSCloseCode, WSMsgType, web

from channels import contract
from channels.webchat import protocol, tokens
from channels.webchat.door import Visitor
from channels.webchat.rooms import Room, Rooms

HEARTBEAT_S = 30.0
SILENT_S = 75.0  # two beats that nothing answered: whoever was there is gone, whatever the system says
AT_ONCE = 200
# Of one socket: so many messages at once, then so many a second; what comes quicker waits where it comes from. Behind the
# first few each lets all others in before it is looked at.
BURST, PER_S, FIRST = 500.0, 50.0, 16
SEND_WITHIN_S = 30.0
QUICK_MAX = 16_384  # characters that are handed over without waiting where nothing else waits to be read
BAD_TOKEN, TOO_SLOW = 4401, 4408


class Sockets:
    """Answers /socket for one account."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._open: dict[web.WebSocketResponse, float] = {}  # when it was heard last, monotonic seconds
        self._beating: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        return len(self._open)

    async def answer(self, request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
        """Serve one WebSocket until it closes."""
        socket = web.WebSocketResponse(
            autoping=False, compress=False, max_msg_size=protocol.OBJECT_MAX_BYTES, timeout=5.0
        )
        await socket.prepare(request)
        socket.headers.clear()  # they are sent: 2 KB of each chat, for as long as it is open
        if not self._rooms.enter(request.remote or ""):
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many connections")
            return socket
        self._open[socket] = time.monotonic()
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat())
        try:
            await self._serve(request, socket)
        finally:
            del self._open[socket]
            self._rooms.leave(request.remote or "")
        return socket

    async def hang_up(self) -> None:
        """Close all of them: the daemon stops, and the pages come back to the next one."""
        if self._beating is not None:
            self._beating.cancel()
        closing = (each.close(code=WSCloseCode.GOING_AWAY, message=b"restart") for each in list(self._open))
        await asyncio.gather(*closing, return_exceptions=True)

    async def _serve(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        hello = await _first(socket)
        if hello is None:
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"no hello")
            return
        if not tokens.is_token(hello.token):
            await socket.close(code=BAD_TOKEN, message=b"no token")
            return
        visitor = self._rooms.visitor(hello.token, request)
        visitor.locale, visitor.page = hello.locale, hello.page
        room = self._rooms.open(visitor, after=hello.after)
        saying = asyncio.create_task(_say(socket, request.transport, room))
        try:
            await self._hear(socket, request.transport, visitor, room)
        finally:
            room.close()
            saying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await saying

    async def _beat(self) -> None:
        """Ask all of them now and then whether they are there, some at a time, and let go of who is silent."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            everybody = list(self._open)
            for begin in range(0, len(everybody), AT_ONCE):
                await self.look(everybody[begin : begin + AT_ONCE])
                await asyncio.sleep(0.01)

    async def look(self, sockets: Sequence[web.WebSocketResponse]) -> None:
        """Ask these whether they are there; cut those that were silent for too long."""
        since = time.monotonic() - SILENT_S
        there = [each for each in sockets if each in self._open and not each.closed]
        gone = [each for each in there if self._open[each] < since]
        for each in there:
            if each not in gone:
                with contextlib.suppress(ConnectionError):
                    await each.ping()
        closing = (each.close(code=TOO_SLOW, message=b"nothing was heard", drain=False) for each in gone)
        await asyncio.gather(*closing, return_exceptions=True)

    async def _hear(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.WriteTransport | None,
        visitor: Visitor,
        room: Room,
    ) -> None:
        left, heard_s = BURST, time.monotonic()
        async for message in socket:
            now_s = self._open[socket] = time.monotonic()
            left, heard_s = min(BURST, left + (now_s - heard_s) * PER_S) - 1, now_s
            if left < BURST - FIRST:
                await asyncio.sleep(max(-left, 0.0) / PER_S)
            if message.type is WSMsgType.PONG:
                continue
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
                continue
            if message.type is not WSMsgType.TEXT:
                failed = protocol.Failed(code="bad_message", text="Only text is read here.")
                await _send(socket, transport, protocol.text_of(failed))
                continue
            for answer in await self._rooms.hear(visitor, message.data, room.feed):
                await _send(socket, transport, answer)


async def _first(socket: web.WebSocketResponse) -> protocol.Hello | None:
    """Return the hello of a page; None = it says something else first, or nothing in time."""
    try:
        message = await socket.receive(timeout=protocol.HELLO_WITHIN_S)
    except TimeoutError:
        return None
    if message.type is not WSMsgType.TEXT:
        return None
    try:
        said = protocol.read(message.data)
    except protocol.BadMessage:
        return None
    return said if isinstance(said, protocol.Hello) else None


async def _say(socket: web.WebSocketResponse, transport: asyncio.WriteTransport | None, room: Room) -> None:
    """Send what the feed brings until it is closed, or nobody reads."""
    try:
        async for text in room:
            await _send(socket, transport, text)
            del text  # an open chat is silent most of the time: nothing is held meanwhile
    except contract.Unavailable:
        # What was missed is behind the page's number: it comes back for it.
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"try again")
    except ConnectionError:
        pass  # it is gone, and whoever hears the page sees that as well


async def _send(socket: web.WebSocketResponse, transport: asyncio.WriteTransport | None, text: str) -> None:
    """Send one object. Raises: ConnectionError when nobody reads for too long.

    Where all before it has left, it is handed over without waiting: a timer for each would cost more than to send it.
    """
    if transport is not None and len(text) <= QUICK_MAX and not transport.get_write_buffer_size():
        await socket.send_str(text)
        return
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            await socket.send_str(text)
    except TimeoutError:
        await socket.close(code=TOO_SLOW, message=b"nothing was read", drain=False)
        raise ConnectionError("nobody reads") from None
