"""Command lines out of a byte stream, with a bound on what is kept and a turn for the other connections.

Stands where aiosmtpd wants its StreamReader (`readuntil`, `readline`, `read`, `_buffer`, `_transport`), because that
one has a single limit for command lines and bodies, and loses what was sent right before the other side hung up.
"""

import asyncio
from collections.abc import Callable
from typing import Any

# AUTH with an initial response may be 12 288 octets long (RFC 4954 §4); everything else is far shorter.
MAX_LINE_BYTES = 12_300
# More than this unread and the socket is not read any more until the lines are worked off.
_HIGH_WATER_BYTES = 65_536
# A client that pipelines gets so many commands in a row, then the loop looks after the others.
_LINES_PER_TURN = 25


class LineReader:
    """Lines of one connection. before_wait: called each time before it waits for the client."""

    def __init__(self, transport: Any, *, before_wait: Callable[[], None]) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._before_wait = before_wait
        self._waiter: asyncio.Future[None] | None = None
        self._is_paused = False
        self._is_ended = False
        self._lines_in_turn = 0

    def feed(self, block: bytes) -> None:
        self._buffer += block
        self._wake()
        if not self._is_paused and len(self._buffer) > _HIGH_WATER_BYTES:
            self._is_paused = True
            self._transport.pause_reading()

    def feed_eof(self) -> None:
        self._is_ended = True
        self._wake()

    def has_line(self) -> bool:
        return b"\n" in self._buffer

    def take(self) -> bytes:
        """Return everything unread and forget it: a body begins."""
        block = bytes(self._buffer)
        self._buffer.clear()
        self._resume()
        return block

    async def read(self, size_bytes: int) -> bytes:
        block = bytes(self._buffer[:size_bytes])
        del self._buffer[:size_bytes]
        self._resume()
        return block

    async def readline(self) -> bytes:
        return await self.readuntil()

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """Return the next line with its end.

        Raises: LimitOverrunError for a line beyond MAX_LINE_BYTES. CancelledError when the client has hung up or we
            have: the connection's task then ends as aiosmtpd ends it.
        """
        await self._take_turns()
        scanned = 0
        while not self._transport.is_closing():
            end = self._buffer.find(separator, scanned)
            length = end if end >= 0 else len(self._buffer)
            if length > MAX_LINE_BYTES:
                raise asyncio.LimitOverrunError("line too long", length)
            if end >= 0:
                return await self.read(end + len(separator))
            scanned = len(self._buffer)
            if self._is_ended:
                break
            await self._wait()
        raise asyncio.CancelledError

    async def _take_turns(self) -> None:
        self._lines_in_turn += 1
        if self._lines_in_turn >= _LINES_PER_TURN:
            self._lines_in_turn = 0
            await asyncio.sleep(0)

    async def _wait(self) -> None:
        self._before_wait()
        self._resume()
        self._lines_in_turn = 0
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume(self) -> None:
        if self._is_paused and len(self._buffer) <= _HIGH_WATER_BYTES // 2:
            self._is_paused = False
            self._transport.resume_reading()
