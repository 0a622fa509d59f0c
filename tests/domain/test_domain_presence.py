"""Agents go away and come back: what they leave goes on, once, and both sides hear of it in one mail."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from intake import assigning, instants, presence, seating
from tests.domain.agents import answer as answer_by_mail
from tests.domain.agents import told
from tests.domain.test_domain_capacity import answer, held, new, now, pick_up
from tests.domain.world import World

RULES = """
version: 1
calendars:
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example, deputy: zoe}
  ewa: {email: ewa@desk.example}
  zoe: {email: zoe@desk.example, deputy: ania}
teams:
  support: {levels: {l1: [ania, ewa], l2: [zoe]}, assign: {capacity: {email: 3}, returning: 30d}}
route:
  - {id: named, when: {subject: {words: named}}, then: {team: support, agent: ania}}
default: {team: support, priority: normal}
"""


@pytest.fixture
def world(make_whole: Callable[[str], World]) -> World:
    return make_whole(RULES)


def away(
    world: World, name: str = "ania", *, hours: float | None = None, keep: bool = False
) -> presence.Left:
    until = None if hours is None else world.store.now_us() + int(hours * 3_600_000_000)
    return world.store.write_now(
        lambda tx: presence.go(tx, world.context, name, until_us=until, keep=keep, by=name)
    )


def back(world: World, name: str = "ania") -> bool:
    return world.store.write_now(lambda tx: presence.come_back(tx, name, by=name))


def run(world: World) -> int:
    """What the bell does for presence."""
    return asyncio.run(presence.run_due(world.store, world.context))


def mails(world: World, to: str) -> list[str]:
    return [each.subject for each in world.sent(f"{to}@desk.example") if not each.subject.startswith("[")]


def test_their_tickets_go_to_the_deputy_who_is_there(world: World) -> None:
    """What waits for us moves, what waits for the customer stays."""
    moves, stays = new(world, "named"), new(world, "named")
    world.reply(stays, status="pending")
    away(world)
    run(world)
    assert [now(world, each)["agent"] for each in (moves, stays)] == ["zoe", "ania"]
    assert world.events(moves)[-2:] == ["agents_compared", "assigned"]


def test_where_the_deputy_is_full_a_colleague_of_the_level_gets_it(world: World) -> None:
    """Nobody gets more than their capacity by it, and what is left waits with the team."""
    for _ in range(3):
        new(world, "named")
    assert [now(world, new(world))["agent"] for _ in range(2)] == ["ewa", "ewa"]
    for each in [new(world) for _ in range(2)]:
        world.store.write_now(lambda tx, each=each: _give(tx, world, each, "zoe"))  # type: ignore[misc]
    away(world)
    assert run(world) == 3
    assert held(world) == {"ania": 0, "ewa": 3, "tomek": 0}
    assert len(world.rows("tickets", "waits_since IS NOT NULL AND agent IS NULL")) == 1


def _give(tx: Any, world: World, ticket: dict[str, Any], to: str) -> None:
    assigning.assign(tx, world.context, ticket["ref"], to, agent="ewa")


def test_both_sides_get_one_mail_with_a_list(world: World) -> None:
    """Two tickets moved are one mail to each, and no notice of each ticket; a second run says nothing more."""
    tickets = [new(world, "named") for _ in range(2)]
    before = len(world.sent("zoe@desk.example"))
    away(world)
    run(world)
    run(world)
    assert mails(world, "ania") == ["You are away: 2 tickets go on without you"]
    assert mails(world, "zoe") == ["ania is away: 2 tickets of theirs are yours now"]
    assert len(world.sent("zoe@desk.example")) == before + 1
    assert all(each["ref"] in world.sent("zoe@desk.example")[-1].text for each in tickets)


def test_a_move_that_was_cut_off_goes_on_with_what_is_left(world: World) -> None:
    """One of three is moved and the daemon ends: the next run moves the other two, and the mail names all three."""
    tickets = [new(world, "named") for _ in range(3)]
    away(world)
    world.store.write_now(lambda tx: presence.move(tx, world.context, "ania", tickets[0]["id"]))
    assert mails(world, "zoe") == []
    assert run(world) == 2
    assert [now(world, each)["agent"] for each in tickets] == ["zoe"] * 3
    assert mails(world, "zoe") == ["ania is away: 3 tickets of theirs are yours now"]


def test_with_keep_nothing_moves(world: World) -> None:
    """Nor when the customer writes."""
    ticket = new(world, "named")
    away(world, keep=True)
    run(world)
    answer(world, ticket)
    assert now(world, ticket)["agent"] == "ania"
    assert mails(world, "ania") == []


@pytest.mark.parametrize("status", ["pending", "on_hold", "solved"])
def test_what_stayed_goes_on_when_the_customer_writes(world: World, status: str) -> None:
    """Whether it waited or was done: the deputy gets it open, and reads what was written."""
    ticket = new(world, "named")
    world.set_status(ticket, status)
    away(world)
    run(world)
    answer(world, ticket)
    assert (now(world, ticket)["agent"], now(world, ticket)["status"]) == ("zoe", "open")
    assert "yours now" in world.sent("zoe@desk.example")[-1].text


def test_nobody_away_gets_a_new_ticket(world: World) -> None:
    """Not by the level, not by name, not as somebody's deputy."""
    away(world)
    assert [now(world, new(world, each))["agent"] for each in ("x", "named")] == ["ewa", "zoe"]
    away(world, "zoe")
    assert now(world, new(world, "named"))["agent"] == "ewa"


