"""SLA policies, their targets and the clocks of a ticket, as values. What moves a clock stands in `routing.sla`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from routing.durations import Span

State = Literal["running", "paused", "met", "stopped", "idle"]

PRIORITIES = ("low", "normal", "high", "urgent")
TARGETS = ("first_response", "next_response", "resolution", "update", "promise")


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
    used_s: open time used before running_since. due_at: None while paused without a breach, and when stopped early.
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
