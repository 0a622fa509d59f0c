"""Assignment beyond hours: who is on call, who may get more, who knows what, who stands in."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from routing import assignment
from routing.assignment import People
from routing.calendar import Calendar, CalendarText
from routing.facts import AgentLoad
from routing.people import Agent, Skills, Team
from routing.schedule import Layer, Schedule
from tests.rows import every_row

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 2, 23, tzinfo=UTC)
CALENDARS = {"office": Calendar(CalendarText("office", "UTC", (((9 * 3600, 17 * 3600),),) * 5 + ((), ())))}
AGENTS = {
    "ania": Agent("ania", skills=("pl", "en"), hours="office", deputy="tomek"),
    "marek": Agent("marek", skills=("es", "EN"), hours="office"),
    "ewa": Agent("ewa", skills=("pl", "invoices"), hours="office"),
    "nikos": Agent("nikos", skills=("el", "en"), hours="office"),
    "rui": Agent("rui", skills=("pt", "en")),
    "tomek": Agent("tomek", deputy="rui"),
}
SCHEDULES = {
    "rota": Schedule(
        "rota", "Europe/Warsaw", (Layer(("nikos", "rui"), "weekly", date(2026, 11, 2), 0, time(9)),)
    )
}
TEAM = Team(
    "billing",
    {"l1": ("ania", "marek"), "l2": ("ewa",), "oncall": ("nikos", "rui"), "lead": ("tomek",)},
    capacity={"email": 10, "chat": 0},
    on_call={"oncall": "rota"},
)


def load(
    count: int = 0, *, medium: str = "email", away: bool = False, minutes_ago: int | None = None
) -> AgentLoad:
    last = None if minutes_ago is None else NOON - timedelta(minutes=minutes_ago)
    return AgentLoad({medium: count}, away=away, last_assigned_at=last)


def found(
    level: str | list[str] | None = None, *, need: tuple[str, ...] = (), at: datetime = NOON, **more: Any
) -> assignment.Assignment:
    loads = {name: more.pop(name) for name in list(more) if name in AGENTS}
    people = People(AGENTS, loads, at, CALENDARS, SCHEDULES, more.pop("medium", None))
    return assignment.choose(TEAM, people, level=level, skills=Skills(need), **more)


def agent(*args: Any, **more: Any) -> str | None:
    return found(*args, **more).agent


def reasons(*args: Any, **more: Any) -> dict[str, str]:
    return {each.agent: each.reason for each in found(*args, **more).candidates}


# -- on call --------------------------------------------------------------------------------------------------------


def test_a_level_on_call_has_whoever_is_on_call_outside_their_hours_too() -> None:
    assert agent("oncall", at=NIGHT) == "nikos"
    assert agent("oncall", at=NIGHT + timedelta(days=7)) == "rui"


def test_who_is_on_call_and_away_gets_nothing() -> None:
    result = found("oncall", nikos=load(away=True))
    assert (result.agent, [each.reason for each in result.candidates]) == (
        None,
        ["away", "not on call now (rota: nikos)"],
    )


def test_an_empty_level_costs_no_time() -> None:
    result = found(["oncall", "lead"], nikos=load(away=True), at=NIGHT)
    assert (result.agent, result.level) == ("tomek", "lead")


def test_nobody_is_on_call_before_the_rota_begins() -> None:
    assert found(["oncall", "lead"], at=datetime(2026, 11, 1, tzinfo=UTC)).level == "lead"


def test_a_notice_to_those_on_call_reaches_one() -> None:
    who = assignment.on_duty(TEAM, "oncall", People(AGENTS, {}, NIGHT, CALENDARS, SCHEDULES))
    assert who == ("nikos",)


@every_row(
    ("name", "when", "expected"),
    [
        ("ania", NOON, True), ("ania", NIGHT, False), ("nikos", NIGHT, True), ("rui", NIGHT, True), ("nobody", NOON, False),
        ("nikos", NIGHT + timedelta(days=7), False),
    ],
)  # fmt: skip
def test_an_agent_is_on_duty_inside_hours_or_on_call(name: str, when: datetime, *, expected: bool) -> None:
    people = People(AGENTS, {}, when, CALENDARS, SCHEDULES)
    is_there = assignment.is_on_duty(name, people, teams=[TEAM])
    assert is_there is expected


def test_who_is_away_is_not_on_duty_whatever_the_rota_says() -> None:
    people = People(AGENTS, {"nikos": load(away=True)}, NIGHT, CALENDARS, SCHEDULES)
    assert not assignment.is_on_duty("nikos", people, teams=[TEAM])


def test_a_team_is_open_while_somebody_of_any_level_is_there() -> None:
    def is_open(team: Team) -> bool:
        return assignment.is_open(team, People(AGENTS, {}, NIGHT, CALENDARS, SCHEDULES))

    assert is_open(TEAM)
    assert not is_open(Team("day", {"l1": ("ania", "marek")}))


# -- capacity -------------------------------------------------------------------------------------------------------


def test_an_agent_at_capacity_gets_no_more_of_that_medium() -> None:
    assert agent("l1", medium="email", ania=load(10), marek=load(9, minutes_ago=1)) == "marek"
    assert reasons("l1", medium="email", ania=load(10))["ania"] == "at capacity: 10 of 10 email"


def test_tickets_of_another_medium_take_no_capacity() -> None:
    assert agent("l1", medium="email", ania=load(12, medium="sms"), marek=load(13, medium="sms")) == "ania"


def test_a_medium_without_a_cap_has_none() -> None:
    assert agent("l1", medium="sms", ania=load(500, medium="sms"), marek=load(away=True)) == "ania"


def test_each_medium_has_its_own_cap() -> None:
    calls = Team("calls", {"l1": ("rui", "tomek")}, capacity={"chat": 1, "email": 10})
    loads = {"rui": AgentLoad({"chat": 1}), "tomek": AgentLoad({"email": 10})}
    given = {
        medium: assignment.choose(
            calls, People(AGENTS, loads, NOON, CALENDARS, medium=medium), level=None
        ).agent
        for medium in ("chat", "email")
    }
    assert given == {"chat": "tomek", "email": "rui"}


def test_an_old_call_keeps_nobody_from_the_next_one() -> None:
    """Of calls only one under way counts, and the desk knows who has one."""
    calls = Team("calls", {"l1": ("rui",)}, capacity={"voice": 1})
    loads = {"rui": AgentLoad({"voice": 3})}
    chosen = assignment.choose(calls, People(AGENTS, loads, NOON, CALENDARS, medium="voice"), level=None)
    assert chosen.agent == "rui"


def test_a_cap_of_nothing_gives_nobody_any() -> None:
    assert agent("l1", medium="chat") is None


def test_a_full_level_is_an_empty_one() -> None:
    result = found(["l1", "lead"], medium="email", ania=load(10), marek=load(11))
    assert (result.agent, result.level) == ("tomek", "lead")


def test_the_one_on_call_can_be_full() -> None:
    assert agent("oncall", medium="email", nikos=load(10)) is None


def test_a_notice_reaches_an_agent_at_capacity() -> None:
    who = assignment.on_duty(TEAM, "l1", People(AGENTS, {"ania": load(10)}, NOON, CALENDARS))
    assert who == ("ania", "marek")


# -- skills ---------------------------------------------------------------------------------------------------------


def test_skills_choose_inside_the_level() -> None:
    assert agent("l1", need=("es",), marek=load(9)) == "marek"


def test_language_is_that_of_the_ticket() -> None:
    assert agent("l1", need=("language",), language="pl", ania=load(9)) == "ania"


def test_an_unknown_language_is_no_skill_to_ask_for() -> None:
    assert agent("l1", need=("language",), language=None, ania=load(9)) == "marek"


def test_every_skill_is_needed_and_case_says_nothing() -> None:
    assert agent("l1", need=("es", "en")) == "marek"
    assert agent("l1", need=("pl", "es")) is None


def test_without_anybody_skilled_the_ticket_waits_with_the_team() -> None:
    result = found("l1", need=("language",), language="el")
    assert (result.agent, result.level) == (None, "l1")
    assert [each.reason for each in result.candidates] == ["does not know el"] * 2


def test_a_skilled_agent_off_duty_does_not_help() -> None:
    assert agent("l1", need=("es",), marek=load(away=True)) is None


def test_skills_do_not_choose_the_level() -> None:
    assert found(["l1", "l2"], need=("invoices",)).level == "l1"


def test_relaxed_anybody_may_have_it_but_the_skilled_come_first() -> None:
    assert agent("l1", need=("el",), relaxed=True) == "ania"
    assert agent("l1", need=("es",), relaxed=True, marek=load(9)) == "marek"


# -- fairness and deputies ------------------------------------------------------------------------------------------


def test_load_counts_all_media() -> None:
    busy = AgentLoad({"email": 1, "sms": 2})
    assert agent("l1", ania=busy, marek=load(2)) == "marek"


def test_ties_go_round() -> None:
    """Nine tickets that are solved at once: each goes to the one who has waited longest."""
    last: dict[str, AgentLoad] = {}
    given = []
    for number in range(9):
        team = Team("t", {"l1": ("rui", "tomek", "nikos")})
        name = assignment.choose(team, People(AGENTS, last, NOON, CALENDARS), level=None).agent
        assert name is not None
        given.append(name)
        last[name] = AgentLoad(last_assigned_at=NOON + timedelta(seconds=number))
    assert given == ["rui", "tomek", "nikos"] * 3


@every_row(
    ("away", "expected"),
    [
        ((), "ania"), (("ania",), "tomek"), (("ania", "tomek"), "rui"),
        (("ania", "tomek", "rui"), "ania"),  # everybody is: it stays where it was meant for
    ],
)  # fmt: skip
def test_what_is_meant_for_somebody_away_goes_to_their_deputy(away: tuple[str, ...], expected: str) -> None:
    loads = {name: load(away=True) for name in away}
    assert assignment.stand_in("ania", agents=AGENTS, loads=loads) == expected


def test_deputies_of_each_other_do_not_go_round_for_ever() -> None:
    pair = {"a": Agent("a", deputy="b"), "b": Agent("b", deputy="a")}
    loads = {name: load(away=True) for name in pair}
    assert assignment.stand_in("a", agents=pair, loads=loads) == "a"
