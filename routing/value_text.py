"""How the values of conditions are written: words, patterns, numbers, `none`, `">=2"` -> tests of a fact.

What is wrong is appended to `names.problems`; the test is then None.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec
import re2

from routing import folding, regex
from routing.conditions import (
    ALWAYS,
    Condition,
    Empty,
    Fact,
    Flag,
    Leaf,
    Matches,
    OneOf,
    OnlyWords,
    Range,
    Test,
    Words,
)
from routing.problems import Problem, did_you_mean
from routing.typed import said
from routing.yaml_text import Node

_FIXED_VALUES = {
    "direction": ("in", "out"),
    "created_by": ("customer", "agent", "rule", "system"),
    "automatic": ("auto_reply", "bounce", "feedback_report", "list", "delivery_receipt"),
    "ticket.priority": ("low", "normal", "high", "urgent"),
}
_COMPARISON = re.compile(r"(>=|<=)\s*(.+)\Z")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(kB|KB|MB|GB)\Z")
_SIZE_BYTES = {"kB": 1_000, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


class Names(msgspec.Struct):
    """What conditions may refer to. conditions: name -> its node; lists: name -> values, None = known, not yet here."""

    calendars: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = {}
    conditions: Mapping[str, Node] = {}
    problems: list[Problem] = []

    @property
    def home_calendar(self) -> str | None:
        """Whose time zone the clock facts have when no calendar is named: the first one's; None = UTC."""
        return self.calendars[0] if self.calendars else None


def read_values(node: Node, fact: Fact, names: Names) -> Test | None:
    """`x`, `[x, y]`, `none`, `any`, `">=2"`: what a fact may be."""
    nodes = node.value if node.is_list else (node,)
    if not nodes:
        names.problems.append(
            node.problem("wrong-type", f"'{fact.name}' has an empty list", "no value can match it")
        )
        return None
    if len(nodes) == 1 and nodes[0].value in ("none", "any"):
        return Empty(nodes[0].value == "none")
    read: Mapping[str, Callable[..., Test | None]] = {
        "flag": _read_flag,
        "number": read_number,
        "instant": read_number,
        "kind": _read_kind,
    }
    return read.get(fact.field.type, _read_texts)(nodes, fact, names)


