"""What became of each step of a ticket's ladder: when and why it was taken, whom it told, who was passed over and why."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, or_, select

from intake import armaments, clocks, instants
from intake.model import Ticket
from intake.steps import ACK, ASKING, STEP
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement
from routing import explain, ladder
from routing.ladder import Asked, StepTimer

Told = dict[str, Any]
"""JSON values."""

_e = schema.events.c
_EVENTS = Statement(
    select(_e.at, _e.kind, _e.actor, _e.details)
    .where(
        _e.ticket_id == bindparam("ticket_id"),
        or_(
            _e.kind == "escalated",
            _e.kind == "notified",
            _e.kind == "notice_reached_nobody",
            _e.kind == "acknowledged",
        ),
    )
    .order_by(_e.id)
)
_COLUMNS = ("kind", "step", "target", "due_at", "state", "fired_at", "is_reached", "acknowledged_at")
_t = schema.timers.c
_TIMERS = Statement(
    select(*(_t[name] for name in _COLUMNS))
    .where(_t.ticket_id == bindparam("ticket_id"), or_(_t.kind == STEP, _t.kind == ACK))
    .order_by(_t.due_at, _t.id)
)


class _Timer(msgspec.Struct, frozen=True):
    """One row, with what its key stands for. Instants: microseconds UTC."""

    kind: str
    step: str
    target: str | None
    due_at: int
    state: str
    fired_at: int | None
    is_reached: int | None
    acknowledged_at: int | None
    key: ladder.StepKey

    def as_step(self) -> StepTimer:
        at = instants.datetime_from_us(self.due_at)
        return StepTimer(self.step, self.target, at, self.key.step, self.key.round, self.key.run)

    def as_asked(self) -> Asked:
        return Asked(
            key=self.step,
            sent_at=instants.datetime_from_us(self.fired_at or self.due_at),
            is_reached=bool(self.is_reached),
            acknowledged_at=None
            if self.acknowledged_at is None
            else instants.datetime_from_us(self.acknowledged_at),
        )


def of_ticket(tx: Tx, ticket: Ticket) -> list[Told]:
    """Each step of the ladder that the ticket was armed with, in the order written.

    why: of each time it was taken. notices: of each, whom it reached and who was skipped. acknowledged_by: agents.
    """
    armament = armaments.load(tx, ticket.armament) if ticket.armament is not None else None
    if armament is None or armament.ladder is None:
        return []
    rows = [each for row in tx.all(_TIMERS, ticket_id=ticket.id) if (each := _timer(row)) is not None]
    outcomes = explain.of_ladder(
        armament.ladder,
        clocks.load(tx, ticket.id),
        [each.as_step() for each in rows if each.state == "pending"],
        fired={each.step for each in rows if each.state in ("fired", "skipped")},
        asked=[each.as_asked() for each in rows if each.state == "fired" and each.is_reached in ASKING],
    )
    happened = [(*row[:3], msgspec.json.decode(row[3])) for row in tx.all(_EVENTS, ticket_id=ticket.id)]
    return [
        {
            **_step(outcome, [each for each in rows if each.key.step == number]),
            **_told(outcome.step, happened),
        }
        for number, outcome in enumerate(outcomes)
    ]


def _timer(row: Row) -> _Timer | None:
    values = dict(zip(_COLUMNS, row, strict=True))
    key = ladder.parsed_key(values["step"])
    return None if key is None else _Timer(**values, key=key)


def _step(outcome: explain.StepOutcome, own: Sequence[_Timer]) -> Told:
    told: Told = msgspec.to_builtins(outcome)
    told["fired_at"] = [_time(each.fired_at) for each in own if each.state == "fired"]
    told["skipped_at"] = [_time(each.fired_at or each.due_at) for each in own if each.state == "skipped"]
    told["waits_until"] = [_time(each.due_at) for each in own if each.state == "pending"]
    told["acknowledged_at"] = [
        _time(each.acknowledged_at) for each in own if each.acknowledged_at is not None
    ]
    if told["skipped_at"] and not told["fired_at"]:
        told["outcome"] = "skipped: it was due already when the ticket got the policy"
    if any(each.state == "failed" for each in own):
        told["outcome"] = "failed: the log says why (timer_failed)"
    return told


def _told(step: str, happened: Sequence[tuple[int, str, str, Mapping[str, Any]]]) -> Told:
    """What events say of a step. step: "ladder/number"."""
    why, notices, acknowledged = [], [], []
    for at, kind, actor, details in happened:
        if kind == "escalated" and _is_of(str(details.get("step", "")), step):
            why.append(
                {"at": _time(at), "why": details.get("why", ""), "is_late": details.get("is_late", False)}
            )
        elif kind == "acknowledged" and any(_is_of(key, step) for key in details.get("steps", ())):
            by = actor.partition(":")[2]
            acknowledged.append({"at": _time(at), "agent": by, "how": details.get("how", "")})
        elif actor == f"rule:{step}" and kind != "escalated":
            notices.append(
                {
                    "at": _time(at),
                    "target": details.get("target"),
                    "reached": kind == "notified",
                    "agents": details.get("agents", []),
                    "skipped": details.get("skipped", []),
                    "reason": details.get("reason", ""),
                }
            )
    return {"why": why, "notices": notices, "acknowledged": acknowledged}


def _is_of(key: str, step: str) -> bool:
    parsed = ladder.parsed_key(key)
    return parsed is not None and f"{parsed.ladder}/{parsed.step}" == step


def _time(at_us: int | None) -> str | None:
    return instants.rfc3339_from_us(at_us)
