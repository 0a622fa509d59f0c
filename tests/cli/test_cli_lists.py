"""Lists, fields, and rulebooks against the store, from the command line."""

from pathlib import Path
from typing import Any

import pytest

from tests.domain.world import RULES

MAIL = b"From: a@example.net\r\nTo: support@example.com\r\nSubject: hi\r\nMessage-ID: <1@x>\r\n\r\nMy printer burns.\r\n"
MORE = """
lists:
  blocked: {kept: desk}
  vip: {file: vip.csv}
fields:
  order: {type: text}
  paid: {type: flag}
  size: {type: choice, choices: [Small, Large]}
"""


@pytest.fixture
def ruled(desk: Path) -> Path:
    """The starter configuration with lists and fields."""
    (desk / "config" / "rules.yaml").write_text(RULES + MORE)
    (desk / "config" / "vip.csv").write_text("Acme.example\nother.example\n")
    return desk


@pytest.fixture
def ref(ruled: Path, intake: Any) -> str:
    """A ticket."""
    assert intake("ingest", "-", "--kind", "email", stdin=MAIL).code == 0
    return str(intake("tickets", "list", "--json").objects[0]["ref"])


def test_values_of_a_kept_list_come_and_go(ruled: Path, intake: Any) -> None:
    """Values are kept as conditions compare them, with who added them; adding one again adds nothing."""
    assert intake("lists", "add", "blocked", "Spam@Bad.example", "b@c.example", "--as", "ania").code == 0
    assert intake("lists", "add", "blocked", "spam@bad.example", "--json").objects == [
        {"list": "blocked", "added": []}
    ]
    shown = intake("lists", "show", "blocked", "--json").objects
    assert [(row["value"], row["added_by"]) for row in shown] == [
        ("b@c.example", "agent:ania"),
        ("spam@bad.example", "agent:ania"),
    ]
    assert intake("lists", "remove", "blocked", "SPAM@bad.example", "--json").objects == [
        {"list": "blocked", "removed": ["spam@bad.example"]}
    ]
    assert [
        row["value"] for row in intake("lists", "show", "--json").objects if row["list"] == "blocked"
    ] == ["b@c.example"]


def test_values_of_a_file_are_shown(ruled: Path, intake: Any) -> None:
    """What stands beside the rules is shown as it is written."""
    assert [row["value"] for row in intake("lists", "show", "vip", "--json").objects] == [
        "Acme.example",
        "other.example",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "blockt", "a@b.c"), "the rules have no list 'blockt': did you mean 'blocked'?"),
        (("add", "vip", "a@b.c"), "list 'vip' stands in the rules or in a file beside them: change it there"),
        (("add", "blocked", "a@b.c", "--as", "nobody"), "there is no agent 'nobody' in the rules"),
        (("add", "blocked", " "), "a value of a list has 1 to 500 characters"),
        (("show", "vipp"), "the rules have no list 'vipp': did you mean 'vip'?"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    ruled: Path, intake: Any, arguments: tuple[str, ...], said: str
) -> None:
    done = intake("lists", *arguments)
    assert (done.code, said in done.err, "Traceback" in done.err) == (2, True, False)


@pytest.mark.slow
def test_field_of_a_ticket_is_set_shown_and_taken_away(ruled: Path, intake: Any, ref: str) -> None:
    """A field is text as written; a choice is spelt as the rules do."""
    for field, value in (("order", "AB123"), ("size", "large")):
        assert intake("tickets", "field", ref, field, value, "--as", "ania").code == 0
    shown = intake("tickets", "show", ref, "--json").objects[0]
    assert shown["fields"] == {"order": "AB123", "size": "Large"}
    assert "order: AB123" in intake("tickets", "show", ref).out
    intake("tickets", "field", ref, "order", "none", "--as", "ania")
    assert intake("tickets", "show", ref, "--json").objects[0]["fields"] == {"size": "Large"}


def test_field_of_a_customer_is_shown_with_each_ticket(ruled: Path, intake: Any, ref: str) -> None:
    assert intake("tickets", "field", ref, "order", "X1", "--as", "ania", "--customer").code == 0
    shown = intake("tickets", "show", ref, "--json").objects[0]
    assert (shown["customer"]["fields"], shown["fields"]) == ({"order": "X1"}, {})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("ordr", "x", "the rules have no field 'ordr': did you mean 'order'?"),
        ("paid", "perhaps", "'perhaps' is not a flag, as field 'paid' wants"),
        ("size", "huge", "'huge' is not one of Small, Large, as field 'size' wants"),
    ],
)
def test_wrong_field_or_value_is_wrong_input(
    ruled: Path, intake: Any, ref: str, field: str, value: str, said: str
) -> None:
    done = intake("tickets", "field", ref, field, value, "--as", "ania")
    assert (done.code, said in done.err) == (2, True)


@pytest.mark.slow
def test_rearm_moves_open_tickets_and_says_so(ruled: Path, intake: Any, ref: str) -> None:
    """A trial counts and keeps nothing; the second time there is nothing left to move."""
    before = intake("tickets", "show", ref, "--json").objects[0]["due"]
    rules = ruled / "config" / "rules.yaml"
    rules.write_text(rules.read_text().replace("normal: 2h", "normal: 77m"))
    counts = [
        intake("rules", "rearm", "standard", *flags, "--json").objects[0]
        for flags in (("--dry-run",), (), ())
    ]
    assert [(each["moved"], each["unchanged"]) for each in counts] == [(1, 0), (1, 0), (0, 1)]
    assert intake("tickets", "show", ref, "--json").objects[0]["due"] != before


def test_rearm_of_an_unknown_policy_hints(ruled: Path, intake: Any) -> None:
    done = intake("rules", "rearm", "standart")
    assert (done.code, "did you mean 'standard'?" in done.err) == (2, True)


def test_history_names_the_rulebooks_that_decided(ruled: Path, intake: Any, ref: str) -> None:
    decided = intake("tickets", "show", ref, "--json").objects[0]["decision"]["rulebook"]
    rows = intake("rules", "history", "--json").objects
    assert {row["hash"]: row["decisions"] for row in rows}[decided] == 1
