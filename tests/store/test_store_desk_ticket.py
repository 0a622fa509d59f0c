"""A ticket's page on both engines: whole, in order, in pages, and only for those who may see it."""

from pathlib import Path
from typing import Any

import pytest

from intake import desk_ticket, merging
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.web.access import NOBODY, Subject, Who
from tests.domain.world import World
from tests.store import desk_rows
from tests.store.clock import Clock

ADMIN = Who(kind="agent", name="root", role="admin")
ANIA = Who(kind="agent", name="ania", teams=frozenset(("support",)))
SPOKEN = 130


def page(store: Store, who: Who, ref: str) -> dict[str, Any] | None:
    return store.read_now(lambda tx: desk_ticket.page(tx, who, ref))


def seen(store: Store, who: Who, ref: str) -> dict[str, Any]:
    found = page(store, who, ref)
    assert found is not None
    return found


def conversation(store: Store, ref: str, before: str | None, *, limit: int) -> dict[str, Any]:
    found = store.read_now(lambda tx: desk_ticket.conversation(tx, ADMIN, ref, before=before, limit=limit))
    assert found is not None
    return found


def talk(tx: Tx) -> None:
    """Write a long conversation with an event between any two messages."""
    desk_rows.add_ticket(tx, 1, team="support")
    for number in range(1, SPOKEN):
        at = desk_rows.FIRST_US + number * desk_rows.MINUTE_US * 2
        direction = "in" if number % 2 else "out"
        desk_rows.add_message(tx, 10_000 + number, ticket_id=1, at=at, direction=direction)
        tx.insert(
            schema.events,
            ticket_id=1,
            kind="note_added",
            actor="agent:ania",
            at=at + 1,
            details='{"facts":{},"n":1}',
        )


def test_a_long_conversation_is_whole_and_in_order_page_by_page(store: Store) -> None:
    store.write_now(talk)
    pages: list[list[dict[str, Any]]] = []
    before = None
    for _ in range(SPOKEN):
        found = conversation(store, "R1", before, limit=40)
        pages.insert(0, found["timeline"])
        before = found["older"]
        if before is None:
            break
    assert max(len(each) for each in pages) <= 81
    whole = [each for timeline in pages for each in timeline]
    told = [each for each in whole if each["what"] == "message"]
    assert [each["id"] for each in told] == [str(10_000 + number) for number in range(SPOKEN)]
    assert [each["at"] for each in whole] == sorted(each["at"] for each in whole)
    assert sum(each["what"] == "event" for each in whole) == SPOKEN - 1


def test_the_newest_page_comes_first_and_events_hide_what_machines_read(store: Store) -> None:
    store.write_now(talk)
    found = seen(store, ADMIN, "R1")
    assert found["timeline"][-1]["details"] == {"n": 1}
    assert found["timeline"][-2]["id"] == str(10_000 + SPOKEN - 1)
    assert len([each for each in found["timeline"] if each["what"] == "message"]) == desk_ticket.PAGE
    assert found["last_public"] == str(10_000 + SPOKEN - 1)


def test_a_cursor_that_is_none_of_ours_gives_nothing(store: Store) -> None:
    store.write_now(talk)
    assert conversation(store, "R1", "x", limit=10) == {"timeline": [], "older": None}


def test_who_may_not_see_a_ticket_is_not_told_that_it_exists(store: Store) -> None:
    store.write_now(lambda tx: desk_rows.add_ticket(tx, 1, team="billing"))
    assert page(store, ANIA, "R1") is None
    assert page(store, NOBODY, "R1") is None
    assert store.read_now(lambda tx: desk_ticket.conversation(tx, ANIA, "R1")) is None
    assert page(store, ADMIN, "R2") is None
    found = store.read_now(lambda tx: desk_ticket.subject_of(tx, "R1"))
    assert found == Subject(team="billing", ref="R1")


