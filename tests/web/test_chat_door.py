"""Who may speak to a chat: pages of its own sites alone, and of them each with its own token alone."""

import random
import uuid
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from channels.webchat import tokens
from intake.store import opening
from tests.web.chat_daemon import SITE, new_token
from tests.web.chat_rig import Chat, Rig, serving

ENDPOINTS = (
    ("GET", "socket"), ("GET", "stream"), ("POST", "send"), ("POST", "upload"), ("GET", "file/1/0"),
    ("GET", "transcript"), ("GET", "status.json"), ("GET", "settings.json"), ("OPTIONS", "send"),
)  # fmt: skip
STRANGERS = (
    None, "", "null", "https://evil.example", "http://shop.example", "https://shop.example:8443", "https://shop.example/",
    "https://shop.example.evil.example", "https://evil.example/https://shop.example", "HTTPS://SHOP.EXAMPLE",
    "https://xshop.example", "https://shop.example.", "file://", "https://shop.example, https://evil.example",
)  # fmt: skip
NEEDS_TOKEN = tuple(each for each in ENDPOINTS if each[0] != "OPTIONS" and not each[1].endswith(".json"))[1:]


@pytest.fixture
async def chat(tmp_path: Path, clock: Any, new_store: bytes) -> AsyncIterator[Chat]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        async with serving(Rig(store, tmp_path, clock)) as chat:
            yield chat


def headers(origin: str | None, token: str = "") -> dict[str, str]:
    found = {} if origin is None else {"Origin": origin}
    return found | ({"Authorization": f"Bearer {token}"} if token else {})


async def test_every_endpoint_refuses_pages_of_other_sites_before_it_looks_at_anything(chat: Chat) -> None:
    token = new_token()
    answers = {
        (method, path, origin): (await chat.ask(method, path, headers=headers(origin, token)))[0]
        for method, path in ENDPOINTS
        for origin in STRANGERS
    }
    assert {each: status for each, status in answers.items() if status != 403} == {}
    assert chat.rig.rows("journal") == chat.rig.rows("feeds") == []


async def test_a_websocket_of_another_site_is_never_opened(chat: Chat) -> None:
    for origin in (each for each in STRANGERS if each and each.strip() == each):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await chat.visitor(origin=origin).connect()
        assert refused.value.status == 403


async def test_a_page_of_our_own_origin_needs_no_origin_to_read(chat: Chat) -> None:
    """Browsers send none with a GET to where the page came from; they say so in a header that no page can set."""
    host = SITE.partition("://")[2]
    same = {"Sec-Fetch-Site": "same-origin"}
    statuses = [
        (await chat.ask("GET", "status.json", headers=given))[0]
        for given in (same | {"Host": host}, same | {"Host": "other.example"}, {"Host": host}, same)
    ]
    assert statuses == [200, 403, 403, 403]


async def test_the_answer_names_the_one_origin_that_may_read_it(chat: Chat) -> None:
    _, _, found = await chat.ask("GET", "settings.json", headers=headers(SITE))
    assert found["Access-Control-Allow-Origin"] == SITE
    assert "Access-Control-Allow-Credentials" not in found
    assert found["Vary"] == "Origin"


async def test_without_a_token_nothing_of_anybody_is_shown_or_taken(chat: Chat) -> None:
    wrong = ("", "Basic abc", "Bearer", "Bearer short", f"Bearer {new_token()}x", f"Bearer {'=' * 43}")
    answers = {
        (method, path, given): (
            await chat.ask(method, path, headers={"Origin": SITE, "Authorization": given})
        )[0]
        for method, path in NEEDS_TOKEN
        for given in wrong
    }
    assert {each: status for each, status in answers.items() if status != 401} == {}


async def test_what_is_no_token_closes_the_socket_for_good(chat: Chat) -> None:
    for token in ("", "short", "x" * 64, "A" * 42 + "B"):
        ola = chat.visitor()
        ola.token = token
        with pytest.raises(ConnectionError, match="4401"):
            await ola.connect()


async def test_a_socket_whose_first_word_is_no_hello_is_closed(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    for first in ('{"t":"ping"}', "nonsense", '{"t":"hello"}'):
        async with ola._session.ws_connect(f"{chat.base}/socket", origin=SITE) as socket:
            await socket.send_str(first)
            message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)


def flipped(token: str) -> list[str]:
    """Return the token with each bit of its characters flipped, and each other last character."""
    bits = [
        token[:at] + chr(ord(token[at]) ^ 1 << bit) + token[at + 1 :]
        for at in range(len(token))
        for bit in range(7)
    ]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return [*bits, *(token[:-1] + each for each in alphabet if each != token[-1])]


def test_no_flipped_bit_and_no_other_spelling_names_the_same_session() -> None:
    token = new_token()
    own = tokens.session_of("website", token)
    near = [each for each in flipped(token) if tokens.is_token(each)]
    assert len(near) > 100
    assert own not in {tokens.session_of("website", each) for each in near}
    assert own != tokens.session_of("other", token)


