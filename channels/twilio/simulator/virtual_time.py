"""Time that jumps: what waits is woken in the order of its instants, and nobody waits for real.

    time = Time(provider)
    time.start(caller())        # a coroutine that awaits time.rest(20) or signal.within(18)
    await time.play()           # until nothing is left to happen

While anything runs (a request to the daemon is under way), time stands still. One thing runs at a time, so that the same
play is the same to the letter; `is_parallel` lets what is due at one instant run at once, as in the world.
"""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

from channels.twilio.simulator.provider import Provider

Passed = Callable[[float], Awaitable[None]]


class Time:
    """The time of one provider. passed: is awaited with the seconds that go by, before anything happens after them."""

    def __init__(
        self, provider: Provider, *, passed: Passed | None = None, is_parallel: bool = False
    ) -> None:
        self._provider, self._passed, self._is_parallel = provider, passed, is_parallel
        self._due: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._running = 0
        self._still = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._errors: list[BaseException] = []
        self.now_s = 0.0

    def start(self, work: Coroutine[Any, Any, Any], *, after_s: float = 0) -> None:
        """Have something begin, now or later."""
        gate = self.gate(after_s)

        async def begin() -> None:
            await gate
            await work

        task = asyncio.get_running_loop().create_task(begin())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def rest(self, seconds: float) -> None:
        """Wait so long."""
        await self.resting(self.gate(seconds))

    async def resting(self, gate: asyncio.Future[None]) -> None:
        """Wait for a gate, and be counted as waiting."""
        self._stop_running()
        await gate

    def wake(self, gate: asyncio.Future[None]) -> None:
        """Open a gate at this instant, whenever it would have opened."""
        heapq.heappush(self._due, (self.now_s, next(self._numbers), gate))

    async def play(self, until_s: float | None = None) -> None:
        """Go on until nothing is due any more (until that instant). Raises: what something that ran has raised."""
        while self._due and (until_s is None or self._due[0][0] <= until_s):
            await self._next()
        if until_s is not None and until_s > self.now_s:
            await self._go_to(until_s)

    @property
    def is_anything_due(self) -> bool:
        return any(not gate.done() for _, _, gate in self._due)

    async def _next(self) -> None:
        at, _, gate = heapq.heappop(self._due)
        if gate.done():  # what it waited for has happened before
            return
        gates = [gate]
        while self._is_parallel and self._due and self._due[0][0] <= at:
            other = heapq.heappop(self._due)[2]
            gates += [] if other.done() or other in gates else [other]
        await self._go_to(at)
        self._running = len(gates)
        self._still.clear()
        for each in gates:
            each.set_result(None)
        await self._still.wait()
        if self._errors:
            raise self._errors.pop()

    async def _go_to(self, at: float) -> None:
        seconds = at - self.now_s
        if seconds <= 0:
            return
        self.now_s = at
        self._provider.at += timedelta(seconds=seconds)
        if self._passed is not None:
            await self._passed(seconds)

    def gate(self, after_s: float) -> asyncio.Future[None]:
        """Make something that opens after so many seconds."""
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._due, (self.now_s + max(0.0, after_s), next(self._numbers), gate))
        return gate

    def _stop_running(self) -> None:
        self._running -= 1
        if self._running <= 0:
            self._still.set()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._errors.append(task.exception())  # type: ignore[arg-type] # looked at in the line above
        self._stop_running()


FOR_EVER_S = 1_000_000.0


class Signal:
    """Something that happens once, and that others wait for."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self._waiting: list[asyncio.Future[None]] = []
        self.is_given = False

    def give(self) -> None:
        """Let it have happened; who waits goes on at this instant."""
        if self.is_given:
            return
        self.is_given = True
        for gate in self._waiting:
            if not gate.done():
                self._time.wake(gate)

    async def within(self, seconds: float) -> bool:
        """Wait for it so long at most; whether it has happened."""
        await either(self._time, self, seconds=seconds)
        return self.is_given

    def open_with(self, gate: asyncio.Future[None]) -> None:
        """Have a gate opened when it happens."""
        self._waiting = [each for each in self._waiting if not each.done()]
        self._waiting.append(gate)


async def either(time: Time, *signals: Signal, seconds: float) -> None:
    """Wait until one of them has happened, so long at most."""
    if any(each.is_given for each in signals):
        return
    gate = time.gate(seconds)
    for each in signals:
        each.open_with(gate)
    await time.resting(gate)
