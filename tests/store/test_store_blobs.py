"""Raw bytes are kept once, found damaged when they are, and gone with their last reference."""

import os
import random
import sqlite3
import threading
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, func, select, update

from intake.store import blobs, schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.sqlite import SqliteStore
from intake.store.statements import Statement

LARGE = b"x" * (blobs.INLINE_MAX_BYTES + 1)
COUNT = Statement(select(func.count()).select_from(schema.blobs))
DAMAGE = Statement(
    update(schema.blobs).where(schema.blobs.c.id == bindparam("id")).values(body=bindparam("body"))
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / blobs.FOLDER


def keep(store: Store, body: bytes, folder: Path) -> int:
    prepared = blobs.prepare(body, folder)
    return store.write_now(lambda tx: blobs.keep(tx, prepared))


def body_of(store: Store, blob_id: int, folder: Path) -> bytes:
    return store.read_now(lambda tx: blobs.body_of(tx, blob_id, folder))


def age(path: Path) -> None:
    """Make the file as old as one that nobody is about to refer to."""
    at = path.stat().st_mtime - 2 * blobs.GRACE_S
    os.utime(path, (at, at))


@pytest.mark.parametrize("body", [b"", b"\0\xff mail", b"y" * blobs.INLINE_MAX_BYTES, LARGE], ids=len)
def test_a_body_comes_back_as_it_went_in(store: Store, folder: Path, body: bytes) -> None:
    assert body_of(store, keep(store, body, folder), folder) == body


def test_only_a_large_body_is_a_file_and_it_is_there_before_its_row(folder: Path) -> None:
    assert blobs.prepare(b"small", folder).inline == b"small"
    assert not folder.exists()
    prepared = blobs.prepare(LARGE, folder)
    assert prepared.inline is None
    assert blobs.path_of(folder, prepared.hash).read_bytes() == LARGE


def test_a_file_of_customers_is_for_our_user_only(folder: Path) -> None:
    path = blobs.path_of(folder, blobs.prepare(LARGE, folder).hash)
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_large_file_and_its_names_are_fsynced_before_it_is_prepared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[Path] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    path = blobs.path_of(folder, blobs.prepare(LARGE, folder).hash)
    assert any(name.name.startswith(".new-") and name.parent == path.parent for name in names)
    assert names.index(path.parent) > 0
    assert {folder, folder.parent} <= set(names)


@pytest.mark.parametrize("body", [b"small", LARGE], ids=["small", "large"])
def test_the_same_body_is_kept_once(store: Store, folder: Path, body: bytes) -> None:
    assert keep(store, body, folder) == keep(store, body, folder)
    assert store.read_now(lambda tx: tx.one(COUNT)) == (1,)


def test_a_flipped_bit_in_a_row_is_found(store: Store, folder: Path) -> None:
    blob = keep(store, b"the mail", folder)
    store.write_now(lambda tx: tx.run(DAMAGE, id=blob, body=b"the mbil"))
    with pytest.raises(StoreError, match=f"blob {blob} is damaged"):
        body_of(store, blob, folder)


def test_a_flipped_bit_in_a_file_is_found(store: Store, folder: Path) -> None:
    blob = keep(store, LARGE, folder)
    (path,) = folder.glob("??/*")
    path.write_bytes(b"y" + LARGE[1:])
    with pytest.raises(StoreError, match=f"blob {blob} is damaged"):
        body_of(store, blob, folder)


def test_a_damaged_file_is_healed_when_the_same_body_comes_again(store: Store, folder: Path) -> None:
    blob = keep(store, LARGE, folder)
    (path,) = folder.glob("??/*")
    path.write_bytes(b"damaged")
    keep(store, LARGE, folder)
    assert body_of(store, blob, folder) == LARGE


def test_a_file_that_is_gone_is_said(store: Store, folder: Path) -> None:
    blob = keep(store, LARGE, folder)
    next(folder.glob("??/*")).unlink()
    with pytest.raises(StoreError, match="is gone: restore it from a backup"):
        body_of(store, blob, folder)


def test_a_blob_that_never_was_is_said(store: Store, folder: Path) -> None:
    with pytest.raises(StoreError, match="blob 7 is not in the store"):
        body_of(store, 7, folder)


def test_a_blob_goes_with_its_last_reference(store: Store, folder: Path) -> None:
    blob = keep(store, b"mail", folder)
    keep(store, b"mail", folder)
    store.write_now(lambda tx: blobs.release(tx, blob))
    assert store.read_now(lambda tx: tx.one(COUNT)) == (1,)
    store.write_now(lambda tx: blobs.release(tx, blob))
    assert store.read_now(lambda tx: tx.one(COUNT)) == (0,)


def released(store: Store, folder: Path) -> list[str]:
    """Keep and release a large body; the hashes that listeners hear of."""
    heard: list[str] = []
    told = threading.Event()

    def hear(signals: dict[str, Any]) -> None:
        heard.extend(signals.get(blobs.RELEASED, []))
        told.set()

    blob = keep(store, LARGE, folder)
    store.listen(hear)
    store.write_now(lambda tx: blobs.release(tx, blob))
    assert told.wait(10)
    return heard


def test_the_file_goes_after_the_commit(store: Store, folder: Path) -> None:
    digests = released(store, folder)
    path = blobs.path_of(folder, digests[0])
    age(path)
    assert blobs.remove_files(store, folder, digests) == 1
    assert not path.exists()


def test_a_file_that_was_prepared_again_meanwhile_stays(store: Store, folder: Path) -> None:
    digests = released(store, folder)
    age(blobs.path_of(folder, digests[0]))
    prepared = blobs.prepare(LARGE, folder)
    assert blobs.remove_files(store, folder, digests) == 0
    blob = store.write_now(lambda tx: blobs.keep(tx, prepared))
    assert body_of(store, blob, folder) == LARGE


def test_a_file_that_a_row_names_again_stays(store: Store, folder: Path) -> None:
    digests = released(store, folder)
    blob = keep(store, LARGE, folder)
    age(blobs.path_of(folder, digests[0]))
    assert blobs.remove_files(store, folder, digests) == 0
    assert body_of(store, blob, folder) == LARGE


def test_no_file_is_removed_while_a_backup_copies_them(store: Store, folder: Path) -> None:
    digests = released(store, folder)
    age(blobs.path_of(folder, digests[0]))
    with blobs.files_stay(folder):
        assert blobs.remove_files(store, folder, digests) == 0
        assert blobs.prepare(LARGE + b"another", folder).inline is None


def test_a_sweep_removes_what_a_crash_left_and_nothing_else(store: Store, folder: Path) -> None:
    blob = keep(store, LARGE, folder)
    (kept,) = folder.glob("??/*")
    orphan = blobs.path_of(folder, blobs.prepare(LARGE + b"orphan", folder).hash)
    half = kept.parent / ".new-half"
    half.write_bytes(b"half")
    for path in (kept, orphan, half):
        age(path)
    assert blobs.sweep(store, folder) == 2
    assert (kept.exists(), orphan.exists(), half.exists()) == (True, False, False)
    assert body_of(store, blob, folder) == LARGE


def test_no_room_for_a_large_body_is_said(folder: Path) -> None:
    folder.mkdir()
    blobs.path_of(folder, sha256(LARGE).hexdigest()).parent.write_bytes(b"in the way")
    with pytest.raises(StoreError, match="a large message cannot be written"):
        blobs.prepare(LARGE, folder)


def test_a_body_kept_and_rolled_back_leaves_no_reference(store: Store, folder: Path) -> None:
    def fail(tx: Tx) -> None:
        blobs.keep(tx, blobs.prepare(b"mail", folder))
        raise ValueError

    with pytest.raises(ValueError):
        store.write_now(fail)
    assert store.read_now(lambda tx: tx.one(COUNT)) == (0,)


@pytest.mark.slow
def test_a_flipped_bit_anywhere_in_the_store_never_gives_wrong_bytes(
    tmp_path: Path, new_store: bytes
) -> None:
    """Each of 150 copies of a store has one bit flipped: every body comes back whole or not at all."""
    (tmp_path / "intake.db").write_bytes(new_store)
    bodies = {}
    with closing(SqliteStore(tmp_path / "intake.db")) as store:
        for number in range(40):
            body = f"mail {number} ".encode() * 400
            bodies[keep(store, body, tmp_path)] = body
    content = (tmp_path / "intake.db").read_bytes()
    rng = random.Random(7)
    found = 0
    for number in range(150):
        flipped = bytearray(content)
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        (tmp_path / f"{number}.db").write_bytes(flipped)
        found += is_damage_found(tmp_path / f"{number}.db", bodies)
    assert found > 20


def is_damage_found(path: Path, bodies: dict[int, bytes]) -> bool:
    """Read every body from the file: right, or refused."""
    try:
        with closing(SqliteStore(path)) as store:
            for blob, body in bodies.items():
                assert body_of(store, blob, path.parent) == body
    except (StoreError, sqlite3.Error):
        return True
    return False
