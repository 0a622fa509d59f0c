"""What a backtest reads: decisions with the facts they saw, and what really happened to their tickets, in chunks."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, func, select

from intake import instants
from intake.store import schema
from intake.store.engine import Ids, Store, Tx
from intake.store.statements import Statement, values_of
from routing.facts import Facts
from routing.sla import Clock

CHUNK = 250  # tickets read at once: some megabytes at most

_d, _t, _m, _e = schema.decisions.c, schema.tickets.c, schema.messages.c, schema.events.c
TELLING = ("escalated", "reacted")
"""Events of rules that may have told people."""

_REPLAYED = (
    "agent_replied", "status_changed", "reopened", "priority_changed", "assigned", "unassigned", "team_changed",
    "delivery_failed", "acknowledged", *TELLING,
)  # fmt: skip
_encode = msgspec.json.Encoder().encode
_facts = msgspec.json.Decoder(Facts).decode
_clock = msgspec.json.Decoder(Clock).decode

_FIRST = Statement(
    select(func.min(_d.ticket_id)).where(_d.id >= bindparam("first_id"), _d.at >= bindparam("since"))
)
_COUNT = Statement(
    select(func.count())
    .select_from(schema.decisions)
    .where(_d.ticket_id > bindparam("after"), _d.at >= bindparam("since"))
)
_COUNT_ALL = Statement(select(func.count()).select_from(schema.decisions))
_BOUND = Statement(
    select(_d.ticket_id)
    .where(_d.ticket_id > bindparam("after"))
    .order_by(_d.ticket_id)
    .offset(bindparam("places"))
    .limit(1)
)
_LAST = Statement(select(func.max(_d.ticket_id)))
_DECISIONS = Statement(
    select(
        _d.ticket_id, _t.ref, _t.created_at, _t.medium, _d.message_id, _d.at, _d.rulebook, _d.facts, _d.decision,
        _m.subject, _m.body, _m.visible_text,
    )
    .select_from(
        schema.decisions.join(schema.tickets, _t.id == _d.ticket_id).outerjoin(
            schema.messages, _m.id == _d.message_id
        )
    )
    .where(_d.ticket_id > bindparam("after"), _d.ticket_id <= bindparam("upto"), _d.at >= bindparam("since"))
    .order_by(_d.ticket_id, _d.id)
)  # fmt: skip
_CLOCKS = Statement(
    select(schema.clocks.c.ticket_id, schema.clocks.c.clock).where(
        schema.clocks.c.ticket_id > bindparam("after"), schema.clocks.c.ticket_id <= bindparam("upto")
    )
)
_WORDS = Statement(
    select(_m.ticket_id, _m.id, _m.at, _m.medium, _m.subject, _m.body, _m.visible_text, _m.language)
    .where(_m.ticket_id.in_(values_of("ids", BigInteger())), _m.direction == "in", _m.automatic.is_(None))
    .order_by(_m.ticket_id, _m.id)
)
_EVENTS = Statement(
    select(_e.ticket_id, _e.at, _e.kind, _e.actor, _e.details)
    .where(_e.ticket_id.in_(values_of("ids", BigInteger())), _e.kind.in_(values_of("kinds")))
    .order_by(_e.ticket_id, _e.id)
)
_SOURCE = Statement(select(schema.rulebooks.c.source).where(schema.rulebooks.c.hash == bindparam("hash")))


class Past(msgspec.Struct, frozen=True):
    """One stored decision. facts: with its text again; None = they cannot be read, error says why.

    has_quoted: whether what the message quoted is known to be nothing; the quoted text itself is not kept.
    """

    at: datetime
    rulebook: str
    facts: Facts | None
    decision: str
    message_id: int
    has_quoted: bool
    error: str = ""


class StoredTicket(msgspec.Struct, frozen=True):
    """A ticket with its decisions, oldest first, and its clocks as they are now."""

    id: int
    ref: str
    created_at: datetime
    decisions: tuple[Past, ...]
    clocks: tuple[Clock, ...]


class Said(msgspec.Struct, frozen=True):
    """Something that really happened. kind: customer_replied, or an event's; to: what a change changed its field to."""

    at: datetime
    kind: str
    actor: str = ""
    field: str = ""
    to: Any = None
    message: Facts | None = None


class History(msgspec.Struct):
    """What happened to a ticket after its first message, in order. notices: how often its rules told people."""

    said: list[Said]
    notices: int = 0


class Span(msgspec.Struct, frozen=True):
    """The tickets with ids above `after`, up to `upto`."""

    after: int
    upto: int


def count(store: Store, *, since_us: int) -> int:
    """How many decisions there are to look at."""
    if since_us <= 0:
        return int(_one(store, _COUNT_ALL) or 0)
    return int(_one(store, _COUNT, after=_before_first(store, since_us), since=since_us) or 0)


