"""The command line as a person meets it: what it prints, where, and how it ends."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

MAIL = b"From: Ann <ann@example.net>\r\nTo: support@example.com\r\nSubject: Hello\r\nMessage-ID: <1@example.net>\r\n\r\nMy printer burns.\r\n"


@pytest.mark.slow
def test_help_lists_every_command_quickly(root: Path) -> None:
    best_s = 10.0
    for _ in range(5):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "intake", "--help"], cwd=root, capture_output=True, check=True
        )
        best_s = min(best_s, time.perf_counter() - started)
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
    assert best_s < 0.15


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(root: Path) -> None:
    command = f"{sys.executable} -m intake parse " + "README.md " * 1000 + "| head -n 1"
    done = subprocess.run(
        ["sh", "-c", command], cwd=root, capture_output=True, check=False, env={**os.environ}
    )
    assert len(done.stdout.splitlines()) == 1
    assert b"Traceback" not in done.stderr


def test_an_unknown_command_is_wrong_input_and_hints(intake: Any) -> None:
    done = intake("tikets")
    assert done.code == 2
    assert done.err == "intake: there is no command 'tikets': did you mean 'tickets'?\n"


def test_init_writes_a_configuration_once(intake: Any, tmp_path: Path) -> None:
    first = intake("init", "desk")
    assert first.code == 0
    assert "desk/intake.yaml\n" in first.out
    (tmp_path / "desk" / "intake.yaml").write_text("mine")
    again = intake("init", "desk")
    assert (again.code, again.out) == (0, "")
    assert (tmp_path / "desk" / "intake.yaml").read_text() == "mine"


def test_a_wrong_configuration_is_exit_2_with_every_problem_and_no_trace(intake: Any, desk: Path) -> None:
    (desk / "config" / "intake.yaml").write_text("chanels: {}\nname: 7\n")
    done = intake("tickets", "list")
    said = done.err
    assert done.code == 2
    assert "config/intake.yaml:1:1: error[unknown-key]" in said
    assert "config/intake.yaml:2:7: error[wrong-type]" in said
    assert "Traceback" not in said
    assert "    2 | name: 7\n" in said


def test_a_problem_does_not_show_the_secret_that_stands_beside_it(intake: Any, desk: Path) -> None:
    (desk / "config" / "intake.yaml").write_text(
        "outgoing: {password: canary-secret, user: x}\nchannels: {}\n"
    )
    done = intake("tickets", "list")
    assert done.code == 2
    assert "canary" not in done.err + done.out


def test_parse_prints_the_normal_form_in_the_order_given(intake: Any, desk: Path) -> None:
    for number in range(3):
        (desk / f"{number}.eml").write_bytes(MAIL.replace(b"Hello", b"Hello %d" % number))
    found = intake("parse", "2.eml", "0.eml", "1.eml", "--kind", "email").objects
    assert [each["subject"] for each in found] == ["Hello 2", "Hello 0", "Hello 1"]
    assert set(found[0]) == {
        "kind", "message_id", "in_reply_to", "references", "from", "to", "cc", "reply_to", "subject", "sent_at", "text",
        "visible_text", "quoted_text", "language", "attachments", "automatic", "bounce", "trust", "problems",
    }  # fmt: skip
    assert found[0]["from"] == {"address": "ann@example.net", "name": "Ann"}
    assert set(found[0]["trust"]) == {"spf", "dkim", "dmarc", "verified_sender"}


def test_parse_reads_stdin_and_needs_no_configuration(intake: Any, tmp_path: Path) -> None:
    [found] = intake("parse", "-", stdin=MAIL).objects
    assert found["visible_text"] == "My printer burns."


def test_parse_of_a_missing_file_prints_the_others_and_exits_2(intake: Any, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL)
    done = intake("parse", "a.eml", "none.eml")
    assert done.code == 2
    assert len(done.out.splitlines()) == 1
    assert done.err == "intake: none.eml: No such file or directory\n"


def test_parse_of_an_unknown_kind_is_wrong_input(intake: Any) -> None:
    done = intake("parse", "-", "--kind", "pigeon")
    assert done.code == 2
    assert "pigeon" in done.err


def test_lists_of_an_empty_desk_are_empty(intake: Any, desk: Path) -> None:
    for command in (("tickets", "list"), ("journal", "list"), ("outbox", "list"), ("timers", "list")):
        done = intake(*command, "--json")
        assert (done.code, done.out) == (0, "")


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
def test_wrong_arguments_exit_2_without_a_trace(intake: Any, desk: Path, arguments: tuple[str, ...]) -> None:
    done = intake(*arguments)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert done.err or not arguments
