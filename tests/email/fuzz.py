"""Mails that somebody broke, made from a number: `python -m tests.email.fuzz --count 10000000`.

Each is read as the daemon reads it. What raises, takes two seconds of a processor, loses an attachment or makes a text
vanish ends the run with the number that showed it; at the end stand the slowest, the 99th percentile and the memory.
"""

import argparse
import math
import multiprocessing
import random
import resource
import sys
import time
from collections.abc import Iterator

from channels.contract import Costly, Message
from channels.email import identity, message
from tests.email.bombs import HTML, MIXED, TEXT
from tests.email.test_mail_hostile import OPTIONS, PIECES_OF_MAIL, raw_mail, seeds
from tests.torture.mailmix import MIXES, Pool

SLOWEST_S = 2.0
P99_S = 0.050
MEMORY_BYTES = 256 << 20
LONG_RUN = 5_000_000  # whose figures are kept
_CHUNK = 2_000
_CHARSETS = (
    b"utf-8",
    b"iso-8859-2",
    b"windows-1253",
    b"utf-7",
    b"gb18030",
    b"iso-2022-jp",
    b"utf-16",
    b"x-none",
    b"hz",
    b"koi8-r",
    b"cp1250",
    b"",
)
_ENCODINGS = (b"base64", b"quoted-printable", b"8bit", b"7bit", b"binary", b"x-uuencode", b"base-64", b"")
_TYPES = (
    b"text/plain", b"text/html", b"text/enriched", b"text/calendar", b"multipart/mixed; boundary=B", b"multipart/alternative; boundary=B",
    b"multipart/related; boundary=B", b"multipart/signed; boundary=B", b"multipart/report; report-type=delivery-status; boundary=B",
    b"multipart/report; report-type=feedback-report; boundary=B", b"multipart/digest; boundary=B", b"message/rfc822",
    b"message/delivery-status", b"message/partial", b"message/external-body", b"application/ms-tnef", b"application/pkcs7-mime; name=smime.p7m",
    b"image/png; name=a.png", b"text", b"", b"; charset=", b"text/plain; format=flowed; delsp=yes", b"multipart/mixed",
)  # fmt: skip
_NAMES = (
    b"From", b"To", b"Cc", b"Reply-To", b"Subject", b"Date", b"Message-ID", b"In-Reply-To", b"References", b"Content-Type", b"Auto-Submitted",
    b"Content-Transfer-Encoding", b"Content-Disposition", b"Authentication-Results", b"X-Failed-Recipients", b"List-Id", b"Precedence",
    b"Content-ID", b"Content-Location", b"Return-Path", b"Received",
)  # fmt: skip


def sources() -> tuple[bytes, ...]:
    """Whole mails to break: of every shape that is read by a way of its own."""
    mix = Pool(MIXES["light"], seed=7, recipient="support@example.com")
    grown = [mix.mail(number).content for number in range(40)]
    return (
        *seeds(),
        *(each for each in grown if len(each) < 40_000),
        TEXT + b'; charset="utf-8"\r\n\r\nThank you.\r\n\r\nOn Mon, 2 Nov 2026 at 10:00, Ana <a@b.example> wrote:\r\n> one\r\n> two\r\n-- \r\nAna\r\n',
        HTML + b'<div>Thank you</div><blockquote type="cite"><p>one</p></blockquote><table><tr><td>a<td>b</table><a href="https://x.example">y</a>',
        MIXED + b'--B\r\nContent-Type: application/ms-tnef; name="winmail.dat"\r\n\r\n\x78\x9f\x3e\x22\x01\x00\x01\x06\x90\x08\x00\x04\x00\x00\x00\x00\x00\x01\x00\x01\x00\r\n--B--\r\n',
        MIXED + b"--B\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:a\r\nDTSTART;TZID=Europe/Warsaw:20261102T100000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--B--\r\n",
        MIXED + b"--B\r\n\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n--B--\r\n",
        b"From: MAILER-DAEMON@a.example\r\nSubject: Undelivered Mail\r\n\r\n<x@b.example>: host mx.b.example said: 550 5.1.1 unknown user\r\n\r\n--- Below this line is a copy\r\nMessage-ID: <1@c.example>\r\n",
        b"Subject: =?iso-2022-jp?b?GyRCRnxLXDhsGyhC?= =?utf-8?q?a?=\r\nFrom: \xe1\xe2 <a@b.example>\r\n\r\n\x1b$BF|K\\8l\x1b(B",
    )  # fmt: skip


def broken(number: int, whole: tuple[bytes, ...]) -> bytes:
    """A mail with one to six pieces turned; the same for the same number."""
    chance = random.Random(number)
    content = chance.choice(whole)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        content = chance.choice(_TURNS)(content, chance)
    return content


