"""Which rules can match at all: an index over what each of them cannot do without.

A rule is filed under its most selective requirement: values of which a fact must have one, or pieces of which the
folded text must hold one. One pass over the text (Aho–Corasick) and one look-up per fact give the candidates; a rule
that requires nothing is always one. Candidates are then tried with the plain evaluator, so the index can only save
work, never change a decision.
"""

from collections.abc import Iterable

import ahocorasick_rs
import msgspec

from routing.conditions import Condition, Group, Leaf, Matches, OneOf, Words
from routing.fact_table import field_named, is_settled
from routing.rules import Rule
from routing.view import View

_TEXT = ""  # the field of pieces of text
_PIECES_ARE_OF = ("text", "subject", "body")  # all of them are part of `text`
_MAX_KEYS = 10_000

# How large a share of messages one value of a fact is likely to have; a guess is enough to choose the better one.
_SHARE = {
    _TEXT: 0.02,
    "channel": 0.6,
    "account": 0.4,
    "recipient": 0.3,
    "language": 0.3,
    "direction": 0.9,
    "created_by": 0.8,
    "sender.address": 0.001,
    "sender.phone": 0.001,
    "sender.domain": 0.01,
    "customer.organization": 0.02,
}
_SHARE_OF_OTHERS = 0.1
_SHARE_OF_SHORT_PIECES = 0.3  # two letters without a boundary occur nearly everywhere


class Key(msgspec.Struct, frozen=True):
    """A requirement: the fact has this value, or (field "") the folded text holds this piece."""

    field: str
    value: str


class Index:
    """Candidates among rules, by position. Made once for a rulebook; safe to use from several threads."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._always: set[int] = set()
        self._by_value: dict[str, dict[str, set[int]]] = {}
        by_piece: dict[str, set[int]] = {}
        for position, rule in enumerate(rules):
            keys = requirement(rule.when)
            if keys is None:
                self._always.add(position)
                continue
            for key in keys:
                filed = by_piece if key.field == _TEXT else self._by_value.setdefault(key.field, {})
                filed.setdefault(key.value, set()).add(position)
        self._rules_of_piece = list(by_piece.values())
        pieces = [piece.encode() for piece in by_piece]
        self._automaton = ahocorasick_rs.BytesAhoCorasick(pieces) if pieces else None
        self._fields = {name: field for name in self._by_value if (field := field_named(name)) is not None}

    def candidates(self, view: View) -> list[int]:
        """Positions of the rules that may hold for a message, in order; every rule that does hold is among them."""
        found = set(self._always)
        for name, field in self._fields.items():
            filed = self._by_value[name]
            for value in view.values(name, field):
                found.update(filed.get(value, ()))
        if self._automaton is not None:
            text = view.words("text").encode()
            hits = {hit[0] for hit in self._automaton.find_matches_as_indexes(text, overlapping=True)}
            for piece in hits:
                found |= self._rules_of_piece[piece]
        return sorted(found)


def requirement(condition: Condition) -> frozenset[Key] | None:
    """Keys of which at least one must be there for the condition to hold; None = nothing is required."""
    if isinstance(condition, Leaf):
        return _leaf_requirement(condition)
    return _group_requirement(condition)


def _group_requirement(group: Group) -> frozenset[Key] | None:
    if group.mode == "none":
        return None
    required = [requirement(member) for member in group.members]
    if group.mode == "all":
        known = [keys for keys in required if keys is not None]
        return min(known, key=_share, default=None)
    if any(keys is None for keys in required):
        return None
    union = frozenset(key for keys in required if keys is not None for key in keys)
    return union if len(union) <= _MAX_KEYS else None


def _leaf_requirement(leaf: Leaf) -> frozenset[Key] | None:
    test, name = leaf.test, leaf.fact.name
    if isinstance(test, Words) and name in _PIECES_ARE_OF:
        return frozenset(Key(_TEXT, literal) for literal in test.literals)
    if isinstance(test, Matches) and name in _PIECES_ARE_OF and test.pattern.literals:
        return frozenset((Key(_TEXT, max(test.pattern.literals, key=len)),))
    if isinstance(test, OneOf) and _is_indexable(name, test):
        return frozenset(Key(name, value) for value in test.values)
    return None


def _is_indexable(name: str, test: OneOf) -> bool:
    """Only plain values of facts that are the same in every stage: `ticket.X` is not decided when the index is asked."""
    if test.suffixes or test.prefixes or test.or_empty or test.or_any or len(test.values) > _MAX_KEYS:
        return False
    field = field_named(name) if is_settled(name) else None
    return field is not None and field.type != "prose"


def _share(keys: frozenset[Key]) -> float:
    """The share of messages that are likely to have one of the keys; the smallest is the most selective."""
    return sum(_key_share(key) for key in keys)


def _key_share(key: Key) -> float:
    if key.field == _TEXT and len(key.value) < 4 and key.value[0] != " ":
        return _SHARE_OF_SHORT_PIECES
    return _SHARE.get(key.field, _SHARE_OF_OTHERS)
