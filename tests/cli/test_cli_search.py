"""Finding tickets from the command line, and the desk's lists there."""

from pathlib import Path
from typing import Any

import pytest

from tests.domain.world import RULES

MAILS = {
    "money": b"From: Zoe <zoe@kunde.example>\r\nTo: support@example.com\r\nSubject: Invoice 4711\r\nMessage-ID: <1@x>\r\n\r\nPlease send it again.\r\n",
    "printer": b"From: b@example.net\r\nTo: support@example.com\r\nSubject: Printer\r\nMessage-ID: <2@x>\r\n\r\nIt burns; call 0601 234 567.\r\n",
}


@pytest.fixture
def refs(desk: Path, intake: Any) -> dict[str, str]:
    """Two tickets, one of billing and one of support: name -> ref."""
    (desk / "config" / "rules.yaml").write_text(RULES)
    for mail in MAILS.values():
        assert intake("ingest", "-", "--kind", "email", stdin=mail).code == 0
    rows = intake("tickets", "list", "--json").objects
    return {"money" if row["subject"].startswith("Invoice") else "printer": row["ref"] for row in rows}


def found(intake: Any, *words: str) -> list[str]:
    return [row["ref"] for row in intake("tickets", "search", "--json", *words).objects]


def test_a_ticket_is_found_by_what_is_known_of_it(refs: dict[str, str], intake: Any) -> None:
    """Words, a number, an address, a phone number, a ref, with filters and without."""
    for words in (
        ("send", "again"),
        ("4711",),
        ("zoe@kunde.example",),
        ("invoice", "team:billing"),
        (refs["money"],),
    ):
        assert found(intake, *words) == [refs["money"]], words
    assert found(intake, "+48 601 234 567") == [refs["printer"]]
    assert found(intake, "invoice", "team:support") == []


def test_what_is_found_says_where_and_for_people_in_a_table(refs: dict[str, str], intake: Any) -> None:
    [row] = intake("tickets", "search", "burn", "--json").objects
    assert row["hit"]["where"] == "message"
    shown = intake("tickets", "search", "burn")
    assert refs["printer"] in shown.out
    assert "It burns" in shown.out
    nothing = intake("tickets", "search", "zebra")
    assert (nothing.code, nothing.out) == (0, "")
    assert "nothing was found" in nothing.err


@pytest.mark.slow
def test_an_agent_finds_and_lists_what_they_see(refs: dict[str, str], intake: Any) -> None:
    """Ania is of support alone; without --as everything is seen."""
    assert found(intake, "please", "--as", "ania") == []
    assert found(intake, "please") == [refs["money"]]
    lists = {
        view: [
            row["ref"] for row in intake("tickets", "list", "--view", view, "--as", "ania", "--json").objects
        ]
        for view in ("mine", "team", "unassigned", "breaching", "all")
    }
    mine = [refs["printer"]]
    assert {view: each for view, each in lists.items() if view not in ("mine", "unassigned")} == {
        "team": mine, "breaching": mine, "all": mine,
    }  # fmt: skip
    assert sorted(lists["mine"] + lists["unassigned"]) == mine
    every = intake("tickets", "list", "--view", "breaching", "--json").objects
    assert len(every) == 2
    assert all(row["next_due"]["target"] == "first_response" for row in every)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("list", "--view", "mine"), "--as AGENT"),
        (("list", "--view", "all", "--as", "anja"), "there is no agent 'anja'"),
        (("list", "--view", "all", "--waiting"), "leave out --view"),
        (("search", "x", "--as", "nobody"), "there is no agent 'nobody'"),
    ],
)
def test_what_cannot_be_shown_is_said(
    refs: dict[str, str], intake: Any, arguments: tuple[str, ...], sentence: str
) -> None:
    done = intake("tickets", *arguments)
    assert done.code == 2
    assert sentence in done.err


def test_the_index_can_be_made_anew(refs: dict[str, str], intake: Any) -> None:
    done = intake("db", "reindex", "--json")
    assert done.objects[0]["messages"] >= 2
    assert found(intake, "send", "again") == [refs["money"]]
