"""Turns bytes into text, whatever their label says. Never raises, never loses the text behind a wrong label.

A label is believed unless the bytes contradict it: valid UTF-8 beyond ASCII is no single-byte text by chance, Greek or Cyrillic
text labelled western shows as words of accented letters only, Polish or Czech as signs in the midst of words.
"""

import re

import cchardet

from channels.email import iso2022jp
from channels.email.charset_names import codec_of

MAX_GUESS_BYTES = 8_192  # as good as the whole part, and 21 µs instead of milliseconds
_MIN_UTF8_SEQUENCES = 6  # before UTF-8 is believed against a label of two-byte characters

_WESTERN = frozenset({"cp1252", "ascii", "iso8859-15", "cp1254"})
_TWO_BYTE = frozenset(
    {"gb18030", "big5hkscs", "cp949", "cp932", "euc_jp", "euc_jis_2004", "johab", "big5", "cp950"}
)
# What bytes 0x80–0x9f betray: the label names the standard, the text is of Microsoft's code page beside it.
_CODE_PAGE_BESIDE = {
    "iso8859-2": "cp1250", "iso8859-4": "cp1257", "iso8859-13": "cp1257", "iso8859-7": "cp1253", "iso8859-8": "cp1255", "iso8859-15": "cp1252",
}  # fmt: skip
_OFTEN_GUESSED = frozenset(
    {"cp1250", "iso8859-2", "cp1251", "koi8-r", "cp1252", "cp1253", "iso8859-7", "cp1254", "cp1255", "cp1256", "cp874", "utf-8", "utf-16", "utf-16-le",
     "utf-16-be", "iso8859-15", "iso8859-5"} | _TWO_BYTE
)  # fmt: skip
_CENTRAL_EUROPEAN = frozenset({"cp1250", "iso8859-2", "iso8859-16"})
_ASCII_BYTES = bytes(range(128))
_ASCII_LETTERS = bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B))
_NO_ASCII_LETTERS = bytes(set(range(256)) - set(_ASCII_LETTERS))
_C1 = re.compile(rb"[\x80-\x9f]")
# Signs that western text has between words or at their ends, never between two letters.
_SIGN_IN_WORD = re.compile(
    rb"(?<=[a-zA-Z\xc0-\xff])[\xa1-\xa6\xa9-\xac\xae\xaf\xb1-\xb3\xb6\xb9\xbc-\xbf](?=[a-z\xe0-\xff])"
)
_HOLE = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")  # no character of windows-1252
_TURKISH = re.compile(rb"[\xd0\xdd\xde\xf0\xfd\xfe]")


def text_from_bytes(content: bytes, label: str = "") -> tuple[str, str]:
    """The text, and what was odd about its charset ("" = nothing). label: as the header says, "" = not said."""
    codec = codec_of(label)
    if codec in _WESTERN or not codec:
        return _unlabelled(content, label=label, codec=codec)
    if codec == "utf-8":
        return _utf8(content, label=label)
    if codec not in _TWO_BYTE and not codec.startswith(("utf", "iso2022", "hz")):
        return _single_byte(content, label=label, codec=codec)
    if codec in _TWO_BYTE and (text := _plainly_utf8(content)):
        return text, f"Text labelled {label[:40]} is UTF-8"
    try:
        text = content.decode(codec).removeprefix("\ufeff")
    except (UnicodeError, ValueError):
        return _salvaged(content, label=label, codec=codec)
    return (_without_surrogates(text) if codec == "utf-7" else text), ""


