"""Tickets that belong together, from the command line."""

from pathlib import Path
from typing import Any

import pytest

from intake import settings, wiring

pytestmark = pytest.mark.slow

FIRST = b"From: jan@customer.example\r\nTo: support@example.com\r\nSubject: Fire\r\nMessage-ID: <1@x>\r\n\r\nMy printer burns.\r\n"
SECOND = b"From: eve@elsewhere.example\r\nTo: support@example.com\r\nSubject: Re: Fire\r\nMessage-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\nI am his boss.\r\n"


@pytest.fixture
def refs(intake: Any, tmp_path: Path) -> tuple[str, str]:
    """Jan's ticket, and Eve's, who answers it."""
    intake("init")
    for number, mail in enumerate((FIRST, SECOND)):
        (tmp_path / f"{number}.eml").write_bytes(mail)
        assert intake("ingest", f"{number}.eml", "--kind", "email").code == 0
    one, other = intake("tickets", "list", "--json").objects
    assert other["suggested_link"] == one["ref"]
    return one["ref"], other["ref"]


def agent(intake: Any) -> str:
    """Any agent of the rules."""
    from routing import rulebook

    return next(iter(rulebook.load({"rules.yaml": Path("config/rules.yaml").read_text()}).agents))


def show(intake: Any, ref: str) -> dict[str, Any]:
    [found] = intake("tickets", "show", ref, "--json").objects
    return dict(found)


def test_suggested_link_is_shown_and_accepted(intake: Any, refs: tuple[str, str]) -> None:
    one, other = refs
    assert f"answers?  {one}" in intake("tickets", "show", other).out
    done = intake("tickets", "link", other, "--accept", "--as", agent(intake))
    assert (done.code, other in done.err) == (0, True)
    assert [each["from"] for each in show(intake, one)["conversation"] if each["direction"] == "in"] == [
        "jan@customer.example",
        "eve@elsewhere.example",
    ]
    assert show(intake, other)["merged_into"] == one
    assert f"part of   {one}" in intake("tickets", "show", other).out
    assert "undo" not in intake("tickets", "show", other).out


def test_suggested_link_is_refused(intake: Any, refs: tuple[str, str]) -> None:
    _, other = refs
    assert intake("tickets", "link", other, "--refuse", "--as", agent(intake)).code == 0
    assert show(intake, other)["suggested_link"] is None
    again = intake("tickets", "link", other, "--refuse", "--as", agent(intake))
    assert (again.code, "no link is suggested" in again.err) == (2, True)


def test_tickets_are_merged_and_parted(intake: Any, refs: tuple[str, str]) -> None:
    one, other = refs
    assert intake("tickets", "merge", one, other, "--as", agent(intake)).code == 0
    assert (show(intake, one)["messages"], show(intake, other)["messages"]) == (0, 2)
    assert intake("tickets", "unmerge", one, "--as", agent(intake)).code == 0
    assert (show(intake, one)["messages"], show(intake, other)["messages"]) == (1, 1)


def test_wrong_words_are_one_sentence(intake: Any, refs: tuple[str, str]) -> None:
    one, _ = refs
    assert "into itself" in intake("tickets", "merge", one, one, "--as", agent(intake)).err
    assert "no agent 'nobody'" in intake("tickets", "merge", one, one, "--as", "nobody").err
    assert intake("tickets", "link", one, "--as", agent(intake)).code == 2


@pytest.mark.parametrize("verify", ["", "    verify: {relays: []}\n"])
def test_accounts_that_verify_are_asked_first(intake: Any, tmp_path: Path, verify: str) -> None:
    """What the channel looks up is asked for by everything that settles."""
    intake("init")
    path = tmp_path / "config" / "intake.yaml"
    text = path.read_text()
    kind = "    kind: email.smtp\n"
    assert kind in text
    path.write_text(text.replace(kind, kind + verify, 1))
    wired = wiring.wire(settings.load(path, {}))
    try:
        account = next(iter(wired.channels))
        assert wired.parser.examines(account) == bool(verify)
    finally:
        wired.store.close()
