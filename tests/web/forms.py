"""A form and a signed source behind the daemon's own HTTP server, and what is posted to them."""

import contextlib
import json
import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any

import aiohttp
import msgspec

from channels import contract, form, testing, webhook
from channels.webhook import signature
from tests.webhook.posting import Desk, serve

SECRET = "correct-horse-battery-staple"
NOW_S = 1_795_000_000
BOUNDARY = "----WebKitFormBoundaryaB3xQ9"
FILLED = {"name": "Ann Ito", "email": "Ann@Example.NET", "subject": "Order", "message": "Where is my order?"}
MAPPING = {
    "id": "/id",
    "from": "/customer/email",
    "name": "{/customer/first} {/customer/last}",
    "subject": "Order {/order/number}: {/title}",
    "text": "/text",
    "headers": {"order": "/order/number"},
}
EVENT = {
    "id": "evt_1",
    "title": "late",
    "text": "Where is my order?",
    "customer": {"email": "ann@example.net", "first": "Ann", "last": "Ito"},
    "order": {"number": 7},
}


def multipart(fields: dict[str, str], *files: tuple[str, str, bytes]) -> bytes:
    """A form as browsers write it. files: name, content type, content."""
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
        for name, value in fields.items()
    ]
    parts += [
        f'Content-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
        + content
        for name, kind, content in files
    ]
    between = f"--{BOUNDARY}\r\n".encode()
    return b"".join(between + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


class Form:
    """One form, "support", being served. origin: of its own pages."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self.gate = desk, desk.gate
        self.origin, self.url = desk.url, f"{desk.url}/form/support"

    async def get(self, query: str = "", **headers: str) -> tuple[int, str, Any]:
        async with self._desk.session.get(self.url + query, headers=headers) as answer:
            return answer.status, await answer.text(), answer.headers

    async def post(
        self, body: bytes, *, content_type: str = f"multipart/form-data; boundary={BOUNDARY}", **headers: Any
    ) -> tuple[int, str, Any]:
        given = {"Content-Type": content_type, "Origin": self.origin} | headers
        sent = {name: value for name, value in given.items() if value is not None}
        async with self._desk.session.post(
            self.url, data=body, headers=sent, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text(), answer.headers

    async def fill(self, *files: tuple[str, str, bytes], **changed: str) -> tuple[int, str, Any]:
        """Send the form as somebody has filled it in."""
        return await self.post(multipart(FILLED | changed, *files))


@contextlib.asynccontextmanager
async def running_form(gate: contract.Gate | None = None, **options: Any) -> AsyncIterator[Form]:
    given = msgspec.convert(options, form.Options)
    desk = await serve(form.Channel("support", given, clock=lambda: NOW_S), gate or testing.MemoryGate())
    try:
        yield Form(desk)
    finally:
        await stop(desk)


@contextlib.asynccontextmanager
async def running_source(gate: contract.Gate | None = None, **options: Any) -> AsyncIterator[Desk]:
    """Serve a signed source, "support"."""
    given = msgspec.convert({"secrets": [SECRET], "mapping": MAPPING} | options, webhook.Options)
    channel = webhook.Channel("support", given, clock=lambda: NOW_S)
    desk = await serve(channel, gate or testing.MemoryGate())
    try:
        yield desk
    finally:
        await stop(desk)


async def stop(desk: Desk) -> None:
    if not hasattr(desk.channel, "close"):
        desk.channel.close = _nothing  # a form holds nothing open
    await desk.stop()


async def _nothing() -> None:
    pass


async def post_event(
    desk: Desk,
    event: Any = EVENT,
    *,
    scheme: signature.Scheme = "intake",
    secret: str = SECRET,
    at: int = NOW_S,
    identifier: str = "msg_1",
    headers: dict[str, str] | None = None,
) -> tuple[int, str]:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    made = signature.sign(scheme, body, secret, at=at, id=identifier)
    return await desk.post(
        "/hooks/support", body, {"Content-Type": "application/json"} | made | (headers or {})
    )


def value_in(html: str, name: str) -> str:
    """The value of an input of a page."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', html)
    assert found is not None, f"the page has no {name}"
    return unescape(found[1])


def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
