"""Clocks under any events in any order, against a small model that is written from the rules' words and counts minutes.

The model knows nothing of the code: it adds up open minutes, one after the other, of a table that says which are open.
"""

import copy
import itertools
import random
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from routing import sla
from routing.calendar import Calendar, CalendarText
from routing.durations import Span
from routing.sla import OPEN_STATUSES, PRIORITIES, Change, Clock, Clocks, Past, Policy, Target

H = 3_600
OFFICE = Calendar(
    CalendarText("office", "Europe/Warsaw", (((8 * H, 12 * H), (12 * H + H // 2, 17 * H)),) * 5 + ((), ()))
)
ALWAYS = Calendar(CalendarText("always", "UTC", (((0, 24 * H),),) * 7))
START = datetime(2026, 10, 22, 6, tzinfo=UTC)  # a Thursday; on the Sunday the clocks go back
MINUTES = 40 * 1440


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


# -- the code under the same events -------------------------------------------------------------------------------------


class Machine:
    """The clocks of the code. is_late: nobody notes a breach when it happens, as if the daemon were down."""

    def __init__(self, policy: Policy, priority: str, status: str) -> None:
        self.policy, self.priority = policy, priority
        change = Change(event="created", at=START, before=status, after=status, priority=priority)
        self.clocks: Clocks = sla.after(policy, (), change, calendar=self.calendar)
        self.answers: list[datetime] = []
        self.words: list[datetime] = [START]
        self.status_since = START

    @property
    def calendar(self) -> Calendar:
        return CALENDARS[self.policy.calendar]

    def note(self, at: datetime) -> None:
        self.clocks = tuple(
            sla.breach(each, at=at) if each.due_at is not None and each.due_at < at else each
            for each in self.clocks
        )

    def take(self, told: Told) -> None:
        at = instant(told.at)
        more: dict[str, Any] = {}
        if told.before != told.after:
            self.status_since = at
        if told.after not in OPEN_STATUSES:
            self.words.clear()
        if told.kind == "answer":
            self.answers.append(at)
        elif told.kind == "message" and told.after in OPEN_STATUSES:
            self.words.append(at)
        elif told.kind == "prioritize":
            self.priority = told.to
        elif told.kind == "promise" and told.to is not None:
            more["promise"] = instant(told.to)
        before = self.calendar
        if told.kind == "agree":
            self.policy = {"full": FULL, "lean": LEAN}[told.to]
            more |= {"past": self.past(), "calendar_before": before}
        self.move(
            Change(
                event=EVENTS[told.kind],
                at=at,
                before=told.before,
                after=told.after,
                priority=self.priority,
                **more,
            )
        )

    def take_back(self, at: int, status: str) -> None:
        """The last answer comes back."""
        gone = self.answers.pop()
        self.move(
            Change(
                event="answer_undelivered", at=instant(at), before=status, after=status,
                priority=self.priority, taken_back=gone, past=self.past(),
            )
        )  # fmt: skip

    def move(self, change: Change) -> None:
        self.clocks = sla.after(self.policy, self.clocks, change, calendar=self.calendar)

    def past(self) -> Past:
        last = self.answers[-1] if self.answers else None
        waiting = next((at for at in self.words if last is None or at > last), None)
        return Past(
            created_at=START,
            answers=tuple(self.answers),
            waiting_since=waiting,
            status_since=self.status_since,
        )


EVENTS: dict[str, Any] = {
    "answer": "answered", "message": "customer_message", "turn": "status", "prioritize": "priority",
    "agree": "policy", "promise": "promised", "keep": "promise_kept",
}  # fmt: skip


def instant(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def minute(at: datetime | None) -> int | None:
    return None if at is None else round((at - START).total_seconds() / 60)


def walk(dice: random.Random, *, kinds: tuple[str, ...], status: str) -> Iterator[Told]:
    """Events in any order, some of them in the same minute."""
    at = 0
    while at < MINUTES - 20_000:
        at += dice.choice((1, 5, 30, 59, 61, 240, 700))
        kind = dice.choice(kinds)
        before = status
        to: Any = None
        if kind == "message":
            status = dice.choice((status, "open")) if status not in ("new", "open") else status
        elif kind in ("turn", "answer") and dice.random() < 0.7:
            status = dice.choice(("new", "open", "pending", "on_hold", "solved", "closed"))
        elif kind == "prioritize":
            to = dice.choice(PRIORITIES)
        elif kind == "agree":
            to = dice.choice(("full", "lean"))
        elif kind == "promise":
            to = dice.choice((None, at + 1, at + 60, at + 3_000))
        yield Told(at=at, kind=kind, before=before, after=status, to=to)


def compare(machine: Machine, model: Model, at: int, told: Any) -> None:
    """Both say the same: who runs, since when it is used how much, when it is due, what was missed."""
    now = instant(at)
    found = {each.target: each for each in machine.clocks if each.state != "idle"}
    for name, each in model.counters.items():
        clock = found.pop(name)
        seen = sla.breach(clock, at=now) if clock.due_at is not None and clock.due_at < now else clock
        each = copy.copy(each)  # noqa: PLW2901 - what is looked at ahead is not noted
        each.note(at)
        assert (seen.state, minute(seen.breached_at)) == (each.state, each.breached), (name, told, clock)
        used = sla.used_s(clock, at=now, calendar=machine.calendar) / 60
        assert used == pytest.approx(each.used_at(at)), (name, told, clock)
        assert minute(clock.met_at) == each.met, (name, told, clock)
        if each.state == "running" and each.breached is None:
            assert minute(clock.due_at) == each.due, (name, told, clock)
    # A clock that ended before the policy of now is no matter of the model's any more.
    assert all(each.state == "stopped" for each in found.values()), (found, told)


KINDS = ("answer", "message", "message", "turn", "turn", "prioritize", "promise", "keep")
LIVES = [*range(12), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(12, 200))]


@pytest.mark.parametrize("is_down", [False, True], ids=["timers", "down"])
@pytest.mark.parametrize("seed", LIVES)
def test_any_life_is_counted_as_the_rules_say(seed: int, *, is_down: bool) -> None:
    """Also when nobody notes a breach before the next event comes upon it."""
    dice = random.Random(seed)
    policy, priority = dice.choice((FULL, LEAN)), dice.choice(PRIORITIES)
    status = dice.choice(("new", "new", "open", "pending"))
    machine, model = Machine(policy, priority, status), Model(policy, priority, status)
    for told in walk(dice, kinds=(*KINDS, "agree") if seed % 2 else KINDS, status=status):
        if not is_down:
            machine.note(instant(told.at))
        machine.take(told)
        model.take(told)
        compare(machine, model, told.at, told)
        compare(machine, model, told.at + 3, told)


@pytest.mark.parametrize("seed", LIVES)
def test_an_answer_that_came_back_counts_as_not_given(seed: int) -> None:
    """The clocks are then as in the same life without that answer; only update has counted what it stood still."""
    dice = random.Random(seed)
    priority = dice.choice(PRIORITIES)
    told: list[Told] = []
    machine = Machine(FULL, priority, "new")
    for each in walk(dice, kinds=("answer", "message", "turn", "prioritize"), status="new"):
        machine.take(each)
        told.append(each)
        if machine.answers and each.after in OPEN_STATUSES and dice.random() < 0.2:
            break
    at = told[-1].at + 1
    if not machine.answers or told[-1].after not in OPEN_STATUSES:
        return
    last = max(number for number, each in enumerate(told) if each.kind == "answer")
    if any(each.after not in OPEN_STATUSES for each in told):
        return  # what solving had ended stays ended
    if any(each.kind == "prioritize" for each in told[last:]):
        return  # the priority of now counts, as if it had been so since
    machine.take_back(at, told[-1].after)
    model = Model(FULL, priority, "new")
    for number, each in enumerate(told):
        model.take(msgspec.structs.replace(each, kind="turn") if number == last else each)
    model.counters.pop("update", None)
    machine.clocks = tuple(each for each in machine.clocks if each.target != "update")
    unmet = [each for each in machine.clocks if each.target != "next_response" or model.answers]
    machine.clocks = tuple(unmet)
    machine.note(instant(at))
    compare(machine, model, at, told[last])


# -- what must hold whatever happens ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_what_holds_in_every_life(seed: int) -> None:
    """Time used never shrinks but by a reopening; a met target keeps its instant; nothing but a promise runs when done."""
    dice = random.Random(seed)
    machine = Machine(FULL, "normal", "new")
    for told in walk(dice, kinds=(*KINDS, "agree"), status="new"):
        machine.note(instant(told.at))
        before = {each.target: each for each in machine.clocks}
        used = {
            name: sla.used_s(each, at=instant(told.at), calendar=machine.calendar)
            for name, each in before.items()
        }
        machine.take(told)
        for each in machine.clocks:
            old = before.get(each.target)
            if told.after not in OPEN_STATUSES:
                assert each.state != "running", (each, told)
            if old is None or old.run != each.run:
                continue
            is_reopened = told.before not in OPEN_STATUSES and told.after in OPEN_STATUSES
            if not is_reopened:
                assert (
                    sla.used_s(each, at=instant(told.at), calendar=machine.calendar)
                    >= used[each.target] - 1e-6
                )
                assert old.met_at is None or each.met_at == old.met_at
            assert old.breached_at is None or each.breached_at == old.breached_at


@pytest.mark.parametrize("seed", range(20))
def test_a_pause_that_takes_no_time_changes_nothing(seed: int) -> None:
    """Pause and go on at one instant is neutral."""
    dice = random.Random(seed)
    machine = Machine(FULL, "normal", "open")
    for told in walk(dice, kinds=("answer", "message", "prioritize", "promise"), status="open"):
        machine.take(msgspec.structs.replace(told, before="open", after="open"))
        machine.note(instant(told.at))
        before = machine.clocks
        for one, other in (("open", "pending"), ("pending", "open")):
            machine.move(
                Change(
                    event="status", at=instant(told.at), before=one, after=other, priority=machine.priority
                )
            )
        assert [_gist(each, told.at) for each in machine.clocks] == [_gist(each, told.at) for each in before]


def _gist(clock: Clock, at: int) -> tuple[Any, ...]:
    used = sla.used_s(clock, at=instant(at), calendar=OFFICE)
    return clock.target, clock.state, clock.due_at, clock.breached_at, clock.met_at, clock.run, round(used, 3)


def test_whatever_is_dropped_owes_nothing() -> None:
    machine = Machine(FULL, "normal", "new")
    for told in itertools.islice(walk(random.Random(1), kinds=KINDS, status="new"), 40):
        machine.take(told)
    machine.move(Change(event="dropped", at=instant(MINUTES), before="open", after="closed"))
    assert {each.state for each in machine.clocks} <= {"met", "stopped"}
