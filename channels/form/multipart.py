"""Reads what a browser posts from a form: multipart/form-data (RFC 7578) and the older way of writing (URL Standard §5.1).

Browsers write names as the HTML Standard says (§4.10.21.8): UTF-8, with %22, %0D and %0A for what would end them. Every
reader here is linear, and reads whatever bytes it is given as far as they go.
"""

import re
from urllib.parse import parse_qsl

import msgspec

MAX_PARTS = 100
MAX_HEAD_BYTES = 4_096
MAX_BOUNDARY_BYTES = 200  # RFC 2046 §5.1.1 says 70; a few clients write longer ones
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

_BOUNDARY = re.compile(r';[ \t]*boundary=(?:"([^"\r\n]{1,200})"|([^;",\s]{1,200}))', re.IGNORECASE)
_PARAMETER = re.compile(r';[ \t]*(name|filename)="([^"\r\n]*)"', re.IGNORECASE)
_TYPE = re.compile(r"^content-type:[ \t]*([^\r\n;]{1,200})", re.IGNORECASE | re.MULTILINE)
_DISPOSITION = re.compile(r"^content-disposition:([^\r\n]{0,4000})", re.IGNORECASE | re.MULTILINE)
_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}
_ESCAPED = re.compile("%22|%0D|%0A", re.IGNORECASE)


class Part(msgspec.Struct, frozen=True):
    """One field. number: its place, from 1; file_name: None = it is no file, "" = none was chosen."""

    number: int
    name: str
    content: bytes
    file_name: str | None = None
    content_type: str = "text/plain"

    @property
    def is_file(self) -> bool:
        return bool(self.file_name)


def boundary_of(content_type: str) -> bytes | None:
    """Return what stands between the parts; None = the type is not multipart/form-data, or names none."""
    if content_type.partition(";")[0].strip().lower() != MULTIPART:
        return None
    found = _BOUNDARY.search(content_type[:1_000])
    return (found[1] or found[2]).strip().encode("utf-8", "replace") if found else None


def parts_of(content_type: str, body: bytes) -> list[Part]:
    """Return the fields in order, at most MAX_PARTS."""
    boundary = boundary_of(content_type)
    if boundary is None:
        return _of_pairs(body)
    found = []
    for number, piece in enumerate(_pieces(boundary, body), 1):
        head, blank, content = piece.partition(b"\r\n\r\n")
        if blank and len(head) <= MAX_HEAD_BYTES:
            found.append(_part(number, head.decode("utf-8", "replace"), content))
    return found


def has_more_parts(content_type: str, body: bytes) -> bool:
    """Whether there are more fields than are read."""
    boundary = boundary_of(content_type)
    if boundary is None:
        return body.count(b"&") >= MAX_PARTS
    return body.count(b"\r\n--" + boundary) > MAX_PARTS


def _pieces(boundary: bytes, body: bytes) -> list[bytes]:
    """Split at the delimiter lines (RFC 2046 §5.1.1); what stands before the first and behind the last is nobody's."""
    between = b"\r\n--" + boundary
    pieces = (b"\r\n" + body).split(between, MAX_PARTS + 1)[1:]
    found = []
    for piece in pieces[:MAX_PARTS]:
        line, _, rest = piece.partition(b"\r\n")
        if line.strip(b" \t"):  # "--" ends the form; anything else is no delimiter of ours
            break
        found.append(rest)
    return found


def _part(number: int, head: str, content: bytes) -> Part:
    disposition, declared = _DISPOSITION.search(head), _TYPE.search(head)
    said = dict.fromkeys(("name", "filename"), None) | {
        name.lower(): _ESCAPED.sub(lambda found: _ESCAPES[found[0].upper()], value)
        for name, value in reversed(_PARAMETER.findall(disposition[1] if disposition else ""))
    }
    return Part(
        number=number,
        name=said["name"] or "",
        content=content,
        file_name=said["filename"],
        content_type=declared[1].strip().lower() if declared else "text/plain",
    )


def _of_pairs(body: bytes) -> list[Part]:
    text = "&".join(body.decode("utf-8", "replace").split("&", MAX_PARTS)[:MAX_PARTS])
    pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
    return [
        Part(number, name, value.encode("utf-8", "replace")) for number, (name, value) in enumerate(pairs, 1)
    ]
