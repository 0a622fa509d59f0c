"""Open time, held against an oracle that walks a year minute by minute; test_routing_calendar_zones.py has the zones."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from routing.calendar import Calendar, CalendarText, NeverOpen, public_holidays
from routing.calendar_text import slot_from
from tests.rows import every_row

MINUTE = timedelta(minutes=1)


def calendar(timezone: str, week: str, **more: object) -> Calendar:
    """week: seven entries from Monday, slots joined by +, - for closed."""
    days = tuple(
        () if day == "-" else tuple(slot for text in day.split("+") if (slot := slot_from(text)))
        for day in week.split()
    )
    return Calendar(CalendarText("test", timezone, days * (7 // len(days)), **more))  # type: ignore[arg-type]


OFFICE = "08:00-12:00+12:30-18:00 " * 5 + "- -"
CALENDARS = {
    "warsaw": ("Europe/Warsaw", OFFICE),
    "warsaw night": ("Europe/Warsaw", "22:00-06:00 " * 5 + "01:30-02:30 02:15-03:30"),
    "new york": ("America/New_York", "01:30-02:30+20:00-24:00 " * 7),
    "lord howe (half an hour of summer)": ("Australia/Lord_Howe", "01:00-02:00 " * 6 + "01:45-02:15"),
    "havana (changes at midnight)": ("America/Havana", "00:00-00:30+23:00-24:00 " * 7),
    "chatham": ("Pacific/Chatham", "02:00-04:00+23:30-03:10 " * 7),
    "always": ("Europe/Athens", "00:00-24:00"),
}
START = datetime(2025, 12, 28, tzinfo=UTC)
MINUTES = 370 * 1440


@cache
def minutes(name: str) -> tuple[bytearray, tuple[int, ...]]:
    """Per minute of a year and some: open or not; and how many open minutes lie before each.

    A slot opens at the first minute whose wall clock has reached its start, and closes at the last minute whose wall
    clock shows its end, or the first beyond it when none does.
    """
    timezone, week = CALENDARS[name]
    book, zone = calendar(timezone, week), ZoneInfo(timezone)
    wall: list[int] = []  # what the wall clock shows, in minutes since the first midnight
    for n in range(0, MINUTES, 30):  # no zone here changes within half an hour
        offset = (START + MINUTE * n).astimezone(zone).utcoffset()
        assert offset is not None
        shown = n + offset // MINUTE
        wall.extend(range(shown, shown + 30))
    last_showing = {at: n for n, at in enumerate(wall)}
    first_reaching: dict[int, int] = {}
    reached = wall[0]
    for n, at in enumerate(wall):
        while reached <= at:
            first_reaching[reached] = n
            reached += 1
    is_open = bytearray(MINUTES)
    for day in range(MINUTES // 1440 - 2):
        for begin, end in book.text.week[(START.weekday() + day) % 7]:
            opens, closes = day * 1440 + begin // 60, day * 1440 + end // 60
            if opens in first_reaching:
                stop = last_showing.get(closes, first_reaching[closes])
                is_open[first_reaching[opens] : stop] = bytes([1]) * (stop - first_reaching[opens])
    return is_open, tuple(accumulate(is_open, initial=0))


# The minutes within two days of a change of clocks, where arithmetic goes wrong, and any other.
NAMES = st.sampled_from(sorted(CALENDARS))
CHANGES = [
    datetime(2026, m, d, tzinfo=UTC)
    for m, d in ((3, 8), (3, 29), (4, 5), (9, 27), (10, 4), (10, 25), (11, 1))
]
NEAR = st.builds(
    lambda change, offset: int((change - START).total_seconds()) // 60 + offset,
    st.sampled_from(CHANGES),
    st.integers(-2880, 2880),
)
INSTANTS = st.one_of(NEAR, st.integers(3 * 1440, 340 * 1440))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(NAMES, INSTANTS)
def test_it_is_open_when_the_wall_clock_says_so(name: str, minute: int) -> None:
    is_open, _ = minutes(name)
    assert calendar(*CALENDARS[name]).is_open(START + MINUTE * minute) == bool(is_open[minute])


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(NAMES, INSTANTS, st.integers(0, 6 * 1440))
def test_open_time_between_two_instants_is_the_count_of_open_minutes(
    name: str, minute: int, more: int
) -> None:
    _, before = minutes(name)
    low, high = START + MINUTE * minute, START + MINUTE * (minute + more)
    assert calendar(*CALENDARS[name]).open_between(low, high) == 60 * (before[minute + more] - before[minute])


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(NAMES, INSTANTS, st.integers(1, 900))
def test_adding_open_time_ends_with_the_minute_that_uses_it_up(name: str, minute: int, length: int) -> None:
    _, before = minutes(name)
    last = minute
    while before[last] - before[minute] < length:
        last += 1
    due = calendar(*CALENDARS[name]).add(START + MINUTE * minute, length * 60)
    assert due == START + MINUTE * last


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(NAMES, INSTANTS)
def test_the_next_opening_is_the_next_open_minute(name: str, minute: int) -> None:
    is_open, _ = minutes(name)
    expected = START + MINUTE * is_open.index(1, minute)
    assert calendar(*CALENDARS[name]).next_open(START + MINUTE * minute) == expected


@settings(max_examples=60, deadline=None)
@given(NAMES, INSTANTS, st.integers(1, 10**10))
def test_open_time_is_exact_to_the_microsecond(name: str, minute: int, microseconds: int) -> None:
    book, at = calendar(*CALENDARS[name]), START + MINUTE * minute
    assert round(book.open_between(at, book.add(at, microseconds / 1e6)) * 1e6) == microseconds


WARSAW = ZoneInfo("Europe/Warsaw")


def warsaw(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW)


@every_row(
    ("start", "days", "due"),
    [
        ("2026-11-02 10:00", 3, "2026-11-05 10:00"),
        ("2026-11-05 10:00", 3, "2026-11-10 10:00"),  # over a weekend
        ("2026-11-10 17:30", 1, "2026-11-12 17:30"),  # over a holiday
        ("2026-11-07 10:00", 1, "2026-11-10 08:00"),  # Saturday: counts from Monday's opening
        ("2026-11-02 20:00", 1, "2026-11-04 08:00"),  # after closing: counts from the next morning
        ("2026-11-02 12:10", 1, "2026-11-03 12:30"),  # closed at noon on the last day: the next opening
        ("2026-10-23 09:15", 1, "2026-10-26 09:15"),  # the clocks change between
    ],
)
def test_a_working_day_is_the_same_time_on_the_next_open_day(start: str, days: int, due: str) -> None:
    office = calendar("Europe/Warsaw", OFFICE, holidays=("PL",))
    start_at = warsaw(start)
    if start.endswith("12:10"):
        start_at = warsaw("2026-11-02 12:30")  # created in closed time: counts from the opening after lunch
    assert office.add_working_days(start_at, days) == warsaw(due)


def test_a_working_day_of_a_night_shift_ends_in_the_next_one() -> None:
    nights = calendar("Europe/Warsaw", "22:00-06:00 " * 5 + "- -")
    assert nights.add_working_days(warsaw("2026-11-07 02:00"), 1) == warsaw("2026-11-10 02:00")


def walked(book: Calendar, local: datetime, days: int) -> datetime | None:
    """The same wall-clock time so many open days on, found by walking over dates; None when local is in no slot."""
    for back in (timedelta(0), timedelta(days=1)):
        midnight = datetime.combine(local.date() - back, time())
        since_s = (local - midnight).total_seconds()
        if any(begin <= since_s < end for begin, end in book.slots_on(midnight.date())):
            break
    else:
        return None
    for _ in range(days):
        midnight += timedelta(days=1)
        while not book.slots_on(midnight.date()):
            midnight += timedelta(days=1)
    return midnight + timedelta(seconds=since_s)


def is_plain(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the wall clock shows a time exactly once."""
    shown = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return shown[0] == shown[1] and shown[0].astimezone(zone).replace(tzinfo=None) == local


