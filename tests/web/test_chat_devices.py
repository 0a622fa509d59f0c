"""A chat on another device, as a file, by mail, and gone; and what one address may say, and who is blocked."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from channels.webchat import tokens
from intake import aliases, chat_links, lists, session_lines
from intake.store import opening
from tests.web.chat_daemon import Visitor
from tests.web.chat_rig import ACCOUNT, Chat, Rig, serving
from tests.web.test_chat_identity import KEYS, prove


@pytest.fixture
async def chats(tmp_path: Path, clock: Any, new_store: bytes) -> AsyncIterator[Any]:
    """Serve an account with these options."""
    (tmp_path / "intake.db").write_bytes(new_store)
    async with AsyncExitStack() as stack:

        async def serve(**given: Any) -> Chat:
            store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
            rig = Rig(store, tmp_path, clock, options={"identity": KEYS} | given)
            return await stack.enter_async_context(serving(rig))

        yield serve


@pytest.fixture
async def chat(chats: Any) -> Chat:
    return await chats()  # type: ignore[no-any-return]


async def turn(visitor: Visitor, what: str, **said: Any) -> dict[str, Any]:
    about = str(uuid.uuid4())
    await visitor.say(what, id=about, **said)
    return await visitor.hear("ack", "error", about=about)


def link(rig: Rig, visitor: Visitor) -> str:
    return chat_links.token(rig.keys, tokens.session_of(ACCOUNT, visitor.token), now_us=rig.store.now_us())


async def begun(chat: Chat, text: str = "Where is my order?") -> Visitor:
    visitor = chat.visitor()
    await visitor.connect()
    await visitor.write(text)
    await visitor.lines(1)
    return visitor


def texts(lines: list[dict[str, Any]]) -> list[str]:
    return [each["text"] for each in lines]


@pytest.mark.slow
async def test_the_link_of_a_mail_opens_the_chat_on_another_device(chat: Chat) -> None:
    """What is said on either is heard on both, in one order, also after a reconnect by number."""
    desktop = await begun(chat)
    phone = chat.visitor()
    await phone.connect()
    assert (await turn(phone, "resume", link=link(chat.rig, desktop)))["t"] == "ack"
    assert texts(await phone.lines(1)) == ["Where is my order?"]
    await phone.write("Now from my phone")
    await chat.rig.say("Hello, both of you")
    assert texts(await desktop.lines(3)) == texts(await phone.lines(3))
    await phone.leave()
    await desktop.write("And from my desk")
    again = chat.visitor(token=phone.token)
    assert (await again.connect(after=3))["seq"] == 4
    assert [(each["seq"], each["text"]) for each in await again.lines(1)] == [(4, "And from my desk")]
    chat.rig.settle_all()
    assert len(chat.rig.rows("tickets")) == 1


async def test_the_other_device_knows_what_was_told_and_agreed_on_the_first(chats: Any) -> None:
    """It is welcomed once more: else it would ask for an address that is known, and for a consent that was given."""
    chat = await chats(consent={"text": {"en": "We keep it."}, "version": "7"})
    desktop, phone = chat.visitor(), chat.visitor()
    await desktop.connect()
    await turn(desktop, "consent", version="7")
    await turn(desktop, "contact", email="jan@customer.example")
    await desktop.write("Where is my order?")
    await desktop.lines(1)
    before = await phone.connect()
    assert (before["consent"], before["has_contact"], before["seq"]) == (None, False, 0)
    await turn(phone, "resume", link=link(chat.rig, desktop))
    after = await phone.hear("welcome")
    assert (after["consent"], after["has_contact"], after["seq"]) == ("7", True, 1)
    assert texts(await phone.lines(1)) == ["Where is my order?"]
    assert (await phone.write("Now from my phone"))["t"] == "ack"
    assert len(await phone.lines(2)) == len(await desktop.lines(2)) == 2


async def test_a_feed_that_becomes_another_s_while_it_begins_begins_with_that_one_s(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told of the other chat's lines, not that there are none."""
    desktop = await begun(chat)
    own, its = (tokens.session_of(ACCOUNT, each) for each in ("a" * 43, desktop.token))
    looked, goes_on = asyncio.Event(), asyncio.Event()
    read = chat.rig.feeds._read

    async def held(fn: Any) -> Any:
        found = await read(fn)
        looked.set()
        await goes_on.wait()
        return found

    monkeypatch.setattr(chat.rig.feeds, "_read", held)
    feed = chat.rig.gate.feed(ACCOUNT, own)
    first = asyncio.ensure_future(anext(feed))
    await looked.wait()
    await chat.rig.store.write(lambda tx: aliases.join(tx, own, its))
    chat.rig.feeds.committed({aliases.SIGNAL: [(own, its)]})
    goes_on.set()
    opened = await first
    assert (getattr(opened, "last_seq", None), getattr(await anext(feed), "seq", None)) == (1, 1)
    feed.close()


