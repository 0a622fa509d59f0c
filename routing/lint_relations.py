"""Simple relations between conditions: does one imply another, can both hold, can one hold at all.

Every function says no when in doubt, so what is built on a yes is certain.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from routing.conditions import Condition, Group, Leaf, leaves
from routing.predicates import Empty, Flag, Hour, Matches, OneOf, OnlyWords, Open, Range, Weekday, Words

SEVERAL_VALUES = ("recipient", "attachment.", "header.", "customer.tags", "ticket.tags")
_ONE_VALUE = ("attachment.count",)
_MAX_COMPARISONS = 20_000


def is_comparable(one: Condition, other: Condition) -> bool:
    """Whether comparing them is cheap: two conditions of thousands of parts each are left alone."""
    return _size(one) * _size(other) <= _MAX_COMPARISONS


def _size(condition: Condition) -> int:
    return sum(1 for _ in leaves(condition)) or 1


def implies(one: Condition, other: Condition) -> bool:
    """Whether every message for which one holds is one for which the other does."""
    if isinstance(one, Group) and one.mode == "any":
        return bool(one.members) and all(implies(member, other) for member in one.members)
    if isinstance(other, Group) and other.mode == "all":
        return all(implies(one, member) for member in other.members)
    if isinstance(other, Group) and other.mode == "any":
        if any(implies(one, member) for member in other.members):
            return True
    elif isinstance(other, Group) and _excludes_each(one, other):
        return True
    if isinstance(one, Group) and one.mode == "all":
        return any(implies(member, other) for member in one.members)
    return isinstance(one, Leaf) and isinstance(other, Leaf) and _leaf_implies(one, other)


def _excludes_each(one: Condition, other: Group) -> bool:
    """Whether nothing of a `none` can hold together with one."""
    if isinstance(one, Group) and one.mode == "none":
        return all(any(implies(theirs, ours) for ours in one.members) for theirs in other.members)
    return all(contradicts(one, member) for member in other.members)


def contradicts(one: Condition, other: Condition) -> bool:
    """Whether the two never hold together."""
    for first, second in ((one, other), (other, one)):
        if isinstance(first, Group) and first.mode == "any":
            return bool(first.members) and all(contradicts(member, second) for member in first.members)
    for first, second in ((one, other), (other, one)):
        if isinstance(first, Group) and first.mode == "all":
            return any(contradicts(member, second) for member in first.members)
    for first, second in ((one, other), (other, one)):
        if isinstance(second, Group):
            return not isinstance(first, Group) and any(implies(first, member) for member in second.members)
    return isinstance(one, Leaf) and isinstance(other, Leaf) and _leaves_contradict(one, other)


def is_impossible(condition: Condition) -> bool:
    """Whether no message can ever make it hold."""
    if isinstance(condition, Leaf):
        return False
    if condition.mode == "any":
        return bool(condition.members) and all(is_impossible(member) for member in condition.members)
    if condition.mode == "none":
        return any(isinstance(member, Group) and is_certain(member) for member in condition.members)
    parts = tuple(required(condition))
    if len(parts) ** 2 > _MAX_COMPARISONS:
        return False
    return any(
        is_impossible(one) or any(contradicts(one, other) for other in parts[position + 1 :])
        for position, one in enumerate(parts)
    )


def is_certain(condition: Condition) -> bool:
    """Whether it holds for every message."""
    if isinstance(condition, Leaf):
        return False
    if condition.mode == "any":
        return any(is_certain(member) for member in condition.members)
    return condition.mode == "all" and all(is_certain(member) for member in condition.members)


def required(condition: Condition) -> Iterator[Condition]:
    """What must hold together: the members of nested `all`, and each member of a `none` as a `none` of its own."""
    if isinstance(condition, Group) and condition.mode == "all":
        for member in condition.members:
            yield from required(member)
    elif isinstance(condition, Group) and condition.mode == "none":
        for member in condition.members:
            yield Group("none", (member,))
    else:
        yield condition


def pins(condition: Condition) -> dict[str, frozenset[str]]:
    """Facts of one value -> the values that it must have one of. Two that share a fact and no value exclude each other."""
    found: dict[str, frozenset[str]] = {}
    for part in required(condition):
        if isinstance(part, Leaf) and isinstance(part.test, OneOf) and _is_plain(part.test):
            name = part.fact.name
            if not has_several_values(name):
                found[name] = found.get(name, part.test.values) & part.test.values
    return found


def has_several_values(fact: str) -> bool:
    """Whether one message may have more than one value of the fact, each of which counts."""
    return fact.startswith(SEVERAL_VALUES) and fact not in _ONE_VALUE


# -- two tests -------------------------------------------------------------------------------------------------------


def _leaf_implies(one: Leaf, other: Leaf) -> bool:
    ours, theirs = one.test, other.test
    if isinstance(ours, Open) and isinstance(theirs, Open):
        return (ours.calendar, ours.wanted) == (theirs.calendar, theirs.wanted)
    if one.fact.name != other.fact.name:
        return False
    if type(ours) is type(theirs):
        return _same_kind_implies(ours, theirs)
    if isinstance(ours, OneOf) and not ours.or_empty:
        has_value = isinstance(theirs, Empty) and not theirs.wanted
        return has_value or (isinstance(theirs, Flag) and theirs.wanted and one.fact.field.type == "kind")
    return False


def _same_kind_implies(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, OneOf):
        return _one_of_implies(ours, theirs)
    if isinstance(ours, Words):
        return all(any(wide in narrow for wide in theirs.literals) for narrow in ours.literals)
    if isinstance(ours, Range):
        return _range_implies(ours, theirs)
    if isinstance(ours, Hour):
        inside = all(any(_range_implies(narrow, wide) for wide in theirs.ranges) for narrow in ours.ranges)
        return bool(ours.calendar == theirs.calendar) and inside
    if isinstance(ours, Weekday):
        return bool(ours.calendar == theirs.calendar and ours.days <= theirs.days)
    if isinstance(ours, Matches):
        return bool(ours.pattern.text == theirs.pattern.text)
    if isinstance(ours, OnlyWords):
        return bool(ours.pattern.pattern == theirs.pattern.pattern)
    return isinstance(ours, Flag | Empty) and bool(ours.wanted == theirs.wanted)


def _one_of_implies(ours: OneOf, theirs: OneOf) -> bool:
    if ours.or_empty and not theirs.or_empty:
        return False
    if theirs.or_any:
        return True
    if ours.or_any:
        return False
    suffixes = all(any(narrow.endswith(wide) for wide in theirs.suffixes) for narrow in ours.suffixes)
    prefixes = all(any(narrow.startswith(wide) for wide in theirs.prefixes) for narrow in ours.prefixes)
    left = ours.values - theirs.values
    return suffixes and prefixes and all(_takes(theirs, value) for value in left)


def _takes(test: OneOf, value: str) -> bool:
    return value.endswith(test.suffixes) or value.startswith(test.prefixes)


def _range_implies(ours: Range, theirs: Range) -> bool:
    low = theirs.low is None or (ours.low is not None and ours.low >= theirs.low)
    high = theirs.high is None or (ours.high is not None and ours.high <= theirs.high)
    return low and high


def _leaves_contradict(one: Leaf, other: Leaf) -> bool:
    ours, theirs = one.test, other.test
    if isinstance(ours, Open) and isinstance(theirs, Open):
        return ours.calendar == theirs.calendar and ours.wanted != theirs.wanted
    if one.fact.name != other.fact.name:
        return False
    if isinstance(ours, Flag | Empty) and type(ours) is type(theirs):
        return bool(ours.wanted != msgspec.structs.asdict(theirs)["wanted"])
    if any(_is_without_value(one, other) for one, other in ((one, other), (other, one))):
        return True
    if isinstance(ours, Weekday) and isinstance(theirs, Weekday):
        return ours.calendar == theirs.calendar and not ours.days & theirs.days
    if isinstance(ours, Hour) and isinstance(theirs, Hour):
        apart = all(_are_apart(mine, yours) for mine in ours.ranges for yours in theirs.ranges)
        return ours.calendar == theirs.calendar and apart
    if has_several_values(one.fact.name):
        return False
    if isinstance(ours, OneOf) and isinstance(theirs, OneOf):
        return _is_plain(ours) and _is_plain(theirs) and not ours.values & theirs.values
    return isinstance(ours, Range) and isinstance(theirs, Range) and _are_apart(ours, theirs)


def _is_without_value(one: Leaf, other: Leaf) -> bool:
    """Whether one wants the fact empty, or not true, and the other a value of it."""
    wants_none = isinstance(one.test, Empty) and one.test.wanted
    wants_no_word = isinstance(one.test, Flag) and not one.test.wanted and one.fact.field.type == "kind"
    wants_value = isinstance(other.test, OneOf) and not other.test.or_empty
    return (wants_none or wants_no_word) and (wants_value or isinstance(other.test, Range))


def _is_plain(test: OneOf) -> bool:
    return not (test.suffixes or test.prefixes or test.or_empty or test.or_any)


def _are_apart(one: Range, other: Range) -> bool:
    return _is_below(one, other) or _is_below(other, one)


def _is_below(lower: Range, upper: Range) -> bool:
    return lower.high is not None and upper.low is not None and bool(lower.high < upper.low)
