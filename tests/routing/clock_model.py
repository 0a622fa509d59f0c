"""A small model of a ticket's clocks, written from the rules' words: it knows nothing of the code.

It adds up open minutes, one after the other, of a table that says which are open.
"""

import itertools
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from routing.calendar import Calendar, CalendarText
from routing.durations import Span
from routing.sla import OPEN_STATUSES, Policy, Target

H = 3_600
OFFICE = Calendar(
    CalendarText("office", "Europe/Warsaw", (((8 * H, 12 * H), (12 * H + H // 2, 17 * H)),) * 5 + ((), ()))
)
ALWAYS = Calendar(CalendarText("always", "UTC", (((0, 24 * H),),) * 7))
START = datetime(2026, 10, 22, 6, tzinfo=UTC)  # a Thursday; on the Sunday the clocks go back
MINUTES = 26 * 1440


def target(**minutes: int) -> Target:
    return Target(
        {name.removeprefix("any"): Span(f"{many}m", seconds=60 * many) for name, many in minutes.items()}
    )


FULL = Policy(
    "full",
    "office",
    {
        "first_response": target(urgent=30, high=60, normal=240),
        "next_response": target(urgent=45, low=300),
        "resolution": target(urgent=480, normal=960),
        "update": target(any=200),
    },
    ("pending", "on_hold"),
)
LEAN = Policy(
    "lean",
    "always",
    {"first_response": target(any=120), "resolution": target(high=600, low=2000)},
    ("on_hold",),
)
CALENDARS = {"office": OFFICE, "always": ALWAYS}


def opened(calendar: Calendar) -> list[int]:
    """Open minutes before each minute, counted one by one."""
    flags = (calendar.is_open(START + timedelta(minutes=number)) for number in range(MINUTES))
    return list(itertools.accumulate(flags, initial=0))


BEFORE = {name: opened(calendar) for name, calendar in CALENDARS.items()}
WALL = list(range(MINUTES + 1))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event. at: minutes; before, after: the status; to: a priority, a policy's name or a promise's minute."""

    at: int
    kind: str
    before: str
    after: str
    to: Any = None


class Counter:
    """One target in the model. used: minutes before `since`, None = it does not run."""

    def __init__(self, budget: int, at: int, table: list[int]) -> None:
        self.budget, self.table = budget, table
        self.used, self.since = 0, at
        self.state = "running"
        self.breached: int | None = None
        self.met: int | None = None

    def used_at(self, at: int) -> int:
        return self.used + (self.table[at] - self.table[self.since] if self.state == "running" else 0)

    @property
    def due(self) -> int:
        """The first minute at which everything is used."""
        left = self.budget - self.used
        return self.since if left <= 0 else bisect_left(self.table, self.table[self.since] + left)

    def note(self, at: int) -> None:
        """What is over is over: the first miss counts for ever."""
        if self.state == "running" and self.breached is None and self.due < at:
            self.breached = self.due

    def halt(self, at: int, state: str) -> None:
        if self.state in ("running", "paused"):
            self.used, self.state = self.used_at(at), state
            self.met = at if state == "met" else None

    def go(self, at: int) -> None:
        self.since, self.state, self.met = at, "running", None


class Model:
    """A ticket's targets as RULES.md has them, for the events that have been told so far."""

    def __init__(self, policy: Policy, priority: str, status: str) -> None:
        self.policy, self.priority, self.status = policy, priority, status
        self.counters: dict[str, Counter] = {}
        self.answers: list[int] = []
        self.words, self.status_since = [0], 0
        for name in ("first_response", "resolution"):
            self.begin(name, 0)
        self.pauses(0)

    def length(self, name: str) -> int:
        seconds = self.policy.targets[name].span(self.priority).seconds
        assert seconds is not None
        return seconds // 60

    def begin(self, name: str, at: int) -> None:
        if name in self.policy.targets:
            self.counters[name] = Counter(self.length(name), at, BEFORE[self.policy.calendar])

    def end(self, name: str, at: int, state: str = "met") -> None:
        if name in self.counters:
            self.counters[name].halt(at, state)

    def take(self, told: Told) -> None:
        for each in self.counters.values():
            each.note(told.at)
        self.status = told.after
        if told.before != told.after:
            self.status_since = told.at
        getattr(self, told.kind)(told)
        is_open, was_open = told.after in OPEN_STATUSES, told.before in OPEN_STATUSES
        if not is_open:
            self.done(told.at, was_open)
        elif not was_open:
            self.reopened(told.at)
        self.pauses(told.at)

    def answer(self, told: Told) -> None:
        """A person's public answer: nobody waits, and the next news is owed from here."""
        for name in ("first_response", "next_response"):
            self.end(name, told.at)
        if "promise" in self.counters and self.counters["promise"].since != told.at:
            self.end("promise", told.at)
        self.answers.append(told.at)
        self.begin("update", told.at)

    def message(self, told: Told) -> None:
        waiting = self.counters.get("next_response")
        is_waiting = waiting is not None and waiting.state == "running"
        if told.after in OPEN_STATUSES:  # words that leave a ticket solved ask for no answer
            self.words.append(told.at)
        if self.answers and not is_waiting and told.after in OPEN_STATUSES:
            self.begin("next_response", told.at)

    def turn(self, told: Told) -> None:
        """A status: all that it does follows for every event alike."""

    def prioritize(self, told: Told) -> None:
        self.priority = told.to
        self.follow_length()

    def follow_length(self) -> None:
        for name, each in self.counters.items():
            is_going = each.state in ("running", "paused") and each.breached is None and name != "promise"
            if is_going and name in self.policy.targets:
                each.budget = self.length(name)

    def agree(self, told: Told) -> None:
        """Another policy: the time used counts, what it does not have ends, and it counts by its own hours."""
        self.policy = {"full": FULL, "lean": LEAN}[told.to]
        for name, each in self.counters.items():
            if name == "promise":
                continue
            if name not in self.policy.targets:
                each.halt(told.at, "stopped")
        self.follow_length()
        for name, each in self.counters.items():
            if name == "promise":
                continue
            if each.state == "running" and each.breached is None and each.due < told.at:
                each.breached = each.due
            table = BEFORE[self.policy.calendar]
            if each.state == "running" and each.table is not table:
                each.used, each.since = each.used_at(told.at), told.at
            each.table = table
        if self.answers:
            self.begin_missing(is_open=told.after in OPEN_STATUSES)

    def begin_missing(self, *, is_open: bool) -> None:
        """What only the new policy has counts from its words, by its own hours."""
        names = {name for name, each in self.counters.items() if each.state != "stopped"}
        last = self.answers[-1]
        waiting = [at for at in self.words if at > last]
        if "next_response" not in names and "next_response" in self.policy.targets:
            self.counters.pop("next_response", None)
            if waiting and is_open:
                self.begin("next_response", waiting[0])
        if "update" not in names and "update" in self.policy.targets:
            self.begin("update", last)
            if self.status not in ("open", "on_hold"):
                still = max(last, self.status_since)
                self.counters["update"].note(still)
                self.counters["update"].halt(still, "paused")

    def promise(self, told: Told) -> None:
        if told.to is None:
            self.end("promise", told.at, "stopped")
        elif told.after in OPEN_STATUSES:
            self.counters["promise"] = Counter(told.to - told.at, told.at, WALL)

    def keep(self, told: Told) -> None:
        self.end("promise", told.at)

    def done(self, at: int, was_open: bool) -> None:  # noqa: FBT001
        self.words.clear()  # nobody waits any more
        for name in ("resolution", "next_response"):
            self.end(name, at)
        self.end("first_response", at, "stopped")
        if was_open:
            self.end("promise", at)

    def reopened(self, at: int) -> None:
        """What is left, at least a quarter."""
        for name, ended in (("resolution", ("met", "stopped")), ("first_response", ("stopped",))):
            each = self.counters.get(name)
            if each is not None and each.state in ended and name in self.policy.targets:
                each.used = min(each.used, each.budget - each.budget / 4)  # type: ignore[assignment]
                each.go(at)

    def pauses(self, at: int) -> None:
        is_open = self.status in OPEN_STATUSES
        self.pause("resolution", at, is_still=is_open and self.status in self.policy.pause)
        self.pause("update", at, is_still=self.status not in ("open", "on_hold"))

    def pause(self, name: str, at: int, *, is_still: bool) -> None:
        each = self.counters.get(name)
        if each is None:
            return
        if is_still and each.state == "running":
            each.halt(at, "paused")
        elif not is_still and each.state == "paused":
            each.go(at)
