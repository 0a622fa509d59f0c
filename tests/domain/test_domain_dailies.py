"""Rules that run at a time of day."""

from typing import Any

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from intake import dailies
from intake.timers import Timers
from tests.domain.world import RULES, World, at, us

MORNING = 'react:\n  - {id: morning, on: clock, at: "mon-fri 08:00", in: office, when: {ticket.status: new}, then: {note: look, tags: [stale]}}\n'


def notes(world: World) -> int:
    return len(world.rows("messages", "direction = 'note'"))


def next_at(world: World) -> int:
    (row,) = world.rows("dailies")
    return int(row["next_at"])


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    world.use_rules(RULES + MORNING)
    return world.ticket(world.receive())


def test_the_next_morning_is_kept(world: World, ticket: dict[str, Any]) -> None:
    """On Tuesday at ten in Warsaw the next eight o'clock is Wednesday's."""
    assert next_at(world) == us(at("2026-11-11T08:00+01:00"))


def test_it_runs_over_the_tickets_that_match(world: World, ticket: dict[str, Any]) -> None:
    """One is new, another open: only the first is noted."""
    other = world.ticket(world.receive("eva@customer.example"))
    world.set_status(other, "open")
    world.advance(days=1)
    assert world.run_dailies() == 1
    assert notes(world) == 1
    assert world.row("tickets", ticket["id"])["tags"] == '["stale"]'


def test_it_does_not_run_before_its_time(world: World, ticket: dict[str, Any]) -> None:
    """At seven nothing is due."""
    world.clock.at = at("2026-11-11T07:59+01:00")
    assert world.run_dailies() == 0


def test_missed_runs_are_made_up_for_by_one(world: World, ticket: dict[str, Any]) -> None:
    """After three days of standstill there is one note, and the next run lies ahead."""
    world.clock.at = at("2026-11-13T12:00+01:00")
    world.run_dailies()
    assert notes(world) == 1
    assert next_at(world) == us(at("2026-11-16T08:00+01:00"))


def test_a_run_that_was_cut_off_does_nothing_twice(world: World, ticket: dict[str, Any]) -> None:
    """The same run asked again about a ticket that has had it is refused."""
    world.advance(days=1)
    (rule,) = world.context.rulebook.react
    run_at = next_at(world)
    assert world.store.write_now(
        lambda tx: dailies.visit(tx, world.context, rule, run_at=run_at, ticket_id=ticket["id"])
    )
    world.run_dailies()
    assert notes(world) == 1


def test_many_tickets_are_gone_through_in_pages(
    world: World, ticket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five tickets in pages of two are five notes."""
    monkeypatch.setattr(dailies, "PAGE", 2)
    for number in range(4):
        world.receive(f"c{number}@customer.example")
    world.advance(days=1)
    world.run_dailies()
    assert notes(world) == 5


async def test_the_bell_rings_for_clock_rules_too(world: World, ticket: dict[str, Any]) -> None:
    """The daemon's timers make the run that is due, and set the bell to the next one."""
    world.reply(ticket, status="pending")  # its clocks wait
    world.use_rules(RULES + MORNING.replace("status: new", "status: pending"))
    scheduler = AsyncIOScheduler(timezone="UTC")
    bell = Timers(world.store, context=lambda: world.context, scheduler=scheduler)
    world.clock.at = at("2026-11-11T08:00+01:00")
    await bell.fire_due()
    assert notes(world) == 1
    assert scheduler.get_job("bell").trigger.run_date == at("2026-11-12T08:00+01:00")


def test_another_time_of_day_starts_anew(world: World, ticket: dict[str, Any]) -> None:
    """A reload that moves the rule moves its next run; one that does not leaves it."""
    before = next_at(world)
    world.use_rules(RULES + MORNING.replace("look", "look again"))
    assert next_at(world) == before
    world.use_rules(RULES + MORNING.replace("08:00", "12:00"))
    assert next_at(world) == us(at("2026-11-10T12:00+01:00"))


def test_a_start_does_not_forget_the_run_that_was_missed(world: World, ticket: dict[str, Any]) -> None:
    """The rules are read again at each start; what is due stays due."""
    world.advance(days=1)
    world.use_rules(RULES + MORNING)
    assert world.run_dailies() == 1


def test_a_rule_that_is_gone_is_forgotten(world: World, ticket: dict[str, Any]) -> None:
    """Its row goes with it."""
    world.use_rules(RULES)
    assert world.rows("dailies") == []
