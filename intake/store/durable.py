"""Files that survive a power cut: written aside, fsynced, moved into place, and the folder fsynced as well.

Without the last step the name, and so the file, may be gone after a power cut.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

TEMPORARY_PREFIX = ".new-"


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make the folder and those above it, for our user only, each with its name on disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


@contextmanager
def replacing(path: Path, *, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """Give a file to write to; at the end of the block it stands at path at once, in place of what was there."""
    temporary, target = _new_beside(path, mode)
    try:
        with target:
            yield target
            _sync(target)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def link_new(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put content at path unless something is there already: of several writers one wins."""
    temporary = write_aside(path, content, mode=mode)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    sync_folder(path.parent)


def write_aside(path: Path, content: bytes, *, mode: int = 0o600) -> Path:
    """Write and fsync content beside path under a name of its own."""
    temporary, target = _new_beside(path, mode)
    try:
        with target:
            target.write(content)
            _sync(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def sync_tree(folder: Path) -> None:
    """Put every file and name below folder on disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as source:
                os.fsync(source.fileno())
        elif path.is_dir():
            sync_folder(path)
    sync_folder(folder)


def _new_beside(path: Path, mode: int) -> tuple[Path, IO[bytes]]:
    temporary = path.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    return temporary, os.fdopen(descriptor, "wb")


def _sync(target: IO[bytes]) -> None:
    target.flush()
    os.fsync(target.fileno())
