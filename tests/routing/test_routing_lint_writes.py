"""Writes that always lose, two writers of one field, and how long all of it takes."""

import pytest

from routing import lint_relations, lint_rules, lint_writers, rulebook
from routing.conditions import Condition
from tests.rows import every_row

BASE = """\
version: 1
agents: {ania: {email: ania@example.com}}
teams: {t: {levels: {l1: [ania]}}, u: {levels: {l1: [ania]}}}
default: {team: t}
"""


def told(rules: str) -> list[tuple[str, str]]:
    found = rulebook.load({"r.yaml": BASE + rules}).warnings
    return [(each.code, each.message) for each in found]


def codes(rules: str) -> list[str]:
    return [code for code, _ in told(rules)]


def two(section: str, first: str, second: str) -> str:
    return f"{section}:\n  - {{id: a, {first}}}\n  - {{id: b, {second}}}\n"


def test_what_a_later_enrich_rule_writes_loses_to_one_that_always_applies_as_well() -> None:
    rules = two(
        "enrich",
        "when: {channel: email}, then: {team: t}",
        "when: {channel: email, language: pl}, then: {team: u}",
    )
    message = "'team' of rule 'b' always loses to 'a' in line 6, which matches too"
    assert told(rules) == [("lost-write", message)]


@every_row(
    ("first", "second"),
    [
        ("when: {channel: email}, then: {team: t}", "when: {channel: email, language: pl}, then: {team: t}"),
        ("when: {channel: email}, then: {tags: x}", "when: {channel: email, language: pl}, then: {tags: y}"),
        (
            "when: {channel: email}, then: {priority: low}",
            "when: {channel: email, language: pl}, then: {priority: high}",
        ),
        (
            "when: {channel: email}, then: {sla: none}",
            "when: {channel: email}, then: {priority: low}",
        ),
    ],
)
def test_what_adds_up_or_says_the_same_is_not_lost(first: str, second: str) -> None:
    assert codes(two("enrich", first, second)) == []


def test_a_lower_priority_of_a_route_rule_loses_to_an_enrich_rule_that_it_implies() -> None:
    enrich = "enrich: [{id: vip, when: {channel: email}, then: {priority: urgent}}]\n"
    route = "route: [{id: r, when: {channel: email, language: pl}, then: {team: t, priority: low}}]\n"
    assert codes(enrich + route) == ["lost-write"]
    assert codes(enrich + route.replace("low", "urgent")) == []


def test_react_rules_are_compared_only_when_they_wait_for_the_same() -> None:
    first = "on: customer_replied, when: {channel: email}, then: {team: t}"
    second = "on: {event}, when: {{channel: email, language: pl}}, then: {{team: u}}"
    assert codes(two("react", first, second.format(event="customer_replied"))) == ["lost-write"]
    assert codes(two("react", first, second.format(event="reopened"))) == []


@every_row(
    ("first", "second", "is_told"),
    [
        ("{text.words: [refund]}", "{text.words: [outage]}", True),
        ("{sender.domain: a.example}", "{channel: email}", True),
        ("{recipient: a@x.example}", "{recipient: b@x.example}", True),
        ("{sender.domain: a.example}", "{sender.domain: [b.example, c.example]}", False),
        ("{language: pl, text.words: [a]}", "{language: en, text.words: [b]}", False),
        ("{channel: email}", "{none: {channel: [email, sms]}, language: pl}", False),
    ],
)
def test_two_enrich_rules_that_can_meet_and_write_one_field_are_told(
    first: str, second: str, *, is_told: bool
) -> None:
    rules = two("enrich", f"when: {first}, then: {{team: t}}", f"when: {second}, then: {{team: u}}")
    assert codes(rules) == (["two-writers"] if is_told else [])


def test_two_rules_that_meet_and_write_the_same_are_not_told() -> None:
    rules = two(
        "enrich",
        "when: {text.words: [refund]}, then: {team: t}",
        "when: {text.words: [money]}, then: {team: t}",
    )
    assert codes(rules) == []


def test_a_narrow_rule_before_a_wide_one_wins_and_only_the_wide_one_is_told() -> None:
    rules = two(
        "enrich",
        "when: {channel: email, language: pl}, then: {team: t}",
        "when: {channel: email}, then: {team: u}",
    )
    assert codes(rules) == ["two-writers"]


def test_a_rule_is_told_once_for_a_field_however_many_it_meets() -> None:
    names = "abcdefghij"
    lines = [
        f"  - {{id: {name}, when: {{text.words: [{name}{name}]}}, then: {{team: {'tu'[number % 2]}}}}}\n"
        for number, name in enumerate(names)
    ]
    assert codes("enrich:\n" + "".join(lines)) == ["two-writers"] * 9


def generated(count: int) -> str:
    """Rules of every usual kind, half of them enrich."""
    kinds = (
        "{{text.words: [wort{0}, wort{1}]}}",
        "{{sender.domain: d{0}.example, channel: email}}",
        "{{channel: [email, sms], text.words: ['wort{0} now']}}",
        "{{any: [{{sender.address: a{0}@x.example}}, {{text.regex: 'err{0}x'}}]}}",
        "{{sender.domain: '*.s{0}.example', none: {{language: pl}}}}",
        "{{ticket.tags: t{0}}}",
        "{{spam.score: {{at_least: {0}}}, language: de}}",
    )
    lines = []
    for number in range(count):
        if number in (0, count // 2):
            lines.append("enrich:\n" if number == 0 else "route:\n")
        when = kinds[number % len(kinds)].format(number, number + 1)
        lines.append(f"  - {{id: r{number}, when: {when}, then: {{team: {'tu'[number % 3 == 0]}}}}}\n")
    return BASE + "".join(lines)


@pytest.mark.slow
def test_twice_the_rules_are_about_twice_the_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work grows with the rules, not with their pairs."""
    compared = 0
    implies = lint_relations.implies

    def counting(one: Condition, other: Condition) -> bool:
        nonlocal compared
        compared += 1
        return implies(one, other)

    monkeypatch.setattr(lint_relations, "implies", counting)

    def cost(count: int) -> int:
        nonlocal compared
        book = rulebook.load({"r.yaml": generated(count)}, is_checked=True)
        compared = 0
        list(lint_rules.hidden(book.route))
        list(lint_rules.lost_writes(book))
        list(lint_writers.two_writers(book.enrich))
        return compared

    small, large = cost(700), cost(1_400)
    assert small > 0
    assert large < 3 * small
