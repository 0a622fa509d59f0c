"""The daemon as a process of its own, on ports of its own; tests wait for lines of its log, never for time."""

import json
import os
import queue
import re
import shutil
import signal
import smtplib
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 30


class Running:
    """One daemon, and the command line beside it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.process = subprocess.Popen(
            [sys.executable, "-m", "intake", "run"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if line.startswith("{"):
                self._events.put(json.loads(line))
        self._events.put(None)

    def heard(self, event: str) -> dict[str, Any]:
        """Wait for a line of the log."""
        while (found := self._events.get(timeout=LIMIT_S)) is not None:
            if found["event"] == event:
                return found
        raise AssertionError(f"the daemon ended before '{event}': {''.join(self.said)[-2000:]}")

    def greeted(self) -> "Running":
        """Wait until it takes mail, and read from its words where."""
        assert self.process.stdout is not None
        words = ""
        for line in self.process.stdout:
            words += line
            if line.startswith("try"):
                break
        found = re.search(r"takes email\.smtp on 127\.0\.0\.1:(\d+)", words)
        assert found, "".join(self.said)[-2000:]
        self.smtp_port = int(found[1])
        self.http = re.search(r"http://127\.0\.0\.1:\d+", words)[0]  # type: ignore[index]
        return self

    def send(
        self, body: str = "Hello", *, to: str = "support@example.com", **headers: str
    ) -> tuple[int, bytes]:
        """Send one mail; the answer to DATA, or to the first command that was refused."""
        mail = EmailMessage()
        mail["From"] = headers.pop("sender", "jan@customer.example")
        mail["To"], mail["Subject"] = to, headers.pop("subject", "My printer")
        mail["Date"], mail["Message-ID"] = "Tue, 10 Nov 2026 09:00:00 +0000", f"<{os.urandom(8).hex()}@x>"
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(body)
        content = mail.as_bytes(policy=policy.SMTP)
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=LIMIT_S) as client:
            client.ehlo()
            code, answer = client.mail(mail["From"], [f"SIZE={len(content)}"])
            if code == 250:
                code, answer = client.rcpt(to)
            return client.data(content) if code == 250 else (code, answer)

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"{self.http}{path}", timeout=LIMIT_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def intake(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command beside the daemon."""
        return subprocess.run(
            [sys.executable, "-m", "intake", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        done = self.intake(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(LIMIT_S)
        self._listener.join(LIMIT_S)
        assert self.process.stdout is not None and self.process.stderr is not None  # noqa: PT018
        self.process.stdout.close()
        self.process.stderr.close()
        return code


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(config_edit=…, INTAKE_X=…)`: a daemon on a copy of the shipped configuration."""
    running: list[Running] = []

    def begin(edit: Callable[[str], str] = lambda text: text, **variables: str) -> Running:
        if not (tmp_path / "config").exists():
            shutil.copytree(ROOT / "config", tmp_path / "config")
            file = tmp_path / "config" / "intake.yaml"
            file.write_text(edit(file.read_text()))
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "INTAKE_SMTP": "127.0.0.1:0",
            "INTAKE_HTTP": "127.0.0.1:0",
            "INTAKE_DATA": str(tmp_path / "var"),
            **variables,
        }
        running.append(Running(tmp_path, environment))
        return running[-1]

    yield begin
    for each in running:
        each.end(signal.SIGKILL)