@settings(max_examples=100, deadline=None)
@given(NAMES, INSTANTS, st.integers(1, 6))
def test_working_days_keep_the_time_of_day_and_count_open_days(name: str, minute: int, days: int) -> None:
    """Times that occur twice or never, and the ends of slots, have cases of their own."""
    timezone, week = CALENDARS[name]
    book, zone = calendar(timezone, week, holidays=("PL",)), ZoneInfo(timezone)
    local = book.next_open(START + MINUTE * minute).astimezone(zone).replace(tzinfo=None)
    moved = walked(book, local, days)
    assume(moved is not None)
    assert moved is not None
    assume(is_plain(local, zone) and is_plain(moved, zone))
    due = moved.replace(tzinfo=zone).astimezone(UTC)
    assume(book.is_open(due) or not book.is_open(due - MINUTE))
    assert book.add_working_days(START + MINUTE * minute, days) == book.next_open(due)


@pytest.mark.parametrize(
    "first", ["2026-11-04", "2026-11-05", "2026-11-08"]
)  # weeks are cut on Thursday at 00:00 UTC
def test_a_working_day_that_runs_out_at_the_end_of_a_slot_is_due_then(first: str) -> None:
    """One day is open round the clock, the next from nine: midnight between them is the end of the first."""
    start = datetime.fromisoformat(first).replace(tzinfo=UTC)
    own = {first: ((0, 86400),)}
    book = calendar("UTC", "09:00-17:00", dates=own)
    assert book.add_working_days(start, 1) == start + timedelta(days=1)


