"""Tickets that turn out to be one: merging, taking it back, and deciding on suggested links."""

from collections.abc import Callable
from typing import Any

import pytest

from channels.contract import OutboundMessage
from intake import desk, linking, merging
from intake.desk import DeskError
from intake.model import Ticket
from tests.domain.world import World

JAN, EVE = "jan@customer.example", "eve@elsewhere.example"


@pytest.fixture
def older(world: World) -> dict[str, Any]:
    """Jan's ticket."""
    return world.ticket(world.receive(JAN, message_id="first@customer.example"))


@pytest.fixture
def newer(world: World, older: dict[str, Any]) -> dict[str, Any]:
    """Another one of Jan's, ten minutes later."""
    world.advance(minutes=10)
    return world.ticket(world.receive(JAN, subject="Still burning", message_id="second@customer.example"))


@pytest.fixture
def answering(world: World, older: dict[str, Any]) -> dict[str, Any]:
    """Eve's ticket, who answers Jan's without taking part in it."""
    world.advance(minutes=10)
    headers = {"In-Reply-To": "<first@customer.example>"}
    return world.ticket(world.receive(EVE, body="I am Jan's boss.", headers=headers, message_id="eve@x"))


def merge(world: World, source: dict[str, Any], into: dict[str, Any]) -> Ticket:
    return world.store.write_now(
        lambda tx: merging.merge(tx, world.context, source["ref"], into["ref"], agent="ania")
    )


def undo(world: World, ticket: dict[str, Any]) -> Ticket:
    return world.store.write_now(lambda tx: merging.undo(tx, world.context, ticket["ref"], agent="ania"))


def link(world: World, ticket: dict[str, Any], decide: Callable[..., Ticket] = linking.accept) -> Ticket:
    return world.store.write_now(lambda tx: decide(tx, world.context, ticket["ref"], agent="ania"))


def people(world: World, ticket: dict[str, Any]) -> set[str]:
    return {row["value"] for row in world.rows("participants", "ticket_id = :id", id=ticket["id"])}


def due(world: World, ticket: dict[str, Any]) -> Any:
    clock = world.clocks(ticket)["first_response"]
    return clock["due_at"] if clock["state"] == "running" else None


def receipts(world: World, to: str) -> list[OutboundMessage]:
    return world.sent(to)


