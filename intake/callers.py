"""What a session is told of its own caller: what they spoke, their open tickets, where the rules have put this call.

Read in the transaction of the turn. Nothing of it is secret to who holds the number: refs, a language, whether we know
them; what a ticket says is never among it.
"""

from collections.abc import Set as AbstractSet
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Free, Identity, Placed
from intake import agents, opt_outs, tickets
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import ringing

REFS_MAX = 5
TEXTS = "sms"  # what somebody who calls would be sent

_c = schema.calls.c
_t = schema.tickets.c
_i = schema.identities.c
_CALL = Statement(select(_c.customer_id, _c.ticket_id).where(_c.session == bindparam("session")).limit(1))
_CUSTOMER = Statement(
    select(_i.customer_id).where(_i.kind == bindparam("kind"), _i.value == bindparam("value"))
)
_ABOUT = Statement(
    select(schema.customers.c.name, schema.customers.c.language).where(
        schema.customers.c.id == bindparam("id")
    )
)
_SPOKE = Statement(
    select(_c.language)
    .where(_c.customer_id == bindparam("customer_id"), _c.language.is_not(None))
    .order_by(_c.started_at.desc())
    .limit(1)
)
_OPEN_REFS = Statement(
    select(_t.ref)
    .where(_t.customer_id == bindparam("customer_id"), _t.solved_at.is_(None), _t.id != bindparam("but"))
    .order_by(_t.id.desc())
    .limit(bindparam("most"))
)
_KNOWN = Statement(
    select(_t.agent)
    .where(
        _t.customer_id == bindparam("customer_id"),
        _t.agent.is_not(None),
        _t.agent_replied_at.is_not(None),
    )
    .order_by(_t.agent_replied_at.desc())
    .limit(1)
)


class Caller(msgspec.Struct, frozen=True):
    """Who a session is with. customer_id: None = nobody we know (yet). ticket_id: of this call, None = there is none yet."""

    customer_id: int | None = None
    ticket_id: int | None = None


def find(tx: Tx, session: str | None, identity: Identity | None) -> Caller:
    """Return who it is: as the call itself is known, else by the number."""
    row = tx.one(_CALL, session=session) if session is not None else None
    if row is not None and row[0] is not None:
        return Caller(row[0], row[1])
    if identity is None:
        return Caller()
    row = tx.one(_CUSTOMER, kind=identity.kind, value=identity.value)
    return Caller() if row is None else Caller(row[0])


def part_of_view(tx: Tx, caller: Caller, identity: Identity | None) -> dict[str, Any]:
    """Return the caller's fields of a View, but where the call was placed."""
    is_opted_out = identity is not None and opt_outs.holding(tx, (identity,), TEXTS) is not None
    told: dict[str, Any] = {"is_opted_out": is_opted_out}
    if caller.customer_id is None:
        return told
    about = tx.one(_ABOUT, id=caller.customer_id)
    spoke = tx.one(_SPOKE, customer_id=caller.customer_id)
    refs = tx.all(_OPEN_REFS, customer_id=caller.customer_id, but=caller.ticket_id or 0, most=REFS_MAX)
    return told | {
        "is_known": True,
        "language": spoke[0] if spoke is not None else about[1] if about is not None else None,
        "open_refs": tuple(row[0] for row in refs),
    }


def ticket_of(tx: Tx, caller: Caller) -> Ticket | None:
    """Return the ticket that this call is on; None = it has none (yet)."""
    ticket = tickets.load(tx, caller.ticket_id) if caller.ticket_id is not None else None
    return None if ticket is None else tickets.final(tx, ticket)


def placed(tx: Tx, context: Context, ticket: Ticket, *, busy: AbstractSet[str]) -> Placed:
    """Return where the rules have put the ticket, and who may be rung for it. busy: who has a call already."""
    about = tx.one(_ABOUT, id=ticket.customer_id)
    ring = _ring(tx, context, ticket, busy=busy)
    return Placed(
        ref=ticket.ref,
        team=ticket.team,
        priority=ticket.priority,
        customer=about[0] if about is not None else "",
        tags=ticket.tags,
        ring=ring,
        is_staffed=bool(ring) or bool(busy and _ring(tx, context, ticket, busy=frozenset())),
    )


def _ring(tx: Tx, context: Context, ticket: Ticket, *, busy: AbstractSet[str]) -> tuple[Free, ...]:
    book = context.rulebook
    team = book.teams.get(ticket.team or "")
    if team is None:
        return ()
    rung = ringing.in_order(
        team,
        agents.people(tx, context, loads=agents.loads(tx)),
        level=ticket.level,
        skills=ticket.skills,
        language=ticket.language,
        known=_known(tx, ticket),
        but=busy,
    )
    return tuple(
        Free(
            each.agent,
            book.agents[each.agent].phone or "",
            each.level,
            book.agents[each.agent].skills,
            each.has_all,
        )
        for each in rung
    )


def _known(tx: Tx, ticket: Ticket) -> str | None:
    """Return whose the ticket is, else who answered the customer last, whatever it was about."""
    if ticket.agent is not None:
        return ticket.agent
    row = tx.one(_KNOWN, customer_id=ticket.customer_id)
    return None if row is None else row[0]
