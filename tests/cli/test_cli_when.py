"""Moments as people type them at `intake oncall`, read on Tuesday at ten in Warsaw."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from intake import cli, when_text
from tests.rows import every_row

WARSAW = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)


@every_row(
    ("written", "meant"),
    [
        ("2026-11-28T09:00", "2026-11-28T09:00+01:00"),
        ("2026-11-28 09:00", "2026-11-28T09:00+01:00"),
        ("Sat 2026-11-28 09:00", "2026-11-28T09:00+01:00"),  # as it is shown
        ("2026-11-28T09:00Z", "2026-11-28T10:00+01:00"),
        ("2026-11-28T09:00-05:00", "2026-11-28T15:00+01:00"),
        ("2026-11-01T09:00", "2026-11-01T09:00+01:00"),  # what is past is a moment, too
        ("18:00", "2026-11-10T18:00+01:00"),
        ("09:00", "2026-11-11T09:00+01:00"),  # today's is past
        ("10:00", "2026-11-11T10:00+01:00"),
        ("sat 09:00", "2026-11-14T09:00+01:00"),
        ("tue 09:00", "2026-11-17T09:00+01:00"),
        ("tue 11:00", "2026-11-10T11:00+01:00"),
        ("+4h", "2026-11-10T14:00+01:00"),
        ("+2d", "2026-11-12T10:00+01:00"),
        ("tomorrow 9:00", "2026-11-11T09:00+01:00"),
        ("in 2h", "2026-11-10T12:00+01:00"),
        ("2027-03-28T02:30", "2027-03-28T03:00+02:00"),  # there is none: the next instant
    ],
)
def test_a_moment_is_read_in_the_zone_of_the_schedule(written: str, meant: str) -> None:
    assert when_text.read(written, zone=WARSAW, now=NOW) == datetime.fromisoformat(meant)


@every_row("written", ["soon", "25:00", "2026-13-01T09:00", "+4x", "mon-fri 09:00", ""])
def test_what_is_no_moment_is_said_with_how_to_write_one(written: str) -> None:
    with pytest.raises(cli.WrongInput, match="write it like"):
        when_text.read(written, zone=WARSAW, now=NOW)


@every_row(("written", "hours"), [("90m", 1.5), ("4h", 4), ("2d", 48), ("1w", 168)])
def test_a_length_of_time_is_read(written: str, hours: float) -> None:
    assert when_text.length(written) == timedelta(hours=hours)
