"""What is due and when, as the command line and the API show it: timers of tickets, and what falls due without one.

The rules of intake.listing hold here too: ids are text, instants RFC 3339, lists are read in pages.
"""

import heapq
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import BigInteger, and_, bindparam, cast, or_, select

from intake import clockworks, instants, listing
from intake.store import schema
from intake.store.engine import Row, Store, Tx
from intake.store.statements import Statement

LAST_US = 2**63 - 1
OPEN = "open"  # still to fire: pending, and failing ones that are tried again
FAILED = "failed"  # given up

_time = instants.rfc3339_from_us
_t = schema.tickets.c
_w = schema.timers.c
_COLUMNS = (
    _w.id,
    _w.due_at,
    _t.ref,
    _w.kind,
    _w.step,
    _w.policy,
    _w.target,
    _w.state,
    _w.attempts,
    _w.retry_at,
)
_with_ticket = schema.timers.outerjoin(schema.tickets, _t.id == _w.ticket_id)
_is_further = or_(
    _w.due_at > bindparam("after"), and_(_w.due_at == bindparam("after"), _w.id > bindparam("after_id"))
)


def _in_state(state: str) -> Statement:
    """One statement for each state: an index of its own serves each of them."""
    return Statement(
        select(*_COLUMNS)
        .select_from(_with_ticket)
        .where(
            _w.state == state, _w.due_at >= bindparam("after"), _is_further, _w.due_at <= bindparam("before")
        )
        .order_by(_w.due_at, _w.id)
        .limit(bindparam("most"))
    )


_BY_STATE = {state: _in_state(state) for state in ("pending", "failing", "failed")}
_OF_TICKET = Statement(
    select(*_COLUMNS)
    .select_from(_with_ticket)
    .where(_w.ticket_id == cast(bindparam("ticket_id"), BigInteger()), _w.due_at <= bindparam("before"))
    .order_by(_w.due_at, _w.id)
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which timers. state: OPEN or FAILED. before: due by then, microseconds UTC. limit: at most so many, None = all."""

    state: str = OPEN
    before: int = LAST_US
    limit: int | None = None


def rows(store: Store, wanted: Wanted = Wanted()) -> Iterator[dict[str, Any]]:  # noqa: B008 - frozen
    """Give what is due, soonest first. What stands without a ticket (clock rules, digests, …) has none."""
    states = ("failed",) if wanted.state == FAILED else ("pending", "failing")
    found = heapq.merge(*(_paged(store, state, wanted) for state in states))
    objects: Iterator[dict[str, Any]] = map(_object, found)
    if wanted.state == OPEN:
        objects = heapq.merge(objects, _upcoming(store, wanted), key=lambda each: str(each["due_at"]))
    for number, each in enumerate(objects):
        if number == wanted.limit:
            break
        yield each


def of_ticket(store: Store, ticket_id: int, *, before: int = LAST_US) -> list[dict[str, Any]]:
    """Return every timer that a ticket has had, in the order of due instants, whatever became of it."""
    found = store.read_now(lambda tx: tx.all(_OF_TICKET, ticket_id=ticket_id, before=before))
    return [_object((row[1], row[0], row)) for row in found]


def _paged(store: Store, state: str, wanted: Wanted) -> Iterator[tuple[int, int, Row]]:
    after, after_id, has_more = -LAST_US, -1, True
    most = listing.PAGE if wanted.limit is None else min(listing.PAGE, wanted.limit)
    while has_more:
        given = {"after": after, "after_id": after_id, "before": wanted.before, "most": most}
        found = store.read_now(lambda tx, given=given: tx.all(_BY_STATE[state], **given))  # type: ignore[misc]
        for row in found:
            yield row[1], row[0], row
            after, after_id = row[1], row[0]
        has_more = len(found) == most


def _upcoming(store: Store, wanted: Wanted) -> Iterator[dict[str, Any]]:
    def read(tx: Tx) -> list[tuple[int, str, str]]:
        return sorted(each for each in clockworks.upcoming(tx) if each[0] <= wanted.before)

    for due_us, kind, step in store.read_now(read):
        yield _shown(None, kind, step, due_us) | {
            "policy": "",
            "target": None,
            "id": None,
            "state": "pending",
        }


def _object(found: tuple[int, int, Row]) -> dict[str, Any]:
    row = found[2]
    return _shown(row[2], row[3], row[4], row[1]) | {
        "policy": row[5],
        "target": row[6],
        "id": str(row[0]),
        "state": row[7],
        "attempts": row[8],
        "retry_at": _time(row[9]),
    }


def _shown(ref: str | None, kind: str, step: str, due_us: int) -> dict[str, Any]:
    return {"ticket": ref, "kind": kind, "step": step, "due_at": _time(due_us)}
