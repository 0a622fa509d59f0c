"""Sends texts and WhatsApp messages by Twilio's REST API.

Source: twilio.com/docs/messaging/api/message-resource, /docs/whatsapp/key-concepts (checked 2026-11). Guarantee: at least
once on the wire, and never twice blindly. Twilio knows no idempotency key for a message: when the outcome of a request
is not known, `sent_before` looks for it among the messages to that number, and intake sends it again only when none of
them is it. What cannot arrive is refused here, before anything is asked of Twilio: what is no number, a text beyond
Twilio's limit, free text on WhatsApp when the customer's 24 hours are over.
OutboundMessage.extra: `window_ends_at` (RFC 3339, WhatsApp's 24 hours), `template` {"sid", "variables"}, `media` (URLs).
"""

import re
import time
import urllib.parse
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from channels import contract, phone_numbers
from channels.twilio import codes, earlier, pacing, segments, settings, status, templates
from channels.twilio.api import Api, ApiError

WHATSAPP = "whatsapp:"
LOOKED_AT = 400  # messages to one number, the newest first, among which one may be found again
FILES_MAX = 10
_PRICE = re.compile(r"[0-9]+(\.[0-9]+)? [A-Z]{3}")
_USER = re.compile(r"[A-Za-z0-9._+-]{3,128}")


class Sending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """messages_per_second: segments that each number may send, None = what Twilio gives a number of its kind.

    price: of one segment, for agents who write ("0.0079 USD"), "" = it is not shown.
    """

    messages_per_second: Annotated[float, Meta(gt=0, le=1_000)] | None = None
    price: str = ""

    def __post_init__(self) -> None:
        if self.price and not _PRICE.fullmatch(self.price):
            raise ValueError(f"price is written like 0.0079 USD, not '{self.price}'")


