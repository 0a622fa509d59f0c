"""iCalendar files: what closes and what does not, as Google, Outlook and others write it, and files that are broken."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import cases, ical, ical_lines, ical_zones, rulebook
from routing.calendar import Calendar, CalendarText
from routing.ical import Ical
from routing.problems import ConfigError
from routing.windows_zones import WINDOWS_ZONES
from tests.rows import every_row

WARSAW = ZoneInfo("Europe/Warsaw")
ROUND_THE_CLOCK = (((0, 86_400),),) * 7


def event(*lines: str) -> str:
    return "\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT"))


def file(*parts: str) -> str:
    return "\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""))


def read(*parts: str, is_free_closed: bool = False) -> Ical:
    return ical.read(file(*parts), file="company.ics", is_free_closed=is_free_closed)


def calendar(
    *parts: str, zone: str = "Europe/Warsaw", slots: object = ROUND_THE_CLOCK, **more: object
) -> Calendar:
    found = read(*parts)
    assert found.warnings == ()
    return Calendar(CalendarText("x", zone, slots, closings=found.closings, **more))  # type: ignore[arg-type]


def closed_dates(*lines: str, year: int = 2026) -> list[str]:
    """The whole days of a year that one event closes."""
    book = calendar(event(*lines))
    days = (date(year, 1, 1) + timedelta(days=each) for each in range(366))
    return [day.isoformat() for day in days if day.year == year and book.holiday(day)]


def closed_spans(book: Calendar, low: str, high: str) -> list[str]:
    """The closed time of a calendar that is otherwise open round the clock, between two UTC instants, by the minute."""
    at, end = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (low, high))
    found: list[str] = []
    was_open = True
    while at < end:
        is_open = book.is_open(at)
        if is_open != was_open:
            text = at.strftime("%m-%d %H:%M")
            found[-1:] = [f"{found[-1]}-{text[6:]}"] if is_open else [*found[-1:], text]
        was_open, at = is_open, at + timedelta(minutes=5)
    return found


# -- whole days -----------------------------------------------------------------------------------------------------


@every_row(
    ("lines", "dates"),
    [
        (["DTSTART;VALUE=DATE:20261224"], ["2026-12-24"]),
        (["DTSTART:20261224", "DTEND:20261227"], ["2026-12-24", "2026-12-25", "2026-12-26"]),
        (["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261224"], ["2026-12-24"]),
        (["DTSTART;VALUE=DATE:20261224", "DURATION:P2D"], ["2026-12-24", "2026-12-25"]),
        (["DTSTART;VALUE=DATE:20261224", "DURATION:P1W"], [f"2026-12-{day}" for day in range(24, 31)]),
        (["DTSTART;VALUE=DATE:20251230", "DTEND;VALUE=DATE:20260103"], ["2026-01-01", "2026-01-02"]),
        (["DTSTART;VALUE=DATE:20200501", "RRULE:FREQ=YEARLY"], ["2026-05-01"]),
        (["DTSTART;VALUE=DATE:20200501", "RRULE:FREQ=YEARLY;UNTIL=20250501"], []),
        (["DTSTART;VALUE=DATE:20200501", "RRULE:FREQ=YEARLY;UNTIL=20260501"], ["2026-05-01"]),
        (["DTSTART;VALUE=DATE:20200501", "RRULE:FREQ=YEARLY;COUNT=7"], ["2026-05-01"]),
        (["DTSTART;VALUE=DATE:20200501", "RRULE:FREQ=YEARLY;COUNT=6"], []),
        (["DTSTART;VALUE=DATE:20200501", "RRULE:FREQ=YEARLY;INTERVAL=4"], []),
        (["DTSTART;VALUE=DATE:20200501", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20260501"], []),
        (["DTSTART;VALUE=DATE:20200501", "RRULE:FREQ=YEARLY", "EXDATE:20260501T000000Z"], []),
        (["DTSTART;VALUE=DATE:20260501", "RDATE;VALUE=DATE:20260604,20260815"], ["2026-05-01", "2026-06-04", "2026-08-15"]),
        (["DTSTART;VALUE=DATE:19701231", "DTEND;VALUE=DATE:19710102", "RRULE:FREQ=YEARLY"], ["2026-01-01", "2026-12-31"]),
        (["DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", "RRULE:FREQ=YEARLY"],
         ["2026-01-01", "2026-01-30"]),
        (["DTSTART;TZID=Central European Standard Time:20261224T000000", "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
          "DTEND;TZID=Central European Standard Time:20261226T000000"], ["2026-12-24", "2026-12-25"]),
    ],
)  # fmt: skip
def test_an_event_of_whole_days_closes_them(lines: list[str], dates: list[str]) -> None:
    assert closed_dates(*lines) == dates


def test_a_closed_day_closes_the_night_that_begins_on_it_and_not_the_one_that_ends_there() -> None:
    nights = (((79_200, 108_000),),) * 7
    book = calendar(event("DTSTART;VALUE=DATE:20261224"), slots=nights)
    at = [
        datetime(2026, 12, day, hour, tzinfo=WARSAW) for day, hour in ((24, 2), (24, 23), (25, 2), (25, 23))
    ]
    assert [book.is_open(each) for each in at] == [True, False, False, True]


def test_a_closed_day_is_no_working_day() -> None:
    book = calendar(event("DTSTART;VALUE=DATE:20261124"), slots=(((32_400, 61_200),),) * 7)
    monday = datetime(2026, 11, 23, 10, tzinfo=WARSAW)
    assert book.add_working_days(monday, 1) == datetime(2026, 11, 25, 10, tzinfo=WARSAW)


def test_the_summary_is_the_name_of_the_day() -> None:
    book = calendar(
        event("DTSTART:20261224", r"SUMMARY;LANGUAGE=pl:Wigilia\, firma\; zamknięte\nna cały", " dzień")
    )
    assert book.holiday(date(2026, 12, 24)) == "Wigilia, firma; zamknięte na całydzień"
    assert calendar(event("DTSTART:20261224")).holiday(date(2026, 12, 24)) == "closed"


# -- hours ----------------------------------------------------------------------------------------------------------


@every_row(
    ("lines", "spans"),
    [
        (["DTSTART:20261124T120000Z", "DTEND:20261124T140000Z"], ["11-24 12:00-14:00"]),
        (["DTSTART:20261124T120000", "DTEND:20261124T140000"], ["11-24 11:00-13:00"]),  # floating: of the calendar
        (["DTSTART;TZID=Europe/London:20261124T120000", "DURATION:PT90M"], ["11-24 12:00-13:30"]),
        (["DTSTART;TZID=GMT Standard Time:20261124T120000", "DURATION:PT1H"], ["11-24 12:00-13:00"]),
        (["DTSTART;TZID=Asia/Tokyo:20261124T120000", "DTEND;TZID=Europe/London:20261124T040000"], ["11-24 03:00-04:00"]),
        (["DTSTART;TZID=/citadel.org/20190914_1/America/New_York:20261124T070000", "DURATION:PT1H"], ["11-24 12:00-13:00"]),
        (["DTSTART:20261124T220000Z", "DTEND:20261125T060000Z"], ["11-24 22:00-06:00"]),
        (["DTSTART:20261123T120000Z", "DTEND:20261123T123000Z", "RRULE:FREQ=DAILY;COUNT=2"],
         ["11-23 12:00-12:30", "11-24 12:00-12:30"]),
        (["DTSTART:20261123T120000Z", "DTEND:20261123T123000Z", "RRULE:FREQ=DAILY;UNTIL=20261125T115959Z"],
         ["11-23 12:00-12:30", "11-24 12:00-12:30"]),
        (["DTSTART:20261123T120000Z", "DTEND:20261123T123000Z", "RRULE:FREQ=DAILY;BYHOUR=12;BYMINUTE=0;COUNT=1"],
         ["11-23 12:00-12:30"]),
        (["DTSTART;TZID=Europe/Warsaw:20261123T130000", "DURATION:PT30M", "RRULE:FREQ=DAILY;COUNT=3",
          "EXDATE:20261124T120000Z"], ["11-23 12:00-12:30", "11-25 12:00-12:30"]),
        (["DTSTART:20261123T120000Z", "DURATION:PT30M", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20261124"],
         ["11-23 12:00-12:30", "11-25 12:00-12:30"]),
        (["DTSTART:20261123T120000Z", "DURATION:PT30M", "RDATE;VALUE=PERIOD:20261124T100000Z/PT2H,20261125T080000Z/20261125T081500Z"],
         ["11-23 12:00-12:30", "11-24 10:00-12:00", "11-25 08:00-08:15"]),
        (["DTSTART:20261123T120000Z", "DURATION:PT30M", "RDATE;TZID=Asia/Tokyo:20261124T210000"],
         ["11-23 12:00-12:30", "11-24 12:00-12:30"]),
        (["DTSTART:20261123T120000Z"], []),  # it takes no time
    ],
)  # fmt: skip
def test_an_event_with_times_closes_just_them(lines: list[str], spans: list[str]) -> None:
    assert closed_spans(calendar(event(*lines)), "2026-11-23T00:00", "2026-11-26T00:00") == spans


@every_row(
    ("lines", "spans"),
    [
        # in the hour that occurs twice the first is meant; in the one that does not exist, the clock goes on (§3.3.5)
        (["DTSTART;TZID=Europe/Warsaw:20261025T023000", "DURATION:PT1H"], ["10-25 00:30-01:30"]),
        (["DTSTART;TZID=Europe/Warsaw:20260329T023000", "DURATION:PT1H"], ["03-29 01:30-02:30"]),
        # from one wall time to another over the change; so many hours; a day on the clock
        (["DTSTART;TZID=Europe/Warsaw:20261024T220000", "DTEND;TZID=Europe/Warsaw:20261025T060000"], ["10-24 20:00-05:00"]),
        (["DTSTART;TZID=Europe/Warsaw:20261024T220000", "DURATION:PT8H"], ["10-24 20:00-04:00"]),
        (["DTSTART:20261024T220000", "DTEND:20261025T060000"], ["10-24 20:00-05:00"]),
        (["DTSTART;TZID=Europe/Warsaw:20261024T120000", "DURATION:P1D"], ["10-24 10:00-11:00"]),
    ],
)  # fmt: skip
def test_closed_hours_go_over_a_change_of_clocks(lines: list[str], spans: list[str]) -> None:
    month = "10-24" if "202610" in lines[0] else "03-28"
    low = datetime.fromisoformat(f"2026-{month}T00:00")
    assert (
        closed_spans(calendar(event(*lines)), low.isoformat(), (low + timedelta(days=3)).isoformat()) == spans
    )


@every_row("zone", ["Pacific/Kiritimati", "Europe/Warsaw", "Pacific/Niue"])
@every_row(
    ("lines", "spans"),
    [
        (["DTSTART:20261231T220000Z", "DTEND:20270101T060000Z"], ["12-31 22:00-06:00"]),
        (["DTSTART:20201231T220000Z", "DTEND:20210101T060000Z", "RRULE:FREQ=YEARLY"], ["12-31 22:00-06:00"]),
        (["DTSTART:20261230T000000Z", "DURATION:P3D"], ["12-30 00:00-00:00"]),
        (["DTSTART;TZID=Pacific/Kiritimati:20270101T120000", "DURATION:PT4H"], ["12-31 22:00-02:00"]),
        (["DTSTART;TZID=Pacific/Niue:20261231T120000", "DURATION:PT4H"], ["12-31 23:00-03:00"]),
        (["DTSTART:20261230T230000Z", "DURATION:PT30M", "RRULE:FREQ=DAILY;COUNT=3"],
         ["12-30 23:00-23:30", "12-31 23:00-23:30", "01-01 23:00-23:30"]),
    ],
)  # fmt: skip
def test_closed_hours_go_over_the_turn_of_the_year(zone: str, lines: list[str], spans: list[str]) -> None:
    book = calendar(event(*lines), zone=zone)
    assert closed_spans(book, "2026-12-29T12:00", "2027-01-03T12:00") == spans


def test_every_day_at_noon_is_noon_on_both_sides_of_a_change_of_clocks() -> None:
    book = calendar(event("DTSTART;TZID=Europe/Warsaw:20200101T120000", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
    assert closed_spans(book, "2026-10-24T00:00", "2026-10-26T00:00") == [
        "10-24 10:00-11:00",
        "10-25 11:00-12:00",
    ]


def test_closed_hours_take_their_part_out_of_open_time() -> None:
    book = calendar(
        event("DTSTART:20261124T120000", "DTEND:20261124T140000"), slots=(((32_400, 61_200),),) * 7
    )
    morning = datetime(2026, 11, 24, 9, tzinfo=WARSAW)
    assert book.open_between(morning, morning + timedelta(days=1)) == 6 * 3600
    assert book.add(morning, 3 * 3600) == datetime(2026, 11, 24, 12, tzinfo=WARSAW)
    assert book.add(morning, 3 * 3600 + 60) == datetime(2026, 11, 24, 14, 1, tzinfo=WARSAW)
    assert book.next_open(morning.replace(hour=13)) == morning.replace(hour=14)


def test_the_rest_of_a_night_after_closed_hours_and_the_next_day_are_both_open() -> None:
    """The night of Monday is closed from four to six, and Tuesday begins at five."""
    nights = (((79_200, 108_000),), ((18_000, 20_000),), *((),) * 5)
    book = calendar(event("DTSTART:20261124T040000", "DTEND:20261124T053000"), slots=nights)
    assert closed_spans(book, "2026-11-23T21:00", "2026-11-24T05:00") == ["11-24 03:00-04:30"]
    own = {"2026-11-24": ((18_000, 20_000),)}
    book = calendar(event("DTSTART:20261124T040000", "DTEND:20261124T053000"), slots=nights, dates=own)
    assert closed_spans(book, "2026-11-23T21:00", "2026-11-24T05:00") == ["11-24 03:00-04:00"]


def test_a_working_day_whose_hours_are_all_closed_is_none() -> None:
    book = calendar(
        event("DTSTART:20261124T080000", "DTEND:20261124T180000"), slots=(((32_400, 61_200),),) * 7
    )
    monday = datetime(2026, 11, 23, 10, tzinfo=WARSAW)
    assert book.add_working_days(monday, 1) == datetime(2026, 11, 25, 10, tzinfo=WARSAW)


def test_an_own_date_is_stronger_than_a_file() -> None:
    events = (event("DTSTART:20261224"), event("DTSTART:20261223T080000Z", "DTEND:20261223T200000Z"))
    own = {"2026-12-23": ((32_400, 36_000),), "2026-12-24": ((32_400, 36_000),)}
    book = calendar(*events, slots=(((32_400, 61_200),),) * 7, dates=own)
    assert [book.is_open(datetime(2026, 12, day, 9, 30, tzinfo=WARSAW)) for day in (23, 24)] == [True, True]


def test_closed_hours_are_told_beside_closed_days() -> None:
    book = calendar(
        event("DTSTART:20261124T120000", "DTEND:20261124T140000", "SUMMARY:Training"),
        event("DTSTART:20261125T000000", "DTEND:20261126T000000", "SUMMARY:Moving"),
        event("DTSTART:20261126", "SUMMARY:Party"),
        slots=(((32_400, 61_200),),) * 7,
    )  # fmt: skip
    told = [f"{day.day} {why}" for day, why in book.closed_days(date(2026, 11, 23), count=9)]
    assert told == ["24 Training, 12:00-14:00", "25 Moving", "26 Party"]


# -- what does not close --------------------------------------------------------------------------------------------

SERIES = ("UID:a", "DTSTART:20261123T120000Z", "DURATION:PT30M", "RRULE:FREQ=DAILY;COUNT=3")


@every_row(
    ("changed", "spans"),
    [
        (["RECURRENCE-ID:20261124T120000Z", "DTSTART:20261124T150000Z", "DURATION:PT1H"], "12:00 15:00 12:00"),
        (["RECURRENCE-ID;TZID=Asia/Tokyo:20261124T210000", "DTSTART:20261124T150000Z", "DURATION:PT1H"], "12:00 15:00 12:00"),
        (["RECURRENCE-ID:20261124T120000Z", "DTSTART:20261124T120000Z", "STATUS:CANCELLED"], "12:00 12:00"),
        (["RECURRENCE-ID:20261124T120000Z", "DTSTART:20261124T120000Z", "TRANSP:TRANSPARENT"], "12:00 12:00"),
        (["RECURRENCE-ID;VALUE=DATE:20261124", "DTSTART:20261124T120000Z", "STATUS:CANCELLED"], "12:00 12:00"),
    ],
)  # fmt: skip
def test_one_of_a_series_is_moved_or_falls_out(changed: list[str], spans: str) -> None:
    book = calendar(event(*SERIES), event("UID:a", *changed))
    found = closed_spans(book, "2026-11-23T00:00", "2026-11-26T00:00")
    assert " ".join(each[6:11] for each in found) == spans


def test_a_moved_one_of_another_series_changes_nothing_here() -> None:
    moved = event("UID:b", "RECURRENCE-ID:20261124T120000Z", "DTSTART:20261124T150000Z", "DURATION:PT1H")
    found = closed_spans(calendar(event(*SERIES), moved), "2026-11-23T00:00", "2026-11-26T00:00")
    assert [each[6:11] for each in found] == ["12:00", "12:00", "15:00", "12:00"]


@pytest.mark.parametrize("line", ["STATUS:CANCELLED", "status:cancelled", "TRANSP:TRANSPARENT"])
def test_what_is_cancelled_or_free_closes_nothing(line: str) -> None:
    assert read(event("DTSTART:20261224", line)).closings == ()


def test_what_is_free_closes_when_it_is_asked_for() -> None:
    """Google marks public holidays as free time."""
    parts = (event("DTSTART:20261224", "TRANSP:TRANSPARENT"), event("DTSTART:20261225", "STATUS:CANCELLED"))
    assert [each.start for each in read(*parts, is_free_closed=True).closings] == ["2026-12-24"]


def test_only_events_close() -> None:
    """A task, a journal, a description of free and busy time, an alarm within an event."""
    others = [
        f"BEGIN:{name}\nDTSTART:20261224\nEND:{name}"
        for name in ("VTODO", "VJOURNAL", "VFREEBUSY", "X-OTHER")
    ]
    alarm = "BEGIN:VALARM\nDURATION:P9D\nSTATUS:CANCELLED\nEND:VALARM"
    assert [each.days for each in read(*others, event("DTSTART:20261224", alarm)).closings] == [1]


@every_row(
    ("lines", "why"),
    [
        (["DTSTART:20261123T120000Z", "DURATION:PT5M", "RRULE:FREQ=HOURLY"], "recurs hourly"),
        (["DTSTART:20261123T120000Z", "DURATION:PT5M", "RRULE:FREQ=DAILY;BYHOUR=9,15"], "within a day"),
        (["DTSTART:20261123", "RRULE:RSCALE=HEBREW;FREQ=YEARLY"], "RSCALE"),
        (["DTSTART:20261123", "RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY"], "EXRULE"),
        (["DTSTART:20261123", "RECURRENCE-ID;RANGE=THISANDFUTURE:20261123"], "THISANDFUTURE"),
        (["DTSTART:20261123", "DTEND:20991231"], "longer than"),
        (["DTSTART:20261123", "DTEND:20290101", "RRULE:FREQ=DAILY"], "longer than"),
        (["DTSTART;TZID=Mars/Olympus:20261123T120000", "DURATION:PT5M"], "Mars/Olympus"),
        (["DTSTART:20261123", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5"], ""),
    ],
)  # fmt: skip
def test_what_is_not_followed_is_left_out_with_its_reason(lines: list[str], why: str) -> None:
    """At its line; the other events close."""
    found = read(event("DTSTART:20261224"), event(*lines, "SUMMARY:Odd"))
    if not why:  # a rule without any date: its first day is all there is
        assert len(found.closings) == 2
        return
    assert [each.start for each in found.closings] == ["2026-12-24"]
    (warning,) = found.warnings
    assert (warning.file, warning.line, warning.code, warning.severity) == (
        "company.ics",
        6,
        "left-out",
        "warning",
    )
    assert "'Odd'" in warning.message
    assert why in warning.message


# -- zones ----------------------------------------------------------------------------------------------------------


def test_every_zone_of_windows_is_one_that_is_known() -> None:
    assert {name: ZoneInfo(zone).key for name, zone in WINDOWS_ZONES.items()} == WINDOWS_ZONES
    assert len(WINDOWS_ZONES) > 130


def described(name: str, standard: tuple[str, str], summer: tuple[str, str] | None = None, *more: str) -> str:
    """A VTIMEZONE. standard, summer: (offset, RRULE)."""

    def part(kind: str, offset: str, rule: str) -> list[str]:
        rules = [f"RRULE:{rule}"] if rule else []
        return [f"BEGIN:{kind}", "DTSTART:16010101T020000", f"TZOFFSETTO:{offset}", *rules, f"END:{kind}"]

    parts = [*part("STANDARD", *standard), *(part("DAYLIGHT", *summer) if summer else ())]
    return "\n".join(["BEGIN:VTIMEZONE", f"TZID:{name}", *more, *parts, "END:VTIMEZONE"])


@every_row(
    ("part", "offsets"),
    [
        (described("Own", ("+0100", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"), ("+0200", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU")), (1, 2)),
        (described("Own", ("-0500", "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"), ("-0400", "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU")), (-5, -4)),
        (described("Own", ("+0900", "")), (9, 9)),
        (described("Own", ("+0545", "")), (5.75, 5.75)),
        (described("Own", ("+0100", ""), None, "X-LIC-LOCATION:Europe/Athens"), (2, 3)),
    ],
)  # fmt: skip
def test_a_zone_with_a_name_of_its_own_is_known_by_its_clocks(
    part: str, offsets: tuple[float, float]
) -> None:
    zones = ical_zones.Zones(ical_lines.components(file(part), file="x"))
    zone = ZoneInfo(zones.named("Own") or "")
    shown = tuple(datetime(2026, month, 5, 12, tzinfo=zone).utcoffset() for month in (1, 7))
    assert shown == tuple(timedelta(hours=each) for each in offsets)


def test_a_zone_that_no_clock_shows_is_not_known() -> None:
    zones = ical_zones.Zones(ical_lines.components(file(described("Own", ("+0117", ""))), file="x"))
    assert zones.named("Own") is None


# -- the text ---------------------------------------------------------------------------------------------------------


@every_row(
    "text",
    [
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20261224\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "\ufeffBEGIN:VCALENDAR\rBEGIN:VEVENT\rDTSTART:20261224\rEND:VEVENT\rEND:VCALENDAR",
        "\n\nbegin:vcalendar\n\nBegin:vEvent\nDTST\n ART;VALUE=DA\n\tTE:2026\n 1224\nEND:VEVENT\nEND:VCALENDAR\x1a\n",
        'BEGIN:VCALENDAR\nBEGIN:VEVENT\nno line\nDTSTART;X-A="a:b;c";VALUE=DATE:20261224\nEND:VEVENT\nEND:VCALENDAR\n',
        "BEGIN:VCALENDAR\nEND:VCALENDAR\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224\nEND:VEVENT\nEND:VCALENDAR\n",
    ],
)  # fmt: skip
def test_lines_are_read_however_they_end_and_are_folded(text: str) -> None:
    assert [each.start for each in ical.read(text, file="x").closings] == ["2026-12-24"]


@every_row(
    ("text", "line", "message"),
    [
        ("", 1, "the file is empty"),
        ("<!DOCTYPE html>\n<title>Log in</title>", 1, "no iCalendar: BEGIN:VCALENDAR is wanted, got '<!DOCTYPE html>'"),
        ("\nDate;Holiday\n2026-12-24;Wigilia", 2, "no iCalendar: BEGIN:VCALENDAR is wanted, got 'Date;Holiday'"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224", 2, "the file ends before END:VEVENT of line 2"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR", 3, "END:VCALENDAR where END:VEVENT of line 2 is wanted"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VCALENDAR", 3, "no iCalendar: BEGIN:VCALENDAR is wanted, got 'END:VCALENDAR'"),
        (file(event("SUMMARY:x")), 3, "the event 'x' has no DTSTART"),
        (file(event("DTSTART:tomorrow")), 4, "DTSTART has 'tomorrow', which is no date or time"),
        (file(event("DTSTART:20260230")), 4, "DTSTART has '20260230', which never is"),
        (file(event("DTSTART:")), 4, "DTSTART has no value"),
        (file(event("DTSTART:20261224", "DTEND:20261223")), 5, "it ends before it begins"),
        (file(event("DTSTART:20261224T120000Z", "DTEND:20261224T110000Z")), 5, "it ends before it begins"),
        (file(event("DTSTART:20261224", "DURATION:-P1D")), 5, "DURATION has '-P1D', which is no length of time"),
        (file(event("DTSTART:20261224", "DURATION:PT")), 5, "DURATION has 'PT', which is no length of time"),
        (file(event("DTSTART:20261224", "RRULE:FREQ=NEVER")), 5, "RRULE has no frequency that is known: FREQ=NEVER"),
        (file(event("DTSTART:20261224", "RRULE:FREQ=YEARLY;UNTIL=x")), 5, "RRULE has 'X', which is no date or time"),
        (file(event("DTSTART:20261224", "EXDATE:x")), 5, "EXDATE has 'x', which is no date or time"),
        (file(event("DTSTART:20261224", "RDATE;VALUE=PERIOD:20261224T000000/x")), 5, "RDATE has 'x', which is no date or time"),
    ],
)  # fmt: skip
def test_a_broken_file_has_one_problem_at_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ical.read(text, file="company.ics")
    (problem,) = refused.value.problems
    assert (problem.file, problem.line, problem.severity, problem.code) == (
        "company.ics",
        line,
        "error",
        "bad-calendar",
    )
    assert problem.message == message
    assert problem.hint


@pytest.mark.slow
def test_a_file_is_bounded_in_size_events_and_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ical_lines, "MAX_EVENTS", 20)
    monkeypatch.setattr(ical, "STEPS_MAX", 100_000)
    with pytest.raises(ConfigError, match="more than 20 events"):
        read(*[event("DTSTART:20261224")] * 21)
    with pytest.raises(ConfigError, match="characters; a calendar may have"):
        ical.read(" " * (ical_lines.MAX_CHARACTERS + 1), file="x")
    found = read(*[event("DTSTART:19000101", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=9")] * 4)
    assert (len(found.closings), [each.code for each in found.warnings]) == (1, ["left-out"] * 3)


PIECES = """\
BEGIN:VEVENT|END:VEVENT|BEGIN:VTIMEZONE|END:VTIMEZONE|BEGIN:STANDARD|END:STANDARD|DTSTART:20261224|DTEND:20261225
DTSTART;TZID=X:20261224T100000|DURATION:P1D|RRULE:FREQ=DAILY|UID:a|TZID:X|TZOFFSETTO:+0100|RECURRENCE-ID:20261224
EXDATE:20261224T100000Z|RDATE:|:|;|DTSTART;TZID=:20261224T100000|RRULE:;;=|X| folded|SUMMARY:\\n\\|DTSTART:99991231
RRULE:FREQ=YEARLY;COUNT=100000|DURATION:P99999W|DTSTART:00010101|RRULE:FREQ=WEEKLY;BYDAY=5MO""".replace(
    "\n", "|"
).split("|")


def problems_of(lines: list[str]) -> int:
    """How many problems refuse a file with an event of such lines; when it is read, any year can be asked about."""
    text = "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])
    try:
        found = ical.read(text, file="x")
    except ConfigError as refused:
        return len(refused.problems)
    book = Calendar(CalendarText("x", "Europe/Warsaw", ROUND_THE_CLOCK, closings=found.closings))
    for year in (1971, 2026, 2100):
        book.open_between(datetime(year, 1, 1, tzinfo=UTC), datetime(year, 1, 9, tzinfo=UTC))
        book.holiday(date(year, 1, 1))
    assert Calendar.from_json(book.to_json()) == book
    return 0


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20)), max_size=14))
def test_no_text_is_more_than_refused(lines: list[str]) -> None:
    """Whatever stands there, a file is read, or refused with one problem."""
    assert problems_of(lines) <= 1


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20)), max_size=14))
def test_no_text_of_two_thousand_is_more_than_refused(lines: list[str]) -> None:
    assert problems_of(lines) <= 1


# -- in a rulebook ----------------------------------------------------------------------------------------------------

RULES = """version: 1
calendars:
  shop:
    timezone: Europe/Warsaw
    open: {mon-fri: "09:00-17:00"}
    holidays: HOLIDAYS
