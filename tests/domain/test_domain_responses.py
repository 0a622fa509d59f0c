"""What counts as a response: a person's public answer that went out, and nothing else. Each claim is one clock looked at."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from intake import desk, failures, outbox
from intake.store import schema
from tests.domain.agents import ANIA, answer, told
from tests.domain.world import RULES, World


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    return world.ticket(world.receive(message_id="first@customer.example"))


def state(world: World, ticket: dict[str, Any], target: str = "first_response") -> str:
    return str(world.clocks(ticket)[target]["state"])


def come_back(world: World, ticket: dict[str, Any], outbox_id: int) -> None:
    """The mail came back for good."""

    def fail(tx: Any) -> None:
        tx.update(schema.outbox, {"id": outbox_id}, state="failed")
        failures.follow(tx, world.context, desk.find(tx, ticket["ref"]), outbox_id)

    world.store.write_now(fail)


def test_an_agents_answer_from_the_desk_is_one(world: World, ticket: dict[str, Any]) -> None:
    world.reply(ticket)
    assert state(world, ticket) == "met"


def test_an_agents_answer_by_mail_is_one(world: World, ticket: dict[str, Any]) -> None:
    answer(world, "Have you tried water?")
    assert state(world, ticket) == "met"


def test_an_answer_of_somebody_else_than_the_assignee_is_one(world: World, ticket: dict[str, Any]) -> None:
    world.reply(ticket, agent="tomek")
    assert state(world, ticket) == "met"


def test_an_answer_to_one_of_several_who_take_part_is_one(world: World) -> None:
    """Whoever wrote last is answered, with a copy to the others."""
    ticket = world.ticket(world.receive(message_id="first@customer.example"))
    world.receive("eva@customer.example", body="me too", headers={"In-Reply-To": "<first@customer.example>"})
    world.reply(ticket)
    assert state(world, ticket) == "met"


def _note(world: World, ticket: dict[str, Any]) -> None:
    world.store.write_now(lambda tx: desk.note(tx, world.context, ticket["ref"], agent="ania", text="odd"))


def _note_by_mail(world: World, ticket: dict[str, Any]) -> None:
    answer(world, "#note odd one")


def _away(world: World, ticket: dict[str, Any]) -> None:
    """An agent's out-of-office answers a notice."""
    answer(world, "I am away until Monday.", headers={"Auto-Submitted": "auto-replied"})


def _acknowledge(world: World, ticket: dict[str, Any]) -> None:
    answer(world, "#ack")


def _status(world: World, ticket: dict[str, Any]) -> None:
    world.set_status(ticket, "open")


def _assign(world: World, ticket: dict[str, Any]) -> None:
    answer(world, "#assign ewa")


def _held(world: World, ticket: dict[str, Any]) -> None:
    """Two answer the same mail: the second is kept as a note until its agent says otherwise."""
    sent = world.sent(ANIA)[-1]
    world.reply(ticket, "From the other.", agent="tomek")
    come_back(world, ticket, world.rows("outbox", "action = 'reply'")[-1]["id"])
    world.advance(minutes=1)
    world.reply(ticket, "Once more.", agent="tomek")
    come_back(world, ticket, world.rows("outbox", "action = 'reply' ORDER BY id")[-1]["id"])
    answer(world, "From me.", sent)
    assert any("kept as a note" in text for text in told(world))


@pytest.mark.parametrize("what", [_note, _note_by_mail, _away, _acknowledge, _status, _assign, _held])
def test_what_no_customer_gets_is_none(
    world: World, ticket: dict[str, Any], what: Callable[[World, dict[str, Any]], None]
) -> None:
    what(world, ticket)
    assert state(world, ticket) == "running"


def test_the_receipt_is_none(world: World, ticket: dict[str, Any]) -> None:
    assert any("received" in row["action"] for row in world.rows("outbox"))
    assert state(world, ticket) == "running"


def test_a_rules_reply_is_none(make: Any) -> None:
    world = make("react:\n  - {id: r, on: customer_replied, then: {reply: {email: still-there}}}\n")
    ticket = world.ticket(world.receive(message_id="first@customer.example"))
    world.advance(hours=2)
    world.receive(body="more", headers={"In-Reply-To": "<first@customer.example>"})
    assert any("still-there" in row["action"] for row in world.rows("outbox"))
    assert state(world, ticket) == "running"


def test_a_ladders_reply_is_none(world: World) -> None:
    world.use_rules(
        RULES.replace(
            "{at: first_response 50%, notify: assignee}", "{at: first_response 50%, reply: still-there}"
        ).replace("reply: {email: received}", "reply: none")
    )
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    assert any("still-there" in row["action"] for row in world.rows("outbox"))
    assert state(world, ticket) == "running"


def test_a_customers_robot_starts_nothing(world: World, ticket: dict[str, Any]) -> None:
    """Their out-of-office moves no clock."""
    world.use_rules(RULES)
    world.reply(ticket)
    before = world.clocks(ticket)
    world.receive(
        body="away", headers={"In-Reply-To": "<first@customer.example>", "Auto-Submitted": "auto-replied"}
    )
    assert world.clocks(ticket) == before


def test_an_answer_that_came_back_is_none(world: World, ticket: dict[str, Any]) -> None:
    come_back(world, ticket, world.reply(ticket))
    assert state(world, ticket) == "running"


def test_an_answer_that_is_dropped_before_it_went_out_is_none(world: World, ticket: dict[str, Any]) -> None:
    """`intake outbox drop`: the customer never gets it."""
    outbox_id = world.reply(ticket)
    world.store.write_now(lambda tx: outbox.drop(tx, outbox_id))
    assert state(world, ticket) == "running"
    assert world.row("tickets", ticket["id"])["agent_replied_at"] is None


def test_an_answer_that_is_sent_after_all_counts_from_then_on(world: World, ticket: dict[str, Any]) -> None:
    """`intake outbox retry`: the time between was waited."""
    outbox_id = world.reply(ticket)
    come_back(world, ticket, outbox_id)
    world.advance(minutes=30)
    world.store.write_now(lambda tx: outbox.retry(tx, outbox_id))
    clock = world.clocks(ticket)["first_response"]
    assert (clock["state"], clock["met_at"], clock["used_s"]) == ("met", "2026-11-10T09:30:00Z", 1800)
    come_back(world, ticket, outbox_id)
    assert state(world, ticket) == "running"


def test_a_dropped_receipt_takes_nothing_back(world: World, ticket: dict[str, Any]) -> None:
    world.reply(ticket)
    receipt = world.rows("outbox", "action LIKE 'reply:%'")[0]
    world.store.write_now(lambda tx: outbox.drop(tx, receipt["id"]))
    assert state(world, ticket) == "met"


def test_an_answer_that_no_channel_can_carry_is_none(world: World, ticket: dict[str, Any]) -> None:
    world.context = msgspec.structs.replace(world.context, accounts={})
    with pytest.raises(desk.DeskError, match="no channel"):
        world.reply(ticket)
    assert state(world, ticket) == "running"
