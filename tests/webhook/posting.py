"""A webhook account behind the daemon's own HTTP server, and what is posted to it."""

import io
import json
from typing import Any

import aiohttp
from aiohttp import web

from channels import contract, testing
from channels.email import amazon, webhook, webhook_signature
from intake.metrics import Metrics
from intake.web import health, serving
from tests.webhook import amazon_play

SECRET = "correct-horse-battery-staple"
NOW_S = amazon_play.NOW.timestamp()
MAIL = (
    b"From: Ann <ann@example.net>\r\nTo: support@example.com\r\nSubject: Help\r\n"
    b"Message-ID: <1@example.net>\r\nDate: Sat, 21 Nov 2026 09:59:00 +0000\r\n\r\nHello\r\n"
)


class State:
    """What the pages ask of a daemon."""

    def __init__(self) -> None:
        self.metrics = Metrics()

    async def readiness(self) -> health.Readiness:
        return health.Readiness({})


class Desk:
    """One running server with one account, "support"."""

    def __init__(self, channel: Any, gate: contract.Gate, runner: web.AppRunner) -> None:
        self.channel = channel
        self.gate: Any = gate
        self._runner = runner
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self.port: int = port
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))

    async def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, str]:
        content = io.BytesIO(body) if len(body) > 1_000_000 else body
        async with self.session.post(f"{self.url}{path}", data=content, headers=headers or {}) as answer:
            return answer.status, await answer.text()

    async def post_mail(
        self,
        body: bytes = MAIL,
        *,
        secret: str = SECRET,
        at: float = NOW_S,
        headers: dict[str, str] | None = None,
        **envelope: str,
    ) -> tuple[int, str]:
        made = webhook_signature.sign(body, [secret], at=int(at), **envelope)
        return await self.post(
            "/hooks/support/mime", body, {"Content-Type": "message/rfc822"} | made | (headers or {})
        )

    async def post_sns(self, message: dict[str, Any], headers: dict[str, str] | None = None) -> int:
        body = json.dumps(message).encode()
        given = {"Content-Type": "text/plain; charset=UTF-8"} | (headers or {})
        return (await self.post("/hooks/support/sns", body, given))[0]

    async def stop(self) -> None:
        await self.session.close()
        await self._runner.cleanup()
        await self.channel.close()


async def start(
    gate: contract.Gate | None = None,
    *,
    played: amazon_play.Server | None = None,
    now_s: float = NOW_S,
    **options: Any,
) -> Desk:
    """Serve an account of kind email.webhook. played: who answers for Amazon."""
    chosen = webhook.Options(**({"secrets": (SECRET,)} | options))
    known = None
    if played is not None:
        known = amazon.Amazon(
            clock=lambda: now_s, resolver=played.resolver, tls=played.tls(), is_allowed=lambda address: True
        )
    channel = webhook.Channel("support", chosen, clock=lambda: now_s, known_of_amazon=known)
    return await serve(channel, gate or testing.MemoryGate())


async def serve(channel: Any, gate: contract.Gate, **options: Any) -> Desk:
    runner = await serving.serve(State(), "127.0.0.1:0", channels={"support": channel}, gate=gate, **options)
    return Desk(channel, gate, runner)


def received(content: str | None = None, *, encoding: str = "", **receipt: Any) -> dict[str, Any]:
    """A notification of SES about a mail it received, of its own making; content None = none."""
    passed = {"status": "PASS"}
    whole: dict[str, Any] = {
        "notificationType": "Received",
        "mail": {
            "timestamp": "2026-11-21T09:59:57.000Z", "source": "ann@example.net", "messageId": "ses-1",
            "destination": ["support@example.com"], "headersTruncated": False, "headers": [], "commonHeaders": {},
        },
        "receipt": {
            "timestamp": "2026-11-21T09:59:57.000Z", "processingTimeMillis": 40, "recipients": ["support@example.com"],
            "spamVerdict": passed, "virusVerdict": passed, "spfVerdict": passed, "dkimVerdict": passed, "dmarcVerdict": passed,
            "action": {"type": "SNS", "topicArn": amazon_play.TOPIC} | ({"encoding": encoding} if encoding else {}),
        } | receipt,
    }  # fmt: skip
    return whole if content is None else whole | {"content": content}
