"""How conditions are written: YAML nodes -> conditions, every problem with its place.

The values are read by value_text.py, words and patterns by phrase_text.py, conditions on time by time_text.py.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from routing import fields
from routing.conditions import ALWAYS, Condition, Group
from routing.fact_table import FIELDS, MADE_ON_DEMAND, field_named, ticket_field_text
from routing.facts import EVENTS_OF_CLOCKS
from routing.fields import FieldRule
from routing.phrase_text import read_only_words, read_regex, read_words
from routing.predicates import Changed, Empty, Fact, Kept, OneOf, OnlyOneOf
from routing.problems import Problem, did_you_mean
from routing.time_text import TIME_FACTS, read_count, read_time, read_time_fact
from routing.typed import said
from routing.value_text import Names, leaf, listed, read_range, read_values, refuse
from routing.view import Field, FieldType, View
from routing.yaml_text import Node


class _Told(NamedTuple):
    """A fact that only some events tell. opening_hint: what to do instead in a stage without events; hint: elsewhere."""

    events: tuple[str, ...]
    opening_hint: str
    hint: str


_GROUPS = ("all", "any", "none", "not")
_JUNCTIONS = {"and": "all", "or": "any"}
_FORMULA = re.compile(r"[=<>:]")
_MAPPING = "a condition is written like {channel: email}"
_MAX_DEPTH = 20
_OPENING = ("enrich", "route", "default")
_UNTOUCHED = frozenset(("quiet", "clock"))
_LATER_ONLY = ("ticket.age", "ticket.reopened", "ticket.promise", "ticket.sla.")
_OF_EVENTS = {
    "rating": _Told(
        ("rated",),
        "it belongs to a react rule with on: rated; the one before is customer.last_rating",
        "the one before is customer.last_rating",
    ),
    "target": _Told(
        EVENTS_OF_CLOCKS,
        "it belongs to a react rule with on: sla_breached",
        "ask for ticket.sla.TARGET, like {ticket.sla.resolution: breached}",
    ),
}
_TYPES: dict[str, FieldType] = {"number": "number", "date": "instant", "flag": "flag"}


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
    if node.is_list and node.value:
        return _read_group("all", node, names, within)
    refuse(node, f"wanted a condition, got {said(node)}", names, "like {channel: email}")
    return ALWAYS


def _read_named(node: Node, names: Names, *, within: tuple[str, ...]) -> Condition:
    name = node.value
    if name in within:
        names.problems.append(node.problem("circle", f"condition '{name}' refers to itself"))
        return ALWAYS
    if name not in names.conditions:
        hint = _MAPPING if _FORMULA.search(name) else did_you_mean(name, names.conditions)
        names.problems.append(node.problem("unknown-condition", f"no condition '{name}'", hint))
        return ALWAYS
    if len(within) >= _MAX_DEPTH:
        names.problems.append(
            node.problem("too-deep", f"more than {_MAX_DEPTH} named conditions inside each other")
        )
        return ALWAYS
    if within:
        return read_condition(names.conditions[name], names, within=(*within, name))
    key = (name, names.stage, names.on)
    if key not in names.read:  # thousands of rules may ask for the same one
        names.read[key] = read_condition(names.conditions[name], names, within=(name,))
    return names.read[key]


def _read_key(key: str, node: Node, key_node: Node, names: Names, within: tuple[str, ...]) -> Condition:
    if key in _GROUPS:
        return _read_group(key, node, names, within)
    if key == "time":
        return read_time(node, names)
    if key in TIME_FACTS:
        return read_time_fact(key, node, key_node, names, zone=names.home_calendar)
    return _read_fact(key, node, key_node, names)


def _read_group(key: str, node: Node, names: Names, within: tuple[str, ...]) -> Condition:
    if node.is_list and node.value and key != "not":
        members = tuple(read_condition(each, names, within=within) for each in node.value)
        return Group("none" if key == "none" else "any" if key == "any" else "all", members)
    several = isinstance(node.value, dict) and len(node.value) > 1
    if node.is_list or (several and key != "all"):
        wanted = "a single condition" if key == "not" else "a list of conditions, each starting with -"
        refuse(node, f"'{key}' wants {wanted}, got {said(node)}", names)
        return ALWAYS
    member = read_condition(node, names, within=within)
    return Group("none", (member,)) if key in ("none", "not") else member


# -- facts ----------------------------------------------------------------------------------------------------------


def _read_fact(key: str, node: Node, key_node: Node, names: Names) -> Condition:
    name, operator = key, None
    field = _field(name, key_node, names)
    if field is None and key.rpartition(".")[2] in ("words", "regex"):
        name, _, operator = key.rpartition(".")
        field = _field(name, key_node, names)
    if field is None:
        names.problems.append(_unknown_fact(key, key_node, names))
        return ALWAYS
    _check_place(name, key_node, names)
    fact = Fact(name, field)
    if operator is not None:
        return _OPERATORS[operator](node, fact, names)
    if field.type == "count":
        return read_count(node, fact, names)
    if isinstance(node.value, dict):
        return _read_operators(node, fact, names)
    if fact.field.type == "prose" and node.value not in ("none", "any"):
        names.problems.append(_whole_text(fact, node))
    return leaf(fact, node, read_values(node, fact, names))


def _whole_text(fact: Fact, node: Node) -> Problem:
    message = f"'{fact.name}: {node.text or '…'}' holds only when that is all of it"
    return node.hint("whole-text", message, f"for a word in it write {fact.name}.words")


def _field(name: str, key_node: Node, names: Names) -> Field | None:
    """The fact of that name, a field of the ticket with its declared type."""
    if not name.startswith("ticket.field.") or names.fields is None:
        return field_named(name)
    rule = names.fields.get(name.removeprefix("ticket.field."))
    return None if rule is None else _ticket_field(rule)


def _ticket_field(rule: FieldRule) -> Field:
    def get(view: View) -> tuple[object, ...]:
        found = (fields.value_of(rule, text) for text in ticket_field_text(view, rule.name))
        return tuple(value for value in found if value is not None)

    return Field(_TYPES.get(rule.type, "text"), get, rule.choices)


def _unknown_fact(key: str, key_node: Node, names: Names) -> Problem:
    if key.startswith("ticket.field."):
        declared = names.fields or {}
        name = key.removeprefix("ticket.field.")
        hint = did_you_mean(name, declared) or "add it to the section 'fields'"
        return key_node.problem("unknown-field", f"no field '{name}'", hint)
    if key.casefold() in _JUNCTIONS:
        hint = f"write {_JUNCTIONS[key.casefold()]}: [condition, condition]"
        return key_node.problem("unknown-fact", f"no fact '{key}'", hint)
    known = [*FIELDS, *MADE_ON_DEMAND, *TIME_FACTS, "time", "text.words", "text.regex", "subject.words"]
    return key_node.problem("unknown-fact", f"no fact '{key}'", did_you_mean(key, known))


def _check_place(name: str, key_node: Node, names: Names) -> None:
    """A fact that is always empty where it is asked for."""
    opening = names.stage in _OPENING
    if name in _OF_EVENTS and opening:
        message, hint = f"a new ticket has no {name}", _OF_EVENTS[name].opening_hint
        names.problems.append(key_node.problem("never-known", message, hint))
    elif name in _OF_EVENTS and names.on and not set(names.on) & set(_OF_EVENTS[name].events):
        known = " and ".join(_OF_EVENTS[name].events)
        message = f"a {name} is known on: {known} only, not on {', '.join(names.on)}"
        names.problems.append(key_node.warning("never-known", message, _OF_EVENTS[name].hint))
    elif opening and name.startswith(_LATER_ONLY):
        message = f"'{name}' says nothing of a ticket that is only being opened"
        names.problems.append(key_node.warning("never-known", message, "ask for it in a react rule"))


# -- operators ------------------------------------------------------------------------------------------------------


def _read_operators(node: Node, fact: Fact, names: Names) -> Condition:
    if not node.value:
        refuse(node, f"'{fact.name}' has an empty mapping", names)
        return ALWAYS
    low, high = node.value.get("at_least"), node.value.get("at_most")
    if low and high and len(node.value) == 2:  # one value within both, not one for each
        return leaf(fact, node, read_range(low, high, fact, names))
    members = []
    for operator, child in node.value.items():
        if operator in _OPERATORS:
            members.append(_OPERATORS[operator](child, fact, names))
        else:
            names.problems.append(_unknown_operator(operator, node.keys[operator]))
    return members[0] if len(members) == 1 else Group("all", tuple(members))


def _unknown_operator(operator: str, node: Node) -> Problem:
    if operator in ("inside", "outside"):
        hint = f"write time: {{{operator}: CALENDAR}}"
    elif operator == "within":
        hint = "it counts customer.tickets only: {within: 7d, at_least: 3}"
    else:
        hint = did_you_mean(operator, _OPERATORS)
    return node.problem("unknown-operator", f"no operator '{operator}'", hint)


def _read_in(node: Node, fact: Fact, names: Names) -> Condition:
    if not isinstance(node.value, str) or fact.field.type not in ("text", "prose"):
        return leaf(fact, node, read_values(node, fact, names))
    if node.value in names.kept:
        return leaf(fact, node, Kept(node.value))
    if node.value in names.lists:
        return leaf(fact, node, listed(names.lists[node.value]))
    hint = did_you_mean(node.value, (*names.lists, *names.kept))
    names.problems.append(node.problem("unknown-list", f"no list '{node.value}'", hint))
    return ALWAYS


def _read_only(node: Node, fact: Fact, names: Names) -> Condition:
    if fact.field.type == "prose":
        return leaf(fact, node, read_only_words(node, names))
    found = read_values(node, fact, names)
    if found is not None and not isinstance(found, OneOf):
        refuse(node, f"'only' wants the texts that '{fact.name}' may have, got {said(node)}", names)
    return leaf(fact, node, OnlyOneOf(found) if isinstance(found, OneOf) else None)


def _read_none_of(node: Node, fact: Fact, names: Names) -> Condition:
    return Group("none", (leaf(fact, node, read_values(node, fact, names)),))


def _read_empty(node: Node, fact: Fact, names: Names) -> Condition:
    if not isinstance(node.value, bool):
        refuse(node, f"'empty' wants true or false, got {said(node)}", names)
        return ALWAYS
    return leaf(fact, node, Empty(node.value))


def _read_at_least(node: Node, fact: Fact, names: Names) -> Condition:
    return leaf(fact, node, read_range(node, None, fact, names))


def _read_at_most(node: Node, fact: Fact, names: Names) -> Condition:
    return leaf(fact, node, read_range(None, node, fact, names))


def _read_between(node: Node, fact: Fact, names: Names) -> Condition:
    if not node.is_list or len(node.value) != 2:
        refuse(node, f"'between' wants two values [low, high], got {said(node)}", names)
        return ALWAYS
    return leaf(fact, node, read_range(node.value[0], node.value[1], fact, names))


def _read_words(node: Node, fact: Fact, names: Names) -> Condition:
    return leaf(fact, node, read_words(node, fact, names))


def _read_regex(node: Node, fact: Fact, names: Names) -> Condition:
    return leaf(fact, node, read_regex(node, fact, names))


def _read_changed(node: Node, fact: Fact, names: Names) -> Condition:
    """`{from: pending, to: [open, solved]}`, either end alone, or true and false."""
    problem = _misplaced_change(node, fact, names)
    if problem is not None:
        names.problems.append(problem)
        return ALWAYS
    if isinstance(node.value, bool):
        return leaf(fact, node, Changed(wanted=node.value))
    if not isinstance(node.value, dict) or not node.value or not set(node.value) <= {"from", "to"}:
        refuse(node, f"'changed' wants {{from: x, to: y}}, or true, got {said(node)}", names)
        return ALWAYS
    before = len(names.problems)
    ends = [
        read_values(node.value[key], fact, names) if key in node.value else None for key in ("from", "to")
    ]
    if len(names.problems) > before:
        return ALWAYS
    first, last = (each if isinstance(each, OneOf | Empty) else None for each in ends)
    return leaf(fact, node, Changed(first, last))


def _misplaced_change(node: Node, fact: Fact, names: Names) -> Problem | None:
    if not fact.field.can_change:
        able = ", ".join(name for name, field in FIELDS.items() if field.can_change)
        return node.problem("wrong-type", f"it is not told when '{fact.name}' changes", f"it is for {able}")
    if names.stage in _OPENING:
        return node.problem("never-known", "nothing of a new ticket has changed", "write it in a react rule")
    if names.on and _UNTOUCHED.issuperset(names.on):
        return node.problem(
            "never-known", f"on: {', '.join(names.on)} changes nothing", "on: status_changed does"
        )
    return None


_OPERATORS: dict[str, Callable[[Node, Fact, Names], Condition]] = {
    "at_least": _read_at_least,
    "at_most": _read_at_most,
    "between": _read_between,
    "in": _read_in,
    "only": _read_only,
    "none": _read_none_of,
    "empty": _read_empty,
    "changed": _read_changed,
    "words": _read_words,
    "regex": _read_regex,
}
