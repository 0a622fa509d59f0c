"""Agents on the command line: who is there, who goes and comes, and who may get no more."""

from pathlib import Path
from typing import Any

import pytest

RULES = """
version: 1
calendars:
  never: {timezone: UTC, open: {mon-sun: "00:00-00:01"}}
agents:
  ania: {email: ania@desk.example, skills: [pl], deputy: ewa}
  ewa: {email: ewa@desk.example}
  zoe: {email: zoe@desk.example, hours: never}
teams:
  support: {levels: {front: [ania, ewa], night: [zoe]}, assign: {capacity: {email: 1}}}
default: {team: support, priority: normal}
"""
MAIL = "From: c{0}@customer.example\r\nTo: support@example.com\r\nSubject: Fire {0}\r\nMessage-ID: <{0}@x>\r\n\r\nIt burns.\r\n"


@pytest.fixture
def refs(intake: Any, desk: Path) -> list[str]:
    """Three tickets: ania's, ewa's, and one that waits."""
    (desk / "config" / "rules.yaml").write_text(RULES)
    for number in range(3):
        (desk / f"{number}.eml").write_bytes(MAIL.format(number).encode())
    assert intake("ingest", "0.eml", "1.eml", "2.eml", "--kind", "email").code == 0
    found = intake("tickets", "list", "--json").objects
    assert [each["agent"] for each in found] == ["ania", "ewa", None]
    return [each["ref"] for each in found]


def listed(intake: Any) -> dict[str, Any]:
    return {each["name"]: each for each in intake("agents", "list", "--json").objects}


def test_the_list_says_who_is_there_and_how_much_they_hold(intake: Any, refs: list[str]) -> None:
    found = listed(intake)
    assert found["ania"] == {
        "name": "ania",
        "levels": ["support/front"],
        "on_duty": True,
        "away": False,
        "until": None,
        "next": None,
        "keeps": False,
        "load": {"email": {"open": 1, "capacity": {"support": 1}}},
        "skills": ["pl"],
        "deputy": "ewa",
        "in_rules": True,
        "presence": {},
    }
    zoe = found["zoe"]
    assert zoe["on_duty"] is (zoe["next"] is None)
    shown = intake("agents", "list")
    assert "email 1 of 1" in shown.out
    assert "1 ticket waits for somebody of support" in shown.err


@pytest.mark.slow
def test_an_agent_who_is_gone_from_the_rules_is_still_shown(intake: Any, desk: Path, refs: list[str]) -> None:
    """Their tickets are somebody's to look after."""
    fewer = RULES.replace("  ewa: {email: ewa@desk.example}\n", "")
    (desk / "config" / "rules.yaml").write_text(fewer.replace(", ewa]", "]").replace(", deputy: ewa", ""))
    assert listed(intake)["ewa"]["in_rules"] is False
    assert "not in the rules any more" in intake("agents", "list").out


@pytest.mark.slow
def test_going_away_moves_what_can_be_moved(intake: Any, refs: list[str]) -> None:
    """ewa, the deputy, is full: it waits, and comes back to ania with her."""
    done = intake("agents", "away", "ania", "--for", "2h", "--json")
    assert [(each["name"], each["away"], each["tickets"]) for each in done.objects] == [("ania", True, 1)]
    assert listed(intake)["ania"]["away"]
    waiting = intake("tickets", "list", "--waiting", "--json").objects
    assert [each["ref"] for each in waiting] == [refs[0], refs[2]]
    assert all(each["waits_since"] for each in waiting)
    assert intake("agents", "back", "ania", "--json").objects == [
        {"name": "ania", "away": False, "was_away": True}
    ]


def test_keep_moves_nothing(intake: Any, refs: list[str]) -> None:
    done = intake("agents", "away", "ania", "--keep")
    assert "stays with them" in done.err
    assert intake("tickets", "show", refs[0], "--json").objects[0]["agent"] == "ania"
    assert listed(intake)["ania"]["keeps"]


def test_assigning_to_who_is_full_is_refused_with_who_could_take_it(intake: Any, refs: list[str]) -> None:
    """Exit 2, one sentence."""
    done = intake("tickets", "assign", refs[2], "ania", "--as", "ewa")
    assert done.code == 2
    assert "ania has 1 of 1 email tickets: " in done.err
    assert len(done.err.splitlines()) == 1
    assert intake("tickets", "show", refs[2], "--json").objects[0]["agent"] is None


SLIPS = (
    (("away", "anja"), "there is no agent 'anja' in the rules: did you mean 'ania'?"),
    (("back", "bob"), "there is no agent 'bob' in the rules"),
    (("away", "ania", "--as", "anja"), "did you mean 'ania'?"),
    (("away", "ania", "--until", "friday"), "says no time of day"),
    (("away", "ania", "--until", "2020-01-01 09:00"), "is past"),
    (("away", "ania", "--for", "soon"), "'soon' is no length of time"),
)


@pytest.mark.slow
def test_slips_are_one_sentence_and_change_nothing(intake: Any, desk: Path) -> None:
    (desk / "config" / "rules.yaml").write_text(RULES)
    for arguments, said in SLIPS:
        done = intake("agents", *arguments)
        assert (done.code, len(done.err.splitlines())) == (2, 1)
        assert said in done.err
    assert not any(each["away"] for each in listed(intake).values())


def test_the_example_of_the_guide_passes_its_tests(intake: Any, desk: Path, root: Path) -> None:
    page = (root / "docs" / "assignment.md").read_text()
    (desk / "config" / "rules.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])
    assert intake("rules", "test").code == 0


def test_presence_of_one_medium_is_said_and_shown(intake: Any, refs: list[str]) -> None:
    """The list tells it as well, and a medium that no account has is refused."""
    said = intake("agents", "presence", "ania", "email", "busy", "--for", "2h", "--json")
    assert said.objects[0]["presence"]["email"]["presence"] == "busy"
    assert listed(intake)["ania"]["presence"] == {"email": "busy"}
    assert "busy for email" in intake("agents", "list").out
    assert intake("agents", "presence", "ania", "email", "available").code == 0
    assert intake("agents", "presence", "ania", "--json").objects[0]["presence"] == {}
    wrong = intake("agents", "presence", "ania", "smoke", "away")
    assert (wrong.code, "no account has the medium" in wrong.err) == (2, True)
