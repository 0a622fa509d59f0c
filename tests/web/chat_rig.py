"""A chat account on a real store, served by itself: no daemon, the clock and what is settled in the test's hands."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from channels import hooks, webchat
from channels.contract import Understood
from intake import desk, journal, pipeline
from intake.feeds import Feeds
from intake.gate import MeasuredGate
from intake.journal import Journal
from intake.line_files import Uploads
from intake.metrics import Metrics
from intake.model import Account
from intake.sessions import Sessions
from intake.store.engine import Signals, Store
from intake.views import Views
from tests.domain.world import World
from tests.web.chat_daemon import SITE, Visitor
from tests.web.chat_world import RULES

ACCOUNT = "website"
MANY = 100_000
UNLIMITED = dict.fromkeys(
    ("lines_per_minute", "lines_per_hour", "address_lines_per_minute", "address_lines_per_hour", "sockets"),
    MANY,
)
OPTIONS: dict[str, Any] = {"origins": [SITE], "contact": "never", "limits": UNLIMITED}


class Rig(World):
    """A world with a chat account and its server. told: signals of every commit, in order."""

    def __init__(
        self,
        store: Store,
        folder: Path,
        clock: Any,
        *,
        rules: str = RULES,
        options: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(store, folder, clock, rules=rules)
        self.folder.mkdir(exist_ok=True)
        self.options = msgspec.convert(OPTIONS | (options or {}), webchat.Options, strict=False)
        chat = Account(ACCOUNT, "webchat", "chat", can_deliver=True)
        self.context = msgspec.structs.replace(
            self.context, accounts={**self.context.accounts, ACCOUNT: chat}
        )
        self.journals = Journal(store, self.keys, folder=self.folder)
        self.feeds = Feeds(
            store, uploads=Uploads(store, self.keys, folder=self.folder), context=lambda: self.context
        )
        sessions = Sessions(
            store,
            self.keys,
            journal=self.journals,
            views=Views(lambda: self.context),
            folder=self.folder,
            caller=lambda raw: None,
        )
        self.gate = MeasuredGate(self.journals, Metrics(), sessions=sessions, feeds=self.feeds)
        self.channel = webchat.Channel(ACCOUNT, self.options, clock=clock)
        self.told: list[Signals] = []

    def listen(self) -> None:
        loop = asyncio.get_running_loop()

        def committed(signals: Signals) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._committed, signals)

        self.store.listen(committed)

    def _committed(self, signals: Signals) -> None:
        self.told.append(signals)
        self.feeds.committed(signals)

    def settle_all(self) -> None:
        """Settle what waits, in order."""
        pending = self.store.read_now(lambda tx: journal.pending(tx, after=0, most=1_000))
        for number, _ in pending:
            self._settle_one(number)

    def _settle_one(self, number: int) -> None:
        received = self.store.read_now(lambda tx: journal.load(tx, number, self.folder))
        understood: Understood = webchat.parse(received.raw, self.options)
        self.store.write_now(lambda tx: pipeline.settle(tx, self.context, received, understood))

    async def say(self, text: str, **answer: Any) -> int:
        """Answer the only ticket as an agent; the outbox id."""
        self.settle_all()
        (ticket,) = self.rows("tickets")
        return await self.store.write(
            lambda tx: desk.reply(tx, self.context, ticket["ref"], agent="ania", text=text, **answer)
        )


class Chat:
    """What a test has: the rig, and visitors of it."""

    def __init__(self, rig: Rig, base: str, session: aiohttp.ClientSession) -> None:
        self.rig, self.base, self._session = rig, base, session
        self.visitors: list[Visitor] = []

    def visitor(self, **about: Any) -> Visitor:
        self.visitors.append(Visitor(self.base, self._session, **about))
        return self.visitors[-1]

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, bytes, Any]:
        """Ask with these headers and no others."""
        async with self._session.request(method, f"{self.base}/{path}", **options) as answer:
            return answer.status, await answer.read(), answer.headers


@asynccontextmanager
async def serving(rig: Rig) -> AsyncIterator[Chat]:
    """Serve the account on loopback until the block ends."""
    rig.listen()
    app = web.Application()
    hooks.mount(app, {ACCOUNT: rig.channel}, rig.gate)

    async def hang_up(app: web.Application) -> None:
        await rig.channel.hang_up()

    app.on_shutdown.append(hang_up)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    marks = asyncio.create_task(rig.feeds.run())
    try:
        host, port = runner.addresses[0][:2]
        async with aiohttp.ClientSession() as session:
            chat = Chat(rig, f"http://{host}:{port}/chat/{ACCOUNT}", session)
            try:
                yield chat
            finally:
                for each in chat.visitors:
                    await each.leave()
    finally:
        marks.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await marks
        await runner.cleanup()
