"""Tickets as the command line and the API show them: reads that turn rows into plain values with the public keys.

Ids are text (63 bits do not fit a JavaScript number), instants RFC 3339 in UTC. Lists are read in pages, so that a
store of a million tickets needs no more memory than one of ten.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Text, bindparam, cast, or_, select

from intake import delivery_states, instants, looks, opt_outs_view, promises
from intake.store import schema
from intake.store.engine import Row, Store, Tx
from intake.store.statements import Statement, values_of

PAGE = 500
_LAST = 2**63 - 1

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_time = instants.rfc3339_from_us

_t = schema.tickets.c
_m = schema.messages.c
_e = schema.events.c
_c = schema.clocks.c


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are wanted; None = all. since: microseconds UTC; limit: how many at most.

    is_waiting: only tickets that wait for somebody of their team.
    """

    state: str | None = None
    team: str | None = None
    since: int | None = None
    limit: int | None = None
    is_waiting: bool = False


def is_wanted(column: Any, parameter: str) -> Any:
    """Whether the column has the parameter's value; NULL wants all."""
    wanted = cast(bindparam(parameter), Text())  # PostgreSQL wants the type of what may be NULL
    return or_(wanted.is_(None), column == wanted)


_TICKET_COLUMNS = (
    _t.id,
    _t.ref,
    _t.subject,
    _t.status,
    _t.priority,
    _t.team,
    _t.agent,
    _t.nature,
    _t.language,
    _t.tags,
    _t.customer_id,
    _t.medium,
    _t.account,
    _t.created_at,
    _t.messages,
    _t.rule,
    _t.fields,
    _t.linked_to,
    _t.suggested_link,
    _t.merged_into,
    _t.waits_since,
    _t.promised_at,
)
_PROMISED = len(_TICKET_COLUMNS) - 1
_wanted = (
    select(*_TICKET_COLUMNS)
    .where(
        _t.id > bindparam("after"),
        _t.created_at >= bindparam("since"),
        is_wanted(_t.status, "state"),
        is_wanted(_t.team, "team"),
    )
    .order_by(_t.id)
    .limit(bindparam("most"))
)
_TICKETS = Statement(_wanted)
_WAITING = Statement(_wanted.where(_t.waits_since.is_not(None), _t.solved_at.is_(None)))
_TICKET = Statement(select(*_TICKET_COLUMNS).where(_t.ref == bindparam("ref")))
_BY_ID = Statement(select(*_TICKET_COLUMNS).where(_t.id.in_(values_of("ids", BigInteger()))))
_REFS = Statement(select(_t.id, _t.ref).where(_t.id.in_(values_of("ids", BigInteger()))))
_CUSTOMERS = Statement(
    select(
        schema.customers.c.id,
        schema.customers.c.name,
        schema.customers.c.language,
        schema.customers.c.organization,
        schema.customers.c.tags,
        schema.customers.c.tier,
        schema.customers.c.fields,
        schema.customers.c.opted_out_at,
    ).where(schema.customers.c.id.in_(values_of("ids", BigInteger())))
)
_IDENTITIES = Statement(
    select(
        schema.identities.c.customer_id,
        schema.identities.c.kind,
        schema.identities.c.value,
        schema.identities.c.undeliverable_since,
        schema.identities.c.undeliverable_reason,
        schema.identities.c.complained_at,
    )
    .where(schema.identities.c.customer_id.in_(values_of("ids", BigInteger())))
    .order_by(schema.identities.c.id)
)
_DUE = Statement(
    select(_c.ticket_id, _c.target, _c.due_at).where(
        _c.ticket_id.in_(values_of("ids", BigInteger())), _c.due_at.is_not(None)
    )
)
MESSAGE_COLUMNS = (
    _m.id, _m.medium, _m.direction, _m.author, _m.author_name, _m.at, _m.subject, _m.body,
    _m.visible_text, _m.attachments, _m.automatic, _m.language, _m.is_verified, _m.problems, _m.external_id,
    _m.line_seq,
)  # fmt: skip
_CONVERSATION = Statement(
    select(*MESSAGE_COLUMNS).where(_m.ticket_id == bindparam("ticket_id")).order_by(_m.at, _m.id)
)
_EVENTS = Statement(
    select(_e.at, _e.kind, _e.actor, _e.details).where(_e.ticket_id == bindparam("ticket_id")).order_by(_e.id)
)
_DECISION = Statement(
    select(schema.decisions.c.decision)
    .where(schema.decisions.c.ticket_id == bindparam("ticket_id"))
    .order_by(schema.decisions.c.id.desc())
    .limit(1)
)


