"""What is said to sessions, live: each listener gets every line in order, from the store what it missed, else from memory.

A commit brings its lines along (`committed`), so that a line that is next needs no look at the store. Whoever is further
behind reads. What another daemon or a command has written is found by looking (`look`). Marks of pages, that lines have come
and were read, are gathered for a moment and written together.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec

from channels.contract import Fed, Fetched, Opened, Passing, Unavailable
from intake import aliases, line_files, line_marks, session_lines
from intake.line_files import Uploads
from intake.model import Context
from intake.session_feed import SessionFeed
from intake.session_lines import Said
from intake.store.engine import Signals, Store, StoreError, Tx

LOOK_BACK_US = 5_000_000  # how long a transaction may have taken that another daemon has committed just now
LOOK_AT_ALL_EVERY = 60  # looks: then every open session is compared, whatever the clocks say
MARKS_S = 0.3

T = TypeVar("T")

log = logging.getLogger("intake.feeds")


class Glimpse(msgspec.Struct, frozen=True):
    """Something of a session that agents may see at once. ticket_id: None = nothing of it has been settled yet."""

    session: str
    account: str
    ticket_id: int | None
    what: Literal["line", "typing", "read"]
    fed: Fed | None = None
    seq: int = 0


Watcher = Callable[[Glimpse], None]


class Feeds:
    """All that is open in this daemon. files: of lines; context: the rules in force."""

    def __init__(self, store: Store, *, uploads: Uploads, context: Callable[[], Context]) -> None:
        self._store, self._uploads, self._context = store, uploads, context
        self._open: dict[str, list[SessionFeed]] = {}
        self._watchers: list[Watcher] = []
        self._marks: dict[str, line_marks.Mark] = {}
        self._has_marks = asyncio.Event()
        self._looks = 0

    @property
    def count(self) -> int:
        """How many listen."""
        return sum(map(len, self._open.values()))

    def feed(self, account: str, session: str, *, after: int = 0) -> SessionFeed:
        """Listen; see contract.Gate.feed."""
        return SessionFeed(self, account, session, after)

    def watch(self, watcher: Watcher) -> None:
        """Call a watcher, on the loop, with each line and whatever passes."""
        self._watchers.append(watcher)

    def committed(self, signals: Signals) -> None:
        """Hear of a commit, on the loop."""
        for session in signals.get(session_lines.GONE, ()):
            for feed in list(self._open.get(session, ())):
                feed.break_off()
        for session, ticket_id in signals.get(session_lines.PLACED, ()):
            for feed in self._open.get(session, ()):
                feed.ticket_id = ticket_id
        for alias, session in signals.get(aliases.SIGNAL, ()):
            for feed in list(self._open.get(alias, ())):
                feed.become(session)
                feed.open_again()
        for said in signals.get(session_lines.SIGNAL, ()):
            self._said(said)
        for session, name in signals.get(session_lines.TYPING, ()):
            self.tell(session, Passing("typing", {"name": name}))
        for session, seq in signals.get(session_lines.SEEN, ()):
            self.tell(session, Passing("seen", {"seq": seq}))

    def _said(self, said: Said) -> None:
        for feed in self._open.get(said.session, ()):
            feed.offer(said.fed)
        if self._watchers:
            self._glimpse(Glimpse(said.session, said.account, said.ticket_id, "line", said.fed, said.fed.seq))

    def _glimpse(self, glimpse: Glimpse) -> None:
        for watcher in self._watchers:
            watcher(glimpse)

    def know_of(self, session: str, seq: int) -> None:
        """Let who listens to a session know that it has a line of that number: another daemon has written it."""
        for feed in self._open.get(session, ()):
            feed.know_of(seq)

    def tell(self, session: str, passing: Passing) -> None:
        """Tell whoever listens to a session something that is not kept."""
        for feed in self._open.get(session, ()):
            feed.pass_on(passing)

    def said_by(self, feed: SessionFeed, passing: Passing) -> None:
        if passing.what == "typing":
            self._glimpse(Glimpse(feed.session, feed.account, feed.ticket_id, "typing"))

    def mark(self, feed: SessionFeed, seq: int, *, is_read: bool) -> None:
        """Keep a mark for the next writing."""
        known = self._marks.get(feed.session, line_marks.Mark())
        mark = self._marks[feed.session] = known.reached(seq, is_read=is_read)
        self._has_marks.set()
        # What was told just now is not told again, nor is what cannot be true told twice.
        if mark.read > known.read and (not known.read or seq <= feed.cursor):
            self._glimpse(Glimpse(feed.session, feed.account, feed.ticket_id, "read", seq=seq))

    async def run(self) -> None:
        """Write marks until cancelled."""
        while True:
            await self._has_marks.wait()
            await asyncio.sleep(MARKS_S)
            self._has_marks.clear()
            marks, self._marks = self._marks, {}
            await self._write_all(marks)

    async def _write_all(self, marks: dict[str, line_marks.Mark]) -> None:
        """Write what has gathered; what cannot be written now is no loss: the next mark says as much."""
        try:
            moves = await self._store.read(lambda tx: line_marks.look(tx, marks))
        except StoreError as error:
            log.warning("marks_not_written reason=%s", error.sentence)
        except Exception:
            log.exception("marks_not_written")
        else:
            await asyncio.gather(*map(self._write, moves))

    async def _write(self, moves: line_marks.Moves) -> None:
        try:
            await line_marks.write(self._store, self._context(), moves)
        except StoreError as error:
            log.warning("marks_not_written reason=%s", error.sentence)
        except Exception:
            log.exception("marks_not_written")

    async def look(self) -> None:
        """Find what others have written. Raises: StoreError."""
        if not self._open:
            return
        self._looks += 1
        if self._looks % LOOK_AT_ALL_EVERY == 0:
            sessions = list(self._open)
            last = await self._store.read(lambda tx: session_lines.last_of(tx, sessions))
        else:
            since = self._store.now_us() - LOOK_BACK_US
            last = await self._store.read(lambda tx: session_lines.said_since(tx, since))
        for session, seq in last.items():
            self.know_of(session, seq)

    # -- for the feeds themselves ---------------------------------------------------------------------------------------

    def add(self, feed: SessionFeed) -> None:
        self._open.setdefault(feed.session, []).append(feed)

    def remove(self, feed: SessionFeed) -> None:
        others = self._open.get(feed.session, [])
        with contextlib.suppress(ValueError):
            others.remove(feed)
        if not others:
            self._open.pop(feed.session, None)

    async def opened(self, feed: SessionFeed) -> tuple[Opened, int | None]:
        """Return what a feed begins with, and its ticket; one whose session is another's goes over to that one."""
        own = feed.session
        session, found = await self._read(lambda tx: _opened(tx, own))
        if session == own == feed.session:
            return found
        if feed.session == own:
            feed.become(session, after=feed.cursor)  # it listens there from now on, and looks once more
        # Else it was told while we looked that it is another's now.
        return await self._read(lambda tx: session_lines.opened(tx, feed.session))

    async def after(self, feed: SessionFeed, seq: int) -> list[Fed]:
        return await self._read(lambda tx: session_lines.after(tx, feed.session, seq))

    async def file(self, feed: SessionFeed, seq: int, number: int) -> Fetched | None:
        def found(tx: Tx) -> Fetched | None:
            session = aliases.resolved(tx, feed.session)
            return line_files.read(tx, self._uploads, session, seq, number)

        return await self._read(found)

    async def _read(self, fn: Callable[[Tx], T]) -> T:
        try:
            return await self._store.read(fn)
        except StoreError as error:
            raise Unavailable(error.sentence) from error


def _opened(tx: Tx, own: str) -> tuple[str, tuple[Opened, int | None]]:
    """Return the session whose lines a token's own shows, and what its feed begins with."""
    session = aliases.resolved(tx, own)
    return session, session_lines.opened(tx, session)
