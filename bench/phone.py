"""Webhooks answered once they are durable, beside bare aiohttp; and answers while the disk is slow or the store is away.

A call is asked for in the same way as a text; when nothing commits within 250 ms, the caller gets voicemail.
"""

import contextlib
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bench import processes, webhook_client
from bench.intaked import Intaked
from bench.results import Results
from tests.torture import daemons

_CONNECTIONS = (1, 10, 50)
_TEXTS, _CALLS = "/hooks/texts/message", "/hooks/phone/call"
_CALLERS = 20
_SLOW_DISK = (  # each fsync takes 0.4 s longer
    "strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync",
    "-e", "inject=fsync,fdatasync:delay_enter=400000",
)  # fmt: skip
_AWAY_S = 2.0
_ACCOUNTS = f"""
  texts:
    kind: twilio.sms
    account_sid: {webhook_client.ACCOUNT_SID}
    auth_token: "{webhook_client.TOKEN}"
    numbers: ["{webhook_client.OWN}"]
    public_url: {webhook_client.PUBLIC_URL}
    api_url: http://127.0.0.1:9
    reconcile_s: 0
  phone:
    kind: twilio.voice
    account_sid: {webhook_client.ACCOUNT_SID}
    auth_token: "{webhook_client.TOKEN}"
    numbers: ["{webhook_client.OWN}"]
    public_url: {webhook_client.PUBLIC_URL}
    api_url: http://127.0.0.1:9
    reconcile_s: 0
    languages: [en]
"""


def run(results: Results, folder: Path, *, is_quick: bool) -> None:
    results.begin("phone", is_quick=is_quick)
    seconds, rounds = (2.0, 1) if is_quick else (4.0, 3)
    _throughput(results, folder, seconds=seconds, rounds=rounds)
    if shutil.which(_SLOW_DISK[0]):
        _answers(results, folder, "the disk is slow", seconds=seconds * 5, prefix=_SLOW_DISK)
    else:
        results.note("phone", "strace is not installed (apt-get install strace): no disk was made slow.")
    _answers(results, folder, "the store is away", seconds=seconds * 5, trouble=_store_away)


def client(port: int, path: str, *, series: str, **options: object) -> dict[str, Any]:
    """Run the client to its end; its figures."""
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [
        sys.executable, "-m", "bench.webhook_client", "--port", str(port), "--path", path, "--series", series, *words,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=daemons.ROOT, stdout=subprocess.PIPE, check=True, text=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@contextlib.contextmanager
def _daemon(folder: Path, *prefix: str) -> Iterator[Intaked]:
    ours = Intaked(folder, sink_port=9, prefix=prefix, level="error")
    config = folder / "intake.yaml"
    config.write_text(config.read_text().replace("outgoing:\n", f"{_ACCOUNTS.lstrip(chr(10))}outgoing:\n"))
    try:
        ours.start()
        processes.wait_for(ours.daemon.http_port)
        yield ours
    finally:
        ours.destroy()


def _throughput(results: Results, folder: Path, *, seconds: float, rounds: int) -> None:
    """Side by side and in turn, so that what the machine does meanwhile meets both alike."""
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    with processes.serving("bench.bare_webhook") as bare_port, _daemon(folder / "webhooks") as ours:
        ports = {"bare": bare_port, "ours": ours.daemon.http_port}
        for number in range(rounds):
            for connections in _CONNECTIONS:
                for name, port in ports.items():
                    figures = client(
                        port,
                        _TEXTS,
                        series=f"{number:x}{_CONNECTIONS.index(connections):x}",
                        connections=connections,
                        seconds=seconds,
                        prepared=int(12_000 * seconds),
                    )
                    found.setdefault((name, connections), []).append(figures)
                ours.wait_until_settled()
    rows = []
    for connections in _CONNECTIONS:
        bare, kept = found["bare", connections], found["ours", connections]
        ratio = statistics.median(o["rate"] / b["rate"] for o, b in zip(kept, bare, strict=True))
        results.line(
            "phone",
            f"Signed webhook to durable answer, {connections} connections, against bare aiohttp",
            ratio,
            target=0.4,
            unit="×",
        )
        rows.append([str(connections), _told(bare), _told(kept), f"{ratio:.2f}"])
    results.table(
        "phone",
        "Webhooks a second: bare aiohttp reads the form and answers; intaked checks the signature, fsyncs, answers",
        ["Connections", "bare aiohttp", "intaked", "ratio"],
        rows,
    )


def _told(found: list[dict[str, Any]]) -> str:
    rate, p99 = (statistics.median(each[name] for each in found) for name in ("rate", "p99_ms"))
    wrong = sum(sum(each["errors"].values()) for each in found)
    return f"{rate:.0f} (p99 {p99:.0f} ms)" + (f", {wrong} refused" if wrong else "")


@contextlib.contextmanager
def _store_away(ours: Intaked) -> Iterator[None]:
    """Nobody can write for two seconds out of four, as while a store is restarted."""
    is_over = threading.Event()

    def lock() -> None:
        with contextlib.closing(sqlite3.connect(ours.daemon.store, timeout=5, isolation_level=None)) as other:
            while not is_over.is_set():
                other.execute("BEGIN IMMEDIATE")
                is_over.wait(_AWAY_S)
                other.execute("ROLLBACK")
                is_over.wait(_AWAY_S)

    holder = threading.Thread(target=lock)
    holder.start()
    try:
        yield
    finally:
        is_over.set()
        holder.join()


def _answers(
    results: Results,
    folder: Path,
    what: str,
    *,
    seconds: float,
    prefix: tuple[str, ...] = (),
    trouble: Callable[[Intaked], AbstractContextManager[None]] = lambda ours: contextlib.nullcontext(),
) -> None:
    """Callers who ring all the time while something is wrong: how long they wait, and what they hear."""
    name = what.replace(" ", "-")
    with _daemon(folder / name, *prefix) as ours, trouble(ours):
        figures = client(
            ours.daemon.http_port,
            _CALLS,
            series="c0",
            connections=_CALLERS,
            seconds=seconds,
            prepared=int(_CALLERS * seconds * 5),
            each_s=0.25,
        )
    results.line(
        "phone",
        f"The answer to a call while {what}, p99",
        figures["p99_ms"],
        target=300,
        unit="ms",
        less_is_better=True,
    )
    errors = sum(figures["errors"].values())
    results.line(
        "phone", f"Callers who hear an error while {what}", errors, target=0.5, unit="", less_is_better=True
    )
    results.note(
        "phone",
        f"While {what}: {figures['count']} calls, median {figures['p50_ms']:.0f} ms, longest {figures['max_ms']:.0f} ms; "
        f"{figures['aside']} were given voicemail without the store.",
    )
