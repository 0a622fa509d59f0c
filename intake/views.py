"""The desk as somebody outside sees it: who is there, how long it takes, what everybody is told (contract.View).

What is the same for everybody is looked up once in 5 s, in the transaction of the turn that needs it; the caller's own
part in each.
"""

from collections.abc import Callable

from channels.contract import Identity, View
from intake import instants
from intake.model import Context
from intake.store.engine import Tx

FRESH_US = 5_000_000


class Views:
    """Builds views. context: the rules in force."""

    def __init__(self, context: Callable[[], Context]) -> None:
        self._context = context

    def build(
        self,
        tx: Tx,
        account: str,
        *,
        session: str | None = None,
        caller: Identity | None = None,
        busy: frozenset[str] = frozenset(),
    ) -> View:
        """Return the view of a session. busy: agents who ring elsewhere."""
        return View(at=instants.datetime_from_us(tx.now))
