"""Audit: does a data folder hold what its manifest says, is its store sound, is each blob what its hash says?

And do the counts that are kept beside the tickets say what counting the tickets does?
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import file_digest, sha256
from pathlib import Path

import msgspec

from intake.store import migrations
from intake.store.blobs import FOLDER, path_of
from intake.store.sqlite import FILE, store_error

KEYS = "keys.json"
MANIFEST = "manifest.json"
FORMAT = 1
_KEPT_LOADS = "SELECT name, medium, open_tickets FROM agent_load WHERE open_tickets > 0"
_COUNTED_LOADS = (
    "SELECT agent, medium, count(*) FROM tickets WHERE agent IS NOT NULL AND solved_at IS NULL GROUP BY 1, 2"
)
NAMED_MAX = 20  # problems of one kind that are told one by one


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds. counts: rows of each table. sha256: of each member, by its name in the archive."""

    schema: str
    created_at: str
    counts: dict[str, int]
    sha256: dict[str, str]
    format: int = FORMAT


def examine(folder: Path, manifest: Manifest) -> list[str]:
    """Compare an unpacked folder with its manifest; a sentence for each thing that is wrong."""
    found = [*_members_amiss(folder, manifest)]
    if manifest.schema not in migrations.versions():
        found.append(
            f"the store is of version {manifest.schema}, which this intake does not know ({migrations.newest()})"
        )
    if not (folder / FILE).exists():
        return found
    try:
        with closing(sqlite3.connect(folder / FILE)) as connection:
            return [*found, *_store_amiss(connection, folder, manifest)]
    except sqlite3.Error as error:
        return [*found, str(store_error(error) or f"the store cannot be read: {error}")]


def version_of(connection: sqlite3.Connection) -> str:
    return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def counts_of(connection: sqlite3.Connection) -> dict[str, int]:
    """Count the rows of every table, in the order of their names."""
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
    )
    return {name: _count(connection, name) for (name,) in names.fetchall()}


def blob_files(connection: sqlite3.Connection) -> Iterator[str]:
    """Give the names, inside the data folder, of the blobs that are files."""
    for (digest,) in connection.execute("SELECT hash FROM blobs WHERE body IS NULL ORDER BY hash"):
        yield str(path_of(Path(FOLDER), digest))


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # noqa: S608 - a table's name


def _members_amiss(folder: Path, manifest: Manifest) -> Iterator[str]:
    for name, digest in manifest.sha256.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing from the archive"
        elif _hash_of(path) != digest:
            yield f"{name} is damaged: its bytes do not fit the manifest"


def _hash_of(path: Path) -> str:
    with path.open("rb") as source:
        return file_digest(source, "sha256").hexdigest()


def _store_amiss(connection: sqlite3.Connection, folder: Path, manifest: Manifest) -> Iterator[str]:
    for (line,) in connection.execute(f"PRAGMA integrity_check({NAMED_MAX})"):
        if line != "ok":
            yield f"the store is damaged: {line}"
    if version_of(connection) != manifest.schema:
        yield f"the store is of version {version_of(connection)}, the manifest says {manifest.schema}"
    counts = counts_of(connection)
    for table in sorted(counts.keys() | manifest.counts.keys()):
        if counts.get(table) != manifest.counts.get(table):
            yield f"table {table} has {counts.get(table)} rows, the manifest says {manifest.counts.get(table)}"
    yield from _blobs_amiss(connection, folder)
    yield from _loads_amiss(connection)


def _loads_amiss(connection: sqlite3.Connection) -> Iterator[str]:
    """Agents whose capacity is not what their tickets say. A daemon counts anew when it starts."""
    kept = {tuple(row[:2]): row[2] for row in connection.execute(_KEPT_LOADS)}
    counted = {tuple(row[:2]): row[2] for row in connection.execute(_COUNTED_LOADS)}
    for agent, medium in sorted(kept.keys() | counted.keys()):
        held, open_tickets = kept.get((agent, medium), 0), counted.get((agent, medium), 0)
        if held != open_tickets:
            yield (
                f"{agent} is kept as holding {held} open {medium} tickets and has {open_tickets}: "
                "the daemon puts it right at its next start"
            )


def _blobs_amiss(connection: sqlite3.Connection, folder: Path) -> Iterator[str]:
    for blob_id, digest, body in connection.execute("SELECT id, hash, CAST(body AS BLOB) FROM blobs"):
        if body is None:
            path = path_of(folder / FOLDER, digest)
            if not path.is_file() or _hash_of(path) != digest:
                yield f"blob {blob_id}: its file is missing or damaged"
        elif sha256(body).hexdigest() != digest:
            yield f"blob {blob_id} is damaged: its bytes do not fit its hash"
