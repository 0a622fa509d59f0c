"""What happens, as it happens: every event row after its commit, told to whoever may see its ticket, resumed by number.

A stream tells that something happened to a ticket and never what was said: pages fetch what they show anew, so that a line
told twice costs a look and a line lost cannot happen. The last events are kept in memory: whoever resumes with a number
that is older is told to load the whole page. Numbers of PostgreSQL can be committed out of order, so that each look goes
some way back. Besides events it carries what is worth no row (typing, who looks): told once, kept nowhere.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake import events
from intake.store import schema
from intake.store.engine import Signals, Store, StoreError
from intake.store.statements import Statement
from intake.web.access import Action, Subject, Who, may
from intake.web.desk import happened
from intake.web.desk.happened import Happened, written

KEPT_MAX = 5_000  # events in memory, for those who resume
READ_MAX = 1_000
BACK = 500  # how far a look goes behind the newest number, where commits can be out of order
AGAIN = 50  # and how many are told once more to who resumes there
WAITING_MAX = 500  # what one listener may leave unread; beyond, it is told to load anew
SUBJECTS_MAX = 2_000
GATHER_S = 0.02  # between two looks: one finds what many commits brought

_e, _t = schema.events.c, schema.tickets.c
_NEWEST = Statement(select(_e.id).order_by(_e.id.desc()).limit(1).offset(bindparam("skipped")))
_SUBJECT = Statement(select(_t.team, _t.agent).where(_t.ref == bindparam("ref")))


class Told(msgspec.Struct, frozen=True):
    """Something that is worth no row. subject: of the ticket it is about, None = it is about none."""

    body: bytes
    subject: Subject | None

    def is_for(self, who: Who) -> bool:
        if self.subject is None:
            return may(who, Action.see_desk)
        return may(who, Action.see_ticket, self.subject)

    def lines(self) -> bytes:
        return self.body


class Listener:
    """One stream. Items wait here until they are written; too many become one reset."""

    def __init__(self, who: Who, mark: Callable[[], str]) -> None:
        self.who, self._mark = who, mark
        self._waiting: deque[bytes] = deque()
        self._woken = asyncio.Event()
        self.is_over = False

    def put(self, lines: bytes) -> None:
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.clear()
            lines = written("reset", {"id": self._mark()})
        self._waiting.append(lines)
        self._woken.set()

    def end(self) -> None:
        self.is_over = True
        self._woken.set()

    async def next(self, timeout_s: float) -> bytes:
        """Return all that waits, b"" when nothing came for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        self._woken.clear()
        found = b"".join(self._waiting)
        self._waiting.clear()
        return found