def _bytes_turned(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice(PIECES_OF_MAIL) + content[at + chance.choice((0, 1, 4, 40)) :]


def _noise(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return (
        content[:at]
        + chance.randbytes(chance.choice((1, 2, 8, 64)))
        + content[at + chance.choice((0, 1, 8)) :]
    )


def _bit_turned(content: bytes, chance: random.Random) -> bytes:
    if not content:
        return content
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _repeated(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    piece = content[at : at + chance.choice((1, 10, 100))]
    return content[:at] + piece * chance.choice((2, 10, 300)) + content[at:]


def _line_moved(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    line = lines.pop(chance.randrange(len(lines)))
    lines.insert(chance.randrange(len(lines) + 1), line)
    return b"\n".join(lines)


def _field_added(content: bytes, chance: random.Random) -> bytes:
    return chance.choice(_NAMES) + b": " + _value(chance) + b"\r\n" + content


def _type_turned(content: bytes, chance: random.Random) -> bytes:
    was, now = chance.choice(((_TYPES, _TYPES), (_CHARSETS, _CHARSETS), (_ENCODINGS, _ENCODINGS)))
    return content.replace(chance.choice(was) or b"\r\n\r\n", chance.choice(now), 1)


def _line_ends_turned(content: bytes, chance: random.Random) -> bytes:
    return content.replace(b"\r\n", chance.choice((b"\n", b"\r", b"\n\r", b"\r\r\n")))


def _put_inside(content: bytes, chance: random.Random) -> bytes:
    head = (
        b"Content-Type: "
        + chance.choice(_TYPES)
        + b"\r\nContent-Transfer-Encoding: "
        + chance.choice(_ENCODINGS)
    )
    return b"From: a@b.example\r\n" + head + b"\r\n\r\n--B\r\n" + content + b"\r\n--B--\r\n"


_TURNS = (
    _bytes_turned, _bytes_turned, _noise, _bit_turned, _cut, _repeated, _line_moved, _field_added, _type_turned, _line_ends_turned, _put_inside,
)  # fmt: skip


def _value(chance: random.Random) -> bytes:
    pieces = (
        *_TYPES,
        *_CHARSETS,
        *PIECES_OF_MAIL,
        b"a@b.example",
        b"<a@b.example>",
        b"=?utf-8?q?=C3=A9?=",
        b"name*0*=utf-8''%C3",
    )
    return b" ".join(chance.choice(pieces) for _ in range(chance.randint(0, 6))).replace(b"\r\n\r\n", b" ")


def read(content: bytes) -> Message:
    """The normal form, by the road that the daemon takes."""
    raw = raw_mail(content)
    identity.content_key(content)
    try:
        return message.parse(raw, OPTIONS)
    except Costly:
        return message.parse_costly(raw, OPTIONS)


def check(content: bytes, found: Message) -> None:
    """Raises: AssertionError when something was lost on the way."""
    for attachment in found.attachments[:3]:  # each is one more look at the whole mail
        size = len(message.attachment_bytes(content, attachment.part))
        assert size == attachment.size, f"{attachment.name}: {size} bytes, not {attachment.size}"
    assert bool(found.visible_text.strip()) or not found.text.strip(), "the visible text is empty"


def run(first: int, count: int) -> list[float]:
    """Read so many mails; the seconds of a processor that each took. Raises: AssertionError with the mail's number."""
    whole = sources()
    taken: list[float] = []
    for number in range(first, first + count):
        content = broken(number, whole)
        begun = time.thread_time()
        try:
            found = read(content)
            taken.append(time.thread_time() - begun)
            check(content, found)
        except Exception as error:
            raise AssertionError(f"mail {number}: {error!r}") from error
        assert taken[-1] < SLOWEST_S, f"mail {number} took {taken[-1]:.1f} s"
    return taken


def _chunk(span: tuple[int, int]) -> tuple[list[float], int]:
    return run(*span), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _chunks(first: int, count: int) -> Iterator[tuple[int, int]]:
    for start in range(first, first + count, _CHUNK):
        yield start, min(_CHUNK, first + count - start)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.email.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    options = parser.parse_args()
    histogram = [0] * 64  # by powers of the square root of two, from 10 µs: ten million times fit
    slowest, memory, done = 0.0, 0, 0
    begun = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for taken, peak in pool.imap_unordered(_chunk, _chunks(options.first, options.count)):
            for each in taken:
                histogram[min(63, max(0, int(math.log2(max(each, 1e-5) / 1e-5) * 2)))] += 1
            slowest, memory, done = max(slowest, *taken), max(memory, peak), done + len(taken)
            pace = done / (time.monotonic() - begun)
            print(f"\r{done} of {options.count} mails, {pace:.0f}/s", end="", file=sys.stderr, flush=True)
    p99 = _p99(histogram)
    print(
        f"\n{done} broken mails, none fails: p99 below {p99 * 1000:.1f} ms, slowest {slowest * 1000:.0f} ms, {memory >> 20} MiB a process"
    )
    if done >= LONG_RUN:
        from bench import torture

        torture.record_broken_mail(done, p99_s=p99, slowest_s=slowest, memory_bytes=memory)
    return int(p99 > P99_S or memory > MEMORY_BYTES)


def _p99(histogram: list[int]) -> float:
    """The upper end of the class in which the 99th percentile lies, seconds."""
    left = sum(histogram) * 0.99
    for place, number in enumerate(histogram):
        left -= number
        if left <= 0:
            return 1e-5 * 2 ** ((place + 1) / 2)
    return math.inf


if __name__ == "__main__":
    sys.exit(main())
