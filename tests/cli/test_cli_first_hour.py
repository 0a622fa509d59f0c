"""The README's way, word for word: a daemon, the demo, and what there is to see."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).parents[2]


class Daemon(msgspec.Struct):
    process: subprocess.Popen[str]
    folder: Path
    environ: dict[str, str]
    welcome: list[str]
    health: str

    def intake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "intake", *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "INTAKE_SMTP": f"127.0.0.1:{free_port()}",
        "INTAKE_HTTP": "127.0.0.1:0",
    }
    subprocess.run(
        [sys.executable, "-m", "intake", "init"], cwd=tmp_path, env=environ, check=True, capture_output=True
    )
    with open(tmp_path / "log", "w") as log:  # noqa: PTH123
        process = subprocess.Popen(
            [sys.executable, "-m", "intake", "run"],
            cwd=tmp_path,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    welcome = []
    for line in process.stdout:
        welcome.append(line)
        if line.startswith("try "):
            break
    [health] = re.findall(r"(http://\S+)/readyz", "".join(welcome)) or [""]
    yield Daemon(process, tmp_path, environ, welcome, health)
    process.kill()
    process.wait(10)
    process.stdout.close()


@pytest.mark.slow
def test_the_commands_of_the_readme_do_what_it_says(daemon: Daemon) -> None:
    readme = (ROOT / "README.md").read_text()
    assert "for support@example.com" in daemon.welcome[0]
    ref = "REF"
    for line in re.findall(r"^\.venv/bin/intake (.+)$", readme, re.MULTILINE):
        done = daemon.intake(*line.replace("REF", ref).split())
        assert done.returncode == 0, (line, done.stderr)
        ref = re.findall(r"^([1-9A-Z]{7}) ", done.stdout, re.MULTILINE)[0] if ref == "REF" else ref
    tickets = [json.loads(line) for line in daemon.intake("tickets", "list", "--json").stdout.splitlines()]
    assert len(tickets) == 10
    assert {each["team"] for each in tickets} == {"support", "billing", "technical"}
    assert next(each for each in tickets if each["customer"]["name"] == "Ann Novak")["messages"] == 2
    assert any(each["subject"] == "Charged twice!" and each["messages"] == 1 for each in tickets)
    assert list((daemon.folder / "var" / "outgoing").glob("*.eml"))
    with urllib.request.urlopen(f"{daemon.health}/readyz") as answer:
        assert json.load(answer)["ready"] is True
    with urllib.request.urlopen(f"{daemon.health}/metrics") as answer:
        assert b'intake_messages_settled_total{account="support"} 12.0' in answer.read()


@pytest.mark.slow
def test_it_stops_cleanly_and_says_each_thing_in_one_line(daemon: Daemon) -> None:
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(20) == 0
    events = [json.loads(line)["event"] for line in (daemon.folder / "log").read_text().splitlines()]
    assert events == ["first_admin_wanted", "started", "stopping", "stopped"]


@pytest.mark.slow
def test_the_first_link_stands_in_its_file_and_in_nothing_that_is_kept(daemon: Daemon) -> None:
    link = (daemon.folder / "var" / "first-admin.link").read_text().strip()
    assert link.startswith(f"{daemon.health}/welcome/")
    told = "".join(daemon.welcome)
    assert f"first      open the link in {Path('var') / 'first-admin.link'}" in told
    assert link.rpartition("/")[2] not in told + (daemon.folder / "log").read_text()


@pytest.mark.slow
def test_a_port_in_use_is_one_sentence(daemon: Daemon) -> None:
    environ = {**daemon.environ, "INTAKE_DATA": "other"}
    done = subprocess.run(
        [sys.executable, "-m", "intake", "run"],
        cwd=daemon.folder, env=environ, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot listen on" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_a_second_daemon_on_the_same_folder_is_one_sentence(daemon: Daemon) -> None:
    done = daemon.intake("run")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert str(daemon.process.pid) in done.stderr


@pytest.mark.slow
def test_the_demo_without_a_daemon_says_how_to_start_one(tmp_path: Path, daemon: Daemon) -> None:
    environ = {**daemon.environ, "INTAKE_SMTP": "127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-m", "intake", "demo", "--once"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "intake run" in done.stderr
