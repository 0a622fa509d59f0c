"""Calendars in the forms in which programs export them: every line that such a file has, and what closes."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from routing import ical
from routing.calendar import Calendar, CalendarText

WARSAW = ZoneInfo("Europe/Warsaw")
OFFICE = (((32_400, 61_200),),) * 5 + ((), ())

OUTLOOK = """\
BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
METHOD:PUBLISH
X-CALSTART:20261123T080000Z
X-WR-RELCALID:{0000002E-1B2C-4D3E-8F90-A1B2C3D4E5F6}
X-WR-CALNAME:Firma
BEGIN:VTIMEZONE
TZID:(UTC+01:00) Sarajevo, Skopje, Warsaw, Zagreb
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
CLASS:PUBLIC
CREATED:20260105T090000Z
DESCRIPTION:Szkolenie\\n\\n\\n
DTEND;TZID="(UTC+01:00) Sarajevo, Skopje, Warsaw, Zagreb":20261124T140000
DTSTAMP:20260105T090000Z
DTSTART;TZID="(UTC+01:00) Sarajevo, Skopje, Warsaw, Zagreb":20261124T120000
LAST-MODIFIED:20260105T090000Z
LOCATION:Sala 1
PRIORITY:5
RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=4TU
EXDATE;TZID="(UTC+01:00) Sarajevo, Skopje, Warsaw, Zagreb":20261222T120000
SEQUENCE:0
SUMMARY;LANGUAGE=pl:Szkolenie zespołu
TRANSP:OPAQUE
UID:040000008200E00074C5B7101A82E008000000005D3B
X-ALT-DESC;FMTTYPE=text/html:<html><head></head><body>Szkolenie: sala "1"; g
 odz. 12:00\\n</body></html>
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
X-MICROSOFT-CDO-IMPORTANCE:1
X-MS-OLK-AUTOFILLLOCATION:FALSE
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTEND;VALUE=DATE:20261229
DTSTART;VALUE=DATE:20261228
SUMMARY;LANGUAGE=pl:Dzień wolny firmy
TRANSP:TRANSPARENT
UID:040000008200E00074C5B7101A82E008000000005D3C
X-MICROSOFT-CDO-BUSYSTATUS:FREE
X-MICROSOFT-CDO-ALLDAYEVENT:TRUE
END:VEVENT
END:VCALENDAR
"""

GOOGLE = """\
BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:Company
X-WR-TIMEZONE:Europe/Warsaw
BEGIN:VTIMEZONE
TZID:Europe/Warsaw
X-LIC-LOCATION:Europe/Warsaw
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID=Europe/Warsaw:20261102T100000
DTEND;TZID=Europe/Warsaw:20261102T110000
RRULE:FREQ=WEEKLY;WKST=MO;UNTIL=20261130T225959Z;BYDAY=MO
EXDATE;TZID=Europe/Warsaw:20261116T100000
DTSTAMP:20261101T120000Z
UID:7kukuqrfedlm2f9t@google.com
SUMMARY:Planning
STATUS:CONFIRMED
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=Europe/Warsaw:20261124T130000
DTEND;TZID=Europe/Warsaw:20261124T143000
DTSTAMP:20261101T120000Z
UID:7kukuqrfedlm2f9t@google.com
RECURRENCE-ID;TZID=Europe/Warsaw:20261123T100000
SUMMARY:Planning\\, moved
STATUS:CONFIRMED
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261211
DTEND;VALUE=DATE:20261212
DTSTAMP:20261101T120000Z
UID:4bhq@google.com
SUMMARY:Called off
STATUS:CANCELLED
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
"""


def office(text: str, *, is_free_closed: bool = False) -> Calendar:
    found = ical.read(text.replace("\n", "\r\n"), file="x.ics", is_free_closed=is_free_closed)
    assert found.warnings == ()
    return Calendar(CalendarText("x", "Europe/Warsaw", OFFICE, closings=found.closings))


def told(book: Calendar) -> list[str]:
    return [f"{day} {why}" for day, why in book.closed_days(date(2026, 11, 1), count=20)]


def test_what_outlook_exports() -> None:
    """A zone by its description, a series by the month with one that falls out; free time is open."""
    training = ["2026-11-24 Szkolenie zespołu, 12:00-14:00", "2027-01-26 Szkolenie zespołu, 12:00-14:00"]
    assert told(office(OUTLOOK)) == training
    free = "2026-12-28 Dzień wolny firmy"
    assert told(office(OUTLOOK, is_free_closed=True)) == [training[0], free, training[1]]


def test_what_google_exports() -> None:
    """A weekly series that ends, without one of its days and with one that is moved; what is called off is open."""
    assert told(office(GOOGLE)) == [
        "2026-11-02 Planning, 10:00-11:00",
        "2026-11-09 Planning, 10:00-11:00",
        "2026-11-24 Planning, moved, 13:00-14:30",
        "2026-11-30 Planning, 10:00-11:00",
    ]


def test_time_runs_around_what_is_closed() -> None:
    book = office(GOOGLE)
    monday = datetime(2026, 11, 2, 9, 30, tzinfo=WARSAW)
    assert book.add(monday, 2 * 3_600) == monday.replace(hour=12)
    assert book.next_open(monday.replace(hour=10)) == monday.replace(hour=11, minute=0)
