"""Files that survive a power cut: written aside, fsynced, moved into place, and the folder fsynced as well.

Without the last step the name, and so the file, may be gone after a power cut.
"""

import os
import secrets
from pathlib import Path

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


def write_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put content at path at once, in place of what was there."""
    temporary = write_aside(path, content, mode=mode)
    temporary.replace(path)
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
    temporary = path.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
