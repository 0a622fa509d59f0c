"""Opt-outs from the command line: noted, listed, taken back, decided."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.domain.world import RULES

MAIL = (
    b"From: jan@customer.example\r\nTo: support@example.com\r\nSubject: hi\r\nMessage-ID: <1@x>\r\n\r\n"
    b"Please take me off your list.\r\n"
)
NUMBER = "+48600100200"


@pytest.fixture
def ruled(desk: Path) -> Path:
    (desk / "config" / "rules.yaml").write_text(RULES)
    return desk


def test_what_was_said_by_mouth_is_noted_listed_and_taken_back(ruled: Path, intake: Any) -> None:
    """The list has who holds now; the address has everything."""
    [row] = intake(
        "consent", "out", "+48 600 100 200", "--as", "ania", "--said", "on the phone", "--json"
    ).objects
    assert (row["address"], row["state"], row["how"]) == (NUMBER, "out", "agent:ania")
    assert row["media"] == ["sms", "voice", "whatsapp"]
    assert [each["id"] for each in intake("consent", "list", "--json").objects] == [row["id"]]
    assert intake("consent", "in", NUMBER, "--as", "ania").code == 0
    assert intake("consent", "list", "--json").objects == []
    shown = intake("consent", "show", NUMBER, "--json").objects
    assert [each["state"] for each in shown] == ["out", "in"]
    assert "on the phone" in intake("consent", "show", NUMBER).out


def test_one_medium_may_be_named(ruled: Path, intake: Any) -> None:
    [row] = intake("consent", "out", NUMBER, "--medium", "sms", "--as", "ania", "--json").objects
    assert row["media"] == ["sms"]


def test_a_suggestion_is_listed_decided_and_seen_on_the_ticket(ruled: Path, intake: Any) -> None:
    """The ticket names it with its sentence, for people and as JSON."""
    assert intake("ingest", "-", "--kind", "email", stdin=MAIL).code == 0
    [found] = intake("consent", "list", "--suggested", "--json").objects
    assert (found["address"], found["due_at"] is not None) == ("jan@customer.example", True)
    assert intake("consent", "decide", found["id"], "--out", "--as", "ania").code == 0
    assert intake("consent", "list", "--suggested", "--json").objects == []
    ref = intake("tickets", "list", "--json").objects[0]["ref"]
    [ticket] = intake("tickets", "show", ref, "--json").objects
    [told] = ticket["customer"]["opt_outs"]
    assert ticket["customer"]["opted_out_at"] is not None
    assert "opted out" in told["sentence"]
    assert told["sentence"] in intake("tickets", "show", ref).out


def test_who_opts_out_of_mail_alone_and_has_a_number_is_told(ruled: Path, intake: Any) -> None:
    """Their mail may have been about calls: nothing is closed by itself, and the agent hears what is open."""
    assert intake("ingest", "-", "--kind", "email", stdin=MAIL).code == 0
    [found] = intake("consent", "list", "--suggested", "--json").objects
    (file,) = ruled.rglob("intake.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO identities (id, customer_id, kind, value, created_at) "
            "SELECT 1, customer_id, 'phone', ?, created_at FROM identities",
            (NUMBER,),
        )
    decided = intake("consent", "decide", found["id"], "--out", "--as", "ania")
    assert f"{NUMBER} may still be texted and called" in decided.err
    assert intake("consent", "out", NUMBER, "--as", "ania").err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("out", "600100200", "--as", "ania"), "neither a number"),
        (("out", NUMBER, "--as", "nobody"), "there is no agent 'nobody'"),
        (("in", NUMBER, "--as", "ania"), "has not opted out"),
        (("decide", "17", "--out", "--as", "ania"), "there is no suggestion 17"),
        (("show", "jan"), "neither a number"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(
    ruled: Path, intake: Any, words: tuple[str, ...], said: str
) -> None:
    """Exit 2."""
    done = intake("consent", *words)
    assert done.code == 2
    assert said in done.err
