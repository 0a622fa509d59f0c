"""Timers are rows, written with their ticket; this is the bell. Each fires once, late after a downtime rather than never.

The next due instant is held in memory, so that an idle look is a comparison, however many timers are open. APScheduler
rings at it; its clock is the monotonic one, which a suspended machine stops and an adjusted wall clock leaves alone, so
the instant is also compared with the wall clock every second. What another process writes is looked for when the
daemon sees that somebody else has committed (intake.upkeep), at most half a second later.

Of what is late the oldest goes first, over all tickets, so that turns and limits fall as they would have. It goes in
pages, between which a burst of mail and what falls due without a ticket (intake.clockworks) have their turn.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from intake import due, failpoints, firing, instants
from intake.clockworks import Clockworks
from intake.firing import Fired, fire
from intake.model import Context
from intake.pressure import Pressure
from intake.store.engine import Store, StoreError, Tx

__all__ = ["Fired", "Timers", "fire"]

PAGE = 256
CONCURRENT = 64  # writes under way: they share a commit, and a settlement behind them waits for some 20 ms
LOOK_S = 1.0  # how late a jump of the wall clock is noticed
GIVE_WAY_S = 0.25  # how long a page of late timers waits for a burst of mail to pass
GAVE_WAY_S = 0.01
PAUSE_US = 20_000
STORE_BACK_OFF_S = 2.0

log = logging.getLogger("intake.timers")

Told = Callable[[str, dict[str, Any]], None]
_Row = tuple[int, int]  # timer, ticket


class Timers:
    """Fires what is due, for as long as it runs. pressure: of the senders who wait, None = nobody has to be let in first."""

    def __init__(
        self,
        store: Store,
        *,
        context: Callable[[], Context],
        scheduler: Any,
        told: Told = lambda event, fields: None,
        pressure: Pressure | None = None,
    ) -> None:
        self._store = store
        self._context = context
        self._scheduler = scheduler
        self._told = told
        self._pressure = pressure
        self._clockworks = Clockworks(store, context, told)
        self._next_us: int | None = None
        self._is_firing = False
        self._bell = asyncio.Event()

    def due_at(self, due_us: int) -> None:
        """A timer was written: ring earlier if it is the next one."""
        if self._next_us is None or due_us < self._next_us:
            self._next_us = due_us
            if not self._is_firing:  # else the look at the end of it finds this one, too
                self._set_bell(due_us)

    def ring(self) -> None:
        """Look at what is due in the store."""
        self._bell.set()

    def look(self) -> None:
        """Ring if the next instant has come by the wall clock: a comparison, whatever the store holds."""
        if self._next_us is not None and self._next_us <= self._store.now_us():
            self._bell.set()

    async def run(self) -> None:
        """Fire until cancelled. A fault of ours is loud and tried again: there is no other bell."""
        looking = asyncio.create_task(self._look_each_second())
        self._bell.set()
        try:
            while True:
                await self._bell.wait()
                self._bell.clear()
                await self._fire_or_wait()
        finally:
            looking.cancel()

    async def _look_each_second(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    async def _fire_or_wait(self) -> None:
        try:
            await self.fire_due()
        except StoreError as error:
            self._told("timers_delayed", {"reason": error.sentence})
            self._again()
        except Exception as error:
            log.exception("bell_broke")
            self._told("timers_delayed", {"reason": f"a fault of ours: {type(error).__name__}"})
            self._again()

    def _again(self) -> None:
        self._next_us = None
        self.due_at(self._store.now_us() + int(STORE_BACK_OFF_S * 1_000_000))

    async def fire_due(self) -> None:
        """Fire all that is due, in the order of due instants, then set the bell to the next. Raises: StoreError."""
        self._is_firing = True
        try:
            if await self._is_something_due():
                while await self._fire_page():
                    await self._give_way()
                    await self._clockworks.run_due()
                await self._clockworks.run_due()
                await self._is_something_due()
        finally:
            self._is_firing = False
        if self._next_us is not None:
            # What is still due now came this very moment, or is nobody's yet: it is not asked for again and again.
            self._set_bell(max(self._next_us, self._store.now_us() + PAUSE_US))

    async def _is_something_due(self) -> bool:
        """Look in the store for the next instant; whether it has come."""
        self._next_us = None  # what is written from here on says so itself
        found_us = await self._store.read(self._next_due)
        # A timer written during that read may be in it or not: the earlier of both counts.
        self._next_us = min((each for each in (found_us, self._next_us) if each is not None), default=None)
        return self._next_us is not None and self._next_us <= self._store.now_us()

    async def _fire_page(self) -> bool:
        """Fire the next page; whether there may be more. The timers of one ticket go one after the other."""
        rows = await self._store.read(lambda tx: due.page(tx, most=PAGE))
        chains = iter(_by_ticket(rows))
        workers = [self._fire_chains(chains) for _ in range(min(CONCURRENT, len(rows)))]
        for outcome in await asyncio.gather(*workers, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        return len(rows) >= PAGE

    async def _fire_chains(self, chains: Iterator[list[_Row]]) -> None:
        for chain in chains:
            for timer_id, ticket_id in chain:
                await self._fire(timer_id, ticket_id)

    async def _fire(self, timer_id: int, ticket_id: int) -> None:
        context = self._context()
        try:
            fired = await self._store.write(lambda tx: firing.fire(tx, context, timer_id, ticket_id))
        except StoreError:
            raise
        except Exception as error:
            log.exception("timer_broke", extra={"timer": timer_id})
            await self._failed(timer_id, ticket_id, type(error).__name__)
            return
        failpoints.reach("timers.after_commit")
        if fired is not None:
            fields = {
                "ticket": fired.ref,
                "kind": fired.kind,
                "step": fired.step,
                "late_s": round(fired.late_s, 3),
            }
            self._told("timer_fired", fields)

    async def _failed(self, timer_id: int, ticket_id: int, reason: str) -> None:
        """Keep one broken timer from stopping those that come after it; in the end it is marked, and loud."""
        attempts = await self._store.write(lambda tx: due.note_failure(tx, timer_id, ticket_id, reason))
        if attempts is not None:
            event = "timer_failed" if attempts >= due.ATTEMPTS_MAX else "timer_delayed"
            self._told(event, {"timer": timer_id, "reason": reason, "attempts": attempts})

    async def _give_way(self) -> None:
        """Let a burst of mail in before the next page; not for long: what is late is somebody's deadline."""
        began = time.monotonic()
        while self._pressure is not None:
            waited_s = time.monotonic() - began
            if waited_s >= GIVE_WAY_S or not self._pressure.wants_way(waited_s, 0):
                return
            await asyncio.sleep(GAVE_WAY_S)

    def _next_due(self, tx: Tx) -> int | None:
        found = (due.next_at(tx), self._clockworks.next_due(tx))
        return min((each for each in found if each is not None), default=None)

    def _set_bell(self, due_us: int) -> None:
        with contextlib.suppress(RuntimeError):  # the scheduler has been shut down: the daemon is ending
            self._scheduler.add_job(
                self.ring,
                "date",
                run_date=instants.datetime_from_us(max(due_us, self._store.now_us())),
                id="bell",
                replace_existing=True,
                misfire_grace_time=None,
            )


def _by_ticket(rows: list[_Row]) -> list[list[_Row]]:
    """Put the timers of each ticket together, in their order."""
    chains: dict[int, list[_Row]] = {}
    for row in rows:
        chains.setdefault(row[1], []).append(row)
    return list(chains.values())
