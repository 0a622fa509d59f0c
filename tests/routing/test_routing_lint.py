"""Warnings for rules that load and can't do what was meant, and none for those that can."""

import pytest

from routing import rulebook
from tests.rows import every_row

BASE = """\
version: 1
calendars:
  office: {timezone: UTC, open: {mon-fri: "09:00-17:00"}}
agents: {ania: {email: ania@example.com}}
teams: {t: {levels: {l1: [ania]}}}
default: {team: t}
"""


def codes(rules: str) -> list[tuple[int, str]]:
    return [(each.line, each.code) for each in rulebook.load({"r.yaml": BASE + rules}).warnings]


def route(*conditions: str) -> str:
    return "route:\n" + "".join(
        f"  - {{id: r{number}, when: {when}, then: {{team: t}}}}\n" for number, when in enumerate(conditions)
    )


@every_row(
    ("wide", "narrow"),
    [
        ("{channel: email}", "{channel: email}"),
        ("{channel: [email, sms]}", "{channel: SMS, language: pl}"),
        ('{text.words: "refund*"}', "{text.words: [refund, refunds]}"),
        ("{text.words: [a, refund]}", "{text.words: [refund now]}"),
        ('{sender.domain: "*.acme.com"}', "{sender.domain: a.acme.com}"),
        ("{any: [{channel: sms}, {language: pl}]}", "{all: [{language: pl}, {unreadable: true}]}"),
        ("{channel: [sms, chat, email]}", "{any: [{channel: sms}, {channel: chat}]}"),
        ("{spam.score: {at_least: 3}}", "{spam.score: {between: [4, 5]}}"),
        ("{none: [{channel: sms}]}", "{none: [{channel: sms}, {language: pl}]}"),
        ("{time: {outside: office}}", "{time: {outside: office}, channel: sms}"),
        ("{sender.name: any}", "{sender.name: Jan}"),
    ],
)  # fmt: skip
def test_a_rule_that_an_earlier_one_covers_is_hidden(wide: str, narrow: str) -> None:
    assert codes(route(wide, narrow)) == [(9, "hidden-rule")]


@every_row(
    ("first", "second"),
    [
        ("{channel: email, language: pl}", "{channel: email}"),
        ("{text.words: [refund]}", '{text.words: "refund*"}'),
        ("{subject.words: a}", "{text.words: a}"),
        ('{sender.domain: "*.acme.com"}', "{sender.domain: acme.com}"),
        ("{none: [{channel: sms}, {language: pl}]}", "{none: [{channel: sms}]}"),
        ("{sender.name: Jan}", "{sender.name: [Jan, none]}"),
        ("{spam.score: {between: [1, 5]}}", "{spam.score: {at_least: 2}}"),
        ("{spam.score: {at_most: 5}}", "{spam.score: {at_most: 6}}"),
    ],
)  # fmt: skip
def test_a_rule_that_can_still_match_is_not_called_hidden(first: str, second: str) -> None:
    assert codes(route(first, second)) == []


@every_row(
    "when",
    [
        "{all: [{channel: sms}, {channel: email}]}",
        "{all: [{channel: sms}, {not: {channel: [sms, email]}}]}",
        "{time: {inside: office}, none: [{time: {inside: office}}]}",
        "{all: [{unreadable: true}, {unreadable: false}]}",
        "{all: [{spam.score: {at_least: 5}}, {spam.score: {at_most: 4}}]}",
        "{any: [{all: [{channel: sms}, {channel: email}]}]}",
        "{all: [{sender.name: none}, {sender.name: any}]}",
    ],
)
def test_a_rule_whose_conditions_exclude_each_other_never_matches(when: str) -> None:
    assert codes(route(when)) == [(8, "never-matches")]


@pytest.mark.parametrize(
    "when",
    [
        "{all: [{recipient: a@x.example}, {recipient: b@x.example}]}",
        "{all: [{channel: sms}, {channel: [sms, email]}]}",
        '{all: [{sender.domain: "*.acme.com"}, {sender.domain: eu.acme.com}]}',
    ],
)
def test_a_rule_that_can_match_is_not_called_impossible(when: str) -> None:
    assert codes(route(when)) == []


def test_a_target_without_a_step_is_told() -> None:
    rules = """\
sla:
  a: {calendar: office, first_response: 1h, resolution: 2h, ladder: l}
  b: {calendar: office, resolution: 2h}
ladders:
  l: [{at: first_response breach, notify: l1}]
"""
    found = rulebook.load({"r.yaml": BASE + rules}).warnings
    assert [(each.line, each.message) for each in found] == [
        (8, "nobody is told when 'resolution' of policy 'a' is missed: ladder 'l' has no step for it"),
        (9, "nobody is told when 'resolution' of policy 'b' is missed: it has no ladder"),
    ]
