"""A store is opened in the right version or refused in one sentence; the migrations make what the schema says."""

import os
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from intake.store import archive, lockfile, migrations, opening, schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.migrations import generate
from tests.store.clock import Clock
from tests.store.conftest import database


def set_version(url: str, version: str) -> None:
    sql = f"UPDATE alembic_version SET version_num = '{version}'"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
            connection.execute(sql)
    else:
        with psycopg.connect(url) as postgres:
            postgres.execute(sql.encode())


def engine_of(url: str) -> Any:
    if url.startswith("sqlite"):
        return create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(url.removeprefix("sqlite:///")), poolclass=NullPool
        )
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)


def add(tx: Tx, key: str) -> str:
    tx.insert(schema.counters, name="test", key=key, window_start=0, used=0)
    return key


def test_the_migrations_make_the_schema(store: Store, url: str) -> None:
    store.close()
    with engine_of(url).connect() as connection:
        opts = {"compare_server_default": True, "include_name": schema.is_of_metadata}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, schema.metadata) == []


def sqlite_definitions(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name NOT LIKE '%alembic%' AND sql IS NOT NULL"
        )
        return {re.sub(r"\s+", " ", sql) for (sql,) in rows}


def test_the_migrations_make_every_word_of_the_schema_on_sqlite(tmp_path: Path, new_store: bytes) -> None:
    """Alembic's comparison does not see WITHOUT ROWID, AUTOINCREMENT or the WHERE of an index: the text does."""
    (tmp_path / "migrated.db").write_bytes(new_store)
    with create_engine(f"sqlite:///{tmp_path / 'created.db'}", poolclass=NullPool).begin() as connection:
        schema.metadata.create_all(connection)
    assert sqlite_definitions(tmp_path / "migrated.db") == sqlite_definitions(tmp_path / "created.db")


@pytest.mark.postgres
def test_the_migrations_make_every_index_of_the_schema_on_postgresql(
    postgres_server: str, postgres_url: str
) -> None:
    created = database(postgres_server, "created")
    schema.tell_postgresql()
    with engine_of(created).begin() as connection:
        schema.metadata.create_all(connection)

    def indexes(url: str) -> set[tuple[Any, ...]]:
        with psycopg.connect(url) as postgres:
            return set(
                postgres.execute(
                    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname !~ 'alembic'"
                )
            )

    assert indexes(postgres_url) == indexes(created)


def test_the_first_step_is_what_the_generator_writes(tmp_path: Path) -> None:
    """Until the first release; then this test goes, for 0001 is frozen."""
    (known,) = (migrations.folder() / "versions").glob("0001_*.py")
    assert generate.write_step(tmp_path, number=1, sentence=generate.FIRST).read_text() == known.read_text()


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_new_store_is_made_where_there_is_none(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    url = "" if engine == "sqlite" else database(request.getfixturevalue("postgres_server"), "fresh")
    for _ in range(2):
        with closing(opening.open_store(url, tmp_path / "var")) as store:
            assert store.engine == engine
            assert store.write_now(lambda tx: tx.now) > 0


def test_a_new_store_is_for_our_user_only(tmp_path: Path) -> None:
    opening.open_store("", tmp_path / "var").close()
    assert (
        (tmp_path / "var").stat().st_mode & 0o777,
        (tmp_path / "var/intake.db").stat().st_mode & 0o777,
    ) == (0o700, 0o600)


@pytest.mark.slow
def test_processes_that_open_a_new_store_together_all_succeed(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: opening.open_store("", tmp_path / "var"), range(4)))
    for number, store in enumerate(stores):
        assert store.write_now(lambda tx, key=str(number): add(tx, key)) == str(number)  # type: ignore[misc]
        store.close()


def test_a_newer_store_is_refused(store: Store, url: str, tmp_path: Path) -> None:
    store.close()
    set_version(url, "9999")
    with pytest.raises(
        StoreError, match=r"newer than this intake knows .*: install the newer intake again"
    ) as caught:
        opening.open_store(url, tmp_path)
    assert caught.value.is_final
    with pytest.raises(StoreError, match="newer than this intake knows"):
        opening.upgrade(url, tmp_path)


