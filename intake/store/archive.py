"""Backup, verify, restore: one .tar.gz with the store, the large blobs, the keys and a manifest of what is in it.

A backup is taken while the daemon writes: the store as it was at one instant, then the blobs that it names, none of
which is removed meanwhile. The archive holds the keys and the customers' texts: only our user may read it.
"""

import gzip
import re
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import file_digest
from io import BytesIO
from pathlib import Path
from typing import IO

import msgspec

from intake import instants
from intake.store import audit, blobs, lockfile, sqlite
from intake.store.audit import KEYS, MANIFEST, Manifest
from intake.store.durable import TEMPORARY_PREFIX, make_folder, replacing, sync_folder, sync_tree
from intake.store.engine import Store, StoreError
from intake.store.sqlite import FILE

Progress = Callable[[int, int], None]  # bytes done, bytes in all

_COMPRESSION = 1  # mail and its attachments: little is gained by more, and much time lost
_MEMBER = re.compile(
    rf"{FILE}|{KEYS}|{MANIFEST}|{blobs.FOLDER}/([0-9a-f]{{2}})/\1[0-9a-f]{{62}}".replace(".", r"\.")
)
_SNAPSHOT_PAGES = 4096
_HEADER = re.compile(
    rb"\x1f\x8b\x08\0{5}[\0\2\4]\xff"
)  # RFC 1952 §2.3: deflate, no name, no time, its effort, no system
_HEADER_BYTES = 10
_DAMAGE = (tarfile.TarError, EOFError, zlib.error, OSError)


def backup(store: Store, folder: Path, file: Path, *, progress: Progress | None = None) -> Manifest:
    """Write the store and its data folder to file; it stands there at once, complete and on disk.

    Raises: StoreError on PostgreSQL, when a blob's file is gone, or when there is no room.
    """
    if not isinstance(store, sqlite.SqliteStore):
        raise StoreError(
            "PostgreSQL is backed up by its own tools: pg_dump, and a copy of the data folder", is_final=True
        )
    try:
        make_folder(file.parent)
        make_folder(folder / blobs.FOLDER)
        with blobs.files_stay(folder / blobs.FOLDER), _scratch(file.parent) as scratch:
            manifest, names = _snapshot(store, scratch / FILE)
            paths = {FILE: scratch / FILE, KEYS: folder / KEYS, **{name: folder / name for name in names}}
            return _pack(file, paths, manifest, progress)
    except OSError as error:
        raise StoreError(
            f"the backup cannot be written to {file}: {error.strerror}", is_full=error.errno == 28
        ) from error
    except sqlite3.Error as error:
        raise sqlite.store_error(error, store.path) or error from error


def verify(file: Path) -> list[str]:
    """Look at all of an archive; what is wrong with it, a sentence each, nothing when it is sound.

    Unpacks it beside itself. Raises: StoreError when it cannot be opened or there is no room.
    """
    _require(file)
    with _scratch(file.parent) as scratch:
        return _unpacked(file, scratch, None)[1]


def restore(file: Path, folder: Path, *, progress: Progress | None = None) -> Manifest:
    """Put an archive back as the data folder, all of it or nothing.

    Raises: StoreError when a daemon runs there, the folder holds anything, or the archive is not sound.
    """
    _require(file)
    _require_empty(folder)
    folder = folder.absolute()  # as the scratch folder beside it is
    parent = (
        folder if folder.is_mount() else folder.parent
    )  # a mounted folder cannot be replaced, only filled
    try:
        make_folder(parent)
        with _scratch(parent) as scratch:
            manifest = _unpacked_soundly(file, scratch, progress)
            sync_tree(scratch)
            _put_in_place(scratch, folder)
    except OSError as error:
        raise StoreError(
            f"{file} cannot be restored to {folder}: {error.strerror}", is_full=error.errno == 28
        ) from error
    return manifest


def _unpacked_soundly(file: Path, folder: Path, progress: Progress | None) -> Manifest:
    manifest, found = _unpacked(file, folder, progress)
    if manifest is None or found:
        raise StoreError(f"{file} is not restored: {'; '.join(found[:3])}", is_final=True)
    (folder / MANIFEST).unlink()
    return manifest


def _put_in_place(scratch: Path, folder: Path) -> None:
    (folder / lockfile.FILE).unlink(missing_ok=True)
    if scratch.parent == folder.parent:
        scratch.replace(folder)
    else:
        for path in sorted(
            scratch.iterdir(), key=lambda path: path.name == FILE
        ):  # the store last: without it nothing is there
            path.replace(folder / path.name)
        sync_folder(folder)
    sync_folder(folder.parent)


