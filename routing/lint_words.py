"""Words so wide that they say little: counted in texts of stored messages, which the caller brings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import ahocorasick_rs

from routing import folding
from routing.conditions import leaves
from routing.lint_means import ENOUGH_TEXTS, WIDE_SHARE, Means
from routing.lint_rules import at
from routing.predicates import Words
from routing.problems import Problem
from routing.rules import Rule

if TYPE_CHECKING:
    from routing.rulebook import Rulebook


def wide_words(rulebook: "Rulebook", means: Means) -> Iterator[Problem]:
    """Words of rules that stand in a large share of the stored messages; nothing when too few were counted."""
    if means.texts < ENOUGH_TEXTS:
        return
    for rule in _rules(rulebook):
        for literal in dict.fromkeys(_literals(rule)):
            share = means.shares.get(literal, 0.0)
            if share >= WIDE_SHARE:
                message = f"'{_as_written(literal)}' of rule '{rule.id}' is in {share:.0%} of {means.texts} stored messages"
                yield at(rule, "wide-words", message, "choose rarer words, or add a second condition")


def shares(rulebook: "Rulebook", texts: Iterable[str]) -> tuple[Mapping[str, float], int]:
    """For Means.shares and Means.texts: in what share of the texts each word of a rule occurs, and how many texts."""
    literals = sorted({literal for rule in _rules(rulebook) for literal in _literals(rule)})
    if not literals:
        return {}, 0
    automaton = ahocorasick_rs.BytesAhoCorasick([each.encode() for each in literals])
    found: Counter[int] = Counter()
    total = 0
    for text in texts:
        total += 1
        hits = automaton.find_matches_as_indexes(folding.fold(text).encode(), overlapping=True)
        found.update({hit[0] for hit in hits})
    return {literals[index]: count / total for index, count in found.items()}, total


def _rules(rulebook: "Rulebook") -> tuple[Rule, ...]:
    return (*rulebook.rules, *(each.rule for each in rulebook.react))


def _literals(rule: Rule) -> Iterator[str]:
    for leaf in leaves(rule.when):
        if isinstance(leaf.test, Words):
            yield from leaf.test.literals


def _as_written(literal: str) -> str:
    return literal.strip() + ("" if literal.endswith(" ") else "*")
