"""Mails out of files: single messages (.eml), mboxes (RFC 4155, mboxrd quoting) and Maildirs; nothing is changed in them.

A folder is searched to its bottom: Maildirs, *.eml, *.mbox and whatever else begins like an mbox.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import msgspec

from channels.contract import RawMessage
from channels.email import addresses, headers, identity

MAX_MAIL_BYTES = 256 * 1024 * 1024  # an mbox with a longer message is damaged
_SEPARATOR = b"From "
# An address (or -) and a date with a time: prose that begins with "From " has none.
_SEPARATOR_LINE = re.compile(rb"From \S+ .*\b\d{1,2}:\d\d")


class File(msgspec.Struct, frozen=True):
    """A file with mails in it. is_mbox: several, else one. size_bytes: of all of them."""

    path: Path
    is_mbox: bool
    size_bytes: int


def search(path: Path) -> Iterator[File]:
    """Find the files of a path, in the order of their names; a file that is named is taken whatever its name.

    Raises: OSError.
    """
    if not path.is_dir():
        yield _file(path)
        return
    if _is_maildir(path):
        for part in ("cur", "new"):
            yield from (_file(each) for each in sorted((path / part).iterdir()) if each.is_file())
    for entry in sorted(path.iterdir()):
        if entry.is_symlink() or (_is_maildir(path) and entry.name in ("cur", "new", "tmp")):
            continue
        if entry.is_dir():
            yield from search(entry)
        elif entry.suffix in (".eml", ".mbox") or _begins_like_mbox(entry):
            yield _file(entry)


def read(file: File) -> Iterator[bytes]:
    """Give the raw mails of a file, in its order. Raises: OSError."""
    if not file.is_mbox:
        yield file.path.read_bytes()
        return
    with file.path.open("rb") as source:
        yield from split(source)


def split(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Split an mbox: a line "From address date" after an empty one starts a message; one level of ">From" is unquoted."""
    mail: list[bytes] = []
    size, follows_blank, has_begun = 0, True, False
    for line in lines:
        is_separator = follows_blank and _is_separator(line, is_first=not has_begun)
        if is_separator or size > MAX_MAIL_BYTES:
            if has_begun and size:
                yield _unpadded(mail)
            mail, size, has_begun = [], 0, True
        if not is_separator:
            mail.append(_unquoted(line))
            size += len(line)
        follows_blank = not line.rstrip(b"\r\n")
    if size:
        yield _unpadded(mail)


def raw_from(body: bytes, *, kind: str, account: str, received_at: datetime) -> RawMessage:
    """Wrap a mail as the account would have received it; read again, it has the same keys.

    What has neither Message-ID nor Date is known by its bytes.
    """
    sender = addresses.parse(headers.scan(body).structured("from"))
    return RawMessage(
        kind=kind,
        account=account,
        lane=sender[0].address.lower() if sender else "file",
        keys=(identity.content_key(body) or f"file:{sha256(body).hexdigest()}",),
        body=body,
        received_at=received_at,
        envelope={"peer": "file"},
    )


def _file(path: Path) -> File:
    is_mbox = path.suffix != ".eml" and _begins_like_mbox(path)
    return File(path, is_mbox=is_mbox, size_bytes=path.stat().st_size)


def _is_maildir(path: Path) -> bool:
    return (path / "cur").is_dir() and (path / "new").is_dir()


def _begins_like_mbox(path: Path) -> bool:
    if path.name.startswith(".") or not path.is_file():
        return False
    with path.open("rb") as source:
        return source.read(len(_SEPARATOR)) == _SEPARATOR


def _is_separator(line: bytes, *, is_first: bool) -> bool:
    return line.startswith(_SEPARATOR) and (is_first or _SEPARATOR_LINE.match(line) is not None)


def _unquoted(line: bytes) -> bytes:
    """Take one > away from >From or >>From."""
    return line[1:] if line.startswith(b">") and line.lstrip(b">").startswith(_SEPARATOR) else line


def _unpadded(mail: list[bytes]) -> bytes:
    """Join the lines without the empty one that ends a message in an mbox."""
    if len(mail) > 1 and not mail[-1].rstrip(b"\r\n"):
        mail.pop()
    return b"".join(mail)
