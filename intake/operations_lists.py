"""What is stuck, in pages: messages that were set aside, that were given up, and that wait to go out.

Whose tickets somebody sees is asked in the statement, so that what is theirs is on their first page however much is of
others; a row without a ticket is everybody's who sees the page. Pages go by keys: what is mended meanwhile moves nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, or_, select

from intake import instants
from intake.desk_scope import Scope, is_seen
from intake.store import schema
from intake.store.engine import Row as Found
from intake.store.engine import Tx
from intake.store.statements import Statement

SHOWN = 100
_LAST = 2**63 - 1

_j, _o, _t = schema.journal.c, schema.outbox.c, schema.tickets.c
_is_theirs = or_(_t.id.is_(None), is_seen)
_time = instants.rfc3339_from_us


class Row(msgspec.Struct, frozen=True):
    """One row of a list. told: its JSON values. team, agent: of its ticket, whose the row is then."""

    told: dict[str, Any]
    ref: str | None = None
    team: str | None = None
    agent: str | None = None


class List(msgspec.Struct, frozen=True):
    """One page of so many. seen: how many of them are theirs to see; next: where the next page begins, None = this is the last."""

    count: int
    seen: int
    rows: tuple[Row, ...]
    next: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {"count": self.count, "rows": [each.told for each in self.rows], "next": self.next}


class _Kind(msgspec.Struct, frozen=True):
    """One list: what it is read with, and how a row is shown. order: the column of a page's key beside the id."""

    table: Any
    is_in: ColumnElement[bool]
    columns: tuple[Any, ...]
    shown: Callable[[Found], dict[str, Any]]
    order: Any = None

    def page(self) -> Statement:
        """Return the statement of one page; each row ends with its ref, team and agent."""
        table_id = self.table.c.id
        is_further, order = table_id < bindparam("after_id"), [table_id.desc()]
        if self.order is not None:
            is_later = self.order > bindparam("after")
            is_further = or_(
                is_later, and_(self.order == bindparam("after"), table_id > bindparam("after_id"))
            )
            order = [self.order, table_id]
        return Statement(
            select(table_id, *self.columns, _t.ref, _t.team, _t.agent)
            .select_from(self._joined())
            .where(self.is_in, is_further, _is_theirs)
            .order_by(*order)
            .limit(bindparam("most"))
        )

    def count(self) -> Statement:
        return Statement(select(func.count()).select_from(self.table).where(self.is_in))

    def count_seen(self) -> Statement:
        return Statement(select(func.count()).select_from(self._joined()).where(self.is_in, _is_theirs))

    def _joined(self) -> Any:
        return self.table.outerjoin(schema.tickets, _t.id == self.table.c.ticket_id)


def _set_aside(row: Found) -> dict[str, Any]:
    return {
        "id": str(row[0]),
        "account": row[1],
        "kind": row[2],
        "received_at": _time(row[3]),
        "problem": row[4],
        "attempts": row[5],
        "next_at": _time(row[6]),
        "ticket": row[7],
    }


def _outgoing(row: Found) -> dict[str, Any]:
    return {
        "id": str(row[0]),
        "ticket": row[9],
        "channel": row[1],
        "account": row[2],
        "to": row[3],
        "state": row[4],
        "attempts": row[5],
        "next_at": _time(row[6]),
        "error": row[7],
        "created_at": _time(row[8]),
    }


_SENT = (_o.medium, _o.account, _o.recipient, _o.state, _o.attempts, _o.next_at, _o.error, _o.created_at)
_KINDS = {
    "quarantine": _Kind(
        schema.journal,
        _j.state == literal_column("'quarantined'"),
        (_j.account, _j.kind, _j.received_at, _j.problem, _j.attempts, _j.next_at),
        _set_aside,
    ),
    "dead_letters": _Kind(schema.outbox, _o.state == literal_column("'failed'"), _SENT, _outgoing),
    "queued": _Kind(schema.outbox, _o.state == literal_column("'queued'"), _SENT, _outgoing, _o.next_at),
}
NAMES = tuple(_KINDS)
_PAGES = {name: each.page() for name, each in _KINDS.items()}
_COUNTS = {name: each.count() for name, each in _KINDS.items()}
_SEEN = {name: each.count_seen() for name, each in _KINDS.items()}


def read(tx: Tx, scope: Scope, pages: Mapping[str, str]) -> dict[str, List]:
    """Return a page of each list. pages: list -> the `next` of the page before; what cannot be read means the first."""
    return {name: _read(tx, name, scope, pages.get(name, "")) for name in _KINDS}


def _read(tx: Tx, name: str, scope: Scope, behind: str) -> List:
    kind = _KINDS[name]
    key = _key(behind) or ((-_LAST, -1) if kind.order is not None else (0, _LAST))
    given = {"after_id": key[1]} | ({"after": key[0]} if kind.order is not None else {})
    found = tx.all(_PAGES[name], most=SHOWN + 1, **given, **scope.parameters)
    count = _count(tx, _COUNTS[name])
    rows = tuple(Row(kind.shown(row), *row[-3:]) for row in found[:SHOWN])
    last = found[SHOWN - 1] if len(found) > SHOWN else None
    return List(
        count=count,
        seen=count if scope.is_all else _count(tx, _SEEN[name], **scope.parameters),
        rows=rows,
        next=None if last is None else f"{last[6] or 0}.{last[0]}",
    )


def _key(text: str) -> tuple[int, int] | None:
    """Read where a page begins: an instant, and an id."""
    parts = text.split(".")
    if len(parts) != 2 or not all(each.isascii() and each.isdigit() and len(each) < 19 for each in parts):
        return None
    return int(parts[0]), int(parts[1])


def _count(tx: Tx, statement: Statement, **given: Any) -> int:
    row = tx.one(statement, **given)
    return int(row[0]) if row is not None else 0
