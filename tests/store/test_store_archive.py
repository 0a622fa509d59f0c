"""A backup taken while the store is written holds all that was acknowledged before, and says when it is damaged."""

import gzip
import io
import random
import sqlite3
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from intake import keys
from intake.store import archive, audit, blobs, lockfile, opening, schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement

KEYS = Statement(select(schema.counters.c.key))
LARGE = random.Random(1).randbytes(blobs.INLINE_MAX_BYTES + 1)


@pytest.fixture
def folder(tmp_path: Path, new_store: bytes) -> Path:
    """A data folder with a small mail, a large one, and keys."""
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "intake.db").write_bytes(new_store)
    keys.Keys.load_or_create(folder / "keys.json")
    return folder


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with closing(opening.open_store("", folder)) as store:
        for body in (b"small mail" * 100, LARGE):
            prepared = blobs.prepare(body, folder / blobs.FOLDER)
            store.write_now(lambda tx, prepared=prepared: blobs.keep(tx, prepared))  # type: ignore[misc]
        yield store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "intake.tar.gz"


def add(tx: Tx, key: str) -> str:
    tx.insert(schema.counters, name="test", key=key, window_start=0, used=0)
    return key


def keys_in(folder: Path) -> set[str]:
    with closing(opening.open_store("", folder)) as store:
        return {key for (key,) in store.read_now(lambda tx: tx.all(KEYS))}


def test_a_backup_under_writes_holds_all_that_was_acknowledged_before(
    store: Store, folder: Path, file: Path, tmp_path: Path
) -> None:
    acknowledged: list[str] = []
    begun, is_over = threading.Event(), threading.Event()

    def write() -> None:
        while not is_over.is_set():
            acknowledged.append(store.write_now(lambda tx: add(tx, str(len(acknowledged)))))
            if len(acknowledged) > 200:
                begun.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert begun.wait(20)
        before = set(acknowledged)
        archive.backup(store, folder, file)
        is_over.set()
        writing.result()
    assert archive.verify(file) == []
    archive.restore(file, tmp_path / "restored")
    assert before <= keys_in(tmp_path / "restored") <= set(acknowledged)
    assert len(before) > 200


def test_a_restored_folder_has_the_same_bodies_and_keys(
    store: Store, folder: Path, file: Path, tmp_path: Path
) -> None:
    archive.backup(store, folder, file)
    restored = tmp_path / "new" / "var"
    archive.restore(file, restored)
    assert sorted(
        str(path.relative_to(restored)) for path in restored.rglob("*") if path.is_file()
    ) == sorted(
        [str(path.relative_to(folder)) for path in folder.glob("blobs/*/*")] + ["intake.db", "keys.json"]
    )
    assert (restored / "keys.json").read_bytes() == (folder / "keys.json").read_bytes()
    assert keys.Keys.load_or_create(restored / "keys.json")
    with closing(opening.open_store("", restored)) as again:
        ids = again.read_now(lambda tx: tx._execute("SELECT id FROM blobs", {}).fetchall())
        bodies = {again.read_now(lambda tx, i=i: blobs.body_of(tx, i, restored / "blobs")) for (i,) in ids}  # type: ignore[misc]
    assert bodies == {b"small mail" * 100, LARGE}


def test_an_archive_and_all_that_is_restored_are_for_our_user_only(
    store: Store, folder: Path, file: Path, tmp_path: Path
) -> None:
    archive.backup(store, folder, file)
    archive.restore(file, tmp_path / "restored")
    paths = [file, tmp_path / "restored", *(tmp_path / "restored").rglob("*")]
    assert not any(path.stat().st_mode & 0o077 for path in paths)


def test_a_backup_leaves_nothing_beside_the_archive(store: Store, folder: Path, file: Path) -> None:
    archive.backup(store, folder, file)
    archive.verify(file)
    assert list(file.parent.iterdir()) == [file]