def spans(store: Store, *, since_us: int, size: int = CHUNK) -> Iterator[Span]:
    """The tickets in question in pieces of about so many decisions; a piece is known only when it is asked for."""
    after = _before_first(store, since_us)
    last = int(_one(store, _LAST) or 0)
    while after < last:
        bound = _one(store, _BOUND, after=after, places=size - 1)
        upto = last if bound is None else int(bound)
        yield Span(after, upto)
        after = upto


def _before_first(store: Store, since_us: int) -> int:
    """The id just below the first ticket that has a decision since then; ids grow with time, so later rows are enough."""
    if since_us <= 0:
        first = _one(store, Statement(select(func.min(_d.ticket_id))))
    else:
        first_id = Ids.lowest(since_us)
        first = _one(store, _FIRST, first_id=first_id, since=since_us)
    return int(first) - 1 if first is not None else 2**63 - 1


def _one(store: Store, statement: Statement, **parameters: Any) -> Any:
    row = store.read_now(lambda tx: tx.one(statement, **parameters))
    return None if row is None else row[0]


def tickets(tx: Tx, span: Span, *, since_us: int) -> list[StoredTicket]:
    """The tickets of a span that have a decision since then."""
    clocks: dict[int, list[Clock]] = {}
    for ticket_id, text in tx.all(_CLOCKS, after=span.after, upto=span.upto):
        clocks.setdefault(ticket_id, []).append(_clock(text))
    rows = tx.all(_DECISIONS, after=span.after, upto=span.upto, since=since_us)
    found = []
    for ticket_id, group in groupby(rows, key=lambda row: row[0]):
        own = list(group)
        found.append(
            StoredTicket(
                ticket_id,
                own[0][1],
                instants.datetime_from_us(own[0][2]),
                tuple(_past(row) for row in own),
                tuple(clocks.get(ticket_id, ())),
            )
        )
    return found


def _past(row: Sequence[Any]) -> Past:
    _, _, _, _, message_id, at, rulebook, text, decision, subject, body, visible_text = row
    seen, error = None, ""
    try:
        seen = _facts(text)
    except (msgspec.DecodeError, msgspec.ValidationError) as problem:
        error = str(problem)
    is_whole = message_id == 0  # made of several messages: their text is kept with the facts
    if seen is not None and not is_whole and subject is not None:
        words = body if visible_text is None else visible_text
        seen = msgspec.structs.replace(seen, subject=subject, body=words)
    return Past(
        instants.datetime_from_us(at),
        rulebook,
        seen,
        decision,
        message_id,
        has_quoted=is_whole or visible_text is None,
        error=error,
    )


def histories(tx: Tx, ids: Sequence[int], *, opening: dict[int, int]) -> dict[int, History]:
    """Ticket -> what happened to it. opening: ticket -> id of its first message."""
    found = {identifier: History([]) for identifier in ids}
    asked = _encode(ids).decode()
    for row in tx.all(_WORDS, ids=asked):
        if row[1] != opening.get(row[0]):
            found[row[0]].said.append(_words(row))
    kinds = _encode(_REPLAYED).decode()
    for ticket_id, at, kind, actor, details in tx.all(_EVENTS, ids=asked, kinds=kinds):
        if kind in TELLING:
            found[ticket_id].notices += _notices(details)
            continue
        change = _change(details)
        when = instants.datetime_from_us(at)
        found[ticket_id].said.append(Said(when, kind, actor, change.field, change.to))
    for history in found.values():
        history.said.sort(key=lambda each: each.at)
    return found


class _Change(msgspec.Struct, frozen=True):
    field: str = ""
    to: Any = None


class _Done(msgspec.Struct, frozen=True):
    kind: str


class _Telling(msgspec.Struct, frozen=True):
    actions: tuple[_Done, ...] = ()


_change = msgspec.json.Decoder(_Change).decode
_telling = msgspec.json.Decoder(_Telling).decode


def _notices(details: str) -> int:
    return sum(action.kind == "notify" for action in _telling(details).actions)


def _words(row: Sequence[Any]) -> Said:
    _, _, at_us, medium, subject, body, visible_text, language = row
    at = instants.datetime_from_us(at_us)
    words = body if visible_text is None else visible_text
    facts = Facts(at=at, channel=medium, subject=subject, body=words, language=language)
    return Said(at, "customer_replied", "customer", message=facts)


def source(tx: Tx, digest: str) -> str | None:
    """The text of the rulebook of a hash; None = the store does not have it."""
    row = tx.one(_SOURCE, hash=digest)
    return None if row is None else str(row[0])
