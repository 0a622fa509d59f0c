"""Takes mail that is posted by HTTP: raw MIME under a signature of our own, and Amazon SES through SNS.

    POST /hooks/<account>/mime    a mail as it is (message/rfc822), signed as channels.email.webhook_signature tells
    POST /hooks/<account>/sns     notifications of SNS (channels.email.sns): mail received by SES, bounces, complaints

Guarantee: 200 means committed and fsynced; any fault of ours is 503 with Retry-After; what comes twice is one message
(content key; the ids of SES and SNS). A route is there only when its `secrets` or `topics` are set, else 404.
Limits: size, memory and time are bounded by options; forms and JSON of other providers are not taken: none of them signs
the mail's bytes, so a relay of one's own has to post them here. Replies go out as from any email account (`outgoing`).
Level: solid.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from channels import contract
from channels.email import (
    amazon,
    message,
    posted,
    send,
    ses,
    sns,
    webhook_settings,
    webhook_signature,
    webhook_topics,
)

if TYPE_CHECKING:
    from aiohttp import web

    from channels import hooks

MEDIUM = "email"
Options = webhook_settings.Options
LARGE_BYTES = 524_288
MAX_ADDRESS_CHARS = 1_000
_TYPES = frozenset({"message/rfc822", "message/global", "application/octet-stream"})


def parse(raw: contract.RawMessage, options: message.Options, evidence: Any = None) -> contract.Message:
    """The normal form of a mail, or of a report of SES. Raises: Costly."""
    return ses.parse(raw) if ses.is_report(raw) else message.parse(raw, options, evidence)


def parse_costly(
    raw: contract.RawMessage, options: message.Options, evidence: Any = None
) -> contract.Message:
    return ses.parse(raw) if ses.is_report(raw) else message.parse_costly(raw, options, evidence)


class Channel:
    """One account. clock: Unix seconds; known_of_amazon: what fetches certificates."""

    def __init__(
        self,
        account: str,
        options: Options,
        *,
        log: logging.Logger | None = None,
        clock: Callable[[], float] = time.time,
        known_of_amazon: amazon.Amazon | None = None,
    ) -> None:
        self._account, self._options, self._clock = account, options, clock
        self._log = log or logging.getLogger("channels.email.webhook")
        self._amazon = known_of_amazon or amazon.Amazon(clock=clock)
        self._sender = send.Sender(options.outgoing)

    def routes(self, gate: contract.Gate) -> list["web.RouteDef"]:
        from aiohttp import web

        from channels import hooks

        options = self._options
        in_flight_bytes, timeout_s = options.max_bytes_in_flight, options.body_timeout_s
        found = []
        if options.secrets:
            bodies = hooks.Bodies(
                max_size_bytes=options.max_size_bytes,
                max_in_flight_bytes=in_flight_bytes,
                timeout_s=timeout_s,
            )
            found.append(web.post("/mime", functools.partial(self._take_mime, gate, bodies)))
        if options.topics:
            bodies = hooks.Bodies(
                max_size_bytes=sns.MAX_BYTES, max_in_flight_bytes=in_flight_bytes, timeout_s=timeout_s
            )
            topics = webhook_topics.Topics(
                self._account, options, known_of_amazon=self._amazon, wrap=self._wrap, log=self._log
            )
            found.append(web.post("/sns", functools.partial(topics.take, gate, bodies)))
        return found

    async def deliver(self, outbound: contract.OutboundMessage) -> contract.Delivered:
        return await self._sender.deliver(outbound)

    async def close(self) -> None:
        await self._sender.close()
        await self._amazon.close()

    def check(self) -> list[contract.Problem]:
        problems = self._sender.check(self._options.addresses)
        if not self._options.secrets and not self._options.topics:
            hint = 'set secrets: ["${HOOK_SECRET}"], or topics: [arn:aws:sns:…]'
            problems.append(
                contract.Problem("no mail can be posted: there is neither a secret nor a topic", hint)
            )
        if self._options.topics:
            try:
                sns.load_certificate(b"")
            except contract.Unavailable as error:
                problems.append(contract.Problem(error.reason))
        return problems

    async def probe(self) -> list[contract.Problem]:
        """Ask the relay that answers go to."""
        return await self._sender.probe()

    async def _take_mime(
        self, gate: contract.Gate, bodies: "hooks.Bodies", request: "web.Request"
    ) -> "web.Response":
        from channels import hooks

        given = _signature_headers(request)
        signature = self._timely_signature(given.get(webhook_signature.HEADER, ""))
        if request.content_type not in _TYPES:
            raise hooks.Refused(415, "send a mail as message/rfc822")
        envelope = self._envelope(given)
        async with bodies.read(request) as body:
            checked = functools.partial(self._checked, signature, body, given, envelope)
            # Hashing a large mail takes milliseconds, which everybody else would wait for.
            raw = await asyncio.to_thread(checked) if len(body) > LARGE_BYTES else checked()
            return posted.stored(await gate.submit(raw))

    def _checked(
        self,
        signature: webhook_signature.Signature,
        body: bytes,
        given: dict[str, str],
        envelope: dict[str, Any],
    ) -> contract.RawMessage:
        """Make the raw message of a mail whose signature holds. Raises: Refused."""
        from channels import hooks

        if not webhook_signature.is_valid(signature, body, given, secrets=self._options.secrets):
            raise posted.forged(
                "the signature of a mail is wrong: both sides need the same secret and the same bytes"
            )
        if not body.strip():
            raise hooks.Refused(400, "there is no mail in it")
        return self._wrap(body, envelope)

    def _timely_signature(self, header: str) -> webhook_signature.Signature:
        """Look at what can be judged before the body is read. Raises: Refused."""
        signature = webhook_signature.read(header)
        if signature is None:
            raise posted.forged(f"a mail was posted without a readable {webhook_signature.HEADER}")
        if not signature.is_timely(self._clock(), tolerance_s=self._options.tolerance_s):
            raise posted.forged("a signature is too old or from the future: set both clocks, or tolerance_s")
        return signature

    def _envelope(self, given: dict[str, str]) -> dict[str, Any]:
        """Read the envelope headers; nothing is said of a sender who is not named."""
        from channels import hooks

        recipients = [
            each.strip().strip("<>") for each in given.get(webhook_signature.RECIPIENTS, "").split(",")
        ]
        envelope: dict[str, Any] = {"recipients": [each for each in recipients if each], "peer": "webhook"}
        sender = given.get(webhook_signature.SENDER, "")
        if sender:
            envelope["sender"] = sender.strip().strip("<>")
        longest = max(map(len, (*recipients, sender)))
        if len(envelope["recipients"]) > self._options.max_recipients or longest > MAX_ADDRESS_CHARS:
            raise hooks.Refused(400, "too many recipients, or too long ones")
        return envelope

    def _wrap(self, body: bytes, envelope: dict[str, Any], *own_keys: str) -> contract.RawMessage:
        received_at = datetime.fromtimestamp(self._clock(), UTC)
        return posted.wrap(body, envelope, *own_keys, account=self._account, received_at=received_at)


def _signature_headers(request: "web.Request") -> dict[str, str]:
    """Give our headers, each of which may be there once. Raises: Refused."""
    from channels import hooks

    names = (webhook_signature.HEADER, webhook_signature.SENDER, webhook_signature.RECIPIENTS)
    found = {name: request.headers.getall(name, []) for name in names}
    if not all(value.isprintable() for values in found.values() for value in values):
        raise hooks.Refused(400, "a header of the signature is not UTF-8")
    if any(len(values) > 1 for values in found.values()):
        raise hooks.Refused(400, "a header of the signature is there twice")
    return {name: values[0] for name, values in found.items() if values}
