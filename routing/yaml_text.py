"""YAML with positions: text -> nodes that know their line and column.

YAML 1.2 core scalars: `no`, `on` and `22:30` are text, `012` is twelve. Duplicate keys, aliases, merge keys, tags
and several documents are refused; size and depth are bounded, so a text of any shape costs little more than its length.

Why events and not composed nodes: aliases and depth are seen before anything is built.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from routing import yaml_slips
from routing.problems import ConfigError, Problem, Problems

MAX_BYTES = 16 << 20
MAX_DEPTH = 60

Scalar = str | int | float | bool | None

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBER_START = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?[0-9]{1,40}\Z")
_OCTAL = re.compile(r"0o[0-7]{1,40}\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,40}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")
_SPECIAL = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")

_NO_KEYS: dict[str, Any] = {}  # of every scalar, never written to


class Node(msgspec.Struct, frozen=True, gc=False):
    """One value and where it stands. line, column: from 1.

    Not looked at by the garbage collector: there are no circles, and looking cost two thirds of a large rulebook's load.

    value: a scalar, a tuple of nodes (a list) or a dict of key -> node (a mapping, order kept).
    keys: of a mapping, the nodes of the keys themselves. text: of a scalar, as written. plain: without quotes.
    """

    file: str
    line: int
    column: int
    value: Any
    text: str = ""
    plain: bool = False
    keys: dict[str, "Node"] = {}

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, tuple)

    @property
    def is_scalar(self) -> bool:
        return not isinstance(self.value, dict | tuple)

    def problem(self, code: str, message: str, hint: str = "") -> Problem:
        """An error at this node."""
        return Problem(self.file, self.line, self.column, "error", code, message, hint)

    def warning(self, code: str, message: str, hint: str = "") -> Problem:
        """A warning at this node."""
        return Problem(self.file, self.line, self.column, "warning", code, message, hint)

    def hint(self, code: str, message: str, hint: str = "") -> Problem:
        """Something that may be meant, at this node."""
        return Problem(self.file, self.line, self.column, "hint", code, message, hint)

    @property
    def slip_hint(self) -> str:
        """Names the slip when a value without quotes is not what was meant: `#x` is nothing, `+48…` a number; else ""."""
        if not self.is_scalar or not self.plain:
            return ""
        if self.value is None and not self.text:
            return yaml_slips.SLIPS["#"]
        is_number = self.text.startswith("+") and not isinstance(self.value, str)
        return yaml_slips.SLIPS["+"] if is_number else ""

    def plain_value(self) -> Any:
        """The value without positions: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain_value() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain_value() for node in self.value]
        return self.value


def scalar(text: str) -> Scalar:
    """What an unquoted scalar means by the YAML 1.2 core schema."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in _NUMBER_START:
        return text
    return _number(text)


def _number(text: str) -> str | int | float:
    if _INT.match(text):
        return int(text, 10)
    if _OCTAL.match(text):
        return int(text, 0)
    if _HEX.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    if _SPECIAL.match(text):
        return float(text.replace(".", "", 1))
    return text


def size_bytes(text: str) -> int:
    """What it takes as UTF-8; of a text that is far too long no less than its characters."""
    return len(text) if len(text) > MAX_BYTES else len(text.encode("utf-8", "surrogatepass"))


def read(text: str, *, file: str) -> Node:
    """The one document of the text; an empty text is a node with the value None.

    file: the name that problems carry. Raises: ConfigError with every duplicate key, or with the first error of
    syntax, since what follows one cannot be told.
    """
    if size_bytes(text) > MAX_BYTES:
        message = f"the file has more than {MAX_BYTES >> 20} MB"
        raise ConfigError([Problem(file, 1, 1, "error", "too-big", message, "split it into several files")])
    reader = _Reader(file)
    try:
        node = reader.document(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise ConfigError([yaml_slips.problem(error, text=text, file=file)]) from None
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        message = "a character here is half of a pair and no text"
        raise ConfigError([Problem(file, line, 1, "error", "syntax", message)]) from None
    if reader.problems:
        raise ConfigError(reader.problems)
    return node


class _Reader:
    """Builds nodes out of parse events and gathers what is refused. For one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems = Problems()

    def document(self, events: Iterator[Any]) -> Node:
        node = Node(self.file, 1, 1, None)
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.refuse(
                        event, "syntax", "a second document starts here", "a file holds one; remove the ---"
                    )
                    return node
            elif isinstance(event, yaml.NodeEvent):
                node = self.node(event, events, depth=0)
        return node

    def node(self, event: Any, events: Iterator[Any], *, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ConfigError([self._problem(event, "too-deep", f"more than {MAX_DEPTH} levels of nesting")])
        if isinstance(event, yaml.AliasEvent):
            self.refuse(event, "alias", f"the alias *{event.anchor} is not allowed", yaml_slips.SLIPS["*"])
            return self._at(event, None)
        self._check_marks(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._at(event, tuple(self._items(events, depth=depth)))
        return self._mapping(event, events, depth=depth)

    def refuse(self, event: Any, code: str, message: str, hint: str = "") -> None:
        self.problems.append(self._problem(event, code, message, hint))

    def _problem(self, event: Any, code: str, message: str, hint: str = "") -> Problem:
        mark = event.start_mark
        return Problem(self.file, mark.line + 1, mark.column + 1, "error", code, message, hint)

    def _check_marks(self, event: Any) -> None:
        if event.anchor is not None:
            self.refuse(event, "anchor", f"the anchor &{event.anchor} is not allowed", "write the value out")
        if event.tag is not None and event.tag != "!":
            self.refuse(event, "tag", f"the tag {event.tag} is not allowed", "write the plain value")

    def _scalar(self, event: Any) -> Node:
        plain = event.style is None or event.style == ""
        value = scalar(event.value) if plain and event.tag is None else event.value
        mark = event.start_mark
        return Node(self.file, mark.line + 1, mark.column + 1, value, event.value, plain, _NO_KEYS)

    def _at(self, event: Any, value: Any, keys: dict[str, Node] | None = None) -> Node:
        mark = event.start_mark
        return Node(self.file, mark.line + 1, mark.column + 1, value, "", plain=False, keys=keys or _NO_KEYS)

    def _items(self, events: Iterator[Any], *, depth: int) -> Iterator[Node]:
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self.node(event, events, depth=depth + 1)

    def _mapping(self, start: Any, events: Iterator[Any], *, depth: int) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Node] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.node(event, events, depth=depth + 1)
            value = self.node(next(events), events, depth=depth + 1)
            name = self._key_name(key, event)
            if name is None:
                continue
            if name in values:
                first = keys[name].line
                self.refuse(
                    event, "duplicate-key", f"'{name}' is written twice", f"the first is in line {first}"
                )
                continue
            values[name], keys[name] = value, key
        return self._at(start, values, keys)

    def _key_name(self, key: Node, event: Any) -> str | None:
        if not key.is_scalar:
            self.refuse(
                event, "bad-key", "a key must be a word, not a list or a mapping", 'did a "…" go missing?'
            )
            return None
        if key.plain and key.text == "<<":
            self.refuse(event, "merge-key", "the merge key << is not allowed", "write the values out")
            return None
        return key.text
