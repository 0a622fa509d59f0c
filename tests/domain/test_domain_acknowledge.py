"""Notices that somebody should acknowledge, and what follows when nobody does."""

from typing import Any

import pytest

from intake import desk
from intake.store import schema
from tests.domain.world import RULES, World

LADDER = """
  nudge:
    - {at: first_response 50%, notify: l2, ack_within: 10m}
    - {at: unacknowledged, notify: lead}
"""
PAGING = RULES[: RULES.index("\n  nudge:")] + LADDER + RULES[RULES.index("enrich:") :]


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    """A ticket whose second level has just been told, an hour after it came."""
    world.use_rules(PAGING)
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    return ticket


def acknowledge(world: World, ticket: dict[str, Any], agent: str = "ewa") -> None:
    world.store.write_now(lambda tx: desk.acknowledge(tx, world.context, ticket["ref"], agent=agent))


def after(world: World, **by: float) -> int:
    world.advance(**by)
    world.fire_due()
    return len(world.sent("tomek@desk.example"))


def test_unacknowledged_in_ten_minutes_the_second_person_is_told(
    world: World, ticket: dict[str, Any]
) -> None:
    """Not a moment earlier."""
    assert after(world, minutes=9) == 0
    assert after(world, minutes=1) == 1


def test_acknowledged_the_step_is_not_due(world: World, ticket: dict[str, Any]) -> None:
    """Ten minutes after the notice nobody else is told."""
    world.advance(minutes=5)
    acknowledge(world, ticket)
    assert after(world, minutes=5) == 0


def test_acknowledged_but_not_answered_it_is_due_after_all(world: World, ticket: dict[str, Any]) -> None:
    """Another ten minutes after the acknowledgement."""
    world.advance(minutes=5)
    acknowledge(world, ticket)
    assert after(world, minutes=10) == 1


def test_answered_it_is_never_due(world: World, ticket: dict[str, Any]) -> None:
    """A public answer is what everybody waits for."""
    world.reply(ticket, agent="ewa")
    assert after(world, hours=5) == 0


def test_a_notice_that_reaches_nobody_makes_it_due_at_once(world: World) -> None:
    """The second level is away: the lead is told in the same minute."""
    world.use_rules(PAGING)
    world.store.write_now(lambda tx: tx.insert(schema.agent_state, name="ewa", is_away=1))
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    assert "notice_reached_nobody" in world.events(ticket)
    assert after(world) == 1


def test_acknowledging_stops_copies_that_have_not_gone_out(world: World, ticket: dict[str, Any]) -> None:
    """The mail to the second level still waits in the outbox: it is not sent any more."""
    acknowledge(world, ticket, "ania")
    rows = world.rows("outbox", "action LIKE 'notify:escalated:%'")
    assert [row["state"] for row in rows] == ["dropped"]


def test_acknowledging_stops_no_clock(world: World, ticket: dict[str, Any]) -> None:
    """The customer still waits."""
    before = world.clocks(ticket)
    acknowledge(world, ticket)
    assert world.clocks(ticket) == before


def test_a_solved_ticket_asks_nobody(world: World, ticket: dict[str, Any]) -> None:
    """What is done needs no second person."""
    world.set_status(ticket, "solved")
    assert after(world, hours=1) == 0


def test_rules_hear_of_an_acknowledgement(world: World) -> None:
    """It is an event for react rules."""
    world.use_rules(PAGING + "react:\n  - {id: seen, on: acknowledged, then: {tags: [seen]}}\n")
    ticket = world.ticket(world.receive())
    acknowledge(world, ticket)
    assert world.row("tickets", ticket["id"])["tags"] == '["seen"]'


def test_a_way_that_nothing_can_go_is_told_and_reaches_nobody(world: World) -> None:
    """By call: no part of this configuration can, so the next step is due at once."""
    world.use_rules(
        PAGING.replace("notify: l2, ack", "notify: l2, by: call, ack").replace(
            "ewa: {email: ewa@desk.example}", 'ewa: {email: ewa@desk.example, phone: "+48600000001"}'
        )
    )
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    assert not world.sent("ewa@desk.example")
    assert "action_not_done" in world.events(ticket)
    assert after(world) == 1


def test_urgent_goes_the_agents_own_way_as_far_as_it_can(world: World) -> None:
    """Call first, then mail: the mail goes out, the call is told as not done."""
    world.use_rules(
        PAGING.replace("notify: l2, ack", "notify: l2, by: urgent, ack").replace(
            "ewa: {email: ewa@desk.example}",
            'ewa: {email: ewa@desk.example, phone: "+48600000001", urgent: [call, email]}',
        )
    )
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    assert world.sent("ewa@desk.example")
    assert "action_not_done" in world.events(ticket)
