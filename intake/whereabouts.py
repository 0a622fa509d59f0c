"""Who has which ticket before them, and who writes on it: rows that expire, for daemons that share a store.

Each daemon writes what its pages say, prolongs what its own streams stand for, and reads everybody's once a second. A row
that nobody prolongs is over after EXPIRES_US, whatever became of its page, its stream or its daemon.
"""

from collections.abc import Collection
from typing import Literal

import msgspec
from sqlalchemy import bindparam, delete, select

from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert, values_of

EXPIRES_US = 30 * 1_000_000

Doing = Literal["looking", "replying", "noting"]

_w = schema.whereabouts.c
_encode = msgspec.json.Encoder().encode
_SAY = Statement(
    upsert(schema.whereabouts)
    .values({name: bindparam(name) for name in ("page", "ref", "agent", "doing", "stream", "since", "until")})
    .on_conflict_do_update(
        index_elements=[_w.page],
        set_={name: bindparam(name) for name in ("ref", "agent", "doing", "stream", "until")},
        where=_w.agent == bindparam("agent"),
    )
)
_GONE = Statement(
    delete(schema.whereabouts).where(_w.page == bindparam("page"), _w.agent == bindparam("agent"))
)
_PROLONG = Statement(
    schema.whereabouts.update()
    .where(_w.stream.in_(values_of("streams")), _w.until > bindparam("now"))
    .values(until=bindparam("later"))
)
_FORGET = Statement(delete(schema.whereabouts).where(_w.until <= bindparam("now")))
_ALL = Statement(
    select(_w.page, _w.ref, _w.agent, _w.doing, _w.stream, _w.since, _w.until)
    .where(_w.until > bindparam("now"))
    .order_by(_w.since, _w.page)
)


class There(msgspec.Struct, frozen=True):
    """A page that shows a ticket. since, until: microseconds UTC; stream: what keeps it going, "" = only saying it again."""

    page: str
    ref: str
    agent: str
    doing: Doing
    stream: str
    since: int
    until: int


def say(tx: Tx, there: There) -> None:
    """Keep what a page says; another agent's page of the same name stays as it is."""
    tx.run(_SAY, **msgspec.structs.asdict(there))


def end(tx: Tx, page: str, *, agent: str) -> None:
    tx.run(_GONE, page=page, agent=agent)


def prolong(tx: Tx, streams: Collection[str]) -> None:
    """Let what open streams stand for go on, and forget what is over."""
    named = _encode(sorted(streams)).decode()
    tx.run(_PROLONG, streams=named, now=tx.now, later=tx.now + EXPIRES_US)
    tx.run(_FORGET, now=tx.now)


def everybody(tx: Tx) -> list[There]:
    """Return who is where, those who came first first."""
    return [There(*row) for row in tx.all(_ALL, now=tx.now)]
