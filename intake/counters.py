"""Limits: one conditional statement on a counter row, never count-then-insert, so that a crowd cannot slip through.

Several limits on one thing are one statement as well.
"""

import functools
from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, Case, Cast, bindparam, case, cast, delete, select

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
_USED = Statement(
    select(_c.used).where(_c.name == bindparam("of_name"), _c.key == bindparam("of_key"), ~_is_old)
)
_GIVE_BACK = Statement(
    schema.counters.update()
    .where(_c.name == bindparam("of_name"), _c.key == bindparam("of_key"))
    .values(used=_c.used - bindparam("units"))
)
_ONE_BACK = Statement(
    schema.counters.update()
    .where(_c.name == bindparam("of_name"), _c.key == bindparam("of_key"), _c.used > 0)
    .values(used=_c.used - 1)
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


def give_back(tx: Tx, name: str, key: str) -> None:
    """Give back one that turned out to be none of those that are limited."""
    tx.run(_ONE_BACK, of_name=name, of_key=key)


def is_used_up(tx: Tx, name: str, key: str, *, limit: int, window_us: int = HOUR_US) -> bool:
    """Look whether none of `limit` is left in the window; nothing is counted."""
    given = {"of_name": name, "of_key": key, "now": tx.now, "oldest": tx.now - window_us}
    row = tx.one(_USED, **given)
    return limit <= 0 or (row is not None and int(row[0]) >= limit)


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """One limit on something. name, key: of its counter; units: how many of `limit` it uses."""

    name: str
    key: str
    limit: int
    window_us: int = HOUR_US
    units: int = 1


def take_all(tx: Tx, wanted: Sequence[Take]) -> int | None:
    """Use them all, or return the place of the first that has too little left: those behind it are not used then.

    wanted: no two of one name, those that more share behind those that fewer do.
    """
    no_room = next((place for place, each in enumerate(wanted) if each.units > each.limit), None)
    able = wanted[:no_room]
    taken = _taken(tx, able) if able else frozenset()
    broken = next((place for place, each in enumerate(able) if each.name not in taken), no_room)
    if broken is not None:
        for each in able[broken + 1 :]:
            if each.name in taken:
                tx.run(_GIVE_BACK, of_name=each.name, of_key=each.key, units=each.units)
    return broken


def _taken(tx: Tx, wanted: Sequence[Take]) -> frozenset[str]:
    """Use those that have enough left; their names."""
    asked: dict[str, object] = {"now": tx.now}
    for place, each in enumerate(wanted):
        asked |= {
            f"name{place}": each.name,
            f"key{place}": each.key,
            f"limit{place}": each.limit,
            f"oldest{place}": tx.now - each.window_us,
            f"units{place}": each.units,
        }
    return frozenset(row[0] for row in tx.all(_take_many(len(wanted)), **asked))


@functools.cache
def _take_many(count: int) -> Statement:
    places = range(count)
    row = ("name", "key")
    insert = upsert(schema.counters).values(
        [
            {each: bindparam(f"{each}{place}") for each in row}
            | {"window_start": bindparam("now"), "used": bindparam(f"units{place}")}
            for place in places
        ]
    )

    def own(what: str) -> Case[int]:
        """What is said of the limit whose counter this is."""
        said = ((_c.name == bindparam(f"name{place}"), _number(f"{what}{place}")) for place in places)
        return case(*said, else_=0)

    is_old = (_c.window_start < own("oldest")) | (_c.window_start > bindparam("now"))
    used = insert.excluded.used
    return Statement(
        insert.on_conflict_do_update(
            index_elements=[_c.name, _c.key],
            set_={
                "window_start": case((is_old, insert.excluded.window_start), else_=_c.window_start),
                "used": case((is_old, used), else_=_c.used + used),
            },
            where=is_old | (_c.used + used <= own("limit")),
        ).returning(_c.name)
    )


def _number(name: str) -> Cast[int]:
    """Name a parameter that PostgreSQL cannot know for a number by where it stands."""
    return cast(bindparam(name, type_=BigInteger()), BigInteger())


def next_number(tx: Tx, name: str) -> int:
    """Count up for ever, from 1."""
    row = tx.one(_NEXT, name=name)
    assert row is not None  # noqa: S101 - RETURNING of an upsert
    return int(row[0])


def forget(tx: Tx, name: str, *, window_us: int = HOUR_US, most: int = 500) -> int:
    """Remove counters whose window is over, at most so many; how many went. They name addresses."""
    return tx.run(_FORGET, of_name=name, name=name, oldest=tx.now - window_us, most=most)
