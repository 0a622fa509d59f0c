"""Races, with 8 writers at once on each engine: the write contract alone keeps every outcome right."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import bindparam, func, select, update

from intake.store import blobs, opening, schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement, upsert

WRITERS = 8
ROUNDS = 12

FIRST_KEY = Statement(
    upsert(schema.journal_keys)
    .values(key=bindparam("key"), journal_id=bindparam("journal_id"))
    .on_conflict_do_nothing(index_elements=["key"])
    .returning(schema.journal_keys.c.journal_id)
)
OWNER = Statement(
    select(schema.identities.c.customer_id).where(
        schema.identities.c.kind == "email", schema.identities.c.value == bindparam("value")
    )
)
CUSTOMERS = Statement(select(func.count()).select_from(schema.customers))
TAKE = Statement(
    update(schema.counters)
    .where(schema.counters.c.key == bindparam("key"), schema.counters.c.used < 5)
    .values(used=schema.counters.c.used + 1)
)
CLAIM = Statement(
    update(schema.timers)
    .where(schema.timers.c.id == bindparam("id"), schema.timers.c.state == "pending")
    .values(state="fired")
)
STATUS = Statement(select(schema.tickets.c.status).where(schema.tickets.c.id == bindparam("id")))


def race(store: Store, fn: Callable[..., Any], **fixed: Any) -> list[Any]:
    """Let WRITERS threads ask for fn(tx, number, **fixed) at the same moment; their results."""
    gate = threading.Barrier(WRITERS)

    def run(number: int) -> Any:
        gate.wait(10)
        return store.write_now(lambda tx: fn(tx, number, **fixed))

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(run, range(WRITERS)))


def test_of_writers_with_the_same_key_exactly_one_gets_its_row_back(store: Store) -> None:
    def insert_key(tx: Tx, number: int, key: str) -> Any:
        return tx.one(FIRST_KEY, key=key, journal_id=number)

    for turn in range(ROUNDS):
        rows = race(store, insert_key, key=f"key-{turn}")
        assert len([row for row in rows if row is not None]) == 1


def identify(tx: Tx, number: int, address: str) -> int:
    tx.lock("sender", address)
    row = tx.one(OWNER, value=address)
    if row is not None:
        return int(row[0])
    customer = tx.new_id()
    tx.insert(schema.customers, id=customer, created_at=tx.now)
    tx.insert(
        schema.identities,
        id=tx.new_id(),
        kind="email",
        value=address,
        customer_id=customer,
        created_at=tx.now,
    )
    return customer


def test_writers_who_meet_the_same_new_sender_make_one_customer(store: Store) -> None:
    for turn in range(ROUNDS):
        owners = race(store, identify, address=f"new{turn}@example.com")
        assert len(set(owners)) == 1
    assert store.read_now(lambda tx: tx.one(CUSTOMERS)) == (ROUNDS,)


def test_writers_of_two_processes_who_meet_the_same_new_sender_make_one_customer(
    store: Store, open_store: Callable[[], Store]
) -> None:
    stores = [store, open_store()]
    gate = threading.Barrier(WRITERS)

    def run(number: int) -> list[int]:
        gate.wait(10)
        own = stores[number % 2]
        return [
            own.write_now(partial(identify, number=number, address=f"new{turn}@example.com"))
            for turn in range(ROUNDS)
        ]

    with ThreadPoolExecutor(WRITERS) as pool:
        owners = list(pool.map(run, range(WRITERS)))
    assert all(own == owners[0] for own in owners)
    assert store.read_now(lambda tx: tx.one(CUSTOMERS)) == (ROUNDS,)


def test_a_cap_by_one_conditional_update_is_never_exceeded(store: Store) -> None:
    def open_counter(tx: Tx, key: str) -> None:
        tx.insert(schema.counters, name="cap", key=key, window_start=0, used=0)

    for turn in range(ROUNDS):
        store.write_now(partial(open_counter, key=f"cap-{turn}"))
        assert sum(race(store, lambda tx, number, key: tx.run(TAKE, key=key), key=f"cap-{turn}")) == 5


def add_timer(tx: Tx) -> int:
    timer = tx.new_id()
    tx.insert(
        schema.timers,
        id=timer,
        ticket_id=timer,
        customer_id=1,
        kind="step",
        policy="p",
        step="1",
        due_at=tx.now,
    )
    return timer


def test_a_due_timer_is_claimed_once(store: Store) -> None:
    for _ in range(ROUNDS):
        timer = store.write_now(add_timer)
        assert sum(race(store, lambda tx, number, timer: tx.run(CLAIM, id=timer), timer=timer)) == 1


def add_ticket(tx: Tx) -> int:
    ticket = tx.new_id()
    tx.insert(
        schema.tickets, id=ticket, ref=str(ticket), customer_id=1, subject="", medium="email", account="a", rule="r",
        created_at=tx.now, updated_at=tx.now,
    )  # fmt: skip
    return ticket


def test_no_reply_joins_a_ticket_after_its_close(store: Store) -> None:
    """Each decides by the status that it reads under the ticket's lock: a reply that comes second sees the close."""

    def reply(tx: Tx, number: int, ticket: int) -> str:
        tx.lock("ticket", ticket)
        if number == 3:
            tx.update(schema.tickets, {"id": ticket}, status="closed")
            return "closed"
        if status(tx, ticket) == "closed":
            return "follow-up"
        tx.update(schema.tickets, {"id": ticket}, messages=1, status="open")
        return "joined"

    def status(tx: Tx, ticket: int) -> str:
        row = tx.one(STATUS, id=ticket)
        return str(row and row[0])

    for _ in range(ROUNDS):
        ticket = store.write_now(add_ticket)
        outcomes = race(store, reply, ticket=ticket)
        assert store.read_now(partial(status, ticket=ticket)) == "closed"
        assert outcomes.count("joined") + outcomes.count("follow-up") == WRITERS - 1


def test_the_same_body_kept_by_all_is_one_blob_with_a_count(store: Store) -> None:
    prepared = blobs.prepare(b"the same mail", Path("unused"))
    ids = race(store, lambda tx, number: blobs.keep(tx, prepared))
    assert len(set(ids)) == 1
    refs = Statement(select(schema.blobs.c.refs).where(schema.blobs.c.id == bindparam("id")))
    assert store.read_now(lambda tx: tx.one(refs, id=ids[0])) == (WRITERS,)


@pytest.mark.postgres
def test_without_the_lock_the_race_for_a_new_customer_is_lost(postgres_url: str, tmp_path: Path) -> None:
    """The same race without tx.lock fails on PostgreSQL: the test above can fail."""

    class Unlocked:
        def __init__(self, tx: Tx) -> None:
            self.tx = tx

        def __getattr__(self, name: str) -> Any:
            return (lambda *_: None) if name == "lock" else getattr(self.tx, name)

    def identify_unlocked(tx: Tx, number: int, address: str) -> int:
        return identify(cast("Tx", Unlocked(tx)), number, address)

    def meet(store: Store) -> None:
        for turn in range(200):
            race(store, identify_unlocked, address=f"new{turn}@example.com")

    with (
        closing(opening.open_store(postgres_url, tmp_path)) as store,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        meet(store)