def test_progress_is_told_in_bytes(store: Store, folder: Path, file: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    archive.backup(store, folder, file, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > len(LARGE)
    told.clear()
    archive.restore(file, tmp_path / "restored", progress=lambda done, total: told.append((done, total)))
    assert told[-1][1] == file.stat().st_size


@pytest.mark.slow
@pytest.mark.parametrize("place", range(10))
def test_a_flipped_byte_of_the_header_is_found(store: Store, folder: Path, file: Path, place: int) -> None:
    archive.backup(store, folder, file)
    content = bytearray(file.read_bytes())
    content[place] ^= 0x55
    file.write_bytes(content)
    assert archive.verify(file)


def test_an_archive_comes_back_into_a_relative_folder(
    store: Store, folder: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.backup(store, folder, file)
    monkeypatch.chdir(tmp_path)
    archive.restore(file, Path("restored"))
    assert (tmp_path / "restored" / "intake.db").exists()


@pytest.mark.parametrize("where", [0.001, 0.1, 0.5, 0.9, 0.9999, 0.99999999])
def test_a_flipped_byte_anywhere_is_found(store: Store, folder: Path, file: Path, where: float) -> None:
    archive.backup(store, folder, file)
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[int(len(whole) * where)] ^= 0x55
    file.write_bytes(flipped)
    # The code of a byte that never occurs may be any: such a flip changes nothing of what is unpacked.
    assert archive.verify(file) or gzip.decompress(flipped) == gzip.decompress(whole)


def test_an_archive_that_was_cut_off_is_found(store: Store, folder: Path, file: Path) -> None:
    archive.backup(store, folder, file)
    file.write_bytes(file.read_bytes()[:-2000])
    assert "cut off" in " ".join(archive.verify(file))


def changed(file: Path, change: Any) -> None:
    """Pack the archive anew, its members changed by `change(name, content) -> content or None`."""
    with tarfile.open(file) as tar:
        members = {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar}
    with (
        file.open("wb") as raw,
        gzip.GzipFile("", "wb", 1, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w:") as tar,
    ):
        for name, content in members.items():
            new = change(name, content)
            if new is not None:
                member = tarfile.TarInfo(name)
                member.size = len(new)
                tar.addfile(member, io.BytesIO(new))


def test_a_changed_member_is_found_even_when_the_archive_is_whole(
    store: Store, folder: Path, file: Path
) -> None:
    archive.backup(store, folder, file)
    changed(file, lambda name, content: content + b" " if name == "keys.json" else content)
    assert archive.verify(file) == ["keys.json is damaged: its bytes do not fit the manifest"]


def test_a_missing_blob_is_found(store: Store, folder: Path, file: Path) -> None:
    archive.backup(store, folder, file)
    changed(file, lambda name, content: None if name.startswith("blobs/") else content)
    found = " ".join(archive.verify(file))
    assert "is missing from the archive" in found
    assert "its file is missing or damaged" in found


def test_another_number_of_rows_is_found(store: Store, folder: Path, file: Path) -> None:
    archive.backup(store, folder, file)

    def one_more(name: str, content: bytes) -> bytes:
        if name != audit.MANIFEST:
            return content
        manifest = msgspec.json.decode(content, type=audit.Manifest)
        return msgspec.json.encode(msgspec.structs.replace(manifest, counts={**manifest.counts, "blobs": 3}))

    changed(file, one_more)
    assert archive.verify(file) == ["table blobs has 2 rows, the manifest says 3"]


def test_a_bit_that_flipped_before_the_backup_is_found(store: Store, folder: Path, file: Path) -> None:
    store.close()
    with closing(sqlite3.connect(folder / "intake.db")) as connection, connection:
        connection.execute("UPDATE blobs SET body = x'00' WHERE body IS NOT NULL")
    with closing(opening.open_store("", folder)) as rotten:
        archive.backup(rotten, folder, file)
    (found,) = archive.verify(file)
    assert "its bytes do not fit its hash" in found


def test_a_count_of_an_agents_tickets_that_is_wrong_is_found(store: Store, folder: Path, file: Path) -> None:
    """A capacity that is used up by tickets that are not there would stop an agent for good."""
    store.write_now(lambda tx: tx.insert(schema.agent_load, name="ania", medium="email", open_tickets=3))
    archive.backup(store, folder, file)
    (found,) = archive.verify(file)
    assert found.startswith("ania is kept as holding 3 open email tickets and has 0")


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "blobs/../../evil", "intake.db.bak", "blobs/aa/" + "b" * 64]
)
def test_a_member_that_does_not_belong_is_not_unpacked(
    store: Store, folder: Path, file: Path, name: str
) -> None:
    archive.backup(store, folder, file)
    with tarfile.open(file) as tar:
        members = {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar}
    with (
        file.open("wb") as raw,
        gzip.GzipFile("", "wb", 1, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w:") as tar,
    ):
        for member_name, content in {name: b"evil", **members}.items():
            member = tarfile.TarInfo(member_name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    assert "does not belong into it" in archive.verify(file)[0]
    assert not list(file.parent.parent.rglob("evil"))


def test_a_damaged_archive_is_not_restored_and_leaves_nothing(
    store: Store, folder: Path, file: Path, tmp_path: Path
) -> None:
    archive.backup(store, folder, file)
    changed(file, lambda name, content: content + b" " if name == "keys.json" else content)
    with pytest.raises(StoreError, match=r"is not restored: keys\.json is damaged"):
        archive.restore(file, tmp_path / "restored")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backups", "var"]


def test_a_folder_that_holds_anything_is_not_restored_into(store: Store, folder: Path, file: Path) -> None:
    archive.backup(store, folder, file)
    with pytest.raises(StoreError, match="is not empty: restore into a new folder"):
        archive.restore(file, folder)


def test_an_empty_folder_is_restored_into_unless_a_daemon_runs_there(
    store: Store, folder: Path, file: Path, tmp_path: Path
) -> None:
    archive.backup(store, folder, file)
    target = tmp_path / "restored"
    with lockfile.acquire(target), pytest.raises(StoreError, match="a daemon runs on"):
        archive.restore(file, target)
    archive.restore(file, target)
    assert (target / "intake.db").exists()


def test_a_mounted_folder_is_filled(store: Store, folder: Path, file: Path, tmp_path: Path) -> None:
    """A container's volume cannot be replaced by another folder."""
    archive.backup(store, folder, file)
    target = tmp_path / "volume"
    target.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", target], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        archive.restore(file, target)
        assert sorted(path.name for path in target.iterdir()) == ["blobs", "intake.db", "keys.json"]
        assert keys_in(target) == set()
    finally:
        subprocess.run(["umount", "--lazy", target], check=True)


def test_a_full_disk_while_restoring_is_said_and_leaves_nothing(
    store: Store, folder: Path, file: Path, tmp_path: Path
) -> None:
    archive.backup(store, folder, file)
    target = tmp_path / "small"
    target.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", target], capture_output=True, check=False
    ).returncode:
        pytest.skip("needs the right to mount")
    try:
        with pytest.raises(StoreError, match="no room") as caught:
            archive.restore(file, target / "var")
        assert caught.value.is_full
        assert list(target.iterdir()) == []
    finally:
        subprocess.run(["umount", "--lazy", target], check=True)


@pytest.mark.parametrize("act", [archive.verify, lambda file: archive.restore(file, file.parent / "x")])
def test_an_archive_that_is_not_there_is_said(tmp_path: Path, act: Any) -> None:
    with pytest.raises(StoreError, match="there is no file"):
        act(tmp_path / "absent.tar.gz")


def test_something_else_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 no archive")
    assert "no backup of intake" in " ".join(archive.verify(tmp_path / "photo.jpg"))


def test_a_blob_whose_file_is_gone_stops_the_backup(store: Store, folder: Path, file: Path) -> None:
    next(folder.glob("blobs/*/*")).unlink()
    with pytest.raises(StoreError, match="is gone, but the store names it"):
        archive.backup(store, folder, file)
    assert list(file.parent.iterdir()) == []


@pytest.mark.postgres
def test_postgresql_is_backed_up_by_its_own_tools(postgres_url: str, tmp_path: Path, file: Path) -> None:
    with (
        closing(opening.open_store(postgres_url, tmp_path)) as store,
        pytest.raises(StoreError, match="pg_dump"),
    ):
        archive.backup(store, tmp_path, file)
