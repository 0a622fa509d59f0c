"""Many calls at once to one desk: real turns, holds and tickets on a real store, one thread for each caller."""

import asyncio
import random
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import select

from channels.contract import RawMessage, Turn, View
from channels.twilio import voice
from channels.twilio.phone import moment
from intake import journal, pipeline
from intake.journal import Journal
from intake.model import Received
from intake.sessions import Sessions
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from tests.phone.calling import Desk
from tests.phone.talking import Call
from tests.phone.walking import Flaw, Walk

AGENTS = tuple(f"agent{number}" for number in range(10))
RULES = """
version: 1
calendars:
  always: {timezone: Europe/Warsaw, open: {mon-sun: "00:00-24:00"}}
agents:
"""
RULES += "".join(
    f'  {name}: {{email: {name}@desk.example, phone: "+4860000010{number}", skills: [en]}}\n'
    for number, name in enumerate(AGENTS)
)
RULES += f"""
teams:
  support: {{levels: {{l1: [{", ".join(AGENTS[:5])}], l2: [{", ".join(AGENTS[5:8])}], lead: [{", ".join(AGENTS[8:])}]}}}}
sla:
  standard: {{calendar: always, first_response: 2h, resolution: 8h}}
default: {{team: support, priority: normal, sla: standard}}
"""
_j = schema.journal.c
_PENDING = Statement(select(_j.id).where(_j.state == "pending").order_by(_j.id))


class Phones:
    """Whose phone rings or is in use, as a person in the room would see it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, str] = {}

    def take(self, call: str, names: Iterable[str]) -> None:
        with self._lock:
            for name in names:
                if self._used.get(name, call) != call:
                    raise Flaw(f"the phone of {name} rings for two calls")
                self._used[name] = call

    def give_back(self, call: str, name: str) -> None:
        with self._lock:
            if self._used.get(name) == call:
                del self._used[name]


class Crowd:
    """Plays calls against a desk. desk: with RULES."""

    def __init__(self, desk: Desk, *, seed: int) -> None:
        self.desk, self.seed, self.phones = desk, seed, Phones()
        self._settling = threading.Lock()
        self.sessions = Sessions(
            desk.store,
            desk.keys,
            journal=Journal(desk.store, desk.keys, folder=desk.folder),
            views=desk.views,
            folder=desk.folder,
            caller=lambda raw: voice.parse(raw, voice.Options(account_sid="AC" + "0" * 32)).caller,
        )

    async def play(self, calls: int, *, at_once: int) -> dict[str, str]:
        """Play calls, so many at a time; why each ended. A recording says more than its caller's leg."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(at_once) as threads:
            ended = await asyncio.gather(
                *(loop.run_in_executor(threads, self._one, number, loop) for number in range(calls)),
                return_exceptions=True,
            )
        for each in ended:
            if isinstance(each, BaseException):
                raise each
        return dict(each for each in ended if isinstance(each, tuple))

    def _one(self, number: int, loop: asyncio.AbstractEventLoop) -> tuple[str, str]:
        walk = OnStore(random.Random(f"{self.seed} {number}"), self, number, loop)
        why = walk.run()
        return walk.call.name, "voicemail" if "recorded" in walk.call.words else why

    def settle(self, account: voice.Options) -> None:
        """Settle what was taken in, as the dispatcher would, in order."""
        with self._settling:
            for received in self.desk.store.read_now(self._pending):
                self.desk.store.write_now(partial(self._settle, received=received, account=account))

    def _settle(self, tx: Tx, *, received: Received, account: voice.Options) -> None:
        pipeline.settle(tx, self.desk.context, received, voice.parse(received.raw, account))

    def _pending(self, tx: Tx) -> list[Received]:
        return [journal.load(tx, row[0], self.desk.folder) for row in tx.all(_PENDING)]


class OnStore(Walk):
    """A caller whose turns are real. Two in ten requests are made twice."""

    def __init__(
        self, dice: random.Random, crowd: Crowd, number: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._crowd, self._number, self._loop = crowd, number, loop
        super().__init__(dice)

    def calling(self, account: voice.Options) -> Call:
        call = Kept(account, self._crowd, self._loop, dice=self.dice)
        call.name = f"CA{self._number:032x}"
        call.caller = f"+48601{self._number:06}"
        return call

    def rings(self, names: Iterable[str]) -> None:
        self._crowd.phones.take(self.call.name, names)

    def stops(self, name: str) -> None:
        self._crowd.phones.give_back(self.call.name, name)

    def _move_on(self) -> None:
        """The rules do that."""

    def _disturb(self, url: str) -> None:
        """What is lost, and comes late, is for the walk without a store."""


class Kept(Call):
    """A call whose state is in the store."""

    def __init__(
        self, account: voice.Options, crowd: Crowd, loop: asyncio.AbstractEventLoop, *, dice: random.Random
    ) -> None:
        super().__init__(account)
        self._crowd, self._loop, self._dice = crowd, loop, dice
        self.at = crowd.desk.clock()

    def decide(self, raw: RawMessage) -> Turn:
        turns: list[Turn] = []

        def step(kept: bytes | None, raw: RawMessage, view: View) -> Turn:
            turns.append(self.machine.step(kept, raw, view))
            return turns[-1]

        raw = msgspec.structs.replace(raw, keys=(voice.key(self.options, moment.read(raw)),))
        replies = {self._ask(raw, step) for _ in range(2 if self._dice.random() < 0.2 else 1)}
        self._crowd.settle(self.options)
        assert len(replies) == 1, "asked again it is answered otherwise"
        if not turns:  # Twilio has told it before
            return msgspec.structs.replace(self.turn, reply=replies.pop(), happened=())
        assert replies == {turns[-1].reply}
        return turns[-1]

    def _ask(self, raw: RawMessage, step: Any) -> str:
        turn = self._crowd.sessions.turn(f"phone:{self.name}", raw, step)
        return asyncio.run_coroutine_threadsafe(turn, self._loop).result(30)
