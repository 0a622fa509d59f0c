"""What SQLite's store makes of a full disk, a lock, I/O errors and a file that would lose messages."""

import sqlite3
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from intake.store import schema, sqlite
from intake.store.engine import StoreError, Tx
from intake.store.sqlite import SqliteStore
from intake.store.statements import Statement
from tests.store import power_cut
from tests.store.asking import all_at_once, ask, busy
from tests.store.disk import FailingDisk

COUNT = Statement(select(func.count()).select_from(schema.counters))
ROOM_BYTES = 400_000


class Faulty:
    """A real connection; `fault` may raise before a statement that it names."""

    def __init__(self, connection: sqlite3.Connection, fault: Callable[[str], None]) -> None:
        self._connection = connection
        self._fault = fault

    def execute(self, sql: str, parameters: Mapping[str, Any] = {}) -> sqlite3.Cursor:
        self._fault(sql)
        return self._connection.execute(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.fixture
def path(tmp_path: Path, new_store: bytes) -> Path:
    (tmp_path / "intake.db").write_bytes(new_store)
    return tmp_path / "intake.db"


def add(tx: Tx, key: str, *, size_bytes: int = 0) -> str:
    tx.insert(schema.counters, name="x" * size_bytes, key=key, window_start=0, used=0)
    return key


def count(store: SqliteStore) -> int:
    return int(store.read_now(lambda tx: tx.all(COUNT))[0][0])


def keys_in(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {key for (key,) in connection.execute("SELECT key FROM counters")}


def is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])


def limited(path: Path) -> sqlite3.Connection:
    """A connection whose disk has little room left: SQLite says SQLITE_FULL as it does when the disk is full."""
    connection = sqlite.connect(path)
    pages = (path.stat().st_size + ROOM_BYTES) // 4096
    connection.execute(f"PRAGMA max_page_count={pages}")
    return connection


def make_room(store: SqliteStore) -> None:
    store.write_now(lambda tx: tx._execute("PRAGMA max_page_count=100000", {}).fetchone())


def test_a_full_disk_ends_the_group_and_each_member_is_run_again_alone(path: Path) -> None:
    runs: list[str] = []

    def noted(key: str, size_bytes: int) -> Callable[[Tx], str]:
        def write(tx: Tx) -> str:
            runs.append(key)
            return add(tx, key, size_bytes=size_bytes)

        return write

    with closing(SqliteStore(path, connect=limited)) as store:
        with busy(store):
            small = [ask(store, noted(f"small-{n}", 10)) for n in range(3)]
            large = ask(store, noted("large", 2 * ROOM_BYTES))
            late = ask(store, noted("late", 10))
        error = large.exception()
        assert isinstance(error, StoreError)
        assert error.is_full
        assert [future.result() for future in [*small, late]] == ["small-0", "small-1", "small-2", "late"]
        assert runs.count("small-0") == 2
        assert count(store) == 4
    assert is_sound(path)


def test_writes_succeed_again_once_there_is_room(path: Path) -> None:
    with closing(SqliteStore(path, connect=limited)) as store:
        with pytest.raises(StoreError, match="the disk is full: free some room") as caught:
            store.write_now(lambda tx: add(tx, "a", size_bytes=2 * ROOM_BYTES))
        make_room(store)
        assert caught.value.is_full
        assert store.write_now(lambda tx: add(tx, "a", size_bytes=2 * ROOM_BYTES)) == "a"
    assert is_sound(path)


def test_filling_the_disk_loses_no_acknowledged_write(path: Path) -> None:
    kept: list[str] = []
    with closing(SqliteStore(path, connect=limited)) as store, ThreadPoolExecutor(8) as pool:
        futures = [
            pool.submit(store.write_now, lambda tx, n=n: add(tx, str(n), size_bytes=9_000))
            for n in range(120)
        ]
        kept = [future.result() for future in futures if future.exception() is None]
        refused = [future.exception() for future in futures if future.exception() is not None]
        assert kept
        assert all(isinstance(error, StoreError) and error.is_full for error in refused)
        assert refused
        assert count(store) == len(kept)
    assert is_sound(path)


