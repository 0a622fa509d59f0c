"""Mails that are made to stop a parser, and one that is only large. Each is whole: headers, body, no final dot."""

import base64
from collections.abc import Callable

_HEAD = "From: Mallory <mallory{number}@attack.example>\r\nTo: support@example.com\r\nMessage-ID: <hostile-{number}@attack.example>\r\n"


def _head(number: int, subject: str = "hostile") -> bytes:
    return (_HEAD.format(number=number) + f"Subject: {subject}\r\nMIME-Version: 1.0\r\n").encode()


def large(number: int) -> bytes:
    """One attachment that makes a mail of 25 MB."""
    line = base64.b64encode(bytes(range(57))) + b"\r\n"
    body = line * (25_000_000 // len(line))
    return (
        _head(number, "the drawings")
        + b'Content-Type: application/pdf; name="drawings.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
        + b'Content-Disposition: attachment; filename="drawings.pdf"\r\n\r\n'
        + body
    )


def many_parts(number: int) -> bytes:
    """A hundred thousand empty parts."""
    return (
        _head(number)
        + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + b"--b\r\n\r\n\r\n" * 100_000
        + b"--b--\r\n"
    )


def long_subject(number: int) -> bytes:
    """A megabyte of encoded words in one header."""
    words = b"\r\n ".join([b"=?utf-8?B?xIXEhcSFxIXEhcSFxIXEhcSFxIXEhcSFxIXEhQ==?="] * 18_000)
    return _HEAD.format(number=number).encode() + b"Subject: " + words + b"\r\n\r\nhello\r\n"


def many_quotes(number: int) -> bytes:
    """An address header of opening quotes."""
    return b"Cc: " + b'"' * 50_000 + b"\r\n" + _head(number) + b"\r\nhello\r\n"


def deep_nest(number: int) -> bytes:
    """Two thousand multiparts, one in the other."""
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="n%d"\r\n\r\n--n%d\r\n' % (level, level)
        for level in range(2_000)
    )
    return _head(number) + opened + b"\r\nhello\r\n"


def deep_html(number: int) -> bytes:
    """HTML of fifty thousand nested tables."""
    return _head(number) + b"Content-Type: text/html\r\n\r\n" + b"<table><tr><td>\r\n" * 50_000 + b"hello\r\n"


KINDS: tuple[Callable[[int], bytes], ...] = (
    large,
    many_parts,
    long_subject,
    many_quotes,
    deep_nest,
    deep_html,
)
