"""How many mails a second: accepted durably, and settled into tickets with their acknowledgement sent."""

import re
import signal
import statistics
import time
from pathlib import Path
from typing import Any, Protocol

import psutil

from bench import machine, processes, sink
from bench.intaked import Intaked
from bench.postfix import Postfix
from bench.results import Results

CONNECTIONS = (1, 10, 20, 50)
_OURS, _POSTFIX, _STOCK = "intaked", "Postfix, on hold", "aiosmtpd, discarding"
_FSYNC = re.compile(r"(\d+\.\d+) (?:fsync|fdatasync)\(")


class Server(Protocol):
    @property
    def port(self) -> int: ...


class _Stock:
    def __init__(self, port: int) -> None:
        self.port = port


def run(results: Results, folder: Path, *, is_quick: bool) -> None:
    """Measure all of it; every server stays up, and each round asks them in turn."""
    results.begin("speed", is_quick=is_quick)
    with processes.serving("bench.sink") as sink_port, processes.serving("bench.discarding") as stock_port:
        ours = Intaked(folder / "speed", sink_port=sink_port)
        postfix = Postfix(folder / "postfix") if Postfix.is_installed() else None
        try:
            ours.start()
            if postfix:
                postfix.start()
            rates = _acceptance(results, ours, postfix, _Stock(stock_port), is_quick=is_quick)
            settled = _settled(results, ours, sink_port, seconds=15 if is_quick else 60)
            _compare(results, rates, settled)
        finally:
            ours.destroy()
            if postfix:
                postfix.stop()
        _fsyncs(results, folder / "fsync", sink_port, seconds=3 if is_quick else 8)


Rates = dict[tuple[str, str, int], float]  # (server, mix, connections) -> mails a second


def _acceptance(
    results: Results, ours: Intaked, postfix: Postfix | None, stock: _Stock, *, is_quick: bool
) -> Rates:
    rounds, seconds = (1, 3.0) if is_quick else (3, 4.0)
    servers: dict[str, Server] = {_OURS: ours, _STOCK: stock}
    if postfix:
        servers[_POSTFIX] = postfix
    else:
        results.note("speed", "Postfix is not installed (apt-get install postfix): its lines are missing.")
    found: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for number in range(rounds):
        for mix in ("plain", "mix"):
            for connections in CONNECTIONS:
                for name in sorted(servers, reverse=bool(number % 2)):
                    figures = processes.load(
                        servers[name].port, mix=mix, connections=connections, seconds=seconds, seed=_seed()
                    )
                    found.setdefault((name, mix, connections), []).append(figures)
                    _calm(ours, postfix, results)
                    print(
                        f"  {name}, {mix}, {connections} connections: {figures['rate']:.0f} a second",
                        flush=True,
                    )
    _acceptance_table(results, servers, found)
    return {key: statistics.median(each["rate"] for each in rounds_) for key, rounds_ in found.items()}


_next_seed = iter(range(1, 1 << 16))


def _seed() -> int:
    """Give each client mails of its own: one known already would be a duplicate and cost less."""
    return next(_next_seed)


def _calm(ours: Intaked, postfix: Postfix | None, results: Results) -> None:
    """Let the daemon settle what it took and Postfix forget it, so that no round pays for another."""
    if not ours.wait_until_settled():
        results.note("speed", "intaked had not settled everything three minutes after a round.")
    if postfix:
        postfix.empty()


def _acceptance_table(
    results: Results, servers: dict[str, Server], found: dict[tuple[str, str, int], list[dict[str, Any]]]
) -> None:
    rows = []
    for mix in ("plain", "mix"):
        for connections in CONNECTIONS:
            of_ours = statistics.median(each["rate"] for each in found[_OURS, mix, connections])
            row = [mix, str(connections)]
            for name in sorted(servers):
                rounds = found[name, mix, connections]
                rate = statistics.median(each["rate"] for each in rounds)
                p99 = statistics.median(each["p99_ms"] for each in rounds)
                share = statistics.median(each["cpu_share"] for each in rounds)
                row.append(f"{rate:.0f} (p99 {p99:.0f} ms, client {share:.0%} of a core)")
            row += [
                f"{of_ours / statistics.median(e['rate'] for e in found[n, mix, connections]):.2f}"
                for n in sorted(servers)
                if n != _OURS
            ]
            rows.append(row)
    names = sorted(servers)
    head = ["Mails", "Connections", *names, *(f"intaked / {name}" for name in names if name != _OURS)]
    results.table("speed", "Acceptance: mails a second answered with 250", head, rows)


