"""SLA policies, their targets, the clocks of a ticket, and an event that moves them, as values: see `routing.sla`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from routing.calendar import Calendar
from routing.durations import Span

Event = Literal[
    "created", "customer_message", "answered", "answer_undelivered", "status", "priority", "policy",
    "promised", "promise_kept", "dropped",
]  # fmt: skip
State = Literal["running", "paused", "met", "stopped", "idle"]

PRIORITIES = ("low", "normal", "high", "urgent")
TARGETS = ("first_response", "next_response", "resolution", "update", "promise")
OPEN_STATUSES = ("new", "open", "pending", "on_hold")
UPDATE_STATUSES = ("open", "on_hold")  # in which the customer is owed news


class Target(msgspec.Struct, frozen=True):
    """How long one target may take. spans: priority -> length; the key "" = any priority."""

    spans: dict[str, Span]

    def span(self, priority: str) -> Span:
        """The length at a priority: its own, else the next higher one listed, else the highest listed."""
        if "" in self.spans:
            return self.spans[""]
        rank = PRIORITIES.index(priority)
        for name in PRIORITIES[rank:] + tuple(reversed(PRIORITIES[:rank])):
            if name in self.spans:
                return self.spans[name]
        raise KeyError(priority)


class Policy(msgspec.Struct, frozen=True):
    """What a ticket is promised. calendar, ladder: names; pause: statuses in which resolution does not count."""

    name: str
    calendar: str
    targets: dict[str, Target]
    pause: tuple[str, ...] = ()
    ladder: str | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` makes an equal policy."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Policy":
        return msgspec.convert(value, cls)

    def strictness(self, priority: str) -> float:
        """Seconds of first_response at a priority as written; infinite when there is none."""
        target = self.targets.get("first_response")
        return float(target.span(priority).nominal_s) if target else float("inf")


class Clock(msgspec.Struct, frozen=True, omit_defaults=True):
    """One target of one ticket. Seconds are open time (of a promise: wall clock); instants are aware.

    state: "idle" = a next_response that waits for the customer's next message; "stopped" = given up.
    used_s: open time used before running_since. due_at: None while paused without a breach; of one
    that was stopped early the instant it would have had.
    breached_at: the due instant that passed, kept for ever; met_at: when it was met, None = not (or again not) met.
    started_at: when it began, None = running_since. run: 0, and one more each time next_response, update or promise
    begins anew; the steps of a later run are other steps.
    """

    target: str
    state: State
    budget_s: float
    used_s: float = 0.0
    running_since: datetime | None = None
    due_at: datetime | None = None
    breached_at: datetime | None = None
    met_at: datetime | None = None
    started_at: datetime | None = None
    run: int = 0

    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` makes an equal clock."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Clock":
        return msgspec.convert(value, cls)


Clocks = tuple[Clock, ...]


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a ticket so far, of which clocks keep only the last: for events that count anew.

    answers: instants of people's public answers that stand, oldest first. waiting_since: the oldest customer message
    after the last of them, None = nobody waits. status_since: when the ticket came to its status, None = at its creation.
    """

    created_at: datetime
    answers: tuple[datetime, ...] = ()
    waiting_since: datetime | None = None
    status_since: datetime | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a ticket, as clocks see it. before, after: its status, the same when the event left it alone.

    event: created · customer_message (with the status it leaves behind; automatic mail is no event at all) · answered
    (a person's public answer) · answer_undelivered (taken_back: the answer's instant; past) · status (solved, reopened,
    pending, …: any change of it) · priority · policy (the new one and its calendar are passed to `after`; past;
    calendar_before: None = the same) · promised (promise: the agreed instant, None = withdrawn) · promise_kept ·
    dropped (spam, merged). priority: the one from now on.
    """

    event: Event
    at: datetime
    before: str
    after: str
    priority: str = "normal"
    promise: datetime | None = None
    taken_back: datetime | None = None
    past: Past | None = None
    calendar_before: Calendar | None = None
