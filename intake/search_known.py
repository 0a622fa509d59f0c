"""Tickets by what they are known by, and the filters of a search: the ref, the address, the number of whom they are of.

Who may see what is one of the filters, in every query that gives a ticket.
"""

import heapq
from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, cast, func, or_, select
from sqlalchemy.types import Text

from intake.desk_scope import Scope, is_seen
from intake.search_query import Query
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, values_of

CUSTOMERS_MAX = 50  # by a beginning of an address or the end of a number

_BEYOND = "\U0010ffff"  # behind whatever an address goes on with
_encode = msgspec.json.Encoder().encode
_t, _i = schema.tickets.c, schema.identities.c


def _optional(column: Any, parameter: str) -> Any:
    wanted = cast(bindparam(parameter), Text())
    return or_(wanted.is_(None), column == wanted)


_after, _before = (cast(bindparam(name), BigInteger()) for name in ("written_after", "written_before"))
filters = (
    is_seen,
    or_(cast(bindparam("statuses"), Text()).is_(None), _t.status.in_(values_of("statuses_asked"))),
    _optional(_t.team, "of_team"),
    _optional(_t.agent, "of_agent"),
    _optional(_t.medium, "channel"),
    or_(
        cast(bindparam("tag"), Text()).is_(None),
        func.replace(_t.tags, cast(bindparam("tag"), Text()), "") != _t.tags,
    ),
    or_(_after.is_(None), _t.written_at >= _after),
    or_(_before.is_(None), _t.written_at < _before),
)
_ALLOWED = Statement(
    select(_t.id).where(_t.id.in_(values_of("ids", BigInteger())), *filters).order_by(_t.id.desc())
)
_BY_REF = Statement(select(_t.id, _t.merged_into).where(_t.ref == bindparam("ref")))
_MERGED_INTO = Statement(select(_t.merged_into).where(_t.id == bindparam("id")))
_BY_ADDRESS = Statement(
    select(_i.customer_id)
    .where(_i.kind == "email", _i.value >= bindparam("first"), _i.value < bindparam("end"))
    .order_by(_i.value)
    .limit(bindparam("most"))
)
_BY_DIGITS = Statement(
    select(_i.customer_id)
    .where(_i.digits.is_not(None), _i.digits >= bindparam("first"), _i.digits < bindparam("end"))
    .order_by(_i.digits)
    .limit(bindparam("most"))
)
_OF_CUSTOMER = Statement(
    select(_t.id)
    .where(_t.customer_id == bindparam("customer_id"), _t.id < bindparam("before"), *filters)
    .order_by(_t.id.desc())
    .limit(bindparam("most"))
)


def parameters(query: Query, scope: Scope) -> dict[str, Any]:
    """Return what `filters` are asked with."""
    return {
        **scope.parameters,
        "statuses": None if query.statuses is None else "",
        "statuses_asked": _encode(query.statuses or ()).decode(),
        "of_team": query.team,
        "of_agent": query.agent,
        "channel": query.channel,
        "tag": None if query.tag is None else _encode(query.tag).decode(),
        "written_after": query.after,
        "written_before": query.before,
    }


def by_ref(tx: Tx, query: Query, given: dict[str, Any]) -> list[int]:
    """Return the ticket of the ref, and before it the one that has its messages now.

    Each where it may be seen: who sees the second alone is led to it all the same, for customers know the first one's ref.
    """
    row = None if query.ref is None else tx.one(_BY_REF, ref=query.ref)
    if row is None:
        return []
    wanted, into = [row[0]], row[1]
    while into is not None and into not in wanted:
        wanted.append(into)
        into = (tx.one(_MERGED_INTO, id=into) or (None,))[0]
    both = dict.fromkeys((wanted[-1], wanted[0]))
    seen = allowed(tx, both, given)
    return [each for each in both if each in seen]


def allowed(tx: Tx, ids: Iterable[int], given: dict[str, Any]) -> list[int]:
    """Return which of some tickets pass the filters, the newest first."""
    return [row[0] for row in tx.all(_ALLOWED, ids=_encode(sorted(ids)).decode(), **given)]


def customers(tx: Tx, query: Query) -> Iterable[int]:
    """Return whose address begins so, or whose number ends so."""
    if query.address is not None:
        rows = tx.all(_BY_ADDRESS, first=query.address, end=query.address + _BEYOND, most=CUSTOMERS_MAX)
    elif query.digits is not None:
        backwards = query.digits[::-1]
        rows = tx.all(_BY_DIGITS, first=backwards, end=f"{backwards}:", most=CUSTOMERS_MAX)
    else:
        rows = []
    return dict.fromkeys(row[0] for row in rows)


def of_customers(
    tx: Tx, customer_ids: Iterable[int], given: dict[str, Any], *, before: int, most: int
) -> list[int]:
    """Return the tickets of some customers together, the newest first. before: a ticket's id."""
    runs = [
        [row[0] for row in tx.all(_OF_CUSTOMER, customer_id=each, before=before, most=most, **given)]
        for each in customer_ids
    ]
    return list(islice(heapq.merge(*runs, reverse=True), most))
