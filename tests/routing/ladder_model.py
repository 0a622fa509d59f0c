"""Ladders worked out a second time, slot by slot of five minutes, from the rules of the language and nothing else.

It knows no calendar, no clock and no timer of the product: it counts used slots, and at each slot asks of every step
whether it is due. Random cases are lived through by both; what fired at which minute has to be the same.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

SLOT = 5  # minutes
SLOTS = 26 * 60 // SLOT
OPEN_HOURS = range(9, 17)
TARGETS = ("first_response", "resolution")
LEVELS: dict[str, Callable[[bool], bool]] = {
    "anybody": lambda is_open: True,
    "daily": lambda is_open: is_open,
    "nobody": lambda is_open: False,
}


@dataclass(frozen=True)
class Step:
    """kind: percent, breach, offset or unacknowledged. value: percent, or slots. within, every: slots, 0 = none."""

    kind: str
    target: str = ""
    value: int = 0
    level: str = "anybody"
    within: int = 0
    every: int = 0
    times: int = 1

    def text(self) -> str:
        at = {
            "percent": f"{self.target} {self.value}%",
            "breach": f"{self.target} breach",
            "offset": f"{self.target} {'+' if self.value > 0 else '-'}{abs(self.value) * SLOT}m",
            "unacknowledged": "unacknowledged",
        }[self.kind]
        parts = [f"at: {at}", f"notify: {self.level}"]
        if self.within:
            parts.append(f"ack_within: {self.within * SLOT}m")
        if self.times > 1:
            parts.append(f"repeat: {{every: {self.every * SLOT}m, times: {self.times}}}")
        return f"    - {{{', '.join(parts)}}}\n"


@dataclass(frozen=True)
class Case:
    """start: the minute of the day that the ticket comes at. budgets: target -> (normal, urgent), slots.

    events: slot -> what happens then: ack, answer, pause, resume, urgent, normal, solve.
    """

    steps: tuple[Step, ...]
    budgets: dict[str, tuple[int, int]]
    is_always_open: bool
    start: int
    events: dict[int, str]


@dataclass
class Clock:
    """used: open slots so far. history: used at the beginning of each slot of this run. due: the slot it was missed in."""

    budget: int
    used: int = 0
    is_running: bool = True
    is_over: bool = False
    due: int | None = None
    since: int = 0
    used_before: int = 0
    open_since_due: int = 0
    history: list[tuple[int, int]] = field(default_factory=list)

    def reached(self, need: int) -> int | None:
        """The slot at which so much had been used; the beginning of the run where that was before it."""
        if self.used < need:
            return None
        return next((slot for slot, used in self.history if used >= need), None)


@dataclass
class Notice:
    """A notice that asks: when it went out, whether to anybody, when it was acknowledged."""

    step: int
    sent: int
    is_reached: bool
    acknowledged: int | None = None


class Model:
    """Lives through a case. fired: (slot, step) of each notice, in no order inside a slot."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.clocks = {name: Clock(budget[0]) for name, budget in case.budgets.items()}
        self.fired: list[tuple[int, int]] = []
        self.sent: dict[int, list[tuple[int, int]]] = {}  # step -> (due, sent) of each of its notices
        self.asked: list[Notice] = []
        self.answered: int | None = None
        self.is_open = True

    def live(self) -> list[tuple[int, int]]:
        for slot in range(SLOTS):
            self._look(slot)
            while self._fire_one(slot):
                pass
            self._happen(self.case.events.get(slot, ""), slot)
            while self._fire_one(slot):  # what is past by then fires at once
                pass
            self._pass(slot)
        return sorted(self.fired)

    # -- time -----------------------------------------------------------------------------------------------------

    def _is_open(self, slot: int) -> bool:
        minute = (self.case.start + slot * SLOT) % (24 * 60)
        return self.case.is_always_open or minute // 60 in OPEN_HOURS

    def _look(self, slot: int) -> None:
        for clock in self.clocks.values():
            if clock.is_running and not clock.is_over:
                clock.history.append((slot, clock.used))
                if clock.due is None and clock.used >= clock.budget:
                    clock.due = slot

    def _pass(self, slot: int) -> None:
        for clock in self.clocks.values():
            if not self._is_open(slot):
                continue
            if clock.due is not None:
                clock.open_since_due += 1
            if clock.is_running and not clock.is_over:
                clock.used += 1

    def _open_between(self, first: int, last: int) -> int:
        return sum(self._is_open(slot) for slot in range(first, last))

    # -- steps ----------------------------------------------------------------------------------------------------

    def _fire_one(self, slot: int) -> bool:
        if not self.is_open:
            return False
        for number, step in enumerate(self.case.steps):
            due = self._due(number, step, slot)
            if due is not None:
                self._send(number, step, due, slot)
                return True
        return False

    def _due(self, number: int, step: Step, slot: int) -> int | None:
        """When the step's next notice was due, if that has come."""
        sent = self.sent.get(number, [])
        if step.kind == "unacknowledged":
            return None if sent else self._unacknowledged(number, slot)
        clock = self.clocks.get(step.target)
        if clock is None or clock.is_over or not clock.is_running:
            return None
        if not sent:
            return self._first(step, clock)
        if len(sent) == step.times or (self.answered is not None and self.answered >= sent[0][0]):
            return None
        return self._again(step, sent[-1], slot)

    def _first(self, step: Step, clock: Clock) -> int | None:
        if step.kind == "percent":
            return clock.reached(clock.budget * step.value // 100)
        if step.kind == "offset" and step.value < 0:
            return clock.reached(max(0, clock.budget + step.value))
        if clock.due is None:
            return None
        after = step.value if step.kind == "offset" else 0
        if clock.open_since_due < after:
            return None
        return next(
            slot for slot in range(clock.due, 2 * SLOTS) if self._open_between(clock.due, slot) >= after
        )

    def _again(self, step: Step, last: tuple[int, int], slot: int) -> int | None:
        """Open time after the one before; counted anew from one that went out when this was due already."""
        due, sent = last
        start = sent if self._open_between(due, sent) >= step.every else due
        found = next(
            each for each in range(start, 3 * SLOTS) if self._open_between(start, each) >= step.every
        )
        return found if found <= slot else None

    def _unacknowledged(self, number: int, slot: int) -> int | None:
        notice = next((each for each in self.asked if each.step == self._source(number)), None)
        if notice is None or (self.answered is not None and self.answered >= notice.sent):
            return None
        within = self._within(notice.step)
        due = notice.sent + (within if notice.is_reached else 0)
        if notice.acknowledged is not None:
            due = notice.acknowledged + within
        return due if due <= slot else None

    def _source(self, number: int) -> int:
        """The nearest step before it whose notice asks to be acknowledged."""
        return next(
            each
            for each in range(number - 1, -1, -1)
            if self.case.steps[each].within or self.case.steps[each].kind == "unacknowledged"
        )

    def _within(self, number: int) -> int:
        step = self.case.steps[number]
        return step.within or self._within(self._source(number))

    def _asks(self, number: int) -> bool:
        """Whether somebody waits for an acknowledgement of the step's notice."""
        if self.case.steps[number].within:
            return True
        follower = number + 1
        return self.case.steps[number].kind == "unacknowledged" and next(
            (True for each in range(follower, len(self.case.steps)) if self._follows(each, number)), False
        )

    def _follows(self, number: int, source: int) -> bool:
        return self.case.steps[number].kind == "unacknowledged" and self._source(number) == source

    def _send(self, number: int, step: Step, due: int, slot: int) -> None:
        is_first = number not in self.sent
        self.sent.setdefault(number, []).append((due, slot))
        self.fired.append((slot, number))
        if is_first and self._asks(number):
            self.asked.append(Notice(number, slot, LEVELS[step.level](self._is_in_hours(slot))))

    def _is_in_hours(self, slot: int) -> bool:
        """People work in the office's hours, whatever calendar the policy counts by."""
        return (self.case.start + slot * SLOT) % (24 * 60) // 60 in OPEN_HOURS

    # -- events ---------------------------------------------------------------------------------------------------

    def _happen(self, event: str, slot: int) -> None:
        if event == "ack":
            for notice in self.asked:
                notice.acknowledged = slot if notice.acknowledged is None else notice.acknowledged
        elif event == "answer":
            self.answered = slot
            self.clocks["first_response"].is_over = True
        elif event in ("pause", "resume"):
            self._turn(event == "resume", slot)
        elif event in ("urgent", "normal"):
            self._prioritise(event, slot)
        elif event == "solve":
            self.is_open = False

    def _turn(self, is_running: bool, slot: int) -> None:  # noqa: FBT001
        clock = self.clocks["resolution"]
        if clock.is_running != is_running:
            clock.is_running = is_running
            clock.history = [(slot, clock.used)] if is_running else []
            if is_running and clock.due is None and clock.used >= clock.budget:
                clock.due = slot  # it was made shorter while it stood still

    def _prioritise(self, priority: str, slot: int) -> None:
        for name, clock in self.clocks.items():
            if clock.due is None and not clock.is_over:
                clock.budget = self.case.budgets[name][priority == "urgent"]
        for clock in self.clocks.values():
            if clock.due is None and clock.is_running and not clock.is_over and clock.used >= clock.budget:
                clock.due = clock.reached(clock.budget)
                assert clock.due is not None
                clock.open_since_due = self._open_between(clock.due, slot)


def random_case(seed: int) -> Case:
    made = random.Random(seed)
    events: dict[int, str] = {}
    for _ in range(made.randint(0, 6)):
        kinds = ["ack", "ack", "ack", "answer", "pause", "resume", "urgent", "normal", "solve"]
        events[made.randrange(SLOTS)] = made.choice(kinds)
    solved = min((slot for slot, kind in events.items() if kind == "solve"), default=SLOTS)
    events = {
        slot: kind for slot, kind in events.items() if slot <= solved
    }  # what reopens is the clocks' business
    unit = 12  # slots: a quarter of it is whole
    return Case(
        steps=_random_steps(made),
        budgets={name: (unit * made.randint(2, 6), unit * made.randint(1, 3)) for name in TARGETS},
        is_always_open=made.random() < 0.5,
        start=made.randrange(0, 24 * 60, 30),
        events=events,
    )


def _random_steps(made: random.Random) -> tuple[Step, ...]:
    steps: list[Step] = []
    for _ in range(made.randint(1, 6)):
        level = made.choice(list(LEVELS))
        asks = made.choice([0, 0, made.randint(1, 8)])
        if steps and any(each.within for each in steps) and made.random() < 0.5:
            steps.append(Step("unacknowledged", level=level, within=made.choice([0, 0, made.randint(1, 8)])))
            continue
        kind = made.choice(["percent", "breach", "offset"])
        value = {"percent": made.choice([25, 50, 75]), "breach": 0, "offset": made.choice([-6, -1, 1, 3, 9])}[
            kind
        ]
        times = made.choice([1, 1, 2, 4])
        every = made.randint(1, 6) if times > 1 else 0
        steps.append(Step(kind, made.choice(TARGETS), value, level, within=asks, every=every, times=times))
    return tuple(steps)
