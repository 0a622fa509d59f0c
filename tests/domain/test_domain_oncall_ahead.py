"""Before a shift begins: the next one is told, and that nobody follows is loud."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake import turns
from intake.sections import OnCall
from intake.store import opening
from tests.domain.oncall_world import ONCALL, hand_over, letters, local, swap, told
from tests.domain.world import World, us

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


# -- the day before ---------------------------------------------------------------------------------------------------


def test_the_next_one_is_told_a_day_before(world: World) -> None:
    world.clock.at = local("2026-11-15T08:59")
    hand_over(world)
    assert letters(world, "ania", "oncall_coming") == []
    assert world.store.read_now(turns.next_due) == us(local("2026-11-15T09:00"))
    world.clock.at = local("2026-11-15T09:00")
    hand_over(world)
    hand_over(world)
    (letter,) = letters(world, "ania", "oncall_coming")
    assert letter.subject == "You are on call for nights from Mon 2026-11-16 09:00 CET"
    assert "until Mon 2026-11-23 09:00 CET" in letter.text


def test_times_are_on_the_clock_of_whoever_reads_them(make_world: Callable[[str], World]) -> None:
    """ania works in Lisbon: for her the shift begins at eight."""
    rules = ONCALL.replace(
        "calendars:\n", 'calendars:\n  lisbon: {timezone: Europe/Lisbon, open: {mon-fri: "09:00-17:00"}}\n', 1
    ).replace("ania: {email: ania@desk.example}", "ania: {email: ania@desk.example, hours: lisbon}")
    world = make_world(rules)
    world.clock.at = local("2026-11-15T09:00")
    hand_over(world)
    (letter,) = letters(world, "ania", "oncall_coming")
    assert "Mon 2026-11-16 08:00 WET" in letter.subject


def test_who_swapped_within_the_day_is_not_told_what_they_know(world: World) -> None:
    """ewa does it and ania is told by the mail of the swap: no second one."""
    world.clock.at = local("2026-11-15T10:00")
    hand_over(world)
    swap(world, "ewa", "ania")
    hand_over(world)
    assert len(letters(world, "ania", "oncall_swapped")) == 1
    assert letters(world, "ewa", "oncall_coming") == []


def test_another_one_who_follows_after_a_change_of_the_rules_is_told(world: World) -> None:
    world.clock.at = local("2026-11-15T10:00")
    hand_over(world)
    world.use_rules(ONCALL.replace("agents: [ania, ewa]}", "agents: [tomek, ewa]}"))
    hand_over(world)
    assert [len(letters(world, agent, "oncall_coming")) for agent in ("ania", "tomek")] == [1, 1]


def test_how_long_before_is_a_setting(world: World) -> None:
    world.context = msgspec.structs.replace(world.context, oncall=OnCall(remind_hours=72))
    world.clock.at = local("2026-11-13T09:00")
    world.store.write_now(lambda tx: turns.look_again(tx, "nights"))
    hand_over(world)
    assert len(letters(world, "ania", "oncall_coming")) == 1


def test_nobody_is_told_before_where_the_setting_is_none(world: World) -> None:
    world.context = msgspec.structs.replace(world.context, oncall=OnCall(remind_hours=0))
    world.clock.at = local("2026-11-15T09:00")
    hand_over(world)
    assert letters(world, "ania", "oncall_coming") == []
    assert world.store.read_now(turns.next_due) == us(MONDAY)


def test_the_mail_links_the_calendar_of_one_s_shifts(world: World) -> None:
    world.context = msgspec.structs.replace(world.context, public_url="https://help.example.com")
    world.clock.at = local("2026-11-15T09:00")
    hand_over(world)
    (letter,) = letters(world, "ania", "oncall_coming")
    assert "https://help.example.com/oncall/agent.ania.0." in letter.text


# -- nobody -----------------------------------------------------------------------------------------------------------


def test_that_nobody_follows_is_loud_a_day_before_and_when_it_is_so(
    make_world: Callable[[str], World],
) -> None:
    """The rotation has no weekend: who goes and the lead are told on Friday and on Saturday."""
    world = make_world(GAP)
    heard: list[Any] = []
    world.store.listen(lambda signals: heard.extend(signals.get("told", ())))
    hand_over(world)
    for day, count in (("2026-11-13T09:00", 1), ("2026-11-14T09:00", 2)):
        world.clock.at = local(day)
        hand_over(world)
        assert len(told(world, "nobody_on_duty")) == count
        world.store.write_now(lambda tx: None)  # the writer tells what it committed before it takes the next
        assert [event for event, _ in heard].count("nobody_on_call") == count
        assert len(letters(world, "tomek", "oncall_nobody")) == count
    gap = told(world, "nobody_on_duty")[0]
    assert (gap["since"], gap["until"]) == ("2026-11-14T08:00:00Z", "2026-11-16T08:00:00Z")


def test_who_has_no_address_is_missing_from_those_told(make_world: Callable[[str], World]) -> None:
    world = make_world(ONCALL.replace("ania: {email: ania@desk.example}", 'ania: {phone: "+48600000001"}'))
    hand_over(world)
    world.clock.at = MONDAY
    hand_over(world)
    assert told(world, "handed_over")[0]["told"] == ["ewa"]
