"""Keeps the vocabulary up: the words of messages that have come since, beside their settlement and in small steps.

A settlement so looks up and writes no word by itself. Until its words are learnt a message is found as ever, only
by no misspelt word. Steps go by the messages' ids; the youngest wait, since ids are made some time before their commit.
"""

from collections.abc import Sequence

from sqlalchemy import text

from intake import journal, search_vocabulary
from intake.store.engine import Ids, Store, Tx
from intake.store.statements import Engine, Statement

CURSOR = "search_vocabulary"
AT_ONCE = 50  # messages: the words of one step are written within some milliseconds
YOUNGEST_US = 30_000_000

_NEXT: dict[Engine, Statement] = {
    "sqlite": Statement(
        text(
            "SELECT rowid, words FROM search_words WHERE rowid > :after AND rowid < :before"
            " ORDER BY rowid LIMIT :most"
        )
    ),
    "postgresql": Statement(
        text(
            "SELECT id, array_to_string(tsvector_to_array(words), ' ') FROM search_words"
            " WHERE id > :after AND id < :before ORDER BY id LIMIT :most"
        )
    ),
}


async def catch_up(store: Store) -> bool:
    """Learn the words of some messages; whether there were any."""
    position, words = await store.read(_look)
    if position is None:
        return False
    await store.write(lambda tx: _learn(tx, position, words))
    return True


def _look(tx: Tx) -> tuple[int | None, Sequence[str]]:
    """Return the last message of the next step, None = there is none, and its words that are new."""
    after = int(journal.position(tx, CURSOR) or b"-1")
    before = Ids.lowest(tx.now - YOUNGEST_US)
    rows = tx.all(_NEXT[tx.engine], after=after, before=before, most=AT_ONCE)
    return (rows[-1][0] if rows else None), search_vocabulary.new_in(tx, [row[1] for row in rows])


def _learn(tx: Tx, position: int, words: Sequence[str]) -> None:
    if words:
        search_vocabulary.add(tx, words)
    journal.move_cursor(tx, CURSOR, str(position).encode())
