"""A desk with a chat on it, whose lines are settled when a test says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from channels import webchat
from channels.contract import Understood
from intake import instants, journal, pipeline
from tests.web.acting_site import RULES
from tests.web.chat_daemon import SITE, Visitor
from tests.web.site import Browser, Site, open_site

JOINED = f"{RULES}conversations:\n  chat: {{join: open, reopen_within: 1d}}\n"
CHANNEL = f'  website: {{kind: webchat, origins: ["{SITE}"], contact: never}}'


class DeskChat:
    """A site with one visitor. ref: of the ticket that their first line opened."""

    def __init__(self, site: Site, visitor: Visitor) -> None:
        self.site, self.visitor, self.ref = site, visitor, ""

    async def begin(self) -> None:
        await self.visitor.connect()
        await self.visitor.write("Where is my order?")
        await asyncio.to_thread(self.settle)
        self.ref = self.site.store.read_now(lambda tx: tx._execute("SELECT ref FROM tickets", {}).fetchone())[
            0
        ]

    def settle(self) -> None:
        """Settle what waits, in order."""
        for number, _ in self.site.store.read_now(lambda tx: journal.pending(tx, after=0, most=1_000)):
            self._settle_one(number)

    def _settle_one(self, number: int) -> None:
        folder, options = self.site.wired.blob_folder, webchat.Options(origins=(SITE,))
        received = self.site.store.read_now(lambda tx: journal.load(tx, number, folder))
        understood: Understood = webchat.parse(received.raw, options)
        self.site.store.write_now(lambda tx: pipeline.settle(tx, self.site.context, received, understood))

    async def mark(self, browser: Browser) -> str:
        """What somebody who opens the ticket's page has seen."""
        _, text, _ = await browser.ask("GET", f"/tickets/{self.ref}", headers={"Accept": "text/html"})
        return text.partition('name="seen" value="')[2].partition('"')[0]


@asynccontextmanager
async def chatting(folder: Path, new_store: bytes) -> AsyncIterator[DeskChat]:
    """Serve a desk with a chat until the block ends."""
    async with (
        open_site(folder, instants.now, new_store=new_store, rules=JOINED, channels=CHANNEL) as site,
        aiohttp.ClientSession() as session,
    ):
        chat = DeskChat(site, Visitor(f"{site.base}/chat/website", session))
        await chat.begin()
        yield chat
        await chat.visitor.leave()
