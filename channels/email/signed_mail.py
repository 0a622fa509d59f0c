"""A mail as signatures see it (RFC 6376 §3.4): its fields as they came, and its body hashed piece by piece.

Piece by piece, because 25 MB in one step would hold up everybody else for as long as it takes; and only until the time is over.
"""

import re
import time
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from channels.email.resolver import NoAnswer

HEADER_MAX_BYTES = 256 * 1024
PIECE_BYTES = 64 * 1024

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_NEXT_FIELD = re.compile(rb"\r\n(?![ \t])")
_RUN = re.compile(rb" {2,}")

Field = tuple[bytes, bytes]  # name as written, and what stands behind the colon, folds and all


class BodyHash(msgspec.Struct, frozen=True):
    """size: bytes that were hashed."""

    digest: bytes
    size: int


class Mail:
    """fields: in the order of the mail, their lines ending with CRLF. ends_at: monotonic seconds, None = no end."""

    __slots__ = ("_content", "_hashes", "_start", "ends_at", "fields")

    def __init__(self, content: bytes, *, ends_at: float | None = None) -> None:
        end = _HEADER_END.search(content, 0, HEADER_MAX_BYTES)
        head = content[: end.start() if end else HEADER_MAX_BYTES]
        self.fields = tuple(_fields(_LINE_END.sub(b"\r\n", head)))
        self.ends_at = ends_at
        self._content = content
        self._start = end.end() if end else len(content)
        self._hashes: dict[bool, BodyHash] = {}

    def body_hash(self, *, is_relaxed: bool) -> BodyHash:
        """Hash the body in one of the two canonical forms; once, however many signatures cover it. Raises: NoAnswer."""
        known = self._hashes.get(is_relaxed)
        if known is None:
            known = self._hashes[is_relaxed] = self._hashed(is_relaxed=is_relaxed)
        return known

    def _hashed(self, *, is_relaxed: bool) -> BodyHash:
        form, digest, size = _Form(is_relaxed=is_relaxed), sha256(), 0
        for piece in self._pieces():
            if self.ends_at is not None and time.monotonic() > self.ends_at:
                raise NoAnswer("the time for this mail is over")
            text = form.take(piece)
            digest.update(text)
            size += len(text)
        last = form.end()
        digest.update(last)
        return BodyHash(digest.digest(), size + len(last))

    def _pieces(self) -> Iterator[bytes]:
        """Give the body with CRLF at the ends of lines; none of these is cut in two."""
        at, held = self._start, b""
        while at < len(self._content):
            piece = held + self._content[at : at + PIECE_BYTES]
            at += PIECE_BYTES
            held = b"\r" if piece.endswith(b"\r") and at < len(self._content) else b""
            piece = piece[: len(piece) - len(held)]
            if piece.count(b"\n") != piece.count(b"\r\n"):
                piece = piece.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            yield piece


class _Form:
    """Writes a body in a canonical form; what stands at its end is held back, because the last empty lines go."""

    def __init__(self, *, is_relaxed: bool) -> None:
        self._is_relaxed = is_relaxed
        self._lines = 0  # CRLFs not yet written
        self._has_space = False  # and a space behind them
        self._has_text = False

    def take(self, piece: bytes) -> bytes:
        if not self._is_relaxed or not self._has_spaces(piece):
            return self._written(piece)
        *lines, last = piece.replace(b"\t", b" ").split(b"\r\n")
        found = []
        for line in lines:
            found.append(self._relaxed(line))
            self._lines += 1
            self._has_space = False
        found.append(self._relaxed(last))
        return b"".join(found)

    def end(self) -> bytes:
        """Return what closes the body: one line end, of an empty relaxed body nothing."""
        return b"" if self._is_relaxed and not self._has_text else b"\r\n"

    def _has_spaces(self, piece: bytes) -> bool:
        return (
            self._has_space or b"\t" in piece or b"  " in piece or b" \r\n" in piece or piece.endswith(b" ")
        )

    def _relaxed(self, line: bytes) -> bytes:
        """Write a part of a line: runs of white space are one space, and none stands at a line's end."""
        text = _RUN.sub(b" ", line)
        if self._has_space and not text.startswith(b" "):
            text = b" " + text
        self._has_space = text.endswith(b" ")
        return self._written(text[:-1] if self._has_space else text)

    def _written(self, text: bytes) -> bytes:
        end = len(text)
        while text[max(end - 2, 0) : end] == b"\r\n":
            end -= 2
        before, self._lines = self._lines, (len(text) - end) // 2 + (self._lines if not end else 0)
        if not end:
            return b""
        self._has_text = True
        return b"\r\n" * before + text[:end]


def _fields(head: bytes) -> Iterator[Field]:
    """Give the fields; what is no field ends the header."""
    for line in _NEXT_FIELD.split(head):
        name, colon, value = line.partition(b":")
        if not colon:
            return
        yield name, value
