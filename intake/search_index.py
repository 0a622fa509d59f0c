"""Keeps what messages are found by: a row of words for each, written in the transaction that writes the message.

They are written at its end, on SQLite those of all messages that are committed together: FTS5 writes
its index out at each savepoint, and one by one costs the more.

What machines of ours wrote (acknowledgements) is not found by: every ticket has the same. Of the first message of a ticket
all of its text counts, what it quotes or forwards included; of later ones only what was written then.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select, text

from intake import search_vocabulary, search_words
from intake.store import schema
from intake.store.engine import Row, Store, Tx
from intake.store.schema import search
from intake.store.statements import Engine, Statement

AT_ONCE = 100  # messages of one write while the index is made anew
PAGES_AT_ONCE = 500  # of FTS5's index that one step of a merge writes
WEEK = "\ue001"  # private use, as search_words.PHONE: when a row was made; only PostgreSQL asks for it
_CHAT = "chat"  # whose authors are keys of sessions
_WEEK_BITS = 51  # of an id: 2^29 milliseconds are 6.2 days

_m = schema.messages.c
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_COLUMNS = (
    _m.id, _m.ticket_id, _m.direction, _m.medium, _m.automatic, _m.author, _m.author_name, _m.subject, _m.body,
    _m.visible_text, _m.attachments,
)  # fmt: skip
_NAMES = tuple(column.name for column in _COLUMNS)
_MESSAGE = Statement(select(*_COLUMNS).where(_m.id == bindparam("id")))
_NEXT = Statement(
    select(*_COLUMNS).where(_m.id > bindparam("after")).order_by(_m.id).limit(bindparam("most"))
)
_NEWEST = Statement(select(func.max(_m.id)))
_EARLIER = Statement(
    select(_m.id).where(_m.ticket_id == bindparam("ticket_id"), _m.id < bindparam("id")).limit(1)
)
# One statement for many: FTS5 writes its index out at the beginning of each (sqlite.org/vtab.html §2.20, xSavepoint, 2026-11).
_KEEP: dict[Engine, Statement] = {
    "sqlite": Statement(
        text(
            "INSERT INTO search_words (rowid, words) SELECT CAST(key AS INTEGER), value FROM json_each(:rows)"
        )
    ),
    "postgresql": Statement(
        text(
            "INSERT INTO search_words (id, words)"
            " SELECT CAST(key AS BIGINT), CAST(value AS TSVECTOR) FROM json_each_text(CAST(:rows AS JSON))"
        )
    ),
}
_FORGET: dict[Engine, Statement] = {
    "sqlite": Statement(
        text("DELETE FROM search_words WHERE rowid IN (SELECT CAST(value AS INTEGER) FROM json_each(:ids))")
    ),
    "postgresql": Statement(
        text(
            "DELETE FROM search_words"
            " WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(:ids AS JSON)))"
        )
    ),
}
_CLEAR: dict[Engine, tuple[Statement, ...]] = {
    "sqlite": tuple(Statement(text(each)) for each in search.EMPTY["sqlite"]),
    "postgresql": tuple(Statement(text(each)) for each in search.EMPTY["postgresql"]),
}
_MERGE = Statement(text("INSERT INTO search_words (search_words, rank) VALUES ('merge', :pages)"))
_CHANGED = Statement(text("SELECT total_changes()"))


class _Row(msgspec.Struct, frozen=True):
    """What is to stand in the index for a message. words: "" = nothing; is_new: nothing stands there yet."""

    words: str
    is_new: bool = False


def keep(tx: Tx, message_id: int, columns: Mapping[str, Any]) -> None:
    """Have the words of a message written that was just written. columns: of its row, as they were written."""
    words = _words(tx, message_id, columns)
    if words:
        tx.leave(_write, message_id, _Row(words, is_new=True))


def renew(tx: Tx, message_id: int) -> None:
    """Have the words of a message written anew, whatever they were: its text has changed."""
    row = tx.one(_MESSAGE, id=message_id)
    words = "" if row is None else _words(tx, message_id, dict(zip(_NAMES, row, strict=True)))
    tx.leave(_write, message_id, _Row(words))


def forget(tx: Tx, message_ids: Iterable[int]) -> None:
    """Have messages taken out of the index, at most some hundred at once."""
    for each in message_ids:
        tx.leave(_write, each, _Row(""))


def _write(tx: Tx, rows: dict[int, _Row]) -> None:
    """Write what a group of writes has left, at its end: once for all of its messages."""
    old = [message_id for message_id, row in rows.items() if not row.is_new]
    if old:
        tx.run(_FORGET[tx.engine], ids=_encode(old).decode())
    new = {str(message_id): row.words for message_id, row in rows.items() if row.words}
    if new:
        tx.run(_KEEP[tx.engine], rows=_encode(new).decode())
    changed = [row.words for row in rows.values() if row.words and not row.is_new]
    if changed:  # what is new is learnt by and by, see search_learning
        search_vocabulary.add(tx, search_vocabulary.new_in(tx, changed))


def merge(tx: Tx) -> bool:
    """Do a step of rewriting FTS5's index as one part, in which nothing is left of what was forgotten; whether more is to do.

    Until then words of it stay in older parts, though no search finds them (sqlite.org/fts5.html §6.8, 2026-11).
    PostgreSQL's own vacuum does it there.
    """
    if tx.engine != "sqlite":
        return False
    before = tx.one(_CHANGED) or (0,)
    tx.run(_MERGE, pages=-PAGES_AT_ONCE)
    return bool((tx.one(_CHANGED) or (0,))[0] - before[0] >= 2)


def reindex(store: Store, *, progress: Callable[[int, int], None] | None = None) -> int:
    """Make the index anew from all messages, while a daemon may go on; how many messages are in it.

    progress: (how much of the ids has been seen, of how much). A message that is settled meanwhile is in it once.
    """
    store.write_now(_clear)
    after, done = -1, 0
    newest = store.read_now(lambda tx: (tx.one(_NEWEST) or (0,))[0]) or 0
    while True:
        last, count = store.write_now(functools.partial(_reindex_some, after=after))
        if last is None:
            break
        after, done = last, done + count
        if progress is not None:
            progress(min(after, newest), newest)
    while store.write_now(merge):
        pass
    return done


def _clear(tx: Tx) -> None:
    for statement in _CLEAR[tx.engine]:
        tx.run(statement)
    search_vocabulary.clear(tx)


def _reindex_some(tx: Tx, after: int) -> tuple[int | None, int]:
    rows: Sequence[Row] = tx.all(_NEXT, after=after, most=AT_ONCE)
    for row in rows:  # "" too: what was settled since the index was emptied is written once
        tx.leave(_write, row[0], _Row(_words(tx, row[0], dict(zip(_NAMES, row, strict=True)))))
    return (rows[-1][0] if rows else None), len(rows)


def _words(tx: Tx, message_id: int, columns: Mapping[str, Any]) -> str:
    """Return the words that a message is found by; "" = none, what a machine of ours wrote included."""
    if columns["direction"] == "out" and columns.get("automatic"):
        return ""
    texts = [columns.get("subject") or "", _text(tx, message_id, columns)]
    if columns["direction"] == "in" and columns.get("medium") != _CHAT:
        texts += [columns.get("author_name") or "", columns.get("author") or ""]
    files = columns.get("attachments") or "[]"
    if files != "[]":
        texts += [each.get("name") or "" for each in _decode(files)]
    words = search_words.words_of(*texts)
    if words and tx.engine == "postgresql":
        words = f"{words} {week_word(week_number(message_id))}"
    return words


def _text(tx: Tx, message_id: int, columns: Mapping[str, Any]) -> str:
    visible, body = columns.get("visible_text"), columns.get("body") or ""
    if visible is None:
        return str(body)
    is_first = tx.one(_EARLIER, ticket_id=columns["ticket_id"], id=message_id) is None
    return str(body if is_first else visible)


def week_number(row_id: int) -> int:
    """Return in which week a row was made, by its id: they count from zero."""
    return row_id >> _WEEK_BITS


def week_word(number: int) -> str:
    """Return the word that every row of a week has."""
    return f"{WEEK}{number}"
