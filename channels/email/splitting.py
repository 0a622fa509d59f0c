"""Splits a mail into its parts where the fast parser refuses: linear, bounded in parts, depth and memory, never raises.

The standard library's parser is no alternative here: it recurses (5 000 nested parts end in RecursionError), and a
single line of 25 MB costs it 280 MB.
"""

import re
from collections import deque
from functools import lru_cache
from typing import NamedTuple

import msgspec

from channels.email import headers, parameters, transfer
from channels.email.parts import MESSAGE_TYPES

MAX_BOUNDARY_BYTES = 300  # RFC 2046 §5.1.1 says 70
MAX_TYPE_CHARS = 210
MAX_MESSAGE_DEPTH = 4  # an embedded message is a copy of its bytes
_MAX_ENCODED = 4  # so is a multipart that is encoded as a whole

_TYPE = re.compile(r"\s*\"?([a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100})", re.IGNORECASE)
_BARE_TYPE = re.compile(r"\s*([a-z]{2,20})\b", re.IGNORECASE)
_BARE_TYPES = {
    "html": "text/html",
    "plain": "text/plain",
    "multipart": "multipart/mixed",
    "pdf": "application/pdf",
    "rfc822": "message/rfc822",
}
_GUESSED_BOUNDARY = re.compile(rb"(?:^|\n)--([^\s-](?:[^\r\n]{0,298}[^\s])?)[ \t]*\r?\n[A-Za-z-]{1,60}:")


class Node(msgspec.Struct, kw_only=True):
    """A part with its header fields; content: decoded bytes of a leaf or of an embedded message."""

    path: str
    fields: headers.Headers
    content_type: str
    content: bytes = b""
    children: list["Node"] = []


class _Span(NamedTuple):
    """A stretch of bytes that is not copied: 50 nested parts of 25 MB would be a gigabyte."""

    content: bytes
    begin: int
    end: int
    is_last: bool = False  # the closing delimiter follows

    def taken(self) -> bytes:
        return self.content[self.begin : self.end]


class _Budget(msgspec.Struct):
    """What is left to spend on one mail."""

    parts: int
    max_depth: int
    problems: list[str]
    encoded: int = _MAX_ENCODED

    def note(self, problem: str) -> None:
        if problem not in self.problems and len(self.problems) < 20:
            self.problems.append(problem)


@lru_cache(maxsize=256)
def _media_type(value: str) -> str:
    found = _TYPE.match(value)
    if found:
        return found[1].lower()
    bare = _BARE_TYPE.match(value)
    return _BARE_TYPES.get(bare[1].lower(), "") if bare else ""


def media_type(value: str, *, default: str = "text/plain") -> str:
    """The lower-case type of a Content-Type value; the default when it names none (RFC 2045 §5.2)."""
    return _media_type(value[:MAX_TYPE_CHARS]) or default


def split(
    content: bytes, fields: headers.Headers, *, max_parts: int, max_depth: int, path: str = ""
) -> tuple[Node, tuple[str, ...]]:
    """The tree of a mail whose header is scanned already, and what was cut or repaired. path: of its root."""
    budget = _Budget(parts=max_parts, max_depth=max_depth, problems=[])
    whole = _Span(content, fields.body_offset, len(content))
    node = _node(whole, fields, path=path, depth=0, budget=budget)
    return node, tuple(budget.problems)


def _node(
    span: _Span,
    fields: headers.Headers,
    *,
    path: str,
    depth: int,
    budget: _Budget,
    default: str = "text/plain",
) -> Node:
    """The part that `fields` head; its content is what `span` covers, still encoded."""
    budget.parts -= 1
    declared = fields.first("content-type")
    node = Node(path=path, fields=fields, content_type=media_type(declared, default=default))
    if node.content_type.startswith("multipart/"):
        if _split_multipart(node, span, boundary=_boundary(declared), depth=depth, budget=budget):
            return node
        node.content_type = "text/plain"
        span = _without_delimiters(span, boundary=_boundary(declared))
    is_text = node.content_type.startswith("text/")
    encoding = fields.first("content-transfer-encoding")
    node.content, problem = transfer.decode(span.taken(), encoding, is_text=is_text)
    if problem:
        budget.note(problem)
    if node.content_type in MESSAGE_TYPES and depth < MAX_MESSAGE_DEPTH and budget.parts > 0:
        inner = headers.scan(node.content)
        below = _Span(node.content, inner.body_offset, len(node.content))
        node.children = [_node(below, inner, path=_child_path(path, 1), depth=depth + 1, budget=budget)]
    return node


def _child_path(path: str, number: int) -> str:
    return f"{path}.{number}" if path else str(number)


def _boundary(declared: str) -> bytes:
    boundary = parameters.parse(declared).get("boundary", "")
    return boundary.encode("utf-8", "replace")[:MAX_BOUNDARY_BYTES]


