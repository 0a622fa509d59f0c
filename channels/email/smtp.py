"""Takes mail by SMTP (RFC 5321) or LMTP (RFC 2033) and sends mail through a relay or into a folder.

Guarantee: 250 means committed and fsynced; any fault of ours is 451 or 452, so the sender keeps the mail and tries
again; one transaction is one raw message with all its recipients. What is stored is exactly what came after DATA,
dots unstuffed; peer, greeting, TLS and envelope addresses are beside it and not in it.
Limits: size, recipients, connections, memory and time are bounded by options; a body with bare CR, LF or NUL is
refused; nothing is relayed for anybody. No implicit TLS on listening sockets: STARTTLS, or a mail server in front.
Level: solid.
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import ssl

from channels import contract
from channels.email import accept, filters, message, reception, send, session, settings

MEDIUM = "email"
Options = settings.Options
parse = message.parse
parse_costly = message.parse_costly

_BACKLOG = 512
_UNIX = "unix:"
Bound = tuple[str, int]


class Channel:
    """One account: a listening socket and a way out."""

    def __init__(self, account: str, options: Options, *, log: logging.Logger | None = None) -> None:
        self._account = account
        self._options = options
        self._log = log or logging.getLogger("channels.email.smtp")
        self._sender = send.Sender(options.outgoing)
        self._listening = asyncio.Event()
        self._bound: Bound | None = None
        self._shared: reception.Reception | None = None

    async def listening(self) -> Bound:
        """Wait until mail is taken; return host and port as bound ("unix:/path" and 0 for a unix socket)."""
        await self._listening.wait()
        if self._bound is None:
            raise OSError(f"account '{self._account}' does not listen")
        return self._bound

    async def run(self, gate: contract.Gate) -> None:
        """Take mail until cancelled; then finish what is under way, within options.grace_s, and close.

        Raises: OSError when the address cannot be listened on; nothing was taken then.
        """
        scan = filters.scan_of(self._options.filter, log=self._log) if self._options.filter else None
        acceptance = accept.Acceptance(self._account, gate, scan=scan, log=self._log)
        try:
            tls_context = _tls_context(self._options)
            shared = self._shared = reception.Reception(
                self._options, acceptance=acceptance, tls_context=tls_context, log=self._log
            )
            server = await self._listen(shared)
            self._bound = _address_of(server)
        finally:
            self._listening.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self._stop(server, shared)
            await self._sender.close()

    async def deliver(self, outbound: contract.OutboundMessage) -> contract.Delivered:
        return await self._sender.deliver(outbound)

    @property
    def examine(self) -> message.Examine | None:
        """Look up who sent a mail that came straight from outside; None = `verify` does not ask for it."""
        return message.examiner(self._options)

    async def close(self) -> None:
        """Close idle connections to the relay; `run` does it at its end, this is for a channel that only delivers."""
        await self._sender.close()

    def check(self) -> list[contract.Problem]:
        return [
            *_receiving_problems(self._options),
            *message.problems(self._options),
            *self._sender.check(self._options.addresses),
        ]

    async def probe(self) -> list[contract.Problem]:
        """Ask the relay that answers go to."""
        return await self._sender.probe()

    async def _listen(self, shared: reception.Reception) -> asyncio.Server:
        protocol = session.LmtpSession if self._options.protocol == "lmtp" else session.Session
        loop = asyncio.get_running_loop()
        # aiosmtpd logs every command at INFO, addresses and all.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        listen = self._options.listen
        try:
            if listen.startswith(_UNIX):
                path = listen.removeprefix(_UNIX)
                _refuse_live_socket(path)
                return await loop.create_unix_server(lambda: protocol(shared), path, backlog=_BACKLOG)
            host, port = split_address(listen)
            return await loop.create_server(lambda: protocol(shared), host, port, backlog=_BACKLOG)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(
                error.errno,
                f"channel '{self._account}' cannot listen on {listen}: {reason}; "
                f"stop what listens there or set another `listen` for '{self._account}'",
            ) from error

    async def _stop(self, server: asyncio.Server, shared: reception.Reception) -> None:
        server.close()
        await shared.close(self._options.grace_s)
        if self._options.listen.startswith(_UNIX):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._options.listen.removeprefix(_UNIX))  # noqa: PTH108 - one quick call


def split_address(text: str) -> tuple[str, int]:
    """Split "host:port" or "[::1]:port".

    Raises: OSError when there is no port in it.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not host:
        raise OSError(errno.EINVAL, "not an address like 127.0.0.1:2525 or unix:/path")
    return host.strip("[]"), int(port)


def _address_of(server: asyncio.Server) -> Bound:
    name = server.sockets[0].getsockname()
    return (f"{_UNIX}{name}", 0) if isinstance(name, str) else (name[0], name[1])


def _refuse_live_socket(path: str) -> None:
    # asyncio removes whatever socket is at the path, also one that another daemon is listening on.
    with (
        socket.socket(socket.AF_UNIX) as probe,
        contextlib.suppress(FileNotFoundError, ConnectionRefusedError),
    ):
        probe.connect(path)
        raise OSError(errno.EADDRINUSE, "address in use")


def _tls_context(options: Options) -> ssl.SSLContext | None:
    if options.tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.tls.certificate, options.tls.key or None)
    except OSError as error:  # ssl.SSLError is one
        sentence = f"the TLS certificate {options.tls.certificate} cannot be used: {error.strerror or error}"
        raise OSError(
            error.errno, f"{sentence}; set tls.certificate and tls.key to readable PEM files"
        ) from error
    return context


def _receiving_problems(options: Options) -> list[contract.Problem]:
    problems = []
    if not options.addresses:
        problems.append(
            contract.Problem("no addresses are set: all mail is refused", "set addresses: [support@…]")
        )
    try:
        _tls_context(options)
    except OSError as error:
        problems.append(contract.Problem(error.strerror or str(error)))
    if options.auth and not options.tls and not options.auth.allow_plain_on_loopback:
        problems.append(
            contract.Problem(
                "nobody can log in: AUTH is offered over TLS only", "set tls: {certificate, key}"
            )
        )
    return problems
