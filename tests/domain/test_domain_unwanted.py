"""Spam and blocked senders: what that does to the ticket, and to what comes later."""

from collections.abc import Callable
from typing import Any

import pytest

from intake import unwanted
from intake.desk import DeskError
from tests.domain.world import World

SPAMMER = "casino@spam.example"
DECIDING = """
version: 1
lists: {blocked: {kept: desk}}
agents: {ania: {email: ania@desk.example}}
teams: {support: {levels: {l1: [ania]}}}
enrich: [{id: nuisance, when: {sender.address: {in: blocked}}, then: {spam: true}}]
default: {team: support, priority: normal}
"""


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    return world.ticket(world.receive(SPAMMER))


def _mark(world: World, ticket: dict[str, Any], *, is_blocked: bool = False) -> None:
    world.store.write_now(
        lambda tx: unwanted.mark_spam(tx, world.context, ticket["ref"], agent="ania", is_blocked=is_blocked)
    )


def _unmark(world: World, ticket: dict[str, Any]) -> None:
    world.store.write_now(lambda tx: unwanted.unmark_spam(tx, world.context, ticket["ref"], agent="ania"))


def _block(world: World, *values: str) -> tuple[str, ...]:
    return world.store.write_now(lambda tx: unwanted.block(tx, world.context, values, agent="ania"))


def _states(world: World, ticket: dict[str, Any]) -> set[str]:
    return {clock["state"] for clock in world.clocks(ticket).values()}


def test_spam_is_closed_and_owes_nothing(world: World, ticket: dict[str, Any]) -> None:
    """No clock runs, and nothing escalates."""
    _mark(world, ticket)
    after = world.row("tickets", ticket["id"])
    assert (after["status"], after["is_spam"]) == ("closed", 1)
    assert world.rows("timers", "ticket_id = :id AND state = 'pending'", id=ticket["id"]) == []


def test_what_a_spammer_writes_next_is_a_ticket(world: World, ticket: dict[str, Any]) -> None:
    """People are wrong about spam: marking one says nothing about the next."""
    _mark(world, ticket)
    later = world.ticket(world.receive(SPAMMER, subject="Something else"))
    assert (later["id"] != ticket["id"], later["status"]) == (True, "new")


def test_spam_taken_back_is_what_it_was(world: World, ticket: dict[str, Any]) -> None:
    """Status, clocks and seat are the ticket's again, and nobody counts it as reopened."""
    before = _states(world, ticket)
    _mark(world, ticket)
    _unmark(world, ticket)
    after = world.row("tickets", ticket["id"])
    assert (after["status"], after["is_spam"], after["reopened"], after["agent"]) == ("new", 0, 0, "ania")
    assert _states(world, ticket) == before == {"running"}


def test_what_is_no_spam_cannot_be_taken_back(world: World, ticket: dict[str, Any]) -> None:
    """It is told so."""
    with pytest.raises(DeskError, match="is not marked"):
        _unmark(world, ticket)


def test_what_a_blocked_sender_writes_makes_no_ticket(world: World, ticket: dict[str, Any]) -> None:
    """It is kept, with why, and nobody is told."""
    _mark(world, ticket, is_blocked=True)
    sent = len(world.sent())
    row = world.receive(SPAMMER, subject="Again")
    assert (row["state"], row["ticket_id"]) == ("ignored", None)
    assert "blocked" in row["problem"]
    assert len(world.sent()) == sent


def test_who_is_heard_again_after_all_makes_tickets(world: World, ticket: dict[str, Any]) -> None:
    """Taking the mark back lifts the block that came with it."""
    _mark(world, ticket, is_blocked=True)
    _unmark(world, ticket)
    assert world.receive(SPAMMER, subject="Again")["state"] == "ticket"


@pytest.mark.parametrize("blocked", ["spam.example", "@spam.example", "CASINO@Spam.Example"])
def test_block_reaches_domains_and_any_spelling(world: World, blocked: str) -> None:
    """As lists of the rules do."""
    _block(world, blocked)
    assert world.receive(SPAMMER)["state"] == "ignored"


def test_block_reaches_nobody_else(world: World) -> None:
    """Not the other users of a domain, not a domain that ends alike."""
    _block(world, SPAMMER, "spam.example.org")
    assert world.receive("jan@spam.example")["state"] == "ticket"


def test_agent_is_not_blocked_from_answering_by_mail_and_we_never_block_ourselves(world: World) -> None:
    """Our own address in the list would turn away what is sent on to us."""
    with pytest.raises(DeskError, match="of ours"):
        _block(world, "support@example.com")


def test_rules_that_ask_for_the_list_decide_themselves(make_whole: Callable[[str], World]) -> None:
    """Their answer to a blocked sender is not taken out of their hands."""
    world = make_whole(DECIDING)
    _block(world, SPAMMER)
    row = world.receive(SPAMMER)
    assert (row["state"], world.ticket(row)["is_spam"]) == ("ticket", 1)
