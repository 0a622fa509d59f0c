"""A table that is one test loses no row and no name of one."""

import traceback
from typing import Any

import pytest

from tests.rows import every_row


def told(test: Any, **fixtures: Any) -> str:
    """What a test that fails says."""
    with pytest.raises(Exception) as failure:
        test(**fixtures)
    return "".join(traceback.format_exception(failure.value))


def test_every_row_is_gone_through_in_order() -> None:
    seen = []

    @every_row("number, name", [(1, "a"), pytest.param(2, "b", id="second"), (3, "c")])
    def table(number: int, name: str) -> None:
        seen.append((number, name))

    table()
    assert seen == [(1, "a"), (2, "b"), (3, "c")]


def test_every_row_that_fails_is_told_by_its_name_and_no_other() -> None:
    @every_row("number", [1, 2, pytest.param(3, id="third"), 4], ids=["one", "two", "three", "four"])
    def table(number: int) -> None:
        assert number % 2 == 0, f"{number} is odd"

    said = told(table)
    assert "2 of 4 rows" in said
    assert [line.strip("| ") for line in said.splitlines() if "row " in line] == [
        "row 1: one",
        "row 3: third",
    ]


def test_one_row_that_fails_is_told_as_it_is() -> None:
    @every_row("text", ["a", "b"])
    def table(text: str) -> None:
        assert text != "b"

    assert "row 2: 'b'" in told(table)


def test_a_row_that_gives_up_or_is_skipped_is_a_failure_and_the_others_are_gone_through() -> None:
    seen = []

    @every_row("number", [1, 2, 3])
    def table(number: int) -> None:
        seen.append(number)
        (pytest.fail if number == 1 else pytest.skip)("no more")

    assert "3 of 3 rows" in told(table)
    assert seen == [1, 2, 3]


def test_tables_stand_on_each_other_and_fixtures_go_through() -> None:
    seen = []

    @every_row("first", ["a", "b"])
    @every_row("second", [1, 2])
    def table(first: str, second: int, fixture: str) -> None:
        seen.append(f"{first}{second}{fixture}")

    table(fixture="!")
    assert seen == ["a1!", "a2!", "b1!", "b2!"]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: every_row("number", []),
        lambda: every_row("a, b", [(1,)]),
        lambda: every_row("a", [pytest.param(1, marks=pytest.mark.slow)]),
    ],
    ids=["no rows", "a value too few", "a row with a mark"],
)
def test_a_table_that_cannot_be_gone_through_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="row"):
        wrong()


def test_what_a_plugin_runs_is_refused() -> None:
    async def asynchronous(number: int) -> None: ...

    with pytest.raises(TypeError, match="parametrize"):
        every_row("number", [1])(asynchronous)  # type: ignore[arg-type]
