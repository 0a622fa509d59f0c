"""Journal rows become settled messages: lanes in order, faults retried, poison set aside, nothing waits for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.contract import Costly, Message, RawMessage, Unavailable
from channels.email import identity
from channels.email import message as mail_reader
from intake import dispatch, parsing, pipeline, pressure
from intake.dispatch import Dispatcher
from intake.journal import Journal
from intake.parsing import Parsing, Reader
from intake.store.engine import StoreError, Tx
from tests.domain.world import SUPPORT, World


class Mail:
    """The mail reader, with faults that a test switches on by a word in the mail."""

    Options = mail_reader.Options
    __name__ = "channels.email.message"

    @staticmethod
    def parse(raw: RawMessage, options: Any, evidence: Any = None) -> Message:
        if b"POISON" in raw.body:
            raise RuntimeError("a bug in the parser")
        if b"COSTLY" in raw.body:
            raise Costly
        return mail_reader.parse(raw, options)


@asynccontextmanager
async def running(
    world: World, told: list[tuple[str, dict[str, Any]]] | None = None
) -> AsyncIterator[tuple[Journal, Dispatcher]]:
    journal = Journal(world.store, world.keys, folder=world.folder)
    world.folder.mkdir(exist_ok=True)
    parser = Parsing({"support": Reader(Mail(), mail_reader.Options())}, wall_s=20)
    dispatcher = Dispatcher(
        world.store,
        journal,
        parser,
        folder=world.folder,
        context=lambda: world.context,
        told=lambda event, fields: told.append((event, fields)) if told is not None else None,
    )
    loop = asyncio.get_running_loop()

    def heard(signals: dict[str, Any]) -> None:
        if "journal" in signals:
            loop.call_soon_threadsafe(dispatcher.wake)
        if "journal_again" in signals:
            loop.call_soon_threadsafe(dispatcher.rescan)

    world.store.listen(heard)
    task = asyncio.create_task(dispatcher.run())
    try:
        yield journal, dispatcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await parser.close()


def raw(world: World, sender: str, body: str, *, lane: str | None = None) -> RawMessage:
    content = world.mail(sender, subject="s", body=body, headers={})
    key = identity.content_key(content)
    return RawMessage(
        kind="email.smtp",
        account="support",
        lane=lane or sender,
        keys=(key,) if key else (),
        body=content,
        received_at=datetime(2026, 11, 10, 9, tzinfo=UTC),
        envelope={"sender": sender, "recipients": [SUPPORT]},
    )


async def test_what_was_submitted_is_settled(world: World) -> None:
    """A receipt leads to a ticket without anybody asking again."""
    async with running(world) as (journal, dispatcher):
        receipt = await journal.submit(raw(world, "jan@x.example", "hello"))
        await dispatcher.idle()
    assert world.row("journal", receipt.id)["state"] == "ticket"


async def test_lane_settles_in_journal_order(world: World) -> None:
    """Fifty mails of one sender become messages in the order they were taken, others in between."""
    async with running(world) as (journal, dispatcher):
        for number in range(50):
            await journal.submit(raw(world, "jan@x.example", f"number {number:02}"))
            await journal.submit(raw(world, f"other{number}@x.example", "else"))
        await dispatcher.idle()
    bodies = [row["body"].strip() for row in world.rows("messages", "author = 'jan@x.example' ORDER BY id")]
    assert bodies == [f"number {number:02}" for number in range(50)]


async def test_who_speaks_on_before_a_backlog_is_known_is_heard_behind_what_they_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that is to be settled first comes behind the rows of its lane that no look at the journal has found yet."""
    monkeypatch.setattr(dispatch, "PAGE", 3)
    for number in range(9):  # of a daemon that was killed
        world.journal(f"other{number}@x.example")
        world.journal("jan@x.example", body=f"number {number}")
    async with running(world) as (journal, dispatcher):
        last = await journal.submit(raw(world, "jan@x.example", "number 9"))
        dispatcher.settle_first([(last.id, "jan@x.example")])
        await dispatcher.idle()
    bodies = [row["body"].strip() for row in world.rows("messages", "author = 'jan@x.example' ORDER BY id")]
    assert bodies == [f"number {number}" for number in range(10)]


