"""A running daemon whose rules change a thousand times under load loses no message and mixes no two rulebooks."""

import os
import signal
import smtplib
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.torture.daemons import ROOT, Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RELOADS = 1_000
LIMIT_S = 240.0
CONFIG = """\
name: Reloads
folder: {folder}/data
rules: {folder}/rules.yaml
replies: {root}/config/replies
http:
  listen: "${{INTAKE_HTTP}}"
channels:
  support:
    kind: email.smtp
    listen: "${{INTAKE_SMTP}}"
    addresses: [support@example.com]
"""
RULES = """\
version: 1
agents: {{ania: {{email: ania@desk.example}}}}
teams: {{red: {{levels: {{l1: [ania]}}}}, blue: {{levels: {{l1: [ania]}}}}}}
enrich:
  - {{id: tag, when: {{channel: email}}, then: {{tags: [of-{team}]}}}}
route:
  - {{id: colour, when: {{channel: email}}, then: {{team: {team}}}}}
default: {{team: {team}, priority: {priority}}}
"""


class Load(threading.Thread):
    """Sends one mail after the other until it is told to stop; acked: how many got a 250."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self.is_over = threading.Event()
        self.acked = 0

    def run(self) -> None:
        with smtplib.SMTP("127.0.0.1", self._port, timeout=60) as peer:
            while not self.is_over.is_set():
                sender = f"c{self.acked}@customer.example"
                body = f"From: {sender}\r\nSubject: mail {self.acked}\r\n\r\nhello {self.acked}\r\n"
                peer.sendmail(sender, ["support@example.com"], body)
                self.acked += 1


def write(folder: Path, team: str) -> None:
    """As an editor does that writes beside and renames."""
    beside = folder / "rules.new"
    beside.write_text(RULES.format(team=team, priority={"red": "high", "blue": "low"}[team]))
    beside.replace(folder / "rules.yaml")


def count(store: Path, sql: str) -> int:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return int(connection.execute(sql).fetchone()[0])


def wait_for(store: Path, sql: str, *, least: int, until: float) -> None:
    while count(store, sql) < least:
        assert time.monotonic() < until, f"not {least} within the limit: {sql}"
        time.sleep(0.005)


def test_a_thousand_reloads_under_load_lose_nothing_and_mix_nothing(tmp_path: Path) -> None:
    """Tag, team and priority are written by enrich, route and default: a ticket that mixes them saw half a rulebook."""
    until = time.monotonic() + LIMIT_S
    write(tmp_path, "red")
    config = tmp_path / "intake.yaml"
    config.write_text(CONFIG.format(folder=tmp_path, root=ROOT))
    daemon = Daemon(tmp_path, config=config)
    daemon.start()
    try:
        assert daemon.wait_until_greeted() is not None
        load = Load(daemon.smtp_port)
        load.start()
        for number in range(1, RELOADS + 1):
            write(tmp_path, "blue" if number % 2 else "red")
            os.kill(daemon.pid, signal.SIGHUP)
            loaded = "SELECT count(*) FROM events WHERE kind = 'rules_loaded'"
            wait_for(daemon.store, loaded, least=number, until=until)
        load.is_over.set()
        load.join(60)
        wait_for(daemon.store, "SELECT count(*) FROM tickets", least=load.acked, until=until)
        assert daemon.stop() == 0
    finally:
        daemon.kill()
    with closing(sqlite3.connect(daemon.store)) as connection:
        seen = set(connection.execute("SELECT DISTINCT team, tags, priority FROM tickets"))
        hashes = connection.execute("SELECT count(DISTINCT rulebook) FROM decisions").fetchone()
    assert seen == {("red", '["of-red"]', "high"), ("blue", '["of-blue"]', "low")}
    assert hashes == (2,)
    assert count(daemon.store, "SELECT count(*) FROM tickets") == load.acked
