"""No regular expression runs away: twice the text takes about twice the time, whatever stands in it."""

import re

import pytest

from tests.email import attacks, patterns

pytestmark = pytest.mark.slow

# Asked only of what is short, or of what an admin or a rule's author writes: their longest, in characters.
BOUNDED = {
    "channels.email.quote_marks._SEPARATOR": 160,
    "intake.commands.piping._POSTMARK": 1_200,  # the first line of what one's own mail server pipes in
    "intake.store.statements._NULL_TEST_RETURNED": 2_000,
    "intake.variables._URL_PASSWORD": 500,
    "intake.variables._VARIABLE": 1_000,
    "routing.moment_text._CLOCK": 200,
    "routing.reference_text._PART": 2_000,
    "routing.regex._PIECE": 500,
}


def test_no_pattern_runs_away() -> None:
    found = {
        asked.name: attacks.runs_away(asked, max_chars=BOUNDED.get(asked.name)) for asked in patterns.found()
    }
    assert len(found) > 200
    assert {name: attack for name, attack in found.items() if attack} == {}


@pytest.mark.parametrize(
    "written",
    [
        r"[ \t]*[\r\n]+[ \t]*",  # a fold, which took 2.3 s for 30 KB of blanks
        r"\s*[:=]?\s*<?\s*$",
        r"\S\s*[<(]\s*(?:mailto:)?\s*\w",
        r"\w+@",
        r"(?:a|ab?)*c",
        rb"=begin .*?name=.*\n",
    ],
)
def test_a_pattern_that_runs_away_is_found(written: str | bytes) -> None:
    assert attacks.runs_away(patterns.Asked("x", re.compile(written), is_anywhere=True))


def test_a_pattern_that_runs_away_from_one_place_is_found() -> None:
    assert attacks.runs_away(patterns.Asked("x", re.compile(r"(\w+\s?)+$"), is_anywhere=False))


@pytest.mark.parametrize("written", [r"[\r\n]+[ \t]*", r"(?<!\w)\w+@", r"\w{1,64}@"])
def test_a_pattern_that_does_not_is_left_alone(written: str) -> None:
    assert not attacks.runs_away(patterns.Asked("x", re.compile(written), is_anywhere=True))


def test_a_pattern_that_is_asked_at_one_place_may_begin_with_a_repeat() -> None:
    fold = re.compile(r"[ \t]*[\r\n]+[ \t]*")
    assert not attacks.runs_away(patterns.Asked("x", fold, is_anywhere=False))
