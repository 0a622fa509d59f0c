"""A store that was copied to a larger one is a store in which every row still finds its others."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from bench import grow
from intake.store import schema

FIRST_ID = 50_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three customers, each with a ticket of one message."""
    path = tmp_path / "intake.db"
    connection = sqlite3.connect(path, isolation_level=None)
    for table in schema.metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
    for number in range(1, 4):
        _fill(connection, number, FIRST_ID + number)
    connection.close()
    return path


def _fill(connection: sqlite3.Connection, number: int, own: int) -> None:
    rows: dict[str, dict[str, object]] = {
        "blobs": {"id": own, "hash": f"h{number}", "size_bytes": 1, "refs": 1},
        "journal": {"id": number, "kind": "email.smtp", "account": "m", "lane": "", "received_at": 0, "blob_id": own,
                    "state": "ticket", "message_id": own, "ticket_id": own, "customer_id": own},
        "journal_keys": {"key": f"k{number}", "journal_id": number},
        "customers": {"id": own, "created_at": 0},
        "identities": {"id": own, "kind": "email", "value": f"a{number}@b", "customer_id": own, "created_at": 0},
        "tickets": {"id": own, "ref": f"R{number}", "customer_id": own, "subject": "", "medium": "email", "account": "m",
                    "rule": "default", "created_at": 0, "updated_at": 0},
        "participants": {"ticket_id": own, "kind": "email", "value": f"a{number}@b", "customer_id": own},
        "messages": {"id": own, "ticket_id": own, "customer_id": own, "journal_id": number, "direction": "in",
                     "author": f"a{number}@b", "medium": "email", "account": "m", "at": 0},
        "events": {"id": number, "ticket_id": own, "customer_id": own, "kind": "opened", "at": 0},
        "outbox": {"id": own, "cause": f"message:{own}", "action": "reply:received", "ticket_id": own, "medium": "email",
                   "account": "m", "recipient": "a@b", "payload": "{}", "created_at": 0},
    }  # fmt: skip
    for table, values in rows.items():
        marks = ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", [*values.values()])


def test_a_multiplied_store_has_its_rows_as_often_and_no_broken_reference(store: Path) -> None:
    """Five times three tickets, each with its own message, journal row, bytes, customer and address."""
    grow.multiply(store, times=5)
    connection = sqlite3.connect(store)
    whole = connection.execute(
        "SELECT count(*), count(DISTINCT t.id), count(DISTINCT j.id), count(DISTINCT b.id), count(DISTINCT i.value)"
        " FROM tickets t JOIN messages m ON m.ticket_id = t.id JOIN journal j ON j.id = m.journal_id AND j.ticket_id = t.id"
        " JOIN blobs b ON b.id = j.blob_id JOIN customers c ON c.id = t.customer_id JOIN identities i ON i.customer_id = c.id"
        " JOIN participants p ON p.ticket_id = t.id AND p.value = i.value JOIN journal_keys k ON k.journal_id = j.id"
    ).fetchone()
    connection.close()
    assert whole == (15, 15, 15, 15, 15)


def test_a_store_that_was_copied_can_be_copied_again(store: Path) -> None:
    """What is unique stays unique when copies are copied."""
    grow.multiply(store, times=2)
    grow.multiply(store, times=3)
    connection = sqlite3.connect(store)
    counted = connection.execute("SELECT count(*), count(DISTINCT ref) FROM tickets").fetchone()
    connection.close()
    assert counted == (18, 18)
