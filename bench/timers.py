"""A million open timers: what an idle look, a firing, a move and the memory cost, and a hundred thousand due in one minute.

Beside them, in the same run, one APScheduler job for each ticket (bench.timer_jobs).
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import psutil
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bench import open_timers
from bench.results import Results
from intake import desk
from intake.store.engine import Store
from intake.timers import CONCURRENT, Timers
from tests.domain.world import World
from tests.torture import daemons

PART = "timers"
_LOOKS = 20_000
_HEAD_START_S = 6.0
_MAILS = 100


class Sizes(msgspec.Struct, frozen=True):
    """timers: open ones in the large store; due: those of the minute; fired, moved: whose cost is measured, each round.

    late: that fire while new mail is settled. jobs_s: for making the yardstick's jobs.
    """

    timers: int
    due: int
    within_s: float
    fired: int
    moved: int
    rounds: int
    jobs_s: float
    late: int


_WHOLE = Sizes(1_000_000, 100_000, 60, 3_000, 1_000, 3, 40, 10_000)
_QUICK = Sizes(40_000, 4_000, 2.4, 500, 200, 1, 4, 1_000)
_SMALL = 1_000


def run(results: Results, folder: Path, *, is_quick: bool) -> None:
    results.begin(PART, is_quick=is_quick)
    sizes = _QUICK if is_quick else _WHOLE
    large, small = folder / "timers-large", folder / "timers-small"
    plain = sizes.due + sizes.fired * sizes.rounds + sizes.late + 2 * _SMALL
    open_timers.build(small, plain=_SMALL, timers=_SMALL)
    open_timers.build(large, plain=plain, timers=sizes.timers)
    try:
        _idle(results, small, large, timers=sizes.timers)
        _memory(results, small, large, timers=sizes.timers)
        _costs(results, large, sizes)
        _beside(results, large, sizes)
        storm = _storm(results, large, sizes)
        _yardstick(results, folder, sizes, storm)
    finally:
        for place in (large, small):
            shutil.rmtree(place, ignore_errors=True)


# -- one at a time --------------------------------------------------------------------------------------------------


def _idle(results: Results, small: Path, large: Path, *, timers: int) -> None:
    few_us, few_read_ms = asyncio.run(_looked(small))
    many_us, many_read_ms = asyncio.run(_looked(large))
    _less(results, f"An idle look, {timers} timers open", many_us, 20, "µs")
    _less(
        results, f"The same against {_SMALL} timers open", many_us / few_us, 1.5, "× (the same, within noise)"
    )
    results.note(
        PART,
        f"A look into the store, made when another process has written, took {many_read_ms:.2f} ms with {timers} timers and"
        f" {few_read_ms:.2f} ms with {_SMALL}.",
    )


async def _looked(folder: Path) -> tuple[float, float]:
    """Microseconds of the bell's look while nothing is due; milliseconds of one into the store."""
    store, world = open_timers.opened(folder)
    with closing(store):
        timers = _timers(store, world, lambda event, fields: None)
        await timers.fire_due()
        began = time.process_time()
        for _ in range(_LOOKS):
            timers.look()
        look_us = (time.process_time() - began) / _LOOKS * 1e6
        reads = []
        for _ in range(20):
            began = time.perf_counter()
            await timers.fire_due()
            reads.append(time.perf_counter() - began)
    return look_us, statistics.median(reads) * 1e3


def _memory(results: Results, small: Path, large: Path, *, timers: int) -> None:
    few, many = _resident_mib(small), _resident_mib(large)
    _less(results, f"Memory of {timers} open timers beside {_SMALL}", many - few, 16, "MiB more")
    results.note(
        PART,
        f"Resident after firing {_SMALL // 2} of them: {few:.0f} MiB with {_SMALL} open, {many:.0f} MiB with {timers}; the"
        " store's page caches (16 MB at most) fill with a large one.",
    )


