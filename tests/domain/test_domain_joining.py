"""Which ticket a message without a reference joins, by what the rules say of its medium."""

from collections.abc import Callable
from typing import Any

import pytest

from channels.contract import Identity, Message
from tests.domain.world import World

JAN = "jan@customer.example"
FAIL = {"Authentication-Results": "mx.example.com; dmarc=fail header.from=customer.example"}
MEDIA = """
conversations:
  email: {join: open, reopen_within: 3d}
  sms: {join: open, reopen_within: 3d}
  chat: {join: open}
"""

Make = Callable[[str], World]


@pytest.fixture
def world(make: Make) -> World:
    return make(MEDIA)


def say(world: World, text: str, *, medium: str = "sms", phone: str = "+48600100200") -> dict[str, Any]:
    """A line of a text or chat; its journal row."""
    journal_id = world.journal(phone, body=text)
    message = Message(kind=medium, text=text, visible_text=text, sender=Identity("phone", phone))
    world.settle(journal_id, message=message)
    return world.row("journal", journal_id)


def test_message_joins_the_customers_open_ticket(world: World) -> None:
    """With join: open a message without any reference is the next one of the open conversation."""
    first, second = world.receive(body="one"), world.receive(body="two")
    assert second["ticket_id"] == first["ticket_id"]
    assert world.ticket(first)["messages"] == 2


def test_unverified_mail_that_joins_so_is_flagged(world: World) -> None:
    """A From that nobody proved is told, because anybody could have written it."""
    first = world.receive(body="one")
    world.receive(body="two")
    assert "unverified_join" in world.events(world.ticket(first))


def test_forged_mail_joins_nothing(world: World) -> None:
    """DMARC fail is a new ticket that names the one it would have joined."""
    first = world.receive(body="one")
    forged = world.ticket(world.receive(body="two", headers=FAIL))
    assert (forged["id"] != first["ticket_id"], forged["suggested_link"]) == (True, first["ticket_id"])


def test_mail_whose_from_names_two_joins_nothing(world: World) -> None:
    """Who wrote is a guess then: the ticket that it may belong to is named."""
    first = world.receive(body="one")
    mail = world.mail("x@x.example", subject="s", body="two", headers={"Reply-To": JAN})
    mail = mail.replace(b"From: x@x.example", f"From: {JAN}, eve@elsewhere.example".encode())
    guessed = world.ticket(world.receive(JAN, content=mail))
    assert (guessed["id"] != first["ticket_id"], guessed["suggested_link"]) == (True, first["ticket_id"])


def test_another_customer_joins_nothing(world: World) -> None:
    """Open tickets are joined by their own customer only."""
    first = world.receive(body="one")
    assert world.receive("eve@elsewhere.example", body="two")["ticket_id"] != first["ticket_id"]


def test_another_medium_joins_nothing(world: World) -> None:
    """A chat line is not put into the text conversation of the same number."""
    first = say(world, "one")
    assert say(world, "two", medium="chat")["ticket_id"] != first["ticket_id"]


def test_of_two_open_ones_the_last_written_is_joined_and_the_other_suggested(make: Make) -> None:
    """The conversation going on is the one where something was said last, by the customer or by us."""
    before = make("")
    first, second = before.ticket(before.receive(body="one")), before.ticket(before.receive(body="two"))
    before.advance(minutes=5)
    before.reply(first)
    world = make(MEDIA)
    world.advance(minutes=5)
    row = world.receive(body="three")
    assert row["ticket_id"] == first["id"]
    (event,) = world.rows("events", "kind = 'link_suggested'")
    assert second["ref"] in event["details"]


@pytest.mark.parametrize(("days", "joins"), [(2, True), (4, False)])
def test_solved_one_is_reopened_within_the_mediums_time(world: World, days: int, *, joins: bool) -> None:
    """None open: the one solved last is reopened, unless that is too long ago."""
    first = world.receive(body="one")
    world.set_status(world.ticket(first), "solved")
    world.advance(days=days)
    row = world.receive(body="again")
    assert (row["ticket_id"] == first["ticket_id"]) is joins
    assert world.row("tickets", first["ticket_id"])["status"] == ("open" if joins else "solved")


def test_closed_one_is_never_joined(world: World) -> None:
    """What is closed stays closed."""
    first = world.receive(body="one")
    world.set_status(world.ticket(first), "closed")
    assert world.receive(body="again")["ticket_id"] != first["ticket_id"]


def test_medium_without_join_makes_a_new_ticket(make: Make) -> None:
    """A medium that the rules do not name makes a ticket of each message without a reference."""
    world = make("")
    assert world.receive(body="one")["ticket_id"] != world.receive(body="two")["ticket_id"]


@pytest.mark.parametrize(("then", "is_linked"), [("follow_up", True), ("new", False)])
def test_answer_that_comes_too_late_is_what_then_says(make: Make, then: str, *, is_linked: bool) -> None:
    """An answer to what was solved long ago is a linked follow-up, or just new."""
    world = make(f"conversations: {{email: {{reopen_within: 1d, then: {then}}}}}\n")
    first = world.ticket(world.receive(message_id="first@customer.example"))
    world.set_status(first, "solved")
    world.advance(days=2)
    late = world.ticket(world.receive(body="again", headers={"In-Reply-To": "<first@customer.example>"}))
    assert (late["id"] != first["id"], late["linked_to"]) == (True, first["id"] if is_linked else None)


def test_next_line_says_where_the_conversation_goes(world: World) -> None:
    """ "hi" and then "refund" is a refund, as long as nobody has taken the ticket."""
    row = say(world, "hi", medium="chat")
    assert world.ticket(row)["team"] == "support"
    say(world, "I want a refund", medium="chat")
    ticket = world.ticket(row)
    assert (ticket["team"], ticket["agent"], ticket["rule"]) == ("billing", "ewa", "money")


def test_line_that_changes_nothing_leaves_agent_and_decision(world: World) -> None:
    """A further line of the same request moves nobody."""
    row = say(world, "a refund please", medium="chat")
    before = world.ticket(row)
    say(world, "quickly", medium="chat")
    assert (world.ticket(row)["agent"], len(world.rows("decisions"))) == (before["agent"], 1)


def test_clock_counts_from_the_first_line(world: World) -> None:
    """Routing again moves the ticket, never the instant by which it must be answered."""
    row = say(world, "hi", medium="chat")
    before = world.clocks(world.ticket(row))["first_response"]["due_at"]
    world.advance(minutes=10)
    say(world, "refund", medium="chat")
    assert world.clocks(world.ticket(row))["first_response"]["due_at"] == before


def test_taken_ticket_is_not_routed_again(world: World) -> None:
    """Once a person has done something with it, what the customer says moves it no more."""
    row = say(world, "hi", medium="chat")
    world.set_status(world.ticket(row), "open")
    say(world, "refund", medium="chat")
    assert world.ticket(row)["team"] == "support"
