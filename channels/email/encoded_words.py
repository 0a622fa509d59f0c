"""Decodes header text: RFC 2047 encoded words, also the broken ones that mail is full of. Linear, never raises."""

import binascii
import re
from functools import lru_cache

from channels.email import charsets

MAX_WORDS = 1_000  # a value; the rest stays as written
_MAX_REMEMBERED_CHARS = 1_000
MAX_WORD_CHARS = 20_000  # RFC 2047 says 75; some senders put a whole subject in one word

_START = re.compile(r"=\?([A-Za-z0-9_.:+'-]{0,64})(?:\*[A-Za-z0-9-]{0,32})?\?([bBqQ])\?")
_TWICE = re.compile(r"\s*=\?[^?\s]{1,64}\?[bBqQ]\?[^?\s]{1,2000}\?=\s*")
_HEX_AFTER = re.compile(r"[0-9A-Fa-f]{2}\S*\?=")
_PADDING = re.compile(rb"=[=\r\n\t ]*")
_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
)


def decode(value: str) -> str:
    """The readable text of an unfolded header value. White space between two encoded words is dropped (§6.2)."""
    if "=?" not in value:
        return value
    return _decoded_often(value) if len(value) <= _MAX_REMEMBERED_CHARS else _decoded(value)


@lru_cache(maxsize=256)
def _decoded_often(value: str) -> str:
    """A subject is asked for by several readers of a mail."""
    return _decoded(value)


def _decoded(value: str) -> str:
    text = _decoded_once(value)
    # Some gateways encode what is encoded already.
    return _decoded_once(text) if "=?" in text and _TWICE.fullmatch(text) else text


def _decoded_once(value: str) -> str:
    pieces: list[str] = []
    pending = _Words()
    at = 0
    for _ in range(MAX_WORDS):
        start = _START.search(value, at)
        if start is None:
            break
        end, after = _word_end(value, start.end())
        if end < 0:
            break
        gap = value[at : start.start()]
        if gap.strip() or pending.is_empty() or start[1].lower() != pending.charset:
            pieces.append(pending.text())
            pieces.append(gap if gap.strip() or pending.is_empty() else "")
            pending = _Words(start[1].lower())
        pending.add(value[start.end() : end], encoding=start[2].lower())
        at = after
    pieces.append(pending.text())
    pieces.append(value[at:])
    return "".join(pieces)


class _Words:
    """Neighbouring words of one charset: characters are split across words, and so are groups of base64."""

    __slots__ = ("_base64", "_content", "charset")

    def __init__(self, charset: str = "") -> None:
        self.charset = charset
        self._content: list[bytes] = []
        self._base64 = b""  # what was not decoded yet

    def is_empty(self) -> bool:
        return not self._content and not self._base64

    def add(self, text: str, *, encoding: str) -> None:
        encoded = text.encode("utf-8", "replace")
        if encoding == "b":
            self._base64 += encoded
            if b"=" in encoded or len(encoded) % 4 == 0:
                self._flush()
        else:
            self._flush()
            self._content.append(binascii.a2b_qp(encoded, header=True))

    def text(self) -> str:
        self._flush()
        return charsets.text_from_bytes(b"".join(self._content), self.charset)[0] if self._content else ""

    def _flush(self) -> None:
        if self._base64:
            self._content.append(base64_bytes(self._base64))
            self._base64 = b""


def _word_end(value: str, begin: int) -> tuple[int, int]:
    """Where a word's text ends and where the value goes on; (-1, -1) when it is no word after all."""
    end = value.find("?=", begin, begin + MAX_WORD_CHARS)
    if end >= 0:
        if found := _HEX_AFTER.match(value, end + 2, end + 500):  # a bare ? before an =XX is not the end
            end = found.end() - 2
        return end, end + 2
    rest = value[begin:]
    if len(rest) < MAX_WORD_CHARS and " " not in rest.strip():
        stripped = len(value.rstrip("?= "))
        return max(begin, stripped), len(value)  # the last word was cut off by somebody's line limit
    return -1, -1


def base64_bytes(encoded: bytes) -> bytes:
    """Base64 without its alphabet's foreigners and with any padding; an odd last character is dropped."""
    padding = encoded.find(b"=")
    if padding >= 0 and encoded.count(b"=") <= MAX_WORDS and (rest := encoded[padding:].lstrip(b"=\r\n\t ")):
        # Several encodings in a row, each with its padding.
        return b"".join(_aligned(piece) for piece in (encoded[:padding], *_PADDING.split(rest)))
    return _aligned(encoded)


def _aligned(encoded: bytes) -> bytes:
    letters = encoded.translate(None, _NOT_BASE64)
    surplus = len(letters) % 4
    if surplus == 1:
        letters = letters[:-1]
    elif surplus:
        letters += b"=" * (4 - surplus)
    return binascii.a2b_base64(letters)
