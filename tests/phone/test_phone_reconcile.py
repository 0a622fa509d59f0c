"""What no webhook brought is brought by the reconciler: each message once, whatever fails in between."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import msgspec
import pytest

from channels import contract, testing
from channels.twilio import position, reconcile, settings
from channels.twilio.api import Api
from channels.twilio.reconcile import Reconciler
from channels.twilio.reconcile_messages import Messages
from channels.twilio.simulator.provider import Provider

OWN = "+48221234567"
OTHER = "+48221234599"
JAN = "+48600100200"
MARIA = "+48600100201"


class Desk:
    """One account of intake.yaml, its gate, and Twilio. `went_down` is nobody's webhook."""

    def __init__(self, provider: Provider, url: str, **more: object) -> None:
        given = {"numbers": (OWN,), "auth_token": provider.token, **more}
        self.provider = provider
        self.options = settings.Options(account_sid=provider.account, api_url=url, **given)  # type: ignore[arg-type]
        self.api = Api(self.options)
        self.gate = testing.MemoryGate()
        self.waits: list[float] = []

    def reconciler(self, account: str = "texts") -> Reconciler:
        source = Messages(account, self.options, kind="twilio.sms", medium="sms", api=self.api)
        return Reconciler(account, self.options, source, clock=lambda: self.provider.at)

    async def round(self, gate: contract.Gate | None = None) -> None:
        await self.reconciler().round(gate or self.gate)

    def webhook(self, sid: str) -> contract.RawMessage:
        """What the webhook of a text brings, late or not."""
        text = self.provider.texts[sid]
        return contract.RawMessage(
            kind="twilio.sms",
            account="texts",
            lane=f"phone:{text.from_}",
            body=b"MessageSid=" + sid.encode(),
            received_at=self.provider.at,
            keys=(f"twilio:{self.provider.account}:{sid}",),
            envelope={"path": "message"},
        )

    @property
    def bodies(self) -> list[str]:
        return [form(raw).get("Body", "") for raw in self.gate.stored]


def form(raw: contract.RawMessage) -> dict[str, str]:
    return dict(parse_qsl(raw.body.decode(), keep_blank_values=True))


@pytest.fixture
async def desk(provider: Provider, api_url: str) -> AsyncIterator[Desk]:
    """A desk that has been up for a while: the first start is behind it."""
    desk = Desk(provider, api_url)
    await desk.round()
    provider.advance(60)
    yield desk
    await desk.api.close()


async def test_a_text_that_no_webhook_brought_is_taken_with_the_webhooks_key(desk: Desk) -> None:
    sent = desk.provider.receive(JAN, OWN, "Zażółć gęślą, is anybody there?")
    desk.provider.advance(60)
    await desk.round()
    [raw] = desk.gate.stored
    assert raw.keys == desk.webhook(sent.sid).keys
    assert (raw.lane, raw.kind, raw.account) == (f"phone:{JAN}", "twilio.sms", "texts")
    assert raw.envelope == {"path": "message", "by": "reconciler", "sent_at": sent.created_at.isoformat()}
    said = form(raw)
    assert said["Body"] == sent.body
    assert (said["From"], said["To"], said["NumMedia"], said["MessageSid"]) == (JAN, OWN, "0", sent.sid)
    late = await desk.gate.submit(desk.webhook(sent.sid))
    assert late.duplicate


async def test_what_a_webhook_brought_is_not_taken_again(desk: Desk) -> None:
    sent = desk.provider.receive(JAN, OWN, "Hello")
    await desk.gate.submit(desk.webhook(sent.sid))
    desk.provider.advance(60)
    await desk.round()
    assert desk.gate.submitted == 1
