"""Overrides of schedules: as they are written, and over layers; gaps and what is over, seen from a day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema  # type: ignore[import-untyped]

from routing import cases, json_schema, lint, rulebook, schedule
from routing.problems import ConfigError
from routing.schedule import Duty, Layer, Override, Schedule
from tests.rows import every_row

BASE = """version: 1
calendars: {always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}}
agents:
  ania: {email: a@x.example}
  ewa: {email: e@x.example}
  tomek: {email: t@x.example}
teams: {ops: {levels: {oncall: {schedule: nights}, lead: [tomek]}}}
sla: {page: {calendar: always, first_response: 1h, ladder: page}}
ladders: {page: [{at: first_response breach, notify: [oncall]}]}
default: {team: ops, sla: page}
"""
LAYER = '{rotate: weekly, from: 2026-11-02, handover: "mon 09:00", agents: [ania, ewa]}'


def rules(overrides: str = "", *, layer: str = LAYER, zone: str = "Europe/Warsaw") -> str:
    more = f", overrides: [{overrides}]" if overrides else ""
    return f"{BASE}schedules: {{nights: {{timezone: {zone}, layers: [{layer}]{more}}}}}\n"


def loaded(overrides: str = "", **more: str) -> Schedule:
    return rulebook.load({"rules.yaml": rules(overrides, **more)}).schedules["nights"]


def problems(overrides: str) -> list[tuple[str, str]]:
    try:
        found = rulebook.load({"rules.yaml": rules(overrides)}).warnings
    except ConfigError as error:
        found = error.problems
    return [(each.code, each.message) for each in found]


def at(text: str, zone: str = "Europe/Warsaw") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


CHRISTMAS = "{from: 2026-12-24T09:00, until: 2026-12-26T09:00, agent: tomek}"


@every_row(
    ("when", "agent"),
    [
        ("2026-12-24 08:59", "ewa"), ("2026-12-24 09:00", "tomek"), ("2026-12-26 08:59", "tomek"),
        ("2026-12-26 09:00", "ewa"),
    ],
)  # fmt: skip
def test_an_override_has_its_hours_and_no_more(when: str, agent: str) -> None:
    assert schedule.on_call(loaded(CHRISTMAS), at(when)) == agent


def test_an_override_shifts_nobody_s_turn() -> None:
    """Turns are counted as if it was not there."""
    plain, with_override = loaded(), loaded(CHRISTMAS)
    noon = at("2027-01-04 12:00")
    assert [schedule.on_call(each, noon) for each in (plain, with_override)] == ["ewa", "ewa"]


def test_hand_overs_to_and_from_an_override_are_hand_overs() -> None:
    rota = loaded(CHRISTMAS)
    told = list(schedule.shifts(rota, at("2026-12-22 00:00"), at("2026-12-29 00:00")))
    assert told == [
        (at("2026-12-22 00:00"), "ewa"),
        (at("2026-12-24 09:00"), "tomek"),
        (at("2026-12-26 09:00"), "ewa"),
        (at("2026-12-28 09:00"), "ania"),
    ]
    assert schedule.on_call_since(rota, at("2026-12-27 00:00")) == at("2026-12-26 09:00")


def test_of_two_overrides_the_later_one_wins() -> None:
    both = loaded(f"{CHRISTMAS}, {{from: 2026-12-25T00:00, until: 2026-12-25T12:00, agent: ania}}")
    assert schedule.on_call(both, at("2026-12-25 06:00")) == "ania"
    assert schedule.on_call(both, at("2026-12-25 12:00")) == "tomek"


def test_the_desk_wins_over_the_rules_and_says_why() -> None:
    mine = Override(at("2026-12-24 12:00"), at("2026-12-24 18:00"), "ewa", "swapped", "tomek")
    rota = loaded(CHRISTMAS).overridden((mine,))
    assert schedule.duty(rota, at("2026-12-24 12:00")) == Duty("ewa", "swapped", "tomek")
    assert schedule.duty(rota, at("2026-12-24 12:00")).note == "swapped with tomek"
    assert schedule.duty(rota, at("2026-12-24 18:00")).note == "override"


def test_an_override_that_begins_in_a_gap_of_the_clocks_begins_at_the_next_instant() -> None:
    """On 28 March 2027 there is no half past two in Warsaw: it begins at three."""
    rota = loaded("{from: 2027-03-28T02:30, until: 2027-03-28T09:00, agent: tomek}")
    assert rota.overrides[0].start == datetime(2027, 3, 28, 1, tzinfo=UTC)


def test_an_override_at_a_time_that_occurs_twice_counts_from_the_first() -> None:
    rota = loaded("{from: 2026-10-25T02:30, until: 2026-10-25T09:00, agent: tomek}")
    assert rota.overrides[0].start == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_members_of_a_level_are_those_of_overrides_too() -> None:
    book = rulebook.load({"rules.yaml": rules(CHRISTMAS)})
    assert book.teams["ops"].levels["oncall"] == ("ania", "ewa", "tomek")


@every_row(
    ("written", "code", "words"),
    [
        ("{from: 2026-12-24T09:00, until: 2026-12-26T09:00, agent: tomk}", "unknown-agent", "no agent 'tomk'"),
        ("{from: 2026-12-26T09:00, until: 2026-12-24T09:00, agent: ewa}", "bad-value", "before they begin"),
        ("{from: 2026-12-24, until: 2026-12-26T09:00, agent: ewa}", "bad-value", "no date and time"),
        ("{from: 2026-13-24T09:00, until: 2026-12-26T09:00, agent: ewa}", "bad-value", "no date and time"),
        ("{from: 2026-12-24T09:00+01:00, until: 2026-12-26T09:00, agent: ewa}", "bad-value", "no date and time"),
        ("{from: 2026-12-24T09:00, agent: ewa}", "missing-key", "'until'"),
        ("{from: 2026-12-24T09:00, until: 2026-12-26T09:00, agents: [ewa]}", "unknown-key", "agents"),
        (f"{CHRISTMAS}, {CHRISTMAS}", "override-overlap", "overlap those of line"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_override_is_said(written: str, code: str, words: str) -> None:
    assert any(each[0] == code and words in each[1] for each in problems(written)), problems(written)


def test_overrides_that_touch_do_not_overlap() -> None:
    after = "{from: 2026-12-26T09:00, until: 2026-12-27T09:00, agent: ania}"
    assert problems(f"{CHRISTMAS}, {after}") == []


def test_the_schema_knows_overrides() -> None:
    import yaml

    whole = json_schema.schema()
    good, bad = (yaml.load(rules(each), yaml.BaseLoader) for each in (CHRISTMAS, "{from: soon}"))
    wanted = whole["properties"]["schedules"]
    validator = jsonschema.Draft202012Validator({**wanted, "$defs": whole.get("$defs", {})})
    assert validator.is_valid(good["schedules"])
    assert not validator.is_valid(bad["schedules"])


def test_the_admin_s_tests_follow_overrides() -> None:
    """A ticket on Christmas is tomek's."""
    case = """tests:
  - name: on Christmas
    at: 2026-12-25T12:00+01:00
    message: {channel: email, from: a@b.example, body: help}
    expect: {agent: tomek}
"""
    book = rulebook.load({"rules.yaml": rules(CHRISTMAS) + case})
    assert cases.run(book) == ()


