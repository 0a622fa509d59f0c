"""Agents are available, busy or away for one medium: who is given more of it, and what becomes of what they have."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from intake import agents, agents_view, medium_presence
from intake.medium_presence import Presence, Said
from routing.facts import AgentLoad, Facts
from routing.life import Event, Life
from tests.domain.test_domain_capacity import answer, new, now, pick_up
from tests.domain.world import World

RULES = """
version: 1
calendars:
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example}
  ewa: {email: ewa@desk.example}
teams:
  support: {levels: {l1: [ania, ewa]}}
default: {team: support, priority: normal}
"""
HOUR_US = 3_600_000_000


@pytest.fixture
def world(make_whole: Callable[[str], World]) -> World:
    return make_whole(RULES)


def say(
    world: World, name: str, presence: Presence, *, medium: str = "email", hours: float | None = None
) -> Said | None:
    until = None if hours is None else world.store.now_us() + int(hours * HOUR_US)
    return world.store.write_now(
        lambda tx: medium_presence.say(tx, name, medium, presence, by=name, until_us=until)
    )


def given(world: World, count: int) -> list[Any]:
    return [now(world, new(world))["agent"] for _ in range(count)]


@pytest.mark.parametrize("presence", ["busy", "away"])
def test_who_is_busy_or_away_for_a_medium_gets_nothing_new_of_it(world: World, presence: Presence) -> None:
    say(world, "ania", presence)
    assert given(world, 3) == ["ewa", "ewa", "ewa"]


def test_another_medium_changes_nothing(world: World) -> None:
    """Who is away for chats is given mail as ever."""
    say(world, "ania", "away", medium="chat")
    assert sorted(given(world, 2)) == ["ania", "ewa"]


def test_with_everybody_busy_tickets_wait_and_are_given_out_when_one_is_available(world: World) -> None:
    for name in ("ania", "ewa"):
        say(world, name, "busy")
    ticket = new(world)
    assert now(world, ticket)["agent"] is None
    say(world, "ewa", "available")
    world.advance(seconds=2)
    assert pick_up(world) == 1
    assert now(world, ticket)["agent"] == "ewa"


def test_it_ends_by_itself_and_what_waited_is_given_out_then(world: World) -> None:
    say(world, "ewa", "away")
    say(world, "ania", "busy", hours=1)
    ticket = new(world)
    world.advance(minutes=59)
    pick_up(world)
    assert now(world, ticket)["agent"] is None
    world.advance(minutes=1)
    pick_up(world)
    assert now(world, ticket)["agent"] == "ania"


@pytest.mark.parametrize(("presence", "has_it"), [("busy", "ania"), ("away", "ewa")])
def test_a_customer_who_goes_on_is_answered_by_who_is_busy_but_not_by_who_is_away(
    world: World, presence: Presence, has_it: str
) -> None:
    say(world, "ewa", "busy")
    ticket = new(world)
    assert now(world, ticket)["agent"] == "ania"
    say(world, "ewa", "available")
    say(world, "ania", presence)
    answer(world, ticket)
    assert now(world, ticket)["agent"] == has_it


def test_saying_the_same_again_writes_nothing(world: World) -> None:
    assert say(world, "ania", "busy") is not None
    assert say(world, "ania", "busy") is None
    assert say(world, "ania", "available", medium="chat") is None
    assert len(world.rows("events", "kind = 'agent_presence'")) == 1


def test_turns_and_absences_keep_what_was_said_of_media(world: World) -> None:
    """The row is one: what others write of it must not take this away."""
    say(world, "ania", "busy", medium="chat")
    given(world, 2)
    assert world.store.read_now(lambda tx: medium_presence.of_agent(tx, "ania")).keys() == {"chat"}


def test_lists_name_the_media_that_somebody_takes_nothing_of(world: World) -> None:
    say(world, "ania", "busy", medium="chat")
    shown = world.store.read_now(lambda tx: agents_view.everybody(tx, world.context))
    assert [agents_view.as_json(each)["presence"] for each in shown] == [{"chat": "busy"}, {}]
    assert world.store.read_now(agents.loads)["ania"].presence == {"chat": "busy"}


@pytest.mark.parametrize(("presence", "has_it"), [("busy", "ania"), ("away", "ewa")])
def test_a_ticket_in_memory_goes_on_alike(world: World, presence: Presence, has_it: str) -> None:
    """What a rule's own test says of the customer's next message is what happens."""
    at = datetime(2026, 11, 10, 9, tzinfo=UTC)
    life = Life(world.context.rulebook, Facts(at=at, channel="email", body="It burns."))
    assert life.ticket.agent == "ania"
    life.have_agents({"ania": AgentLoad(presence={"email": presence})})
    life.happen(Event(at=at, kind="customer_replied", message=Facts(at=at, channel="email", body="And now?")))
    assert life.ticket.agent == has_it
