"""Twilio's files, played: an API host that wants Basic auth and redirects, a host of files behind TLS, and a canary.

Nothing of it is kind: what a reader should not have asked for is counted.
"""

import asyncio
import base64
import contextlib
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import abc, web
from cryptography.hazmat.primitives.asymmetric import ec

from tests.phone.texting import SID, TOKEN
from tests.webhook import amazon_play

CDN = "media.example"
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
FOLDER = f"/2010-04-01/Accounts/{SID}/Messages/MM{'1' * 32}/Media"
_AUTHORIZATION = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()


class Names(abc.AbstractResolver):
    """A name server of these names only. asked: in order."""

    def __init__(self, addresses: dict[str, list[str]]) -> None:
        self.addresses, self.asked = addresses, list[str]()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[abc.ResolveResult]:
        self.asked.append(host)
        if host not in self.addresses:
            raise OSError(f"no {host}")
        return [
            abc.ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=_family(each),
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for each in self.addresses[host]
        ]

    async def close(self) -> None:
        """Nothing is open."""


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Twilio:
    """The two hosts. leads_to: where the file "elsewhere" redirects to. asked: paths of the API; handed_out: of the files.

    never: set when the slow file may end.
    """

    def __init__(self) -> None:
        self.leads_to = ""
        self.asked: list[str] = []
        self.handed_out: list[dict[str, str]] = []
        self.failures = 0
        self.never = asyncio.Event()

    def file(self, name: str) -> str:
        """The URL of a file."""
        return f"{self.url}{FOLDER}/{name}"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Twilio"]:
        key = ec.generate_private_key(ec.SECP256R1())
        made = amazon_play.certificate(CDN, key, before=datetime.now(UTC), is_ca=True)
        self.tls = ssl.create_default_context(cadata=amazon_play.pem(made).decode())
        self.tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        server_side = _server_side(amazon_play.key_pem(key) + amazon_play.pem(made))
        api, files = web.Application(), web.Application()
        api.router.add_get("/{path:.*}", self._answer)
        files.router.add_get("/{path:.*}", self._hand_out)
        runners = [web.AppRunner(app, shutdown_timeout=0.1) for app in (api, files)]
        for runner, context in zip(runners, (None, server_side), strict=True):
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        self.url = f"http://127.0.0.1:{runners[0].addresses[0][1]}"
        self.port: int = runners[1].addresses[0][1]
        try:
            yield self
        finally:
            self.never.set()
            for runner in runners:
                await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.raw_path)
        if request.headers.get("Authorization") != _AUTHORIZATION:
            return web.Response(status=401, text="<TwilioResponse/>", content_type="application/xml")
        name = request.path.rpartition("/")[2]
        if self.failures:
            self.failures -= 1
            return web.Response(status=503)
        if name == "endless":
            return await self._endless(request)
        if name == "slow":
            await self.never.wait()
        return _ANSWERS[name](self) if name in _ANSWERS else web.Response(status=404)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            while not self.never.is_set():
                await answer.write(b"x" * 65_536)
        return answer

    async def _hand_out(self, request: web.Request) -> web.Response:
        self.handed_out.append(dict(request.headers))
        return web.Response(body=PICTURE, content_type="image/jpeg")


def _server_side(pem: bytes) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(pem)
        tls.load_cert_chain(file.name)
    return tls


def _kind(content_type: str, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda twilio: web.Response(body=PICTURE, headers={"Content-Type": content_type} | sent)


def _redirect(location: str) -> Any:
    return lambda twilio: web.Response(status=307, headers={"Location": location or twilio.leads_to})


_ANSWERS: dict[str, Any] = {
    "ME1": _kind("image/jpeg"),
    "named": _kind("application/pdf", Content_Disposition='attachment; filename="../../Rechnung März.pdf"'),
    "html": _kind("text/html; charset=utf-8"),
    "svg": _kind("image/svg+xml"),
    "error": _kind("application/xml"),
    "untyped": _kind("nonsense"),
    "elsewhere": _redirect(""),
    "round": _redirect("round"),
    "next": _redirect("ME1"),
    "gone": lambda twilio: web.Response(status=410),
    "large": lambda twilio: web.Response(body=b"x" * 100_001, content_type="image/jpeg"),
}


@contextlib.asynccontextmanager
async def canary() -> AsyncIterator[tuple[int, list[str]]]:
    """A port of this machine that nobody should connect to, and who did."""
    visitors: list[str] = []

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitors.append(str(writer.get_extra_info("peername")))
        writer.close()

    server = await asyncio.start_server(visited, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], visitors
