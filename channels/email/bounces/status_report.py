"""Reads the machine's part of a delivery report: message/delivery-status (RFC 3464), its UTF-8 form (RFC 6533).

Fields in any case and order, blocks with or without empty lines between them, addresses with or without their type.
"""

import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from channels.email import headers
from channels.email.bounces import reasons
from channels.email.headers import Headers
from channels.email.structure import Part

MAX_RECIPIENTS = 100
MAX_REPORT_BYTES = 256 * 1024
MAX_DIAGNOSTIC_CHARS = 500

STATUS_TYPES = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "text/delivery-status",
        "application/delivery-status",
    }
)
_OPAQUE = frozenset({"text/plain", "application/octet-stream", "message/rfc822"})
_MARK = re.compile(rb"(?im)^(?:final|original)-recipient[ \t]*:")
_BEGIN = re.compile(
    rb"(?im)^(?:reporting-mta|final-recipient|original-recipient|original-envelope-id|reporting-ua)[ \t]*:"
)
_FINAL = re.compile(rb"(?im)^final-recipient[ \t]*:")
_BLANK_LINES = re.compile(rb"\r?\n[ \t]*(?:\r?\n[ \t]*)+")
_SPACE = re.compile(r"\s+")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\]{1,128}@(?:[^\s<>()\[\],;:\"\\@]{1,190}|\[[0-9A-Fa-f.:]{3,60}\])")
_QUOTED = re.compile(r"\"[^\"\r\n]{1,80}\"@[^\s<>()\[\],;:\"\\@]{1,190}")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_RECIPIENT_FIELDS = ("original-recipient", "final-recipient", "x-actual-recipient")


class Reported(msgspec.Struct, frozen=True):
    """One address of a report. address: as written, "" when the block names none that could be one.

    action: RFC 3464 §2.3.3, lower case, "" when the block says none.
    """

    address: str
    action: str
    status: str
    diagnostic: str

    @property
    def is_reached(self) -> bool:
        if self.action in {"delivered", "relayed", "expanded"}:
            return True
        return not self.action and self.status.startswith("2")


def reported(root: Part) -> list[Reported]:
    """The per-recipient blocks of all reports in the mail, in order; each address once, the worst that is said of it."""
    found: dict[str, Reported] = {}
    for content in _status_parts(root):
        for block in _blocks(content):
            each = _recipient(block)
            if each is None or len(found) >= MAX_RECIPIENTS:
                continue
            key = each.address.lower()
            before = found.get(key)
            if before is None or (before.is_reached and not each.is_reached):
                found[key] = each
    return list(found.values())


def is_status_part(part: Part) -> bool:
    """Whether a leaf is a report, by its type or, where that is no message and no text for people, by how it begins."""
    if part.content_type in STATUS_TYPES:
        return True
    if part.content_type not in _OPAQUE:
        return False
    begin = part.content[:2_000].lstrip()
    return bool(_BEGIN.match(begin)) and bool(_MARK.search(part.content[:MAX_REPORT_BYTES]))


def _status_parts(root: Part) -> Iterator[bytes]:
    leaves = list(root.leaves())
    own = [leaf.content for leaf in leaves if is_status_part(leaf)]
    # A receipt that rejects (RFC 5429 §2.2.1) names who does.
    own = own or [leaf.content for leaf in leaves if leaf.content_type.endswith("disposition-notification")]
    if own:
        yield from own
        return
    # A gateway that wraps the report it was given: one level down, where nothing better is at hand.
    for leaf in leaves:
        for child in leaf.children if leaf.is_message() else ():
            yield from (inner.content for inner in child.leaves() if inner.content_type in STATUS_TYPES)


def _blocks(content: bytes) -> Iterator[Headers]:
    """The blocks of fields; one that names a second recipient without an empty line before it is two."""
    for block in _BLANK_LINES.split(content[:MAX_REPORT_BYTES].strip(), MAX_RECIPIENTS * 2):
        marks = islice(_FINAL.finditer(block), MAX_RECIPIENTS * 2)
        finals = [found.start() for found in marks]
        if len(finals) < 2:
            yield headers.scan(_unindented(block) + b"\n\n")
            continue
        for begin, end in zip(finals, [*finals[1:], len(block)], strict=True):
            yield headers.scan(block[begin:end] + b"\n\n")


def _unindented(block: bytes) -> bytes:
    """Some servers indent whole blocks, which would make each line a continuation."""
    return block.lstrip(b" \t\r\n")


def _recipient(block: Headers) -> Reported | None:
    """One per-recipient block (RFC 3464 §2.3); None for the per-message block."""
    if not any(name in block for name in _RECIPIENT_FIELDS):
        return None
    address = next(filter(None, (typed_address(block.text(name)) for name in _RECIPIENT_FIELDS)), "")
    diagnostic = _diagnostic(block)
    words = re.split(r"[^a-z]+", block.first("action").strip().lower(), maxsplit=1)
    return Reported(
        address=address,
        action=_action(words[0]),
        status=reasons.sharpened(reasons.status_in(block.first("status")), diagnostic),
        diagnostic=diagnostic,
    )


def _action(word: str) -> str:
    """The action that a word stands for: "fail", "failure" and "failed" are one."""
    for prefix, action in (
        ("fail", "failed"),
        ("delay", "delayed"),
        ("deliver", "delivered"),
        ("relay", "relayed"),
        ("expand", "expanded"),
    ):
        if word.startswith(prefix):
            return action
    return word


def _diagnostic(block: Headers) -> str:
    """What the other server said, without its type; several lines as one."""
    value = (
        block.text("diagnostic-code")
        or block.text("x-supplementary-info")
        or block.text("x-display-name-reason")
    )
    kind, separator, said = value.partition(";")
    text = said if separator and len(kind) < 20 and " " not in kind.strip() else value
    comment = block.first("status").partition("(")[2].rstrip(") ")
    return _SPACE.sub(" ", text or comment).strip()[:MAX_DIAGNOSTIC_CHARS]


def typed_address(value: str) -> str:
    """The address of "rfc822; user@host", with or without its type, as written; "" when there is none that could be.

    xtext (RFC 3461 §4) and the escapes of utf-8 addresses (RFC 6533 §3) are undone.
    """
    kind, separator, rest = value.strip().partition(";")
    is_typed = bool(separator) and "@" not in kind
    text = (rest if is_typed else value).strip()
    if _UNITEXT.search(text):
        text = _UNITEXT.sub(lambda found: _character(found[1]), text)
    elif is_typed and "+40" in text and "@" not in text:
        text = _XTEXT.sub(lambda found: _character(found[1]), text)
    return plain_address(text)


def plain_address(text: str) -> str:
    """The first address in a text; "" for one that a third party has masked ("anna...@example.com")."""
    quoted = _QUOTED.search(text)
    found = quoted or _ADDRESS.search(text.replace("mailto:", ""))
    if not found:
        return ""
    address = found[0].strip("'").removeprefix("SMTP=").removeprefix("smtp=").rstrip(".'")
    return "" if "...@" in address or address.startswith("@") else address


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if 0x20 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else ""