def test_ten_thousand_forged_tokens_name_no_session_that_there_is() -> None:
    dice = random.Random(7)
    known = {tokens.session_of("website", new_token()) for _ in range(100)}
    forged = (urlsafe_b64encode(dice.randbytes(32)).rstrip(b"=").decode() for _ in range(10_000))
    assert known.isdisjoint(tokens.session_of("website", each) for each in forged)


async def test_another_token_shows_nothing_of_the_chat(chat: Chat) -> None:
    """By every way that shows something: the feed, the stream, the transcript, a file."""
    ola = chat.visitor()
    await ola.connect()
    file_id = str(uuid.uuid4())
    await ola.ask("POST", "upload", params={"id": file_id, "name": "a.txt"}, data=b"secret words")
    await ola.write("secret words", files=[file_id])
    assert (await ola.ask("GET", "file/1/0"))[1] == b"secret words"
    for token in (*[each for each in flipped(ola.token) if tokens.is_token(each)][:40], new_token()):
        eve = chat.visitor(token=token)
        assert (await eve.connect())["seq"] == 0
        assert (await eve.ask("GET", "file/1/0"))[0] == 404
        assert b"secret" not in (await eve.ask("GET", "transcript"))[1]
        assert eve.told == []
        await eve.leave()


async def test_what_another_token_says_reaches_neither_the_chat_nor_its_deliveries(chat: Chat) -> None:
    ola, eve = chat.visitor(), chat.visitor()
    await ola.connect()
    await ola.write("Hello")
    outbox_id = await chat.rig.say("Good day")
    await eve.connect()
    for what in ("got", "read"):
        await eve.say(what, seq=2)
    await eve.say("end", id=str(uuid.uuid4()))
    await eve.write("I am not ola")
    await chat.rig.feeds._write_all({next(iter(chat.rig.feeds._open)): _mark()})
    assert chat.rig.row("outbox", outbox_id)["state"] == "sent"
    assert [each["text"] for each in await ola.lines(2)] == ["Hello", "Good day"]


def _mark() -> Any:
    from intake.line_marks import Mark

    return Mark()


async def test_the_same_id_of_another_chat_is_another_line(chat: Chat) -> None:
    line_id = str(uuid.uuid4())
    ola, ewa = chat.visitor(), chat.visitor()
    for each in (ola, ewa):
        await each.connect()
    acks = [await each.write(text, line_id=line_id) for each, text in ((ola, "One"), (ewa, "Two"))]
    assert [each["seq"] for each in acks] == [1, 1]
    assert sorted(each["text"] for each in chat.rig.rows("session_lines")) == ["One", "Two"]


async def test_no_token_reaches_the_store(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    await ola.write("Hello")
    chat.rig.settle_all()
    written = (chat.rig.folder.parent / "intake.db").read_bytes()
    log = chat.rig.folder.parent / "intake.db-wal"
    assert ola.token.encode() not in written + (log.read_bytes() if log.exists() else b"")


async def test_garbage_is_answered_and_the_chat_goes_on(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    assert ola.socket is not None
    deep = "[" * 5_000
    for said in (
        "",
        "{}",
        "[]",
        deep,
        '{"t":"line"}',
        '{"t":"line","id":1}',
        '{"t":"hello","token":"x"}',
        "\0",
    ):
        await ola.socket.send_str(said)
        assert (await ola.hear("error"))["code"] == "bad_message"
    await ola.socket.send_bytes(b"bytes")
    assert (await ola.hear("error"))["code"] == "bad_message"
    assert (await ola.write("Still here"))["t"] == "ack"


async def test_an_object_that_is_too_big_ends_the_connection_and_not_the_chat(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    assert ola.socket is not None
    await ola.socket.send_str("x" * 70_000)
    message = await ola.socket.receive()
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1009)
    status, _, _ = await ola.ask("POST", "send", data=b"x" * 70_000)
    assert status == 413


@pytest.mark.parametrize(
    ("text", "code"), [("", "bad_message"), (" \n\t", "bad_message"), ("x" * 8_001, "too_long")]
)
async def test_a_line_without_words_or_with_too_many_is_refused_and_not_kept(
    chat: Chat, text: str, code: str
) -> None:
    ola = chat.visitor()
    await ola.connect()
    refused = await ola.write(text)
    assert (refused["t"], refused["code"]) == ("error", code)
    assert chat.rig.rows("journal") == chat.rig.rows("feeds") == []


async def test_page_views_ask_the_store_for_nothing(chat: Chat) -> None:
    """The status is looked up once in two seconds for all pages together, the settings never."""
    looked = 0
    read = chat.rig.store.read_now

    def counting(fn: Any) -> Any:
        nonlocal looked
        looked += 1
        return read(fn)

    chat.rig.store.read_now = counting  # type: ignore[method-assign]
    for _ in range(200):
        await chat.ask("GET", "status.json", headers=headers(SITE))
        await chat.ask("GET", "settings.json", headers=headers(SITE))
    assert looked <= 2
