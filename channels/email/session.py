"""The commands of SMTP and LMTP: aiosmtpd answers them; what it must not decide is decided here.

RFC 5321, 2033 (LMTP), 3207 (STARTTLS), 4954 (AUTH), 1870 (SIZE). Different from aiosmtpd 1.4.6: our faults are 451 and
never 500 with the text of an exception; lines of any length; LMTP answers once for each recipient; AUTH is announced
only when it is set up; no second STARTTLS; limits of commands belong to the connection (there: to all of them).
"""

import collections
import functools
from collections.abc import Iterable, Sequence
from typing import Any

from aiosmtpd import smtp

from channels.email import accept, connection, data, lines, reception
from channels.email import recipients as paths

# A path may be 256 octets and has parameters behind it; VERP and SRS make them longer than aiosmtpd's 512.
_COMMAND_BYTES = {"AUTH": lines.MAX_LINE_BYTES, "MAIL": 2_048, "RCPT": 2_048}
_OTHER_COMMAND_BYTES = 1_024
# Of one connection: far above what a mail server needs, far below what hurts.
_CALL_LIMITS = {
    "*": 1_000_000,
    "NOOP": 1_000,
    "HELP": 10,
    "VRFY": 10,
    "EHLO": 100,
    "HELO": 100,
    "LHLO": 100,
    "AUTH": 10,
    "STARTTLS": 2,
}
_MAX_REFUSED_RECIPIENTS = 100
_EXTENSIONS = ("PIPELINING", "ENHANCEDSTATUSCODES")


class Hooks:
    """What aiosmtpd asks its handler; the connection decides."""

    def __dir__(self) -> Iterable[str]:
        return _names_for_aiosmtpd(type(self))  # type: ignore[arg-type]  # a class is hashable

    async def handle_EHLO(  # noqa: N802
        self, session: "Session", peer: connection.Peer, _: Any, hostname: str, replies: list[str]
    ) -> list[str]:
        peer.host_name = hostname
        return session.extensions(replies)

    async def handle_RCPT(  # noqa: N802
        self, session: "Session", _: Any, __: Any, address: str, ___: list[str]
    ) -> str:
        return session.recipient_reply(address)


@functools.cache
def _names_for_aiosmtpd(class_: type[Any]) -> tuple[str, ...]:
    # For every connection it looks through all attributes for its commands: 230 µs, with these names only 40.
    return tuple(name for name in dir(class_) if name.startswith(("smtp_", "auth_", "handle_")))


_HOOKS = Hooks()


