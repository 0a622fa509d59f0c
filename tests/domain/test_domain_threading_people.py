"""Who takes part in a conversation: whoever opens it, and whom a participant writes to in mail that is proven to be theirs."""

from typing import Any

import pytest

from intake import participants
from tests.domain.world import SUPPORT, World

JAN, MARIA = "jan@customer.example", "maria@elsewhere.example"
PROVEN = {"Authentication-Results": "mx.example.com; dmarc=pass header.from=customer.example"}


@pytest.fixture
def opened(world: World) -> dict[str, Any]:
    return world.ticket(world.receive(JAN, message_id="first@customer.example", headers=PROVEN))


def people(world: World, ticket: dict[str, Any]) -> set[str]:
    return {row["value"] for row in world.rows("participants", "ticket_id = :id", id=ticket["id"])}


def answer(world: World, sender: str = JAN, **headers: str) -> dict[str, Any]:
    more = {"In-Reply-To": "<first@customer.example>", **headers}
    return world.receive(sender, body=f"more {headers}", headers=more)


def test_whom_a_participant_copies_takes_part(world: World, opened: dict[str, Any]) -> None:
    """And their next mail joins."""
    answer(world, **PROVEN, Cc=f"Maria <{MARIA.upper()}>")
    assert people(world, opened) == {JAN, MARIA}
    assert answer(world, MARIA)["ticket_id"] == opened["id"]
    assert "participant_added" in world.events(opened)


def test_whom_the_first_mail_copies_takes_part(world: World) -> None:
    ticket = world.ticket(world.receive(JAN, headers={**PROVEN, "Cc": MARIA}))
    assert people(world, ticket) == {JAN, MARIA}


def test_unproven_mail_adds_nobody(world: World, opened: dict[str, Any]) -> None:
    """Whoever can write Jan's name into From could let themselves in."""
    row = answer(world, Cc=MARIA)
    assert (row["ticket_id"], people(world, opened)) == (opened["id"], {JAN})


def test_signed_reference_is_no_proof_of_the_sender(world: World, opened: dict[str, Any]) -> None:
    """A reply address lets its owner speak, but nobody in."""
    address = world.sent(JAN)[0].reply_to
    assert address is not None
    row = world.receive(JAN, body="more", to=[address.address], headers={"Cc": MARIA})
    assert (row["ticket_id"], people(world, opened)) == (opened["id"], {JAN})


@pytest.mark.parametrize(
    "copied",
    [
        SUPPORT, "help@example.com", "support+anything@example.com", "ania@desk.example", "ANIA@desk.example", JAN,
        "no-reply@shop.example", "noreply@shop.example", "mailer-daemon@x.example", "bounces+1@x.example", "nobody@x.example", "users-request@x.example", "postmaster@x.example",
        "nobody", "undisclosed-recipients:;", "<>",
    ],
)  # fmt: skip
def test_who_is_no_further_person_is_not_added(world: World, opened: dict[str, Any], copied: str) -> None:
    """Ourselves, our agents, robots."""
    mail = world.mail(
        JAN, subject="s", body=f"more {copied}", headers={**PROVEN, "In-Reply-To": "<first@customer.example>"}
    )
    world.receive(JAN, content=mail.replace(b"Subject:", f"Cc: {copied}\r\nSubject:".encode(), 1))
    assert people(world, opened) == {JAN}


def test_list_and_its_readers_are_not_added(world: World, opened: dict[str, Any]) -> None:
    """What is posted to a list is read by whoever is on it."""
    answer(world, **PROVEN, Cc=f"{MARIA}, users@lists.example", **{"List-Id": "<users.lists.example>"})
    assert people(world, opened) == {JAN}


def test_automatic_mail_adds_nobody(world: World, opened: dict[str, Any]) -> None:
    answer(world, **PROVEN, Cc=MARIA, **{"Auto-Submitted": "auto-replied"})
    assert people(world, opened) == {JAN}


def test_no_mail_adds_a_crowd(world: World, opened: dict[str, Any]) -> None:
    """The excess is told."""
    crowd = ", ".join(f"p{number}@crowd.example" for number in range(participants.ADDED_MAX + 5))
    answer(world, **PROVEN, Cc=crowd)
    assert len(people(world, opened)) == participants.ADDED_MAX + 1
    assert "participants_left_out" in world.events(opened)


def test_stranger_adds_people_to_their_own_ticket_only(world: World, opened: dict[str, Any]) -> None:
    proven = {"Authentication-Results": "mx.example.com; dmarc=pass header.from=elsewhere.example"}
    row = answer(world, "eve@elsewhere.example", **proven, Cc=MARIA)
    assert people(world, opened) == {JAN}
    assert people(world, world.ticket(row)) == {"eve@elsewhere.example", MARIA}
