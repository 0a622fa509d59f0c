"""No path gives an agent more than their capacity, and what that leaves waiting is picked up."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from intake import agents, assigning, merging, waiting
from intake.desk import DeskError
from intake.store import schema
from tests.domain.world import World

RULES = """
version: 1
calendars:
  early: {timezone: UTC, open: {mon-sun: "06:00-14:00"}}
  late: {timezone: UTC, open: {mon-sun: "14:00-22:00"}}
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example, skills: [pl, en]}
  ewa: {email: ewa@desk.example, skills: [en]}
  tomek: {email: tomek@desk.example, skills: [en]}
teams:
  support: {levels: {l1: [ania, ewa], lead: [tomek]}, assign: {capacity: {email: 2}}}
  solo: {levels: {only: [ania]}, assign: {capacity: {email: 1}}}
sla:
  standard: {calendar: always, first_response: {urgent: 30m, normal: 2h}}
route:
  - {id: solo, when: {subject: {words: solo}}, then: {team: solo}}
  - {id: named, when: {subject: {words: named}}, then: {team: support, agent: ania}}
  - {id: left, when: {subject: {words: left}}, then: {team: support, agent: none}}
  - {id: polish, when: {subject: {words: polish}}, then: {team: support, skills: {need: [pl]}}}
  - {id: urgent, when: {subject: {words: urgent}}, then: {team: support, priority: urgent}}
default: {team: support, priority: normal, sla: standard}
"""


@pytest.fixture
def world(make_whole: Callable[[str], World]) -> World:
    return make_whole(RULES)


def new(world: World, subject: str = "A printer") -> dict[str, Any]:
    number = len(world.rows("tickets"))
    return world.ticket(world.receive(f"c{number}@customer.example", subject=subject))


def now(world: World, ticket: dict[str, Any]) -> dict[str, Any]:
    return world.row("tickets", ticket["id"])


def pick_up(world: World) -> int:
    """Let what waits be looked at, as the bell does; how many were given out."""
    due = world.store.read_now(waiting.next_due)
    if due is None or due > world.store.now_us():
        return 0
    return asyncio.run(waiting.run_due(world.store, world.context))


def assign(world: World, ticket: dict[str, Any], to: str | None, by: str = "tomek") -> None:
    world.store.write_now(lambda tx: assigning.assign(tx, world.context, ticket["ref"], to, agent=by))


def answer(world: World, ticket: dict[str, Any]) -> None:
    """The customer writes again."""
    first = world.rows("messages", "ticket_id = :id AND direction = 'in'", id=ticket["id"])[0]
    headers = {"In-Reply-To": f"<{first['external_id']}>"}
    row = world.receive(first["author"], headers=headers)
    assert row["ticket_id"] == ticket["id"]


def held(world: World) -> dict[str, int]:
    rows = world.rows("tickets", "agent IS NOT NULL AND solved_at IS NULL")
    counted = {name: sum(row["agent"] == name for row in rows) for name in ("ania", "ewa", "tomek")}
    kept = {row["name"]: row["open_tickets"] for row in world.rows("agent_load")}
    assert {name: kept.get(name, 0) for name in counted} == counted
    return counted


def test_new_tickets_fill_the_level_and_then_wait(world: World) -> None:
    """Four of five tickets are given out, two each; the fifth waits, and says why."""
    tickets = [new(world) for _ in range(5)]
    assert held(world) == {"ania": 2, "ewa": 2, "tomek": 0}
    assert "capacity_full" in world.events(tickets[4])
    assert now(world, tickets[4])["waits_since"] is not None


def test_a_solved_ticket_makes_room_for_one_that_waits(world: World) -> None:
    """Whoever solves a ticket gets the one that waited, and is told with the customer's words."""
    tickets = [new(world) for _ in range(5)]
    world.set_status(tickets[1], "solved", agent="ewa")
    assert pick_up(world) == 1
    assert now(world, tickets[4])["agent"] == "ewa"
    assert "on fire" in world.sent("ewa@desk.example")[-1].text
    assert held(world) == {"ania": 2, "ewa": 2, "tomek": 0}


