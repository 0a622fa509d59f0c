"""Promises and the clocks of a ticket, from the command line."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli_joins import FIRST, agent, show

pytestmark = pytest.mark.slow


@pytest.fixture
def ref(intake: Any, tmp_path: Path) -> str:
    intake("init")
    (tmp_path / "1.eml").write_bytes(FIRST)
    assert intake("ingest", "1.eml", "--kind", "email").code == 0
    [found] = intake("tickets", "list", "--json").objects
    return str(found["ref"])


def test_promise_is_made_told_and_shown(intake: Any, ref: str) -> None:
    """The customer gets the shipped template; ticket page, list and report name the moment."""
    name = agent(intake)
    made = intake("tickets", "promise", ref, "in", "2h", "--as", name)
    assert (made.code, f"{ref} is promised for" in made.err) == (0, True)
    assert "in 2 h 00 m; the customer is told" in made.err
    sent = [each for each in show(intake, ref)["conversation"] if each["direction"] == "out"]
    assert "You will hear from us by" in sent[-1]["text"]
    [listed] = intake("tickets", "list", "--json").objects
    assert listed["promise"] == show(intake, ref)["promise"]
    assert (listed["promise"]["state"], listed["promise"]["by"]) == ("open", name)
    assert f"by {name}: open" in intake("tickets", "show", ref).out
    report = intake("tickets", "promises")
    assert (ref in report.out, "1 is open" in report.err) == (True, True)


def test_quiet_promise_warns_of_closed_hours(intake: Any, ref: str) -> None:
    made = intake("tickets", "promise", ref, "+1d", "--as", agent(intake), "--quiet", "--json")
    [found] = made.objects
    assert (found["ticket"], found["told"], found["not_told"]) == (ref, False, None)
    assert {each["code"] for each in found["warnings"]} <= {"closed"}


def test_promise_is_kept_or_taken_back_by_a_word(intake: Any, ref: str) -> None:
    name = agent(intake)
    for word, state in (("kept", "kept"), ("none", "withdrawn")):
        intake("tickets", "promise", ref, "in 2h", "--as", name, "--quiet")
        assert intake("tickets", "promise", ref, word, "--as", name).code == 0
        assert intake("tickets", "promises", "--json").objects[-1]["state"] == state
    assert [each["state"] for each in intake("tickets", "promises", "--kept", "--json").objects] == ["kept"]
    assert intake("tickets", "promises", "--open").err == "nothing is promised\n"


def test_answer_may_promise(intake: Any, ref: str) -> None:
    done = intake(
        "tickets", "reply", ref, "--as", agent(intake), "--promise", "in 3h", stdin=b"I look at it.\n"
    )
    assert done.code == 0
    text = show(intake, ref)["conversation"][-1]["text"]
    assert text.index("I look at it.") < text.index("You will hear from us by")


def test_what_cannot_be_promised_is_wrong_input(intake: Any, ref: str) -> None:
    name = agent(intake)
    for words, said in (
        ("sometime", "names no moment"),
        ("2020-01-01 10:00", "is past"),
        ("kept", "nothing is promised"),
    ):
        done = intake("tickets", "promise", ref, *words.split(), "--as", name)
        assert (done.code, said in done.err, "Traceback" in done.err) == (2, True, False)


def test_clocks_are_drawn_with_their_history(intake: Any, ref: str) -> None:
    """One block a target: its state, a bar, and what happened with who and why; as JSON one target a line."""
    name = agent(intake)
    intake("tickets", "reply", ref, "--as", name, "--status", "pending", stdin=b"Which printer?\n")
    page = intake("tickets", "clocks", ref)
    assert page.code == 0
    assert "first_response  met" in page.out
    assert f"met (answered, {name})" in page.out
    assert f"paused (pending, {name})" in page.out
    assert "█ ran  ░ paused" in page.out
    assert intake("tickets", "clocks", "XXXXXXX").code == 2
    rows = intake("tickets", "clocks", ref, "--json").objects
    assert {each["target"] for each in rows} >= {"first_response"}
    first = rows[0]
    assert set(first) == {
        "ticket", "target", "state", "budget_s", "used_s", "due_at", "met_at", "breached_at", "history",
    }  # fmt: skip
    assert set(first["history"][0]) == {"at", "what", "why", "actor", "used_s", "budget_s", "due_at"}
