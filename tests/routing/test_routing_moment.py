"""Moments as people write them. Every instant here was read off a calendar: it is Tuesday 24 November 2026, 10:02 in Warsaw."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from routing import moment_text
from routing.folding import fold
from routing.moment_text import NoMoment, moment_from
from tests.rows import every_row

WARSAW = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 11, 24, 10, 2, tzinfo=WARSAW)


def read(text: str, *, now: datetime = NOW) -> str:
    return moment_from(text, now=now, zone=WARSAW).astimezone(WARSAW).strftime("%Y-%m-%d %H:%M")


@every_row(
    ("text", "moment"),
    [
        ("2026-11-26 15:00", "2026-11-26 15:00"), ("2026-11-26, 15:00", "2026-11-26 15:00"),
        ("2026-11-26T15:00+01:00", "2026-11-26 15:00"), ("2026-11-26T14:00Z", "2026-11-26 15:00"),
        ("2026-11-26T09:00-05:00", "2026-11-26 15:00"), ("2026-11-26 15:00:00", "2026-11-26 15:00"),
        ("26.11. 15:00", "2026-11-26 15:00"), ("26.11.2026 15:00", "2026-11-26 15:00"),
        ("26 November 15:00", "2026-11-26 15:00"), ("1.3. 10:00", "2027-03-01 10:00"),
        ("thu 15:00", "2026-11-26 15:00"), ("Thursday, 15:00", "2026-11-26 15:00"),
        ("on thursday at 3pm", "2026-11-26 15:00"), ("mon 9:00", "2026-11-30 09:00"),
        ("tue 11:00", "2026-11-24 11:00"), ("tomorrow 9:00", "2026-11-25 09:00"),
        ("tomorrow noon", "2026-11-25 12:00"), ("today at 17.30", "2026-11-24 17:30"),
        ("15:00", "2026-11-24 15:00"), ("at 3:15 pm", "2026-11-24 15:15"),
        ("in 2h", "2026-11-24 12:02"), ("in 2h30m", "2026-11-24 12:32"), ("in an hour", "2026-11-24 11:02"),
        ("in 20 minutes", "2026-11-24 10:22"), ("+3d", "2026-11-27 10:02"), ("in 3 days", "2026-11-27 10:02"),
        ("in 1 day and 2 hours", "2026-11-25 12:02"), ("in 2 weeks", "2026-12-08 10:02"),
        ("Czwartek o 15:00", "2026-11-26 15:00"), ("jeudi à 15h", "2026-11-26 15:00"),
        ("jueves a las 15:00", "2026-11-26 15:00"), ("Donnerstag um 15 Uhr", "2026-11-26 15:00"),
        ("mañana 9:00", "2026-11-25 09:00"), ("αύριο 9:00", "2026-11-25 09:00"),
        ("zítra 9:00", "2026-11-25 09:00"), ("木曜日 15:00", "2026-11-26 15:00"),
        ("пʼятниця 15:00", "2026-11-27 15:00"), ("Çarşamba 15:00", "2026-11-25 15:00"),
    ],
)  # fmt: skip
def test_a_moment_is_read_as_it_is_written(text: str, moment: str) -> None:
    assert read(text) == moment


@every_row(
    ("text", "said"),
    [
        ("9:00", "is past"), ("tue 9:00", "is past"), ("2026-11-23 15:00", "is past"),
        ("thursday", "no time of day"), ("2026-11-26", "no time of day"), ("thursday 9", "no time of day"),
        ("2026-02-30 15:00", "a day that there is not"), ("2026-11-26 25:00", "no time of day"),
        ("2030-01-01 10:00", "more than two years"), ("soon", "names no moment"), ("9", "names no moment"),
        ("", "no moment is named"), ("in a while", "names no moment"), ("24:00", "names no moment"),
    ],
)  # fmt: skip
def test_what_names_no_moment_to_come_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(NoMoment, match=said) as refused:
        read(text)
    assert "\n" not in str(refused.value)


def test_days_ahead_keep_the_time_of_day_over_a_change_of_clocks() -> None:
    """+3d over the last Sunday of March is 71 hours."""
    before = datetime(2027, 3, 26, 10, 0, tzinfo=WARSAW)
    assert read("+3d", now=before) == "2027-03-29 10:00"
    assert moment_from("+72h", now=before, zone=WARSAW) == datetime(2027, 3, 29, 9, 0, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_is_the_next_one_there_is() -> None:
    assert read("2027-03-28 02:30") == "2027-03-28 03:00"


def test_a_time_that_occurs_twice_is_the_first() -> None:
    assert moment_from("2027-10-31 02:30", now=NOW, zone=WARSAW) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_no_word_names_two_weekdays() -> None:
    """Short forms of fifteen languages stand in one table."""
    days: dict[str, set[int]] = {}
    for number, line in enumerate(moment_text._DAYS):
        for word in line.split():
            days.setdefault(fold(word).strip(), set()).add(number)
    assert [word for word, found in days.items() if len(found) > 1] == []
