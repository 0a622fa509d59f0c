"""Sending what is queued: retried with back-off, given up as a dead letter that is kept, never sent twice knowingly.

A clock that is set back holds nothing back: what waits for an instant that counts from the old time is brought nearer
by as much.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from channels.contract import Delivered, DeliveryFailed, OutboundMessage
from intake import admitting, attaching, failpoints, outbox, reports
from intake import attempts as tries
from intake.model import Context
from intake.outbox import Queued
from intake.store.engine import Store, StoreError, Tx

CONCURRENT = 64
# After the n-th failed try, seconds; together about three days. Jitter of a quarter keeps a crowd from returning as one.
BACK_OFF_S = (30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400)
IDLE_S = 3_600.0
STORE_BACK_OFF_S = 5.0
DEBOUNCE_S = 0.01  # one look finds what many commits brought
SET_BACK_US = 60_000_000  # the clock was set back: by more than it is ever corrected by

log = logging.getLogger("intake.delivering")

Told = Callable[[str, dict[str, Any]], None]


class Deliverer(Protocol):
    async def deliver(self, outbound: OutboundMessage) -> Delivered: ...


class Outbox:
    """Delivers for as long as it runs. `told` hears of each thing that happened; context: for the rules about failures.

    folder: of the blobs, where the files of messages are. ready: looks at the files before they leave (intake.readying).
    """

    def __init__(
        self,
        store: Store,
        deliverers: Mapping[str, Deliverer],
        *,
        told: Told = lambda event, fields: None,
        jitter: Callable[[], float] = random.random,
        context: Callable[[], Context | None] = lambda: None,
        folder: Path | None = None,
        ready: Callable[[OutboundMessage], Awaitable[OutboundMessage]] | None = None,
    ) -> None:
        self._store = store
        self._folder = folder
        self._ready = ready
        self._context = context
        self._deliverers = deliverers
        self._told = told
        self._jitter = jitter
        self._wake = asyncio.Event()
        self._under_way: set[int] = set()
        self._done_meanwhile: set[int] = set()  # since the last look began, which may have seen them queued
        self._free = asyncio.Semaphore(CONCURRENT)
        self._looked: tuple[int, float] | None = None  # wall clock and monotonic clock at the last look

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled; what is under way is finished first, for half a minute at most."""
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._wake.clear()
                rows, pause_s = await self._due()
                for queued in rows:
                    await self._free.acquire()
                    self._under_way.add(queued.id)
                    task = asyncio.create_task(self._send(queued))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()
                await asyncio.sleep(DEBOUNCE_S)
        finally:
            if tasks:
                await asyncio.wait(tasks, timeout=30)

    async def _due(self) -> tuple[list[Queued], float]:
        """Return what may be sent now, and the seconds until something else may be."""
        self._done_meanwhile = set()
        try:
            await self._follow_clock()
            rows, next_us = await self._store.read(outbox.look)
        except StoreError as error:
            self._told("outbox_delayed", {"reason": error.sentence})
            return [], STORE_BACK_OFF_S
        if next_us is None:
            return [], IDLE_S
        # Rows under way are due, too: without the half second they would be looked at again and again.
        wait_s = max((next_us - self._store.now_us()) / 1_000_000, 0.5 if self._under_way or rows else 0.0)
        taken = self._under_way | self._done_meanwhile
        return [queued for queued in rows if queued.id not in taken], min(wait_s, IDLE_S)

    async def _follow_clock(self) -> None:
        """Bring what waits nearer when the wall clock was set back, while we ran or before we were started."""
        now_us, at_s = self._store.now_us(), time.monotonic()
        looked, self._looked = self._looked, (now_us, at_s)
        if looked is None:
            await self._store.write(outbox.send_what_is_of_the_future)
            return
        set_back_us = int((at_s - looked[1]) * 1_000_000) - (now_us - looked[0])
        if set_back_us > SET_BACK_US:
            await self._store.write(lambda tx: outbox.bring_nearer(tx, set_back_us))

    async def _send(self, queued: Queued) -> None:
        try:
            await self._deliver(queued)
        except StoreError as error:
            self._told("outbox_delayed", {"outbox": queued.id, "reason": error.sentence})
        except Exception:
            log.exception("outbox_failed", extra={"outbox": queued.id})
        finally:
            self._under_way.discard(queued.id)
            self._done_meanwhile.add(queued.id)
            self._free.release()

    async def _deliver(self, queued: Queued) -> None:
        attempts = queued.attempts + 1
        failpoints.reach("outbox.before_deliver")
        try:
            outbound = await self._complete(queued.outbound)
            if await self._waits(queued) or await self._was_sent(queued, outbound):
                return
            # Not before: a scanner that is away would make it forgotten that the last try may have been a success.
            outbound = outbound if self._ready is None else await self._ready(outbound)
            begin = self._taking(queued, attempts)
            if not await admitting.is_admitted(
                self._store, self._context(), queued.id, outbound, begin=begin
            ):
                return
            delivered = await self._deliverer(queued).deliver(outbound)
        except DeliveryFailed as failure:
            await self._retry_later(queued, failure, attempts)
            return
        except StoreError:
            raise
        except Exception as error:
            log.exception("deliver_failed", extra={"outbox": queued.id})
            reason = f"the channel failed: {type(error).__name__}"
            await self._retry_later(queued, DeliveryFailed(reason, retryable=True, unknown=True), attempts)
            return
        failpoints.reach("outbox.after_deliver")
        await self._store.write(lambda tx: outbox.note_delivered(tx, queued.id, delivered, attempts))
        failpoints.reach("outbox.after_commit")
        self._told("message_sent", {"outbox": queued.id, "account": queued.outbound.account})

    async def _waits(self, queued: Queued) -> bool:
        """Whether it is not its turn yet; it is due again when it is."""
        turn = getattr(self._deliverer(queued), "wait_s", None)
        wait_s = turn(queued.outbound) if turn is not None else 0.0
        if wait_s > 0:
            await self._store.write(lambda tx: tries.put_off(tx, queued.id, wait_s))
        return bool(wait_s > 0)

    async def _was_sent(self, queued: Queued, outbound: OutboundMessage) -> bool:
        """Whether a try whose outcome is not known has reached the other side; the row says so then.

        Raises: DeliveryFailed when the other side cannot be asked.
        """
        sent_before = getattr(self._deliverer(queued), "sent_before", None)
        if sent_before is None or not tries.is_unknown(queued.error):
            return False
        found = await sent_before(outbound)
        sent = await self._store.write(lambda tx: tries.claim(tx, queued.id, found))
        if sent is not None:
            self._told("message_found_sent", {"outbox": queued.id, "provider_id": sent})
            await self._ask_after(queued, sent)
        return sent is not None

    async def _ask_after(self, queued: Queued, provider_id: str) -> None:
        """Note what has become of it meanwhile: the reports of that may have come while nobody knew whose they were."""
        became_of = getattr(self._deliverer(queued), "became_of", None)
        context = self._context()
        if became_of is None or context is None:
            return
        with contextlib.suppress(DeliveryFailed):  # later reports are understood
            report = await became_of(provider_id)
            await self._store.write(lambda tx: reports.apply(tx, context, queued.id, report))

    def _taking(self, queued: Queued, attempts: int) -> Callable[[Tx], bool] | None:
        """Return what takes the try before it is made, where it must not be made twice; it says whether it is ours.

        None: mail on a store of our own; nobody else sends it, and whoever gets it twice can tell.
        """
        is_blind = hasattr(self._deliverer(queued), "sent_before")
        if not is_blind and not self._store.is_shared:
            return None
        return lambda tx: tries.begin(tx, queued.id, attempts, is_blind=is_blind)

    async def _complete(self, outbound: OutboundMessage) -> OutboundMessage:
        """Put in the bytes of the message's files."""
        folder = self._folder
        if not outbound.attachments or folder is None:
            return outbound
        try:
            return await self._store.read(lambda tx: attaching.with_contents(tx, outbound, folder))
        except (StoreError, LookupError) as error:
            raise DeliveryFailed(f"a file of it cannot be read: {error}", retryable=True) from error

    def _deliverer(self, queued: Queued) -> Deliverer:
        deliverer = self._deliverers.get(queued.outbound.account)
        if deliverer is None:
            raise DeliveryFailed(f"the account '{queued.outbound.account}' cannot send", retryable=True)
        return deliverer

    async def _retry_later(self, queued: Queued, failure: DeliveryFailed, attempts: int) -> None:
        next_at = None
        if failure.retryable and attempts <= len(BACK_OFF_S):
            delay_s = BACK_OFF_S[attempts - 1] * (1 + self._jitter() / 4)
            next_at = self._store.now_us() + int(delay_s * 1_000_000)
        context = self._context()
        is_noted = await self._store.write(
            lambda tx: outbox.note_failed(tx, queued.id, failure, attempts, next_at, context=context)
        )
        if not is_noted:
            return
        event = "delivery_delayed" if next_at is not None else "delivery_failed"
        self._told(event, {"outbox": queued.id, "reason": failure.reason, "unknown": failure.unknown})
