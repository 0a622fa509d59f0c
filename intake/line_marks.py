"""What pages say of lines, that they have come or were read: the deliveries of agents' answers move on by it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, bindparam, case, cast, select

from channels.contract import DeliveryReport, DeliveryState
from intake import aliases, reports
from intake.model import Context
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement

_f, _l, _o = schema.feeds.c, schema.session_lines.c, schema.outbox.c
_BEFORE = Statement(select(_f.last_seq, _f.got_seq, _f.read_seq).where(_f.session == bindparam("session")))
_SENT = Statement(
    select(_l.seq, _l.outbox_id, _o.ticket_id)
    .join(schema.outbox, _o.id == _l.outbox_id)
    .where(_l.session == bindparam("session"), _l.seq > bindparam("above"), _l.seq <= bindparam("up_to"))
    .order_by(_l.seq)
)


def _moved(column: ColumnElement[int], name: str) -> ColumnElement[int]:
    """Return what a mark becomes: never less, and never more than was said."""
    given = cast(bindparam(name), BigInteger())
    reached = case((given > _f.last_seq, _f.last_seq), else_=given)
    return case((reached > column, reached), else_=column)


_NOTE = Statement(
    schema.feeds.update()
    .where(_f.session == bindparam("of_session"))
    .values(got_seq=_moved(_f.got_seq, "got"), read_seq=_moved(_f.read_seq, "read"))
)


class Mark(msgspec.Struct, frozen=True):
    """Up to which number lines have come to a page, and were read there; what was read has come."""

    got: int = 0
    read: int = 0

    def reached(self, seq: int, *, is_read: bool) -> "Mark":
        return Mark(max(self.got, seq), max(self.read, seq) if is_read else self.read)


class _Moved(msgspec.Struct, frozen=True):
    """One delivery that moves on. ticket_id: None = it is about none."""

    outbox_id: int
    ticket_id: int | None
    state: DeliveryState


class Moves(msgspec.Struct, frozen=True):
    """What a session's mark moves. session: whose lines they are; before: its mark until now."""

    session: str
    before: Mark
    mark: Mark
    moved: tuple[_Moved, ...]


def look(tx: Tx, marks: Mapping[str, Mark]) -> list[Moves]:
    """Return what marks move; those of sessions that are gone move nothing."""
    sessions = {alias: aliases.resolved(tx, alias) for alias in marks}
    found = ((sessions[alias], mark, *_look(tx, sessions[alias], mark)) for alias, mark in marks.items())
    return [
        Moves(session, before, mark, tuple(moved))
        for session, mark, before, moved in found
        if before is not None
    ]


async def write(store: Store, context: Context, moves: Moves) -> None:
    """Write a session's mark, and move what was delivered by it. Raises: StoreError.

    The deliveries first: when it breaks off between, the next mark finds them again. One transaction for each ticket, whose
    lock it takes; the last writes the mark.
    """
    by_ticket: dict[int | None, list[_Moved]] = {}
    for each in moves.moved:
        by_ticket.setdefault(each.ticket_id, []).append(each)
    *first, last = list(by_ticket.values()) or [[]]
    for together in first:
        await store.write(partial(_move, context=context, together=together))
    if last or moves.before != moves.mark:
        await store.write(partial(_move, context=context, together=last, noted=moves))


def _look(tx: Tx, session: str, mark: Mark) -> tuple[Mark | None, list[_Moved]]:
    """Return what was known, and the deliveries that move on. No page has got what was not said yet."""
    row = tx.one(_BEFORE, session=session)
    if row is None:
        return None, []
    last, got, read = row
    up_to = min(max(mark.got, mark.read), last)
    rows: list[Any] = list(tx.all(_SENT, session=session, above=min(got, read), up_to=up_to))
    moved = []
    for seq, outbox_id, ticket_id in rows:
        if read < seq <= mark.read:
            moved.append(_Moved(outbox_id, ticket_id, "read"))
        elif seq > got:
            moved.append(_Moved(outbox_id, ticket_id, "delivered"))
    return Mark(got, read), moved


def _move(tx: Tx, *, context: Context, together: list[_Moved], noted: Moves | None = None) -> None:
    for each in together:
        reports.apply(tx, context, each.outbox_id, DeliveryReport(provider_id="", state=each.state))
    if noted is not None and noted.before != noted.mark:
        tx.run(_NOTE, of_session=noted.session, got=noted.mark.got, read=noted.mark.read)
