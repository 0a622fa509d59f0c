"""Kills the daemon at each step of taking mail out of a mailbox whose server numbers it anew, again and again.

`python -m tests.imap.torture --mails 20000 --changes 50` is the long run. Mails come in portions; between them the server gives
the folder another UIDVALIDITY and shuffles its mails, all of which have the same INTERNALDATE. The daemon is killed when the server hears
a command, half way through its answer, behind it, and at the failpoints of the journal. In the end each mail is one message, the ledger
has nothing missing, and never had: a cursor that ran ahead would have been a gap.
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
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.imap import scripted
from tests.torture import daemons, ledger, mailmix

RULES = Path(__file__).parents[1] / "torture" / "rules.yaml"
LONG_RUN_MAILS = 10_000  # whose figures are kept
DATE = '"22-Nov-2026 10:00:00 +0000"'
BODY = "body"  # UID FETCH of bytes, not of sizes
STEPS = (
    *("AUTHENTICATE", "SELECT", "EXAMINE", "UID SEARCH", "UID FETCH", BODY, "FETCH", "NOOP", "IDLE"),
    *("UID STORE", "UID EXPUNGE", "UID MOVE"),
)
MOMENTS = ("heard", "half", "answered")
FAILPOINTS = ("journal.before_commit", "journal.after_commit", "settle.in_transaction", "settle.after_commit")
_CONFIG = """
name: Torture
folder: "${{INTAKE_DATA}}"
rules: {rules}
replies: {replies}
http: {{listen: "${{INTAKE_HTTP}}"}}
channels:
  mailbox:
    kind: email.imap
    host: 127.0.0.1
    port: {port}
    tls: none
    username: ann
    password: correct-horse
    addresses: [support@example.com]
    afterwards: {afterwards}
    move_to: "{move_to}"
