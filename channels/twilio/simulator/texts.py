"""Texts and WhatsApp messages: what customers write, as webhooks; what became of ours, as status callbacks.

Source: twilio.com/docs/messaging/guides/webhook-request, /docs/whatsapp/api, "Inbound", and /docs/messaging/guides/outbound-
message-status-in-status-callbacks (2026-11): a webhook is tried once, then the fallback URL; nothing is sent for the first
state; reports may come in any order.
"""

from channels.twilio.simulator import resources
from channels.twilio.simulator.provider import Text
from channels.twilio.simulator.studio import Studio, country
from channels.twilio.simulator.webhooks import Exchange

WHATSAPP = "whatsapp:"


class Mailman:
    """Carries texts of one studio. urls: of our numbers and WhatsApp senders, when the REST API does not know them."""

    def __init__(self, studio: Studio, *, whatsapp_url: str = "") -> None:
        self.studio = studio
        self.whatsapp_url = whatsapp_url
        self.reports_at_once = False
        studio.provider.on_text.append(self._sent)

    async def bring(self, text: Text, *, times: int = 1) -> list[Exchange]:
        """Bring an incoming text by webhook, so many times."""
        url, fallback_url = self._urls(text)
        fields = self.fields(text)
        self.studio.say(self.studio.name(text.from_.removeprefix(WHATSAPP)), "writes", text.body)
        found = []
        for _ in range(times):
            found.append(await self.studio.webhooks.tell(url, fields, place="messaging"))
            if found[-1].status >= 500 or found[-1].status == 0:
                found += [await self.studio.webhooks.tell(fallback_url, fields)] if fallback_url else []
        return found

    def _urls(self, text: Text) -> tuple[str, str]:
        own = text.to.removeprefix(WHATSAPP)
        if text.to.startswith(WHATSAPP):
            return self.whatsapp_url, ""
        settings = self.studio.provider.numbers[own].settings
        return settings.get("sms_url", ""), settings.get("sms_fallback_url", "")

    def fields(self, text: Text) -> dict[str, str]:
        """Make the form of an incoming text's webhook."""
        provider = self.studio.provider
        fields = {
            "AccountSid": provider.account,
            "ApiVersion": "2010-04-01",
            "Body": text.body,
            "From": text.from_,
            "FromCountry": country(text.from_),
            "MessageSid": text.sid,
            "NumMedia": str(len(text.media)),
            "NumSegments": str(resources.segments(text.body)),
            "SmsMessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsStatus": "received",
            "To": text.to,
            "ToCountry": country(text.to),
        }
        if text.from_.startswith(WHATSAPP):
            fields = {
                **_without(fields, "FromCountry", "ToCountry"),
                "WaId": text.from_.removeprefix(WHATSAPP).removeprefix("+"),
            }
        root = f"https://api.twilio.com{resources.root(provider)}/Messages/{text.sid}/Media"
        for number, file in enumerate(text.media):
            fields[f"MediaUrl{number}"] = f"{root}/{file.sid}"
            fields[f"MediaContentType{number}"] = file.content_type
        return fields | text.extra

    # -- what became of ours ------------------------------------------------------------------------------------------

    def _sent(self, text: Text) -> None:
        who = self.studio.name(text.to.removeprefix(WHATSAPP))
        self.studio.say(who, "is written", text.body or f"(template {text.content_sid})")
        if self.reports_at_once:
            self.studio.time.start(self._report_all(text), after_s=1)

    async def _report_all(self, text: Text) -> None:
        for status in ("sent", text.final):
            await self.report(text, status, text.final_code if status == text.final else None)

    async def report(self, text: Text, status: str, code: int | None = None) -> Exchange | None:
        """Tell what became of a text of ours; None when nobody wants to know."""
        text.status, text.code = status, code
        if status in ("sent", "delivered", "undelivered"):
            text.sent_at = text.sent_at or self.studio.provider.at
        if not text.status_callback:
            return None
        return await self.studio.webhooks.tell(text.status_callback, self.report_fields(text, status, code))

    def report_fields(self, text: Text, status: str, code: int | None) -> dict[str, str]:
        fields = {
            "AccountSid": self.studio.provider.account,
            "ApiVersion": "2010-04-01",
            "From": text.from_,
            "MessageSid": text.sid,
            "MessageStatus": status,
            "SmsSid": text.sid,
            "SmsStatus": status,
            "To": text.to,
        }
        failed = {"ErrorCode": str(code)} if code is not None else {}
        channel = (
            {"ChannelPrefix": "whatsapp", "EventType": status.upper()} if text.to.startswith(WHATSAPP) else {}
        )
        return fields | failed | channel


def _without(fields: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in names}
