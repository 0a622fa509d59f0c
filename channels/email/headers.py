"""Finds and decodes a mail's header fields in linear time, whatever they contain (RFC 5322 §2.2).

The standard library needs minutes for some headers of one megabyte; here everything is cut first: 256 KiB of header,
1 000 fields, 64 KB a value.
"""

import re
from collections.abc import Set as AbstractSet
from functools import lru_cache

from channels.email import charsets, encoded_words

MAX_HEADER_BYTES = 256 * 1024
MAX_FIELDS = 1_000
MAX_VALUE_BYTES = 64_000
MAX_KEPT_FIELDS = 100  # of Message.headers
MAX_KEPT_CHARS = 1_000
MAX_TEXT_CHARS = 2_000  # a subject, a name: RFC 5322 allows 998 octets a line

_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_NAME = re.compile(rb"[!-9;-~]+[ \t]*\Z")
# Fields that a mail begins with; prose has such lines too ("Note: …"), but not these.
_KNOWN_FIELD = re.compile(
    rb"(?im)^[ \t]*(?:From|To|Cc|Subject|Date|Sender|Reply-To|Return-Path|Received|Message-ID|MIME-Version|Content-Type"
    rb"|Delivered-To|DKIM-Signature|Authentication-Results|List-[a-z-]{2,20}|X-[a-z0-9-]{2,60})[ \t]*:"
)
_BLANK_FOLD = re.compile(rb"\n[ \t]+\r?\Z")  # a line of spaces is no fold: somebody's empty line
_MIN_FOLDED_BYTES = 50  # programs fold at 76: a shorter line was not folded
_MAX_JUNK_LINES = 5
_MAX_UNFOLDED_LINES = 3  # of a value whose folds lost their white space
_UNFOLDED_LINE = re.compile(rb"\n(?![ \t])")
MAX_NAME_BYTES = 200
_HEADER_END = re.compile(rb"\n\r?\n")
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Long, for machines only, and the raw mail still has them.
_NOT_KEPT = frozenset(
    {"received", "dkim-signature", "arc-seal", "arc-message-signature", "x-google-dkim-signature", "domainkey-signature",
     "x-gm-message-state", "x-google-smtp-source", "x-microsoft-antispam-message-info", "x-ms-exchange-antispam-messagedata-0",
     "x-ms-exchange-antispam-messagedata-original-0", "autocrypt", "openpgp", "face", "x-face"},
)  # fmt: skip


class Headers:
    """The header fields of a mail or of a part. body_offset: where the content starts in the bytes scanned."""

    __slots__ = ("_fields", "_texts", "body_offset", "charset", "problems")

    def __init__(
        self, fields: list[tuple[str, bytes]], *, body_offset: int, problems: tuple[str, ...]
    ) -> None:
        self._fields: dict[str, list[bytes]] = {}
        self._texts: dict[
            str, tuple[str, str]
        ] = {}  # name -> charset and text: several readers ask for the subject
        for name, value in fields:
            if name in self._fields:
                self._fields[name].append(value)
            else:
                self._fields[name] = [value]
        self.body_offset = body_offset
        self.charset = ""  # of the mail's text: what bytes beyond ASCII in a header most likely are
        self.problems = problems

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def has_any(self, names: AbstractSet[str]) -> bool:
        """Whether one of these fields is there; names in lower case."""
        return not names.isdisjoint(self._fields)

    def raw(self, name: str) -> list[bytes]:
        """Every value of the field as it came, folds included; name in lower case."""
        return self._fields.get(name, [])

    def structured(self, name: str) -> list[str]:
        """Every value unfolded, encoded words still encoded: to be taken apart before it is decoded."""
        values = self._fields.get(name)
        return [unfolded(value, self.charset) for value in values] if values else []

    def first(self, name: str) -> str:
        """The first value that is not empty, unfolded, encoded words still encoded; "" when there is none."""
        values = self._fields.get(name)
        if not values:  # nearly every field that somebody asks for
            return ""
        value = values[0] or next(filter(None, values), b"")
        return unfolded(value, self.charset) if value else ""

    def text(self, name: str) -> str:
        """The first value that is not empty, as readable text of at most 2 000 characters."""
        known = self._texts.get(name)
        if known is not None and known[0] == self.charset:
            return known[1]
        values = self._fields.get(name)
        value = (values[0] or next(filter(None, values), b"")) if values else b""
        text = readable(value, self.charset) if value else ""
        self._texts[name] = self.charset, text
        return text

    def kept(self) -> dict[str, tuple[str, ...]]:
        """Lower-case name -> readable values: at most 100 fields of at most 1 000 characters, no signatures."""
        kept: dict[str, tuple[str, ...]] = {}
        room = MAX_KEPT_FIELDS
        for name, values in self._fields.items():
            if name in _NOT_KEPT:
                continue
            if len(values) == 1:
                kept[name] = (readable(values[0], self.charset)[:MAX_KEPT_CHARS],)
            else:
                kept[name] = tuple(
                    [readable(value, self.charset)[:MAX_KEPT_CHARS] for value in values[:room]]
                )
            room -= len(values)
            if room <= 0:
                break
        return kept


