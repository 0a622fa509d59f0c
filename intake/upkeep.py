"""What goes on beside the messages: health, metrics, heartbeat, the silence alarm, and a look for foreign writes."""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from intake import (
    answering,
    budgets,
    drafts,
    due,
    first_start,
    floods,
    instants,
    journal,
    ledger,
    search_learning,
    session_lines,
    sessions,
    signing_in,
    silence,
    web_sessions,
)
from intake.metrics import Metrics
from intake.store import blobs, schema
from intake.store.engine import StoreError, Tx
from intake.store.statements import Statement
from intake.web import health

if TYPE_CHECKING:
    from intake.daemon import Daemon

FOREIGN_LOOK_S = 0.5
FOREIGN_LOOK_DEAF_S = 0.2  # where other daemons' words do not get through, looking is all there is
FIGURES_S = 5.0
QUARANTINE_RETRY_S = 3_600
SWEEP_S = 24 * 3_600
FORGET_S = 1_800
LEARN_S = 20
NAMED_MAX = 20

_j = schema.journal.c
_o = schema.outbox.c
_PENDING = Statement(select(func.count(), func.min(_j.received_at)).where(_j.state == "pending"))
_QUARANTINED = Statement(
    select(_j.id).where(_j.state == "quarantined").order_by(_j.id).limit(bindparam("most"))
)
_QUEUED = Statement(select(func.count(), func.min(_o.next_at)).where(_o.state == "queued"))
_DEAD = Statement(select(func.count()).where(_o.state == "failed"))
_LAST = Statement(select(_j.received_at).order_by(_j.id.desc()).limit(1))


