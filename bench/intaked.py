"""The daemon as the bench runs it: shipped rulebook and 200 rules, language detection, a relay that is the bench's sink."""

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from bench import rulebook
from tests.torture import daemons, ledger

# The mix has fewer senders than the bench has mails: the cap on automatic replies would hide the cost of sending them.
_CONFIG = """\
name: Bench
folder: {folder}/data
rules: {folder}/rules.yaml
replies: {replies}
http:
  listen: "${{INTAKE_HTTP}}"
limits:
  auto_replies_per_address_hour: 1000000
log:
  level: {level}
channels:
  support:
    kind: email.smtp
    listen: "${{INTAKE_SMTP}}"
    addresses: [support@example.com]
outgoing:
  relay: smtp://127.0.0.1:{sink_port}
"""


class Intaked:
    """One instance on a folder of its own."""

    name = "intaked"

    def __init__(
        self, folder: Path, *, sink_port: int, prefix: Sequence[str] = (), level: str = "warning"
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rules.yaml").write_text(rulebook.text())
        replies = daemons.ROOT / "config" / "replies"
        config = folder / "intake.yaml"
        config.write_text(_CONFIG.format(folder=folder, replies=replies, sink_port=sink_port, level=level))
        self.daemon = daemons.Daemon(folder, config=config, prefix=prefix)
        self._reader: sqlite3.Connection | None = None

    @property
    def port(self) -> int:
        return self.daemon.smtp_port

    @property
    def pid(self) -> int:
        return self.daemon.pid

    def start(self) -> float:
        """Start and wait for the greeting; the seconds it took."""
        self.daemon.start()
        greeted_s = self.daemon.wait_until_greeted()
        if greeted_s is None:
            raise RuntimeError(f"intaked ended at start: {self.daemon.log.read_text()[-2000:]}")
        return greeted_s

    def stop(self) -> None:
        if self._reader:
            self._reader.close()
            self._reader = None
        self.daemon.stop()

    def destroy(self) -> None:
        with contextlib.suppress(Exception):
            self.stop()
        self.daemon.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def reader(self) -> sqlite3.Connection:
        if self._reader is None:
            self._reader = ledger.open_read_only(self.daemon.store)
        return self._reader

    def progress(self) -> tuple[int, int]:
        """Count the journal rows that are settled, and the outbox rows that are still to be sent."""
        reader = self.reader()
        last = reader.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0]
        pending, queued = ledger.backlog(reader)
        return last - pending, queued

    def wait_until_settled(self, *, limit_s: float = 180) -> bool:
        limit = time.monotonic() + limit_s
        while time.monotonic() < limit:
            if not any(ledger.backlog(self.reader())):
                return True
            time.sleep(0.05)
        return False
