"""Twilio as it texts us: forms like its own, signed by its own package, posted to real routes."""

import itertools
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from channels import contract, hooks, testing
from channels.twilio import recovered, sms, texting

SID = "AC" + "0123456789abcdef" * 2
TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e77"
PUBLIC_URL = "https://help.example.com/intake"
OWN = "+48221234567"
JAN = "+48600100200"
_numbers = itertools.count(1)

Form = dict[str, str]


def form(body: str = "My printer is on fire", **more: str) -> Form:
    """The form of an incoming text, with a MessageSid of its own."""
    sid = f"SM{next(_numbers):032x}"
    return {
        "ToCountry": "PL", "ToState": "", "SmsMessageSid": sid, "NumMedia": "0", "ToCity": "", "FromZip": "",
        "SmsSid": sid, "FromState": "", "SmsStatus": "received", "FromCity": "", "Body": body, "FromCountry": "PL",
        "To": OWN, "ToZip": "", "NumSegments": "1", "MessageSid": sid, "AccountSid": SID, "From": JAN,
        "ApiVersion": "2010-04-01",
    } | more  # fmt: skip


def whatsapp_form(body: str = "My printer is on fire", **more: str) -> Form:
    """The form of an incoming WhatsApp message, from a user whose number is told."""
    sid = f"SM{next(_numbers):032x}"
    return {
        "SmsMessageSid": sid, "NumMedia": "0", "ProfileName": "Jan Kowalski", "MessageType": "text", "SmsSid": sid,
        "WaId": JAN[1:], "SmsStatus": "received", "Body": body, "To": f"whatsapp:{OWN}", "NumSegments": "1",
        "ReferralNumMedia": "0", "MessageSid": sid, "AccountSid": SID, "From": f"whatsapp:{JAN}",
        "ExternalUserId": "whatsapp:PL.4566546130240823", "ApiVersion": "2010-04-01",
    } | more  # fmt: skip


def raw(
    posted: Form, *, kind: str = "twilio.sms", account: str = "texts", at: Any = None, **envelope: Any
) -> contract.RawMessage:
    """The raw message that the account's webhook makes of a form."""
    return contract.RawMessage(
        kind=kind,
        account=account,
        lane=recovered.lane(posted.get("From", "")),
        keys=(recovered.message_key(SID, posted.get("MessageSid", "")),),
        body=urlencode(posted).encode(),
        received_at=at,
        envelope={"path": "message"} | envelope,
    )


class Served:
    """One account behind real routes, on a port of its own."""

    def __init__(self, gate: Any, channel: texting.Texts, runner: web.AppRunner) -> None:
        self.gate, self.channel, self._runner = gate, channel, runner
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))

    async def post(
        self,
        posted: Form | bytes,
        *,
        path: str = "message",
        signed: str | None = None,
        signature: str | None = None,
        token: str = TOKEN,
        **headers: str,
    ) -> tuple[int, str]:
        """Post a form. signed: the URL that Twilio thinks it posts to, None = the right one."""
        url = signed or f"{PUBLIC_URL}/hooks/texts/{path}"
        if signature is None:
            signature = RequestValidator(token).compute_signature(url, posted)
        sent = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = posted if isinstance(posted, bytes) else urlencode(posted).encode()
        sent = {name: value for name, value in sent.items() if value}
        async with self.session.post(f"{self.url}/hooks/texts/{path}", data=body, headers=sent) as answer:
            return answer.status, await answer.text()

    async def stop(self) -> None:
        await self.session.close()
        await self._runner.cleanup()
        await self.channel.close()


async def serve(gate: Any = None, *, kind: Any = sms, **options: Any) -> Served:
    """Serve an account called texts."""
    chosen = {"account_sid": SID, "auth_token": TOKEN, "numbers": (OWN,), "public_url": PUBLIC_URL} | options
    channel = kind.Channel("texts", kind.Options(**chosen))
    gate = testing.MemoryGate() if gate is None else gate
    app = web.Application()
    hooks.mount(app, {"texts": channel}, gate)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return Served(gate, channel, runner)
