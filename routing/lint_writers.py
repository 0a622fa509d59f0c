"""Two enrich rules that can both match and write one field: the first in the file wins, which is seldom meant.

Not every pair is tried: rules that ask for other values of one fact exclude each other and are never brought together.
"""

from collections.abc import Iterator, Sequence

from routing import lint_relations as relations
from routing.lint_rules import at, is_first_writer
from routing.problems import Problem
from routing.rules import Rule, Write

_MAX_TRIED = 50
_MAX_VALUES = 1_000


class _Writer:
    """One rule's write of one field, with the facts that its condition pins to values."""

    def __init__(self, rule: Rule, write: Write) -> None:
        self.rule = rule
        self.value = write.value
        self.pins = relations.pins(rule.when)


def two_writers(enrich: Sequence[Rule]) -> Iterator[Problem]:
    """Each rule is told once for a field, with the first earlier rule that it can meet."""
    by_field: dict[str, list[_Writer]] = {}
    for rule in enrich:
        for write in rule.then:
            if is_first_writer(write.field):
                by_field.setdefault(write.field, []).append(_Writer(rule, write))
    for field, writers in by_field.items():
        yield from _of_field(field, writers)


def _of_field(field: str, writers: Sequence[_Writer]) -> Iterator[Problem]:
    met = _Met(_most_telling(writers))
    for writer in writers:
        earlier = met.first_that_meets(writer)
        if earlier is not None:
            message = f"rules '{earlier.rule.id}' in line {earlier.rule.line} and '{writer.rule.id}' can both match and write '{field}'"
            yield at(
                writer.rule, "two-writers", message, f"'{earlier.rule.id}' wins; let one exclude the other"
            )
        met.add(writer)


def _most_telling(writers: Sequence[_Writer]) -> list[str]:
    """The pinned facts, the one with the most values first."""
    values: dict[str, set[str]] = {}
    for writer in writers:
        for fact, wanted in writer.pins.items():
            values.setdefault(fact, set()).update(wanted)
    return sorted(values, key=lambda fact: -len(values[fact]))


class _Met:
    """Writers so far: by the value of the most telling fact that each pins, the others together."""

    def __init__(self, facts: Sequence[str]) -> None:
        self._facts = facts
        self._free: list[_Writer] = []
        self._pinned: dict[str, list[_Writer]] = {fact: [] for fact in facts}
        self._by_value: dict[tuple[str, str], list[_Writer]] = {}

    def add(self, writer: _Writer) -> None:
        fact = next((each for each in self._facts if each in writer.pins), None)
        if fact is None:
            self._free.append(writer)
            return
        self._pinned[fact].append(writer)
        for value in writer.pins[fact]:
            self._by_value.setdefault((fact, value), []).append(writer)

    def first_that_meets(self, writer: _Writer) -> _Writer | None:
        """An earlier writer of another value that no fact keeps apart from this one; None when none is certain."""
        for known in self._candidates(writer):
            for earlier in known[:_MAX_TRIED]:
                if earlier.value != writer.value and _can_meet(earlier.rule, writer.rule):
                    return earlier
        return None

    def _candidates(self, writer: _Writer) -> Iterator[list[_Writer]]:
        yield self._free
        for fact, pinned in self._pinned.items():
            wanted = writer.pins.get(fact)
            if wanted is None:
                yield pinned
            else:
                for value in sorted(wanted)[:_MAX_VALUES]:
                    yield self._by_value.get((fact, value), [])


def _can_meet(one: Rule, other: Rule) -> bool:
    if one is other or not relations.is_comparable(one.when, other.when):
        return False
    if relations.is_impossible(one.when) or relations.is_impossible(other.when):
        return False
    covered = relations.implies(other.when, one.when)  # told as a write that always loses
    return not covered and not relations.contradicts(one.when, other.when)
