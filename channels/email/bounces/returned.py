"""Tells a report from the mail that it brings back, and reads what that one was: its Message-ID, who wrote it, to whom."""

import re
from itertools import islice
from typing import Any

import msgspec

from channels.email import addresses, headers
from channels.email.bounces import wording
from channels.email.headers import Headers
from channels.email.structure import Part

MAX_REPORT_CHARS = 20_000
_MAX_MARKS = 30  # looked at: each asks for what stands before it
_MAX_FIELDS_BACK = 60
_HEADER_TYPES = frozenset(
    {"text/rfc822-headers", "message/rfc822-headers", "text/rfc822", "text/global-headers", "message/partial"}
)
_TRACE = re.compile(
    r"(?im)^[> \t|]{0,6}(?:received|return-path|message-id|mime-version|delivered-to|dkim-signature|x-[a-z][a-z-]{1,40})[ \t]*: ?\S"
)
_FIELD = re.compile(
    r"(?i)^[> \t|]{0,6}(?:received|return-path|message-id|mime-version|from|to|cc|subject|date|sender|reply-to|errors-to|content-[a-z-]+|"
    r"precedence|list-[a-z]+|references|in-reply-to|importance|priority|x-[a-z-]+|resent-[a-z-]+|organization|user-agent|dkim-signature|delivered-to)[ \t]*:"
)
_LETTERS = re.compile(r"\w{3}")
_ID = re.compile(r"<\s*([^<>\s]{1,998})\s*>")
_SAID_ID = re.compile(
    r"(?i)\b(?:original[- ])?message[- ]?id(?:entifier)?[ \t]*[:=][ \t]*(?:\r?\n[ \t]+)?<?([^<>\s;,\"']{3,250}@[^<>\s;,\"')\]]{1,250})"
)
_OWN_FIELDS = ("from", "sender", "return-path", "reply-to", "errors-to", "x-envelope-from")
_ID_FIELDS = ("message-id", "original-message-id", "x-original-message-id", "resent-message-id")


class Report(msgspec.Struct, frozen=True):
    """text: what the server says, without the returned mail. original: the header of that one, None = not there."""

    text: str
    original: Headers | None
    rest: str = ""

    def writers(self) -> frozenset[str]:
        """Addresses of whoever wrote the returned mail, in lower case."""
        return _addresses(self.original, _OWN_FIELDS)

    def recipient(self) -> str:
        """Whom the returned mail was for, when its header names one only and it went through no list; else ""."""
        if self.original is None or any(
            name in self.original for name in ("list-id", "list-post", "x-mailman-version")
        ):
            return ""
        for name in ("x-failed-recipients", "x-original-to", "delivered-to", "envelope-to", "to"):
            found = {
                each.address
                for each in addresses.parse(self.original.structured(name))
                if "@" in each.address
            }
            if len(found) == 1:
                return str(found.pop())
        return ""


def read(root: Part, text: str) -> Report:
    """The report of a mail and what it brings back. text: the mail's readable text."""
    report, rest = _cut(text[: MAX_REPORT_CHARS * 2])
    original = _attached(root)
    if original is None and rest:
        original = _in_text(rest)
    return Report(report[:MAX_REPORT_CHARS], original, rest[:MAX_REPORT_CHARS])


def message_id(root: Part, report: Report, fields: Headers) -> str | None:
    """Message-ID of the returned mail, without <>: from its header, the report's fields or its words; None = unknown.

    What the report itself answers comes last: Gmail and Exchange name the returned mail there.
    """
    for source in (report.original, *_status_fields(root)):
        found = _id_of(source)
        if found:
            return found
    said = _SAID_ID.search(report.text) or _SAID_ID.search(report.rest)
    if said:
        return said[1].strip()
    for name in ("in-reply-to", "x-original-message-id", "x-ms-exchange-parent-message-id", "references"):
        answered = _ID.findall(" ".join(fields.structured(name)))
        if answered:
            return str(answered[-1])
    return None


def _cut(text: str) -> tuple[str, str]:
    """(report, the rest): before the first line that announces the returned mail or looks like its header."""
    marks = islice(wording.RETURNED.finditer(text), _MAX_MARKS)
    ends = [next((mark.start() for mark in marks if _is_end(text, mark)), len(text))]
    for found in islice(_TRACE.finditer(text), _MAX_MARKS):
        start = _header_start(text, found.start())
        if _says_something(text[:start]):
            ends.append(start)
            break
    end = min(ends)
    return text[:end], text[end:]


def _is_end(text: str, mark: Any) -> bool:
    """Whether an announcement is one: somebody was named before it, or a header comes next."""
    before, after = text[: mark.start()], text[mark.end() : mark.end() + 600]
    return "@" in before or (_says_something(before) and any(map(_FIELD.match, after.split("\n"))))


def _says_something(before: str) -> bool:
    """Whether a report stands there already: an address, or words about a failure."""
    return ("@" in before or bool(wording.FAILED.search(before[:MAX_REPORT_CHARS]))) and bool(
        _LETTERS.search(before)
    )


def _header_start(text: str, at: int) -> int:
    """Where the block of header fields begins that goes on at `at`."""
    for _ in range(_MAX_FIELDS_BACK):
        if at <= 0:
            break
        begin = text.rfind("\n", 0, at - 1) + 1
        line = text[begin : at - 1]
        if not _FIELD.match(line) and not (line[:1] in " \t" and line.strip() and begin > 0):
            return at
        at = begin
    return at


def _attached(root: Part) -> Headers | None:
    """The header of the embedded mail, or of the part that holds the header alone."""
    for part in root.leaves():
        if part.is_message() or part.content_type in _HEADER_TYPES:
            found = headers.scan(part.content)
            if any(name in found for name in ("message-id", "to", "from", "subject", "received")):
                return found
    return None


def _in_text(rest: str) -> Headers | None:
    """The header of a mail that is quoted in the text below its announcement."""
    found = _TRACE.search(rest) or re.search(r"(?im)^[> \t|]{0,6}(?:from|to|subject)[ \t]*: ?\S", rest)
    if not found:
        return None
    block = rest[_header_start(rest, found.start()) :][:MAX_REPORT_CHARS]
    lead = re.match(r"[> \t|]*", block)
    prefix = lead[0] if lead else ""
    lines = [line.removeprefix(prefix) for line in block.split("\n")] if prefix else block.split("\n")
    return headers.scan("\n".join(lines).encode("utf-8", "replace"))


def _status_fields(root: Part) -> list[Headers]:
    """The first fields of the reports in the mail: some name the mail there (RFC 8098 §3.2.5)."""
    return [
        headers.scan(
            leaf.content[:4_000].replace(b"\r\n\r\n", b"\r\n").replace(b"\n\n", b"\n").lstrip() + b"\n\n"
        )
        for leaf in root.leaves()
        if leaf.content_type.startswith("message/") and not leaf.is_message()
    ]


def _id_of(fields: Headers | None) -> str:
    for name in _ID_FIELDS if fields is not None else ():
        value = fields.first(name) if fields is not None else ""
        found = _ID.search(value)
        if found:
            return found[1]
        bare = value.strip("<> \t")
        if "@" in bare and " " not in bare:
            return bare
    return ""


def _addresses(fields: Headers | None, names: tuple[str, ...]) -> frozenset[str]:
    if fields is None:
        return frozenset()
    return frozenset(
        each.address.lower() for name in names for each in addresses.parse(fields.structured(name))
    )
