"""The words that messages are found by, each once: where a misspelt one is looked up.

Only words of letters are kept, from four on: of a number with a wrong digit nobody can say which was meant. New words come
from search_learning, some seconds after the messages that have them.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import text

from intake.store.engine import Tx
from intake.store.schema.search import VOCABULARY
from intake.store.statements import Engine, Statement

FEWEST, MOST = 4, 30  # letters of a word that may be misspelt

_encode = msgspec.json.Encoder().encode
_VALUES: dict[Engine, str] = {
    "sqlite": "json_each(:words)",
    "postgresql": "json_array_elements_text(CAST(:words AS JSON))",
}


def _of_both(sql: str) -> dict[Engine, Statement]:
    return {
        engine: Statement(text(sql.replace("VALUES_ASKED", values))) for engine, values in _VALUES.items()
    }


_KNOWN = _of_both(f"SELECT word FROM {VOCABULARY} WHERE word IN (SELECT value FROM VALUES_ASKED)")  # noqa: S608 - ours
_DROP = _of_both(f"DELETE FROM {VOCABULARY} WHERE word IN (SELECT value FROM VALUES_ASKED)")  # noqa: S608 - ours
_CLEAR = Statement(text(f"DELETE FROM {VOCABULARY}"))  # noqa: S608 - ours
_ADD: dict[Engine, Statement] = {
    "sqlite": Statement(
        text(
            f"INSERT INTO {VOCABULARY} SELECT key, value FROM json_each(:words) WHERE true ON CONFLICT DO NOTHING"  # noqa: S608 - ours
        )
    ),
    "postgresql": Statement(
        text(
            f"INSERT INTO {VOCABULARY} SELECT key, value FROM json_each_text(CAST(:words AS JSON))"  # noqa: S608 - ours
            " ON CONFLICT DO NOTHING"
        )
    ),
}


def is_kept(word: str) -> bool:
    """Whether a word may be misspelt, and so stands in the vocabulary."""
    return FEWEST <= len(word) <= MOST and word.isalpha()


def new_in(tx: Tx, texts: Iterable[str]) -> list[str]:
    """Return the words of some texts (see search_words.words_of) that are not in the vocabulary, in order."""
    asked = [word for word in set().union(*(each.split() for each in texts)) if is_kept(word)]
    return sorted(set(asked) - known(tx, asked))


def add(tx: Tx, words: Iterable[str]) -> None:
    """Add words, in order: two who add the same ones on PostgreSQL wait for each other in one direction only."""
    tx.run(_ADD[tx.engine], words=_encode({word: word[::-1] for word in words}).decode())


def known(tx: Tx, words: Iterable[str]) -> set[str]:
    """Return which of some words a message has had."""
    return {row[0] for row in tx.all(_KNOWN[tx.engine], words=_encode(list(words)).decode())}


def drop(tx: Tx, words: Iterable[str]) -> None:
    """Take words out that no message has any more."""
    tx.run(_DROP[tx.engine], words=_encode(list(words)).decode())


def clear(tx: Tx) -> None:
    """Take all of them out."""
    tx.run(_CLEAR)