def test_a_lock_held_by_another_process_is_said_within_the_timeout_and_then_over(path: Path) -> None:
    with (
        closing(SqliteStore(path, busy_timeout_ms=50)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another process") as caught:
            store.write_now(lambda tx: add(tx, "a"))
        assert not caught.value.is_final
        assert count(store) == 0
        other.execute("ROLLBACK")
        assert store.write_now(lambda tx: add(tx, "a")) == "a"


def test_writes_that_wait_behind_a_lock_share_one_timeout(path: Path) -> None:
    """20 waiting writes are refused in about the time of one."""
    tries: list[str] = []

    def connect(path: Path) -> Any:
        return Faulty(
            sqlite.connect(path), lambda sql: tries.append(sql) if sql == "BEGIN IMMEDIATE" else None
        )

    with (
        closing(SqliteStore(path, connect=connect, busy_timeout_ms=30)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        futures = [ask(store, partial(add, key="a")) for _ in range(20)]
        assert all(isinstance(future.exception(), StoreError) for future in futures)
        assert len(tries) < 20


def error_of(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("injected")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "INSERT INTO counters", "COMMIT", "RELEASE member"])
def test_an_io_error_in_any_statement_refuses_the_write_and_the_next_one_works(
    path: Path, statement: str
) -> None:
    is_broken = threading.Event()

    def fault(sql: str) -> None:
        if is_broken.is_set() and sql.startswith(statement):
            raise error_of(sqlite3.SQLITE_IOERR_FSYNC)

    with closing(SqliteStore(path, connect=lambda path: Faulty(sqlite.connect(path), fault))) as store:
        is_broken.set()
        with pytest.raises(StoreError, match="the disk reports an error"):
            store.write_now(lambda tx: add(tx, "a"))
        is_broken.clear()
        assert store.write_now(lambda tx: add(tx, "a")) == "a"
        assert count(store) == 1
    assert is_sound(path)


def test_a_connection_that_cannot_roll_back_is_opened_again(path: Path) -> None:
    is_broken = threading.Event()

    def fault(sql: str) -> None:
        if is_broken.is_set() and sql in {"COMMIT", "ROLLBACK"}:
            raise error_of(sqlite3.SQLITE_IOERR)

    with closing(SqliteStore(path, connect=lambda path: Faulty(sqlite.connect(path), fault))) as store:
        is_broken.set()
        with pytest.raises(StoreError):
            store.write_now(lambda tx: add(tx, "a"))
        is_broken.clear()
        assert store.write_now(lambda tx: add(tx, "a")) == "a"


@pytest.mark.parametrize(("pragma", "forced"), [("synchronous", "NORMAL"), ("journal_mode", "DELETE")])
def test_a_file_that_would_lose_messages_at_a_power_cut_is_refused(
    path: Path, pragma: str, forced: str
) -> None:
    class Weak(Faulty):
        def execute(self, sql: str, parameters: Mapping[str, Any] = {}) -> sqlite3.Cursor:
            if sql.startswith(f"PRAGMA {pragma}="):
                sql = f"PRAGMA {pragma}={forced}"
            return super().execute(sql, parameters)

    with pytest.raises(StoreError, match="would lose messages at a power cut") as caught:
        SqliteStore(path, connect=lambda path: Weak(sqlite.connect(path), lambda sql: None))
    assert caught.value.is_final


def test_a_file_of_something_else_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match=f"not an intake store .* \\({path}\\)"):
        SqliteStore(path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened: check that its folder exists"):
        SqliteStore(tmp_path / "absent" / "intake.db")


def test_an_error_of_the_machine_while_reading_is_said_with_the_file(path: Path) -> None:
    def fail(tx: Tx) -> None:
        raise error_of(sqlite3.SQLITE_CORRUPT)

    with (
        closing(SqliteStore(path)) as store,
        pytest.raises(StoreError, match="damaged: restore the last backup") as caught,
    ):
        store.read_now(fail)
    assert str(path) in caught.value.sentence


def test_groups_are_committed_together(path: Path) -> None:
    commits: list[str] = []

    def connect(path: Path) -> Any:
        return Faulty(sqlite.connect(path), lambda sql: commits.append(sql) if sql == "COMMIT" else None)

    with closing(SqliteStore(path, connect=connect)) as store:
        futures = all_at_once(store, [partial(add, key=str(number)) for number in range(30)])
        assert len({future.result() for future in futures}) == 30
    assert len(commits) <= 3


@pytest.mark.slow
def test_an_io_error_in_any_operation_on_a_file_loses_no_acknowledged_write(
    tmp_path: Path, new_store: bytes
) -> None:
    """Operation 1 fails, then 2, and so on, until a whole run gets by without reaching the one that fails."""
    for fails_at in range(1, 1_000):
        path = tmp_path / f"{fails_at}.db"
        path.write_bytes(new_store)
        disk = FailingDisk(fails_at=fails_at)
        with closing(power_cut.store_on(disk, path)) as store:
            asked = [ask(store, partial(add, key=str(number), size_bytes=5_000)) for number in range(12)]
            acknowledged = {future.result(10) for future in asked if future.exception(10) is None}
            late = store.write_now(partial(add, key="late")) if disk.operations >= fails_at else ""
        assert is_sound(path)
        assert acknowledged | {late} <= keys_in(path) | {""}
        if disk.operations < fails_at:
            assert fails_at > 50
            return
    raise AssertionError("every run failed")


def test_a_write_that_failed_at_its_commit_tells_no_listener(path: Path) -> None:
    is_broken = threading.Event()
    heard: list[dict[str, Any]] = []

    def fault(sql: str) -> None:
        if is_broken.is_set() and sql == "COMMIT":
            raise error_of(sqlite3.SQLITE_FULL)

    with closing(SqliteStore(path, connect=lambda path: Faulty(sqlite.connect(path), fault))) as store:
        store.listen(heard.append)
        is_broken.set()
        futures = [ask(store, lambda tx: tx.signal("due", 1)) for _ in range(5)]
        assert all(isinstance(future.exception(10), StoreError) for future in futures)
        is_broken.clear()
        store.write_now(lambda tx: tx.signal("due", 9))
    assert heard == [{"due": 9}]