# -- what lies ahead --------------------------------------------------------------------------------------------------


def ahead(text: str, now: str = "2026-11-10 12:00") -> list[tuple[str, str, str]]:
    book = rulebook.load({"rules.yaml": text})
    return [(each.severity, each.code, each.message) for each in lint.dated(book, at(now))]


def test_a_schedule_without_a_gap_is_not_spoken_of() -> None:
    assert ahead(rules()) == []


def test_the_first_gap_is_told_with_its_length_and_how_many_follow() -> None:
    weekdays = LAYER.replace("{rotate", "{days: mon-fri, rotate")
    assert ahead(rules(layer=weekdays))[0] == (
        "warning",
        "oncall-gap",
        (
            "nobody is on call for 'nights' from Sat 2026-11-14 09:00 until Mon 2026-11-16 09:00 "
            "(2 d, Europe/Warsaw), and 7 more times within 8 weeks"
        ),
    )


def test_a_gap_in_the_night_of_the_change_is_an_hour_longer() -> None:
    """On the last Sunday of October the day has 25 hours."""
    weekdays = LAYER.replace("{rotate", "{days: mon-sat, rotate").replace("2026-11-02", "2026-01-05")
    (_, _, message), *_ = ahead(rules(layer=weekdays), "2026-10-24 12:00")
    assert "from Sun 2026-10-25 09:00 until Mon 2026-10-26 09:00 (1 d, Europe/Warsaw)" in message
    saturdays = LAYER.replace("{rotate", "{days: sun-fri, rotate").replace("2026-11-02", "2026-01-05")
    (_, _, message), *_ = ahead(rules(layer=saturdays), "2026-10-20 12:00")
    assert "until Sun 2026-10-25 09:00 (1 d 1 h, Europe/Warsaw)" in message


