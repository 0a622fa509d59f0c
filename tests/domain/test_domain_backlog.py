"""The second process that reads and parses while a backlog lasts."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from channels.email import message as mail_reader
from intake import backlog, dispatch
from intake.backlog import BacklogReader
from intake.child import ChildFailed
from intake.dispatch import Dispatcher
from intake.journal import Journal
from intake.parsing import Parsing, Reader
from tests.domain.world import World


@asynccontextmanager
async def reading(world: World) -> AsyncIterator[BacklogReader]:
    readers = {"support": Reader(mail_reader, mail_reader.Options())}
    reader = BacklogReader(store="", folder=world.folder.parent, readers=readers)
    try:
        yield reader
    finally:
        await reader.close()


@pytest.mark.slow
async def test_rows_come_back_understood_and_without_their_bytes(world: World) -> None:
    """What the process read is what the parser says; the bytes stay where they are."""
    ids = [world.journal(f"c{number}@x.example", subject=f"s{number}") for number in range(3)]
    async with reading(world) as reader:
        answers = await reader.read(ids)
    subjects = [answer[1].message.subject for answer in answers if answer and answer[1]]
    assert subjects == ["s0", "s1", "s2"]
    assert all(answer is not None and answer[0].raw.body == b"" for answer in answers)


@pytest.mark.slow
async def test_what_needs_the_slow_road_comes_back_with_its_bytes(world: World) -> None:
    """A bomb is not parsed there: whoever asked has what the limited process needs."""
    bomb = (
        b"From: a@x.example\r\nSubject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\n\r\n\r\n" * 100_000
    )
    number = world.journal(content=bomb)
    async with reading(world) as reader:
        (answer,) = await reader.read([number])
    assert answer is not None
    assert answer[1] is None
    assert answer[0].raw.body == bomb


@pytest.mark.slow
async def test_a_row_it_cannot_read_is_left_to_the_daemon(world: World) -> None:
    """A missing row, or a damaged blob, is answered with nothing, and the others are read."""
    number = world.journal()
    async with reading(world) as reader:
        answers = await reader.read([number, 4711])
    assert answers[0] is not None
    assert answers[1] is None


@pytest.mark.slow
async def test_a_killed_process_is_told_and_replaced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch under way fails in one sentence; the next one starts another process."""
    monkeypatch.setattr(backlog, "REST_S", 0)
    number = world.journal()
    async with reading(world) as reader:
        await reader.read([number])
        process = reader._child._process
        assert process is not None
        # Stopped first: the request is then on its way when the process dies.
        os.kill(process.pid, signal.SIGSTOP)
        asked = asyncio.create_task(reader.read([number]))
        await asyncio.sleep(0)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(ChildFailed, match="died"):
            await asked
        assert (await reader.read([number]))[0] is not None


@pytest.mark.slow
async def test_a_backlog_is_settled_through_it_in_lane_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the second process in use every row is settled once, and each sender's mails in order."""
    monkeypatch.setattr(dispatch, "BATCH", 2)
    monkeypatch.setattr(dispatch, "BACKLOG", 2)
    for number in range(30):
        world.journal("jan@x.example", body=f"number {number:02}")
        world.journal(f"c{number}@x.example")
    journal = Journal(world.store, world.keys, folder=world.folder)
    parser = Parsing({"support": Reader(mail_reader, mail_reader.Options())})
    async with reading(world) as reader:
        await reader.read([])
        told: list[tuple[str, dict[str, Any]]] = []
        dispatcher = Dispatcher(
            world.store,
            journal,
            parser,
            folder=world.folder,
            context=lambda: world.context,
            told=lambda event, fields: told.append((event, fields)),
            backlog=reader,
        )
        task = asyncio.create_task(dispatcher.run())
        await dispatcher.idle()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await parser.close()
    bodies = [row["body"].strip() for row in world.rows("messages", "author = 'jan@x.example' ORDER BY id")]
    assert bodies == [f"number {number:02}" for number in range(30)]
    assert len(world.rows("tickets")) == 60
