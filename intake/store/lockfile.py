"""The daemon's lock file: the CLI sees by it that a daemon runs, and a second daemon on the same folder refuses.

The kernel drops the lock when the daemon ends, however it ends; the file stays and means nothing by itself.
"""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from intake.store.durable import make_folder
from intake.store.engine import StoreError

FILE = "intake.lock"
# A look by is_daemon_running holds the lock for microseconds: only who holds it longer is a daemon.
_TRIES = 20
_PAUSE_S = 0.01


class DaemonLock:
    """Held until release, or the end of the with block."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def acquire(folder: Path) -> DaemonLock:
    """Mark folder as a running daemon's.

    Raises: StoreError that names the daemon which runs already.
    """
    path = folder / FILE
    make_folder(folder)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if not _is_locked_by_us(descriptor):
        pid = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise StoreError(
            f"a daemon (process {pid}) runs on {folder} already: stop it, or give this one a folder of its own",
            is_final=True,
        )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return DaemonLock(descriptor)


def is_daemon_running(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / FILE, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _is_locked_by_us(descriptor: int) -> bool:
    for attempt in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt + 1 < _TRIES:
                time.sleep(_PAUSE_S)
        else:
            return True
    return False
