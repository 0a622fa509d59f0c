"""One listener of a session: it begins with what there is, then gives every line in order, from the store or from memory."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from channels.contract import Fed, Fetched, Opened, Passing, Unavailable
from intake import session_lines

if TYPE_CHECKING:
    from intake.feeds import Feeds

WAITING_MAX = 500  # in memory; beyond that it reads


class SessionFeed:
    """One listener; see contract.Feed. ticket_id: that of the session's last line, as far as it is known."""

    __slots__ = (
        "_cursor",
        "_hub",
        "_is_behind",
        "_is_closed",
        "_is_opened",
        "_waiter",
        "_waiting",
        "account",
        "session",
        "ticket_id",
    )

    def __init__(self, hub: "Feeds", account: str, session: str, after: int) -> None:
        self._hub, self.account, self.session = hub, account, session
        self.ticket_id: int | None = None
        self._cursor = after  # the last number that was put into _waiting
        self._waiting: deque[Fed | Passing | None] | None = None  # made when needed: most listen to silence
        self._waiter: asyncio.Future[None] | None = None
        self._is_behind = self._is_opened = self._is_closed = False

    def __aiter__(self) -> "SessionFeed":
        return self

    async def __anext__(self) -> Opened | Fed | Passing:
        while not self._is_closed:
            if not self._is_opened:
                return await self._begin()
            if self._waiting:
                thing = self._waiting.popleft()
                if thing is None:
                    raise Unavailable(
                        "the chat was forgotten: what comes now is numbered anew", retry_after_s=1
                    )
                return thing
            if self._is_behind:
                await self._catch_up()
                continue
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        raise StopAsyncIteration

    async def _begin(self) -> Opened:
        """Listen first, then look: what is committed between the two is seen by one of them."""
        if not self._is_behind:
            self._hub.add(self)
        self._is_behind = True
        opened, ticket_id = await self._hub.opened(self)
        self.ticket_id = self.ticket_id or ticket_id
        self._cursor = min(self._cursor, opened.last_seq)  # a page may know more than a restored store
        self._is_opened = True
        return opened

    async def _catch_up(self) -> None:
        self._is_behind = False
        try:
            lines = await self._hub.after(self, self._cursor)
        except BaseException:
            self._is_behind = True
            raise
        new = [each for each in lines if each.seq > self._cursor]
        if new:
            self._cursor = new[-1].seq
            self._put(*new)
        if len(lines) == session_lines.PAGE:
            self._is_behind = True

    @property
    def cursor(self) -> int:
        """The last number that was given."""
        return self._cursor

    def become(self, session: str, *, after: int = 0) -> None:
        """Give another session's lines from now on."""
        is_listed = self._is_opened or self._is_behind
        if is_listed:
            self._hub.remove(self)
        self.session, self._cursor = session, after
        if is_listed:
            self._hub.add(self)
        self._is_behind = True
        self._wake()

    def open_again(self) -> None:
        """Say once more what the feed begins with: it is another session's now, with what that one has agreed to and told."""
        self._is_opened = False

    def offer(self, fed: Fed) -> None:
        """Take a line that was committed just now, when it is the next one."""
        is_next = fed.seq == self._cursor + 1 and not self._is_behind and self._is_opened
        if is_next and len(self._waiting or ()) < WAITING_MAX:
            self._cursor = fed.seq
            self._put(fed)
        else:
            self.know_of(fed.seq)

    def know_of(self, seq: int) -> None:
        """Learn that there is a line of that number."""
        if seq > self._cursor:
            self._is_behind = True
            self._wake()

    def pass_on(self, passing: Passing) -> None:
        """See contract.Feed."""
        if len(self._waiting or ()) < WAITING_MAX and self._is_opened:
            self._put(passing)

    def break_off(self) -> None:
        """End with an error: there are no such lines any more, and who comes again hears so."""
        self._put(None)

    def _put(self, *things: Fed | Passing | None) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.extend(things)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def say(self, passing: Passing) -> None:
        """See contract.Feed."""
        self._hub.said_by(self, passing)

    async def reached(self, seq: int, *, is_read: bool) -> None:
        """See contract.Feed."""
        self._hub.mark(self, seq, is_read=is_read)

    async def file(self, seq: int, number: int) -> Fetched | None:
        """See contract.Feed."""
        return await self._hub.file(self, seq, number)

    def close(self) -> None:
        """See contract.Feed."""
        self._is_closed = True
        self._hub.remove(self)
        self._wake()
