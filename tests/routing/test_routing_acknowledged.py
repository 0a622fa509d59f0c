"""Notices that ask for an acknowledgement, repeated notices, and the steps of every target, with their minutes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing import ladder, ladder_timers, sla
from routing.actions import Action
from routing.calendar import Calendar, CalendarText
from routing.durations import Span
from routing.ladder import Asked, Firing, Ladder, Step, StepKey, When
from routing.sla import Change, Clock, Policy, Target
from tests.rows import every_row

ALWAYS = Calendar(CalendarText("always", "UTC", (((0, 86400),),) * 7))
OFFICE = Calendar(CalendarText("office", "UTC", (((9 * 3600, 17 * 3600),),) * 5 + ((), ())))
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)  # a Monday
MINUTES = 60
UNACKNOWLEDGED = When("", "unacknowledged")

PAGE = Ladder(
    "page",
    (
        Step(
            "first_response 50%",
            When("first_response", "percent", 50),
            ("oncall",),
            by="urgent",
            ack_within_s=600,
        ),
        Step("unacknowledged", UNACKNOWLEDGED, ("lead",), by="urgent"),
        Step("first_response breach", When("first_response", "breach"), ("lead",), ("lead",), "urgent"),
    ),
)
CHAIN = Ladder(
    "chain",
    (
        Step("first_response 50%", When("first_response", "percent", 50), ("oncall",), ack_within_s=600),
        Step("unacknowledged", UNACKNOWLEDGED, ("l2",)),
        Step("unacknowledged", UNACKNOWLEDGED, ("lead",)),
        Step("next_response breach", When("next_response", "breach"), ("oncall",), ack_within_s=300),
        Step("unacknowledged", UNACKNOWLEDGED, ("lead",), every_s=900, times=3),
    ),
)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def asked(key: str = "page/0", *, acknowledged: float | None = None, is_reached: bool = True) -> Asked:
    """A notice of noon; acknowledged: minutes after it."""
    when = None if acknowledged is None else after(acknowledged)
    return Asked(key=key, sent_at=NOON, is_reached=is_reached, acknowledged_at=when)


def due(
    *notices: Asked, book: Ladder = PAGE, calendar: Calendar = ALWAYS, answered: float | None = None
) -> Any:
    """Key and minutes after noon of what falls due."""
    answered_at = None if answered is None else after(answered)
    timers = ladder_timers.acknowledgement_timers(book, notices, calendar=calendar, answered_at=answered_at)
    return [(timer.key, (timer.due_at - NOON).total_seconds() / 60) for timer in timers]


def test_a_notice_that_nobody_acknowledges_calls_the_next_step() -> None:
    assert due(asked()) == [("page/1", 10)]


def test_acknowledging_gives_as_long_again_for_an_answer() -> None:
    assert due(asked(acknowledged=4)) == [("page/1", 14)]
    assert due(asked(acknowledged=10)) == [("page/1", 20)]


def test_acknowledging_counts_until_the_step_has_been_taken() -> None:
    """Half a minute late, because nobody rang the bell: who comes first has it. A step that was taken is not asked for."""
    assert due(asked(acknowledged=10.5)) == [("page/1", 20.5)]


def test_a_public_answer_ends_it_with_or_without_acknowledging() -> None:
    assert due(asked(), answered=3) == due(asked(acknowledged=4), answered=12) == []


def test_an_answer_before_the_notice_ends_nothing() -> None:
    assert due(asked(), answered=-1) == [("page/1", 10)]


def test_a_notice_that_reached_nobody_calls_the_next_step_at_once() -> None:
    assert due(asked(is_reached=False)) == [("page/1", 0)]


def test_the_time_to_acknowledge_is_wall_clock_at_night_too() -> None:
    """Noon of Monday is closed here: only a repetition would wait for opening."""
    closed = Calendar(CalendarText("c", "UTC", (((20 * 3600, 21 * 3600),),) * 7))
    assert due(asked(), calendar=closed) == [("page/1", 10)]


def test_an_unacknowledged_step_gives_as_long_as_the_one_before_it() -> None:
    assert due(asked("chain/0"), asked("chain/1"), book=CHAIN) == [("chain/1", 10), ("chain/2", 10)]


def test_the_last_step_of_a_chain_is_followed_by_nothing() -> None:
    assert due(asked("chain/2"), book=CHAIN) == []


def test_a_step_follows_the_nearest_notice_that_asks() -> None:
    found = due(asked("chain/3"), book=CHAIN)
    assert found == [("chain/4", 5), ("chain/4/1", 20), ("chain/4/2", 35)]


def test_repeated_notices_of_an_unacknowledged_step_wait_for_opening() -> None:
    """Noon plus five, then fifteen open minutes each: 12:05, 12:20, and 12:35 of the next day's first hour."""
    until_half_past = Calendar(CalendarText("c", "UTC", (((12 * 3600, 12 * 3600 + 1800),),) * 7))
    found = due(asked("chain/3"), book=CHAIN, calendar=until_half_past)
    assert found == [("chain/4", 5), ("chain/4/1", 20), ("chain/4/2", 24 * 60 + 5)]


