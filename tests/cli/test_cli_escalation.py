"""Acknowledging and taking over from the command line, and what check says of a ladder's template."""

from pathlib import Path
from typing import Any

import pytest

MAIL = b"From: Ann <ann@example.net>\nTo: support@example.com\nSubject: Hello\nMessage-ID: <1@example.net>\n\nMy printer burns.\n"


@pytest.fixture
def ref(intake: Any, desk: Path) -> str:
    (desk / "1.eml").write_bytes(MAIL)
    assert intake("ingest", "1.eml", "--kind", "email").code == 0
    found: str = intake("tickets", "list", "--json").objects[0]["ref"]
    return found


def test_acknowledging_says_who_looks_at_it(intake: Any, ref: str) -> None:
    done = intake("tickets", "ack", ref.lower(), "--as", "ben")
    assert (done.code, done.err) == (
        0,
        f"{ref} is acknowledged: you look at it, and no clock stops by that\n",
    )
    second = intake("tickets", "ack", ref, "--as", "anna")
    assert second.code == 0
    assert f"{ref} was acknowledged before: ben looks at it since " in second.err
    assert "looked at by ben since " in intake("tickets", "show", ref).out


def test_taking_it_over_as_json(intake: Any, ref: str) -> None:
    held_by = intake("tickets", "show", ref, "--json").objects[0]["agent"]
    (told,) = intake("tickets", "take", ref, "--as", "clara", "--json").objects
    assert (told["done"], told["agent"], told["taken_from"]) == (True, "clara", held_by)
    assert told["looked_at"]["by"] == "clara"


@pytest.mark.slow
def test_priority_and_policy_are_changed_by_hand(intake: Any, ref: str) -> None:
    """What is due follows; a policy that the rules lack is one sentence."""
    assert intake("tickets", "priority", ref, "urgent", "--as", "ben").code == 0
    assert intake("tickets", "sla", ref, "none", "--as", "ben").err == f"{ref} has no policy\n"
    shown = intake("tickets", "show", ref, "--json").objects[0]
    assert (shown["priority"], shown["due"]) == ("urgent", {})
    refused = intake("tickets", "sla", ref, "golden", "--as", "ben")
    assert (refused.code, "'golden' is not a policy of the rules" in refused.err) == (2, True)


@pytest.mark.slow
def test_what_cannot_be_done_is_said(intake: Any, ref: str) -> None:
    """A name that nobody has, and a ticket that is done."""
    for command in ("ack", "take"):
        done = intake("tickets", command, ref, "--as", "bem")
        assert (done.code, "did you mean 'ben'?" in done.err) == (2, True)
    assert intake("tickets", "status", ref, "solved", "--as", "ben").code == 0
    done = intake("tickets", "take", ref, "--as", "ben")
    assert (done.code, "is solved: there is nothing left to look at" in done.err) == (0, True)


def test_check_misses_a_language_of_a_ladder_s_template(intake: Any, desk: Path) -> None:
    """A warning at the step that says it."""
    (desk / "config" / "replies" / "delayed.pl.md").unlink()
    done = intake("check", "--json")
    problem, other = [each for each in done.objects if each["code"] == "missing-language"]
    assert problem["message"] == "ladder 'nudge': reply template 'delayed' is not there in pl"
    assert "ladder 'page'" in other["message"]
    assert problem["hint"] == "write delayed.pl.md"
    step = (desk / "config" / "rules.yaml").read_text().splitlines()[problem["line"] - 1]
    assert "first_response breach" in step
