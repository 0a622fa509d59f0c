"""Writes outgoing mails as .eml files: whole or not at all, and each once."""

import asyncio
import os
import re
import tempfile
from datetime import UTC
from pathlib import Path

from channels import contract

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


async def write(folder: str, outbound: contract.OutboundMessage, content: bytes) -> contract.Delivered:
    """Write one mail, fsynced; a second time with the same id changes nothing.

    Raises: DeliveryFailed(retryable) when the folder cannot be written to.
    """
    created_at = outbound.created_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    path = Path(folder) / f"{created_at}-{_UNSAFE.sub('_', outbound.id)[:150]}.eml"
    try:
        await asyncio.to_thread(_write_once, path, content)
    except OSError as error:
        reason = f"cannot write {path.name} into {folder}: {os.strerror(error.errno or 0)}"
        raise contract.DeliveryFailed(reason, retryable=True) from error
    return contract.Delivered(path.name)


def check(folder: str) -> list[contract.Problem]:
    """Tell when the folder cannot be written to; one that is not there yet is made on the first mail."""
    existing = next(
        path for path in (Path(folder).absolute(), *Path(folder).absolute().parents) if path.exists()
    )
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return []
    return [
        contract.Problem(
            f"outgoing mail cannot be written to {folder}", "make the folder writable for the daemon"
        )
    ]


def _write_once(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Without it the file is on disk after a power cut, and its name is not.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
