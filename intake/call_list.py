"""Calls as JSON values: what `intake calls` prints, and what stands beside a ticket. Instants are RFC 3339 in UTC."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, and_, bindparam, cast, or_, select

from channels.contract import Happened
from intake import call_timeline, instants
from intake.listing import Filters, is_wanted, paged
from intake.store import schema
from intake.store.engine import Row, Store, Tx
from intake.store.statements import Statement, values_of

_timeline = msgspec.json.Decoder(tuple[Happened, ...]).decode
_c = schema.calls.c
_COLUMNS = (
    _c.id, _c.account, _c.call, _c.direction, _c.caller, _c.own, schema.tickets.c.ref, _c.message_id, _c.language, _c.timeline,
    _c.outcome, _c.price, _c.started_at,
)  # fmt: skip
_joined = select(*_COLUMNS).outerjoin(schema.tickets, schema.tickets.c.id == _c.ticket_id)
_CALLS = Statement(
    _joined.where(
        _c.id > bindparam("after"), _c.started_at >= bindparam("since"), is_wanted(_c.outcome, "state")
    )
    .order_by(_c.id)
    .limit(bindparam("most"))
)
_CALL = Statement(_joined.where(_c.call == bindparam("call")).order_by(_c.id))
_OF_TICKET = Statement(
    _joined.where(_c.ticket_id == bindparam("ticket_id", type_=BigInteger())).order_by(_c.started_at, _c.id)
)
_OF_PAGE = Statement(
    _joined.where(
        _c.ticket_id == bindparam("ticket_id", type_=BigInteger()),
        or_(
            _c.message_id.in_(values_of("messages", BigInteger())),
            and_(_c.message_id.is_(None), cast(bindparam("is_newest"), BigInteger()) == 1),
        ),
    )
    .order_by(_c.started_at.desc(), _c.id.desc())
    .limit(bindparam("most"))
)


def calls(store: Store, filters: Filters) -> Iterator[dict[str, Any]]:
    """Give calls, oldest first. filters.state: the outcome that is wanted."""
    return paged(store, _CALLS, filters, lambda _, rows: _objects(rows))


def call(tx: Tx, name: str) -> dict[str, Any] | None:
    """Give one call by the provider's id, with its timeline; None = there is none."""
    row = tx.one(_CALL, call=name)
    return None if row is None else _object(row, with_timeline=True)


def of_ticket(tx: Tx, ticket_id: int) -> list[dict[str, Any]]:
    """Give a ticket's calls with their timelines, oldest first."""
    return [_object(row, with_timeline=True) for row in tx.all(_OF_TICKET, ticket_id=ticket_id)]


def of_page(
    tx: Tx, ticket_id: int, messages: Sequence[int], *, is_newest: bool, most: int
) -> list[dict[str, Any]]:
    """Give the calls that some messages of a ticket stand for; of its newest page also those that no message tells of."""
    asked = {"messages": msgspec.json.encode(messages).decode(), "is_newest": int(is_newest)}
    rows = tx.all(_OF_PAGE, ticket_id=ticket_id, most=most, **asked)
    return [_object(row, with_timeline=True) for row in rows]


def _objects(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [_object(row, with_timeline=False) for row in rows]


def _object(row: Row, *, with_timeline: bool) -> dict[str, Any]:
    _, account, name, direction, caller, own, ref, message_id, language, told, *_ = row
    timeline = _timeline(told)
    state = call_timeline.state(timeline, direction=direction)
    shown: dict[str, Any] = {
        "call": name,
        "account": account,
        "direction": direction,
        "caller": caller,
        "own": own,
        "ticket": ref,
        "message": None if message_id is None else str(message_id),
        "language": language,
        "choices": list(state.choices),
        "rang": list(state.rung),
        "agent": state.agent,
        "outcome": state.outcome,
        "why": state.why,
        "wait_s": state.wait_s,
        "talk_s": state.talk_s,
        "started_at": instants.rfc3339_from_us(row[12]),
        "ended_at": None if state.ended_at is None else instants.rfc3339(state.ended_at),
        "price": state.price,
        "recordings": [msgspec.to_builtins(each) for each in state.recordings],
    }
    if with_timeline:
        shown["timeline"] = [
            {"at": instants.rfc3339(each.at), "what": each.what, "details": each.details} for each in timeline
        ]
    return shown