def test_messages_stand_in_the_ticket_that_goes_on(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """What was said in one is said in the other, and counted there; the one merged is closed and empty."""
    merge(world, newer, older)
    into, source = world.row("tickets", older["id"]), world.row("tickets", newer["id"])
    assert (into["messages"], into["status"]) == (2, "new")
    assert (source["messages"], source["status"], source["merged_into"]) == (0, "closed", older["id"])


def test_answer_to_the_merged_ticket_lands_in_the_other(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """The reply address that was given out for the merged ticket still works."""
    answer_to = receipts(world, JAN)[-1].reply_to
    assert answer_to is not None
    assert newer["ref"].lower() in answer_to.address
    merge(world, newer, older)
    assert world.receive(JAN, body="more", to=[answer_to.address])["ticket_id"] == older["id"]


def test_message_id_of_the_merged_ticket_leads_to_the_other(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """A held Message-ID is where its message is now."""
    merge(world, newer, older)
    row = world.receive(JAN, body="more", headers={"In-Reply-To": "<second@customer.example>"})
    assert row["ticket_id"] == older["id"]


def test_merges_are_followed_to_the_last(world: World, older: dict[str, Any], newer: dict[str, Any]) -> None:
    """What was merged into what was merged is found as well."""
    answer_to = receipts(world, JAN)[-1].reply_to
    assert answer_to is not None
    third = world.ticket(world.receive(JAN, subject="Third"))
    merge(world, newer, older)
    merge(world, older, third)
    assert world.receive(JAN, body="more", to=[answer_to.address])["ticket_id"] == third["id"]


def test_clocks_of_the_older_go_on_when_it_is_the_target(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """The customer waits since the first mail; the other ticket owes nothing any more."""
    awaited = due(world, older)
    merge(world, newer, older)
    assert (due(world, older), due(world, newer)) == (awaited, None)


def test_clocks_of_the_older_go_on_when_it_is_merged_away(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """Merging the older into the newer one gives nobody more time, and its steps fire for the newer one."""
    awaited = due(world, older)
    merge(world, older, newer)
    assert due(world, newer) == awaited
    world.advance(hours=2)
    world.fire_due()
    assert "sla_breached" in world.events(newer)
    assert "sla_breached" not in world.events(older)


def test_no_timer_of_the_merged_ticket_is_left(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """Nothing falls due for a ticket that is empty."""
    merge(world, newer, older)
    assert world.rows("timers", "ticket_id = :id AND state = 'pending'", id=newer["id"]) == []


def test_waiting_customer_opens_a_solved_target(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """An unanswered message never disappears in a ticket that is done."""
    world.set_status(older, "solved")
    merge(world, newer, older)
    assert world.row("tickets", older["id"])["status"] == "open"


def test_answered_one_leaves_the_target_as_it_is(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """A solved ticket that goes into a solved one opens nothing."""
    for each in (older, newer):
        world.set_status(each, "solved")
    merge(world, newer, older)
    assert world.row("tickets", older["id"])["status"] == "solved"


@pytest.mark.parametrize("is_older_merged", [False, True])
def test_merge_is_taken_back(
    world: World, older: dict[str, Any], newer: dict[str, Any], *, is_older_merged: bool
) -> None:
    """Messages, people, status and clocks are as they were."""
    source, into = (older, newer) if is_older_merged else (newer, older)
    before = [(due(world, each), people(world, each)) for each in (source, into)]
    merge(world, source, into)
    undo(world, source)
    assert [(due(world, each), people(world, each)) for each in (source, into)] == before
    rows = [world.row("tickets", each["id"]) for each in (source, into)]
    assert [(row["messages"], row["status"], row["reopened"], row["merged_into"]) for row in rows] == [
        (1, "new", 0, None),
        (1, "new", 0, None),
    ]


def test_steps_that_have_fired_fire_once_through_merge_and_back(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """Neither the merge nor its end tells anybody again what they were told."""
    world.advance(minutes=61)
    world.fire_due()
    told = len(world.sent("ania@desk.example"))
    merge(world, older, newer)
    world.fire_due()
    undo(world, older)
    world.fire_due()
    assert len(world.sent("ania@desk.example")) == told


def test_replay_after_a_merge_finds_its_message(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """The journal's row follows the message."""
    merge(world, newer, older)
    (row,) = world.rows(
        "journal", "ticket_id = :id AND message_id IS NOT NULL ORDER BY id DESC LIMIT 1", id=older["id"]
    )
    world.settle(row["id"])
    assert "parsed_again" in world.events(older)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda world, a, b: merge(world, a, a), "into itself"),
        (lambda world, a, b: (merge(world, b, a), undo(world, a)), "not merged"),
        (lambda world, a, b: link(world, a), "no link is suggested"),
    ],
)  # fmt: skip
def test_what_cannot_be_merged_is_said(
    world: World, older: dict[str, Any], newer: dict[str, Any], make: Callable[..., Any], said: str
) -> None:
    """One sentence for the agent."""
    with pytest.raises(DeskError, match=said):
        make(world, older, newer)


def test_accepted_link_lets_the_stranger_in(
    world: World, older: dict[str, Any], answering: dict[str, Any]
) -> None:
    """Their message joins, and so do their next ones."""
    link(world, answering)
    assert people(world, older) == {JAN, EVE}
    assert world.row("tickets", older["id"])["messages"] == 2
    row = world.receive(EVE, body="well?", headers={"In-Reply-To": "<first@customer.example>"})
    assert row["ticket_id"] == older["id"]


def test_accepted_link_to_a_merged_ticket_leads_to_where_that_is(
    world: World, older: dict[str, Any], answering: dict[str, Any]
) -> None:
    """A suggestion is followed through later merges."""
    third = world.ticket(world.receive(JAN, subject="Third"))
    merge(world, older, third)
    assert link(world, answering).id == third["id"]


def test_refused_link_is_not_suggested_any_more(
    world: World, older: dict[str, Any], answering: dict[str, Any]
) -> None:
    """The ticket stands alone and says who decided so."""
    link(world, answering, linking.refuse)
    assert world.row("tickets", answering["id"])["suggested_link"] is None
    assert "link_refused" in world.events(answering)
    assert people(world, older) == {JAN}


def test_accepted_link_taken_back_puts_the_stranger_out(
    world: World, older: dict[str, Any], answering: dict[str, Any]
) -> None:
    """Who was let in by mistake is a stranger again."""
    link(world, answering)
    undo(world, answering)
    assert people(world, older) == {JAN}
    row = world.receive(EVE, body="well?", headers={"In-Reply-To": "<first@customer.example>"})
    assert row["ticket_id"] != older["id"]


def test_agent_who_acts_on_a_merged_ref_acts_on_the_ticket_it_is_in(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """A ref read off an old mail still leads to the conversation."""
    merge(world, newer, older)
    assert world.set_status(newer, "pending").id == older["id"]


def test_rules_hear_of_a_merge(make: Callable[[str], World]) -> None:
    """`on: merged` fires for the ticket that goes on."""
    world = make("react: [{id: joined, on: merged, then: {tags: [several]}}]\n")
    one, other = (world.ticket(world.receive(JAN, body=f"mail {each}")) for each in range(2))
    merge(world, other, one)
    assert "several" in world.row("tickets", one["id"])["tags"]
    assert "several" not in world.row("tickets", other["id"])["tags"]


def test_undoing_moves_only_what_was_merged(
    world: World, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    """What came in between stays where it was said."""
    merge(world, newer, older)
    row = world.receive(JAN, body="in between", headers={"In-Reply-To": "<first@customer.example>"})
    undo(world, newer)
    assert world.row("journal", row["id"])["ticket_id"] == older["id"]
    assert [world.row("tickets", each["id"])["messages"] for each in (older, newer)] == [2, 1]


@pytest.mark.parametrize("is_older_merged", [True, False])
def test_merge_makes_nothing_due_later(
    world: World, older: dict[str, Any], newer: dict[str, Any], *, is_older_merged: bool
) -> None:
    """What was urgent is, in the ticket that goes on: its target is the earliest of both. Taken back, both are as before."""
    source, into = (older, newer) if is_older_merged else (newer, older)
    world.store.write_now(
        lambda tx: desk.set_priority(tx, world.context, source["ref"], "urgent", agent="ania")
    )
    before = {each["ref"]: due(world, each) for each in (older, newer)}
    assert merge(world, source, into).priority == "urgent"
    assert due(world, into) <= min(before.values())
    undo(world, source)
    assert {each["ref"]: due(world, each) for each in (older, newer)} == before
    assert {row["ref"]: row["priority"] for row in world.rows("tickets")} == {
        source["ref"]: "urgent",
        into["ref"]: "normal",
    }
