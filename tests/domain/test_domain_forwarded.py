"""A mail that somebody passes on: its author is offered, and is the customer once an agent has said so."""

from typing import Any

import pytest

from channels.contract import OutboundMessage
from intake import authors, desk
from intake.desk import DeskError
from tests.domain.world import World

SHOP, CARL = "shop@partner.example", "carl@example.org"
PASSED_ON = (
    "Please help him.\n\n---------- Forwarded message ---------\nFrom: Carl Client <Carl@example.org>\nDate: Mon, 2 Nov 2026 at 10:00\n"
    "Subject: Broken lamp\nTo: <shop@partner.example>\n\nThe lamp is broken.\n"
)


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    return world.ticket(world.receive(SHOP, subject="Fwd: Broken lamp", body=PASSED_ON))


def events(world: World, ticket: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return world.rows("events", "ticket_id = :id AND kind = :kind", id=ticket["id"], kind=kind)


def accept(world: World, ticket: dict[str, Any]) -> None:
    world.store.write_now(lambda tx: authors.accept(tx, world.context, ticket["ref"], agent="ania"))


def answer(world: World, ticket: dict[str, Any]) -> OutboundMessage:
    world.store.write_now(
        lambda tx: desk.reply(tx, world.context, ticket["ref"], agent="ania", text="We send one.")
    )
    return world.sent()[-1]


def test_the_author_is_offered_and_nothing_more(world: World, ticket: dict[str, Any]) -> None:
    (offered,) = events(world, ticket, "forwarded")
    assert CARL in offered["details"]
    assert "Carl Client" in offered["details"]
    assert not world.rows("identities", "value = :value", value=CARL)
    assert not world.rows("participants", "value = :value", value=CARL)


def test_an_agent_makes_the_author_the_customer(world: World, ticket: dict[str, Any]) -> None:
    accept(world, ticket)
    (identity,) = world.rows("identities", "value = :value", value=CARL)
    (after,) = world.rows("tickets", "id = :id", id=ticket["id"])
    assert after["customer_id"] == identity["customer_id"] != ticket["customer_id"]
    assert identity["is_verified"] == 0


def test_answers_go_to_the_author_then_and_a_copy_to_the_forwarder(
    world: World, ticket: dict[str, Any]
) -> None:
    accept(world, ticket)
    sent = answer(world, ticket)
    assert [each.address for each in sent.to] == [CARL]
    assert [each.address for each in sent.cc] == [SHOP]


def test_answers_go_to_the_forwarder_as_long_as_nobody_has_said_so(
    world: World, ticket: dict[str, Any]
) -> None:
    sent = answer(world, ticket)
    assert [each.address for each in (*sent.to, *sent.cc)] == [SHOP]


def test_it_is_said_once(world: World, ticket: dict[str, Any]) -> None:
    accept(world, ticket)
    with pytest.raises(DeskError, match="already"):
        accept(world, ticket)


def test_a_mail_of_the_senders_own_offers_nobody(world: World) -> None:
    ticket = world.ticket(world.receive(CARL, subject="Fwd: Broken lamp", body=PASSED_ON))
    assert not events(world, ticket, "forwarded")
    with pytest.raises(DeskError, match="nobody's mail"):
        accept(world, ticket)
