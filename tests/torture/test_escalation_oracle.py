"""The oracle of the escalation torture, against instants worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.rows import every_row
from tests.torture import escalation_scene
from tests.torture.escalation_oracle import Book, Ticket

MINUTE = datetime(
    2026, 11, 10, 12, 0, tzinfo=UTC
)  # one o'clock in Warsaw, whose desk was closed from 10:00 to 12:57
BOOK = Book(escalation_scene.rules(MINUTE))


def us(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000


def due(kind: str, created: datetime, **fired_after_s: float) -> dict[str, float]:
    """Key -> seconds after the creation; fired_after_s: step, with _ for /, -> when it was taken."""
    begin = us(created)
    fired = {name.replace("_", "/"): begin + int(s * 1_000_000) for name, s in fired_after_s.items()}
    wanted = BOOK.wanted(Ticket(1, kind, begin, fired))
    return {each.step: (each.due - begin) / 1_000_000 for each in wanted}


def test_percentages_breaches_and_repeats_of_a_ladder_taken_in_time() -> None:
    found = due("quick", MINUTE)
    steps = {"climb/0": 1, "climb/1": 2, "climb/2": 4, "climb/3": 5, "climb/3/1": 7, "climb/3/2": 9}
    assert {step: found[step] for step in steps} == steps
    assert (found["climb/4"], found["climb/5"], found["breach:resolution"]) == (7.2, 9, 9)
    assert (found["silent"], found["unheard"]) == (5, 7)


@every_row(("taken_s", "again_s"), [(5, 7), (6.9, 7), (7, 9), (20, 22)])
def test_a_repeat_keeps_to_its_grid_until_it_is_a_turn_late(taken_s: float, again_s: float) -> None:
    assert due("quick", MINUTE, climb_3=taken_s)["climb/3/1"] == again_s


@pytest.mark.parametrize(("urgent_s", "breach_s"), [(4, 9), (29, 9), (31, 30)])
def test_a_target_that_is_past_when_the_ticket_becomes_urgent_keeps_its_instant(
    urgent_s: float, breach_s: float
) -> None:
    assert due("quick", MINUTE, climb_2=urgent_s)["breach:resolution"] == breach_s


def test_nobody_acknowledges_so_each_is_told_three_seconds_after_the_one_before() -> None:
    assert "page/1" not in due("paged", MINUTE)
    found = due("paged", MINUTE, page_0=2.5, page_1=6)
    assert (found["page/0"], found["page/1"], found["page/2"], found["page/3"]) == (2, 5.5, 9, 8)


def test_closed_hours_do_not_count() -> None:
    """Two minutes before the desk closes, three are left at the next opening; half of the five are over before."""
    created = MINUTE - timedelta(hours=3, minutes=2)
    closed_s = (timedelta(hours=2, minutes=57)).total_seconds()
    found = due("desk", created)
    assert found == {
        "breach:first_response": closed_s + 300,
        "open/0": closed_s + 150,
        "open/1": closed_s + 290,
        "open/2": closed_s + 300,
        "silent": 5,
    }


def test_time_that_runs_out_when_the_desk_closes_is_due_then() -> None:
    created = MINUTE - timedelta(hours=3, seconds=150)
    assert due("desk", created)["open/0"] == 150
