"""Clocks: budgets, pauses, breaches, reopening and changes of priority, in worked examples."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from routing import sla
from routing.calendar import Calendar, CalendarText
from routing.durations import Span, offset_from, seconds_from, span_from
from routing.sla import Clock, Policy, Target
from tests.rows import every_row

WARSAW = ZoneInfo("Europe/Warsaw")
MORNING, AFTERNOON = (8 * 3600, 12 * 3600), (12 * 3600 + 1800, 18 * 3600)
OFFICE = Calendar(CalendarText("warsaw", "Europe/Warsaw", ((MORNING, AFTERNOON),) * 5 + ((), ()), ("PL",)))
ALWAYS = Calendar(CalendarText("always", "UTC", (((0, 86400),),) * 7))


def span(text: str) -> Span:
    found = span_from(text)
    assert found is not None
    return found


def target(**spans: str) -> Target:
    return Target({name.removeprefix("any"): span(text) for name, text in spans.items()})


STANDARD = Policy(
    "standard",
    "warsaw",
    {"first_response": target(any="4h"), "resolution": target(any="3 working days")},
    ("pending",),
)
GOLD = Policy(
    "gold",
    "always",
    {"first_response": target(urgent="15m", high="30m", normal="2h"), "resolution": target(any="8h")},
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW)


def started(
    policy: Policy = STANDARD, *, when: str = "2026-11-02 10:00", priority: str = "normal"
) -> dict[str, Clock]:
    calendar = OFFICE if policy is STANDARD else ALWAYS
    clocks = sla.start(policy, priority=priority, at=at(when), calendar=calendar)
    return {clock.target: clock for clock in clocks}


def test_a_first_response_counts_open_time_over_night_and_holiday() -> None:
    """17:30 on 10 November leaves half an hour; the 11th is a holiday; 3:30 h of the 12th are left, lunch apart."""
    assert started(when="2026-11-10 17:30")["first_response"].due_at == at("2026-11-12 11:30")


def test_three_working_days_become_open_minutes_when_armed() -> None:
    clock = started(when="2026-11-02 10:00")["resolution"]
    assert clock.due_at == at("2026-11-05 10:00")
    assert clock.budget_s == 3 * 9.5 * 3600


def test_a_working_day_of_closed_time_counts_from_the_next_opening() -> None:
    assert started(when="2026-11-07 10:00")["resolution"].due_at == at("2026-11-13 08:00")


def test_a_pause_stops_resolution_and_what_is_left_goes_on() -> None:
    clock = started()["resolution"]
    paused = sla.pause(clock, at=at("2026-11-02 12:00"), calendar=OFFICE)
    assert (paused.state, paused.used_s, paused.due_at) == ("paused", 2 * 3600, None)
    resumed = sla.resume(paused, at=at("2026-11-04 12:00"), calendar=OFFICE)
    assert resumed.due_at == at("2026-11-09 10:00")


def test_first_response_is_never_paused() -> None:
    clock = started()["first_response"]
    assert sla.pause(clock, at=at("2026-11-02 12:00"), calendar=OFFICE) == clock


def test_an_answer_at_the_due_instant_is_in_time_and_one_after_it_is_late() -> None:
    clock = started()["first_response"]
    due = at("2026-11-02 14:30")
    assert clock.due_at == due
    assert sla.meet(clock, at=due, calendar=OFFICE).breached_at is None
    late = sla.meet(clock, at=due + timedelta(microseconds=1), calendar=OFFICE)
    assert (late.state, late.breached_at) == ("met", due)


def test_a_breach_is_noted_at_the_due_instant_however_late_it_is_seen() -> None:
    breached = sla.breach(started()["first_response"], at=at("2026-11-03 09:00"))
    assert breached.breached_at == at("2026-11-02 14:30")
    assert sla.breach(breached, at=at("2026-11-04 09:00")) == breached


def test_a_breached_clock_keeps_its_instant_through_pause_and_priority() -> None:
    breached = sla.breach(started()["resolution"], at=at("2026-11-05 10:00"))
    paused = sla.pause(breached, at=at("2026-11-05 11:00"), calendar=OFFICE)
    resumed = sla.resume(paused, at=at("2026-11-06 11:00"), calendar=OFFICE)
    assert paused.due_at == resumed.due_at == at("2026-11-05 10:00")
    assert (
        sla.retarget(resumed, policy=GOLD, priority="urgent", at=at("2026-11-06 12:00"), calendar=OFFICE)
        == resumed
    )


@every_row(("solved", "left_h"), [("13:00", 5), ("17:00", 2), ("17:30", 2), ("19:00", 2)])
def test_a_reopened_resolution_goes_on_with_what_is_left_at_least_a_quarter(
    solved: str, left_h: float
) -> None:
    met = sla.meet(started(GOLD)["resolution"], at=at(f"2026-11-02 {solved}"), calendar=ALWAYS)
    again = sla.reopen(met, at=at("2026-11-03 10:00"), calendar=ALWAYS)
    assert again.due_at == at("2026-11-03 10:00") + timedelta(hours=left_h)
    assert (again.state, again.met_at) == ("running", None)


def test_a_met_first_response_never_starts_again() -> None:
    met = sla.meet(started()["first_response"], at=at("2026-11-02 11:00"), calendar=OFFICE)
    assert sla.reopen(met, at=at("2026-11-03 11:00"), calendar=OFFICE) == met


@every_row(("priority", "minutes"), [("urgent", 15), ("high", 30), ("normal", 120), ("low", 120)])
def test_a_priority_that_is_not_listed_uses_the_next_higher_one(priority: str, minutes: int) -> None:
    assert started(GOLD, priority=priority)["first_response"].budget_s == minutes * 60


def test_above_the_highest_listed_priority_the_highest_counts() -> None:
    assert target(low="8h", normal="4h").span("urgent") == span("4h")


def test_running_targets_follow_priority_and_used_time_counts() -> None:
    clock = started(GOLD)["first_response"]
    moved = sla.retarget(clock, policy=GOLD, priority="high", at=at("2026-11-02 10:10"), calendar=ALWAYS)
    assert moved.due_at == at("2026-11-02 10:30")


def test_a_priority_that_comes_too_late_is_due_in_the_past() -> None:
    clock = started(GOLD)["first_response"]
    moved = sla.retarget(clock, policy=GOLD, priority="urgent", at=at("2026-11-02 11:00"), calendar=ALWAYS)
    assert moved.due_at == at("2026-11-02 10:15")


def test_a_paused_resolution_takes_the_new_length_when_it_resumes() -> None:
    short = Policy("short", "always", {"resolution": target(any="4h")})
    paused = sla.pause(started(GOLD)["resolution"], at=at("2026-11-02 11:00"), calendar=ALWAYS)
    moved = sla.retarget(paused, policy=short, priority="normal", at=at("2026-11-02 12:00"), calendar=ALWAYS)
    assert sla.resume(moved, at=at("2026-11-02 13:00"), calendar=ALWAYS).due_at == at("2026-11-02 16:00")


def test_a_target_that_the_new_policy_does_not_have_stops() -> None:
    short = Policy("short", "always", {"resolution": target(any="4h")})
    clock = started(GOLD)["first_response"]
    moved = sla.retarget(clock, policy=short, priority="normal", at=at("2026-11-02 10:05"), calendar=ALWAYS)
    assert moved.state == "stopped"


def test_stored_policies_and_clocks_come_back_equal() -> None:
    clock = sla.breach(started()["resolution"], at=at("2026-11-05 10:00"))
    stored = msgspec.json.decode(msgspec.json.encode([STANDARD.to_json(), clock.to_json()]))
    assert (Policy.from_json(stored[0]), Clock.from_json(stored[1])) == (STANDARD, clock)


@every_row(
    ("text", "seconds"),
    [("15m", 900), ("1h30m", 5400), ("45s", 45), ("3d", 259200), ("0m", 0), ("h", None), ("15", None), ("9999d", None),
     ("-5m", None), ("1.5h", None), ("15 m", None)],
)  # fmt: skip
def test_lengths_of_time(text: str, seconds: int | None) -> None:
    assert seconds_from(text) == seconds


def test_offsets_have_a_sign() -> None:
    assert (offset_from("+15m"), offset_from("-1h"), offset_from("15m")) == (900, -3600, None)