def test_an_override_fills_a_gap() -> None:
    weekdays = LAYER.replace("{rotate", "{days: mon-fri, rotate")
    filled = ahead(rules("{from: 2026-11-14T09:00, until: 2026-11-16T09:00, agent: ewa}", layer=weekdays))
    assert "from Sat 2026-11-21 09:00" in filled[0][2]
    assert "6 more times" in filled[0][2]


def test_a_rotation_that_begins_later_leaves_a_gap_and_its_ladder_alone() -> None:
    later = LAYER.replace("2026-11-02", "2026-11-30")
    found = ahead(rules(layer=later))
    assert [each[1] for each in found] == ["oncall-gap", "oncall-gap"]
    assert found[0][2] == (
        "nobody is on call for 'nights' now until Mon 2026-11-30 09:00 (19 d 21 h, Europe/Warsaw)"
    )
    assert found[1][2].startswith("this step tells nobody else of team 'ops', and nobody is on call")


def test_a_ladder_that_tells_the_lead_too_is_left_alone_by_nobody() -> None:
    later = rules(layer=LAYER.replace("2026-11-02", "2026-11-30")).replace(
        "notify: [oncall]", "notify: [oncall, lead]"
    )
    assert len(ahead(later)) == 1


def test_overrides_that_are_over_are_hints() -> None:
    assert ahead(rules(CHRISTMAS), "2026-12-26 09:00") == [
        ("hint", "past-override", "these hours of 'nights' were over on Sat 2026-12-26 09:00")
    ]
    assert ahead(rules(CHRISTMAS), "2026-12-26 08:59") == []


def test_whom_no_notice_reaches_and_who_takes_turns_is_told() -> None:
    text = rules().replace("ania: {email: a@x.example}", "ania: {skills: [pl]}")
    (problem,) = rulebook.load({"rules.yaml": text}).warnings
    assert problem.message == (
        "no notice reaches agent 'ania', who is on call in 'nights' and has no email and no phone"
    )


def test_whom_nothing_here_reaches_and_who_takes_turns_is_told() -> None:
    """Only mail goes out, and of ania a number is known."""
    text = rules().replace("ania: {email: a@x.example}", 'ania: {phone: "+48600000001"}')
    book = rulebook.load({"rules.yaml": text})
    told = [each.message for each in lint.configured(book, lint.Means(ways=frozenset({"email"})))]
    assert "no notice reaches agent 'ania', who is on call in 'nights': nothing here sends" in told[0]


# -- the pieces -------------------------------------------------------------------------------------------------------


def daily(*overrides: Override) -> Schedule:
    return Schedule("s", "UTC", (Layer(("a", "b"), "daily", date(2026, 11, 2), None, time(9)),), overrides)


def test_hours_are_cut_where_the_reason_changes_and_turns_are_not() -> None:
    """a takes the day after their own: two reasons, one shift."""
    taken = Override(at("2026-11-03 09:00", "UTC"), at("2026-11-04 09:00", "UTC"), "a", "taken", "b")
    start, end = at("2026-11-02 09:00", "UTC"), at("2026-11-05 09:00", "UTC")
    pieces = list(schedule.hours(daily(taken), start, end))
    assert [(each.duty.agent, each.duty.why) for each in pieces] == [
        ("a", "layer"),
        ("a", "taken"),
        ("a", "layer"),
    ]
    (turn,) = schedule.turns(daily(taken), start, end)
    assert (turn.start, turn.end, turn.duty.why) == (start, end, "layer")


@every_row(
    ("duty", "note"),
    [
        (Duty("a"), ""), (Duty("a", "override"), "override"), (Duty("a", "taken", "b"), "taken from b"),
        (Duty("a", "taken"), "taken"), (Duty("a", "swapped", "b"), "swapped with b"),
    ],
)  # fmt: skip
def test_why_somebody_is_on_call_is_said_in_two_words(duty: Duty, note: str) -> None:
    assert duty.note == note


def test_nothing_changes_where_the_desk_changed_nothing() -> None:
    rotas = {"s": daily()}
    assert schedule.in_force(rotas, {}) is rotas


def test_a_rota_of_one_is_theirs_since_it_began() -> None:
    one = Schedule("s", "UTC", (Layer(("a",), "weekly", date(2026, 11, 2), 0, time(9)),))
    assert schedule.on_call_since(one, at("2027-06-01 00:00", "UTC")) == at("2026-11-02 09:00", "UTC")
    assert schedule.on_call_since(one, at("2026-11-01 00:00", "UTC")) is None


def test_hours_end_where_they_are_asked_to() -> None:
    start = at("2026-11-02 12:00", "UTC")
    found: list[Any] = list(schedule.turns(daily(), start, start + timedelta(days=2)))
    assert (found[0].start, found[-1].end) == (start, start + timedelta(days=2))
