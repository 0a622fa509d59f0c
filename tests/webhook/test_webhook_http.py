"""The hooks' HTTP: bounds, faults of ours and of the sender, slow and silent clients, and bytes that are no HTTP."""

import asyncio
import contextlib
import gzip
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from channels import contract, hooks, testing
from channels.email import webhook, webhook_signature
from intake import logs
from tests.smtp.receiving import until
from tests.webhook import posting
from tests.webhook.conftest import Start

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Played:
    """A channel with one route whose answer a test chooses."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def routes(self, gate: contract.Gate) -> list[web.RouteDef]:
        return [web.post("", self._handler), web.get("/again", self._handler)]

    async def close(self) -> None:
        pass


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[posting.Desk]]]:
    running: list[posting.Desk] = []

    async def begin(handler: Handler, **options: Any) -> posting.Desk:
        desk = await posting.serve(Played(handler), testing.MemoryGate(), **options)
        running.append(desk)
        return desk

    yield begin
    for desk in running:
        await desk.stop()


def raising(error: Exception) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise error

    return handler


Serve = Callable[..., Awaitable[posting.Desk]]


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (contract.Unavailable("the disk of server db7 is full", retry_after_s=30, full=True), 503, "please try again later"),
        (contract.Rejected("not\r\nwanted"), 403, "not wanted"),
        (hooks.Refused(415, "send a mail", reason="secret reason"), 415, "send a mail"),
        (RuntimeError("a password in a trace"), 503, "please try again later"),
        (KeyError("x"), 503, "please try again later"),
        (TimeoutError(), 503, "please try again later"),
    ],
)  # fmt: skip
async def test_what_a_route_raises_becomes_one_short_answer(
    serve: Serve, error: Exception, status: int, said: str
) -> None:
    desk = await serve(raising(error))
    found, text = await desk.post("/hooks/support", b"x")
    assert found == status
    assert said in text
    assert "Traceback" not in text
    assert not {"password", "secret", "db7"} & set(text.split())


async def test_a_timeout_of_ours_is_no_fault_of_a_sender_who_sent_it_all(serve: Serve) -> None:
    bodies = hooks.Bodies(max_size_bytes=100, max_in_flight_bytes=100, timeout_s=5)

    async def handler(request: web.Request) -> web.StreamResponse:
        async with bodies.read(request):
            raise TimeoutError

    desk = await serve(handler)
    assert (await desk.post("/hooks/support", b"x"))[0] == 503


async def test_try_later_says_when(serve: Serve) -> None:
    desk = await serve(raising(contract.Unavailable("x", retry_after_s=30)))
    async with desk.session.post(f"{desk.url}/hooks/support") as answer:
        assert answer.headers["Retry-After"] == "30"
        assert answer.headers["Server"] == "intake"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_crash_is_logged_once_with_its_trace(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    desk = await serve(raising(RuntimeError("it broke")))
    await desk.post("/hooks/support", b"x")
    [record] = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert "request_not_taken" in logs.JsonFormatter().format(record)
    assert "it broke" in logs.JsonFormatter().format(record)


@pytest.mark.parametrize(
    "path",
    ["/hooks/other", "/hooks/other/mime", "/hooks/support/none", "/hooks", "/hooks/", "/hooks/../healthz"],
)
async def test_what_is_not_set_up_is_404(serve: Serve, path: str) -> None:
    desk = await serve(raising(RuntimeError()))
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )
    assert (await reader.read()).split()[1] == b"404"
    writer.close()


async def test_another_method_is_405(start: Start) -> None:
    desk = await start()
    async with desk.session.get(f"{desk.url}/hooks/support/mime") as answer:
        assert answer.status == 405


async def test_too_many_requests_at_once_are_put_off() -> None:
    """With one request under way at most, the second hears 503 and the third, after the first, is taken."""
    gate = testing.MemoryGate()
    gate.hold()
    app = web.Application()
    channel = webhook.Channel(
        "support", webhook.Options(secrets=(posting.SECRET,)), clock=lambda: posting.NOW_S
    )
    hooks.mount(app, {"support": channel}, gate, max_requests=1)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    desk = posting.Desk(channel, gate, runner)
    first = asyncio.create_task(desk.post_mail())
    await gate.arrived()
    assert (await desk.post_mail())[0] == 503
    gate.let_go()
    assert (await first)[0] == 200
    assert (await desk.post_mail())[0] == 200
    await desk.stop()


async def test_a_socket_that_stays_open_does_not_count_as_a_request() -> None:
    """With one request at most, two WebSockets talk and a request is answered."""

    async def talk(request: web.Request) -> web.StreamResponse:
        socket_ = web.WebSocketResponse()
        await socket_.prepare(request)
        async for message in socket_:
            await socket_.send_str(f"{message.data}!")
        return socket_

    async def fine(request: web.Request) -> web.StreamResponse:
        return web.Response(text="fine")

    class Chat(Played):
        def routes(self, gate: contract.Gate) -> list[web.RouteDef]:
            return [web.get("/talk", hooks.long_lived(talk)), web.post("", fine)]

    app = web.Application()
    hooks.mount(app, {"support": Chat(fine)}, testing.MemoryGate(), max_requests=1)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    desk = posting.Desk(Chat(fine), testing.MemoryGate(), runner)
    sockets = [await desk.session.ws_connect(f"{desk.url}/hooks/support/talk") for _ in range(2)]
    for each in sockets:
        await each.send_str("hello")
        assert await each.receive_str() == "hello!"
    assert (await desk.post("/hooks/support", b""))[0] == 200
    for each in sockets:
        await each.close()
    await desk.stop()


async def test_bytes_under_way_are_bounded_together(start: Start) -> None:
    """Two bodies of 60 % of the room: the second is put off, and room is given back."""
    gate = testing.MemoryGate()
    gate.hold()
    desk = await start(gate, max_size_bytes=10_000, max_bytes_in_flight=10_000)
    body = posting.MAIL + b"x" * 6_000
    first = asyncio.create_task(desk.post_mail(body))
    await gate.arrived()
    assert (await desk.post_mail(body))[0] == 503
    gate.let_go()
    assert (await first)[0] == 200
    assert (await desk.post_mail(body))[0] == 200


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_too_large_is_413_however_it_is_sent(start: Start, *, is_chunked: bool) -> None:
    desk = await start(max_size_bytes=1_000)
    body = posting.MAIL + b"x" * 200_000

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 10_000):
            yield body[at : at + 10_000]

    signed = webhook_signature.sign(body, [posting.SECRET], at=int(posting.NOW_S))
    headers = {"Content-Type": "message/rfc822"} | signed
    sent: Any = pieces() if is_chunked else body
    async with desk.session.post(f"{desk.url}/hooks/support/mime", data=sent, headers=headers) as answer:
        assert answer.status == 413
    assert desk.gate.submitted == 0


async def test_what_is_announced_as_too_large_is_not_waited_for(start: Start) -> None:
    desk = await start()
    headers = webhook_signature.sign(posting.MAIL, [posting.SECRET], at=int(posting.NOW_S))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(
        f"POST /hooks/support/mime HTTP/1.1\r\nHost: x\r\nContent-Type: message/rfc822\r\n{head}Content-Length: 99999999999\r\n\r\n".encode()
    )
    async with asyncio.timeout(5):
        assert (await reader.readline()).split()[1] == b"413"
    writer.close()


async def test_no_body_is_unpacked_before_a_route_sees_it(serve: Serve) -> None:
    """A signature is over what was sent, and a bomb is never more than its bytes."""
    packed = gzip.compress(b"x" * 1_000_000)

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text=str(await request.content.read() == packed))

    desk = await serve(handler)
    assert (await desk.post("/hooks/support", packed, {"Content-Encoding": "gzip"}))[1] == "True"


async def test_a_compressed_body_is_refused_and_not_unpacked(start: Start) -> None:
    desk = await start()
    assert (await desk.post_mail(headers={"Content-Encoding": "gzip"}))[0] == 415


async def test_a_slow_body_is_given_up(start: Start) -> None:
    """After the time for a body the sender hears 408, and no room is kept for it."""
    desk = await start(body_timeout_s=0.05)
    headers = webhook_signature.sign(posting.MAIL, [posting.SECRET], at=int(posting.NOW_S))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(
        f"POST /hooks/support/mime HTTP/1.1\r\nHost: x\r\nContent-Type: message/rfc822\r\n{head}Content-Length: 99\r\n\r\nab".encode()
    )
    async with asyncio.timeout(5):
        assert (await reader.readline()).split()[1] == b"408"
    writer.close()
    assert desk.gate.submitted == 0


async def test_a_client_that_hangs_up_leaves_nothing_behind(start: Start) -> None:
    desk = await start()
    before = len(asyncio.all_tasks())
    headers = webhook_signature.sign(posting.MAIL, [posting.SECRET], at=int(posting.NOW_S))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", desk.port)
        writer.write(
            f"POST /hooks/support/mime HTTP/1.1\r\nHost: x\r\nContent-Type: message/rfc822\r\n{head}Content-Length: 99\r\n\r\nab".encode()
        )
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()
    await until(lambda: len(asyncio.all_tasks()) <= before)
    assert desk.gate.submitted == 0
    assert (await desk.post_mail())[0] == 200


async def test_a_client_that_hangs_up_after_its_mail_does_not_undo_the_commit(start: Start) -> None:
    gate = testing.MemoryGate()
    gate.hold()
    desk = await start(gate)
    request = asyncio.create_task(desk.post_mail())
    await gate.arrived()
    request.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await request
    gate.let_go()
    await until(lambda: len(gate.stored) == 1)


async def test_headers_that_do_not_come_close_the_connection(serve: Serve) -> None:
    desk = await serve(raising(RuntimeError()), keepalive_s=0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(b"POST /hooks/support HTTP/1.1\r\nHost: ")
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_connections_beyond_the_bound_are_closed_and_then_taken_again(serve: Serve) -> None:
    async def fine(request: web.Request) -> web.StreamResponse:
        return web.Response(text="fine")

    desk = await serve(fine, max_connections=2)
    idle = [await asyncio.open_connection("127.0.0.1", desk.port) for _ in range(2)]
    with pytest.raises(aiohttp.ClientError):
        await desk.post("/hooks/support", b"")
    for _, writer in idle:
        writer.close()
        await writer.wait_closed()
    for _ in range(200):
        with contextlib.suppress(aiohttp.ClientError):
            assert (await desk.post("/hooks/support", b""))[0] == 200
            return
    raise AssertionError("no connection was taken again")


AMBIGUOUS = [
    b"Content-Length: 4\r\nContent-Length: 5\r\n",
    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding: identity, chunked, chunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding\r\n : chunked\r\n",
    b"Content-Length: +4\r\n",
    b"Content-Length: -4\r\n",
    b"Content-Length: 0x4\r\n",
    b"Content-Length: 4, 4\r\n",
    b"Content-Length: 4 4\r\n",
    b"Content-Length: \xb2\r\n",
    b"Content-Length : 4\r\n",
    b"Content-Length: 1_0\r\n",
    b" Content-Length: 4\r\n",
    b"X: a\rContent-Length: 4\r\n",
    b"X: a\x00b\r\n",
    b"X\x00: a\r\n",
    b": a\r\n",
    b"X(: a\r\n",
]


@pytest.mark.parametrize("header", AMBIGUOUS)
async def test_a_request_that_two_servers_could_read_differently_is_not_served(
    serve: Serve, header: bytes
) -> None:
    """400 (or 411 and the like) and the end of the connection; a request behind it is not answered."""
    served: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        await request.read()
        served.append(request.path)
        return web.Response()

    desk = await serve(handler)
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(
        b"POST /hooks/support HTTP/1.1\r\nHost: x\r\n"
        + header
        + b"\r\n0\r\n\r\nGET /hooks/support/again HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    async with asyncio.timeout(5):
        answers = await reader.read()
    writer.close()
    assert answers.count(b"HTTP/1.1 ") <= 1
    assert answers[9:12] == b"400"
    assert served == []


async def test_bytes_that_are_no_http_make_no_noise(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk = await serve(raising(RuntimeError()))
    for junk in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
        b"G" * 20_000,
        b"GET / HTTP/1.1\r\nX(: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
        writer.write(junk)
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_an_envelope_that_cannot_be_stored_is_the_senders_fault(start: Start) -> None:
    """Bytes that are no UTF-8 would make the store say "try again" for ever."""
    desk = await start()
    made = webhook_signature.sign(
        posting.MAIL, [posting.SECRET], at=int(posting.NOW_S), sender="\udcfc@a.example"
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in made.items())
    head = f"POST /hooks/support/mime HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: message/rfc822\r\nContent-Length: {len(posting.MAIL)}\r\n{head}\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(head.encode("utf-8", "surrogateescape") + posting.MAIL)
    assert (await reader.read()).startswith(b"HTTP/1.1 400")
    writer.close()
