from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from hashlib import sha256

import msgspec
import pytest

from channels.contract import Address, Costly, Identity, Message, RawMessage
from channels.email import message
from tests.rows import every_row

OPTIONS = message.Options(trusted_authserv_ids=("mx.example.net",))


def raw_mail(content: bytes | str, **envelope: object) -> RawMessage:
    return RawMessage(
        kind="email.smtp",
        account="support",
        lane="anna@example.com",
        body=content if isinstance(content, bytes) else content.replace("\n", "\r\n").encode(),
        received_at=datetime(2026, 11, 2, tzinfo=UTC),
        envelope=envelope,
    )


def parsed(content: bytes | str, **envelope: object) -> Message:
    return message.parse(raw_mail(content, **envelope), OPTIONS)


PLAIN = """\
Message-ID: <one@example.com>
In-Reply-To: <zero@example.net>
References: <minus@example.net> <zero@example.net>
Date: Mon, 2 Nov 2026 11:00:00 +0100
From: =?utf-8?q?J=C3=BCrgen?= Miller <Anna@Example.COM>
To: Support <support@example.net>, Sales <sales@example.net>
Cc: "Doe, Jane" <jane@example.org>
Subject: =?utf-8?b?UsO8Y2tmcmFnZQ==?= =?utf-8?q?_zur_Rechnung?=
X-Priority: 1
Content-Type: text/plain; charset=utf-8

Where is the lamp that I ordered three weeks ago?

--\x20
Jürgen
"""


def test_a_plain_mail_becomes_the_normal_form() -> None:
    found = parsed(PLAIN)
    assert found.kind == "email"
    assert found.message_id == "one@example.com"
    assert found.in_reply_to == ("zero@example.net",)
    assert found.references == ("minus@example.net", "zero@example.net")
    assert found.from_ == Address("Anna@example.com", "Jürgen Miller")
    assert found.to == (Address("support@example.net", "Support"), Address("sales@example.net", "Sales"))
    assert found.cc == (Address("jane@example.org", "Doe, Jane"),)
    assert found.subject == "Rückfrage zur Rechnung"
    assert found.sent_at == datetime(2026, 11, 2, 11, tzinfo=timezone(timedelta(hours=1)))
    assert found.visible_text == "Where is the lamp that I ordered three weeks ago?"
    assert found.quoted_text == "-- \nJürgen"
    assert found.language == "en"
    assert found.sender == Identity("email", "anna@example.com")
    assert found.headers["x-priority"] == ("1",)
    assert found.automatic is None
    assert found.problems == ()


def test_the_normal_form_is_json() -> None:
    decoded = msgspec.json.decode(msgspec.json.encode(parsed(PLAIN)), type=Message)
    assert decoded == parsed(PLAIN)


def test_the_slow_road_gives_the_same_message() -> None:
    raw = raw_mail(PLAIN)
    assert message.parse_costly(raw, OPTIONS) == message.parse(raw, OPTIONS)


def with_parts() -> bytes:
    mail = EmailMessage()
    mail["From"] = "anna@example.com"
    mail["Subject"] = "files"
    mail.set_content("See the files.\n")
    mail.add_alternative("<p>See the <b>files</b>.</p>", subtype="html")
    mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Rechnung März.pdf")
    mail.add_attachment(
        b"\x89PNG", maintype="image", subtype="png", filename="../../etc/passwd", cid="<logo>"
    )
    inner = EmailMessage()
    inner["Subject"] = "the earlier one"
    inner.set_content("earlier\n")
    mail.add_attachment(inner)
    return bytes(mail)


def test_attachments_are_listed_with_safe_names_and_hashes() -> None:
    found = parsed(with_parts()).attachments
    assert [attachment.name for attachment in found] == ["Rechnung März.pdf", "passwd", "the earlier one.eml"]
    assert [attachment.content_type for attachment in found] == [
        "application/pdf",
        "image/png",
        "message/rfc822",
    ]
    assert found[0].size == 8
    assert found[0].sha256 == sha256(b"%PDF-1.7").hexdigest()
    assert [attachment.inline for attachment in found] == [False, False, False]


def test_the_bytes_of_an_attachment_are_read_out_of_the_raw_mail() -> None:
    content = with_parts()
    for attachment in parsed(content).attachments:
        assert sha256(message.attachment_bytes(content, attachment.part)).hexdigest() == attachment.sha256