def _settled(results: Results, ours: Intaked, sink_port: int, *, seconds: int) -> float:
    """Offer the mix on 20 connections without a pause; what is settled a second, and whether the outbox keeps up."""
    before, sent_before = ours.progress()[0], sink.taken(sink_port)
    cpu_before = machine.cpu_s(ours.pid)
    client = processes.Client(ours.port, mix="mix", connections=20, seconds=seconds, seed=_seed())
    client.begin()
    began = time.monotonic()
    samples = []
    peak_mib = 0.0
    while time.monotonic() < began + seconds:
        time.sleep(1)
        samples.append((time.monotonic() - began, *ours.progress()))
        peak_mib = max(peak_mib, machine.resident_mib(ours.pid))
    cpu = (machine.cpu_s(ours.pid) - cpu_before) / (time.monotonic() - began)
    figures = client.end()
    settled_at, settled, queued = samples[-1]
    rate = (settled - before) / settled_at
    ours.wait_until_settled()
    whole_s = time.monotonic() - began
    results.table(
        "speed",
        f"Settled: the mix on 20 connections for {seconds} s, offered without a pause",
        ["Accepted/s", "Settled/s", "Unsettled at the end", "Outbox at the end", "All settled and sent/s", "Mails at the sink", "Daemon CPU", "Peak RSS", "Client CPU"],
        [[
            f"{figures['rate']:.0f}", f"{rate:.0f}", str(figures["acked"] - settled + before), str(queued),
            f"{figures['acked'] / whole_s:.0f}", str(sink.taken(sink_port) - sent_before), f"{cpu:.2f} cores", f"{peak_mib:.0f} MiB",
            f"{figures['cpu_share']:.2f} cores",
        ]],
    )  # fmt: skip
    results.line(
        "speed",
        "Outbox behind at the end of the sustained run",
        queued,
        target=max(rate, 1),
        unit="rows (one second of work)",
        less_is_better=True,
    )
    results.line(
        "speed",
        "Resident memory under this load, all processes",
        peak_mib,
        target=200,
        unit="MiB",
        less_is_better=True,
    )
    return rate


def _compare(results: Results, rates: Rates, settled: float) -> None:
    line = results.line
    stock = rates[_STOCK, "mix", 20]
    line(
        "speed",
        "Acceptance of the mix, 20 connections, against stock aiosmtpd discarding",
        rates[_OURS, "mix", 20] / stock,
        target=2,
        unit="×",
    )
    line(
        "speed",
        "Settled of the mix, 20 connections, against stock aiosmtpd discarding",
        settled / stock,
        target=1,
        unit="×",
    )
    if (_POSTFIX, "mix", 20) not in rates:
        return
    for connections in CONNECTIONS:
        for mix, target in (("mix", 1.0), ("plain", 3.0)):
            ratio = rates[_OURS, mix, connections] / rates[_POSTFIX, mix, connections]
            line(
                "speed",
                f"Durable acceptance, {mix}, {connections} connections, against Postfix",
                ratio,
                target=target,
                unit="×",
            )
    postfix = rates[_POSTFIX, "mix", 20]
    line(
        "speed",
        "Settled of the mix against Postfix's acceptance, 20 connections",
        settled / postfix,
        target=0.5,
        unit="×",
    )
    line("speed", "The same, as the aim", settled / postfix, target=1.0, unit="×")


def _fsyncs(results: Results, folder: Path, sink_port: int, *, seconds: float) -> None:
    """Count under strace, whose filter costs the other system calls nothing."""
    trace = folder / "strace.log"
    prefix = ("strace", "-f", "--seccomp-bpf", "-ttt", "-e", "trace=fsync,fdatasync", "-o", str(trace))
    ours = Intaked(folder, sink_port=sink_port, prefix=prefix)
    try:
        ours.start()
        client = processes.Client(ours.port, mix="plain", connections=50, seconds=seconds, seed=_seed())
        began = time.time()
        client.begin()
        figures = client.end()
        ended = time.time()
        ours.wait_until_settled()
        settled = time.time()
        for process in psutil.Process(ours.pid).children():
            process.send_signal(signal.SIGTERM)
        ours.daemon.wait_for_end(limit_s=20)
        instants = [float(found) for found in _FSYNC.findall(trace.read_text())]
    except FileNotFoundError:
        results.note("speed", "strace is not installed (apt-get install strace): fsyncs were not counted.")
        return
    finally:
        ours.destroy()
    during = sum(began <= at <= ended for at in instants) / figures["acked"]
    in_all = sum(began <= at <= settled for at in instants) / figures["acked"]
    results.line(
        "speed",
        "fsyncs a mail, plain, 50 connections, while mail is accepted",
        during,
        target=1 / 8,
        unit="",
        less_is_better=True,
    )
    results.note(
        "speed",
        f"Until each of those mails was settled and acknowledged: {in_all:.3f} fsyncs a mail ({figures['acked']} mails, {figures['rate']:.0f} a second under strace).",
    )
