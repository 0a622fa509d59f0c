"""When to look again at something that is no ticket's: one row for each thing, which only ever comes nearer by itself.

Whoever looks claims the alarm first: moves it a little ahead, so that a look which is cut off is made again. What rings
during the look brings it nearer once more, and the look that ends then leaves it as it is.
"""

from sqlalchemy import bindparam, select

from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

_a = schema.alarms.c
_DUE = Statement(select(_a.due_at).where(_a.name == bindparam("name")))
_RING = Statement(
    upsert(schema.alarms)
    .values(name=bindparam("name"), due_at=bindparam("due_at"))
    .on_conflict_do_update(
        index_elements=[_a.name],
        set_={"due_at": bindparam("due_at")},
        where=_a.due_at > bindparam("due_at"),
    )
)
_MOVE = Statement(
    schema.alarms.update()
    .where(_a.name == bindparam("at_name"), _a.due_at == bindparam("seen"))
    .values(due_at=bindparam("due_at"))
)
_END = Statement(
    schema.alarms.delete().where(_a.name == bindparam("at_name"), _a.due_at == bindparam("seen"))
)


def ring(tx: Tx, name: str, at_us: int) -> None:
    """See to it that somebody looks at that instant, or earlier; microseconds UTC."""
    tx.run(_RING, name=name, due_at=at_us)
    tx.signal("timers", at_us)


def due_at(tx: Tx, name: str) -> int | None:
    """Return when to look, microseconds UTC; None = never, as things stand."""
    row = tx.one(_DUE, name=name)
    return None if row is None else int(row[0])


def move(tx: Tx, name: str, *, seen: int, to: int | None) -> bool:
    """Put the alarm off, unless it rang meanwhile. seen: where it was; to: None = until it rings again."""
    if to is None:
        return bool(tx.run(_END, at_name=name, seen=seen))
    tx.signal("timers", to)
    return bool(tx.run(_MOVE, at_name=name, seen=seen, due_at=to))