def test_a_reopened_ticket_goes_to_somebody_else_of_the_level(world: World) -> None:
    """Its agent is full again by then: a colleague who has room gets it, and both are told."""
    tickets = [new(world) for _ in range(4)]
    first = tickets[0]
    world.set_status(first, "solved")
    new(world)  # ania's free seat is taken
    world.set_status(tickets[1], "solved", agent="ewa")
    answer(world, first)
    assert (now(world, first)["status"], now(world, first)["agent"]) == ("open", "ewa")
    assert held(world) == {"ania": 2, "ewa": 2, "tomek": 0}


def test_a_reopened_ticket_waits_for_its_agent_when_all_are_full(world: World) -> None:
    """Nobody has room: it waits, and whoever had it gets it first, when they and others have room again."""
    tickets = [new(world) for _ in range(4)]
    world.set_status(tickets[0], "solved")
    new(world)
    answer(world, tickets[0])
    assert now(world, tickets[0])["agent"] is None
    assert "capacity_full" in world.events(tickets[0])
    for each in (tickets[1], tickets[3], tickets[2]):  # ewa would have less to do
        world.set_status(each, "solved")
    assert pick_up(world) == 1
    assert now(world, tickets[0])["agent"] == "ania"


def test_a_reopened_ticket_stays_with_its_agent_who_has_room(world: World) -> None:
    ticket = new(world)
    world.set_status(ticket, "solved")
    answer(world, ticket)
    assert now(world, ticket)["agent"] == "ania"
    assert held(world)["ania"] == 1


def test_assigning_beyond_capacity_is_refused_with_who_could_take_it(world: World) -> None:
    """One sentence; nothing is written."""
    tickets = [new(world) for _ in range(3)]
    assert now(world, tickets[2])["agent"] == "ania"
    with pytest.raises(DeskError, match="ania has 2 of 2 email tickets: ewa could take it"):
        assign(world, tickets[1], "ania")
    assert now(world, tickets[1]) == tickets[1]
    new(world)
    with pytest.raises(DeskError, match="ania has 2 of 2 email tickets: tomek could take it"):
        assign(world, tickets[1], "ania")


def test_an_agent_that_a_rule_names_gets_no_more_than_others(world: World) -> None:
    """Full, they are passed over for somebody of their level."""
    tickets = [new(world, "named") for _ in range(3)]
    assert [now(world, each)["agent"] for each in tickets] == ["ania", "ania", "ewa"]


def test_caps_belong_to_the_team_and_count_tickets_of_all_teams(world: World) -> None:
    """One ticket of support is enough to be full for a team that lets its agents have one."""
    new(world)
    waits = new(world, "solo")
    assert now(world, waits)["agent"] is None
    assert now(world, new(world, "named"))["agent"] == "ania"


def test_a_lower_cap_takes_nothing_away_and_gives_nothing_more(world: World) -> None:
    """After a reload to one ticket each, whoever has two keeps them and gets no third."""
    tickets = [new(world) for _ in range(4)]
    world.use_rules(RULES.replace("capacity: {email: 2}", "capacity: {email: 1}"))
    world.set_status(tickets[0], "solved")
    answer(world, tickets[0])
    assert now(world, tickets[0])["agent"] is None
    assert held(world) == {"ania": 1, "ewa": 2, "tomek": 0}


def test_a_raised_cap_gives_out_what_waits(world: World) -> None:
    ticket = [new(world) for _ in range(5)][4]
    world.use_rules(RULES.replace("capacity: {email: 2}", "capacity: {email: 3}"))
    world.advance(seconds=2)
    assert pick_up(world) == 1
    assert now(world, ticket)["agent"] is not None


def test_what_was_left_with_nobody_on_purpose_waits_for_nobody(world: World) -> None:
    """By a rule that says none, or by an agent."""
    left, given = new(world, "left"), new(world)
    assign(world, given, None)
    world.advance(minutes=5)
    pick_up(world)
    assert [now(world, each)["agent"] for each in (left, given)] == [None, None]
    assert "nobody_on_duty" not in world.events(left)


