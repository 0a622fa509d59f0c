"""Text becomes nodes with their places, by YAML 1.2, and what could surprise is refused."""

import pytest

from routing.problems import MOST_ERRORS, ConfigError, Problem, render
from routing.yaml_text import MAX_DEPTH, read
from tests.rows import every_row


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as refused:
        read(text, file="rules.yaml")
    return refused.value.problems


@every_row(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("22:30", "22:30"),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("true", True),
        ("~", None),
        ("1.5", 1.5),
        ("2026-01-07", "2026-01-07"),
        ("1_000", "1_000"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("+48", 48),
        ("=", "="),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(written: str, meant: object) -> None:
    node = read(f"key: {written}", file="x").value["key"]
    assert (node.value, type(node.value)) == (meant, type(meant))


def test_nodes_know_line_and_column() -> None:
    node = read("a:\n  - {b: żółw, c: [1, 2]}\n", file="x")
    inner = node.value["a"].value[0]
    assert (inner.line, inner.column) == (2, 5)
    assert (inner.keys["c"].line, inner.keys["c"].column) == (2, 15)
    assert [(each.line, each.column) for each in inner.value["c"].value] == [(2, 19), (2, 22)]


def test_an_empty_text_is_a_node_without_a_value() -> None:
    assert read("", file="x").value is None


def test_every_duplicate_key_is_told_at_its_second_place() -> None:
    found = problems_of("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert [(each.line, each.column, each.code) for each in found] == [
        (2, 11, "duplicate-key"),
        (3, 1, "duplicate-key"),
    ]
    assert found[1].hint == "the first is in line 1"


@every_row(
    ("text", "code"),
    [
        ("a: &x 1\nb: *x", "anchor"),
        ("a: {<<: {b: 1}}", "merge-key"),
        ("a: !!python/object/apply:os.system ['true']", "tag"),
        ("a: !local 1", "tag"),
        ("--- 1\n--- 2", "syntax"),
        ("{[a]: 1}", "bad-key"),
        ("a: [1", "syntax"),
        ("a: \x00", "syntax"),
        ("a: \ud800", "syntax"),
        ("[" * (MAX_DEPTH + 10), "too-deep"),
    ],
)
def test_what_could_surprise_is_refused(text: str, code: str) -> None:
    assert problems_of(text)[0].code == code


@every_row(
    ("text", "advice"),
    [
        ("when: {sender.domain: *.acme.com}", '"*.acme.com"'),
        ("handle: @acme", '"@name"'),
        ("a: {size: >=2}", '">=2"'),
        ("a:\n  size: >=2\nb: 1", '">=2"'),
        ("a: [x, *.acme.com]", '"*.acme.com"'),
        ("a: {words: #x}\nb: 1", '"#x"'),
        ("a: [1, #x]\nb: 1", '"#x"'),
        ("a: [#x]\n\nb: 1", '"#x"'),
        ("a:\n\tb: 1", "tabs"),
    ],
)
def test_the_usual_slips_get_a_hint_by_name(text: str, advice: str) -> None:
    assert advice in problems_of(text)[0].hint


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    text = "a: &a [1]\n" + "".join(f"k{i}: &k{i} [*a, *a]\n" for i in range(50))
    assert {problem.code for problem in problems_of(text)} == {"alias", "anchor"}


def test_a_problem_shows_its_line_and_a_caret() -> None:
    problem = Problem(
        "rules.yaml", 2, 7, "error", "unknown-team", "no team 'biling'", "did you mean 'billing'?"
    )
    assert render(problem, "a: 1\nteam: biling\n") == (
        "rules.yaml:2:7: error[unknown-team] no team 'biling' — did you mean 'billing'?\n"
        "    2 | team: biling\n"
        "      |       ^"
    )


def test_a_caret_stays_under_its_column_in_a_very_long_line() -> None:
    source, pointed = render(Problem("f", 1, 301, "error", "x", "y"), "-" * 300 + "!" + "-" * 300).split(
        "\n"
    )[1:]
    assert source[pointed.index("^")] == "!"


@every_row(
    ("written", "advice"),
    [
        ("#x", '"#x"'),
        ("+48600000001", '"+48600000001"'),
        ("+1.5", '"+48600000001"'),
        ("48", ""),
        ("'+48600000001'", ""),
        ("+15m", ""),
        ("null", ""),
        ("[a]", ""),
        ("''", ""),
    ],
)
def test_a_value_that_yaml_took_for_something_else_gets_a_hint_by_name(written: str, advice: str) -> None:
    hint = read(f"a: {written}\n", file="r.yaml").value["a"].slip_hint
    assert advice in hint
    assert bool(hint) == bool(advice)


def test_a_comment_with_a_space_is_not_taken_for_a_slip() -> None:
    assert problems_of("a:  # ours\n  - [1\nb: 1")[0].hint == (
        "the list that begins in line 2 is not closed, or a comma is missing"
    )


@every_row(
    ("text", "advice"),
    [
        ("a: {x: 1\nb: 2", "the mapping that begins in line 1 is not closed"),
        ('a: 1\nb: "x\nc: 1\n', "the quote in line 2 is not closed"),
        ("a: b: c", "a text with ': ' in it must be in quotes"),
        ("a:\n  b: 1\n c: 2", "keys of one mapping begin in one column"),
        ("a:\n  - b\n  c: 2", "begin it in the column of the lines that it belongs to"),
        ('a: "\\d"', "take single quotes"),
    ],
)
def test_what_the_parser_says_comes_with_what_to_do(text: str, advice: str) -> None:
    assert advice in problems_of(text)[0].hint


@every_row(
    ("text", "code"),
    [
        ("a: [" + "*a," * 1_000_000 + "]", "alias"),
        ("a: " + "[" * 1_000, "too-deep"),
        ("[" * 1_000_000, "too-deep"),
        ("{a: " * 100_000, "too-deep"),
        ("? " * 1_000 + "a", "too-deep"),
        ("- " * 1_000 + "a", "too-deep"),
        ("".join(" " * depth + "a:\n" for depth in range(1_000)), "too-deep"),
        ("a: 1\n" * 1_000_000, "duplicate-key"),
        ("a: '" + "x" * 40_000_000 + "'", "too-big"),
        ("a: '" + "ω" * 9_000_000 + "'", "too-big"),
    ],
    ids=[
        "aliases",
        "deep",
        "deeper",
        "mappings",
        "keys",
        "items",
        "indents",
        "twice",
        "40 MB",
        "18 MB of two bytes",
    ],
)
def test_what_is_far_too_much_is_refused_without_being_built(text: str, code: str) -> None:
    found = problems_of(text)
    assert found[0].code == code
    assert len(found) <= MOST_ERRORS + 1
