"""What may be asked of one fact: frozen tests that a view holds or does not.

How they are written is read by value_text.py, phrase_text.py and time_text.py; they are put together in conditions.py.
"""

from datetime import timedelta
from typing import Any

import msgspec

from routing.folding import fold_value
from routing.regex import Pattern
from routing.view import Field, Values, View

_REPLY_MARKS = ("re ", "aw ", "sv ", "odp ", "fwd ", "fw ", "wg ", "απ ", "res ", "enc ", "rv ")


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
        return self.admits(view.values(fact.name, fact.field))

    def admits(self, found: Values) -> bool:
        """Whether values as they are compared hold."""
        if not found:
            return self.or_empty
        return self.or_any or any(self.takes(value) for value in found)

    def takes(self, value: str) -> bool:
        return (
            value in self.values
            or bool(self.suffixes and value.endswith(self.suffixes))
            or bool(self.prefixes and value.startswith(self.prefixes))
        )


class OnlyOneOf(msgspec.Struct, frozen=True, eq=False):
    """The fact has a value, and none but the listed ones."""

    listed: OneOf

    def holds(self, fact: Fact, view: View) -> bool:
        found = view.values(fact.name, fact.field)
        return bool(found) and all(self.listed.takes(value) for value in found)


class Kept(msgspec.Struct, frozen=True, eq=False):
    """A value of the fact is in a list that is kept at the desk: found among what the facts say of that list."""

    list: str

    def holds(self, fact: Fact, view: View) -> bool:
        kept = view.facts.kept.get(self.list, ())
        return bool(kept) and not {fold_value(each) for each in kept}.isdisjoint(
            view.values(fact.name, fact.field)
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


class Ranges(msgspec.Struct, frozen=True, eq=False):
    """Within one of several ranges. or_empty: `none` is listed too."""

    ranges: tuple[Range, ...]
    or_empty: bool = False

    def holds(self, fact: Fact, view: View) -> bool:
        found = view.values(fact.name, fact.field)
        if not found:
            return self.or_empty
        return any(each.takes(value) for each in self.ranges for value in found)


class Count(msgspec.Struct, frozen=True, eq=False):
    """How many of a fact's instants lie within so many seconds before the event; within_s: None = ever."""

    number: Range
    within_s: int | None = None

    def holds(self, fact: Fact, view: View) -> bool:
        return self.number.takes(self.counted(fact, view))

    def counted(self, fact: Fact, view: View) -> int:
        instants = view.raw(fact.name, fact.field)
        if self.within_s is None:
            return len(instants)
        since = view.facts.at - timedelta(seconds=self.within_s)
        return sum(1 for each in instants if each >= since)


class Empty(msgspec.Struct, frozen=True, eq=False):
    """A fact with no value, or with one."""

    wanted: bool

    def holds(self, fact: Fact, view: View) -> bool:
        return self.admits(view.values(fact.name, fact.field))

    def admits(self, found: Values) -> bool:
        """Whether values as they are compared hold."""
        return (not found) == self.wanted


class Changed(msgspec.Struct, frozen=True, eq=False):
    """The event changes the fact, from and to these; None = whatever. wanted: False = it does not change it."""

    before: OneOf | Empty | None = None
    after: OneOf | Empty | None = None
    wanted: bool = True

    def holds(self, fact: Fact, view: View) -> bool:
        change = view.change(fact.name)
        if change is None:
            return not self.wanted
        ends = zip((self.before, self.after), change, strict=True)
        return self.wanted and all(test is None or test.admits(values) for test, values in ends)


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


class Day(msgspec.Struct, frozen=True, eq=False):
    """The local date is within one of the ranges of ISO dates. calendar: whose time zone, None = UTC."""

    ranges: tuple[Range, ...]
    calendar: str | None

    def holds(self, fact: Fact, view: View) -> bool:
        day = view.local(self.calendar).date().isoformat()
        return any(each.takes(day) for each in self.ranges)


Test = (
    OneOf | OnlyOneOf | Kept | Flag | Range | Ranges | Count | Empty | Changed | Words | OnlyWords | Matches
    | Open | Weekday | Hour | Day
)  # fmt: skip
