"""What daemons on one PostgreSQL tell each other at once: lines of chats, who types, that something happened.

A visitor's socket and the agent's may be at two daemons. What one of them commits the other is told by its number and
nothing more (intake.store.announcing), and reads; who types or has read is told whole, and kept nowhere. All but that is found by
looking as well (intake.upkeep), so that a word that is lost costs a moment and no line.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from channels.contract import Fed
from intake import aliases, events, session_lines
from intake.feeds import Feeds, Glimpse
from intake.store.announcing import WORD_MAX_BYTES, Announcer
from intake.store.engine import Signals, Store, StoreError, Tx

SHOWN_AT_ONCE = 200

log = logging.getLogger("intake.neighbours")


class Line(msgspec.Struct, frozen=True, array_like=True):
    """A line that is committed; see session_lines.Said."""

    session: str
    account: str
    ticket_id: int | None
    seq: int


class Passed(msgspec.Struct, frozen=True, array_like=True):
    """What a visitor does that agents may see, and nothing keeps; see feeds.Glimpse."""

    session: str
    account: str
    ticket_id: int | None
    what: Literal["typing", "read"]
    seq: int


class Word(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one commit or moment is to the others. gone, placed, aliased, typing, seen: as those signals."""

    lines: tuple[Line, ...] = ()
    gone: tuple[str, ...] = ()
    placed: tuple[tuple[str, int], ...] = ()
    aliased: tuple[tuple[str, str], ...] = ()
    typing: tuple[tuple[str, str], ...] = ()
    seen: tuple[tuple[str, int], ...] = ()
    passed: tuple[Passed, ...] = ()
    has_happened: bool = False


_LISTS = ("lines", "gone", "placed", "aliased", "typing", "seen", "passed")
_NOTHING = Word()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Word).decode


class Neighbours:
    """The other daemons. show: gives agents' screens what is to be seen at once; happened: events were committed."""

    def __init__(
        self,
        store: Store,
        feeds: Feeds,
        *,
        url: str,
        show: Callable[[Glimpse], None],
        happened: Callable[[], None],
    ) -> None:
        self._store, self._feeds, self._show, self._happened = store, feeds, show, happened
        self._announcer = Announcer(url, heard=self.hear, begun=self._look_soon)
        self._to_show: deque[Line] = deque()
        self._has_work = asyncio.Event()
        self._is_to_look = False
        feeds.watch(self._pass_on)

    @property
    def is_heard(self) -> bool:
        """Whether words get through; while they do not, looking is all there is."""
        return self._announcer.is_heard

    async def run(self) -> None:
        """Tell and hear until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._announcer.run())
            tasks.create_task(self._work())

    def tell(self, signals: Signals) -> None:
        """Tell the others of a commit of ours, on the loop."""
        lines = (
            Line(each.session, each.account, each.ticket_id, each.fed.seq)
            for each in signals.get(session_lines.SIGNAL, ())
        )
        self._say(
            Word(
                lines=tuple(lines),
                gone=tuple(signals.get(session_lines.GONE, ())),
                placed=tuple(signals.get(session_lines.PLACED, ())),
                aliased=tuple(signals.get(aliases.SIGNAL, ())),
                typing=tuple(signals.get(session_lines.TYPING, ())),
                seen=tuple(signals.get(session_lines.SEEN, ())),
                has_happened=events.SIGNAL in signals,
            )
        )

    def _pass_on(self, glimpse: Glimpse) -> None:
        """Tell them what a visitor of ours does on a ticket; a line is told by its commit."""
        if glimpse.what != "line" and glimpse.ticket_id is not None:
            passed = Passed(glimpse.session, glimpse.account, glimpse.ticket_id, glimpse.what, glimpse.seq)
            self._say(Word(passed=(passed,)))

    def _say(self, word: Word) -> None:
        for each in _spoken(word):
            self._announcer.tell(each)

    def hear(self, text: str) -> None:
        """Do what another daemon's word means here, on the loop."""
        try:
            word = _decode(text)
        except msgspec.DecodeError:  # of a daemon of another version: what it is about is found by looking
            log.warning("word_not_understood size_bytes=%d", len(text))
            return
        self._feeds.committed(
            {
                session_lines.GONE: word.gone,
                session_lines.PLACED: word.placed,
                aliases.SIGNAL: word.aliased,
                session_lines.TYPING: word.typing,
                session_lines.SEEN: word.seen,
            }
        )
        for line in word.lines:
            self._feeds.know_of(line.session, line.seq)
        for each in word.passed:
            self._show(Glimpse(each.session, each.account, each.ticket_id, each.what, seq=each.seq))
        if word.has_happened:
            self._happened()
        if word.lines:
            self._to_show.extend(word.lines)
            self._has_work.set()

    def _look_soon(self) -> None:
        """Look for what was committed while nothing was heard."""
        self._is_to_look = True
        self._has_work.set()
        self._happened()

    async def _work(self) -> None:
        """Look, and show lines of others, whenever there is something to."""
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            try:
                if self._is_to_look:
                    self._is_to_look = False
                    await self._feeds.look()
                while self._to_show:
                    await self._show_lines()
            except StoreError as error:  # the events of these lines are told when it works again
                log.warning("lines_not_shown reason=%s", error.sentence)
                self._to_show.clear()

    async def _show_lines(self) -> None:
        """Give agents' screens the next lines that are told of. Raises: StoreError."""
        lines = [self._to_show.popleft() for _ in range(min(SHOWN_AT_ONCE, len(self._to_show)))]

        def read(tx: Tx) -> list[tuple[Line, tuple[Fed, int | None] | None]]:
            return [(each, session_lines.one(tx, each.session, each.seq)) for each in lines]

        for line, found in await self._store.read(read):
            if found is not None:  # else it is forgotten already
                self._show(Glimpse(line.session, line.account, line.ticket_id, "line", found[0], line.seq))


def _spoken(word: Word) -> Iterator[str]:
    """Yield a word as text, in as many parts as it takes; nothing of one that says nothing."""
    if word == _NOTHING:
        return
    text = _encode(word)
    if len(text) <= WORD_MAX_BYTES:
        yield text.decode()
        return
    lists = {name: getattr(word, name) for name in _LISTS}
    if max(map(len, lists.values())) < 2:
        return  # one thing that is too long for any word: it is found by looking
    yield from _spoken(Word(**{name: each[: len(each) // 2] for name, each in lists.items()}))
    rest = {name: each[len(each) // 2 :] for name, each in lists.items()}
    yield from _spoken(Word(**rest, has_happened=word.has_happened))
