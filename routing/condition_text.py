"""How conditions are written: YAML nodes -> conditions, every problem with its place."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec
import re2

from routing import folding, regex
from routing.conditions import (
    ALWAYS,
    WEEKDAYS,
    Condition,
    Empty,
    Fact,
    Flag,
    Group,
    Hour,
    Leaf,
    Matches,
    OneOf,
    OnlyWords,
    Open,
    Range,
    Test,
    Weekday,
    Words,
)
from routing.problems import Problem, did_you_mean
from routing.typed import said
from routing.view import DECIDED, FIELDS, Field, field_named
from routing.yaml_text import Node

_GROUPS = ("all", "any", "none", "not")
_LATER_FACTS = re.compile(
    r"(rating|incident\.open|agent\.available|team\.(open_now|waiting)|call\.\w+|chat\.page|form\..+|sender\.country"
    r"|customer\.(tier|tickets|last_rating|opted_out|field\..+)|ticket\.(age|reopened|promise|field\..+|sla(\..+)?)"
    r"|time\.date)\Z"
)
_LATER_OPERATORS = frozenset(("changed", "within"))
_FIXED_VALUES = {
    "direction": ("in", "out"),
    "created_by": ("customer", "agent", "rule", "system"),
    "automatic": ("auto_reply", "bounce", "feedback_report", "list", "delivery_receipt"),
    "ticket.priority": ("low", "normal", "high", "urgent"),
}
_COMPARISON = re.compile(r"(>=|<=)\s*(.+)\Z")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(kB|KB|MB|GB)\Z")
_SIZE_BYTES = {"kB": 1_000, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_MAX_DEPTH = 20
_TIME = Field("text", lambda facts: ())


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


def read_condition(node: Node, names: Names, *, within: tuple[str, ...] = ()) -> Condition:
    """A condition: a mapping, the name of a condition, or a list of either, all of which must hold.

    within: the named conditions being read, to find circles. A condition with a problem holds always; the problem is
    in names.problems.
    """
    if isinstance(node.value, str):
        return _read_named(node, names, within=within)
    if isinstance(node.value, dict) and node.value:
        members = [_read_key(key, child, node.keys[key], names, within) for key, child in node.value.items()]
        return members[0] if len(members) == 1 else Group("all", tuple(members))
    names.problems.append(
        node.problem("wrong-type", f"wanted a condition, got {said(node)}", "like {channel: email}")
    )
    return ALWAYS


def _read_named(node: Node, names: Names, *, within: tuple[str, ...]) -> Condition:
    name = node.value
    if name in within:
        names.problems.append(node.problem("circle", f"condition '{name}' refers to itself"))
        return ALWAYS
    if name not in names.conditions:
        hint = did_you_mean(name, names.conditions)
        names.problems.append(node.problem("unknown-condition", f"no condition '{name}'", hint))
        return ALWAYS
    if len(within) >= _MAX_DEPTH:
        names.problems.append(
            node.problem("too-deep", f"more than {_MAX_DEPTH} named conditions inside each other")
        )
        return ALWAYS
    return read_condition(names.conditions[name], names, within=(*within, name))


def _read_key(key: str, node: Node, key_node: Node, names: Names, within: tuple[str, ...]) -> Condition:
    if key in _GROUPS:
        return _read_group(key, node, names, within)
    if key == "time":
        return _read_time(node, names)
    return _read_fact(key, node, key_node, names)


def _read_group(key: str, node: Node, names: Names, within: tuple[str, ...]) -> Condition:
    if node.is_list and node.value and key != "not":
        members = tuple(read_condition(each, names, within=within) for each in node.value)
        return Group("none" if key == "none" else "any" if key == "any" else "all", members)
    several = isinstance(node.value, dict) and len(node.value) > 1
    if node.is_list or (several and key != "all"):
        wanted = "a single condition" if key == "not" else "a list of conditions, each starting with -"
        names.problems.append(node.problem("wrong-type", f"'{key}' wants {wanted}, got {said(node)}"))
        return ALWAYS
    member = read_condition(node, names, within=within)
    return Group("none", (member,)) if key in ("none", "not") else member


# -- facts ----------------------------------------------------------------------------------------------------------


def _read_fact(key: str, node: Node, key_node: Node, names: Names) -> Condition:
    name, operator = key, None
    field = field_named(name)
    if field is None and key.rpartition(".")[2] in ("words", "regex"):
        name, _, operator = key.rpartition(".")
        field = field_named(name)
    if key in ("time.weekday", "time.hour"):
        return _clock_leaf(key, node, names.home_calendar, names)
    if field is None:
        names.problems.append(_unknown_fact(key, key_node))
        return ALWAYS
    fact = Fact(name, field)
    if operator is not None:
        return _read_operator(operator, node, fact, names)
    if isinstance(node.value, dict):
        return _read_operators(node, fact, names)
    return _leaf(fact, node, _read_values(node, fact, names))


def _unknown_fact(key: str, key_node: Node) -> Problem:
    if _LATER_FACTS.match(key):
        return key_node.problem("not-supported", f"the fact '{key}' is not supported yet")
    known = [
        *FIELDS,
        "time",
        "text.words",
        "text.regex",
        "subject.words",
        *(f"ticket.{each}" for each in DECIDED),
    ]
    hint = did_you_mean(key, known)
    return key_node.problem("unknown-fact", f"no fact '{key}'", hint)


def _leaf(fact: Fact, node: Node, test: Test | None) -> Condition:
    return ALWAYS if test is None else Leaf(fact, node.plain_value(), test, _label(fact, test))


def _label(fact: Fact, test: Test) -> str:
    if isinstance(test, Words | OnlyWords):
        return f"{fact.name}.words"
    return f"{fact.name}.regex" if isinstance(test, Matches) else fact.name


def _read_operators(node: Node, fact: Fact, names: Names) -> Condition:
    if not node.value:
        names.problems.append(node.problem("wrong-type", f"'{fact.name}' has an empty mapping"))
        return ALWAYS
    low, high = node.value.get("at_least"), node.value.get("at_most")
    if (
        low is not None and high is not None and len(node.value) == 2
    ):  # one value within both, not one for each
        return _leaf(fact, node, _read_range(low, high, fact, names))
    members = []
    for operator, child in node.value.items():
        if operator not in _OPERATORS:
            names.problems.append(_unknown_operator(operator, node.keys[operator]))
        else:
            members.append(_read_operator(operator, child, fact, names))
    return members[0] if len(members) == 1 else Group("all", tuple(members))


def _unknown_operator(operator: str, node: Node) -> Problem:
    if operator in _LATER_OPERATORS:
        return node.problem("not-supported", f"the operator '{operator}' is not supported yet")
    hint = did_you_mean(operator, _OPERATORS)
    return node.problem("unknown-operator", f"no operator '{operator}'", hint)


def _read_operator(operator: str, node: Node, fact: Fact, names: Names) -> Condition:
    return _OPERATORS[operator](node, fact, names)


def _read_in(node: Node, fact: Fact, names: Names) -> Condition:
    if isinstance(node.value, str) and not _is_word_of(node.value, fact):
        if node.value not in names.lists:
            hint = did_you_mean(node.value, names.lists)
            names.problems.append(node.problem("unknown-list", f"no list '{node.value}'", hint))
            return ALWAYS
        return _leaf(fact, node, _one_of(tuple(names.lists[node.value])))
    return _leaf(fact, node, _read_values(node, fact, names))


def _is_word_of(value: str, fact: Fact) -> bool:
    return fact.field.type not in ("text", "prose")


def _read_none_of(node: Node, fact: Fact, names: Names) -> Condition:
    return Group("none", (_leaf(fact, node, _read_values(node, fact, names)),))


def _read_empty(node: Node, fact: Fact, names: Names) -> Condition:
    if not isinstance(node.value, bool):
        names.problems.append(node.problem("wrong-type", f"'empty' wants true or false, got {said(node)}"))
        return ALWAYS
    return _leaf(fact, node, Empty(node.value))


def _read_at_least(node: Node, fact: Fact, names: Names) -> Condition:
    return _leaf(fact, node, _read_range(node, None, fact, names))


def _read_at_most(node: Node, fact: Fact, names: Names) -> Condition:
    return _leaf(fact, node, _read_range(None, node, fact, names))


def _read_between(node: Node, fact: Fact, names: Names) -> Condition:
    if not node.is_list or len(node.value) != 2:
        names.problems.append(
            node.problem("wrong-type", f"'between' wants two values [low, high], got {said(node)}")
        )
        return ALWAYS
    return _leaf(fact, node, _read_range(node.value[0], node.value[1], fact, names))


# -- values ---------------------------------------------------------------------------------------------------------


def _read_values(node: Node, fact: Fact, names: Names) -> Test | None:
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
        "number": _read_number,
        "instant": _read_number,
        "kind": _read_kind,
    }
    return read.get(fact.field.type, _read_texts)(nodes, fact, names)


def _read_flag(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    if len(nodes) == 1 and isinstance(nodes[0].value, bool):
        return Flag(nodes[0].value)
    _refuse(nodes[0], f"'{fact.name}' is true or false, got {said(nodes[0])}", names)
    return None


def _read_kind(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    if len(nodes) == 1 and isinstance(nodes[0].value, bool):
        return Flag(nodes[0].value)
    return _read_texts(nodes, fact, names)


def _read_number(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    node = nodes[0]
    if len(nodes) > 1:
        _refuse(node, f"'{fact.name}' takes one value, or {{between: [low, high]}}", names)
        return None
    comparison = _COMPARISON.match(node.value) if isinstance(node.value, str) else None
    if comparison:
        bound = msgspec.structs.replace(node, value=_number_in(comparison.group(2)), text=comparison.group(2))
        low, high = (bound, None) if comparison.group(1) == ">=" else (None, bound)
        return _read_range(low, high, fact, names)
    return _read_range(node, node, fact, names)


def _number_in(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def _read_range(low: Node | None, high: Node | None, fact: Fact, names: Names) -> Test | None:
    if fact.field.type not in ("number", "instant"):
        node = low or high
        assert node is not None  # noqa: S101 - one of them is always given
        _refuse(node, f"'{fact.name}' is not a number or a date, it can't be compared", names)
        return None
    bounds: list[Any] = [None if each is None else _read_bound(each, fact, names) for each in (low, high)]
    if any(bound is None and node is not None for bound, node in zip(bounds, (low, high), strict=True)):
        return None
    if low and high and bounds[0] > bounds[1]:
        _refuse(low, f"the range from {low.text} to {high.text} is empty", names)
        return None
    return Range(bounds[0], bounds[1])


def _read_bound(node: Node, fact: Fact, names: Names) -> Any:
    value = node.value
    if fact.field.type == "instant":
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            _refuse(node, f"'{fact.name}' wants a date like 2026-11-30, got {said(node)}", names)
            return None
    size = _SIZE.match(value) if isinstance(value, str) and fact.name.endswith(".size") else None
    if size:
        return float(size.group(1)) * _SIZE_BYTES[size.group(2)]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    _refuse(node, f"'{fact.name}' wants a number, got {said(node)}", names)
    return None


def _read_texts(nodes: tuple[Node, ...], fact: Fact, names: Names) -> Test | None:
    values = [value for node in nodes if (value := _read_text(node, fact, names)) is not None]
    return _one_of(tuple(values), wildcards=True) if len(values) == len(nodes) else None


def _one_of(values: tuple[str, ...], *, wildcards: bool = True) -> OneOf:
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


def _refuse(node: Node, message: str, names: Names) -> None:
    names.problems.append(node.problem("wrong-type", message))


# -- words and patterns ---------------------------------------------------------------------------------------------


def _read_words(node: Node, fact: Fact, names: Names) -> Condition:
    if fact.field.type != "prose":
        _refuse(
            node,
            f"'{fact.name}' is one value and has no words; words belong to subject, body and text",
            names,
        )
        return ALWAYS
    if isinstance(node.value, dict):
        if set(node.value) != {"only"}:
            _refuse(node, "words are a list, or {only: a list}", names)
            return ALWAYS
        only = _read_phrases(node.value["only"], names)
        return _leaf(fact, node, OnlyWords(_only_pattern(only))) if only else ALWAYS
    phrases = _read_phrases(node, names)
    return _leaf(fact, node, Words(phrases)) if phrases else ALWAYS


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
        _refuse(node, "the list of words is empty", names)
    return tuple(found)


def _only_pattern(phrases: tuple[str, ...]) -> Any:
    options = re2.Options()
    options.max_mem = 8 << 20
    branches = "|".join(
        re2.escape(each.rstrip()) + ("" if each.endswith(" ") else r"[^ ]*") for each in phrases
    )
    return re2.compile(f"(?:{branches})(?:(?:{branches}))* ", options)


def _read_regex(node: Node, fact: Fact, names: Names) -> Condition:
    if fact.field.type != "prose" or not isinstance(node.value, str):
        _refuse(
            node, f"'{fact.name}.regex' wants a pattern for subject, body or text, got {said(node)}", names
        )
        return ALWAYS
    try:
        return _leaf(fact, node, Matches(regex.compile_pattern(node.value)))
    except regex.BadPattern as error:
        quote = 0 if node.plain else 1
        at = msgspec.structs.replace(node, column=node.column + quote + error.offset)
        names.problems.append(at.problem("bad-regex", str(error)))
        return ALWAYS


_OPERATORS: dict[str, Callable[[Node, Fact, Names], Condition]] = {
    "at_least": _read_at_least,
    "at_most": _read_at_most,
    "between": _read_between,
    "in": _read_in,
    "none": _read_none_of,
    "empty": _read_empty,
    "words": _read_words,
    "regex": _read_regex,
}


# -- time -----------------------------------------------------------------------------------------------------------


def _read_time(node: Node, names: Names) -> Condition:
    """`{inside: X}`, `{outside: X}`, `{weekday: mon-fri, hour: {at_least: 18}, in: X}`."""
    if not isinstance(node.value, dict) or not node.value:
        names.problems.append(
            node.problem("wrong-type", f"'time' wants {{inside: CALENDAR}} or the like, got {said(node)}")
        )
        return ALWAYS
    zone = names.home_calendar
    if "in" in node.value and _check_calendar(node.value["in"], names):
        zone = node.value["in"].value
    members = [
        _read_time_key(key, child, node.keys[key], zone, names)
        for key, child in node.value.items()
        if key != "in"
    ]
    return members[0] if len(members) == 1 else Group("all", tuple(members))


def _read_time_key(key: str, node: Node, key_node: Node, zone: str | None, names: Names) -> Condition:
    if key in ("inside", "outside"):
        if not _check_calendar(node, names):
            return ALWAYS
        return Leaf(Fact(f"time.{key}", _TIME), node.value, Open(node.value, key == "inside"), f"time.{key}")
    if key in ("weekday", "hour"):
        return _clock_leaf(f"time.{key}", node, zone, names)
    if key == "date":
        names.problems.append(key_node.problem("not-supported", "the fact 'time.date' is not supported yet"))
    else:
        hint = did_you_mean(key, ("inside", "outside", "weekday", "hour", "in"))
        names.problems.append(key_node.problem("unknown-fact", f"no fact 'time.{key}'", hint))
    return ALWAYS


def _check_calendar(node: Node, names: Names) -> bool:
    if node.value in names.calendars:
        return True
    hint = did_you_mean(str(node.value), names.calendars)
    names.problems.append(node.problem("unknown-calendar", f"no calendar '{node.text or node.value}'", hint))
    return False


def _clock_leaf(name: str, node: Node, zone: str | None, names: Names) -> Condition:
    test = _read_weekdays(node, zone, names) if name == "time.weekday" else _read_hours(node, zone, names)
    return _leaf(Fact(name, _TIME), node, test)


def _read_weekdays(node: Node, zone: str | None, names: Names) -> Test | None:
    days: set[int] = set()
    for each in node.value if node.is_list else (node,):
        found = weekdays_from(str(each.value))
        if found is None:
            hint = "write mon, tue, wed, thu, fri, sat, sun or a range like mon-fri"
            names.problems.append(each.problem("bad-value", f"no weekday {said(each)}", hint))
            return None
        days.update(found)
    return Weekday(frozenset(days), zone)


def weekdays_from(text: str) -> tuple[int, ...] | None:
    """`fri` or `mon-fri` or `sat-mon` as numbers, Monday 0; None = not understood."""
    first, _, last = text.strip().lower().partition("-")
    if first not in WEEKDAYS or (last and last not in WEEKDAYS):
        return None
    low, high = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    return tuple((low + step) % 7 for step in range((high - low) % 7 + 1))


def _read_hours(node: Node, zone: str | None, names: Names) -> Test | None:
    hour = Fact("time.hour", Field("number", lambda facts: ()))
    before = len(names.problems)
    if isinstance(node.value, dict):
        condition = _read_operators(node, hour, names)
        nodes = condition.members if isinstance(condition, Group) else (condition,)
        ranges = tuple(each.test for each in nodes if isinstance(each, Leaf) and isinstance(each.test, Range))
        if len(names.problems) == before and (len(ranges) != len(nodes) or len(ranges) != 1):
            _refuse(node, "'time.hour' wants an hour, at_least, at_most or between", names)
            return None
    else:
        hours = node.value if node.is_list else (node,)
        tests = (_read_number((each,), hour, names) for each in hours)
        ranges = tuple(test for test in tests if isinstance(test, Range))
    return Hour(ranges, zone) if len(names.problems) == before else None
