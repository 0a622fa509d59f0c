"""Eight writers at once on the last free seats of a desk, on both engines: no cap is ever passed, and turns stay fair."""

import asyncio
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from intake import agents, agents_view, assigning, listing, presence, waiting
from intake.desk import DeskError
from intake.store.engine import Store
from tests.domain.test_domain_capacity import RULES
from tests.domain.world import World
from tests.store.racing import WRITERS, at_once


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> World:
    return World(store, tmp_path, clock, rules=RULES)


def crowd(world: World, count: int, subject: str = "A printer") -> list[dict[str, Any]]:
    """So many new tickets, settled at once."""
    first = len(world.rows("journal"))
    ids = [world.journal(f"c{first + each}@customer.example", subject=subject) for each in range(count)]
    at_once([partial(world.settle, each) for each in ids])
    return [world.ticket(world.row("journal", each)) for each in ids]


def held(world: World) -> Counter[str]:
    """Open tickets by agent; the counts that are kept are the same."""
    rows = world.rows("tickets", "agent IS NOT NULL AND solved_at IS NULL")
    counted = Counter(row["agent"] for row in rows)
    kept = Counter({row["name"]: row["open_tickets"] for row in world.rows("agent_load")})
    assert +kept == counted
    return counted


def assign(world: World, ticket: dict[str, Any], to: str) -> None:
    world.store.write_now(lambda tx: assigning.assign(tx, world.context, ticket["ref"], to, agent="tomek"))


def pick_up(world: World, ticket: dict[str, Any]) -> Any:
    return world.store.write_now(lambda tx: waiting.pick_up(tx, world.context, ticket["id"]))


def test_a_crowd_of_new_tickets_fills_the_caps_and_waits(world: World) -> None:
    """Two each of two agents; what is left waits, all of it."""
    crowd(world, WRITERS * 2)
    assert held(world) == {"ania": 2, "ewa": 2}
    waits = world.rows("tickets", "waits_since IS NOT NULL AND agent IS NULL")
    assert len(waits) == WRITERS * 2 - 4


def test_a_crowd_of_hands_gives_one_agent_no_more_than_the_cap(world: World) -> None:
    """Of eight who assign to the same agent at once two succeed, and six read a sentence."""
    tickets = crowd(world, WRITERS, subject="left")
    results = at_once([partial(assign, world, each, "tomek") for each in tickets])
    assert sum(isinstance(each, DeskError) for each in results) == WRITERS - 2
    assert held(world) == {"tomek": 2}


def test_a_crowd_of_customers_who_write_again_passes_no_cap(world: World) -> None:
    """Eight solved tickets of one agent are reopened at once: two are theirs, two a colleague's, four wait."""
    world.use_rules(RULES.replace("email: 2", "email: 20"))
    tickets = crowd(world, WRITERS, subject="named")
    for each in tickets:
        world.set_status(each, "solved")
    world.use_rules(RULES)
    firsts = {row["ticket_id"]: row for row in world.rows("messages", "direction = 'in'")}
    again = [
        world.journal(
            firsts[each["id"]]["author"], headers={"In-Reply-To": f"<{firsts[each['id']]['external_id']}>"}
        )
        for each in tickets
    ]
    at_once([partial(world.settle, each) for each in again])
    assert held(world) == {"ania": 2, "ewa": 2}
    assert len(world.rows("tickets", "status = 'open'")) == WRITERS


def test_a_ticket_that_waits_is_given_out_once(world: World) -> None:
    """Eight looks at the same moment give it to one agent, with one notice."""
    (*first, last) = [each for _ in range(5) for each in crowd(world, 1)]
    world.set_status(first[0], "solved")
    results = at_once([partial(pick_up, world, last)] * WRITERS)
    assert sum(each is not None for each in results) == 1
    assert held(world) == {"ania": 2, "ewa": 2}
    assert world.events(last).count("assigned") == 1


def test_a_crowd_for_one_free_seat_takes_one(world: World) -> None:
    """Eight that wait are looked at at once when one seat is free."""
    tickets = crowd(world, WRITERS + 4)
    given = [each for each in tickets if world.row("tickets", each["id"])["agent"] is not None]
    world.set_status(given[0], "solved")
    waits = [each for each in tickets if world.row("tickets", each["id"])["agent"] is None]
    results = at_once([partial(pick_up, world, each) for each in waits])
    assert sum(each is not None for each in results) == 1
    assert held(world) == {"ania": 2, "ewa": 2}


