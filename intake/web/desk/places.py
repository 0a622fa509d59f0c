"""Who is where on the desk, as open pages say it: what here.py is told, and lists and tickets show.

It holds for as long as the stream that the page listens to is open, and for EXPIRES_S more, so that a line that was cut
changes nothing. One daemon keeps it in memory; where several share a store it is a row (intake.whereabouts), read each second.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from intake import whereabouts
from intake.store.engine import Store, StoreError
from intake.web.access import Subject
from intake.web.desk.live import Live
from intake.whereabouts import Doing, There

LOOK_S = 1.0
PROLONG_EVERY = 10  # looks
PAGES_MAX = 5_000
PAGE_MAX_CHARACTERS = 64

_STRENGTH = {"looking": 0, "noting": 1, "replying": 2}
Person = dict[str, str]
"""agent, doing"""


class Places:
    """Who is where."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store, self._live = store, live
        self._pages: dict[str, There] = {}
        self._told: dict[str, dict[str, str]] = {}  # ref -> agent -> what was told last
        self._streams: set[str] = set()
        self._said = 0  # counts what pages said: a look that began before knows nothing of it
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def stream(self) -> Iterator[str]:
        """Open a stream: what pages say under its name holds until it ends, and a little longer."""
        name = secrets.token_urlsafe(16)
        self._streams.add(name)
        self._begin()
        try:
            yield name
        finally:
            self._streams.discard(name)

    async def say(
        self, ref: str, agent: str, doing: Doing, *, page: str, stream: str, subject: Subject | None = None
    ) -> None:
        """Note what somebody does on a page, and tell it where it is news. page: its own name, "" = it has none."""
        now = self._store.now_us()
        self._said += 1
        page = f"{agent}:{(page or ref)[:PAGE_MAX_CHARACTERS]}"
        known = self._pages.get(page)
        since = known.since if known is not None and known.ref == ref else now
        there = There(
            page, ref, agent, doing, stream[:PAGE_MAX_CHARACTERS], since, now + whereabouts.EXPIRES_US
        )
        self._pages[page] = there
        while len(self._pages) > PAGES_MAX:
            self._pages.pop(next(iter(self._pages)))
        self._begin()
        if self._store.is_shared:
            await self._store.write(lambda tx: whereabouts.say(tx, there))
        self._tell({ref: subject} if subject is not None else {})

    async def end(self, ref: str, agent: str, *, page: str, subject: Subject | None = None) -> None:
        """Note that a page is left."""
        self._said += 1
        page = f"{agent}:{(page or ref)[:PAGE_MAX_CHARACTERS]}"
        self._pages.pop(page, None)
        if self._store.is_shared:
            await self._store.write(lambda tx: whereabouts.end(tx, page, agent=agent))
        self._tell({ref: subject} if subject is not None else {})

    def others(self, ref: str, agent: str) -> list[Person]:
        """Return who else is there, in the order in which they came."""
        found = self._doing(each for each in self._pages.values() if each.ref == ref)
        return [
            {"agent": name, "doing": doing} for name, doing in found.get(ref, {}).items() if name != agent
        ]

    def _doing(self, pages: Iterable[There]) -> dict[str, dict[str, str]]:
        """Return ref -> agent -> what they do there: of several pages of theirs, what matters most to others."""
        now, found = self._store.now_us(), dict[str, dict[str, str]]()
        for each in pages:
            if each.until <= now:
                continue
            people = found.setdefault(each.ref, {})
            before = people.get(each.agent, "looking")
            people[each.agent] = max(before, each.doing, key=_STRENGTH.__getitem__)
        return found

    # -- as time goes by -------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look_on())

    async def _look_on(self) -> None:
        """Look until there is nobody to look after."""
        looks = 0
        while self._streams or self._pages:
            with contextlib.suppress(StoreError):  # told of elsewhere; the next look is a second later
                await self.look(is_prolonging=looks % PROLONG_EVERY == 0)
            looks += 1
            await asyncio.sleep(LOOK_S)

    async def look(self, *, is_prolonging: bool = True) -> None:
        """Prolong what our own streams stand for, hear of other daemons' pages, and tell what is over."""
        now = self._store.now_us()
        if self._store.is_shared:
            if is_prolonging:
                streams = frozenset(self._streams)
                await self._store.write(lambda tx: whereabouts.prolong(tx, streams))
            said = self._said
            found = await self._store.read(whereabouts.everybody)
            if said == self._said:
                self._pages = {each.page: each for each in found}
        else:
            until = now + whereabouts.EXPIRES_US
            self._pages = {
                each.page: msgspec.structs.replace(each, until=until)
                if each.stream in self._streams
                else each
                for each in self._pages.values()
                if each.until > now
            }
        self._tell({})

    def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    def _tell(self, subjects_: dict[str, Subject]) -> None:
        """Tell what has changed since it was told last."""
        now, before = self._doing(self._pages.values()), self._told
        self._told = now
        for ref in now.keys() | before.keys():
            for agent, doing in _changes(before.get(ref, {}), now.get(ref, {})):
                told = {"what": "here", "ref": ref, "agent": agent, "doing": doing}
                self._live.tell(f"ticket:{ref}", told, subject=subjects_.get(ref))


def _changes(before: dict[str, str], now: dict[str, str]) -> Iterator[tuple[str, str]]:
    for agent in now.keys() | before.keys():
        doing = now.get(agent, "gone")
        if before.get(agent, "gone") != doing:
            yield agent, doing
