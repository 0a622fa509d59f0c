"""Recurrence rules, held against another program that follows the same standard."""

import datetime as dt
import random
from datetime import date, datetime
from types import SimpleNamespace

import pytest
from dateutil import rrule  # type: ignore[import-untyped]

from routing import ical_rules
from routing.recurrence import Walk, week_number
from tests.rows import every_row

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@pytest.fixture(autouse=True)
def _ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other program walks a rule without any date up to the last year there is, which takes it minutes."""
    monkeypatch.setattr(rrule, "datetime", SimpleNamespace(**{**vars(dt), "MAXYEAR": 2036}))


def written(pick: random.Random) -> str:
    """A rule of any shape that both follow alike: no weekday beside a numbered one, no numbered one in a week."""
    frequency = pick.choice(("YEARLY", "MONTHLY", "WEEKLY", "DAILY"))
    parts = [f"FREQ={frequency}"]
    if pick.random() < 0.4:
        parts.append(f"INTERVAL={pick.randint(1, 5)}")
    if pick.random() < 0.4:
        months = sorted(pick.sample(range(1, 13), pick.randint(1, 4)))
        parts.append("BYMONTH=" + ",".join(map(str, months)))
    if pick.random() < 0.4:
        parts.append(f"BYMONTHDAY={pick.choice((1, 13, 28, 29, 30, 31, -1, -2, -31))},{pick.randint(1, 31)}")
    if pick.random() < 0.5:
        is_numbered = frequency in ("YEARLY", "MONTHLY") and pick.random() < 0.5
        numbers = [pick.choice((1, 2, 3, 4, 5, -1, -2, -5)) if is_numbered else "" for _ in range(2)]
        days = (f"{number}{pick.choice(WEEKDAYS)}" for number in numbers)
        parts.append("BYDAY=" + ",".join(days))
    if pick.random() < 0.1:
        parts.append(f"BYYEARDAY={pick.choice((1, 60, 100, 366, -1, -366))},{pick.randint(1, 366)}")
    if frequency == "YEARLY" and pick.random() < 0.2 and not any(part[:5] == "BYDAY" for part in parts):
        parts.append(f"BYWEEKNO={pick.choice((1, 20, 52, 53, -1))};BYDAY={pick.choice(WEEKDAYS)}")
    if len(parts) > 2 and pick.random() < 0.3:
        parts.append(f"BYSETPOS={pick.choice((1, 2, -1, -2))}")
    if pick.random() < 0.3:
        parts.append(f"WKST={pick.choice(WEEKDAYS)}")
    return ";".join(parts)


def compared(text: str, first: date) -> tuple[list[date], list[date]]:
    """The dates of five years, some time after the first: ours, and theirs."""
    low, high = date(first.year + 2, 1, 1), date(first.year + 7, 1, 1)
    rule = ical_rules.parsed(text).rule
    assert rule is not None
    begin = datetime.combine(first, datetime.min.time())
    other = rrule.rrulestr(text, dtstart=begin)
    theirs = other.between(datetime(low.year, 1, 1), datetime(high.year - 1, 12, 31), inc=True)
    return list(Walk(rule, first).dates(low, high)), [each.date() for each in theirs]


def differing(seeds: range) -> list[tuple[str, date]]:
    found = []
    for seed in seeds:
        pick = random.Random(seed)
        text = written(pick)
        first = date.fromordinal(pick.randint(date(1999, 1, 1).toordinal(), date(2026, 1, 1).toordinal()))
        ours, theirs = compared(text, first)
        if ours != theirs:
            found.append((text, first))
    return found


@pytest.mark.slow
def test_a_rule_gives_the_dates_that_the_standard_does() -> None:
    assert differing(range(80)) == []


@pytest.mark.slow
def test_a_thousand_rules_and_more_give_the_dates_that_the_standard_does() -> None:
    assert differing(range(1_000, 2_100)) == []


@every_row(
    ("text", "first", "dates"),
    [
        ("FREQ=YEARLY", "2020-02-29", ["2020-02-29", "2024-02-29"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2020-11-26", ["2020-11-26", "2021-11-25", "2022-11-24"]),
        ("FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", "2020-05-25", ["2020-05-25", "2021-05-31"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2020-03-13", ["2020-03-13", "2020-11-13", "2021-08-13"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2020-01-31", ["2020-01-31", "2020-02-28"]),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU", "1997-08-05", ["1997-08-05", "1997-08-17", "1997-08-19"]),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU", "1997-08-05", ["1997-08-05", "1997-08-10", "1997-08-19"]),
        ("FREQ=MONTHLY;BYDAY=1MO,FR", "2021-01-01", ["2021-01-01", "2021-01-04", "2021-01-08"]),
        ("FREQ=YEARLY;BYWEEKNO=20", "1997-05-12", ["1997-05-12", "1998-05-11"]),
    ],
)  # fmt: skip
def test_dates_that_calendars_show(text: str, first: str, dates: list[str]) -> None:
    """Leap days, Thanksgiving, the last Monday, Friday the 13th, the last working day; the standard's own examples."""
    rule = ical_rules.parsed(text).rule
    assert rule is not None
    walk = Walk(rule, date.fromisoformat(first)).dates(date.min, date(2030, 1, 1))
    assert [next(walk).isoformat() for _ in dates] == dates


def test_the_first_date_counts_also_where_the_rule_would_not_give_it() -> None:
    rule = ical_rules.parsed("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=6").rule
    assert rule is not None
    walk = Walk(rule, date(2026, 1, 5)).dates(date.min, date(2028, 1, 1))
    assert [each.isoformat() for each in walk] == ["2026-01-05", "2026-01-06", "2027-01-06"]


def test_the_end_of_a_counted_rule_is_found_or_given_up() -> None:
    daily, never = (
        ical_rules.parsed(text).rule for text in ("FREQ=DAILY", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    )
    assert daily is not None and never is not None  # noqa: PT018
    first = date(2026, 1, 1)
    assert Walk(daily, first).nth(1_000, steps=5_000) == date.fromordinal(first.toordinal() + 999)
    assert Walk(daily, first).nth(1_000, steps=500) is None
    assert Walk(never, first).nth(3, steps=1_000_000) == first


@every_row("year", range(2015, 2031))
def test_weeks_that_start_on_monday_are_those_of_iso_8601(year: int) -> None:
    for day in (date(year, 1, each) for each in range(1, 8)):
        assert week_number(day, 0)[0] == day.isocalendar().week
    assert week_number(date(year, 12, 28), 0)[0] == week_number(date(year, 12, 28), 0)[1]


@every_row(
    "text",
    [
        "", "FREQ", "FREQ=", "FREQ=HOURS", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=x", "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYMONTHDAY=0", "FREQ=YEARLY;BYDAY=XX", "FREQ=YEARLY;BYDAY=99MO", "FREQ=YEARLY;WKST=1",
        "FREQ=YEARLY;COUNT=-1", "FREQ=YEARLY;COUNT=99999999", "FREQ=YEARLY;BYMONTH=",
    ],
)  # fmt: skip
def test_a_broken_rule_says_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match="RRULE has"):
        ical_rules.parsed(text)


@pytest.mark.parametrize("text", ["FREQ=HOURLY", "FREQ=SECONDLY;COUNT=3", "RSCALE=HEBREW;FREQ=YEARLY"])
def test_what_is_not_followed_says_why(text: str) -> None:
    written = ical_rules.parsed(text)
    assert (written.rule, bool(written.unfollowed)) == (None, True)
