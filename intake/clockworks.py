"""What falls due without belonging to one ticket: each of these is asked by the bell (intake.timers) when its time has come."""

from collections.abc import Awaitable
from typing import Protocol

from intake import dailies
from intake.model import Context
from intake.store.engine import Store, Tx


class Clockwork(Protocol):
    """A module that keeps its own due instants as rows. Made up for once after a downtime, however often it was missed."""

    def next_due(self, tx: Tx, /) -> int | None:
        """Return when it is due next, microseconds UTC; None = never, as things stand."""
        ...

    def run_due(self, store: Store, context: Context, /) -> Awaitable[int]:
        """Do all that is due, each thing once; how many. Raises: StoreError."""
        ...


CLOCKWORKS: tuple[Clockwork, ...] = (dailies,)


def next_due(tx: Tx) -> int | None:
    """Return when the first of them is due, microseconds UTC; None = none is."""
    return min((due for each in CLOCKWORKS if (due := each.next_due(tx)) is not None), default=None)


async def run_due(store: Store, context: Context) -> None:
    """Let each do what is due. Raises: StoreError."""
    for each in CLOCKWORKS:
        await each.run_due(store, context)
