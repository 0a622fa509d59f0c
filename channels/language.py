"""Names the language of a customer's text, or says that it cannot tell.

The library (pycld2: 20 µs and 7 MB; 99 of 100 short sentences in five languages) stays behind one function, so that
another can take its place. It is loaded at the first call.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

MAX_CHARS = 600  # more text does not make the answer better, only dearer
MIN_LETTERS = 10  # below this the answer is a guess: "ok", a name, an order number

# What a desk may be written to in, unless it says so: Europe's, tr, ru, uk, ar, he, ja, zh, ko.
DEFAULT = (
    "en", "de", "fr", "es", "pt", "it", "nl", "pl", "cs", "sk", "sl", "hr", "hu", "ro", "bg", "el", "da", "sv", "no", "fi",
    "et", "lv", "lt", "ga", "mt", "uk", "ru", "tr", "ar", "he", "ja", "zh", "ko",
)  # fmt: skip

# What pycld2 refuses or stumbles over: control and format characters, private use, noncharacters, lone surrogates.
_UNSPEAKABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufdd0-\ufdef\ufeff\ufff0-\uffff"
    "\U000e0000-\U0010ffff]+",
)
# CJK says more in a character than an alphabet does.
_DENSE = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

# The library's names -> ISO 639-1; "un" is none.
_ISO_639_1 = {
    "iw": "he",
    "zh-Hant": "zh",
    "nb": "no",
    "jw": "jv",
    "in": "id",
    "mo": "ro",
    "tl": "fil",
    "un": "",
}


def detect(text: str, languages: Sequence[str]) -> str | None:
    """The one of `languages` (ISO 639-1) that the text is written in.

    None = too short, unreliable, or written in another language. Never raises. Looks at the first 600 characters.
    """
    prose = _prose(text[:MAX_CHARS])
    if not _is_long_enough(prose):
        return None
    for _, code, percent, _ in _candidates(prose):
        found = _ISO_639_1.get(code, code)
        if found in languages and percent >= 30:  # less is a signature or a quoted name
            return found
    return None


def _prose(text: str) -> str:
    """The words, without addresses and links: those are no language, yet they outweigh a short sentence."""
    if "@" not in text and "://" not in text:
        prose = text.replace("\n", " ").replace("  ", " ").strip()
        # No other white space is printable: what is left are single spaces, as below.
        if "  " not in prose and prose.isprintable():
            return prose
    words = [word for word in text.split() if "@" not in word and "://" not in word]
    prose = " ".join(words)
    return prose if prose.isprintable() else _UNSPEAKABLE.sub(" ", prose)


def _is_long_enough(prose: str) -> bool:
    """Ten letters, or five where a letter is a word."""
    begin = prose[: MIN_LETTERS * 3].replace(" ", "")
    if len(begin) >= MIN_LETTERS and begin.isalpha():  # as most prose begins
        return True
    letters = sum(map(str.isalpha, prose[:100]))
    return letters >= MIN_LETTERS or (letters >= MIN_LETTERS // 2 and bool(_DENSE.search(prose)))


def _candidates(prose: str) -> tuple[tuple[str, str, int, float], ...]:
    """The library's names and codes of languages, their share of the text in percent and a score, the likeliest first."""
    library = _library()
    try:
        _, _, found = library.detect(prose.encode("utf-8", "ignore"), isPlainText=True, bestEffort=True)
    except (library.error, ValueError):  # its check of UTF-8 is stricter than Python's
        return ()
    return found  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _library() -> Any:
    import pycld2

    return pycld2
