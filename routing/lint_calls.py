"""Rules that wait for a choice which no phone menu of this installation has."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from routing.conditions import OneOf, leaves
from routing.lint_means import Means
from routing.lint_rules import at
from routing.problems import Problem, did_you_mean

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

FACT = "call.choice"


def unknown_choices(rulebook: "Rulebook", means: Means) -> Iterator[Problem]:
    """Choices that nobody can press, each with the one that may be meant; nothing where no menu is known."""
    if not means.choices:
        return
    for rule in (*rulebook.rules, *(each.rule for each in rulebook.react)):
        tests = [leaf.test for leaf in leaves(rule.when) if leaf.fact.name == FACT]
        wanted = {value for test in tests if isinstance(test, OneOf) for value in test.values}
        for name in sorted(wanted - means.choices):
            hint = did_you_mean(name, means.choices) or f"there are: {', '.join(sorted(means.choices))}"
            yield at(rule, "unknown-choice", f"rule '{rule.id}': no phone menu here has '{name}'", hint)
