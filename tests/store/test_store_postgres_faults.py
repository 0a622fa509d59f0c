"""What PostgreSQL's store makes of lost connections, lost answers, deadlocks and a server that would lose messages."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import bindparam, func, select, update

from intake.store import postgres, postgres_errors, schema
from intake.store.engine import StoreError, Tx
from intake.store.postgres import PostgresStore
from intake.store.statements import Statement
from tests.store.asking import ask
from tests.store.clock import Clock
from tests.store.cutting import Proxy

pytestmark = pytest.mark.postgres

COUNT = Statement(select(func.count()).select_from(schema.counters))
WRITES = Statement(select(func.count()).select_from(schema.writes))
USE = Statement(
    update(schema.counters)
    .where(schema.counters.c.key == bindparam("key"))
    .values(used=schema.counters.c.used + 1)
)


@pytest.fixture
def store(postgres_url: str, clock: Clock) -> Iterator[PostgresStore]:
    with closing(PostgresStore(postgres_url, clock=clock, writers=2)) as store:
        yield store


def add(tx: Tx, key: str) -> str:
    tx.insert(schema.counters, name="test", key=key, window_start=0, used=0)
    return key


def count(store: PostgresStore) -> int:
    return int(store.read_now(lambda tx: tx.all(COUNT))[0][0])


def kill_own_backend(tx: Tx, url: str) -> None:
    """End the server's side of this transaction's connection, as a crash or an administrator does."""
    (pid,) = tx._execute("SELECT pg_backend_pid()", {}).fetchone()
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_connection_killed_before_commit_means_the_write_runs_again(
    store: PostgresStore, postgres_url: str
) -> None:
    runs: list[int] = []

    def write(tx: Tx) -> str:
        runs.append(1)
        add(tx, f"run-{len(runs)}")
        if len(runs) == 1:
            kill_own_backend(tx, postgres_url)
        return f"run-{len(runs)}"

    assert store.write_now(write) == "run-2"
    assert count(store) == 1


def test_a_connection_killed_under_a_read_means_it_reads_again(
    store: PostgresStore, postgres_url: str
) -> None:
    runs: list[int] = []

    def read(tx: Tx) -> Any:
        runs.append(1)
        if len(runs) == 1:
            kill_own_backend(tx, postgres_url)
        return tx.one(COUNT)

    assert store.read_now(read) == (0,)


def test_connections_killed_while_idle_are_opened_again(store: PostgresStore, postgres_url: str) -> None:
    store.write_now(lambda tx: add(tx, "a"))
    count(store)
    _kill_all(postgres_url)
    assert store.write_now(lambda tx: add(tx, "b")) == "b"
    assert count(store) == 2


@pytest.fixture
def proxy(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    host = postgres_server.partition("?host=")[2]
    with closing(Proxy(tmp_path_factory.mktemp("pg"), f"{host}/.s.PGSQL.5432")) as proxy:
        yield proxy


def test_a_commit_whose_answer_was_lost_is_looked_up_and_not_run_twice(
    postgres_url: str, proxy: Proxy, clock: Clock
) -> None:
    runs: list[str] = []

    def write(tx: Tx, key: str) -> str:
        runs.append(key)
        return add(tx, key)

    url = f"{postgres_url.partition('?host=')[0]}?host={proxy.folder}"
    with closing(PostgresStore(url, clock=clock, writers=1)) as store:
        for number in range(20):
            proxy.to_cut = 1
            assert store.write_now(partial(write, key=str(number))) == str(number)
        assert (proxy.cuts, len(runs), count(store)) == (20, 20, 20)


def test_a_lost_answer_to_a_transaction_that_is_still_open_is_waited_for(
    store: PostgresStore, postgres_url: str
) -> None:
    """The same id begins again only when its first transaction has ended: here it commits meanwhile."""
    with closing(postgres.connect(postgres_url)) as first, closing(postgres.connect(postgres_url)) as second:
        assert postgres._begin(first, "same", 0)
        with ThreadPoolExecutor(1) as pool:
            again = pool.submit(postgres._begin, second, "same", 0)
            _wait_for_lock(postgres_url)
            first.execute("COMMIT")
            assert again.result(10) is False


def _wait_for_lock(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        for _ in range(10_000):
            row = other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
            if row and row[0]:
                return
    raise AssertionError("nobody waits")


def test_writes_that_deadlock_are_run_again_until_all_are_done(postgres_url: str, clock: Clock) -> None:
    meet = threading.Barrier(2)
    runs: list[str] = []

    def cross(tx: Tx, first: str, second: str) -> None:
        tx.run(USE, key=first)
        runs.append(first)
        if runs.count(first) == 1:
            meet.wait(10)
        tx.run(USE, key=second)

    def connect(url: str) -> "psycopg.Connection[Any]":
        connection = postgres.connect(url)
        connection.execute("SET deadlock_timeout = '20ms'")
        return connection

    with closing(PostgresStore(postgres_url, clock=clock, writers=2, connect=connect)) as store:
        store.write_now(lambda tx: (add(tx, "a"), add(tx, "b")))
        one = ask(store, lambda tx: cross(tx, "a", "b"))
        two = ask(store, lambda tx: cross(tx, "b", "a"))
        assert (one.result(10), two.result(10)) == (None, None)
        used = Statement(select(schema.counters.c.used))
        assert store.read_now(lambda tx: tx.all(used)) == [(2,), (2,)]
    assert len(runs) == 3


def test_a_write_that_goes_on_after_a_database_error_is_refused(store: PostgresStore) -> None:
    """PostgreSQL answers COMMIT with ROLLBACK then, without an error: the write must not be taken for kept."""

    def catch(tx: Tx) -> str:
        add(tx, "a")
        try:
            add(tx, "a")
        except psycopg.Error:
            return "kept?"
        return "never"

    with pytest.raises(RuntimeError, match="caught a database error"):
        store.write_now(catch)
    assert count(store) == 0


def test_a_server_that_is_away_is_said_without_the_password_and_found_again(
    postgres_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(postgres, "LAST_PAUSE_S", 0.0)
    is_away = threading.Event()

    def connect(url: str) -> "psycopg.Connection[Any]":
        return postgres.connect("postgresql://ania:hunter2@/x?host=/nonexistent" if is_away.is_set() else url)

    with closing(PostgresStore(postgres_url, clock=clock, connect=connect)) as store:
        is_away.set()
        _kill_all(postgres_url)
        with pytest.raises(StoreError, match=r"cannot be reached.*: start it") as caught:
            store.write_now(lambda tx: add(tx, "a"))
        assert not caught.value.is_final
        assert "hunter2" not in str(caught.value)
        is_away.clear()
        assert store.write_now(lambda tx: add(tx, "a")) == "a"


def _kill_all(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("level", ["off", "local", "remote_write"])
def test_a_server_that_would_lose_messages_at_a_power_cut_is_refused(postgres_url: str, level: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute(f"ALTER DATABASE {other.info.dbname} SET synchronous_commit = {level}")
    with pytest.raises(StoreError, match=f"would lose messages .*synchronous_commit {level}") as caught:
        PostgresStore(postgres_url)
    assert caught.value.is_final


@pytest.mark.parametrize(
    ("code", "sentence", "is_full"),
    [
        ("53100", "no room left on its disk", True),
        ("53300", "no connection left", False),
        ("25006", "standby", False),
    ],
)
def test_an_error_of_the_server_is_one_sentence(code: str, sentence: str, is_full: bool) -> None:  # noqa: FBT001
    error = postgres_errors.store_error(psycopg.errors.lookup(code)("raw text"), "intake on db.example")
    assert error is not None
    assert sentence in error.sentence
    assert "PostgreSQL intake on db.example" in error.sentence
    assert error.is_full is is_full


def test_a_constraint_is_the_writes_own_error() -> None:
    assert postgres_errors.store_error(psycopg.errors.UniqueViolation(), "intake") is None


def test_ids_of_writes_older_than_a_day_are_swept(store: PostgresStore, clock: Clock) -> None:
    for number in range(3):
        store.write_now(partial(add, key=str(number)))
    clock.forward(seconds=90_000)
    store._swept_s = -postgres.SWEEP_EVERY_S * 10.0
    store.write_now(lambda tx: add(tx, "new"))
    store.close()
    with closing(PostgresStore(store._url, clock=clock)) as again:
        assert again.read_now(lambda tx: tx.one(WRITES)) == (1,)


def test_the_name_of_a_store_holds_no_password() -> None:
    assert postgres_errors.name_of("postgresql://ania:hunter2@db.example/intake") == "intake on db.example"
