"""A desk with phones, running: a real daemon in this process, real HTTP both ways, and a clock that jumps."""

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from sqlalchemy import bindparam, select

from channels.twilio import setup
from channels.twilio.simulator import rest
from channels.twilio.simulator.calls import Switchboard
from channels.twilio.simulator.provider import ACCOUNT, TOKEN, Provider
from channels.twilio.simulator.scenario import DeskIs
from channels.twilio.simulator.studio import Studio
from channels.twilio.simulator.texts import Mailman
from channels.twilio.simulator.virtual_time import Time
from channels.twilio.simulator.webhooks import Webhooks
from intake import incidents, settings
from intake.daemon import Daemon
from intake.model import Context
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement
from intake.wiring import wire

PUBLIC = "https://help.example.com"
OWN = "+48221234567"
DESK = Path(__file__).parent / "scenarios" / "desk"
STILL_S = 60.0
NOW = "2026-11-10T10:00:00+01:00"  # a Tuesday, in office hours

GoLive = Callable[..., Awaitable["Live"]]  # at, seed, folder, desk, is_parallel: all of them may be left out


class Clock:
    """The time of one play, for the provider and the daemon alike."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class Live:
    """A stage (intake.playing.Stage) with a daemon of its own."""

    def __init__(self, folder: Path, *, at: datetime, seed: int = 1, is_parallel: bool = False) -> None:
        self.folder = folder
        at = at.astimezone(UTC)
        self.clock = Clock(at)
        self.provider = Provider(numbers=(OWN,), at=at, seed=seed)
        self._is_parallel = is_parallel
        self._leaving = contextlib.AsyncExitStack()
        self._blocking: sqlite3.Connection | None = None

    @property
    def store(self) -> Store:
        return self.daemon.wired.store

    @property
    def context(self) -> Context:
        return self.daemon.reloader.context()

    async def start(self, *, store: bytes, desk: DeskIs = DeskIs()) -> None:  # noqa: B008 - a frozen value
        """Start everything. desk: what is different from the folder scenarios/desk."""
        api_url = await self._leaving.enter_async_context(rest.serving(self.provider))
        self._write(desk, api_url, store)
        self.daemon = await self._leaving.enter_async_context(self._daemon())
        session = await self._leaving.enter_async_context(aiohttp.ClientSession())
        assert self.daemon.upkeep.bound is not None
        base_url = "http://{}:{}".format(*self.daemon.upkeep.bound)
        webhooks = Webhooks(self.provider, public_url=PUBLIC, base_url=base_url, session=session)
        time = Time(self.provider, passed=self._passed, is_parallel=self._is_parallel)
        self.studio = Studio(self.provider, webhooks, time=time)
        self.studio.settled = self.settled
        self.board = Switchboard(self.studio)
        self.mailman = Mailman(self.studio, whatsapp_url=f"{PUBLIC}/hooks/whatsapp/message")
        self._set_up_numbers()

    async def stop(self) -> None:
        await self._leaving.aclose()

    def _write(self, desk: DeskIs, api_url: str, store: bytes) -> None:
        (self.folder / "var").mkdir(parents=True)
        (self.folder / "var" / "intake.db").write_bytes(store)
        config = yaml.safe_load((DESK / "intake.yaml").read_text())
        config["folder"] = str(self.folder / "var")
        for account in config["channels"].values():
            account["api_url"] = api_url
        config["channels"]["phone"] |= desk.phone
        (self.folder / "intake.yaml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
        (self.folder / "rules.yaml").write_text(f"{(DESK / 'rules.yaml').read_text()}\n{desk.rules}")
        shutil.copytree(DESK / "replies", self.folder / "replies")
        for name, text in desk.replies.items():
            (self.folder / "replies" / f"{name}.md").write_text(text)

    @contextlib.asynccontextmanager
    async def _daemon(self) -> AsyncIterator[Daemon]:
        found = settings.load(self.folder / "intake.yaml", {"TOKEN": TOKEN, "ACCOUNT": ACCOUNT})
        wired = wire(found, clock=self.clock)
        for channel in wired.channels.values():
            self._set_clock(channel)
        ready = asyncio.Event()
        daemon = Daemon(wired, ready=lambda _: ready.set())
        running = asyncio.ensure_future(daemon.run())
        waiting = asyncio.ensure_future(ready.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if running.done():
            wired.store.close()
            running.result()
        try:
            yield daemon
        finally:
            daemon.stop()
            await running
            wired.store.close()

    def _set_clock(self, part: Any) -> None:
        """Let a channel's own clocks tell the play's time: seconds where it counts seconds, instants elsewhere."""
        if hasattr(part, "_clock"):
            is_seconds = isinstance(part._clock(), float)
            part._clock = (lambda: self.clock().timestamp()) if is_seconds else self.clock
        for each in vars(part).values():
            if type(each).__module__.startswith("channels.twilio") and hasattr(each, "__dict__"):
                self._set_clock(each)

    def _set_up_numbers(self) -> None:
        """Tell the provider where to turn to, as `intake twilio setup` does."""
        channels = self.daemon.wired.settings.channels
        found = self.provider.numbers[OWN].settings
        found |= setup.wanted(channels["sms"].options, "sms", "sms")
        found |= setup.wanted(channels["phone"].options, "phone", "voice")

    async def _passed(self, seconds: float) -> None:
        """Let the daemon notice that time has gone by: what is due now is done before anything else happens."""
        self.clock.at += timedelta(seconds=seconds)
        if seconds >= 1 and self._blocking is None and await self.store.read(self._is_busy):
            self.daemon.wake_all()
            await self.settled()

    async def settled(self) -> None:
        """Wait until nothing is left that the daemon could do now."""
        if self._blocking is not None:
            return
        async with asyncio.timeout(STILL_S):
            while True:
                await self.daemon.dispatcher.idle()
                is_sending = self.daemon.outbox._under_way
                if not is_sending and not await self.store.read(self._is_busy):
                    return
                await asyncio.sleep(0.005)

    def _is_busy(self, tx: Tx) -> bool:
        """Whether something is due: an outgoing message, a timer, a file to fetch."""
        return any(tx.one(each, now=tx.now) is not None for each in _DUE)

    async def do(self, name: str) -> None:
        """Do what scenarios name in `run`. Raises: KeyError."""
        await {
            "reconcile": self._reconcile,
            "bring the last text": self._bring,
            "one customer": self._one_customer,
            "open an incident": self._open_incident,
            "the store is busy": self._block,
            "the store is free": self._unblock,
            "nothing was recorded": self._nothing_recorded,
        }[name]()

    async def _reconcile(self) -> None:
        for name in ("sms", "whatsapp", "phone"):
            channel: Any = self.daemon.wired.channels[name]
            await channel._upkeep._reconciler.round(self.daemon.gate)

    async def _bring(self) -> None:
        await self.mailman.bring(list(self.provider.texts.values())[-1])

    async def _open_incident(self) -> None:
        said = {"en": "We know that payments fail.", "pl": "Wiemy o kłopotach z płatnościami."}
        await self.store.write(lambda tx: incidents.begin(tx, said, by="ania"))

    async def _block(self) -> None:
        """Hold the store's one place for a writer, as a disk does that answers nobody."""
        self._blocking = sqlite3.connect(self.folder / "var" / "intake.db", isolation_level=None)
        self._blocking.execute("BEGIN IMMEDIATE")

    async def _unblock(self) -> None:
        assert self._blocking is not None
        self._blocking.rollback()
        self._blocking.close()
        self._blocking = None

    async def _nothing_recorded(self) -> None:
        assert not self.provider.recordings, "somebody was recorded"

    async def _one_customer(self) -> None:
        found = await self.store.read(lambda tx: tx.all(_CUSTOMERS))
        assert len(found) == 1, f"there are {len(found)} customers"


def _due(table: Any, state: str, at: str) -> Statement:
    return Statement(
        select(table.c.id).where(table.c.state == state, table.c[at] <= bindparam("now")).limit(1)
    )


_CUSTOMERS = Statement(select(schema.customers.c.id))
_DUE = (
    _due(schema.outbox, "queued", "next_at"),
    _due(schema.fetches, "queued", "next_at"),
    _due(schema.timers, "pending", "due_at"),
)
