"""A rulebook that somebody broke is refused with places, or works: never anything else."""

import random
import re
from pathlib import Path

import pytest

from routing import cases, rulebook
from routing.problems import ConfigError, Problem, render_all

SHIPPED = (Path(__file__).parents[2] / "config" / "rules.yaml").read_text("utf-8")
PIECE = re.compile(r'[\w.@*-]+|"[^"]*"|\[[^\[\]]*\]|\{[^{}]*\}')
SLIPS = (
    "none", "any", "[]", "{}", "null", "5", "-1", "1e9", "true", "x", "*", "'*'", "[[]]", "{a: b}", "'>=2'", "'  '",
    "[none, any]", "in", "default", "{in: x}", "{only: []}", "{none: []}", "9" * 60, "'a(b'", "[1, 2]", "{between: [2, 1]}",
    "breach", "office", "{every: 1h, times: 2}", "{every: 1h}", "first_response 0%", "2026-02-30", '"24:00-01:00"', "\t", ":",
)  # fmt: skip


def broken(chance: random.Random) -> str:
    text = SHIPPED
    for _ in range(chance.randint(1, 4)):
        spans = [match.span() for match in PIECE.finditer(text)]
        start, end = chance.choice(spans)
        other = slice(*chance.choice(spans))
        text = text[:start] + (chance.choice(SLIPS) if chance.random() < 0.8 else text[other]) + text[end:]
    return text


def loaded(text: str) -> tuple[rulebook.Rulebook | None, tuple[Problem, ...]]:
    try:
        return rulebook.load({"rules.yaml": text}, replies=[("received", "en")]), ()
    except ConfigError as error:
        return None, error.problems


@pytest.mark.parametrize("seed", range(60))
def test_a_broken_rulebook_is_refused_with_places_or_works(seed: int) -> None:
    text = broken(random.Random(seed))
    book, problems = loaded(text)
    if book is None:
        last = len(text.splitlines()) + 1
        assert problems
        assert all(1 <= each.line <= last and each.column >= 1 for each in problems)
        assert render_all(problems, {"rules.yaml": text})
    else:
        cases.run(book)
        assert rulebook.from_text(book.text).hash == book.hash


@pytest.mark.parametrize("seed", range(60))
def test_turned_characters_are_refused_or_work(seed: int) -> None:
    chance = random.Random(seed)
    characters = list(SHIPPED)
    for _ in range(chance.randint(1, 6)):
        characters[chance.randrange(len(characters))] = chance.choice("{}[]:,'\"#&*!|>%@`\n\t -\x00\ud800é")
    book, problems = loaded("".join(characters))
    assert (book is None) == bool(problems)