def test_the_urgent_come_first_then_what_is_due_first(world: World) -> None:
    """Of three that wait the urgent one, then the older of equals."""
    tickets = [new(world) for _ in range(4)]
    old, young = new(world), new(world)
    urgent = new(world, "urgent")
    given = []
    for each in (*tickets[:2], tickets[2]):
        world.set_status(each, "solved")
        pick_up(world)
        given += [
            row["id"] for row in (old, young, urgent) if now(world, row)["agent"] and row["id"] not in given
        ]
    assert given == [urgent["id"], old["id"], young["id"]]


def test_a_skilled_agent_gets_the_ticket_that_waits_for_the_skill(world: World) -> None:
    """An unskilled colleague with room does not; who has the skill gets it as soon as they have room."""
    tickets = [new(world, "polish") for _ in range(3)]
    assert [now(world, each)["agent"] for each in tickets] == ["ania", "ania", None]
    world.set_status(tickets[0], "solved")
    pick_up(world)
    assert now(world, tickets[2])["agent"] == "ania"


def test_what_waits_is_given_out_when_hours_begin(make_whole: Callable[[str], World]) -> None:
    """Nobody is there at four in the morning: at six it is picked up, by the alarm that the first look has set."""
    rules = RULES.replace("ania@desk.example,", "ania@desk.example, hours: early,")
    world = make_whole(rules.replace("ewa@desk.example,", "ewa@desk.example, hours: late,"))
    world.advance(hours=-5)
    ticket = new(world)
    assert "nobody_on_duty" in world.events(ticket)
    world.advance(seconds=2)
    assert pick_up(world) == 0
    due = world.store.read_now(waiting.next_due)
    assert due == int(world.clock.at.replace(hour=6, minute=0, second=0).timestamp() * 1_000_000)
    world.advance(hours=2)
    assert pick_up(world) == 1
    assert now(world, ticket)["agent"] == "ania"


def test_when_nothing_waits_the_bell_is_not_set(world: World) -> None:
    new(world)
    world.advance(minutes=1)
    pick_up(world)
    assert world.store.read_now(waiting.next_due) is None


def test_a_ticket_taken_into_another_frees_its_seat_for_it(world: World) -> None:
    """Merging an open ticket into a solved one of the same agent reopens that one with them, at capacity as before."""
    tickets = [new(world) for _ in range(3)]
    world.set_status(tickets[0], "solved")
    extra = new(world, "named")
    assert now(world, extra)["agent"] == "ania"
    world.store.write_now(
        lambda tx: merging.merge(tx, world.context, extra["ref"], tickets[0]["ref"], agent="tomek")
    )
    assert now(world, tickets[0])["agent"] == "ania"
    assert held(world) == {"ania": 2, "ewa": 1, "tomek": 0}


def test_counts_that_are_wrong_are_put_right(world: World) -> None:
    """Whatever brought it about: too many, too few, and of somebody who has nothing."""
    new(world)
    new(world)
    for name, count in (("ania", 7), ("tomek", 2)):
        row = {"name": name, "medium": "email", "open_tickets": count}
        world.store.write_now(lambda tx, row=row: _overwrite(tx, row))  # type: ignore[misc]
    wrong = world.store.write_now(agents.recount)
    assert [(each.agent, each.kept, each.counted) for each in wrong] == [("ania", 7, 1), ("tomek", 2, 0)]
    assert held(world) == {"ania": 1, "ewa": 1, "tomek": 0}
    assert world.store.write_now(agents.recount) == []


def _overwrite(tx: Any, row: dict[str, Any]) -> None:
    if not tx.update(schema.agent_load, {"name": row["name"]}, open_tickets=row["open_tickets"]):
        tx.insert(schema.agent_load, **row)


def damage(world: World, ticket: dict[str, Any]) -> None:
    """Break what a notice of the ticket would read."""
    world.store.write_now(lambda tx: tx.update(schema.clocks, {"ticket_id": ticket["id"]}, clock="{"))


def test_a_ticket_that_breaks_keeps_no_other_waiting(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is told in the log and waits; the next one is given out."""
    tickets = [new(world) for _ in range(6)]
    damage(world, tickets[4])
    world.set_status(tickets[0], "solved")
    assert pick_up(world) == 1
    assert [now(world, each)["agent"] for each in tickets[4:]] == [None, "ania"]
    assert "pick_up_failed" in caplog.text