default: {team: front}
teams: {front: {levels: {one: []}}}
"""
EVENTS = file(event("DTSTART:20261224", "SUMMARY:Wigilia"), event("DTSTART:20261223", "TRANSP:TRANSPARENT"))


def loaded(holidays: str, **texts: str) -> rulebook.Rulebook:
    files = {"rules.yaml": RULES.replace("HOLIDAYS", holidays)}
    return rulebook.load(files, calendars={f"{name}.ics": text for name, text in texts.items()})


def told(holidays: str, **texts: str) -> list[str]:
    try:
        book = loaded(holidays, **texts)
    except ConfigError as refused:
        return [str(each) for each in refused.problems]
    return [str(each) for each in book.warnings]


@pytest.mark.parametrize("holidays", ["{file: own.ics}", "[{file: own.ics}]", "[PL, DE-BY, {file: own.ics}]"])
def test_a_file_stands_beside_countries(holidays: str) -> None:
    book = loaded(holidays, own=EVENTS)
    assert book.calendars["shop"].holiday(date(2026, 12, 24)) in ("Wigilia", "Christmas Eve")
    assert rulebook.calendar_files(book.files) == ("own.ics",)
    assert book.warnings == ()


@every_row(
    ("code", "day"),
    [
        ("DE-Augsburg", "2027-08-08"), ("CH-Stadt Zurich", "2027-09-11"), ("ES-Barcelona", "2027-09-24"), ("DE-BY", "2027-01-06"),
        ("BR-São Paulo Capital", "2027-01-25"), ("PL", "2026-12-24"), ("GB-SCT", "2026-11-30"), ("GRC", "2027-05-03"),
        ("US-CA", "2026-11-27"), ("PT-11", "2026-12-08"),
    ],
)  # fmt: skip
def test_a_country_or_a_part_of_one_has_its_days(code: str, day: str) -> None:
    """Towns, too; Christmas Eve is new in Poland."""
    assert loaded(f'"{code}"').calendars["shop"].holiday(date.fromisoformat(day))


def test_the_rulebook_of_last_month_has_the_file_of_last_month() -> None:
    book = loaded("{file: own.ics}", own=EVENTS)
    again = rulebook.from_text(book.text)
    assert (again.hash, again.calendars) == (book.hash, book.calendars)
    assert loaded("{file: own.ics}", own=file(event("DTSTART:20261231"))).hash != book.hash


def test_free_time_closes_in_the_calendar_that_says_so() -> None:
    book = loaded("{file: own.ics, free: closed}", own=EVENTS)
    assert book.calendars["shop"].holiday(date(2026, 12, 23)) == "closed"


@every_row(
    ("holidays", "texts", "said"),
    [
        ("{file: own.ics}", {}, "rules.yaml:6:22: warning[missing-calendar] the file 'own.ics' is not there"),
        ("{file: own.ics}", {"own": "x"}, "own.ics:1:1: error[bad-calendar] no iCalendar"),
        ("{file: own.ics}", {"own": file()}, "rules.yaml:6:22: warning[closes-nothing] nothing in 'own.ics' closes: it has 0 events"),
        ("{file: own.ics}", {"own": file(event("DTSTART:20261224", "TRANSP:TRANSPARENT"))},
         "1 of its 1 events are marked as free time — if they close all the same: {file: own.ics, free: closed}"),
        ("{file: own.ics}", {"own": file(event("DTSTART:20200101", "RRULE:FREQ=DAILY"))},
         "rules.yaml:4:5: error[never-open] calendar 'shop' is never open: its files close every day"),
        ("{file: own.ics}", {"own": file(event("DTSTART:20400101", "RRULE:FREQ=DAILY"), event("DTSTART:99990101"))},
         "rules.yaml:4:5: error[never-open] calendar 'shop' is never open: its files close every day"),
        ("{file: ../own.ics}", {}, "'../own.ics' is no name of a file"),
        ("{file: own.ics, fre: closed}", {}, "did you mean 'free'?"),
        ("{file: own.ics, free: yes}", {}, "rules.yaml:6:37: error"),
        ("{}", {}, "'file' is missing"),
        ("[[PL]]", {}, "no country code"),
        ("DE-BB-X", {}, "no country code"),
        ("DE-XY", {}, "no holidays are known for 'DE-XY' — of DE these parts are known: BB, BE, BW"),
        ("XY", {}, "no holidays are known for 'XY' — own days go under dates:"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_holidays_is_told(holidays: str, texts: dict[str, str], said: str) -> None:
    assert any(said in each for each in told(holidays, **texts)), told(holidays, **texts)


@every_row(
    ("written", "instead", "said"),
    [
        ("Europe/Warsaw", "Europe/Varsaw", "no time zone 'Europe/Varsaw' — did you mean 'Europe/Warsaw'?"),
        ("Europe/Warsaw", "europe/warsaw", "did you mean 'Europe/Warsaw'?"),
        ("Europe/Warsaw", "xyz", "write a name like Europe/Warsaw or UTC"),
        ("holidays: PL", "dates: {20261224: closed}", "no date '20261224'"),
        ("holidays: PL", "dates: {2026-W52-4: closed}", "no date '2026-W52-4'"),
        ("holidays: PL", "dates: {2026-02-29: closed}", "no date '2026-02-29'"),
    ],
)
def test_zones_and_dates_are_written_in_one_way(written: str, instead: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        rulebook.load({"rules.yaml": RULES.replace("HOLIDAYS", "PL").replace(written, instead)})


def test_a_calendar_with_a_warning_is_there_all_the_same() -> None:
    book = loaded("{file: own.ics}")
    assert list(book.calendars) == ["shop"]


CASE = """
lists: {vips: [acme.example]}
sla: {standard: {calendar: shop, first_response: 4h}}
tests:
  - name: Wigilia is closed
    at: 2026-12-23T16:00+01:00
    lists: {vips: [other.example]}
    message: {channel: email, from: a@other.example, body: Hello}
    expect: {due.first_response: 2026-12-25T12:00+01:00}
"""


def test_the_admins_own_tests_count_by_the_file() -> None:
    """Also where they put other values into the lists."""
    rules = RULES.replace("HOLIDAYS", "{file: own.ics}").replace("front}", "front, sla: standard}") + CASE
    book = rulebook.load({"rules.yaml": rules}, calendars={"own.ics": EVENTS})
    assert cases.run(book) == ()
    assert len(cases.run(rulebook.load({"rules.yaml": rules}))) == 1