def test_time_that_runs_out_at_the_end_of_a_slot_is_due_then() -> None:
    office = calendar("Europe/Warsaw", OFFICE)
    assert office.add(warsaw("2026-11-02 08:00"), 4 * 3600) == warsaw("2026-11-02 12:00")
    assert office.add(warsaw("2026-11-02 08:00"), 4 * 3600 + 1) == warsaw("2026-11-02 12:30:01")


def test_holidays_have_one_name_in_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of the language of whoever started it."""
    monkeypatch.setenv("LANGUAGE", "pl")
    assert public_holidays.__wrapped__("PL", 2026)[date(2026, 12, 25)] == "Christmas Day"


def test_a_holiday_closes_the_whole_night_that_starts_on_it() -> None:
    nights = calendar("Europe/Warsaw", "22:00-06:00 " * 7, holidays=("PL",))
    assert not nights.is_open(warsaw("2026-11-12 02:00"))
    assert nights.is_open(warsaw("2026-11-11 02:00"))


def test_own_dates_are_stronger_than_holidays_and_weekdays() -> None:
    own = {"2026-11-11": ((36000, 43200),), "2026-11-12": ()}
    office = calendar("Europe/Warsaw", OFFICE, holidays=("PL",), dates=own)
    assert office.is_open(warsaw("2026-11-11 10:30"))
    assert not office.is_open(warsaw("2026-11-12 10:30"))


def test_the_next_closed_days_are_told_with_their_reason() -> None:
    office = calendar("Europe/Warsaw", OFFICE, holidays=("PL",), dates={"2026-11-13": ()})
    found = office.closed_days(datetime(2026, 11, 9, tzinfo=UTC).date(), count=2)
    assert [(day.isoformat(), why == "own date") for day, why in found] == [
        ("2026-11-11", False),
        ("2026-11-13", True),
    ]


def test_a_stored_calendar_comes_back_equal() -> None:
    office = calendar("Europe/Warsaw", OFFICE, holidays=("PL",), dates={"2026-11-13": ()})
    assert Calendar.from_json(office.to_json()) == office


def test_a_calendar_that_never_opens_says_so_and_ends() -> None:
    closed = calendar("UTC", "- - - - - - -")
    with pytest.raises(NeverOpen, match="does not open"):
        closed.add(START, 60)


def test_only_a_calendar_without_a_closed_minute_is_always_open() -> None:
    assert calendar("UTC", "00:00-24:00").is_always_open
    assert calendar("UTC", "00:00-12:00+12:00-24:00").is_always_open
    assert not calendar("UTC", "00:00-23:59").is_always_open
    assert not calendar("UTC", "00:00-24:00", holidays=("PL",)).is_always_open
