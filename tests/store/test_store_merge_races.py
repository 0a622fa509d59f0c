"""Merging on both engines, while others do the opposite: nothing said is lost, and nobody waits for ever."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from intake import linking, merging
from intake.desk import DeskError
from intake.store.engine import Store
from tests.domain.world import World
from tests.store.racing import WRITERS, at_once


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> World:
    return World(store, tmp_path, clock)


def opened(world: World, count: int) -> list[dict[str, Any]]:
    return [
        world.ticket(world.receive(f"c{each}@customer.example", body=f"mail {each}", message_id=f"{each}@x"))
        for each in range(count)
    ]


def merge(world: World, source: dict[str, Any], into: dict[str, Any]) -> Any:
    return world.store.write_now(
        lambda tx: merging.merge(tx, world.context, source["ref"], into["ref"], agent="ania")
    )


def test_two_that_are_merged_into_each_other_at_once_become_one(world: World) -> None:
    """The locks of both are taken in one order: one merge is done, the others hear why not."""
    one, other = opened(world, 2)
    done = at_once([partial(merge, world, one, other), partial(merge, world, other, one)] * 4)
    assert sum(not isinstance(each, DeskError) for each in done) == 1
    rows = {row["id"]: row for row in world.rows("tickets")}
    assert sorted(row["messages"] for row in rows.values()) == [0, 2]
    assert sum(row["merged_into"] is not None for row in rows.values()) == 1


def test_answer_that_comes_during_a_merge_stands_somewhere(world: World) -> None:
    """It joins one of the two, or is a new ticket linked to one; it is never lost and never in an empty ticket."""
    one, other = opened(world, 2)
    ids = [
        world.journal("c0@customer.example", body=f"more {each}", headers={"In-Reply-To": "<0@x>"})
        for each in range(WRITERS)
    ]
    calls: list[Callable[[], Any]] = [partial(world.settle, each) for each in ids]
    at_once([*calls[:4], partial(merge, world, one, other), *calls[4:]])
    empty = world.row("tickets", one["id"])
    assert empty["messages"] == 0 or empty["merged_into"] is None
    placed = world.rows("messages", "direction = 'in' AND body LIKE 'more%'")
    assert len(placed) == WRITERS
    assert all(row["ticket_id"] != one["id"] for row in placed if empty["merged_into"] is not None)


def test_link_is_decided_once(world: World) -> None:
    """Eight agents who accept and refuse at once: one of them does."""
    one, _ = opened(world, 2)
    row = world.receive("eve@elsewhere.example", body="let me in", headers={"In-Reply-To": "<0@x>"})
    suggested = world.ticket(row)
    decide = [linking.accept, linking.refuse] * 4

    def act(how: Callable[..., Any]) -> Any:
        return world.store.write_now(lambda tx: how(tx, world.context, suggested["ref"], agent="ania"))

    done = at_once([partial(act, each) for each in decide])
    assert sum(not isinstance(each, DeskError) for each in done) == 1
    is_merged = world.row("tickets", suggested["id"])["merged_into"] is not None
    assert world.row("tickets", one["id"])["messages"] == (2 if is_merged else 1)
