"""Whatever layers and overrides there are, the pieces of a schedule say the same as asking instant by instant."""

import itertools
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import schedule
from routing.schedule import Layer, Override, Schedule, Why

FIRST = datetime(2026, 3, 20, tzinfo=UTC)  # ten days before and after Europe's change of clocks
HOURS = 24 * 20
ZONES = ("Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "UTC")

WHYS: tuple[Why, ...] = ("override", "taken", "swapped")

names = st.lists(st.sampled_from("abcd"), min_size=1, max_size=4).map(tuple)
weekdays = st.none() | st.frozensets(st.integers(0, 6), min_size=1)
layers = st.builds(
    Layer,
    names,
    st.sampled_from(["daily", "weekly"]),
    st.dates(date(2026, 3, 1), date(2026, 4, 5)),
    st.none(),
    st.times(time(0), time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0)),
    weekdays,
)


def instants(hours: float) -> datetime:
    return FIRST + timedelta(hours=hours)


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    start = draw(st.integers(0, HOURS - 2))
    end = draw(st.integers(start + 1, HOURS))
    why = draw(st.sampled_from(WHYS))
    return Override(
        instants(start), instants(end), draw(st.sampled_from("wxyz")), why, draw(st.sampled_from("ab"))
    )


schedules = st.builds(
    Schedule,
    st.just("s"),
    st.sampled_from(ZONES),
    st.lists(layers, min_size=1, max_size=3).map(tuple),
    st.lists(overrides(), max_size=4).map(tuple),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(schedules, st.integers(0, HOURS - 48), st.integers(1, 48))
def test_pieces_are_whole_and_say_what_each_instant_says(rota: Schedule, begin: int, length: int) -> None:
    start, end = instants(begin), instants(begin + length)
    pieces = list(schedule.hours(rota, start, end))
    assert (pieces[0].start, pieces[-1].end) == (start, end)
    assert all(one.end == other.start and one.duty != other.duty for one, other in itertools.pairwise(pieces))
    for minute in range(0, length * 60, 7):
        at = start + timedelta(minutes=minute)
        (piece,) = [each for each in pieces if each.end is not None and each.start <= at < each.end]
        assert piece.duty == schedule.duty(rota, at)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(schedules, st.integers(0, HOURS - 48))
def test_since_when_and_until_when_are_the_borders_of_a_turn(rota: Schedule, begin: int) -> None:
    """Just before it was somebody else, and from the next hand-over on it is; in between it is one and the same."""
    at = instants(begin)
    who, since, until = (
        schedule.on_call(rota, at),
        schedule.on_call_since(rota, at),
        schedule.next_handover(rota, at),
    )
    if since is not None:
        assert since <= at
        assert schedule.on_call(rota, since - timedelta(microseconds=1)) != who
        turn = next(iter(schedule.turns(rota, since, at + timedelta(seconds=1))))
        assert (turn.duty.agent, turn.end) == (who, at + timedelta(seconds=1))
    if until is not None:
        assert (
            schedule.on_call(rota, until) != who == schedule.on_call(rota, until - timedelta(microseconds=1))
        )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(schedules, st.integers(0, HOURS - 48), st.integers(1, 48))
def test_gaps_are_where_nobody_is(rota: Schedule, begin: int, length: int) -> None:
    start, end = instants(begin), instants(begin + length)
    gaps = schedule.gaps(rota, start, end)
    for minute in range(0, length * 60, 7):
        at = start + timedelta(minutes=minute)
        is_gap = any(each.end is not None and each.start <= at < each.end for each in gaps)
        assert is_gap == (schedule.on_call(rota, at) is None)
