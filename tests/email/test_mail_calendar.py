from channels.email import calendar
from tests.email.mails import TEXT, multipart, names, read
from tests.rows import every_row

INVITATION = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Europe/Warsaw
DTSTART:19700101T000000
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY;LANGUAGE=pl:Odbiór zamówienia\\, biuro
DTSTART;TZID=Europe/Warsaw:20261102T100000
DTEND;TZID=Europe/Warsaw:20261102T113000
LOCATION:ul. Prosta 1
ORGANIZER;CN="Ada, L.":MAILTO:ada@example.com
ATTENDEE;CN=Support;ROLE=REQ-PARTICIPANT:mailto:support@ex
 ample.com
ATTENDEE:mailto:jan@example.com
DESCRIPTION:Bring the\\nbox.
BEGIN:VALARM
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
END:VCALENDAR
"""
LINES = """Invitation: Odbiór zamówienia, biuro
When: 2026-11-02 10:00 – 11:30 Europe/Warsaw
Where: ul. Prosta 1
Organiser: Ada, L. <ada@example.com>
Who: Support <support@example.com>, jan@example.com

Bring the
box."""


def part(text: str = INVITATION) -> bytes:
    return b"Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n" + text.encode()


def test_an_invitation_without_a_text_is_read_and_kept_as_a_file() -> None:
    content = multipart(part())
    assert (read(content).text, names(content)) == (LINES, ["attachment-1.ics"])


def test_an_invitation_beside_a_text_is_only_a_file() -> None:
    content = multipart(TEXT, part(), declared='multipart/alternative; boundary="B"')
    assert (read(content).text, names(content)) == ("Where is my order?", ["attachment-1.ics"])


@every_row(
    ("change", "line"),
    [
        (("METHOD:REQUEST", "METHOD:CANCEL"), "Cancelled: Odbiór zamówienia, biuro"),
        (("METHOD:REQUEST", "METHOD:REPLY"), "Answer to an invitation: Odbiór zamówienia, biuro"),
        (("LOCATION", "STATUS:CANCELLED\nLOCATION"), "Cancelled: Odbiór zamówienia, biuro"),
        (("SUMMARY;LANGUAGE=pl:Odbiór zamówienia\\, biuro\n", ""), "Invitation: (no subject)"),
        (
            ("DTEND;TZID=Europe/Warsaw:20261102", "DTEND;TZID=Europe/Warsaw:20261103"),
            "When: 2026-11-02 10:00 – 2026-11-03 11:30 Europe/Warsaw",
        ),
        ((";TZID=Europe/Warsaw:20261102T100000", ":20261102T090000Z"), "When: 2026-11-02 09:00 – 11:30 UTC"),
        (
            ("LOCATION", "RRULE:FREQ=DAILY\nLOCATION"),
            "When: 2026-11-02 10:00 – 11:30 Europe/Warsaw, repeated",
        ),
    ],
)
def test_a_calendar_says(change: tuple[str, str], line: str) -> None:
    assert line in calendar.text_from_calendar(INVITATION.replace(*change).encode()).split("\n")


def test_a_day_without_times_is_a_date() -> None:
    event = "BEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART;VALUE=DATE:20261102\r\nEND:VEVENT\r\n"
    assert calendar.text_from_calendar(event.encode()) == "Event: x\nWhen: 2026-11-02"


@every_row(
    "content",
    [b"", b"BEGIN:VCALENDAR", b"\xff\xfe\x00", b"BEGIN:VEVENT\n:\n;;:\nDTSTART:x\n" + b"A;" * 5_000 + b'"'],
)
def test_what_is_no_calendar_never_raises(content: bytes) -> None:
    calendar.text_from_calendar(content)
