"""Steps fall due relative to their clocks, and move with them."""

from datetime import UTC, datetime, timedelta

from routing import ladder, ladder_timers, sla
from routing.calendar import Calendar, CalendarText
from routing.durations import Span
from routing.ladder import Ladder, Step, When
from routing.sla import Policy, Target

ALWAYS = Calendar(CalendarText("always", "UTC", (((0, 86400),),) * 7))
OFFICE = Calendar(CalendarText("office", "UTC", (((9 * 3600, 17 * 3600),),) * 5 + ((), ())))
POLICY = Policy(
    "p",
    "always",
    {"first_response": Target({"": Span("2h", 7200)}), "resolution": Target({"": Span("8h", 28800)})},
    ladder="page",
)
PAGE = Ladder(
    "page",
    (
        Step("first_response 50%", When("first_response", "percent", 50), notify=("assignee",)),
        Step(
            "first_response breach",
            When("first_response", "breach"),
            ("lead",),
            ("l2", "lead"),
            "urgent",
            ("late",),
        ),
        Step("first_response +15m", When("first_response", "offset", 900), ("lead",), every_s=900, times=3),
        Step("resolution -1h", When("resolution", "offset", -3600), ("assignee",)),
    ),
)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def offsets(
    *, policy: Policy = POLICY, calendar: Calendar = ALWAYS, answered: bool = False
) -> list[tuple[str, int]]:
    """Key and minutes after noon of everything that falls due for a ticket of noon."""
    clocks = sla.start(policy, priority="normal", at=NOON, calendar=calendar)
    if answered:
        clocks = (sla.meet(clocks[0], at=NOON, calendar=calendar), clocks[1])
    timers = ladder_timers.steps(policy, PAGE, clocks, calendar=calendar)
    return [(timer.key, int((timer.due_at - NOON).total_seconds()) // 60) for timer in timers]


def test_steps_and_breaches_fall_due_in_order() -> None:
    assert offsets() == [
        ("page/0", 60),
        ("breach:first_response", 120),
        ("page/1", 120),
        ("page/2", 135),
        ("page/2/1", 150),
        ("page/2/2", 165),
        ("page/3", 420),
        ("breach:resolution", 480),
    ]


def test_steps_count_in_open_time() -> None:
    """8 h of resolution from Monday noon: 5 h on Monday, 3 h on Tuesday; an hour before is Tuesday 11:00."""
    assert ("page/3", 23 * 60) in offsets(calendar=OFFICE)


def test_a_met_target_has_no_steps_left() -> None:
    assert offsets(answered=True) == [("page/3", 420), ("breach:resolution", 480)]


def test_a_paused_target_has_no_steps_until_it_goes_on() -> None:
    _, resolution = sla.start(POLICY, priority="normal", at=NOON, calendar=ALWAYS)
    paused = sla.pause(resolution, at=NOON + timedelta(hours=1), calendar=ALWAYS)
    assert ladder_timers.steps(POLICY, PAGE, (paused,), calendar=ALWAYS) == ()
    resumed = sla.resume(paused, at=NOON + timedelta(hours=3), calendar=ALWAYS)
    timers = ladder_timers.steps(POLICY, PAGE, (resumed,), calendar=ALWAYS)
    assert [(timer.key, timer.due_at - NOON) for timer in timers] == [
        ("page/3", timedelta(hours=9)),
        ("breach:resolution", timedelta(hours=10)),
    ]


def test_a_noted_breach_is_not_given_again_but_its_later_steps_are() -> None:
    first, _ = sla.start(POLICY, priority="normal", at=NOON, calendar=ALWAYS)
    breached = sla.breach(first, at=NOON + timedelta(hours=2))
    keys = [timer.key for timer in ladder_timers.steps(POLICY, PAGE, (breached,), calendar=ALWAYS)]
    assert keys == ["page/0", "page/1", "page/2", "page/2/1", "page/2/2"]


def test_without_a_ladder_a_breach_is_still_an_event() -> None:
    clocks = sla.start(POLICY, priority="normal", at=NOON, calendar=ALWAYS)
    keys = [timer.key for timer in ladder_timers.steps(POLICY, None, clocks, calendar=ALWAYS)]
    assert keys == ["breach:first_response", "breach:resolution"]


def test_a_step_moves_the_ticket_before_it_tells_anybody() -> None:
    found = [(action.kind, action.value, action.rule) for action in ladder.actions(PAGE, 1)]
    assert found == [
        ("level", ["l2", "lead"], "page/1"),
        ("priority", "urgent", "page/1"),
        ("tags", ["late"], "page/1"),
        ("notify", "lead", "page/1"),
    ]


def test_a_stored_ladder_comes_back_equal() -> None:
    assert Ladder.from_json(PAGE.to_json()) == PAGE
