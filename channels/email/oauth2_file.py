"""The file that holds the newest refresh token: replaced whole, readable by its owner alone."""

import os
import tempfile
from pathlib import Path


def read(path: Path) -> str:
    """Return the token; "" when there is no file yet."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def write(path: Path, token: str) -> None:
    """Replace the token; after a power cut the file holds the old or the new one. Raises: OSError."""
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            target.write(token + "\n")
            target.flush()
            os.fsync(target.fileno())
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