class Live:
    """Reads new events after each commit and tells them to the listeners who may hear of them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[int, Happened] = OrderedDict()
        self._floor = self._newest = self._last = 0  # what is after the floor is in memory
        self._listeners: set[Listener] = set()
        self._subjects: OrderedDict[str, Subject] = OrderedDict()
        self._woken = asyncio.Event()
        self._has_begun = False
        self._looking: set[asyncio.Future[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._followers: list[Callable[[Happened], None]] = []

    def mark(self) -> str:
        """Return the number to resume from, asked for before a page's data is read."""
        return str(self._last)

    def wake(self) -> None:
        """Look for new events: something was committed, here or elsewhere."""
        self._woken.set()

    async def run(self) -> None:
        """Tell events until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._store.listen(self._committed)
        self.wake()
        while True:
            await self._woken.wait()
            self._woken.clear()
            # A fault of the store is told of elsewhere; the next commit wakes us again.
            with contextlib.suppress(StoreError):
                if not self._has_begun:
                    await self._begin()
                while await self._look():
                    pass
            await asyncio.sleep(GATHER_S)

    def follow(self, follower: Callable[[Happened], None]) -> None:
        """Call with each event, before those who listen are told of it."""
        self._followers.append(follower)

    def close(self) -> None:
        """End every stream: the daemon stops."""
        for each in tuple(self._listeners):
            each.end()

    def tell(self, topic: str, told: dict[str, Any], *, subject: Subject | None = None) -> None:
        """Tell what is worth no row, once, to those who listen now. topic: "ticket:<ref>" or another word.

        subject: of the ticket; without it a ticket's is looked up first.
        """
        if subject is None and topic.startswith("ticket:"):
            self._looked_up(topic, told)
            return
        self._send(Told(written("told", {"topic": topic, **told}), subject))

    @contextlib.contextmanager
    def listening(self, who: Who, *, after: str) -> Iterator[Listener]:
        """Listen from a number on, or from now ("") on."""
        listener = Listener(who, self.mark)
        for lines in self._since(who, after):
            listener.put(lines)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def _since(self, who: Who, after: str) -> Iterable[bytes]:
        if not after:
            return ()
        number = int(after) if after.isascii() and after.isdigit() and len(after) < 20 else -1
        newer = self._after(number)
        if newer is None or len(newer) > WAITING_MAX // 2:
            return (written("reset", {"id": self.mark()}),)
        return [each.lines() for each in newer if each.is_for(who)]

    def _after(self, number: int) -> list[Happened] | None:
        """Return what came after a number, in the order in which it came here; None = that is not known any more."""
        if number < self._floor or not self._has_begun:
            return None
        if not self._store.is_shared:
            return [each for each in self._kept.values() if each.id > number]
        known = list(self._kept.values())
        if number == self._floor:
            return known
        if number not in self._kept:
            return None
        # Another daemon may have told its listeners in another order: some are told twice.
        return known[max(list(self._kept).index(number) + 1 - AGAIN, 0) :]

    async def _begin(self) -> None:
        """Take what happened lately into memory, so that a restart costs nobody a whole page."""
        skipped = await self._store.read(lambda tx: tx.one(_NEWEST, skipped=READ_MAX))
        self._floor = self._newest = self._last = 0 if skipped is None else skipped[0]
        self._has_begun = True

    async def _look(self) -> bool:
        """Read what is new, keep it and tell it; whether there may be more."""
        back = BACK if self._store.is_shared else 0
        after = max(self._newest - back, self._floor)
        read = await self._store.read(lambda tx: happened.read(tx, after, most=READ_MAX))
        for each in read:
            if each.id in self._kept:
                continue
            self._keep(each)
            self._send(each)
        return len(read) == READ_MAX

    def _keep(self, each: Happened) -> None:
        self._kept[each.id] = each
        self._newest, self._last = max(self._newest, each.id), each.id
        if each.ref is not None and each.subjects:
            self._remember(each.ref, each.subjects[0])
        for follower in self._followers:
            follower(each)
        while len(self._kept) > KEPT_MAX:
            self._floor = max(self._floor, self._kept.popitem(last=False)[0])

    def _send(self, item: Happened | Told) -> None:
        lines = item.lines()
        for each in self._listeners:
            if item.is_for(each.who):
                each.put(lines)

    def _remember(self, ref: str, subject: Subject) -> None:
        self._subjects.pop(ref, None)
        self._subjects[ref] = subject
        while len(self._subjects) > SUBJECTS_MAX:
            self._subjects.popitem(last=False)

    def _looked_up(self, topic: str, told: dict[str, Any]) -> None:
        """Tell it once it is known whose the ticket is; a ticket that is unknown is told to nobody."""
        ref = topic.partition(":")[2]
        known = self._subjects.get(ref)
        if known is not None:
            self.tell(topic, told, subject=known)
            return

        async def look() -> None:
            with contextlib.suppress(StoreError):
                row = await self._store.read(lambda tx: tx.one(_SUBJECT, ref=ref))
                if row is not None:
                    self._remember(ref, Subject(team=row[0], agent=row[1], ref=ref))
                    self.tell(topic, told, subject=self._subjects[ref])

        looking = asyncio.ensure_future(look())
        self._looking.add(looking)  # the loop itself forgets what nobody holds
        looking.add_done_callback(self._looking.discard)

    def _committed(self, signals: Signals) -> None:
        """Hear of a commit, in the writer's thread."""
        if events.SIGNAL in signals and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to tell
                self._loop.call_soon_threadsafe(self.wake)
