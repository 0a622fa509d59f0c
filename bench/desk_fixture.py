"""A store of a desk that has worked for a year, written in bulk: tickets, what was said in them, clocks, deliveries, words.

A tenth of the tickets is open, most of those young. Their texts have the words of a made-up language, as uneven as real ones
are, with order numbers, phone numbers and names; ids are as the daemon makes them, by time. Indexes are made last.
"""

import itertools
import json
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from intake import instants, refs, search_vocabulary, search_words
from intake.store import opening
from intake.store.engine import Ids
from intake.store.schema import search
from intake.store.sqlite import FILE
from routing.sla import Clock

TEAMS = tuple(f"team{number}" for number in range(1, 13))
AGENTS = tuple(f"agent{number}" for number in range(1, 61))
BATCH = 20_000
LONG = 2_000  # messages of the longest conversation
BEGAN = datetime(2026, 1, 5, tzinfo=UTC)
ENDED = datetime(2026, 11, 20, tzinfo=UTC)
_MINUTE_US = 60_000_000
_TICKETS_EACH = 3  # of a customer, about
_VOCABULARY = 150_000
_POOL = 2_000_000
REF_KEY = b"bench" * 8
_TABLES = ("customers", "identities", "tickets", "messages", "events", "clocks", "decisions", "outbox")
_DECISION = json.dumps(
    {
        "rulebook": "0" * 64, "matched": ["money", "vip"], "rule": "money", "team": "team1", "agent": None, "priority": "normal",
        "sla": "standard", "tags": ["money"], "due": {}, "actions": [],
        "reasons": [{"rule": "money", "line": 12, "conditions": [{"field": "text.words", "wanted": ["invoice*"], "actual": "invoice", "held": True}]}],
    }
)  # fmt: skip
Row = tuple[Any, ...]


class Ticket(msgspec.Struct, frozen=True):
    """What the rows of one ticket have in common. at: microseconds UTC."""

    id: int
    number: int
    customer_id: int
    at: int
    is_open: bool
    team: str | None
    agent: str | None


class Words:
    """A made-up language: a few words are in most texts, most words in a few."""

    def __init__(self, chance: random.Random) -> None:
        syllables = [
            "".join(each) for each in itertools.product("bcdfghklmnprstvwz", "aeiou", ("", "n", "r", "s"))
        ]
        self._chance = chance
        words = dict.fromkeys(
            "".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(_VOCABULARY)
        )
        self.known = list(words)
        weights = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(self.known))))
        self._pool = chance.choices(self.known, cum_weights=weights, k=_POOL)

    def some(self, count: int) -> list[str]:
        start = self._chance.randrange(_POOL - count)
        return self._pool[start : start + count]


def make(folder: Path, *, tickets: int, say: Callable[[str], None] = print) -> None:
    """Write the store into a folder that has none."""
    opening.open_store("", folder).close()
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
            connection.execute(f"PRAGMA {pragma}")
        indexes = _drop_indexes(connection)
        _fill(connection, tickets, say)
        for each in indexes:
            connection.execute(each)
        connection.execute("PRAGMA journal_mode = WAL")
    say(f"  {(folder / FILE).stat().st_size / 1e9:.1f} GB")


def _insert(table: str, columns: str) -> str:
    return f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' for _ in columns.split())})"


_CUSTOMER = _insert("customers", "id, name, language, created_at")
_IDENTITY = _insert("identities", "id, kind, value, customer_id, is_verified, created_at, digits")
_TICKET = _insert(
    "tickets",
    "id, ref, customer_id, subject, status, priority, team, agent, language, tags, medium, account, own_address, sla, rule,"
    " messages, created_at, updated_at, solved_at, customer_replied_at, agent_replied_at, taken_at, written_at, next_due_at",
)
_CLOCK = _insert("clocks", "ticket_id, target, state, clock, due_at")
_DECISION_ROW = _insert(
    "decisions", "id, ticket_id, customer_id, message_id, at, rulebook, facts_version, facts, decision"
)
_EVENT = _insert("events", "ticket_id, customer_id, kind, actor, details, at")
_OUTBOX = _insert(
    "outbox",
    "id, cause, action, ticket_id, customer_id, message_id, medium, account, recipient, payload, state, created_at",
)
_MESSAGE = _insert(
    "messages",
    "id, ticket_id, customer_id, direction, author, author_name, medium, account, subject, body, language, is_verified, at",
)


