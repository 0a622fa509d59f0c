"""Files become tickets through the real pipeline, once, and their conversation is shown with the promised keys."""

import io
import mailbox
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channels.email import files
from intake.store import lockfile

TICKET_KEYS = {
    "ref", "subject", "status", "priority", "team", "agent", "nature", "language", "tags", "customer", "channel",
    "account", "created_at", "messages", "due", "rule", "fields",
    "merged_into", "linked_to", "suggested_link", "waits_since", "promise",
}  # fmt: skip


def mail(
    number: int, *, subject: str = "Refund please", body: str = "I want a refund of invoice 12."
) -> bytes:
    return (
        f"From: Ann <ann{number}@example.net>\r\nTo: support@example.com\r\nSubject: {subject}\r\n"
        f"Message-ID: <{number}@example.net>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n\r\n{body}\r\n"
    ).encode()


def written(folder: Path) -> Path:
    """An .eml file, an mbox and a Maildir with two mails each but the first, one of them twice."""
    source = folder / "old"
    source.mkdir()
    (source / "one.eml").write_bytes(mail(1))
    with open(source / "two.mbox", "wb") as box:  # noqa: PTH123 - bytes as mboxes have them
        box.writelines(
            b"From ann Mon Mar  2 10:00:00 2026\n" + mail(number).replace(b"\r\n", b"\n") + b"\n"
            for number in (2, 3)
        )
    maildir = mailbox.Maildir(source / "three", create=True)
    for number in (4, 1):
        maildir.add(mail(number))
    return source


def test_every_form_of_file_is_taken_once(intake: Any, desk: Path) -> None:
    source = str(written(desk))
    assert intake("ingest", source, "--json").objects == [
        {"taken": 4, "duplicates": 1, "automatic": 0, "quarantined": 0, "pending": 0, "refused": 0}
    ]
    again = intake("ingest", source)
    assert (again.code, again.out) == (0, "0 taken, 5 duplicates, 0 quarantined\n")
    assert len(intake("journal", "list", "--json").objects) == 4
    assert len(intake("tickets", "list", "--json").objects) == 4


def test_lists_have_the_promised_keys(intake: Any, desk: Path) -> None:
    intake("ingest", str(written(desk)))
    ticket = intake("tickets", "list", "--json").objects[0]
    assert set(ticket) == TICKET_KEYS
    assert (ticket["team"], ticket["rule"], ticket["channel"], ticket["messages"]) == (
        "billing",
        "billing",
        "email",
        1,
    )
    assert set(ticket["due"]) == {"first_response", "resolution"}
    assert ticket["customer"]["address"] == "ann1@example.net"
    [row, *_] = intake("journal", "list", "--json").objects
    assert set(row) == {"id", "account", "key", "received_at", "state", "ticket", "problem"}
    assert (row["state"], row["ticket"]) == ("ticket", ticket["ref"])
    [row, *_] = intake("outbox", "list", "--json").objects
    assert set(row) == {"id", "ticket", "channel", "to", "state", "attempts", "next_at", "error"}
    assert (row["state"], row["to"]) == ("queued", "ann1@example.net")
    [row, *_] = intake("timers", "list", "--json").objects
    assert set(row) >= {"ticket", "kind", "step", "due_at"}


def test_a_ticket_is_shown_with_conversation_events_and_decision(intake: Any, desk: Path) -> None:
    intake("ingest", str(written(desk)))
    ref = intake("tickets", "list", "--json", "--limit", "1").objects[0]["ref"]
    [shown] = intake("tickets", "show", ref.lower(), "--json").objects
    assert set(shown) == TICKET_KEYS | {
        "conversation", "events", "decision", "looked_at", "calls", "other_ways", "seen",
    }  # fmt: skip
    assert [(each["direction"], each["from"]) for each in shown["conversation"]] == [
        ("in", "ann1@example.net"),
        ("out", "rule:default"),
    ]
    assert set(shown["conversation"][0]) >= {
        "id", "channel", "direction", "from", "at", "text", "visible_text", "attachments",
    }  # fmt: skip
    assert set(shown["decision"]) >= {
        "rulebook", "matched", "rule", "team", "agent", "priority", "sla", "tags", "due", "actions", "reasons",
    }  # fmt: skip
    page = intake("tickets", "show", ref)
    assert "I want a refund of invoice 12." in page.out
    explained = intake("rules", "explain", ref, "--json").objects[0]
    assert "vip" in [each["rule"] for each in explained["why_not"]]


