"""The tree of a mail's parts (RFC 2045, 2046), by two roads that give the same values.

The fast road is a Rust parser behind caps of ours. What it refuses, and what exceeds the caps, takes our own splitter
(`splitting`), which is linear, bounded and never raises.
"""

import re
from collections.abc import Iterator
from itertools import islice

import msgspec
from fast_mail_parser import PyMimePart, parse_email_tree

from channels.contract import Costly
from channels.email import headers, parameters, splitting, transfer

MAX_PARTS = 200
MAX_DEPTH = 50
MAX_REPAIR_BYTES = (
    512 * 1024
)  # a damaged mail up to here is split on the spot; a larger one takes the slow road

# Counted only where their first byte is frequent: one memchr pass over base64 costs 10 µs, two-byte needles 300 µs.
_MAX_DELIMITERS = 2_000
_MAX_ENCODED_WORDS = 1_000
_MAX_EMBEDDED = 20
_LARGE_BYTES = 1024 * 1024
_DELIMITER = re.compile(rb"\n--")
_ROOT_FIELDS = ("content-type", "content-transfer-encoding", "content-disposition", "content-id")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One node. path: "2.1" = the second part's first child, "" = the mail itself.

    content_type: lower case; charset, filename, format, delsp (RFC 3676): as declared, "" = not; disposition: "attachment", "inline", "" …;
    content: decoded bytes of a leaf; of an embedded message its whole bytes, its own tree being the one child.
    """

    path: str
    content_type: str
    charset: str = ""
    filename: str = ""
    disposition: str = ""
    content_id: str = ""
    report_type: str = ""
    format: str = ""
    delsp: str = ""
    content: bytes = b""
    children: tuple["Part", ...] = ()

    def is_multipart(self) -> bool:
        return self.content_type.startswith("multipart/")

    def is_message(self) -> bool:
        return self.content_type in splitting.MESSAGE_TYPES

    def leaves(self) -> Iterator["Part"]:
        """Every leaf in order; an embedded message is a leaf."""
        if self.is_multipart():
            for child in self.children:
                yield from child.leaves()
        else:
            yield self


def read(content: bytes, fields: headers.Headers, *, costly: bool) -> tuple[Part, tuple[str, ...]]:
    """The tree of a mail, and what had to be repaired or was cut.

    Raises: Costly on the fast road (costly=False) when only the slow one is left.
    """
    root = _fast(content, fields)
    if root is not None:
        return root, ()
    if not costly and len(content) > MAX_REPAIR_BYTES:
        raise Costly("the mail is damaged and large")
    node, problems = splitting.split(content, fields, max_parts=MAX_PARTS, max_depth=MAX_DEPTH)
    return _part_from_node(node), problems


def _fast(content: bytes, fields: headers.Headers) -> Part | None:
    """The tree by the fast parser; None when it refuses or a cap stands before it."""
    if not _is_harmless(content, fields.body_offset):
        return None
    # Only what the structure needs: the parser's cost for hostile header fields is quadratic.
    top = b"".join(
        b"%s: %s\r\n" % (name.encode(), value) for name in _ROOT_FIELDS for value in fields.raw(name)[:1]
    )
    try:
        tree = parse_email_tree(top + b"\r\n" + content[fields.body_offset :])
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - its refusals, and a Rust panic, which is no Exception
        return None
    return _part_from_tree(tree, path="", room=[MAX_PARTS], depth=0)


def _is_harmless(content: bytes, start: int) -> bool:
    """No bomb for the parser: few delimiters, encoded words and embedded messages after the header."""
    if content.count(b"-", start) > _MAX_DELIMITERS:
        delimiters = sum(1 for _ in islice(_DELIMITER.finditer(content, start), _MAX_DELIMITERS))
        if delimiters >= _MAX_DELIMITERS:
            return False
    if content.count(b"?", start) > _MAX_ENCODED_WORDS and content.count(b"=?", start) > _MAX_ENCODED_WORDS:
        return False
    # Every level of embedding is another copy of what it holds.
    return len(content) < _LARGE_BYTES or content.count(b"822", start) <= _MAX_EMBEDDED


def _part_from_tree(node: PyMimePart, *, path: str, room: list[int], depth: int) -> Part | None:
    """Our part from the parser's; None when the tree exceeds our caps or a multipart came out without parts."""
    room[0] -= 1
    if room[0] < 0 or depth > MAX_DEPTH:
        return None
    if not node.children and node.content is None:
        return None
    children: list[Part] = []
    for number, child in enumerate(node.children, 1):
        part = _part_from_tree(
            child, path=f"{path}.{number}" if path else str(number), room=room, depth=depth + 1
        )
        if part is None:
            return None
        children.append(part)
    fields = {name.lower(): values[0] for name, values in node.headers.items()}
    encoding = fields.get("content-transfer-encoding", "")
    content = node.content or b""
    return _part(
        path,
        node.content_type.lower(),
        fields=fields,
        content=transfer.uudecoded(content) if "uu" in encoding.lower() else content,
        children=tuple(children),
    )


def _part_from_node(node: splitting.Node) -> Part:
    """Our part from the splitter's."""
    return _part(
        node.path,
        node.content_type,
        fields={name: node.fields.first(name) for name in _ROOT_FIELDS},
        content=node.content,
        children=tuple(_part_from_node(child) for child in node.children),
    )


def _part(
    path: str, content_type: str, *, fields: dict[str, str], content: bytes, children: tuple[Part, ...]
) -> Part:
    """A part from its unfolded header fields."""
    declared = parameters.parse(fields.get("content-type", ""))
    disposition = fields.get("content-disposition", "")
    placed = parameters.parse(disposition)
    return Part(
        path=path,
        content_type=content_type,
        charset=declared.get("charset", ""),
        filename=placed.get("filename") or declared.get("name", ""),
        disposition=disposition.partition(";")[0].strip().lower(),
        content_id=fields.get("content-id", "").strip().strip("<>"),
        report_type=declared.get("report-type", "").lower(),
        format=declared.get("format", "").lower(),
        delsp=declared.get("delsp", "").lower(),
        content=content,
        children=children,
    )
