"""A filter's score is a fact; rspamd, spamd and milter are played by small servers on real sockets."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from channels.email import settings
from tests.smtp import receiving
from tests.smtp.conftest import Start

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MAIL = receiving.MAIL


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Play], Awaitable[str]]]:
    servers: list[asyncio.Server] = []
    talks: set[asyncio.Task[None]] = set()

    async def begin(play: Play) -> str:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.add(asyncio.current_task())  # type: ignore[arg-type]
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await play(reader, writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

        servers.append(await asyncio.start_server(talk, "127.0.0.1", 0))
        host, port = servers[-1].sockets[0].getsockname()
        return f"{host}:{port}"

    yield begin
    for server in servers:
        server.close()
    for task in talks:
        task.cancel()
    await asyncio.gather(*talks, return_exceptions=True)


async def deliver(start: Start, filter_: settings.Filter) -> tuple[str, receiving.Receiver]:
    receiver = await start(filter=filter_)
    client = await receiver.client()
    await client.begin()
    return await client.send(MAIL), receiver


def rspamd(answer: bytes, heard: list[bytes] | None = None, status: bytes = b"200 OK") -> Play:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read()
        if heard is not None:
            heard.append(request)
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)

    return play


def spamd(answer: bytes) -> Play:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read()
        assert request.startswith(b"SYMBOLS SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(MAIL))
        writer.write(answer)

    return play


class Milter:
    """Answers each step with what a test says, CONTINUE else; keeps what it was shown."""

    def __init__(self, answers: dict[bytes, list[bytes]] | None = None, *, flags: int = 0) -> None:
        self.answers = answers or {}
        self.flags = flags
        self.seen: list[tuple[bytes, bytes]] = []

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            (length,) = struct.unpack("!I", await reader.readexactly(4))
            packet = await reader.readexactly(length)
            self.seen.append((packet[:1], packet[1:]))
            if packet[:1] == b"O":
                replies = [b"O" + struct.pack("!III", 6, 0, self.flags)]
            elif packet[:1] == b"Q":
                return
            else:
                replies = self.answers.get(packet[:1], [b"c"])
            for reply in replies:
                writer.write(struct.pack("!I", len(reply)) + reply)


async def test_the_score_of_rspamd_is_kept_and_it_is_told_who_wrote(
    start: Start, serve: Callable[[Play], Awaitable[str]]
) -> None:
    heard: list[bytes] = []
    address = await serve(rspamd(b'{"score": 7.5, "action": "add header", "symbols": {}}', heard))
    reply, receiver = await deliver(start, settings.Filter(kind="rspamd", address=address))
    assert reply.startswith("250")
    envelope = receiver.gate.stored[0].envelope
    assert (envelope["spam_score"], envelope["spam_action"]) == (7.5, "add header")
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert body == MAIL
    assert {b"From: ann@x.com", b"Rcpt: support@example.com", b"IP: 127.0.0.1", b"Helo: me"} <= set(
        head.split(b"\r\n")
    )


@pytest.mark.parametrize(("score", "reply"), [(b"14.9", "250"), (b"15.1", "550 5.7.1")])
async def test_only_above_the_limit_mail_is_refused(
    start: Start, serve: Callable[[Play], Awaitable[str]], score: bytes, reply: str
) -> None:
    address = await serve(spamd(b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; " + score + b" / 5.0\r\n\r\nA,B"))
    answer, receiver = await deliver(start, settings.Filter(kind="spamd", address=address, reject_above=15))
    assert answer.startswith(reply)
    assert [raw.envelope["spam_score"] for raw in receiver.gate.stored] == ([14.9] if reply == "250" else [])


@pytest.mark.parametrize(("on_failure", "reply"), [("accept", "250"), ("tempfail", "451")])
@pytest.mark.parametrize("kind", ["rspamd", "spamd", "milter"])
@pytest.mark.parametrize("fault", ["down", "silent", "nonsense", "hangs up"])
async def test_a_filter_without_an_answer_does_as_set(
    start: Start, serve: Callable[[Play], Awaitable[str]], on_failure: str, reply: str, kind: str, fault: str
) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if fault == "silent":
            await reader.read()
            await asyncio.Event().wait()
        if fault == "nonsense":
            writer.write(b"\0\0\0\5 nonsense nonsense")
            await reader.read()

    address = "127.0.0.1:1" if fault == "down" else await serve(play)
    filter_ = settings.Filter(kind=kind, address=address, timeout_s=0.05, on_failure=on_failure)  # type: ignore[arg-type]
    answer, receiver = await deliver(start, filter_)
    assert answer.startswith(reply)
    assert len(receiver.gate.stored) == (reply == "250")


async def test_a_milter_sees_the_mail_as_a_server_would_show_it(
    start: Start, serve: Callable[[Play], Awaitable[str]]
) -> None:
    milter = Milter({b"E": [b"p", b"hX-Spam-Score\x004.2\0", b"c"]})
    reply, receiver = await deliver(start, settings.Filter(kind="milter", address=await serve(milter.play)))
    assert reply.startswith("250")
    assert receiver.gate.stored[0].envelope["spam_score"] == 4.2
    assert receiver.gate.stored[0].body == MAIL
    assert b"".join(command for command, _ in milter.seen).startswith(b"OCHMRTLLLLNBE")
    shown = dict(milter.seen)
    assert shown[b"C"] == b"[127.0.0.1]\x004\0\x00127.0.0.1\0"
    assert (shown[b"M"], shown[b"R"]) == (b"<ann@x.com>\0", b"<support@example.com>\0")
    assert (shown[b"L"], shown[b"B"]) == (b"Subject\0Help\0", b"Hello\r\n")


@pytest.mark.parametrize(
    ("step", "answer", "reply"),
    [(b"M", b"r", "550"), (b"R", b"t", "451"), (b"E", b"y550 5.7.1 we do not want it\0", "550 5.7.1 we do not want it"),
     (b"T", b"y451 4.7.1 later\0", "451"), (b"N", b"a", "250"), (b"E", b"d", "250"), (b"B", b"s", "250")],
)  # fmt: skip
async def test_a_milters_verdict_holds_at_any_step(
    start: Start, serve: Callable[[Play], Awaitable[str]], step: bytes, answer: bytes, reply: str
) -> None:
    milter = Milter({step: [answer]})
    got, receiver = await deliver(start, settings.Filter(kind="milter", address=await serve(milter.play)))
    assert got.startswith(reply)
    assert len(receiver.gate.stored) == (reply == "250")


async def test_a_milter_is_spared_the_steps_it_does_not_want(
    start: Start, serve: Callable[[Play], Awaitable[str]]
) -> None:
    milter = Milter(flags=0x1 | 0x2 | 0x20 | 0x40 | 0x200)
    reply, _ = await deliver(start, settings.Filter(kind="milter", address=await serve(milter.play)))
    assert reply.startswith("250")
    assert b"".join(command for command, _ in milter.seen).startswith(b"OMRBE")
