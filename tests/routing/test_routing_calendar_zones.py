"""Open time at every change of clocks of every zone 2020-2040, held against a walk over the minutes around it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.routing import transitions
from tests.routing.zone_walk import all_changes, differing
from tests.rows import every_row

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


@pytest.mark.slow
@every_row("zone", ODD)
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


@every_row(("zone", "day", "shift"), LONG_AGO, ids=[each[0] for each in LONG_AGO])
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
def test_open_time_is_right_at_every_change_of_clocks_of_every_zone_2020_to_2040() -> None:
    """Of zones whose clocks do the same, one is looked at; zone_walk.py does all."""
    changes = all_changes()
    named = sum(map(len, transitions.behaviours().values()))
    assert (named, len(changes) > 1_000) == (len(transitions.zones()), True)
    assert [text for each in changes for text in differing(each, looks=12)][:20] == []
