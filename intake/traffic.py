"""What came in and what goes out, as the command line and the API show it: journal, outbox. What is due: intake.timer_list.

The rules of intake.listing hold here too: ids are text, instants RFC 3339, lists are read in pages.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake import instants
from intake.listing import Filters, is_wanted, paged
from intake.store import schema
from intake.store.engine import Row, Store, Tx
from intake.store.statements import Statement

_decode = msgspec.json.Decoder().decode
_time = instants.rfc3339_from_us

_t = schema.tickets.c
_j = schema.journal.c
_o = schema.outbox.c
_JOURNAL_COLUMNS = (
    _j.id,
    _j.account,
    _j.key,
    _j.received_at,
    _j.state,
    _j.problem,
    _j.kind,
    _j.lane,
    _j.attempts,
    _j.next_at,
    _j.settled_at,
    _j.duplicate_of,
    _j.envelope,
    _j.blob_id,
)
_with_ref = schema.journal.outerjoin(schema.tickets, _t.id == _j.ticket_id)
_JOURNAL = Statement(
    select(*_JOURNAL_COLUMNS, _t.ref)
    .select_from(_with_ref)
    .where(_j.id > bindparam("after"), _j.received_at >= bindparam("since"), is_wanted(_j.state, "state"))
    .order_by(_j.id)
    .limit(bindparam("most"))
)
_JOURNAL_ROW = Statement(
    select(*_JOURNAL_COLUMNS, _t.ref).select_from(_with_ref).where(_j.id == bindparam("id"))
)
_OUTBOX = Statement(
    select(_o.id, _t.ref, _o.medium, _o.recipient, _o.state, _o.attempts, _o.next_at, _o.error)
    .select_from(schema.outbox.outerjoin(schema.tickets, _t.id == _o.ticket_id))
    .where(_o.id > bindparam("after"), _o.created_at >= bindparam("since"), is_wanted(_o.state, "state"))
    .order_by(_o.id)
    .limit(bindparam("most"))
)


def journal(store: Store, filters: Filters) -> Iterator[dict[str, Any]]:
    """Give the journal's rows, oldest first."""
    return paged(store, _JOURNAL, filters, lambda _tx, rows: [_journal_object(row) for row in rows])


def outbox(store: Store, filters: Filters) -> Iterator[dict[str, Any]]:
    """Give the outgoing messages, oldest first."""
    return paged(store, _OUTBOX, filters, lambda _tx, rows: [_outbox_object(row) for row in rows])


def journal_row(tx: Tx, journal_id: int) -> dict[str, Any] | None:
    """Give one row with what only an operator asks for; None = no such row."""
    row = tx.one(_JOURNAL_ROW, id=journal_id)
    if row is None:
        return None
    return {
        **_journal_object(row),
        "kind": row[6],
        "lane": row[7],
        "attempts": row[8],
        "next_at": _time(row[9]),
        "settled_at": _time(row[10]),
        "duplicate_of": None if row[11] is None else str(row[11]),
        "envelope": _decode(row[12]),
    }


def blob_id_of(tx: Tx, journal_id: int) -> int | None:
    """Give the id of the row's raw bytes; None = no such row."""
    row = tx.one(_JOURNAL_ROW, id=journal_id)
    return None if row is None else int(row[13])


def _journal_object(row: Row) -> dict[str, Any]:
    return {
        "id": str(row[0]),
        "account": row[1],
        "key": row[2],
        "received_at": _time(row[3]),
        "state": row[4],
        "ticket": row[14],
        "problem": row[5],
    }


def _outbox_object(row: Row) -> dict[str, Any]:
    return {
        "id": str(row[0]),
        "ticket": row[1],
        "channel": row[2],
        "to": row[3],
        "state": row[4],
        "attempts": row[5],
        "next_at": _time(row[6]),
        "error": row[7],
    }
