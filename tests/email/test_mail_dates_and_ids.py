from datetime import UTC, datetime

from channels.email import dates, headers, message_ids
from tests.email.mails import read
from tests.rows import every_row

TEN_UTC = datetime(2026, 11, 2, 10, tzinfo=UTC)


@every_row(
    "value",
    [
        "Mon, 2 Nov 2026 11:00:00 +0100", "Mon, 2 Nov 2026 11:00 +0100", "Mo, 02 Nov 26 11:00:00 +0100 (CET)", "2 November 2026 11:00:00 +0100", "Mon Nov  2 10:00:00 2026",
        "Mon, 2 Nov 2026 10:00:00 GMT", "Mon, 2 Nov 2026 10:00:00", "Mon, 2-Nov-2026 11:00:00 +0100", "Mon, 2 Nov 2026 11:00:00 +01:00", "Mon, 2 Nov 2026 11:00:00 GMT+0100",
        "Mon, 2 Nov 2026 11:00:00 GMT+01:00", "2026-11-02T10:00:00Z", "2026-11-02 11:00:00 +01:00", "2026-11-02T11:00:00.000+01:00", "Mon, 2 Nov 2026 10.00.00 +0000",
        "Mon, 2 Nov 2026 11(comment):   00  :  00 +0100", "=?utf-8?q?Mon=2C_2_Nov_2026_11=3A00=3A00_+0100?=", "Mon, 2 Nov 2026 10:00:00 -0000",
    ],
)  # fmt: skip
def test_a_date_is_read_however_it_is_written(value: str) -> None:
    assert dates.read(value) == TEN_UTC


@every_row(
    "value",
    [
        "garbage",
        "",
        "Mon, 31 Feb 2026 10:00:00 +0000",
        "Mon, 2 Nov 2026 25:00:00 +0100",
        "02/11/2026 10:00",
        "9" * 200,
        "0001-01-01T00:00:00+14:00",
        ":" * 200,
    ],
)
def test_what_is_no_date_is_none(value: str) -> None:
    assert dates.read(value) is None


def test_a_leap_second_is_the_one_before() -> None:
    assert dates.read("Thu, 31 Dec 2026 23:59:60 +0000") == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_an_unreadable_date_is_named() -> None:
    found = read(b"From: a@example.com\r\nDate: tomorrow\r\n\r\nx")
    assert (found.sent_at, found.problems) == (None, ("Date is unreadable",))


@every_row(
    ("value", "identifier"),
    [
        (b"<a@b>", "a@b"), (b"a@b", "a@b"), (b"< a@b >", "a@b"), (b"<a@b", "a@b"), (b"[a@b]", "a@b"), (b'"a@b"', "a@b"), (b"<<a@b>>", "a@b"), (b"<a@b> <c@d>", "a@b"),
        (b"\r\n <a@\r\n b>", "a@b"), (b"<>", None), (b"", None),
    ],
)  # fmt: skip
def test_a_message_id_is_read(value: bytes, identifier: str | None) -> None:
    assert message_ids.of_mail(headers.scan(b"Message-ID: " + value + b"\r\n\r\n")) == identifier


@every_row(
    ("value", "identifiers"),
    [
        (b"<a@b> <c@d>", ("a@b", "c@d")), (b"<a@b><c@d>", ("a@b", "c@d")), (b"<a@b>,\r\n\t<c@d>", ("a@b", "c@d")), (b"<a@\r\n b> <c@d>", ("a@b", "c@d")), (b"a@b c@d", ("a@b", "c@d")),
        (b'Your message of "Mon, 2 Nov" <a@b>', ("a@b",)), (b"<a@b>; from x@y on Monday", ("a@b",)), (b"<a@b> <a@b>", ("a@b",)), (b"nothing", ()), (b"<>", ()),
    ],
)  # fmt: skip
def test_references_are_read(value: bytes, identifiers: tuple[str, ...]) -> None:
    assert (
        message_ids.referred(headers.scan(b"References: " + value + b"\r\n\r\n"), "references") == identifiers
    )


def test_of_many_references_the_first_and_the_last_are_kept() -> None:
    value = b" ".join(b"<%d@b>" % number for number in range(500))
    found = message_ids.referred(headers.scan(b"References: " + value + b"\r\n\r\n"), "references")
    assert (len(found), found[0], found[9], found[10], found[-1]) == (100, "0@b", "9@b", "410@b", "499@b")
