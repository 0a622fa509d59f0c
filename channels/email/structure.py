"""The tree of a mail's parts (RFC 2045, 2046), by three roads that give the same values.

A mail that is well formed in every letter is cut where its delimiters stand (`wellformed`). Any other goes to a Rust parser
behind caps of ours. What that refuses, and what exceeds the caps, takes our own splitter (`splitting`), which is linear,
bounded and never raises.
"""

import re
from itertools import islice

import msgspec
from fast_mail_parser import PyMimePart, parse_email_tree

from channels.contract import Costly
from channels.email import cms, headers, parameters, parts, splitting, transfer, wellformed

Part = parts.Part
MAX_PARTS = 200
MAX_DEPTH = 50
_MAX_SEALS = 3  # a signed message in a signed message
MAX_REPAIR_BYTES = (
    512 * 1024
)  # a damaged mail up to here is split on the spot; a larger one takes the slow road

MAX_SEARCHED_BYTES = 32 * 1024 * 1024  # for header values beyond ASCII, each through the whole mail
MAX_FAST_LINES = 20_000  # of uuencoding; 900 KB of a file

# Counted only where their first byte is frequent: one memchr pass over base64 costs 10 µs, two-byte needles 300 µs.
_MAX_DELIMITERS = 2_000
_MAX_ENCODED_WORDS = 1_000
_MAX_EMBEDDED = 20
_LARGE_BYTES = 1024 * 1024
_DELIMITER = re.compile(rb"\n--")
_PARSERS_ENCODINGS = frozenset({"base64", "quoted-printable"})


def read(content: bytes, fields: headers.Headers, *, costly: bool) -> tuple[Part, tuple[str, ...]]:
    """The tree of a mail, and what had to be repaired or was cut.

    Raises: Costly on the fast road (costly=False) when only the slow one is left.
    """
    root, problems = _tree(content, fields, costly=costly)
    if any(leaf.content_type in parts.SEALED_TYPES for leaf in root.leaves()):
        root = _unsealed(root, costly=costly)
    return root, problems


def _tree(
    content: bytes, fields: headers.Headers, *, costly: bool, path: str = ""
) -> tuple[Part, tuple[str, ...]]:
    root = wellformed.read(content, fields, costly=costly, path=path)
    return (root, ()) if root is not None else _tree_of_any(content, fields, costly=costly, path=path)


def _tree_of_any(
    content: bytes, fields: headers.Headers, *, costly: bool, path: str = ""
) -> tuple[Part, tuple[str, ...]]:
    """The tree of a mail that may break every rule."""
    root = _fast(content, fields, path=path, costly=costly)
    if root is not None and not _has_more_parts(content, fields, root):
        return root, ()
    if not costly and len(content) > MAX_REPAIR_BYTES:
        raise Costly("the mail is damaged and large")
    node, problems = splitting.split(content, fields, max_parts=MAX_PARTS, max_depth=MAX_DEPTH, path=path)
    return _part_from_node(node, costly=costly), problems


def _unsealed(part: Part, *, costly: bool, depth: int = 0) -> Part:
    """The tree with what lies in signed S/MIME messages; encrypted ones stay as they are."""
    if part.is_multipart():
        children = tuple(_unsealed(child, costly=costly, depth=depth) for child in part.children)
        return msgspec.structs.replace(part, children=children)
    if part.content_type not in parts.SEALED_TYPES or depth >= _MAX_SEALS:
        return part
    if not costly and len(part.content) > MAX_REPAIR_BYTES:
        raise Costly("a large mail is sealed")
    inner = cms.signed_content(part.content)
    if not inner:
        return part
    root, _ = _tree(inner, headers.scan(inner), costly=costly, path=f"{part.path}.1" if part.path else "1")
    return msgspec.structs.replace(part, children=(_unsealed(root, costly=costly, depth=depth + 1),))


def _fast(content: bytes, fields: headers.Headers, *, path: str = "", costly: bool = True) -> Part | None:
    """The tree by the fast parser; None when it refuses or a cap stands before it."""
    if not _is_harmless(content, fields.body_offset):
        return None
    # Only what the structure needs: the parser's cost for hostile header fields is quadratic.
    top = b"".join(
        b"%s: %s\r\n" % (name.encode(), value)
        for name in parts.FIELDS
        for value in [*filter(None, fields.raw(name))][:1]
    )
    try:
        tree = parse_email_tree(top + b"\r\n" + content[fields.body_offset :])
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - its refusals, and a Rust panic, which is no Exception
        return None
    return _part_from_tree(
        tree, _Reading(source=content, is_ascii=content.isascii(), costly=costly), path=path
    )


