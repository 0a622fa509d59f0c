"""Reads winmail.dat, the wrapping that Outlook and Exchange put around texts and files (TNEF).

Source: Microsoft [MS-OXTNEF] §2.1 (stream and attributes), [MS-OXPROPS] (numbers of properties), checked 2026-11. Bounded in
attributes, properties and depth; what is cut off or damaged ends the reading and leaves what was found. Never raises.
"""

import struct
from collections.abc import Iterator

import msgspec

from channels.email import charsets, rtf

MAX_ATTRIBUTES = 4_000  # with those of mails inside
MAX_PROPERTIES = 20_000
MAX_VALUES = 100  # of a property
MAX_FILES = 100
MAX_DEPTH = 3  # a mail attached to a mail is a stream of its own

_SIGNATURE = b"\x78\x9f\x3e\x22"
_HEAD = struct.Struct("<BII")
_LEVEL_ATTACHMENT = 2
_BODY, _MESSAGE_PROPERTIES, _CODE_PAGE = 0x0002_800C, 0x0006_9003, 0x0006_9007
_NEW_FILE, _FILE_TITLE, _FILE_DATA, _FILE_PROPERTIES = 0x0006_9002, 0x0001_8010, 0x0006_800F, 0x0006_9005
_FIXED_BYTES = {
    0x0000: 0, 0x0001: 0, 0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8, 0x0040: 8, 0x0048: 16,
}  # fmt: skip
_STRING, _UNICODE, _OBJECT, _BINARY = 0x001E, 0x001F, 0x000D, 0x0102
_VARIABLE = frozenset({_STRING, _UNICODE, _OBJECT, _BINARY})
_MULTIPLE = 0x1000
_PLAIN, _RTF, _HTML, _HTML_CODE_PAGE, _SUBJECT = 0x1000, 0x1009, 0x1013, 0x3FDE, 0x0037
_DATA, _SHORT_NAME, _LONG_NAME = 0x3701, 0x3704, 0x3707
_SHOWN_NAME, _MIME_TYPE, _CONTENT_ID = 0x3001, 0x370E, 0x3712


class File(msgspec.Struct, frozen=True):
    """A file of the stream. content_type: "" = not said."""

    name: str
    content: bytes
    content_type: str = ""
    content_id: str = ""


class Unwrapped(msgspec.Struct, frozen=True):
    """What the stream holds. html: bytes with their charset; text and html are "" when the mail's body lies elsewhere."""

    subject: str = ""
    text: str = ""
    html: bytes = b""
    html_charset: str = ""
    files: tuple[File, ...] = ()

    def readable(self) -> tuple[bytes, str, str]:
        """The body as bytes, their type and charset; empty when there is none."""
        if self.html:
            return self.html, "text/html", self.html_charset
        return self.text.encode("utf-8", "replace"), "text/plain", "utf-8"


class _Budget(msgspec.Struct):
    """What is left to spend on one stream and the streams inside it."""

    attributes: int = MAX_ATTRIBUTES
    properties: int = MAX_PROPERTIES


class _Draft(msgspec.Struct):
    """A file under construction."""

    title: str = ""
    content: bytes = b""
    properties: dict[int, bytes | str | int] = {}


def is_tnef(content: bytes) -> bool:
    return content.startswith(_SIGNATURE)


def read(content: bytes) -> Unwrapped:
    """The texts and files of a stream; what is no stream has none."""
    return _read(content, _Budget(), depth=0)


def _read(content: bytes, budget: _Budget, *, depth: int) -> Unwrapped:
    if not is_tnef(content) or depth > MAX_DEPTH:
        return Unwrapped()
    codec = "cp1252"
    text = ""
    drafts: list[_Draft] = []
    properties: dict[int, bytes | str | int] = {}
    for level, name, value in _attributes(content, budget):
        if name == _CODE_PAGE and len(value) >= 4:
            codec = f"cp{int.from_bytes(value[:4], 'little')}"
        elif name == _BODY:
            text = _string(value, codec)
        elif name == _MESSAGE_PROPERTIES:
            properties.update(_properties(value, codec, budget))
        elif level == _LEVEL_ATTACHMENT:
            _take_file(drafts, name, value, codec=codec, budget=budget)
    files = [file for draft in drafts for file in _files(draft, budget, depth=depth)]
    return _unwrapped(properties, text, files[:MAX_FILES], codec=codec)


def _attributes(content: bytes, budget: _Budget) -> Iterator[tuple[int, int, bytes]]:
    """Level, name and value of each attribute (§2.1.3.2); the checksum is not looked at."""
    at = 6  # signature and key
    while budget.attributes > 0:
        budget.attributes -= 1
        if at + _HEAD.size > len(content):
            return
        level, name, size = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        if level not in (1, _LEVEL_ATTACHMENT):
            return
        yield level, name, content[at : at + size]
        at += size + 2


