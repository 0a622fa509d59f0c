"""Calls of ours that nobody has reported on: Twilio is asked what became of them, some minutes later.

A page, or the agent's leg of a call from a ticket, is a row that says "sent" until a callback tells more. Callbacks that were
lost, all of them, come never again, and the reconciler knows such a call only by its row. What is told then does what the
callback would have done.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import bindparam, select

from channels.contract import DeliveryFailed
from intake import reports
from intake.model import Context
from intake.store import schema
from intake.store.engine import Ids, Row, Store, StoreError, Tx
from intake.store.statements import Statement

LOOK_S = 120.0
AFTER_US = 5 * 60 * 1_000_000  # a phone has rung to its end by then
BEFORE_US = 24 * 3_600 * 1_000_000
MOST = 50

log = logging.getLogger("intake.unreported")

_o = schema.outbox.c
_SENT = Statement(
    select(_o.id, _o.account, _o.provider_id)
    .where(
        _o.id >= bindparam("after"),
        _o.medium == "voice",
        _o.state == "sent",
        _o.provider_id.is_not(None),
        _o.sent_at <= bindparam("until"),
    )
    .order_by(_o.id)
    .limit(bindparam("most"))
)


class Unreported:
    """Asks after calls, for as long as it runs. channels: account -> channel."""

    def __init__(self, store: Store, channels: Mapping[str, Any], *, context: Callable[[], Context]) -> None:
        self._store, self._channels, self._context = store, channels, context

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            with contextlib.suppress(StoreError):
                await self.look()

    async def look(self) -> int:
        """Ask after each that is due; about how many there was an answer. Raises: StoreError."""
        rows = await self._store.read(_due)
        return sum([await self._ask(int(row[0]), row[1], row[2]) for row in rows])

    async def _ask(self, outbox_id: int, account: str, provider_id: str) -> bool:
        became_of = getattr(self._channels.get(account), "became_of", None)
        if became_of is None:
            return False
        try:
            report = await became_of(provider_id)
        except DeliveryFailed as failure:
            log.info("call_not_looked_up account=%s reason=%s", account, failure.reason)
            return False
        context = self._context()
        await self._store.write(lambda tx: reports.apply(tx, context, outbox_id, report))
        return True


def _due(tx: Tx) -> list[Row]:
    after = Ids.lowest(tx.now - BEFORE_US)
    return list(tx.all(_SENT, after=after, until=tx.now - AFTER_US, most=MOST))
