"""Tickets that agents open for customers, and what is written first."""

from typing import Any

import pytest

from intake import composing, new_tickets, written_down
from intake.desk import DeskError
from intake.model import Ticket
from intake.new_tickets import First, Placing
from intake.written_down import Written
from tests.domain.world import World


def _down(world: World, placing: Placing | None = None, **said: Any) -> Ticket:
    written = new_tickets.checked(
        Written(**{"way": "phone", "by": "ania", "text": "My printer is on fire.", **said})
    )
    blob = new_tickets.prepare(written, folder=world.folder)
    return world.store.write_now(
        lambda tx: new_tickets.write_down(
            tx, world.context, written, blob, placing or Placing(), agent="ania"
        )
    )


def _first(world: World, placing: Placing | None = None, **said: Any) -> Ticket:
    first = First(**{"to": "Eva@Customer.Example", "text": "Your order is late.", **said})
    return world.store.write_now(
        lambda tx: new_tickets.write_first(tx, world.context, first, placing or Placing(), agent="ania")
    )


def test_what_a_customer_said_goes_through_the_rules(world: World) -> None:
    """Team and clocks are as if they had written it."""
    ticket = _down(world, text="I want a refund", address="jan@customer.example")
    assert (ticket.team, ticket.status, ticket.subject) == ("billing", "new", "I want a refund")
    assert {each["state"] for each in world.clocks({"id": ticket.id}).values()} == {"running"}


def test_customer_who_is_known_has_one_ticket_more(world: World) -> None:
    """By the address as they write it, in any case."""
    known = world.ticket(world.receive("jan@customer.example"))
    assert _down(world, address=" Jan@Customer.Example ").customer_id == known["customer_id"]


def test_what_was_said_can_be_answered_by_mail(world: World) -> None:
    """The address that was written down is where answers go."""
    ticket = _down(world, address="jan@customer.example")
    world.reply({"ref": ticket.ref}, "Try water.")
    assert world.sent("jan@customer.example")[-1].text.startswith("Try water.")


def test_who_left_no_address_is_a_customer_of_their_own(world: World) -> None:
    """A name from the counter, whom nobody can answer; the composer says so."""
    ticket = _down(world, way="counter", name="Mr Ito")
    composed = world.store.read_now(lambda tx: composing.compose(tx, world.context, ticket.ref, text="Hello"))
    assert world.row("customers", ticket.customer_id)["name"] == "Mr Ito"
    assert (composed.can_send, composed.reason) == (False, "it has nobody to answer")


def test_agents_choice_stands_over_the_rules(world: World) -> None:
    """Team, priority and nature are what they say."""
    placing = Placing(to="billing", priority="urgent", nature="complaint")
    ticket = _down(world, placing, address="jan@customer.example")
    assert (ticket.team, ticket.priority, ticket.nature) == ("billing", "urgent", "complaint")


def test_who_wrote_it_down_is_in_the_history(world: World) -> None:
    """With the way that it came."""
    ticket = _down(world, way="letter", address="jan@customer.example")
    (event,) = world.rows("events", "ticket_id = :id AND kind = 'written_down'", id=ticket.id)
    assert (event["actor"], "letter" in event["details"]) == ("agent:ania", True)


def test_what_was_written_down_is_read_again_as_it_was(world: World) -> None:
    """The journal has it as it has everything that comes in."""
    ticket = _down(world, address="jan@customer.example", text="My printer is on fire.")
    (row,) = world.rows("journal", "ticket_id = :id", id=ticket.id)
    world.store.write_now(lambda tx: tx.update(_journal(), {"id": row["id"]}, state="pending"))
    received = world.store.read_now(lambda tx: _load(tx, row["id"], world))
    world.settle(row["id"], message=written_down.parse(received.raw, written_down.Options()))
    (message,) = world.rows("messages", "ticket_id = :id AND direction = 'in'", id=ticket.id)
    assert message["body"] == "My printer is on fire."


def _journal() -> Any:
    from intake.store import schema

    return schema.journal


def _load(tx: Any, number: int, world: World) -> Any:
    from intake import journal

    return journal.load(tx, number, world.folder)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"text": "  "}, "nothing is written down"),
        ({"address": "jan"}, "not an address"),
        ({"phone": "600 100"}, "country's code"),
        ({"way": "pigeon"}, "not a way"),
    ],
)
def test_what_is_wrong_is_said(world: World, said: dict[str, Any], complaint: str) -> None:
    """In one sentence, and nothing is kept."""
    with pytest.raises(DeskError, match=complaint):
        _down(world, **said)
    assert world.rows("tickets") == []


def test_first_word_goes_out_and_the_answer_comes_back_to_it(world: World) -> None:
    """The customer's answer joins the ticket that we have opened."""
    ticket = _first(world, subject="Your order")
    (out,) = world.sent("eva@customer.example")
    assert (out.text.partition("\n")[0], ticket.agent, ticket.status) == (
        "Your order is late.",
        "ania",
        "pending",
    )
    assert out.reply_to is not None
    row = world.receive(
        "eva@customer.example", to=[out.reply_to.address], headers={"In-Reply-To": f"<{out.message_id}>"}
    )
    assert (row["ticket_id"], world.ticket(row)["status"]) == (ticket.id, "open")


def test_second_word_goes_where_the_first_went(world: World) -> None:
    """Nobody has to have answered."""
    ticket = _first(world)
    world.reply({"ref": ticket.ref}, "It is on its way.")
    assert [each.text.partition("\n")[0] for each in world.sent("eva@customer.example")] == [
        "Your order is late.",
        "It is on its way.",
    ]


def test_first_word_to_ourselves_is_refused(world: World) -> None:
    """It would come back as a customer's."""
    with pytest.raises(DeskError, match="of ours"):
        _first(world, to="support@example.com")


def test_rules_may_ignore_what_was_written_down(world: World) -> None:
    """Then the agent is told that there is no ticket, and nothing is kept."""
    with pytest.raises(DeskError, match="ignore"):
        _down(world, subject="newsletter")
    assert world.rows("journal") == []