def test_a_later_run_of_a_target_calls_its_own_step() -> None:
    assert due(asked("chain/3/0/2"), book=CHAIN)[0] == ("chain/4/0/2", 5)


def test_only_the_first_notice_of_a_step_is_waited_for() -> None:
    assert due(asked("page/0/1")) == []


@every_row("key", ["page/2", "page/9", "other/0", "breach:first_response", "page", "page/x"])
def test_what_asks_for_nothing_calls_nothing(key: str) -> None:
    assert due(asked(key)) == []


def test_steps_of_a_target_are_untouched_by_acknowledging() -> None:
    """Whatever becomes of notices, the breach of a two-hour target comes after two hours."""
    policy = Policy("p", "c", {"first_response": Target({"": Span("2h", 7200)})})
    clocks = sla.start(policy, priority="normal", at=NOON, calendar=ALWAYS)
    keys = [(timer.key, timer.due_at) for timer in ladder_timers.steps(policy, PAGE, clocks, calendar=ALWAYS)]
    assert keys == [("page/0", after(60)), ("breach:first_response", after(120)), ("page/2", after(120))]


# -- notices that repeat ---------------------------------------------------------------------------------------------

THRICE = Ladder(
    "t",
    (Step("resolution 50%", When("resolution", "percent", 50), ("lead",), every_s=15 * MINUTES, times=3),),
)


def sent(*minutes: tuple[float, float]) -> dict[str, Firing]:
    """Notices of the step so far: when each was due, and when it went out."""
    return {
        str(StepKey("t", 0, number)): Firing(after(due_at), after(fired_at))
        for number, (due_at, fired_at) in enumerate(minutes)
    }


def left(fired: dict[str, Firing], *clocks: Clock, answered: float | None = None) -> Any:
    """The notices that are still to come of a target of four hours."""
    found = ladder_timers.steps(
        Policy("p", "c", {}), THRICE, clocks or (running("resolution", 240),), calendar=ALWAYS,
        answered_at=None if answered is None else after(answered), fired=fired,
    )  # fmt: skip
    return [(each.key, (each.due_at - NOON).total_seconds() / 60) for each in found if each.step == 0]


def test_a_notice_a_little_late_keeps_the_grid() -> None:
    assert left(sent((120, 121))) == [("t/0/1", 135), ("t/0/2", 150)]


def test_a_notice_so_late_that_the_next_is_due_begins_a_new_grid() -> None:
    """Down for three hours: three notices in one minute would be a storm."""
    assert left(sent((120, 300))) == [("t/0/1", 315), ("t/0/2", 330)]


def test_notices_follow_the_first_when_the_clock_moves() -> None:
    """The first went out at 14:00; a pause moves half of the time to 15:30, and the second is fifteen minutes after the first."""
    moved = Clock("resolution", "running", 240 * MINUTES, 120 * MINUTES, after(210), after(330))
    assert left(sent((120, 120)), moved) == [("t/0/1", 135), ("t/0/2", 150)]


def test_a_repetition_that_an_answer_ended_stays_ended_when_the_clock_moves() -> None:
    moved = Clock("resolution", "running", 240 * MINUTES, 100 * MINUTES, after(210), after(350))
    assert left(sent((120, 120)), moved, answered=125) == []


# -- what a step does -----------------------------------------------------------------------------------------------


def test_a_notice_names_its_way_and_how_long_it_waits() -> None:
    assert ladder.actions(PAGE, 0) == (
        Action("notify", "oncall", "page/0", {"by": "urgent", "ack_within_s": 600}),
    )
    assert ladder.actions(PAGE, 1) == (Action("notify", "lead", "page/1", {"by": "urgent"}),)
    assert ladder.actions(CHAIN, 1) == (Action("notify", "l2", "chain/1", {"ack_within_s": 600}),)


def test_a_level_of_a_step_relaxes_skills() -> None:
    assert ladder.actions(PAGE, 2)[0] == Action("level", ["lead"], "page/2", {"relaxed": True})