def _read_flag(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    if len(nodes) == 1 and isinstance(nodes[0].value, bool):
        return Flag(nodes[0].value)
    refuse(nodes[0], f"'{fact.name}' is true or false, got {said(nodes[0])}", names)
    return None


def _read_kind(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    if len(nodes) == 1 and isinstance(nodes[0].value, bool):
        return Flag(nodes[0].value)
    return _read_texts(nodes, fact, names)


def read_number(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    node = nodes[0]
    if len(nodes) > 1:
        refuse(node, f"'{fact.name}' takes one value, or {{between: [low, high]}}", names)
        return None
    comparison = _COMPARISON.match(node.value) if isinstance(node.value, str) else None
    if comparison:
        bound = msgspec.structs.replace(node, value=_number_in(comparison.group(2)), text=comparison.group(2))
        low, high = (bound, None) if comparison.group(1) == ">=" else (None, bound)
        return read_range(low, high, fact, names)
    return read_range(node, node, fact, names)


def _number_in(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def read_range(low: Node | None, high: Node | None, fact: Fact, names: Names) -> Test | None:
    if fact.field.type not in ("number", "instant"):
        node = low or high
        assert node is not None  # noqa: S101 - one of them is always given
        refuse(node, f"'{fact.name}' is not a number or a date, it can't be compared", names)
        return None
    bounds: list[Any] = [None if each is None else _read_bound(each, fact, names) for each in (low, high)]
    if any(bound is None and node is not None for bound, node in zip(bounds, (low, high), strict=True)):
        return None
    if low and high and bounds[0] > bounds[1]:
        refuse(low, f"the range from {low.text} to {high.text} is empty", names)
        return None
    return Range(bounds[0], bounds[1])


def _read_bound(node: Node, fact: Fact, names: Names) -> Any:
    value = node.value
    if fact.field.type == "instant":
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            refuse(node, f"'{fact.name}' wants a date like 2026-11-30, got {said(node)}", names)
            return None
    size = _SIZE.match(value) if isinstance(value, str) and fact.name.endswith(".size") else None
    if size:
        return float(size.group(1)) * _SIZE_BYTES[size.group(2)]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    refuse(node, f"'{fact.name}' wants a number, got {said(node)}", names)
    return None


def _read_texts(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    values = [value for node in nodes if (value := _read_text(node, fact, names)) is not None]
    return one_of(tuple(values), wildcards=True) if len(values) == len(nodes) else None


def one_of(values: tuple[str, ...], *, wildcards: bool = True) -> OneOf:
    plain = frozenset(
        folding.fold_value(value) for value in values if "*" not in value and value not in ("none", "any")
    )
    return OneOf(
        plain,
        tuple(folding.fold_value(value[1:]) for value in values if value.startswith("*.") and wildcards),
        tuple(folding.fold_value(value[:-1]) for value in values if value.endswith("/*") and wildcards),
        or_empty="none" in values,
        or_any="any" in values,
    )


def _read_text(node: Node, fact: Fact, names: Names) -> str | None:
    value = node.value
    if not isinstance(value, str):
        hint = "put it in quotes" if node.is_scalar and value is not None else ""
        if value is None and node.is_scalar:
            hint = 'a value that starts with # must be in quotes: "#x"'
        names.problems.append(node.problem("wrong-type", f"'{fact.name}' wants text, got {said(node)}", hint))
        return None
    stars = value.count("*")
    if stars > 1 or (
        stars and not value.startswith("*.") and not (value.endswith("/*") and fact.name.endswith(".type"))
    ):
        message = f"'*' is understood as \"*.acme.com\" only, not in '{value}'"
        names.problems.append(node.problem("bad-value", message, "for words in a text write text.words"))
        return None
    allowed = _FIXED_VALUES.get(fact.name)
    if allowed and value not in (*allowed, "none", "any"):
        hint = did_you_mean(value, allowed)
        names.problems.append(node.problem("bad-value", f"'{fact.name}' is never '{value}'", hint))
        return None
    return value


def refuse(node: Node, message: str, names: Names) -> None:
    names.problems.append(node.problem("wrong-type", message))


def read_words(node: Node, fact: Fact, names: Names) -> Test | None:
    """`[refund, "not working", "invoice*"]` or `{only: [thanks]}`."""
    if fact.field.type != "prose":
        message = f"'{fact.name}' is one value and has no words; words belong to subject, body and text"
        refuse(node, message, names)
        return None
    if isinstance(node.value, dict):
        if set(node.value) != {"only"}:
            refuse(node, "words are a list, or {only: a list}", names)
            return None
        only = _read_phrases(node.value["only"], names)
        return OnlyWords(_only_pattern(only)) if only else None
    phrases = _read_phrases(node, names)
    return Words(phrases) if phrases else None


def _read_phrases(node: Node, names: Names) -> tuple[str, ...]:
    """Folded literals: " word " is whole, " word" (written `word*`) a prefix."""
    found: list[str] = []
    for each in node.value if node.is_list else (node,):
        if not isinstance(each.value, str):
            names.problems.append(
                each.problem("wrong-type", f"wanted a word, got {said(each)}", "put it in quotes")
            )
            continue
        phrase, is_prefix = each.value.removesuffix("*"), each.value.endswith("*")
        folded = folding.fold(phrase)
        if "*" in phrase:
            names.problems.append(
                each.problem("bad-value", f"'*' may only end a word, not in '{each.value}'")
            )
        elif folded.isspace():
            names.problems.append(each.problem("bad-value", f"'{each.value}' has no letter or digit"))
        else:
            found.append(folded[:-1] if is_prefix else folded)
    if node.is_list and not node.value:
        refuse(node, "the list of words is empty", names)
    return tuple(found)


def _only_pattern(phrases: tuple[str, ...]) -> Any:
    options = re2.Options()
    options.max_mem = 8 << 20
    branches = "|".join(
        re2.escape(each.rstrip()) + ("" if each.endswith(" ") else r"[^ ]*") for each in phrases
    )
    return re2.compile(f"(?:{branches})(?:(?:{branches}))* ", options)


def read_regex(node: Node, fact: Fact, names: Names) -> Test | None:
    """A pattern; a problem points into it."""
    if fact.field.type != "prose" or not isinstance(node.value, str):
        refuse(
            node, f"'{fact.name}.regex' wants a pattern for subject, body or text, got {said(node)}", names
        )
        return None
    try:
        return Matches(regex.compile_pattern(node.value))
    except regex.BadPattern as error:
        quote = 0 if node.plain else 1
        at = msgspec.structs.replace(node, column=node.column + quote + error.offset)
        names.problems.append(at.problem("bad-regex", str(error)))
        return None


def leaf(fact: Fact, node: Node, test: Test | None) -> Condition:
    """The condition that a fact passes a test; one that always holds when the test could not be read."""
    return ALWAYS if test is None else Leaf(fact, node.plain_value(), test, _label(fact, test))


def _label(fact: Fact, test: Test) -> str:
    if isinstance(test, Words | OnlyWords):
        return f"{fact.name}.words"
    return f"{fact.name}.regex" if isinstance(test, Matches) else fact.name
