"""Rulebooks that somebody broke, made from a seed: `python -m tests.routing.garbage --count 100000`.

Each is refused with problems that have places, or works: anything else ends the run with the seed that showed it.
"""

import argparse
import random
import re
import sys
import time
from pathlib import Path

from routing import cases, rulebook
from routing.problems import ConfigError, Problem, render_all
from routing.rulebook import Rulebook

WHOLE = (Path(__file__).parent / "whole_language.yaml").read_text("utf-8")
COMPANY = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261223\nEND:VEVENT\nEND:VCALENDAR\n"
SLOWEST_S = 20.0
_PIECE = re.compile(r'[\w.@*+-]+|"[^"]*"|\'[^\']*\'|\[[^\[\]]*\]|\{[^{}]*\}')
_CHARACTERS = "{}[]:,'\"#&*!|>%@`?-+\n\t \r\x00\x85\u2028\ud800\U0001f600éẞİ0"
_SLIPS = (
    "none", "any", "[]", "{}", "null", "5", "-1", "1e9", ".nan", ".inf", "true", "false", "x", "*", "'*'", "[[]]", "{a: b}",
    "'>=2'", "'<= x'", "'  '", "''", "[none, any]", "in", "default", "{in: x}", "{in: blocked}", "{only: []}", "{none: []}",
    "9" * 60, "0x" + "f" * 39, "'a(b'", "'(?i)((a*)*)*'", "[1, 2]", "{between: [2, 1]}", "breach", "office", "unacknowledged",
    "{every: 1h, times: 2}", "{every: 1h}", "first_response 0%", "promise breach", "2026-02-30", '"24:00-01:00"', "\t", ":",
    "0m", "99999d", "3 working days", "1d", "again", "{schedule: nights}", "{file: a}", "{kept: desk}", "quiet", "clock",
    "[quiet, clock]", "'{subject}'", "'{'", "mon-sun", "'mon 09:00'", "{need: [], relax: 0m}", "{changed: {}}", "field.none",
    "{within: 1d}", "lead", "l1", "ania", "desk", "assignee", "{customer: {}}", "&a", "*a", "<<", "!!str", "? a", "|", "- a", "---",
)  # fmt: skip


def broken(seed: int) -> str:
    """A text with one to four pieces, characters or lines of the whole language turned."""
    chance = random.Random(seed)
    text = WHOLE
    for _ in range(chance.choice((1, 1, 2, 4))):
        text = chance.choice((_piece_turned, _piece_turned, _piece_turned, _character_turned, _line_turned))(
            text, chance
        )
    return text


def _piece_turned(text: str, chance: random.Random) -> str:
    spans = [match.span() for match in _PIECE.finditer(text)]
    if not spans:
        return text
    start, end = chance.choice(spans)
    other = slice(*chance.choice(spans))
    return text[:start] + (chance.choice(_SLIPS) if chance.random() < 0.7 else text[other]) + text[end:]


def _character_turned(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice(_CHARACTERS) + text[at + chance.randint(0, 3) :]


def _line_turned(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    if chance.random() < 0.5:
        del lines[at]
    else:
        lines.insert(at, lines[other])
    return "\n".join(lines)


def loaded(text: str) -> tuple[Rulebook | None, tuple[Problem, ...]]:
    """The rulebook, or the problems for which it was refused."""
    try:
        replies, calendars = [("received", "en")], {"company.ics": COMPANY}
        return rulebook.load({"rules.yaml": text}, replies=replies, calendars=calendars), ()
    except ConfigError as error:
        return None, error.problems


def check(text: str) -> bool:
    """Whether the text was good. Raises: AssertionError, or whatever should not have been raised."""
    assert all(isinstance(name, str) for name in rulebook.list_files({"rules.yaml": text}).values())
    assert all(isinstance(name, str) for name in rulebook.calendar_files({"rules.yaml": text}))
    book, problems = loaded(text)
    if book is None:
        last = len(text.splitlines()) + 1
        assert any(each.severity == "error" for each in problems)
        assert all(1 <= each.line <= last and each.column >= 1 for each in problems)
        assert render_all(problems, {"rules.yaml": text})
        return False
    cases.run(book)
    assert rulebook.from_text(book.text).hash == book.hash
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    good, began, slowest = 0, time.monotonic(), 0.0
    for number, seed in enumerate(range(asked.first, asked.first + asked.count), 1):
        start = time.monotonic()
        try:
            good += check(broken(seed))
        except BaseException:
            print(f"seed {seed} showed this:", file=sys.stderr)
            raise
        slowest = max(slowest, time.monotonic() - start)
        assert slowest < SLOWEST_S, f"seed {seed} took {slowest:.1f} s"
        if number % 1_000 == 0 or number == asked.count:
            rate = number / (time.monotonic() - began)
            print(
                f"{number} of {asked.count}, {good} good, {rate:.0f} a second, slowest {slowest * 1000:.0f} ms",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
