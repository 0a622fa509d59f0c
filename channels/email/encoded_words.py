"""Decodes header text: RFC 2047 encoded words, also the broken ones that mail is full of. Linear, never raises."""

import binascii
import re

from channels.email import charsets

MAX_WORDS = 1_000  # a value; the rest stays as written
MAX_WORD_CHARS = 20_000  # RFC 2047 says 75; some senders put a whole subject in one word

_START = re.compile(r"=\?([A-Za-z0-9_.:+'-]{1,64})(?:\*[A-Za-z0-9-]{0,32})?\?([bBqQ])\?")
_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
)


def decode(value: str) -> str:
    """The readable text of an unfolded header value. White space between two encoded words is dropped (§6.2)."""
    if "=?" not in value:
        return value
    pieces: list[str] = []
    pending: list[bytes] = []  # words of one charset: characters are split across words
    charset = ""
    at = 0
    for _ in range(MAX_WORDS):
        start = _START.search(value, at)
        if start is None:
            break
        end, after = _word_end(value, start.end())
        if end < 0:
            break
        gap = value[at : start.start()]
        if (gap.strip() or not pending) or start[1].lower() != charset:
            pieces.append(_text(pending, charset))
            pieces.append(gap if gap.strip() or not pending else "")
            pending = []
        charset = start[1].lower()
        pending.append(_word_bytes(value[start.end() : end], start[2]))
        at = after
    pieces.append(_text(pending, charset))
    pieces.append(value[at:])
    return "".join(pieces)


def _word_end(value: str, begin: int) -> tuple[int, int]:
    """Where a word's text ends and where the value goes on; (-1, -1) when it is no word after all."""
    end = value.find("?=", begin, begin + MAX_WORD_CHARS)
    if end >= 0:
        return end, end + 2
    rest = value[begin:]
    if len(rest) < MAX_WORD_CHARS and " " not in rest.strip():
        stripped = len(value.rstrip("?= "))
        return max(begin, stripped), len(value)  # the last word was cut off by somebody's line limit
    return -1, -1


def _word_bytes(text: str, encoding: str) -> bytes:
    encoded = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(encoded, header=True)
    return base64_bytes(encoded)


def base64_bytes(encoded: bytes) -> bytes:
    """Base64 without its alphabet's foreigners and with any padding; an odd last character is dropped."""
    letters = encoded.translate(None, _NOT_BASE64)
    surplus = len(letters) % 4
    if surplus == 1:
        letters = letters[:-1]
    elif surplus:
        letters += b"=" * (4 - surplus)
    return binascii.a2b_base64(letters)


def _text(words: list[bytes], charset: str) -> str:
    return charsets.text_from_bytes(b"".join(words), charset)[0] if words else ""
