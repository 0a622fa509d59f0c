"""The Gate as channels get it: the journal and the sessions, with each message counted, timed and told."""

import time
from collections import OrderedDict
from collections.abc import Iterable

from prometheus_client import Counter, Gauge

from channels.contract import Feed, Gate, Inventory, RawMessage, Receipt, Step, Unavailable, View
from intake import logs
from intake.feeds import Feeds
from intake.journal import Journal
from intake.metrics import Metrics
from intake.sessions import Sessions

REMEMBERED = 20_000  # messages acknowledged and not settled whose age is known


class MeasuredGate:
    """Hands everything on to the journal, turns to the sessions, what is said to them to the feeds.

    settled(id) tells it when a message has become visible.
    """

    def __init__(
        self, journal: Journal | Gate, metrics: Metrics, *, sessions: Sessions | Gate, feeds: Feeds | Gate
    ) -> None:
        self._feeds = feeds
        self._journal = journal
        self._sessions = sessions
        self._metrics = metrics
        self._acknowledged: OrderedDict[int, float] = OrderedDict()
        self._series: dict[str, tuple[Counter, Gauge]] = {}

    async def submit(self, raw: RawMessage) -> Receipt:
        started = time.perf_counter()
        try:
            receipt = await self._journal.submit(raw)
        except Unavailable:
            self._metrics.put_off.labels(raw.account).inc()
            raise
        now = time.perf_counter()
        self._count(raw, receipt, seconds=now - started)
        self._acknowledged[receipt.id] = now
        if len(self._acknowledged) > REMEMBERED:
            self._acknowledged.popitem(last=False)
        return receipt

    def _count(self, raw: RawMessage, receipt: Receipt, *, seconds: float) -> None:
        metrics = self._metrics
        self._note_received(raw)
        metrics.ack_seconds.observe(seconds)
        if receipt.duplicate:
            metrics.duplicates.labels(raw.account).inc()
        logs.event(
            "message_stored",
            journal=receipt.id,
            account=raw.account,
            size_bytes=len(raw.body),
            duplicate=receipt.duplicate,
        )

    def settled(self, journal_id: int) -> None:
        """Note that a message is visible now; one that another process took in is not timed."""
        acknowledged = self._acknowledged.pop(journal_id, None)
        if acknowledged is not None:
            self._metrics.settle_seconds.observe(time.perf_counter() - acknowledged)

    async def cursor(self, name: str) -> bytes | None:
        return await self._journal.cursor(name)

    async def known(self, keys: Iterable[str]) -> frozenset[str]:
        return await self._journal.known(keys)

    async def reconcile(self, inventory: Inventory) -> frozenset[str]:
        missing = await self._journal.reconcile(inventory)
        names = (inventory.account, inventory.place)
        given_up = sum(each.count for each in inventory.excused if each.is_alarming)
        self._metrics.given_up.labels(*names).set(given_up)
        if inventory.keys is not None:
            self._metrics.missing.labels(*names).set(len(missing))
        return missing

    async def turn(self, session: str, raw: RawMessage, step: Step) -> str:
        started = time.perf_counter()
        try:
            reply = await self._sessions.turn(session, raw, step)
        except Unavailable:
            self._metrics.put_off.labels(raw.account).inc()
            raise
        self._note_received(raw)
        self._metrics.turn_seconds.observe(time.perf_counter() - started)
        return reply

    def _note_received(self, raw: RawMessage) -> None:
        series = self._series.get(raw.account)
        if series is None:  # looking a series up by its labels costs more than to count
            series = (
                self._metrics.received.labels(raw.account),
                self._metrics.last_received.labels(raw.account),
            )
            self._series[raw.account] = series
        received, last_received = series
        received.inc()
        last_received.set(raw.received_at.timestamp())

    def feed(self, account: str, session: str, *, after: int = 0) -> Feed:
        return self._feeds.feed(account, session, after=after)

    def seal(self, purpose: str, *parts: str) -> str:
        return self._sessions.seal(purpose, *parts)

    async def view(self, account: str, session: str | None = None) -> View:
        return await self._sessions.view(account, session)
