"""Two daemons, each the other's relay, on real sockets: somebody makes one of them write to the other."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.conftest import ROOT, Running

pytestmark = pytest.mark.slow

CONFIG = """\
name: {name}
folder: {folder}/data
rules: {folder}/rules.yaml
replies: {replies}
http: {{listen: "127.0.0.1:0"}}
log: {{format: json}}
channels:
  support:
    kind: email.smtp
    listen: "127.0.0.1:{port}"
    addresses: [support@{name}.example]
outgoing: {{relay: "smtp://127.0.0.1:{other_port}"}}
"""
RULES = """\
version: 1
agents: {anna: {}}
teams: {support: {levels: {l1: [anna]}}}
default: {team: support, priority: normal, reply: {email: received}}
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Running, Running]]:
    """support@one.example and support@two.example."""
    ports = {"one": free_port(), "two": free_port()}
    running = []
    for name, other in (("one", "two"), ("two", "one")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "rules.yaml").write_text(RULES)
        config = CONFIG.format(name=name, folder=folder, replies=ROOT / "config" / "replies", port=ports[name], other_port=ports[other])  # fmt: skip
        (folder / "intake.yaml").write_text(config)
        environment = {**os.environ, "INTAKE_CONFIG": str(folder / "intake.yaml"), "PYTHONPATH": str(ROOT)}
        running.append(Running(folder, environment).greeted())
    yield running[0], running[1]
    for each in running:
        each.end()


def test_one_mail_and_then_silence(two: tuple[Running, Running]) -> None:
    """The receipt is taken by the other, kept there as automatic mail, and answered by nobody."""
    one, other = two
    one.send("Where is our order?", to="support@one.example", sender="support@two.example")
    one.heard("message_sent")
    other.heard("message_settled")
    (receipt,) = one.objects("outbox", "list")
    assert (receipt["to"], receipt["state"]) == ("support@two.example", "sent")
    assert other.objects("outbox", "list") == []
    assert [row["state"] for row in other.objects("journal", "list")] == ["automatic"]
    assert len(one.objects("journal", "list")) == 1
