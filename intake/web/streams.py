"""Knows the open streams by whose they are, and wakes them the moment somebody's sessions end here.

What ends at another daemon of the store, or in a command, is found by the look that every stream takes now and then.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from intake import web_sessions
from intake.store.engine import Signals, Store

AGAIN_S = 1.0


class Streams:
    """The streams of one guard."""

    def __init__(self, store: Store) -> None:
        self._open: dict[str, set[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        store.listen(self._committed)

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[asyncio.Event]:
        """Hold the stream of somebody open; the event is set when it is to be looked at."""
        self._loop, woken = asyncio.get_running_loop(), asyncio.Event()
        own = self._open.setdefault(name, set())
        own.add(woken)
        try:
            yield woken
        finally:
            own.discard(woken)
            if not own:
                self._open.pop(name, None)

    def _committed(self, signals: Signals) -> None:
        """Hear of a commit, in the writer's thread."""
        if web_sessions.SIGNAL in signals and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and every stream with it
                self._loop.call_soon_threadsafe(self._wake, signals[web_sessions.SIGNAL])

    def _wake(self, names: Iterable[str]) -> None:
        for name in names:
            for each in self._open.get(name, ()):
                each.set()


async def end(stream: asyncio.Future[Any]) -> None:
    """End a stream, whatever it waits for: on Python 3.11 a cancellation is lost that meets the end of a wait_for."""
    while not stream.done():
        stream.cancel()
        await asyncio.wait((stream,), timeout=AGAIN_S)


async def ended_or_woken(stream: asyncio.Future[Any], woken: asyncio.Event, *, within_s: float) -> None:
    """Wait until a stream ends by itself, is to be looked at, or so long."""
    ringing = asyncio.ensure_future(woken.wait())
    try:
        await asyncio.wait((stream, ringing), timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ringing.cancel()
        woken.clear()
