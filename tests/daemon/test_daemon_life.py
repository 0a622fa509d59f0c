"""A whole day of the daemon: mail in, answer out, a colleague at the command line, a changed rule, a clean end."""

import json
import re
import signal
from pathlib import Path

import pytest

from tests.daemon.conftest import Start

pytestmark = pytest.mark.slow


def test_mail_comes_out_as_ticket_and_acknowledgement(start: Start, tmp_path: Path) -> None:
    """One mail over SMTP is a routed ticket with due times, and the receipt lies in the outgoing folder."""
    daemon = start().greeted()
    daemon.send("I need a copy of my invoice.")
    daemon.heard("message_sent")
    (ticket,) = daemon.objects("tickets", "list")
    assert (ticket["team"], ticket["messages"], set(ticket["due"])) == (
        "billing",
        1,
        {"first_response", "resolution"},
    )
    receipts = [path.read_text() for path in (tmp_path / "var" / "outgoing").glob("*.eml")]
    assert any("To: jan@customer.example" in text and ticket["ref"] in text for text in receipts)


def test_agent_answers_beside_the_running_daemon(start: Start, tmp_path: Path) -> None:
    """`tickets reply` in another process is noticed by the daemon, which sends the answer and meets the clock."""
    daemon = start().greeted()
    daemon.send("Hello")
    daemon.heard("message_sent")
    (ticket,) = daemon.objects("tickets", "list")
    done = daemon.intake("tickets", "reply", ticket["ref"], "-", "--as", "anna", text="Good morning, Jan.")
    assert done.returncode == 0, done.stderr
    daemon.heard("message_sent")
    sent = "".join(path.read_text() for path in (tmp_path / "var" / "outgoing").glob("*.eml"))
    assert "Good morning, Jan." in sent
    (shown,) = daemon.objects("tickets", "show", ticket["ref"])
    assert [each["direction"] for each in shown["conversation"]] == ["in", "out", "out"]


def test_sigterm_settles_what_was_taken_and_ends_with_0(start: Start) -> None:
    """Every 250 before the signal is a ticket after it, without another start."""
    daemon = start().greeted()
    for number in range(40):
        assert daemon.send(f"mail {number}", sender=f"c{number}@customer.example")[0] == 250
    assert daemon.end() == 0
    states = {row["state"] for row in daemon.objects("journal", "list")}
    assert states == {"ticket"}


def test_new_rule_is_in_force_without_a_restart(start: Start, tmp_path: Path) -> None:
    """A changed rules.yaml is read again by itself, and the next mail goes by it."""
    daemon = start().greeted()
    rules = tmp_path / "config" / "rules.yaml"
    parrots = "  - {id: parrots, when: {text.words: parrot}, then: {team: technical}}"
    rules.write_text(re.sub(r"(?m)^(route:.*)$", rf"\1\n{parrots}", rules.read_text()))
    daemon.heard("rules_loaded")
    daemon.send("My parrot is ill.")
    daemon.heard("message_settled")
    assert [row["rule"] for row in daemon.objects("tickets", "list")] == ["parrots"]


def test_wrong_rule_is_refused_and_the_old_ones_stay(start: Start, tmp_path: Path) -> None:
    """SIGHUP with a broken rulebook changes nothing but the log and /readyz, which say what is wrong."""
    daemon = start().greeted()
    rules = tmp_path / "config" / "rules.yaml"
    rules.write_text(rules.read_text().replace("team: billing", "team: biling"))
    daemon.process.send_signal(signal.SIGHUP)
    refused = daemon.heard("rules_refused")
    assert "did you mean 'billing'" in json.dumps(refused)
    assert daemon.send("Where is my invoice?")[0] == 250
    daemon.heard("message_settled")
    assert [row["team"] for row in daemon.objects("tickets", "list")] == ["billing"]
    status, body = daemon.get("/readyz")
    assert (status, "refused" in body["parts"]["rules"]["detail"]) == (200, True)


def test_journal_of_a_killed_daemon_is_settled_by_the_next(start: Start) -> None:
    """SIGKILL after the 250: the next start makes the ticket."""
    daemon = start(INTAKE_FAILPOINT="settle.before:1").greeted()
    assert daemon.send("Hello")[0] == 250
    assert daemon.process.wait(30) == -signal.SIGKILL
    again = start().greeted()
    again.heard("message_settled")
    assert len(again.objects("tickets", "list")) == 1


def test_readyz_names_its_parts(start: Start) -> None:
    """A healthy daemon is ready, part by part."""
    status, body = start().greeted().get("/readyz")
    assert (status, body["ready"], set(body["parts"])) == (
        200,
        True,
        {"store", "channels", "rules", "journal", "outbox", "ledger", "timers"},
    )