outgoing: {{folder: "${{INTAKE_DATA}}/outgoing"}}
"""


@dataclasses.dataclass(frozen=True)
class Fate:
    """Where the daemon is killed next: the nth time at this step, at this moment."""

    step: str
    moment: str
    nth: int


class Executioner:
    """Sits in the server and kills the daemon. pid: whom, None = nobody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fate: Fate | None = None
        self._left = 0
        self._pid = 0
        self.reached: dict[str, int] = {}

    def arm(self, fate: Fate, pid: int) -> None:
        with self._lock:
            self._fate, self._left, self._pid = fate, fate.nth, pid

    def disarm(self) -> None:
        with self._lock:
            self._fate = None

    def play(self, session: scripted.Session, name: str, arguments: bytes) -> bytes | None:
        step = BODY if name == "UID FETCH" and b"BODY" in arguments else name
        fate = self._due(step)
        if fate is None:
            return None
        if fate.moment == "half" and name.endswith("FETCH"):
            answer = session.fetched(name, *arguments.split(b" ", 1))
            with contextlib.suppress(OSError):
                session.send(answer[: len(answer) // 2])
        elif fate.moment == "answered":
            with contextlib.suppress(OSError):
                session.perform(name, arguments)
        self._kill(fate)
        raise scripted.Hangup

    def _due(self, step: str) -> Fate | None:
        with self._lock:
            fate = self._fate
            if fate is None or fate.step != step:
                return None
            self._left -= 1
            if self._left > 0:
                return None
            self._fate = None
            return fate

    def _kill(self, fate: Fate) -> None:
        name = f"{fate.step} {fate.moment}"
        self.reached[name] = self.reached.get(name, 0) + 1
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)


@dataclasses.dataclass
class Figures:
    """What a run showed. broken: promises by name, with how often; gaps: how often the ledger missed something."""

    seed: int
    mails: int = 0
    changes: int = 0
    kills: int = 0
    reached: dict[str, int] = dataclasses.field(default_factory=dict)
    broken: dict[str, int] = dataclasses.field(default_factory=dict)
    gaps: int = 0
    left_on_server: int = 0
    row: dict[str, object] = dataclasses.field(default_factory=dict)
    tracebacks: int = 0
    elapsed_s: float = 0

    def is_clean(self) -> bool:
        return not self.broken and self.gaps == 0 and self.tracebacks == 0


class Run:
    """One run on one folder. It begins with an empty mailbox."""

    def __init__(self, folder: Path, *, options: argparse.Namespace) -> None:
        self.options = options
        self.figures = Figures(seed=options.seed)
        self._rng = random.Random(options.seed)
        self._pool = mailmix.Pool(
            mailmix.MIXES[options.mix], seed=options.seed, recipient="support@example.com"
        )
        self._inbox = scripted.Folder(uidvalidity=1)
        self._executioner = Executioner()
        self._server = scripted.Server(
            self._inbox, play=self._executioner.play, is_noting=False, password="correct-horse"
        )
        self._server.folders["Done"] = scripted.Folder()
        self._folder = folder
        self._delivered = 0
        self._fates = self._in_turn()
        program = ("-m", "tests.imap.mutants", options.mutant) if options.mutant else ("-m", "intake")
        self._daemon = daemons.Daemon(folder, config=self._config(), program=program)
        self._began_at = time.monotonic()

    def _config(self) -> Path:
        path = self._folder / "intake.yaml"
        path.write_text(
            _CONFIG.format(
                rules=RULES, replies=daemons.ROOT / "config" / "replies", port=self._server.port,
                afterwards=self.options.afterwards, move_to="Done" if self.options.afterwards == "move" else "",
            )
        )  # fmt: skip
        return path

    def _in_turn(self) -> Iterator[str]:
        """Give each step and failpoint in turn, those that `afterwards` never comes to left out."""
        unused = {
            "keep": {"SELECT", "UID STORE", "UID EXPUNGE", "UID MOVE"},
            "delete": {"EXAMINE", "UID MOVE"},
        }
        unused["move"] = {"EXAMINE", "UID STORE", "UID EXPUNGE"}
        unused["mark"] = {"EXAMINE", "UID EXPUNGE", "UID MOVE"}
        steps = [*(each for each in STEPS if each not in unused[self.options.afterwards]), *FAILPOINTS]
        steps = self.options.steps.split(",") if self.options.steps else steps
        while True:
            self._rng.shuffle(steps)
            yield from steps

    def play(self) -> Figures:
        with self._server:
            try:
                self._play()
            finally:
                self._daemon.kill()
        self.figures.elapsed_s = round(time.monotonic() - self._began_at, 1)
        self.figures.reached.update(self._executioner.reached)
        self.figures.tracebacks = ledger_log_tracebacks(self._daemon.log)
        return self.figures

    def _play(self) -> None:
        portions = self.options.changes + 1
        for number in range(portions):
            if number:
                self._renumber(number)
            goal = self.options.mails * (number + 1) // portions
            kills = self.options.kills * (number + 1) // portions - self.options.kills * number // portions
            self._deliver((self._delivered + goal) // 2)
            for left in range(kills, 0, -1):
                self._live_until_killed(self._delivered + (goal - self._delivered) // left)
            self._deliver(goal)
            if self._rng.random() < self.options.calm:
                self._catch_up()
            self._say_progress(number)
        self._catch_up()
        self._judge()

    def _deliver(self, goal: int) -> None:
        numbers = range(self._delivered, goal)
        self._inbox.deliver(*(self._pool.mail(number).content + b"\r\n" for number in numbers))
        with self._inbox.lock:
            for mail in self._inbox.mails:
                mail.date = DATE
        self._delivered = goal

    def _renumber(self, number: int) -> None:
        """Another UIDVALIDITY, another order, and numbers that begin where old ones were."""
        with self._inbox.lock:
            self._rng.shuffle(self._inbox.mails)
            self._inbox.renumber(number + 1, first_uid=self._rng.choice((1, 1, 500)))
        self.figures.changes += 1

    def _live_until_killed(self, goal: int) -> None:
        """Start the daemon, let mails come in while it runs, and have it killed."""
        step = next(self._fates)
        self._ensure_ended()
        connections = self._server.connections
        if step in FAILPOINTS:
            self._daemon.start(failpoint=f"{step}:{self._rng.randint(1, 10)}")
        else:
            self._daemon.start()
            fate = Fate(step, self._rng.choice(MOMENTS), self._rng.randint(1, 2))
            self._executioner.arm(fate, self._daemon.pid)
        while self._server.connections == connections and not self._daemon.wait_for_end(limit_s=0.05):
            self._check_time()
        portions = 8
        for left in range(portions, 0, -1):
            if self._daemon.wait_for_end(limit_s=self.options.up_s / portions):
                if step in FAILPOINTS:
                    self.figures.reached[step] = self.figures.reached.get(step, 0) + 1
                break
            self._deliver(self._delivered + (goal - self._delivered) // left)
        self._ensure_ended()
        self.figures.kills += 1

    def _ensure_ended(self) -> None:
        self._executioner.disarm()
        self._daemon.kill()

    def _catch_up(self) -> None:
        """Let the daemon live until it has counted everything that was delivered; after settle_s the judge sees why not."""
        self._ensure_ended()
        self._daemon.start()
        limit = time.monotonic() + self.options.settle_s
        while not self._is_caught_up() and time.monotonic() < limit:
            self._check_time()
            if self._daemon.has_ended():
                raise RuntimeError(f"the daemon ended by itself; its words are in {self._daemon.log}")
            time.sleep(0.1)

    def _check_time(self) -> None:
        if time.monotonic() - self._began_at > self.options.limit_s:
            raise TimeoutError(f"not done in {self.options.limit_s:.0f} s; see {self._daemon.log}")

    def _is_caught_up(self) -> bool:
        """Whether everything is settled, and counted in this numbering."""
        if not self._daemon.store.exists():
            return False
        with contextlib.suppress(sqlite3.Error), contextlib.closing(self._opened()) as connection:
            row = _row(connection)
            if row is None or row["generation"] != str(self._inbox.uidvalidity) or row["missing"]:
                return False
            if row["on_server"] != len(self._inbox.mails) or not row["counted_at"]:
                return False
            (journalled,) = connection.execute(
                "SELECT count(*) FROM journal WHERE state != 'duplicate'"
            ).fetchone()
            return journalled >= self._delivered and ledger.backlog(connection)[0] == 0
        return False

    def _opened(self) -> sqlite3.Connection:
        return ledger.open_read_only(self._daemon.store)

    def _judge(self) -> None:
        markers = {mailmix.marker(number, seed=self.options.seed) for number in range(self._delivered)}
        with contextlib.closing(self._opened()) as connection:
            verdict = ledger.verdict(connection, ledger.Promises(sent=markers, acked=markers))
            (self.figures.gaps,) = connection.execute(
                "SELECT count(*) FROM events WHERE kind = 'ledger_gap'"
            ).fetchone()
            self.figures.row = _row(connection) or {}
        self.figures.broken = {name: count for name, count in verdict.counts.items() if count}
        self.figures.mails = self._delivered
        self.figures.left_on_server = len(self._inbox.mails)

    def _say_progress(self, number: int) -> None:
        if number % self.options.every == 0:
            print(
                f"{number} changes, {self._delivered} mails, {self.figures.kills} kills, "
                f"{time.monotonic() - self._began_at:.0f} s",
                file=sys.stderr,
                flush=True,
            )


def _row(connection: sqlite3.Connection) -> dict[str, object] | None:
    cursor = connection.execute(
        "SELECT generation, counted_at, on_server, missing, outcomes, excused FROM ledger WHERE place = 'INBOX'"
    )
    found = cursor.fetchone()
    names = [column[0] for column in cursor.description]
    return None if found is None else dict(zip(names, found, strict=True))


def ledger_log_tracebacks(log: Path) -> int:
    return log.read_bytes().count(b"Traceback (most recent call last)") if log.exists() else 0


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(prog="python -m tests.imap.torture", description=__doc__)
    words.add_argument("--mails", type=int, default=500)
    words.add_argument("--changes", type=int, default=5)
    words.add_argument("--kills", type=int, default=0, help="default: four for each change, and four before")
    words.add_argument("--afterwards", choices=("keep", "mark", "move", "delete"), default="keep")
    words.add_argument("--seed", type=int, default=random.randrange(1 << 16))
    words.add_argument("--mix", default="plain")
    words.add_argument(
        "--up-s", type=float, default=1.6, help="how long a connected daemon waits for its fate at most"
    )
    words.add_argument(
        "--calm", type=float, default=0.5, help="how often it may catch up before the next change"
    )
    words.add_argument("--limit-s", type=float, default=7_200)
    words.add_argument("--settle-s", type=float, default=600, help="to catch up, at most")
    words.add_argument("--every", type=int, default=1, help="changes between two lines of progress")
    words.add_argument("--steps", default="", help="where to kill, with commas; everywhere when left out")
    words.add_argument("--mutant", default="", help="run a seeded broken daemon (tests.imap.mutants)")
    words.add_argument(
        "--keep-folder", action="store_true", help="leave the folder with store and log behind"
    )
    return words


def run(options: argparse.Namespace, folder: Path) -> Figures:
    options.kills = options.kills or 4 * (options.changes + 1)
    return Run(folder, options=options).play()


def main() -> None:
    options = parser().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="intake-imap-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"seed {options.seed}, folder {folder}", file=sys.stderr, flush=True)
    try:
        figures = run(options, folder)
    except (TimeoutError, RuntimeError) as error:
        options.keep_folder = True
        sys.exit(f"torture: {error}")
    finally:
        if not options.keep_folder:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(dataclasses.asdict(figures)))
    if options.mails >= LONG_RUN_MAILS and not options.mutant:
        from bench import torture

        torture.record_mailbox(figures)
    if not figures.is_clean():
        sys.exit(1)


if __name__ == "__main__":
    main()