def _without_surrogates(text: str) -> str:
    """UTF-7 may write halves of characters, which nothing can be stored with."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _utf8(content: bytes, *, label: str) -> tuple[str, str]:
    if b"\x1b" in content and (text := _escaped_japanese(content)):
        return text, f"Text labelled {label[:40]} is ISO-2022-JP"
    try:
        return content.decode("utf-8").removeprefix("\ufeff"), ""
    except UnicodeDecodeError:
        return _salvaged(content, label=label, codec="utf-8")


def _single_byte(content: bytes, *, label: str, codec: str) -> tuple[str, str]:
    if content.isascii():
        return _unlabelled(content, label=label, codec=codec)
    try:
        return content.decode("utf-8").removeprefix("\ufeff"), f"Text labelled {label[:40]} is UTF-8"
    except UnicodeDecodeError:
        pass
    if codec in _CODE_PAGE_BESIDE and _C1.search(content):
        codec = _CODE_PAGE_BESIDE[codec]
    try:
        return content.decode(codec), ""
    except (UnicodeError, ValueError):
        return _salvaged(content, label=label, codec=codec)


def _unlabelled(content: bytes, *, label: str, codec: str) -> tuple[str, str]:
    """A western label is often only a default: valid UTF-8 beyond ASCII is never western text by chance."""
    if content.isascii():
        if b"\x1b" in content and (text := _escaped_japanese(content)):
            return text, "Text in ISO-2022-JP has no such label"
        if b"\x00" in content and (text := _utf16_without_mark(content)):
            return text, "Text in UTF-16 has no such label"
        return content.decode("ascii"), ""
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        if not codec or codec == "ascii":
            return _salvaged(content, label=label, codec="")
        if codec in _CODE_PAGE_BESIDE and _C1.search(content):
            codec = _CODE_PAGE_BESIDE[codec]
        if other := _contradicted(content):
            return _decoded(content, other), f"Text labelled {label[:40]} is {other}"
        return _decoded(content, codec), ""
    return text, (f"Text labelled {label[:40]} is UTF-8" if label else "")


def _contradicted(content: bytes) -> str:
    """The codec that bytes labelled western really have; "" when the label may well be right."""
    sample = content[:MAX_GUESS_BYTES]
    beyond = len(sample.translate(None, _ASCII_BYTES))
    if beyond >= 6 and beyond > len(sample.translate(None, _NO_ASCII_LETTERS)):
        guess = guessed_codec(sample)
        return "" if guess in _WESTERN or guess in _CENTRAL_EUROPEAN else guess
    if beyond >= 3 and (_SIGN_IN_WORD.search(sample) or _HOLE.search(sample)):
        guess = guessed_codec(sample)
        return guess if guess in _CENTRAL_EUROPEAN else ""
    return ""


def _salvaged(content: bytes, *, label: str, codec: str) -> tuple[str, str]:
    """Text whose label is missing or does not fit: UTF-8, then a guess, then the label with replacements."""
    problem = f"Text is not in its charset {label[:40]}" if label else "Text beyond ASCII has no charset"
    if codec.startswith("iso2022_jp"):
        return iso2022jp.decode(content), problem
    try:
        return content.decode("utf-8").removeprefix("\ufeff"), problem
    except UnicodeDecodeError:
        pass
    guess = guessed_codec(content)
    for candidate in (codec, guess):
        # A few broken bytes in a long text do not make its label wrong.
        if candidate:
            text = _without_surrogates(content.decode(candidate, "replace"))
            if text.count("\ufffd") * 50 <= len(text):
                return text, problem
    return _decoded(content, guess or codec or "cp1252"), problem


def _decoded(content: bytes, codec: str) -> str:
    """Strict, else latin-1 for the holes of cp1252, else with replacement characters."""
    try:
        return content.decode(codec)
    except (UnicodeError, ValueError):
        return _without_surrogates(content.decode("latin-1" if codec == "cp1252" else codec, "replace"))


def _plainly_utf8(content: bytes) -> str:
    """The text, when it has more UTF-8 than two-byte text could have by chance; else ""."""
    if content.isascii():
        return ""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if len(content) - len(text) >= 2 * _MIN_UTF8_SEQUENCES else ""


def _escaped_japanese(content: bytes) -> str:
    """Text of ISO-2022-JP or -KR, known by its escape sequences; "" when it is none."""
    if b"\x1b$)C" in content:
        return content.decode("iso2022_kr", "replace")
    if b"\x1b$B" in content or b"\x1b$@" in content or b"\x1b(J" in content:
        return iso2022jp.decode(content)
    return ""


def _utf16_without_mark(content: bytes) -> str:
    """UTF-16 of mostly western text, known by its NULs on one side; "" when it is none."""
    sample = content[:MAX_GUESS_BYTES]
    half = len(sample) // 2
    for codec, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if half >= 4 and zeros.count(0) * 10 >= half * 9 and sample.count(0) <= half + 1:
            return content.decode(codec, "replace")
    return ""


def guessed_codec(content: bytes) -> str:
    """What the bytes look like; "" when nobody can tell. A rare charset is only believed of a text with enough to judge by."""
    sample = content[:MAX_GUESS_BYTES]
    codec = codec_of(cchardet.detect(sample).get("encoding") or "")
    beyond = len(sample.translate(None, _ASCII_BYTES))
    if codec in _OFTEN_GUESSED and codec != "utf-8":
        # One accent or two fit into any charset of that family: Western Europe writes most.
        is_short = beyond <= 2 and codec in _CENTRAL_EUROPEAN and not _SIGN_IN_WORD.search(sample)
        return codec if not is_short else "cp1252"
    if codec and codec != "utf-8" and beyond >= 12:
        return codec
    if not beyond:
        return codec
    if _TURKISH.search(sample):
        return "cp1254"
    return "cp1250" if _SIGN_IN_WORD.search(sample) else "cp1252"
