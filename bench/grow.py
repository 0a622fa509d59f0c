"""Makes a store large: a few thousand tickets made by the daemon itself, then copied with their rows, ids shifted.

A copy has ids, refs, keys and addresses of its own, so that every index is as large and as varied as with real tickets;
it stands before the originals, as older tickets do. Counters, cursors and rulebooks are not copied.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Table

from intake.store import schema

_COUNTED = {"journal", "events"}  # number their rows themselves: copies follow, they do not precede
_OWNERS = {"id", "journal_id", "ticket_id"}  # a table without one of them is not about messages
_JOURNAL_IDS = {"journal_id", "duplicate_of"}
_IDS = {"ticket_id", "customer_id", "message_id", "blob_id", "linked_to", "suggested_link"}
_MARKED = {  # texts that must not come twice, or by which a person is found
    ("blobs", "hash"), ("journal", "key"), ("journal_keys", "key"), ("identities", "value"), ("participants", "value"),
    ("tickets", "ref"), ("messages", "external_id"), ("messages", "author"), ("outbox", "cause"),
    ("digest_items", "cause"), ("digest_items", "address"),
}  # fmt: skip


def multiply(store: Path, *, times: int, say: Callable[[str], None] = print) -> None:
    """Copy what is there until there is `times` as much. The daemon must not be running."""
    connection = sqlite3.connect(store, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -262144")
        tables = [
            table
            for table in schema.metadata.sorted_tables
            if _OWNERS & set(table.c.keys()) and table.name != "writes"
        ]
        spans = {table.name: _span(connection, table.name) for table in tables if "id" in table.c}
        shift = max(high - low for name, (low, high) in spans.items() if name not in _COUNTED) + 1
        for copy in range(1, times):
            connection.execute("BEGIN IMMEDIATE")
            for table in tables:
                connection.execute(_copying(table, copy, shift=shift, spans=spans))
            connection.execute("COMMIT")
            if copy % 3 == 0:
                say(f"  copied {copy + 1} of {times}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _span(connection: sqlite3.Connection, table: str) -> tuple[int, int]:
    low, high = connection.execute(
        f"SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM {table}"
    ).fetchone()
    return int(low), int(high)


def _copying(table: Table, copy: int, *, shift: int, spans: dict[str, tuple[int, int]]) -> str:
    """Say it as one INSERT … SELECT over the originals."""
    expressions = [
        _expression(table.name, column.name, copy, shift=shift, spans=spans) for column in table.columns
    ]
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {', '.join(expressions)} FROM {table.name} WHERE {_original(table, spans)}"


def _original(table: Table, spans: dict[str, tuple[int, int]]) -> str:
    if "id" in table.c:
        low, high = spans[table.name]
        return f"id BETWEEN {low} AND {high}"
    if "journal_id" in table.c:
        return f"journal_id <= {spans['journal'][1]}"
    return f"ticket_id >= {spans['tickets'][0]}"


def _expression(table: str, column: str, copy: int, *, shift: int, spans: dict[str, tuple[int, int]]) -> str:
    if column == "id":
        return f"id + {copy * _length(spans[table])}" if table in _COUNTED else f"id - {copy * shift}"
    if column in _JOURNAL_IDS:
        return f"{column} + {copy * _length(spans['journal'])}"
    if column in _IDS:
        return f"{column} - {copy * shift}"
    if (table, column) in _MARKED:
        return f"{column} || '.{spans['tickets'][0]}.{copy}'"  # also different from what an earlier call has copied
    return column


def _length(span: tuple[int, int]) -> int:
    return span[1] - span[0] + 1
