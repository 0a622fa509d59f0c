"""The command line as a person meets it: what it prints, where, and how it ends."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MAIL = b"From: Ann <ann@example.net>\r\nTo: support@example.com\r\nSubject: Hello\r\nMessage-ID: <1@example.net>\r\n\r\nMy printer burns.\r\n"


def intake(
    *arguments: str, folder: Path, stdin: bytes = b"", **environ: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "intake", *arguments],
        cwd=folder,
        input=stdin,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        timeout=50,
        check=False,
    )


def objects(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the starter configuration."""
    assert intake("init", folder=tmp_path).returncode == 0
    return tmp_path


def test_help_lists_every_command_quickly(tmp_path: Path) -> None:
    best = 10.0
    for _ in range(3):
        started = time.perf_counter()
        done = intake("--help", folder=tmp_path)
        best = min(best, time.perf_counter() - started)
    assert done.returncode == 0
    for name in (
        "init",
        "run",
        "check",
        "parse",
        "route",
        "ingest",
        "tickets",
        "journal",
        "outbox",
        "db",
        "demo",
    ):
        assert f"\n  {name} " in done.stdout.decode()
    assert best < 0.15


def test_an_unknown_command_is_wrong_input_and_hints(tmp_path: Path) -> None:
    done = intake("tikets", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode() == "intake: there is no command 'tikets': did you mean 'tickets'?\n"


def test_init_writes_a_configuration_once(tmp_path: Path) -> None:
    first = intake("init", "desk", folder=tmp_path)
    assert first.returncode == 0
    assert "desk/intake.yaml\n" in first.stdout.decode()
    (tmp_path / "desk" / "intake.yaml").write_text("mine")
    again = intake("init", "desk", folder=tmp_path)
    assert (again.returncode, again.stdout) == (0, b"")
    assert (tmp_path / "desk" / "intake.yaml").read_text() == "mine"


def test_a_wrong_configuration_is_exit_2_with_every_problem_and_no_trace(desk: Path) -> None:
    (desk / "config" / "intake.yaml").write_text("chanels: {}\nname: 7\n")
    done = intake("tickets", "list", folder=desk)
    said = done.stderr.decode()
    assert done.returncode == 2
    assert "config/intake.yaml:1:1: error[unknown-key]" in said
    assert "config/intake.yaml:2:7: error[wrong-type]" in said
    assert "Traceback" not in said
    assert "    2 | name: 7\n" in said


def test_a_problem_does_not_show_the_secret_that_stands_beside_it(desk: Path) -> None:
    (desk / "config" / "intake.yaml").write_text(
        "outgoing: {password: canary-secret, user: x}\nchannels: {}\n"
    )
    done = intake("tickets", "list", folder=desk)
    assert done.returncode == 2
    assert b"canary" not in done.stderr + done.stdout


def test_parse_prints_the_normal_form_in_the_order_given(desk: Path) -> None:
    for number in range(3):
        (desk / f"{number}.eml").write_bytes(MAIL.replace(b"Hello", b"Hello %d" % number))
    found = objects(intake("parse", "2.eml", "0.eml", "1.eml", "--kind", "email", folder=desk))
    assert [each["subject"] for each in found] == ["Hello 2", "Hello 0", "Hello 1"]
    assert set(found[0]) == {
        "kind", "message_id", "in_reply_to", "references", "from", "to", "cc", "reply_to", "subject", "sent_at", "text",
        "visible_text", "quoted_text", "language", "attachments", "automatic", "bounce", "trust", "problems",
    }  # fmt: skip
    assert found[0]["from"] == {"address": "ann@example.net", "name": "Ann"}
    assert set(found[0]["trust"]) == {"spf", "dkim", "dmarc", "verified_sender"}


def test_parse_reads_stdin_and_needs_no_configuration(tmp_path: Path) -> None:
    [found] = objects(intake("parse", "-", folder=tmp_path, stdin=MAIL))
    assert found["visible_text"] == "My printer burns."


def test_parse_of_a_missing_file_prints_the_others_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL)
    done = intake("parse", "a.eml", "none.eml", folder=tmp_path)
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr.decode() == "intake: none.eml: No such file or directory\n"


def test_parse_of_an_unknown_kind_is_wrong_input(tmp_path: Path) -> None:
    done = intake("parse", "-", "--kind", "pigeon", folder=tmp_path)
    assert done.returncode == 2
    assert b"pigeon" in done.stderr


def test_lists_of_an_empty_desk_are_empty(desk: Path) -> None:
    for command in (("tickets", "list"), ("journal", "list"), ("outbox", "list"), ("timers", "list")):
        done = intake(*command, "--json", folder=desk)
        assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ("tickets", "show", "NOPE"),
        ("tickets", "list", "--since", "yesterday"),
        ("tickets", "list", "--limit", "0"),
        ("tickets", "list", "--status", "lost"),
        ("tickets",),
        (),
    ],
)
def test_wrong_arguments_exit_2_without_a_trace(desk: Path, arguments: tuple[str, ...]) -> None:
    done = intake(*arguments, folder=desk)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr or not arguments