class Sender:
    """The way out of one account. prefix: of Twilio's addresses, "" for SMS, WHATSAPP. clock: Unix seconds."""

    def __init__(
        self,
        account: str,
        options: settings.Options,
        *,
        prefix: str = "",
        sending: Sending | None = None,
        api: Api | None = None,
        clock: Callable[[], float] = time.time,
        pace: pacing.Pacing | None = None,
    ) -> None:
        self._account, self._options, self._prefix, self._clock = account, options, prefix, clock
        self._api = api or Api(options)
        rate = sending.messages_per_second if sending is not None else None
        self._pace = pace or pacing.Pacing(
            rate=rate or (pacing.WHATSAPP_PER_SECOND if prefix == WHATSAPP else None)
        )

    def wait_s(self, outbound: contract.OutboundMessage) -> float:
        """Return how long a message has to wait for its turn; 0 = it may go."""
        own = outbound.from_.address
        weight = 1 if self._prefix else segments.figures(outbound.text, own=own).segments
        return self._pace.wait_s(outbound.id, number=own, weight=weight)

    async def deliver(self, outbound: contract.OutboundMessage) -> contract.Delivered:
        """Hand over one message; the provider's id is its MessageSid.

        Raises: DeliveryFailed; see the module docstring.
        """
        parameters = self._parameters(outbound)
        self._check_window(outbound)
        try:
            taken = await self._api.call(lambda twilio: twilio.messages.create_async(**parameters))
        except ApiError as error:
            raise failure(error) from error
        return contract.Delivered(str(taken.sid))

    async def sent_before(self, outbound: contract.OutboundMessage) -> tuple[str, ...]:
        """Return the ids of messages that may be this one, the oldest first. Raises: DeliveryFailed."""
        asked = self._parameters(outbound)
        found = await earlier.look(self._api, "messages", asked, since=outbound.created_at, most=LOOKED_AT)
        return tuple(str(each.sid) for each in found if _is_it(each, asked))

    async def became_of(self, provider_id: str) -> contract.DeliveryReport:
        """Return what Twilio says now of a message of ours. Raises: DeliveryFailed when it cannot be asked."""
        try:
            found = await self._api.call(lambda twilio: twilio.messages(provider_id).fetch_async())
        except ApiError as error:
            raise failure(error) from error
        code = int(found.error_code or 0)
        return status.report(provider_id, str(found.status), code=code, said=str(found.error_message or ""))

    async def close(self) -> None:
        await self._api.close()

    def _parameters(self, outbound: contract.OutboundMessage) -> dict[str, Any]:
        """Return what Twilio is asked for. Raises: DeliveryFailed when that cannot be sent to anybody."""
        template = outbound.extra.get("template")
        asked: dict[str, Any] = {
            "to": self._prefix + self._address(outbound),
            "from_": self._prefix + outbound.from_.address,
        }
        if self._options.public_url:
            asked["status_callback"] = self._callback(outbound)
        if template is not None:
            variables = templates.variables_json(template)
            return asked | {"content_sid": template["sid"], "content_variables": variables}
        media = list(outbound.extra.get("media", ()))
        _check_content(outbound, media)
        asked |= {"body": outbound.text} if outbound.text.strip() else {}
        return asked | ({"media_url": media} if media else {})

    def _address(self, outbound: contract.OutboundMessage) -> str:
        address = outbound.to[0].address
        is_one = phone_numbers.e164(address) == address
        if not is_one and not (self._prefix and _USER.fullmatch(address)):
            raise contract.DeliveryFailed(f"'{address}' is not a number that can be texted", retryable=False)
        return address

    def _callback(self, outbound: contract.OutboundMessage) -> str:
        """Return where Twilio tells what became of it; `o` says which message of ours it was, whoever tells first."""
        url = f"{self._options.public_url}/hooks/{self._account}/status"
        return f"{url}?{urllib.parse.urlencode({'o': outbound.reference})}" if outbound.reference else url

    def _check_window(self, outbound: contract.OutboundMessage) -> None:
        """Raises: DeliveryFailed for free text on WhatsApp when the 24 hours are over."""
        if self._prefix != WHATSAPP or "template" in outbound.extra:
            return
        ends_at = outbound.extra.get("window_ends_at")
        if ends_at is None or self._clock() >= datetime.fromisoformat(ends_at).timestamp():
            raise contract.DeliveryFailed(codes.sentence(63016), retryable=False)


def _check_content(outbound: contract.OutboundMessage, media: list[str]) -> None:
    if segments.figures(outbound.text).is_too_long:
        most = segments.MAX_CHARACTERS
        raise contract.DeliveryFailed(f"the text is longer than {most} characters", retryable=False)
    if len(media) > FILES_MAX:
        raise contract.DeliveryFailed(f"it has more than {FILES_MAX} files", retryable=False)
    if not outbound.text.strip() and not media:
        raise contract.DeliveryFailed("there is nothing in it", retryable=False)


def failure(error: ApiError) -> contract.DeliveryFailed:
    """Return what Twilio's refusal means for the outbox. Credentials can be put right, so what waits for them is kept."""
    known = codes.of(error.code)
    if error.is_unknown:
        return contract.DeliveryFailed(str(error), retryable=True, unknown=True)
    is_transient = error.is_transient or error.status in (401, 403) or known.kind == "transient"
    reason = codes.sentence(error.code, said=error.message) if error.code else str(error)
    return contract.DeliveryFailed(reason, retryable=is_transient, address_problem=known.address)


def _is_it(message: Any, parameters: dict[str, Any]) -> bool:
    """Whether a message at Twilio may be what we asked for. A template's words are Twilio's: any message may be it."""
    if not str(message.direction or "").startswith("outbound"):
        return False
    if "content_sid" in parameters:
        return True
    said, ours = _words(message.body or ""), _words(parameters.get("body", ""))
    # A trial account's texts begin with a line of Twilio's.
    return said.endswith(ours) if ours else int(message.num_media or 0) == len(parameters["media_url"])


def _words(text: str) -> str:
    return " ".join(text.split())
