"""Through every change of clocks nobody's shift is lost, doubled or shifted: against an oracle that only adds and subtracts.

The oracle knows a change as three numbers: the instant, what the zone adds to UTC before it and after it. A hand-over is at
the earliest instant at which the clocks show its time, or at the change itself when they jump over it.
"""

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

import pytest

from routing import schedule
from routing.schedule import Layer, Schedule
from tests.routing import transitions
from tests.routing.transitions import Change

DAYS = 3
AGENTS = tuple("abcdefg")
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
# By the hour, by half and by two hours, at midnight and over it, on both halves of the earth; twice a year and in Ramadan.
SAMPLED = (
    "Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "America/Havana", "Asia/Beirut",
    "America/Scoresbysund", "Africa/Casablanca", "Asia/Tehran", "America/Santiago", "Europe/Dublin",
)  # fmt: skip


def every_change(zones: Iterable[str]) -> list[Change]:
    """The changes that have the days around them to themselves."""
    found = []
    for name in zones:
        every = transitions.changes(name)
        for place, each in enumerate(every):
            near = every[max(place - 1, 0) : place] + every[place + 1 : place + 2]
            if all(abs(other.at - each.at) > (DAYS + 2) * DAY for other in near):
                found.append(each)
    return found


def oracle(change: Change, day: date, at: time) -> datetime:
    """The instant of a hand-over near a change."""
    local = datetime.combine(day, at, change.at.tzinfo)
    early, late = local - change.before, local - change.after
    shown = [*([early] if early < change.at else []), *([late] if late >= change.at else [])]
    return min(shown, default=change.at)


def times(change: Change) -> list[time]:
    """Hand-over times worth asking for: those that the clocks jump over or show twice, their borders, and some others."""
    first, last = change.gap_or_fold
    near = (
        first - timedelta(minutes=1),
        first,
        first + (last - first) / 2,
        last,
        last - timedelta(minutes=1),
    )
    return sorted({each.replace(second=0, microsecond=0).time() for each in near} | {time(0), time(9)})


def handovers(change: Change, at: time) -> list[tuple[datetime, date]]:
    middle = (change.at + change.after).date()
    days = [middle + step * DAY for step in range(-DAYS, DAYS + 1)]
    return [(oracle(change, day, at), day) for day in days]


def who(day: date) -> str:
    return AGENTS[(day - date(2019, 1, 7)).days % len(AGENTS)]


def rota(change: Change, at: time, **more: object) -> Schedule:
    """A daily rota of seven."""
    values = {"rotate": "daily", "start": date(2019, 1, 7), "handover_day": None, "handover_at": at} | more
    return Schedule("s", change.zone, (Layer(AGENTS, **values),))  # type: ignore[arg-type]


def check_shifts(change: Change) -> int:
    """Compare the shifts of the days around a change; how many there were."""
    count = 0
    for at in times(change):
        expected = handovers(change, at)
        start, end = expected[0][0], expected[-1][0] + SECOND
        told = list(schedule.shifts(rota(change, at), start, end))
        assert told == [(instant, who(day)) for instant, day in expected], (change, at)
        backwards = [
            schedule.on_call_since(rota(change, at), instant - SECOND) for instant, _ in expected[1:]
        ]
        assert backwards == [instant for instant, _ in expected[:-1]], (change, at)
        count += len(expected)
    return count


def check_weekly(change: Change) -> None:
    """A weekly rota hands over once in the week of a change, on its weekday, at its time."""
    middle = (change.at + change.after).date()
    for at, day in itertools.product(times(change), (middle, middle - DAY)):
        weekly = rota(change, at, rotate="weekly", handover_day=day.weekday())
        instant = oracle(change, day, at)
        weeks = (day - weekly.layers[0].first_day).days // 7
        start = instant - DAYS * DAY
        assert list(schedule.shifts(weekly, start, instant + DAYS * DAY)) == [
            (start, AGENTS[(weeks - 1) % 7]),
            (instant, AGENTS[weeks % 7]),
        ], (change, at)


def check_layer_of_days(change: Change) -> None:
    """A layer of the day of a change has it from its hand-over to the next day's, as long as that day is."""
    middle = (change.at + change.after).date()
    for at in times(change):
        first, last = oracle(change, middle, at), oracle(change, middle + DAY, at)
        over = Layer(("z",), "daily", date(2019, 1, 7), None, at, frozenset({middle.weekday()}))
        both = Schedule("s", change.zone, (*rota(change, at).layers, over))
        around = schedule.turns(both, first - DAY, last + DAY)
        assert [(each.start, each.end) for each in around if each.duty.agent == "z"] == [(first, last)]


def sampled() -> list[Change]:
    return [each for name in SAMPLED for each in every_change([name])[:4]]


def test_no_shift_is_lost_doubled_or_shifted_by_a_change_of_clocks() -> None:
    """The first changes of clocks in zones of every kind."""
    assert sum(check_shifts(each) for each in sampled()) > 1_000


def test_layers_of_weeks_and_days_keep_to_the_wall_clock() -> None:
    """The same for weekly rotas and for layers of single days."""
    for each in sampled():
        check_weekly(each)
        check_layer_of_days(each)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_shift_of_any_zone_is_lost_doubled_or_shifted_from_2020_to_2040() -> None:
    """Every change of clocks of every zone that Python knows."""
    every = every_change(transitions.distinct())
    assert len(every) > 1_400
    for each in every:
        check_shifts(each)
        check_weekly(each)
        check_layer_of_days(each)


def test_clocks_that_go_back_over_midnight_take_nobody_s_shift_away() -> None:
    """Where the clocks go from one o'clock back to midnight, or from midnight back to eleven, one hand-over is one."""
    for name in ("America/Havana", "Asia/Beirut"):
        change = next(each for each in transitions.changes(name) if not each.is_forward)
        for at in (time(0), time(23, 30)):
            daily = rota(change, at)
            agents = [
                schedule.on_call(daily, change.at + step * timedelta(minutes=10)) for step in range(-60, 60)
            ]
            assert sum(one != other for one, other in itertools.pairwise(agents)) == 1


def test_clocks_that_go_back_over_midnight_do_not_undo_its_hand_over() -> None:
    """In St. John's of 2010 they went from a minute past midnight to a minute past eleven of the day before."""
    midnight = Schedule(
        "s", "America/St_Johns", (Layer(("a", "b"), "daily", date(2010, 11, 1), None, time(0)),)
    )
    change = datetime(2010, 11, 7, 2, 31, tzinfo=UTC)
    minutes = [change + step * timedelta(minutes=1) for step in (-2, -1, 0, 30, 60)]
    assert [schedule.on_call(midnight, each) for each in minutes] == ["b", "a", "a", "a", "a"]
