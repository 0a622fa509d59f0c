"""Hours of a schedule change hands at the desk, and every decision knows at once."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from intake import oncall, resuming, tickets
from intake.desk import DeskError
from intake.store import opening
from routing.facts import Facts
from routing.schedule import duty
from routing.view import View
from tests.domain import oncall_world
from tests.domain.oncall_world import ONCALL, local, release, swap, take
from tests.domain.world import RULES, World, us


@pytest.fixture
def world(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[World]:
    """Tuesday, ten o'clock in Warsaw: the second week, which is ewa's."""
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield World(store, tmp_path, clock, rules=ONCALL)


def on_call(world: World) -> str | None:
    return world.store.read_now(lambda tx: oncall.duty(tx, world.context, "nights")).agent


def hours(changed: Any) -> list[tuple[str, str | None, int, int]]:
    return [(each.agent, each.instead_of, each.start_at, each.end_at) for each in changed.pieces]


# -- take -----------------------------------------------------------------------------------------------------


def test_taken_hours_begin_now_and_end_with_the_next_hand_over(world: World) -> None:
    now = world.store.now_us()
    assert hours(take(world, "tomek")) == [("tomek", "ewa", now, us(local("2026-11-16T09:00")))]
    assert on_call(world) == "tomek"


def test_who_takes_hours_need_take_no_turns_to_get_tickets_and_notices(world: World) -> None:
    """tomek is not in the rotation; a ticket that comes while he is on call is his, and so is the notice."""
    take(world, "tomek")
    ticket = world.ticket(world.receive())
    assert ticket["agent"] == "tomek"
    world.advance(hours=1)
    world.fire_due()
    assert any(row["recipient"] == "tomek@desk.example" for row in escalations(world))


def escalations(world: World) -> list[dict[str, Any]]:
    return world.rows("outbox", "action LIKE 'notify:escalated:%' ORDER BY id")


def test_the_decision_keeps_who_had_the_hours(world: World) -> None:
    """What explain tells months later are the facts of the day, and the reason names the swap."""
    swap(world, "ania", "ewa")
    ticket = world.ticket(world.receive())
    (row,) = world.rows("decisions", "ticket_id = :id", id=ticket["id"])
    assert json.loads(row["facts"])["on_call"]["nights"][0]["why"] == "swapped"
    taken = next(each for each in json.loads(row["decision"])["candidates"] if each["taken"])
    assert (taken["agent"], "on call (swapped with ewa)" in taken["reason"]) == ("ania", True)


def test_a_settlement_keeps_nothing_of_hours_that_are_not_now(world: World) -> None:
    take(world, "tomek", start=local("2026-11-12T09:00"), end=local("2026-11-12T17:00"))
    ticket = world.ticket(world.receive())
    (row,) = world.rows("decisions", "ticket_id = :id", id=ticket["id"])
    assert "on_call" not in json.loads(row["facts"])


def test_hours_ahead_count_in_the_simulated_future_of_a_ticket(world: World) -> None:
    """What is taken for Thursday is known to the ticket that lives on in memory."""
    ticket = world.ticket(world.receive())
    take(world, "tomek", start=local("2026-11-12T09:00"), end=local("2026-11-12T17:00"))

    def look(tx: Any) -> Any:
        loaded = tickets.load(tx, ticket["id"])
        assert loaded is not None
        return resuming.resumed(tx, world.context, loaded)

    life = world.store.read_now(look)
    (override,) = life.seen.on_call["nights"]
    assert override.agent == "tomek"


def test_a_world_without_schedules_asks_for_no_rows(world: World) -> None:
    """Rules without people on call cost a settlement nothing."""
    plain = world.context
    world.use_rules(RULES)
    without = world.count_statements(world.journal("a@customer.example"))
    world.context = plain
    assert world.count_statements(world.journal("b@customer.example")) <= without + 8


def test_hours_that_somebody_took_are_told_whose_they_are(world: World) -> None:
    take(world, "tomek")
    with pytest.raises(DeskError, match=r"tomek has 'nights' from .* until Mon 2026-11-16 09:00 already"):
        take(world, "ania")


def test_hours_are_taken_from_who_took_them_by_naming_them(world: World) -> None:
    take(world, "tomek")
    assert hours(take(world, "ania", instead_of="tomek"))[0][:2] == ("ania", "tomek")
    assert on_call(world) == "ania"


def test_hours_are_not_taken_from_somebody_who_does_not_have_them(world: World) -> None:
    with pytest.raises(DeskError, match=r"ewa is on call for 'nights' from .*, not tomek"):
        take(world, "ania", instead_of="tomek")


@pytest.mark.parametrize(
    ("agent", "more", "sentence"),
    [
        ("ewa", {}, "ewa is on call for 'nights' then already"),
        ("nobody", {}, "there is no agent 'nobody' in the rules"),
        ("ania", {"end": local("2026-11-09T09:00")}, "the hours end .* before they begin"),
        ("ania", {"end": local("2028-11-09T09:00")}, "366 days at most"),
    ],
)
def test_what_cannot_be_taken_is_said_in_a_sentence(
    world: World, agent: str, more: Any, sentence: str
) -> None:
    with pytest.raises(DeskError, match=sentence):
        take(world, agent, **more)
    assert world.rows("oncall_changes") == []


def test_only_the_hours_of_others_are_taken(world: World) -> None:
    """ania takes a fortnight: her own week stays hers by her turn."""
    found = take(world, "ania", end=local("2026-11-30T09:00"))
    assert [(each[1], each[3]) for each in hours(found)] == [
        ("ewa", us(local("2026-11-16T09:00"))),
        ("ewa", us(local("2026-11-30T09:00"))),
    ]


def test_agents_whom_the_rules_no_longer_name_are_passed_over(world: World) -> None:
    take(world, "tomek")
    world.use_rules(ONCALL.replace("tomek: {", "thomas: {").replace("[tomek]", "[thomas]"))
    assert on_call(world) == "ewa"


def test_who_loses_the_hours_is_told(world: World) -> None:
    take(world, "tomek")
    (letter,) = oncall_world.letters(world, "ewa", "oncall_taken")
    assert letter.subject == "tomek has taken hours of nights from you"
    assert "Tue 2026-11-10 10:00 CET until Mon 2026-11-16 09:00 CET: tomek instead of ewa" in letter.text


def test_the_event_says_who_did_what(world: World) -> None:
    take(world, "tomek")
    (row,) = world.rows("events", "kind = 'oncall_taken'")
    assert (row["actor"], json.loads(row["details"])["schedule"]) == ("agent:tomek", "nights")


# -- swap -----------------------------------------------------------------------------------------------------


def test_a_swap_exchanges_the_next_turn_of_each(world: World) -> None:
    """ewa has this week and ania the next; afterwards it is the other way round, and then as before."""
    found = hours(swap(world, "ania", "ewa"))
    assert [each[:2] for each in found] == [("ania", "ewa"), ("ewa", "ania")]
    assert found[1][2:] == (us(local("2026-11-16T09:00")), us(local("2026-11-23T09:00")))
    assert on_call(world) == "ania"
    world.clock.at = local("2026-11-16T09:00")
    assert on_call(world) == "ewa"
    world.clock.at = local("2026-11-30T09:00")
    assert on_call(world) == "ania"


def test_a_swap_between_two_instants_exchanges_all_that_both_have(world: World) -> None:
    found = swap(world, "ewa", "ania", start=local("2026-11-14T09:00"), end=local("2026-11-18T09:00"))
    assert [(each[0], each[2], each[3]) for each in hours(found)] == [
        ("ania", us(local("2026-11-14T09:00")), us(local("2026-11-16T09:00"))),
        ("ewa", us(local("2026-11-16T09:00")), us(local("2026-11-18T09:00"))),
    ]


def test_the_partner_is_told_of_a_swap_and_who_did_it_is_not(world: World) -> None:
    swap(world, "ania", "ewa")
    (letter,) = oncall_world.letters(world, "ewa", "oncall_swapped")
    assert "ewa instead of ania" in letter.text
    assert oncall_world.letters(world, "ania", "oncall_swapped") == []


def test_the_same_swap_again_does_not_swap_back(world: World) -> None:
    """A double click is one swap."""
    swap(world, "ania", "ewa")
    with pytest.raises(DeskError, match="swapped with ewa"):
        swap(world, "ania", "ewa")
    assert on_call(world) == "ania"


def test_somebody_without_hours_cannot_swap_with_another(world: World) -> None:
    with pytest.raises(DeskError, match="neither tomek nor ania is on call"):
        swap(world, "tomek", "ania", end=local("2026-11-12T09:00"))


# -- release --------------------------------------------------------------------------------------------------


def test_released_hours_are_who_had_them(world: World) -> None:
    take(world, "tomek")
    world.advance(hours=2)
    release(world, "tomek")
    assert on_call(world) == "ewa"


def test_hours_that_are_over_stay_with_who_had_them(world: World) -> None:
    """tomek had the two hours before he gave the rest back."""
    take(world, "tomek")
    world.advance(hours=2)
    release(world, "tomek")
    (row,) = world.rows("oncall_changes")
    assert row["end_at"] == world.store.now_us()


def test_either_of_a_swap_may_undo_it_and_both_parts_go(world: World) -> None:
    swap(world, "ania", "ewa")
    assert len(release(world, "ewa").pieces) == 2
    assert on_call(world) == "ewa"
    world.clock.at = local("2026-11-16T09:00")
    assert on_call(world) == "ania"


def test_somebody_else_s_hours_are_not_given_back(world: World) -> None:
    take(world, "tomek")
    with pytest.raises(DeskError, match="ania has taken or swapped no hours of 'nights'"):
        release(world, "ania")


def test_of_several_hours_those_to_give_back_are_named(world: World) -> None:
    first, second = local("2026-11-11T09:00"), local("2026-11-12T09:00")
    for start in (first, second):
        take(world, "tomek", start=start, end=start.replace(hour=17))
    with pytest.raises(DeskError, match="say which with --from"):
        release(world, "tomek")
    assert [each.start_at for each in release(world, "tomek", start=second).pieces] == [us(second)]
    assert len(release(world, "tomek", is_every=True).pieces) == 1


def test_released_hours_can_be_taken_again(world: World) -> None:
    take(world, "tomek")
    release(world, "tomek")
    take(world, "ania")
    assert on_call(world) == "ania"


# -- where it counts ------------------------------------------------------------------------------------------


def test_rules_ask_who_is_there_with_the_hours_that_were_taken(world: World) -> None:
    """`team.open_now` and `agent.available` are asked of facts that hold the change."""
    take(world, "tomek")
    seen = world.store.read_now(lambda tx: oncall.facts(tx, world.context.rulebook))
    now = Facts(at=world.clock(), on_call=seen)
    view = View.of(world.context.rulebook, now)
    assert duty(view.present().schedules["nights"], world.clock()).agent == "tomek"
