"""What a message waited for us counts: clocks run from its receipt, whenever it is settled."""

from typing import Any

from intake import instants
from tests.domain.world import RULES, World

ANSWERED = RULES.replace("resolution: 8h,", "next_response: 1h, resolution: 8h,")
FIRST = "first@customer.example"
ANSWER = {"In-Reply-To": f"<{FIRST}>"}


def _settled(world: World, journal_id: int) -> dict[str, Any]:
    world.settle(journal_id)
    return world.ticket(world.row("journal", journal_id))


def _due(world: World, ticket: dict[str, Any], target: str) -> str | None:
    due: str | None = world.clocks(ticket)[target]["due_at"]
    return due


def test_a_new_tickets_clocks_run_from_the_receipt_of_its_message(world: World) -> None:
    """Two hours from 09:00, though we were down until 10:30."""
    journal_id = world.journal()
    world.advance(minutes=90)
    ticket = _settled(world, journal_id)
    assert instants.rfc3339_from_us(ticket["created_at"]) == "2026-11-10T09:00:00Z"
    assert _due(world, ticket, "first_response") == "2026-11-10T11:00:00Z"


def test_steps_that_fell_due_while_we_were_down_fire_at_once(world: World) -> None:
    """Half of two hours was over at 10:00; at 11:30 the step and the breach are told."""
    journal_id = world.journal()
    world.advance(minutes=150)
    ticket = _settled(world, journal_id)
    world.fire_due()
    assert world.events(ticket).count("sla_breached") == 1
    assert world.clocks(ticket)["first_response"]["breached_at"] == "2026-11-10T11:00:00Z"


def test_a_further_message_is_waited_for_from_its_receipt(world: World) -> None:
    world.use_rules(ANSWERED)
    ticket = world.ticket(world.receive(message_id=FIRST))
    world.advance(minutes=10)
    world.reply(ticket)
    world.advance(minutes=10)
    journal_id = world.journal(headers=ANSWER)
    world.advance(minutes=30)
    world.settle(journal_id)
    assert _due(world, ticket, "next_response") == "2026-11-10T10:20:00Z"


def test_an_answer_that_crossed_with_a_message_did_not_answer_it(world: World) -> None:
    """Received at 09:20, settled at 09:50; the answer of 09:40 knew nothing of it."""
    world.use_rules(ANSWERED)
    ticket = world.ticket(world.receive(message_id=FIRST))
    world.advance(minutes=10)
    world.reply(ticket)
    world.advance(minutes=10)
    journal_id = world.journal(headers=ANSWER)
    world.advance(minutes=20)
    world.reply(ticket)
    world.advance(minutes=10)
    world.settle(journal_id)
    clock = world.clocks(ticket)["next_response"]
    assert (clock["state"], clock["due_at"]) == ("running", "2026-11-10T10:50:00Z")


def test_a_clock_that_was_set_back_makes_no_ticket_of_the_future(world: World) -> None:
    journal_id = world.journal()
    world.advance(minutes=-30)
    ticket = _settled(world, journal_id)
    assert instants.rfc3339_from_us(ticket["created_at"]) == "2026-11-10T08:30:00Z"
