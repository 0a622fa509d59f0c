"""What stands around a ticket's conversation: how it would be answered, what is being written, and all that can be done.

Read in the transaction that reads the page. The pieces _composer.html and _actions.html show it as `acting`.
"""

from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake import (
    canned,
    chats,
    composing,
    drafts,
    instants,
    looks,
    opt_outs_view,
    other_ways,
    promises,
    unseen,
    unwanted,
)
from intake.composed import Composed
from intake.desk import DeskError
from intake.model import OUTCOMES, STATUSES, Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.web.access import Action, Subject, Who, may
from intake.web.desk.desk import Desk
from intake.web.desk.words import WORDS
from routing.facts import NATURES
from routing.targets import PRIORITIES

MERGED_SHOWN = 10

_t, _o, _m = schema.tickets.c, schema.outbox.c, schema.messages.c
_MERGED = Statement(
    select(_t.ref, _t.subject)
    .where(_t.merged_into == bindparam("ticket_id"))
    .order_by(_t.id.desc())
    .limit(MERGED_SHOWN)
)
_INTO = Statement(select(_t.ref).where(_t.id == bindparam("id")))
_HELD = Statement(
    select(_o.id, _o.next_at, _m.id)
    .join(schema.messages, _m.id == _o.message_id)
    .where(
        _o.ticket_id == bindparam("ticket_id"),
        _o.state == "queued",
        _o.attempts == 0,
        _o.next_at > bindparam("now"),
        _m.author == bindparam("agent"),
    )
    .order_by(_o.id)
)


class Held(msgspec.Struct, frozen=True):
    """An answer of one's own that has not left. until: RFC 3339; message: its id in the conversation."""

    outbox: str
    until: str | None
    message: str


class Acting(msgspec.Struct, frozen=True, kw_only=True):
    """What the pieces show. may: actions that are allowed; mark: of what the page shows of the conversation.

    fork: begins the names of drafts that this page begins: a form that is sent twice is taken once.
    otherwise: how else the customer can be reached after an answer that did not arrive, one sentence, "" = nothing failed.
    composed: the empty answer, None = they may not answer; reply, note: the own text that was saved last, for browsers
    without scripts; canned: name, title, language, shortcut; people, teams: who it can be given to.
    """

    ref: str
    fork: str
    mark: str
    status: str
    priority: str
    nature: str | None
    outcome: str | None
    agent: str | None
    team: str | None
    language: str | None
    is_open: bool
    is_spam: bool
    is_agent: bool
    may: frozenset[str]
    composed: Composed | None
    reply: dict[str, Any] | None
    note: dict[str, Any] | None
    canned: tuple[dict[str, str], ...]
    held: tuple[Held, ...]
    people: tuple[str, ...]
    teams: tuple[str, ...]
    senders: tuple[str, ...]
    merged: tuple[dict[str, str], ...]
    merged_into: str | None
    suggested: str | None
    promise: dict[str, Any] | None
    looked_at: dict[str, Any] | None
    opt_outs: tuple[dict[str, Any], ...]
    can_call: bool
    otherwise: str
    undo_s: float
    is_chat: bool
    statuses: tuple[str, ...] = STATUSES
    priorities: tuple[str, ...] = tuple(PRIORITIES)
    natures: tuple[str, ...] = NATURES
    outcomes: tuple[str, ...] = OUTCOMES
    words: dict[str, str] = msgspec.field(default_factory=lambda: WORDS)


