"""Open time at every change of clocks of every zone 2020-2040, held against a walk over the minutes around it."""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest

from routing import ical
from routing.calendar import Calendar, CalendarText
from tests.routing import transitions
from tests.routing.clock_walker import MINUTE, Walked
from tests.routing.transitions import Change

DAYS = 9  # walked around each change
Slots = tuple[tuple[int, int], ...]
OFFICE: Slots = ((9 * 3600, 12 * 3600 + 1800), (13 * 3600, 17 * 3600))
STAMP = "%Y%m%dT%H%M%SZ"
NIGHT: Slots = ((22 * 3600, 30 * 3600),)


def slots_near(change: Change, pick: random.Random) -> Slots:
    """Opening hours of a day of which one begins or ends near the hour that is jumped over or occurs twice."""
    begin, end = (moment.hour * 60 + moment.minute for moment in change.gap_or_fold)
    end += 1440 if end < begin else 0
    length = end - begin
    inside = begin + length // 3, begin + 2 * length // 3
    kinds = (
        (begin - 45, begin + length // 2),
        (begin + length // 2, end + 45),
        (begin - 90, end + 90),
        (begin, end),
        inside,
        (begin - pick.randint(1, 200), begin + pick.randint(1, 200)),
        (begin - 600, begin + 10),
    )
    low, high = pick.choice(kinds)
    low, high = low % 1440, low % 1440 + max(1, high - low)
    spans = [(low, high)]
    if pick.random() < 0.4:  # a second one the same day, often just after the first
        again = high + pick.choice((0, 1, 15, 90))
        if again < 1440:
            spans.append((again, again + pick.randint(1, 300)))
    return tuple((first * 60, min(last, first + 1440) * 60) for first, last in spans)


def week_near(change: Change, pick: random.Random) -> tuple[Slots, ...]:
    on = {(change.gap_or_fold[0] + timedelta(days=each)).weekday() for each in (-1, 0)}
    others: tuple[Slots, ...] = (OFFICE, NIGHT, (), ((0, 86400),), slots_near(change, pick))
    return tuple(slots_near(change, pick) if day in on else pick.choice(others) for day in range(7))


def differing(change: Change, *, looks: int, kind: int = 0) -> list[str]:
    """What a calendar says otherwise than the walk. looks: how many instants are asked about. kind: another calendar each."""
    pick = random.Random(f"{change.zone} {change.at} {kind}")
    start = change.at.replace(hour=0, minute=0, second=0) - timedelta(days=4)
    book, walked = made(change, start, pick)
    found = []
    middle = (change.at - start) // MINUTE
    for _ in range(looks):
        minute = min(max(1440 * 2, middle + int(pick.gauss(0, 300))), walked.count - 1440 * 3)
        length, days = pick.choice((1, 30, 240, 480, pick.randint(1, 2000))), pick.choice((1, 1, 2))
        for what, ours, theirs in compared(book, walked, minute, length, days):
            if ours != theirs:
                found.append(f"{change} {what}: {ours}, walked {theirs}, {book}")
    return found


def made(change: Change, start: datetime, pick: random.Random) -> tuple[Calendar, Walked]:
    """A calendar and its walk. Every other one has closed hours, as a file has them, and some a closed and an own day."""
    week = week_near(change, pick)
    middle = (change.at - start) // MINUTE
    begins = [middle + int(pick.gauss(0, 200)) for _ in range(pick.choice((0, 0, 1, 3)))]
    spans = [(each, each + pick.randint(1, 200)) for each in begins]
    around = [(change.gap_or_fold[0] + timedelta(days=each)).date() for each in range(-2, 4)]
    closed_dates = pick.sample(around, pick.choice((0, 0, 1)))
    own = {day: slots_near(change, pick) for day in pick.sample(around, pick.choice((0, 0, 1, 2)))}
    lines = [
        f"DTSTART:{start + MINUTE * low:{STAMP}}\nDTEND:{start + MINUTE * high:{STAMP}}"
        for low, high in spans
    ]
    lines += [f"DTSTART:{day:%Y%m%d}" for day in closed_dates]
    events = "".join(f"BEGIN:VEVENT\n{each}\nEND:VEVENT\n" for each in lines)
    closings = ical.read(f"BEGIN:VCALENDAR\n{events}END:VCALENDAR", file="x").closings
    dates = {day.isoformat(): slots for day, slots in own.items()}
    book = Calendar(CalendarText("x", change.zone, week, dates=dates, closings=closings))
    walked = Walked(change.zone, start, DAYS, week=week, own=own, closed_dates=closed_dates, closed=spans)
    return book, walked


def compared(
    book: Calendar, walked: Walked, minute: int, length: int, days: int
) -> Iterable[tuple[str, object, object]]:
    at = walked.at(minute)
    yield f"is_open {at}", book.is_open(at), bool(walked.is_open[minute])
    later = min(minute + length, walked.count - 1440 * 2)
    between = 60.0 * (walked.before[later] - walked.before[minute])
    yield f"open_between {at} +{later - minute}", book.open_between(at, walked.at(later)), between
    # only what is certain within the days walked: the last two of them have slots that nobody looked at
    for what, due in (
        (f"next_open {at}", walked.next_open(minute)),
        (f"add {at} {length}", walked.add(minute, length)),
        (f"working days {at} {days}", walked.add_working_days(minute, days)),
    ):
        if due is None or due > walked.count - 1440 * 3:
            continue
        ours = {
            "next_open": lambda: book.next_open(at),
            "add": lambda: book.add(at, length * 60),
            "working": lambda: book.add_working_days(at, days),
        }[what.split()[0]]()
        yield what, ours.astimezone(UTC), walked.at(due)


def all_changes() -> list[Change]:
    """Every change of every behaviour: zones whose clocks do the same in these years are one."""
    return [change for name in transitions.distinct() for change in transitions.changes(name)]


ODD = {
    "Australia/Lord_Howe": "half an hour",
    "Antarctica/Troll": "two hours",
    "Africa/Casablanca": "back for Ramadan",
    "Africa/Cairo": "at midnight",
    "America/Nuuk": "at other hours from 2023 on, on a Saturday evening",
    "Asia/Tehran": "at midnight, until 2022",
    "Pacific/Chatham": "at a quarter to",
    "America/Havana": "at midnight",
    "Asia/Beirut": "at midnight",
    "Europe/Warsaw": "like most",
    "America/Santiago": "at midnight, the south",
    "Asia/Gaza": "often",
    "Antarctica/Casey": "a minute after midnight, by three hours",
}


@pytest.mark.parametrize("zone", ODD)
def test_open_time_is_right_around_a_change_of_clocks(zone: str) -> None:
    """The zones that do it otherwise, and some that do not; four changes of each."""
    changes = transitions.changes(zone, datetime(2021, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
    assert len(changes) >= 2
    kinds = range(2)
    assert [
        text for kind in kinds for each in changes[:4] for text in differing(each, looks=30, kind=kind)
    ] == []


LONG_AGO = (
    ("Pacific/Apia", date(2011, 12, 29), timedelta(hours=24)),  # 30 December never was
    ("Pacific/Kwajalein", date(1993, 8, 20), timedelta(hours=24)),
    ("America/Caracas", date(2007, 12, 8), timedelta(minutes=-30)),
    ("Asia/Pyongyang", date(2018, 5, 3), timedelta(minutes=30)),
    ("Europe/London", date(1941, 5, 3), timedelta(hours=1)),  # double summer time
    ("Antarctica/Troll", date(2011, 3, 26), timedelta(hours=2)),
)


@pytest.mark.parametrize(("zone", "day", "shift"), LONG_AGO, ids=[each[0] for each in LONG_AGO])
def test_open_time_is_right_where_whole_days_are_missing(zone: str, day: date, shift: timedelta) -> None:
    first = datetime(day.year, day.month, day.day, tzinfo=UTC)
    changes = transitions.changes(zone, first, first + timedelta(days=3))
    assert [change.after - change.before for change in changes] == [shift]
    assert [text for change in changes for text in differing(change, looks=120)] == []


def test_the_changes_are_all_there() -> None:
    """The clocks of Warsaw change twice a year, those of Casablanca for each Ramadan, those of Kolkata never."""
    assert [len(transitions.changes(each)) for each in ("Europe/Warsaw", "Asia/Kolkata")] == [42, 0]
    assert [change.at.isoformat() for change in transitions.changes("Europe/Warsaw")[12:14]] == [
        "2026-03-29T01:00:00+00:00",
        "2026-10-25T01:00:00+00:00",
    ]
    morocco = [change for change in transitions.changes("Africa/Casablanca") if change.at.year == 2026]
    assert [change.is_forward for change in morocco] == [False, True]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [0, 1])
def test_open_time_is_right_at_every_change_of_clocks_of_every_zone_2020_to_2040(kind: int) -> None:
    changes = all_changes()
    named = sum(map(len, transitions.behaviours().values()))
    assert (named, len(changes) > 1_000) == (len(transitions.zones()), True)
    assert [text for each in changes for text in differing(each, looks=15, kind=kind)][:20] == []