def test_a_mail_that_is_one_file_lists_it() -> None:
    content = b"From: a@example.com\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n"
    (found,) = parsed(content).attachments
    assert found.name == "attachment-1.pdf"
    assert message.attachment_bytes(content, found.part) == b"%PDF"


@every_row("part", ["9", "1.9", "", "x", "-1", "0.1"])
def test_a_part_that_is_not_there_is_said_so(part: str) -> None:
    with pytest.raises(LookupError):
        message.attachment_bytes(with_parts(), part)


def test_an_ambiguous_from_gives_no_identity_of_its_own() -> None:
    """Two addresses in From: Reply-To speaks, and the mail says that it is odd."""
    found = parsed(
        "From: a@example.com, b@example.org\nReply-To: c@example.com\n\nhello\n", sender="d@example.com"
    )
    assert found.sender == Identity("email", "c@example.com")
    assert "From names several addresses" in found.problems


def test_two_from_fields_give_no_identity_of_their_own() -> None:
    """Which of them a reader sees depends on the program: an attacker would choose."""
    for second in ("b@example.org", "nobody at all"):
        assert parsed(f"From: a@example.com\nFrom: {second}\n\nhello\n", sender="").sender is None


def test_without_from_the_envelope_says_who_wrote() -> None:
    found = parsed("Subject: x\n\nhello\n", sender="D@Example.com")
    assert found.from_ is None
    assert found.sender == Identity("email", "d@example.com")


def test_nobody_is_the_sender_of_an_anonymous_mail() -> None:
    assert parsed("Subject: x\n\nhello\n", sender="").sender is None


def test_a_misleading_name_does_not_become_the_address() -> None:
    found = parsed("From: alice@example.org <bob@evil.example>\n\nhello\n")
    assert found.sender == Identity("email", "bob@evil.example")


@every_row("date", ["yesterday", "Mon, 99 Foo 2026 99:99:99", "2026", "Mon, 1 Jan 99999 10:00 +0000"])
def test_an_unreadable_date_is_a_problem_and_no_error(date: str) -> None:
    found = parsed(f"From: a@example.com\nDate: {date}\n\nhello\n")
    assert found.sent_at is None
    assert "Date is unreadable" in found.problems


def test_a_date_without_zone_counts_as_utc() -> None:
    found = parsed("From: a@example.com\nDate: Mon, 2 Nov 2026 11:00:00 -0000\n\nhello\n")
    assert found.sent_at == datetime(2026, 11, 2, 11, tzinfo=UTC)


def test_headers_are_bounded_and_without_signatures() -> None:
    many = "".join(f"X-{number}: {'v' * 3000}\n" for number in range(80))
    found = parsed(f"From: a@example.com\nDKIM-Signature: v=1\n{many}{many}\nhello\n").headers
    assert "dkim-signature" not in found
    assert sum(len(values) for values in found.values()) <= 100
    assert max(len(value) for values in found.values() for value in values) <= 1000


def test_a_mail_without_any_header_is_text() -> None:
    found = parsed("hello, this is no header\nat all\n")
    assert found.text == "hello, this is no header\nat all"


def test_a_missing_empty_line_after_the_header_loses_no_text() -> None:
    found = parsed("From: a@example.com\nSubject: x\nHello there\nsecond line\n")
    assert found.subject == "x"
    assert found.text == "Hello there\nsecond line"
    assert "No empty line between header and text" in found.problems


def test_a_text_too_long_is_cut_and_says_so() -> None:
    found = message.parse(
        raw_mail("From: a@example.com\n\n" + "word " * 100), message.Options(max_text_chars=50)
    )
    assert len(found.text) <= 50
    assert found.problems == ("The text was cut at 50 characters",)


def test_large_html_is_left_to_the_slow_road() -> None:
    raw = raw_mail("From: a@example.com\nContent-Type: text/html\n\n" + "<p>word</p>" * 60_000)
    with pytest.raises(Costly):
        message.parse(raw, OPTIONS)
    assert message.parse_costly(raw, OPTIONS).text.startswith("word\n")


def test_options_refuse_what_they_do_not_know() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"languages": ["en"], "colour": "red"}, message.Options)
