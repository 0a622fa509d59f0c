"""What happens to the due times of a ticket in memory, told one target at a time."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Literal

import msgspec

from routing import sla
from routing.simulated import Moved
from routing.targets import Clock

Kind = Literal["due", "paused", "resumed", "met", "reopened", "stopped"]


class Movement(msgspec.Struct, frozen=True):
    """A target that begins, moves, stands still or ends.

    kind: "due" = it begins, or is due at another instant than before. due_at: None = nothing is due. left_s: what is left
    of its time, negative when it is late. why: in a few words. zone: the calendar's whose hours it counts by.
    """

    at: datetime
    kind: Kind
    target: str
    due_at: datetime | None
    left_s: float
    why: str
    zone: tzinfo


def movements(moves: Iterable[Moved]) -> Iterator[Movement]:
    """Each movement of each target, in the order of time."""
    for move in moves:
        known = {clock.target: clock for clock in move.before}
        for clock in move.after:
            kind = _kind(known.get(clock.target), clock, move.change.event)
            if kind is not None:
                yield _movement(move, clock, kind)


def _movement(move: Moved, clock: Clock, kind: Kind) -> Movement:
    at = move.change.at
    due_at = clock.due_at if clock.state == "running" else sla.instant(clock)
    left_s = sla.left_s(clock, at=at, calendar=move.calendar)
    return Movement(at, kind, clock.target, due_at, left_s, _why(move), move.calendar.zone)


def _kind(before: Clock | None, after: Clock, event: str) -> Kind | None:
    """None = nothing that concerns its due time."""
    if before == after or after.state == "idle":
        return None
    is_new = before is None or before.state == "idle" or before.run != after.run
    if after.state == "paused":
        is_same = not is_new and before is not None and before.state == "paused"
        return None if is_same and before is not None and before.budget_s == after.budget_s else "paused"
    if after.state in ("met", "stopped"):
        is_same = before is not None and before.state == after.state and before.run == after.run
        return None if is_same else "met" if after.state == "met" else "stopped"
    if is_new or before is None or before.state == "running":
        return "due" if is_new or before is None or before.due_at != after.due_at else None
    if before.state == "paused":
        return "resumed"
    return "due" if event in ("answer_undelivered", "policy") else "reopened"


def _why(move: Moved) -> str:
    """What moved it, in words for people."""
    change = move.change
    policy = f"policy {move.sla}" if move.sla else "no policy"
    return {
        "created": f"{policy}, {change.priority}",
        "customer_message": "the customer wrote",
        "answer_undelivered": "an answer did not arrive",
        "status": change.after,
        "priority": f"priority {change.priority}",
        "policy": policy,
        "promised": "withdrawn" if change.promise is None else "promised",
        "promise_kept": "kept",
        "dropped": policy if move.sla is None else "given up",
    }.get(change.event, change.event)