def _resident_mib(folder: Path) -> float:
    """Of a process of its own that opens the store, fires half of a small store's timers, and is idle."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.timers", str(folder), str(_SMALL // 2)],
        cwd=daemons.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def _costs(results: Results, folder: Path, sizes: Sizes) -> None:
    fired = [asyncio.run(_fired(folder, _due(folder, sizes.fired))) for _ in range(sizes.rounds)]
    moved = [asyncio.run(_moved(folder, sizes.moved)) for _ in range(sizes.rounds)]
    told = []
    for _ in range(sizes.rounds):
        open_timers.make_steps_due(folder, count=sizes.fired // 3, at_us=1)
        told.append(asyncio.run(_fired(folder, sizes.fired // 3)))
    cpu, wall = (statistics.median(column) for column in zip(*fired, strict=True))
    _less(results, "Firing one: a breach, its clock and its event", cpu, 200, "µs of a processor")
    move_cpu, move_wall = (statistics.median(column) for column in zip(*moved, strict=True))
    _less(
        results,
        "Re-arming one: a ticket's priority changes, all its timers move",
        move_cpu,
        200,
        "µs of a processor",
    )
    notice_cpu, notice_wall = (statistics.median(column) for column in zip(*told, strict=True))
    results.note(
        PART,
        f"Elapsed, with what the disk took: {wall:.0f} µs a firing, {move_wall:.0f} µs a move. A step of a ladder that sends a"
        f" notice (composed, signed, in the outbox) took {notice_cpu:.0f} µs of a processor, {notice_wall:.0f} µs elapsed.",
    )


def _due(folder: Path, count: int) -> int:
    open_timers.make_due(folder, count=count, first_us=1_000_000, within_s=1)
    return count


async def _fired(folder: Path, count: int) -> tuple[float, float]:
    """Processor and elapsed microseconds of one, while the real loop fires all that is due."""
    told: list[str] = []
    store, world = open_timers.opened(folder)
    with closing(store):
        timers = _timers(store, world, lambda event, fields: told.append(event))
        took = await _timed(timers.fire_due)
    if told.count("timer_fired") != count:
        raise AssertionError(f"{count} timers were due, {told.count('timer_fired')} fired")
    return took[0] / count, took[1] / count


async def _moved(folder: Path, tickets: int) -> tuple[float, float]:
    """Processor and elapsed microseconds of one timer that a change of its ticket's priority moves."""
    refs = iter(open_timers.laddered(folder, count=tickets))
    store, world = open_timers.opened(folder)

    async def work() -> None:
        for ref in refs:
            await store.write(
                lambda tx, ref=ref: desk.set_priority(tx, world.context, ref, "urgent", agent="ania")  # type: ignore[misc]
            )

    async def everybody() -> None:
        await asyncio.gather(*(work() for _ in range(CONCURRENT)))

    with closing(store):
        before = _cancelled(world)
        took = await _timed(everybody)
        moved = _cancelled(world) - before
    return took[0] / moved, took[1] / moved


def _beside(results: Results, folder: Path, sizes: Sizes) -> None:
    waited, fired = asyncio.run(_settled_beside(folder, _due(folder, sizes.late)))
    results.note(
        PART,
        f"While {fired} late timers fired, {len(waited)} new mails were settled, each at once: median"
        f" {statistics.median(waited) * 1e3:.0f} ms, at most {max(waited) * 1e3:.0f} ms from asking to the commit.",
    )


async def _settled_beside(folder: Path, late: int) -> tuple[list[float], int]:
    """Seconds that each settlement took while late timers fired, and how many of those there were."""
    store, world = open_timers.opened(folder)
    fired: list[str] = []
    with closing(store):
        mails = [world.journal(f"c{number}@customer.example") for number in range(_MAILS)]
        timers = _timers(store, world, lambda event, fields: fired.append(event))
        firing = asyncio.create_task(timers.fire_due())
        waited = []
        while mails and not firing.done():
            began = time.monotonic()
            await asyncio.to_thread(world.settle, mails.pop())
            waited.append(time.monotonic() - began)
        await firing
    if len(fired) < late:
        raise AssertionError(f"{late} timers were due, {len(fired)} fired")
    return waited, len(fired)


def _cancelled(world: World) -> int:
    """Each move cancels a row and writes another."""
    return len(world.rows("timers", "state = 'cancelled'"))


async def _timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.monotonic()
    await work()
    return (time.process_time() - cpu) * 1e6, (time.monotonic() - wall) * 1e6


# -- a minute's storm -----------------------------------------------------------------------------------------------


