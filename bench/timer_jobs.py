"""The yardstick for timers: one APScheduler job for each ticket, in a process of its own.

    python -m bench.timer_jobs memory|sqlalchemy SECONDS COUNT FOLDER

adds jobs for as long, or until there are so many or they take 2 GiB, and prints what that took as one JSON object: jobs,
add_us, idle_us, move_us, mib (beside the process without them), storm (of `memory`: a tenth as many jobs as asked for, due
within a minute's share, each of which writes an event as our timers do: fired, p50_s, p99_s, max_s).
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from intake import events, instants
from intake.store import opening
from intake.store.engine import Store

_MIB = 2**20
_LIMIT_MIB = 2_048
_MOVED = 1_000
_LOOKS = 200
_FAR = timedelta(days=30)
_DEFAULTS = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1_000_000}


def main() -> None:
    kind, seconds, count, folder = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(_measured(kind, seconds, count, folder))))


async def _measured(kind: str, seconds: float, count: int, folder: Path) -> dict[str, Any]:
    stores = {"default": SQLAlchemyJobStore(f"sqlite:///{folder}/jobs.db")} if kind == "sqlalchemy" else {}
    scheduler = AsyncIOScheduler(jobstores=stores, timezone="UTC", job_defaults=_DEFAULTS)
    scheduler.start()
    before_mib = _resident_mib()
    jobs, took_s = _filled(scheduler, seconds, count)
    found: dict[str, Any] = {
        "jobs": jobs,
        "add_us": took_s / jobs * 1e6,
        "idle_us": _per_call_us(lambda number: scheduler._process_jobs(), _LOOKS),
        "move_us": _per_call_us(lambda number: _move(scheduler, number), min(_MOVED, jobs)),
        "mib": _resident_mib() - before_mib,
    }
    if kind == "memory":
        scheduler.remove_all_jobs()
        with closing(opening.open_store("", folder)) as store:
            found["storm"] = await _storm(scheduler, store, count // 10, within_s=60 * count / 1_000_000)
    scheduler.shutdown(wait=False)
    return found


def _filled(scheduler: Any, seconds: float, count: int) -> tuple[int, float]:
    began, first = time.monotonic(), datetime.now(UTC) + _FAR
    jobs = 0
    while jobs < count and time.monotonic() - began < seconds:
        for _ in range(100):
            scheduler.add_job(
                nothing, "date", run_date=first + timedelta(seconds=jobs), id=str(jobs), args=(jobs,)
            )
            jobs += 1
        if _resident_mib() > _LIMIT_MIB:
            break
    return jobs, time.monotonic() - began


def nothing(number: int) -> None:
    """Stand for what a ticket's job would do."""


def _move(scheduler: Any, number: int) -> None:
    run_date = datetime.now(UTC) + _FAR + timedelta(days=1, seconds=number)
    scheduler.reschedule_job(str(number), trigger="date", run_date=run_date)


def _per_call_us(call: Callable[[int], Any], times: int) -> float:
    took = []
    for number in range(times):
        began = time.perf_counter()
        call(number)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e6


async def _storm(scheduler: Any, store: Store, count: int, *, within_s: float) -> dict[str, Any]:
    late: list[float] = []
    first = instants.now() + timedelta(seconds=5 + count / 10_000)

    async def fire(due: datetime) -> None:
        await store.write(lambda tx: events.record(tx, "sla_breached", due_at=instants.rfc3339(due)))
        late.append((instants.now() - due).total_seconds())

    for number in range(count):
        due = first + timedelta(seconds=number * within_s / count)
        scheduler.add_job(fire, "date", run_date=due, args=(due,))
    until = time.monotonic() + 3 * within_s + 15
    while len(late) < count and time.monotonic() < until:
        await asyncio.sleep(0.1)
    late.sort()
    return {
        "asked": count,
        "fired": len(late),
        "p50_s": late[len(late) // 2] if late else None,
        "p99_s": late[len(late) * 99 // 100] if late else None,
        "max_s": late[-1] if late else None,
    }


def _resident_mib() -> float:
    return float(psutil.Process().memory_info().rss) / _MIB


if __name__ == "__main__":
    main()
