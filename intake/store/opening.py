"""Open the store that a URL names, of the right schema version and no other.

The version is read by plain SQL, so that a start with nothing to migrate imports no Alembic.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from intake import instants
from intake.store import migrations, sqlite
from intake.store.durable import make_folder, sync_folder
from intake.store.engine import Ids, Store, StoreError

T = TypeVar("T")

BACKUPS = "backups"  # inside the data folder; what upgrade keeps


class Upgrade(msgspec.Struct, frozen=True):
    """What an upgrade did. backup: None on PostgreSQL, which is backed up by its own tools."""

    before: str
    after: str
    backup: Path | None


class Place(Protocol):
    """Where a store is, opened or not."""

    def version(self) -> str | None: ...  # None: nothing is there yet
    def migrate(self) -> None: ...
    def open(self, *, clock: instants.Clock, ids: Ids | None) -> Store: ...


def open_store(
    url: str, folder: Path, *, clock: instants.Clock = instants.now, ids: Ids | None = None
) -> Store:
    """Open the store, made new where there is none. url: "" = intake.db in folder; sqlite:///…; postgresql://….

    Raises: StoreError for an older schema (see upgrade), a newer one, or what the engine reports.
    """
    place = _place(url, folder)
    version = place.version()
    if version is None:
        place.migrate()
    else:
        _refuse_other(version)
    return place.open(clock=clock, ids=ids)


def upgrade(url: str, folder: Path, *, clock: instants.Clock = instants.now) -> Upgrade | None:
    """Bring an older store to this version, a backup of SQLite first; None when nothing is to do.

    Raises: StoreError; the store is then as it was.
    """
    place = _place(url, folder)
    version = place.version()
    if version is None or version == migrations.newest():
        return None
    _refuse_newer(version)
    backup = _backup(place, folder, clock) if isinstance(place, SqlitePlace) else None
    place.migrate()
    return Upgrade(version, migrations.newest(), backup)


def is_upgrade_due(url: str, folder: Path) -> bool:
    version = _place(url, folder).version()
    return version is not None and version != migrations.newest() and version in migrations.versions()


class SqlitePlace:
    def __init__(self, path: Path) -> None:
        self.path = path

    def version(self) -> str | None:
        if not self.path.exists():
            return None
        return _said_plainly(self._version, self.path)

    def migrate(self) -> None:
        from intake.store import migrating

        _said_plainly(self._make, self.path)
        _said_plainly(lambda: migrating.migrate_sqlite(self.path), self.path)

    def open(self, *, clock: instants.Clock, ids: Ids | None) -> Store:
        return sqlite.SqliteStore(self.path, clock=clock, ids=ids)

    def _make(self) -> None:
        make_folder(self.path.parent)
        self.path.touch(mode=0o600)
        sync_folder(self.path.parent)

    def _version(self) -> str | None:
        with closing(sqlite3.connect(self.path)) as connection:
            tables = {
                name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            if not tables:  # made by whoever is migrating it at this moment, or was
                return None
            if "alembic_version" not in tables:
                raise StoreError(
                    f"{self.path} is a database of something else: name another file", is_final=True
                )
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return None if row is None else str(row[0])


class PostgresPlace:
    def __init__(self, url: str) -> None:
        self.url = url
        try:
            from intake.store import postgres
        except ImportError as error:
            raise StoreError(
                "PostgreSQL needs its driver: pip install 'intaked[postgres]'", is_final=True
            ) from error
        self._engine = postgres

    def version(self) -> str | None:
        return self._engine.version(self.url)

    def migrate(self) -> None:
        from intake.store import migrating

        with self._engine.connection_to(self.url) as connection:
            migrating.migrate_postgres(connection)

    def open(self, *, clock: instants.Clock, ids: Ids | None) -> Store:
        return self._engine.PostgresStore(self.url, clock=clock, ids=ids)


def _place(url: str, folder: Path) -> Place:
    scheme, _, rest = url.partition("://")
    if not url:
        return SqlitePlace(folder / sqlite.FILE)
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return SqlitePlace(Path(rest[1:]))
    if scheme in {"postgresql", "postgres"}:
        return PostgresPlace(url)
    # The URL itself may hold a password and is not repeated.
    raise StoreError(
        "the store's URL is neither sqlite:///path nor postgresql://…: correct it, or leave it empty",
        is_final=True,
    )


def _said_plainly(action: Callable[[], T], path: Path) -> T:
    try:
        return action()
    except OSError as error:
        raise StoreError(f"the store cannot be kept at {path}: {error.strerror}", is_final=True) from error
    except Exception as error:
        # Alembic's errors carry the driver's own in orig.
        raise sqlite.store_error(getattr(error, "orig", error), path) or error from error


def _refuse_other(version: str) -> None:
    _refuse_newer(version)
    if version != migrations.newest():
        raise StoreError(
            f"the store is of version {version} and this intake needs {migrations.newest()}: run 'intake db upgrade'"
            " (it makes a backup first), or start the daemon, which does the same",
            is_final=True,
        )


def _refuse_newer(version: str) -> None:
    if version not in migrations.versions():
        raise StoreError(
            f"the store is of version {version}, newer than this intake knows ({migrations.newest()}):"
            " install the newer intake again, or restore a backup",
            is_final=True,
        )


def _backup(place: SqlitePlace, folder: Path, clock: instants.Clock) -> Path:
    from intake.store import archive

    name = f"before-{migrations.newest()}-{clock():%Y%m%dT%H%M%SZ}.tar.gz"
    file = folder / BACKUPS / name
    with closing(place.open(clock=clock, ids=None)) as store:
        archive.backup(store, folder, file)
    return file
