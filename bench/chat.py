"""Chats: the memory of open ones, and the way from a customer's line to an agent's screen and back, beside a bare echo.

The way back is the desk's own: the agent sees the line on the desk's stream and answers by the desk's endpoint, so that two
transactions are on disk before the customer reads the answer. Lines of both sides are counted.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from bench import processes
from bench.results import Results
from intake import credentials, settings, web_sessions, wiring
from intake.web import csrf
from intake.web import site as sites
from tests.torture import daemons
from tests.web.chat_torture import CONFIG

OPEN = 10_000
CHATS = 200
_RULES = """
version: 1
calendars:
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example}
teams:
  support: {levels: {l1: [ania]}, assign: {capacity: {chat: 10000}}}
sla:
  standard: {calendar: always, first_response: 2h}
conversations:
  chat: {join: open, reopen_within: 1d}
default: {team: support, priority: normal, sla: standard}
"""


def run(results: Results, folder: Path, *, is_quick: bool) -> None:
    results.begin("chat", is_quick=is_quick)
    with _daemon(folder / "open") as ours:
        _memory(results, ours, count=1_000 if is_quick else OPEN)
    with _daemon(folder / "round") as ours, processes.serving("bench.bare_echo") as bare_port:
        _ways(results, ours, bare_port, seconds=3.0 if is_quick else 20.0)


@contextlib.contextmanager
def _daemon(folder: Path) -> Iterator[daemons.Daemon]:
    folder.mkdir(parents=True)
    (folder / "rules.yaml").write_text(_RULES)
    (folder / "replies").mkdir()
    config = folder / "intake.yaml"
    ours = daemons.Daemon(folder, config=config)
    config.write_text(CONFIG.format(folder=folder, port=ours.http_port))
    ours.start()
    try:
        processes.wait_for(ours.http_port)
        yield ours
    finally:
        ours.kill()


def _client(what: str, port: int, **options: object) -> dict[str, Any]:
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "bench.chat_client", what, "--port", str(port), *words]
    done = subprocess.run(command, cwd=daemons.ROOT, stdout=subprocess.PIPE, check=True, text=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _memory(results: Results, ours: daemons.Daemon, *, count: int) -> None:
    """Open chats, each of them quiet, and look what the daemon has grown by."""
    daemon = psutil.Process(ours.pid)
    _client("begin", ours.http_port, chats=50)  # what the first chats load stays
    time.sleep(1)
    before = daemon.memory_full_info().uss
    command = [
        sys.executable,
        "-m",
        "bench.chat_client",
        "open",
        "--port",
        str(ours.http_port),
        "--chats",
        str(count),
    ]
    client = subprocess.Popen(
        command, cwd=daemons.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert client.stdout is not None
    if client.stdout.readline().strip() != "open":
        raise RuntimeError("the chats could not be opened")
    time.sleep(2)
    grown = daemon.memory_full_info().uss - before
    client.communicate("")
    results.line(
        "chat",
        f"Memory of an open chat, of {count} (kernel sockets aside)",
        grown / count / 1024,
        target=20,
        unit="KiB",
        less_is_better=True,
    )


def _ways(results: Results, ours: daemons.Daemon, bare_port: int, *, seconds: float) -> None:
    """Let lines go there and back, at two rates."""
    _client("begin", ours.http_port, chats=CHATS)
    session, word = _signed_in(ours)
    rows = []
    for lines, target in ((200, 50.0), (1_000, 150.0)):
        rate, daemon = lines / 2, psutil.Process(ours.pid)
        bare = _client("echo", bare_port, chats=CHATS, rate=rate, seconds=seconds)
        before_s = _cpu_s(daemon)
        found = _client(
            "round", ours.http_port, chats=CHATS, rate=rate, seconds=seconds, session=session, csrf=word
        )
        there, back = found["kept"], found["round"]
        results.line(
            "chat",
            f"Customer to agent and back at {lines} lines a second, p99, both on disk",
            back["p99_ms"],
            target=target,
            unit="ms",
            less_is_better=True,
        )
        cpu_ms = (_cpu_s(daemon) - before_s) * 1000 / (rate * seconds)
        rows.append([str(lines), _told(bare), _told(there), _told(back), f"{cpu_ms:.1f} ms"])
        if found["refused"]:
            results.note("chat", f"at {lines} lines a second the desk refused: {found['refused']}")
    results.table(
        "chat",
        "There and back: bare aiohttp echoes; intaked numbers and fsyncs a line, and its answer",
        [
            "Lines a second",
            "bare echo",
            "line, to its own page",
            "line and answer",
            "CPU of both, settled too",
        ],
        rows,
    )


def _cpu_s(daemon: psutil.Process) -> float:
    """How long the daemon has been at work; what other programs on the machine leave it changes the figure little."""
    used = daemon.cpu_times()
    return float(used.user + used.system)


def _told(found: dict[str, Any]) -> str:
    late = f", {found['unanswered']} unanswered" if found["unanswered"] else ""
    return f"p50 {found['p50_ms']:.1f} ms, p99 {found['p99_ms']:.1f} ms{late}"


def _signed_in(ours: daemons.Daemon) -> tuple[str, str]:
    """Sign an agent in, beside the daemon; their cookie and the word of their forms. Waits until all chats are tickets."""
    wired = wiring.wire(settings.load(ours.config, {}))
    try:
        token = web_sessions.new_token()

        def add(tx: Any) -> None:
            credentials.add(tx, wired.context, "ania", "agent", by="system")
            web_sessions.start(
                tx, wired.keys, token=token, name="ania", stage="full", times=sites.times(wired.settings)
            )

        wired.store.write_now(add)
        known = web_sessions.hashed(wired.keys, token)
        found = wired.store.read_now(lambda tx: web_sessions.find(tx, known))
        assert found is not None
        who = web_sessions.who(wired.context, found, sees_all=False)
        time.sleep(3)
        return token, csrf.word(wired.keys, who)
    finally:
        wired.store.close()
