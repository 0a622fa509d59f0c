"""From journal rows to settled messages: lanes in order, batches for speed, retries with back-off, quarantine.

One row of a lane is under way at a time; different lanes go side by side. Rows are found by one scan of what is
pending behind the last row seen, so that what another process journals, and what a crash left, is taken up alike. Rows of
which somebody on the line waits to hear (`settle_first`) have a settler of their own: they wait behind no backlog.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from channels.contract import RawMessage
from intake import failpoints, journal, parsing, pipeline
from intake.backlog import BacklogReader, Read
from intake.child import ChildFailed
from intake.journal import Journal
from intake.model import Context, Received
from intake.parsing import Parsed, Parsing
from intake.store.engine import Store, StoreError, Tx

BATCH = 32
PRESSING_BATCH = 16  # fewer: who is on the line waits for all that is settled together
SETTLERS = 2
PAGE = 1_000
AHEAD_MAX = 5_000  # rows (ids and lanes only) held in memory
ATTEMPTS_MAX = 5
BACK_OFF_S = (1.0, 5.0, 30.0, 120.0)
STORE_BACK_OFF_S = 2.0
LOOK_AGAIN_S = 0.01
DEBOUNCE_S = 0.01  # one look finds what many commits brought
BACKLOG = 128  # rows ready to be settled, from which the second process helps
NOTHING = RawMessage(kind="", account="", lane="", body=b"", received_at=datetime.min.replace(tzinfo=UTC))

log = logging.getLogger("intake.dispatch")

Told = Callable[[str, dict[str, Any]], None]


class Dispatcher:
    """Settles everything that is pending, for as long as it runs. `told` hears of each thing that happened."""

    def __init__(
        self,
        store: Store,
        intake_journal: Journal,
        parser: Parsing,
        *,
        folder: Path,
        context: Callable[[], Context],
        told: Told = lambda event, fields: None,
        backlog: BacklogReader | None = None,
    ) -> None:
        self._store = store
        self._journal = intake_journal
        self._parser = parser
        self._folder = folder
        self._context = context
        self._told = told
        self._backlog = backlog
        self._backlog_from = BACKLOG
        self._lanes: dict[str, deque[int]] = {}  # the first of each is under way
        self._lane_of: dict[int, str] = {}
        self._done_meanwhile: dict[int, set[int]] = {}  # for each look at the rows that is under way
        self._ready: deque[tuple[int, float]] = deque()  # row, since when (monotonic seconds)
        self._pressing: set[int] = set()
        self._pressing_ready: deque[int] = deque()
        self._is_pressed = asyncio.Event()
        self._seen = 0
        self._is_behind = True  # pending rows may be there that no look has found yet
        self._unsure: list[tuple[int, str]] = []  # rows to be settled first, whose lanes may have such
        self._has_unsure = asyncio.Event()
        self._held = 0
        self._wake = asyncio.Event()
        self._is_ready = asyncio.Event()
        self._idle = asyncio.Event()
        self._delayed: set[asyncio.TimerHandle] = set()

    def wake(self) -> None:
        """Look for new rows."""
        self._wake.set()

    def rescan(self) -> None:
        """Look at every pending row again: one that was settled before may have been sent back."""
        self._seen = 0
        self._wake.set()

    def settle_first(self, rows: Iterable[tuple[int, str]]) -> None:
        """Take rows before all others, but those of their own lanes that came earlier. rows: (id, lane)."""
        for number, lane in rows:
            self._pressing.add(number)
            if number not in self._lane_of:
                if self._is_behind or self._unsure:
                    self._unsure.append((number, lane))
                    self._has_unsure.set()
                else:
                    self._take(number, lane)
                continue
            waiting = next((each for each in self._ready if each[0] == number), None)
            if waiting is not None:  # a look at the rows was quicker
                self._ready.remove(waiting)
                self._offer(number)

    @property
    def held(self) -> int:
        """How many rows are known and not yet settled."""
        return self._held

    async def idle(self) -> None:
        """Wait until nothing that was journalled, or sent back, before this call is waiting."""
        self._idle.clear()
        self.rescan()
        await self._idle.wait()

    async def run(self) -> None:
        """Settle until cancelled; what is under way then is taken up by the next start."""
        self._wake.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._scan(), name="dispatch-scan")
                for number in range(SETTLERS):
                    tasks.create_task(self._settle_ready(), name=f"settler-{number}")
                tasks.create_task(self._settle_pressing(), name="settler-first")
                tasks.create_task(self._find_earlier(), name="dispatch-earlier")
        finally:
            for handle in self._delayed:
                handle.cancel()

    async def _scan(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(DEBOUNCE_S)
            self._wake.clear()
            has_more = True
            while has_more and self._held < AHEAD_MAX:
                has_more = await self._scan_page()
            self._is_behind = has_more
            if self._held == 0:
                self._idle.set()

    async def _scan_page(self) -> bool:
        after = self._seen
        rows = await self._look(lambda tx: journal.pending(tx, after=after, most=PAGE))
        if rows:
            self._seen = max(self._seen, rows[-1][0])
        return len(rows) == PAGE

    async def _find_earlier(self) -> None:
        """Take rows that are to be settled first behind those of their lanes that no look has found yet.

        After a start the look at all rows may be thousands behind: who speaks on meanwhile is not heard before what they
        said before it.
        """
        while True:
            await self._has_unsure.wait()
            self._has_unsure.clear()
            while self._unsure:
                count = len(self._unsure)
                lanes, most = sorted({lane for _, lane in self._unsure}), max(self._unsure)[0]
                await self._look(lambda tx, lanes=lanes, most=most: journal.pending_of(tx, lanes, most=most))  # type: ignore[misc]
                del self._unsure[:count]

    async def _look(self, read: Callable[[Tx], Sequence[tuple[int, str]]]) -> Sequence[tuple[int, str]]:
        """Read pending rows in journal order, and take those that are new."""
        done: set[int] = set()
        self._done_meanwhile[id(done)] = done
        try:
            rows = await self._store.read(read)
        finally:
            del self._done_meanwhile[id(done)]
        for number, lane in rows:
            if number not in self._lane_of and number not in done:
                self._take(number, lane)
        return rows

    def _take(self, number: int, lane: str) -> None:
        self._held += 1
        self._lane_of[number] = lane
        waiting = self._lanes.get(lane)
        if waiting is None:
            self._lanes[lane] = deque((number,))
            self._offer(number)
        else:
            waiting.append(number)

    def _offer(self, number: int) -> None:
        if number in self._pressing:
            self._pressing_ready.append(number)
            self._is_pressed.set()
            return
        self._ready.append((number, time.monotonic()))
        self._is_ready.set()

    def _done(self, number: int) -> None:
        """Let the row's lane go on."""
        self._journal.pressure.one_settled()
        lane = self._lane_of.pop(number)
        self._pressing.discard(number)
        for done in self._done_meanwhile.values():
            done.add(number)  # a look at the rows that is under way still sees it pending
        waiting = self._lanes[lane]
        waiting.popleft()
        if waiting:
            self._offer(waiting[0])
        else:
            del self._lanes[lane]
        self._held -= 1
        if self._held == 0 or self._held == AHEAD_MAX // 2:
            self._wake.set()

    async def _settle_ready(self) -> None:
        while True:
            while not self._ready:
                self._is_ready.clear()
                await self._is_ready.wait()
            await self._give_way()
            self._journal.pressure.settle_lag(self._waited_s())
            batch = [self._ready.popleft()[0] for _ in range(min(BATCH, len(self._ready)))]
            self._journal.pressure.begin_settling()
            await self._settle_batch(batch)
            self._journal.pressure.end_settling()
            self._journal.pressure.settle_lag(self._waited_s())

    async def _settle_pressing(self) -> None:
        while True:
            await self._is_pressed.wait()
            self._is_pressed.clear()
            while self._pressing_ready:
                most = min(PRESSING_BATCH, len(self._pressing_ready))
                await self._settle_here([self._pressing_ready.popleft() for _ in range(most)])

    async def _give_way(self) -> None:
        """Let a burst in first: what is journalled is safe, a sender who waits is not. Only for so long.

        A burst that lasts is slowed down instead: then one message is taken for each that is settled.
        """
        # Looked at rather than waited for: pressure comes and goes thousands of times a second.
        while self._ready and self._journal.pressure.wants_way(self._waited_s(), len(self._ready)):
            await asyncio.sleep(LOOK_AGAIN_S)

    def _waited_s(self) -> float:
        return time.monotonic() - self._ready[0][1] if self._ready else 0.0

    async def _settle_batch(self, batch: list[int]) -> None:
        if self._backlog is not None and len(self._ready) >= self._backlog_from and self._backlog.is_ready():
            batch = await self._settle_aside(batch, self._backlog)
        if batch:
            await self._settle_here(batch)

    async def _settle_aside(self, batch: list[int], reader: BacklogReader) -> list[int]:
        """Settle what the second process has read; what it could not is left."""
        try:
            answers = await reader.read(batch)
        except ChildFailed as error:
            self._told("backlog_reader_failed", {"reason": str(error)})
            return batch
        settling, left = [], []
        for number, answer in zip(batch, answers, strict=True):
            self._journal.recent(number)
            if answer is None:
                left.append(number)
            elif answer[1] is None:
                self._tasks.create_task(self._settle_costly(answer[0]))
            else:
                settling.append(self._settle(answer[0], answer[1]))
        await asyncio.gather(*settling)
        return left

    async def _settle_here(self, batch: list[int]) -> None:
        try:
            loaded = await self._store.read(lambda tx: [self._load(tx, number) for number in batch])
        except Exception as error:  # noqa: BLE001 - each row's own fault is found by reading it alone
            if len(batch) == 1:
                await self._failed(Received(id=batch[0], raw=NOTHING), error)
            else:
                for number in batch:
                    await self._settle_here([number])
            return
        small = [received for received in loaded if len(received.raw.body) <= parsing.LARGE_BYTES]
        for received in loaded:
            if len(received.raw.body) > parsing.LARGE_BYTES:
                self._tasks.create_task(self._settle_parsed([received]))
        if small:
            await self._settle_parsed(small)

    def _load(self, tx: Tx, number: int) -> Received:
        return journal.load(tx, number, self._folder, self._journal.recent(number))

    async def _settle_parsed(self, rows: list[Received]) -> None:
        if any(self._parser.examines(received.raw.account) for received in rows):
            rows = list(await asyncio.gather(*map(self._examined, rows)))
        parsed = await self._parser.parse_quick(
            [received.raw for received in rows], [received.evidence for received in rows]
        )
        settling = []
        for received, result in zip(rows, parsed, strict=True):
            if result is None:
                self._tasks.create_task(self._settle_costly(received))
            else:
                settling.append(self._settle(received, result))
        await asyncio.gather(*settling)

    async def _examined(self, received: Received) -> Received:
        """Let the channel look up what it must, once, and keep that with the row."""
        if received.evidence is not None or received.duplicate_of is not None:
            return received
        evidence = await self._parser.examine(received.raw)
        if evidence is None:
            return received
        with contextlib.suppress(StoreError):  # the settlement meets the same fault, and tries again
            await self._store.write(lambda tx: journal.keep_evidence(tx, received.id, evidence))
        return msgspec.structs.replace(received, evidence=evidence)

    async def _settle_costly(self, received: Received) -> None:
        await self._settle(received, await self._parser.parse_costly(received.raw, received.evidence))

    async def _settle(self, received: Received, parsed: Parsed | Read) -> None:
        failpoints.reach("settle.before")
        context = self._context()
        try:
            await self._store.write(
                lambda tx: pipeline.settle(tx, context, received, parsed.message, problem=parsed.problem)
            )
        except Exception as error:  # noqa: BLE001 - kept on the row, told to the operator
            await self._failed(received, error)
            return
        failpoints.reach("settle.after_commit")
        self._told(
            "message_settled",
            {"journal": received.id, "account": received.raw.account, "problem": parsed.problem},
        )
        self._done(received.id)

    async def _failed(self, received: Received, error: Exception) -> None:
        """Try again later; a fault of the machine does not count against the message, a fault of ours does, five times."""
        if isinstance(error, StoreError):
            self._told("settle_delayed", {"journal": received.id, "reason": error.sentence})
            self._later(received.id, STORE_BACK_OFF_S)
            return
        attempts = received.attempts + 1
        problem = f"settle failed: {type(error).__name__}: {error}"[:500]
        is_over = attempts >= ATTEMPTS_MAX
        log.error("settle_failed", exc_info=error, extra={"journal": received.id, "attempts": attempts})
        with contextlib.suppress(StoreError):  # then it is found pending, with one try less counted
            await self._store.write(
                lambda tx: journal.note_failure(
                    tx, received.id, attempts=attempts, problem=problem, is_over=is_over
                )
            )
        if is_over:
            self._told("message_quarantined", {"journal": received.id, "problem": problem})
            self._done(received.id)
        else:
            self._later(received.id, BACK_OFF_S[attempts - 1])

    def _later(self, number: int, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        handle = loop.call_later(delay_s, self._offer, number)
        self._delayed = {other for other in self._delayed if other.when() > loop.time()} | {handle}
