"""Kills the daemon again and again while tickets escalate within seconds, and asks an oracle whether each step was taken once.

`python -m tests.torture.escalations --escalations 20000 --kills 200` is the long run. Tickets come in by SMTP, their ladders
have percentages, breaches, repeats, levels and acknowledgements nobody gives; rules react, wait for silence and run at a time
of day; a shift changes, an agent goes away, digests go out. Kills fall at random instants, while the daemon starts and
catches up, and at the named failpoints. In the end there is exactly one event for each (ticket, policy, step, due), nothing
is missed, and whoever is to be told was told once.
"""

import argparse
import contextlib
import dataclasses
import json
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.torture import daemons, escalation_audit, escalation_scene
from tests.torture.escalation_audit import Told, Verdict
from tests.torture.ledger import open_read_only
from tests.torture.pouring import Pourer
from tests.torture.relay import Relay

LONG_RUN_ESCALATIONS = 10_000  # from here on the figures are kept in bench/RESULTS.md
PER_TICKET = 8.4  # escalations of a ticket, over the mix of kinds
KINDS = ("quick", "quick", "paged", "narrow", "quick", "paged", "quick", "paged")
FAILPOINTS = (
    "timers.in_transaction", "timers.effects_written", "timers.after_commit", "settle.in_transaction",
    "settle.after_commit", "outbox.before_deliver", "outbox.after_deliver", "outbox.after_commit",
    "waiting.in_transaction",
)  # fmt: skip
# What happens once in a run, soon after the first start.
ONCE = (
    "dailies.finish", "digests.in_transaction", "handovers.in_transaction", "handovers.finish", "presence.in_transaction",
    "presence.letters", "digests.after_commit",
)  # fmt: skip
_UNHEALTHY_STARTS = 5
_TRACEBACK = b"Traceback (most recent call last)"


@dataclasses.dataclass
class Figures:
    """What a run showed. at_failpoints: how often the daemon died there."""

    seed: int
    kills: int = 0
    at_failpoints: dict[str, int] = dataclasses.field(default_factory=dict)
    while_starting: int = 0
    tickets: int = 0
    verdict: Verdict = dataclasses.field(default_factory=Verdict)
    sent_again: int = 0
    tracebacks: int = 0
    elapsed_s: float = 0

    def is_clean(self) -> bool:
        return not self.verdict.counts and not self.tracebacks

    def summary(self) -> dict[str, object]:
        told = dataclasses.asdict(self)
        return told | {"elapsed_s": round(self.elapsed_s, 1)}