def test_with_everybody_away_tickets_wait_and_are_picked_up_by_who_comes_back(world: World) -> None:
    for name in ("ania", "ewa", "zoe"):
        away(world, name)
    ticket = new(world)
    assert "nobody_on_duty" in world.events(ticket)
    back(world, "ewa")
    assert pick_up(world) == 1
    assert now(world, ticket)["agent"] == "ewa"


def test_what_waits_goes_back_to_who_had_it_when_they_are_back_first(world: World) -> None:
    """All are away: the ticket waits, and whose it was gets it, though a colleague has as little to do."""
    ticket = new(world, "named")
    for name in ("ewa", "zoe", "ania"):
        away(world, name)
    run(world)
    assert now(world, ticket)["agent"] is None
    back(world, "ewa")
    back(world, "ania")
    pick_up(world)
    assert now(world, ticket)["agent"] == "ania"


def test_an_absence_ends_by_itself(world: World) -> None:
    """At the instant itself, with or without the bell; the bell writes it down."""
    away(world, hours=2)
    assert world.store.read_now(presence.next_due) == world.store.now_us() + 2 * 3_600_000_000
    world.advance(hours=2)
    assert now(world, new(world, "named"))["agent"] == "ania"
    run(world)
    kinds = [row["kind"] for row in world.rows("events", "kind LIKE 'agent_%' ORDER BY id")]
    assert kinds[:1] + kinds[-1:] == ["agent_away", "agent_back"]
    assert world.store.read_now(presence.next_due) is None


def test_who_names_another_time_is_away_until_that_one(world: World) -> None:
    away(world, hours=1)
    away(world, hours=3)
    world.advance(hours=2)
    run(world)
    assert now(world, new(world, "named"))["agent"] == "zoe"


def test_coming_back_stops_moves_that_are_not_made_yet(world: World) -> None:
    """One was moved, the other stays; the mail names the one."""
    tickets = [new(world, "named") for _ in range(2)]
    away(world)
    world.store.write_now(lambda tx: presence.move(tx, world.context, "ania", tickets[0]["id"]))
    assert back(world)
    assert not back(world)
    assert run(world) == 0
    assert [now(world, each)["agent"] for each in tickets] == ["zoe", "ania"]
    assert mails(world, "zoe") == ["ania is away: 1 ticket of theirs are yours now"]


def test_events_say_who_went_until_when(world: World) -> None:
    away(world, hours=2)
    (row,) = world.rows("events", "kind = 'agent_away'")
    until = instants.rfc3339_from_us(world.store.now_us() + 2 * 3_600_000_000)
    assert row["actor"] == "agent:ania"
    assert f'"until":"{until}"' in row["details"]


def test_a_customer_who_comes_back_gets_whom_they_know(world: World) -> None:
    """ewa answered before; ania has less to do, and all the same the next ticket is ewa's."""
    first = world.ticket(world.receive("jan@customer.example"))
    world.store.write_now(lambda tx: _give(tx, world, first, "ewa"))
    world.reply(first, agent="ewa", status="open")
    again = world.ticket(world.receive("jan@customer.example", subject="Another thing"))
    assert now(world, again)["agent"] == "ewa"
    (decided,) = world.rows("decisions", "ticket_id = :id", id=again["id"])
    assert "answered this customer last" in decided["decision"]