def _snapshot(store: sqlite.SqliteStore, path: Path) -> tuple[Manifest, list[str]]:
    """Copy the store as it is at this instant; what is in it, and the names of the blobs that are files."""
    with closing(sqlite.connect(store.path)) as source, closing(sqlite3.connect(path)) as target:
        target.execute("PRAGMA synchronous=OFF")  # what counts is the archive
        source.execute("BEGIN")  # the copy keeps to this snapshot, whatever is written meanwhile
        manifest = Manifest(
            schema=audit.version_of(source),
            created_at=instants.rfc3339(store.now()),
            counts=audit.counts_of(source),
            sha256={},
        )
        source.backup(target, pages=_SNAPSHOT_PAGES)
        names = list(audit.blob_files(source))
        source.execute("ROLLBACK")
    return manifest, names


def _pack(file: Path, paths: dict[str, Path], manifest: Manifest, progress: Progress | None) -> Manifest:
    paths = {name: path for name, path in paths.items() if name != KEYS or path.exists()}
    total, done, hashes = sum(map(_size_bytes, paths.values())), 0, {}
    with (
        replacing(file) as target,
        # No name and no time: every byte of the header is known, so that a flipped one is found.
        gzip.GzipFile("", "wb", _COMPRESSION, target, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w:") as tar,
    ):
        for name, path in paths.items():
            hashes[name] = _add(tar, name, path)
            done += _size_bytes(path)
            if progress:
                progress(done, total)
        manifest = msgspec.structs.replace(manifest, sha256=hashes)
        content = msgspec.json.format(msgspec.json.encode(manifest))
        tar.addfile(_member(MANIFEST, len(content)), BytesIO(content))
    return manifest


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError as error:
        raise StoreError(
            f"{path} is gone, but the store names it: restore it from an older backup", is_final=True
        ) from error


def _add(tar: tarfile.TarFile, name: str, path: Path) -> str:
    with path.open("rb") as source:
        digest = file_digest(source, "sha256").hexdigest()
        size_bytes = source.tell()
        source.seek(0)
        tar.addfile(_member(name, size_bytes), source)
    return digest


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size_bytes, 0o600
    return member


def _unpacked(file: Path, folder: Path, progress: Progress | None) -> tuple[Manifest | None, list[str]]:
    found = []
    try:
        _unpack(file, folder, progress)
    except _DAMAGE as error:
        if getattr(error, "errno", None) == 28:
            raise StoreError(f"no room to unpack {file} in {folder.parent}", is_full=True) from error
        found.append(f"the archive is damaged: {error}")
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None, [*found, "the archive has no readable manifest: it is cut off, or no backup of intake"]
    return manifest, [*found, *audit.examine(folder, manifest)]


def _unpack(file: Path, folder: Path, progress: Progress | None) -> None:
    total = _size_bytes(file)
    with file.open("rb") as packed:
        if not _HEADER.fullmatch(packed.read(_HEADER_BYTES)):
            raise gzip.BadGzipFile("it does not begin as a backup does")
        packed.seek(0)
        _unpack_members(packed, folder, progress, total)


def _unpack_members(packed: IO[bytes], folder: Path, progress: Progress | None, total: int) -> None:
    with gzip.open(packed) as raw, tarfile.open(fileobj=raw, mode="r:") as tar:
        for member in tar:
            if not _MEMBER.fullmatch(member.name) or not member.isfile():
                raise tarfile.ReadError(f"{member.name!r} does not belong into it")
            source = tar.extractfile(member)
            path = folder / member.name
            make_folder(path.parent)
            path.touch(mode=0o600, exist_ok=False)
            with path.open("wb") as target:
                shutil.copyfileobj(source or BytesIO(), target, 1 << 20)
            if progress:
                progress(packed.tell(), total)
        while raw.read(1 << 20):  # the checksum stands at the very end
            pass


def _require(file: Path) -> None:
    if not file.is_file():
        raise StoreError(f"there is no file {file}", is_final=True)


def _require_empty(folder: Path) -> None:
    if lockfile.is_daemon_running(folder):
        raise StoreError(f"a daemon runs on {folder}: stop it, and restore into a new folder", is_final=True)
    if folder.exists() and (
        not folder.is_dir() or any(path.name != lockfile.FILE for path in folder.iterdir())
    ):
        raise StoreError(
            f"{folder} is not empty: restore into a new folder, or move this one away", is_final=True
        )


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    """Give a folder for our user only, on the same disk as parent; it goes unless it was moved away."""
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