def test_what_else_a_step_does_comes_before_anybody_is_told() -> None:
    step = Step(
        "", When("resolution", "breach"), ("lead",), ("l2",), "high", ("late",),
        every_s=60, times=2, actions=(Action("status", "open", ""), Action("note", "late", "")),
    )  # fmt: skip
    book = Ladder("n", (step,))
    kinds = [(action.kind, action.rule) for action in ladder.actions(book, 0)]
    assert kinds == [(kind, "n/0") for kind in ("level", "priority", "tags", "status", "note", "notify")]
    second = ladder.StepTimer("n/0/1", "resolution", NOON, 0, 1)
    assert [action.kind for action in ladder.round_actions(book, second)] == ["notify"]


# -- the steps of every target --------------------------------------------------------------------------------------

EVERY = Ladder(
    "every",
    (
        Step("next_response 50%", When("next_response", "percent", 50), ("assignee",)),
        Step("update breach", When("update", "breach"), ("assignee",)),
        Step("promise -30m", When("promise", "offset", -1800), ("assignee",)),
        Step("promise +1h", When("promise", "offset", 3600), ("lead",)),
        Step("resolution +15m", When("resolution", "offset", 900), ("lead",), every_s=900, times=3),
    ),
)


def timers(*clocks: Clock, calendar: Calendar = ALWAYS, answered: float | None = None) -> Any:
    answered_at = None if answered is None else after(answered)
    found = ladder_timers.steps(
        Policy("p", "c", {}), EVERY, clocks, calendar=calendar, answered_at=answered_at
    )
    return [(timer.key, (timer.due_at - NOON).total_seconds() / 60) for timer in found]


def running(target: str, minutes: float, **more: Any) -> Clock:
    return Clock(target, "running", minutes * 60, 0.0, NOON, after(minutes), **more)


def test_next_response_and_update_have_steps() -> None:
    assert timers(running("next_response", 60)) == [("every/0", 30), ("breach:next_response", 60)]
    assert timers(running("update", 60)) == [("breach:update", 60), ("every/1", 60)]


def test_the_steps_of_a_later_run_are_other_steps() -> None:
    assert timers(running("next_response", 60, run=2)) == [
        ("every/0/0/2", 30),
        ("breach:next_response/2", 60),
    ]


def test_an_idle_target_has_no_steps() -> None:
    assert timers(Clock("next_response", "idle", 0.0)) == []


def test_the_steps_of_a_promise_are_wall_clock() -> None:
    """Promised for 20:00, when the office has closed."""
    promise = sla.begin_promise(after(480), at=NOON)
    assert timers(promise, calendar=OFFICE) == [("every/2", 450), ("breach:promise", 480), ("every/3", 540)]


def test_repeated_notices_are_open_time_apart() -> None:
    """Due at 16:30: a notice at 16:45, one at 17:00, the third at 9:15 of the next day."""
    late = running("resolution", 270, breached_at=after(270))
    assert timers(late, calendar=OFFICE) == [
        ("every/4", 285),
        ("every/4/1", 300),
        ("every/4/2", 21 * 60 + 15),
    ]


@pytest.mark.parametrize(
    ("answered", "keys"),
    [(270, ["every/4", "every/4/1", "every/4/2"]), (285, ["every/4"]), (400, ["every/4"])],
)
def test_a_public_answer_ends_a_repetition_that_had_begun(answered: float, keys: list[str]) -> None:
    late = running("resolution", 270, breached_at=after(270))
    assert [key for key, _ in timers(late, answered=answered)] == keys


def test_a_moved_target_keeps_the_keys_of_its_steps() -> None:
    policy = Policy(
        "p", "c", {"resolution": Target({"urgent": Span("2h", 7200), "normal": Span("4h", 14400)})}
    )
    clocks = sla.start(policy, priority="normal", at=NOON, calendar=ALWAYS)
    change = Change(event="priority", at=after(10), before="open", after="open", priority="urgent")
    moved = sla.after(policy, clocks, change, calendar=ALWAYS)
    assert [key for key, _ in timers(*clocks)] == [key for key, _ in timers(*moved)]
    assert timers(*moved)[0] == ("breach:resolution", 120)


@every_row(
    "key", [StepKey("a", 3), StepKey("a", 3, 1), StepKey("a", 3, 0, 2), StepKey("night-page", 11, 4, 5)]
)
def test_keys_are_read_as_they_are_written(key: StepKey) -> None:
    assert ladder.parsed_key(str(key)) == key
