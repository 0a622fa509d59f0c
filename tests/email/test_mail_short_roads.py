"""What is passed over cheaply is nothing that the careful functions would have found."""

import random
import re
from email.utils import parsedate_to_datetime

import pytest

from channels import language
from channels.contract import Address
from channels.email import (
    addresses,
    automatic,
    dates,
    encoded_words,
    feedback,
    headers,
    mail_words,
    parting,
    parts,
    quote_marks,
    suspects,
    visible_text,
)
from channels.email.bounces import recognition
from tests.rows import every_row

LINES = (
    "", "", " ", "Hello,", "Thank you.", "\xa0", "-- ", "--", "- Anna", "-Anna Example", "Anna Example", "> quoted", ">", "> > twice", ">>> prompt", "AB> initials",
    "| bar", "｜ wide bar", "|a|b|", "_______________", "-----Original Message-----", "---------- Forwarded message ---------", "Begin forwarded message:",
    "On Mon, 2 Nov 2026 at 10:00, Ana <a@b.example> wrote:", "On Mon, 2 Nov 2026 at 10:00, Ana", "<a@b.example> wrote:", "Am 02.11.2026 um 10:00 schrieb Anna:*",
    "From: Ana <a@b.example>", "Sent: Monday, 2 November 2026 10:00", "To: Support <support@example.com>", "Subject: Lamp", "发件人：Ana <a@b.example>", "日期：2026-11-02 10:00",
    "Von: Anna <a@b.example> Gesendet: 02.11.2026 10:00 An: Support Betreff: Lampe", "Anna Example/Berlin", "02.11.2026 10:00", "11/02/2026 10:00 AM", "10:00:00 2026",
    "To", "Subject", "cc", "## please reply above this line ##", "Type above this line", "*** URGENT ***", "I told you: no", "https://shop.example/a:b", "Sent from my iPhone",
    "Get Outlook for Android", "text\r", "\ttext>", "trailing_", "bold*", "=====", "#12 of the order", "•item", "~", "\x85", "\u2028x", "2 lamps", "(two)", "é: è", "wrote:\xa0",
    ">From the shop", "\ufeff", "\x1f12.11.2026 10:00", "Mail was checked for viruses by avast", "Please consider the environment before you print this e-mail",
)  # fmt: skip
NAMES = ("Anna", "Mail Delivery", "mta", "SMTP", "ſmtp", "MİCROSOFT exchange", "Microsoft Outlook", "the antivirus.", "gateway", "gateways", "system administrator",
         "系统管理员", "システム管理者", "x-mta", "Mailscan2", "", "a\u212a", "mail\x85system", "imss", "delivery system")  # fmt: skip


def _keys(text: str) -> list[str]:
    return [line.strip(suspects.SPACE) for line in text.split("\n")]


def _letters(number: int) -> str:
    chance = random.Random(number)
    return "\n".join(chance.choice(LINES) for _ in range(chance.randrange(1, 14)))


def test_no_line_that_is_passed_over_announces_an_older_mail() -> None:
    for number in range(1_500):
        text = _letters(number)
        keys = _keys(text)
        mail = parting.Lines(lines=keys, keys=keys, cut=[False] * len(keys), end=len(keys))
        for at in set(range(len(keys))).difference(suspects.of_borders(text, keys, None)):
            assert not visible_text._begins_forward(mail, at), (text, at)
            assert not keys[at] or visible_text._older_begins(mail, at) is None, (text, at)


def test_no_line_that_is_passed_over_is_quoted() -> None:
    for number in range(1_500):
        keys = _keys(_letters(number))
        mail = parting.Lines(lines=keys, keys=keys, cut=[False] * len(keys), end=len(keys))
        for at in set(range(len(keys))).difference(suspects.of_quotes(keys)):
            assert not keys[at] or not visible_text._begins_quote(mail, at), (keys, at)


def test_text_without_a_colon_has_no_attribution_to_set_apart() -> None:
    for number in range(500):
        text = _letters(number)
        assert ":" in text or quote_marks.with_attributions_apart(text) == text


def _values(number: int) -> bytes:
    chance = random.Random(number)
    pieces = (
        b"Anna ",
        b" ",
        b"\t",
        b"\r\n ",
        b"=?utf-8?q?a?=",
        b"\xc3\xa9",
        b"\x07",
        b"\x1b",
        b"",
        b"a" * 1_200,
        b"=?",
        b"<a@b.example>",
    )
    return b"".join(chance.choice(pieces) for _ in range(chance.randrange(4)))


def test_a_usual_value_reads_as_any_other() -> None:
    for number in range(1_000):
        value = _values(number)
        assert headers.readable(value) == headers.clean(encoded_words.decode(headers.unfolded(value))), value


def _carefully(value: str) -> tuple[Address, ...]:
    found: list[Address] = []
    addresses._parse_field(value, found)
    return tuple(found)


def test_a_usual_mailbox_reads_as_any_other() -> None:
    pieces = (
        "Anna",
        " ",
        "  ",
        "Example",
        "<",
        "a.b+c",
        "@",
        "B.Example",
        ">",
        ".",
        "-",
        '"',
        ",",
        "(x)",
        "=?utf-8?q?a?=",
        "é",
        "٣",
        "a" * 70,
        "\t",
    )
    usual = (
        "Anna Example <a.b+c@B.Example>",
        "<a@b.example>",
        "Dr. A-B 3 <A@b.example>",
        "Anna<a@b.example>",
    )
    for number in range(4_000):
        chance = random.Random(number)
        value = chance.choice(usual)
        for _ in range(chance.randrange(3)):
            at = chance.randrange(len(value) + 1)
            value = value[:at] + chance.choice(pieces) + value[at + chance.randrange(2) :]
        assert addresses.parse([value]) == _carefully(value), value


