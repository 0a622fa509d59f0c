"""Who gets a ticket, and why the others do not."""

from datetime import UTC, datetime, timedelta

from routing import assignment
from routing.assignment import People
from routing.calendar import Calendar, CalendarText
from routing.facts import AgentLoad
from routing.people import Agent, Team

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 2, 23, tzinfo=UTC)
CALENDARS = {"office": Calendar(CalendarText("office", "UTC", (((9 * 3600, 17 * 3600),),) * 5 + ((), ())))}
AGENTS = {
    "ania": Agent("ania", hours="office"),
    "marek": Agent("marek", hours="office"),
    "ewa": Agent("ewa"),
    "tomek": Agent("tomek"),
}
TEAM = Team("billing", {"l1": ("ania", "marek"), "l2": ("ewa",), "empty": (), "lead": ("tomek",)})


def load(count: int = 0, *, away: bool = False, minutes_ago: int | None = None) -> AgentLoad:
    last = None if minutes_ago is None else NOON - timedelta(minutes=minutes_ago)
    return AgentLoad({"email": count}, away=away, last_assigned_at=last)


def chosen(
    level: str | list[str] | None = None, *, at: datetime = NOON, by: str | None = None, **loads: AgentLoad
) -> tuple[str | None, str]:
    found = assignment.choose(TEAM, People(AGENTS, loads, at, CALENDARS), level=level, by=by)
    return found.agent, found.level


def test_a_new_ticket_starts_at_the_first_level_with_the_first_of_equals() -> None:
    assert chosen() == ("ania", "l1")


def test_the_least_loaded_gets_it() -> None:
    assert chosen(ania=load(2), marek=load(1)) == ("marek", "l1")


def test_of_equally_loaded_the_one_assigned_longest_ago_gets_it() -> None:
    assert chosen(ania=load(1, minutes_ago=5), marek=load(1, minutes_ago=9)) == ("marek", "l1")


def test_in_turn_load_does_not_count() -> None:
    ania, marek = load(9, minutes_ago=60), load(0, minutes_ago=5)
    assert chosen(by="round_robin", ania=ania, marek=marek) == ("ania", "l1")


def test_who_is_away_is_passed_over() -> None:
    assert chosen(ania=load(away=True)) == ("marek", "l1")


def test_the_first_level_with_somebody_on_duty_is_taken() -> None:
    assert chosen(["l1", "lead"], at=NIGHT) == ("tomek", "lead")
    assert chosen(["empty", "nowhere", "lead"]) == ("tomek", "lead")


def test_with_nobody_on_duty_the_ticket_waits_at_the_first_level() -> None:
    assert chosen("l1", at=NIGHT) == (None, "l1")
    assert chosen("nowhere") == (None, "l1")


def test_every_candidate_has_its_reason() -> None:
    loads = {"ania": load(away=True), "tomek": load(1)}
    found = assignment.choose(TEAM, People(AGENTS, loads, NIGHT, CALENDARS), level=["l1", "lead"])
    assert [(each.agent, each.taken, each.reason) for each in found.candidates] == [
        ("ania", False, "away"),
        ("marek", False, "outside their hours (office)"),
        ("tomek", True, "taken: 1 open ticket"),
    ]


def test_a_notice_goes_to_those_of_the_level_who_are_on_duty() -> None:
    who = assignment.on_duty(TEAM, "l1", People(AGENTS, {"marek": load(away=True)}, NOON, CALENDARS))
    assert who == ("ania",)
