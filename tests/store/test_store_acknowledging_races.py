"""An acknowledgement against the step that comes when nobody acknowledges, at the same moment, on both engines."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from intake import acknowledging
from intake.acknowledging import Outcome, Said
from intake.store.engine import Store
from tests.domain.test_domain_acknowledge import PAGING
from tests.domain.world import World
from tests.store.racing import WRITERS, at_once

ROUNDS = 4
AGENTS = ("ania", "ewa", "tomek")


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> World:
    return World(store, tmp_path, clock, rules=PAGING)


def asked(world: World, number: int) -> dict[str, Any]:
    """A ticket whose second level was told ten minutes ago: the step to the lead is due now."""
    ticket = world.ticket(world.receive(f"c{number}@customer.example"))
    world.advance(hours=1)
    world.fire_due()
    world.advance(minutes=10)
    return ticket


def say(world: World, ticket: dict[str, Any], agent: str, *, takes: bool = False) -> Outcome:
    act = acknowledging.take if takes else acknowledging.acknowledge
    said = Said(agent=agent)
    return world.store.write_now(lambda tx: act(tx, world.context, ticket["ref"], said))


def test_either_the_step_or_the_acknowledgement_has_it(world: World) -> None:
    """Four bells and four agents at once: the lead is told and it is too late, or one agent has it and the lead is not."""
    for number in range(ROUNDS):
        ticket = asked(world, number)
        (timer,) = world.rows(
            "timers", "ticket_id = :id AND kind = 'ack' AND state = 'pending'", id=ticket["id"]
        )
        calls: list[Any] = [
            *(partial(world.fire, timer) for _ in range(WRITERS // 2)),
            *(partial(say, world, ticket, AGENTS[each % 3]) for each in range(WRITERS // 2)),
        ]
        at_once(calls[number:] + calls[:number])
        step, *later = world.rows(
            "timers", "ticket_id = :id AND step = 'nudge/1' ORDER BY due_at", id=ticket["id"]
        )
        escalated = world.events(ticket).count("escalated") - 1  # the first one came an hour ago
        assert (step["state"], escalated, len(later)) in (("fired", 1, 0), ("cancelled", 0, 1))


def test_eight_who_say_it_at_once_are_one_who_looks_at_it(world: World) -> None:
    """One is first; the others hear who."""
    for number in range(ROUNDS):
        ticket = asked(world, number)
        found = at_once([partial(say, world, ticket, AGENTS[each % 3]) for each in range(WRITERS)])
        assert sum(outcome.is_done for outcome in found) == 1
        assert len({outcome.look.agent for outcome in found}) == 1
        assert world.events(ticket).count("acknowledged") == 1


def test_whoever_takes_it_last_has_it(world: World) -> None:
    """Eight takes at once leave one holder, counted once."""
    for number in range(ROUNDS):
        ticket = asked(world, number)
        at_once([partial(say, world, ticket, AGENTS[each % 3], takes=True) for each in range(WRITERS)])
        agent = world.row("tickets", ticket["id"])["agent"]
        (last,) = world.rows("events", "kind = 'taken_over' ORDER BY id DESC LIMIT 1")
        assert last["actor"] == f"agent:{agent}"
    held = [row["agent"] for row in world.rows("tickets", "status NOT IN ('solved', 'closed')")]
    loads = {row["name"]: row["open_tickets"] for row in world.rows("agent_load") if row["open_tickets"]}
    assert loads == {agent: held.count(agent) for agent in set(held)}