def tickets(store: Store, filters: Filters) -> Iterator[dict[str, Any]]:
    """Give the tickets, oldest first."""
    return paged(
        store, _WAITING if filters.is_waiting else _TICKETS, filters, _ticket_objects, team=filters.team
    )


def paged(
    store: Store,
    statement: Statement,
    filters: Filters,
    objects: Callable[[Tx, Sequence[Row]], list[dict[str, Any]]],
    **parameters: Any,
) -> Iterator[dict[str, Any]]:
    left = _LAST if filters.limit is None else filters.limit
    after = -1
    while left > 0:
        page = min(PAGE, left)
        given = {
            "after": after,
            "since": filters.since or 0,
            "state": filters.state,
            "most": page,
            **parameters,
        }

        def read(tx: Tx, given: dict[str, Any] = given) -> tuple[int, list[dict[str, Any]]]:
            rows = tx.all(statement, **given)
            return (rows[-1][0] if rows else -1), objects(tx, rows)

        after, found = store.read_now(read)
        yield from found
        left = left - page if len(found) == page else 0


def ticket(tx: Tx, ref: str) -> dict[str, Any] | None:
    """Give one ticket with its conversation, its events and the decision that routed it; None = no such ref."""
    row = tx.one(_TICKET, ref=ref)
    if row is None:
        return None
    [found] = _ticket_objects(tx, [row])
    if found["customer"] is not None:
        found["customer"]["opt_outs"] = opt_outs_view.beside(tx, row[10])
    deliveries = delivery_states.of_ticket(tx, row[0])
    found["conversation"] = [
        message_object(each) | ({"delivery": deliveries[each[0]]} if each[0] in deliveries else {})
        for each in tx.all(_CONVERSATION, ticket_id=row[0])
    ]
    found["events"] = [event_object(each) for each in tx.all(_EVENTS, ticket_id=row[0])]
    from intake import call_list  # it pages as is done here

    found["calls"] = call_list.of_ticket(tx, row[0])
    from intake import unseen  # what an answer says it has seen

    found["seen"] = unseen.mark(tx, row[0])
    look = looks.of_ref(tx, ref)
    found["looked_at"] = None if look is None else {"by": look.agent, "since": _time(look.at)}
    found["decision"] = decision(tx, row[0])
    return found


def decision(tx: Tx, ticket_id: int) -> dict[str, Any] | None:
    """Give the last decision of a ticket; None = nothing was decided."""
    row = tx.one(_DECISION, ticket_id=ticket_id)
    found: dict[str, Any] | None = None if row is None else _decode(row[0])
    return found


def of_ids(tx: Tx, ids: Sequence[int]) -> list[tuple[int, dict[str, Any]]]:
    """Give tickets as the list shows them, each with its id, in the order of the ids; one that is gone is left out."""
    rows = {row[0]: row for row in tx.all(_BY_ID, ids=_encode(ids).decode())}
    known = [rows[each] for each in ids if each in rows]
    return list(zip([row[0] for row in known], _ticket_objects(tx, known), strict=True))


