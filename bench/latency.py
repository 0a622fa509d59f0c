"""How long a sender waits for 250, alone and beside hostile mail, and how long until the ticket can be seen."""

import re
import smtplib
import statistics
import threading
import time
from pathlib import Path

from bench import hostile, processes
from bench.intaked import Intaked
from bench.results import Results
from tests.torture import ledger, mailmix

_SEED = 77


def run(results: Results, folder: Path, *, is_quick: bool) -> None:
    results.begin("latency", is_quick=is_quick)
    with processes.serving("bench.sink") as sink_port:
        ours = Intaked(folder / "latency", sink_port=sink_port)
        try:
            ours.start()
            _plain(results, ours, rounds=1 if is_quick else 3, seconds=4 if is_quick else 8)
            _beside_hostile_mail(results, ours, rounds=1 if is_quick else 3, seconds=8 if is_quick else 15)
            _until_visible(results, ours, seconds=8 if is_quick else 25)
        finally:
            ours.destroy()


def _plain(results: Results, ours: Intaked, *, rounds: int, seconds: float) -> None:
    found = []
    for number in range(rounds):
        found.append(
            processes.load(ours.port, mix="plain", connections=10, seconds=seconds, seed=100 + number)
        )
        ours.wait_until_settled()
    p99 = statistics.median(each["p99_ms"] for each in found)
    results.line(
        "latency",
        "250 on plain mail, 10 connections without a pause, p99",
        p99,
        target=50,
        unit="ms",
        less_is_better=True,
    )
    rate = statistics.median(each["rate"] for each in found)
    p50 = statistics.median(each["p50_ms"] for each in found)
    results.note(
        "latency",
        f"There: {rate:.0f} mails a second, median {p50:.1f} ms, longest {max(e['max_ms'] for e in found):.0f} ms.",
    )


class Attack(threading.Thread):
    """Sends one hostile mail after the other until it is told to stop; sent: how many were taken."""

    def __init__(self, port: int, *, first: int) -> None:
        super().__init__()
        self._port = port
        self._first = first
        self.is_over = threading.Event()
        self.sent = 0
        self.refused: list[str] = []

    def run(self) -> None:
        number = self._first
        while not self.is_over.wait(0.2):
            kind = hostile.KINDS[number % len(hostile.KINDS)]
            number += 1
            try:
                self._send(kind(number))
            except smtplib.SMTPException as error:
                self.refused.append(f"{kind.__name__}: {error}")

    def _send(self, content: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", self._port, timeout=60) as peer:
            peer.sendmail("mallory@attack.example", ["support@example.com"], content)
        self.sent += 1


def _beside_hostile_mail(results: Results, ours: Intaked, *, rounds: int, seconds: float) -> None:
    found, alone, sent = [], [], 0
    for number in range(rounds):
        alone.append(
            processes.load(ours.port, mix="mix", connections=50, seconds=seconds / 2, seed=200 + number)
        )
        ours.wait_until_settled()
        client = processes.Client(ours.port, mix="mix", connections=50, seconds=seconds, seed=300 + number)
        attack = Attack(ours.port, first=number * 1_000)
        attack.start()
        client.begin()
        found.append(client.end())
        attack.is_over.set()
        attack.join(120)
        sent += attack.sent
        for refusal in attack.refused[:3]:
            results.note("latency", f"A hostile mail was refused: {refusal[:200]}")
        ours.wait_until_settled()
    p99 = statistics.median(each["p99_ms"] for each in found)
    results.line(
        "latency",
        "250 on the mix, 50 connections, beside 25 MB and hostile mail, p99",
        p99,
        target=250,
        unit="ms",
        less_is_better=True,
    )
    before = statistics.median(each["p99_ms"] for each in alone)
    rate = statistics.median(each["rate"] for each in found)
    results.note(
        "latency",
        f"There: {sent} hostile mails, {rate:.0f} others a second; p99 without the hostile ones {before:.0f} ms.",
    )


def _until_visible(results: Results, ours: Intaked, *, seconds: float) -> None:
    """Load at half of what can be settled; the time from each 250 until another process reads the message's ticket."""
    full = _settled_rate(ours)
    times = ours.folder / "acks"
    client = processes.Client(
        ours.port, mix="mix", connections=20, seconds=seconds, rate=full / 2, seed=_SEED, times=times
    )
    watch = Watch(ours.daemon.store)
    watch.start()
    client.begin()
    figures = client.end()
    ours.wait_until_settled()
    watch.is_over.set()
    watch.join(30)
    acked = [line.split() for line in times.read_text().splitlines()]
    waits = sorted(
        max(0.0, watch.seen.get(mailmix.marker(int(number), seed=_SEED), 1e9) - float(at))
        for number, at in acked
    )
    p99 = waits[int(len(waits) * 0.99)]
    results.line(
        "latency",
        "From 250 to the visible ticket at half load, p99",
        p99 * 1000,
        target=1000,
        unit="ms",
        less_is_better=True,
    )
    results.note(
        "latency",
        f"There: {figures['rate']:.0f} mails a second (full load settles {full:.0f}), median {waits[len(waits) // 2] * 1000:.0f} ms, longest {waits[-1] * 1000:.0f} ms.",
    )


def _settled_rate(ours: Intaked) -> float:
    """Find full load: mails a second from the first one until the last is settled."""
    began = time.monotonic()
    figures = processes.load(ours.port, mix="mix", connections=20, seconds=6, seed=400)
    ours.wait_until_settled()
    return float(figures["acked"] / (time.monotonic() - began))


class Watch(threading.Thread):
    """Looks every few milliseconds for messages it has not seen; seen: marker -> monotonic instant."""

    def __init__(self, store: Path) -> None:
        super().__init__()
        self._store = store
        self.is_over = threading.Event()
        self.seen: dict[str, float] = {}

    def run(self) -> None:
        reader = ledger.open_read_only(self._store)
        last = reader.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0]
        query = "SELECT m.id, m.body FROM messages m JOIN tickets t ON t.id = m.ticket_id WHERE m.id > ? AND m.direction = 'in' ORDER BY m.id"
        while not self.is_over.wait(0.005):
            rows = reader.execute(query, (last,)).fetchall()
            now = time.monotonic()
            for message_id, body in rows:
                found = re.search(mailmix.MARKER, body)
                if found:
                    self.seen[found.group()] = now
                last = max(last, message_id)
        reader.close()
