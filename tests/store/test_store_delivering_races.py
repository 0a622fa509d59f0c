"""Several daemons on one store that look at the outbox in the same moment: each message leaves once."""

import asyncio
import functools
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Delivered, OutboundMessage
from channels.twilio.simulator.provider import Provider
from intake import attempts
from intake.delivering import Outbox
from intake.store import opening
from intake.store.engine import Store
from tests.domain.world import World
from tests.phone.texted import Texted
from tests.store.racing import WRITERS


class Relay:
    """Takes mail, not at once."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def deliver(self, outbound: OutboundMessage) -> Delivered:
        self.taken.append(outbound.id)
        await asyncio.sleep(0)
        return Delivered("queued")


async def test_of_eight_daemons_one_begins_a_try(store: Store, tmp_path: Path, clock: Any) -> None:
    desk = Texted(store, tmp_path, clock, Provider(numbers=("+48221234567",)), "http://127.0.0.1:9")
    row = desk.answer(desk.text())
    for attempt in (1, 2):
        begin = functools.partial(attempts.begin, outbox_id=row["id"], attempts=attempt)
        begun = await asyncio.gather(*(store.write(begin) for _ in range(WRITERS)))
        assert sorted(begun) == [False] * (WRITERS - 1) + [True]
        desk.advance(seconds=90)
    await desk.close()


@pytest.fixture
def stores(postgres_url: str, tmp_path: Path, clock: Any) -> Iterator[list[Store]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(opening.open_store(postgres_url, tmp_path, clock=clock)))
            for _ in range(2)
        ]


@pytest.mark.postgres
async def test_two_daemons_that_look_at_once_send_a_mail_once(
    stores: list[Store], tmp_path: Path, clock: Any
) -> None:
    world = World(stores[0], tmp_path, clock)
    world.reply(world.ticket(world.receive()))
    relay = Relay()
    daemons = [Outbox(store, {"support": relay}) for store in stores]
    looks = [await daemon._due() for daemon in daemons]
    assert all(rows for rows, _ in looks)
    sends = []
    for daemon, (rows, _) in zip(daemons, looks, strict=True):
        for queued in rows:
            await daemon._free.acquire()
            sends.append(daemon._send(queued))
    await asyncio.gather(*sends)
    assert len(relay.taken) == len(set(relay.taken)) == len(looks[0][0])
