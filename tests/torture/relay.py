"""The relay of a torture run: takes every mail by real SMTP, and remembers which Message-ID came in which life of the daemon."""

import asyncio
import collections
import threading
from email.parser import BytesHeaderParser
from typing import Any, Self

from aiosmtpd.smtp import SMTP


class Relay:
    """received: Message-ID without <> -> the lives it came in, in order. life: told by the run at each start of the daemon."""

    def __init__(self) -> None:
        self.received: dict[str, list[int]] = collections.defaultdict(list)
        self.life = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server
        self._sessions: list[SMTP] = []

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        headers = BytesHeaderParser().parsebytes(envelope.original_content or b"")
        self.received["".join(str(headers.get("Message-ID", "")).split()).strip("<>")].append(self.life)
        return "250 taken"

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait_for(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._wait_for(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _wait_for(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(self._session, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def _session(self) -> SMTP:
        session = SMTP(self, loop=self._loop, hostname="relay.example", ident="relay")
        self._sessions.append(session)
        return session

    async def _close(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for session in self._sessions:
            if session.transport is not None:
                session.transport.close()
