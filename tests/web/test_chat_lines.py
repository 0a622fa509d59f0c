"""Lines of a chat: kept once, numbered together, heard by every tab in order, resumed by number."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from intake import chats
from intake.store import opening
from tests.web.chat_rig import Chat, Rig, serving


@pytest.fixture
async def chat(tmp_path: Path, clock: Any, new_store: bytes) -> AsyncIterator[Chat]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        async with serving(Rig(store, tmp_path, clock)) as chat:
            yield chat


def texts(lines: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    return [(each["seq"], each["author"], each["text"]) for each in lines]


async def test_a_line_is_acknowledged_with_its_number_and_becomes_a_ticket(chat: Chat) -> None:
    ola = chat.visitor()
    welcome = await ola.connect()
    ack = await ola.write("My order has not come")
    chat.rig.settle_all()
    (message,) = chat.rig.rows("messages")
    assert (welcome["seq"], ack["t"], ack["seq"]) == (0, "ack", 1)
    assert (message["body"], message["medium"]) == ("My order has not come", "chat")


async def test_an_acknowledged_line_is_on_disk(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    await ola.write("Kept")
    assert len(chat.rig.rows("journal", "state = 'pending'")) == 1


async def test_the_same_line_again_is_answered_as_before_and_kept_once(chat: Chat) -> None:
    ola, line_id = chat.visitor(), str(uuid.uuid4())
    await ola.connect()
    first = await ola.write("Hello", line_id=line_id)
    again = await ola.write("Hello", line_id=line_id)
    chat.rig.settle_all()
    assert first == again
    assert len(chat.rig.rows("messages")) == len(chat.rig.rows("session_lines")) == 1


async def test_two_tabs_hear_the_same_lines_in_the_same_order(chat: Chat) -> None:
    one = chat.visitor()
    other = chat.visitor(token=one.token)
    await one.connect()
    await other.connect()
    for number in range(5):
        await asyncio.gather(one.write(f"{number} of one"), other.write(f"{number} of the other"))
    assert await one.lines(10) == await other.lines(10)
    assert [each["seq"] for each in one.told] == list(range(1, 11))


async def test_an_agents_answer_is_a_line_of_the_same_numbers(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    await ola.write("Where is it?")
    await chat.rig.say("On its **way**.")
    await ola.write("Thank you")
    assert texts(await ola.lines(3)) == [
        (1, "customer", "Where is it?"),
        (2, "agent", "On its way."),
        (3, "customer", "Thank you"),
    ]


async def test_who_comes_back_gets_what_is_behind_their_number_and_nothing_twice(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    await ola.write("One")
    await ola.leave()
    await chat.rig.say("Two")
    await chat.rig.say("Three")
    welcome = await ola.connect(after=1)
    ola.heard.clear()
    assert welcome["seq"] == 3
    assert texts(await ola.lines(2)) == [(2, "agent", "Two"), (3, "agent", "Three")]


@pytest.mark.slow
async def test_a_long_chat_is_resumed_page_after_page_while_lines_go_on(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    for number in range(450):
        await ola.write(f"{number}")
    other = chat.visitor(token=ola.token)
    await other.connect()
    await ola.write("450")
    assert [each["seq"] for each in await other.lines(451)] == list(range(1, 452))


async def test_a_page_that_knows_more_than_the_store_hears_what_comes(chat: Chat) -> None:
    """After a restore from a backup the page's number is too high: it must not be waited for."""
    ola = chat.visitor()
    await ola.connect()
    await ola.write("One")
    other = chat.visitor(token=ola.token)
    welcome = await other.connect(after=700)
    await ola.write("Two")
    assert welcome["seq"] == 1
    assert texts(await other.lines(1)) == [(2, "customer", "Two")]


