"""Reports, notes and look-ups of one delivery at the same moment, on both engines: forward only, and each id once."""

import asyncio
import functools
import itertools
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Delivered, DeliveryReport, DeliveryState
from channels.twilio.simulator.provider import Provider
from intake import attempts, outbox, reports
from intake.store import schema
from intake.store.engine import Store, Tx
from tests.phone.texted import Texted
from tests.store.racing import WRITERS

SID = "SM" + "a" * 32
STATES: tuple[DeliveryState, ...] = ("queued", "sent", "failed", "delivered", "read")


@pytest.fixture
def desk(store: Store, tmp_path: Path, clock: Any) -> Texted:
    return Texted(store, tmp_path, clock, Provider(numbers=("+48221234567",)), "http://127.0.0.1:9")


async def test_reports_and_the_note_at_one_moment_end_with_what_arrived(desk: Texted) -> None:
    """Whoever commits first: the last word is that it was read, the answer counts, and the id is kept."""
    ticket = desk.text()
    received = desk.received(desk.report("SM" + "b" * 32, "sent"))
    for order in itertools.islice(itertools.permutations(STATES), 0, 120, 24):
        row = desk.answer(ticket)
        desk.store.write_now(functools.partial(attempts.begin, outbox_id=row["id"], attempts=1))
        said = [
            DeliveryReport(provider_id=SID, state=state, reference=desk.reference(row), detail="a filter")
            for state in order
        ]
        note = functools.partial(
            outbox.note_delivered, outbox_id=row["id"], delivered=Delivered(SID), attempts=1
        )
        settle = functools.partial(reports.settle, context=desk.context, received=received)
        await asyncio.gather(
            *(desk.store.write(functools.partial(settle, happening=each)) for each in said),
            desk.store.write(note),
        )
        after = desk.again(row)
        assert (after["state"], after["provider_id"]) == ("read", SID), order
        assert desk.row("tickets", ticket["id"])["agent_replied_at"] is not None
        forget = functools.partial(tell_apart, outbox_id=row["id"])
        desk.store.write_now(forget)


def tell_apart(tx: Tx, outbox_id: int) -> None:
    """Let the next row have the same id at the provider."""
    tx.update(schema.outbox, {"id": outbox_id}, provider_id=None)


async def test_what_the_provider_has_is_claimed_once_by_whoever_looks_first(desk: Texted) -> None:
    ticket = desk.text()
    rows = [desk.answer(ticket, "ok") for _ in range(WRITERS)]
    for row in rows:
        desk.store.write_now(functools.partial(attempts.begin, outbox_id=row["id"], attempts=1))
    found = [f"SM{number}" for number in range(3)]
    claim = functools.partial(attempts.claim, found=found)
    claimed = await asyncio.gather(
        *(desk.store.write(functools.partial(claim, outbox_id=row["id"])) for row in rows)
    )
    assert sorted(each for each in claimed if each is not None) == found
    assert claimed.count(None) == WRITERS - 3
