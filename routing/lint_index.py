"""Rules filed by what they cannot do without, so that the few that may cover another one are found without trying all."""

from collections.abc import Iterable, Iterator

import ahocorasick_rs

from routing import matcher
from routing.conditions import Condition, Group, Leaf, leaves
from routing.predicates import Matches, OneOf, Words

_Key = tuple[str, str, str]  # kind, fact, value
_ALWAYS: _Key = ("always", "", "")
_PIECE = "piece"


class Filed:
    """Conditions by position, filed like in matcher.Index and, where nothing is required, by the facts they ask for."""

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self._filed: dict[_Key, list[int]] = {}
        for position, condition in enumerate(conditions):
            for key in _keys(condition):
                self._filed.setdefault(key, []).append(position)
        self._pieces = [value for kind, _, value in self._filed if kind == _PIECE]
        encoded = [piece.encode() for piece in self._pieces]
        self._automaton = ahocorasick_rs.BytesAhoCorasick(encoded) if encoded else None

    def that_may_cover(self, condition: Condition) -> list[int]:
        """Positions, in order, of the conditions that this one may imply; every one that it does imply is among them."""
        found = set(self._filed.get(_ALWAYS, ()))
        for part in _parts(condition):
            for key in self._looked_up(part):
                found.update(self._filed.get(key, ()))
        return sorted(found)

    def _looked_up(self, part: Condition) -> Iterator[_Key]:
        for leaf in leaves(part):
            yield ("none", _family(leaf), "")
        if not isinstance(part, Leaf):
            return
        test, name = part.test, part.fact.name
        yield ("fact", _family(part), "")
        if isinstance(test, OneOf):
            yield from _value_keys(name, test)
        elif isinstance(test, Words) and test.literals:
            yield from self._pieces_in(test.literals[0])
        elif isinstance(test, Matches) and test.pattern.literals:
            yield from self._pieces_in(max(test.pattern.literals, key=len))

    def _pieces_in(self, text: str) -> Iterator[_Key]:
        if self._automaton is None:
            return
        for hit in self._automaton.find_matches_as_indexes(text.encode(), overlapping=True):
            yield (_PIECE, "", self._pieces[hit[0]])


def _value_keys(name: str, test: OneOf) -> Iterator[_Key]:
    """Where a condition that takes all of the test's values must be filed, looked up by one of them."""
    value = min(test.values) if test.values else next(iter((*test.suffixes, *test.prefixes)), "")
    yield ("value", name, value)
    for start, letter in enumerate(value):
        if letter == ".":
            yield ("suffix", name, value[start:])
        elif letter == "/":
            yield ("prefix", name, value[: start + 1])


def _parts(condition: Condition) -> Iterator[Condition]:
    """What has to hold together; of an `any`, each member of which implies what the whole does, the first."""
    if isinstance(condition, Group) and condition.mode == "all":
        for member in condition.members:
            yield from _parts(member)
    elif isinstance(condition, Group) and condition.mode == "any":
        yield from _parts(condition.members[0]) if condition.members else ()
    else:
        yield condition


def _keys(condition: Condition) -> frozenset[_Key]:
    """Of these at least one is looked up by every condition that implies this one."""
    required = matcher.requirement(condition)
    if required is None:
        return _wider_keys(condition)
    return frozenset(
        (_PIECE, "", key.value) if not key.field else ("value", key.field, key.value) for key in required
    )


def _wider_keys(condition: Condition) -> frozenset[_Key]:
    if isinstance(condition, Leaf):
        test, name = condition.test, condition.fact.name
        if isinstance(test, OneOf) and not (test.or_empty or test.or_any):
            keys = [
                *(("value", name, each) for each in test.values),
                *(("suffix", name, each) for each in test.suffixes),
            ]
            return frozenset((*keys, *(("prefix", name, each) for each in test.prefixes)))
        return frozenset((("fact", _family(condition), ""),))
    if condition.mode == "none":
        return frozenset(("none", _family(leaf), "") for leaf in leaves(condition)) or frozenset((_ALWAYS,))
    if condition.mode == "any":
        return frozenset(key for member in condition.members for key in _keys(member))
    return min((_keys(member) for member in condition.members), key=_width, default=frozenset((_ALWAYS,)))


def _width(keys: frozenset[_Key]) -> tuple[int, int]:
    """How many rules are likely to be filed beside it: values are rarer than facts."""
    widest = max(
        ("value", "suffix", "prefix", _PIECE, "fact", "none", "always").index(kind) for kind, _, _ in keys
    )
    return widest, len(keys)


def _family(leaf: Leaf) -> str:
    return leaf.fact.name.replace("time.outside", "time.inside")