def _storm(results: Results, folder: Path, sizes: Sizes) -> list[str]:
    late, took_s, is_right = asyncio.run(_fired_within(folder, sizes))
    row = [f"{late[len(late) // 2]:.3f}", f"{late[len(late) * 99 // 100]:.3f}", f"{late[-1]:.3f}"]
    _less(
        results,
        f"{sizes.due} due within {sizes.within_s:.0f} s, committed with their events: lateness p99",
        late[len(late) * 99 // 100],
        5,
        "s",
    )
    results.note(
        PART,
        f"The storm took {took_s:.1f} s from its first due instant to the last commit; median {row[0]} s late, at most {row[2]} s."
        f" {'Each was claimed once and has its event.' if is_right else '**Not each has its event.**'}",
    )
    buckets = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
    counts = [sum(each <= bound for each in late) / len(late) for bound in buckets]
    results.table(
        PART,
        f"Share of {sizes.due} timers due within {sizes.within_s:.0f} s that had fired by then",
        ["Seconds late", *(f"≤ {bound:g}" for bound in buckets)],
        [["share", *(f"{count:.1%}" for count in counts)]],
    )
    return row


async def _fired_within(folder: Path, sizes: Sizes) -> tuple[list[float], float, bool]:
    """Lateness of each, to its commit, in order; seconds from the first due instant to the end; whether each has its event."""
    store, world = open_timers.opened(folder)
    with closing(store):
        first_us = store.now_us() + int(_HEAD_START_S * 1e6)
        due = open_timers.make_due(folder, count=sizes.due, first_us=first_us, within_s=sizes.within_s)
        events_before = _breaches(world)
        late: list[float] = []
        is_over = asyncio.Event()

        def told(event: str, fields: dict[str, Any]) -> None:
            late.append((store.now_us() - due[fields["ticket"]]) / 1e6)
            if len(late) == len(due):
                is_over.set()

        timers = _timers(store, world, told)
        running = asyncio.create_task(timers.run())
        await asyncio.wait_for(is_over.wait(), _HEAD_START_S + 4 * sizes.within_s + 60)
        took_s = (store.now_us() - first_us) / 1e6
        running.cancel()
        is_right = _breaches(world) - events_before == len(due)
    return sorted(late), took_s, is_right


def _breaches(world: World) -> int:
    return len(world.rows("events", "kind = 'sla_breached'"))


def _timers(store: Store, world: World, told: Callable[[str, dict[str, Any]], None]) -> Timers:
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.start()
    return Timers(store, context=lambda: world.context, scheduler=scheduler, told=told)


# -- the yardstick --------------------------------------------------------------------------------------------------


def _yardstick(results: Results, folder: Path, sizes: Sizes, storm: list[str]) -> None:
    found = {kind: _jobs(folder / f"jobs-{kind}", kind, sizes) for kind in ("memory", "sqlalchemy")}
    rows = [
        [
            f"one job for each ticket, {'in memory' if kind == 'memory' else 'SQLAlchemy on SQLite'}",
            f"{each['jobs']}",
            f"{each['add_us']:.0f}",
            f"{each['idle_us']:.0f}",
            f"{each['move_us']:.0f}",
            f"{each['mib']:.0f} ({each['mib'] / each['jobs'] * 1e6:.0f} for a million)",
        ]
        for kind, each in found.items()
    ]
    head = [
        "APScheduler",
        "Jobs made in the time",
        "µs to add one",
        "µs an idle look",
        "µs to move one",
        "MiB",
    ]
    results.table(PART, "The yardstick: APScheduler with one job for each ticket", head, rows)
    theirs = found["memory"]["storm"]
    results.note(
        PART,
        f"{theirs['asked']} jobs in memory due within {60 * sizes.timers / 1e6:.1f} s, each writing its event through the same store, without a"
        " ticket, a clock or a claim:"
        f" {theirs['fired']} ran, median {theirs['p50_s']:.3f} s, p99 {theirs['p99_s']:.3f} s, at most {theirs['max_s']:.3f} s late"
        f" (ours: {', '.join(storm)}). Jobs in memory are lost with the process.",
    )


def _jobs(folder: Path, kind: str, sizes: Sizes) -> dict[str, Any]:
    words = [
        sys.executable,
        "-m",
        "bench.timer_jobs",
        kind,
        str(sizes.jobs_s),
        str(sizes.timers),
        str(folder),
    ]
    environ = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(words, cwd=daemons.ROOT, env=environ, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {kind}: {found}", flush=True)
    return found


def _less(results: Results, what: str, figure: float, target: float, unit: str) -> None:
    results.line(PART, what, figure, target=target, unit=unit, less_is_better=True)


def _print_resident(arguments: Iterable[str]) -> None:
    """Open a store, fire so many, and say what that takes: `python -m bench.timers FOLDER COUNT`."""
    folder, count = arguments
    asyncio.run(_fired(Path(folder), _due(Path(folder), int(count))))
    print(psutil.Process().memory_info().rss / 2**20)


if __name__ == "__main__":
    _print_resident(sys.argv[1:])
