"""The call that rings for an agent, or that they speak on, with its ticket: what their desk shows while the phone rings."""

from typing import Any

from sqlalchemy import bindparam, select

from intake import instants
from intake.model import Context
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_h, _c, _t, _p = schema.holds.c, schema.calls.c, schema.tickets.c, schema.customers.c
_MINE = Statement(
    select(
        _t.ref, _t.subject, _t.team, _c.caller, _c.agent, _c.started_at, _c.answered_at, _c.language, _p.name
    )
    .select_from(schema.holds)
    .join(schema.calls, _c.session == _h.session)
    .join(schema.tickets, _t.id == _c.ticket_id)
    .outerjoin(schema.customers, _p.id == _c.customer_id)
    .where(_h.agent == bindparam("agent"), _h.until_at > bindparam("now"), _c.ended_at.is_(None))
    .order_by(_c.id.desc())
    .limit(1)
)


def has_phone(context: Context, agent: str) -> bool:
    """Whether calls can ring for somebody: the rules name their number, and an account takes calls."""
    person = context.rulebook.agents.get(agent)
    takes_calls = any(each.medium == "voice" for each in context.accounts.values())
    return person is not None and person.phone is not None and takes_calls


def now(tx: Tx, agent: str) -> dict[str, Any] | None:
    """Return the call as pages show it; None = none rings. is_taken: they speak; since: RFC 3339."""
    row = tx.one(_MINE, agent=agent, now=tx.now)
    if row is None:
        return None
    return {
        "ref": row[0],
        "subject": row[1],
        "team": row[2],
        "caller": row[8] or row[3],
        "is_taken": row[4] == agent and row[6] is not None,
        "since": instants.rfc3339_from_us(row[5]),
        "language": row[7],
    }
