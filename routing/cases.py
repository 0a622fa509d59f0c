"""Runs the admin's own tests: the same decisions, ladders and quiet rules as in earnest, on a ticket that never was.

Everybody is on duty with no load unless the test says else: hours are set aside, so that a test means the same on
every day; who is on call follows the schedule, calendars and time facts follow the test's clock.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from routing import rulebook as rulebooks
from routing.case_text import Case, CaseStep, Expectation, Situation, Step, TimelineEntry, spoken
from routing.facts import Facts
from routing.life import CHANGED, Event, Life
from routing.outcome import EFFECTS, Mark, done, is_met, is_there, mark, outcome, shown, texts
from routing.problems import Problem
from routing.rulebook import Rulebook

DetectLanguage = Callable[[str], str | None]

_LOOK_FURTHER = timedelta(days=60)  # for where a thing that did not happen in time does happen
_WHO_DID_IT = ("agent_replied", "acknowledged")


class Sides(msgspec.Struct, frozen=True):
    """One thing that is not as a test wants it. at: the offset as written, "" = at once. wanted, actual: as people say it."""

    at: str
    what: str
    wanted: str
    actual: str


class Judged(msgspec.Struct, frozen=True):
    """What came of one test. problems: () = it passes. touched: ids of rules and "ladder/step" that did something.

    sides: of each problem, what was wanted and what there was.
    """

    problems: tuple[Problem, ...]
    touched: frozenset[str]
    sides: tuple[Sides, ...] = ()


def run(rulebook: Rulebook, *, detect_language: DetectLanguage | None = None) -> tuple[Problem, ...]:
    """Every failure of the rulebook's tests, in file order; () = all pass.

    detect_language: for messages that do not say theirs; None = it is not known then.
    """
    failures: list[Problem] = []
    for case in rulebook.tests:
        failures.extend(run_case(rulebook, case, detect_language=detect_language))
    return tuple(failures)


def run_case(
    rulebook: Rulebook, case: Case, *, detect_language: DetectLanguage | None = None
) -> tuple[Problem, ...]:
    """What one test finds wrong."""
    return judge(rulebook, case, detect_language=detect_language).problems


def touched(rulebook: Rulebook, *, detect_language: DetectLanguage | None = None) -> frozenset[str]:
    """Ids of the rules that matched in some test, and "ladder/step" of the steps that fired in one."""
    judged = (judge(rulebook, case, detect_language=detect_language) for case in rulebook.tests)
    return frozenset(each for found in judged for each in found.touched)


def judge(rulebook: Rulebook, case: Case, *, detect_language: DetectLanguage | None = None) -> Judged:
    """Run one test, and keep what it touched."""
    return _Trial(begun(rulebook, case, detect_language=detect_language), case, detect_language).judged()


def facts_of(situation: Situation, *, detect_language: DetectLanguage | None = None) -> Facts:
    """The situation's facts, with the language detected where it was not said."""
    return situation.facts if situation.has_language else _with_language(situation.facts, detect_language)


def with_lists(rulebook: Rulebook, situation: Situation) -> Rulebook:
    """The rulebook with the lists that a situation replaces; those kept at the desk are facts."""
    replaced = {name: values for name, values in situation.lists.items() if name not in rulebook.kept}
    if not replaced:
        return rulebook
    lists = {**rulebook.lists, **replaced}
    return rulebooks.load(rulebook.files, lists=lists, calendars=rulebook.calendar_files)


def on_duty(rulebook: Rulebook) -> Rulebook:
    """The rulebook with everybody on duty at every hour; who is on call follows the schedule."""
    agents = {name: msgspec.structs.replace(agent, hours=None) for name, agent in rulebook.agents.items()}
    return msgspec.structs.replace(rulebook, agents=agents)


def _with_language(facts: Facts, detect: DetectLanguage | None) -> Facts:
    if detect is None:
        return facts
    return msgspec.structs.replace(facts, language=detect(f"{facts.subject}\n{facts.body}"))


def begun(rulebook: Rulebook, case: Case, *, detect_language: DetectLanguage | None = None) -> Life:
    """The life that a case begins, before its first step."""
    facts = facts_of(case.situation, detect_language=detect_language)
    return Life(on_duty(with_lists(rulebook, case.situation)), facts)


def take(life: Life, step: Step, *, start: datetime, detect_language: DetectLanguage | None = None) -> None:
    """Let time pass up to a step, and its event happen. start: when the life began."""
    life.advance(start + timedelta(seconds=step.offset_s))
    life.joins = None
    if step.agents is not None:
        life.have_agents(step.agents)
    if step.event is not None or step.changes:
        life.happen(_event(step, start, detect_language))


def _event(step: Step, start: datetime, detect_language: DetectLanguage | None) -> Event:
    changes: dict[str, Any] = dict(step.changes)
    by = changes.pop("agent", None) if step.event in _WHO_DID_IT else None
    message = step.message
    if message is not None and not step.has_language:
        message = _with_language(message, detect_language)
    return Event(
        at=start + timedelta(seconds=step.offset_s),
        kind=step.event or CHANGED,
        message=message,
        changes=changes,
        rating=step.rating,
        by=by,
        has_reference=step.has_reference,
    )


