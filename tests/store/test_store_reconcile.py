"""Two daemons on one database ask Twilio for the same lost things at once: each is kept once, and all are counted."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from channels.twilio import position
from channels.twilio.simulator import rest
from channels.twilio.simulator.provider import Provider
from intake import ledger
from intake.journal import Journal
from intake.keys import Keys
from intake.store import schema
from intake.store.engine import Store
from intake.store.statements import Statement
from tests.phone.outage import OTHER, OWN, Desk

_KEPT = Statement(select(schema.journal.c.key).where(schema.journal.c.duplicate_of.is_(None)))


@pytest.mark.slow
async def test_two_daemons_make_up_for_an_outage_each_thing_once(
    open_store: Callable[[], Store], tmp_path: Path
) -> None:
    """With webhooks that come late meanwhile, by either of them."""
    keys = Keys.load_or_create(tmp_path / "keys.json")
    stores = [open_store(), open_store()]
    provider = Provider(numbers=(OWN,))
    async with rest.serving(provider) as url:
        desks = [Desk(provider, url, Journal(each, keys, folder=tmp_path)) for each in stores]
        await asyncio.gather(*(each.round() for each in desks))
        provider.advance(60)
        told = desks[0].half_an_hour(160)
        provider.advance(900)
        late = random.Random(5).sample(told, 60)
        await asyncio.gather(
            *(each.round() for each in desks * 2),
            *(desks[number % 2].gate.submit(raw) for number, raw in enumerate(late)),
        )
        for each in desks:
            await each.round()
            await each.api.close()
    kept = [row[0] for row in stores[0].read_now(lambda tx: tx.all(_KEPT))]
    assert sorted(kept) == sorted(map(keys.fingerprint, desks[0].expected()))
    assert [row["missing"] for row in ledger.rows(stores[1])] == [0, 0]


async def test_a_number_that_one_of_two_daemons_has_begun_stays_begun(
    open_store: Callable[[], Store], tmp_path: Path
) -> None:
    """Settings are changed on one machine first: the other one goes on with its own for a while."""
    keys = Keys.load_or_create(tmp_path / "keys.json")
    journals = [Journal(open_store(), keys, folder=tmp_path) for _ in range(2)]
    provider = Provider(numbers=(OWN, OTHER))
    async with rest.serving(provider) as url:
        new = Desk(provider, url, journals[0], numbers=(OWN, OTHER))
        old = Desk(provider, url, journals[1])
        begun_at = provider.at
        for _ in range(4):
            await asyncio.gather(new.texts().round(new.gate), old.texts().round(old.gate))
            provider.advance(300)
        await new.api.close()
        await old.api.close()
    for number in (OWN, OTHER):
        saved = position.decode(await journals[0].cursor(f"texts/{number}"))
        assert saved is not None
        assert saved.begun == begun_at
