"""What falls due against what people do, and eight bells against each other, on both engines: each ends in one of two ways."""

import asyncio
import collections
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from intake import dailies, desk, presence, rearming
from intake.store.engine import Store
from tests.domain.world import RULES, World
from tests.store.racing import WRITERS, at_once

ROUNDS = 3
HALF = WRITERS // 2
REACT = """
react:
  - {id: late, on: sla_breached, then: {note: late}}
  - {id: bump, on: quiet, for: 3d, since: agent_replied, when: {ticket.status: pending}, then: {reply: still-there}}
  - {id: morning, on: clock, at: "mon-sun 08:00", in: always, when: {ticket.status: [new, open]}, then: {note: morning}}
"""
PRIORITIES = "first_response: {urgent: 30m, normal: 2h, low: 6h}"


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> World:
    rules = RULES.replace("first_response: {urgent: 30m, normal: 2h}", PRIORITIES)
    return World(store, tmp_path, clock, rules=rules + REACT)


def due(world: World, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    where = "ticket_id = :id AND state = 'pending' AND due_at <= :now ORDER BY due_at"
    return world.rows("timers", where, id=ticket["id"], now=world.store.now_us())


def states(world: World, ticket: dict[str, Any], step: str) -> list[str]:
    """What has become of the rows of a step, sorted."""
    rows = world.rows("timers", "ticket_id = :id AND step = :step", id=ticket["id"], step=step)
    return sorted(row["state"] for row in rows)


def notes(world: World, author: str) -> collections.Counter[int]:
    rows = world.rows("messages", "direction = 'note' AND author = :author", author=f"rule:{author}")
    return collections.Counter(row["ticket_id"] for row in rows)


def race(number: int, bells: Sequence[Callable[[], Any]], people: Sequence[Callable[[], Any]]) -> list[Any]:
    """Let both begin, in turns of who is first."""
    calls = [*bells[:HALF], *people[:HALF]]
    return at_once(calls[number:] + calls[:number])


# -- bells alone ----------------------------------------------------------------------------------------------------


def test_a_breach_is_told_once_by_eight_bells(world: World) -> None:
    """The clock, the event and what the rules make of it."""
    tickets = [world.ticket(world.receive(f"c{number}@customer.example")) for number in range(ROUNDS)]
    world.advance(hours=2)
    rows = [row for ticket in tickets for row in due(world, ticket) if row["kind"] == "breach"]
    at_once([partial(world.fire, row) for row in rows for _ in range(WRITERS)])
    assert [world.events(ticket).count("sla_breached") for ticket in tickets] == [1] * ROUNDS
    assert notes(world, "late") == {ticket["id"]: 1 for ticket in tickets}


def test_a_run_at_a_time_of_day_by_eight_daemons_visits_each_ticket_once(world: World) -> None:
    tickets = [world.ticket(world.receive(f"c{number}@customer.example")) for number in range(WRITERS)]
    world.advance(days=1)
    at_once([world.run_dailies] * WRITERS)
    assert notes(world, "morning") == {ticket["id"]: 1 for ticket in tickets}
    (run,) = world.rows("dailies")
    assert run["next_at"] > world.store.now_us()
    assert asyncio.run(dailies.run_due(world.store, world.context)) == 0


def test_an_absence_that_is_over_is_ended_once(world: World) -> None:
    for name in ("ania", "ewa"):
        until_us = world.store.now_us() + 1_000_000
        world.store.write_now(
            lambda tx, name=name, until_us=until_us: presence.go(  # type: ignore[misc]
                tx, world.context, name, until_us=until_us, keep=False, by=name
            )
        )
    world.advance(seconds=2)
    at_once([lambda: asyncio.run(presence.run_due(world.store, world.context))] * WRITERS)
    assert len(world.rows("events", "kind = 'agent_back'")) == 2


def test_a_clock_set_back_since_a_bell_looked_lets_nothing_fire_early(world: World) -> None:
    """It was due when the page was read; by the clock of the transaction it is not."""
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    (row,) = due(world, ticket)
    world.advance(hours=-1)
    assert at_once([partial(world.fire, row)] * WRITERS) == [None] * WRITERS
    world.advance(hours=1)
    assert world.fire(row) is not None


# -- bells against people -------------------------------------------------------------------------------------------


def test_a_quiet_rule_against_the_customers_answer(world: World) -> None:
    """They are reminded once and then heard, or heard and never reminded."""
    for number in range(ROUNDS):
        sender, first = f"c{number}@customer.example", f"first{number}@x"
        ticket = world.ticket(world.receive(sender, message_id=first))
        world.reply(ticket, status="pending")
        world.advance(days=3)
        (row,) = [each for each in due(world, ticket) if each["kind"] == "quiet"]
        answer = world.journal(sender, body="yes", headers={"In-Reply-To": f"<{first}>"})
        race(number, [partial(world.fire, row)] * HALF, [partial(world.settle, answer)])
        (state,) = states(world, ticket, "bump")
        said = [each.text for each in world.sent(sender)].count("Are you still there?\n")
        assert (state, said) in (("fired", 1), ("cancelled", 0))
        assert world.row("tickets", ticket["id"])["status"] == "open"


@pytest.mark.parametrize(("priority", "ends"), [("urgent", (["fired"],)), ("low", (["fired"], ["pending"]))])
def test_a_step_against_a_change_of_priority(
    world: World, priority: str, ends: tuple[list[str], ...]
) -> None:
    """It fires once: now, or when the moved target says; never for both instants."""
    for number in range(ROUNDS):
        ticket = world.ticket(world.receive(f"c{number}@customer.example"))
        world.advance(hours=1)
        (row,) = due(world, ticket)
        change = partial(set_priority, world, ticket, priority)
        race(number, [partial(world.fire, row)] * HALF, [change] * HALF)
        while due(world, ticket):
            world.fire(due(world, ticket)[0])
        alive = [state for state in states(world, ticket, "nudge/0") if state != "cancelled"]
        assert alive in ends
        escalated = world.rows("events", "ticket_id = :id AND kind = 'escalated'", id=ticket["id"])
        first = [each for each in escalated if '"step":"nudge/0"' in each["details"]]
        assert len(first) == (alive == ["fired"])


def test_a_breach_against_an_answer(world: World) -> None:
    """The target is met in its last moment, or breached, told once, and answered late; no step stays behind."""
    for number in range(ROUNDS):
        ticket = world.ticket(world.receive(f"c{number}@customer.example"))
        world.advance(hours=2)
        rows = due(world, ticket)
        bells = [partial(fire_all, world, rows)] * HALF
        race(number, bells, [partial(world.reply, ticket)] * HALF)
        told = world.events(ticket).count("sla_breached")
        clock = world.clocks(ticket)["first_response"]
        assert clock["state"] in ("met", "breached")
        assert told <= 1
        assert told == (clock.get("breached_at") is not None)
        assert notes(world, "late").get(ticket["id"], 0) == told
        assert not [row for row in due(world, ticket) if row["target"] == "first_response"]


def test_a_step_against_solving(world: World) -> None:
    """The lead is told and then it is solved, or it is solved and nobody is told; nothing is left to fire, nobody's load is wrong."""
    for number in range(ROUNDS):
        ticket = world.ticket(world.receive(f"c{number}@customer.example"))
        world.advance(hours=1)
        (row,) = due(world, ticket)
        solve = partial(world.set_status, ticket, "solved")
        race(number, [partial(world.fire, row)] * HALF, [solve] * HALF)
        outcome = (states(world, ticket, "nudge/0"), world.events(ticket).count("escalated"))
        assert outcome in ((["fired"], 1), (["cancelled"], 0))
        assert not world.rows(
            "timers", "ticket_id = :id AND state = 'pending' AND kind = 'step'", id=ticket["id"]
        )
    assert not [row for row in world.rows("agent_load") if row["open_tickets"]]


def test_a_step_against_other_rules_for_its_policy(world: World) -> None:
    """Fired, or skipped because the stricter policy would have fired it before; never both, never neither."""
    for number in range(ROUNDS):
        length = f"normal: {100 - number}m"
        ticket = world.ticket(world.receive(f"c{number}@customer.example"))
        world.advance(hours=1)
        rows = due(world, ticket)
        world.use_rules((RULES + REACT).replace("normal: 2h", length))
        armament = world.context.armaments["standard"]
        bells = [partial(fire_all, world, rows)] * HALF
        race(number, bells, [partial(rearming.rearm, world.store, armament)] * 2)
        for row in due(world, ticket):
            world.fire(row)
        alive = [state for state in states(world, ticket, "nudge/0") if state != "cancelled"]
        told = world.events(ticket).count("escalated")
        assert (alive, told) in ((["fired"], 1), (["skipped"], 0))
        assert world.events(ticket).count("sla_rearmed") == 1


def set_priority(world: World, ticket: dict[str, Any], priority: str) -> Any:
    return world.store.write_now(
        lambda tx: desk.set_priority(tx, world.context, ticket["ref"], priority, agent="ania")
    )


def fire_all(world: World, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        world.fire(row)
