"""At a hand-over: notices that nobody acknowledged, lists for both, the next one a day before; each once."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake import (
    acknowledging,
    clockworks,
    desk_promises,
    failpoints,
    handover_texts,
    handovers,
    pages,
    resuming,
    tickets,
    waiting,
)
from intake.acknowledging import Said
from intake.store import opening
from intake.store.engine import Tx
from routing import rulebook
from routing.resumed import Resumed
from tests.domain.oncall_world import (
    ONCALL,
    Cut,
    hand_over,
    hand_over_or_cut,
    letters,
    local,
    release,
    take,
    told,
)
from tests.domain.world import RULES, World, us

MONDAY = local("2026-11-16T09:00")
GAP = ONCALL.replace("agents: [ania, ewa]}", "days: mon-fri, agents: [ania, ewa]}")


@pytest.fixture
def make_world(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Callable[[str], World]]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield lambda rules: World(store, tmp_path, clock, rules=rules)


@pytest.fixture
def world(make_world: Callable[[str], World]) -> World:
    """Tuesday of ewa's week; the clockwork has looked once."""
    world = make_world(ONCALL)
    hand_over(world)
    return world


def paged(world: World, customer: str = "jan@customer.example") -> dict[str, Any]:
    """A ticket of which ewa was told, a few minutes before the hand-over."""
    world.clock.at = local("2026-11-16T07:55")
    ticket = world.ticket(world.receive(customer))
    world.clock.at = local("2026-11-16T08:55")
    world.fire_due()
    return ticket


def notices_of(world: World, ticket: dict[str, Any], agent: str) -> list[Any]:
    rows = world.rows(
        "outbox",
        "ticket_id = :ticket AND recipient = :to AND action LIKE 'notify:escalated:%' ORDER BY id",
        ticket=ticket["id"],
        to=f"{agent}@desk.example",
    )
    return [row["action"].split(":")[2] for row in rows]


def at_monday(world: World) -> None:
    world.clock.at = MONDAY
    hand_over(world)


# -- notices ----------------------------------------------------------------------------------------------------------


def test_the_new_one_gets_what_nobody_acknowledged(world: World) -> None:
    ticket = paged(world)
    assert notices_of(world, ticket, "ania") == []
    at_monday(world)
    assert notices_of(world, ticket, "ania") == ["handover"]


def test_the_new_notice_can_be_acknowledged_like_any_other(world: World) -> None:
    """It has the agent's reply address, and acknowledging stops the step that waits."""
    ticket = paged(world)
    at_monday(world)
    sent = world.sent("ania@desk.example")
    (notice,) = [each for each in sent if ticket["ref"] in each.subject]
    assert notice.reply_to is not None
    world.store.write_now(
        lambda tx: acknowledging.acknowledge(tx, world.context, ticket["ref"], Said(agent="ania"))
    )
    world.advance(minutes=29)
    assert world.events(ticket).count("escalated") == 1
    world.fire_due()
    assert world.events(ticket).count("escalated") == 1


def test_the_step_that_waits_for_an_acknowledgement_keeps_its_minute(world: World) -> None:
    """Thirty minutes after the first notice, whoever has it now."""
    ticket = paged(world)
    due = world.rows("timers", "kind = 'ack' AND ticket_id = :id", id=ticket["id"])
    at_monday(world)
    assert world.rows("timers", "kind = 'ack' AND ticket_id = :id", id=ticket["id"]) == due
    assert due[0]["due_at"] == us(local("2026-11-16T09:25"))


def test_what_was_acknowledged_comes_back_to_nobody(world: World) -> None:
    ticket = paged(world)
    world.store.write_now(
        lambda tx: acknowledging.acknowledge(tx, world.context, ticket["ref"], Said(agent="ewa"))
    )
    at_monday(world)
    assert notices_of(world, ticket, "ania") == []


def test_what_was_answered_or_solved_comes_back_to_nobody(world: World) -> None:
    answered, solved = paged(world), paged(world, "eva@customer.example")
    world.reply(answered, agent="ewa")
    world.set_status(solved, "solved", agent="ewa")
    at_monday(world)
    assert (notices_of(world, answered, "ania"), notices_of(world, solved, "ania")) == ([], [])


