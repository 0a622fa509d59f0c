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
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from channels import contract
from channels.email import (
    accept,
    addresses,
    amazon,
    headers,
    identity,
    message,
    send,
    ses,
    sns,
    webhook_signature,
)

if TYPE_CHECKING:
    from aiohttp import web

    from channels import hooks

KIND = "email.webhook"
MEDIUM = "email"
MAX_SIZE_BYTES = 26_214_400
MIN_SECRET_CHARS = 16
LARGE_BYTES = 524_288
MAX_ADDRESS_CHARS = 1_000
_TYPES = frozenset({"message/rfc822", "message/global", "application/octet-stream"})
_RAW_DELIVERY = "x-amz-sns-rawdelivery"


class Options(message.Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """secrets: any of them may sign a mail; topics: ARNs of the SNS topics that are believed.

    addresses, delimiter: whose mail it is, for replies. tolerance_s: how old or early a signature may be.
    confirm_subscriptions: whether the subscription of a configured topic is confirmed. max_bytes_in_flight: of all bodies
    being received at one time; body_timeout_s: for a whole body.
    """

    secrets: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    delimiter: str = "+"
    tolerance_s: float = 300
    confirm_subscriptions: bool = True
    max_size_bytes: int = MAX_SIZE_BYTES
    max_bytes_in_flight: int = 268_435_456
    max_recipients: int = 100
    body_timeout_s: float = 60
    outgoing: send.Options = send.Options()

    def __post_init__(self) -> None:
        if any(len(secret) < MIN_SECRET_CHARS for secret in self.secrets):
            raise ValueError(
                f"a secret has at least {MIN_SECRET_CHARS} characters: openssl rand -hex 32 makes one"
            )
        for arn in self.topics:
            if not sns.is_topic(arn):
                raise ValueError(f"'{arn}' is not written like arn:aws:sns:eu-west-1:123456789012:name")
        if min(self.max_size_bytes, self.max_recipients, self.tolerance_s, self.body_timeout_s) <= 0:
            raise ValueError(
                "max_size_bytes, max_recipients, tolerance_s and body_timeout_s must be more than 0"
            )
        if self.max_bytes_in_flight < self.max_size_bytes:
            raise ValueError("max_bytes_in_flight must hold at least one mail of max_size_bytes")

    def __repr__(self) -> str:
        return f"Options(secrets={len(self.secrets)}, topics={self.topics!r}, addresses={self.addresses!r})"


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
            found.append(web.post("/sns", functools.partial(self._take_sns, gate, bodies)))
        return found

    async def deliver(self, outbound: contract.OutboundMessage) -> contract.Delivered:
        return await self._sender.deliver(outbound)

    async def close(self) -> None:
        await self._sender.close()
        await self._amazon.close()

    def check(self) -> list[contract.Problem]:
        problems = self._sender.check()
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
            return _stored(await gate.submit(raw))

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
            raise _forged(
                "the signature of a mail is wrong: both sides need the same secret and the same bytes"
            )
        if not body.strip():
            raise hooks.Refused(400, "there is no mail in it")
        return self._raw(body, envelope)

    def _timely_signature(self, header: str) -> webhook_signature.Signature:
        """Look at what can be judged before the body is read. Raises: Refused."""
        signature = webhook_signature.read(header)
        if signature is None:
            raise _forged(f"a mail was posted without a readable {webhook_signature.HEADER}")
        if not signature.is_timely(self._clock(), tolerance_s=self._options.tolerance_s):
            raise _forged("a signature is too old or from the future: set both clocks, or tolerance_s")
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

    async def _take_sns(
        self, gate: contract.Gate, bodies: "hooks.Bodies", request: "web.Request"
    ) -> "web.Response":
        from channels import hooks

        if request.headers.get(_RAW_DELIVERY, "").lower() == "true":
            raise _forged(
                "SNS posts without its signature: turn raw message delivery of the subscription off"
            )
        async with bodies.read(request) as body:
            envelope = sns.read(body)
            if envelope is None:
                raise hooks.Refused(
                    400, "not a message of SNS", reason="what was posted is not a message of SNS"
                )
            if envelope.topic_arn not in self._options.topics:
                raise _forged("a message is of a topic that is not among the account's topics")
            if not await self._amazon.has_signed(envelope):
                raise _forged("a message of a configured topic is not signed by Amazon")
            return await self._answer_to_sns(gate, envelope)

    async def _answer_to_sns(self, gate: contract.Gate, envelope: sns.Envelope) -> "web.Response":
        if envelope.type == sns.SUBSCRIPTION:
            return await self._confirm(envelope)
        if envelope.type == sns.UNSUBSCRIPTION:
            reason = (
                f"{envelope.topic_arn} was unsubscribed: no mail comes from it any more; subscribe it again"
            )
            self._log.error("sns_unsubscribed account=%s reason=%s", self._account, reason)
            return _noted()
        raw = self._of_notification(envelope)
        return _noted() if raw is None else _stored(await gate.submit(raw))

    async def _confirm(self, envelope: sns.Envelope) -> "web.Response":
        """Confirm the subscription of a configured topic, by an address that is made here and equals Amazon's."""
        if not self._options.confirm_subscriptions:
            reason = f"a subscription of {envelope.topic_arn} waits for its confirmation: confirm_subscriptions is off"
            self._log.warning("sns_not_confirmed account=%s reason=%s", self._account, reason)
            return _noted()
        url = sns.confirmation_url(envelope)
        if url is None:
            raise _forged("a subscription names an address for its confirmation that is not of its topic")
        await self._amazon.confirm(url)
        self._log.info("sns_confirmed account=%s topic=%s", self._account, envelope.topic_arn)
        return _noted()

    def _of_notification(self, envelope: sns.Envelope) -> contract.RawMessage | None:
        """Make the raw message of a notification; None when there is nothing in it for us.

        Raises: Unavailable for what must not be lost and cannot be taken: SNS tries again, then keeps it in its dead letters.
        """
        notification = ses.read(envelope.message)
        if notification is None:
            raise contract.Unavailable(f"{envelope.topic_arn} publishes something that SES does not write")
        if notification.is_report:
            body, report = (
                envelope.message.encode("utf-8", "surrogatepass"),
                ses.report_envelope_of(notification),
            )
            return self._raw(body, report, f"sns:{envelope.message_id}")
        if not notification.is_received or notification.is_elsewhere:
            kind = notification.receipt.action.type or notification.kind or "unknown"
            self._log.warning("ses_notification_left account=%s kind=%s", self._account, kind)
            return None
        keys = [f"ses:{notification.mail.message_id}"] if notification.mail.message_id else []
        return self._raw(ses.content_of(notification), ses.envelope_of(notification), *keys)

    def _raw(self, body: bytes, envelope: dict[str, Any], *own_keys: str) -> contract.RawMessage:
        """Wrap what came. own_keys: by which Amazon knows it.

        A mail with neither these nor Message-ID nor Date is known by its bytes: a post is repeated when in doubt.
        """
        content_key = None if envelope.get("form") == ses.FORM else identity.content_key(body)
        if content_key is None and not own_keys:
            content_key = f"webhook:{sha256(body).hexdigest()}"
        return contract.RawMessage(
            kind=KIND,
            account=self._account,
            lane=_lane(body, envelope),
            keys=own_keys if content_key is None else (content_key, *own_keys),
            body=body,
            received_at=datetime.fromtimestamp(self._clock(), UTC),
            envelope=envelope,
        )


def _lane(body: bytes, envelope: dict[str, Any]) -> str:
    """Name what keeps order: the envelope's sender, else who From says."""
    if "sender" in envelope:
        return accept.lane(body, envelope)
    sender = addresses.parse(headers.scan(body).structured("from"))
    return sender[0].address.lower() if sender else "webhook"


def _signature_headers(request: "web.Request") -> dict[str, str]:
    """Give our headers, each of which may be there once. Raises: Refused."""
    from channels import hooks

    names = (webhook_signature.HEADER, webhook_signature.SENDER, webhook_signature.RECIPIENTS)
    found = {name: request.headers.getall(name, []) for name in names}
    if any(len(values) > 1 for values in found.values()):
        raise hooks.Refused(400, "a header of the signature is there twice")
    return {name: values[0] for name, values in found.items() if values}


def _forged(reason: str) -> "hooks.Refused":
    from channels import hooks

    return hooks.Refused(403, "not signed as it has to be", reason=reason)


def _stored(receipt: contract.Receipt) -> "web.Response":
    from aiohttp import web

    return web.Response(text=f"stored as {receipt.id}\n")


def _noted() -> "web.Response":
    from aiohttp import web

    return web.Response(text="noted\n")
