"""The played Twilio in a thread of its own: for commands and daemons that have a loop of theirs."""

import asyncio
import contextlib
import threading
from typing import Self

from channels.twilio.simulator import rest
from channels.twilio.simulator.provider import Provider
from tests.phone.outage import OWN


class Served:
    """`with Served() as served:` plays it at served.url until the block ends."""

    def __init__(self) -> None:
        self.provider = Provider(numbers=(OWN,))
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        async with self.beside(), rest.serving(self.provider) as self.url:
            self._ready.set()
            await self._stop.wait()

    def beside(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Serve what else there is to be reached."""
        return contextlib.nullcontext()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)
