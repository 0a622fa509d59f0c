"""How the values of conditions are written: texts, numbers, dates, lengths, `none`, `">=2"` -> tests of a fact.

What is wrong is appended to `names.problems`; the test is then None.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any

import msgspec

from routing import folding
from routing.conditions import ALWAYS, Condition, Leaf
from routing.durations import seconds_from
from routing.fields import FieldRule
from routing.naming import MEDIA, Targets, check_medium
from routing.predicates import (
    Changed,
    Empty,
    Fact,
    Flag,
    Matches,
    OneOf,
    OnlyWords,
    Range,
    Ranges,
    Test,
    Words,
)
from routing.problems import Problem, did_you_mean
from routing.typed import said
from routing.yaml_text import Node

COMPARED = ("number", "instant", "length")
_WANTED = {
    "number": "a number",
    "instant": "a date like 2026-11-30",
    "length": "a length of time like 30m, 2h or 3d",
}
_LANGUAGES = ("language", "customer.language")
_LANGUAGE_LETTERS = 3  # ISO 639-1 has two, the codes of languages without one there have three
_COMPARISON = re.compile(r"([<>]=?|=)\s*(.+)\Z")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(kB|KB|MB|GB)\Z")
_SIZE_BYTES = {"kB": 1_000, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


class Names(msgspec.Struct):
    """What conditions may refer to, and whose condition is read.

    conditions: name -> its node; lists: name -> values; kept: names of lists that are kept at the desk; fields, targets:
    None = not checked. stage: "" = not known; on: the events of a react rule. read: named conditions by name, stage, on.
    """

    calendars: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = {}
    conditions: Mapping[str, Node] = {}
    problems: list[Problem] = []
    kept: Collection[str] = ()
    fields: Mapping[str, FieldRule] | None = None
    targets: Targets | None = None
    stage: str = ""
    on: tuple[str, ...] = ()
    read: dict[tuple[str, str, tuple[str, ...]], Condition] = {}

    @property
    def home_calendar(self) -> str | None:
        """Whose time zone the clock facts have when no calendar is named: the first one's; None = UTC."""
        return self.calendars[0] if self.calendars else None


def quotes_hint(node: Node) -> str:
    """What to do where a text was wanted and something else stands."""
    return (node.slip_hint or "put it in quotes") if node.is_scalar else ""


def refuse(node: Node, message: str, names: Names, hint: str = "") -> None:
    names.problems.append(node.problem("wrong-type", message, hint))


def leaf(fact: Fact, node: Node, test: Test | None) -> Condition:
    """The condition that a fact passes a test; one that always holds when the test could not be read."""
    return ALWAYS if test is None else Leaf(fact, node.plain_value(), test, _label(fact, test))


def _label(fact: Fact, test: Test) -> str:
    if isinstance(test, Words | OnlyWords):
        return f"{fact.name}.words"
    if isinstance(test, Changed):
        return f"{fact.name}.changed"
    return f"{fact.name}.regex" if isinstance(test, Matches) else fact.name


def read_values(node: Node, fact: Fact, names: Names) -> Test | None:
    """`x`, `[x, y]`, `none`, `any`, `">=2"`: what a fact may be."""
    nodes = node.value if node.is_list else (node,)
    if not nodes:
        refuse(node, f"'{fact.name}' has an empty list", names, "no value can match it")
        return None
    if len(nodes) == 1 and nodes[0].value in ("none", "any"):
        return Empty(nodes[0].value == "none")
    read: Mapping[str, Callable[..., Test | None]] = {
        "flag": _read_flag,
        "kind": _read_kind,
        **dict.fromkeys(COMPARED, read_compared),
    }
    return read.get(fact.field.type, _read_texts)(nodes, fact, names)


# -- true and false -------------------------------------------------------------------------------------------------


