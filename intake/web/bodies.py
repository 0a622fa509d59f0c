"""Reads forms, whatever was sent for one: every fault of a sender's is told as theirs, and none is ours.

A form is UTF-8, as every form of ours is. A sender who may name the encoding could else name one that makes halves of
characters, or takes minutes to read (WHATWG HTML §4.10.21.7 sends UTF-8; 2026-11).
"""

from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from intake.web.refusals import Refused

TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_UNREADABLE = "The form cannot be read."
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})


async def form(request: web.Request) -> MultiDictProxy[Any]:
    """Return the fields of a form: texts, and files. Raises: Refused."""
    if (request.charset or "utf-8").lower() not in _UTF_8:
        raise Refused(400, _UNREADABLE)
    try:
        found = await request.post()
    except (ValueError, LookupError, RuntimeError):  # also what a part of it says of its encoding
        raise Refused(400, _UNREADABLE) from None
    if any(_is_broken(each) for each in found.values()):
        raise Refused(400, _UNREADABLE)
    return found


def _is_broken(value: object) -> bool:
    """Whether a text has halves of characters, which no store keeps: a part of a form may name an encoding too."""
    return (
        isinstance(value, str) and not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value)
    )
