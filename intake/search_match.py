"""Asks the index of each engine which messages have the words of a query, the newest first.

FTS5 gives a word's messages in the order of their ids, from either end. GIN gives all of them before one can be sorted: on
PostgreSQL each row also has a word for the week in which it was made, and the weeks are asked backwards, twice as many
each time, until enough is found.
"""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import text

from intake import search_index
from intake.search_query import Piece, Query, Word
from intake.store.engine import Tx
from intake.store.statements import Engine, Statement

FIRST_CHUNK, LAST_CHUNK = 200, 8_000
LAST_ID = 2**63 - 1

_HITS: dict[Engine, Statement] = {
    "sqlite": Statement(
        text(
            "SELECT rowid FROM search_words WHERE search_words MATCH :match AND rowid < :before"
            " ORDER BY rowid DESC LIMIT :most"
        )
    ),
    "postgresql": Statement(
        text(
            # MATERIALIZED: for a LIMIT the planner walks the primary key and reads words of row after row.
            "WITH found AS MATERIALIZED"
            " (SELECT id FROM search_words WHERE words @@ CAST(:match AS TSQUERY) AND id < :before)"
            " SELECT id FROM found ORDER BY id DESC LIMIT :most"
        )
    ),
}
# CROSS JOIN: SQLite looks up each message, rather than walk through all that have the words.
_HAVING: dict[Engine, Statement] = {
    "sqlite": Statement(
        text(
            "SELECT search_words.rowid FROM json_each(:ids) AS asked CROSS JOIN search_words"
            " WHERE search_words.rowid = CAST(asked.value AS INTEGER) AND search_words MATCH :match"
        )
    ),
    "postgresql": Statement(
        text(
            "SELECT id FROM search_words WHERE words @@ CAST(:match AS TSQUERY)"
            " AND id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON)))"
        )
    ),
}


def expression(engine: Engine, pieces: tuple[Piece, ...]) -> str:
    """Write a query as the engine reads it; every word is quoted, so that none of it is the engine's own language."""
    write, both = (_fts5, " AND ") if engine == "sqlite" else (_tsquery, " & ")
    either = " OR " if engine == "sqlite" else " | "
    return both.join(
        f"({either.join(f'({both.join(write(word) for word in spelling)})' for spelling in piece.spellings)})"
        for piece in pieces
    )


def having(tx: Tx, query: Query, ids: Sequence[int]) -> set[int]:
    """Return which of some messages have all the words."""
    if not ids:
        return set()
    asked = msgspec.json.encode(ids).decode()
    return {
        row[0] for row in tx.all(_HAVING[tx.engine], ids=asked, match=expression(tx.engine, query.pieces))
    }


def hits(tx: Tx, query: Query, *, before: int = LAST_ID) -> Iterator[list[int]]:
    """Give the ids of messages that have all the words, the newest first, in growing chunks."""
    match, size = expression(tx.engine, query.pieces), FIRST_CHUNK
    for window in _windows(tx, before):
        asked = f"({match}) & ({window})" if window else match
        while True:
            rows = tx.all(_HITS[tx.engine], match=asked, before=before, most=size)
            if rows:
                before = rows[-1][0]
                yield [row[0] for row in rows]
            if len(rows) < size:
                break
            size = min(size * 10, LAST_CHUNK)


def _windows(tx: Tx, before: int) -> Iterator[str]:
    """Give the weeks to be asked for, one span after the other; "" = all at once."""
    if tx.engine == "sqlite":
        yield ""
        return
    high, span = search_index.week_number(min(before, tx.new_id())), 1
    while high >= 0:
        low = max(high - span + 1, 0)
        yield " | ".join(search_index.week_word(week) for week in range(low, high + 1))
        high, span = low - 1, span * 2


def _fts5(word: Word) -> str:
    quoted = '"' + word.text.replace('"', '""') + '"'
    return f"{quoted} *" if word.is_beginning else quoted


def _tsquery(word: Word) -> str:
    quoted = "'" + word.text.replace("\\", "\\\\").replace("'", "''") + "'"
    return f"{quoted}:*" if word.is_beginning else quoted
