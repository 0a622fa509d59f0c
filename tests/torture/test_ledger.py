"""The oracle finds each kind of broken promise, and nothing in a store that kept them all."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from intake.store import schema
from tests.torture import ledger, mailmix

SEED = 9


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for table in schema.metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
    yield connection
    connection.close()


def _row(store: sqlite3.Connection, table: str, **values: object) -> None:
    columns = ", ".join(values)
    store.execute(
        f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(values))})", [*values.values()]
    )


def _ticket(store: sqlite3.Connection, number: int) -> None:
    _row(
        store, "tickets", id=number, ref=f"T{number}", customer_id=1, subject="", medium="email", account="m",
        rule="default", messages=1, created_at=0, updated_at=0,
    )  # fmt: skip


def _message(store: sqlite3.Connection, number: int, *, ticket: int, marker: str | None = None) -> None:
    body = f"Dear all,\nRef {marker or mailmix.marker(number, seed=SEED)}\nbye"
    _row(store, "blobs", id=number, hash=str(number), size_bytes=1, refs=1)
    _row(
        store, "journal", id=number, kind="email.smtp", account="m", lane="", received_at=0, blob_id=number,
        state="ticket", message_id=number,
    )  # fmt: skip
    _row(
        store, "messages", id=number, ticket_id=ticket, customer_id=1, journal_id=number, direction="in",
        author="a@b", medium="email", account="m", body=body, at=0,
    )  # fmt: skip


@pytest.fixture
def kept(store: sqlite3.Connection) -> sqlite3.Connection:
    """Two mails, acknowledged and stored, each with its ticket."""
    for number in (1, 2):
        _ticket(store, number)
        _message(store, number, ticket=number)
    return store


def _verdict(store: sqlite3.Connection, tmp_path: Path, text: str) -> ledger.Verdict:
    path = tmp_path / "sent.ledger"
    path.write_text(text)
    return ledger.verdict(store, ledger.promises_from([path], seed=SEED))


BOTH = "S 1\nA 1\nS 2\nA 2\n"


def test_kept_promises_are_clean(kept: sqlite3.Connection, tmp_path: Path) -> None:
    """Acknowledged mails that stand once, each in its ticket, break nothing."""
    assert _verdict(kept, tmp_path, BOTH).is_clean


def test_an_acknowledged_mail_that_is_nowhere_is_lost(kept: sqlite3.Connection, tmp_path: Path) -> None:
    assert _verdict(kept, tmp_path, BOTH + "S 3\nA 3\n").counts["lost"] == 1


def test_an_unanswered_mail_may_be_missing_or_there(kept: sqlite3.Connection, tmp_path: Path) -> None:
    """The sender was told nothing: both are right."""
    answer = _verdict(kept, tmp_path, "S 1\nA 1\nS 2\nU 2\nS 3\nU 3\n")
    assert (answer.is_clean, answer.unacked) == (True, 2)


def test_an_unanswered_mail_that_stands_twice_is_found(kept: sqlite3.Connection, tmp_path: Path) -> None:
    _message(kept, 4, ticket=2, marker=mailmix.marker(2, seed=SEED))
    kept.execute("UPDATE tickets SET messages = 2 WHERE id = 2")
    answer = _verdict(kept, tmp_path, "S 1\nA 1\nS 2\nU 2\n")
    assert {name for name, count in answer.counts.items() if count} == {"twice"}


def test_a_mail_that_nobody_sent_is_found(kept: sqlite3.Connection, tmp_path: Path) -> None:
    assert _verdict(kept, tmp_path, "S 1\nA 1\n").counts["never sent"] == 1


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("UPDATE messages SET body = 'empty' WHERE id = 1", "without marker"),
        ("DELETE FROM tickets WHERE id = 1", "message without ticket"),
        ("DELETE FROM messages WHERE id = 1", "ticket without message"),
        ("UPDATE journal SET state = 'pending' WHERE id = 1", "unsettled"),
        ("UPDATE journal SET state = 'quarantined' WHERE id = 1", "quarantined"),
        ("UPDATE journal SET message_id = NULL WHERE id = 1", "settled without message"),
        ("UPDATE tickets SET messages = 3 WHERE id = 1", "wrong message count"),
        ("DELETE FROM blobs WHERE id = 1", "raw bytes missing"),
    ],
)
def test_each_broken_row_is_found(kept: sqlite3.Connection, tmp_path: Path, change: str, name: str) -> None:
    kept.execute(change)
    assert _verdict(kept, tmp_path, BOTH).counts[name] == 1


def test_two_acknowledgements_of_one_ticket_are_found(kept: sqlite3.Connection, tmp_path: Path) -> None:
    for number in (1, 2):
        _row(
            kept, "outbox", id=number, cause=f"message:{number}", action="reply:received", ticket_id=1, medium="email",
            account="m", recipient="a@b", payload="{}", created_at=0,
        )  # fmt: skip
    assert _verdict(kept, tmp_path, BOTH).counts["acknowledged to twice"] == 1


def test_a_torn_last_line_is_left_out(kept: sqlite3.Connection, tmp_path: Path) -> None:
    """The client may be ended in the middle of a line; what it did not finish writing it did not say."""
    assert _verdict(kept, tmp_path, BOTH + "A 77").is_clean
