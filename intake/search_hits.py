"""Where a search's words stand in a message: which part of it has them, and a line of text around the first one.

where   subject, attachment, name, address, phone, message (of the customer), reply (of ours), note
text    the line; marks: [[start, end], …] of the words in it, counted in characters
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import BigInteger, func, select

from intake import instants, search_words
from intake.search_query import Query
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, values_of
from routing import folding

BEFORE, LINE_MAX = 40, 180  # characters before the first word, and of the whole line

_SPOKEN = {"in": "message", "out": "reply", "note": "note"}
_WORD = re.compile(r"[^\W_]+")
_decode = msgspec.json.Decoder().decode
_m = schema.messages.c
_MESSAGES = Statement(
    select(
        _m.id,
        _m.direction,
        _m.at,
        _m.subject,
        func.substr(_m.body, 1, search_words.TEXT_MAX),
        _m.author,
        _m.author_name,
        _m.attachments,
    ).where(_m.id.in_(values_of("ids", BigInteger())))
)


def of_messages(tx: Tx, query: Query, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return message id -> its hit, with the `message`'s id and `at`."""
    asked = msgspec.json.encode(list(ids)).decode()
    return {row[0]: _hit(query, row) for row in tx.all(_MESSAGES, ids=asked)}


def plain(where: str) -> dict[str, Any]:
    """Return the hit of what was not found by its words."""
    return {"where": where, "message": None, "at": None, "text": "", "marks": []}


def _hit(query: Query, row: Row) -> dict[str, Any]:
    message_id, direction, at, *_ = row
    told = {"message": str(message_id), "at": instants.rfc3339_from_us(at)}
    for where, text in _parts(direction, row):
        marks = _apart(marked(text, query))
        if marks:
            return {"where": where, **told, **_line(text, marks)}
    body = str(row[4])
    return {"where": _SPOKEN[direction], **told, "text": " ".join(body[:LINE_MAX].split()), "marks": []}


def _parts(direction: str, row: Row) -> Iterator[tuple[str, str]]:
    """Give what a message is found by, the most telling part first."""
    _, _, _, subject, body, author, name, files = row
    yield "subject", subject
    yield _SPOKEN[direction], body
    if direction == "in":
        yield "name", name
        yield ("address" if "@" in author else "phone"), author
    for file in _decode(files):
        yield "attachment", str(_named(file))


def _named(file: Mapping[str, Any]) -> str:
    return str(file.get("name") or "")


def marked(text: str, query: Query) -> Iterator[tuple[int, int]]:
    """Give where words of a query stand in a text, in any order: (start, end)."""
    words = query.words
    plain_words = {word.text for word in words}
    beginnings = tuple(word.text for word in words if word.is_beginning)
    text = search_words.with_ascii_digits(text)
    if query.digits is not None:
        yield from _numbers(text, query.digits)
    for start, end, code in search_words.placed_codes(text):
        if _is_one(code, plain_words, beginnings):
            yield start, end
    for found in _WORD.finditer(text):
        folded = folding.fold(found.group()).split()
        if any(_is_one(each, plain_words, beginnings) for each in folded) or _has_pair(folded, plain_words):
            yield found.span()


def _apart(marks: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Put marks in order; of those that overlap the one that begins first stays."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(marks, key=lambda mark: (mark[0], -mark[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def _is_one(word: str, plain_words: set[str], beginnings: tuple[str, ...]) -> bool:
    return word in plain_words or word.startswith(beginnings)


def _has_pair(folded: list[str], plain_words: set[str]) -> bool:
    """Whether a run of letters without spaces has two that are wanted."""
    run = "".join(folded)
    return not run.isascii() and any(each in plain_words for each in search_words.pairs(run))


def _numbers(text: str, digits: str) -> Iterator[tuple[int, int]]:
    for start, end, found in search_words.placed_phones(text):
        if found.endswith(digits) or digits.endswith(found):
            yield start, end


def _line(text: str, marks: list[tuple[int, int]]) -> dict[str, Any]:
    """Cut the line around the first mark, with blanks for what breaks it."""
    start = max(marks[0][0] - BEFORE, 0)
    if start:  # begin with a whole word
        start = min(text.find(" ", start) + 1 or start, marks[0][0])
    end = min(max(start + LINE_MAX, marks[0][1]), len(text))
    inside = [(first - start, last - start) for first, last in marks if first >= start and last <= end]
    line = "".join(each if each.isprintable() else " " for each in text[start:end])
    return {"text": line, "marks": [list(each) for each in inside]}