class _Trial:
    """One test at work: a life, looked at when it begins, after each step, and as a timeline."""

    def __init__(self, life: Life, case: Case, detect_language: DetectLanguage | None) -> None:
        self.case, self.detect = case, detect_language
        self.life, self.start = life, case.situation.facts.at
        self.since = mark(self.life)
        self.problems: list[Problem] = []
        self.sides: list[Sides] = []
        self.wanting: list[tuple[int, Expectation]] = []  # where in problems, what did not happen

    def judged(self) -> Judged:
        self._look(self.case.expect, self.case.never, Mark(), where="")
        for step in self.case.steps:
            self._take(step)
        self._run_on()
        found = frozenset(self.life.applied)
        self._tell_where()
        return Judged(tuple(self.problems), found, tuple(self.sides))

    def _take(self, step: CaseStep) -> None:
        """Let time pass and the step's event happen, then look at what came of it since the step before."""
        since = self.since
        take(self.life, step, start=self.start, detect_language=self.detect)
        self._look(step.expect, (*self.case.never, *step.never), since, where=f"at {step.text} ")
        self.since = mark(self.life)

    # -- at a moment ----------------------------------------------------------------------------------------------

    def _look(
        self, expect: Sequence[Expectation], never: Iterable[Expectation], since: Mark, *, where: str
    ) -> None:
        """Compare what is expected with the ticket now and with what was done since."""
        found = outcome(self.life, since)
        for each in expect:
            if not is_met(each, found, exactly=self.case.exactly):
                self.wanting.append((len(self.problems), each))
                actual, wanted = shown(found.get(each.field)), shown(each.value)
                sides = Sides(_at(where), each.field, wanted, actual)
                self._tell(each, f"{where}{each.field} is {actual}, not {wanted}", sides)
        if self.case.exactly and (expect or not where):
            self._look_for_more(expect, found, where)
        self._look_for_unwanted(never, found, where)

    def _look_for_more(self, expect: Sequence[Expectation], found: Mapping[str, Any], where: str) -> None:
        """Effects that an exact test does not name."""
        named = {each.field for each in expect}
        for kind in EFFECTS:
            if found[kind] not in (None, []) and kind not in named:
                actual = shown(found[kind])
                sides = Sides(_at(where), kind, "nothing", actual)
                self._tell(self.case, f"{where}there is also {kind} {actual}", sides)

    def _look_for_unwanted(self, never: Iterable[Expectation], found: dict[str, Any], where: str) -> None:
        for each in never:
            if is_there(each, found):
                actual = shown(found.get(each.field))
                sides = Sides(_at(where), each.field, f"never {shown(each.value)}", actual)
                self._tell(each, f"{where}{each.field} is {actual}, which must never be", sides)

    # -- timelines ------------------------------------------------------------------------------------------------

    def _run_on(self) -> None:
        """The timeline, over everything that happened after the first moment up to its last entry."""
        if not self.case.timeline:
            return
        last = max(entry.offset_s for entry in self.case.timeline)
        self.life.advance(self.start + timedelta(seconds=last))
        by_offset = self._by_offset(is_by_rule=False)
        for entry in self.case.timeline:
            self._compare(entry, by_offset)
        if self.case.exactly:
            known = {entry.offset_s for entry in self.case.timeline}
            for offset_s, said in self._by_offset(is_by_rule=True).items():
                if offset_s not in known:
                    at = f"+{_offset_text(offset_s)}"
                    also = ", ".join(said)
                    sides = Sides(at, "timeline", "nothing", also)
                    self._tell(self.case, f"at {at} there is also {also}", sides)
        tail = done(self.life.happenings[self.since.happenings :])
        self._look_for_unwanted([each for each in self.case.never if each.field in tail], tail, "")

    def _by_offset(self, *, is_by_rule: bool) -> dict[int, list[str]]:
        """Offset -> what happened then, as timelines name it. is_by_rule: only what rules, steps and clocks did."""
        found: dict[int, list[str]] = {}
        for each in self.life.happenings[self.life.opening :]:
            if is_by_rule and not each.action.rule and each.action.kind != "breach":
                continue
            said = texts(each)
            if said:
                found.setdefault(int((each.at - self.start).total_seconds()), []).extend(said)
        return found

    def _compare(self, entry: TimelineEntry, by_offset: Mapping[int, list[str]]) -> None:
        actual = by_offset.get(entry.offset_s, [])
        missing = [action for action in entry.actions if action not in actual]
        extra = [action for action in actual if action not in entry.actions] if self.case.exactly else []
        if not missing and not extra:
            return
        wanted = ", ".join(missing) if missing else "nothing but " + ", ".join(entry.actions)
        got = ", ".join(actual) or "nothing"
        hint = self._where(missing[0]) if missing else ""
        sides = Sides(entry.text, "timeline", wanted, got)
        self._tell(entry, f"at {entry.text} wanted {wanted}, got {got}", sides, hint)

    # -- how it is told -------------------------------------------------------------------------------------------

    def _tell_where(self) -> None:
        """Add to what did not happen where it does happen, looking further than the test if need be."""
        if not self.wanting:
            return
        self.life.advance(self.life.now + _LOOK_FURTHER)
        for number, expected in self.wanting:
            values = expected.value if isinstance(expected.value, list) else [expected.value]
            hints = (self._where(text) for value in values for text in spoken(expected.field, value))
            hint = next((each for each in hints if each), "")
            self.problems[number] = msgspec.structs.replace(self.problems[number], hint=hint)

    def _where(self, text: str) -> str:
        """Where something does happen; "" = nowhere."""
        at = [offset_s for offset_s, said in self._by_offset(is_by_rule=False).items() if text in said]
        return f"'{text}' is at +{_offset_text(min(at))}" if at else ""

    def _tell(
        self, written: Case | Expectation | TimelineEntry, what: str, sides: Sides, hint: str = ""
    ) -> None:
        message = f"test '{self.case.name}': {what}"
        self.problems.append(written.node.problem("failing-test", message, hint))
        self.sides.append(sides)


def _at(where: str) -> str:
    return where.removeprefix("at ").strip()


def _offset_text(seconds: int) -> str:
    left, parts = seconds, []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0m"