class Session(connection.Connection):
    """An SMTP client's session."""

    command_size_limit = _OTHER_COMMAND_BYTES
    # Older clients compare these texts and know no others.
    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    def __init__(self, shared: reception.Reception) -> None:
        options = shared.options
        super().__init__(
            shared,
            _HOOKS,
            data_size_limit=options.max_size_bytes,
            enable_SMTPUTF8=True,
            hostname=shared.hostname,
            ident="ready",
            tls_context=shared.tls_context,
            require_starttls=options.require_tls,
            timeout=options.command_timeout_s,
            auth_required=options.auth is not None and options.auth.required,
            authenticator=shared.authenticate,
            command_call_limit=_CALL_LIMITS,
        )
        self.command_size_limits = collections.defaultdict(lambda: _OTHER_COMMAND_BYTES, _COMMAND_BYTES)
        self._refused_recipients = 0

    def __dir__(self) -> Iterable[str]:
        return _names_for_aiosmtpd(type(self))  # type: ignore[arg-type]  # a class is hashable

    async def handle_exception(self, error: Exception) -> str:
        """Answer 451, whatever it was, and start over; the text of an exception is not for the client."""
        self._set_rset_state()  # type: ignore[no-untyped-call]
        if isinstance(error, smtp.TLSSetupException):
            self._shared.log.info("tls_failed peer=%s reason=%s", self._peer_host, error.__cause__)
        else:
            self._shared.log.error("session_failed peer=%s", self._peer_host, exc_info=error)
        return accept.TRY_AGAIN

    def extensions(self, replies: list[str]) -> list[str]:
        """Turn aiosmtpd's reply to EHLO into ours, as one block."""
        kept = [
            line for line in replies[1:-1] if self._shared.options.auth or not line.startswith("250-AUTH")
        ]
        texts = [self.hostname, *(line[4:] for line in kept), *_EXTENSIONS]
        return ["\r\n".join([f"250-{text}" for text in texts[:-1]] + [f"250 {texts[-1]}"])]

    # -- envelope

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # aiosmtpd asks the standard library's header parser: 40 times slower, and it knows no source routes.
        return paths.parse_path(arg)

    def _getparams(self, params: Sequence[str]) -> dict[str, str | bool] | None:
        # RFC 4954 §5: AUTH=<> on MAIL, which we take note of and no more.
        return super()._getparams([param for param in params if not param.startswith("AUTH=")])

    def recipient_reply(self, address: str) -> str:
        if not self._shared.recipients.takes(address):
            self._refused_recipients += 1
            return "550 5.1.1 No such address here"
        if len(self.envelope.rcpt_tos) >= self._shared.options.max_recipients:
            return "452 4.5.3 Too many recipients"
        self.envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_RCPT(arg)
        if self._refused_recipients >= _MAX_REFUSED_RECIPIENTS:
            self._hang_up(b"421 4.7.0 Too many unknown recipients\r\n")

    async def smtp_VRFY(self, arg: str | None) -> None:  # noqa: N802
        await self.push("252 2.5.2 Cannot verify, send mail to find out")

    # -- body

    @smtp.syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        if await self._is_data_refused(arg):
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        answers = self._answers()
        body = data.Body(self._shared.options.max_size_bytes, memory=self._shared.memory)
        try:
            is_complete = await self.receive(body)
            reply = await self._judge(body)
        finally:
            body.close()
            self._set_post_data_state()  # type: ignore[no-untyped-call]
        for _ in range(answers):
            await self.push(reply)
        if self._shared.is_closing:
            self._hang_up(connection.CLOSING)
        elif not is_complete:
            self._hang_up(b"421 4.7.0 Far too much data\r\n")

    async def _is_data_refused(self, arg: str | None) -> bool:
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return True
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
        elif not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
        return bool(arg or not self.envelope.rcpt_tos)

    def _answers(self) -> int:
        return 1

    async def _judge(self, body: data.Body) -> str:
        content = body.content()
        if body.is_starved:
            return "452 4.3.1 Too much mail at the moment, please try again later"
        if body.is_too_large:
            return f"552 5.3.4 Message is larger than {self._shared.options.max_size_bytes} bytes"
        if data.has_bare_controls(content):
            return "550 5.6.11 Bare CR, LF or NUL in the message; lines end in CRLF"
        self._is_submitting = True
        try:
            return await self._shared.acceptance.take(content, self._envelope())
        finally:
            self._is_submitting = False
            self._reset_timeout()

    def _envelope(self) -> dict[str, Any]:
        sender = self.envelope.mail_from
        return {
            "sender": "" if sender == "<>" else _valid_text(sender),
            "recipients": [_valid_text(address) for address in dict.fromkeys(self.envelope.rcpt_tos)],
            "peer": self._peer_host,
            "helo": _valid_text(self.session.host_name),
            "tls": _tls_version(self.session.ssl),
            "auth": self.session.auth_data,
        }

    # -- TLS and AUTH

    async def smtp_STARTTLS(self, arg: str | None) -> None:  # noqa: N802
        if self._tls_protocol is not None:
            await self.push("503 5.5.1 TLS is active already")
            return
        # What came behind STARTTLS in clear is dropped, not executed (RFC 3207 §6, CVE-2024-34083).
        self._reader.take()
        await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str | None) -> None:  # noqa: N802
        if self._shared.options.auth is None:
            await self.push("502 5.5.1 AUTH is not available here")
        elif self._shared.throttle.is_blocked(self._peer_host or ""):
            self._hang_up(b"421 4.7.0 Too many failed logins, please try again later\r\n")
        else:
            mechanism, *rest = (arg or "").split(" ", 1)
            await super().smtp_AUTH(" ".join([mechanism.upper(), *rest]))


class LmtpSession(Session):
    """An LMTP client's session (RFC 2033): LHLO for EHLO, one reply a recipient after the body."""

    async def smtp_LHLO(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_EHLO(arg)

    async def smtp_HELO(self, arg: str | None) -> None:  # noqa: N802
        await self.push("500 5.5.1 This is LMTP, send LHLO")

    async def smtp_EHLO(self, arg: str | None) -> None:  # noqa: N802
        await self.push("500 5.5.1 This is LMTP, send LHLO")

    def _answers(self) -> int:
        # RFC 2033 §4.2: for each RCPT that was accepted, also for one that came twice.
        return len(self.envelope.rcpt_tos)


def _valid_text(text: str) -> str:
    # aiosmtpd keeps undecodable bytes as lone surrogates, which no JSON takes.
    return text.encode("utf-8", "replace").decode()


def _tls_version(extra: dict[str, Any] | None) -> str | None:
    return extra["ssl_object"].version() if extra and "ssl_object" in extra else None
