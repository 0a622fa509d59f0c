"""What messages are found by: a row of words with the id of each, in what each engine has for it. See intake.search_index.

No SQLAlchemy table can say it, so it is written down for both engines; migrations.generate puts the same words into the
first step. SQLite: FTS5 (sqlite.org/fts5.html, 3.40, 2026-11) keeps the words beside its index, so that a row can be taken
out again; `ascii` leaves words as intake.search_words has folded them; the places of words in a text are not kept
(detail=none), nor their number (columnsize=0), since nothing is ranked. With automerge 8 a settlement pays less for merging
than with 4. PostgreSQL: a tsvector of the same words, under GIN (PostgreSQL 15 documentation §70).

Beside it stand the words themselves, each once, forwards and backwards: what a misspelt word may have meant is looked up
there. See intake.search_vocabulary.
"""

from typing import Any

from sqlalchemy import DDL, event
from sqlalchemy.schema import ExecutableDDLElement

from intake.store.schema.columns import metadata

TABLE = "search_words"
VOCABULARY = "search_vocabulary"
_COLUMNS = "words, tokenize = 'ascii', detail = 'none', columnsize = 0"

_WORDS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        f"CREATE VIRTUAL TABLE {TABLE} USING fts5({_COLUMNS})",
        f"INSERT INTO {TABLE} ({TABLE}, rank) VALUES ('automerge', 8)",  # noqa: S608 - ours
    ),
    "postgresql": (
        f"CREATE TABLE {TABLE} (id BIGINT NOT NULL PRIMARY KEY, words TSVECTOR NOT NULL)",
        f"CREATE INDEX {TABLE}_words ON {TABLE} USING gin (words)",
    ),
}
_VOCABULARY: dict[str, tuple[str, ...]] = {
    "sqlite": (
        f"CREATE TABLE {VOCABULARY} (word TEXT NOT NULL PRIMARY KEY, backwards TEXT NOT NULL) WITHOUT ROWID",
        f"CREATE INDEX {VOCABULARY}_backwards ON {VOCABULARY} (backwards)",
    ),
    "postgresql": (
        # "C": beginnings are looked up as ranges, whatever the language of the server
        f'CREATE TABLE {VOCABULARY} (word TEXT COLLATE "C" NOT NULL PRIMARY KEY, backwards TEXT COLLATE "C" NOT NULL)',
        f"CREATE INDEX {VOCABULARY}_backwards ON {VOCABULARY} (backwards)",
    ),
}
CREATE: dict[str, tuple[str, ...]] = {each: _WORDS[each] + _VOCABULARY[each] for each in _WORDS}
"""Dialect -> the statements that make it."""

EMPTY: dict[str, tuple[str, ...]] = {
    "sqlite": (f"DROP TABLE {TABLE}", *_WORDS["sqlite"]),
    "postgresql": (f"TRUNCATE {TABLE}",),
}
"""Dialect -> the statements that take all words out of the index at once."""


def is_of_metadata(name: str | None, type_: str, _: Any) -> bool:
    """Whether Alembic compares a thing of this name: what is written down here is not in the metadata."""
    return type_ != "table" or not (name or "").startswith((TABLE, VOCABULARY))


for _dialect, _statements in CREATE.items():
    for _statement in _statements:
        _ddl: ExecutableDDLElement = DDL(_statement)  # type: ignore[no-untyped-call]
        event.listen(metadata, "after_create", _ddl.execute_if(dialect=_dialect))
