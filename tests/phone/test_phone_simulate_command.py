"""`intake simulate` beside a daemon that runs as a process of its own."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.phone.clocked import DESK

LIMIT_S = 60
ROOT = Path(__file__).resolve().parents[2]
CALL = """\
name: Jan calls about an invoice
people: {jan: "+48600100200"}
phones: {ewa: {number: "+48600000002", answers: 4, presses: "1", talks: 20}}
steps:
  - call: {from: jan, does: [{press: "1"}, {press: "1"}]}
  - expect: {calls: [{of: jan, outcome: OUTCOME, owner: ewa}]}
"""
TEXT = """\
name: Jan writes
people: {jan: "+48600100200"}
steps:
  - text: {from: jan, body: "My invoice is wrong."}
  - agent: {name: ewa, ticket_of: jan, replies: "We look into it."}
  - expect: {texts: [{to: jan, says: We look into it}], tickets: [{of: jan, team: billing}]}
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class Desk:
    """A folder with a configuration and a running daemon."""

    def __init__(self, folder: Path, store: bytes) -> None:
        self.folder = folder
        self.environment = os.environ | {"ACCOUNT": "AC" + "a" * 32, "TOKEN": "anything"}
        (folder / "var").mkdir()
        (folder / "var" / "intake.db").write_bytes(store)
        shutil.copytree(DESK / "replies", folder / "replies")
        rules = (
            (DESK / "rules.yaml").read_text().replace('{mon-fri: "09:00-17:00"}', '{mon-sun: "00:00-24:00"}')
        )
        (folder / "rules.yaml").write_text(rules)
        config = (DESK / "intake.yaml").read_text().replace("127.0.0.1:0", f"127.0.0.1:{free_port()}")
        mail = (
            f'mail: {{kind: email.smtp, listen: "127.0.0.1:{free_port()}", addresses: [help@desk.example]}}'
        )
        config = config.replace(
            "channels:\n", f"outgoing: {{folder: var/outgoing}}\nchannels:\n  {mail}\n", 1
        )
        (folder / "intake.yaml").write_text(config.replace("{api_url}", f"http://127.0.0.1:{free_port()}"))

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "intake", "run", "-c", "intake.yaml"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        assert any(line.startswith("try") for line in self.process.stdout), "the daemon did not start"

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=LIMIT_S)

    def intake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "intake", *arguments, "-c", "intake.yaml"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )


@pytest.fixture
def desk(tmp_path: Path, new_store: bytes) -> Iterator[Desk]:
    made = Desk(tmp_path, new_store)
    made.start()
    yield made
    made.stop()


def test_a_call_and_a_text_are_played_against_a_running_daemon(desk: Desk) -> None:
    """The transcript says who said what, the ticket that came of it, and whether it was as expected."""
    (desk.folder / "call.yaml").write_text(CALL.replace("OUTCOME", "answered"))
    (desk.folder / "text.yaml").write_text(TEXT)
    called = desk.intake("simulate", "call", "call.yaml")
    assert called.returncode == 0, called.stdout + called.stderr
    assert "ewa  (is connected jan)" in called.stdout
    assert "as expected" in called.stdout
    written = desk.intake("simulate", "sms", "text.yaml", "--json")
    assert written.returncode == 0, written.stdout + written.stderr
    *lines, summary = map(json.loads, written.stdout.splitlines())
    assert (summary["ok"], len(summary["tickets"])) == (True, 1)
    assert [each["kind"] for each in lines] == ["writes", "is written"]


def examples() -> list[str]:
    """The blocks of YAML that docs/phone.md has about trying it without an account."""
    text = (ROOT / "docs" / "phone.md").read_text().split("## Trying it without an account")[1]
    return [block.split("```")[0] for block in text.split("\n## ")[0].split("```yaml\n")[1:]]


def merged(file: Path, text: str) -> None:
    """Put an example into a configuration, as its reader does by hand: a line for a name, or the names below a part."""
    found = file.read_text()
    for part, names in yaml.safe_load(text).items():
        for name, value in names.items():
            line = f"  {name}: {json.dumps(value)}"  # has no backslash
            found, changed = re.subn(rf"(?m)^  {name}:.*$", line, found, count=1)
            if not changed:
                found = found.replace(f"\n{part}:\n", f"\n{part}:\n{line}\n", 1)
    file.write_text(found)


def test_the_example_of_the_manual_goes_as_it_says_on_a_new_desk(tmp_path: Path, new_store: bytes) -> None:
    desk = Desk(tmp_path, new_store)
    started = [sys.executable, "-m", "intake", "init", "new"]
    subprocess.run(started, cwd=tmp_path, check=True, capture_output=True, timeout=LIMIT_S)
    desk.folder = tmp_path / "new"
    desk.environment |= {"INTAKE_SMTP": f"127.0.0.1:{free_port()}"}
    account, agents, call = examples()
    merged(
        desk.folder / "intake.yaml",
        account.replace(":8080", f":{free_port()}").replace(":8089", f":{free_port()}"),
    )
    merged(desk.folder / "rules.yaml", agents)
    (desk.folder / "call.yaml").write_text(call)
    desk.start()
    try:
        done = desk.intake("simulate", "call", "call.yaml")
    finally:
        desk.stop()
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_not_as_expected_is_exit_code_1(desk: Desk) -> None:
    (desk.folder / "call.yaml").write_text(CALL.replace("OUTCOME", "voicemail"))
    done = desk.intake("simulate", "call", "call.yaml")
    assert done.returncode == 1
    assert "not as expected: step 2: the call of jan ended as answered, not voicemail" in done.stdout


def test_the_demo_plays_a_text_and_a_call_as_well(desk: Desk) -> None:
    done = desk.intake("demo", "--once")
    assert done.returncode == 0, done.stderr
    told = done.stderr.split("Marta texts twice")[1]
    assert "Marta  » Hello, where is my parcel?" in told
    assert "is connected Adam" in told
    assert "not as expected" not in told


def test_without_a_daemon_one_sentence_says_how_to_start_it(tmp_path: Path, new_store: bytes) -> None:
    quiet = Desk(tmp_path, new_store)
    (tmp_path / "text.yaml").write_text(TEXT)
    done = quiet.intake("simulate", "sms", "text.yaml")
    assert done.returncode == 1
    assert "start the daemon first, with 'intake run'" in done.stderr


def test_the_mistakes_of_a_file_are_told_with_their_places(tmp_path: Path, new_store: bytes) -> None:
    quiet = Desk(tmp_path, new_store)
    (tmp_path / "text.yaml").write_text(TEXT.replace("from: jan", "from: jna"))
    done = quiet.intake("simulate", "sms", "text.yaml")
    assert done.returncode == 2
    assert "text.yaml:4:18: error" in done.stderr