def _read_flag(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    if len(nodes) == 1 and isinstance(nodes[0].value, bool):
        return Flag(nodes[0].value)
    got = "a list" if len(nodes) > 1 else said(nodes[0])
    refuse(nodes[0], f"'{fact.name}' is true or false, got {got}", names)
    return None


def _read_kind(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    if len(nodes) == 1 and isinstance(nodes[0].value, bool):
        return Flag(nodes[0].value)
    return _read_texts(nodes, fact, names)


# -- numbers, dates and lengths -------------------------------------------------------------------------------------


def read_compared(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    """`5`, `">=2"`, `[1, 2]`, `[none, 5]`."""
    ranges = [_read_single(each, fact, names) for each in nodes if each.value != "none"]
    if any(each is None for each in ranges):
        return None
    found = tuple(each for each in ranges if each is not None)
    return found[0] if len(nodes) == 1 else Ranges(found, or_empty=len(found) < len(nodes))


def _read_single(node: Node, fact: Fact, names: Names) -> Range | None:
    comparison = _COMPARISON.match(node.value) if isinstance(node.value, str) else None
    if comparison is None:
        if fact.field.type == "length":
            refuse(node, f"'{fact.name}' is never exactly so long", names, "write {at_least: 2h}")
            return None
        return read_range(node, node, fact, names)
    sign, text = comparison.groups()
    if sign not in (">=", "<="):
        refuse(node, f"'{sign}' is not understood", names, f'write ">={text}" or "<={text}"')
        return None
    bound = msgspec.structs.replace(node, value=_number_in(text), text=text)
    low, high = (bound, None) if sign == ">=" else (None, bound)
    return read_range(low, high, fact, names)


def _number_in(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def read_range(low: Node | None, high: Node | None, fact: Fact, names: Names) -> Range | None:
    """From one bound to the other, both included; None = no bound."""
    if fact.field.type not in COMPARED:
        node = low or high
        assert node is not None  # noqa: S101 - one of them is always given
        refuse(node, f"'{fact.name}' is not a number, a date or a length, it can't be compared", names)
        return None
    if low is high and low is not None:
        value = _read_bound(low, fact, names)
        return None if value is None else Range(value, value)
    bounds: list[Any] = [None if each is None else _read_bound(each, fact, names) for each in (low, high)]
    if any(bound is None and node is not None for bound, node in zip(bounds, (low, high), strict=True)):
        return None
    if low and high and bounds[0] > bounds[1]:
        refuse(low, f"the range from {low.text} to {high.text} is empty", names)
        return None
    return Range(bounds[0], bounds[1])


def _read_bound(node: Node, fact: Fact, names: Names) -> Any:
    readers: dict[str, Callable[[Node, Fact], Any]] = {"instant": _date_in, "length": _length_in}
    found = readers.get(fact.field.type, _amount_in)(node, fact)
    if found is None:
        refuse(node, f"'{fact.name}' wants {_WANTED[fact.field.type]}, got {said(node)}", names)
    return found


def _date_in(node: Node, fact: Fact) -> str | None:
    try:
        return date.fromisoformat(str(node.value)).isoformat()
    except ValueError:
        return None


def _length_in(node: Node, fact: Fact) -> int | None:
    return seconds_from(node.value) if isinstance(node.value, str) else None


def _amount_in(node: Node, fact: Fact) -> float | None:
    value = node.value
    size = _SIZE.match(value) if isinstance(value, str) and fact.name.endswith(".size") else None
    if size:
        return float(size.group(1)) * _SIZE_BYTES[size.group(2)]
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


# -- texts ----------------------------------------------------------------------------------------------------------


def _read_texts(nodes: tuple[Node, ...], fact: Fact, names: Names) -> OneOf | None:
    values = [value for node in nodes if (value := _read_text(node, fact, names)) is not None]
    return one_of(tuple(values)) if len(values) == len(nodes) else None


def one_of(values: tuple[str, ...]) -> OneOf:
    """Values as written in a condition: plain ones, "*.suffix", "prefix/*", none and any."""
    named = tuple(value for value in values if value not in ("none", "any"))
    return msgspec.structs.replace(listed(named), or_empty="none" in values, or_any="any" in values)


def listed(values: Collection[str]) -> OneOf:
    """The values of a list, where `none` is a word like any other and an empty line is nothing."""
    return OneOf(
        frozenset(folding.fold_value(value) for value in values if "*" not in value and value.strip()),
        tuple(folding.fold_value(value[1:]) for value in values if value.startswith("*.")),
        tuple(folding.fold_value(value[:-1]) for value in values if value.endswith("/*")),
    )


def _read_text(node: Node, fact: Fact, names: Names) -> str | None:
    value = node.value
    if not isinstance(value, str):
        hint = quotes_hint(node)
        refuse(node, f"'{fact.name}' wants text, got {said(node)}", names, hint)
        return None
    problem = _stars(node, fact) or _comparison(node, fact) or _unknown(node, fact, names)
    if problem is not None:
        names.problems.append(problem)
        return None
    _warn_of_slips(node, fact, names)
    return value


def _warn_of_slips(node: Node, fact: Fact, names: Names) -> None:
    """A medium or a language that no message will ever have."""
    value = node.text
    if fact.name == "channel" and value.casefold() not in MEDIA:
        check_medium(node, names.problems)
    if fact.name in _LANGUAGES and value not in ("none", "any") and len(value) > _LANGUAGE_LETTERS:
        message = f"no language '{value}' is ever told"
        names.problems.append(node.warning("unknown-language", message, "write two letters like pl"))


def _stars(node: Node, fact: Fact) -> Problem | None:
    value, stars = node.value, node.value.count("*")
    has_paths = fact.name.endswith(".type") or fact.name == "chat.page"
    if stars == 0 or (stars == 1 and (value.startswith("*.") or (has_paths and value.endswith("/*")))):
        return None
    message = f"'*' is understood as \"*.acme.com\" only, not in '{value}'"
    return node.problem("bad-value", message, "for words in a text write text.words")


def _comparison(node: Node, fact: Fact) -> Problem | None:
    if fact.field.type == "prose" or not _COMPARISON.match(node.value) or node.value.startswith("="):
        return None
    return node.problem("wrong-type", f"'{fact.name}' is text, '{node.value}' can't compare it")


def _unknown(node: Node, fact: Fact, names: Names) -> Problem | None:
    """A value that the fact never has."""
    value, choices = node.value, fact.field.choices
    if value in ("none", "any"):
        return None
    if choices and folding.fold_value(value) not in {folding.fold_value(each) for each in choices}:
        return node.problem("bad-value", f"'{fact.name}' is never '{value}'", did_you_mean(value, choices))
    if names.targets is None:
        return None
    known = {
        "ticket.team": names.targets.teams,
        "ticket.level": names.targets.levels,
        "ticket.agent": names.targets.agents,
    }.get(fact.name)
    if known is None or value in known:
        return None
    what = fact.name.removeprefix("ticket.")
    return node.problem(f"unknown-{what}", f"no {what} '{value}'", did_you_mean(value, known))
