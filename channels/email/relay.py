"""Connections to a mail relay, kept open and used again; what it answers becomes Delivered or DeliveryFailed.

aiosmtplib speaks; a transaction is one deadline and not one for each command. A connection that a relay closed while
it was idle is found out at MAIL, before anything was sent, and replaced once.
"""

import asyncio
import re
import socket
import ssl
from typing import TYPE_CHECKING

import aiosmtplib
import msgspec

from channels import contract
from channels.email import compose

if TYPE_CHECKING:
    from channels.email import send

_QUEUE_ID = re.compile(
    r"(?:queued as|\bid=|queued mail for delivery id|stored as)\s*([\w.@<>-]{1,200})", re.IGNORECASE
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_MAX_REASON_CHARS = 500
_GOODBYE_S = 2
_NOT_AVAILABLE = 421


class Target(msgspec.Struct, frozen=True):
    """scheme: smtp (clear), smtps (TLS from the first byte) or smtp+starttls (required)."""

    scheme: str
    host: str
    port: int


class Envelope(msgspec.Struct, frozen=True):
    """sender: "" is the null return path. copies: those of the recipients whom the mail is not for."""

    sender: str
    recipients: tuple[str, ...]
    is_international: bool
    copies: frozenset[str] = frozenset()


def envelope_of(outbound: contract.OutboundMessage) -> Envelope:
    """Name sender and recipients.

    Raises: ValueError for an address that is none, or when there is no recipient.
    """
    sender = compose.ascii_address(outbound.envelope_sender) if outbound.envelope_sender else ""
    recipients = tuple(
        dict.fromkeys(compose.ascii_address(one.address) for one in (*outbound.to, *outbound.cc))
    )
    if not recipients:
        raise ValueError("it has no recipient")
    main = {compose.ascii_address(one.address) for one in outbound.to}
    headers = (outbound.from_, *((outbound.reply_to,) if outbound.reply_to else ()))
    written = [sender, *recipients, *(compose.ascii_address(one.address) for one in headers)]
    is_international = not all(map(str.isascii, written))
    return Envelope(
        sender, recipients, is_international, frozenset(recipients) - main if main else frozenset()
    )


class Relay:
    """At most settings.max_connections connections; further mails wait for a free one."""

    def __init__(self, target: Target, settings: "send.Options") -> None:
        self._target = target
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.max_connections)
        self._idle: list[tuple[aiosmtplib.SMTP, float]] = []
        self._sweep: asyncio.TimerHandle | None = None
        self._tls_context: ssl.SSLContext | None = None

    async def send(self, envelope: Envelope, content: bytes) -> contract.Delivered:
        """Send one mail.

        Raises: DeliveryFailed.
        """
        async with self._slots:
            transaction = _Transaction(envelope, content)
            try:
                async with asyncio.timeout(self._settings.timeout_s):
                    return await self._attempt(transaction)
            except (aiosmtplib.SMTPException, _Refused, OSError, TimeoutError, ValueError) as error:
                raise self._failure(error, transaction) from error

    async def probe(self) -> None:
        """Connect and log in, and send nothing.

        Raises: DeliveryFailed with what is wrong.
        """
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                client = await self._connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            nothing = _Transaction(Envelope("", (), is_international=False), b"")
            raise self._failure(error, nothing) from error
        await _quit(client)

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        if self._sweep is not None:
            self._sweep.cancel()
        clients = [client for client, _ in self._idle]
        self._idle.clear()
        await asyncio.gather(*map(_quit, clients))

    async def _attempt(self, transaction: "_Transaction") -> contract.Delivered:
        client = self._reusable()
        if client is not None:
            try:
                return await self._with(client, transaction)
            except (aiosmtplib.SMTPServerDisconnected, _Refused) as error:
                if transaction.is_started or (isinstance(error, _Refused) and error.code != _NOT_AVAILABLE):
                    raise
        return await self._with(await self._connect(), transaction)

    async def _with(self, client: aiosmtplib.SMTP, transaction: "_Transaction") -> contract.Delivered:
        is_done = False
        try:
            reply = await transaction.run(client)
            is_done = True
        finally:
            # A connection in the middle of something is of no more use; RSET would cost a round trip to save one.
            if is_done and client.is_connected:
                self._keep(client)
            else:
                client.close()
        match = _QUEUE_ID.search(reply)
        return contract.Delivered(match[1].strip("<>") if match else "", refused=transaction.refused)

    async def _connect(self) -> aiosmtplib.SMTP:
        settings, target = self._settings, self._target
        client = aiosmtplib.SMTP(
            hostname=target.host,
            port=target.port,
            use_tls=target.scheme == "smtps",
            start_tls=target.scheme == "smtp+starttls",
            tls_context=self._context(),
            username=settings.username or None,
            password=settings.password or None if not settings.xoauth2_token else None,
            oauth_token_generator=self._token if settings.xoauth2_token else None,
            local_hostname=settings.hostname or socket.gethostname(),
            timeout=None,
        )
        await client.connect()
        return client

    async def _token(self) -> str:
        return self._settings.xoauth2_token

    def _context(self) -> ssl.SSLContext | None:
        if self._target.scheme == "smtp":
            return None
        if self._tls_context is None:
            self._tls_context = ssl.create_default_context(cafile=self._settings.ca_file or None)
        return self._tls_context

    def _reusable(self) -> aiosmtplib.SMTP | None:
        while self._idle:
            client, _ = self._idle.pop()
            if client.is_connected:
                return client
            client.close()
        return None

    def _keep(self, client: aiosmtplib.SMTP) -> None:
        loop = asyncio.get_running_loop()
        self._idle.append((client, loop.time()))
        if self._sweep is None:
            self._sweep = loop.call_later(self._settings.idle_s, self._close_idle)

    def _close_idle(self) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time() - self._settings.idle_s
        for client, _ in (one for one in self._idle if one[1] <= since):
            client.close()
        self._idle = [one for one in self._idle if one[1] > since]
        self._sweep = (
            loop.call_at(self._idle[0][1] + self._settings.idle_s, self._close_idle) if self._idle else None
        )

    def _failure(self, error: Exception, transaction: "_Transaction") -> contract.DeliveryFailed:
        reason = _reason(error, self._target)
        for secret in (self._settings.password, self._settings.xoauth2_token):
            reason = reason.replace(secret, "…") if secret else reason
        is_permanent = isinstance(error, _Refused) and error.code >= 500
        is_unknown = transaction.is_sent and not isinstance(error, _Refused)
        return contract.DeliveryFailed(_one_line(reason), retryable=not is_permanent, unknown=is_unknown)