def test_two_notices_of_one_ticket_come_back_as_one(world: World) -> None:
    ticket = paged(world)

    def again(tx: Tx) -> None:
        found = tickets.load(tx, ticket["id"])
        assert found is not None
        pages.note(tx, world.context, found, "oncall", rule="page/9", way=None)

    world.store.write_now(again)
    at_monday(world)
    assert notices_of(world, ticket, "ania") == ["handover"]
    (letter,) = letters(world, "ania", "handover_list")
    assert letter.text.count("with ewa on call") == 2


def test_who_a_step_tells_at_the_hand_over_is_not_told_twice(make_world: Callable[[str], World]) -> None:
    """The target is missed at nine, when ania begins: the step's notice is enough."""
    breach = "    - {at: first_response breach, notify: oncall}\n"
    world = make_world(ONCALL.replace("    - {at: unacknowledged, notify: lead}\n", breach, 1))
    hand_over(world)
    world.clock.at = local("2026-11-16T07:00")
    ticket = world.ticket(world.receive())
    for when in ("2026-11-16T08:00", "2026-11-16T09:00"):
        world.clock.at = local(when)
        world.fire_due()
    hand_over(world)
    assert notices_of(world, ticket, "ewa") == ["page/0"]
    assert notices_of(world, ticket, "ania") == ["page/1"]


def test_what_waits_goes_on_to_the_shift_after_next(world: World) -> None:
    """ania did not look either: a week later ewa gets it again, once."""
    ticket = paged(world)
    at_monday(world)
    world.clock.at = local("2026-11-23T09:00")
    hand_over(world)
    assert notices_of(world, ticket, "ewa").count("handover") == 1


def test_what_nobody_was_there_for_waits_for_the_next_one(make_world: Callable[[str], World]) -> None:
    """On Sunday nobody is on call; on Monday ewa gets what came meanwhile."""
    world = make_world(GAP)
    hand_over(world)
    world.clock.at = local("2026-11-15T10:00")
    hand_over(world)
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    at_monday(world)
    holder = world.rows("oncall_turns")[0]["agent"]
    assert notices_of(world, ticket, holder).count("handover") == 1


# -- lists ------------------------------------------------------------------------------------------------------------


def test_both_get_the_list_of_the_shift(world: World) -> None:
    waiting, seen = paged(world), paged(world, "eva@customer.example")
    world.store.write_now(
        lambda tx: acknowledging.acknowledge(tx, world.context, seen["ref"], Said(agent="ewa"))
    )
    at_monday(world)
    for agent in ("ewa", "ania"):
        (letter,) = letters(world, agent, "handover_list")
        assert letter.subject == "nights goes from ewa to ania"
        before, _, after = letter.text.partition("Acknowledged or answered, and still open (1)")
        assert waiting["ref"] in before
        assert seen["ref"] in after
        assert "ewa looks at it" in after


def test_the_list_names_the_promises_that_fall_due(world: World) -> None:
    ticket = paged(world)
    when = "2026-11-18T15:00+01:00"
    world.store.write_now(lambda tx: desk_promises.make(tx, world.context, ticket["ref"], when, agent="ewa"))
    at_monday(world)
    (letter,) = letters(world, "ania", "handover_list")
    assert "Wed 2026-11-18 15:00 CET" in letter.text


def test_the_list_names_open_tickets_that_stay_with_who_had_the_shift(world: World) -> None:
    """One came without a notice, and is ewa's still."""
    world.clock.at = local("2026-11-16T08:50")
    ticket = world.ticket(world.receive())
    assert ticket["agent"] == "ewa"
    at_monday(world)
    (letter,) = letters(world, "ania", "handover_list")
    assert ticket["ref"] in letter.text.partition("Open, and still with ewa (1)")[2]


def test_tickets_of_another_level_are_no_matter_of_the_shift(world: World) -> None:
    """ewa has one as a lead would: it is not of those that are on call."""
    world.clock.at = local("2026-11-16T08:50")
    ticket = world.ticket(world.receive())

    def move(tx: Tx) -> None:
        found = tickets.load(tx, ticket["id"])
        assert found is not None
        tickets.change(tx, found, actor="system", level="lead")

    world.store.write_now(move)
    at_monday(world)
    (letter,) = letters(world, "ania", "handover_list")
    assert ticket["ref"] not in letter.text


