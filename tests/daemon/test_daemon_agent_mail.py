"""An agent answers a notice over SMTP, as their mail program would: from the notice's file to the customer's."""

import email
import email.policy
import shutil
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import pytest

from tests.daemon.conftest import ROOT, Running, Start

pytestmark = pytest.mark.slow

ANNA = "anna@example.com"


def mails_to(folder: Path, address: str) -> list[EmailMessage]:
    """What lies in the outgoing folder for an address, oldest first."""
    read = (
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted(
            (folder / "var" / "outgoing").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns
        )
    )
    return [mail for mail in read if isinstance(mail, EmailMessage) and address in str(mail["To"])]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def wait_for_mail(daemon: Running, address: str, number: int) -> EmailMessage:
    """The number-th mail to an address, from 1; waits for the daemon to say that it sent something."""
    while len(found := mails_to(daemon.folder, address)) < number:
        daemon.heard("message_sent")
    return found[number - 1]


def test_answer_by_mail_reaches_the_customer(start: Start, tmp_path: Path) -> None:
    """Notice out, answer in, answer out: and nothing of the notice in what the customer reads."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    rules = tmp_path / "config" / "rules.yaml"
    rules.write_text(rules.read_text().replace(", hours: office}", "}"))  # whatever the hour of the test is
    daemon = start().greeted()
    daemon.send("I need a copy of my invoice.")
    told = wait_for_mail(daemon, ANNA, 1)
    quoted = "\n".join(f"> {line}" for line in text_of(told).splitlines())
    code, _ = daemon.send(
        f"#close\nHere it is.\n\nOn Tuesday, the desk wrote:\n{quoted}\n",
        sender=ANNA,
        to=parseaddr(str(told["Reply-To"]))[1],
        subject=f"Re: {told['Subject']}",
        In_Reply_To=str(told["Message-ID"]),
    )
    assert code == 250
    answer = wait_for_mail(daemon, "jan@customer.example", 2)
    assert text_of(answer).startswith("Here it is.")
    assert "above this line" not in answer.as_string()
    assert str(told["Reply-To"]) not in answer.as_string()
    (after,) = daemon.objects("tickets", "list")
    assert (after["status"], after["messages"]) == ("solved", 1)
