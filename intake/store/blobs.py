"""Blobs: raw bytes kept once, by the SHA-256 of their content, and counted by who refers to them.

Small bodies stand in their row (measured: cheaper than a file up to at least 40 KB, and one fsync for all). Larger
ones are files <2 hex>/<hash>, on disk with their names before any row can refer to them.

A file may be prepared again in the moment its last row is removed. So a file is removed only when no row names it
and nobody has prepared it for GRACE_S: whoever prepared it has its row by then, or has been told of a failure.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
from sqlalchemy import bindparam, delete, func, select, update

from intake.store.durable import TEMPORARY_PREFIX, make_folder, sync_folder, write_aside
from intake.store.engine import Store, StoreError, Tx
from intake.store.schema import blobs
from intake.store.statements import Statement, upsert

INLINE_MAX_BYTES = 1_000_000
FOLDER = "blobs"  # inside the data folder
RELEASED = "blobs_released"  # signal: hashes whose file has no row any more
GRACE_S = 3_600

_KEEP = Statement(
    upsert(blobs)
    .values(
        id=bindparam("id"),
        hash=bindparam("hash"),
        size_bytes=bindparam("size_bytes"),
        refs=1,
        body=bindparam("body"),
    )
    .on_conflict_do_update(index_elements=["hash"], set_={"refs": blobs.c.refs + 1})
    .returning(blobs.c.id)
)
_BODY = Statement(select(blobs.c.hash, blobs.c.body).where(blobs.c.id == bindparam("id")))
_RELEASE = Statement(
    update(blobs)
    .where(blobs.c.id == bindparam("id"))
    .values(refs=blobs.c.refs - 1)
    .returning(blobs.c.refs, blobs.c.hash, func.length(blobs.c.body))
)
_REMOVE = Statement(delete(blobs).where(blobs.c.id == bindparam("id")))
_IS_KEPT = Statement(select(blobs.c.id).where(blobs.c.hash == bindparam("hash")))


class PreparedBlob(msgspec.Struct, frozen=True):
    """A body that may be kept. inline: None = it is a file already."""

    hash: str
    size_bytes: int
    inline: bytes | None


def prepare(body: bytes, folder: Path) -> PreparedBlob:
    """Hash the body and, if it is large, put it on disk. Blocks: call it off the loop when it is large.

    A file that is there already is written again: it may be damaged, or its name not be on disk yet.
    """
    digest = sha256(body).hexdigest()
    if len(body) <= INLINE_MAX_BYTES:
        return PreparedBlob(digest, len(body), body)
    try:
        _write(path_of(folder, digest), body)
    except OSError as error:
        raise _cannot_write(error, folder) from error
    return PreparedBlob(digest, len(body), None)


def keep(tx: Tx, prepared: PreparedBlob) -> int:
    """Refer to the blob once more; its id."""
    row = tx.one(
        _KEEP, id=tx.new_id(), hash=prepared.hash, size_bytes=prepared.size_bytes, body=prepared.inline
    )
    if row is None:
        raise LookupError(f"blob {prepared.hash} was not kept")
    return int(row[0])


def body_of(tx: Tx, blob_id: int, folder: Path) -> bytes:
    """Return the bytes as they came in.

    Raises: StoreError when they are gone, or are not the same bytes any more.
    """
    row = tx.one(_BODY, id=blob_id)
    if row is None:
        raise StoreError(f"blob {blob_id} is not in the store", is_final=True)
    digest, body = row
    if body is None:
        body = _read(path_of(folder, digest))
    if sha256(body).hexdigest() != digest:
        raise StoreError(
            f"blob {blob_id} is damaged (its bytes do not fit its hash): restore it from a backup",
            is_final=True,
        )
    return bytes(body)


def release(tx: Tx, blob_id: int) -> None:
    """Refer to the blob once less. At none it goes, its file after the commit (see remove_files)."""
    row = tx.one(_RELEASE, id=blob_id)
    if row is None or row[0] > 0:
        return
    tx.run(_REMOVE, id=blob_id)
    if row[2] is None:  # no body in the row
        tx.signal(RELEASED, [row[1]])


def path_of(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest


def remove_files(
    store: Store, folder: Path, digests: Iterable[str], *, now_s: Callable[[], float] = time.time
) -> int:
    """Remove the files that no row names and nobody prepared for GRACE_S; how many went.

    The rest stays for the next sweep, as it does while a backup copies the folder.
    """
    return sum(_remove_file(store, path_of(folder, digest), now_s()) for digest in digests)


def sweep(store: Store, folder: Path, *, now_s: Callable[[], float] = time.time) -> int:
    """Remove every file that no row names, and what a crash left half written; how many went."""
    removed = 0
    for path in sorted(folder.glob("??/*")):
        removed += _remove_file(store, path, now_s())
    return removed


@contextmanager
def files_stay(folder: Path) -> Iterator[None]:
    """Let nobody remove a file meanwhile; files may still be added."""
    with _locked(folder, fcntl.LOCK_SH):
        yield


def _write(path: Path, body: bytes) -> None:
    make_folder(path.parent)
    temporary = write_aside(path, body)
    with files_stay(path.parent.parent):
        temporary.replace(path)
    sync_folder(path.parent)
    sync_folder(path.parent.parent)  # another thread may have made the folder and not come to this yet


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise StoreError(
            f"the file {path} of a blob is gone: restore it from a backup", is_final=True
        ) from error
    except OSError as error:
        raise StoreError(f"the file {path} of a blob cannot be read: {error.strerror}") from error


def _remove_file(store: Store, path: Path, now_s: float) -> int:
    try:
        with _locked(path.parent.parent, fcntl.LOCK_EX | fcntl.LOCK_NB):
            if now_s - path.stat().st_mtime < GRACE_S or _is_kept(store, path.name):
                return 0
            path.unlink()
            return 1
    except (BlockingIOError, FileNotFoundError):
        return 0


def _is_kept(store: Store, name: str) -> bool:
    return (
        not name.startswith(TEMPORARY_PREFIX)
        and store.read_now(lambda tx: tx.one(_IS_KEPT, hash=name)) is not None
    )


@contextmanager
def _locked(folder: Path, mode: int) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, mode)
        yield
    finally:
        os.close(descriptor)


def _cannot_write(error: OSError, folder: Path) -> StoreError:
    sentence = f"a large message cannot be written to {folder}: {error.strerror}"
    return StoreError(sentence, is_full=error.errno in {28, 122})  # ENOSPC, EDQUOT
