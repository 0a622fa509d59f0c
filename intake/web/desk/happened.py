"""An event as a stream tells it: read with the ticket that it is of, told to whoever may see that, and never what was said."""

from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake import instants
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.web.access import Action, Subject, Who, may
from intake.web.desk import hearing

_e, _t = schema.events.c, schema.tickets.c
_NEW = Statement(
    select(_e.id, _e.kind, _e.actor, _e.at, _e.details, _t.ref, _t.team, _t.agent)
    .select_from(schema.events.outerjoin(schema.tickets, _t.id == _e.ticket_id))
    .where(_e.id > bindparam("after"))
    .order_by(_e.id)
    .limit(bindparam("most"))
)
_decode = msgspec.json.Decoder().decode
_MOVES = frozenset({"assigned", "unassigned", "team_changed"})


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event as it is told. ref: of its ticket, None = it is about none; subjects: whose it is, and was until now.

    agent: whom an event without a ticket is about, "" = nobody of the desk.
    """

    id: int
    kind: str
    actor: str
    at: str
    ref: str | None
    subjects: tuple[Subject, ...] = ()
    agent: str = ""

    def is_for(self, who: Who) -> bool:
        """Whether they are told: of a ticket that goes to others they hear that it went."""
        if self.ref is None:
            return hearing.is_heard(who, self.kind, self.actor, self.agent)
        return any(may(who, Action.see_ticket, each) for each in self.subjects)

    def lines(self) -> bytes:
        told = {"id": str(self.id), "kind": self.kind, "ref": self.ref, "actor": self.actor, "at": self.at}
        return written("event", told, number=self.id)


def read(tx: Tx, after: int, *, most: int) -> list[Happened]:
    """Return the next events after a number, in order."""
    return [_happened(*row) for row in tx.all(_NEW, after=after, most=most)]


def _happened(
    number: int,
    kind: str,
    actor: str,
    at: int,
    details: str,
    ref: str | None,
    team: str | None,
    agent: str | None,
) -> Happened:
    told = instants.rfc3339(instants.datetime_from_us(at))
    if ref is None:
        agent = str(_decode(details).get("agent") or "")
        return Happened(id=number, kind=kind, actor=actor, at=told, ref=None, agent=agent)
    now = Subject(team=team, agent=agent, ref=ref)
    subjects = (now, _before(now, _decode(details))) if kind in _MOVES else (now,)
    return Happened(id=number, kind=kind, actor=actor, at=told, ref=ref, subjects=subjects)


def _before(now: Subject, details: dict[str, Any]) -> Subject:
    """Return whose the ticket was before a move."""
    field, value = details.get("field"), details.get("from")
    if field == "team":
        return msgspec.structs.replace(now, team=value) if value is not None else now
    return msgspec.structs.replace(now, agent=value)


def written(event: str, told: dict[str, Any], *, number: int | None = None) -> bytes:
    """Write one item of a stream (WHATWG HTML §9.2.6)."""
    first = b"" if number is None else b"id: %d\n" % number
    return first + b"event: " + event.encode() + b"\ndata: " + msgspec.json.encode(told) + b"\n\n"