async def test_a_chat_with_lines_of_its_own_stays_itself(chat: Chat) -> None:
    desktop, phone = await begun(chat), await begun(chat, "Something else")
    assert (await turn(phone, "resume", link=link(chat.rig, desktop)))["code"] == "link_elsewhere"
    assert texts(phone.told) == ["Something else"]


async def test_a_forged_link_opens_nothing(chat: Chat) -> None:
    desktop = await begun(chat)
    good = link(chat.rig, desktop)
    digest, until, mac = good.split(".")
    session = tokens.session_of(ACCOUNT, desktop.token)
    old = chat_links.token(chat.rig.keys, session, now_us=0)
    for bad in (f"{digest}.{until}.{mac[:-1]}a", f"{'0' * 64}.{until}.{mac}", old, "x", "", digest, session):
        eve = chat.visitor()
        await eve.connect()
        if bad != good:
            assert (await turn(eve, "resume", link=bad))["code"] == "link_refused"
        await eve.write("Anything?")
        assert texts(await eve.lines(1)) == ["Anything?"]
        await eve.leave()


async def test_the_same_person_sees_their_chat_on_every_device(chat: Chat) -> None:
    desktop = await begun(chat)
    await prove(chat, desktop)
    chat.rig.settle_all()
    phone = chat.visitor()
    await phone.connect()
    await prove(chat, phone)
    assert texts(await phone.lines(1)) == ["Where is my order?"]
    await phone.write("From my phone")
    assert texts(await desktop.lines(2)) == ["Where is my order?", "From my phone"]


async def test_somebody_elses_chat_is_never_shown(chat: Chat) -> None:
    desktop = await begun(chat)
    await prove(chat, desktop)
    chat.rig.settle_all()
    eve = chat.visitor()
    await eve.connect()
    await prove(chat, eve, "user-43", email="eve@customer.example")
    await eve.write("Anything?")
    assert texts(await eve.lines(1)) == ["Anything?"]


async def test_files_and_transcript_of_the_other_device_are_the_same(chat: Chat) -> None:
    desktop = chat.visitor()
    await desktop.connect()
    upload_id = str(uuid.uuid4())
    await desktop.ask("POST", f"upload?id={upload_id}&name=order.txt", data=b"order 42")
    await desktop.write("Here it is", files=[upload_id])
    await desktop.lines(1)
    phone = chat.visitor()
    await phone.connect()
    await turn(phone, "resume", link=link(chat.rig, desktop))
    await phone.lines(1)
    for path in ("file/1/0", "transcript?as=txt"):
        one, other = await desktop.ask("GET", path), await phone.ask("GET", path)
        assert (one[0], one[1]) == (200, other[1])


# -- by mail, and gone -------------------------------------------------------------------------------------------------


async def test_a_transcript_goes_to_who_is_vouched_for_and_a_link_to_anybody_else(chat: Chat) -> None:
    rig = chat.rig
    for is_proven in (True, False):
        visitor = await begun(chat, f"Question {is_proven}")
        if is_proven:
            await prove(chat, visitor, email="jan@customer.example")
        else:
            await turn(visitor, "contact", email="eve@customer.example", name="Buy")
        rig.settle_all()
        assert (await visitor.ask("POST", "transcript"))[0] == 202
        rig.settle_all()
    (proven,), (other,) = rig.sent("jan@customer.example"), rig.sent("eve@customer.example")
    assert "Question True" in proven.text
    assert "Question" not in f"{other.text}{other.subject}"


