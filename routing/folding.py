"""Text as words are compared: without case, accents and compatibility forms, one space between words.

`ZAŻÓŁĆ Gęślą!` becomes ` zazolc gesla `: padded, so that ` word ` in it is a whole word and ` word` a prefix. Letters of
scripts written without spaces (Han, Kana) stand alone, so that a phrase of them is found inside a sentence.
The map is applied letter by letter: a piece of a text folds to a piece of the folded text, which the index relies on.

An accent is dropped, also where a language takes the letter with it for another one (`ą`, `ñ`, `ü`, Cyrillic `ё`):
customers leave them out. Kept are Cyrillic `й`, `ї` and `ў`, which nobody writes as `и`, `і` and `у`. Turkish `ı` and
`İ` are `i`, `ß` and `ẞ` are `ss`, Greek `ς` is `σ`. `ue` for `ü` is another spelling, not another accent: list both.
"""

import re
import unicodedata
from typing import Final

MAX_SUBJECT_CHARACTERS = 2_000
MAX_BODY_CHARACTERS = 62_000  # what lies behind is not looked at by rules: 64 000 with the subject

_LETTERS: Final = {
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "æ": "ae",
    "œ": "oe",
    "ı": "i",
    "ħ": "h",
    "ŧ": "t",
}
_KEPT: Final = frozenset("йїў")
_ZERO_WIDTH_SPACE: Final = "\u200b"
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_MAX_KEPT: Final = 20_000


class _Folding(dict[int, str]):
    """Code point -> folded text, filled as letters are met; a text of all of Unicode does not make it grow for ever."""

    def __missing__(self, point: int) -> str:
        folded = _fold_letter(chr(point))
        if len(self) < _MAX_KEPT:
            self[point] = folded
        return folded


def _fold_letter(letter: str) -> str:
    if letter.lower() in _KEPT:
        return letter.lower()
    pieces: list[str] = []
    for piece in unicodedata.normalize("NFKD", letter).casefold():
        # casefold may compose what was taken apart (and "ß" is two letters), so each piece is taken apart again
        parts = unicodedata.normalize("NFKD", _LETTERS.get(piece, piece))
        pieces.extend(_fold_part(part) for part in parts if not unicodedata.combining(part))
    return "".join(pieces)


def _fold_part(part: str) -> str:
    if part.isalnum():
        return f" {part} " if _stands_alone(part) else part
    category = unicodedata.category(part)
    if category[0] == "M" or part == "ー":
        return part  # vowel signs of Indic scripts belong to the word
    return "" if category == "Cf" and part != _ZERO_WIDTH_SPACE else " "


def _stands_alone(letter: str) -> bool:
    point = ord(letter)
    return 0x3040 <= point <= 0x30FF or 0x3400 <= point <= 0x9FFF or 0x20000 <= point <= 0x3FFFF


_TABLE: Final = _Folding({point: _fold_letter(chr(point)) for point in range(0x250)})


def fold(text: str) -> str:
    """The words of a text, folded, between single spaces and padded with one; " " when there is no word."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isascii() and (len(text.encode("utf-8", "replace")) - len(text)) * 20 < len(text):
        # A mail in English with a few curly quotes: letters one by one are slow, ASCII at once is fast.
        text = _NOT_ASCII.sub(_fold_run, text)
    return f" {' '.join(text.translate(_TABLE).split())} "


def _fold_run(run: re.Match[str]) -> str:
    return run.group().translate(_TABLE)


def fold_value(text: str) -> str:
    """A short value as it is compared: without case and outer space. `Straße` and `STRASSE` are equal."""
    if text.isascii():
        return text.strip().lower()
    return unicodedata.normalize("NFC", text.strip()).casefold()


def bounded(subject: str, body: str) -> str:
    """Subject and body as rules look at them."""
    return f"{subject[:MAX_SUBJECT_CHARACTERS]}\n{body[:MAX_BODY_CHARACTERS]}"
