"""Pages that say too much, too quickly or what no page says: others are served meanwhile, and nothing of it is stuck behind."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from channels.webchat import protocol, session, socket
from intake.feeds import Glimpse
from intake.store import opening
from tests.web.chat_rig import Chat, Rig, serving

CONTROL = ("\x00", "\x1b", "\x7f", "\x85", "\n")


@pytest.fixture
async def chat(tmp_path: Path, clock: Any, new_store: bytes) -> AsyncIterator[Chat]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        async with serving(Rig(store, tmp_path, clock)) as chat:
            yield chat


@pytest.mark.parametrize("character", CONTROL)
def test_no_address_or_language_has_control_characters(character: str) -> None:
    """A store that cannot keep a NUL would acknowledge the line, and never make a message of it."""
    for name in ("page", "locale"):
        said = {"t": "line", "id": str(uuid.uuid4()), "text": "Hello", name: f"x{character}y"}
        with pytest.raises(protocol.BadMessage):
            protocol.read(msgspec.json.encode(said))
    assert session._ADDRESS.fullmatch(f"a{character}b@example.com") is None


async def test_who_says_too_much_at_once_waits_and_nobody_else(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "BURST", 10.0)
    monkeypatch.setattr(socket, "FIRST", 0)
    monkeypatch.setattr(socket, "PER_S", 2.0)
    loud, ola = chat.visitor(), chat.visitor()
    await loud.connect()
    await ola.connect()
    for _ in range(20):
        await loud.say("ping")
    assert (await ola.write("Hello"))["t"] == "ack"
    for _ in range(10):
        await loud.hear("pong")
    assert loud.socket is not None
    with pytest.raises(TimeoutError):
        await loud.socket.receive(timeout=0.1)


def _line(said: str) -> bytes:
    return f'{{"t":"line","id":"{uuid.uuid4()}",{said}}}'.encode()


FRAMES = (
    b"",
    b"\xff\xfe\xfd",
    b"[" * 60_000,
    b'{"t":' * 10_000,
    b'{"t":"line"}' * 6_000,
    b'"' + b"\\" * 40_000,
    _line('"text":"\\ud800"'),
    _line('"text":NaN'),
    _line('"text":{"a":1}'),
    _line('"text":"x","files":["../../etc/passwd"]'),
    _line('"text":"x","context":{"a":{"b":1}}'),
    b'{"t":"got","seq":-1}',
    b'{"t":"got","seq":1e400}',
    b'{"t":"got","seq":99999999999999999999}',
    b'{"t":"hello","token":"x"}',
    b'{"t":"nothing"}',
    b"\x00",
)


async def test_no_frame_does_more_than_to_be_refused(chat: Chat) -> None:
    """Each is answered with an error or ends its own connection; nothing of any is kept, and who chats goes on."""
    ola = chat.visitor()
    await ola.connect()
    for frame in FRAMES:
        eve = chat.visitor()
        await eve.connect()
        assert eve.socket is not None
        await eve.socket._writer.send_frame(frame, aiohttp.WSMsgType.TEXT)
        said = await eve.socket.receive(timeout=10)
        is_error = said.type is aiohttp.WSMsgType.TEXT and msgspec.json.decode(said.data)["t"] == "error"
        assert is_error or said.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), frame[:40]
    assert (await ola.write("Hello"))["t"] == "ack"
    assert len(chat.rig.rows("journal")) == 1


async def test_who_never_reads_is_let_go_and_takes_no_memory_until_then(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "SEND_WITHIN_S", 0.05)
    eve = chat.visitor()
    await eve.connect()
    assert chat.rig.channel._sockets is not None
    (served,) = chat.rig.channel._sockets._open
    assert served._req is not None
    transport, waiting = served._req.transport, 0
    assert transport is not None

    async def send_on() -> None:
        nonlocal waiting
        for _ in range(5_000):
            await socket._send(served, transport, "x" * socket.QUICK_MAX)
            waiting = max(waiting, transport.get_write_buffer_size())

    with pytest.raises(ConnectionError, match="nobody reads"):
        await send_on()
    assert waiting < 400_000


async def test_agents_are_told_that_somebody_types_as_often_as_a_page_says_it(chat: Chat, clock: Any) -> None:
    """Whoever says it a thousand times a second is heard once in two seconds; what has been read is told when it is news."""
    told: list[Glimpse] = []
    ola = chat.visitor()
    await ola.connect()
    await ola.write("Hello")
    await chat.rig.say("Hello to you")
    await ola.lines(2)
    chat.rig.feeds.watch(told.append)
    for _ in range(2):
        for _ in range(20):
            await ola.say("typing")
            await ola.say("read", seq=2**50)
        await ola.say("ping")
        await ola.hear("pong")
        clock.advance(seconds=3)
    said = [(each.what, each.seq) for each in told]
    assert said.count(("typing", 0)) == 2
    assert 1 <= said.count(("read", 2**50)) <= 4


async def test_who_posts_types_and_reads_for_agents_too(chat: Chat) -> None:
    """Without a WebSocket what is said is posted: it is said by who listens to the stream, on its ticket."""
    told: list[Glimpse] = []
    ola = chat.visitor()
    say = {"t": "line", "id": str(uuid.uuid4()), "text": "Hello"}
    await ola.ask("POST", "send", json=say)
    chat.rig.settle_all()
    (ticket,) = chat.rig.rows("tickets")
    headers = {"Origin": ola.origin, "Authorization": f"Bearer {ola.token}"}
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(f"{ola.base}/stream", headers=headers) as stream,
    ):
        async with asyncio.timeout(10):
            await stream.content.readuntil(b'"text":"Hello"')
        chat.rig.feeds.watch(told.append)
        for said in ({"t": "typing"}, {"t": "read", "seq": 1}):
            await ola.ask("POST", "send", json=said)
    assert [(each.what, each.ticket_id) for each in told] == [
        ("typing", ticket["id"]),
        ("read", ticket["id"]),
    ]


async def test_a_page_that_shows_a_chat_which_is_forgotten_comes_again_and_begins_anew(chat: Chat) -> None:
    """Else its number would be too high for every line that comes."""
    one = chat.visitor()
    other = chat.visitor(token=one.token)
    await one.connect()
    for text in ("One", "Two"):
        await one.write(text)
    chat.rig.settle_all()
    await other.connect()
    await other.lines(2)
    status, _, _ = await one.ask("POST", "forget", json={"t": "forget", "id": str(uuid.uuid4())})
    chat.rig.settle_all()
    with pytest.raises(ConnectionError):
        await other.hear("nothing")
    welcome = await other.connect(after=2)
    other.heard.clear()
    await other.write("Anew")
    assert (status, welcome["seq"], [each["text"] for each in await other.lines(1)]) == (202, 0, ["Anew"])
