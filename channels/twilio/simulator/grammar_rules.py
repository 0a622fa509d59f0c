"""What an element of TwiML may be: its rule, and the checks of what stands in attributes.

Source: twilio.com/docs/voice/twiml, the tables of attributes (2026-11).
"""

import re
from collections.abc import Callable

import msgspec

Check = Callable[[str], bool]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One element. text: "none", "some" (needed), "any"; children: names; most: how many children, None = any number.

    most_characters: of the text. code: Twilio's, of a wrong attribute.
    """

    attributes: dict[str, Check] = {}
    text: str = "none"
    children: frozenset[str] = frozenset()
    most_characters: int = 0
    needs: frozenset[str] = frozenset()
    code: int = 12200


def words(allowed: str) -> Check:
    """One of these words, which stand here with blanks between them."""
    return frozenset(allowed.split()).__contains__


def some_of(allowed: str) -> Check:
    """One or more of these words, blanks between them, none twice."""
    known = set(allowed.split())

    def check(value: str) -> bool:
        found = value.split(" ")
        return set(found) <= known and len(set(found)) == len(found)

    return check


def whole(least: int, most: int) -> Check:
    """A whole number, both ends included."""
    return lambda value: value.isascii() and value.isdecimal() and least <= int(value) <= most


def matching(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def either(*checks: Check) -> Check:
    return lambda value: any(check(value) for check in checks)


MAX_URL = 4_000
_URL = re.compile(r"(https?://[^\s/?#_]+([/?#][^\s]*)?|(?![a-zA-Z][a-zA-Z0-9+.-]*:)[^\s]+)")


def url(value: str) -> bool:
    """Whether it is absolute (http, https), or relative to the document's own."""
    return len(value) <= MAX_URL and _URL.fullmatch(value) is not None


METHOD = words("GET POST")
FLAG = words("true false")
KEYS = matching(r"[0-9#*]*")
PHONE = matching(r"\+[1-9][0-9]{6,14}")
LANGUAGE = matching(r"[a-z]{2,3}(-[A-Za-z]{4})?(-[A-Z]{2}|-[0-9]{3})?|multi")
VOICE_NAME = matching(r"man|woman|alice|(Polly|Google)\.[A-Za-z0-9_-]+")
