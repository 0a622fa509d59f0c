"""Takes an Authentication-Results field apart (RFC 8601 §2.2): comments, quoted strings, versions, several results.

What does not follow the grammar says nothing: the text comes from a server, but parts of it (an envelope sender, say) were
chosen by whoever sent the mail.
"""

import re
from collections.abc import Iterator

import msgspec

MAX_CHARS = 16_000
MAX_RESULTS = 100
MAX_PROPERTIES = 30

_WORD = re.compile(r'[^\s;=()"]+')
_VALUE = re.compile(r'[^\s;()"]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PARENTHESIS = re.compile(r"\\.|[()]", re.DOTALL)
_SPACE = re.compile(r"\s*")
_METHOD = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)(?:/(\d+))?\Z")
_PROPERTY = re.compile(r"([A-Za-z0-9-]+)\.([A-Za-z0-9_-]+)\Z")


class Malformed(ValueError):
    """A field does not follow the grammar."""


class Result(msgspec.Struct, frozen=True):
    """What one method found: ("dkim", "pass", {"header.d": "example.com"}); all but values in lower case."""

    method: str
    result: str
    properties: dict[str, str] = {}


class AuthResults(msgspec.Struct, frozen=True):
    """server: the authserv-id in lower case. results: in the order of the field, "none" is empty."""

    server: str
    results: tuple[Result, ...]


def parse(value: str) -> AuthResults | None:
    """Read an unfolded field; None when it follows no grammar that we know."""
    if len(value) > MAX_CHARS:
        return None
    try:
        return _parse(_Cursor(value))
    except Malformed:
        return None


def _parse(cursor: "_Cursor") -> AuthResults:
    server = cursor.value()
    if not server:
        raise Malformed("no authserv-id")
    cursor.skip()
    if not cursor.is_at(";") and not cursor.is_done():
        version = cursor.word()
        if version != "1":
            raise Malformed(f"version {version}")
    results = tuple(_results(cursor))
    return AuthResults(server.lower(), results)


def _results(cursor: "_Cursor") -> Iterator[Result]:
    for _ in range(MAX_RESULTS):
        cursor.skip()
        if cursor.is_done():
            return
        cursor.take(";")
        cursor.skip()
        if cursor.is_done():
            return
        found = _result(cursor)
        if found is not None:
            yield found
    raise Malformed("too many results")


def _result(cursor: "_Cursor") -> Result | None:
    name = cursor.word()
    cursor.skip()
    if name.lower() == "none" and (cursor.is_done() or cursor.is_at(";")):
        return None
    if cursor.is_at("/"):  # "dkim / 1": white space around the version
        name += cursor.word()
    name = name if not name.endswith("/") else name + cursor.word()
    method = _METHOD.match(name)
    if method is None:
        raise Malformed(name)
    cursor.take("=")
    result = cursor.value()
    properties = dict(_properties(cursor))
    if method[2] not in (None, "1"):
        return None  # a version that we do not know means something else (§2.2)
    return Result(method[1].lower(), result.lower(), properties)


def _properties(cursor: "_Cursor") -> Iterator[tuple[str, str]]:
    """Give what stands behind a result. Of a property that is there twice the last would win, so it is an error."""
    seen: set[str] = set()
    for _ in range(MAX_PROPERTIES):
        cursor.skip()
        if cursor.is_done() or cursor.is_at(";"):
            return
        name = cursor.word()
        cursor.skip()
        while name.endswith(".") or cursor.is_at("."):  # "header . d"
            name += cursor.word()
            cursor.skip()
        cursor.take("=")
        value = cursor.value()
        name = name.lower()
        if name in seen:
            raise Malformed(f"{name} twice")
        seen.add(name)
        if _PROPERTY.match(name):
            yield name, value
    raise Malformed("too many properties")


class _Cursor:
    """A place in the text of a field."""

    __slots__ = ("_at", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def is_done(self) -> bool:
        return self._at >= len(self._text)

    def is_at(self, character: str) -> bool:
        return self._text.startswith(character, self._at)

    def take(self, character: str) -> None:
        self.skip()
        if not self.is_at(character):
            raise Malformed(f"no {character} at {self._at}")
        self._at += 1

    def skip(self) -> None:
        """Go past white space and comments, nested ones too."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if not self.is_at("("):
                return
            depth = 0
            for found in _PARENTHESIS.finditer(self._text, self._at):
                depth += {"(": 1, ")": -1}.get(found[0], 0)
                if depth == 0:
                    self._at = found.end()
                    break
            else:
                raise Malformed("a comment without an end")

    def word(self) -> str:
        self.skip()
        found = _WORD.match(self._text, self._at)
        if found is None:
            raise Malformed(f"no word at {self._at}")
        self._at = found.end()
        return found[0]

    def value(self) -> str:
        """Take a token, a quoted string, or an address whose local part is one."""
        self.skip()
        parts = []
        while True:
            quoted = _QUOTED.match(self._text, self._at)
            found = quoted or _VALUE.match(self._text, self._at)
            if found is None:
                break
            parts.append(_ESCAPE.sub(r"\1", found[1]) if quoted else found[0])
            self._at = found.end()
        if self.is_at('"') or not (parts or self.is_done() or self.is_at(";")):
            raise Malformed(f"no value at {self._at}")
        return "".join(parts)  # "" behind "=": the null return path, as some write it