def of_ticket(tx: Tx, context: Context, who: Who, ticket: Ticket, *, desk: Desk) -> Acting:
    """Return what somebody may do with a ticket. ticket: as its ref names it, merged or not."""
    subject = Subject(team=ticket.team, agent=ticket.agent, ref=ticket.ref)
    allowed = frozenset(str(each) for each in Action if may(who, each, subject))
    is_agent = who.name in context.rulebook.agents
    own = drafts.of_ticket(tx, ticket, agent=who.name) if is_agent else ()
    suggested = _suggested(tx, ticket)
    return Acting(
        ref=ticket.ref,
        fork=f"page-{tx.new_id():020}",
        mark=unseen.mark(tx, ticket.id),
        status=ticket.status,
        priority=ticket.priority,
        nature=ticket.nature,
        outcome=ticket.outcome,
        agent=ticket.agent,
        team=ticket.team,
        language=ticket.language,
        is_open=ticket.is_open,
        is_spam=ticket.is_spam,
        is_agent=is_agent,
        may=allowed,
        composed=_composed(tx, context, ticket) if is_agent and "reply" in allowed else None,
        reply=_last(own, "reply"),
        note=_last(own, "note"),
        canned=_canned(desk, who, ticket),
        held=_held(tx, ticket, who),
        people=tuple(sorted(context.rulebook.agents)),
        teams=tuple(sorted(context.rulebook.teams)),
        senders=unwanted.senders(tx, context, ticket.ref),
        merged=tuple({"ref": row[0], "subject": row[1]} for row in tx.all(_MERGED, ticket_id=ticket.id)),
        merged_into=_ref(tx, ticket.merged_into),
        suggested=suggested,
        promise=_promise(tx, ticket),
        looked_at=_look(tx, ticket),
        opt_outs=tuple(opt_outs_view.beside(tx, ticket.customer_id)),
        can_call=_can_call(context, who),
        otherwise=other_ways.sentence(other_ways.after_failure(tx, context.accounts, ticket)),
        undo_s=context.answers.undo_s,
        is_chat=ticket.medium == chats.KIND,
    )


def _composed(tx: Tx, context: Context, ticket: Ticket) -> Composed | None:
    try:
        return composing.compose(tx, context, ticket.ref, text="")
    except DeskError:
        return None


def _last(own: tuple[drafts.Draft, ...], kind: str) -> dict[str, Any] | None:
    found = next((each for each in own if each.kind == kind), None)
    return None if found is None else drafts.public(found)


def _canned(desk: Desk, who: Who, ticket: Ticket) -> tuple[dict[str, str], ...]:
    fitting = texts(desk).fitting(language=ticket.language, teams=teams_of(who))
    return tuple(
        {"name": each.name, "title": each.title, "language": each.language, "shortcut": each.shortcut}
        for each in fitting
    )


def teams_of(who: Who) -> frozenset[str] | None:
    """Return whose canned replies somebody has, None = everybody's."""
    return None if who.role == "admin" else who.teams


_folders: dict[str, canned.Folder] = {}


def texts(desk: Desk) -> canned.Canned:
    """Return the canned replies as they stand now."""
    path = desk.settings.canned
    return _folders.setdefault(str(path), canned.Folder(path)).now


def _held(tx: Tx, ticket: Ticket, who: Who) -> tuple[Held, ...]:
    rows = tx.all(_HELD, ticket_id=ticket.id, agent=who.name, now=tx.now)
    return tuple(Held(str(row[0]), instants.rfc3339_from_us(row[1]), str(row[2])) for row in rows)


def _suggested(tx: Tx, ticket: Ticket) -> str | None:
    row = tx.one(_SUGGESTED, id=ticket.id)
    return None if row is None else _ref(tx, row[0])


_SUGGESTED = Statement(select(_t.suggested_link).where(_t.id == bindparam("id")))


def _ref(tx: Tx, ticket_id: int | None) -> str | None:
    row = None if ticket_id is None else tx.one(_INTO, id=ticket_id)
    return None if row is None else str(row[0])


def _promise(tx: Tx, ticket: Ticket) -> dict[str, Any] | None:
    if ticket.promised_at is None:
        return None
    found = promises.latest(tx, ticket.id)
    return None if found is None else promises.public(found, now=tx.now)


def _look(tx: Tx, ticket: Ticket) -> dict[str, Any] | None:
    look = looks.of_ref(tx, ticket.ref)
    return None if look is None else {"by": look.agent, "since": instants.rfc3339_from_us(look.at)}


def _can_call(context: Context, who: Who) -> bool:
    """Whether a phone of theirs could ring for a call to the customer."""
    person = context.rulebook.agents.get(who.name)
    has_line = any(each.medium == "voice" and each.can_deliver for each in context.accounts.values())
    return person is not None and person.phone is not None and has_line