class Run:
    """One run on one folder. relay: is listening."""

    def __init__(self, folder: Path, relay: Relay, *, options: argparse.Namespace) -> None:
        self.options = options
        self.figures = Figures(seed=options.seed)
        self.relay = relay
        self._rng = random.Random(options.seed)
        self._scene = escalation_scene.prepare(
            folder, relay_port=relay.port, old=options.old, away_s=options.away_s
        )
        program = (
            ("-m", "tests.torture.escalation_mutants", options.mutant) if options.mutant else ("-m", "intake")
        )
        self.daemon = daemons.Daemon(folder, config=self._scene.config, program=program)
        self.figures.tickets = max(int(options.escalations / PER_TICKET), 3 * options.old)
        self._pourer = Pourer(
            self.daemon.smtp_port,
            count=self.figures.tickets - 3 * options.old,
            within_s=options.pour_s,
            kinds=KINDS,
            seed=options.seed,
        )
        self._failpoints = self._in_turn()
        self._unhealthy = 0
        self._began_at = time.monotonic()

    def _in_turn(self) -> Iterator[str]:
        names = self.options.failpoints.split(",") if self.options.failpoints else list(FAILPOINTS)
        while True:
            self._rng.shuffle(names)
            yield from names

    def play(self) -> Figures:
        self._pourer.start()
        try:
            while self.figures.kills < self.options.kills:
                self._check_time()
                self._kill_once()
                self._say_progress()
            self._start("")
            self._wait_until_at_rest()
        finally:
            self._pourer.end()
            self.daemon.kill()
        self._judge()
        return self.figures

    def _kill_once(self) -> None:
        fate, done = self._rng.random(), self.figures.kills
        if not self.options.failpoints and done < min(len(ONCE), self.options.kills * 2 // 3):
            self._kill_at(ONCE[done])
        elif fate < 0.6:
            self._kill_at(next(self._failpoints))
        elif fate < 0.7:
            self.relay.life += 1
            self.daemon.start()
            self.daemon.wait_for_end(limit_s=self._rng.uniform(0.2, 1.5))
            self.figures.while_starting += 1
        elif self._start(""):
            self.daemon.wait_for_end(limit_s=self._rng.uniform(0.0, self.options.up_s))
        self.daemon.kill()
        self.figures.kills += 1
        time.sleep(self._rng.uniform(0.0, self.options.down_s))

    def _kill_at(self, failpoint: str) -> None:
        is_once = failpoint in ONCE
        self._start(f"{failpoint}:{1 if is_once else self._rng.randint(1, self.options.nth)}")
        if self.daemon.wait_for_end(limit_s=self.options.up_s * (2 if is_once else 1)):
            reached = self.figures.at_failpoints
            reached[failpoint] = reached.get(failpoint, 0) + 1

    def _start(self, failpoint: str) -> bool:
        """Start and wait for the greeting; false when a failpoint was quicker."""
        self.relay.life += 1
        self.daemon.start(failpoint=failpoint)
        is_up = self.daemon.wait_until_greeted() is not None
        self._unhealthy = 0 if is_up or failpoint else self._unhealthy + 1
        if self._unhealthy >= _UNHEALTHY_STARTS:
            raise RuntimeError(f"the daemon does not start any more; its words are in {self.daemon.log}")
        return is_up

    def _wait_until_at_rest(self) -> None:
        """Wait until every ticket is in, nothing is pending and no mail is queued; what a digest holds may wait for its minute."""
        limit = time.monotonic() + self.options.settle_s
        with contextlib.closing(open_read_only(self.daemon.store)) as connection:
            while time.monotonic() < limit and not self._is_at_rest(connection):
                self._check_time()
                time.sleep(0.2)

    def _is_at_rest(self, connection: sqlite3.Connection) -> bool:
        if not self._pourer.is_done() or any(waiting(connection)):
            return False
        (held,) = connection.execute("SELECT count(*) FROM digest_boxes WHERE send_at IS NOT NULL").fetchone()
        return not held or not self.options.digests

    def _judge(self) -> None:
        old = [
            f"{kind} old {number}"
            for kind in ("desk", "paged", "quick")
            for number in range(self.options.old)
        ]
        told = Told(
            rules=self._scene.rules,
            minute=self._scene.minute,
            subjects=frozenset((*old, *self._pourer.subjects)),
            received=self.relay.received,
            old=frozenset(old),
        )
        self.figures.verdict = escalation_audit.Audit(self.daemon.store, told).judge()
        self.figures.sent_again = sum(len(lives) - 1 for lives in self.relay.received.values())
        self.figures.tracebacks = tracebacks(self.daemon.log)
        self.figures.elapsed_s = time.monotonic() - self._began_at

    def _check_time(self) -> None:
        if time.monotonic() - self._began_at > self.options.limit_s:
            raise TimeoutError(
                f"{self.figures.kills} kills in {self.options.limit_s:.0f} s; see {self.daemon.log}"
            )

    def _say_progress(self) -> None:
        if self.figures.kills % self.options.every:
            return
        with contextlib.closing(open_read_only(self.daemon.store)) as connection:
            (fired,) = connection.execute("SELECT count(*) FROM timers WHERE state = 'fired'").fetchone()
        said = f"{self.figures.kills} kills, {len(self._pourer.taken)} tickets sent, {fired} fired"
        print(f"{said}, {time.monotonic() - self._began_at:.0f} s", file=sys.stderr, flush=True)


def waiting(connection: sqlite3.Connection) -> Iterator[int]:
    """Count what is still to come: mails to settle, timers, mails to send, an absence, moves."""
    for sql in (
        "SELECT count(*) FROM journal WHERE state = 'pending'",
        "SELECT count(*) FROM timers WHERE state IN ('pending', 'failing')",
        "SELECT count(*) FROM outbox WHERE state = 'queued'",
        "SELECT count(*) FROM agent_state WHERE is_away = 1",
        "SELECT count(*) FROM away_moves",
    ):
        yield connection.execute(sql).fetchone()[0]


def tracebacks(log: Path) -> int:
    """Count them, and show the first: the folder with the log is gone afterwards."""
    said = log.read_bytes()
    first = said.find(_TRACEBACK)
    if first >= 0:
        print(said[max(0, first - 500) : first + 3_000].decode(errors="replace"), flush=True)
    return said.count(_TRACEBACK)


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(prog="python -m tests.torture.escalations", description=__doc__)
    words.add_argument("--escalations", type=int, default=2_000)
    words.add_argument("--kills", type=int, default=12)
    words.add_argument("--seed", type=int, default=random.randrange(1 << 16))
    words.add_argument(
        "--old", type=int, default=20, help="tickets of each kind that are late at the first start"
    )
    words.add_argument(
        "--pour-s", type=float, default=0, help="how long tickets come in; default: 2 s for each kill"
    )
    words.add_argument(
        "--up-s", type=float, default=1.5, help="how long the daemon lives at most between kills"
    )
    words.add_argument("--down-s", type=float, default=0.5, help="how long it is down at most")
    words.add_argument(
        "--nth", type=int, default=12, help="failpoints kill at a pass between the first and this one"
    )
    words.add_argument("--failpoints", default="", help="names with commas; all of them when left out")
    words.add_argument("--away-s", type=float, default=20, help="how long an agent is away")
    words.add_argument("--digests", action="store_true", help="wait until the last digest has gone out")
    words.add_argument("--limit-s", type=float, default=7_200)
    words.add_argument("--settle-s", type=float, default=120)
    words.add_argument("--every", type=int, default=10, help="kills between two lines of progress")
    words.add_argument(
        "--mutant", default="", help="run a seeded broken daemon (tests.torture.escalation_mutants)"
    )
    words.add_argument("--keep", action="store_true", help="leave the folder with store and log behind")
    return words


def run(options: argparse.Namespace, folder: Path) -> Figures:
    options.pour_s = options.pour_s or max(0.1 * options.escalations / PER_TICKET, 2.0 * options.kills)
    with Relay() as relay:
        return Run(folder, relay, options=options).play()


def main() -> None:
    options = parser().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="intake-escalations-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"seed {options.seed}, folder {folder}", file=sys.stderr, flush=True)
    try:
        figures = run(options, folder)
    except (TimeoutError, RuntimeError, sqlite3.Error) as error:
        options.keep = True
        sys.exit(f"torture: {error}")
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures.summary(), default=str))
    if options.escalations >= LONG_RUN_ESCALATIONS and not options.mutant:
        from bench import torture

        torture.record_escalations(figures)
    if not figures.is_clean():
        sys.exit(1)


if __name__ == "__main__":
    main()
