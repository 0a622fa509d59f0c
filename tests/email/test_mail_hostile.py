"""What is sent to freeze or crash a parser is read in bounded time, and the message says what was cut."""

import asyncio
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.contract import Costly, Message, RawMessage
from channels.email import identity, message
from tests.email.bombs import BOMBS, nested
from tests.rows import every_row

OPTIONS = message.Options()


def raw_mail(content: bytes) -> RawMessage:
    return RawMessage(
        kind="email.smtp",
        account="a",
        lane="l",
        body=content,
        received_at=datetime(2026, 11, 2, tzinfo=UTC),
        envelope={"sender": "a@example.com", "recipients": ["support@example.net"]},
    )


def both_roads(content: bytes) -> Message:
    raw = raw_mail(content)
    try:
        return message.parse(raw, OPTIONS)
    except Costly:
        return message.parse_costly(raw, OPTIONS)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_within_two_seconds_of_one_core(name: str) -> None:
    content = BOMBS[name]()
    begin = time.process_time()
    found = both_roads(content)
    identity.content_key(content)
    assert time.process_time() - begin < 2.0
    assert len(found.text) <= OPTIONS.max_text_chars
    assert len(found.attachments) <= 200


@every_row(
    ("name", "problem"),
    [
        ("1 MB of encoded words", "The header was cut at 256 KiB"),
        ("100 000 header fields", "Only the first 1000 header fields were read"),
        ("100 000 parts", "There are too many parts: the rest was not read"),
        ("10 000 multiparts nested", "Parts nested deeper than 50 were not read"),
        ("a line of 25 MB", "The text was cut at 200000 characters"),
        ("20 000 addresses", "The header field to was cut at 64 KB"),
    ],
)
def test_what_was_cut_is_said(name: str, problem: str) -> None:
    assert problem in both_roads(BOMBS[name]()).problems


def test_nesting_a_little_above_the_cap_is_cut_too() -> None:
    assert "Parts nested deeper than 50 were not read" in both_roads(nested(60)).problems


@lru_cache(maxsize=1)
def seeds() -> tuple[bytes, ...]:
    part = b'--B\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n> quoted\r\n-- \r\nAnna\r\n'
    html = b'--B\r\nContent-Type: text/html; charset=iso-8859-2\r\n\r\n<pre>a\nb</pre><blockquote>c</blockquote><a href="https://x.example">d</a>\r\n'
    file = b"--B\r\nContent-Type: image/png; name*0*=utf-8''%C3; name*1*=%BC.png\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <a@b>\r\n\r\niVBORw==\r\n"
    inner = b"--B\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nMessage-ID: <i@x>\r\n\r\ntext\r\n"
    status = b"--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    head = b"Message-ID: <1@x>\r\nDate: Mon, 2 Nov 2026 11:00:00 +0100\r\nFrom: =?utf-8?b?SsO8?= <a@example.com>\r\nTo: g: b@example.com, c@example.com;\r\nSubject: =?iso-8859-1?q?=E9?= x\r\nReferences: <a@b>\r\n <c@d>\r\n"
    mixed = b'Content-Type: multipart/mixed; boundary="B"\r\n\r\n'
    report = b'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
    alternative = b'Content-Type: multipart/alternative; boundary="B"\r\n\r\n'
    return (
        head + b"\r\nplain text\r\n",
        head + mixed + part + file + inner + b"--B--\r\n",
        head + alternative + part + html + b"--B--\r\n",
        head + report + part + status + inner + b"--B--\r\n",
    )


PIECES_OF_MAIL = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"--B", b"--B--", b"=?utf-8?q?", b"?=", b"=", b"\x00", b"\xff", b"\xc3", b'"', b"<", b">", b"(", b";", b":", b"@",
     b"*0*=", b"multipart/", b"message/rfc822", b"charset=", b"base64", b"<pre>", b"<blockquote>", b"</", b"&#", b"> ", b"-- \n", b"From: ", b" " * 50,
)  # fmt: skip
PIECES = st.sampled_from(PIECES_OF_MAIL)


@st.composite
def mutated_mails(draw: st.DrawFn) -> bytes:
    content = draw(st.sampled_from(seeds()))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        removed = draw(st.integers(0, 40))
        content = content[:at] + draw(PIECES | st.binary(max_size=8)) + content[at + removed :]
    return content


def check(content: bytes) -> None:
    raw = raw_mail(content)
    with suppress(Costly):
        message.parse(raw, OPTIONS)
    found = message.parse_costly(raw, OPTIONS)
    identity.content_key(content)
    for attachment in found.attachments:
        assert len(message.attachment_bytes(content, attachment.part)) == attachment.size
    if found.text.strip():
        assert found.visible_text


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(content: bytes) -> None:
    check(content)


@pytest.mark.slow
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated_mails())
def test_mutated_mails_never_raise(content: bytes) -> None:
    check(content)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_shape_holds_up_the_loop() -> None:
    from tests.email import silence  # it takes its mails from here

    silences = asyncio.run(silence.measured(list(BOMBS)))
    assert {name: ms for name, ms in silences.items() if ms >= silence.LIMIT_MS} == {}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_thousand_broken_mails_are_read() -> None:
    command = [sys.executable, "-m", "tests.email.fuzz", "--count", "100000"]
    run = subprocess.run(command, check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert run.returncode == 0, run.stderr[-2000:] + run.stdout
