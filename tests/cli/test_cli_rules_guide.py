"""docs/rules.md is what the program does: its tables are fresh, its rulebooks pass, its examples give what they say."""

import re
from pathlib import Path
from typing import Any

import pytest

from routing import cases, lint, lint_codes, reference_text, rulebook
from routing.lint_codes import CODES, Code
from routing.problems import ConfigError, Problem
from tests.rows import every_row

GUIDE = Path(__file__).parents[2] / "docs" / "rules.md"
FENCED = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
BLOCKS = FENCED.findall(GUIDE.read_text(encoding="utf-8"))
RULEBOOKS = [block for block in BLOCKS if block.startswith("version: 1")]
EXAMPLES = {
    match[1]: block
    for block in BLOCKS
    if (match := re.match(r"# ([a-z-]+)\n", block)) and block not in RULEBOOKS
}


def told(example: str) -> tuple[Problem, ...]:
    """What is said of an example beside the small rulebook: warnings and hints, or the errors that refuse it."""
    files = {"rules.yaml": lint_codes.BASE, "more.yaml": example}
    try:
        book = rulebook.load(files, replies=lint_codes.MEANS.templates)
    except ConfigError as error:
        return error.problems
    dated = lint.dated(book, lint_codes.AT)
    return (*book.warnings, *lint.configured(book, lint_codes.MEANS), *dated, *lint.untested(book, ()))


def test_the_tables_are_fresh() -> None:
    """`make docs` was run after the last change of a word."""
    text = GUIDE.read_text(encoding="utf-8")
    assert reference_text.refreshed(text) == text


@pytest.mark.parametrize("block", RULEBOOKS, ids=lambda block: block.splitlines()[3][:30])
def test_a_rulebook_of_the_guide_is_without_fault_and_passes_its_tests(block: str) -> None:
    book = rulebook.load({"rules.yaml": block})
    assert (book.warnings, cases.run(book)) == ((), ())


def test_every_block_is_a_rulebook_or_an_example() -> None:
    assert len(RULEBOOKS) == 3
    assert len(RULEBOOKS) + len(EXAMPLES) == len(BLOCKS)
    assert list(EXAMPLES) == [each.code for each in CODES]


@every_row("code", CODES, ids=lambda code: code.code)
def test_an_example_of_the_lint_gives_just_its_code(code: Code) -> None:
    found = told(EXAMPLES[code.code])
    counted = [each for each in found if each.code != "untested" or code.code == "untested"]
    assert {(each.code, each.severity) for each in counted} == {(code.code, code.severity)}
    assert all(each.file == "more.yaml" for each in counted)


def test_every_code_of_the_lint_has_its_example() -> None:
    """A code that a lint module gives is one of the documented ones."""
    folder = Path(lint.__file__).parent
    written = "".join(path.read_text(encoding="utf-8") for path in folder.glob("lint*.py"))
    given = set(re.findall(r"\b(?:at|warning|problem)\((?:[a-z.]*rule,)?\s*\"([a-z-]+)\"", written))
    assert given - {each.code for each in CODES} == set()
    assert len(given) >= 10


def test_the_schema_is_printed_and_written(intake: Any, tmp_path: Path) -> None:
    printed = intake("rules", "schema")
    assert (printed.code, '"$schema"' in printed.out) == (0, True)
    assert intake("rules", "schema", "--out", "rules.schema.json").code == 0
    assert (tmp_path / "rules.schema.json").read_text(encoding="utf-8") == printed.out


def test_the_starter_brings_what_yamllint_must_know(desk: Path) -> None:
    """`on:` is a word in rules, and a truth value for yamllint unless it is told."""
    assert "check-keys: false" in (desk / "config" / ".yamllint").read_text(encoding="utf-8")
