"""How conditions are written: YAML nodes -> conditions, every problem with its place.

The values are read by value_text.py, conditions on time by time_text.py.
"""

import re
from collections.abc import Callable

from routing.conditions import ALWAYS, Condition, Empty, Fact, Group
from routing.problems import Problem, did_you_mean
from routing.time_text import clock_leaf, read_time
from routing.typed import said
from routing.value_text import Names, leaf, one_of, read_range, read_regex, read_values, read_words
from routing.view import DECIDED, FIELDS, field_named
from routing.yaml_text import Node

_GROUPS = ("all", "any", "none", "not")
_LATER_FACTS = re.compile(
    r"(rating|incident\.open|agent\.available|team\.(open_now|waiting)|call\.\w+|chat\.page|form\..+|sender\.country"
    r"|customer\.(tier|tickets|last_rating|opted_out|field\..+)|ticket\.(age|reopened|promise|field\..+|sla(\..+)?)"
    r"|time\.date)\Z"
)
_LATER_OPERATORS = frozenset(("changed", "within"))
_MAX_DEPTH = 20


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
        return read_time(node, names)
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


def _read_fact(key: str, node: Node, key_node: Node, names: Names) -> Condition:
    name, operator = key, None
    field = field_named(name)
    if field is None and key.rpartition(".")[2] in ("words", "regex"):
        name, _, operator = key.rpartition(".")
        field = field_named(name)
    if key in ("time.weekday", "time.hour"):
        return clock_leaf(key, node, names.home_calendar, names)
    if field is None:
        names.problems.append(_unknown_fact(key, key_node))
        return ALWAYS
    fact = Fact(name, field)
    if operator is not None:
        return _read_operator(operator, node, fact, names)
    if isinstance(node.value, dict):
        return _read_operators(node, fact, names)
    return leaf(fact, node, read_values(node, fact, names))


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


def _read_operators(node: Node, fact: Fact, names: Names) -> Condition:
    if not node.value:
        names.problems.append(node.problem("wrong-type", f"'{fact.name}' has an empty mapping"))
        return ALWAYS
    low, high = node.value.get("at_least"), node.value.get("at_most")
    if (
        low is not None and high is not None and len(node.value) == 2
    ):  # one value within both, not one for each
        return leaf(fact, node, read_range(low, high, fact, names))
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
        return leaf(fact, node, one_of(tuple(names.lists[node.value])))
    return leaf(fact, node, read_values(node, fact, names))


def _is_word_of(value: str, fact: Fact) -> bool:
    return fact.field.type not in ("text", "prose")


def _read_none_of(node: Node, fact: Fact, names: Names) -> Condition:
    return Group("none", (leaf(fact, node, read_values(node, fact, names)),))


def _read_empty(node: Node, fact: Fact, names: Names) -> Condition:
    if not isinstance(node.value, bool):
        names.problems.append(node.problem("wrong-type", f"'empty' wants true or false, got {said(node)}"))
        return ALWAYS
    return leaf(fact, node, Empty(node.value))


def _read_at_least(node: Node, fact: Fact, names: Names) -> Condition:
    return leaf(fact, node, read_range(node, None, fact, names))


def _read_at_most(node: Node, fact: Fact, names: Names) -> Condition:
    return leaf(fact, node, read_range(None, node, fact, names))


def _read_between(node: Node, fact: Fact, names: Names) -> Condition:
    if not node.is_list or len(node.value) != 2:
        names.problems.append(
            node.problem("wrong-type", f"'between' wants two values [low, high], got {said(node)}")
        )
        return ALWAYS
    return leaf(fact, node, read_range(node.value[0], node.value[1], fact, names))


def _read_words(node: Node, fact: Fact, names: Names) -> Condition:
    return leaf(fact, node, read_words(node, fact, names))


def _read_regex(node: Node, fact: Fact, names: Names) -> Condition:
    return leaf(fact, node, read_regex(node, fact, names))


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
