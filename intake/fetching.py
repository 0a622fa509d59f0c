"""Fetching what another side keeps for us, soon after it is wanted, and deleting it over there where the account says so.

At least once each, with back-off; what came of it is a row (intake.fetches). A file that cannot be had is given up loudly.
Where there is a scanner, a file is nobody's before it has been looked at (intake.held_files); a picture that is clean gets a
small one beside it.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from channels.contract import Fetched, FetchFailed
from intake import fetches, held_files, pictures
from intake.fetches import Wanted
from intake.pictures import NoPicture, Pictures
from intake.scanning import NoAnswer, Scan
from intake.store import blobs
from intake.store.engine import Store, StoreError

CONCURRENT = 8
IDLE_S = 3_600.0
STORE_BACK_OFF_S = 5.0

log = logging.getLogger("intake.fetching")
Told = Callable[[str, dict[str, Any]], None]


class Source(Protocol):
    async def fetch(self, reference: str) -> Fetched: ...


class Fetching:
    """Fetches for as long as it runs. sources: account -> its channel; folder: of the blobs; told: of what happened.

    scan: None = nothing is scanned; small: makes thumbnails, None = there are none.
    """

    def __init__(
        self,
        store: Store,
        sources: Mapping[str, Source],
        *,
        folder: Path,
        told: Told = lambda event, fields: None,
        jitter: Callable[[], float] = random.random,
        scan: Scan | None = None,
        small: Pictures | None = None,
    ) -> None:
        self._store, self._sources, self._folder = store, sources, folder
        self._scan, self._small = scan, small
        self._told, self._jitter = told, jitter
        self._wake = asyncio.Event()
        self._under_way: set[int] = set()
        self._free = asyncio.Semaphore(CONCURRENT)

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Fetch until cancelled; what is under way then is fetched again at the next start."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                wanted, pause_s = await self._due()
                for each in wanted:
                    await self._free.acquire()
                    self._under_way.add(each.id)
                    tasks.create_task(self._fetch(each))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()

    async def _due(self) -> tuple[list[Wanted], float]:
        """Return what is to be fetched now, and the seconds until something else is."""
        try:
            wanted, next_us = await self._store.read(fetches.look)
        except StoreError as error:
            self._told("fetches_delayed", {"reason": error.sentence})
            return [], STORE_BACK_OFF_S
        new = [each for each in wanted if each.id not in self._under_way]
        if next_us is None:
            return new, IDLE_S
        # Rows under way are due, too: without the half second they would be looked at again and again.
        is_busy = bool(self._under_way or new)
        wait_s = max((next_us - self._store.now_us()) / 1_000_000, 0.5 if is_busy else 0.0)
        return new, min(wait_s, IDLE_S)

    async def _fetch(self, wanted: Wanted) -> None:
        try:
            await self.fetch(wanted)
        except StoreError as error:
            self._told("fetches_delayed", {"fetch": wanted.id, "reason": error.sentence})
            await asyncio.sleep(STORE_BACK_OFF_S)
        except Exception:
            log.exception("fetch_failed", extra={"fetch": wanted.id})
            await asyncio.sleep(STORE_BACK_OFF_S)
        finally:
            self._under_way.discard(wanted.id)
            self._free.release()
            self._wake.set()

    async def fetch(self, wanted: Wanted) -> None:
        """Try once to fetch a file, and keep what came of it. Raises: StoreError."""
        if wanted.is_here:
            await self._delete(wanted)
            return
        try:
            fetched = await (self._held(wanted) if wanted.is_held else self._given(wanted))
        except FetchFailed as failure:
            await self._try_later(wanted, failure)
            return
        prepared = await asyncio.to_thread(blobs.prepare, fetched.content, self._folder)
        if not await self._passes_scan(wanted, fetched, prepared):
            return
        thumbnail = await self._thumbnail(wanted, fetched)
        is_left = self._deleter(wanted) is None
        if await self._store.write(
            lambda tx: fetches.keep(tx, wanted, fetched, prepared, is_left=is_left, thumbnail=thumbnail)
        ):
            self._told("file_fetched", {"account": wanted.account, "fetch": wanted.id})

    async def _held(self, wanted: Wanted) -> Fetched:
        """Return a file that waits here for the scanner. Raises: StoreError."""
        return await self._store.read(lambda tx: held_files.content(tx, wanted, self._folder))

    async def _passes_scan(self, wanted: Wanted, fetched: Fetched, prepared: blobs.PreparedBlob) -> bool:
        """Whether a file may be kept for everybody; one that may not, or not yet, is kept apart. Raises: StoreError."""
        if self._scan is None:
            return True
        fields = {"account": wanted.account, "fetch": wanted.id}
        try:
            found = await self._scan(fetched.content)
        except NoAnswer as error:
            next_at = held_files.next_look(wanted, now_us=self._store.now_us())
            await self._store.write(
                lambda tx: held_files.hold(tx, wanted, fetched, prepared, next_at=next_at)
            )
            self._told("scanner_away", fields | {"reason": str(error)})
            return False
        if found is not None:
            await self._store.write(lambda tx: held_files.condemn(tx, wanted, fetched, prepared, found=found))
            self._told("file_infected", fields | {"found": found})
        return found is None

    async def _thumbnail(self, wanted: Wanted, fetched: Fetched) -> blobs.PreparedBlob | None:
        """Return the small picture of a picture; None = it is none, or none can be made of it, which keeps nothing back."""
        if self._small is None or not pictures.is_picture(fetched.content_type):
            return None
        try:
            made = await self._small.thumbnail(fetched.content)
        except NoPicture as error:
            self._told("thumbnail_not_made", {"fetch": wanted.id, "reason": str(error)})
            return None
        return await asyncio.to_thread(blobs.prepare, made, self._folder)

    def _deleter(self, wanted: Wanted) -> Callable[[str], Awaitable[None]] | None:
        """Return what deletes files of an account on the other side; None = they stay there."""
        source = self._sources.get(wanted.account)
        delete: Callable[[str], Awaitable[None]] | None = getattr(source, "delete", None)
        return delete

    async def _delete(self, wanted: Wanted) -> None:
        """Try once to delete a file on the other side that is here. Raises: StoreError."""
        failure = await self._refusal(wanted)
        next_at = None if failure is None else self._next_try(wanted, failure)
        await self._store.write(lambda tx: fetches.note_deleted(tx, wanted, failure, next_at))
        if failure is not None and next_at is None:
            fields = {"account": wanted.account, "fetch": wanted.id, "reason": failure.reason}
            self._told("file_not_deleted_elsewhere", fields)

    async def _refusal(self, wanted: Wanted) -> FetchFailed | None:
        """Return why a file was not deleted on the other side; None = it was."""
        delete = self._deleter(wanted)
        if delete is None:
            return FetchFailed("its account deletes nothing there any more", retryable=False)
        try:
            await delete(wanted.reference)
        except FetchFailed as failure:
            return failure
        except Exception as error:
            log.exception("delete_failed", extra={"fetch": wanted.id})
            return FetchFailed(f"the channel failed: {type(error).__name__}", retryable=True)
        return None

    async def _given(self, wanted: Wanted) -> Fetched:
        source = self._sources.get(wanted.account)
        if source is None:
            raise FetchFailed(f"the account '{wanted.account}' cannot fetch", retryable=True)
        try:
            return await source.fetch(wanted.reference)
        except FetchFailed:
            raise
        except Exception as error:
            log.exception("fetch_failed", extra={"fetch": wanted.id})
            raise FetchFailed(f"the channel failed: {type(error).__name__}", retryable=True) from error

    async def _try_later(self, wanted: Wanted, failure: FetchFailed) -> None:
        next_at = self._next_try(wanted, failure)
        if await self._store.write(lambda tx: fetches.note_failed(tx, wanted, failure, next_at)):
            event = "file_delayed" if next_at is not None else "file_not_fetched"
            fields = {"account": wanted.account, "fetch": wanted.id, "reason": failure.reason}
            self._told(event, fields)

    def _next_try(self, wanted: Wanted, failure: FetchFailed) -> int | None:
        """Return when it is tried again, microseconds UTC; None = it is given up."""
        if not failure.retryable or wanted.attempts >= len(fetches.BACK_OFF_S):
            return None
        delay_s = fetches.BACK_OFF_S[wanted.attempts] * (1 + self._jitter() / 4)
        return self._store.now_us() + int(delay_s * 1_000_000)
