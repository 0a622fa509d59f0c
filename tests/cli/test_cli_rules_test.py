"""`rules test`: what was expected beside what there was, what no test touches, JUnit XML, and how it ends."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.cli.test_cli_explain import RULES

GREEN = """
tests:
  - name: help
    message: {channel: email, from: a@big.example, body: help}
    expect: {rule: help, priority: high}
    timeline: {+2h: notify assignee}
"""
RED = """
tests:
  - name: all wrong & <more>
    message: {channel: email, from: a@b.example, body: help}
    expect: {rule: default, priority: urgent}
    never: {team: desk}
    timeline: {+2h: notify wim}
    steps:
      - {at: +1h, event: agent_replied, status: pending, expect: {status: open}}
"""


@pytest.fixture
def rules(desk: Path) -> Path:
    return desk / "config" / "rules.yaml"


def test_wanted_and_actual_stand_side_by_side(intake: Any, rules: Path) -> None:
    """One line for each thing that is wrong, with when; the exit code says that a test failed."""
    rules.write_text(RULES + RED)
    done = intake("rules", "test")
    assert done.code == 1
    table = [line for line in done.out.splitlines() if line.startswith(("TEST ", "all wrong"))]
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in table]
    assert cells[0] == ["TEST", "AT", "WHAT", "EXPECTED", "ACTUAL"]
    assert [each[1:] for each in cells[1:]] == [
        ["at once", "rule", "default", "help"],
        ["at once", "priority", "urgent", "normal"],
        ["at once", "team", "never desk", "desk"],
        ["+1h", "status", "open", "pending"],
        ["+1h", "team", "never desk", "desk"],
        ["+2h", "timeline", "notify wim", "nothing"],
    ]
    assert "config/rules.yaml:" in done.out
    assert "0 pass, 1 fail" in done.err


def test_what_no_test_touches_is_named(intake: Any, rules: Path) -> None:
    """Rules of every section and steps of ladders; it is said, and is no failure."""
    rules.write_text(RULES + GREEN)
    done = intake("rules", "test")
    assert (done.code, done.out) == (0, "")
    assert "no test touches: down, money, thanks, again, up/1, up/2" in done.err
    *_, last = intake("rules", "test", "--json").objects
    assert {"down", "money", "thanks", "again"} <= set(last["untouched"])
    assert not {"vip", "help", "up/0"} & set(last["untouched"])


def test_json_has_both_sides_of_each_problem(intake: Any, rules: Path) -> None:
    rules.write_text(RULES + RED)
    [told, _] = [json.loads(line) for line in intake("rules", "test", "--json").out.splitlines()]
    assert (told["test"], told["passed"]) == ("all wrong & <more>", False)
    first = told["problems"][0]
    assert (first["what"], first["expected"], first["actual"], first["at"]) == ("rule", "default", "help", "")
    assert first["file"] == "config/rules.yaml"
    assert "help" in told["touched"]


def test_junit_has_one_failure_a_test_with_both_sides(intake: Any, rules: Path, desk: Path) -> None:
    """What a name or a value holds cannot break the XML."""
    rules.write_text(RULES + RED + GREEN.replace("\ntests:\n", ""))
    assert intake("rules", "test", "--junit", "j.xml").code == 1
    suite = ET.parse(desk / "j.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    red, green = suite
    assert (red.get("name"), len(red), len(green)) == ("all wrong & <more>", 1, 0)
    assert "expected: default\n  actual:   help" in (red[0].text or "")


def test_rules_that_cannot_be_read_are_wrong_input(intake: Any, rules: Path, desk: Path) -> None:
    """No result is written for tests that did not run."""
    rules.write_text(RULES + "\nrout: []\n")
    assert intake("rules", "test", "--junit", "j.xml").code == 2
    assert not (desk / "j.xml").exists()