def _split_multipart(node: Node, span: _Span, *, boundary: bytes, depth: int, budget: _Budget) -> bool:
    """Fill in the children; false when there are none to be found."""
    if depth >= budget.max_depth:
        budget.note(f"Parts nested deeper than {budget.max_depth} were not read")
        return False
    spans = _spans(span, boundary, limit=budget.parts) if boundary else []
    if not spans and (decoded := _decoded_whole(node, span, boundary=boundary, budget=budget)):
        budget.note("A multipart part is encoded as a whole")
        span = decoded
        spans = _spans(span, boundary, limit=budget.parts)
    if not spans:
        guessed = _GUESSED_BOUNDARY.search(span.content, max(0, span.begin - 1), span.end)
        spans = _spans(span, guessed[1], limit=budget.parts) if guessed else []
        budget.note(
            "A multipart part declares another boundary than it uses"
            if spans
            else "A multipart part has no parts: it is read as text",
        )
    _add_children(node, deque(spans), boundary=boundary, depth=depth, budget=budget)
    return bool(node.children)


def _add_children(node: Node, spans: deque[_Span], *, boundary: bytes, depth: int, budget: _Budget) -> None:
    """The parts between the delimiters, in order."""
    default = "message/rfc822" if node.content_type == "multipart/digest" else "text/plain"
    while spans:
        if budget.parts <= 0:
            budget.note("There are too many parts: the rest was not read")
            return
        part = spans.popleft()
        fields = headers.scan(part.content, part.begin, part.end)
        inner = _Span(part.content, min(fields.body_offset, part.end), part.end)
        path = _child_path(node.path, len(node.children) + 1)
        if spans and depth < budget.max_depth and _shares_boundary(fields, inner, boundary):
            budget.note("Nested multiparts share a boundary")
            budget.parts -= 1
            child = Node(path=path, fields=fields, content_type=media_type(fields.first("content-type")))
            _add_children(child, _up_to_close(spans), boundary=boundary, depth=depth + 1, budget=budget)
        else:
            child = _node(inner, fields, path=path, depth=depth + 1, budget=budget, default=default)
        node.children.append(child)


def _shares_boundary(fields: headers.Headers, inner: _Span, boundary: bytes) -> bool:
    """Whether a part is a multipart of the same boundary, so that it has nothing before the next delimiter."""
    declared = fields.first("content-type")
    return (
        media_type(declared).startswith("multipart/")
        and _boundary(declared) == boundary
        and not inner.content[inner.begin : min(inner.begin + 200, inner.end)].strip()
    )


def _up_to_close(spans: deque[_Span]) -> deque[_Span]:
    """Take away the spans up to the one before a closing delimiter, or all."""
    taken: deque[_Span] = deque()
    while spans:
        taken.append(spans.popleft())
        if taken[-1].is_last:
            break
    return taken


def _without_delimiters(span: _Span, *, boundary: bytes) -> _Span:
    """Nothing instead of lines that only close a multipart without parts; else the span itself."""
    if span.end - span.begin > MAX_BOUNDARY_BYTES * 3:
        return span
    lines = [line.strip() for line in span.taken().split(b"\n")]
    is_empty = all(not line or line.startswith(b"--" + boundary) for line in lines)
    return _Span(b"", 0, 0) if is_empty and boundary else span


def _decoded_whole(node: Node, span: _Span, *, boundary: bytes, budget: _Budget) -> _Span | None:
    """A multipart that was encoded against RFC 2045 §6.4, decoded; None when it was not, or too many others were."""
    encoding = node.fields.first("content-transfer-encoding")
    if not boundary or not transfer.name_of(encoding) or budget.encoded <= 0:
        return None
    budget.encoded -= 1
    decoded, _ = transfer.decode(span.taken(), encoding)
    return _Span(decoded, 0, len(decoded)) if b"--" + boundary in decoded else None


def _spans(span: _Span, boundary: bytes, *, limit: int) -> list[_Span]:
    """Where the parts between delimiter lines are; a missing last delimiter ends with the span.

    Parts below the last delimiter count too: two nested multiparts may share one boundary.
    """
    delimiter = re.compile(b"--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\r?\Z)")
    content = span.content
    spans: list[_Span] = []
    begin = -1
    for found in delimiter.finditer(content, span.begin, span.end):
        if found.start() > span.begin and content[found.start() - 1] != 0x0A:
            continue
        if begin >= 0:
            spans.append(
                _Span(content, begin, _before_line_break(content, begin, found.start()), bool(found[1]))
            )
        begin = -1 if found[1] else found.end()
        if len(spans) > limit:
            break
    if begin >= 0:
        spans.append(_Span(content, begin, span.end))
    return spans


def _before_line_break(content: bytes, begin: int, end: int) -> int:
    """The line break before a delimiter belongs to the delimiter (RFC 2046 §5.1.1)."""
    if end > begin and content[end - 1] == 0x0A:
        end -= 1
    if end > begin and content[end - 1] == 0x0D:
        end -= 1
    return max(begin, end)