class Upkeep:
    """The daemon's state as /readyz and /metrics see it, and its recurring chores."""

    def __init__(self, daemon: "Daemon") -> None:
        self._daemon = daemon
        self._alarm = silence.Alarm(daemon.metrics)
        self._started_at = daemon.wired.store.now()
        self.bound: tuple[str, int] | None = None

    @property
    def metrics(self) -> Metrics:
        return self._daemon.metrics

    def count(self, event: str, fields: dict[str, Any]) -> None:
        """Turn what happened into figures."""
        metrics, account = self.metrics, str(fields.get("account", ""))
        if event == "message_settled":
            metrics.settled.labels(account).inc()
            self._daemon.gate.settled(fields["journal"])
        elif event == "message_quarantined":
            metrics.quarantined.labels(account).inc()
        elif event == "message_sent":
            metrics.delivered.labels(account).inc()
        elif event in ("message_withheld", "message_waits"):
            metrics.phone_withheld.labels(fields["reason"]).inc()
        elif event == "phone_budget_used_up":
            metrics.budget_alarms.labels(fields["budget"]).inc()
        elif event in ("delivery_failed", "delivery_delayed"):
            metrics.delivery_failures.labels(account, str(event == "delivery_failed").lower()).inc()
        elif event == "file_fetched":
            metrics.fetched.labels(account).inc()
        elif event in ("file_not_fetched", "file_delayed"):
            metrics.fetch_failures.labels(account, str(event == "file_not_fetched").lower()).inc()
        elif event == "timer_fired":
            metrics.timers_fired.labels(fields["kind"]).inc()
            metrics.timer_lateness.observe(max(float(fields["late_s"]), 0.0))
        elif event in ("timer_delayed", "timer_failed"):
            metrics.timer_failures.labels(str(event == "timer_failed").lower()).inc()
        elif event == "clockwork_failed":
            metrics.clockwork_failures.labels(fields["clockwork"]).inc()
        elif event in ("rules_loaded", "rules_refused"):
            metrics.reloads.labels("ok" if event == "rules_loaded" else "refused").inc()
            metrics.rules_refused.set(event == "rules_refused")

    @contextlib.asynccontextmanager
    async def running(self, tasks: asyncio.TaskGroup) -> AsyncIterator[None]:
        """Serve the pages and do the chores until the block ends. Raises: OSError when the address is taken."""
        site = await asyncio.to_thread(importlib.import_module, "intake.web.site")
        daemon = self._daemon
        context = daemon.reloader.context
        runner = await site.serve(daemon.wired, self, gate=daemon.gate, context=context, live=daemon.live)
        self.bound = runner.addresses[0][:2]
        await self._tell_of_first_admin()
        chores = [tasks.create_task(work) for work in self._chores()]
        try:
            yield
        finally:
            for chore in chores:
                chore.cancel()
            await runner.cleanup()

    async def _tell_of_first_admin(self) -> None:
        """Make a link for whoever is to let in the others, where nobody can yet."""
        wired = self._daemon.wired
        http, (host, port) = wired.settings.http, self.bound or ("", 0)
        own = f"{'https' if http.tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
        with contextlib.suppress(StoreError):
            await first_start.tell(
                wired.store, wired.keys, folder=wired.settings.folder, house=http.public_url or own
            )

    def _chores(self) -> list[Any]:
        settings = self._daemon.wired.settings
        chores = [
            self._look_for_foreign_writes(),
            self._retry_quarantined(),
            self._sweep_blobs(),
            self._forget_counted(),
            self._learn_words(),
            self._measure(),
        ]
        if settings.calls.keep_recordings_days:
            from intake import retention

            wired, days = self._daemon.wired, settings.calls.keep_recordings_days
            chores.append(retention.Retention(wired.store, wired.channels, days=days).run())
        if any(hasattr(each, "became_of") for each in self._daemon.wired.channels.values()):
            from intake import unreported

            wired, context = self._daemon.wired, self._daemon.reloader.context
            chores.append(unreported.Unreported(wired.store, wired.channels, context=context).run())
        if settings.heartbeat is not None:
            from intake import heartbeat

            chores.append(heartbeat.run(settings.heartbeat, is_ready=self._is_ready))
        return chores

    async def _is_ready(self) -> bool:
        return (await self.readiness()).is_ready

    async def readiness(self) -> health.Readiness:
        """Look at every part now."""
        try:
            parts = await self._daemon.wired.store.read(self._parts)
            await self._daemon.wired.store.write(lambda tx: None)
        except StoreError as error:
            return health.Readiness({"store": health.store_part(error.sentence)})
        listening = dict.fromkeys(self._daemon.wired.channels, True)
        problem = self._daemon.reloader.problem
        rules = health.Part(is_ok=True, detail=problem or "")
        return health.Readiness(
            {
                "store": health.store_part(""),
                "channels": health.channels_part(listening, troubles=self._troubles()),
                "rules": rules,
                **parts,
            }
        )

    def _troubles(self) -> list[str]:
        """Say and count what channels that fetch have to say: another's server is down, a password is wrong."""
        found = []
        for name, each in self._daemon.wired.channels.items():
            said: list[str] = getattr(each, "troubles", list)()
            self.metrics.channel_troubles.labels(name).set(len(said))
            found += [f"{name}: {sentence}" for sentence in said]
        return found

    def _parts(self, tx: Tx) -> dict[str, health.Part]:
        pending, oldest = tx.one(_PENDING) or (0, None)
        quarantined = tuple(str(row[0]) for row in tx.all(_QUARANTINED, most=NAMED_MAX))
        waiting, due_at = tx.one(_QUEUED) or (0, None)
        dead = (tx.one(_DEAD) or (0,))[0]
        return {
            "journal": health.journal_part(
                pending=pending, lag_s=_age_s(tx, oldest), quarantined=quarantined
            ),
            "outbox": health.outbox_part(waiting=waiting, oldest_s=_age_s(tx, due_at), dead=dead),
            "timers": self._timers_part(tx),
            "ledger": health.Part(is_ok=True, detail="; ".join(ledger.gaps(tx))),
        }

    def _timers_part(self, tx: Tx) -> health.Part:
        """Judge the timers; what a downtime made late is given a minute from the start to be made up for."""
        late = due.late(tx, most_failed=NAMED_MAX)
        up_s = (self._daemon.wired.store.now() - self._started_at).total_seconds()
        return health.timers_part(
            due=late.count, late_s=_age_s(tx, late.oldest_us), up_s=up_s, failed=tuple(map(str, late.failed))
        )

    async def _look_for_foreign_writes(self) -> None:
        neighbours = self._daemon.neighbours
        while True:
            is_deaf = neighbours is not None and not neighbours.is_heard
            await asyncio.sleep(FOREIGN_LOOK_DEAF_S if is_deaf else FOREIGN_LOOK_S)
            with contextlib.suppress(StoreError):
                if await self._daemon.wired.store.has_foreign_writes():
                    self._daemon.wake_all()
                    await self._daemon.feeds.look()

    async def _retry_quarantined(self) -> None:
        while True:
            await asyncio.sleep(QUARANTINE_RETRY_S)
            with contextlib.suppress(StoreError):
                await self._daemon.wired.store.write(journal.retry_quarantined)

    async def _sweep_blobs(self) -> None:
        """Remove files that no row names: what a crash left between the file and its row."""
        wired = self._daemon.wired
        while True:
            await asyncio.sleep(SWEEP_S)
            with contextlib.suppress(StoreError):
                await asyncio.to_thread(blobs.sweep, wired.store, wired.blob_folder)

    async def _forget_counted(self) -> None:
        """Remove counters that count nothing any more, and sessions long over, some at a time."""
        while True:
            await asyncio.sleep(FORGET_S)
            with contextlib.suppress(StoreError):
                for forget in (
                    answering.forget_counted,
                    budgets.forget,
                    drafts.forget_ended,
                    floods.forget,
                    session_lines.forget_old,
                    sessions.forget_old,
                    signing_in.forget,
                    web_sessions.forget_old,
                ):
                    while await self._daemon.wired.store.write(forget):
                        pass

    async def _learn_words(self) -> None:
        """Keep up the vocabulary in which misspelt words are looked up."""
        while True:
            await asyncio.sleep(LEARN_S)
            with contextlib.suppress(StoreError):
                while await search_learning.catch_up(self._daemon.wired.store):
                    pass

    async def _measure(self) -> None:
        while True:
            with contextlib.suppress(StoreError):
                await self._measure_once()
            await asyncio.sleep(FIGURES_S)

    async def _measure_once(self) -> None:
        store, metrics = self._daemon.wired.store, self.metrics
        pending, oldest, waiting, due_at, last_us = await store.read(_figures)
        metrics.journal_pending.set(pending)
        metrics.chats_open.set(self._daemon.feeds.count)
        metrics.journal_lag.set(oldest)
        metrics.outbox.labels("queued").set(waiting)
        metrics.outbox_oldest.set(due_at)
        late = await store.read(lambda tx: due.late(tx, most_failed=due.COUNTED_MAX))
        metrics.timers_due.set(late.count)
        metrics.timers_failed.set(len(late.failed))
        oldest_s = 0.0 if late.oldest_us is None else (store.now_us() - late.oldest_us) / 1_000_000
        metrics.timers_oldest.set(max(oldest_s, 0.0))
        self._troubles()
        self._look_for_silence(self._started_at if last_us is None else instants.datetime_from_us(last_us))

    def _look_for_silence(self, last: datetime) -> None:
        wanted = self._daemon.wired.settings.silence_alarm
        if wanted is None:
            return
        calendar = self._daemon.reloader.context().rulebook.calendars.get(wanted.calendar)
        judged = silence.judge(
            last, now=self._daemon.wired.store.now(), allowed_open_hours=wanted.open_hours, calendar=calendar
        )
        self._alarm.look(judged, last_received=last)


def _figures(tx: Tx) -> tuple[int, float, int, float, int | None]:
    pending, oldest = tx.one(_PENDING) or (0, None)
    waiting, due_at = tx.one(_QUEUED) or (0, None)
    last = tx.one(_LAST)
    return pending, _age_s(tx, oldest), waiting, _age_s(tx, due_at), last[0] if last else None


def _age_s(tx: Tx, at_us: int | None) -> float:
    return 0.0 if at_us is None else max((tx.now - at_us) / 1_000_000, 0.0)