@every_row(
    "value",
    ["Sat, 21 Nov 2026 09:00:00 +0100", "1 Feb 2026 23:59:59 -0000", "Sat, 21 Nov 2026 09:00:00 -1130 (CET)", "Xyz, 09 Jan 1999 00:00:00 +0000"],
)  # fmt: skip
def test_a_usual_date_reads_as_the_library_reads_it(value: str) -> None:
    found = dates.read(value)
    assert found is not None
    expected = parsedate_to_datetime(value)
    assert found.utcoffset() == (expected.utcoffset() or found.utcoffset())
    assert found.replace(tzinfo=None) == expected.replace(tzinfo=None)


@pytest.mark.parametrize(
    "value", ["31 Feb 2026 10:00:00 +0100", "0 Nov 2026 10:00:00 +0100", "Sat, 21 Nov 2026 09:00:00 +2500"]
)
def test_a_day_or_zone_that_there_is_not_is_unreadable(value: str) -> None:
    assert dates.read(value) is None


@every_row("local", NAMES)
@every_row("name", NAMES)
def test_an_office_is_found_in_either_name(local: str, name: str) -> None:
    both = recognition._OFFICE.search(name) or recognition._OFFICE.search(local)
    assert recognition._has_office(local, name) is bool(both)


@every_row("letter", ["i", "I", "ı", "İ"])
def test_words_of_a_disclaimer_are_found_with_every_i(letter: str) -> None:
    assert mail_words.CONFIDENTIAL.is_in(f"g{letter}zl{letter}")


def test_prose_is_the_words_with_single_spaces_between() -> None:
    pieces = (
        "Wort",
        "été",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\n\n\n",
        "\r\n",
        "\t",
        "\xa0",
        "\u2003",
        "\x1f",
        "\u200b",
        "語",
    )
    for number in range(1_000):
        chance = random.Random(number)
        text = "".join(chance.choice(pieces) for _ in range(12))
        expected = " ".join(text.split())
        if not expected.isprintable():
            expected = language._UNSPEAKABLE.sub(" ", expected)
        assert language._prose(text) == expected, text


def test_grouped_words_find_what_the_plain_list_finds() -> None:
    plain = re.compile(rf"(?i)(?<![a-z])(?:{mail_words._DEVICES}|{mail_words._PROGRAMS})")
    words = re.findall(
        r"[\w.]+",
        f"{mail_words._DEVICES}|{mail_words._PROGRAMS}|iPhone12 Mailbird x-gmail onetwo niner Nine lg",
    )
    for word in words:
        for text in (word, f"a{word}", f"from my {word.upper()}s", word[1:]):
            grouped, listed = mail_words.PRODUCT.search(text), plain.search(text)
            assert (grouped and grouped[0]) == (listed and listed[0]), text


HEADER = (
    b"X-Mailer: Thunderbird", b"X-Mailer: vacation 1.0", b"User-Agent: auto-responder", b"Return-Path: <>", b"Return-Path: <a@b.example>", b"Return-Path: <MAILER-DAEMON@b.example>",
    b"In-Reply-To: <1@b.example>", b"Precedence: bulk", b"Precedence: first-class", b"X-Precedence: list", b"Auto-Submitted: auto-generated", b"Auto-Submitted: no", b"X-Vacation: yes",
    b"X-Auto-Response-Suppress: All", b"X-Failed-Recipients: a@b.example", b"List-Id: <l.b.example>", b"List-Unsubscribe: <https://b.example>", b"X-DSNContext: 1", b"X-Loop: autoreply",
    b"Message-Class: IPM.Note.Rules.OofTemplate.Microsoft", b"X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent", b"Delivered-To: vacation@b.example", b"Feedback-ID: 1",
    b"X-MS-Embedded-Report: 1", b"X-Autogenerated: Reply",
)  # fmt: skip
FROM = (
    b"Anna <a@b.example>",
    b"MAILER-DAEMON@b.example",
    b"Mail Delivery System <x@b.example>",
    b"postmaster <p@b.example>",
    b"Anna",
    b"<@>",
    b"Root <root@b.example>",
    b"ndr@b.example",
)
SUBJECT = (
    b"Where is my lamp?", b"Undelivered Mail Returned to Sender", b"Re: failure notice", b"Automatic reply: Lamp", b"Out of office", b"Read: Lamp", b"Fwd: Abwesend", b"",
)  # fmt: skip
BODY = ("Hello, my lamp is broken.", "I am out of the office.", "Your message was read on Monday.", "<x@b.example>: 550 5.1.1 user unknown", "Hi. This is the mail server.\n<x@b.example> failed", "")  # fmt: skip


@pytest.mark.slow
def test_a_mail_that_is_passed_over_bears_no_mark_of_a_machine() -> None:
    ordinary = 0
    for number in range(6_000):
        chance = random.Random(number)
        written = [b"From: " + chance.choice(FROM), b"Subject: " + chance.choice(SUBJECT)]
        written += chance.sample(HEADER, chance.randrange(3))
        fields = headers.scan(b"\r\n".join(written) + b"\r\n\r\n")
        sender = next(iter(addresses.parse(fields.structured("from"))), None)
        path, text = chance.choice((None, "", "a@b.example")), chance.choice(BODY)
        if sender is None or not automatic._is_ordinary(
            fields, envelope_sender=path, sender=sender, text=text
        ):
            continue
        ordinary += 1
        root = parts.Part(path="", content_type="text/plain", content=text.encode())
        kind = automatic._by_marks(
            fields, root, envelope_sender=path, sender=sender, text=text, recipients=()
        )
        assert kind == ("delivery_receipt" if feedback.is_read_notice(fields, text) else None), written
    assert ordinary > 100
