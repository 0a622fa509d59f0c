"""What twilio.sms and twilio.whatsapp share: the webhook of incoming messages, sending, files.

    POST /hooks/<account>/message     an incoming message -> its bytes in the journal -> 200 and an empty <Response/>
    POST /hooks/<account>/status      what became of one of ours (channels.twilio.status)

Guarantee: 200 means committed and fsynced; a fault of ours is 503, which Twilio tries again at the fallback URL or as its
connection overrides say, and the reconciler brings what is lost all the same. A message is its MessageSid, for ever.
"""

import functools
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from channels import contract
from channels.twilio import (
    approvals,
    incoming,
    keywords,
    media,
    media_names,
    probe,
    recovered,
    send,
    settings,
    setup,
    status,
    upkeep,
    webhook,
)
from channels.twilio.api import Api
from channels.twilio.reconcile_messages import Messages

if TYPE_CHECKING:
    from aiohttp import web


def parse(raw: contract.RawMessage, options: settings.Options, *, medium: str) -> contract.Understood:
    """Return what a raw message of either kind is: a customer's words, one of consent, or what became of one of ours."""
    if raw.envelope.get("path") == status.PATH:
        return status.parse(raw)
    return consent(raw, options, medium=medium) or incoming.message(raw, medium=medium)


def consent(raw: contract.RawMessage, options: settings.Options, *, medium: str) -> contract.Consent | None:
    """Return the word of consent that a message is, None = it is a message."""
    form = incoming.form_of(raw.body)
    text, opt_out_type = form.get("Body", ""), form.get("OptOutType", "")
    word = keywords.consent_of(
        text, opt_out_type=opt_out_type, languages=options.consent_languages, medium=medium
    )
    sender, also = incoming.people(form)
    if word is None or sender is None:
        return None
    return contract.Consent(
        kind=medium,
        word=word,
        sender=sender,
        own=incoming.plain(form.get("To", "")),
        said=text[: incoming.MAX_HEADER_CHARS],
        provider_id=form.get("MessageSid", ""),
        is_answered=keywords.is_confirmed_by_twilio(text, opt_out_type=opt_out_type, medium=medium),
        also=also,
    )


def kept_elsewhere(raw: contract.RawMessage) -> dict[str, str]:
    """Return where Twilio keeps the files of a message: part of Message.attachments -> reference."""
    if raw.envelope.get("path", "message") != "message":
        return {}
    return media_names.references(incoming.form_of(raw.body))


class Texts:
    """One account. clock: Unix seconds."""

    KIND: ClassVar[str]
    MEDIUM: ClassVar[setup.Texting]

    def __init__(
        self,
        account: str,
        options: settings.Options,
        *,
        log: logging.Logger | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account, self._options = account, options
        self._log = log or logging.getLogger(f"channels.{self.KIND}")
        self._door = webhook.Door(account, options, log=self._log, clock=clock)
        self._fetcher = media.Fetcher(options)
        self._api = api = Api(options)
        source = Messages(account, options, kind=self.KIND, medium=self.MEDIUM, api=api)
        sending = getattr(options, "sending", None)
        prefix = send.WHATSAPP if self.MEDIUM == "whatsapp" else ""
        self._sender = send.Sender(account, options, prefix=prefix, sending=sending, api=api, clock=clock)
        self._upkeep = upkeep.Upkeep(
            account, options, medium=self.MEDIUM, source=source, api=api, log=self._log
        )

    def routes(self, gate: contract.Gate) -> list["web.RouteDef"]:
        from aiohttp import web

        return [
            web.post("/message", self._door.opening(functools.partial(self._take, gate))),
            web.post(f"/{status.PATH}", self._door.opening(functools.partial(self._take_status, gate))),
            probe.route(self._door),
        ]

    async def run(self, gate: contract.Gate) -> None:
        """Ask Twilio now and then for what no webhook brought."""
        await self._upkeep.run(gate)

    def troubles(self) -> list[str]:
        return self._upkeep.troubles()

    async def deliver(self, outbound: contract.OutboundMessage) -> contract.Delivered:
        return await self._sender.deliver(outbound)

    async def sent_before(self, outbound: contract.OutboundMessage) -> tuple[str, ...]:
        return await self._sender.sent_before(outbound)

    async def became_of(self, provider_id: str) -> contract.DeliveryReport:
        return await self._sender.became_of(provider_id)

    def wait_s(self, outbound: contract.OutboundMessage) -> float:
        return self._sender.wait_s(outbound)

    async def fetch(self, reference: str) -> contract.Fetched:
        return await self._fetcher.fetch(reference)

    async def close(self) -> None:
        await self._fetcher.close()
        await self._upkeep.close()

    def check(self) -> list[contract.Problem]:
        return self._upkeep.check()

    async def probe(self) -> list[contract.Problem]:
        found = await self._upkeep.probe()
        templates = getattr(self._options, "templates", ()) if self._options.login[1] else ()
        return [*found, *await approvals.problems(self._api, templates)]

    async def _take(self, gate: contract.Gate, verified: webhook.Verified) -> str:
        """Keep an incoming message. Raises: Refused when it is none, Unavailable."""
        form = verified.form
        sid = form.get("MessageSid") or form.get("SmsMessageSid") or form.get("SmsSid") or ""
        word = form.get("SmsStatus") or form.get("MessageStatus") or "received"
        if not sid or word not in ("received", "receiving"):
            raise webhook.misdirected(
                "what was posted to …/message is no incoming message: a status callback belongs to …/status"
            )
        raw = verified.raw(
            self.KIND,
            lane=recovered.lane(form.get("From", "")),
            keys=(recovered.message_key(self._options.account_sid, sid),),
        )
        await gate.submit(raw)
        return webhook.EMPTY

    async def _take_status(self, gate: contract.Gate, verified: webhook.Verified) -> str:
        """Keep what became of a message of ours. Raises: Unavailable."""
        await gate.submit(status.raw(verified, kind=self.KIND))
        return webhook.EMPTY
