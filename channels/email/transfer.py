"""Undoes transfer encodings as far as the bytes allow (RFC 2045 §6). Linear, never raises."""

import binascii
import re
from functools import lru_cache

import msgspec

from channels.email import encoded_words

_MAX_VALUE_CHARS = 100
MAX_UU_LINES = 600_000  # 27 MB of full lines

_NO_LETTERS = re.compile(r"[^a-z0-9]+")
_BASE64 = frozenset({"base64", "xbase64", "b64", "base", "base64encoded", "base64encoding", "bas64", "xb64"})
_QUOTED = re.compile(r"quoted|printable|^qp$|^xqp$|^q$")
_UUENCODED = frozenset({"uuencode", "xuuencode", "xuue", "uue", "xuu", "uu", "uuencoded"})
# The encodings that leave the bytes as they are, and what senders write for them or nothing at all.
_IDENTITY = frozenset({"", "7bit", "8bit", "binary", "7", "8"})
_WORDS = re.compile(rb"(?<![A-Za-z])[A-Za-z]{2,40}[,;:.!?]?[ \t]+[A-Za-z(]{1,30}[,;:.!?]?[ \t]+[A-Za-z(]")
_URL_SAFE = re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{8,}[_-][A-Za-z0-9_-]{8}")
_MAX_FOOTER_BYTES = 64_000
_SOFT_OR_HEX = re.compile(rb"=(?:[0-9A-Fa-f]{2}|\r?\n)")


def name_of(encoding: str) -> str:
    """The encoding that a header's value means: "base64", "quoted-printable", "uuencode", "" = none."""
    return _name_of(encoding[:_MAX_VALUE_CHARS])


@lru_cache(maxsize=128)
def _name_of(encoding: str) -> str:
    first = encoding.partition(";")[0].partition("(")[0].partition(",")[0]
    name = _NO_LETTERS.sub("", first.lower())
    if name in _IDENTITY:
        return ""
    if name in _BASE64 or name.startswith("base64"):
        return "base64"
    if _QUOTED.search(name):
        return "quoted-printable"
    return "uuencode" if name in _UUENCODED else ""


def decode(content: bytes, encoding: str, *, is_text: bool = False) -> tuple[bytes, str]:
    """The decoded bytes of a part, and what was odd ("" = nothing); an unknown encoding leaves them as they are.

    encoding: the header's value. is_text: prose below the base64 belongs to it; it would spoil a file.
    """
    name = name_of(encoding)
    if name == "base64":
        return _base64(content, is_text=is_text)
    if name == "quoted-printable":
        return binascii.a2b_qp(content), ""
    return (uudecoded(content), "") if name == "uuencode" else (content, "")


def exact_base64(content: bytes, begin: int = 0, end: int | None = None) -> bytes | None:
    """The bytes of base64 that has nothing in it but its alphabet and line ends; None when it needs a closer look."""
    letters = _without_line_ends(content, begin, len(content) if end is None else end)
    try:
        # Five times as fast as binascii, which looks at every letter on its own.
        return msgspec.convert(letters.decode("ascii"), bytes)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return None


def _without_line_ends(content: bytes, begin: int, end: int) -> bytes | bytearray:
    """Lines of one length, as every program writes them, lose their ends by two cuts instead of a look at each byte."""
    tail = content[max(begin, end - 4) : end]
    end -= len(tail) - len(tail.rstrip(b"\r\n"))
    width = content.find(b"\n", begin, end) + 1 - begin
    ends = content[begin + width - 1 : end : width] if width > 2 else b""
    if not ends or ends.count(b"\n") != len(ends):
        return content[begin:end].translate(None, b"\r\n")
    letters = bytearray(memoryview(content)[begin:end])  # a large slice would be one more copy
    del letters[width - 1 :: width]
    returns = letters[width - 2 :: width - 1]
    if returns.startswith(b"\r"):
        if returns.count(b"\r") != len(returns):
            return content[begin:end].translate(None, b"\r\n")
        del letters[width - 2 :: width - 1]
    return letters


def is_encoded(content: bytes) -> bool:
    """Whether a text looks like quoted-printable."""
    return _SOFT_OR_HEX.search(content) is not None


def _base64(content: bytes, *, is_text: bool) -> tuple[bytes, str]:
    """Base64, with a footer that some list server put below it as text; what is prose altogether stays as it is."""
    exact = exact_base64(content)
    if exact is not None:
        return exact, ""
    begin = content.lstrip()[:200]
    if _WORDS.search(begin.partition(b"\n")[0]):
        return content, "A part says base64 and is plain text"
    if _URL_SAFE.search(begin) and b"+" not in content and b"/" not in content:
        content = content.replace(b"-", b"+").replace(b"_", b"/")
    footer = _footer_at(content)
    decoded = encoded_words.base64_bytes(content[:footer])
    if footer < len(content):
        below = b"\n" + content[footer:].strip() if is_text else b""
        return decoded + below, "Plain text follows the base64 of a part"
    return decoded, ""


def _footer_at(content: bytes) -> int:
    """Where prose begins below the base64; the end when there is none."""
    begin = max(0, len(content) - _MAX_FOOTER_BYTES)
    found = _WORDS.search(content, begin)
    if found is None:
        return len(content)
    blank = max(content.rfind(b"\n\n", begin, found.start()), content.rfind(b"\n\r\n", begin, found.start()))
    line = content.rfind(b"\n", begin, found.start()) + 1
    return blank + 1 if blank >= 0 else line


def uudecoded(content: bytes) -> bytes:
    """What stands between "begin" and "end"; lines that are none are skipped."""
    _, found, lines = content.partition(b"begin ")
    if not found:
        return content
    decoded = bytearray()
    for each in lines.split(b"\n", MAX_UU_LINES)[1:]:
        if each.rstrip() == b"end":
            break
        if line := each.rstrip(b"\r"):  # an empty one would count as 32 zeros
            decoded += _uudecoded_line(line)
    return bytes(decoded)


def _uudecoded_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Some encoders write too many characters a line: the first says how many bytes there are.
        length = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
        try:
            return binascii.a2b_uu(line[:length])
        except binascii.Error:
            return b""
