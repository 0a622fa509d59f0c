"""Reads the answers to FETCH, as imaplib gathers them: lines, and pairs of a line's beginning and a literal.

An answer counts only with the UID that stands in it. imapclient falls back on the sequence number, and puts answers with
the same one together: a body could end under another mail's UID.
"""

import imaplib
import re
from collections.abc import Iterable
from datetime import UTC
from typing import Any

import msgspec
from imapclient import datetime_util, response_parser

_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]*)"')
_BODY = re.compile(rb"\bBODY\[\]", re.IGNORECASE)


class Described(msgspec.Struct, frozen=True):
    """What a server says of a mail before its bytes are asked for. date: INTERNALDATE, epoch seconds, 0 = none."""

    uid: int
    size_bytes: int
    date: int


def described(line: bytes) -> Described | None:
    uid = _UID.search(line)
    if uid is None:
        return None
    size, date = _SIZE.search(line), _DATE.search(line)
    return Described(int(uid[1]), int(size[1]) if size else 0, _epoch(date[1]) if date else 0)


def _epoch(date: bytes) -> int:
    try:
        moment = datetime_util.parse_to_datetime(date, normalise=False)
        return int(moment.astimezone(UTC).timestamp())  # which the last hours of the year 9999 are not
    except (ValueError, OverflowError, TypeError, IndexError):
        return 0


def bodies(answer: list[Any]) -> Iterable[tuple[int, bytes]]:
    """Pair each body with the UID of its own answer, which may stand before or behind it."""
    for place, item in enumerate(answer):
        if isinstance(item, tuple):
            behind = answer[place + 1] if place + 1 < len(answer) else b""
            uid = _UID.search(item[0]) or (_UID.search(behind) if isinstance(behind, bytes) else None)
            if uid is not None and _BODY.search(item[0]):
                yield int(uid[1]), item[1]
        elif _BODY.search(item) and (uid := _UID.search(item)):
            yield int(uid[1]), _quoted_body(item)


def _quoted_body(line: bytes) -> bytes:
    """Read a body that came as a quoted string; b"" for NIL or what cannot be read."""
    try:
        _, fields = response_parser.parse_response([line])
        body = dict(zip(fields[::2], fields[1::2], strict=False)).get(b"BODY[]")
    except (ValueError, AssertionError, TypeError, imaplib.IMAP4.error):
        return b""
    return body if isinstance(body, bytes) else b""
