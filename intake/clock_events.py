"""What the events of a ticket say of its clocks: each move with the time used by then.

A ticket's first clocks are no events: they are begun again from what it was armed with. A ticket that took over the clocks
of one merged into it shows what they did there. Reads only.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake import armaments, instants, tickets
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import sla
from routing.sla import Change

MERGES_FOLLOWED = 20
WHAT = {
    "sla_running": "runs",
    "sla_paused": "paused",
    "sla_met": "met",
    "sla_stopped": "stopped",
    "sla_moved": "moved",
}
# Of each event that moves clocks, what the event of its doer is called; all are written in one transaction.
_DOERS = {
    "customer_message": ("customer_replied",),
    "answered": ("agent_replied",),
    "answer_undelivered": ("delivery_failed",),
    "status": ("status_changed", "reopened"),
    "priority": ("priority_changed",),
    "policy": ("sla_changed", "sla_rearmed"),
    "promised": ("promised", "promise_withdrawn"),
    "promise_kept": ("promise_kept",),
    "dropped": ("is_spam_changed", "sla_changed", "merged"),
}

_decode = msgspec.json.Decoder().decode
_e = schema.events.c
_EVENTS = Statement(
    select(_e.at, _e.kind, _e.actor, _e.details).where(_e.ticket_id == bindparam("ticket_id")).order_by(_e.id)
)


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a clock. what: runs, paused, met, stopped, moved, warned or breached.

    used_s: by then, of budget_s. actor: as events name it, "" = nobody. event: see sla.Change, "" = time passed.
    run: the clock's. ticket: ref of the merged one that it happened to, None = the one asked about.
    """

    at: datetime
    what: str
    why: str
    actor: str = ""
    used_s: float = 0.0
    budget_s: float = 0.0
    due_at: datetime | None = None
    event: str = ""
    run: int = 0
    ticket: str | None = None


class _Told(msgspec.Struct, frozen=True):
    """One event of the ticket."""

    at: datetime
    kind: str
    actor: str
    details: dict[str, Any]


Moves = dict[str, list[Moved]]
Armed = list[tuple[datetime, str | None]]


def of_ticket(
    tx: Tx, ticket: Ticket, *, until: datetime, merges: int = MERGES_FOLLOWED
) -> tuple[Moves, Armed]:
    """Return target -> what happened to its clock up to an instant, and (instant, hash) of what it was armed with since."""
    told = [each for each in _events(tx, ticket) if each.at <= until]
    doers = {(each.at, each.kind): each.actor for each in reversed(told)}
    armed: Armed = [(instants.datetime_from_us(ticket.created_at), _first_armament(ticket, told))]
    moves, stash = _begun(tx, ticket, told, armed[0][1]), {}
    for each in told:
        if "armament" in each.details and each.kind.startswith("sla_"):
            armed.append((each.at, each.details["armament"]))
        if each.kind == "sla_inherited" and merges:
            stash, moves = moves, _inherited(tx, each, merges)
        elif each.kind == "sla_given_back":
            moves = stash
        elif each.kind == "sla_restored":
            moves = {target: _before_merge(rows) for target, rows in moves.items()}
        elif each.kind in WHAT or each.kind == "sla_breached":
            moves.setdefault(each.details["target"], []).append(_moved(each, doers))
    return moves, armed


def _events(tx: Tx, ticket: Ticket) -> Iterator[_Told]:
    for at, kind, actor, details in tx.all(_EVENTS, ticket_id=ticket.id):
        yield _Told(instants.datetime_from_us(at), kind, actor, _decode(details))


def _first_armament(ticket: Ticket, told: Sequence[_Told]) -> str | None:
    """What the ticket was armed with when it was opened."""
    changes = (
        each.details["before"] for each in told if "armament" in each.details and "before" in each.details
    )
    first: str | None = next(changes, ticket.armament)
    return first


def _begun(tx: Tx, ticket: Ticket, told: Sequence[_Told], digest: str | None) -> Moves:
    """The clocks that a ticket was opened with, which are no events."""
    if digest is None or not told or told[0].kind != "created":
        return {}
    at, armament = told[0].at, armaments.load(tx, digest)
    status, priority = _first(told, "status", ticket.status), _first(told, "priority", ticket.priority)
    change = Change(event="created", at=at, before=status, after=status, priority=priority)
    started = sla.after(armament.policy, (), change, calendar=armament.calendar)
    what = {"running": "runs"}
    return {
        clock.target: [
            Moved(
                at=at,
                what=what.get(clock.state, clock.state),
                why="the ticket was opened",
                actor=told[0].actor,
                budget_s=clock.budget_s,
                due_at=clock.due_at,
                event="created",
            )
        ]
        for clock in started
    }


def _first(told: Sequence[_Told], field: str, now: str) -> str:
    """The value that a field of the ticket had at first."""
    changes = (each.details["from"] for each in told if each.details.get("field") == field)
    return str(next(changes, now))


def _moved(told: _Told, doers: Mapping[tuple[datetime, str], str]) -> Moved:
    details = told.details
    event = details.get("event", "")
    due_at = _instant(details.get("due_at"))
    if told.kind == "sla_breached":
        used_s = details.get("used_s", 0.0)
        return Moved(
            at=due_at or told.at,
            what="breached",
            why="it was due",
            used_s=used_s,
            budget_s=used_s,
            due_at=due_at,
            run=details.get("run", 0),
        )
    names = (
        told.actor if told.actor != "system" else "",
        *(doers.get((told.at, kind), "") for kind in _DOERS.get(event, ())),
    )
    return Moved(
        at=told.at,
        what=WHAT[told.kind],
        why=details.get("why", ""),
        actor=next(filter(None, names), ""),
        used_s=details.get("used_s", 0.0),
        budget_s=details.get("budget_s", 0.0),
        due_at=due_at,
        event=event,
        run=details.get("run", 0),
    )


def _inherited(tx: Tx, told: _Told, merges: int) -> Moves:
    """What the clocks that go on here did in the ticket that was merged into this one."""
    source = tickets.load_by_ref(tx, told.details["ref"])
    if source is None:
        return {}
    moves, _ = of_ticket(tx, source, until=told.at, merges=merges - 1)
    return {
        target: [
            msgspec.structs.replace(each, ticket=each.ticket or source.ref) for each in _before_merge(rows)
        ]
        for target, rows in moves.items()
    }


def _before_merge(moves: Sequence[Moved]) -> list[Moved]:
    """The moves without the end that a merge put to them."""
    return [each for each in moves if (each.event, each.why) != ("dropped", "merged")]


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
