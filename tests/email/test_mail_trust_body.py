"""The body that signatures cover, written piece by piece, is the one that RFC 6376 §3.4 writes in one go."""

import random
import re
import time
from hashlib import sha256

import pytest

from channels.email import signed_mail
from channels.email.resolver import NoAnswer
from channels.email.signed_mail import Mail

_PIECES = (b"a", b"b", b" ", b"  ", b"\t", b"\r\n", b"\n", b"\r\n\r\n", b"\r", b"word", b" \r\n", b"\t\n")


def simple(body: bytes) -> bytes:
    body = re.sub(rb"\r?\n", b"\r\n", body)
    return re.sub(rb"(\r\n)*\Z", b"", body) + b"\r\n"


def relaxed(body: bytes) -> bytes:
    lines = re.sub(rb"\r?\n", b"\r\n", body).split(b"\r\n")
    written = b"\r\n".join(re.sub(rb" +\Z", b"", re.sub(rb"[ \t]+", b" ", line)) for line in lines)
    written = re.sub(rb"(\r\n)*\Z", b"", written)
    return written + b"\r\n" if written else b""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64 * 1024])
def test_pieces_are_written_as_the_whole(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(signed_mail, "PIECE_BYTES", size)
    source = random.Random(size)
    for _ in range(300):
        body = b"".join(source.choices(_PIECES, k=source.randrange(25)))
        mail = Mail(b"From: a@b.example\r\n\r\n" + body)
        for is_relaxed, write in ((False, simple), (True, relaxed)):
            wanted, found = write(body), mail.body_hash(is_relaxed=is_relaxed)
            assert (found.size, found.digest) == (len(wanted), sha256(wanted).digest()), (body, is_relaxed)


def test_example_of_the_rfc_is_written_so() -> None:
    """RFC 6376 §3.4.5."""
    mail = Mail(b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n")
    assert mail.body_hash(is_relaxed=True).digest == sha256(b" C\r\nD E\r\n").digest()
    assert mail.body_hash(is_relaxed=False).digest == sha256(b" C \r\nD \t E\r\n").digest()
    assert mail.fields == ((b"A", b" X"), (b"B ", b" Y\t\r\n\tZ  "))


def test_time_ends_it() -> None:
    """A mail of 25 MB of blanks is not hashed to its end when the time is over."""
    mail = Mail(b"A: x\r\n\r\n" + b" \r\n" * 100_000, ends_at=time.monotonic() - 1)
    with pytest.raises(NoAnswer):
        mail.body_hash(is_relaxed=True)