def test_the_list_of_a_storm_says_how_many_more_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three tickets one is named, and each has its notice."""
    monkeypatch.setattr(handover_texts, "LISTED_MAX", 1)
    waiting = [paged(world, f"c{number}@customer.example") for number in range(3)]
    at_monday(world)
    (letter,) = letters(world, "ania", "handover_list")
    assert "got a notice of each (3):" in letter.text
    assert "  and 2 more" in letter.text
    assert [notices_of(world, each, "ania") for each in waiting] == [["handover"]] * 3


def test_a_quiet_shift_has_a_short_list(world: World) -> None:
    at_monday(world)
    (letter,) = letters(world, "ania", "handover_list")
    assert "Nothing is left open, and no promise falls due." in letter.text


def test_nothing_happens_before_the_hand_over(world: World) -> None:
    paged(world)
    world.clock.at = local("2026-11-16T08:59")
    hand_over(world)
    assert told(world, "handed_over") == []


def test_hand_overs_are_events(world: World) -> None:
    ticket = paged(world)
    at_monday(world)
    (event,) = told(world, "handed_over")
    assert (event["agent"], event["handed_by"], event["is_late"]) == ("ania", "ewa", False)
    assert event["unacknowledged"] == [ticket["ref"]]
    assert event["told"] == ["ewa", "ania"]


def test_missed_hand_overs_are_one_that_is_marked_late(world: World) -> None:
    """Nothing ran for three weeks: from ewa to whoever has it now, one list each."""
    world.clock.at = local("2026-12-01T12:00")
    hand_over(world)
    hand_over(world)
    (event,) = told(world, "handed_over")
    assert (event["agent"], event["is_late"], event["at"]) == ("ania", True, "2026-11-30T08:00:00Z")
    (letter,) = letters(world, "ania", "handover_list")
    assert letter.subject.startswith("Late: ")
    assert "This comes late: nothing was running at Mon 2026-11-30 09:00 CET." in letter.text


# -- once -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["handovers.in_transaction", "handovers.finish"])
def test_a_kill_in_the_middle_loses_and_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Cut off at the second ticket, or at the lists: asked again, each ticket and each list has been sent once."""
    waiting = [paged(world, f"c{number}@customer.example") for number in range(3)]
    world.clock.at = MONDAY
    reached = []

    def reach(name: str) -> None:
        reached.append(name)
        if name == place and reached.count(place) == (2 if "transaction" in place else 1):
            raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "reach", reach)
        assert hand_over_or_cut(world)
    assert told(world, "handed_over") == []
    hand_over(world)
    hand_over(world)
    assert [notices_of(world, each, "ania") for each in waiting] == [["handover"]] * 3
    assert [len(letters(world, agent, "handover_list")) for agent in ("ewa", "ania")] == [1, 1]
    assert len(told(world, "handed_over")) == 1


def test_who_lost_the_hours_while_they_were_handed_over_gets_no_notice(world: World) -> None:
    """tomek takes them between the look and the notice: neither the notice nor the list is for ania."""
    ticket = paged(world)
    world.clock.at = MONDAY
    seen = world.store.read_now(lambda tx: handovers.look(tx, world.context, "nights"))
    assert seen is not None
    take(world, "tomek")
    for left in seen.left:
        assert not world.store.write_now(lambda tx, left=left: handovers.hand(tx, world.context, seen, left))  # type: ignore[misc]
    assert not world.store.write_now(lambda tx: handovers.finish(tx, world.context, seen))
    hand_over(world)
    assert (notices_of(world, ticket, "ania"), notices_of(world, ticket, "tomek")) == ([], ["handover"])


def test_a_schedule_that_breaks_is_loud_and_rests_for_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clock.at = MONDAY

    def reach(name: str) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "reach", reach)
        hand_over(world)
    assert told(world, "timer_failed")[0]["timer"] == "handover:nights"
    assert world.store.read_now(handovers.next_due) == world.store.now_us() + 60_000_000


def test_a_ticket_that_breaks_does_not_stop_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of two is told as broken; the second goes over, and so does the list."""
    broken, other = paged(world), paged(world, "eva@customer.example")
    world.clock.at = MONDAY
    reached: list[str] = []

    def reach(name: str) -> None:
        reached.append(name)
        if len(reached) == 1:
            raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "reach", reach)
        hand_over(world)
    assert (notices_of(world, broken, "ania"), notices_of(world, other, "ania")) == ([], ["handover"])
    assert "timer_failed" in world.events(broken)
    assert len(told(world, "handed_over")) == 1


# -- taken and swapped ------------------------------------------------------------------------------------------------


def test_taking_hours_hands_over_at_once(world: World) -> None:
    """The notice that ewa had is tomek's now, and both have the list."""
    ticket = paged(world)
    take(world, "tomek")
    hand_over(world)
    assert notices_of(world, ticket, "tomek") == ["handover"]
    assert [len(letters(world, agent, "handover_list")) for agent in ("ewa", "tomek")] == [1, 1]