def _has_more_parts(content: bytes, fields: headers.Headers, root: Part) -> bool:
    """Whether delimiters follow the closing one: nested multiparts that share a boundary."""
    if not root.is_multipart():
        return False
    boundary = parameters.parse(fields.first("content-type")).get("boundary", "").encode("utf-8", "replace")
    last = content.rfind(b"\n--" + boundary, fields.body_offset)
    if last < 0 or content.startswith(b"--", last + 3 + len(boundary)):
        return False
    closing = content.find(b"\n--%s--" % boundary, fields.body_offset, last)
    return closing >= 0 and content[closing + 5 + len(boundary) : closing + 6 + len(boundary)] in b"\r\n"


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


class _Reading(msgspec.Struct):
    """One walk through the parser's tree. source: the bytes it was made of; room: how many parts are left."""

    source: bytes
    is_ascii: bool
    costly: bool = True
    room: int = MAX_PARTS
    search_bytes: int = MAX_SEARCHED_BYTES
    charset: str = ""  # of the first text that declares one: what bytes in names most likely are

    def noted(self, part: Part) -> Part:
        self.charset = self.charset or part.charset
        return part


def _part_from_tree(
    node: PyMimePart, reading: _Reading, *, path: str = "", depth: int = 0, inherited: str = ""
) -> Part | None:
    """Our part from the parser's; None when the tree exceeds our caps or the parser may have lost something.

    inherited: the transfer encoding that the multipart around it declares, against RFC 2045 §6.4.
    """
    reading.room -= 1
    if reading.room < 0 or depth > MAX_DEPTH or (not node.children and node.content is None):
        return None
    fields = _fields(node.headers, reading)
    if fields is None:
        return None
    encoding = transfer.name_of(fields.get("content-transfer-encoding", ""))
    if encoding == "quoted-printable" and not reading.is_ascii:
        return None  # the parser loses bytes that should have been escaped
    children: list[Part] = []
    for number, child in enumerate(node.children, 1):
        child_path = f"{path}.{number}" if path else str(number)
        part = _part_from_tree(child, reading, path=child_path, depth=depth + 1, inherited=encoding)
        if part is None:
            return None
        children.append(part)
    content = node.content or b""
    if not node.children:
        if not fields and not content and depth:
            return None  # text without an empty line before it was taken for a header
        content = _decoded_rest(content, fields, inherited=inherited, costly=reading.costly)
    declared = fields.get("content-type", "")
    content_type = splitting.media_type(declared) if declared else node.content_type.lower()
    return reading.noted(
        parts.from_fields(
            path,
            content_type,
            fields=fields,
            content=content,
            children=tuple(children),
            costly=reading.costly,
        )
    )


def _fields(found: dict[str, list[str]], reading: _Reading) -> dict[str, str] | None:
    """The first value of each field, by lower-case name.

    None when text was taken for a header (a name without a value), or a value is longer than `headers` reads one.
    """
    fields: dict[str, str] = {}
    for name, values in found.items():
        if " " in name or "\r" in name or "\t" in name:
            return None
        value = values[0] or values[-1]
        if len(value) > headers.MAX_VALUE_BYTES:
            return None
        if not value and not name.lower().startswith(("content-", "x-", "mime-")):
            return None
        fields[name.lower()] = value if value.isascii() and "\x1b" not in value else _reread(value, reading)
    return fields


def _reread(value: str, reading: _Reading) -> str:
    """A value beyond ASCII from its bytes: the parser takes what is no UTF-8 for latin-1."""
    try:
        written = value.encode("latin-1")
    except UnicodeEncodeError:
        return value
    reading.search_bytes -= len(reading.source)
    is_searched = reading.search_bytes >= 0
    return headers.unfolded(written, reading.charset) if is_searched and written in reading.source else value


def _decoded_rest(content: bytes, fields: dict[str, str], *, inherited: str, costly: bool) -> bytes:
    """Undo the transfer encodings that the parser knows by no name."""
    declared = fields.get("content-transfer-encoding", "")
    if not declared:
        if inherited == "quoted-printable" and transfer.is_encoded(content):
            return transfer.decode(content, inherited)[0]
        return content
    if declared.lower() in _PARSERS_ENCODINGS or not transfer.name_of(declared):
        return content
    if not costly and len(content) > MAX_FAST_LINES and content.count(b"\n") > MAX_FAST_LINES:
        raise Costly("an encoding is undone line by line")
    return transfer.decode(content, declared, is_text=fields.get("content-type", "text").startswith("text"))[
        0
    ]


def _part_from_node(node: splitting.Node, *, costly: bool = True) -> Part:
    """Our part from the splitter's."""
    return _converted(node, _Reading(source=b"", is_ascii=True, costly=costly))


def _converted(node: splitting.Node, reading: _Reading) -> Part:
    node.fields.charset = reading.charset
    fields = {name: node.fields.first(name) for name in parts.FIELDS}
    children = tuple(_converted(child, reading) for child in node.children)
    return reading.noted(
        parts.from_fields(
            node.path,
            node.content_type,
            fields=fields,
            content=node.content,
            children=children,
            costly=reading.costly,
        )
    )
