"""The tree of a mail that keeps to RFC 2045 and 2046 in every letter: most do, and it takes a fifth of the time.

Nothing is repaired or guessed here: what could be read in two ways is left to the other roads of `structure`, which give
the same tree for what is read here.
"""

import re
from collections.abc import Iterator

import msgspec
from fast_mail_parser import parse_email_tree

from channels.email import headers, parts, transfer

_MAX_PARTS = 60
_MAX_DEPTH = 8
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})
_TYPE = re.compile(r"([A-Za-z0-9][A-Za-z0-9.+-]{0,80}/[A-Za-z0-9][A-Za-z0-9.+-]{0,80})(?: ?;|\Z)")
_BOUNDARY = re.compile(r"""(?i); ?boundary=(?:"([^"\\;\s]{1,70})"|([a-z0-9'()+_,./:-]{1,70}))(?=;|\Z)""")
# A field of a part: on one line, or folded behind semicolons.
_FIELD = re.compile(
    rb"([A-Za-z][A-Za-z0-9-]{0,60}): ?([!-~][ -~]*(?:;[ \t]*\r?\n[ \t]+[!-~][ -~]*)*)\r?\n(?![ \t])"
)
_FOLD = re.compile(r";[ \t]*\r?\n[ \t]+")
_FOLDED = frozenset({"content-type", "content-disposition"})
_NAMES = {name.encode(): name for name in parts.FIELDS}
_QUOTED_PRINTABLE = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"


class _Ambiguous(Exception):
    """More than one reading is possible, or a cap was met."""


class _Reading(msgspec.Struct):
    """One walk. room: how many parts are left."""

    content: bytes
    costly: bool
    room: int = _MAX_PARTS


def read(content: bytes, fields: headers.Headers, *, costly: bool, path: str = "") -> parts.Part | None:
    """The tree; None when the mail is anything but plainly well formed.

    Raises: Costly on the fast road (costly=False) for a large container of files.
    """
    if fields.problems:
        return None
    try:
        declared = dict(_top(fields))
        return _part(
            _Reading(content, costly), declared, fields.body_offset, len(content), path=path, depth=0
        )
    except _Ambiguous:
        return None


def _top(fields: headers.Headers) -> Iterator[tuple[str, str]]:
    """The fields of the mail itself that say what it is made of."""
    for name in parts.FIELDS:
        if values := fields.raw(name):
            if len(values) > 1 or not values[0]:
                raise _Ambiguous
            yield name, _plain(name, values[0])


def _plain(name: str, value: bytes) -> str:
    """A value that reads the same for everybody."""
    if not value.isascii() or b"=?" in value:
        raise _Ambiguous
    text = value.decode("ascii")
    if not text.isprintable():
        text = _FOLD.sub("; ", text) if name in _FOLDED else text
        if not text.isprintable():
            raise _Ambiguous
    return text.rstrip()


def _part(
    reading: _Reading, fields: dict[str, str], begin: int, end: int, *, path: str, depth: int
) -> parts.Part:
    """The part that `fields` head, between two offsets."""
    reading.room -= 1
    encoding = fields.get("content-transfer-encoding", "").lower()
    content_type = _content_type(fields)
    if reading.room < 0 or encoding not in _ENCODINGS:
        raise _Ambiguous
    content = b""
    children: tuple[parts.Part, ...] = ()
    if content_type.startswith("multipart/"):
        if transfer.name_of(encoding):
            raise _Ambiguous
        children = _children(reading, fields, begin, end, path=path, depth=depth)
    else:
        content = _decoded(reading.content, begin, end, encoding)
    return parts.from_fields(
        path, content_type, fields=fields, content=content, children=children, costly=reading.costly
    )


def _content_type(fields: dict[str, str]) -> str:
    declared = fields.get("content-type")
    if declared is None:
        return "text/plain"
    found = _TYPE.match(declared)
    content_type = found[1].lower() if found else ""
    if not content_type or content_type.startswith("message/") or content_type == "multipart/digest":
        raise _Ambiguous
    return content_type