@pytest.fixture
def next_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A release further on: the steps of this one and one that adds a column."""
    folder = tmp_path / "next"
    (folder / "versions").mkdir(parents=True)
    for path in [migrations.folder() / "env.py", *(migrations.folder() / "versions").glob("*.py")]:
        (folder / path.relative_to(migrations.folder())).write_text(path.read_text())
    (folder / "versions/0002_more.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n\nrevision = '0002'\ndown_revision = '0001'\n\n\n"
        "def upgrade() -> None:\n    op.add_column('customers', sa.Column('more', sa.Text()))\n"
    )
    monkeypatch.setattr(migrations, "folder", lambda: folder)
    monkeypatch.setattr(migrations, "versions", lambda: ("0001", "0002"))
    return folder


def test_an_older_store_is_refused_until_it_is_upgraded(
    store: Store, url: str, tmp_path: Path, next_step: Path
) -> None:
    store.write_now(lambda tx: add(tx, "kept"))
    store.close()
    with pytest.raises(
        StoreError, match="of version 0001 and this intake needs 0002: run 'intake db upgrade'"
    ):
        opening.open_store(url, tmp_path)
    assert opening.is_upgrade_due(url, tmp_path)
    done = opening.upgrade(url, tmp_path)
    assert done is not None
    assert (done.before, done.after) == ("0001", "0002")
    assert opening.upgrade(url, tmp_path) is None
    with closing(opening.open_store(url, tmp_path)) as upgraded:
        assert upgraded.read_now(lambda tx: tx._execute("SELECT key FROM counters", {}).fetchall()) == [
            ("kept",)
        ]


def test_an_upgrade_keeps_a_backup_of_what_was_before(
    tmp_path: Path, new_store: bytes, next_step: Path, clock: Clock
) -> None:
    (tmp_path / "intake.db").write_bytes(new_store)
    done = opening.upgrade("", tmp_path, clock=clock)
    assert done is not None
    assert done.backup == tmp_path / "backups/before-0002-20261121T090000Z.tar.gz"
    assert archive.verify(done.backup) == []
    assert archive.restore(done.backup, tmp_path / "restored").schema == "0001"


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(
    store: Store, url: str, tmp_path: Path, next_step: Path
) -> None:
    store.write_now(lambda tx: add(tx, "kept"))
    store.close()
    step = next_step / "versions/0002_more.py"
    step.write_text(step.read_text() + "    op.execute('SELECT * FROM nothing_of_the_kind')\n")
    with pytest.raises(Exception, match="nothing_of_the_kind"):
        opening.upgrade(url, tmp_path)
    step.write_text(step.read_text().replace("nothing_of_the_kind", "customers"))
    assert opening.upgrade(url, tmp_path) is not None


def test_nothing_is_upgraded_where_nothing_is(tmp_path: Path) -> None:
    assert opening.upgrade("", tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "intake.db")) as connection:
        connection.execute("CREATE TABLE songs (id INTEGER)")
    with pytest.raises(StoreError, match="is a database of something else"):
        opening.open_store("", tmp_path)


@pytest.mark.postgres
def test_a_postgresql_database_of_something_else_is_refused(postgres_url: str, tmp_path: Path) -> None:
    with psycopg.connect(postgres_url) as postgres:
        postgres.execute("DROP TABLE alembic_version")
    with pytest.raises(StoreError, match="holds tables of something else"):
        opening.open_store(postgres_url, tmp_path)


@pytest.mark.postgres
def test_a_postgresql_database_that_is_not_there_is_said(postgres_server: str, tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"nowhere on .* cannot be reached \(database \"nowhere\" does not exist\)"
    ):
        opening.open_store(postgres_server.replace("/postgres?", "/nowhere?"), tmp_path)


@pytest.mark.parametrize(
    "url", ["mysql://ania:hunter2@host/x", "sqlite://intake.db", "sqlite:///", "intake.db"]
)
def test_a_url_that_names_no_store_is_refused_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="neither sqlite:///path nor postgresql://") as caught:
        opening.open_store(url, tmp_path)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "intake.db").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="not an intake store"):
        opening.open_store("", tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="the store cannot be kept at"):
        opening.open_store("", tmp_path / "file" / "var")


def run_python(code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "."}
    ).stdout


@pytest.mark.slow
def test_a_start_with_nothing_to_migrate_imports_no_alembic(tmp_path: Path) -> None:
    opening.open_store("", tmp_path).close()
    code = (
        "import sys; from pathlib import Path; from intake.store import opening;"
        "opening.open_store('', Path(sys.argv[1])).close(); print('alembic' in sys.modules, 'psycopg' in sys.modules)"
    )
    assert run_python(code, tmp_path) == "False False\n"


def test_a_second_daemon_is_refused_and_told_the_first(tmp_path: Path) -> None:
    with lockfile.acquire(tmp_path):
        assert lockfile.is_daemon_running(tmp_path)
        with pytest.raises(
            StoreError, match=f"a daemon \\(process {os.getpid()}\\) runs on {tmp_path} already"
        ):
            lockfile.acquire(tmp_path)
    assert not lockfile.is_daemon_running(tmp_path)
    lockfile.acquire(tmp_path).release()


def test_no_daemon_runs_where_there_is_no_folder(tmp_path: Path) -> None:
    assert not lockfile.is_daemon_running(tmp_path / "absent")


@pytest.mark.slow
def test_a_daemon_that_was_killed_holds_no_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from intake.store import lockfile;"
        "lock = lockfile.acquire(Path(sys.argv[1])); print(lockfile.is_daemon_running(Path(sys.argv[1])), flush=True);"
        "os._exit(0)"
    )
    assert run_python(code, tmp_path) == "True\n"
    assert (tmp_path / lockfile.FILE).exists()
    assert not lockfile.is_daemon_running(tmp_path)


def test_looking_for_a_daemon_does_not_keep_one_from_starting(tmp_path: Path) -> None:
    is_over: list[bool] = []
    lockfile.acquire(tmp_path).release()

    def look() -> None:
        while not is_over:
            lockfile.is_daemon_running(tmp_path)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        for _ in range(50):
            lockfile.acquire(tmp_path).release()
        is_over.append(True)
        looking.result()
