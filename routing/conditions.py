"""Conditions: frozen trees that a view holds or does not, and that can say why.

This module is what conditions mean; how they are written is read by condition_text.py, how many of them are tried at
once is matcher.py's business. The plain evaluation here is the truth that the index is tested against.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from routing.regex import Pattern
from routing.view import Field, View

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_REPLY_MARKS = ("re ", "aw ", "sv ", "odp ", "fwd ", "fw ", "wg ", "απ ", "res ", "enc ", "rv ")
_MAX_ACTUAL_CHARACTERS = 200


class ConditionResult(msgspec.Struct, frozen=True):
    """One condition with what was wanted and what was there. held: after a surrounding `none` is taken into account."""

    field: str
    wanted: Any
    actual: Any
    held: bool


class Fact(msgspec.Struct, frozen=True, eq=False, tag=False):
    """A fact that a test is about. name: as written ("sender.domain")."""

    name: str
    field: Field


class OneOf(msgspec.Struct, frozen=True, eq=False):
    """Text equals one of the values, ends in a suffix or starts with a prefix. or_empty, or_any: `none`, `any` listed."""

    values: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    or_empty: bool = False
    or_any: bool = False

    def holds(self, fact: Fact, view: View) -> bool:
        found = view.values(fact.name, fact.field)
        if not found:
            return self.or_empty
        return self.or_any or any(self._takes(value) for value in found)

    def _takes(self, value: str) -> bool:
        return (
            value in self.values
            or bool(self.suffixes and value.endswith(self.suffixes))
            or bool(self.prefixes and value.startswith(self.prefixes))
        )


class Flag(msgspec.Struct, frozen=True, eq=False):
    """A fact that is true or false; a word counts as true."""

    wanted: bool

    def holds(self, fact: Fact, view: View) -> bool:
        return any(bool(value) for value in view.values(fact.name, fact.field)) == self.wanted


class Range(msgspec.Struct, frozen=True, eq=False):
    """A number or an ISO date within bounds, both included; None = no bound."""

    low: Any = None
    high: Any = None

    def holds(self, fact: Fact, view: View) -> bool:
        return any(self.takes(value) for value in view.values(fact.name, fact.field))

    def takes(self, value: Any) -> bool:
        if hasattr(value, "isoformat"):
            value = value.date().isoformat()
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class Empty(msgspec.Struct, frozen=True, eq=False):
    """A fact with no value, or with one."""

    wanted: bool

    def holds(self, fact: Fact, view: View) -> bool:
        return (not view.values(fact.name, fact.field)) == self.wanted


class Words(msgspec.Struct, frozen=True, eq=False):
    """One of the words or phrases occurs. literals: as they stand in folded text (" refund", " not working ")."""

    literals: tuple[str, ...]

    def holds(self, fact: Fact, view: View) -> bool:
        words = view.words(fact.name)
        return any(literal in words for literal in self.literals)

    def found(self, fact: Fact, view: View) -> list[str]:
        words = view.words(fact.name)
        return [literal.strip() for literal in self.literals if literal in words]


class OnlyWords(msgspec.Struct, frozen=True, eq=False):
    """Nothing was said but the words and phrases. Of `text`, a subject that marks a reply was not said now."""

    pattern: Any

    def holds(self, fact: Fact, view: View) -> bool:
        name = fact.name
        if name == "text" and view.words("subject")[1:].startswith(_REPLY_MARKS):
            name = "body"
        return self.pattern.fullmatch(view.words(name)) is not None


class Matches(msgspec.Struct, frozen=True, eq=False):
    """A pattern occurs."""

    pattern: Pattern

    def holds(self, fact: Fact, view: View) -> bool:
        return self.pattern.found(view.pattern_subject(fact.name, marked=self.pattern.marked))


class Open(msgspec.Struct, frozen=True, eq=False):
    """The message came inside, or outside, a calendar's open time."""

    calendar: str
    wanted: bool

    def holds(self, fact: Fact, view: View) -> bool:
        return view.is_open(self.calendar) == self.wanted


class Weekday(msgspec.Struct, frozen=True, eq=False):
    """The local weekday is one of these; Monday is 0. calendar: whose time zone, None = UTC."""

    days: frozenset[int]
    calendar: str | None

    def holds(self, fact: Fact, view: View) -> bool:
        return view.local(self.calendar).weekday() in self.days


class Hour(msgspec.Struct, frozen=True, eq=False):
    """The local hour, 0 to 23, is within one of the ranges. calendar: whose time zone, None = UTC."""

    ranges: tuple[Range, ...]
    calendar: str | None

    def holds(self, fact: Fact, view: View) -> bool:
        hour = view.local(self.calendar).hour
        return any(each.takes(hour) for each in self.ranges)


Test = OneOf | Flag | Range | Empty | Words | OnlyWords | Matches | Open | Weekday | Hour


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
    return _shortened(view.raw(leaf.fact.name, leaf.fact.field))


def _shortened(values: tuple[Any, ...]) -> Any:
    short = [_plain(value) for value in values[:20]]
    return short[0] if len(values) == 1 else short or None


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_MAX_ACTUAL_CHARACTERS]
    return value.isoformat() if hasattr(value, "isoformat") else value
