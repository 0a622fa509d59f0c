"""The write contract, on both engines."""

import asyncio
import json
import re
import secrets
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import BigInteger, bindparam, func, select

from intake.store import schema
from intake.store.engine import Ids, LockOrderError, Store, StoreError, Tx
from intake.store.statements import Engine, Statement, upsert, values_of
from tests.store.asking import all_at_once, busy
from tests.store.clock import Clock

LIMIT_S = 30.0
COUNT = Statement(select(func.count()).select_from(schema.counters))
USED = Statement(select(schema.counters.c.used).where(schema.counters.c.key == bindparam("key")))


def add(tx: Tx, key: str) -> str:
    tx.insert(schema.counters, name="test", key=key, window_start=0, used=0)
    return key


def count(store: Store) -> int:
    return int(store.read_now(lambda tx: tx.all(COUNT))[0][0])


def fail(tx: Tx) -> None:
    add(tx, "of the failing one")
    raise ValueError("mine")


async def test_a_result_is_given_out_only_when_another_process_can_see_it(
    store: Store, open_store: Callable[[], Store]
) -> None:
    other = open_store()
    assert await store.write(lambda tx: add(tx, "a")) == "a"
    assert count(other) == 1


async def test_what_a_write_raises_comes_back_and_nothing_of_it_is_kept(store: Store) -> None:
    with pytest.raises(ValueError, match="mine"):
        await store.write(fail)
    assert count(store) == 0


async def test_a_write_that_raises_stop_iteration_does_not_keep_its_caller_waiting(store: Store) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(store.write(lambda tx: next(iter(()))), 10)


def test_an_exception_undoes_only_its_own_member_of_a_group(store: Store) -> None:
    before, failed, after = all_at_once(store, [lambda tx: add(tx, "a"), fail, lambda tx: add(tx, "b")])
    assert (before.result(), after.result(), count(store)) == ("a", "b", 2)
    assert isinstance(failed.exception(), ValueError)


def test_a_constraint_undoes_only_its_own_member_of_a_group(store: Store) -> None:
    futures = all_at_once(store, [lambda tx: add(tx, "a"), lambda tx: add(tx, "a"), lambda tx: add(tx, "b")])
    errors = [future.exception() for future in futures]
    assert sum(isinstance(error, sqlite3.IntegrityError | psycopg.IntegrityError) for error in errors) == 1
    assert count(store) == 2


def test_hundreds_of_waiting_writes_are_each_kept_and_answered(store: Store) -> None:
    with ThreadPoolExecutor(32) as pool:
        keys = list(pool.map(lambda number: store.write_now(lambda tx: add(tx, str(number))), range(600)))
    assert len(set(keys)) == count(store) == 600


