"""What strangers name is fetched from the Internet or not at all: 300 ways into our own network, and none of them leads there."""

import asyncio
import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from channels import public_addresses, webhook
from channels.contract import FetchFailed
from channels.outside import Outside
from tests.phone.media_play import Names, _server_side
from tests.web.ssrf_shapes import NAMES, SHAPES
from tests.webhook import amazon_play

FILES = "files.example"
FILES_ADDRESS = "127.8.8.8"  # stands for the Internet: the one loopback address that the tests allow


class Connects:
    """Every address that a socket of this thread was told to connect to, by the interpreter's own account."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.thread = 0

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and self.thread == threading.get_ident():
            where = arguments[1]
            self.made.append(str(where[0] if isinstance(where, tuple) else where))


_CONNECTS = Connects()
sys.addaudithook(_CONNECTS.heard)  # cannot be taken away again: it listens only while a test has its thread


@pytest.fixture
def connects() -> Iterator[list[str]]:
    """What this thread connects to during the test."""
    _CONNECTS.made, _CONNECTS.thread = [], threading.get_ident()
    yield _CONNECTS.made
    _CONNECTS.thread = 0


def is_allowed(address: Any) -> bool:
    return str(address) == FILES_ADDRESS or public_addresses.is_public(address)


def names(**more: list[str]) -> Names:
    return Names({name: list(addresses) for name, addresses in NAMES.items()} | more)


async def _close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@contextlib.asynccontextmanager
async def canary() -> AsyncIterator[int]:
    """A port of every loopback address, of both families, that nobody should connect to."""
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(await asyncio.start_server(_close, "0.0.0.0", 0))
        port: int = server.sockets[0].getsockname()[1]
        with contextlib.suppress(OSError):  # a machine without IPv6
            await stack.enter_async_context(await asyncio.start_server(_close, "::1", port))
        yield port


class Files:
    """A host of files on the Internet, as far as the tests go. leads_to: where /redirect/<status> points."""

    def __init__(self) -> None:
        self.leads_to, self.port = "", 0
        self.asked: list[dict[str, str]] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Files"]:
        key = ec.generate_private_key(ec.SECP256R1())
        made = amazon_play.certificate(FILES, key, before=datetime.now(UTC), is_ca=True)
        self.tls = ssl.create_default_context(cadata=amazon_play.pem(made).decode())
        self.tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        app = web.Application()
        app.router.add_get("/redirect/{status}", self._redirect)
        app.router.add_get("/{path:.*}", self._give)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        context = _server_side(amazon_play.key_pem(key) + amazon_play.pem(made))
        await web.TCPSite(runner, FILES_ADDRESS, 0, ssl_context=context).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _redirect(self, request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["status"]), headers={"Location": self.leads_to})

    async def _give(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.headers))
        body = b"x" * int(request.query.get("size", "3"))
        return web.Response(body=body, headers={"Set-Cookie": "seen=1", "Content-Encoding": "gzip"})


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with Files().running() as running:
        yield running


def guard(files: Files | None = None, **options: Any) -> Outside:
    given: dict[str, Any] = {"resolver": names(**{FILES: [FILES_ADDRESS]}), "is_allowed": is_allowed}
    if files is not None:
        given |= {"port": files.port, "tls": files.tls}
    return Outside(**given | options)


async def refusal(outside: Outside, url: str) -> FetchFailed | None:
    """Ask; why not, None = it was answered."""
    try:
        async with outside.asked(url) as reply:
            await reply.content()
    except FetchFailed as failure:
        return failure
    return None


def test_there_are_at_least_three_hundred_shapes() -> None:
    assert len(SHAPES) >= 300


async def test_no_shape_reaches_our_own_network(connects: list[str]) -> None:
    """The port that others may name is the canary's own: nothing but the guard is in the way."""
    async with canary() as port:
        outside = guard(port=port, total_s=5)
        answered = [shape for shape in SHAPES if await refusal(outside, shape.format(port=port)) is None]
        await outside.close()
    assert (answered, connects) == ([], [])


@pytest.mark.slow
async def test_without_the_guard_most_of_them_do(connects: list[str], only_loopback: list[str]) -> None:
    """The shapes are not harmless by themselves: a client that only asks tries to connect to what they name."""
    timeout, reached = aiohttp.ClientTimeout(total=0.5), 0
    async with canary() as port:
        for shape in SHAPES:
            connector = aiohttp.TCPConnector(resolver=names(), ssl=False)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                with contextlib.suppress(aiohttp.ClientError, OSError, ValueError, TimeoutError):
                    await session.get(shape.format(port=port), allow_redirects=False)
            reached += bool(connects or only_loopback)
            connects.clear()
            only_loopback.clear()  # what the fixture held back would have left the machine
    assert reached >= 100


async def test_a_name_that_leads_elsewhere_the_second_time_is_refused_then(files: Files) -> None:
    """What was checked is connected to; what the name says later is checked anew."""
    turning = names(**{FILES: [FILES_ADDRESS]})
    outside = guard(files, resolver=turning)
    assert await refusal(outside, f"https://{FILES}:{files.port}/") is None
    await outside.close()
    turning.addresses[FILES] = ["127.0.0.1"]
    assert await refusal(outside, f"https://{FILES}:{files.port}/") is not None
    await outside.close()


