"""The words by which a message is found: folded as rules fold them, so that accents, case and alphabets' variants are equal.

A message is a set of words; where they stand in it is not kept. Besides the words that a text has, the set holds

    the letters of scripts without spaces, two by two      a phrase of them is found inside a sentence
    numbers with separators, without them                  AB-12345/26 is found as ab1234526
    phone numbers, backwards behind PHONE                  601 234 567 is the beginning of +48 601-234-567

Both engines are given words that stand between single blanks, and find whole ones and beginnings.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from routing import folding

TEXT_MAX = 20_000  # characters of a message that can be found by
WORDS_MAX = 3_000  # of one message
WORD_MAX = 64  # characters; what is longer is found by its beginning
PHONE = "\ue000"  # private use: folding lets none of them through, so nobody can write such a word
FEWEST_DIGITS, MOST_DIGITS = 6, 15  # of a phone number: E.164 has 15 at most

_PHONE = re.compile(r"(?<![\w.])\+?\(?[0-9][0-9 ()./\-\u00a0\u2011]{4,22}[0-9](?!\w)")
_CODE = re.compile(r"(?<!\w)\w++(?:[-/.#:]\w++)++")
_DIGIT = re.compile("[0-9]")
_NUMBER = re.compile("[0-9]+")
_NOT_DIGITS = re.compile(r"[^0-9]+")
# Thai, Lao, Burmese and Khmer; Han and Kana are taken apart by folding.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]{2,}")
_HAN_OR_KANA = re.compile("[\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
_WITHOUT_SPACES = re.compile(f"{_HAN_OR_KANA.pattern}|{_UNSPACED.pattern}")


def words_of(*texts: str) -> str:
    """Return the set of words of some texts, between single blanks, in the order in which they come first."""
    text = with_ascii_digits("\n".join(texts)[:TEXT_MAX])
    folded = folding.fold(text)
    words = folded.split()
    known = dict.fromkeys(words)
    if len(max(known, key=len, default="")) > WORD_MAX:
        known = dict.fromkeys([word[:WORD_MAX] for word in known])
    if not folded.isascii() and _WITHOUT_SPACES.search(
        folded
    ):  # looked for at once: a word at a time is slow
        known.update(dict.fromkeys(_neighbours(words)))
    if numbers := [found.start() for found in _NUMBER.finditer(text)]:
        known.update(dict.fromkeys(code for _, _, code in placed_codes(text, numbers)))
        known.update(dict.fromkeys(PHONE + each[::-1] for _, _, each in placed_phones(text, numbers)))
    return " ".join(list(known)[:WORDS_MAX])


class _Digits(dict[int, str]):
    """Code point -> what stands for it, as long; filled as letters are met."""

    def __missing__(self, point: int) -> str:
        letter = chr(point)
        if unicodedata.category(letter) == "Nd":
            letter = str(unicodedata.digit(letter))
        if len(self) < _LETTERS_MAX:
            self[point] = letter
        return letter


_LETTERS_MAX = 20_000
_DIGITS = _Digits({ord("№"): " "})  # folding reads it as two letters of the number's own word


def with_ascii_digits(text: str) -> str:
    """Write the digits of every script as 0 to 9."""
    return text if text.isascii() else text.translate(_DIGITS)


def _neighbours(words: list[str]) -> Iterator[str]:
    """Give each two neighbouring letters of scripts without spaces."""
    for first, second in itertools.pairwise(words):
        if len(first) == len(second) == 1 and _HAN_OR_KANA.match(first) and _HAN_OR_KANA.match(second):
            yield first + second
    for word in set(words):
        for run in _UNSPACED.findall(word):
            yield from pairs(run)


def wanted(text: str) -> list[str]:
    """Return the words that a message must have to hold a piece of text as it was typed."""
    found: list[str] = []
    for word in _joined(folding.fold(text).split()):
        is_unspaced = _HAN_OR_KANA.match(word) or _UNSPACED.fullmatch(word)
        found.extend(pairs(word) if is_unspaced and len(word) > 1 else [word[:WORD_MAX]])
    return found


def _joined(words: Iterable[str]) -> Iterator[str]:
    """Put the letters together again that folding has set apart."""
    run = ""
    for word in words:
        if len(word) == 1 and _HAN_OR_KANA.match(word):
            run += word
            continue
        if run:
            yield run
        run = ""
        yield word
    if run:
        yield run


def pairs(run: str) -> Iterator[str]:
    return (run[place : place + 2] for place in range(len(run) - 1))


def codes(text: str) -> Iterator[str]:
    """Give what is written with separators and has a digit (order numbers, dates) without them."""
    return (code for _, _, code in placed_codes(text))


def placed_codes(text: str, numbers: Sequence[int] | None = None) -> Iterator[tuple[int, int, str]]:
    """See codes; each with where it begins and ends. numbers: where runs of digits begin, None = they are looked for."""
    end = 0
    for number in _starts(text) if numbers is None else numbers:
        if number < end:
            continue
        # No code has a blank in it: only what stands around digits is looked at.
        start = max(end, text.rfind(" ", end, number) + 1, text.rfind("\n", end, number) + 1)
        end = _first(text, " ", number, len(text))
        end = _first(text, "\n", number, end)
        for found in _CODE.finditer(text, start, end):
            if _DIGIT.search(found.group()):
                code = folding.fold(found.group()).replace(" ", "")
                if code:
                    yield found.start(), found.end(), code[:WORD_MAX]


def _starts(text: str) -> list[int]:
    return [found.start() for found in _NUMBER.finditer(text)]


def _first(text: str, letter: str, start: int, end: int) -> int:
    found = text.find(letter, start, end)
    return end if found < 0 else found


def phones(text: str) -> Iterator[str]:
    """Give the digits of what may be a phone number, without the zeros that are dialled before it."""
    return (digits for _, _, digits in placed_phones(text))


def placed_phones(text: str, numbers: Sequence[int] | None = None) -> Iterator[tuple[int, int, str]]:
    """See phones; each with where it begins and ends. numbers: as of placed_codes."""
    end = 0
    for number in _starts(text) if numbers is None else numbers:
        if number < end:
            continue
        found = _phone_at(text, number, end)
        if found is None:
            continue
        end = found.end()
        digits = _NOT_DIGITS.sub("", found.group()).lstrip("0")
        if FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
            yield found.start(), end, digits


def _phone_at(text: str, number: int, end: int) -> re.Match[str] | None:
    """Return the phone number whose first digit stands at a place, with what is written before that digit."""
    start = number
    while start > max(end, number - 2) and text[start - 1] in "+(":
        start -= 1
    for place in range(start, number + 1):
        found = _PHONE.match(text, place)
        if found is not None:
            return found
    return None


def backwards(value: str) -> str | None:
    """Return the digits of a phone number as it is kept (E.164), the last one first; None = the value is none."""
    digits = value.removeprefix("+")
    is_phone = digits.isascii() and digits.isdigit() and FEWEST_DIGITS <= len(digits) <= MOST_DIGITS
    return digits[::-1] if is_phone else None


def phone_of(text: str) -> str | None:
    """Return the digits when all of a text is a phone number as somebody types it; None = it is none."""
    found = _PHONE.fullmatch(text.strip())
    return None if found is None else next(phones(found.group()), None)
