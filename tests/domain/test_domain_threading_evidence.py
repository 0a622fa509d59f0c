"""What a channel looks up about a message is asked once, kept with its journal row, and read again by a replay."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from channels.contract import RawMessage
from channels.email import identity, origin
from channels.email import message as mail_reader
from intake import journal
from intake.dispatch import Dispatcher
from intake.journal import Journal
from intake.parsing import Parsing, Reader
from tests.domain.world import SUPPORT, World

JAN = "jan@customer.example"
PROVEN = {
    "results": [{"method": "dmarc", "result": "pass", "properties": {"header.from": "customer.example"}}]
}
OPTIONS = mail_reader.Options(verify=origin.Verify(relays=()))


class Network:
    """Stands for the DNS: says what it is told, and counts."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked = 0

    async def examine(self, raw: RawMessage) -> Any:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@contextlib.asynccontextmanager
async def running(world: World, network: Network) -> AsyncIterator[tuple[Journal, Dispatcher]]:
    taken = Journal(world.store, world.keys, folder=world.folder)
    world.folder.mkdir(exist_ok=True)
    parser = Parsing({"support": Reader(mail_reader, OPTIONS, network.examine)})
    dispatcher = Dispatcher(world.store, taken, parser, folder=world.folder, context=lambda: world.context)
    task = asyncio.create_task(dispatcher.run())
    try:
        yield taken, dispatcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await parser.close()


def raw(world: World, *, body: str = "My printer burns.", **headers: str) -> RawMessage:
    content = world.mail(JAN, subject="s", body=body, headers=headers)
    key = identity.content_key(content)
    return RawMessage(
        kind="email.smtp",
        account="support",
        lane=JAN,
        keys=(key,) if key else (),
        body=content,
        received_at=world.clock(),
        envelope={"sender": JAN, "recipients": [SUPPORT], "peer": "192.0.2.7"},
    )


async def test_evidence_is_what_the_sender_is_proven_by(world: World) -> None:
    async with running(world, Network(PROVEN)) as (taken, dispatcher):
        await taken.submit(raw(world))
        await dispatcher.idle()
    assert [row["is_verified"] for row in world.rows("messages", "direction = 'in'")] == [1]


async def test_replay_asks_nobody_and_reads_the_same(world: World) -> None:
    """Keys are withdrawn after months; what was proven once stays proven."""
    async with running(world, Network(PROVEN)) as (taken, dispatcher):
        receipt = await taken.submit(raw(world))
        await dispatcher.idle()
    later = Network({"results": []})
    async with running(world, later) as (_, dispatcher):
        world.store.write_now(lambda tx: journal.replay(tx, receipt.id))
        await dispatcher.idle()
    assert later.asked == 0
    assert [row["is_verified"] for row in world.rows("messages", "direction = 'in'")] == [1]
    assert msgspec.json.decode(world.row("journal", receipt.id)["evidence"]) == PROVEN


@pytest.mark.parametrize("answer", [RuntimeError("a bug"), {}, {"results": "nonsense"}, {"results": []}])
async def test_fault_of_the_look_up_delays_nothing_and_proves_nothing(world: World, answer: Any) -> None:
    """The mail is a ticket; its own words about itself do not take the evidence's place."""
    said = {"Authentication-Results": "mx.example.com; dmarc=pass header.from=customer.example"}
    async with running(world, Network(answer)) as (taken, dispatcher):
        receipt = await taken.submit(raw(world, **said))
        await dispatcher.idle()
    assert world.row("journal", receipt.id)["state"] == "ticket"
    assert [row["is_verified"] for row in world.rows("messages", "direction = 'in'")] == [0]


@pytest.mark.slow
async def test_slow_road_is_told_the_evidence_too(world: World) -> None:
    """Mail that is costly to read is read in another process: what was looked up goes there with it."""
    html = "<p>" * 5_000 + "<b>It burns</b>" * 20_000
    mail = raw(world)
    body = mail.body.replace(b"text/plain", b"text/html").replace(b"My printer burns.", html.encode())
    async with running(world, Network(PROVEN)) as (taken, dispatcher):
        await taken.submit(msgspec.structs.replace(mail, body=body))
        await dispatcher.idle()
    assert [row["is_verified"] for row in world.rows("messages", "direction = 'in'")] == [1]