def test_of_the_customers_other_tickets_only_those_are_told_that_may_be_seen(store: Store) -> None:
    def write(tx: Tx) -> None:
        for number, team in enumerate(("support", "support", "billing", None, "support"), start=1):
            solved_at = desk_rows.FIRST_US if number == 5 else None
            desk_rows.add_ticket(tx, number, team=team, solved_at=solved_at)
            tx.update(schema.tickets, {"id": number}, customer_id=1_000_001)

    store.write_now(write)
    others = seen(store, ANIA, "R1")["others"]
    assert ([row["ref"] for row in others["tickets"]], others["count"], others["open"]) == (
        ["R5", "R4", "R2"],
        3,
        2,
    )
    assert seen(store, ADMIN, "R1")["others"]["count"] == 4


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Clock) -> World:
    return World(store, tmp_path, clock)


def test_the_page_of_a_real_ticket_names_clocks_reasons_and_deliveries(world: World) -> None:
    """A mail, a rule that decides, an answer that is sent: all of it stands on the page."""
    ticket = world.ticket(world.receive(subject="An invoice", body="Where is my invoice?"))
    world.reply(ticket, "Here it is.", agent="ewa")
    found = seen(world.store, ADMIN, ticket["ref"])
    assert {each["target"]: each["state"] for each in found["clocks"]} == {
        "first_response": "met",
        "resolution": "running",
    }
    assert found["decision"]["rule"] == "money"
    assert found["ticket"]["next_due"]["target"] == "resolution"
    assert found["ticket"]["is_unanswered"] is False
    assert found["customer"]["opt_outs"] == []
    answers = [each for each in found["timeline"] if each["what"] == "message" and each["from"] == "ewa"]
    assert [each["delivery"]["state"] for each in answers] == ["queued"]
    assert found["last_public"] == answers[0]["id"]
    assert found["ticket"]["participants"] == [{"kind": "email", "value": "jan@customer.example"}]


def test_a_list_follows_what_the_customer_writes_and_what_the_clocks_do(world: World) -> None:
    """The columns that lists are ordered by move with the customer's words, with each clock, and with a merge."""
    first = world.ticket(world.receive(message_id="one@customer.example"))
    assert first["written_at"] == first["created_at"]
    assert first["next_due_at"] == _soonest(world, first)
    world.clock.forward(seconds=60)
    world.receive(headers={"In-Reply-To": "<one@customer.example>"})
    world.reply(first)
    again = world.row("tickets", first["id"])
    assert again["written_at"] == first["written_at"] + 60_000_000
    assert again["next_due_at"] == _soonest(world, first) > first["next_due_at"]
    world.set_status(first, "solved")
    assert world.row("tickets", first["id"])["next_due_at"] is None


def test_a_merge_and_its_undoing_leave_both_tickets_in_their_places(world: World) -> None:
    """What lists are ordered by is right on both sides, there and back."""
    older = world.ticket(world.receive(subject="Older"))
    world.clock.forward(seconds=600)
    younger = world.ticket(world.receive(subject="Younger"))
    world.store.write_now(
        lambda tx: merging.merge(tx, world.context, older["ref"], younger["ref"], agent="ania")
    )
    into = world.row("tickets", younger["id"])
    assert into["next_due_at"] == _soonest(world, younger) == older["next_due_at"]
    assert into["written_at"] == younger["written_at"]
    assert world.row("tickets", older["id"])["next_due_at"] is None
    world.store.write_now(lambda tx: merging.undo(tx, world.context, older["ref"], agent="ania"))
    for each in (older, younger):
        assert world.row("tickets", each["id"])["next_due_at"] == _soonest(world, each) == each["next_due_at"]


def _soonest(world: World, ticket: dict[str, Any]) -> Any:
    due = [row["due_at"] for row in world.rows("clocks", "ticket_id = :id", id=ticket["id"])]
    return min(each for each in due if each is not None)
