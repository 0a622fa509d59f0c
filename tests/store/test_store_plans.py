"""No statement looks at a whole table that grows with every message: SQLite's own plan of each one says so."""

import importlib
import pkgutil
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import intake
from intake import unseen
from intake.store import schema
from intake.store.sqlite import FILE
from intake.store.statements import Statement

GROWING = frozenset(
    ("blobs", "clocks", "counters", "customers", "decisions", "events", "identities", "journal", "journal_keys", "messages", "outbox")
) | {"feeds", "participants", "session_lines", "sessions", "tickets", "timers"}  # fmt: skip

# What a person asks for now and then, and what takes the first row it meets.
ALLOWED = frozenset(
    (
        "intake.backtest.stored._COUNT_ALL",
        "intake.means._TEXTS",
        "intake.page_tests._NEWEST",
        "intake.played_checks._EVERY",
        "intake.upkeep._LAST",
        "intake.web.desk.live._NEWEST",
        "intake.wiring._ANY_MESSAGE",
    )
)
# An index of some rows only is as long as what waits.
PARTIAL = frozenset(
    index.name
    for table in schema.metadata.tables.values()
    for index in table.indexes
    if "where" in index.info
)
_SCAN = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")


def statements() -> Iterator[tuple[str, Statement]]:
    """Every statement that a module names."""
    for found in pkgutil.walk_packages(intake.__path__, "intake."):
        if ".migrations" not in found.name and "__main__" not in found.name:
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                if isinstance(value, Statement):
                    yield f"{found.name}.{name}", value


def scanned(store: sqlite3.Connection, statement: Statement) -> set[str]:
    """The growing tables that a statement reads from one end to the other."""
    sql, own, pick = statement.compiled("sqlite")
    given = defaultdict(lambda: 1, own)
    values = {**own, "rows": "[]"} if ":rows" in sql else pick(given) if pick is not None else ()
    plan = [str(row[3]) for row in store.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [found for found in map(_SCAN.match, plan) if found]
    return {found[1] for found in scans if found[1] in GROWING and found[2] not in PARTIAL}


@pytest.fixture
def empty(tmp_path: Path, new_store: bytes) -> Iterator[sqlite3.Connection]:
    (tmp_path / FILE).write_bytes(new_store)
    with closing(sqlite3.connect(tmp_path / FILE)) as store:
        yield store


def test_no_statement_reads_a_growing_table_whole(empty: sqlite3.Connection) -> None:
    """Each needs an index; those that a person asks for now and then are named above."""
    found = {name for name, each in statements() if scanned(empty, each)}
    assert found == ALLOWED


def test_an_index_that_is_gone_is_missed(empty: sqlite3.Connection) -> None:
    """Else the claim above would hold of anything."""
    empty.execute("DROP INDEX messages_external_id")
    assert {name for name, each in statements() if scanned(empty, each)} > ALLOWED


def test_what_an_answer_is_compared_with_is_counted_in_an_index_alone(empty: sqlite3.Connection) -> None:
    """Each answer counts what was said in public on its ticket: of a long conversation no message is read for it."""
    sql, own, pick = unseen._COUNT.compiled("sqlite")
    given = defaultdict(lambda: 1, own)
    plan = empty.execute(f"EXPLAIN QUERY PLAN {sql}", given if pick is None else pick(given)).fetchall()
    assert "COVERING INDEX messages_ticket (ticket_id=?)" in str(plan[0][3])
