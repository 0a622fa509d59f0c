"""What visitors say, on agents' screens before it is settled: a line of a chat that is known is shown at its commit.

It is told like all that is worth no row (intake.web.desk.live), with the visitor's words, to who may see the ticket and to nobody
else: access.may is asked for each listener. What is settled afterwards comes as an event, and the page looks anew.
"""

import asyncio
import contextlib
from collections import OrderedDict
from typing import Any

from sqlalchemy import bindparam, select

from intake import instants
from intake.feeds import Glimpse
from intake.store import schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement
from intake.tickets import MERGES_FOLLOWED
from intake.web.desk.happened import Happened
from intake.web.desk.live import Live

REFS_MAX = 5_000

_MERGES = frozenset({"merged", "merge_undone"})
_t = schema.tickets.c
_REF = Statement(select(_t.ref, _t.merged_into).where(_t.id == bindparam("id")))


class Glimpses:
    """Hands on what the feeds show. A ticket's ref is looked up once."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store, self._live = store, live
        self._refs: OrderedDict[int, str] = OrderedDict()
        self._looking: set[asyncio.Task[None]] = set()
        self._merges = 0  # counts them: what was looked up before one is not kept
        live.follow(self._heard)

    def __call__(self, glimpse: Glimpse) -> None:
        """Tell it; on no ticket yet it is told by the event that opens one."""
        if glimpse.ticket_id is None:
            return
        ref = self._refs.get(glimpse.ticket_id)
        if ref is not None:
            self._tell(ref, glimpse)
            return
        task = asyncio.ensure_future(self._look(glimpse.ticket_id, glimpse))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _look(self, ticket_id: int, glimpse: Glimpse) -> None:
        with contextlib.suppress(StoreError):
            merges = self._merges
            ref = await self._store.read(lambda tx: _ref(tx, ticket_id))
            if ref is None:
                return
            if merges == self._merges:
                self._refs[ticket_id] = ref
            while len(self._refs) > REFS_MAX:
                self._refs.popitem(last=False)
            self._tell(ref, glimpse)

    def _heard(self, each: Happened) -> None:
        """Look every ref up again once a ticket is merged or parted: a session is of the first one until its next line."""
        if each.kind in _MERGES:
            self._merges += 1
            self._refs.clear()

    def _tell(self, ref: str, glimpse: Glimpse) -> None:
        told: dict[str, Any] = {"what": f"chat_{glimpse.what}", "ref": ref, "seq": glimpse.seq}
        told["session"] = glimpse.session
        if glimpse.fed is not None:
            line = glimpse.fed.line
            told |= {"author": line.author, "name": line.name, "text": line.text, "id": line.id}
            told |= {"at": instants.rfc3339(glimpse.fed.at), "files": len(line.files)}
        self._live.tell(f"ticket:{ref}", told)


def _ref(tx: Tx, ticket_id: int) -> str | None:
    """Return the ref of the ticket that a ticket's messages are in now; None = there is none."""
    row = tx.one(_REF, id=ticket_id)
    for _ in range(MERGES_FOLLOWED):
        if row is None or row[1] is None:
            break
        row = tx.one(_REF, id=row[1])
    return None if row is None else str(row[0])
