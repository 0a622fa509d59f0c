"""Tells open tickets that an outage began, or that it is over, for the rules that wait for it.

One ticket is one transaction, and each is told once: what was cut off goes on behind the last one. This is a clockwork
(intake.clockworks).
"""

from functools import partial

import msgspec
from sqlalchemy import BigInteger, bindparam, select

from intake import incidents, quiet, reactions, tickets
from intake.model import Context
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement

KIND = "incident"
PAGE = 50
MAX_ID = 2**63 - 1

_i = schema.incidents.c
_t = schema.tickets.c
_TELLING = Statement(
    select(_i.id, _i.telling, _i.told_after).where(_i.telling.is_not(None)).order_by(_i.id).limit(1)
)
_NEXT_TICKETS = Statement(
    select(_t.id)
    .where(
        _t.id > bindparam("after"),
        _t.id < bindparam("before"),
        _t.solved_at.is_(None),
    )
    .order_by(_t.id)
    .limit(bindparam("most"))
)
_ADVANCE = Statement(
    schema.incidents.update()
    .where(
        _i.id == bindparam("of_id"),
        _i.telling == bindparam("of_event"),
        _i.told_after < bindparam("ticket_id", type_=BigInteger()),
    )
    .values(told_after=bindparam("ticket_id", type_=BigInteger()))
)
_TOLD = Statement(
    schema.incidents.update()
    .where(_i.id == bindparam("of_id"), _i.telling == bindparam("of_event"))
    .values(telling=None, told_after=0)
)


def next_due(tx: Tx) -> int | None:
    """Return when tickets are to be told next, microseconds UTC; None = all are."""
    return tx.now if tx.one(_TELLING) is not None else None


async def run_due(store: Store, context: Context) -> int:
    """Tell every open ticket what began or ended; how many. Raises: StoreError."""
    told = 0
    while True:
        page = await store.read(_page)
        if page is None:
            return told
        is_awaited = page.event in reactions.awaited(context.rulebook)
        for ticket_id in page.tickets if is_awaited else ():
            told += await store.write(partial(_tell, context=context, page=page, ticket_id=ticket_id))
        if not is_awaited or len(page.tickets) < PAGE:
            await store.write(partial(_finish, page=page))


class _Page(msgspec.Struct, frozen=True):
    """The next tickets to be told, by id. incident: its id; event: of the two."""

    incident: int
    event: str
    tickets: tuple[int, ...]


def _page(tx: Tx) -> _Page | None:
    """Return whom to tell what; None = nobody is to be told anything."""
    row = tx.one(_TELLING)
    if row is None:
        return None
    number, event, after = row
    before = (
        number if event == incidents.OPENED else MAX_ID
    )  # who writes while it is open is told by other means
    rows = tx.all(_NEXT_TICKETS, after=after, before=before, most=PAGE)
    return _Page(number, event, tuple(row[0] for row in rows))


def _tell(tx: Tx, *, context: Context, page: _Page, ticket_id: int) -> int:
    """Tell one ticket, once; 0 when that has been done."""
    ticket = tickets.locked(tx, ticket_id)
    if not tx.run(_ADVANCE, of_id=page.incident, of_event=page.event, ticket_id=ticket_id):
        return 0
    if ticket.is_open:
        cause = Cause(name=f"incident:{page.incident}")
        after = reactions.react(tx, context, ticket, page.event, cause=cause).ticket
        quiet.follow(tx, context, after)
    return 1


def _finish(tx: Tx, *, page: _Page) -> None:
    tx.run(_TOLD, of_id=page.incident, of_event=page.event)
