"""The socket side of one SMTP client: blocks in, replies out, deadlines, hanging up on either side.

aiosmtpd answers the commands (see session.py). Different from aiosmtpd 1.4.6: bodies are read in blocks and not line
by line; replies to pipelined commands leave together (RFC 2920); what a client sent completely before it closed its
side is still answered; a deadline says 421 before it closes; a client that reads no replies cannot hold a connection.
"""

import asyncio
import contextlib
from typing import Any

from aiosmtpd import smtp

from channels.email import data, lines, reception

# A body beyond the limit is read on to its end, so that the sender hears 552 and not a broken pipe; up to here.
_OVERSIZE_FACTOR = 4
_OVERSIZE_BYTES = 1_048_576
BUSY = b"421 4.7.0 Too many connections, please try again later\r\n"
TIMEOUT = b"421 4.4.2 Timeout, closing the connection\r\n"
CLOSING = b"421 4.3.2 Shutting down, please try again later\r\n"


class Peer(smtp.Session):
    """aiosmtpd's session without its warning at every login."""

    login_data: Any = None


class Connection(smtp.SMTP):
    """The protocol of one connection, on the loop it was made on."""

    # aiosmtpd knows these as None before the connection is made; nothing here runs before.
    session: Any
    envelope: Any
    transport: Any
    _reader: Any

    def __init__(self, shared: reception.Reception, handler: object, **settings: Any) -> None:
        super().__init__(handler, loop=asyncio.get_running_loop(), **settings)
        self._shared = shared
        self._replies: list[bytes] = []
        self._body: data.Body | None = None
        self._body_end: asyncio.Future[bool] | None = None
        self._peer_host: str | None = None
        self._deadline = 0.0
        self._is_submitting = False

    def _create_session(self) -> Peer:
        return Peer(self.loop)

    # -- the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._original_transport is not None:  # a second time: TLS has begun, what was said before is void
            self._replies.clear()
            super().connection_made(transport)
            return
        peer = reception.host_of(transport.get_extra_info("peername"))
        if not self._shared.enter(self, peer):
            transport.write(CLOSING if self._shared.is_closing else BUSY)  # type: ignore[attr-defined]
            transport.close()
            return
        self._peer_host = peer
        auth = self._shared.options.auth
        if auth is not None and auth.allow_plain_on_loopback and reception.is_loopback(peer):
            self._auth_require_tls = False
        super().connection_made(transport)

    def _cb_client_connected(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = lines.LineReader(writer.transport, before_wait=self._flush)
        self._writer = writer

    def data_received(self, block: bytes) -> None:
        if self._peer_host is None:
            return
        if self._body is None:
            self._reader.feed(block)
            return
        rest = self._body.feed(block)
        if rest is not None:
            self._end_body(is_complete=True)
            self._reader.feed(rest)
        elif (
            self._body.received_bytes
            > _OVERSIZE_FACTOR * self._shared.options.max_size_bytes + _OVERSIZE_BYTES
        ):
            self._end_body(is_complete=False)

    def eof_received(self) -> bool:
        """Let what was sent completely be answered; a body without its end is no mail."""
        if self._peer_host is None:
            return False
        if self._body is not None and self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
        self._reader.feed_eof()
        return bool(self.session.ssl is None)

    def connection_lost(self, error: Exception | None) -> None:
        # aiosmtpd calls this itself after a failed handshake, and then the transport does.
        if self._peer_host is None:
            return
        self._shared.leave(self, self._peer_host)
        self._peer_host = None
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        # A connection that breaks while a reply is written is no error of ours: nobody would fetch the exception.
        with contextlib.suppress(ConnectionError):
            await super()._handle_client()

    async def push(self, status: str | bytes) -> None:
        """Write a reply; with more commands waiting it leaves together with theirs (RFC 2920 §3.2)."""
        reply = status.encode("utf-8", "replace") if isinstance(status, str) else status
        self._replies.append(reply + b"\r\n")
        if reply[:1] != b"2" or reply[:3] == b"221" or not self._reader.has_line():
            self._flush()
            await self._writer.drain()

    def _flush(self) -> None:
        if self._replies and self.transport is not None:
            self.transport.write(b"".join(self._replies))
            self._replies.clear()

    async def receive(self, body: data.Body) -> bool:
        """Read a body to its end; False = it is so far beyond the limit that the rest was not read."""
        rest = body.feed(self._reader.take())
        if rest is not None:
            self._reader.feed(rest)
            return True
        self._flush()
        self._reset_timeout(self._shared.options.data_timeout_s)
        self._body, self._body_end = body, self.loop.create_future()
        try:
            return await self._body_end
        finally:
            self._body = self._body_end = None
            self._reset_timeout()

    def _end_body(self, *, is_complete: bool) -> None:
        self._body = None
        if self._body_end is not None and not self._body_end.done():
            self._body_end.set_result(is_complete)

    # -- time

    def _reset_timeout(self, duration: float | None = None) -> None:
        # A timer for each command would fill the loop's heap with cancelled ones: one timer looks at a moving deadline.
        self._deadline = self.loop.time() + (duration or self._timeout_duration)
        if self._timeout_handle is None or self._timeout_handle.when() > self._deadline:
            self._arm()

    def _arm(self) -> None:
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        self._timeout_handle = self.loop.call_at(self._deadline, self._timeout_cb)

    def _timeout_cb(self) -> None:
        if self._is_submitting:
            self._reset_timeout()
        if self._deadline > self.loop.time():
            self._arm()
        else:
            self._hang_up(TIMEOUT)

    def _hang_up(self, reply: bytes) -> None:
        if self.transport is None:
            return
        self._flush()
        self.transport.write(reply)
        # Who does not read its replies would keep a closing transport open for ever.
        if self.transport.get_write_buffer_size() > 0:
            self.transport.abort()
        else:
            self.transport.close()

    def finish(self) -> None:
        """Close an idle connection now; one with a mail under way closes after its reply."""
        if self._body is None and not self._is_submitting:
            self._hang_up(CLOSING)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()