def _take_file(drafts: list[_Draft], name: int, value: bytes, *, codec: str, budget: _Budget) -> None:
    if name == _NEW_FILE:
        if len(drafts) < MAX_FILES:
            drafts.append(_Draft())
    elif drafts and name == _FILE_TITLE:
        drafts[-1].title = _string(value, codec)
    elif drafts and name == _FILE_DATA:
        drafts[-1].content = value
    elif drafts and name == _FILE_PROPERTIES:
        drafts[-1].properties = _properties(value, codec, budget)


def _files(draft: _Draft, budget: _Budget, *, depth: int) -> list[File]:
    """The file, or what an attached mail consists of."""
    found = draft.properties
    name = (
        _text_of(found, _LONG_NAME)
        or draft.title
        or _text_of(found, _SHORT_NAME)
        or _text_of(found, _SHOWN_NAME)
    )
    data = found.get(_DATA)
    content = draft.content or (data if isinstance(data, bytes) else b"")
    embedded = content[16:] if content[16:20] == _SIGNATURE else content  # behind the interface's id
    if is_tnef(embedded):
        inner = _read(embedded, budget, depth=depth + 1)
        body, content_type, _ = inner.readable()
        extension = ".html" if content_type == "text/html" else ".txt"
        own = [File(f"{inner.subject or name or 'message'}{extension}", body, content_type)] if body else []
        return [*own, *inner.files]
    if not content:
        return []
    return [
        File(name, content, _text_of(found, _MIME_TYPE).lower(), _text_of(found, _CONTENT_ID).strip("<>"))
    ]


def _unwrapped(
    properties: dict[int, bytes | str | int], text: str, files: list[File], *, codec: str
) -> Unwrapped:
    page = properties.get(_HTML_CODE_PAGE)
    html = properties.get(_HTML, b"")
    text = text.strip("\x00") or _text_of(properties, _PLAIN)
    charset = f"cp{page}" if isinstance(page, int) else codec
    if isinstance(html, str):
        html, charset = html.encode("utf-8", "replace"), "utf-8"
    packed = properties.get(_RTF)
    if not text and not html and isinstance(packed, bytes):
        document = rtf.unpacked(packed)
        if rtf.holds_html(document):
            html, charset = rtf.html_from_rtf(document).encode("utf-8", "replace"), "utf-8"
        else:
            text = rtf.text_from_rtf(document)
    return Unwrapped(
        subject=_text_of(properties, _SUBJECT),
        text=text,
        html=html if isinstance(html, bytes) else b"",
        html_charset=charset,
        files=tuple(files),
    )


def _properties(value: bytes, codec: str, budget: _Budget) -> dict[int, bytes | str | int]:
    """Number -> value of a list of MAPI properties (§2.1.3.4); of several values the first."""
    found: dict[int, bytes | str | int] = {}
    at = 4
    try:
        for _ in range(min(int.from_bytes(value[:4], "little"), budget.properties)):
            budget.properties -= 1
            kind, number = struct.unpack_from("<HH", value, at)
            at += 4
            if number >= 0x8000:
                at = _after_name(value, at)
            first, at = _property_value(value, at, kind=kind, codec=codec)
            found.setdefault(number, first)
    except (struct.error, ValueError):
        pass  # cut off: what was read counts
    return found


def _after_name(value: bytes, at: int) -> int:
    """Past the set and the name or id of a named property."""
    kind = struct.unpack_from("<I", value, at + 16)[0]
    size = struct.unpack_from("<I", value, at + 20)[0]
    return at + 24 + (_padded(size) if kind else 0)


def _property_value(value: bytes, at: int, *, kind: int, codec: str) -> tuple[bytes | str | int, int]:
    base = kind & ~_MULTIPLE
    if base not in _VARIABLE:
        size = _FIXED_BYTES.get(base)
        if size is None:
            raise ValueError("unknown type of property")
        count = 1
        if kind & _MULTIPLE:
            count = struct.unpack_from("<I", value, at)[0]
            at += 4
        return int.from_bytes(value[at : at + size], "little"), at + size * count
    count = struct.unpack_from("<I", value, at)[0]
    at += 4
    first: bytes | str = b""
    for position in range(min(count, MAX_VALUES)):
        size = struct.unpack_from("<I", value, at)[0]
        if position == 0:
            first = _variable(value[at + 4 : at + 4 + size], base, codec)
        at += 4 + _padded(size)
    return first, at


def _variable(content: bytes, kind: int, codec: str) -> bytes | str:
    if kind == _UNICODE:
        return content.decode("utf-16-le", "replace").rstrip("\x00")
    return _string(content, codec) if kind == _STRING else content


def _string(content: bytes, codec: str) -> str:
    return charsets.text_from_bytes(content.rstrip(b"\x00"), codec)[0]


def _text_of(properties: dict[int, bytes | str | int], number: int) -> str:
    found = properties.get(number)
    return found if isinstance(found, str) else ""


def _padded(size: int) -> int:
    return size + -size % 4
