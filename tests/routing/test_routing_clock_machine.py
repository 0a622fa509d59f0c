"""Clocks under any events in any order, against a small model that is written from the rules' words and counts minutes."""

import copy
import itertools
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from routing import sla
from routing.calendar import Calendar
from routing.sla import OPEN_STATUSES, PRIORITIES, Change, Clock, Clocks, Past, Policy
from tests.routing.clock_model import CALENDARS, FULL, LEAN, MINUTES, OFFICE, START, Model, Told

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
    while at < MINUTES - 15_000:
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
LIVES = [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 200))]


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


@pytest.mark.parametrize("seed", range(8))
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


@pytest.mark.parametrize("seed", range(8))
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
