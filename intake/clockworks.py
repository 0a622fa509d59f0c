"""What falls due without belonging to one ticket: each of these is asked by the bell (intake.timers) when its time has come."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

from intake import chat_idle, chat_letters, dailies, digests, handovers, incident_telling, presence, waiting
from intake.model import Context
from intake.store.engine import Store, StoreError, Tx

REST_S = 60  # how long one that broke is left alone

log = logging.getLogger("intake.clockworks")


class Clockwork(Protocol):
    """A module that keeps its own due instants as rows. Made up for once after a downtime, however often it was missed.

    KIND, if it has one, is what lists call it; `upcoming(tx)`, if it has one, gives (name, microseconds UTC) of each thing
    that is ahead.
    """

    def next_due(self, tx: Tx, /) -> int | None:
        """Return when it is due next, microseconds UTC; None = never, as things stand."""
        ...

    def run_due(self, store: Store, context: Context, /) -> Awaitable[int]:
        """Do all that is due, each thing once; how many. Raises: StoreError."""
        ...


CLOCKWORKS: tuple[Clockwork, ...] = (
    chat_idle,
    chat_letters,
    dailies,
    digests,
    handovers,
    incident_telling,
    presence,
    waiting,
)


class Clockworks:
    """Lets each do what is due; one that breaks is told, left alone for a minute, and stops none of the others."""

    def __init__(
        self, store: Store, context: Callable[[], Context], told: Callable[[str, dict[str, Any]], None]
    ) -> None:
        self._store = store
        self._context = context
        self._told = told
        self._resting_until: dict[str, int] = {}

    def next_due(self, tx: Tx) -> int | None:
        """Return when the first of them is due, microseconds UTC; None = none is."""
        found = [max(due, self._rests(each)) for each in CLOCKWORKS if (due := each.next_due(tx)) is not None]
        return min(found, default=None)

    async def run_due(self) -> None:
        """Let each do what is due. Raises: StoreError."""
        due = await self._store.read(self._are_due)
        for each in due:
            await self._run(each)

    def _are_due(self, tx: Tx) -> list[Clockwork]:
        found = [(each, each.next_due(tx)) for each in CLOCKWORKS if self._rests(each) <= tx.now]
        return [each for each, due_us in found if due_us is not None and due_us <= tx.now]

    async def _run(self, clockwork: Clockwork) -> None:
        try:
            await clockwork.run_due(self._store, self._context())
        except StoreError:
            raise
        except Exception as error:
            name = _name(clockwork)
            self._resting_until[name] = self._store.now_us() + REST_S * 1_000_000
            log.exception("clockwork_broke", extra={"clockwork": name})
            self._told("clockwork_failed", {"clockwork": name, "reason": type(error).__name__})

    def _rests(self, clockwork: Clockwork) -> int:
        """Return until when it is left alone, microseconds UTC; 0 = it is not."""
        return self._resting_until.get(_name(clockwork), 0)


def _name(clockwork: Clockwork) -> str:
    return getattr(clockwork, "__name__", type(clockwork).__name__)


def upcoming(tx: Tx) -> Iterator[tuple[int, str, str]]:
    """Give what is ahead, in no order: when (microseconds UTC), the clockwork's kind, and which of its things, "" = the next."""
    for each in CLOCKWORKS:
        kind = getattr(each, "KIND", _name(each).rpartition(".")[2])
        listed = getattr(each, "upcoming", None)
        if listed is not None:
            yield from ((due_us, kind, name) for name, due_us in listed(tx))
        elif (due_us := each.next_due(tx)) is not None:
            yield due_us, kind, ""
