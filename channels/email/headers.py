"""Finds and decodes a mail's header fields in linear time, whatever they contain (RFC 5322 §2.2).

The standard library needs minutes for some headers of one megabyte; here everything is cut first: 256 KiB of header,
1 000 fields, 64 KB a value.
"""

import re

from channels.email import charsets, encoded_words

MAX_HEADER_BYTES = 256 * 1024
MAX_FIELDS = 1_000
MAX_VALUE_BYTES = 64_000
MAX_KEPT_FIELDS = 100  # of Message.headers
MAX_KEPT_CHARS = 1_000
MAX_TEXT_CHARS = 2_000  # a subject, a name: RFC 5322 allows 998 octets a line

_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_NAME = re.compile(rb"[!-9;-~]+[ \t]*\Z")
_UNFOLDED_LINE = re.compile(rb"\n(?![ \t])")
MAX_NAME_BYTES = 200
_HEADER_END = re.compile(rb"\n\r?\n")
_FOLD = re.compile(r"[ \t]*[\r\n]+[ \t]*")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Long, for machines only, and the raw mail still has them.
_NOT_KEPT = frozenset(
    {"received", "dkim-signature", "arc-seal", "arc-message-signature", "x-google-dkim-signature", "domainkey-signature",
     "x-gm-message-state", "x-google-smtp-source", "x-microsoft-antispam-message-info", "x-ms-exchange-antispam-messagedata-0",
     "x-ms-exchange-antispam-messagedata-original-0", "autocrypt", "openpgp", "face", "x-face"},
)  # fmt: skip


class Headers:
    """The header fields of a mail or of a part. body_offset: where the content starts in the bytes scanned."""

    __slots__ = ("_fields", "body_offset", "charset", "problems")

    def __init__(
        self, fields: list[tuple[str, bytes]], *, body_offset: int, problems: tuple[str, ...]
    ) -> None:
        self._fields: dict[str, list[bytes]] = {}
        for name, value in fields:
            self._fields.setdefault(name, []).append(value)
        self.body_offset = body_offset
        self.charset = ""  # of the mail's text: what bytes beyond ASCII in a header most likely are
        self.problems = problems

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def raw(self, name: str) -> list[bytes]:
        """Every value of the field as it came, folds included; name in lower case."""
        return self._fields.get(name, [])

    def structured(self, name: str) -> list[str]:
        """Every value unfolded, encoded words still encoded: to be taken apart before it is decoded."""
        return [unfolded(value, self.charset) for value in self.raw(name)]

    def first(self, name: str) -> str:
        """The first value, unfolded, encoded words still encoded; "" when there is none."""
        values = self.raw(name)
        return unfolded(values[0], self.charset) if values else ""

    def text(self, name: str) -> str:
        """The first value as readable text of at most 2 000 characters."""
        values = self.raw(name)
        return readable(values[0], self.charset) if values else ""

    def kept(self) -> dict[str, tuple[str, ...]]:
        """Lower-case name -> readable values: at most 100 fields of at most 1 000 characters, no signatures."""
        kept: dict[str, tuple[str, ...]] = {}
        room = MAX_KEPT_FIELDS
        for name, values in self._fields.items():
            if name in _NOT_KEPT:
                continue
            kept[name] = tuple([readable(value, self.charset)[:MAX_KEPT_CHARS] for value in values[:room]])
            room -= len(values)
            if room <= 0:
                break
        return kept


def scan(content: bytes, start: int = 0, end: int | None = None) -> Headers:
    """The fields between `start` and the first empty line (or the first line that no header could be)."""
    stop = len(content) if end is None else end
    start = _first_field(content, start, stop)
    if content[start : start + 1] in (b"\n", b"\r"):
        after = content.find(b"\n", start, stop) + 1
        return Headers([], body_offset=after or stop, problems=())
    found = _HEADER_END.search(content, start, stop)
    header_end, body_offset = (found.start(), found.end()) if found else (stop, stop)
    block = content[start : min(header_end, start + MAX_HEADER_BYTES)]
    problems: list[str] = []
    if header_end - start > MAX_HEADER_BYTES:
        problems.append(f"The header was cut at {MAX_HEADER_BYTES // 1024} KiB")
    fields, used = _fields(block, problems)
    if used < len(block):
        body_offset = start + used
    return Headers(fields, body_offset=body_offset, problems=tuple(problems))


def _first_field(content: bytes, start: int, stop: int) -> int:
    """Past what some tools leave before the first field: an mbox "From " line, at the top of a mail."""
    if content.startswith((b"From ", b">From "), start) and start == 0:
        return content.find(b"\n", start, stop) + 1 or stop
    return start


def _fields(block: bytes, problems: list[str]) -> tuple[list[tuple[str, bytes]], int]:
    """Fields in order, and how many bytes of the block are header (fewer when the empty line is missing)."""
    fields: list[tuple[str, bytes]] = []
    used = 0
    lines = _UNFOLDED_LINE.split(block)
    for number, line in enumerate(lines):
        name, colon, value = line.partition(b":")
        if colon and len(name) <= MAX_NAME_BYTES and _NAME.match(name):
            if len(fields) >= MAX_FIELDS:
                problems.append(f"Only the first {MAX_FIELDS} header fields were read")
                return fields, len(block)
            _add(fields, name.rstrip().decode("ascii").lower(), value, problems)
        elif not fields:
            return [], 0
        elif number + 1 < len(lines) and not _FIELD.match(lines[number + 1]):
            # Not a field, and no field follows: the text began without an empty line before it.
            problems.append("No empty line between header and text")
            return fields, used
        else:
            fields[-1] = (fields[-1][0], fields[-1][1] + b" " + line.strip()[:MAX_NAME_BYTES])
        used += len(line) + 1
    return fields, len(block)


def _add(fields: list[tuple[str, bytes]], name: str, value: bytes, problems: list[str]) -> None:
    if len(value) > MAX_VALUE_BYTES:
        problems.append(f"The header field {name[:40]} was cut at {MAX_VALUE_BYTES // 1000} KB")
        value = value[:MAX_VALUE_BYTES]
    fields.append((name, value.strip()))


def unfolded(value: bytes, charset: str = "") -> str:
    """One line of text; bytes beyond ASCII as UTF-8, else in the mail's charset, else what they look like."""
    text = value.decode("ascii") if value.isascii() else _beyond_ascii(value, charset)
    return _FOLD.sub(" ", text) if "\n" in text or "\r" in text else text


def _beyond_ascii(value: bytes, charset: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return charsets.text_from_bytes(value, charset)[0]


def readable(value: bytes, charset: str = "") -> str:
    """One line as a person reads it: unfolded, decoded, without control characters, at most 2 000 characters."""
    return clean(encoded_words.decode(unfolded(value, charset)))


def clean(text: str) -> str:
    """Without control characters and lone surrogates, cut at 2 000 characters."""
    if len(text) <= MAX_TEXT_CHARS and text.isprintable():
        return text.strip()
    text = _CONTROL.sub(" ", text[: MAX_TEXT_CHARS * 2])
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text.strip()[:MAX_TEXT_CHARS]
