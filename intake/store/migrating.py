"""Run migrations. The only place that imports Alembic and makes SQLAlchemy engines: never imported on a plain start."""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

from intake.store import migrations

if TYPE_CHECKING:
    import psycopg

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('intake migration', 0))"
_BUSY_TIMEOUT_S = 60.0  # another process may be migrating


def migrate(connection: Connection) -> None:
    """Bring the schema to the newest version, inside the transaction that is under way on connection."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrations.folder()).replace("%", "%%"))
    command.upgrade(config, "head")


def migrate_sqlite(path: Path) -> None:
    """Create or upgrade the file in one transaction: a crash leaves it as it was."""
    engine = create_engine("sqlite://", creator=lambda: _connect_sqlite(path), poolclass=NullPool)
    event.listen(engine, "begin", _begin_immediate)
    _run(engine)


def migrate_postgres(connection: "psycopg.Connection[Any]") -> None:
    """Create or upgrade the tables in one transaction; of several daemons one does it and the others wait.

    connection: of SQLAlchemy's own liking, that is without autocommit; closed afterwards.
    """
    connection.autocommit = False
    engine = create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=NullPool)
    event.listen(engine, "begin", lambda begun: begun.execute(text(_LOCK)))
    _run(engine)


def _run(engine: Engine) -> None:
    try:
        with engine.begin() as connection:
            migrate(connection)
    finally:
        engine.dispose()


def _connect_sqlite(path: Path) -> sqlite3.Connection:
    # The driver's own transactions do not cover CREATE TABLE; with isolation_level None ours do.
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_TIMEOUT_S)
    connection.execute("PRAGMA synchronous=EXTRA")  # the file is not in WAL mode yet when it is new
    return connection


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
