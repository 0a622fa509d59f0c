"""Chats on both engines: lines numbered without gaps whoever writes at once, and heard at another daemon."""

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Fed, Opened, Passing
from channels.webchat import protocol
from channels.webchat.door import Visitor
from intake import chats, desk, session_lines
from intake.store.engine import Store
from tests.web.chat_rig import ACCOUNT, Rig

OLA = "ola"


@pytest.fixture
def rig(store: Store, tmp_path: Path, clock: Any) -> Rig:
    return Rig(store, tmp_path, clock)


def session(name: str) -> str:
    return f"chat:{ACCOUNT}:{name:0>64}"


async def write(rig: Rig, text: str, *, name: str = OLA) -> protocol.Ack:
    visitor = Visitor(session(name), "127.0.0.1")
    talk = rig.channel._opened(rig.gate).talk
    feed = rig.gate.feed(ACCOUNT, visitor.session)
    (answer,) = await talk.hear(visitor, protocol.Line(str(uuid.uuid4()), text), feed)
    return protocol.ack(answer)


async def hear(rig: Rig, count: int, *, after: int = 0, name: str = OLA) -> list[Fed]:
    """Return so many lines of a session's feed."""
    found: list[Fed] = []
    feed = rig.gate.feed(ACCOUNT, session(name), after=after)
    async with asyncio.timeout(20):
        async for thing in feed:
            if isinstance(thing, Fed):
                found.append(thing)
            if len(found) >= count:
                break
    feed.close()
    return found


async def test_a_chat_there_and_back(rig: Rig) -> None:
    rig.listen()
    await write(rig, "Where is it?")
    outbox_id = await rig.say("On its way")
    rig.store.write_now(
        lambda tx: chats.here(tx, rig.context, rig.rows("tickets")[0]["ref"], agent="ania", is_writing=False)
    )
    feed = rig.gate.feed(ACCOUNT, session(OLA))
    await feed.reached(2, is_read=True)
    writing = asyncio.create_task(rig.feeds.run())
    async with asyncio.timeout(10):
        while rig.row("outbox", outbox_id)["state"] != "read":
            await asyncio.sleep(0.02)
    writing.cancel()
    lines = await hear(rig, 2)
    (row,) = rig.rows("feeds")
    assert [(each.seq, each.line.author, each.line.text) for each in lines] == [
        (1, "customer", "Where is it?"),
        (2, "agent", "On its way"),
    ]
    assert row["seen_seq"] == 2


async def test_whoever_writes_at_once_numbers_have_no_gap_and_everybody_hears_them_in_order(rig: Rig) -> None:
    """Two tabs and an agent: turns and answers meet in the feed's row."""
    rig.listen()
    await write(rig, "Hello")
    rig.settle_all()
    ref = rig.rows("tickets")[0]["ref"]

    async def answer(number: int) -> None:
        await rig.store.write(
            lambda tx: desk.reply(tx, rig.context, ref, agent="ania", text=f"Answer {number}")
        )

    hearing = asyncio.create_task(hear(rig, 61))
    acks = await asyncio.gather(
        *(write(rig, f"Line {each}") for each in range(40)), *(map(answer, range(20)))
    )
    heard = await hearing
    said = {each.seq: each.line.text for each in heard}
    assert list(said) == list(range(1, 62))
    assert sorted(said.values()) == sorted(
        ["Hello", *(f"Line {each}" for each in range(40)), *(f"Answer {each}" for each in range(20))]
    )
    assert {said[each.seq] for each in acks if each is not None} == {f"Line {each}" for each in range(40)}


async def test_a_line_that_another_daemon_took_is_heard_here(
    open_store: Callable[[], Store], tmp_path: Path, clock: Any
) -> None:
    here = Rig(open_store(), tmp_path, clock)
    there = Rig(open_store(), tmp_path, clock)
    here.listen()
    there.listen()
    feed = here.gate.feed(ACCOUNT, session(OLA))
    assert isinstance(await anext(feed), Opened)
    waiting = asyncio.ensure_future(anext(feed))
    await write(there, "Taken there")
    await here.feeds.look()
    async with asyncio.timeout(10):
        heard = await waiting
    assert isinstance(heard, Fed)
    assert heard.line.text == "Taken there"
    feed.close()


async def test_what_was_missed_by_all_looks_is_found_by_the_one_that_compares_all(
    open_store: Callable[[], Store], tmp_path: Path, clock: Any
) -> None:
    here, there = Rig(open_store(), tmp_path, clock), Rig(open_store(), tmp_path, clock)
    here.listen()
    feed = here.gate.feed(ACCOUNT, session(OLA))
    await anext(feed)
    await write(here, "Heard")
    await anext(feed)
    waiting = asyncio.ensure_future(anext(feed))
    await write(there, "An hour ago")
    clock.forward(seconds=3_600)
    await here.feeds.look()
    await asyncio.sleep(0)
    assert not waiting.done()
    for _ in range(60):
        await here.feeds.look()
    async with asyncio.timeout(10):
        heard = await waiting
    assert not isinstance(heard, Opened | Passing)
    feed.close()


async def test_a_session_is_forgotten_whole(rig: Rig) -> None:
    await write(rig, "Hello")
    await write(rig, "Hello", name="ewa")
    assert rig.store.write_now(lambda tx: session_lines.forget(tx, session(OLA))) == 1
    assert [each["session"] for each in rig.rows("session_lines")] == [session("ewa")]
    assert [each["name"] for each in rig.rows("sessions")] == [session("ewa")]
