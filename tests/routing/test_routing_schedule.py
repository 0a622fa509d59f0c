"""Who is on call: turns, layers and hand-overs on the wall clock, worked out by hand."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from routing import schedule
from routing.schedule import Layer, Schedule
from tests.rows import every_row

MON, SAT, SUN = 0, 5, 6
NINE = time(9)
WEEKLY = Layer(("nikos", "rui"), "weekly", date(2026, 11, 2), MON, NINE)
WEEKEND = Layer(("rui", "nikos"), "weekly", date(2026, 11, 7), SAT, NINE, frozenset({SAT, SUN}))
PLATFORM = Schedule("platform-247", "Europe/Warsaw", (WEEKLY, WEEKEND))


def at(text: str, zone: str = "Europe/Warsaw") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@every_row(
    ("when", "agent"),
    [
        ("2026-11-01 12:00", None),  # before the first hand-over
        ("2026-11-02 08:59", None),
        ("2026-11-02 09:00", "nikos"),
        ("2026-11-07 08:59", "nikos"),  # Saturday begins with its hand-over
        ("2026-11-07 09:00", "rui"),  # the weekend layer wins
        ("2026-11-08 23:00", "rui"),
        ("2026-11-09 08:59", "rui"),  # Sunday ends on Monday at nine
        ("2026-11-09 09:00", "rui"),  # and the second week is rui's
        ("2026-11-14 09:00", "nikos"),
        ("2026-11-16 09:00", "nikos"),
        ("2027-03-27 10:00", "rui"),  # the 21st Saturday: even turns are rui's
        ("2027-03-29 09:00", "rui"),  # the 22nd Monday, an odd turn, after the clocks have changed
    ],
)
def test_a_later_layer_wins_where_it_is_active(when: str, agent: str | None) -> None:
    assert schedule.on_call(PLATFORM, at(when)) == agent


def rota(*agents: str, start: str = "2026-11-02", **more: object) -> Schedule:
    values = {
        "rotate": "daily",
        "start": date.fromisoformat(start),
        "handover_day": None,
        "handover_at": NINE,
    } | more
    return Schedule("s", str(values.pop("zone", "Europe/Warsaw")), (Layer(agents, **values),))  # type: ignore[arg-type]


@every_row(
    ("when", "agent"),
    [
        ("2026-11-02 09:00", "a"), ("2026-11-03 08:59", "a"), ("2026-11-03 09:00", "b"), ("2026-11-04 09:00", "c"),
        ("2026-11-05 09:00", "a"),
    ],
)  # fmt: skip
def test_a_daily_rota_hands_over_every_day(when: str, agent: str) -> None:
    assert schedule.on_call(rota("a", "b", "c"), at(when)) == agent


@every_row(
    ("when", "agent"),
    [
        ("2026-11-06 10:00", "b"),  # Friday is the fifth turn
        ("2026-11-07 08:59", "b"),  # and lasts until Saturday's hand-over time
        ("2026-11-07 09:00", None),
        ("2026-11-09 08:59", None),
        ("2026-11-09 09:00", "c"),  # nobody loses a turn at the weekend
    ],
)
def test_a_daily_rota_of_weekdays_hands_over_on_those_only(when: str, agent: str | None) -> None:
    weekdays = rota("a", "b", "c", days=frozenset(range(5)))
    assert schedule.on_call(weekdays, at(when)) == agent


def test_a_weekly_rota_begins_with_the_first_hand_over_after_its_date() -> None:
    late = rota("a", "b", rotate="weekly", handover_day=MON, start="2026-11-04")
    assert schedule.on_call(late, at("2026-11-09 08:59")) is None
    assert schedule.on_call(late, at("2026-11-09 09:00")) == "a"


def test_a_weekly_rota_without_a_weekday_hands_over_on_that_of_its_date() -> None:
    weekly = rota("a", "b", rotate="weekly", start="2026-11-04")
    assert schedule.on_call(weekly, at("2026-11-11 08:59")) == "a"
    assert schedule.on_call(weekly, at("2026-11-11 09:00")) == "b"


@every_row(
    ("zone", "handover", "last", "first"),
    [
        (
            "Europe/Warsaw",
            "09:00",
            "2026-10-25T07:59+00:00",
            "2026-10-25T08:00+00:00",
        ),  # 25 hours after the last
        (
            "Europe/Warsaw",
            "02:30",
            "2026-10-25T00:29+00:00",
            "2026-10-25T00:30+00:00",
        ),  # half past two, the first one
        (
            "Europe/Warsaw",
            "02:30",
            "2026-03-29T00:59+00:00",
            "2026-03-29T01:00+00:00",
        ),  # there is none: at three
        ("America/New_York", "01:30", "2026-11-01T05:29+00:00", "2026-11-01T05:30+00:00"),
        (
            "Australia/Lord_Howe",
            "02:15",
            "2026-10-03T15:29+00:00",
            "2026-10-03T15:30+00:00",
        ),  # half an hour is missing
    ],
)
def test_a_hand_over_is_on_the_wall_clock_through_changes_of_clocks(
    zone: str, handover: str, last: str, first: str
) -> None:
    daily = rota("a", "b", start="2026-01-01", zone=zone, handover_at=time.fromisoformat(handover))
    before, after = datetime.fromisoformat(last), datetime.fromisoformat(first)
    assert schedule.on_call(daily, before) != schedule.on_call(daily, after)
    assert schedule.next_handover(daily, before) == after


@every_row(
    ("after", "following"),
    [
        ("2026-11-01 00:00", "2026-11-02 09:00"),
        ("2026-11-02 09:00", "2026-11-07 09:00"),  # to the weekend layer
        ("2026-11-07 09:00", "2026-11-14 09:00"),  # Monday's hand-over leaves it with rui
        ("2026-10-01 00:00", "2026-11-02 09:00"),
    ],
)
def test_the_next_hand_over_is_when_somebody_else_has_it(after: str, following: str) -> None:
    assert schedule.next_handover(PLATFORM, at(after)) == at(following)


def test_a_rota_of_one_never_hands_over() -> None:
    assert schedule.next_handover(rota("a"), at("2026-11-03 12:00")) is None


def test_a_week_of_shifts_is_told_in_order() -> None:
    told = list(schedule.shifts(PLATFORM, at("2026-11-06 00:00"), at("2026-11-15 00:00")))
    assert told == [
        (at("2026-11-06 00:00"), "nikos"),
        (at("2026-11-07 09:00"), "rui"),
        (at("2026-11-14 09:00"), "nikos"),
    ]


ZONES = st.sampled_from(sorted(zone for zone in available_timezones() if "/" in zone))


@settings(max_examples=40, deadline=None)
@given(ZONES, st.integers(0, 1439), st.integers(0, 700), st.integers(2, 5))
def test_turns_come_in_order_in_every_zone(zone: str, minute: int, day: int, count: int) -> None:
    """At noon of each local day it is the turn that the days since the first say, whatever the clocks do."""
    agents = tuple("abcde"[:count])
    clock = time(minute // 60, minute % 60)
    daily = rota(*agents, start="2025-06-01", zone=zone, handover_at=clock)
    noon = datetime(2025, 6, 2, 12, tzinfo=ZoneInfo(zone)) + timedelta(days=day)
    turns = (noon.date() - date(2025, 6, 1)).days - (clock > time(12))
    assert schedule.on_call(daily, noon.astimezone(UTC)) == agents[turns % count]
