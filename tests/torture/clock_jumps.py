"""Sets the wall clock two hours forward and back while tickets escalate, stops the whole process for a while, and asks the oracle.

`python -m tests.torture.clock_jumps --timers 2000 --jumps 50` is the long run. After a jump forward everything that is due by
the new time fires within seconds; after one back nothing fires a second time, and nothing before its time. Between them a
suspended machine: SIGSTOP, and SIGCONT some seconds later.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from tests.torture import daemons, escalation_audit, escalation_scene, escalations, wall_clock
from tests.torture.escalation_audit import Told, Verdict
from tests.torture.ledger import open_read_only
from tests.torture.pouring import Pourer
from tests.torture.relay import Relay

JUMP_S = 7_200
KINDS = ("quick", "paged", "wide")
OLD = 2
PER_TICKET = 9.0  # timers of a ticket, over the mix of kinds
REACH_S = (-4 * 3_600, 8 * 3_600)  # how far the clock goes astray
FLUSHES_MAX = 30
LONG_RUN_JUMPS = 50
_GRACE_US = 200_000  # between our look at the clock and the daemon's


@dataclasses.dataclass
class Figures:
    """What a run showed. slowest_s: from a jump forward until the last timer that it made due had fired."""

    way: str
    seed: int
    jumps: int = 0
    stops: int = 0
    slowest_s: float = 0.0
    slow: list[str] = dataclasses.field(default_factory=list)
    verdict: Verdict = dataclasses.field(default_factory=Verdict)
    tracebacks: int = 0
    elapsed_s: float = 0.0

    def is_clean(self) -> bool:
        return not (self.verdict.counts or self.slow or self.tracebacks)


class Run:
    """One run on one folder."""

    def __init__(self, folder: Path, relay: Relay, *, options: argparse.Namespace) -> None:
        self.options = options
        self.figures = Figures(way=options.way, seed=options.seed)
        self.relay = relay
        self._rng = random.Random(options.seed)
        self._scene = escalation_scene.prepare(folder, relay_port=relay.port, old=OLD, away_s=600)
        self._offset = wall_clock.Offset(folder / "offset")
        self.daemon = daemons.Daemon(
            folder,
            config=self._scene.config,
            program=wall_clock.program(options.way, self._offset),
            environment=wall_clock.environment(options.way, self._offset),
        )
        self._pourer = Pourer(
            self.daemon.smtp_port,
            count=max(int(options.timers / PER_TICKET) - 3 * OLD, 3),
            within_s=options.segment_s * options.jumps,
            kinds=KINDS,
            seed=options.seed,
        )
        self._began_at = time.monotonic()

    def play(self) -> Figures:
        self._pourer.start()
        try:
            self.daemon.start()
            self.daemon.wait_until_greeted()
            with contextlib.closing(open_read_only(self.daemon.store)) as self._store:
                self._jump_about()
                self._flush()
        finally:
            self._pourer.end()
            self.daemon.kill()
        self._judge()
        return self.figures

    def _jump_about(self) -> None:
        for number in range(self.options.jumps):
            self._check_time()
            time.sleep(self.options.segment_s * self._rng.uniform(0.5, 1.0))
            if number % 3 == 2:
                self._stop_for_a_while()
            low, high = REACH_S
            is_back = self._rng.random() < 0.5 and self._offset.seconds - JUMP_S >= low
            self._jump(-JUMP_S if is_back or self._offset.seconds + JUMP_S > high else JUMP_S)
            if number % self.options.every == 0:
                self._say_progress()

    def _jump(self, by_s: int) -> None:
        self._offset.jump(by_s)
        self.figures.jumps += 1
        self._wait_until_caught_up(f"jump {self.figures.jumps} by {by_s / 3_600:+.0f} h")

    def _stop_for_a_while(self) -> None:
        os.killpg(self.daemon.pid, signal.SIGSTOP)
        time.sleep(self.options.stop_s)
        os.killpg(self.daemon.pid, signal.SIGCONT)
        self.figures.stops += 1
        self._wait_until_caught_up(f"stop {self.figures.stops}")

    def _wait_until_caught_up(self, after: str) -> None:
        """Wait until nothing is late, no mail waits either; note how long that took."""
        began, now_us = time.monotonic(), self._offset.now_us()
        while self._is_behind(now_us):
            if time.monotonic() - began > self.options.behind_s:
                self.figures.slow.append(after)
                break
            time.sleep(0.05)
        self.figures.slowest_s = max(self.figures.slowest_s, time.monotonic() - began)

    def _is_behind(self, now_us: int) -> bool:
        (late,) = self._store.execute(
            "SELECT count(*) FROM timers WHERE state IN ('pending', 'failing') AND due_at <= ?",
            (now_us - _GRACE_US,),
        ).fetchone()
        # A mail that was decided before the jump is not held back by the clock, which is set back.
        (unsent,) = self._store.execute(
            "SELECT count(*) FROM outbox WHERE state = 'queued' AND created_at NOT BETWEEN ? AND ?",
            (now_us - 1_000_000, now_us + 60_000_000),
        ).fetchone()
        return bool(late or unsent)

    def _flush(self) -> None:
        """Go on until all that is ahead has come; what waits for a digest may wait for its minute."""
        for _ in range(FLUSHES_MAX):
            self._check_time()
            limit = time.monotonic() + self.options.behind_s
            while time.monotonic() < limit and not self._pourer.is_done():
                time.sleep(0.1)
            if self._pourer.is_done() and not any(escalations.waiting(self._store)):
                return
            (ahead,) = self._store.execute(
                "SELECT max(due_at) FROM timers WHERE state IN ('pending', 'failing')"
            ).fetchone()
            if ahead is not None and ahead - self._offset.now_us() > 20_000_000:
                self._jump(JUMP_S)
            else:
                time.sleep(0.5)

    def _judge(self) -> None:
        old = [f"{kind} old {number}" for kind in ("desk", "paged", "quick") for number in range(OLD)]
        told = Told(
            rules=self._scene.rules,
            minute=self._scene.minute,
            subjects=frozenset((*old, *self._pourer.subjects)),
            received=self.relay.received,
            old=frozenset(old),
        )
        self.figures.verdict = escalation_audit.Audit(self.daemon.store, told).judge()
        self.figures.tracebacks = escalations.tracebacks(self.daemon.log)
        self.figures.elapsed_s = round(time.monotonic() - self._began_at, 1)

    def _check_time(self) -> None:
        if time.monotonic() - self._began_at > self.options.limit_s:
            raise TimeoutError(
                f"{self.figures.jumps} jumps in {self.options.limit_s:.0f} s; see {self.daemon.log}"
            )

    def _say_progress(self) -> None:
        (fired,) = self._store.execute("SELECT count(*) FROM timers WHERE state = 'fired'").fetchone()
        said = f"{self.figures.jumps} jumps, the clock is {self._offset.seconds / 3_600:+.0f} h astray, {fired} fired"
        print(f"{said}, {time.monotonic() - self._began_at:.0f} s", file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(prog="python -m tests.torture.clock_jumps", description=__doc__)
    words.add_argument("--timers", type=int, default=200)
    words.add_argument("--jumps", type=int, default=6)
    words.add_argument("--way", choices=wall_clock.ways(), default=wall_clock.ways()[-1])
    words.add_argument("--seed", type=int, default=random.randrange(1 << 16))
    words.add_argument("--segment-s", type=float, default=1.5, help="from one jump to the next at most")
    words.add_argument("--stop-s", type=float, default=1.5, help="how long the whole process is suspended")
    words.add_argument(
        "--behind-s", type=float, default=30, help="how long a jump may take to be made up for"
    )
    words.add_argument("--limit-s", type=float, default=7_200)
    words.add_argument("--every", type=int, default=10, help="jumps between two lines of progress")
    words.add_argument("--keep", action="store_true", help="leave the folder with store and log behind")
    return words


def run(options: argparse.Namespace, folder: Path) -> Figures:
    with Relay() as relay:
        return Run(folder, relay, options=options).play()


def main() -> None:
    options = parser().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="intake-jumps-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(
        f"seed {options.seed}, folder {folder}, the clock jumps by {options.way}", file=sys.stderr, flush=True
    )
    try:
        figures = run(options, folder)
    except (TimeoutError, RuntimeError, sqlite3.Error) as error:
        options.keep = True
        sys.exit(f"torture: {error}")
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(dataclasses.asdict(figures), default=str))
    if options.jumps >= LONG_RUN_JUMPS:
        from bench import torture

        torture.record_jumps(figures)
    if not figures.is_clean():
        sys.exit(1)


if __name__ == "__main__":
    main()
