"""A real daemon with a chat account, in this process, and a visitor who speaks the protocol over a real socket."""

import asyncio
import contextlib
import secrets
import uuid
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from intake import desk, settings, wiring
from intake.daemon import Daemon
from intake.store.engine import Tx
from tests.web.chat_world import RULES

SITE = "https://shop.example"
SETTINGS = """
name: Example
folder: "{folder}"
{store}
http: {{listen: "127.0.0.1:0"}}
channels:
  website:
    kind: webchat
    origins: ["{site}"]
    contact: never
    limits: {{lines_per_minute: 100000, lines_per_hour: 100000, address_lines_per_minute: 100000,
      address_lines_per_hour: 100000, sockets: 100000}}
{account}
"""
WITHIN_S = 10.0


def new_token() -> str:
    """Make a token as a page does."""
    return urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


class Visitor:
    """A page that chats. heard: every object that came, in order."""

    def __init__(
        self, base: str, session: aiohttp.ClientSession, *, token: str = "", origin: str = SITE
    ) -> None:
        self.base, self.token, self.origin = base, token or new_token(), origin
        self._session = session
        self.heard: list[dict[str, Any]] = []
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self._opened: list[aiohttp.ClientWebSocketResponse] = []

    async def connect(self, *, after: int = 0, **hello: Any) -> dict[str, Any]:
        """Open a socket and say hello; the welcome."""
        url = f"{self.base}/socket"
        self.socket = await self._session.ws_connect(url, origin=self.origin, heartbeat=None, compress=0)
        self._opened.append(self.socket)
        await self.say("hello", token=self.token, after=after, **hello)
        return await self.hear("welcome")

    async def say(self, what: str, **said: Any) -> None:
        assert self.socket is not None
        await self.socket.send_str(msgspec.json.encode({"t": what, **said}).decode())

    async def write(self, text: str, *, line_id: str = "", **said: Any) -> dict[str, Any]:
        """Write a line; its acknowledgement, or the error."""
        line_id = line_id or str(uuid.uuid4())
        await self.say("line", id=line_id, text=text, **said)
        return await self.hear("ack", "error", about=line_id)

    async def hear(self, *kinds: str, about: str = "") -> dict[str, Any]:
        """Return the next object of these kinds; what comes before it is kept in `heard`."""
        assert self.socket is not None
        async with asyncio.timeout(WITHIN_S):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise ConnectionError(f"the socket was closed: {message.data or self.socket.close_code}")
                said: dict[str, Any] = msgspec.json.decode(message.data)
                self.heard.append(said)
                if said["t"] in kinds and (not about or said.get("id") == about):
                    return said

    async def lines(self, count: int) -> list[dict[str, Any]]:
        """Return the first lines of the chat, waiting for those that are to come."""
        while len(self.told) < count:
            await self.hear("line")
        return self.told

    @property
    def told(self) -> list[dict[str, Any]]:
        return [each for each in self.heard if each["t"] == "line"]

    async def leave(self) -> None:
        """Close every socket that was opened."""
        while self._opened:
            await self._opened.pop().close()

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any, Any]:
        """Ask by HTTP as the page does; status, body (JSON where it is), headers."""
        headers = {"Origin": self.origin, "Authorization": f"Bearer {self.token}"} | options.pop(
            "headers", {}
        )
        given = {name: value for name, value in headers.items() if value}
        async with self._session.request(method, f"{self.base}/{path}", headers=given, **options) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.read()), answer.headers


class ChatDaemon:
    """A running daemon."""

    def __init__(self, daemon: Daemon, session: aiohttp.ClientSession) -> None:
        assert daemon.upkeep.bound is not None
        self.daemon, self._session = daemon, session
        host, port = daemon.upkeep.bound
        self.root = f"http://{host}:{port}"
        self.base = f"{self.root}/chat/website"
        self.store = daemon.wired.store
        self.visitors: list[Visitor] = []

    def visitor(self, **about: Any) -> Visitor:
        self.visitors.append(Visitor(self.base, self._session, **about))
        return self.visitors[-1]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return what a SELECT finds, on either engine."""

        def found(tx: Tx) -> list[dict[str, Any]]:
            cursor = tx._execute(sql, {})
            names = [each[0] for each in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        return self.store.read_now(found)

    async def settled(self) -> None:
        await self.daemon.dispatcher.idle()

    async def ref(self) -> str:
        """Return the only ticket's ref, once everything is settled."""
        await self.settled()
        (found,) = self.rows("SELECT ref FROM tickets")
        return str(found["ref"])

    async def reply(self, text: str, *, ref: str = "", **answer: Any) -> int:
        """Answer as an agent; the outbox id."""
        ref = ref or await self.ref()
        context = self.daemon.reloader.context()
        return await self.store.write(
            lambda tx: desk.reply(tx, context, ref, agent="ania", text=text, **answer)
        )

    async def write(self, fn: Callable[[Tx], Any]) -> Any:
        return await self.store.write(fn)


@asynccontextmanager
async def chatting(
    folder: Path, *, account: str = "", rules: str = RULES, store: str = "", site: str = SITE
) -> AsyncIterator[ChatDaemon]:
    """Run a daemon until the block ends. account: further lines of the account's YAML, indented by four."""
    written = SETTINGS.format(
        folder=folder / "var", site=site, account=account, store=f'store: "{store}"' if store else ""
    )
    (folder / "intake.yaml").write_text(written)
    (folder / "rules.yaml").write_text(rules)
    (folder / "replies").mkdir(exist_ok=True)
    wired = wiring.wire(settings.load(folder / "intake.yaml", {}))
    ready = asyncio.Event()
    daemon = Daemon(wired, ready=lambda _: ready.set())
    running = asyncio.create_task(daemon.run())
    try:
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            waiting.cancel()
            await running
        async with aiohttp.ClientSession() as session:
            chat = ChatDaemon(daemon, session)
            try:
                yield chat
            finally:
                for each in chat.visitors:
                    await each.leave()
    finally:
        daemon.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        wired.store.close()
