"""What was journalled becomes tickets: by the running daemon where there is one, else here, by the same code."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection

import msgspec
from sqlalchemy import BigInteger, bindparam, func, select

from intake import terminal
from intake.store import lockfile, schema
from intake.store.engine import Store, StoreError
from intake.store.statements import Statement, values_of
from intake.wiring import Wired

LOOK_S = 0.1
STUCK_S = 60.0  # nothing settled for so long: the rest is left to the daemon
CHUNK = 1_000

_encode = msgspec.json.Encoder().encode
_j = schema.journal.c
_UNSETTLED = Statement(
    select(_j.id).where(
        _j.state == "pending", _j.attempts == 0, _j.id >= bindparam("lowest"), _j.id <= bindparam("highest")
    )
)
_STATES = Statement(
    select(_j.state, func.count()).where(_j.id.in_(values_of("ids", BigInteger()))).group_by(_j.state)
)


async def settle_all(
    wired: Wired, numbers: Collection[int], *, said: Callable[[int], None] = lambda _: None
) -> Counter[str]:
    """Wait until the journal's rows are settled; how many ended in which state. said: hears how many are left.

    A row whose settlement failed counts as settled: it is tried again later, by the daemon.
    """
    if numbers:
        async with _settling(wired):
            await _wait(wired.store, set(numbers), said)
    return _states(wired.store, list(numbers))


@contextlib.asynccontextmanager
async def _settling(wired: Wired) -> AsyncIterator[None]:
    """Settle here meanwhile, unless a daemon does; our lock keeps one from starting."""
    task = asyncio.create_task(_settle_here(wired))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await wired.parser.close()


async def _settle_here(wired: Wired) -> None:
    """Settle what is there as soon as nobody else does: another command may have been at it, and have ended."""
    folder = wired.settings.folder
    while True:
        with contextlib.suppress(StoreError):
            if not lockfile.is_daemon_running(folder):
                with lockfile.acquire(folder):
                    await wired.dispatcher().run()
        await asyncio.sleep(LOOK_S)


async def _wait(store: Store, numbers: set[int], said: Callable[[int], None]) -> None:
    lowest, highest = min(numbers), max(numbers)
    left, moved_at = len(numbers) + 1, time.monotonic()
    while True:
        rows = await store.read(lambda tx: tx.all(_UNSETTLED, lowest=lowest, highest=highest))
        waiting = len(numbers & {row[0] for row in rows})
        if waiting < left:
            left, moved_at = waiting, time.monotonic()
            said(left)
        if not left:
            return
        if time.monotonic() - moved_at > STUCK_S:
            terminal.say(
                f"{left} are journalled and not settled yet; the daemon goes on with them", colour="yellow"
            )
            return
        await asyncio.sleep(LOOK_S)


def _states(store: Store, numbers: list[int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for start in range(0, len(numbers), CHUNK):
        ids = _encode(numbers[start : start + CHUNK]).decode()
        found.update(dict(store.read_now(lambda tx, ids=ids: tx.all(_STATES, ids=ids))))  # type: ignore[misc]
    return found