def mended(content: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The mail with line ends that a header can be found by, and what was changed; mostly the mail itself."""
    first = content.find(b"\n")
    if first < 0:
        if b"\r" in content:
            return content.replace(b"\r", b"\n"), ("Lines end with a lone CR",)
    elif content[max(0, first - 2) : first] == b"\r\r":
        return content.replace(b"\r\r\n", b"\r\n"), ("Lines end with CR CR LF",)
    elif content.find(b"\r") < first - 1 and b"\r" in content[: first - 1]:
        return _without_lone_cr(content, first)
    return content, ()


def _without_lone_cr(content: bytes, first: int) -> tuple[bytes, tuple[str, ...]]:
    """A header whose lines end with CR, over a text whose lines do not: told by the fields in its "first line"."""
    fields = sum(1 for line in content[:first].split(b"\r", 50)[1:] if _KNOWN_FIELD.match(line))
    if fields < 2:  # one CR may stand in a value
        return content, ()
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), ("Lines end with a lone CR",)


def scan(content: bytes, start: int = 0, end: int | None = None) -> Headers:
    """The fields between `start` and the first empty line (or the first line that no header could be)."""
    stop = len(content) if end is None else end
    problems: list[str] = []
    if start == 0 and end is None:
        start = _first_field(content, stop, problems)
    if content[start : start + 1] in (b"\n", b"\r"):
        after = content.find(b"\n", start, stop) + 1
        return Headers([], body_offset=after or stop, problems=())
    found = _HEADER_END.search(content, start, stop)
    header_end, body_offset = (found.start(), found.end()) if found else (stop, stop)
    block = content[start : min(header_end, start + MAX_HEADER_BYTES)]
    if header_end - start > MAX_HEADER_BYTES:
        problems.append(f"The header was cut at {MAX_HEADER_BYTES // 1024} KiB")
    fields, used = _fields(block, problems, is_closed=found is not None, is_part=end is not None)
    if used < len(block):
        body_offset = start + used
    return Headers(fields, body_offset=body_offset, problems=tuple(problems))


def _first_field(content: bytes, stop: int, problems: list[str]) -> int:
    """Past what tools leave before the first field of a mail: a byte order mark, an mbox "From " line, empty lines, junk."""
    start = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    if content.startswith((b"From ", b">From "), start):
        start = content.find(b"\n", start, stop) + 1 or stop
    if content[start : start + 1].isalpha() and _FIELD.match(content, start):
        return start
    line = start
    has_junk = False
    for _ in range(_MAX_JUNK_LINES):
        if _KNOWN_FIELD.match(content, line, stop) and not (has_junk and _is_last_field(content, line, stop)):
            if has_junk:
                problems.append("Lines before the first header field were skipped")
            shown = content[line : line + 100]
            return line + len(shown) - len(shown.lstrip(b" \t"))
        end = content.find(b"\n", line, stop) + 1
        is_blank = not content[line : end or stop].strip()
        if not end or (has_junk and is_blank):
            break
        has_junk = has_junk or not is_blank
        line = end
    return start


def _is_last_field(content: bytes, line: int, stop: int) -> bool:
    """Whether no other field follows in the next lines: then it is a line of prose with a colon."""
    following = content[line : min(line + 2_000, stop)].split(b"\n", 4)[1:4]
    return not any(_KNOWN_FIELD.match(each) for each in following)


def _fields(
    block: bytes, problems: list[str], *, is_closed: bool, is_part: bool
) -> tuple[list[tuple[str, bytes]], int]:
    """Fields in order, and how many bytes of the block are header (fewer when the empty line is missing).

    is_closed: an empty line follows the block; is_part: of a multipart, where a missing empty line is likelier than a
    broken fold.
    """
    fields: list[tuple[str, bytes]] = []
    is_folded = b"\n " in block or b"\n\t" in block
    lines = _UNFOLDED_LINE.split(block) if is_folded else block.split(b"\n")
    is_small = len(block) <= MAX_VALUE_BYTES and len(lines) <= MAX_FIELDS
    for number, line in enumerate(lines):
        written, colon, value = line.partition(b":")
        name = _name(written) if colon and len(written) <= MAX_NAME_BYTES else ""
        if name and is_small:  # as in nearly every mail, nothing has to be cut
            fields.append((name, value.strip()))
        elif name:
            if len(fields) >= MAX_FIELDS:
                problems.append(f"Only the first {MAX_FIELDS} header fields were read")
                return fields, len(block)
            fields.append((name, _cut(name, value, problems).strip()))
        elif not fields:
            return [], 0
        elif _BLANK_FOLD.search(lines[number - 1]) or _is_text(
            lines, number, is_closed=is_closed and not is_part
        ):
            problems.append("No empty line between header and text")
            return fields, sum(len(each) + 1 for each in lines[:number])
        else:
            fields[-1] = (fields[-1][0], fields[-1][1] + b" " + line.strip()[:MAX_NAME_BYTES])
    return fields, len(block)


def _cut(name: str, value: bytes, problems: list[str]) -> bytes:
    if len(value) > MAX_VALUE_BYTES:
        problems.append(f"The header field {name[:40]} was cut at {MAX_VALUE_BYTES // 1000} KB")
    return value[:MAX_VALUE_BYTES]


def _is_text(lines: list[bytes], number: int, *, is_closed: bool) -> bool:
    """Whether a line that is no field is of the text already: no field follows soon, and no empty line ends the header."""
    if number + 1 == len(lines):
        return bool(lines[number].strip()) and not (is_closed and len(lines[number - 1]) >= _MIN_FOLDED_BYTES)
    if _FIELD.match(lines[number + 1]):
        return False
    return not any(_KNOWN_FIELD.match(line) for line in lines[number + 2 : number + 1 + _MAX_UNFOLDED_LINES])


@lru_cache(maxsize=1_024)
def _name(written: bytes) -> str:
    """What stands before a colon as the lower-case name of a field; "" when it can be none. Mails share their names."""
    return written.rstrip().decode("ascii").lower() if _NAME.match(written) else ""


def unfolded(value: bytes, charset: str = "") -> str:
    """One line of text; bytes beyond ASCII as UTF-8, else in the mail's charset, else what they look like."""
    text = (
        value.decode("ascii") if value.isascii() and b"\x1b" not in value else _beyond_ascii(value, charset)
    )
    if "\n" not in text and "\r" not in text:
        return text
    # The blanks before a line end are taken off piece by piece: a pattern that begins with them tries each as a beginning.
    *lines, last = _FOLD.split(text)
    return " ".join([*(line.rstrip(" \t") for line in lines), last])


def _beyond_ascii(value: bytes, charset: str) -> str:
    try:
        return charsets.text_from_bytes(value)[0] if b"\x1b" in value else value.decode("utf-8")
    except UnicodeDecodeError:
        return charsets.text_from_bytes(value, charset)[0]


def readable(value: bytes, charset: str = "") -> str:
    """One line as a person reads it: unfolded, decoded, without control characters, at most 2 000 characters."""
    if len(value) <= MAX_TEXT_CHARS and value.isascii():
        text = value.decode("ascii")
        if text.isprintable() and "=?" not in text:  # no fold, no encoded word, nothing to clean away
            return text.strip()
    return clean(encoded_words.decode(unfolded(value, charset)))


def clean(text: str) -> str:
    """Without control characters and lone surrogates, cut at 2 000 characters."""
    if len(text) <= MAX_TEXT_CHARS and text.isprintable():
        return text.strip()
    text = _CONTROL.sub(" ", text[: MAX_TEXT_CHARS * 2])
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text.strip()[:MAX_TEXT_CHARS]
