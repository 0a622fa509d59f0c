"""The daemon: starts the parts, listens to the system's signals, and stops in the order that loses nothing.

Stopping: channels take nothing new and finish what is under way, the dispatcher settles what was taken, the outbox and
the timers come to rest, the store closes. What is left undone is rows, and the next start goes on with them.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from intake import agents, fetches, logs, memory, pictures, push, pushing, scanning, sessions
from intake.delivering import Outbox
from intake.feeds import Feeds
from intake.fetching import Fetching
from intake.gate import MeasuredGate
from intake.line_files import Uploads
from intake.metrics import Metrics
from intake.pictures import Pictures
from intake.readying import Readying
from intake.rulebooks import Reloader
from intake.settings import Settings
from intake.store import lockfile, opening
from intake.store.engine import Signals, StoreError
from intake.timers import Timers
from intake.upkeep import Upkeep
from intake.web.desk.glimpses import Glimpses
from intake.web.desk.live import Live
from intake.wiring import Wired, wire

if TYPE_CHECKING:
    from intake.neighbours import Neighbours

SETTLE_ON_STOP_S = 15.0
START_S = 30.0
# How long a thread may keep the interpreter while another wants it. At Python's 5 ms an acknowledgement waited up to
# that long behind a parser or a settlement, several times over.
SWITCH_S = 0.0005

_LEVELS = {
    "message_quarantined",
    "rules_refused",
    "rules_not_published",
    "delivery_failed",
    "notice_failed",
    "page_not_passed_on",
    "file_not_fetched",
    "file_infected",
    "scanner_away",
    "fetches_delayed",
    "settle_delayed",
    "outbox_delayed",
    "timers_delayed",
    "nobody_on_call",
    "timer_delayed",
    "timer_failed",
    "transcribing_failed",
    "file_not_deleted_elsewhere",
    "transcribing_delayed",
    "clockwork_failed",
    "phone_budget_used_up",
    "phone_flood",
    "agent_opted_out",
}

Ready = Callable[["Daemon"], None]


class Daemon:
    """One running intake. `ready` is called once it takes messages."""

    def __init__(self, wired: Wired, *, ready: Ready = lambda daemon: None) -> None:
        self.wired = wired
        self.metrics = Metrics()
        self._ready = ready
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        settings = wired.settings
        self.reloader = Reloader(
            wired.store,
            wired.context,
            rules_path=settings.rules,
            replies_path=settings.replies,
            digest=wired.digest,
            told=self._told,
        )
        uploads = Uploads(wired.store, wired.keys, folder=wired.blob_folder)
        self.feeds = Feeds(wired.store, uploads=uploads, context=self.reloader.context)
        self.gate = MeasuredGate(
            wired.journal,
            self.metrics,
            sessions=wired.sessions(self.reloader.context),
            feeds=self.feeds,
        )
        self.dispatcher = wired.dispatcher(
            context=self.reloader.context, told=self._told, backlog=wired.backlog
        )
        deliverers = {
            name: channel for name, channel in wired.channels.items() if hasattr(channel, "deliver")
        }
        files = settings.files
        scan, self.pictures = scanning.scan_of(files), Pictures()
        self.readying = Readying(
            wired.store,
            folder=wired.blob_folder,
            context=self.reloader.context,
            scan=scan,
            made=self.pictures,
            told=self._told,
        )
        self.outbox = Outbox(
            wired.store,
            deliverers,
            told=self._told,
            context=self.reloader.context,
            folder=wired.blob_folder,
            ready=self.readying.ready,
        )
        self.fetching = Fetching(
            wired.store,
            _sources(wired.channels, uploads),
            told=self._told,
            folder=wired.blob_folder,
            scan=scan,
            small=self.pictures if files.thumbnails and pictures.is_installed() else None,
        )
        self.transcribing = wired.transcribing(self._told)
        self.scheduler = _scheduler()
        self.timers = Timers(
            wired.store,
            context=self.reloader.context,
            scheduler=self.scheduler,
            told=self._told,
            pressure=wired.journal.pressure,
        )
        self.live = Live(wired.store)
        self.pusher = pushing.Pusher(wired.store, self.reloader.context)
        glimpses = Glimpses(wired.store, self.live)
        self.feeds.watch(glimpses)
        self.neighbours = self._neighbours(glimpses) if wired.store.is_shared else None
        self.upkeep = Upkeep(self)
        self.listening: dict[str, Any] = {}
        wired.store.listen(self._committed)

    def _neighbours(self, glimpses: Glimpses) -> "Neighbours":
        from intake.neighbours import Neighbours

        url = self.wired.settings.store
        return Neighbours(self.wired.store, self.feeds, url=url, show=glimpses, happened=self.live.wake)

    async def run(self) -> None:
        """Run until told to stop. Raises: OSError when an address cannot be listened on."""
        await self.reloader.begin()
        with self._signals():
            async with asyncio.TaskGroup() as tasks:
                inner = [
                    self._start(tasks, "dispatch", self.dispatcher.run()),
                    self._start(tasks, "outbox", self.outbox.run()),
                    self._start(tasks, "fetching", self.fetching.run()),
                    self._start(tasks, "transcribing", self.transcribing.run()),
                    self._start(tasks, "timers", self.timers.run()),
                    self._start(tasks, "rules", self.reloader.watch()),
                    self._start(tasks, "feeds", self.feeds.run()),
                    self._start(tasks, "live", self.live.run()),
                    *([self._start(tasks, "push", self.pusher.run())] if push.is_installed() else []),
                    *([self._start(tasks, "neighbours", self.neighbours.run())] if self.neighbours else []),
                ]
                self.scheduler.start()
                channels = [
                    self._start(tasks, f"channel {name}", channel.run(self.gate))
                    for name, channel in self.wired.channels.items()
                    if hasattr(channel, "run")
                ]
                try:
                    await self._until_listening(channels)
                    async with self.upkeep.running(tasks):
                        logs.event("started", listening=self.listening, rulebook=self.rulebook_hash)
                        self._ready(self)
                        memory.give_back()
                        await self._stop.wait()
                finally:
                    await self._wind_down(channels, inner)

    def stop(self) -> None:
        """Begin to stop; run returns when everything is at rest."""
        self._stop.set()

    @property
    def rulebook_hash(self) -> str:
        return self.reloader.context().rulebook.hash[:12]

    def _start(
        self, tasks: asyncio.TaskGroup, name: str, work: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        return tasks.create_task(work, name=name)

    async def _until_listening(self, running: list[asyncio.Task[None]]) -> None:
        """Wait until every channel takes messages; a channel that ends before that has raised, and so do we."""
        for name, channel in self.wired.channels.items():
            if not hasattr(channel, "listening"):
                continue
            bound = asyncio.ensure_future(channel.listening())
            # When its channel has failed, that error is the one to be told, not this one.
            bound.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.wait({bound, *running}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
            for task in running:
                if task.done():
                    task.result()
            self.listening[name] = await bound

    async def _wind_down(self, channels: list[asyncio.Task[None]], inner: list[asyncio.Task[None]]) -> None:
        logs.event("stopping")
        for task in channels:
            task.cancel()
        await asyncio.gather(*channels, return_exceptions=True)
        # A dispatcher that has ended (the start failed) will never be idle.
        settled = asyncio.ensure_future(self.dispatcher.idle())
        await asyncio.wait({settled, *inner}, timeout=SETTLE_ON_STOP_S, return_when=asyncio.FIRST_COMPLETED)
        settled.cancel()
        for task in inner:
            task.cancel()
        await asyncio.gather(*inner, return_exceptions=True)
        self.scheduler.shutdown(wait=False)
        for channel in self.wired.channels.values():
            if hasattr(channel, "close"):
                await channel.close()
        await self.pictures.close()
        await self.wired.parser.close()
        await self.wired.backlog.close()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.stop)
        self._loop.add_signal_handler(signal.SIGHUP, self._reload)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                self._loop.remove_signal_handler(number)

    def _reload(self) -> None:
        self._reloading = self._loop.create_task(self.reloader.reload())

    def _committed(self, signals: Signals) -> None:
        """Hear of a commit, in the writer's thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to wake
            self._loop.call_soon_threadsafe(self._wake, signals)

    def _wake(self, signals: Signals) -> None:
        self.feeds.committed(signals)
        if self.neighbours is not None:
            self.neighbours.tell(signals)
        self.dispatcher.settle_first(signals.get(sessions.SIGNAL, ()))
        if "journal" in signals:
            self.dispatcher.wake()
        if "journal_again" in signals:
            self.dispatcher.rescan()
        if "outbox" in signals:
            self.outbox.wake()
        if fetches.SIGNAL in signals:
            self.fetching.wake()
        if "timers" in signals:
            self.timers.due_at(signals["timers"])
        for rule in signals.get("rules_failed", ()):
            self.metrics.rule_failures.labels(rule).inc()
        for event, fields in signals.get("told", ()):
            self._told(event, fields)
        for limit in signals.get("replies_withheld", ()):
            self.metrics.replies_withheld.labels(limit).inc()

    def wake_all(self) -> None:
        """Look at everything again: another process has written."""
        self.dispatcher.rescan()
        self.outbox.wake()
        self.fetching.wake()
        self.timers.ring()
        self.live.wake()

    def _told(self, event: str, fields: dict[str, Any]) -> None:
        self.upkeep.count(event, fields)
        if event == "file_fetched":
            self.transcribing.wake()
        (logs.warning if event in _LEVELS else logs.event)(event, **fields)