def _write(connection: sqlite3.Connection, statement: str, rows: Iterable[Row]) -> None:
    connection.executemany(statement, rows)


def _drop_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop the indexes of the tables that are filled; the statements that make them again."""
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN (SELECT value FROM json_each(?))",
        (json.dumps(_TABLES),),
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    return [sql for _, sql in found]


def _fill(connection: sqlite3.Connection, count: int, say: Callable[[str], None]) -> None:
    chance = random.Random(20_261_122)
    words = Words(chance)
    connection.execute(f"INSERT INTO {search.TABLE} ({search.TABLE}, rank) VALUES ('hashsize', 67108864)")
    connection.execute("BEGIN")
    _customers(connection, chance, words, count // _TICKETS_EACH)
    for first in range(0, count, BATCH):
        batch = [_ticket(chance, number, count) for number in range(first, min(first + BATCH, count))]
        _write(connection, _TICKET, (_ticket_row(each, words) for each in batch))
        _write(connection, _CLOCK, (row for each in batch for row in _clock_rows(each)))
        _write(connection, _DECISION_ROW, (_decision_row(each) for each in batch))
        _write(connection, _EVENT, (row for each in batch for row in _event_rows(each)))
        _write(connection, _OUTBOX, (_outbox_row(each) for each in batch if each.number % 10))
        said = [row for each in batch for row in _message_rows(each, chance, words)]
        _write(connection, _MESSAGE, said)
        _index(connection, said)
        connection.execute("COMMIT")
        connection.execute("BEGIN")
        if (first // BATCH) % 10 == 9:
            say(f"  {first + BATCH} of {count} tickets")
    connection.execute("COMMIT")
    connection.execute(f"INSERT INTO {search.TABLE} ({search.TABLE}, rank) VALUES ('hashsize', 1048576)")
    known = (each for each in words.known if search_vocabulary.is_kept(each))
    _write(
        connection, f"INSERT INTO {search.VOCABULARY} VALUES (?, ?)", ((each, each[::-1]) for each in known)
    )


def _customers(connection: sqlite3.Connection, chance: random.Random, words: Words, count: int) -> None:
    at = instants.us_from_datetime(BEGAN)
    names = [f"{first} {last}".title() for first, last in (words.some(2) for _ in range(count))]
    _write(connection, _CUSTOMER, ((number + 1, names[number], "en", at) for number in range(count)))
    _write(connection, _IDENTITY, (_identity_row(number, names[number], at) for number in range(count)))


def address_of(number: int, name: str) -> str:
    """Return the address of a customer; every seventh has a phone instead."""
    return (
        f"+48{600_000_000 + number}"
        if number % 7 == 0
        else f"{name.lower().replace(' ', '.')}.{number}@mail{number % 50}.example"
    )


def _identity_row(number: int, name: str, at: int) -> Row:
    value = address_of(number, name)
    kind = "phone" if value.startswith("+") else "email"
    digits = search_words.backwards(value) if kind == "phone" else None
    return (number + 1, kind, value, number + 1, 1, at, digits)


def _ticket(chance: random.Random, number: int, count: int) -> Ticket:
    began, ended = (instants.us_from_datetime(each) for each in (BEGAN, ENDED))
    at = began + (ended - began) * number // count
    is_open = chance.random() < (0.64 if number > count * 0.9 else 0.04)
    team = None if number % 100 == 0 else chance.choices(TEAMS, weights=range(12, 0, -1))[0]
    agent = chance.choice(AGENTS) if not is_open or chance.random() < 0.7 else None
    customers = count // _TICKETS_EACH
    customer = int(customers * chance.random() ** 2)  # some write more often
    return Ticket(Ids.lowest(at) + (number & 0xFFF), number, customer + 1, at, is_open, team, agent)


def _status(each: Ticket) -> str:
    if each.is_open:
        return ("open", "open", "new", "pending", "on_hold")[each.number % 5]
    return "solved" if each.number % 9 == 0 else "closed"


def _ticket_row(each: Ticket, words: Words) -> Row:
    due = (
        each.at + 600 * _MINUTE_US + each.number % 997 * _MINUTE_US
        if each.is_open and each.number % 6
        else None
    )
    solved_at = None if each.is_open else each.at + 300 * _MINUTE_US
    replied_at = each.at + 60 * _MINUTE_US if each.number % 10 else None
    subject = " ".join(words.some(4)).capitalize()
    return (
        each.id, refs.ref_from_number(each.number, REF_KEY), each.customer_id, subject, _status(each),
        ("normal", "normal", "high", "low", "urgent")[each.number % 5], each.team, each.agent, "en",
        '["money"]' if each.number % 8 == 0 else "[]", "email", "support", "support@example.com", "standard", "money", 1,
        each.at, each.at + 60 * _MINUTE_US, solved_at, None, replied_at, replied_at, each.at, due,
    )  # fmt: skip


def _clock_rows(each: Ticket) -> Iterator[Row]:
    at = instants.datetime_from_us(each.at)
    if each.number % 10:
        yield _clock_row(each, Clock("first_response", "met", 7_200.0, 3_600.0, started_at=at, met_at=at))
    state: Any = "running" if each.is_open else "met"
    due_us = each.at + 600 * _MINUTE_US + each.number % 997 * _MINUTE_US
    due_at = instants.datetime_from_us(due_us) if each.is_open and each.number % 6 else None
    yield _clock_row(
        each,
        Clock(
            "resolution",
            state if due_at or not each.is_open else "paused",
            36_000.0,
            started_at=at,
            due_at=due_at,
        ),
    )


def _clock_row(each: Ticket, clock: Clock) -> Row:
    due_us = (
        None if clock.state != "running" or clock.due_at is None else instants.us_from_datetime(clock.due_at)
    )
    return (each.id, clock.target, clock.state, msgspec.json.encode(clock).decode(), due_us)


def _decision_row(each: Ticket) -> Row:
    return (each.id + 2, each.id, each.customer_id, each.id + 1, each.at, "0" * 64, 1, "{}", _DECISION)


def _event_rows(each: Ticket) -> Iterator[Row]:
    kinds = (
        ("created", "assigned", "sla_running", "sla_met", "status_changed")
        if each.number % 10
        else ("created", "assigned")
    )
    for place, kind in enumerate(kinds):
        yield (
            each.id,
            each.customer_id,
            kind,
            "rule:money",
            '{"field":"status","from":"new","to":"open"}',
            each.at + place,
        )
    for place in range(LONG if each.number == 0 else 0):
        yield (
            each.id,
            each.customer_id,
            "customer_replied",
            "customer",
            "{}",
            each.at + place * _MINUTE_US + 1,
        )


def _outbox_row(each: Ticket) -> Row:
    payload = json.dumps({"id": str(each.id + 4), "text": "x" * 300})
    return (
        each.id + 4, f"agent:{each.id}", "reply", each.id, each.customer_id, each.id + 3, "email", "support", "a@example.net",
        payload, "sent", each.at,
    )  # fmt: skip


def _message_rows(each: Ticket, chance: random.Random, words: Words) -> Iterator[Row]:
    author = f"customer.{each.customer_id}@mail{each.customer_id % 50}.example"
    for place in range(LONG if each.number == 0 else 2 if each.number % 10 else 1):
        is_in = place % 2 == 0
        text = words.some(chance.randint(20, 110))
        if is_in and each.number % 4 == 0:
            text += [
                f"AB-{each.number:07}/26",
                "call",
                f"+48 {600 + each.number % 100} {each.number % 1000:03} 777",
            ]
        yield (
            each.id + 1 + place * 2, each.id, each.customer_id, "in" if is_in else "out", author if is_in else each.agent or "agent1",
            " ".join(words.some(2)).title() if is_in else "", "email", "support", " ".join(text[:4]).capitalize(), " ".join(text),
            "en", 1, each.at + place * 60 * _MINUTE_US,
        )  # fmt: skip


def _index(connection: sqlite3.Connection, said: Sequence[Row]) -> None:
    """Write the words as search_index.keep does."""
    rows = (
        (row[0], search_words.words_of(row[8], row[9], *((row[5], row[4]) if row[3] == "in" else ())))
        for row in said
    )
    connection.executemany(f"INSERT INTO {search.TABLE} (rowid, words) VALUES (?, ?)", rows)
