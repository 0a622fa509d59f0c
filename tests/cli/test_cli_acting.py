"""What agents do from the desk, from the command line: canned replies, spam, new tickets, drafts, taking back."""

import json
from pathlib import Path
from typing import Any

import pytest

MAIL = b"From: jan@customer.example\nTo: support@example.com\nSubject: My printer\n\nIt is on fire.\n"


@pytest.fixture
def ref(intake: Any, desk: Path) -> str:
    """A ticket of Jan's."""
    assert intake("ingest", "-", "--kind", "email", stdin=MAIL).code == 0
    (row,) = intake("tickets", "list", "--json").objects
    return str(row["ref"])


def _show(intake: Any, ref: str) -> dict[str, Any]:
    (shown,) = intake("tickets", "show", ref, "--json").objects
    return dict(shown)


def test_answer_with_something_unseen_is_not_sent(intake: Any, ref: str) -> None:
    """Its mark is what show said."""
    seen = _show(intake, ref)["seen"]
    arguments = ("tickets", "reply", ref, "--as", "anna", "--seen", seen)
    assert intake(*arguments, stdin=b"Water.").code == 0
    second = intake(*arguments, stdin=b"Sand.")
    assert (second.code, "something new" in second.err) == (2, True)


@pytest.mark.slow
def test_held_answer_is_taken_back_and_is_a_draft(intake: Any, ref: str) -> None:
    """It waits for as long as it was told."""
    assert intake("tickets", "reply", ref, "--as", "anna", "--hold", "60", stdin=b"Water.").code == 0
    assert intake("tickets", "undo", ref, "--as", "anna").code == 0
    (draft,) = intake("tickets", "drafts", "--as", "anna", "--json").objects
    assert (draft["text"], draft["ref"]) == ("Water.", ref)
    assert intake("tickets", "undo", ref, "--as", "anna").code == 2


@pytest.mark.slow
def test_spam_blocks_and_is_taken_back(intake: Any, ref: str) -> None:
    """Who is blocked is listed with who did it."""
    assert intake("tickets", "spam", ref, "--as", "anna", "--block").code == 0
    (row,) = intake("tickets", "blocked", "--json").objects
    assert (row["value"], row["added_by"]) == ("jan@customer.example", "agent:anna")
    assert intake("tickets", "spam", ref, "--as", "anna", "--undo").code == 0
    assert intake("tickets", "blocked", "--json").objects == []


def test_senders_are_blocked_by_name(intake: Any, desk: Path) -> None:
    """A domain too; and heard again."""
    assert intake("tickets", "block", "spam.example", "--as", "anna").code == 0
    assert "spam.example" in intake("tickets", "blocked").out
    assert intake("tickets", "unblock", "spam.example", "--as", "anna").code == 0
    assert "not blocked" in intake("tickets", "unblock", "spam.example", "--as", "anna").err


def test_new_ticket_of_a_call(intake: Any, desk: Path) -> None:
    """Where the rules put it, unless it is said."""
    done = intake(
        "tickets", "new", "--as", "anna", "--email", "eva@customer.example", "--nature", "sales", "--json",
        stdin=b"She wants an offer",
    )  # fmt: skip
    shown = _show(intake, done.objects[0]["ref"])
    assert (shown["nature"], shown["conversation"][0]["text"]) == ("sales", "She wants an offer")


def test_first_word_to_a_customer(intake: Any, desk: Path) -> None:
    """It goes out, and the ticket is its writer's."""
    done = intake(
        "tickets", "new", "--write", "--as", "anna", "--email", "eva@customer.example", "--json",
        stdin=b"Your order is late.",
    )  # fmt: skip
    (queued,) = intake("outbox", "list", "--json").objects
    assert (done.objects[0]["agent"], queued["to"]) == ("anna", "eva@customer.example")


def test_nature_and_outcome_are_kept(intake: Any, ref: str) -> None:
    """Words that are none are refused."""
    arguments = ("tickets", "status", ref, "solved", "--as", "anna", "--nature", "technical")
    assert intake(*arguments, "--outcome", "workaround").code == 0
    kinds = [each["kind"] for each in _show(intake, ref)["events"]]
    assert "outcome_changed" in kinds
    assert intake("tickets", "nature", ref, "complaint", "--as", "anna").code == 0
    assert intake("tickets", "status", ref, "open", "--as", "anna", "--outcome", "solved").code == 2


def test_canned_replies_are_listed_and_filled_in(intake: Any, ref: str) -> None:
    """In the customer's language, with what the ticket says."""
    names = {each["name"] for each in intake("canned", "list", "--json").objects}
    shown = intake("canned", "show", "more-details", "--for", ref)
    assert "more-details" in names
    assert ref in shown.out
    assert intake("canned", "show", "more-detail").err.count("did you mean") == 1


def test_gap_is_told(intake: Any, ref: str, desk: Path) -> None:
    """A variable that is empty is named, and marked in the text."""
    (desk / "config" / "canned" / "hello.en.md").write_text("Dear {{ customer.organization }},\n")
    done = intake("canned", "show", "hello", "--for", ref)
    assert "[[customer.organization]]" in done.out.replace("\\", "")
    assert "is empty on this ticket" in done.err


def test_check_names_what_is_wrong_in_a_canned_reply(intake: Any, desk: Path) -> None:
    """With its line; the others are used all the same."""
    (desk / "config" / "canned" / "bad.en.md").write_text("Title: Bad\n\nDear {{ customer.nam }},\n")
    problems = [json.loads(line) for line in intake("check", "--json").out.splitlines()]
    found = next(each for each in problems if each["code"] == "bad-canned-reply")
    assert (found["file"].endswith("bad.en.md"), found["line"]) == (True, 3)
    assert "more-details" in intake("canned", "list").out