class _Refused(Exception):
    """The relay said no to this mail."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class _Transaction:
    """MAIL, RCPT, DATA. is_started: MAIL was accepted; is_sent: the last byte has left us; refused: copies, and why."""

    def __init__(self, envelope: Envelope, content: bytes) -> None:
        self._envelope = envelope
        self._content = content
        self.is_started = False
        self.is_sent = False
        self.refused: dict[str, str] = {}

    async def run(self, client: aiosmtplib.SMTP) -> str:
        """Return the relay's reply to the final dot.

        A copy that is refused keeps the mail from nobody else: whom it is for shall not wait for a colleague's mailbox.
        """
        await self._begin(client)
        refused = []
        for one in self._envelope.recipients:
            error = await self._add(client, one)
            if error is not None and one in self._envelope.copies:
                self.refused[one] = _one_line(str(error))
            elif error is not None:
                refused.append(error)
        accepted = len(self._envelope.recipients) - len(self.refused) - len(refused)
        if refused and (not accepted or any(error.code < 500 for error in refused)):
            # All or nothing while a retry can help; the mildest code decides.
            raise _Refused(min(error.code for error in refused), "; ".join(map(str, refused)))
        reply = await self._send_content(client)
        if refused:
            raise _Refused(
                refused[0].code,
                f"sent to {accepted} of {accepted + len(refused)} recipients; {'; '.join(map(str, refused))}",
            )
        return reply

    async def _begin(self, client: aiosmtplib.SMTP) -> None:
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        options = [b"SMTPUTF8"] if self._envelope.is_international else []
        if options and not client.supports_extension("smtputf8"):
            raise _Refused(553, "the relay takes no addresses beyond ASCII (SMTPUTF8)")
        limit = client.esmtp_extensions.get("size", "").strip()
        if limit.isdecimal() and 0 < int(limit) < len(self._content):
            raise _Refused(552, f"the mail has {len(self._content)} bytes, the relay takes {limit} (SIZE)")
        reply = await client.execute_command(b"MAIL", b"FROM:<%b>" % self._envelope.sender.encode(), *options)
        if reply.code != 250:
            raise _Refused(reply.code, f"sender refused: {reply.code} {reply.message}")
        self.is_started = True

    async def _add(self, client: aiosmtplib.SMTP, recipient: str) -> _Refused | None:
        reply = await client.execute_command(b"RCPT", b"TO:<%b>" % recipient.encode())
        if reply.code in (250, 251, 252):
            return None
        return _Refused(reply.code, f"{recipient} refused: {reply.code} {reply.message}")

    async def _send_content(self, client: aiosmtplib.SMTP) -> str:
        reply = await client.execute_command(b"DATA")
        if reply.code != 354 or client.protocol is None:
            raise _Refused(reply.code, f"message refused: {reply.code} {reply.message}")
        client.protocol.write(self._content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        self.is_sent = True
        reply = await client.protocol.read_response()
        if reply.code != 250:
            raise _Refused(reply.code, f"message refused: {reply.code} {reply.message}")
        return reply.message


async def _quit(client: aiosmtplib.SMTP) -> None:
    try:
        async with asyncio.timeout(_GOODBYE_S):
            await client.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        pass
    finally:
        client.close()


def _one_line(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text)[:_MAX_REASON_CHARS]


def _reason(error: Exception, target: Target) -> str:
    if isinstance(error, _Refused):
        return str(error)
    relay = f"relay {target.host}:{target.port}"
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return f"{relay} refused the login: {error.code} {error.message}"
    if isinstance(error, TimeoutError):
        return f"{relay} did not answer in time"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{relay}: {error.code} {error.message}"
    return f"{relay}: {error}"