def _sources(channels: Mapping[str, Any], uploads: Uploads) -> dict[str, Any]:
    """Return where the files of each account's messages are fetched: what its pages upload is here already."""
    own = {name: channel for name, channel in channels.items() if hasattr(channel, "fetch")}
    return own | {name: uploads for name, channel in channels.items() if getattr(channel, "is_fed", False)}


def _scheduler() -> Any:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    return AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None})


def run(settings: Settings, *, ready: Ready = lambda daemon: None) -> None:
    """Run a daemon in the foreground until SIGTERM or Ctrl-C.

    Raises: StoreError and ConfigError before anything runs, OSError when an address is taken.
    """
    sys.setswitchinterval(SWITCH_S)
    memory.keep_small()
    with lockfile.acquire(settings.folder):
        if opening.is_upgrade_due(settings.store, settings.folder):
            upgraded = opening.upgrade(settings.store, settings.folder)
            if upgraded is not None:
                logs.event(
                    "store_upgraded",
                    before=upgraded.before,
                    after=upgraded.after,
                    backup=str(upgraded.backup),
                )
        wired = wire(settings)
        try:
            for each in wired.store.write_now(agents.recount):
                logs.warning("agent_load_repaired", **msgspec.structs.asdict(each))
            asyncio.run(_run(wired, ready))
        except* OSError as group:
            raise _first(group) from None
        except* StoreError as group:
            raise _first(group) from None
        finally:
            wired.store.close()
    logs.event("stopped")


async def _run(wired: Wired, ready: Ready) -> None:
    await Daemon(wired, ready=ready).run()


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    """Return one of the errors of a group: they are all of one kind, and one sentence is enough."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