def test_hours_taken_for_later_are_handed_over_then(world: World) -> None:
    take(world, "tomek", start=local("2026-11-11T09:00"), end=local("2026-11-11T17:00"))
    hand_over(world)
    assert told(world, "handed_over") == []
    world.clock.at = local("2026-11-11T09:00")
    hand_over(world)
    assert told(world, "handed_over")[0]["why"] == "taken"


def test_giving_hours_back_hands_over_too(world: World) -> None:
    take(world, "tomek")
    hand_over(world)
    world.advance(hours=1)
    release(world, "tomek")
    hand_over(world)
    assert [each["agent"] for each in told(world, "handed_over")] == ["tomek", "ewa"]


def test_a_change_of_the_rules_hands_over_too(world: World) -> None:
    world.use_rules(ONCALL.replace("agents: [ania, ewa]}", "agents: [ewa, ania]}"))
    hand_over(world)
    assert [each["agent"] for each in told(world, "handed_over")] == ["ania"]


def test_rules_that_say_the_same_hand_nothing_over(world: World) -> None:
    world.use_rules(ONCALL + "# a comment\n")
    hand_over(world)
    assert told(world, "handed_over") == []


def test_schedules_that_are_gone_are_forgotten(world: World) -> None:
    world.use_rules(RULES)
    assert world.rows("oncall_turns") == []


def test_what_waits_for_somebody_on_call_goes_to_who_takes_the_hours(
    make_world: Callable[[str], World],
) -> None:
    """On Sunday nobody has it, and a ticket waits; tomek takes the hours and gets it."""
    world = make_world(GAP)
    world.clock.at = local("2026-11-15T10:00")
    hand_over(world)
    ticket = world.ticket(world.receive())
    assert ticket["agent"] is None
    take(world, "tomek")
    hand_over(world)
    asyncio.run(waiting.run_due(world.store, world.context))
    assert world.row("tickets", ticket["id"])["agent"] == "tomek"


# -- the bell ---------------------------------------------------------------------------------------------------------


def test_the_bell_knows_the_next_hand_over(world: World) -> None:
    assert handovers in clockworks.CLOCKWORKS
    assert world.store.read_now(handovers.next_due) == us(local("2026-11-15T09:00"))


def test_a_taken_shift_rings_the_bell(world: World) -> None:
    heard: list[Any] = []
    world.store.listen(heard.append)
    take(world, "tomek")
    world.store.write_now(lambda tx: None)
    assert any(signals.get("timers") == world.store.now_us() for signals in heard)


def test_another_daemon_s_schedule_is_put_off_not_asked_for_without_end(world: World) -> None:
    """A row that only another daemon's rules have is looked at again a minute later."""
    world.clock.at = MONDAY
    world.context = msgspec.structs.replace(world.context, rulebook=rulebook.load({"rules.yaml": RULES}))
    hand_over(world)
    assert world.store.read_now(handovers.next_due) == world.store.now_us() + 60_000_000


# -- the same in memory -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_ticket_lived_in_memory_knows_whom_the_notice_reaches(
    make_world: Callable[[str], World], *, is_taken: bool
) -> None:
    """On Sunday it reaches tomek if he took the hours, and the next step waits; else the lead is told at once."""
    world = make_world(GAP)
    world.clock.at = local("2026-11-15T10:00")
    hand_over(world)
    if is_taken:
        take(world, "tomek")
    ticket = world.ticket(world.receive())

    def look(tx: Tx) -> Resumed:
        found = tickets.load(tx, ticket["id"])
        assert found is not None
        return resuming.resumed(tx, world.context, found)

    life = world.store.read_now(look)
    life.advance(local("2026-11-15T11:59"))
    foreseen = [us(each.at) for each in life.happenings if each.action.value == "lead"]
    for minute in range(0, 120, 30):
        world.clock.at = local("2026-11-15T10:00") + timedelta(minutes=minute)
        while world.fire_due():
            pass
    asked = world.rows("timers", "kind = 'ack' AND state = 'fired'")
    assert [row["due_at"] for row in asked] == foreseen
    assert foreseen == [us(local("2026-11-15T11:30" if is_taken else "2026-11-15T11:00"))]
