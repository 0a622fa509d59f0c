"""A chat at the desk: a line is shown before it is settled, to who may see it, and answered at once when it was seen."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from intake import events, session_lines, unseen
from intake.store import schema
from tests.web.acting_site import page, post, public
from tests.web.desk_chat import DeskChat, chatting
from tests.web.site import Browser


@pytest.fixture
async def chat(tmp_path: Path, new_store: bytes) -> AsyncIterator[DeskChat]:
    async with chatting(tmp_path, new_store) as found:
        yield found


class Stream:
    """The desk's stream as somebody's page has it."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def told(self, *whats: str) -> dict[str, Any]:
        """Return the next of these that is told."""
        async with asyncio.timeout(10):
            async for line in self._answer.content:
                if line.startswith(b"data: "):
                    found: dict[str, Any] = msgspec.json.decode(line[6:])
                    if found.get("what", found.get("kind")) in whats:
                        return found
        raise ConnectionError("the stream has ended")


@asynccontextmanager
async def listening(browser: Browser) -> AsyncIterator[Stream]:
    async with browser._session.get(f"{browser.base}/live") as answer:
        await answer.content.readuntil(b"\n\n")  # the hello: it listens
        yield Stream(answer)


async def test_line_is_told_before_it_is_settled(chat: DeskChat) -> None:
    """With its words, its session and its number."""
    async with listening(chat.site.signed_in("ania")) as stream:
        ack = await chat.visitor.write("It was number 7.")
        found = await stream.told("chat_line")
    assert (found["text"], found["seq"], found["ref"]) == ("It was number 7.", ack["seq"], chat.ref)


async def test_words_of_a_visitor_are_told_to_nobody_who_may_not_see_the_ticket(chat: DeskChat) -> None:
    """An agent of another team hears nothing of it."""
    ania, zoe = chat.site.signed_in("ania"), chat.site.signed_in("zoe")
    async with listening(ania) as seeing, listening(zoe) as other:
        await chat.visitor.write("My card is 4111.")
        await seeing.told("chat_line")
        chat.site.store.write_now(
            lambda tx: events.record(tx, "agent_back", actor="agent:ben")
        )  # all hear of it
        assert (await other.told("chat_line", "agent_back"))["kind"] == "agent_back"


async def test_page_shows_a_line_that_is_not_settled_yet(chat: DeskChat) -> None:
    """Under the key that its message has afterwards, so that the same element becomes it."""
    ania = chat.site.signed_in("ania")
    ack = await chat.visitor.write("It was number 7.")
    _, before = await page(ania, f"/tickets/{chat.ref}")
    await asyncio.to_thread(chat.settle)
    _, after = await page(ania, f"/tickets/{chat.ref}")
    key = f'data-key="l-{ack["seq"]}@chat:website:'
    assert (before.count(key), before.count("It was number 7.") > 0) == (1, True)
    assert after.count(key) == 1
    assert ("arriving" in before, "arriving" in after) == (True, False)


@pytest.mark.slow
async def test_page_says_how_a_visitor_is_answered(chat: DeskChat) -> None:
    """By the chat, whose session's name nobody reads, and what stands in the way is said before it is sent."""
    ania = chat.site.signed_in("ania")
    _, html = await page(ania, f"/tickets/{chat.ref}")
    form = html.partition('id="reply-form"')[2].partition("</form>")[0]
    assert "By chat to" in form
    assert "not to be taken back" in form
    assert re.search(r"<button [^>]*data-send[^>]*disabled", form) is None
    shown = re.sub(r"<[^>]*>", "", html.partition("<main")[2])
    assert ("A visitor" in shown, "chat:website:" in shown) == (True, False)
    status, told = await post(ania, f"/tickets/{chat.ref}/compose", text="It is **there**")
    composed = told["composed"]
    assert (status, composed["can_send"], composed["text"]) == (200, True, "It is there")
    seen = await chat.mark(ania)
    assert (await post(ania, f"/tickets/{chat.ref}/reply", text="It is **there**", seen=seen))[0] == 200
    assert '<div class="words" dir="auto">It is there</div>' in (await page(ania, f"/tickets/{chat.ref}"))[1]
    chat.site.store.write_now(
        lambda tx: tx.update(schema.messages, {"direction": "in"}, at=tx.now - 600_000_000)
    )
    _, told = await post(ania, f"/tickets/{chat.ref}/compose", text="Hello?")
    assert "no address of theirs is known" in told["composed"]["warning"]
    session = chat.site.store.read_now(lambda tx: tx._execute("SELECT session FROM feeds", {}).fetchone())[0]
    chat.site.store.write_now(lambda tx: session_lines.forget(tx, session))
    _, told = await post(ania, f"/tickets/{chat.ref}/compose", text="Hello?")
    assert (told["composed"]["can_send"], "was forgotten" in told["composed"]["reason"]) == (False, True)


@pytest.mark.parametrize("is_settled", [False, True])
async def test_line_on_the_screen_is_answered_at_once(chat: DeskChat, *, is_settled: bool) -> None:
    """Whether it was settled meanwhile or not."""
    ania = chat.site.signed_in("ania")
    seen = await chat.mark(ania)
    async with listening(ania) as stream:
        await chat.visitor.write("It was number 7.")
        line = await stream.told("chat_line")
    if is_settled:
        await asyncio.to_thread(chat.settle)
    seen = unseen.seen(seen, line["session"], line["seq"])
    status, told = await post(ania, f"/tickets/{chat.ref}/reply", text="On its way.", seen=seen)
    assert (status, told.get("mark", "").partition("+")[2]) == (200, seen.partition("+")[2])


@pytest.mark.parametrize("is_settled", [False, True])
async def test_line_that_was_not_on_the_screen_stops_an_answer(chat: DeskChat, *, is_settled: bool) -> None:
    """The refusal says what it is; with the refusal's mark the answer goes."""
    ania = chat.site.signed_in("ania")
    seen = await chat.mark(ania)
    await chat.visitor.write("No, leave it.")
    if is_settled:
        await asyncio.to_thread(chat.settle)
    status, told = await post(ania, f"/tickets/{chat.ref}/reply", text="I cancel it.", seen=seen)
    assert status == 409, (seen, told)
    assert (status, [each["text"] for each in told["newer"]]) == (409, ["No, leave it."])
    seen = told["mark"]
    status, _ = await post(ania, f"/tickets/{chat.ref}/reply", text="I leave it.", seen=seen)
    assert status == 200
    assert "I cancel it." not in public(chat.site, chat.ref)


async def test_a_line_that_was_missed_is_not_covered_by_a_later_one(chat: DeskChat) -> None:
    """Who was told number 3 and never number 2 has not seen everything."""
    ania = chat.site.signed_in("ania")
    seen = await chat.mark(ania)
    async with listening(ania) as stream:
        await chat.visitor.write("Not the blue one.")
        await chat.visitor.write("Thank you.")
        await stream.told("chat_line")
        line = await stream.told("chat_line")
    seen = unseen.seen(seen, line["session"], line["seq"])
    status, _ = await post(ania, f"/tickets/{chat.ref}/reply", text="The blue one.", seen=seen)
    assert status == 409


async def test_a_mark_says_the_same_before_and_after_a_line_is_settled(chat: DeskChat) -> None:
    """So that a page has nothing to follow when a line becomes a message."""
    ania = chat.site.signed_in("ania")
    await chat.visitor.write("It was number 7.")
    before = await chat.mark(ania)
    await asyncio.to_thread(chat.settle)
    assert before == await chat.mark(ania)
