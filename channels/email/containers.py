"""Opens what holds files without being MIME: TNEF, uuencoded and yEnc blocks in a text.

Sources: [MS-OXTNEF] (in `tnef`), POSIX uuencode, yEnc 1.3 (yenc.org, checked 2026-11). Bounded, linear, never raises.
"""

import re
from typing import NamedTuple

from channels.email import tnef, transfer

MAX_BLOCKS = 50
_UU_BEGIN = re.compile(rb"begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n")
_YENC_BEGIN = re.compile(rb"=ybegin (?>[^\r\n]{0,500}?name=)([^\r\n]{1,255}+)\r?\n(?:=ypart [^\r\n]*\r?\n)?")
_YENC_END = re.compile(rb"=yend[^\r\n]*(?:\r?\n|\Z)")
_LINE_REST = re.compile(rb"[ \t]*(?:\r?\n|\Z)")
_MAX_CANDIDATES = 200  # words that look like the beginning or the end of a block
_YENC_ESCAPE = re.compile(rb"=(.)", re.DOTALL)
_UNSHIFTED = bytes((byte - 42) % 256 for byte in range(256))
TNEF_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})


class Item(NamedTuple):
    """A file or a text of a container. name: "" = the text of the mail, not a file."""

    name: str
    content: bytes
    content_type: str
    charset: str = ""
    content_id: str = ""


def unwrapped(content: bytes) -> list[Item]:
    """The text (first, without a name) and the files of a TNEF stream."""
    found = tnef.read(content)
    body, content_type, charset = found.readable()
    items = [Item("", body, content_type, charset)] if body.strip() else []
    for number, file in enumerate(found.files, 1):
        name = file.name or f"attachment-{number}"
        items.append(
            Item(
                name,
                file.content,
                file.content_type or "application/octet-stream",
                content_id=file.content_id,
            )
        )
    return items


def holds_blocks(content: bytes) -> bool:
    """Whether a text may have encoded files in it: mostly one quick look."""
    return b"begin" in content and (
        b"begin " in content or b"=ybegin " in content or b"begin-base64 " in content
    )


def without_blocks(content: bytes) -> tuple[bytes, list[Item]]:
    """A text without the encoded files that stand in it, and those."""
    items: list[Item] = []
    kept: list[bytes] = []
    at = 0
    for _ in range(MAX_BLOCKS):
        block = _next_block(content, at)
        if block is None:
            break
        begin, end, item = block
        kept.append(content[at:begin])
        if item is None:
            kept.append(content[begin:end])
        else:
            items.append(item)
        at = end
    kept.append(content[at:])
    return b"".join(kept), items


def _next_block(content: bytes, at: int) -> tuple[int, int, Item | None] | None:
    """Where the next block begins and ends, and its file; None as file: it only looks like one."""
    found = (_at_line(b"begin", _UU_BEGIN, content, at), _at_line(b"=ybegin ", _YENC_BEGIN, content, at))
    begin = min((each for each in found if each), key=lambda each: each.start(), default=None)
    if begin is None:
        return None
    is_yenc = begin is found[1]
    word = b"=yend" if is_yenc else b"====" if b"base64" in begin[0][:13] else b"end"
    end = _end_of(word, content, begin.end() - 1)
    if end is None:
        return None  # nor has any block below an end
    encoded = content[begin.end() : end[0]]
    if is_yenc:
        decoded, name = _yenc_decoded(encoded), begin[1]
    else:
        decoded, name = _uu_decoded(encoded, is_base64=word == b"===="), begin[1]
    return begin.start(), end[1], Item(_name(name), decoded, "application/octet-stream") if decoded else None


def _at_line(word: bytes, pattern: re.Pattern[bytes], content: bytes, at: int) -> re.Match[bytes] | None:
    """The first match at the beginning of a line; `word` is how it begins, so that no other place costs anything."""
    if at == 0 and (found := pattern.match(content)):
        return found
    line = max(at - 1, 0)
    for _ in range(_MAX_CANDIDATES):
        line = content.find(b"\n" + word, line)
        if line < 0:
            return None
        if found := pattern.match(content, line + 1):
            return found
        line += 1
    return None


def _end_of(word: bytes, content: bytes, at: int) -> tuple[int, int] | None:
    """Where the line that ends a block begins, and where the next line does."""
    for _ in range(_MAX_CANDIDATES):
        at = content.find(b"\n" + word, at)
        if at < 0:
            return None
        rest = _YENC_END.match(content, at + 1) or _LINE_REST.match(content, at + 1 + len(word))
        if rest:
            return at + 1, rest.end()
        at += 1
    return None


def _uu_decoded(encoded: bytes, *, is_base64: bool) -> bytes:
    if is_base64:
        return transfer.decode(encoded, "base64")[0]
    return transfer.uudecoded(b"begin \n" + encoded) if _is_uuencoded(encoded) else b""


def _is_uuencoded(encoded: bytes) -> bool:
    """Whether the first line is as long as its first letter says."""
    line = encoded.lstrip(b"\r\n")[:100].split(b"\n")[0].rstrip(b"\r")
    if not line:
        return False
    expected = ((line[0] - 32) % 64 + 2) // 3 * 4 + 1
    return -3 <= len(line) - expected <= 2 or len(line.rstrip()) <= expected < len(
        line
    )  # blanks at the end get lost


def _name(written: bytes) -> str:
    return written.strip().decode("utf-8", "replace")


def _yenc_decoded(encoded: bytes) -> bytes:
    """Each byte less 42; an escaped one less 64 more; line ends are none."""
    joined = encoded.replace(b"\r\n", b"").replace(b"\n", b"")
    if b"=" in joined:
        joined = _YENC_ESCAPE.sub(lambda found: bytes(((found[1][0] - 64) % 256,)), joined)
    return joined.translate(_UNSHIFTED)
