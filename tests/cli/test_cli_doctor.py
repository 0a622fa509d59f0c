"""intake doctor: what is set up is asked, and says its cause and what to do."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Intake
from tests.imap import scripted

MAILBOX = """
channels:
  mailbox: {{kind: email.imap, host: 127.0.0.1, port: {port}, tls: none, username: ann, password: "{password}", addresses: [a@example.com]}}
outgoing: {{folder: out}}
"""


@pytest.fixture
def ask(intake: Intake, desk: Path) -> Callable[..., tuple[int, str]]:
    (desk / "out").mkdir()

    def asked(port: int, password: str = "correct-horse", *words: str) -> tuple[int, str]:
        (desk / "config" / "intake.yaml").write_text(MAILBOX.format(port=port, password=password))
        done = intake("doctor", *words)
        return done.code, done.out

    return asked


def test_a_mailbox_that_opens_is_well(ask: Callable[..., tuple[int, str]]) -> None:
    with scripted.serving() as server:
        assert ask(server.port) == (0, "")
    assert "UID FETCH" not in " ".join(server.said)


def test_a_wrong_password_is_told_with_what_to_do(ask: Callable[..., tuple[int, str]]) -> None:
    with scripted.serving() as server:
        code, said = ask(server.port, "wrong-horse")
    assert code == 1
    assert said.startswith("mailbox: error: the server refused the login of ann")
    assert "check username and password" in said
    assert "wrong-horse" not in said


def test_a_server_that_is_not_there_is_told(ask: Callable[..., tuple[int, str]]) -> None:
    with scripted.serving() as server:
        port = server.port
    code, said = ask(port, "correct-horse", "--json")
    assert code == 1
    assert "no connection with 127.0.0.1" in said


@pytest.mark.parametrize(
    "kind", ["email.smtp, listen: '127.0.0.1:0'", "email.webhook, secrets: [0123456789abcdef]"]
)
def test_a_relay_that_is_not_there_is_told(intake: Intake, desk: Path, kind: str) -> None:
    """Also of an account whose mail comes in by itself: answers have to go out."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    (desk / "config" / "intake.yaml").write_text(
        f"channels: {{one: {{kind: {kind}, addresses: [a@example.com]}}}}\noutgoing: {{relay: 'smtp://127.0.0.1:{port}'}}\n"
    )
    done = intake("doctor")
    assert done.code == 1
    assert done.out.startswith(f"one: error: mail cannot be sent: relay 127.0.0.1:{port}: ")
    assert "look at outgoing.relay" in done.out


def test_a_virus_scanner_that_is_not_there_is_told(intake: Intake, desk: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    (desk / "out").mkdir()
    (desk / "config" / "intake.yaml").write_text(
        "channels: {one: {kind: email.smtp, listen: '127.0.0.1:0', addresses: [a@example.com]}}\n"
        f"outgoing: {{folder: out}}\nfiles: {{clamd: '127.0.0.1:{port}'}}\n"
    )
    done = intake("doctor")
    assert done.code == 1
    assert done.out.startswith(f"files.clamd: error: clamd at 127.0.0.1:{port} cannot be asked: ")
    assert "start clamd" in done.out
