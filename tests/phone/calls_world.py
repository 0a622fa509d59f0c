"""A town that calls: a played Twilio that loses, doubles and delays, and a daemon in another process on the same clock."""

import asyncio
import contextlib
import mmap
import random
import struct
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import aiohttp

from channels.twilio.simulator import rest
from channels.twilio.simulator.calls import Switchboard
from channels.twilio.simulator.grammar import Place
from channels.twilio.simulator.provider import Provider
from channels.twilio.simulator.scenario import DeskIs
from channels.twilio.simulator.studio import Studio
from channels.twilio.simulator.virtual_time import Time
from channels.twilio.simulator.webhooks import Exchange, Webhooks
from tests.phone import clocked
from tests.phone.clocked_daemon import SIZE_BYTES
from tests.phone.live import OWN, PUBLIC

NOON = datetime(2026, 11, 10, 11, 0, tzinfo=UTC)
LOOK_S = 1.0
START_S = 60.0

_DOUBLED, _ANSWER_LOST, _LATE_COPY, _TOLD_NEVER = 0.08, 0.04, 0.06, 0.05


class Troubled(Webhooks):
    """Twilio's side of the web on a bad day: every request may come twice, at once, later, or with its answer lost.

    A callback that is only told may never come; what somebody on the line waits for comes at the second try.
    """

    dice: random.Random
    time: Time
    is_troubled = False
    lost_count = 0
    doubled_count = 0

    async def post(self, url: str, form: Mapping[str, str] | Sequence[tuple[str, str]]) -> Exchange:
        luck = self.dice.random()
        if not self.is_troubled or luck >= _DOUBLED + _ANSWER_LOST + _LATE_COPY:
            return await super().post(url, form)
        self.doubled_count += 1
        if luck < _DOUBLED:
            first, second = await asyncio.gather(super().post(url, form), super().post(url, form))
            self._compare(first, second)
            return first if first.status else second
        first = await super().post(url, form)
        if luck < _DOUBLED + _ANSWER_LOST:
            second = await super().post(url, form)
            self._compare(first, second)
            return second
        self.time.start(self._again(url, form), after_s=self.dice.uniform(0.5, 90))
        return first

    async def tell(self, url: str, form: Mapping[str, str], *, place: Place = "voice") -> Exchange:
        if not self.is_troubled or self.dice.random() >= _TOLD_NEVER:
            return await super().tell(url, form, place=place)
        self.lost_count += 1
        return Exchange(url=url, form=tuple(form.items()), status=0, error="lost on the way")

    def goes_to(self, base_url: str) -> None:
        """Post there from now on."""
        self._base_url = base_url

    async def _again(self, url: str, form: Mapping[str, str] | Sequence[tuple[str, str]]) -> None:
        """Bring a copy long after it was answered: it must be taken, whatever it says."""
        copy = await super().post(url, form)
        if copy.status != 200:
            self.errors.append(f"{copy.path}: a late copy was answered {copy.status}")

    def _compare(self, first: Exchange, second: Exchange) -> None:
        are_answers = first.status and second.status
        if are_answers and (first.status, first.body) != (second.status, second.body):
            self.errors.append(f"{first.path}: the same webhook was answered in two ways")


class World:
    """One desk, its daemon and all who call it. Everything random comes out of `dice`."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self.folder, self.dice = folder, random.Random(seed)
        self.provider = Provider(numbers=(OWN,), at=NOON, seed=seed)
        self._leaving = contextlib.AsyncExitStack()
        self._asking = asyncio.Lock()
        self._unseen_s = 0.0
        self._is_up = False
        self.kills = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leaving.aclose()

    async def begin(self, *, store: bytes, desk: DeskIs, rules: str) -> None:
        """Start everything."""
        api_url = await self._leaving.enter_async_context(rest.serving(self.provider))
        clocked.write_desk(self.folder, api_url=api_url, store=store, desk=desk, rules=rules)
        self._make_clock()
        base_url = await self._start_daemon()
        session = await self._leaving.enter_async_context(aiohttp.ClientSession())
        self.webhooks = Troubled(
            self.provider, public_url=PUBLIC, base_url=base_url, session=session, timeout_s=START_S
        )
        self.webhooks.dice = self.dice
        self.webhooks.time = self.time = Time(self.provider, passed=self._passed, is_parallel=True)
        self.studio = Studio(self.provider, self.webhooks, time=self.time)
        self.studio.settled = self.settled
        self.board = Switchboard(self.studio)
        clocked.set_up(self.provider.numbers[OWN], clocked.desk_settings(self.folder).channels)

    def _make_clock(self) -> None:
        clock = self.folder / "clock"
        clock.write_bytes(struct.pack("d", self.provider.at.timestamp()))
        with clock.open("r+b") as file:
            self._clock = mmap.mmap(file.fileno(), SIZE_BYTES)
        self._leaving.push_async_callback(self._stop_daemon)

    async def _start_daemon(self) -> str:
        """Start it, and wait until it takes webhooks; where."""
        program = [
            sys.executable,
            "-m",
            "tests.phone.clocked_daemon",
            str(self.folder),
            str(self.folder / "clock"),
        ]
        pipe = asyncio.subprocess.PIPE
        with (self.folder / "daemon.log").open("ab") as log:
            self._daemon = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=pipe, stderr=log)
        async with asyncio.timeout(START_S):
            said = await self._said()
        self._is_up = True
        return f"http://127.0.0.1:{said.removeprefix('ready ')}"

    async def _stop_daemon(self) -> None:
        assert self._daemon.stdin is not None
        self._daemon.stdin.close()
        try:
            await asyncio.wait_for(self._daemon.wait(), START_S)
        except TimeoutError:
            self._daemon.kill()
            await self._daemon.wait()

    async def outage(self, down_s: float) -> None:
        """Kill the daemon whatever it is doing, and start it again so much later; nobody answers meanwhile."""
        if not self._is_up:
            return
        self._is_up = False
        self.kills += 1
        self._daemon.kill()
        await self._daemon.wait()
        await self.time.rest(down_s)
        async with self._asking:
            self.webhooks.goes_to(await self._start_daemon())

    async def ask(self, word: str) -> None:
        """Have the daemon do something (see clocked_daemon), if it is there. Raises: EOFError when it ended by itself."""
        async with self._asking:
            if not self._is_up:
                return
            assert self._daemon.stdin is not None
            with contextlib.suppress(ConnectionError):
                self._daemon.stdin.write(f"{word}\n".encode())
            try:
                await self._said()
            except EOFError:
                if self._is_up:
                    raise

    async def _said(self) -> str:
        """Read the next answer; what the daemon logs beside it is passed over."""
        assert self._daemon.stdout is not None
        while line := (await self._daemon.stdout.readline()).decode().strip():
            if line == "done" or line.startswith("ready "):
                return line
        raise EOFError(f"the daemon has ended: {(self.folder / 'daemon.log').read_text()[-2_000:]}")

    async def settled(self) -> None:
        await self.ask("settle")

    async def _passed(self, seconds: float) -> None:
        self._clock[:] = struct.pack("d", self.provider.at.timestamp())
        self._unseen_s += seconds
        if self._unseen_s >= LOOK_S:
            self._unseen_s = 0.0
            await self.ask("look")

    async def rest(self, seconds: float) -> None:
        """Let everything happen, and so much time go by after it."""
        await self.time.play()
        await self.settled()
        await self.time.play(until_s=self.time.now_s + seconds)
        await self.settled()

    @property
    def tracebacks(self) -> int:
        return (self.folder / "daemon.log").read_bytes().count(b"Traceback")
