"""Ask a store for writes without waiting for them, so that a test decides what runs together."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from intake.store.engine import Member, Store, Tx
from intake.store.postgres import WRITERS


def ask(store: Store, fn: Callable[[Tx], Any]) -> Future[Any]:
    future: Future[Any] = Future()
    store._put(Member(fn, future))
    return future


@contextmanager
def busy(store: Store) -> Iterator[None]:
    """Keep every writer busy: what is asked for meanwhile waits, and on SQLite becomes one group."""
    writers = WRITERS if store.engine == "postgresql" else 1
    begun, go = threading.Barrier(writers + 1), threading.Event()

    def wait(tx: Tx) -> None:
        if not go.is_set():
            begun.wait(10)
            go.wait(10)

    waiting = [ask(store, wait) for _ in range(writers)]
    begun.wait(10)
    try:
        yield
    finally:
        go.set()
    for future in waiting:
        future.result(10)


def all_at_once(store: Store, fns: list[Callable[[Tx], Any]]) -> list[Future[Any]]:
    """Ask for all of them while the writers are busy; they are done or about to be."""
    with busy(store):
        return [ask(store, fn) for fn in fns]
