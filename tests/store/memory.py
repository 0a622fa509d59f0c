"""Where files that need no real disk may live, so that tests wait for no fsync."""

import os
import shutil

_MEMORY = "/dev/shm"


def memory_folder(*, room_bytes: int) -> str | None:
    """Return a folder in memory with so much room; None = use the usual temporary folder."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > room_bytes:
        return _MEMORY
    return None
