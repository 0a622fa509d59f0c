"""A rulebook that somebody broke is refused with places, or works: never anything else. See garbage.py."""

import random
import re
from pathlib import Path

import pytest

from routing import action_text, rulebook, sections
from routing.problems import MOST_ERRORS, ConfigError, Problem
from tests.routing import garbage
from tests.rows import every_row

SHIPPED = (Path(__file__).parents[2] / "config" / "rules.yaml").read_text("utf-8")
HEAD = "version: 1\nagents: {ania: {}}\nteams: {desk: {levels: {l1: [ania]}}}\ndefault: {team: desk}\n"


def refused(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as error:
        rulebook.load({"rules.yaml": text})
    return error.value.problems


def test_the_whole_language_is_good() -> None:
    book, problems = garbage.loaded(garbage.WHOLE)
    assert (book is not None, problems) == (True, ())


def test_the_whole_language_has_every_section_and_action() -> None:
    words = set(re.findall(r"[\w.]+(?=:)", garbage.WHOLE))
    assert {*sections.SECTIONS, *action_text.ACTIONS} - words == set()


@pytest.mark.slow
@every_row("first", range(0, 300, 50))
def test_a_broken_rulebook_is_refused_with_places_or_works(first: int) -> None:
    for seed in range(first, first + 50):
        garbage.check(garbage.broken(seed))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, 10_000, 1_000))
def test_ten_thousand_broken_rulebooks_are_refused_with_places_or_work(first: int) -> None:
    for seed in range(first, first + 1_000):
        garbage.check(garbage.broken(seed))


@every_row("seed", range(30))
def test_turned_characters_of_the_shipped_rules_are_refused_or_work(seed: int) -> None:
    chance = random.Random(seed)
    characters = list(SHIPPED)
    for _ in range(chance.randint(1, 6)):
        characters[chance.randrange(len(characters))] = chance.choice("{}[]:,'\"#&*!|>%@`\n\t -\x00\ud800é")
    garbage.check("".join(characters))


# -- as much as a file can hold -------------------------------------------------------------------------------------


def test_errors_without_end_are_told_up_to_a_thousand() -> None:
    rules = "".join(f"  - {{id: r{i}, when: {{channel: sms}}, then: {{team: t{i}}}}}\n" for i in range(3_000))
    found = refused(f"{HEAD}route:\n{rules}")
    assert len(found) <= MOST_ERRORS + 1
    assert [each.message for each in found if each.code == "too-many"] == [
        f"there are more than {MOST_ERRORS} errors; the others are not looked for"
    ]


def test_a_near_name_among_many_is_found() -> None:
    teams = "".join(f"  team{i}: {{levels: {{l1: [ania]}}}}\n" for i in range(2_000))
    text = f"version: 1\nagents: {{ania: {{}}}}\nteams:\n{teams}default: {{team: taem1234}}\n"
    assert [each.hint for each in refused(text)] == ["did you mean 'team1234'?"]


def test_conditions_that_name_each_other_again_and_again_are_refused() -> None:
    names = "".join(f"  c{i}: {{all: [c{i - 1}, c{i - 1}, c{i - 1}]}}\n" for i in range(1, 19))
    text = f"{HEAD}conditions:\n  c0: {{channel: sms}}\n{names}"
    assert [(each.line, each.code) for each in refused(text)] == [(14, "too-big")]


def test_a_rule_of_far_too_many_conditions_is_refused() -> None:
    members = ", ".join(["{channel: sms}"] * 6_000)
    text = f"{HEAD}route: [{{id: one, when: {{any: [{members}]}}, then: {{team: desk}}}}]\n"
    assert [(each.line, each.column, each.code) for each in refused(text)] == [(5, 25, "too-big")]


def test_all_rules_together_may_have_a_million_conditions() -> None:
    named = ", ".join(["{channel: sms}"] * 4_000)
    rules = "".join(f"  - {{id: r{i}, when: many, then: {{team: desk}}}}\n" for i in range(300))
    text = f"{HEAD}conditions: {{many: {{any: [{named}]}}}}\nroute:\n{rules}"
    assert [(each.line, each.code) for each in refused(text)] == [(7 + 249, "too-big")]


def test_a_long_chain_of_names_is_told_and_not_followed() -> None:
    names = "".join(f"  c{i}: c{i + 1}\n" for i in range(3_000))
    assert {each.code for each in refused(f"{HEAD}conditions:\n{names}")} <= {
        "too-deep",
        "unknown-condition",
        "too-many",
    }


def test_the_files_of_a_rulebook_have_a_size_together() -> None:
    text = f"{HEAD}# {'x' * 15_000_000}\n"
    with pytest.raises(ConfigError) as error:
        rulebook.load({"a.yaml": text, "b.yaml": text, "c.yaml": text})
    assert [each.code for each in error.value.problems] == ["too-big"]
