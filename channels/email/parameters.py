"""Reads the parameters of Content-Type and Content-Disposition: RFC 2045 §5.1, RFC 2231, and what senders do instead."""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote_to_bytes

from channels.email import charsets, encoded_words

MAX_PARAMETERS = 200  # RFC 2231 pieces count one each
MAX_VALUE_CHARS = 4_000
MAX_FIELD_CHARS = 64_000
_MAX_REMEMBERED_CHARS = 300

_VALUE = r"\s{0,20}=\s{0,200}(\"(?:[^\"\\]|\\.)*\"?|[^;]*)"
_PARAMETER = re.compile(r';\s{0,200}([^\s=;"]{1,100})' + _VALUE, re.DOTALL)
# Where the semicolon is missing or another sign stands in its place.
_LOOSE_PARAMETER = re.compile(r"(?<![^;,\s])([a-zA-Z][a-zA-Z0-9*-]{1,40})" + _VALUE, re.DOTALL)
_ESCAPE = re.compile(r"\\([\"\\])")
_PIECE = re.compile(r"(.+?)\*(\d{1,4})?(\*)?$")
_NAMES = frozenset({"filename", "name"})
_NEXT_PARAMETER = re.compile(r";\s{0,200}[a-zA-Z][a-zA-Z0-9*-]{1,40}\s{0,20}=")
_ENCODED_BEYOND_ASCII = re.compile(r"%[c-eC-E][0-9a-fA-F]%[89abAB][0-9a-fA-F]")
_MAX_NAME_CHARS = 1_000


def parse(value: str) -> Mapping[str, str]:
    """Lower-case name -> decoded value; the first of two equal names counts."""
    if len(value) <= _MAX_REMEMBERED_CHARS:
        return _parsed_often(value)
    return _parse(value[:MAX_FIELD_CHARS])


@lru_cache(maxsize=512)
def _parsed_often(value: str) -> Mapping[str, str]:
    """The same as `_parse`: most mails say text/plain; charset=utf-8."""
    return _parse(value)


def _parse(value: str) -> dict[str, str]:
    if ";" not in value:
        return _parsed(value, _LOOSE_PARAMETER) if "=" in value else {}
    found = _parsed(value, _PARAMETER)
    return found or (_parsed(value, _LOOSE_PARAMETER) if "=" in value else {})


def _parsed(value: str, pattern: re.Pattern[str]) -> dict[str, str]:
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for found in islice(pattern.finditer(value), MAX_PARAMETERS):
        name, text = found[1].lower(), found[2]
        text = _name_text(value, found, text) if name in _NAMES else _unquoted(text)
        piece = _PIECE.match(name) if "*" in name else None
        if piece is None:
            plain.setdefault(name, text)
        else:
            is_encoded = piece[3] is not None or piece[2] is None
            pieces.setdefault(piece[1], {}).setdefault(int(piece[2] or 0), (text, is_encoded))
    decoded = {name: _plain(name, text) for name, text in plain.items()}
    # The extended form is the better one where both are given (RFC 6266 §4.3 says it, mail clients do it).
    return decoded | {name: text for name, numbered in pieces.items() if (text := _joined(numbered))}


def _plain(name: str, text: str) -> str:
    decoded = encoded_words.decode(text)[:MAX_VALUE_CHARS]
    if name in _NAMES and "%" in decoded and _ENCODED_BEYOND_ASCII.search(decoded):
        # Percent escapes of letters beyond ASCII are no part of a name; %20 may well be.
        try:
            return unquote_to_bytes(decoded).decode("utf-8")
        except UnicodeDecodeError:
            return decoded
    return decoded


def _unquoted(text: str) -> str:
    if text.startswith('"'):
        return _ESCAPE.sub(r"\1", text[1:].removesuffix('"'))
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    return text


def _name_text(value: str, found: re.Match[str], text: str) -> str:
    """A file's name, which ends where the next parameter begins: names hold ; and quotes that nobody escaped."""
    begin, end = found.span(2)
    after = value[end : end + _MAX_NAME_CHARS]
    is_closed = text.startswith('"') and len(text) > 1 and text.endswith('"')
    if text.startswith('"') and not is_closed:
        cut = _NEXT_PARAMETER.search(text)
        return _unquoted(text[: cut.start()] if cut else text)
    if not after.strip("; \t\r\n"):
        return _unquoted(text)
    following = _NEXT_PARAMETER.search(after)
    more = after[: following.start()] if following else after
    if is_closed:
        quote = more.rfind('"')
        return _unquoted(value[begin:end] + more[: quote + 1]) if quote >= 0 else _unquoted(text)
    return _unquoted(text + more.rstrip("; \t\r\n"))


def _joined(numbered: dict[int, tuple[str, bool]]) -> str:
    """RFC 2231 §4.1: pieces in order of their number; the first encoded one names the charset."""
    charset = ""
    content = b""
    for number in sorted(numbered):
        text, is_encoded = numbered[number]
        if is_encoded and not content and text.count("'") >= 2:  # charset'language'text
            charset, _, text = text.split("'", 2)
        encoded = text.encode("utf-8", "replace")
        content += unquote_to_bytes(encoded) if is_encoded else encoded
        if len(content) > MAX_VALUE_CHARS:
            break
    text = charsets.text_from_bytes(content, charset)[0]
    return encoded_words.decode(text)[:MAX_VALUE_CHARS]
