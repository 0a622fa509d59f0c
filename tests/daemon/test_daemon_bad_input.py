"""What is wrong is said in one clear sentence, without a traceback; what is ours to blame is temporary."""

import socket
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.conftest import Running, Start

pytestmark = pytest.mark.slow


def ended(daemon: Running) -> tuple[int, str]:
    """How a daemon that could not start ended: its exit code and the one line it said for people."""
    code = daemon.process.wait(30)
    daemon.end()
    words = "".join(daemon.said)
    assert "Traceback" not in words, words
    return code, words


def test_port_in_use(start: Start) -> None:
    """The sentence names the account, the address and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, words = ended(start(INTAKE_SMTP=f"127.0.0.1:{port}"))
    assert code == 1
    assert f"channel 'support' cannot listen on 127.0.0.1:{port}" in words


def test_http_port_in_use(start: Start) -> None:
    """The health page's port is told as plainly."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, words = ended(start(INTAKE_HTTP=f"127.0.0.1:{port}"))
    assert code == 1
    assert f"http cannot listen on 127.0.0.1:{port}" in words


def test_second_daemon_on_the_same_folder(start: Start) -> None:
    """Two daemons never share an embedded store."""
    first = start().greeted()
    code, words = ended(start())
    assert code == 1
    assert f"process {first.process.pid}" in words


def test_wrong_rules_end_with_2_and_every_problem(start: Start, tmp_path: Path) -> None:
    """Both slips are told at once, at their lines."""
    daemon = start()
    daemon.greeted().end()
    rules = tmp_path / "config" / "rules.yaml"
    text = (
        rules.read_text()
        .replace("team: billing", "team: biling")
        .replace("priority: normal", "priority: nromal")
    )
    rules.write_text(text)
    code, words = ended(start())
    assert code == 2
    assert "did you mean 'billing'" in words
    assert "did you mean 'normal'" in words


def test_store_of_a_newer_version(start: Start, tmp_path: Path) -> None:
    """A store that a later intake wrote is refused, untouched."""
    start().greeted().end()
    with sqlite3.connect(tmp_path / "var" / "intake.db") as store:
        store.execute("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    code, words = ended(start())
    assert code == 1
    assert "newer" in words


def test_store_that_is_something_else(start: Start, tmp_path: Path) -> None:
    """A file that is no store is named."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "intake.db").write_bytes(b"not a database, really not" * 100)
    code, words = ended(start())
    assert code == 1
    assert "intake.db" in words


def test_store_that_somebody_holds(start: Start, tmp_path: Path) -> None:
    """A lock on the store ends the start with who to look for."""
    start().greeted().end()
    store = sqlite3.connect(tmp_path / "var" / "intake.db", isolation_level=None)
    store.execute("BEGIN EXCLUSIVE")
    code, words = ended(start())
    store.close()
    assert code == 1
    assert "locked by another process" in words


@pytest.mark.parametrize(("keyword", "code"), [("to", 550), ("size", 552), ("room", 452)])
def test_mail_that_cannot_be_taken(start: Start, keyword: str, code: int) -> None:
    """Unknown recipient 550 and oversize 552 are the sender's; a full disk is 452, ours and temporary."""
    limits = f"\nlimits: {{min_free_disk_bytes: {2**60}}}\n"
    daemon = start(
        lambda text: (
            text + limits
            if keyword == "room"
            else text.replace("kind: email.smtp", "kind: email.smtp\n    max_size_bytes: 10000")
        )
    ).greeted()
    body = "x" * 60 + "\n"
    answer = daemon.send(
        body * (1 if keyword != "size" else 500),
        to="nobody@example.com" if keyword == "to" else "support@example.com",
    )
    assert answer[0] == code
    assert daemon.end() == 0
    assert daemon.objects("journal", "list") == []


def test_folder_that_is_a_file(start: Start, tmp_path: Path) -> None:
    """A data folder that cannot be one is told."""
    (tmp_path / "var").write_text("in the way")
    code, words = ended(start())
    assert (code, str(tmp_path / "var") in words) == (1, True)


def test_keys_that_are_gone(start: Start, tmp_path: Path) -> None:
    """Beside a store with messages no new keys are made: they would recognise nothing that was signed before."""
    daemon = start().greeted()
    daemon.send()
    daemon.heard("message_settled")
    daemon.end()
    (tmp_path / "var" / "keys.json").unlink()
    code, words = ended(start())
    assert (code, "keys.json is missing" in words) == (1, True)
