"""What a ticket's page shows, read in one transaction: who, what, until when, and the newest part of what was said.

    ticket        its row (see desk_rows), with `looked_at` and `participants`
    customer      who it is, how they are reached, and what keeps them from being reached
    timeline      messages, calls and events in one order, oldest first: a page of it, see `conversation`
    older         the cursor of the page before, None = it begins here
    clocks        each target: `target`, `state`, `due_at`, `met_at`, `breached_at`
    line          of a message of a chat: "<number>@<session>"; what is kept and not settled yet is in it as well, `is_arriving`
    deliveries    are part of the messages: `delivery` {"state", "reason", "attempts", "next_at"}
    decision      the last one with its reasons, None = nothing was decided; all of it: explaining.of_ticket
    others        the customer's other tickets that may be seen, newest first, and how many there are
    last_public   the id of the last message that the customer wrote or reads: what an answer answers, None = none

Each query is bounded: a ticket of two thousand messages costs what one of fifty does.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, func, or_, select

from intake import (
    call_list,
    clocks,
    delivery_states,
    desk_rows,
    instants,
    listing,
    looks,
    opt_outs_view,
    tickets,
    unseen,
)
from intake.desk_scope import is_seen, scope_of
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement
from intake.web.access import Action, Subject, Who, may

PAGE = 50
PAGE_MAX = 200
EVENTS_MAX = 300  # of one page
OTHERS_MAX = 10
ARRIVING_MAX = 50
OTHERS_COUNTED = 1_000  # as many are counted; more are told as so many
_LAST = 2**63 - 1
_CURSOR = re.compile(r"(\d{1,19})-(\d{1,19})")
_HIDDEN = frozenset(("facts", "undo"))  # of events: what a machine reads

_time = instants.rfc3339_from_us
_decode = msgspec.json.Decoder().decode
_t, _m, _e = schema.tickets.c, schema.messages.c, schema.events.c
_MESSAGES = Statement(
    select(*listing.MESSAGE_COLUMNS)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.id < bindparam("before"))
    .order_by(_m.id.desc())
    .limit(bindparam("most"))
)
_EVENTS = Statement(
    select(_e.id, _e.at, _e.kind, _e.actor, _e.details)
    .where(_e.ticket_id == bindparam("ticket_id"), _e.id < bindparam("before"), _e.at >= bindparam("since"))
    .order_by(_e.id.desc())
    .limit(bindparam("most"))
)
_LAST_PUBLIC = Statement(
    select(func.max(_m.id)).where(
        _m.ticket_id == bindparam("ticket_id"),
        or_(_m.direction == "in", _m.direction == "out"),
        _m.automatic.is_(None),
    )
)
_theirs = (
    _t.customer_id == bindparam("customer_id", type_=BigInteger()),
    _t.id != bindparam("but"),
    is_seen,
)
_OTHERS = Statement(select(_t.id).where(*_theirs).order_by(_t.id.desc()).limit(bindparam("most")))
_counted = select(_t.solved_at).where(*_theirs).limit(OTHERS_COUNTED).subquery()
_OTHERS_COUNT = Statement(
    select(func.count(), func.count() - func.count(_counted.c.solved_at)).select_from(_counted)
)


def subject_of(tx: Tx, ref: str) -> Subject | None:
    """Return what access is asked about; None = there is no such ticket."""
    ticket = tickets.load_by_ref(tx, ref)
    return None if ticket is None else _subject(ticket)


def page(tx: Tx, who: Who, ref: str, *, limit: int = PAGE) -> dict[str, Any] | None:
    """Give all that the page of a ticket shows; None = there is none, or it is not theirs to see."""
    ticket = _seen(tx, who, ref)
    if ticket is None:
        return None
    [row] = desk_rows.of_ids(tx, [ticket.id])
    customer = row["customer"]
    if customer is not None:
        customer["opt_outs"] = opt_outs_view.beside(tx, ticket.customer_id)
    look = looks.standing(tx, ticket)
    row["looked_at"] = None if look is None else {"by": look.agent, "since": _time(look.at)}
    row["participants"] = [msgspec.to_builtins(each) for each in tickets.participants(tx, ticket.id)]
    return {
        "ticket": row,
        "customer": customer,
        **_conversation(tx, ticket, (_LAST, _LAST), limit),
        "clocks": [_clock_object(each) for each in clocks.load(tx, ticket.id)],
        "decision": listing.decision(tx, ticket.id),
        "others": _others(tx, who, ticket),
        "last_public": _last_public(tx, ticket),
    }


def conversation(
    tx: Tx, who: Who, ref: str, *, before: str | None = None, limit: int = PAGE
) -> dict[str, Any] | None:
    """Give one page of what was said: `timeline` and `older`. before: an `older`, None = the newest page.

    None = there is no such ticket, or it is not theirs to see.
    """
    ticket = _seen(tx, who, ref)
    if ticket is None:
        return None
    found = _CURSOR.fullmatch(before or f"{_LAST}-{_LAST}")
    place = (0, 0) if found is None else (min(int(found[1]), _LAST), min(int(found[2]), _LAST))
    return _conversation(tx, ticket, place, limit)


def _seen(tx: Tx, who: Who, ref: str) -> Ticket | None:
    ticket = tickets.load_by_ref(tx, ref)
    if ticket is None or not may(who, Action.see_ticket, _subject(ticket)):
        return None
    return ticket


def _subject(ticket: Ticket) -> Subject:
    return Subject(team=ticket.team, agent=ticket.agent, ref=ticket.ref)


def _last_public(tx: Tx, ticket: Ticket) -> str | None:
    row = tx.one(_LAST_PUBLIC, ticket_id=ticket.id)
    return None if row is None or row[0] is None else str(row[0])


def _conversation(tx: Tx, ticket: Ticket, place: tuple[int, int], limit: int) -> dict[str, Any]:
    """Put messages and what happened between them into one order. place: ids of the message and event before which."""
    limit = min(max(limit, 1), PAGE_MAX)
    messages = tx.all(_MESSAGES, ticket_id=ticket.id, before=place[0], most=limit + 1)
    is_more, messages = len(messages) > limit, messages[:limit]
    since = min(row[5] for row in messages) if is_more else 0
    happened = tx.all(_EVENTS, ticket_id=ticket.id, before=place[1], since=since, most=EVENTS_MAX + 1)
    is_cut, happened = len(happened) > EVENTS_MAX, happened[:EVENTS_MAX]
    first = (messages[-1][0] if messages else 0, happened[-1][0] if happened else place[1])
    is_newest = place[0] == _LAST
    timeline = [
        *_messages(tx, ticket, messages),
        *(_arriving(tx, ticket) if is_newest else ()),
        *_calls(tx, ticket, messages, is_newest=is_newest),
        *(_event(row) for row in happened),
    ]
    timeline.sort(key=lambda each: each.pop("order"))
    return {"timeline": timeline, "older": f"{first[0]}-{first[1]}" if is_more or is_cut else None}


def _messages(tx: Tx, ticket: Ticket, rows: Sequence[Row]) -> list[dict[str, Any]]:
    deliveries = delivery_states.of_messages(tx, ticket.id, [row[0] for row in rows])
    return [
        {
            "what": "message",
            **listing.message_object(row),
            "line": None if row[15] is None else f"{row[15]}@{row[3]}",
            "is_arriving": False,
            "delivery": deliveries.get(row[0]),
            "order": (row[5], 0, row[0]),
        }
        for row in rows
    ]


def _arriving(tx: Tx, ticket: Ticket) -> list[dict[str, Any]]:
    """Return what visitors said that is not settled yet, as the messages that it will be."""
    return [
        {
            "what": "message",
            "id": "",
            "channel": "chat",
            "direction": "in",
            "from": each.session,
            "from_name": each.name,
            "at": _time(each.at),
            "subject": "",
            "text": each.text,
            "visible_text": each.text,
            "attachments": [{"name": file["name"]} for file in _decode(each.files)],
            "automatic": None,
            "language": None,
            "verified": True,
            "problems": [],
            "message_id": None,
            "line": f"{each.seq}@{each.session}",
            "is_arriving": True,
            "delivery": None,
            "order": (each.at, 3, each.seq),
        }
        for each in unseen.arriving(tx, ticket.id)[-ARRIVING_MAX:]
    ]


def _calls(tx: Tx, ticket: Ticket, rows: Sequence[Row], *, is_newest: bool) -> list[dict[str, Any]]:
    found = call_list.of_page(tx, ticket.id, [row[0] for row in rows], is_newest=is_newest, most=PAGE_MAX)
    return [{"what": "call", "at": each["started_at"], **each, "order": (_us(each), 2, 0)} for each in found]


def _us(call: dict[str, Any]) -> int:
    return instants.us_from_datetime(datetime.fromisoformat(call["started_at"]))


def _event(row: Row) -> dict[str, Any]:
    event_id, at, *_ = row
    shown = listing.event_object(row[1:])
    shown["details"] = {name: value for name, value in shown["details"].items() if name not in _HIDDEN}
    return {"what": "event", "id": str(event_id), **shown, "order": (at, 1, event_id)}


def _clock_object(clock: Any) -> dict[str, Any]:
    moments = {name: getattr(clock, name) for name in ("due_at", "met_at", "breached_at")}
    return {
        "target": clock.target,
        "state": clock.state,
        "budget_s": round(clock.budget_s, 6),
        **{name: None if at is None else instants.rfc3339(at) for name, at in moments.items()},
    }


def _others(tx: Tx, who: Who, ticket: Ticket) -> dict[str, Any]:
    given = {"customer_id": ticket.customer_id, "but": ticket.id, **scope_of(who).parameters}
    ids = [row[0] for row in tx.all(_OTHERS, most=OTHERS_MAX, **given)]
    row = tx.one(_OTHERS_COUNT, **given)
    count, count_open = row or (0, 0)
    return {"tickets": desk_rows.of_ids(tx, ids), "count": count, "open": count_open}