async def test_rows_of_many_pages_are_each_taken_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking again from the start while pages of rows are under way settles nothing twice."""
    monkeypatch.setattr(dispatch, "PAGE", 3)
    ids = [world.journal(f"c{number}@x.example") for number in range(20)]
    async with running(world) as (_, dispatcher):
        for _ in range(5):
            dispatcher.rescan()
            await asyncio.sleep(0)
        await dispatcher.idle()
    assert len(world.rows("tickets")) == len(ids)


async def test_duplicate_settles_behind_its_first_whatever_its_lane(world: World) -> None:
    """The same mail from another envelope sender waits for the first one's lane and finds its ticket."""
    mail = raw(world, "jan@x.example", "hello")
    async with running(world) as (journal, dispatcher):
        first = await journal.submit(mail)
        again = await journal.submit(RawMessage(**{**_fields(mail), "lane": "forwarder@y.example"}))
        await dispatcher.idle()
    assert again.duplicate
    assert world.row("journal", again.id)["ticket_id"] == world.row("journal", first.id)["ticket_id"]


async def test_rows_of_a_crash_are_taken_up(world: World) -> None:
    """What an earlier process journalled and never settled is settled at the start."""
    left = [world.journal(f"c{number}@x.example") for number in range(5)]
    async with running(world) as (_, dispatcher):
        await dispatcher.idle()
    assert [world.row("journal", each)["state"] for each in left] == ["ticket"] * 5


@pytest.mark.slow
async def test_mail_that_breaks_the_parser_is_read_on_the_slow_road(world: World) -> None:
    """A bug in the fast parser costs nothing: the limited process reads the same mail."""
    async with running(world) as (journal, dispatcher):
        receipt = await journal.submit(raw(world, "jan@x.example", "POISON in it"))
        await dispatcher.idle()
    row = world.row("journal", receipt.id)
    assert row["state"] == "ticket"
    assert "POISON" in world.row("messages", row["message_id"])["body"]


@pytest.mark.slow
async def test_costly_mail_is_parsed_in_the_worker_process(world: World) -> None:
    """What would leave the fast road goes to the worker, and is a ticket like any other."""
    async with running(world) as (journal, dispatcher):
        receipt = await journal.submit(raw(world, "jan@x.example", "COSTLY thing"))
        await dispatcher.idle()
    assert world.row("journal", receipt.id)["state"] == "ticket"


