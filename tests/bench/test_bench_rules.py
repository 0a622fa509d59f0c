"""What the rules are measured on is worth measuring: every engine gives the same answers."""

import pytest

from bench import engines, generated, rules
from bench.generated import GeneratedMessage, GeneratedRule
from routing import explain, rulebook
from routing.rulebook import Rulebook


@pytest.fixture(scope="module")
def rules_() -> list[GeneratedRule]:
    return generated.rules(1_000)


@pytest.fixture(scope="module")
def messages() -> list[GeneratedMessage]:
    return generated.messages(60)


@pytest.fixture(scope="module")
def book(rules_: list[GeneratedRule]) -> Rulebook:
    return rulebook.load({"rules.yaml": generated.rulebook_text(rules_)})


@pytest.fixture(scope="module")
def truth(book: Rulebook, messages: list[GeneratedMessage]) -> list[tuple[str, ...]]:
    return [explain.matching(book, message.facts) for message in messages]


def test_the_index_finds_what_the_plain_evaluator_finds(
    book: Rulebook, messages: list[GeneratedMessage], truth: list[tuple[str, ...]]
) -> None:
    """On every generated message, rules of both stages among them."""
    assert [rules.matched(book, rules.folded(book, message)) for message in messages] == truth


def test_plain_closures_find_the_same(
    rules_: list[GeneratedRule], messages: list[GeneratedMessage], truth: list[tuple[str, ...]]
) -> None:
    """So that the time they take is time for the same work."""
    match = engines.closures(rules_)
    assert [tuple(match(message.context)) for message in messages] == truth


@pytest.mark.slow
def test_every_engine_that_is_installed_finds_the_same(
    rules_: list[GeneratedRule], messages: list[GeneratedMessage]
) -> None:
    """On a smaller rulebook: some of them take a second for a message."""
    few = rules_[:200]
    truth = [
        explain.matching(rulebook.load({"r.yaml": generated.rulebook_text(few)}), each.facts)
        for each in messages[:8]
    ]
    for make in engines.matchers().values():
        if make is not None:
            match = make(few)
            assert [tuple(match(each.context)) for each in messages[:8]] == truth


@pytest.mark.slow
def test_the_generated_messages_meet_rules_of_each_kind() -> None:
    """Words, patterns, domains and addresses all find something, and not every message meets a rule."""
    many = generated.rules(10_000)
    match = engines.closures(many)
    kinds = {rule.id: rule.tests[-1][:2] for rule in many}
    found = [match(each.context) for each in generated.messages(300)]
    met = {kinds[each] for one in found for each in one}
    assert {
        ("text", "words"),
        ("text", "regex"),
        ("sender.domain", "one_of"),
        ("sender.address", "one_of"),
    } <= met
    assert [] in found


def test_a_smaller_rulebook_is_the_beginning_of_a_larger_one(rules_: list[GeneratedRule]) -> None:
    """So that growth is measured on the same rules."""
    assert generated.rules(100) == rules_[:100]
