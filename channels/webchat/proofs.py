"""Who of the open chats has proven who they are, and until when: where `identity.required` is set, nothing is read without it.

A proof counts for the browser that brought it, and not for others that show the same chat.
A proof is taken in by a turn and kept with the session; this is what an open connection knows of it. One that waits for a
proof is told at once when it comes by any connection to this daemon, and looks for itself every RELOOK_S: another daemon may
have taken it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from channels import contract
from channels.webchat import identity, protocol, state
from channels.webchat.door import Visitor
from channels.webchat.identity import Options

RELOOK_S = 5.0
REQUIRED = protocol.Failed(code="identity_required", text="Only visitors who are signed in are served here.")


class Proofs:
    """Of one account. clock: aware UTC. feed: opens a visitor's own."""

    def __init__(
        self,
        options: Options,
        *,
        clock: Callable[[], datetime],
        feed: Callable[[Visitor], contract.Feed],
    ) -> None:
        self._options, self._clock, self._feed = options, clock, feed
        self._waiting: dict[str, list[tuple[Visitor, asyncio.Future[None]]]] = {}

    def is_proven(self, visitor: Visitor) -> bool:
        return identity.is_held(visitor.proven_until, now=self._clock())

    def may_read(self, visitor: Visitor) -> bool:
        """Whether what was said in their chat may be given to them now."""
        return not self._options.required or self.is_proven(visitor)

    def look(self, visitor: Visitor, opened: contract.Opened) -> None:
        """Take over what is kept with the session."""
        visitor.proven_until = state.read(opened.state).proven_until(visitor.session)

    def came(self, visitor: Visitor, until: int) -> None:
        """Note a proof that was taken in, Unix seconds, for every connection of the same chat."""
        visitor.proven_until = until
        for other, waiter in self._waiting.pop(visitor.session, ()):
            other.proven_until = until
            if not waiter.done():
                waiter.set_result(None)

    async def until_proven(self, visitor: Visitor) -> None:
        """Wait until the visitor has proven who they are. Raises: contract.Unavailable."""
        while not self.is_proven(visitor):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(visitor.session, []).append((visitor, waiter))
            try:
                await asyncio.wait({waiter}, timeout=RELOOK_S)
            finally:
                self._leave(visitor, waiter)
            if not self.is_proven(visitor):
                await self.look_again(visitor)

    async def look_again(self, visitor: Visitor) -> None:
        """Read what is kept with the session now. Raises: contract.Unavailable."""
        feed = self._feed(visitor)
        try:
            async for thing in feed:
                if isinstance(thing, contract.Opened):
                    self.look(visitor, thing)
                break
        finally:
            feed.close()

    async def may_read_now(self, visitor: Visitor) -> bool:
        """As may_read, of a visitor of whom this connection need not know it. Raises: contract.Unavailable."""
        if not self.may_read(visitor):
            await self.look_again(visitor)
        return self.may_read(visitor)

    async def check(self, visitor: Visitor) -> None:
        """See, for one request, whether the visitor may read. Raises: contract.Refused, contract.Unavailable."""
        if not await self.may_read_now(visitor):
            raise contract.Refused(protocol.text_of(REQUIRED))

    def _leave(self, visitor: Visitor, waiter: asyncio.Future[None]) -> None:
        left = [each for each in self._waiting.get(visitor.session, ()) if each[1] is not waiter]
        if left:
            self._waiting[visitor.session] = left
        else:
            self._waiting.pop(visitor.session, None)
