"""Pages that chat on a bad day: they write, are cut off, come back, and remember all that they heard."""

import asyncio
import contextlib
import random
import uuid
from typing import Any

import aiohttp
import msgspec

from tests.web.chat_daemon import SITE, new_token

REST_S = (0.05, 0.4)
ANSWER_WITHIN_S = 10.0
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Page:
    """One visitor. texts: what they write, in this order; faults: what must not be. cut_s: how long a connection lives.

    has_socket: false = it goes by posts and a stream, as behind a proxy that breaks WebSockets.
    """

    def __init__(
        self, number: int, *, lines: int, dice: random.Random, cut_s: float, has_socket: bool = True
    ) -> None:
        self.token = new_token()
        self.texts = [f"page {number} line {each}" for each in range(lines)]
        self.ids = [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in self.texts]
        self.heard: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.connections = 0
        self._dice, self._cut_s, self._has_socket = dice, cut_s, has_socket
        self._acked = 0
        self._expected = 0
        self._is_waited_for = asyncio.Event()

    @property
    def last(self) -> int:
        return int(self.heard[-1]["seq"]) if self.heard else 0

    @property
    def has_written(self) -> bool:
        return self._acked == len(self.texts)

    async def live(self, session: aiohttp.ClientSession, base: str) -> None:
        """Write everything, whatever happens to the connection."""
        while not self.has_written:
            await self._once(session, base)

    async def hear_up_to(self, session: aiohttp.ClientSession, base: str, last: int) -> None:
        """Listen until the line of that number has come."""
        self._expected = last
        while self.last < last:
            await self._once(session, base)

    async def _once(self, session: aiohttp.ClientSession, base: str) -> None:
        connect = self._by_socket if self._has_socket else self._by_stream
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            self.connections += 1
            await connect(session, base)
        await asyncio.sleep(self._dice.uniform(*REST_S))

    @property
    def _is_content(self) -> bool:
        return self.has_written and self.last >= self._expected

    # -- by WebSocket ---------------------------------------------------------------------------------------------------

    async def _by_socket(self, session: aiohttp.ClientSession, base: str) -> None:
        async with session.ws_connect(f"{base}/socket", origin=SITE, compress=0) as socket:
            cutting = asyncio.get_running_loop().call_later(self._life_s(), _cut, socket)
            try:
                await socket.send_str(_said("hello", token=self.token, after=self.last))
                while not self._is_content:
                    message = await socket.receive(ANSWER_WITHIN_S)
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        return
                    if self._hear(_decode(message.data)) and not self.has_written:
                        await socket.send_str(self._next_line())
            finally:
                cutting.cancel()

    # -- without ----------------------------------------------------------------------------------------------------------

    async def _by_stream(self, session: aiohttp.ClientSession, base: str) -> None:
        headers = {"Origin": SITE, "Authorization": f"Bearer {self.token}"}
        async with session.get(f"{base}/stream", params={"after": str(self.last)}, headers=headers) as answer:
            hearing = asyncio.create_task(self._hear_stream(answer))
            try:
                async with asyncio.timeout(self._life_s()):
                    while not self.has_written:
                        await self._post(session, base, headers)
                    await hearing
            finally:
                hearing.cancel()
                with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError, OSError):
                    await hearing

    async def _post(self, session: aiohttp.ClientSession, base: str, headers: dict[str, str]) -> None:
        async with session.post(f"{base}/send", data=self._next_line(), headers=headers) as answer:
            for said in msgspec.json.decode(await answer.read()) if answer.status == 200 else ():
                self._hear(said)
            if answer.status != 200:
                await asyncio.sleep(self._dice.uniform(*REST_S))

    async def _hear_stream(self, answer: aiohttp.ClientResponse) -> None:
        async for line in answer.content:
            if line.startswith(b"data: "):
                self._hear(_decode(line[6:]))
            if self._is_content:
                return

    # -- either way -------------------------------------------------------------------------------------------------------

    def _hear(self, said: dict[str, Any]) -> bool:
        """Take in an object; whether the next line may be written now."""
        if said["t"] == "line":
            self._take(said)
        elif said["t"] == "ack" and not self.has_written and said["id"] == self.ids[self._acked]:
            self._acked += 1
            return True
        elif said["t"] == "error":
            self._blame(said)
            return True
        return bool(said["t"] == "welcome")

    def _take(self, said: dict[str, Any]) -> None:
        if said["seq"] != self.last + 1:
            self.faults.append(f"heard {said['seq']} behind {self.last}")
            return
        self.heard.append(said)

    def _blame(self, said: dict[str, Any]) -> None:
        if said["code"] not in ("unavailable", "rate_limited"):
            self.faults.append(f"refused: {said['code']}")

    def _next_line(self) -> str:
        return _said("line", id=self.ids[self._acked], text=self.texts[self._acked])

    def _life_s(self) -> float:
        return self._cut_s * self._dice.uniform(0.5, 1.5)


def _said(what: str, **said: Any) -> str:
    return msgspec.json.encode({"t": what, **said}).decode()


def _cut(socket: aiohttp.ClientWebSocketResponse) -> None:
    """End the connection as a network does: without a word."""
    connection = socket._response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
