"""What a ticket's rows tell of why: its decisions, reactions, steps, clocks and agents, each with the rulebook of its day.

Reads only. Rulebooks come from the store by hash, facts from where they were kept, text from the messages.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, or_, select

from intake import clocks, explaining_steps, instants, tickets
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement
from routing import explain
from routing import rulebook as rules
from routing.facts import FACTS_VERSION, Facts
from routing.rulebook import Rulebook

Told = dict[str, Any]
"""JSON values."""

NEWER = "its facts were kept by a newer version of this program, which can tell why"

_d = schema.decisions.c
_m = schema.messages.c
_e = schema.events.c
_t = schema.timers.c
_DECISIONS = Statement(
    select(_d.at, _d.decision, _d.facts, _d.facts_version, _d.rulebook, _m.subject, _m.body, _m.visible_text)
    .outerjoin(schema.messages, _m.id == _d.message_id)
    .where(_d.ticket_id == bindparam("ticket_id"))
    .order_by(_d.id)
)
_SOURCE = Statement(select(schema.rulebooks.c.source).where(schema.rulebooks.c.hash == bindparam("hash")))
_EVENTS = Statement(
    select(_e.at, _e.kind, _e.actor, _e.details)
    .where(
        _e.ticket_id == bindparam("ticket_id"),
        or_(_e.kind == "reacted", _e.kind == "not_reacted", _e.kind == "agents_compared"),
    )
    .order_by(_e.id)
)
_SAID = Statement(
    select(_m.id, _m.at, _m.automatic)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction == "in")
    .order_by(_m.id)
)
_WORDS = Statement(select(_m.subject, _m.body, _m.visible_text).where(_m.id == bindparam("message_id")))
_TIMERS = Statement(
    select(
        _t.kind, _t.policy, _t.step, _t.target, _t.due_at, _t.state, _t.fired_at, _t.is_reached,
        _t.acknowledged_at,
    )
    .where(_t.ticket_id == bindparam("ticket_id"))
    .order_by(_t.due_at, _t.id)
)  # fmt: skip


def of_ticket(tx: Tx, ref: str, *, most: int | None = None) -> Told | None:
    """All of it; None = there is no such ticket, or nothing was decided for it.

    The last decision's keys stand at the top, decisions before it under "earlier". most: of each kind only the newest so
    many, None = all; "left_out" counts those that are not told.
    """
    ticket = tickets.load_by_ref(tx, ref)
    if ticket is None:
        return None
    books = _Books(tx)
    rows = tx.all(_DECISIONS, ticket_id=ticket.id)
    if not rows:
        return None
    decided = [_decision(books, row) for row in _newest(rows, most)]
    timers = tx.all(_TIMERS, ticket_id=ticket.id)
    happened = tx.all(_EVENTS, ticket_id=ticket.id)
    reacted = [row for row in happened if row[1] != "agents_compared"]
    compared = [row for row in happened if row[1] == "agents_compared"]
    said = tx.all(_SAID, ticket_id=ticket.id) if reacted else ()
    return {
        "ref": ticket.ref,
        **decided[-1],
        "earlier": decided[:-1],
        "reactions": [_reaction(tx, books, row, said) for row in _newest(reacted, most)],
        "assignments": [_assignment(row) for row in _newest(compared, most)],
        "left_out": sum(len(each) - len(_newest(each, most)) for each in (rows, reacted, compared)),
        "clocks": [msgspec.to_builtins(each) for each in clocks.load(tx, ticket.id)],
        "steps": explaining_steps.of_ticket(tx, ticket),
        "silences": [_silence(row) for row in timers if row[0] == "quiet"],
    }


def _newest(rows: Sequence[Row], most: int | None) -> Sequence[Row]:
    return rows if most is None else rows[-most:]


def with_places(book: Rulebook | None, told: Iterable[Any]) -> list[Told]:
    """Reasons as JSON values, each with the file of its rule. book: None = it is not known any more."""
    known = () if book is None else (*book.rules, *(each.rule for each in book.react))
    files = {rule.id: rule.file for rule in known}
    found: list[Told] = [msgspec.to_builtins(each) for each in told]
    return [{**each, "file": files.get(each["rule"])} for each in found]


class _Books:
    """The rulebooks of a ticket's days, each compiled once."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._known: dict[str, Rulebook | None] = {}

    def of(self, digest: str) -> Rulebook | None:
        if digest not in self._known:
            row = self._tx.one(_SOURCE, hash=digest)
            self._known[digest] = None if row is None else rules.from_text(row[0])
        return self._known[digest]


def _decision(books: _Books, row: Row) -> Told:
    at, decision, stored, version, digest, subject, body, visible_text = row
    told: Told = {"decided_at": instants.rfc3339_from_us(at), **msgspec.json.decode(decision)}
    book = books.of(digest)
    told["facts_version"] = version
    told["reasons"] = with_places(book, told["reasons"])
    told["why_not"] = []
    if version > FACTS_VERSION:
        told["unknown"] = NEWER
    elif book is None:
        told["unknown"] = f"the store does not have the rulebook {digest[:12]}"
    else:
        seen = msgspec.json.decode(stored, type=Facts)
        if body is not None:  # what was routed again keeps the text of all messages itself
            words = body if visible_text is None else visible_text
            seen = msgspec.structs.replace(seen, subject=subject, body=words)
        told["why_not"] = with_places(book, explain.why_not(book, seen))
    return told


def _reaction(tx: Tx, books: _Books, row: Row, said: Sequence[Row]) -> Told:
    """One event that react rules waited for."""
    at, _, _, details = row
    told: Told = msgspec.json.decode(details)
    book = books.of(told.get("rulebook", ""))
    stored, version = told.pop("facts", None), told.get("facts_version", 0)
    told = {"at": instants.rfc3339_from_us(at), **told, "why_not": []}
    told["reasons"] = with_places(book, told.get("reasons", ()))
    if stored is None or version > FACTS_VERSION:
        told["unknown"] = NEWER if stored is not None else "its facts were not kept"
    elif book is not None:
        seen = _with_words(tx, msgspec.convert(stored, Facts), told.get("cause", ""), said, at)
        told["why_not"] = with_places(book, explain.why_not_react(book, seen, only=told.get("only")))
    return told


def _with_words(tx: Tx, seen: Facts, cause: str, said: Sequence[Row], at: int) -> Facts:
    """The facts with the words of the message behind them: the cause's, else those a person wrote last by then."""
    kind, _, number = cause.partition(":")
    of_cause = [row for row in said if kind == "message" and str(row[0]) == number]
    until = [row for row in said if row[1] <= at]
    found = of_cause or [row for row in until if row[2] is None] or until
    words = tx.one(_WORDS, message_id=found[-1][0]) if found else None
    if words is None:
        return seen
    subject, body, visible_text = words
    return msgspec.structs.replace(seen, subject=subject, body=body if visible_text is None else visible_text)


def _assignment(row: Row) -> Told:
    at, _, actor, details = row
    return {"at": instants.rfc3339_from_us(at), "by": actor, **msgspec.json.decode(details)}


def _silence(row: Row) -> Told:
    """One silence that a quiet rule waits for, or waited for."""
    since, _, counted_from = row[1].partition("@")
    return {
        "rule": row[2],
        "since": since,
        "since_at": instants.rfc3339_from_us(int(counted_from)) if counted_from else None,
        "due_at": instants.rfc3339_from_us(row[4]),
        "state": row[5],
        "fired_at": None if row[6] is None else instants.rfc3339_from_us(row[6]),
    }