def test_an_agent_answers_notes_assigns_and_closes(intake: Any, desk: Path) -> None:
    intake("ingest", str(written(desk)))
    ref = intake("tickets", "list", "--json", "--limit", "1").objects[0]["ref"]
    assert intake("tickets", "reply", ref, "--as", "anna", "--status", "pending", stdin=b"Done.").code == 0
    assert intake("tickets", "note", ref, "--as", "anna", stdin=b"Called the bank.").code == 0
    assert intake("tickets", "assign", ref, "ben", "--as", "anna").code == 0
    assert intake("tickets", "status", ref, "solved", "--as", "ben").code == 0
    [shown] = intake("tickets", "show", ref, "--json").objects
    assert (shown["status"], shown["agent"]) == ("solved", "ben")
    assert [each["direction"] for each in shown["conversation"]] == ["in", "out", "out", "note"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("reply", "REF", "--as", "nobody-there"), "no agent 'nobody-there'"),
        (("assign", "REF", "bne", "--as", "anna"), "did you mean 'ben'?"),
        (("status", "1111111", "open", "--as", "anna"), "1111111"),
    ],
)
def test_what_an_agent_cannot_do_is_wrong_input(
    intake: Any, desk: Path, arguments: tuple[str, ...], said: str
) -> None:
    intake("ingest", str(written(desk)))
    ref = intake("tickets", "list", "--json", "--limit", "1").objects[0]["ref"]
    done = intake("tickets", *(ref if each == "REF" else each for each in arguments), stdin=b"text")
    assert done.code == 2
    assert said in done.err


@pytest.mark.slow
def test_filters_narrow_the_list(intake: Any, desk: Path) -> None:
    source = written(desk)
    (source / "other.eml").write_bytes(mail(9, subject="Hello", body="When are you open?"))
    intake("ingest", str(source))
    counts = [
        len(intake("tickets", "list", "--json", *narrowed).objects)
        for narrowed in (
            (), ("--team", "support"), ("--status", "solved"), ("--limit", "2"), ("--since", "1h"), ("--since", "2100-01-01"),
        )
    ]  # fmt: skip
    assert counts == [5, 1, 0, 2, 5, 0]


@pytest.mark.slow
def test_stdin_ends_as_a_mail_server_expects(intake: Any, desk: Path) -> None:
    assert intake("ingest", "-", stdin=mail(1)).code == 0
    assert intake("ingest", "-", stdin=mail(1)).code == 0
    assert len(intake("tickets", "list", "--json").objects) == 1
    assert intake("ingest", "-", stdin=b"").code == 65
    (desk / "config" / "rules.yaml").write_text("version: 2\n")
    assert intake("ingest", "-", stdin=mail(2)).code == 75
    (desk / "config" / "intake.yaml").unlink()
    assert intake("ingest", "-", stdin=mail(2)).code == 75


def test_beside_a_daemon_it_journals_and_leaves_the_settling(
    intake: Any, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intake.commands import settling

    monkeypatch.setattr(settling, "STUCK_S", 0.0)
    intake("tickets", "list")
    with lockfile.acquire(desk / "var"):
        done = intake("ingest", str(written(desk)))
    assert done.code == 0
    assert "4 are journalled and not settled yet" in done.err
    assert {row["state"] for row in intake("journal", "list", "--json").objects} == {"pending"}


@pytest.mark.slow
def test_a_raw_message_comes_out_as_it_came_in(intake: Any, desk: Path) -> None:
    body = mail(1)
    intake("ingest", "-", stdin=body)
    assert intake("journal", "export", "1").out == body.decode()
    [shown] = intake("journal", "show", "1", "--json").objects
    assert shown["state"] == "ticket"
    assert intake("journal", "replay", "1").code == 0
    assert len(intake("tickets", "list", "--json").objects) == 1
    assert intake("journal", "show", "99").code == 2


def test_a_backup_comes_back(intake: Any, desk: Path) -> None:
    intake("ingest", "-", stdin=mail(1))
    assert intake("db", "backup", "desk.tar.gz").code == 0
    assert intake("db", "verify", "desk.tar.gz", "--json").objects == [
        {"file": "desk.tar.gz", "sound": True, "problems": []}
    ]
    assert intake("db", "restore", "desk.tar.gz").code == 1
    (desk / "var").rename(desk / "gone")
    assert intake("db", "restore", "desk.tar.gz").code == 0
    assert len(intake("tickets", "list", "--json").objects) == 1


def test_an_mbox_is_split_at_separators_only() -> None:
    box = b"From a Mon Mar  2 10:00:00 2026\nSubject: 1\n\nFrom the start\n>From here\n>>From there\n\nFrom b Tue Mar  3 10:00:00 2026\nSubject: 2\n\nx\n"
    assert list(files.split(io.BytesIO(box))) == [
        b"Subject: 1\n\nFrom the start\nFrom here\n>From there\n",
        b"Subject: 2\n\nx\n",
    ]


def test_a_mail_without_id_and_date_is_known_by_its_bytes() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    keys = [
        files.raw_from(body, kind="email.smtp", account="a", received_at=now).keys
        for body in (b"a", b"a", b"b")
    ]
    assert keys[0] == keys[1] != keys[2]
