from channels.email.identity import content_key
from tests.rows import every_row

MAIL = (
    b"Return-Path: <anna@example.com>\r\nReceived: by mx1\r\nMessage-ID: <one@example.com>\r\nDate: Mon, 2 Nov 2026 11:00:00 +0100\r\n"
    b"From: anna@example.com\r\nTo: support@example.net\r\nSubject: lamp\r\n\r\nWhere is it?\r\n"
)


def test_the_key_names_the_message_id_and_the_content() -> None:
    key = content_key(MAIL)
    assert key is not None
    medium, message_id, digest = key.split(":")
    assert (medium, message_id, len(digest)) == ("mail", "one@example.com", 64)


@every_row(
    ("old", "new"),
    [
        (b"by mx1", b"by mx2\r\n\twith ESMTP"),
        (b"Return-Path: <anna@example.com>\r\n", b""),
        (b"To: support@example.net", b"To: sales@example.net"),
        (b"\r\n", b"\n"),
        (b"Where is it?\r\n", b"Where is it?\r\n\r\n\r\n"),
        (b"Subject: lamp", b"subject:  lamp "),
        (b"Message-ID: <", b"Message-Id:\r\n <"),
    ],
    ids=["received", "return-path", "recipient", "line-ends", "trailing-lines", "spaces", "folded"],
)
def test_the_same_mail_by_another_road_has_the_same_key(old: bytes, new: bytes) -> None:
    assert old in MAIL
    assert content_key(MAIL.replace(old, new)) == content_key(MAIL)


@every_row(
    ("old", "new"),
    [
        (b"Where is it?", b"Where is it now?"),
        (b"From: anna", b"From: eve"),
        (b"11:00:00", b"11:00:01"),
        (b"Subject: lamp", b"Subject: lamps"),
        (b"one@", b"two@"),
    ],
    ids=["body", "from", "date", "subject", "message-id"],
)
def test_other_content_has_another_key(old: bytes, new: bytes) -> None:
    assert content_key(MAIL.replace(old, new)) != content_key(MAIL)


def test_without_message_id_the_content_alone_is_the_key() -> None:
    content = MAIL.replace(b"Message-ID: <one@example.com>\r\n", b"")
    assert (content_key(content) or "").startswith("mail::")


def test_without_message_id_and_date_two_mails_are_never_the_same() -> None:
    assert content_key(b"From: a@example.com\r\nSubject: x\r\n\r\nhello\r\n") is None


def test_what_stands_in_the_text_is_no_header() -> None:
    assert content_key(b"From: a@example.com\r\n\r\nMessage-ID: <forged@example.com>\r\n") is None


@every_row(
    "content", [b"", b"\n", b"\r\n\r\n", b"\x00" * 100, b"Message-ID:\r\n\r\n", b"Date: " + b"\n " * 9999]
)
def test_odd_bytes_make_no_error(content: bytes) -> None:
    content_key(content)


def test_two_mails_with_an_endless_header_are_told_apart() -> None:
    """What stands behind the part of the header that is looked at counts, or the second mail would be lost."""
    endless = MAIL.partition(b"\r\n\r\n")[0] + b"\r\nX: " + b"a" * 300_000
    assert content_key(endless + b"\r\n\r\none") != content_key(endless + b"\r\n\r\ntwo")
