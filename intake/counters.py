"""Limits: one conditional statement on a counter row, never count-then-insert, so that a crowd cannot slip through."""

from sqlalchemy import bindparam, case, delete, select

from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

HOUR_US = 3_600 * 1_000_000

_c = schema.counters.c
# A window that begins in the future was counted before the clock was set back: it would never end.
_is_old = (_c.window_start < bindparam("oldest")) | (_c.window_start > bindparam("now"))
_TAKE = Statement(
    upsert(schema.counters)
    .values(name=bindparam("name"), key=bindparam("key"), window_start=bindparam("now"), used=1)
    .on_conflict_do_update(
        index_elements=[_c.name, _c.key],
        set_={
            "window_start": case((_is_old, bindparam("now")), else_=_c.window_start),
            "used": case((_is_old, 1), else_=_c.used + 1),
        },
        where=_is_old | (_c.used < bindparam("limit")),
    )
)
_NEXT = Statement(
    upsert(schema.counters)
    .values(name=bindparam("name"), key="", window_start=0, used=1)
    .on_conflict_do_update(index_elements=[_c.name, _c.key], set_={"used": _c.used + 1})
    .returning(_c.used)
)
_FORGET = Statement(
    delete(schema.counters).where(
        _c.name == bindparam("of_name"),
        _c.key.in_(
            select(_c.key)
            .where(_c.name == bindparam("name"), _c.window_start < bindparam("oldest"))
            .limit(bindparam("most"))
        ),
    )
)


def take(tx: Tx, name: str, key: str, *, limit: int, window_us: int = HOUR_US) -> bool:
    """Use one of `limit` in the window that began with its first use; false when none is left."""
    if limit <= 0:
        return False
    return tx.run(_TAKE, name=name, key=key, limit=limit, now=tx.now, oldest=tx.now - window_us) > 0


def next_number(tx: Tx, name: str) -> int:
    """Count up for ever, from 1."""
    row = tx.one(_NEXT, name=name)
    assert row is not None  # noqa: S101 - RETURNING of an upsert
    return int(row[0])


def forget(tx: Tx, name: str, *, window_us: int = HOUR_US, most: int = 500) -> int:
    """Remove counters whose window is over, at most so many; how many went. They name addresses."""
    return tx.run(_FORGET, of_name=name, name=name, oldest=tx.now - window_us, most=most)
