"""Conditions: frozen trees of tests that a view holds or does not, and that can say why.

This module is what conditions mean; how they are written is read by condition_text.py, how many of them are tried at
once is matcher.py's business. The plain evaluation here is the truth that the index is tested against.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from routing.predicates import (
    Changed,
    Count,
    Day,
    Empty,
    Fact,
    Flag,
    Hour,
    Kept,
    Matches,
    OneOf,
    OnlyOneOf,
    OnlyWords,
    Open,
    Range,
    Ranges,
    Test,
    Weekday,
    Words,
)
from routing.view import View

__all__ = [
    "ALWAYS",
    "WEEKDAYS",
    "Changed",
    "Condition",
    "ConditionResult",
    "Count",
    "Day",
    "Empty",
    "Fact",
    "Flag",
    "Group",
    "Hour",
    "Kept",
    "Leaf",
    "Matches",
    "OneOf",
    "OnlyOneOf",
    "OnlyWords",
    "Open",
    "Range",
    "Ranges",
    "Test",
    "Weekday",
    "Words",
    "actual",
    "kept_uses",
    "leaves",
    "results",
]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MAX_ACTUAL_CHARACTERS = 200


class ConditionResult(msgspec.Struct, frozen=True):
    """One condition with what was wanted and what was there. held: after a surrounding `none` is taken into account."""

    field: str
    wanted: Any
    actual: Any
    held: bool


class Leaf(msgspec.Struct, frozen=True, eq=False):
    """One fact and one test of it. label: what the admin called it ("text.words"); wanted: as written, JSON."""

    fact: Fact
    wanted: Any
    test: Test
    label: str

    def holds(self, view: View) -> bool:
        return self.test.holds(self.fact, view)

    def result(self, view: View, *, negated: bool) -> ConditionResult:
        held = self.holds(view)
        wanted = {"none": self.wanted} if negated else self.wanted
        return ConditionResult(self.label, wanted, actual(self, view), held != negated)


class Group(msgspec.Struct, frozen=True, eq=False):
    """Several conditions: all of them, any, or none."""

    mode: Literal["all", "any", "none"]
    members: tuple["Condition", ...]

    def holds(self, view: View) -> bool:
        if self.mode == "all":
            return all(member.holds(view) for member in self.members)
        found = any(member.holds(view) for member in self.members)
        return found if self.mode == "any" else not found


Condition = Leaf | Group
ALWAYS = Group("all", ())


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every leaf, in the order written."""
    if isinstance(condition, Leaf):
        yield condition
    else:
        for member in condition.members:
            yield from leaves(member)


def kept_uses(conditions: Iterable[Condition]) -> frozenset[tuple[str, str]]:
    """(fact, list) for each list kept at the desk that is asked for."""
    tests = ((leaf.fact.name, leaf.test) for each in conditions for leaf in leaves(each))
    return frozenset((fact, test.list) for fact, test in tests if isinstance(test, Kept))


def results(condition: Condition, view: View, *, negated: bool = False) -> tuple[ConditionResult, ...]:
    """Every condition with wanted and actual value; of an `any` that holds, only the members that made it hold."""
    if isinstance(condition, Leaf):
        return (condition.result(view, negated=negated),)
    members = condition.members
    if condition.mode == "any" and not negated:
        members = tuple(member for member in members if member.holds(view)) or members
    turned = negated != (condition.mode == "none")
    return tuple(result for member in members for result in results(member, view, negated=turned))


def actual(leaf: Leaf, view: View) -> Any:
    """What was there, JSON and short: of words and patterns what was found, never the whole text."""
    test = leaf.test
    if isinstance(test, Words):
        return test.found(leaf.fact, view)
    if isinstance(test, Matches):
        found = test.pattern.first(view.pattern_subject(leaf.fact.name, marked=test.pattern.marked))
        return found and found[:_MAX_ACTUAL_CHARACTERS]
    if isinstance(test, Open):
        return "open" if view.is_open(test.calendar) else "closed"
    if isinstance(test, Weekday):
        return WEEKDAYS[view.local(test.calendar).weekday()]
    if isinstance(test, Hour):
        return view.local(test.calendar).hour
    if isinstance(test, Day):
        return view.local(test.calendar).date().isoformat()
    if isinstance(test, Count):
        return test.counted(leaf.fact, view)
    if isinstance(test, Changed):
        before, after = view.facts.changed.get(leaf.fact.name.removeprefix("ticket."), (None, None))
        return None if before == after else {"from": before, "to": after}
    return _shortened(view.raw(leaf.fact.name, leaf.fact.field))


def _shortened(values: tuple[Any, ...]) -> Any:
    short = [_plain(value) for value in values[:20]]
    return short[0] if len(values) == 1 else short or None


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_MAX_ACTUAL_CHARACTERS]
    return value.isoformat() if hasattr(value, "isoformat") else value
