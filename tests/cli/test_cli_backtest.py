"""`intake rules backtest` over a desk's own store: text, JSON and a page, and not a byte written to the store."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def mail(number: int, subject: str) -> bytes:
    return (
        f"From: Ann <ann{number}@example.net>\r\nTo: support@example.com\r\nSubject: {subject}\r\n"
        f"Message-ID: <{number}@example.net>\r\n\r\nHello, <b>please</b> help.\r\n"
    ).encode()


@pytest.fixture
def filled(intake: Any, desk: Path) -> Path:
    """A desk that has taken twelve mails; its rules, and the same without the billing team's work."""
    for number in range(12):
        (desk / f"{number}.eml").write_bytes(
            mail(number, "My invoice" if number % 3 else "My <script> printer")
        )
    assert intake("ingest", *(str(desk / f"{number}.eml") for number in range(12))).code == 0
    rules = (desk / "config" / "rules.yaml").read_text().partition("\ntests:")[0]
    (desk / "same.yaml").write_text(rules)
    (desk / "new.yaml").write_text(
        rules.replace("then: {team: billing, tags: [money]}", "then: {team: technical}")
    )
    return desk


def test_the_rules_in_force_change_nothing(intake: Any, filled: Path) -> None:
    """Over their own decisions."""
    (found,) = intake("rules", "backtest", "config/rules.yaml", "--json").objects
    assert (found["decisions"], found["same"], found["changed"], found["moves"]) == (12, 12, 0, [])


def test_what_changes_is_counted_and_shown_with_its_rule(intake: Any, filled: Path) -> None:
    """Eight invoices would have gone to another team."""
    (found,) = intake("rules", "backtest", "new.yaml", "--since", "30d", "--json").objects
    assert found["changes"]["team"] == 8
    assert {"team": "technical", "before": 0, "after": 8} in found["teams"]
    change = next(each for each in found["examples"][0]["changes"] if each["field"] == "team")
    assert (change["before"], change["after"], change["rule"]) == ("billing", "technical", "billing")


def test_a_person_reads_the_same_in_words(intake: Any, filled: Path) -> None:
    """Numbers, the move and a ticket's ref."""
    done = intake("rules", "backtest", "new.yaml")
    assert done.code == 0, done.err
    assert re.search(r"8 changed +67 %", done.out)
    assert re.search(r"team +billing +technical +8", done.out)


def test_the_page_is_whole_and_asks_no_server(intake: Any, filled: Path) -> None:
    """Everything is in the file, and what customers or admins wrote is text."""
    assert intake("rules", "backtest", "new.yaml", "--html", "page.html").code == 0
    page = (filled / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href|url)\s*[=(]|https?://|<script", page)
    assert page.count("<svg") == page.count("</svg>") >= 3
    assert "technical" in page


def test_the_store_is_only_read(intake: Any, filled: Path) -> None:
    """Byte for byte what it was."""

    def digest() -> str:
        return hashlib.sha256((filled / "var" / "intake.db").read_bytes()).hexdigest()

    intake("rules", "backtest", "same.yaml")
    before = digest()
    assert intake("rules", "backtest", "new.yaml", "--html", "page.html").code == 0
    assert digest() == before


def test_rules_that_are_refused_are_refused_here_too(intake: Any, filled: Path) -> None:
    """With the place of the mistake."""
    (filled / "bad.yaml").write_text("version: 1\nroute: [{id: a, then: {team: nobody}}]\n")
    done = intake("rules", "backtest", "bad.yaml")
    assert done.code == 2
    assert "bad.yaml:2:" in done.err


def test_without_a_store_nothing_is_made(intake: Any, new_desk: Path) -> None:
    """A question makes no store."""
    done = intake("rules", "backtest", "config/rules.yaml")
    assert (done.code, (new_desk / "var" / "intake.db").exists()) == (2, False)
