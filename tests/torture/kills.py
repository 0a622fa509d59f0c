"""Kills the daemon under load, again and again, and asks the ledger whether anything was lost or came twice.

`python -m tests.torture.kills --kills 1000 --acks 200000` is the long run. Kills fall at random instants, while the daemon
starts, and at each named failpoint. After the last one two questions are asked: with the unanswered mails not sent
again (each acknowledged one is there, each other none or one time), and after they were (every one exactly one time).
With no loss in n kills the chance of a loss per kill is below 3/n with 95 % confidence.
"""

import argparse
import contextlib
import dataclasses
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from intake import failpoints
from tests.torture import daemons, ledger

RULES = Path(__file__).parent / "rules.yaml"
PASSED = ("smtp", "journal", "blob", "settle", "outbox", "timers")  # failpoints on the way of a mail
LONG_RUN_KILLS = 1_000  # from here on the figures are kept in bench/RESULTS.md
_TRACEBACK = b"Traceback (most recent call last)"
_UNHEALTHY_STARTS = 5  # in a row without a greeting: the daemon is broken, not killed


@dataclasses.dataclass
class Figures:
    """What a run showed. recoveries_s: from the start of the process to its greeting, after each kill."""

    seed: int
    kills: int = 0
    at_failpoints: dict[str, int] = dataclasses.field(default_factory=dict)
    while_starting: int = 0
    recoveries_s: list[float] = dataclasses.field(default_factory=list)
    settled_after_s: float = 0
    before_resend: dict[str, object] = dataclasses.field(default_factory=dict)
    after_resend: dict[str, object] = dataclasses.field(default_factory=dict)
    tracebacks: int = 0
    silences: int = 0  # connections that were owed an answer for more than half a minute
    elapsed_s: float = 0

    def is_clean(self) -> bool:
        return all(not any(_counts(audit).values()) for audit in (self.before_resend, self.after_resend))

    def acked(self) -> int:
        acked = self.after_resend.get("acked", 0)
        assert isinstance(acked, int)
        return acked

    def broken(self) -> dict[str, int]:
        """Give each broken promise with its count, the worse of both audits."""
        both = (_counts(self.before_resend), _counts(self.after_resend))
        names = {name for counts in both for name, count in counts.items() if count}
        return {name: max(counts.get(name, 0) for counts in both) for name in names}

    def summary(self) -> dict[str, object]:
        ordered = sorted(self.recoveries_s) or [0.0]
        return {
            "seed": self.seed,
            "kills": self.kills,
            "acked": self.acked(),
            "broken_connections": self.after_resend.get("broken", 0),
            "broken": self.broken(),
            "tickets": self.after_resend.get("tickets", 0),
            "at_failpoints": self.at_failpoints,
            "while_starting": self.while_starting,
            "recovery_p50_s": round(ordered[len(ordered) // 2], 3),
            "recovery_p99_s": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
            "settled_after_s": round(self.settled_after_s, 2),
            "tracebacks": self.tracebacks,
            "silences": self.silences,
            "elapsed_s": round(self.elapsed_s, 1),
        }


def _told_tracebacks(log: bytes) -> int:
    """Count them, and show the first: the folder with the log is gone afterwards."""
    first = log.find(_TRACEBACK)
    if first >= 0:
        print(log[max(0, first - 500) : first + 3_000].decode(errors="replace"), flush=True)
    return log.count(_TRACEBACK)


def _counts(audit: dict[str, object]) -> dict[str, int]:
    counts = audit.get("counts", {})
    assert isinstance(counts, dict)
    return counts


class Client:
    """The load client's process. ledger: what it was promised."""

    def __init__(self, daemon: daemons.Daemon, *, options: argparse.Namespace) -> None:
        self.ledger = daemon.folder / "sent.ledger"
        self._read = 0
        self._acked = 0
        arguments = {
            "--port": daemon.smtp_port,
            "--mix": options.mix,
            "--seed": options.seed,
            "--connections": options.connections,
            "--per-connection": 40,
            "--limit-s": options.limit_s,
            "--ledger": self.ledger,
            "--rate": options.rate,
        }
        words = [str(word) for pair in arguments.items() for word in pair]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.client", "--steered", *words],
            cwd=daemons.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def acked(self) -> int:
        """Count the acknowledgements so far, by what was appended since the last look."""
        with contextlib.suppress(FileNotFoundError), self.ledger.open("rb") as lines:
            lines.seek(self._read)
            fresh = lines.read()
            self._read += len(fresh)
            self._acked += fresh.count(b"A")
        return self._acked

    def wait(self, *, limit_s: float) -> dict[str, object]:
        output, _ = self._process.communicate(timeout=limit_s)
        figures: dict[str, object] = json.loads(output.splitlines()[-1])
        return figures

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


class Run:
    """One torture run on one folder."""

    def __init__(self, daemon: daemons.Daemon, *, options: argparse.Namespace) -> None:
        self.daemon = daemon
        self.options = options
        self.figures = Figures(seed=options.seed)
        self._rng = random.Random(options.seed)
        self._failpoints = self._in_turn()
        self._unhealthy = 0
        self._client: Client
        self._began_at = time.monotonic()

    def _in_turn(self) -> Iterator[str]:
        known = sorted(name for name in failpoints.NAMES if name.startswith(PASSED))
        names = self.options.failpoints.split(",") if self.options.failpoints else known
        while True:
            self._rng.shuffle(names)
            yield from names

    def play(self) -> Figures:
        self._client = Client(self.daemon, options=self.options)
        try:
            self._kill_and_restart()
            self._judge()
        finally:
            self._client.end()
            self.daemon.kill()
        self.figures.tracebacks = _told_tracebacks(self.daemon.log.read_bytes())
        self.figures.elapsed_s = time.monotonic() - self._began_at
        return self.figures

    def _kill_and_restart(self) -> None:
        while self.figures.kills < self.options.kills or self._client.acked() < self.options.acks:
            self._check_time()
            if self.figures.kills >= self.options.kills:
                self._load_without_kill()
                continue
            fate = self._rng.random()
            if fate < 0.5:
                self._kill_at(next(self._failpoints))
            elif fate < 0.6:
                self._kill_while_starting()
            else:
                self._kill_at_random()
            self._say_progress()

    def _load_without_kill(self) -> None:
        """Bring the acknowledgements to their number, then end with a kill like all the others."""
        if self.daemon.has_ended():
            self._start("")
        while self._client.acked() < self.options.acks:
            self._check_time()
            time.sleep(0.1)
        self.daemon.kill()

    def _start(self, failpoint: str) -> bool:
        """Start and wait for the greeting; false when a failpoint was quicker."""
        self.daemon.start(failpoint=failpoint)
        greeted_s = self.daemon.wait_until_greeted()
        self._unhealthy = self._unhealthy + 1 if greeted_s is None else 0
        if self._unhealthy >= _UNHEALTHY_STARTS:
            raise RuntimeError(f"the daemon does not start any more; its words are in {self.daemon.log}")
        if greeted_s is not None:
            self.figures.recoveries_s.append(greeted_s)
        return greeted_s is not None

    def _kill_at(self, failpoint: str) -> None:
        is_rare = failpoint.startswith(("blob", "timers"))
        nth = 1 if is_rare else self._rng.randint(1, self.options.nth)
        self._start(f"{failpoint}:{nth}")
        if self.daemon.wait_for_end(limit_s=self.options.up_s * (2 if is_rare else 1)):
            reached = self.figures.at_failpoints
            reached[failpoint] = reached.get(failpoint, 0) + 1
        self._killed()

    def _kill_while_starting(self) -> None:
        self.daemon.start()
        self.daemon.wait_for_end(limit_s=self._rng.uniform(0.1, 0.9))
        self.figures.while_starting += 1
        self._killed()

    def _kill_at_random(self) -> None:
        if self._start(""):
            self.daemon.wait_for_end(limit_s=self._rng.uniform(0.0, self.options.up_s))
        self._killed()

    def _killed(self) -> None:
        self.daemon.kill()
        self.figures.kills += 1

    def _judge(self) -> None:
        """Ask the oracle twice: before and after the unanswered mails are sent again."""
        self._client.say("hold")
        self.daemon.start()
        restarted_at = time.monotonic()
        self.daemon.wait_until_greeted()
        self._wait_until_settled()
        self.figures.settled_after_s = time.monotonic() - restarted_at
        self.figures.before_resend = self._audit()
        self._client.say("drain")
        silences = self._client.wait(limit_s=self.options.settle_s)["silences"]
        assert isinstance(silences, int)
        self.figures.silences = silences
        self._wait_until_settled()
        self.figures.after_resend = self._audit()

    def _wait_until_settled(self) -> None:
        limit = time.monotonic() + self.options.settle_s
        connection = ledger.open_read_only(self.daemon.store)
        with contextlib.closing(connection):
            while any(ledger.backlog(connection)) and time.monotonic() < limit:
                time.sleep(0.1)

    def _audit(self) -> dict[str, object]:
        words = [str(self.daemon.store), str(self._client.ledger), "--seed", str(self.options.seed)]
        answer = subprocess.run(
            [sys.executable, "-m", "tests.torture.ledger", *words],
            cwd=daemons.ROOT,
            stdout=subprocess.PIPE,
            check=False,
            timeout=self.options.settle_s,
        )
        audit: dict[str, object] = json.loads(answer.stdout)
        return audit

    def _check_time(self) -> None:
        if time.monotonic() - self._began_at > self.options.limit_s:
            raise TimeoutError(
                f"{self.figures.kills} kills and {self._client.acked()} acknowledgements in {self.options.limit_s:.0f} s"
            )

    def _say_progress(self) -> None:
        if self.figures.kills % self.options.every == 0:
            recoveries = self.figures.recoveries_s[-1:] or [0.0]
            print(
                f"{self.figures.kills} kills, {self._client.acked()} acknowledged, last start {recoveries[0]:.2f} s",
                file=sys.stderr,
                flush=True,
            )


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(prog="python -m tests.torture.kills", description=__doc__)
    words.add_argument("--kills", type=int, default=60)
    words.add_argument("--acks", type=int, default=5_000)
    words.add_argument("--seed", type=int, default=random.randrange(1 << 16))
    words.add_argument("--mix", default="light")
    words.add_argument("--connections", type=int, default=20)
    words.add_argument(
        "--rate", type=float, default=0, help="mails a second at most; 0 = as fast as they are taken"
    )
    words.add_argument(
        "--up-s", type=float, default=1.0, help="how long the daemon lives at most between kills"
    )
    words.add_argument(
        "--nth", type=int, default=60, help="failpoints kill at a pass between the first and this one"
    )
    words.add_argument("--failpoints", default="", help="names with commas; all of them when left out")
    words.add_argument("--limit-s", type=float, default=7_200)
    words.add_argument("--settle-s", type=float, default=300)
    words.add_argument("--every", type=int, default=10, help="kills between two lines of progress")
    words.add_argument("--mutant", default="", help="run a seeded broken daemon (tests.torture.mutants)")
    words.add_argument(
        "--keep", action="store_true", help="leave the folder with store, ledger and log behind"
    )
    return words


def run(options: argparse.Namespace, folder: Path) -> Figures:
    program = ("-m", "tests.torture.mutants", options.mutant) if options.mutant else ("-m", "intake")
    daemon = daemons.Daemon(folder, program=program, environment={"INTAKE_RULES": str(RULES)})
    return Run(daemon, options=options).play()


def main() -> None:
    options = parser().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="intake-torture-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that daemon and client are ended
    print(f"seed {options.seed}, folder {folder}", file=sys.stderr, flush=True)
    try:
        figures = run(options, folder)
    except (TimeoutError, RuntimeError, sqlite3.Error) as error:
        sys.exit(f"torture: {error}")
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures.summary()))
    if options.kills >= LONG_RUN_KILLS and not options.mutant:
        from bench import torture

        torture.record(figures)
    if not figures.is_clean():
        print(json.dumps([figures.before_resend, figures.after_resend]), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
