"""The examples that come along are without fault, pass their tests, and can be begun with."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from intake import cli

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
NAMES = sorted(each.name for each in EXAMPLES.iterdir() if each.is_dir())
WAITING = {
    "forty": {"by call, sms", "by call —", "'incident'", "sends form"},
    "office": {"sends form"},
    "shop": set(),
    "software": {"by call, sms", "by sms, call", "by call —", "'incident'"},
}
"""What rules of an example ask for that mail alone cannot do: told as warnings, each by these words."""


def test_there_are_these_examples() -> None:
    assert set(NAMES) == set(WAITING)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_checks_without_error_and_its_warnings_are_known(name: str, intake: Any) -> None:
    found = intake("check", "--strict", "--json", "-c", str(EXAMPLES / name / "intake.yaml"))
    told = [line for line in found.out.splitlines() if line]
    assert [line for line in told if '"severity":"error"' in line or '"severity":"hint"' in line] == []
    shown = intake("check", "-c", str(EXAMPLES / name / "intake.yaml"))
    warnings = [line for line in shown.out.splitlines() if ": warning[" in line]
    assert len(warnings) == len(told)
    assert all("warning[cannot-act]" in line for line in warnings)
    assert [line for line in warnings if not any(words in line for words in WAITING[name])] == []
    assert [words for words in WAITING[name] if not any(words in line for line in warnings)] == []
    assert (shown.code, found.code) == (0, cli.WRONG_INPUT if warnings else 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_tests_of_an_example_pass(name: str, intake: Any) -> None:
    found = intake("rules", "test", "-c", str(EXAMPLES / name / "intake.yaml"))
    assert found.code == 0, found.out
    assert found.err.strip().endswith("pass, 0 fail")
    assert "no test touches" not in found.err


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_desk_can_begin_with_an_example(name: str, intake: Any, tmp_path: Path) -> None:
    assert intake("init", "--example", name, "desk").code == 0
    assert intake("check", "-c", "desk/intake.yaml").code == 0
    assert (tmp_path / "desk" / ".yamllint").exists()


def test_the_starter_brings_no_examples(desk: Path) -> None:
    assert not (desk / "config" / "examples").exists()


def test_an_example_that_is_not_there_is_named_with_those_that_are(intake: Any) -> None:
    found = intake("init", "--example", "bank")
    assert (found.code, "write one of forty, office, shop, software" in found.err) == (cli.WRONG_INPUT, True)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "forty"])
def test_an_example_says_at_its_head_what_it_shows(name: str) -> None:
    said = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert f"intake init --example {name} " in said
    assert "What it shows" in said


def test_a_broken_example_would_be_seen(intake: Any, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "shop", tmp_path / "shop")
    rules = tmp_path / "shop" / "rules.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("first_response -1h", "first_response -2h"))
    assert intake("check", "-c", "shop/intake.yaml").code == cli.WRONG_INPUT
