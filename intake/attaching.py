"""Files that go out with an answer: kept as blobs with the answer, read again for each attempt to deliver it."""

import mimetypes
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from channels.contract import OutboundFile, OutboundMessage
from channels.email.entity import safe_name
from channels.email.message import attachment_bytes
from intake.store import blobs
from intake.store.blobs import PreparedBlob
from intake.store.engine import Tx

FILES_MAX = 50


class TooMuch(ValueError):
    """Files are too many or too large to go out with one mail: one sentence for the agent."""


class Prepared(msgspec.Struct, frozen=True):
    """A file that is on disk, or small; `keep` makes it part of an answer."""

    name: str
    content_type: str
    blob: PreparedBlob


def read(paths: Iterable[Path], *, folder: Path, max_bytes: int) -> tuple[Prepared, ...]:
    """Read files, each under a name of its own. folder: of the blobs.

    Raises: OSError, TooMuch.
    """
    found = list(paths)
    sizes = [path.stat().st_size for path in found]
    check_size(sizes, max_bytes=max_bytes)
    names = unique_names([path.name for path in found])
    return tuple(
        Prepared(
            name,
            type_of(path.name),
            blobs.prepare(path.read_bytes(), folder),
        )
        for name, path in zip(names, found, strict=True)
    )


def of_bytes(files: Sequence[tuple[str, bytes]], *, folder: Path, max_bytes: int) -> tuple[Prepared, ...]:
    """Prepare files that were sent to us, each under a name of its own. files: (name, bytes). Raises: TooMuch."""
    check_size([len(content) for _, content in files], max_bytes=max_bytes)
    names = unique_names([name for name, _ in files])
    return tuple(
        Prepared(name, type_of(name), blobs.prepare(content, folder))
        for name, (_, content) in zip(names, files, strict=True)
    )


def type_of(name: str) -> str:
    """Return the type that a file's name says."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def check_size(sizes: Sequence[int], *, max_bytes: int) -> None:
    """Raises: TooMuch."""
    if len(sizes) > FILES_MAX:
        raise TooMuch(f"{len(sizes)} files are too many for one answer: at most {FILES_MAX}")
    if sum(sizes) > max_bytes:
        raise TooMuch(
            f"the files have {sum(sizes):,} bytes; an answer may carry {max_bytes:,} (limits.max_attachments_bytes)"
        )


def unique_names(names: Iterable[str]) -> list[str]:
    """Return safe names, none of them twice: "a.pdf", "a-2.pdf"."""
    taken: list[str] = []
    for name in map(safe_name, names):
        stem, dot, ending = name.rpartition(".")
        stem, suffix = (stem, f".{ending}") if dot and stem else (name, "")
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{stem}-{number}{suffix}"
        taken.append(free)
    return taken


def keep(tx: Tx, files: Iterable[Prepared]) -> tuple[OutboundFile, ...]:
    """Keep the files with what the transaction writes."""
    return tuple(
        OutboundFile(
            file.name, file.content_type, file.blob.size_bytes, file.blob.hash, blob=blobs.keep(tx, file.blob)
        )
        for file in files
    )


def with_contents(tx: Tx, outbound: OutboundMessage, folder: Path) -> OutboundMessage:
    """Return the message with the bytes of its files, ready for a channel.

    Raises: StoreError when a file is gone or damaged.
    """
    filled = tuple(with_content(tx, file, folder) for file in outbound.attachments)
    return msgspec.structs.replace(outbound, attachments=filled)


def with_content(tx: Tx, file: OutboundFile, folder: Path) -> OutboundFile:
    """Return a file with its bytes. Raises: StoreError when it is gone or damaged."""
    body = blobs.body_of(tx, file.blob, folder)
    return msgspec.structs.replace(file, content=attachment_bytes(body, file.part) if file.part else body)
