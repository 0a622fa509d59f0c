"""Chats that are open on this daemon, by either way: who they are with, what their feeds bring."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from aiohttp import web

from channels import contract
from channels.webchat import limits, proofs, protocol, state, talk, wire, work
from channels.webchat.door import Door, Visitor
from channels.webchat.proofs import Proofs
from channels.webchat.settings import Options
from channels.webchat.talk import Talk

STATUS = "status"
STATUS_FRESH_S = 2.0


class Room:
    """One open chat: gives what is to be sent, as text, until it is closed."""

    __slots__ = ("_rooms", "_visitor", "feed")

    def __init__(self, rooms: "Rooms", visitor: Visitor, feed: contract.Feed) -> None:
        self._rooms, self._visitor, self.feed = rooms, visitor, feed

    async def __aiter__(self) -> AsyncIterator[str]:
        async for thing in self.feed:
            if isinstance(thing, contract.Opened):
                yield protocol.text_of(await self._rooms.welcome(self._visitor, thing))
            if not self._rooms.proofs.may_read(self._visitor):
                yield protocol.text_of(proofs.REQUIRED)
                await self._rooms.proofs.until_proven(self._visitor)
            if isinstance(thing, contract.Opened):
                continue
            if isinstance(thing, contract.Passing) and thing.what == STATUS:
                yield str(thing.details[STATUS])
                continue
            for text in talk.heard(thing, self._rooms.options, self._visitor.locale):
                yield text

    def close(self) -> None:
        self._rooms.forget(self)
        self.feed.close()


class Rooms:
    """The open chats of one account. clock: aware UTC."""

    def __init__(
        self,
        account: str,
        options: Options,
        *,
        gate: contract.Gate,
        door: Door,
        clock: Callable[[], datetime],
        log: logging.Logger,
    ) -> None:
        self._account, self.options, self._gate, self._door = account, options, gate, door
        self._clock = clock
        self._limits = limits.Limits(options.limits, clock)
        self._count = 0
        self._rooms: set[Room] = set()
        self._status: tuple[float, protocol.Status] | None = None
        self.proofs = Proofs(options.identity, clock=clock, feed=self.feed)
        self.talk = Talk(
            account,
            options,
            gate=gate,
            limiter=self._limits,
            proofs=self.proofs,
            clock=clock,
            log=log,
            worker=work.Work(options.limits.work_above_lines_per_minute, seal=gate.seal, clock=clock),
        )

    @property
    def count(self) -> int:
        return self._count

    def visitor(self, token: str, request: web.Request) -> Visitor:
        return self._door.visitor_of(token, request)

    def enter(self, address: str) -> bool:
        """Count one more that is open; false = there are too many, of this address or in all."""
        if self._count >= self.options.max_open or not self._limits.enter(address):
            return False
        self._count += 1
        return True

    def leave(self, address: str) -> None:
        self._count -= 1
        self._limits.leave(address)

    def open(self, visitor: Visitor, *, after: int) -> Room:
        """Listen to a session: every line with a number > after."""
        room = Room(self, visitor, self.feed(visitor, after=after))
        self._rooms.add(room)
        return room

    def forget(self, room: Room) -> None:
        self._rooms.discard(room)

    def feed(self, visitor: Visitor, *, after: int = 0) -> contract.Feed:
        return self._gate.feed(self._account, visitor.session, after=after)

    async def check_uploads(self, visitor: Visitor, about: str) -> None:
        """See, before a byte is read, whether files of theirs may be kept. Raises: contract.Refused, contract.Unavailable."""
        await self.proofs.check(visitor)
        if self.options.consent.asked:
            self.talk.machine.check_agreed(await self.known(visitor), about)

    async def known(self, visitor: Visitor) -> state.State:
        """Return what is kept with the session. Raises: contract.Unavailable."""
        return state.read((await self._opened(visitor)).state)

    async def has_begun(self, visitor: Visitor) -> bool:
        """Whether anything is kept of the session. Raises: contract.Unavailable."""
        opened = await self._opened(visitor)
        return opened.state is not None or opened.last_seq > 0

    async def _opened(self, visitor: Visitor) -> contract.Opened:
        feed = self.feed(visitor)
        try:
            async for thing in feed:
                if isinstance(thing, contract.Opened):
                    return thing
        finally:
            feed.close()
        raise contract.Unavailable("the feed ended before it began")

    async def hear(self, visitor: Visitor, text: str | bytes, feed: contract.Feed) -> Sequence[str]:
        """Do what was said; the answers."""
        try:
            said = protocol.read(text)
        except protocol.BadMessage as error:
            return (protocol.text_of(protocol.Failed(code="bad_message", text=error.said)),)
        return await self.talk.hear(visitor, said, feed)

    async def welcome(self, visitor: Visitor, opened: contract.Opened) -> protocol.Welcome:
        """Return the first thing that a page hears. Raises: Unavailable."""
        known = state.read(opened.state)
        self.proofs.look(visitor, opened)
        is_proven = self.proofs.is_proven(visitor)
        return wire.welcome(opened, known, await self.status(), is_identified=is_proven)

    async def status(self) -> protocol.Status:
        """Return whether somebody is there, as it was 2 s ago at most. Raises: Unavailable."""
        now_s, known = time.monotonic(), self._status
        if known is None or now_s - known[0] >= STATUS_FRESH_S:
            known = self._status = (now_s, wire.status(await self._gate.view(self._account)))
        return known[1]

    async def watch(self) -> None:
        """Tell all open chats when the status changes, until cancelled."""
        last: protocol.Status | None = None
        while True:
            await asyncio.sleep(STATUS_FRESH_S)
            with contextlib.suppress(contract.Unavailable):
                last = await self.look(last)

    async def look(self, last: protocol.Status | None) -> protocol.Status | None:
        """Tell all open chats what is new since the last look; what to compare the next one with. Raises: Unavailable."""
        if not self._rooms:
            return last
        now = await self.status()
        if last is not None and not wire.is_alike(last, now):
            text = protocol.text_of(wire.status_changed(now))
            for room in self._rooms:
                room.feed.pass_on(contract.Passing(STATUS, {STATUS: text}))
        return now
