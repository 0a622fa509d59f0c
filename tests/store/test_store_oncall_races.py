"""Eight agents reach for the same hours at the same moment: one has them, the others are told whose they are now."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from intake import handovers, oncall, shifts
from intake.desk import DeskError
from intake.store.engine import Store
from tests.domain.oncall_world import ONCALL, local, told
from tests.domain.world import World
from tests.store.racing import WRITERS, at_once

CREW = [f"crew{number}" for number in range(WRITERS)]
RULES = ONCALL.replace(
    "agents:\n", "agents:\n" + "".join(f"  {name}: {{email: {name}@desk.example}}\n" for name in CREW), 1
)
ROUNDS = 4


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> World:
    clock.at = local("2026-11-10T10:00")
    return World(store, tmp_path, clock, rules=RULES)


def take(world: World, agent: str, **more: Any) -> Any:
    return world.store.write_now(lambda tx: shifts.take(tx, world.context, "nights", agent=agent, **more))


def swap(world: World, agent: str, other: str) -> Any:
    return world.store.write_now(
        lambda tx: shifts.swap(tx, world.context, "nights", agent=agent, other=other)
    )


def won(results: list[Any]) -> list[Any]:
    return [each for each in results if not isinstance(each, DeskError)]


def on_call(world: World) -> str | None:
    return world.store.read_now(lambda tx: oncall.duty(tx, world.context, "nights")).agent


def test_of_eight_who_take_the_same_hours_one_has_them(world: World) -> None:
    """The seven others get the sentence, which names the one."""
    results = at_once([partial(take, world, name) for name in CREW])
    (winner,) = won(results)
    name = winner.pieces[0].agent
    assert on_call(world) == name
    assert all(f"{name} has 'nights' from" in str(each) for each in results if isinstance(each, DeskError))
    assert len(world.rows("oncall_changes")) == 1


def test_hours_go_from_hand_to_hand_one_at_a_time(world: World) -> None:
    """Of eight who take them from whoever has them one does; the next round is about that one's hours."""
    holder = "ewa"
    for _ in range(ROUNDS):
        others = [name for name in CREW if name != holder]
        results = at_once([partial(take, world, name, instead_of=holder) for name in others])
        (winner,) = won(results)
        holder = winner.pieces[0].agent
        assert on_call(world) == holder
    assert len(told(world, "oncall_taken")) == ROUNDS


def test_the_same_swap_eight_times_is_one(world: World) -> None:
    """Eight clicks do not swap back and forth."""
    results = at_once([partial(swap, world, "ania", "ewa")] * WRITERS)
    assert len(won(results)) == 1
    assert on_call(world) == "ania"
    assert len(world.rows("oncall_changes")) == 2


def test_swaps_against_takes_of_the_same_hours_leave_one_of_them(world: World) -> None:
    calls = [partial(swap, world, "ania", "ewa")] * (WRITERS // 2)
    calls += [partial(take, world, name) for name in CREW[: WRITERS // 2]]
    (winner,) = won(at_once(calls))
    assert {row["change_id"] for row in world.rows("oncall_changes")} == {winner.pieces[0].change_id}


def test_eight_bells_hand_over_once(world: World) -> None:
    """Eight daemons at the same hand-over: one event, one list each, one notice of the ticket that waits."""
    asyncio.run(handovers.run_due(world.store, world.context))
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    world.clock.at = local("2026-11-16T09:00")
    at_once([lambda: asyncio.run(handovers.run_due(world.store, world.context))] * WRITERS)
    assert len(told(world, "handed_over")) == 1
    actions = [row["action"] for row in world.rows("outbox", "ticket_id = :id", id=ticket["id"])]
    assert sum(each.startswith("notify:escalated:handover") for each in actions) == 1
    assert [row["agent"] for row in world.rows("pages", "closed_at IS NULL")] == ["ania"]
    lists = world.rows("outbox", "action LIKE 'handover_list:%'")
    assert sorted(row["recipient"] for row in lists) == ["ania@desk.example", "ewa@desk.example"]