async def test_the_cancellation_of_the_caller_does_not_undo(store: Store) -> None:
    committed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(signals: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(committed.set)

    def add_and_tell(tx: Tx) -> None:
        add(tx, "a")
        tx.signal("added", 1)

    store.listen(hear)
    with busy(store):
        caller = asyncio.create_task(store.write(add_and_tell))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
    await asyncio.wait_for(committed.wait(), 10)
    assert count(store) == 1


async def test_a_read_sees_what_was_committed_and_not_what_is_under_way(store: Store) -> None:
    await store.write(lambda tx: add(tx, "a"))
    counted: list[int] = []

    def look_from_outside(tx: Tx) -> None:
        add(tx, "b")
        counted.append(count(store))

    await store.write(look_from_outside)
    assert (counted, await store.read(lambda tx: tx.one(COUNT))) == ([1], (2,))


def test_a_read_keeps_to_one_snapshot(store: Store) -> None:
    def read_twice(tx: Tx) -> list[Any]:
        first = tx.one(COUNT)
        store.write_now(lambda other: add(other, "a"))
        return [first, tx.one(COUNT)]

    assert store.read_now(read_twice) == [(0,), (0,)]


def test_a_read_cannot_write(store: Store) -> None:
    with pytest.raises((sqlite3.OperationalError, psycopg.Error, StoreError)):
        store.read_now(lambda tx: add(tx, "a"))
    assert count(store) == 0


def test_a_read_that_raised_leaves_the_next_one_alone(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        store.read_now(lambda tx: 1 // 0)
    assert count(store) == 0


def test_locks_in_the_wrong_order_are_refused_on_every_engine(store: Store) -> None:
    def wrong(tx: Tx) -> None:
        tx.lock("ticket", 1)
        tx.lock("customer", 1)

    with pytest.raises(LockOrderError, match="lock customer 1"):
        store.write_now(wrong)


def test_locks_in_the_right_order_may_be_taken_again(store: Store) -> None:
    def right(tx: Tx) -> str:
        for kind in ("sender", "sender", "customer", "ticket", "team", "agent"):
            tx.lock(kind, 7)
        return "done"

    assert store.write_now(right) == "done"


def test_a_listener_hears_the_signals_of_committed_writes_only(store: Store) -> None:
    heard: list[dict[str, Any]] = []
    store.listen(heard.append)

    def undone(tx: Tx) -> None:
        tx.signal("due", 1)
        raise ValueError

    with pytest.raises(ValueError):
        store.write_now(undone)
    store.write_now(lambda tx: tx.signal("due", 9))
    store.close()
    assert heard == [{"due": 9}]


def test_signals_keep_the_smallest_number_and_join_lists(store: Store) -> None:
    heard: list[dict[str, Any]] = []
    store.listen(heard.append)

    def signal(tx: Tx) -> None:
        for value in (5, 3, 4):
            tx.signal("due", value)
            tx.signal("ids", [value])

    store.write_now(signal)
    store.close()
    assert heard == [{"due": 3, "ids": [5, 3, 4]}]


def test_a_listener_that_raises_does_not_stop_the_store(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_to_listen(signals: dict[str, Any]) -> None:
        raise ValueError

    store.listen(fail_to_listen)
    store.write_now(lambda tx: tx.signal("due", 1))
    store.write_now(lambda tx: tx.signal("due", 1))
    store.close()
    assert [record.message for record in caplog.records] == ["store_listener_failed"] * 2


def test_close_keeps_what_was_asked_for_before_it(store: Store, open_store: Callable[[], Store]) -> None:
    futures = all_at_once(store, [partial(add, key=str(number)) for number in range(8)])
    store.close()
    assert all(future.done() for future in futures)
    assert count(open_store()) == 8


@pytest.mark.parametrize("use", ["write_now", "read_now"])
def test_a_closed_store_says_so(store: Store, use: str) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        getattr(store, use)(lambda tx: None)


def test_the_time_of_a_write_is_the_clock_and_stands_still(store: Store, clock: Clock) -> None:
    def times(tx: Tx) -> tuple[int, int]:
        first = tx.now
        clock.forward(seconds=60)
        return first, tx.now

    first, second = store.write_now(times)
    assert first == second == 1_795_251_600_000_000


def test_an_update_by_names_says_how_many_rows_there_were(store: Store) -> None:
    def change(tx: Tx) -> tuple[int, int]:
        add(tx, "a")
        return (
            tx.update(schema.counters, {"name": "test", "key": "a"}, used=5),
            tx.update(schema.counters, {"name": "test", "key": "b"}, used=5),
        )

    assert store.write_now(change) == (1, 0)
    assert store.read_now(lambda tx: tx.one(USED, key="a")) == (5,)


def test_a_list_of_texts_or_of_ids_is_one_parameter(store: Store) -> None:
    by_key = Statement(select(schema.counters.c.key).where(schema.counters.c.key.in_(values_of("keys"))))
    by_use = Statement(
        select(schema.counters.c.key).where(schema.counters.c.used.in_(values_of("used", BigInteger())))
    )

    def fill(tx: Tx) -> None:
        for number, key in enumerate(("ż", "it's", "%s :x")):
            tx.insert(schema.counters, name="test", key=key, window_start=0, used=number)

    store.write_now(fill)
    assert sorted(store.read_now(lambda tx: tx.all(by_key, keys=json.dumps(["ż", "%s :x", "absent"])))) == [
        ("%s :x",),
        ("ż",),
    ]
    assert store.read_now(lambda tx: tx.all(by_use, used=json.dumps([1]))) == [("it's",)]
    assert store.read_now(lambda tx: tx.all(by_use, used="[]")) == []


async def test_the_writes_of_another_process_are_noticed(
    store: Store, open_store: Callable[[], Store]
) -> None:
    other = open_store()
    await store.has_foreign_writes()
    own = await store.write(lambda tx: add(tx, "a")), await store.has_foreign_writes()
    other.write_now(lambda tx: add(tx, "b"))
    assert own == ("a", store.engine == "postgresql")
    assert await store.has_foreign_writes()


def test_ids_grow_and_are_not_repeated_by_another_process(clock: Clock) -> None:
    ids, others = Ids(clock, process=1), Ids(clock, process=2)
    made = [ids.new() for _ in range(10_000)]
    assert made == sorted(made)
    assert len({*made, *(others.new() for _ in range(10_000))}) == 20_000


def test_ids_of_two_that_share_their_bits_count_from_different_numbers(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten bits are soon the same; that each millisecond begins at the same number as well is not."""
    numbers = iter((7, 100, 7, 1_500))
    monkeypatch.setattr(secrets, "randbelow", lambda most: next(numbers))
    ids, others = Ids(clock), Ids(clock)
    assert {ids.new() for _ in range(1_000)}.isdisjoint([others.new() for _ in range(1_000)])


def test_ids_go_on_when_the_clock_is_set_back(clock: Clock) -> None:
    ids = Ids(clock)
    before = ids.new()
    clock.forward(seconds=-3600)
    assert ids.new() > before


def test_ids_fit_in_63_bits_until_2090(clock: Clock) -> None:
    clock.forward(seconds=64 * 366 * 86_400)
    assert Ids(clock, process=1023).new() < 2**63


@pytest.mark.slow
def test_ids_asked_for_in_several_threads_are_not_repeated(
    clock: Clock, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(partial(sys.setswitchinterval, sys.getswitchinterval()))
    sys.setswitchinterval(1e-6)
    ids = Ids(clock)
    with ThreadPoolExecutor(8) as pool:
        made = [
            made
            for batch in pool.map(lambda _: [ids.new() for _ in range(2_000)], range(8))
            for made in batch
        ]
    assert len(set(made)) == len(made)


def test_a_statement_whose_text_would_change_with_its_list_is_refused() -> None:
    with pytest.raises(ValueError, match="pass the list as JSON"):
        Statement(select(schema.counters).where(schema.counters.c.key.in_(["a", "b"]))).compiled("sqlite")


def test_a_null_that_the_statement_itself_brings_is_bound(store: Store) -> None:
    armed = Statement(schema.agent_state.insert().values(name=bindparam("name"), last_assigned_at=None))
    assert store.write_now(lambda tx: tx.run(armed, name="ania")) == 1


def test_a_null_test_behind_returning_is_refused() -> None:
    """SQLite 3.40 answers it wrongly."""
    blobs = schema.blobs
    with pytest.raises(ValueError, match="return the column itself"):
        Statement(blobs.update().values(refs=0).returning(blobs.c.body.is_(None))).compiled("sqlite")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_an_upsert_reads_alike_on_both_engines(engine: Engine) -> None:
    counters = schema.counters
    insert = upsert(counters).values(name=bindparam("name"), key=bindparam("key"), used=bindparam("used"))
    statement = insert.on_conflict_do_update(
        index_elements=["name", "key"],
        set_={"used": counters.c.used + insert.excluded.used},
        where=counters.c.used < bindparam("cap"),
    )
    sql, _, _ = Statement(statement.returning(counters.c.used)).compiled(engine)
    plain = re.sub(r"%\(\w+\)s", "?", re.sub(r"::\w+|\"", "", sql))
    assert re.sub(r"RETURNING (counters\.)?", "RETURNING ", plain) == (
        "INSERT INTO counters (name, key, used) VALUES (?, ?, ?) ON CONFLICT (name, key)"
        " DO UPDATE SET used = (counters.used + excluded.used) WHERE counters.used < ? RETURNING used"
    )


def test_close_waits_for_the_read_under_way(store: Store) -> None:
    """A thread reads on when who waited for it is cancelled; SQLite crashes when its connection is closed meanwhile."""
    begun, closing = threading.Event(), threading.Event()

    def read(tx: Tx) -> bool:
        begun.set()
        closing.wait(LIMIT_S)
        return tx.one(COUNT) is not None

    with ThreadPoolExecutor(2) as threads:
        reading = threads.submit(store.read_now, read)
        assert begun.wait(LIMIT_S)
        closed = threads.submit(store.close)
        with pytest.raises(TimeoutError):
            closed.result(0.05)
        closing.set()
        assert reading.result(LIMIT_S) is True
        closed.result(LIMIT_S)