async def test_without_an_address_there_is_no_transcript_by_mail(chat: Chat) -> None:
    status, body, _ = await (await begun(chat)).ask("POST", "transcript")
    assert (status, body["code"]) == (409, "contact_required")


async def test_a_forgotten_chat_shows_nothing_to_anybody_and_the_ticket_stays(chat: Chat) -> None:
    desktop = await begun(chat)
    chat.rig.settle_all()
    assert (await desktop.ask("POST", "forget"))[0] == 202
    chat.rig.settle_all()
    again = chat.visitor(token=desktop.token)
    welcome = await again.connect()
    assert (welcome["seq"], welcome["has_contact"]) == (0, False)
    assert (await desktop.ask("GET", "transcript"))[1] == b""
    assert [len(chat.rig.rows(name)) for name in ("session_lines", "visitors", "messages")] == [0, 0, 1]


async def test_what_is_forgotten_after_a_month_takes_who_it_was_with_along(chat: Chat) -> None:
    await begun(chat)
    chat.rig.settle_all()
    assert len(chat.rig.rows("visitors")) == 1
    chat.rig.clock.advance(days=31)
    chat.rig.store.write_now(session_lines.forget_old)
    assert [len(chat.rig.rows(name)) for name in ("feeds", "visitors")] == [0, 0]


# -- too much, and never again -----------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_flood_of_one_address_is_kept_out_and_nobody_else_notices(chats: Any) -> None:
    """A thousand within a minute, each with a token of its own, of every verb; a neighbour says all that they want to."""
    chat = await chats(limits={})
    kept = refused = others = 0
    neighbour_ids: list[int] = []
    async with _from_address(chat, "127.0.0.2") as flood, _from_address(chat, "127.0.0.3") as neighbour:
        quiet = Visitor(chat.base, neighbour)
        for number in range(1_000):
            said = {"t": ("line", "contact", "end", "line")[number % 4], "id": str(uuid.uuid4())}
            said |= {"line": {"text": "spam"}, "contact": {"email": "a@b.example"}}.get(said["t"], {})
            _, answers, _ = await Visitor(chat.base, flood).ask("POST", "send", json=said)
            kept += answers[0]["t"] == "ack"
            refused += answers[0].get("code") == "rate_limited" and answers[0]["retry_after_s"] <= 60
            if number % 100 == 0:
                line = {"t": "line", "id": str(uuid.uuid4()), "text": "Hello"}
                others += (await quiet.ask("POST", "send", json=line))[1][0]["t"] == "ack"
                neighbour_ids.append(number)
            chat.rig.clock.advance(0.06)
    assert (kept, refused) == (20, 980)
    assert others == len(neighbour_ids)
    assert len(chat.rig.rows("journal")) == kept + others


def _from_address(chat: Chat, address: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(address, 0)))


@pytest.mark.parametrize("blocked", ["session", "127.0.0.2"])
async def test_who_is_blocked_is_heard_no_more(chat: Chat, blocked: str) -> None:
    """By the chat, as the desk blocks whoever wrote a ticket; or by the address."""
    rig = chat.rig
    async with _from_address(chat, "127.0.0.2") as session:
        eve = Visitor(chat.base, session)
        value = tokens.session_of(ACCOUNT, eve.token) if blocked == "session" else blocked
        rig.store.write_now(lambda tx: lists.add(tx, "blocked", [value], actor="agent:ania"))
        _, answers, _ = await eve.ask(
            "POST", "send", json={"t": "line", "id": str(uuid.uuid4()), "text": "Hi"}
        )
        status, upload, _ = await eve.ask("POST", f"upload?id={uuid.uuid4()}&name=a.txt", data=b"text")
    assert (answers[0]["code"], status, upload["code"]) == ("blocked", 403, "blocked")
    assert not rig.rows("journal")
    assert (await begun(chat)).told
