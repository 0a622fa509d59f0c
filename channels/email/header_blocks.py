"""Recognises the header fields that mail programs write above a quoted or forwarded mail: "From: … / Sent: … / Subject: …".

By structure in any language: several "Word: value" lines with an address and a date. Forms that customers fill in look
alike, so that either the words must be known, or the author must be written as `Name <address>`.
"""

import re
from collections.abc import Sequence

import msgspec

from channels.email import mail_words

MAX_BLOCK_LINES = 14
MAX_FIELD_CHARS = 300
MAX_INLINE_CHARS = 600

ADDRESS = re.compile(r"[^\s<>@\[\]():;,\"']{1,64}@[^\s<>@\[\]():;,\"']{1,190}\.[^\s<>@\[\]():;,\"']{2,24}")
_WRITTEN_OUT = re.compile(r"\S\s*[<\[(]\s*(?:mailto:\s*)?[^\s<>@\[\]()]{1,64}@[^\s<>@\[\]()]{1,190}\s*[>\])]")
_DATE = re.compile(
    r"(?<!\d)(?:19|20|25)\d\d(?!\d)|\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}|(?<![^\W\d_])[^\W\d_]+-\d{1,2}-\d{2,4}|\d{1,2}\s?[月월]|[٠-٩۰-۹]{4}"
)
_TIME = re.compile(
    r"\d{1,2}:\d{2}|(?<![\d.,])\d{1,2}[.h]\d{2}(?![\d.])|\d{1,2}\s?[時时시]|(?<!\d)\d{1,2}\s?[AaPp]\.?[Mm](?!\w)"
)
_FIELD = re.compile(r"^[>*_\s]{0,6}([^\W\d_][\w .'’/()-]{0,30}?)[*_]{0,2}\s?[:：][*_]{0,2}\s*(.*)$")
_INLINE = re.compile(r"(?:^|\s)[*_]{0,2}([^\W\d_][\w']{0,20})[*_]{0,2}\s?[:：]")


# What only a raw header has: a customer has pasted one, and asks something below it.
_RAW = re.compile(
    r"(?i)^(?:received|return-path|message-id|mime-version|dkim-signature|content-type|x-[a-z-]{2,40}):\s"
)


class Field(msgspec.Struct, frozen=True):
    """One line of a block. kind: "from", "sent", "to", "subject"; "" = a name that is not known."""

    kind: str
    value: str
    number: int


def has_date(text: str) -> bool:
    return _DATE.search(text) is not None


def has_time(text: str) -> bool:
    return _TIME.search(text) is not None


def may_begin(keys: Sequence[str], number: int) -> bool:
    """A block begins below an empty line or with a known name; asking every line of a long list is quadratic."""
    return number == 0 or not keys[number - 1] or _kind(keys[number]) in {"from", "sent"}


def _kind(key: str) -> str:
    found = _FIELD.match(key[:MAX_FIELD_CHARS])
    return mail_words.LABELS.get(found[1].strip().lower(), "") if found else ""


def is_raw(keys: Sequence[str], number: int) -> bool:
    """Whether the lines around belong to a whole header as servers write it, not to the few fields of a mail program."""
    return any(_RAW.match(key) for key in keys[max(0, number - 6) : number + MAX_BLOCK_LINES])


def fields_of(keys: Sequence[str], number: int) -> list[Field]:
    """The fields of a block in order; one line in between may be the rest of a long value, or empty."""
    fields: list[Field] = []
    rest = ""
    strangers = 0
    for at, key in enumerate(keys[number : number + MAX_BLOCK_LINES], number):
        found = _FIELD.match(key[:MAX_FIELD_CHARS])
        if found and len(found[1].split()) <= 3:
            if rest and _is_rest(rest, of=fields[-1].value):
                fields[-1] = msgspec.structs.replace(fields[-1], value=f"{fields[-1].value} {rest}".strip())
            kind = mail_words.LABELS.get(found[1].strip(" *_").lower(), "")
            fields.append(Field(kind, found[2].strip(), at))
            strangers, rest = 0, ""
            continue
        strangers += 1
        if strangers > 1 or not fields:
            break
        rest = key[:MAX_FIELD_CHARS]
    return fields


def _is_rest(line: str, *, of: str) -> bool:
    """Whether a line goes on with a value that was broken."""
    return line[0] in "<[(" or line[0].islower() or not of or of[-1] in ",;<:[("


def end_of(keys: Sequence[str], number: int, *, is_set_apart: bool) -> int | None:
    """The line below the block that begins here; None when there is none.

    is_set_apart: an empty line or a separator is above it, so that names in an unknown language will do.
    """
    if ":" not in keys[number][:44] and "：" not in keys[number][:44]:
        return None
    fields = fields_of(keys, number)
    if not fields or fields[0].number != number:
        return None
    if _is_known(fields, is_set_apart=is_set_apart) or (is_set_apart and _is_alike(fields)):
        return fields[-1].number + 1
    return number + 1 if _is_one_line(keys[number]) else None


def _is_known(fields: list[Field], *, is_set_apart: bool) -> bool:
    """Known names: three of them with a subject, or author and date that are an address and a date indeed.

    A form about a journey has From, To and Date as well: without an address the block must stand apart and have a subject.
    """
    kinds = {field.kind for field in fields if field.kind}
    if not kinds or not fields[0].kind:
        return False
    values = {field.kind: field.value for field in reversed(fields) if field.kind}
    moment = values.get("sent", "")
    is_dated = has_time(moment) or has_date(moment)
    is_addressed = any(ADDRESS.search(values.get(kind, "")) for kind in ("from", "to"))
    if len(kinds) >= 3:
        is_dense = fields[-1].number - fields[0].number <= len(fields)
        return is_addressed or (is_set_apart and is_dense and "subject" in kinds and is_dated)
    return len(kinds) == 2 and "sent" in kinds and is_addressed and is_dated


def _is_alike(fields: list[Field]) -> bool:
    """Unknown names: three fields, the author written out with the address, and a moment beside it."""
    if len(fields) < 3 or not any(_WRITTEN_OUT.search(field.value) for field in fields[:2]):
        return False
    return any(
        has_date(field.value) and has_time(field.value) and len(field.value) <= 70 for field in fields[:5]
    )


def _is_one_line(key: str) -> bool:
    """All fields on one line, as programs leave them that drop line breaks."""
    if len(key) > MAX_INLINE_CHARS or _kind(key) not in {"from", "sent"}:
        return False
    kinds = {mail_words.LABELS.get(name.lower()) for name in _INLINE.findall(key)} - {None}
    if kinds == {"from", "sent"}:
        return has_time(key) and has_date(key) and ADDRESS.search(key) is not None
    return len(kinds) >= 3 and has_time(key) and bool(ADDRESS.search(key) or "subject" in kinds)
