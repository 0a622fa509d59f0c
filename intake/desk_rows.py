"""A ticket as one row of the desk: in lists, beside a search's hit, among a customer's other tickets.

The public keys of `intake tickets list --json`, and what a row shows besides:

    updated_at, written_at   the last change of any kind; when the customer wrote last
    next_due                 {"target", "at", "is_late"} of the clock that is due first, None = none runs
    is_unanswered            the customer wrote last, and it is open
    last                     {"direction", "from", "from_name", "channel", "at", "text"} of the last message that no machine
                             of ours wrote; text: its beginning on one line; None = there is none
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, func, or_, select

from intake import instants, listing
from intake.model import OPEN_STATUSES
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, values_of

TEXT_MAX = 160  # characters of the last message that a row shows
_READ = 400  # of its beginning, which may be blank lines

_time = instants.rfc3339_from_us
_encode = msgspec.json.Encoder().encode
_t, _c, _m = schema.tickets.c, schema.clocks.c, schema.messages.c
_asked = _t.id.in_(values_of("ids", BigInteger()))
_MOMENTS = Statement(select(_t.id, _t.updated_at, _t.written_at, _t.agent_replied_at).where(_asked))
_SOONEST = Statement(
    select(_c.ticket_id, _c.target, _c.due_at)
    .where(_c.ticket_id.in_(values_of("ids", BigInteger())), _c.due_at.is_not(None))
    .order_by(_c.due_at.desc())
)
_other = schema.messages.alias()
_newest = (
    select(func.max(_other.c.id))
    .where(
        _other.c.ticket_id == _t.id,
        or_(_other.c.automatic.is_(None), _other.c.direction != "out"),
    )
    .correlate(schema.tickets)
    .scalar_subquery()
)
_LAST = Statement(
    select(
        _m.ticket_id,
        _m.direction,
        _m.author,
        _m.author_name,
        _m.medium,
        _m.at,
        func.substr(func.coalesce(_m.visible_text, _m.body), 1, _READ),
    ).where(_m.id.in_(select(_newest).where(_asked)))
)


def of_ids(tx: Tx, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Give the rows of tickets in the order of their ids; one that is gone is left out."""
    return [row for _, row in with_ids(tx, ids)]


def with_ids(tx: Tx, ids: Sequence[int]) -> list[tuple[int, dict[str, Any]]]:
    """See of_ids; each with its id."""
    if not ids:
        return []
    asked = _encode(ids).decode()
    moments = {row[0]: row[1:] for row in tx.all(_MOMENTS, ids=asked)}
    last = {row[0]: _last(row) for row in tx.all(_LAST, ids=asked)}
    soonest = {row[0]: (row[1], row[2]) for row in tx.all(_SOONEST, ids=asked)}
    rows = []
    for ticket_id, row in listing.of_ids(tx, ids):
        updated_at, written_at, replied_at = moments[ticket_id]
        is_open = row["status"] in OPEN_STATUSES
        row["updated_at"], row["written_at"] = _time(updated_at), _time(written_at)
        row["next_due"] = _due(soonest.get(ticket_id), now=tx.now)
        row["is_unanswered"] = is_open and (replied_at is None or replied_at < written_at)
        row["last"] = last.get(ticket_id)
        rows.append((ticket_id, row))
    return rows


def _due(soonest: tuple[str, int] | None, *, now: int) -> dict[str, Any] | None:
    if soonest is None:
        return None
    target, due_at = soonest
    return {"target": target, "at": _time(due_at), "is_late": due_at < now}


def _last(row: Row) -> dict[str, Any]:
    _, direction, author, name, medium, at, text = row
    return {
        "direction": direction,
        "from": author,
        "from_name": name,
        "channel": medium,
        "at": _time(at),
        "text": " ".join(text.split())[:TEXT_MAX],
    }
