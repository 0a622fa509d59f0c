"""Reads the parameters of Content-Type and Content-Disposition: RFC 2045 §5.1, RFC 2231, and what senders do instead."""

import re
from itertools import islice
from urllib.parse import unquote_to_bytes

from channels.email import charsets, encoded_words

MAX_PARAMETERS = 200  # RFC 2231 pieces count one each
MAX_VALUE_CHARS = 4_000

_PARAMETER = re.compile(r';\s{0,200}([^\s=;"]{1,100})\s{0,20}=\s{0,200}("(?:[^"\\]|\\.)*"?|[^;]*)', re.DOTALL)
_ESCAPE = re.compile(r"\\([\"\\])")
_PIECE = re.compile(r"(.+?)\*(\d{1,4})?(\*)?$")


def parse(value: str) -> dict[str, str]:
    """Lower-case name -> decoded value; the first of two equal names counts."""
    if ";" not in value:
        return {}
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for found in islice(_PARAMETER.finditer(value), MAX_PARAMETERS):
        name, text = found[1].lower(), _unquoted(found[2])
        piece = _PIECE.match(name) if "*" in name else None
        if piece is None:
            plain.setdefault(name, text)
        else:
            is_encoded = piece[3] is not None or piece[2] is None
            pieces.setdefault(piece[1], {}).setdefault(int(piece[2] or 0), (text, is_encoded))
    decoded = {name: encoded_words.decode(text)[:MAX_VALUE_CHARS] for name, text in plain.items()}
    # The extended form is the better one where both are given (RFC 6266 §4.3 says it, mail clients do it).
    return decoded | {name: _joined(numbered) for name, numbered in pieces.items()}


def _unquoted(text: str) -> str:
    if text.startswith('"'):
        return _ESCAPE.sub(r"\1", text[1:].removesuffix('"'))
    return text.strip()


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