@pytest.mark.parametrize("reason", ["away", "too long ago", "another level"])
def test_a_customer_who_comes_back_waits_for_nobody(world: World, reason: str) -> None:
    """Whom they know is away, or it is too long ago, or not of the level: it goes as usual, to the next in turn."""
    first = world.ticket(world.receive("jan@customer.example"))
    world.reply(first, agent="zoe" if reason == "another level" else "ania", status="solved")
    if reason == "away":
        away(world)
    if reason == "too long ago":
        world.advance(days=31)
    again = world.ticket(world.receive("jan@customer.example", subject="Another thing"))
    assert now(world, again)["agent"] == "ewa"


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("#away until thursday 9:00", "2026-11-12T09:00:00Z"),
        ("#away for 2h", "2026-11-10T11:00:00Z"),
        ("#away tomorrow 9:00\n#note\nat the dentist's", "2026-11-11T09:00:00Z"),
        ("#away", None),
    ],
)
def test_an_agent_goes_away_and_comes_back_by_mail(world: World, said: str, until: str | None) -> None:
    """On the first line of an answer to any notice; they are told until when, as it was understood."""
    new(world, "named")
    by_mail(world, said)
    (row,) = world.rows("agent_state", "name = 'ania'")
    assert (row["is_away"], instants.rfc3339_from_us(row["away_until"])) == (1, until)
    assert f"Until {until or 'you write #back'}" in "".join(told(world))
    by_mail(world, "#back")
    assert world.rows("agent_state", "name = 'ania'")[0]["is_away"] == 0


def by_mail(world: World, text: str) -> None:
    notice = next(each for each in world.sent("ania@desk.example") if each.subject.startswith("["))
    answer_by_mail(world, text, notice)


def test_an_absence_that_is_not_understood_changes_nothing(world: World) -> None:
    ticket = new(world, "named")
    by_mail(world, "#away until friday\nWater.")
    assert "says no time of day" in "".join(told(world))
    assert world.rows("agent_state", "is_away = 1") == []
    assert "agent_replied" not in world.events(ticket)


def test_an_answer_is_not_sent_when_what_stands_beside_it_is_refused(world: World) -> None:
    """#assign to somebody who is full: told with who could take it, and the customer gets nothing yet."""
    ticket = new(world, "named")
    for each in [new(world) for _ in range(4)]:
        if now(world, each)["agent"] != "ewa":
            world.store.write_now(lambda tx, each=each: _give(tx, world, each, "ewa"))  # type: ignore[misc]
        if held(world)["ewa"] == 3:
            break
    by_mail(world, "#assign ewa\nWater.")
    assert "ewa has 3 of 3 email tickets" in "".join(told(world))
    assert "agent_replied" not in world.events(ticket)


def test_a_move_that_breaks_holds_up_no_other(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told in the log, the ticket stays, and the others are moved."""
    tickets = [new(world, "named") for _ in range(3)]
    away(world)
    real = seating.reassign

    def broken(tx: Any, context: Any, ticket: Any) -> Any:
        if ticket.id == tickets[0]["id"]:
            raise ValueError("damaged")
        return real(tx, context, ticket)

    monkeypatch.setattr(seating, "reassign", broken)
    run(world)
    assert [now(world, each)["agent"] for each in tickets] == ["ania", "zoe", "zoe"]
    assert "move_failed" in caplog.text
    assert mails(world, "zoe") == ["ania is away: 2 tickets of theirs are yours now"]


def test_who_has_no_hours_tells_the_time_as_their_colleagues_do(world: World) -> None:
    """Ewa's office is in Warsaw; the zone that the process runs in says nothing about anybody."""
    office = 'calendars:\n  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}'
    world.use_rules(
        RULES.replace("calendars:", office).replace("ewa@desk.example", "ewa@desk.example, hours: office")
    )
    said = presence.until_us(world.context, "ania", "thursday 9:00", now_us=world.store.now_us())
    assert instants.rfc3339_from_us(said) == "2026-11-12T08:00:00Z"
