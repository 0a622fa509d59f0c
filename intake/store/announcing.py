"""Words between the daemons on one PostgreSQL database: NOTIFY and LISTEN (postgresql.org/docs/current/sql-notify.html, 2026-11).

A word is told in a transaction of its own, behind the commit that it is about: within that one, all commits of the database
would wait for each other. So a word may be lost, with its daemon or its connection; what it is about is found by looking
then, which has to be done all the same. Every daemon hears its own words as well: one that does not stands behind something
that keeps no sessions (a pooler), and has to look more often (`is_heard`).
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import psycopg

WORD_MAX_BYTES = 7_900  # PostgreSQL takes less than 8000, with the name of who tells it
PROBE_S = 5.0  # silence after which something is told, so that it is heard whether anything is
HEARD_WITHIN_S = 20.0
AGAIN_S = 1.0
AT_ONCE = 100
WAITING_MAX = 2_000  # words that wait for a connection; beyond that the oldest are lost
_CHANNEL = "intake"
_TELL = f"SELECT pg_notify('{_CHANNEL}', word) FROM unnest(%s::text[]) AS word"  # noqa: S608 - a name of ours
_ALIVE: dict[str, Any] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

log = logging.getLogger("intake.announcing")


class Announcer:
    """Tells words to the other daemons, and hears theirs. heard: called with each; begun: whenever it begins to listen."""

    def __init__(self, url: str, *, heard: Callable[[str], None], begun: Callable[[], None]) -> None:
        self._url, self._heard, self._begun = url, heard, begun
        self._own = secrets.token_hex(8)
        self._waiting: deque[str] = deque(maxlen=WAITING_MAX)
        self._has_words = asyncio.Event()
        self._own_heard_s = -HEARD_WITHIN_S

    @property
    def is_heard(self) -> bool:
        """Whether what is told is heard: by ourselves, at least, a moment ago."""
        return time.monotonic() - self._own_heard_s < HEARD_WITHIN_S

    def tell(self, word: str) -> None:
        """Tell the others, soon. word: WORD_MAX_BYTES at most."""
        self._waiting.append(f"{self._own} {word}")
        self._has_words.set()

    async def run(self) -> None:
        """Tell and hear until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_on(self._listen), name="announcer-listens")
            tasks.create_task(self._keep_on(self._speak), name="announcer-speaks")

    async def _keep_on(self, doing: Callable[["psycopg.AsyncConnection[Any]"], Any]) -> None:
        """Do it on a connection, and on another one when that is lost."""
        while True:
            try:
                opened = psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=5, application_name="intake words", **_ALIVE
                )
                async with await opened as connection:
                    await doing(connection)
            except (psycopg.Error, OSError) as error:
                log.warning(
                    "words_delayed reason=%s", type(error).__name__
                )  # the error's text may name a password
            await asyncio.sleep(AGAIN_S)

    async def _listen(self, connection: "psycopg.AsyncConnection[Any]") -> None:
        await connection.execute(f"LISTEN {_CHANNEL}")
        self._begun()
        self.tell("")
        async for each in connection.notifies():
            self._take(each.payload)

    def _take(self, payload: str) -> None:
        teller, _, word = payload.partition(" ")
        if teller == self._own:
            self._own_heard_s = time.monotonic()
        elif word:
            self._heard(word)

    async def _speak(self, connection: "psycopg.AsyncConnection[Any]") -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROBE_S):
                    await self._has_words.wait()
            self._has_words.clear()
            if not self._waiting:
                self._waiting.append(f"{self._own} ")
            while self._waiting:
                words = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                await connection.execute(_TELL, [words])
