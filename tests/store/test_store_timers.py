"""Timers and digests on both engines: what is due is read alike, and eight writers at once do each thing once."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from intake import digests, due, timer_list
from intake.digest_text import Item
from intake.sections import Limits
from intake.store.engine import Store, Tx
from intake.timers import Timers
from tests.domain.world import World
from tests.store.racing import WRITERS, at_once

ANIA = "ania@desk.example"


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> World:
    made = World(store, tmp_path, clock)
    made.context = msgspec.structs.replace(made.context, limits=Limits(notices_per_minute=1))
    return made


def send(world: World) -> int | None:
    return world.store.write_now(lambda tx: digests.send(tx, world.context, ANIA))


def test_a_digest_that_eight_daemons_write_at_once_is_one(world: World) -> None:
    for number in range(3):
        world.receive(f"c{number}@customer.example")
    world.advance(hours=1)
    world.fire_due()
    world.advance(minutes=1)
    written = [each for each in at_once([partial(send, world)] * WRITERS) if each is not None]
    assert len(written) == len(world.rows("outbox", "action = 'digest'")) == 1
    assert [row["id"] for row in world.rows("digests")] == written


def test_no_crowd_of_steps_gets_past_the_cap(world: World) -> None:
    """Eight steps at once for one agent are one mail and seven rows, and each of them has reached somebody."""
    for number in range(WRITERS):
        world.receive(f"c{number}@customer.example")
    world.advance(hours=1)
    at_once([partial(world.fire, row) for row in world.rows("timers", "step = 'nudge/0'")])
    assert len(world.rows("outbox", "action LIKE 'notify:escalated:%'")) == 1
    assert sorted(row["place"] for row in world.rows("digest_items")) == list(range(1, WRITERS))
    assert [(row["held"], row["told"]) for row in world.rows("digest_boxes")] == [(WRITERS - 1, 0)]


def test_what_is_held_while_a_digest_is_written_is_told_in_it_or_in_the_next(world: World) -> None:
    """Eight steps and eight digests at once: each notice stands in exactly one."""
    for number in range(WRITERS):
        world.receive(f"c{number}@customer.example")
    world.advance(hours=1)
    rows = world.rows("timers", "step = 'nudge/0'")
    at_once([call for row in rows for call in (partial(world.fire, row), partial(send, world))])
    (box,) = world.rows("digest_boxes")
    assert (box["send_at"] is not None) == (box["held"] > box["told"])
    world.advance(minutes=1)
    send(world)
    told = [
        item.id
        for row in world.rows("digests")
        for item in world.store.read_now(partial(items, digest=row["id"]))
    ]
    assert sorted(told) == sorted(row["id"] for row in world.rows("digest_items"))


def items(tx: Tx, digest: int) -> list[Item]:
    return digests.items_of(tx, digest)


def test_a_timer_that_breaks_in_eight_daemons_is_counted_by_each(world: World) -> None:
    ticket = world.ticket(world.receive())
    timer = world.rows("timers", "ticket_id = :id ORDER BY due_at", id=ticket["id"])[0]

    def fail() -> int | None:
        return world.store.write_now(lambda tx: due.note_failure(tx, timer["id"], ticket["id"], "KeyError"))

    counted = [each for each in at_once([fail] * WRITERS) if each is not None]
    assert sorted(counted) == list(range(1, due.ATTEMPTS_MAX + 1))
    assert world.row("timers", timer["id"])["state"] == "failed"
    assert world.events(ticket).count("timer_failed") == 1


def test_what_is_due_is_read_in_order_with_what_is_tried_again(world: World) -> None:
    for number in range(3):
        world.receive(f"c{number}@customer.example")
        world.advance(seconds=1)
    world.advance(hours=1)
    in_order = [row["id"] for row in world.rows("timers", "step = 'nudge/0' ORDER BY due_at")]
    first = world.row("timers", in_order[0])
    world.store.write_now(lambda tx: due.note_failure(tx, first["id"], first["ticket_id"], "KeyError"))
    assert page(world) == in_order[1:]
    retry_at = world.store.read_now(due.next_at)
    assert retry_at is not None
    assert retry_at <= world.store.now_us()
    world.advance(seconds=due.BACK_OFF_S[0])
    assert page(world) == in_order


def page(world: World) -> list[int]:
    return [timer_id for timer_id, _ in world.store.read_now(lambda tx: due.page(tx, most=100))]


def test_what_is_late_is_counted_alike(world: World) -> None:
    world.receive()
    assert world.store.read_now(lambda tx: due.late(tx, most_failed=9)) == due.Late(0, None)
    world.advance(hours=2)
    late = world.store.read_now(lambda tx: due.late(tx, most_failed=9))
    assert late.count == len(page(world)) > 1
    assert late.oldest_us == min(row["due_at"] for row in world.rows("timers"))


def test_lists_of_timers_are_read_alike(world: World) -> None:
    ticket = world.ticket(world.receive())
    whole = list(timer_list.rows(world.store))
    assert whole == timer_list.of_ticket(world.store, ticket["id"])
    assert list(timer_list.rows(world.store, timer_list.Wanted(state=timer_list.FAILED))) == []
    assert world.store.read_now(digests.summaries) == []


async def test_two_daemons_on_one_store_take_each_step_once_and_in_order(
    world: World, open_store: Callable[[], Store], tmp_path: Path, clock: Any
) -> None:
    """A day late, eight tickets, two bells at once: what both see is done by one of them."""
    for number in range(WRITERS):
        await asyncio.to_thread(world.receive, f"c{number}@customer.example")
    world.advance(days=1)
    worlds = [world, World(open_store(), tmp_path, clock)]
    await asyncio.gather(*(bell(each).fire_due() for each in worlds))
    late = world.rows(
        "timers", "state IN ('pending', 'failing') AND due_at <= :now", now=world.store.now_us()
    )
    assert late == []
    for ticket in world.rows("tickets"):
        rows = world.rows(
            "timers", "ticket_id = :id AND state = 'fired' ORDER BY due_at, id", id=ticket["id"]
        )
        told = [
            msgspec.json.decode(row["details"])["step"]
            for row in world.rows(
                "events", "ticket_id = :id AND kind = 'escalated' ORDER BY id", id=ticket["id"]
            )
        ]
        assert told == [row["step"] for row in rows if row["kind"] == "step"]


def bell(world: World) -> Timers:
    return Timers(world.store, context=lambda: world.context, scheduler=AsyncIOScheduler(timezone="UTC"))
