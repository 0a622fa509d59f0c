"""What it takes: memory at rest, time until it takes mail, and whether one more ticket costs more in a larger store."""

import statistics
import time
from pathlib import Path

from bench import curve, grow, machine, processes
from bench.intaked import Intaked
from bench.results import FOLDER, Results

_PROBE = 1_500  # mails whose cost is measured at each size, three times
_REST_S = 4.0


def run(results: Results, folder: Path, *, is_quick: bool) -> None:
    results.begin("cost", is_quick=is_quick)
    with processes.serving("bench.sink") as sink_port:
        ours = Intaked(folder / "cost", sink_port=sink_port)
        try:
            _at_rest(results, ours)
            _over_sizes(results, ours, sizes=(2_000, 20_000) if is_quick else (10_000, 100_000, 1_000_000))
        finally:
            ours.destroy()


def _at_rest(results: Results, ours: Intaked) -> None:
    ours.start()
    time.sleep(_REST_S)
    cpu_before, since = machine.cpu_s(ours.pid), time.monotonic()
    resident = machine.resident_mib(ours.pid)
    time.sleep(_REST_S)
    cpu = (machine.cpu_s(ours.pid) - cpu_before) / (time.monotonic() - since)
    results.line(
        "cost", "Resident memory idle, all processes", resident, target=80, unit="MiB", less_is_better=True
    )
    results.note("cost", f"Idle it takes {cpu:.2%} of a core in {len(machine.group(ours.pid))} processes.")


def _over_sizes(results: Results, ours: Intaked, *, sizes: tuple[int, ...]) -> None:
    """Let the daemon make the first tickets, copy them to each further size, and feed it the same number of mails there."""
    rows: list[list[str]] = []
    points: list[tuple[int, float]] = []
    _fill(ours, tickets=sizes[0])
    for number, size in enumerate(sizes):
        ours.stop()
        tickets = _tickets(ours)
        if number:
            grow.multiply(ours.daemon.store, times=max(1, round(size / tickets)))
        starts = [_start_s(ours) for _ in range(5)]
        ours.start()
        cpu_ms, wall_ms = _cost_of_one(ours, seed=500 + number * 10)
        points.append((_tickets(ours), cpu_ms))
        size_gib = ours.daemon.store.stat().st_size / 2**30
        rows.append(
            [
                str(points[-1][0]),
                f"{cpu_ms:.2f}",
                f"{wall_ms:.2f}",
                f"{statistics.median(starts):.2f}",
                f"{size_gib:.2f}",
            ]
        )
        print("  " + " | ".join(rows[-1]), flush=True)
        if size == sizes[-2]:
            results.line(
                "cost",
                f"From start to the first greeting with {points[-1][0]} tickets",
                statistics.median(starts),
                target=1.5,
                unit="s",
                less_is_better=True,
            )
    results.table(
        "cost",
        f"One more ticket, by the size of the store (medians of 3 × {_PROBE} plain mails)",
        ["Tickets", "CPU ms a mail", "Elapsed ms a mail", "Start s", "Store GiB"],
        rows,
    )
    results.line(
        "cost",
        f"CPU of one more ticket at {points[-1][0]} against {points[0][0]}",
        points[-1][1] / points[0][1],
        target=1.15,
        unit="× (the same, within noise)",
        less_is_better=True,
    )
    curve.draw(
        FOLDER / "curve.svg",
        points,
        title="CPU of one more ticket, from its mail to its acknowledgement",
        unit="ms",
    )


def _fill(ours: Intaked, *, tickets: int) -> None:
    """Send plain mail until there are about so many tickets (three mails in ten are replies)."""
    while (made := _tickets(ours)) < tickets * 0.98:
        processes.load(
            ours.port,
            mix="plain",
            connections=20,
            count=min(5_000, int((tickets - made) / 0.7) + 1),
            seed=600 + made % 9_000,
        )
        ours.wait_until_settled()


def _tickets(ours: Intaked) -> int:
    return int(ours.reader().execute("SELECT count(*) FROM tickets").fetchone()[0])


def _start_s(ours: Intaked) -> float:
    started_s = ours.start()
    ours.stop()
    return started_s


def _cost_of_one(ours: Intaked, *, seed: int) -> tuple[float, float]:
    """CPU and elapsed milliseconds a mail, until all are settled and answered; medians of three after one to warm up."""
    found = []
    for number in range(4):
        cpu_before, since = machine.cpu_s(ours.pid), time.monotonic()
        processes.load(ours.port, mix="plain", connections=20, count=_PROBE, seed=seed + number)
        ours.wait_until_settled()
        found.append(
            (
                (machine.cpu_s(ours.pid) - cpu_before) * 1000 / _PROBE,
                (time.monotonic() - since) * 1000 / _PROBE,
            )
        )
    return statistics.median(cpu for cpu, _ in found[1:]), statistics.median(wall for _, wall in found[1:])
