"""What rules ask of the desk's own data: lists kept there, a customer's history; and policies given anew."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from intake import armaments, lists, rearming
from intake.store.engine import Tx
from routing import rulebook
from tests.domain.world import RULES, World

Make = Callable[[str], World]

LISTS = """
lists: {blocked: {kept: desk}}
conversations: {email: {reopen_within: 1d}}
"""
BLOCKED = RULES.replace(
    "enrich:\n", "enrich:\n  - {id: blocked, when: {FACT: {in: blocked}}, then: {tags: [blocked]}}\n"
)
THIRD = RULES.replace(
    "enrich:\n",
    "enrich:\n  - {id: third, when: {customer.tickets: {within: 7d, at_least: 3}}, then: {tags: [third]}}\n",
)


def blocking(make: Make, monkeypatch: pytest.MonkeyPatch, fact: str) -> World:
    monkeypatch.setattr("tests.domain.conftest.RULES", BLOCKED.replace("FACT", fact))
    return make(LISTS)


def put(world: World, *values: str) -> None:
    world.store.write_now(lambda tx: lists.add(tx, "blocked", values, actor="agent:ania"))


def tags(world: World, sender: str = "jan@mail.customer.example") -> list[str]:
    found: list[str] = msgspec.json.decode(world.ticket(world.receive(sender))["tags"])
    return found


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("sender.address", "JAN@mail.customer.example "),
        ("sender.domain", "mail.customer.example"),
        ("sender.domain", "*.customer.example"),
    ],
)
def test_value_in_a_list_counts_for_the_next_message(
    make: Make, monkeypatch: pytest.MonkeyPatch, fact: str, value: str
) -> None:
    """No reload is needed, and values compare as in any condition."""
    world = blocking(make, monkeypatch, fact)
    assert tags(world) == []
    put(world, value)
    assert tags(world) == ["blocked"]


@pytest.mark.parametrize("value", ["*.mail.customer.example", "mail.customer", "jan", "*.example.org"])
def test_value_of_somebody_else_counts_for_nobody(
    make: Make, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """A subdomain's pattern is not the domain itself."""
    world = blocking(make, monkeypatch, "sender.domain")
    put(world, value)
    assert tags(world) == []


def test_decision_keeps_which_values_were_in_lists(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was in a list that day is known when the list has changed."""
    world = blocking(make, monkeypatch, "sender.address")
    put(world, "jan@customer.example")
    world.receive()
    (row,) = world.rows("decisions")
    assert msgspec.json.decode(row["facts"])["kept"] == {"blocked": ["jan@customer.example"]}


def test_third_ticket_in_a_week_is_seen(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new ticket counts too; what is older than the week does not."""
    monkeypatch.setattr("tests.domain.conftest.RULES", THIRD)
    world = make("")
    seen = []
    for days in (0, 1, 1, 7):
        world.advance(days=days)
        seen.append(tags(world))
    assert seen == [[], [], ["third"], []]


# -- policies given anew --------------------------------------------------------------------------------------------


def stricter(world: World, text: str) -> armaments.Armament:
    """The policy `standard` with another first_response."""
    book = rulebook.load(
        {"rules.yaml": RULES.replace("normal: 2h", f"normal: {text}")}, replies={("received", "en")}
    )
    armament = armaments.of_rulebook(book)["standard"]

    def keep(tx: Tx) -> None:
        armaments.keep(tx, {"standard": armament})

    world.store.write_now(keep)
    return armament


def states(world: World) -> dict[str, str]:
    return {
        row["step"]: row["state"]
        for row in world.rows("timers", "target = 'first_response' AND state <> 'cancelled'")
    }


def test_time_used_counts_and_what_would_be_due_is_skipped(world: World) -> None:
    """Two hours promised, one used, half an hour promised now: breached, and nobody is told of the steps."""
    ticket = world.ticket(world.receive())
    world.advance(minutes=50)
    sent = len(world.sent())
    count = rearming.rearm(world.store, stricter(world, "30m"))
    assert (count.moved, count.skipped > 0) == (1, True)
    assert world.clocks(ticket)["first_response"]["breached_at"] is not None
    assert states(world)["nudge/0"] == "skipped"
    world.fire_due()
    assert len(world.sent()) == sent
    assert "sla_rearmed" in world.events(ticket)


def test_step_still_to_come_fires_at_its_new_instant(world: World) -> None:
    """What is not yet due under the new policy is only moved."""
    world.receive()
    world.advance(minutes=10)
    assert rearming.rearm(world.store, stricter(world, "1h")).skipped == 0
    world.advance(minutes=25)
    assert world.fire_due() == 1


def test_trial_keeps_nothing(world: World) -> None:
    """Counting what would change changes nothing."""
    ticket = world.ticket(world.receive())
    before = (world.row("tickets", ticket["id"]), world.clocks(ticket), states(world))
    assert rearming.rearm(world.store, stricter(world, "1m"), is_trial=True).moved == 1
    assert (world.row("tickets", ticket["id"]), world.clocks(ticket), states(world)) == before


@pytest.mark.slow
def test_every_open_ticket_is_moved_whatever_their_number(world: World) -> None:
    """Chunks leave nobody out, and solved ones alone."""
    tickets: list[dict[str, Any]] = [
        world.ticket(world.receive(f"c{each}@customer.example")) for each in range(rearming.CHUNK * 2 + 3)
    ]
    world.set_status(tickets[0], "solved")
    assert rearming.rearm(world.store, stricter(world, "3h")).moved == len(tickets) - 1