async def test_an_answer_is_sent_with_its_transaction_delivered_when_it_came_and_read_when_it_was_seen(
    chat: Chat,
) -> None:
    ola = chat.visitor()
    await ola.connect()
    await ola.write("Hello")
    outbox_id = await chat.rig.say("Good day")
    states = [chat.rig.row("outbox", outbox_id)["state"]]
    for mark in ("got", "read"):
        await ola.say(mark, seq=2)
        states.append(await _changed(chat, outbox_id, states[-1]))
    assert states == ["sent", "delivered", "read"]
    kinds = [each["kind"] for each in chat.rig.rows("events", "kind LIKE 'answer_%' ORDER BY id")]
    assert kinds == ["answer_delivered", "answer_read"]


async def _changed(chat: Chat, outbox_id: int, before: str) -> str:
    async with asyncio.timeout(5):
        while (state := str(chat.rig.row("outbox", outbox_id)["state"])) == before:
            await asyncio.sleep(0.02)
    return state


async def test_no_page_can_have_got_what_was_not_said_yet(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    await ola.write("Hello")
    await ola.say("read", seq=2**53 - 1)
    async with asyncio.timeout(5):
        while chat.rig.rows("feeds")[0]["read_seq"] != 1:
            await asyncio.sleep(0.02)
    outbox_id = await chat.rig.say("Good day")
    assert chat.rig.row("outbox", outbox_id)["state"] == "sent"


async def test_typing_passes_and_is_kept_nowhere(chat: Chat) -> None:
    seen: list[Any] = []
    chat.rig.feeds.watch(seen.append)
    ola = chat.visitor()
    await ola.connect()
    await ola.write("Hello")
    chat.rig.settle_all()
    await ola.say("typing")
    await ola.say("ping")
    await ola.hear("pong")
    assert [each.what for each in seen] == ["line", "typing"]
    assert len(chat.rig.rows("journal")) == 1


async def test_the_chat_without_a_socket_hears_and_says_the_same(chat: Chat) -> None:
    ola, line_id = chat.visitor(), str(uuid.uuid4())
    status, answers, _ = await ola.ask("POST", "send", json={"t": "line", "id": line_id, "text": "Hello"})
    await chat.rig.say("Good day")
    said = await _streamed(chat, ola, count=3)
    assert (status, answers[0]["t"], answers[0]["seq"]) == (200, "ack", 1)
    assert [each["t"] for each in said] == ["welcome", "line", "line"]
    assert texts(said[1:]) == [(1, "customer", "Hello"), (2, "agent", "Good day")]


async def _streamed(chat: Chat, ola: Any, *, count: int) -> list[dict[str, Any]]:
    import msgspec

    headers = {"Origin": ola.origin, "Authorization": f"Bearer {ola.token}"}
    found: list[dict[str, Any]] = []
    async with chat._session.get(f"{chat.base}/stream", params={"after": "0"}, headers=headers) as answer:
        async for line in answer.content:
            if line.startswith(b"data: "):
                found.append(msgspec.json.decode(line[6:]))
            if len(found) == count:
                break
    return found


async def test_the_end_is_a_line_and_a_further_one_opens_the_chat_again(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    await ola.write("Hello")
    chat.rig.settle_all()
    await ola.say("end", id=str(uuid.uuid4()))
    ended = await ola.hear("ended")
    chat.rig.settle_all()
    again = chat.visitor(token=ola.token)
    over = await again.connect(after=2)
    await again.write("One more thing")
    third = chat.visitor(token=ola.token)
    reopened = await third.connect(after=3)
    assert (ended["seq"], ended["reason"]) == (2, "customer")
    assert (over["is_ended"], reopened["is_ended"]) == (True, False)
    assert [each["kind"] for each in chat.rig.rows("events", "kind = 'chat_left'")] == ["chat_left"]


async def test_when_we_stop_pages_are_told_to_come_back(tmp_path: Path, clock: Any, new_store: bytes) -> None:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        async with serving(Rig(store, tmp_path, clock)) as chat:
            ola = chat.visitor()
            await ola.connect()
            session = ola._session
            await chat.rig.channel.hang_up()
            assert ola.socket is not None
            message = await ola.socket.receive()
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
            assert not session.closed


async def test_a_store_that_is_down_means_try_again_and_the_line_is_kept_then(chat: Chat) -> None:
    ola, line_id = chat.visitor(), str(uuid.uuid4())
    await ola.connect()
    prepared = chat.rig.journals.prepared

    async def full(body: bytes) -> Any:
        raise OSError(28, "No space left on device")

    chat.rig.journals.prepared = full  # type: ignore[method-assign]
    refused = await ola.write("Hello", line_id=line_id)
    chat.rig.journals.prepared = prepared  # type: ignore[method-assign]
    kept = await ola.write("Hello", line_id=line_id)
    assert (refused["t"], refused["code"], refused["retry_after_s"] > 0) == ("error", "unavailable", True)
    assert (kept["t"], kept["seq"]) == ("ack", 1)


async def test_a_chat_is_forgotten_after_thirty_days_without_a_word(chat: Chat) -> None:
    from intake import session_lines, sessions

    ola, ewa = chat.visitor(), chat.visitor()
    for each in (ola, ewa):
        await each.connect()
        await each.write("Hello")
    chat.rig.settle_all()
    chat.rig.advance(days=20)
    await ewa.write("Still here")
    chat.rig.advance(days=11)
    chat.rig.store.write_now(sessions.forget_old)
    gone = chat.rig.store.write_now(session_lines.forget_old)
    assert gone == 1
    assert [each["text"] for each in chat.rig.rows("session_lines")] == ["Hello", "Still here"]
    assert len(chat.rig.rows("sessions")) == len(chat.rig.rows("feeds")) == 1


async def test_who_is_silent_is_asked_and_who_does_not_answer_is_let_go(chat: Chat) -> None:
    ola, eve = chat.visitor(), chat.visitor()
    await ola.connect()
    await eve.connect()
    sockets = chat.rig.channel._sockets
    assert sockets is not None
    first, second = list(sockets._open)
    sockets._open[second] -= 1_000
    await sockets.look([first, second])
    assert (await ola.write("Still here"))["t"] == "ack"
    with pytest.raises(ConnectionError, match="4408"):
        await eve.hear("pong")
    assert sockets.count == 1


async def test_open_chats_are_told_when_the_status_changes_and_not_otherwise(chat: Chat) -> None:
    from intake import incidents

    rooms = chat.rig.channel._opened(chat.rig.gate)
    ola = chat.visitor()
    await ola.connect()
    last = await rooms.look(None)
    rooms._status = None
    last = await rooms.look(last)
    chat.rig.store.write_now(lambda tx: incidents.begin(tx, {"en": "We know."}, by="ania"))
    chat.rig.advance(seconds=10)
    rooms._status = None
    await rooms.look(last)
    changed = await ola.hear("status")
    assert changed["incident"] == {"en": "We know."}
    assert [each["t"] for each in ola.heard] == ["welcome", "status"]


async def test_the_agent_is_told_once_that_somebody_waits_and_again_when_they_have_looked(chat: Chat) -> None:
    """One mail until they have looked, however much is written; who has looked without answering is told of what comes then."""
    ola, rig = chat.visitor(), chat.rig
    await ola.connect()
    await ola.write("Where is it?")
    await rig.say("Which order?")
    ref, told = rig.rows("tickets")[0]["ref"], []
    for text in ("The last one", "Of Monday", "", "Hello?", "Anybody?"):
        rig.clock.advance(seconds=1)
        if text:
            await ola.write(text)
            rig.settle_all()
        else:
            rig.store.write_now(lambda tx: chats.here(tx, rig.context, ref, agent="ania", is_writing=False))
        told.append(len(rig.rows("outbox", "action LIKE 'notify:customer_replied:%'")))
    assert told == [1, 1, 1, 2, 2]
