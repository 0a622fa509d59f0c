"""What a misspelt word may have meant: words that messages have and that differ from it by a letter, or two in a long one.

A letter too many, too few, another one, or two that changed places is one difference (Damerau 1964, in the restricted form
that changes no letter twice). A word with differences has a half that is as it was typed, or one in each half: so the
vocabulary is asked for the words that begin as the first half and those that end as the second; for two differences also
for those that begin as the first half with one difference in it.
"""

import functools
import heapq
from collections.abc import Iterable, Iterator

import msgspec
from sqlalchemy import text

from intake import search_vocabulary
from intake.store.engine import Tx
from intake.store.schema.search import VOCABULARY
from intake.store.statements import Engine, Statement

LONG = 8  # letters of a word in which two differences are looked for
KNOWN_FEWEST = 6  # letters of a word that messages do have, and that may be meant otherwise all the same
MOST = 5  # words that are given for one
ROWS_MAX = 20_000  # words of the vocabulary that are looked at
_ALPHABETS = (
    ("a", "z"),
    ("α", "ω"),
    ("а", "я"),
    ("א", "ת"),
    ("ا", "ي"),
)  # first and last letter of folded words
_CYRILLIC_MORE = "іїєґјљњћџѓќў"

_encode = msgspec.json.Encoder().encode
_VALUES: dict[Engine, str] = {
    "sqlite": "json_each(:beginnings)",
    "postgresql": "json_array_elements_text(CAST(:beginnings AS JSON))",
}


def _beginning(column: str) -> dict[Engine, Statement]:
    """Return what gives the words of which a column begins so, of some lengths."""
    return {
        engine: Statement(
            text(
                f"SELECT word FROM {values} AS asked CROSS JOIN {VOCABULARY}"  # noqa: S608 - ours
                f" WHERE {column} >= asked.value AND {column} < asked.value || :last"
                " AND length(word) BETWEEN :fewest AND :most LIMIT :rows"
            )
        )
        for engine, values in _VALUES.items()
    }


_FORWARDS, _BACKWARDS = _beginning("word"), _beginning("backwards")
_LAST = "\U0010ffff"


def similar(tx: Tx, word: str) -> tuple[str, ...]:
    """Return the words that may be meant, the nearest first; of one that messages have only those that are very near."""
    if not search_vocabulary.is_kept(word):
        return ()
    is_known = bool(search_vocabulary.known(tx, (word,)))
    if is_known and len(word) < KNOWN_FEWEST:
        return ()
    near = _nearest(word, _of_halves(tx, word, most=1), most=1)
    if not near and not is_known and len(word) >= LONG:
        near = _nearest(word, _of_both_halves(tx, word), most=2)
    return near


def _nearest(word: str, candidates: Iterable[str], *, most: int) -> tuple[str, ...]:
    """Return the nearest ones; of those equally near, words with the same first letter and of the same length first."""
    found = (
        (apart, each[0] != word[0], abs(len(each) - len(word)), each)
        for each in candidates
        if each != word and (apart := distance(word, each, most=most)) <= most
    )
    return tuple(each for *_, each in heapq.nsmallest(MOST, found))


def _of_halves(tx: Tx, word: str, *, most: int) -> set[str]:
    """Return words with one half as it was typed. Together the halves are a letter short: two may have changed places."""
    first, second = word[: len(word) // 2], word[len(word) // 2 + 1 :]
    return {
        *_asked(tx, _FORWARDS, [first], word, most=most),
        *_asked(tx, _BACKWARDS, [second[::-1]], word, most=most),
    }


def _of_both_halves(tx: Tx, word: str) -> set[str]:
    first = sorted(_one_apart(word[: len(word) // 2]))
    return _of_halves(tx, word, most=2) | set(_asked(tx, _FORWARDS, first, word, most=2))


def _asked(
    tx: Tx, statements: dict[Engine, Statement], beginnings: list[str], word: str, *, most: int
) -> Iterator[str]:
    rows = tx.all(
        statements[tx.engine],
        beginnings=_encode(beginnings).decode(),
        last=_LAST,
        fewest=len(word) - most,
        most=len(word) + most,
        rows=ROWS_MAX,
    )
    return (row[0] for row in rows)


def _one_apart(text: str) -> set[str]:
    """Return what a text may be with one difference, in the letters of its alphabet."""
    cuts = [(text[:place], text[place:]) for place in range(len(text) + 1)]
    letters = _alphabet(text)
    return {
        *(before + after[1:] for before, after in cuts if after),
        *(before + after[1] + after[0] + after[2:] for before, after in cuts if len(after) > 1),
        *(before + letter + after[1:] for before, after in cuts if after for letter in letters),
        *(before + letter + after for before, after in cuts for letter in letters),
    }


@functools.lru_cache(maxsize=1_000)
def _alphabet(text: str) -> str:
    """Return the letters that may stand in a word beside those it has."""
    letters = set(text)
    for first, last in _ALPHABETS:
        if any(first <= letter <= last for letter in text):
            letters.update(chr(point) for point in range(ord(first), ord(last) + 1))
            letters.update(_CYRILLIC_MORE if first == "а" else "")
    return "".join(sorted(letters))


def distance(one: str, other: str, *, most: int) -> int:
    """Return by how many letters two words differ; most + 1 = by more than that."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    start = 0  # what both begin and end with makes no difference
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return min(_table(one[start : len(one) - end], other[start : len(other) - end]), most + 1)


def _table(one: str, other: str) -> int:
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, last, row = row, before, [place]
        for at, there in enumerate(other, 1):
            cost = min(before[at] + 1, row[at - 1] + 1, before[at - 1] + (letter != there))
            if place > 1 and at > 1 and letter == other[at - 2] and one[place - 2] == there:
                cost = min(cost, last[at - 2] + 1)
            row.append(cost)
    return row[-1]
