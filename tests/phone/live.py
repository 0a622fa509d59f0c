"""A desk with phones, running: a real daemon in this process, real HTTP both ways, and a clock that jumps."""

import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from sqlalchemy import select

from channels.twilio.simulator import rest
from channels.twilio.simulator.calls import Switchboard
from channels.twilio.simulator.provider import Provider
from channels.twilio.simulator.scenario import DeskIs
from channels.twilio.simulator.studio import Studio
from channels.twilio.simulator.texts import Mailman
from channels.twilio.simulator.virtual_time import Time
from channels.twilio.simulator.webhooks import Webhooks
from intake import incidents
from intake.model import Context
from intake.store import schema
from intake.store.engine import Store
from intake.store.statements import Statement
from tests.phone import clocked

PUBLIC = "https://help.example.com"
OWN = "+48221234567"
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
        self._unseen_s = 0.0
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
        clocked.write_desk(self.folder, api_url=api_url, store=store, desk=desk)
        self.daemon = await self._leaving.enter_async_context(clocked.running(self.folder, self.clock))
        session = await self._leaving.enter_async_context(aiohttp.ClientSession())
        assert self.daemon.upkeep.bound is not None
        base_url = "http://{}:{}".format(*self.daemon.upkeep.bound)
        webhooks = Webhooks(self.provider, public_url=PUBLIC, base_url=base_url, session=session)
        time = Time(self.provider, passed=self._passed, is_parallel=self._is_parallel)
        self.studio = Studio(self.provider, webhooks, time=time)
        self.studio.settled = self.settled
        self.board = Switchboard(self.studio)
        self.mailman = Mailman(self.studio, whatsapp_url=f"{PUBLIC}/hooks/whatsapp/message")
        clocked.set_up(self.provider.numbers[OWN], self.daemon.wired.settings.channels)

    async def stop(self) -> None:
        await self._leaving.aclose()

    async def _passed(self, seconds: float) -> None:
        """Let the daemon notice that time has gone by: what is due now is done before anything else happens."""
        self.clock.at += timedelta(seconds=seconds)
        self._unseen_s += seconds
        if self._unseen_s >= 1 and self._blocking is None:
            self._unseen_s = 0.0
            await clocked.look(self.daemon)

    async def settled(self) -> None:
        """Wait until nothing is left that the daemon could do now."""
        if self._blocking is None:
            await clocked.settled(self.daemon)

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
        await clocked.reconcile(self.daemon)

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


_CUSTOMERS = Statement(select(schema.customers.c.id))
