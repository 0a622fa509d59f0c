"""What all connections of one listener share: options, counters, who may log in."""

import asyncio
import contextlib
import hmac
import ipaddress
import logging
import secrets
import socket
import ssl
from typing import TYPE_CHECKING, Any

from aiosmtpd import smtp

from channels.email import accept, admission, recipients, settings

if TYPE_CHECKING:
    from channels.email.connection import Connection


def host_of(peername: object) -> str:
    """Return the address in what a socket calls its peer; "" for a unix socket."""
    return str(peername[0]) if isinstance(peername, tuple) and peername else ""


def is_loopback(host: str) -> bool:
    """Tell whether the client is on this machine; a unix socket is."""
    return not host or ipaddress.ip_address(host.partition("%")[0]).is_loopback


class Reception:
    """What all connections of one listener share."""

    def __init__(
        self,
        options: settings.Options,
        *,
        acceptance: accept.Acceptance,
        tls_context: ssl.SSLContext | None,
        log: logging.Logger,
    ) -> None:
        self.options = options
        self.hostname = options.hostname or socket.gethostname()
        self.acceptance = acceptance
        self.tls_context = tls_context
        self.log = log
        self.recipients = recipients.Recipients(options.addresses, delimiter=options.delimiter)
        self.memory = admission.Memory(options.max_bytes_in_flight)
        self.admission = admission.Admission(
            max_connections=options.max_connections,
            max_connections_per_peer=options.max_connections_per_peer,
        )
        self.throttle = admission.Throttle()
        self.connections: set[Connection] = set()
        self.is_closing = False
        self._emptied = asyncio.Event()

    def enter(self, connection: "Connection", peer: str) -> bool:
        """Count a connection in; False = there are too many, or we are closing."""
        if self.is_closing or not self.admission.enter(peer):
            return False
        self.connections.add(connection)
        return True

    def leave(self, connection: "Connection", peer: str) -> None:
        self.admission.leave(peer)
        self.connections.discard(connection)
        if not self.connections:
            self._emptied.set()

    async def close(self, timeout_s: float) -> None:
        """Close idle connections at once, busy ones after their reply, all of them when the time is over."""
        self.is_closing = True
        self._emptied.clear()
        for connection in tuple(self.connections):
            connection.finish()
        if self.connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), timeout_s)
        await self.acceptance.finish(timeout_s)
        for connection in tuple(self.connections):
            connection.abort()

    def authenticate(
        self, _: Any, session: Any, __: Any, mechanism: str, login: smtp.LoginPassword
    ) -> smtp.AuthResult:
        """Compare in constant time; an unknown name takes as long as a wrong password."""
        users = self.options.auth.users if self.options.auth else {}
        name = login.login.decode("utf-8", "replace")
        expected = users.get(name, "").encode() or secrets.token_bytes(16)
        peer = host_of(session.peer)
        if hmac.compare_digest(expected, login.password):
            self.throttle.succeeded(peer)
            return smtp.AuthResult(success=True, auth_data=name)
        self.throttle.failed(peer)
        self.log.warning("auth_refused peer=%s", peer)
        return smtp.AuthResult(success=False, handled=False)