async def test_an_address_that_slipped_past_the_resolver_gets_no_socket(files: Files) -> None:
    """The socket itself is refused: whoever resolves, the last look is at what would be connected to."""
    outside = guard(files)
    with pytest.raises(public_addresses.NotPublic):
        outside._socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 443)))
    with pytest.raises(public_addresses.NotPublic):
        outside._socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("2130706433", 443)))
    await outside.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(files: Files, status: int) -> None:
    async with canary() as port:
        files.leads_to = f"https://127.0.0.1:{port}/"
        outside = guard(files)
        async with outside.asked(f"https://{FILES}:{files.port}/redirect/{status}") as reply:
            assert reply.status == status
        await outside.close()
    assert files.asked == []


async def test_what_is_larger_than_allowed_is_not_kept(files: Files) -> None:
    outside = guard(files, max_size_bytes=1_000)
    assert await refusal(outside, f"https://{FILES}:{files.port}/?size=1000") is None
    failure = await refusal(outside, f"https://{FILES}:{files.port}/?size=1001")
    assert failure is not None
    assert (failure.reason, failure.retryable) == ("the file is larger than 1,000 bytes", False)
    await outside.close()


async def test_no_cookie_is_kept_and_nothing_is_unpacked(files: Files) -> None:
    outside = guard(files)
    for _ in range(2):
        async with outside.asked(f"https://{FILES}:{files.port}/") as reply:
            assert await reply.content() == b"xxx"
    await outside.close()
    assert all("Cookie" not in headers for headers in files.asked)


async def test_a_name_of_our_own_network_is_not_tried_again(files: Files) -> None:
    """It is refused for ever, as an address is; a name that nobody knows today may be known tomorrow."""
    outside = guard(files)
    for name, is_tried_again in (
        ("loop.example", False),
        ("mapped.example", False),
        ("nobody-knows.example", True),
    ):
        failure = await refusal(outside, f"https://{name}:{files.port}/")
        assert failure is not None
        assert failure.retryable == is_tried_again, name
    await outside.close()


async def test_a_proxy_of_the_environment_is_not_asked(
    files: Files, connects: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would resolve the name by itself, and where it connects to nobody here would have looked at."""
    async with canary() as port:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        outside = guard(files)
        assert await refusal(outside, f"https://{FILES}:{files.port}/") is None
        await outside.close()
    assert set(connects) == {FILES_ADDRESS}


async def test_a_refusal_names_no_address() -> None:
    outside = guard(total_s=5)
    for url in ("https://secret-7f.example/key", "https://10.0.0.1/key"):
        failure = await refusal(outside, url)
        assert failure is not None
        assert not any(part in failure.reason for part in ("secret-7f", "10.0.0.1", "key"))
    await outside.close()


async def test_what_the_operator_has_named_may_be_anywhere_and_only_that(files: Files) -> None:
    async with canary() as port:
        outside = guard(trusted=f"http://127.0.0.1:{port}", total_s=5)
        assert outside.checked(f"http://127.0.0.1:{port}/x").port == port
        for url in (
            f"http://127.0.0.1:{port + 1}/",
            f"http://x@127.0.0.1:{port}/",
            f"https://127.0.0.1:{port}/",
        ):
            with pytest.raises(FetchFailed):
                outside.checked(url)
        await outside.close()


def source(**guard: Any) -> webhook.Channel:
    options = msgspec.convert(
        {"secrets": ["x" * 16], "mapping": {"text": "/text"}, "files": {"at": "/files"}}, webhook.Options
    )
    return webhook.Channel("shop", options, **guard)


async def test_a_file_that_a_source_names_is_fetched_as_bytes(files: Files) -> None:
    names_of = names(**{FILES: [FILES_ADDRESS]})
    channel = source(resolver=names_of, is_allowed=is_allowed, port=files.port, tls=files.tls)
    fetched = await channel.fetch(f"https://{FILES}:{files.port}/a.pdf?size=10")
    await channel.close()
    assert (fetched.content, fetched.content_type) == (b"x" * 10, "application/octet-stream")


async def test_a_source_leads_no_fetch_of_a_file_into_our_own_network(connects: list[str]) -> None:
    async with canary() as port:
        channel = source(resolver=names(), is_allowed=is_allowed, port=port)
        for shape in SHAPES:
            with pytest.raises(FetchFailed):
                await channel.fetch(shape.format(port=port))
        await channel.close()
    assert connects == []


async def test_a_redirect_of_a_sources_file_is_not_followed(files: Files, connects: list[str]) -> None:
    async with canary() as port:
        files.leads_to = f"https://127.0.0.1:{port}/"
        channel = source(
            resolver=names(**{FILES: [FILES_ADDRESS]}), is_allowed=is_allowed, port=files.port, tls=files.tls
        )
        with pytest.raises(FetchFailed, match="answered 302"):
            await channel.fetch(f"https://{FILES}:{files.port}/redirect/302")
        await channel.close()
    assert set(connects) == {FILES_ADDRESS}