def _decoded(content: bytes, begin: int, end: int, encoding: str) -> bytes:
    if encoding == "base64":
        decoded = transfer.exact_base64(content, begin, end)
        if decoded is None:
            raise _Ambiguous
        return decoded
    if encoding != "quoted-printable":
        return content[begin:end]
    if not content.isascii():  # bytes that should have been escaped: other decoders lose them
        return transfer.decode(content[begin:end], encoding)[0]
    return _unquoted(content[begin:end])


def _unquoted(content: bytes) -> bytes:
    """Quoted-printable as the Rust parser reads it; it is given nothing else to find in a mail."""
    try:
        return parse_email_tree(_QUOTED_PRINTABLE + content).content or b""
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as refusal:  # a Rust panic is no Exception
        raise _Ambiguous from refusal


def _children(
    reading: _Reading, fields: dict[str, str], begin: int, end: int, *, path: str, depth: int
) -> tuple[parts.Part, ...]:
    """The parts of a multipart, each between two delimiters; the last delimiter closes it."""
    found = _BOUNDARY.findall(fields["content-type"])
    if len(found) != 1 or depth >= _MAX_DEPTH:
        raise _Ambiguous
    delimiter = b"--" + "".join(found[0]).encode()
    content = reading.content
    at = content.find(delimiter, begin, end)
    children: list[parts.Part] = []
    while (start := _after_delimiter(content, at, begin, end, len(delimiter))) is not None:
        inner, body = _fields(content, start, end)
        # There is no dash in base64: the search for one is the fastest there is.
        is_base64 = inner.get("content-transfer-encoding", "").lower() == "base64"
        dash = content.find(b"-", body, end) if is_base64 else body
        at = content.find(delimiter, dash, end) if dash >= 0 else -1
        child_path = f"{path}.{len(children) + 1}" if path else str(len(children) + 1)
        stop = _before_line_break(content, body, at)
        children.append(_part(reading, inner, body, stop, path=child_path, depth=depth + 1))
    if not children or content.find(delimiter, at + len(delimiter), end) >= 0:
        raise _Ambiguous
    return tuple(children)


def _after_delimiter(content: bytes, at: int, begin: int, end: int, length: int) -> int | None:
    """Where a part begins; None behind the delimiter that closes."""
    after = at + length
    if at < 0 or (at > begin and content[at - 1] != 0x0A):
        raise _Ambiguous
    is_closing = content.startswith(b"--", after, end)
    after += 2 * is_closing
    if content.startswith(b"\r\n", after, end):
        return None if is_closing else after + 2
    if content.startswith(b"\n", after, end):
        return None if is_closing else after + 1
    if is_closing and after == end:
        return None
    raise _Ambiguous


def _before_line_break(content: bytes, begin: int, end: int) -> int:
    """The line break before a delimiter belongs to the delimiter (RFC 2046 §5.1.1)."""
    if end <= begin:
        raise _Ambiguous
    return end - 2 if end - 2 >= begin and content[end - 2] == 0x0D else end - 1


def _fields(content: bytes, start: int, end: int) -> tuple[dict[str, str], int]:
    """The fields of a part that say what it is, and where its body begins."""
    fields: dict[str, str] = {}
    at = start
    stop = min(end, start + headers.MAX_VALUE_BYTES)
    while found := _FIELD.match(content, at, stop):
        at = found.end()
        name = _NAMES.get(found[1].lower())
        if name:
            if name in fields:
                raise _Ambiguous
            fields[name] = _plain(name, found[2])
    if at == start:
        raise _Ambiguous
    if content.startswith(b"\r\n", at, end):
        return fields, at + 2
    if content.startswith(b"\n", at, end):
        return fields, at + 1
    raise _Ambiguous