@pytest.mark.parametrize("by", ["round_robin", "least_loaded"])
def test_turns_stay_fair_in_a_crowd(world: World, by: str) -> None:
    """Twenty-four tickets at once for two equals are twelve each."""
    world.use_rules(RULES.replace("{capacity: {email: 2}}", f"{by}", 1))
    crowd(world, WRITERS * 3)
    assert held(world) == {"ania": 12, "ewa": 12}


def test_who_goes_away_in_a_crowd_is_left_with_nothing(world: World) -> None:
    """Tickets come in while an agent goes: whichever comes first, none stays with them."""
    world.use_rules(RULES.replace("email: 2", "email: 20"))
    ids = [world.journal(f"c{each}@customer.example") for each in range(WRITERS * 2)]

    def go() -> None:
        world.store.write_now(
            lambda tx: presence.go(tx, world.context, "ania", until_us=None, keep=False, by="ania")
        )

    settles = [partial(world.settle, each) for each in ids]
    at_once([*settles[:WRITERS], go, *settles[WRITERS:]])
    asyncio.run(presence.run_due(world.store, world.context))
    assert held(world) == {"ewa": WRITERS * 2}


def test_moves_run_by_eight_daemons_are_made_once(world: World) -> None:
    """Each ticket is moved by one of them, and each side gets one mail."""
    world.use_rules(RULES.replace("email: 2", "email: 20"))
    tickets = crowd(world, WRITERS, subject="named")
    world.store.write_now(
        lambda tx: presence.go(tx, world.context, "ania", until_us=None, keep=False, by="ania")
    )
    at_once([lambda: asyncio.run(presence.run_due(world.store, world.context))] * WRITERS)
    assert held(world) == {"ewa": WRITERS}
    assert [world.events(each).count("assigned") for each in tickets] == [2] * WRITERS
    lists = [each for each in world.sent() if "tickets of theirs" in each.subject]
    assert len(lists) == 1


def look(world: World) -> int:
    return asyncio.run(waiting.run_due(world.store, world.context))


def test_a_look_gives_out_what_waits_in_its_order_and_sets_the_alarm(world: World) -> None:
    """The urgent one first; what is left waits without an alarm, because nobody's hours begin."""
    tickets = crowd(world, 4)
    (old,), (urgent,) = crowd(world, 1), crowd(world, 1, subject="urgent")
    world.set_status(tickets[0], "solved")
    assert look(world) == 1
    assert [world.row("tickets", each["id"])["agent"] is None for each in (old, urgent)] == [True, False]
    assert world.store.read_now(waiting.next_due) is None
    listed = listing.tickets(world.store, listing.Filters(is_waiting=True))
    assert [each["ref"] for each in listed] == [old["ref"]]


def test_eight_looks_at_once_give_each_ticket_out_once(world: World) -> None:
    """Eight daemons hear the same bell."""
    crowd(world, WRITERS + 4)
    world.use_rules(RULES.replace("email: 2", "email: 6"))
    world.advance(seconds=2)
    given = at_once([partial(look, world)] * WRITERS)
    assert sum(given) == WRITERS
    assert held(world) == {"ania": 6, "ewa": 6}


def test_what_the_list_of_agents_reads(world: World) -> None:
    """Load, absence and what waits, as rows of either engine."""
    crowd(world, 5)
    world.store.write_now(
        lambda tx: presence.go(tx, world.context, "tomek", until_us=tx.now + 1, keep=True, by="tomek")
    )
    everybody, counts = world.store.read_now(
        lambda tx: (agents_view.everybody(tx, world.context), agents_view.waiting(tx))
    )
    assert [(each.name, each.is_away, each.load["email"].open) for each in everybody] == [
        ("ania", False, 2),
        ("ewa", False, 2),
        ("tomek", True, 0),
    ]
    assert counts == {"support": 1}
    assert world.store.write_now(agents.recount) == []


def test_who_answered_a_customer_last(world: World) -> None:
    """Of two answers the later one, in a ticket that is not the newest."""
    world.use_rules(RULES.replace("assign: {capacity: {email: 2}}", "assign: {returning: 30d}", 1))
    first, second = (world.ticket(world.receive("jan@customer.example")) for _ in range(2))
    world.reply(second, agent="ania", status="solved")
    world.advance(seconds=60)
    world.reply(first, agent="ewa", status="solved")
    third = world.ticket(world.receive("jan@customer.example"))
    assert third["agent"] == "ewa"
