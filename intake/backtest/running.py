"""A backtest on all cores: spans of tickets go to processes of their own, what each found comes back small."""

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from itertools import islice
from pathlib import Path

import msgspec

from intake.backtest import stored
from intake.backtest.judging import Judge
from intake.backtest.stored import Span
from intake.backtest.summary import Summary
from intake.store import opening
from intake.store.engine import Store
from routing import rulebook as rules
from routing.rulebook import Rulebook

FEW = 2_000  # decisions for which starting processes costs more than it saves
_COLLECT_AFTER = 50_000  # objects more; the usual 700 cost a tenth of the time
_WAITING_FOR_EACH = 2  # spans handed out ahead of each process

Step = Callable[[int], None]


class BacktestFailed(Exception):
    """A process of the backtest ended before it had answered: one sentence."""


def total(store: Store, *, since_us: int = 0) -> int:
    """How many decisions there are to look at."""
    return stored.count(store, since_us=since_us)


class Task(msgspec.Struct, frozen=True):
    """What every process is told. store, folder: where the store is; source: the text of the new rulebook."""

    store: str
    folder: str
    source: str
    since_us: int
    until: datetime


def run(
    store: Store,
    new: Rulebook,
    *,
    place: tuple[str, Path],
    since_us: int = 0,
    until: datetime,
    jobs: int | None = None,
    step: Step = lambda decisions: None,
) -> Summary:
    """Judge every decision since then. place: the store's URL and folder; jobs: processes, None = one for each core.

    step: told how many decisions more are done. Raises: BacktestFailed.
    """
    cores = jobs if jobs is not None else len(os.sched_getaffinity(0))
    spans = stored.spans(store, since_us=since_us)
    summary = Summary()
    if cores <= 1 or (jobs is None and total(store, since_us=since_us) <= FEW):
        judge = Judge(store, new, since_us=since_us, until=until)
        found: Iterator[Summary] = (judge.look(span) for span in spans)
    else:
        task = Task(place[0], str(place[1]), new.text, since_us, until)
        found = _in_processes(task, spans, cores)
    for part in found:
        summary.merge(part)
        step(part.decisions)
    return summary


def _in_processes(task: Task, spans: Iterator[Span], cores: int) -> Iterator[Summary]:
    """Give the summaries as they come; only a few spans are under way at any time."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, mp_context=context, initializer=_begin, initargs=(task,)) as pool:
        under_way: set[Future[Summary]] = set()
        try:
            under_way |= {pool.submit(_look, span) for span in islice(spans, _WAITING_FOR_EACH * cores)}
            while under_way:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                under_way |= {pool.submit(_look, span) for span in islice(spans, len(done))}
                for each in done:
                    yield each.result()
        except BrokenProcessPool:
            raise BacktestFailed(
                "a process of the backtest died: start it again with --jobs 1 to see why"
            ) from None
        finally:
            for each in under_way:
                each.cancel()


_judge: list[Judge] = []  # of this process


def _begin(task: Task) -> None:
    """Open the store and read the rulebook, once for each process."""
    store = opening.open_store(task.store, Path(task.folder))
    new = rules.from_text(task.source)
    _judge.append(Judge(store, new, since_us=task.since_us, until=task.until))
    gc.freeze()  # rules stay: the collector need not look at them
    gc.set_threshold(_COLLECT_AFTER)


def _look(span: Span) -> Summary:
    return _judge[0].look(span)
