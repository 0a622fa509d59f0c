"""Two daemons on one PostgreSQL: what is said at one is heard at the other at once, and nothing is lost when no word comes through.

Looking for what others have written is put off for an hour here, so that only words can bring what is waited for.
"""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from intake import chats, neighbours
from intake.neighbours import Line, Word
from intake.store import announcing
from intake.web.access import Who
from tests.web.chat_daemon import ChatDaemon, Visitor, chatting

pytestmark = pytest.mark.postgres

ANIA = Who(kind="agent", name="ania", role="admin", teams=frozenset(), session="s")
WITHIN_S = 10.0


@asynccontextmanager
async def two(folder: Path, url: str) -> AsyncIterator[tuple[ChatDaemon, ChatDaemon]]:
    """Run two daemons with the same keys."""
    for name in ("here", "there"):
        (folder / name).mkdir()
    async with chatting(folder / "here", store=url) as here:
        (folder / "there" / "var").mkdir()
        shutil.copy2(folder / "here" / "var" / "keys.json", folder / "there" / "var" / "keys.json")
        async with chatting(folder / "there", store=url) as there:
            yield here, there


@pytest.fixture
async def daemons(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[ChatDaemon, ChatDaemon]]:
    monkeypatch.setattr("intake.upkeep.FOREIGN_LOOK_S", 3_600.0)
    monkeypatch.setattr("intake.upkeep.FOREIGN_LOOK_DEAF_S", 3_600.0)
    async with two(tmp_path, postgres_url) as both:
        await until_heard(*both)
        yield both


async def until_heard(*daemons: ChatDaemon) -> None:
    async with asyncio.timeout(WITHIN_S):
        for each in daemons:
            assert each.daemon.neighbours is not None
            while not each.daemon.neighbours.is_heard:
                await asyncio.sleep(0.01)


async def begun(here: ChatDaemon) -> tuple[Visitor, str]:
    """A visitor at a daemon whose first line is a ticket; its ref."""
    ola = here.visitor()
    await ola.connect()
    await ola.write("Where is it?")
    return ola, await here.ref()


async def told(daemon: ChatDaemon, what: str, doing: Any) -> dict[str, Any]:
    """What an agent's screen is told while something is done elsewhere."""
    live = daemon.daemon.live
    with live.listening(ANIA, after="") as listener:
        await doing()
        async with asyncio.timeout(WITHIN_S):
            while True:
                for block in (await listener.next(1.0)).split(b"\n\n"):
                    data = block.partition(b"data: ")[2]
                    if data and (found := msgspec.json.decode(data)).get("what") == what:
                        return dict(found)


async def test_an_answer_given_at_one_daemon_is_heard_at_the_other_at_once(
    daemons: tuple[ChatDaemon, ChatDaemon],
) -> None:
    here, there = daemons
    ola, ref = await begun(here)
    for number in range(3):
        await there.reply(f"Answer {number}", ref=ref)
    lines = await ola.lines(4)
    assert [(each["seq"], each["author"], each["text"]) for each in lines] == [
        (1, "customer", "Where is it?"),
        *((number + 2, "agent", f"Answer {number}") for number in range(3)),
    ]


async def test_two_tabs_at_two_daemons_hear_each_other(daemons: tuple[ChatDaemon, ChatDaemon]) -> None:
    here, there = daemons
    one, other = here.visitor(), there.visitor()
    other.token = one.token
    await one.connect()
    await other.connect()
    for number in range(5):
        await one.write(f"{number} here")
        await other.write(f"{number} there")
    assert await one.lines(10) == await other.lines(10)


async def test_the_same_line_said_to_both_daemons_is_kept_once(
    daemons: tuple[ChatDaemon, ChatDaemon],
) -> None:
    here, there = daemons
    one, other, line_id = here.visitor(), there.visitor(), str(uuid.uuid4())
    other.token = one.token
    await one.connect()
    await other.connect()
    acks = await asyncio.gather(*(each.write("Once", line_id=line_id) for each in (one, other)))
    assert acks[0] == acks[1]
    assert len(here.rows("SELECT seq FROM session_lines")) == 1


async def test_a_line_taken_at_one_daemon_is_on_the_screen_of_an_agent_at_the_other(
    daemons: tuple[ChatDaemon, ChatDaemon],
) -> None:
    here, there = daemons
    ola, ref = await begun(here)
    shown = await told(there, "chat_line", lambda: ola.write("Are you there?"))
    assert (shown["ref"], shown["seq"], shown["text"]) == (ref, 2, "Are you there?")


async def test_who_types_and_who_has_read_is_told_across(daemons: tuple[ChatDaemon, ChatDaemon]) -> None:
    here, there = daemons
    ola, ref = await begun(here)
    typing = await told(there, "chat_typing", lambda: ola.say("typing"))
    context = there.daemon.reloader.context()
    await there.write(lambda tx: chats.here(tx, context, ref, agent="ania", is_writing=True))
    heard = {(await ola.hear("typing", "read"))["t"] for _ in range(2)}
    assert (typing["ref"], heard) == (ref, {"typing", "read"})


async def test_what_was_said_while_no_word_came_through_is_found_when_one_does_again(
    daemons: tuple[ChatDaemon, ChatDaemon], postgres_url: str
) -> None:
    here, there = daemons
    ola, ref = await begun(here)
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'intake words' AND datname = current_database()"
        )
    await there.reply("Said into the void", ref=ref)
    assert (await ola.lines(2))[-1]["text"] == "Said into the void"


async def test_where_no_word_ever_comes_through_looking_is_enough(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a pooler LISTEN is answered, and nothing is heard."""
    monkeypatch.setattr("intake.upkeep.FOREIGN_LOOK_S", 3_600.0)
    monkeypatch.setattr(announcing, "_CHANNEL", "another")
    async with two(tmp_path, postgres_url) as (here, there):
        ola, ref = await begun(here)
        await there.reply("Found", ref=ref)
        assert (await ola.lines(2))[-1]["text"] == "Found"
        assert here.daemon.neighbours is not None
        assert not here.daemon.neighbours.is_heard


def test_a_word_of_many_things_is_told_in_parts_that_the_server_takes() -> None:
    lines = tuple(Line(f"chat:website:{number:0>64}", "website", number, 1) for number in range(500))
    words = list(neighbours._spoken(Word(lines=lines, has_happened=True)))
    again = [neighbours._decode(each) for each in words]
    assert max(len(each.encode()) for each in words) <= announcing.WORD_MAX_BYTES
    assert tuple(line for each in again for line in each.lines) == lines
    assert [each.has_happened for each in again].count(True) == 1
