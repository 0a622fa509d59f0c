"""What only shows when a rulebook is whole: warnings of rules that load and yet can't do what was meant.

Only what is certain is said: `implies` and `contradicts` know simple relations between conditions, and say no when in
doubt.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from routing import ladder as ladders
from routing import sla
from routing.calendar import NeverOpen
from routing.conditions import Condition, Empty, Flag, Group, Leaf, Matches, OneOf, Open, Range, Words
from routing.problems import Problem
from routing.rules import Rule
from routing.sla import PRIORITIES
from routing.yaml_text import Node

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

_ANY_DAY = datetime(2026, 1, 7, 12, tzinfo=UTC)
_SEVERAL_VALUES = ("recipient", "attachment.", "header.", "customer.tags", "ticket.tags")


def warnings(rulebook: "Rulebook", nodes: Mapping[str, Mapping[str, Node]]) -> tuple[Problem, ...]:
    """Everything found, in no order. nodes: section -> name -> where it is written."""
    return (*_never(rulebook), *_hidden(rulebook), *_targets_without_step(rulebook, nodes))


def errors(rulebook: "Rulebook", nodes: Mapping[str, Mapping[str, Node]]) -> Iterator[Problem]:
    """Policies whose time never comes: the calendar has too little open time for a target or a step."""
    for name, policy in rulebook.policies.items():
        calendar = rulebook.calendar_of(name)
        try:
            for priority in PRIORITIES:
                clocks = sla.start(policy, priority=priority, at=_ANY_DAY, calendar=calendar)
                ladders.steps(policy, rulebook.ladder_of(name), clocks, calendar=calendar)
        except NeverOpen as error:
            message = f"policy '{name}' asks for more open time than there is: {error}"
            yield nodes["sla"][name].problem("never-due", message, "shorten it, or open the calendar more")


def _at(rule: Rule, code: str, message: str, hint: str = "") -> Problem:
    return Problem(rule.file, rule.line, rule.column, "warning", code, message, hint)


def _never(rulebook: "Rulebook") -> Iterator[Problem]:
    for rule in rulebook.rules:
        if is_impossible(rule.when):
            hint = "two of its conditions exclude each other"
            yield _at(rule, "never-matches", f"rule '{rule.id}' can never match", hint)


def _hidden(rulebook: "Rulebook") -> Iterator[Problem]:
    for position, rule in enumerate(rulebook.route):
        for earlier in rulebook.route[:position]:
            if implies(rule.when, earlier.when):
                message = f"rule '{rule.id}' is hidden by '{earlier.id}' in line {earlier.line}, which always matches first"
                yield _at(rule, "hidden-rule", message, "move it up, or narrow the earlier one")
                break


def _targets_without_step(rulebook: "Rulebook", nodes: Mapping[str, Mapping[str, Node]]) -> Iterator[Problem]:
    for name, policy in rulebook.policies.items():
        ladder = rulebook.ladder_of(name)
        stepped = {step.when.target for step in ladder.steps} if ladder else set()
        for target in policy.targets:
            if target not in stepped:
                why = f"ladder '{ladder.name}' has no step for it" if ladder else "it has no ladder"
                message = f"nobody is told when '{target}' of policy '{name}' is missed: {why}"
                yield nodes["sla"][name].warning(
                    "no-step", message, f"add {{at: {target} breach, notify: lead}}"
                )


# -- relations between conditions -----------------------------------------------------------------------------------


def implies(one: Condition, other: Condition) -> bool:
    """Whether every message for which one holds is one for which the other does; False when in doubt."""
    if isinstance(one, Group) and one.mode == "any":
        return bool(one.members) and all(implies(member, other) for member in one.members)
    if isinstance(other, Group) and other.mode == "all":
        return all(implies(one, member) for member in other.members)
    if (
        isinstance(other, Group)
        and other.mode == "any"
        and any(implies(one, member) for member in other.members)
    ):
        return True
    if isinstance(one, Group) and one.mode == "all":
        return any(implies(member, other) for member in one.members)
    if isinstance(one, Group) and isinstance(other, Group) and one.mode == other.mode == "none":
        return all(any(implies(theirs, ours) for ours in one.members) for theirs in other.members)
    return isinstance(one, Leaf) and isinstance(other, Leaf) and _leaf_implies(one, other)


def _leaf_implies(one: Leaf, other: Leaf) -> bool:
    if one.fact.name != other.fact.name:
        return False
    ours, theirs = one.test, other.test
    if isinstance(ours, OneOf) and isinstance(theirs, OneOf):
        return _one_of_implies(ours, theirs)
    if isinstance(ours, Words) and isinstance(theirs, Words):
        return all(any(wide in narrow for wide in theirs.literals) for narrow in ours.literals)
    if isinstance(ours, Range) and isinstance(theirs, Range):
        return _range_implies(ours, theirs)
    if isinstance(ours, Matches) and isinstance(theirs, Matches):
        return ours.pattern.text == theirs.pattern.text
    if isinstance(ours, Flag) and isinstance(theirs, Flag):
        return ours.wanted == theirs.wanted
    if isinstance(ours, Empty) and isinstance(theirs, Empty):
        return ours.wanted == theirs.wanted
    if isinstance(ours, Open) and isinstance(theirs, Open):
        return (ours.calendar, ours.wanted) == (theirs.calendar, theirs.wanted)
    return isinstance(ours, OneOf) and isinstance(theirs, Empty) and not theirs.wanted and not ours.or_empty


def _one_of_implies(ours: OneOf, theirs: OneOf) -> bool:
    if ours.or_empty and not theirs.or_empty:
        return False
    if theirs.or_any:
        return True
    if ours.or_any:
        return False
    suffixes = all(any(narrow.endswith(wide) for wide in theirs.suffixes) for narrow in ours.suffixes)
    prefixes = all(any(narrow.startswith(wide) for wide in theirs.prefixes) for narrow in ours.prefixes)
    return suffixes and prefixes and all(_takes(theirs, value) for value in ours.values)


def _takes(test: OneOf, value: str) -> bool:
    return value in test.values or value.endswith(test.suffixes) or value.startswith(test.prefixes)


def _range_implies(ours: Range, theirs: Range) -> bool:
    low = theirs.low is None or (ours.low is not None and ours.low >= theirs.low)
    high = theirs.high is None or (ours.high is not None and ours.high <= theirs.high)
    return low and high


def is_impossible(condition: Condition) -> bool:
    """Whether no message can ever make it hold; False when in doubt."""
    if isinstance(condition, Leaf):
        return False
    if condition.mode == "any":
        return bool(condition.members) and all(is_impossible(member) for member in condition.members)
    if condition.mode == "none":
        return False
    parts = list(_parts(condition))
    return any(
        is_impossible(one) or any(_contradicts(one, other) for other in parts[position + 1 :])
        for position, one in enumerate(parts)
    )


def _parts(condition: Condition) -> Iterator[Condition]:
    """What must hold together: the members of nested `all`, and each member of a `none` as a `none` of its own."""
    if isinstance(condition, Group) and condition.mode == "all":
        for member in condition.members:
            yield from _parts(member)
    elif isinstance(condition, Group) and condition.mode == "none":
        for member in condition.members:
            yield Group("none", (member,))
    else:
        yield condition


def _contradicts(one: Condition, other: Condition) -> bool:
    for first, second in ((one, other), (other, one)):
        if isinstance(second, Group) and second.mode == "none" and implies(first, second.members[0]):
            return True
    if isinstance(one, Leaf) and isinstance(other, Leaf) and one.fact.name == other.fact.name:
        return _tests_contradict(one, other)
    return False


def _tests_contradict(one: Leaf, other: Leaf) -> bool:
    ours, theirs = one.test, other.test
    if isinstance(ours, Flag) and isinstance(theirs, Flag):
        return ours.wanted != theirs.wanted
    if isinstance(ours, Empty) and isinstance(theirs, Empty):
        return ours.wanted != theirs.wanted
    if one.fact.name.startswith(_SEVERAL_VALUES) and one.fact.name != "attachment.count":
        return False
    if isinstance(ours, OneOf) and isinstance(theirs, OneOf):
        plain = not any(
            test.suffixes or test.prefixes or test.or_empty or test.or_any for test in (ours, theirs)
        )
        return plain and not ours.values & theirs.values
    if isinstance(ours, Range) and isinstance(theirs, Range):
        return _is_gap(ours, theirs) or _is_gap(theirs, ours)
    return False


def _is_gap(lower: Range, upper: Range) -> bool:
    return lower.high is not None and upper.low is not None and bool(lower.high < upper.low)