async def test_mail_beyond_all_bounds_is_a_quarantined_ticket(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the worker dies over it, the envelope still makes a ticket and the mail behind it goes on."""

    async def dies(self: parsing.Worker, reader: Any, raw: RawMessage, evidence: Any) -> Message:
        raise parsing.Unreadable("the parser died")

    monkeypatch.setattr(parsing.Worker, "parse", dies)
    async with running(world) as (journal, dispatcher):
        bad = await journal.submit(raw(world, "jan@x.example", "COSTLY"))
        good = await journal.submit(raw(world, "jan@x.example", "fine"))
        await dispatcher.idle()
    assert [world.row("journal", each.id)["state"] for each in (bad, good)] == ["quarantined", "ticket"]
    assert world.row("journal", bad.id)["ticket_id"] is not None


def failing(error: Exception, times: int) -> Callable[..., None]:
    """A settle that fails so often for mails with BROKEN in them, then works."""
    real = pipeline.settle
    left = [times]

    def settle(tx: Tx, context: Any, received: Any, message: Message, *, problem: str | None = None) -> None:
        if "BROKEN" in message.text and left[0]:
            left[0] -= 1
            raise error
        real(tx, context, received, message, problem=problem)

    return settle


async def test_settle_that_fails_five_times_is_quarantined_and_its_lane_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours on one message ends with a row that says so; the sender's next mail is a ticket."""
    monkeypatch.setattr(dispatch, "BACK_OFF_S", (0, 0, 0, 0))
    monkeypatch.setattr(pipeline, "settle", failing(ValueError("a bug"), times=99))
    told: list[tuple[str, dict[str, Any]]] = []
    async with running(world, told) as (journal, dispatcher):
        bad = await journal.submit(raw(world, "jan@x.example", "BROKEN"))
        good = await journal.submit(raw(world, "jan@x.example", "fine"))
        await dispatcher.idle()
    row = world.row("journal", bad.id)
    assert (row["state"], row["attempts"], row["ticket_id"]) == ("quarantined", 5, None)
    assert world.row("journal", good.id)["state"] == "ticket"
    assert "message_quarantined" in [event for event, _ in told]


async def test_a_passing_fault_is_retried_in_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two failures and then success: the message is settled, and before the next one of its lane."""
    monkeypatch.setattr(dispatch, "BACK_OFF_S", (0, 0, 0, 0))
    monkeypatch.setattr(pipeline, "settle", failing(ValueError("passing"), times=2))
    async with running(world) as (journal, dispatcher):
        first = await journal.submit(raw(world, "jan@x.example", "BROKEN"))
        second = await journal.submit(raw(world, "jan@x.example", "fine"))
        await dispatcher.idle()
    rows = [world.row("journal", each.id) for each in (first, second)]
    assert [row["state"] for row in rows] == ["ticket", "ticket"]
    assert rows[0]["message_id"] < rows[1]["message_id"]


async def test_a_full_disk_never_counts_against_the_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the machine fails, the message stays pending and is settled in the end."""
    monkeypatch.setattr(dispatch, "STORE_BACK_OFF_S", 0)
    monkeypatch.setattr(pipeline, "settle", failing(StoreError("the disk is full", is_full=True), times=9))
    async with running(world) as (journal, dispatcher):
        receipt = await journal.submit(raw(world, "jan@x.example", "BROKEN"))
        await dispatcher.idle()
    row = world.row("journal", receipt.id)
    assert (row["state"], row["attempts"]) == ("ticket", 0)


async def test_replayed_row_is_settled_again_while_running(world: World) -> None:
    """`journal replay` beside a running dispatcher reaches a row that lies behind it."""
    from intake import journal as rows

    async with running(world) as (journal, dispatcher):
        receipt = await journal.submit(raw(world, "jan@x.example", "hello"))
        await journal.submit(raw(world, "jan@x.example", "next"))
        await dispatcher.idle()
        await world.store.write(lambda tx: rows.replay(tx, receipt.id))
        await dispatcher.idle()
    assert world.row("journal", receipt.id)["state"] == "ticket"
    assert "parsed_again" in world.events(world.ticket(world.row("journal", receipt.id)))


async def test_submit_refuses_temporarily_before_the_disk_is_full(world: World) -> None:
    """Under the watermark the sender is told to come back; nothing was stored."""
    world.folder.mkdir(exist_ok=True)
    journal = Journal(world.store, world.keys, folder=world.folder, min_free_disk_bytes=2**62)
    with pytest.raises(Unavailable) as refused:
        await journal.submit(raw(world, "jan@x.example", "hello"))
    assert refused.value.full
    assert world.rows("journal") == []


async def test_cancelled_submit_is_committed_all_the_same(world: World) -> None:
    """A client that hangs up during the commit undoes nothing."""
    world.folder.mkdir(exist_ok=True)
    journal = Journal(world.store, world.keys, folder=world.folder)
    task = asyncio.create_task(journal.submit(raw(world, "jan@x.example", "hello")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await world.store.write(lambda tx: None)  # behind it in the writer's queue
    assert len(world.rows("journal")) == 1


async def test_cursor_is_saved_with_the_bytes(world: World) -> None:
    """A channel finds where it was, exactly as far as the journal has it."""
    world.folder.mkdir(exist_ok=True)
    journal = Journal(world.store, world.keys, folder=world.folder)
    assert await journal.cursor("support") is None
    await journal.submit(RawMessage(**{**_fields(raw(world, "jan@x.example", "hello")), "cursor": b"42:7"}))
    assert await journal.cursor("support") == b"42:7"


async def test_known_names_the_keys_the_journal_holds(world: World) -> None:
    """Asked about keys, the journal names exactly those it has seen."""
    world.folder.mkdir(exist_ok=True)
    journal = Journal(world.store, world.keys, folder=world.folder)
    mail = raw(world, "jan@x.example", "hello")
    await journal.submit(mail)
    assert await journal.known([mail.keys[0], "other"]) == {mail.keys[0]}


def _fields(mail: RawMessage) -> dict[str, Any]:
    return {name: getattr(mail, name) for name in mail.__struct_fields__}


async def test_a_burst_that_lasts_is_slowed_down_to_what_is_settled(world: World) -> None:
    """While slow, a submit waits for one settlement, and goes on at it."""
    world.folder.mkdir(exist_ok=True)
    journal = Journal(world.store, world.keys, folder=world.folder)
    journal.pressure.settle_lag(60)
    first = asyncio.create_task(journal.submit(raw(world, "a@x.example", "one")))
    second = asyncio.create_task(journal.submit(raw(world, "b@x.example", "two")))
    await asyncio.sleep(0)
    journal.pressure.give_turn()
    await first
    assert not second.done()
    journal.pressure.settle_lag(0)
    await second


async def test_a_slow_journal_takes_a_message_at_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing is settled at all, senders are kept waiting, never for ever."""
    monkeypatch.setattr(pressure, "TURN_LIMIT_S", 0.01)
    world.folder.mkdir(exist_ok=True)
    journal = Journal(world.store, world.keys, folder=world.folder)
    journal.pressure.settle_lag(60)
    receipt = await journal.submit(raw(world, "a@x.example", "one"))
    assert not receipt.duplicate
