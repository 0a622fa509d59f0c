"""What only shows when a rulebook is whole: warnings of what loads and yet can't do what was meant.

Only what is certain is said. One module for each subject (lint_*.py); a new warning is a function there, a line here
and an entry with an example in lint_codes.py.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from routing import (
    lint_calls,
    lint_means,
    lint_people,
    lint_policies,
    lint_rules,
    lint_schedules,
    lint_words,
    lint_writers,
    naming,
    yaml_text,
)
from routing.lint_means import Means
from routing.problems import Problem
from routing.yaml_text import Node

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

__all__ = ["Means", "configured", "dated", "errors", "untested", "warnings"]


def warnings(rulebook: "Rulebook", nodes: Mapping[str, Mapping[str, Node]]) -> tuple[Problem, ...]:
    """Everything that the rules alone show, in no order. nodes: section -> name -> where it is written."""
    everything = (*rulebook.rules, *(each.rule for each in rulebook.react))
    return (
        *lint_rules.never_matching(everything),
        *lint_rules.hidden(rulebook.route),
        *lint_rules.lost_writes(rulebook),
        *lint_writers.two_writers(rulebook.enrich),
        *lint_policies.targets_without_step(rulebook, nodes),
        *lint_people.nobody_there(rulebook, nodes),
        *lint_people.unreachable_agents(rulebook, nodes),
    )


def errors(rulebook: "Rulebook", nodes: Mapping[str, Mapping[str, Node]]) -> Iterator[Problem]:
    """Policies whose time never comes."""
    return lint_policies.never_due(rulebook, nodes)


def configured(rulebook: "Rulebook", means: Means) -> tuple[Problem, ...]:
    """What shows only when the rest of the configuration is known as well, in no order."""
    nodes = _Written(rulebook.files)
    return (
        *lint_means.idle(rulebook, means, nodes),
        *lint_means.untranslated(rulebook, means, nodes),
        *lint_calls.unknown_choices(rulebook, means),
        *lint_words.wide_words(rulebook, means),
    )


def dated(rulebook: "Rulebook", at: datetime) -> tuple[Problem, ...]:
    """What is wrong with the weeks that follow an instant, in no order."""
    return tuple(lint_schedules.dated(rulebook, _Written(rulebook.files), at))


def untested(rulebook: "Rulebook", touched: Collection[str]) -> tuple[Problem, ...]:
    """Hints at rules that no test made match. touched: ids of the rules that one did."""
    rules = (*rulebook.rules, *(each.rule for each in rulebook.react))
    found = (
        lint_rules.at(rule, "untested", f"no test makes rule '{rule.id}' match", "add one under tests:")
        for rule in rules
        if rule.id not in touched
    )
    return tuple(msgspec.structs.replace(each, severity="hint") for each in found)


class _Written(dict[str, Mapping[str, Node]]):
    """Section -> name -> node, read again from the files when a problem has to be placed."""

    def __init__(self, files: Mapping[str, str]) -> None:
        super().__init__()
        self._files = files
        self._documents: list[Node] | None = None

    def __missing__(self, section: str) -> Mapping[str, Node]:
        if self._documents is None:
            self._documents = [yaml_text.read(text, file=name) for name, text in self._files.items()]
        nodes = [each.value[section] for each in self._documents if each.is_mapping and section in each.value]
        self[section] = naming.entries(nodes, section, [])
        return self[section]
