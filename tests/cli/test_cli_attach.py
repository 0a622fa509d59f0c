"""`intake tickets reply --attach`: files that go out with an answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Intake

MAIL = b"From: jan@customer.example\nTo: support@example.com\nSubject: Help\nMessage-ID: <1@customer.example>\n\nPlease help me.\n"


@pytest.fixture
def ref(intake: Intake, desk: Path) -> str:
    (desk / "one.eml").write_bytes(MAIL)
    assert intake("ingest", "one.eml").code == 0
    (ticket,) = intake("tickets", "list", "--json").objects
    return str(ticket["ref"])


def last_answer(intake: Intake, ref: str) -> dict[str, Any]:
    done = intake("tickets", "show", ref, "--json")
    shown: dict[str, Any] = json.loads(done.out)
    conversation: list[dict[str, Any]] = shown["conversation"]
    return conversation[-1]


def test_files_stand_in_the_conversation(intake: Intake, desk: Path, ref: str) -> None:
    """Two of one name are told apart."""
    (desk / "a.txt").write_text("one")
    (desk / "sub").mkdir()
    (desk / "sub" / "a.txt").write_text("three")
    done = intake("tickets", "reply", ref, "--as", "anna", "--attach", "a.txt", "--attach", "sub/a.txt", stdin=b"See there.")  # fmt: skip
    assert done.code == 0, done.err
    files = last_answer(intake, ref)["attachments"]
    assert [(each["name"], each["size"]) for each in files] == [("a.txt", 3), ("a-2.txt", 5)]


@pytest.mark.parametrize("name", ["nothing.pdf", "sub"])
def test_what_is_no_file_is_told_and_nothing_is_sent(intake: Intake, desk: Path, ref: str, name: str) -> None:
    (desk / "sub").mkdir()
    done = intake("tickets", "reply", ref, "--as", "anna", "--attach", name, stdin=b"See there.")
    assert (done.code, name in done.err) == (2, True)
    assert last_answer(intake, ref)["text"] != "See there."


def test_too_much_is_told_and_nothing_is_sent(intake: Intake, desk: Path, ref: str) -> None:
    (desk / "large.bin").write_bytes(b"x" * (18 * 1024 * 1024 + 1))
    done = intake("tickets", "reply", ref, "--as", "anna", "--attach", "large.bin", stdin=b"See there.")
    assert done.code == 2
    assert "limits.max_attachments_bytes" in done.err