def _ticket_objects(tx: Tx, rows: Sequence[Row]) -> list[dict[str, Any]]:
    customers = _customers(tx, {row[10] for row in rows})
    due = _due(tx, [row[0] for row in rows])
    others = _refs(tx, {other for row in rows for other in row[17:20] if other is not None})
    promised = promises.of_tickets(tx, [row[0] for row in rows if row[_PROMISED] is not None])
    found = [_ticket_object(row, customers.get(row[10]), due[row[0]], others) for row in rows]
    for row, each in zip(rows, found, strict=True):
        each["promise"] = promises.public(promised[row[0]], now=tx.now) if row[0] in promised else None
    return found


def _refs(tx: Tx, ids: set[int]) -> dict[int, str]:
    """Return id -> ref of tickets that others point to."""
    return {row[0]: row[1] for row in tx.all(_REFS, ids=_encode(sorted(ids)).decode())} if ids else {}


def _ticket_object(
    row: Row, customer: dict[str, Any] | None, due: dict[str, str | None], refs: dict[int, str]
) -> dict[str, Any]:
    return {
        "ref": row[1],
        "subject": row[2],
        "status": row[3],
        "priority": row[4],
        "team": row[5],
        "agent": row[6],
        "nature": row[7],
        "language": row[8],
        "tags": _decode(row[9]),
        "customer": customer,
        "channel": row[11],
        "account": row[12],
        "created_at": _time(row[13]),
        "messages": row[14],
        "due": due,
        "rule": row[15],
        "fields": _decode(row[16]),
        "linked_to": refs.get(row[17]),
        "suggested_link": refs.get(row[18]),
        "merged_into": refs.get(row[19]),
        "waits_since": _time(row[20]),
    }


def _customers(tx: Tx, ids: set[int]) -> dict[int, dict[str, Any]]:
    asked = (
        _encode([str(each) for each in ids]).decode()
        if tx.engine == "postgresql"
        else _encode(sorted(ids)).decode()
    )
    identities: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for customer_id, *identity in tx.all(_IDENTITIES, ids=asked):
        identities[customer_id].append(_identity_object(identity))
    return {
        row[0]: {
            "id": str(row[0]),
            "name": row[1],
            "address": identities[row[0]][0]["value"] if identities[row[0]] else None,
            "language": row[2],
            "organization": row[3],
            "tags": _decode(row[4]),
            "tier": row[5],
            "fields": _decode(row[6]),
            "opted_out_at": _time(row[7]),
            "identities": identities[row[0]],
        }
        for row in tx.all(_CUSTOMERS, ids=asked)
    }


def _identity_object(row: Sequence[Any]) -> dict[str, Any]:
    """Give what a customer is known by, and what is wrong with it where something is."""
    kind, value, since, reason, complained_at = row
    found: dict[str, Any] = {"kind": kind, "value": value}
    if since is not None:
        found["undeliverable"] = {"since": _time(since), "reason": reason}
    if complained_at is not None:
        found["complained_at"] = _time(complained_at)
    return found


def _due(tx: Tx, ids: list[int]) -> dict[int, dict[str, str | None]]:
    due: dict[int, dict[str, str | None]] = defaultdict(dict)
    for ticket_id, target, due_at in tx.all(_DUE, ids=_encode(ids).decode()):
        due[ticket_id][target] = _time(due_at)
    return due


def message_object(row: Row) -> dict[str, Any]:
    return {
        "id": str(row[0]),
        "channel": row[1],
        "direction": row[2],
        "from": row[3],
        "from_name": row[4],
        "at": _time(row[5]),
        "subject": row[6],
        "text": row[7],
        "visible_text": row[7] if row[8] is None else row[8],
        "attachments": _decode(row[9]),
        "automatic": row[10],
        "language": row[11],
        "verified": bool(row[12]),
        "problems": _decode(row[13]),
        "message_id": row[14],
    }


def event_object(row: Row) -> dict[str, Any]:
    return {"at": _time(row[0]), "kind": row[1], "actor": row[2], "details": _decode(row[3])}
