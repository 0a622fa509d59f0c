"""The same random ladders as in tests/routing, lived through by timer rows on a real store."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from intake import acknowledging, desk, instants
from intake.acknowledging import Said
from routing.ladder import parsed_key
from tests.domain.world import World
from tests.routing.ladder_model import SLOT, SLOTS, Case, Model, random_case
from tests.routing.test_routing_ladder_model import MONDAY, STATUS, rules_of


def lived(world: World, case: Case) -> list[tuple[int, int]]:
    """Slot and step of every step that was taken."""
    start = MONDAY + timedelta(minutes=case.start)
    world.clock.at = start
    world.use_rules(rules_of(case))
    ticket = world.ticket(world.receive(f"c{world.clock.at.timestamp()}@x.example"))
    for slot in sorted({*case.events, SLOTS - 1}):
        _advance(world, start + timedelta(minutes=slot * SLOT))
        _happen(world, ticket, case.events.get(slot, ""))
        _fire(world)
    taken = world.rows("events", "kind = 'escalated' AND ticket_id = :id", id=ticket["id"])
    return sorted(_slot_and_step(each, instants.us_from_datetime(start)) for each in taken)


def _advance(world: World, until: Any) -> None:
    """Ring the bell at each instant at which something is due, as it does in earnest."""
    while True:
        _fire(world)
        due = world.rows("timers", "state = 'pending' ORDER BY due_at LIMIT 1")
        if not due or instants.datetime_from_us(due[0]["due_at"]) > until:
            break
        world.clock.at = max(world.clock.at, instants.datetime_from_us(due[0]["due_at"]))
    world.clock.at = until


def _fire(world: World) -> None:
    while world.fire_due():
        pass


def _happen(world: World, ticket: dict[str, Any], event: str) -> None:
    if event == "answer":
        world.reply(ticket, f"Water, {world.clock.at}.", agent="ada")
    elif event in STATUS:
        world.set_status(ticket, STATUS[event], agent="ada")
    elif event in ("urgent", "normal"):
        act = partial(desk.set_priority, priority=event, agent="ada")
        world.store.write_now(lambda tx: act(tx, world.context, ticket["ref"]))
    elif event == "ack":
        said = Said(agent="ada")
        world.store.write_now(lambda tx: acknowledging.acknowledge(tx, world.context, ticket["ref"], said))


def _slot_and_step(event: dict[str, Any], start_us: int) -> tuple[int, int]:
    slot, rest = divmod(event["at"] - start_us, SLOT * 60 * 1_000_000)
    assert rest == 0
    key = parsed_key(event["actor"].removeprefix("rule:"))
    assert key is not None
    return slot, key.step


def check(world: World, seeds: range) -> None:
    for seed in seeds:
        case = random_case(seed)
        assert lived(world, case) == Model(case).live(), seed
        for row in world.rows("tickets", "status <> 'closed'"):
            world.set_status(row, "closed", agent="ada")


def test_timer_rows_take_the_steps_that_the_language_says(world: World) -> None:
    """Six ladders."""
    check(world, range(6))


@pytest.mark.slow
def test_timer_rows_take_the_steps_of_many_ladders(world: World) -> None:
    """A hundred."""
    check(world, range(100, 200))
