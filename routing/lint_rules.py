"""Rules that can't do what was meant: that never match, that an earlier one hides, whose write always loses."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from routing import lint_relations as relations
from routing.conditions import leaves
from routing.lint_index import Filed
from routing.problems import Problem
from routing.rules import React, Rule, Write
from routing.sla import PRIORITIES

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

MAX_TRIED = 60  # of one rule against earlier ones: what is found later than that is not worth the wait

FIRST_WRITER = ("team", "level", "agent", "nature", "language", "status", "skills")
"""Fields that go to the first writer of a stage; field.NAME too."""


def at(rule: Rule, code: str, message: str, hint: str = "") -> Problem:
    """A warning at a rule."""
    return Problem(rule.file, rule.line, rule.column, "warning", code, message, hint)


def never_matching(rules: Sequence[Rule]) -> Iterator[Problem]:
    """Rules whose conditions exclude each other."""
    for rule in rules:
        if relations.is_impossible(rule.when):
            hint = "two of its conditions exclude each other"
            yield at(rule, "never-matches", f"rule '{rule.id}' can never match", hint)


def hidden(route: Sequence[Rule]) -> Iterator[Problem]:
    """Route rules that never get their turn, because an earlier one holds whenever they do."""
    for rule, earlier in _covered(route):
        where = f"line {earlier.line}" if earlier.file == rule.file else f"{earlier.file}:{earlier.line}"
        message = f"rule '{rule.id}' is hidden by '{earlier.id}' in {where}, which always matches first"
        yield at(rule, "hidden-rule", message, "move it up, or narrow the earlier one")


def _covered(rules: Sequence[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """Each rule with the first earlier one that it implies."""
    filed = Filed(rule.when for rule in rules)
    for position, rule in enumerate(rules):
        earlier = next((each for each in _covering(filed, rules, rule) if each < position), None)
        if earlier is not None:
            yield rule, rules[earlier]


def _covering(filed: Filed, rules: Sequence[Rule], rule: Rule) -> Iterator[int]:
    """Positions of the other rules that hold whenever this one does."""
    for position in filed.that_may_cover(rule.when)[:MAX_TRIED]:
        other = rules[position]
        if other is rule or not relations.is_comparable(rule.when, other.when):
            continue
        if relations.implies(rule.when, other.when):
            yield position


# -- writes that lose -------------------------------------------------------------------------------------------------


def lost_writes(rulebook: "Rulebook") -> Iterator[Problem]:
    """Writes that another rule's, which always applies as well, is stronger than."""
    yield from _lost(rulebook.enrich, rulebook.enrich)
    yield from _lost(rulebook.route, [rule for rule in rulebook.enrich if not _asks_for_ticket(rule)])
    yield from _lost_in_react(rulebook.react)


def _lost(rules: Sequence[Rule], others: Sequence[Rule]) -> Iterator[Problem]:
    filed = Filed(rule.when for rule in others)
    order = {id(rule): position for position, rule in enumerate(others)}
    for rule in rules:
        own = order.get(id(rule))
        for position in _covering(filed, others, rule):
            is_earlier = own is not None and position < own
            yield from (
                _lost_write(rule, write, others[position])
                for write in _losing(rule, others[position], is_first=is_earlier)
            )


def _lost_in_react(react: Sequence[React]) -> Iterator[Problem]:
    """Among rules for later events only those are compared that wait for the same thing."""
    groups: dict[object, list[Rule]] = {}
    for each in react:
        groups.setdefault((each.on, each.quiet, each.daily), []).append(each.rule)
    for rules in groups.values():
        yield from _lost(rules, rules)


def _asks_for_ticket(rule: Rule) -> bool:
    """Whether it sees something else in the next stage, which knows what this one decided."""
    return any(leaf.fact.name.startswith("ticket.") for leaf in leaves(rule.when))


def _losing(rule: Rule, other: Rule, *, is_first: bool) -> Iterator[Write]:
    theirs = {write.field: write for write in other.then}
    for write in rule.then:
        against = theirs.get(write.field)
        if against is None or against.value == write.value:
            continue
        if (is_first and is_first_writer(write.field)) or _is_lower(write, against):
            yield write


def is_first_writer(field: str) -> bool:
    """Whether the field goes to the first writer of a stage."""
    return field in FIRST_WRITER or field.startswith("field.")


def _is_lower(write: Write, other: Write) -> bool:
    known = write.value in PRIORITIES and other.value in PRIORITIES
    return (
        write.field == "priority" and known and PRIORITIES.index(write.value) < PRIORITIES.index(other.value)
    )


def _lost_write(rule: Rule, write: Write, other: Rule) -> Problem:
    message = f"'{write.field}' of rule '{rule.id}' always loses to '{other.id}' in line {other.line}, which matches too"
    return at(rule, "lost-write", message, "remove it, or narrow the other rule")
