"""Turns bytes into text, whatever their label says. Never raises, never loses the text behind a wrong label."""

import codecs
from functools import lru_cache

import cchardet

MAX_GUESS_BYTES = 8_192  # as good as the whole part, and 21 µs instead of milliseconds

# Labels seen in mail -> Python codec. Web practice (WHATWG Encoding): the older label means its superset.
_ALIASES = {
    "us-ascii": "ascii", "ansi_x3.4-1968": "ascii", "ansi_x3.110-1983": "ascii", "iso-8859-1": "cp1252", "latin1": "cp1252", "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252", "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "windows-874": "cp874", "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "euc-kr": "cp949",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932", "iso-2022-jp": "iso2022_jp_ext", "cp-850": "cp850", "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman", "unicode-1-1-utf-7": "utf-7", "unicode-1-1-utf-8": "utf-8", "utf8mb4": "utf-8", "utf_8": "utf-8", "big5": "big5hkscs", "x-euc-jp": "euc_jp",
    "visual": "iso8859-8", "x-windows-1250": "cp1250", "x-windows-1252": "cp1252",
}  # fmt: skip
# Text codecs that are no charset: slow (idna, punycode are quadratic), or they run escapes.
_NO_CHARSET = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
)
_WESTERN = frozenset({"cp1252", "ascii", "iso8859-15", "cp1254"})


def text_from_bytes(content: bytes, label: str = "") -> tuple[str, str]:
    """The text, and what was odd about its charset ("" = nothing). label: as the header says, "" = not said."""
    codec = codec_of(label)
    if codec in _WESTERN or not codec:
        return _unlabelled(content, label=label, codec=codec)
    try:
        return content.decode(codec), ""
    except (UnicodeError, ValueError):
        return _salvaged(content, label=label, codec=codec)


def _unlabelled(content: bytes, *, label: str, codec: str) -> tuple[str, str]:
    """A western label is often only a default: valid UTF-8 beyond ASCII is never western text by chance."""
    if content.isascii():
        return content.decode("ascii"), ""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        if not codec or codec == "ascii":
            return _salvaged(content, label=label, codec="")
        return _decoded(content, codec), ""
    return text, (f"Text labelled {label[:40]} is UTF-8" if label else "")


def _salvaged(content: bytes, *, label: str, codec: str) -> tuple[str, str]:
    """Text whose label is missing or does not fit: UTF-8, then a guess, then the label with replacements."""
    problem = f"Text is not in its charset {label[:40]}" if label else "Text beyond ASCII has no charset"
    try:
        return content.decode("utf-8"), problem
    except UnicodeDecodeError:
        pass
    guess = guessed_codec(content)
    for candidate in (codec, guess):
        # A few broken bytes in a long text do not make its label wrong.
        if candidate:
            text = content.decode(candidate, "replace")
            if text.count("\ufffd") * 50 <= len(text):
                return text, problem
    return _decoded(content, guess or codec or "cp1252"), problem


def _decoded(content: bytes, codec: str) -> str:
    """Strict, else latin-1 for the holes of cp1252, else with replacement characters."""
    try:
        return content.decode(codec)
    except (UnicodeError, ValueError):
        return content.decode("latin-1" if codec == "cp1252" else codec, "replace")


@lru_cache(maxsize=256)
def codec_of(label: str) -> str:
    """Python's name of a charset label; "" when there is none or nobody knows it."""
    name = label.strip(" \t\"'<>;").lower()[:64]
    name = _ALIASES.get(name, name)
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    if not found._is_text_encoding or found.name.replace("_", "-") in _NO_CHARSET:  # noqa: SLF001 - no public way
        return ""
    return found.name


def guessed_codec(content: bytes) -> str:
    """What the bytes look like; "" when nobody can tell."""
    guess = cchardet.detect(content[:MAX_GUESS_BYTES]).get("encoding") or ""
    return codec_of(guess)
