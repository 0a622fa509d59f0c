"""Runs the admin's own tests: the same decision and the same ladder as in earnest, on a message that never was.

Everybody is on duty with no load unless the test says else: hours are set aside, so that a test means the same on
every day; calendars and time facts follow its clock.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from routing import rulebook as rulebooks
from routing import simulation, sla
from routing.case_text import Case, Expectation, Situation, TimelineEntry
from routing.decision import Decision, decide
from routing.facts import Facts
from routing.problems import Problem
from routing.rulebook import Rulebook
from routing.simulation import Happening

DetectLanguage = Callable[[str], str | None]


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
    book = on_duty(with_lists(rulebook, case.situation))
    facts = facts_of(case.situation, detect_language=detect_language)
    decision = decide(book, facts)
    outcome = _outcome(book, decision, facts)
    failures = [
        _failure(case, expected, outcome)
        for expected in case.expect
        if not _is_met(expected, outcome, case.exactly)
    ]
    if case.exactly:
        failures += _unmentioned(case, outcome)
    failures += [_unwanted(case, each, outcome) for each in case.never if _happened(each, outcome)]
    failures += _timeline_failures(case, book, decision, facts)
    return tuple(failures)


def facts_of(situation: Situation, *, detect_language: DetectLanguage | None = None) -> Facts:
    """The situation's facts, with the language detected where it was not said."""
    facts = situation.facts
    if situation.has_language or detect_language is None:
        return facts
    return msgspec.structs.replace(facts, language=detect_language(f"{facts.subject}\n{facts.body}"))


def with_lists(rulebook: Rulebook, situation: Situation) -> Rulebook:
    """The rulebook with the lists that a situation replaces."""
    if not situation.lists:
        return rulebook
    return rulebooks.load(rulebook.files, lists={**rulebook.lists, **situation.lists})


def on_duty(rulebook: Rulebook) -> Rulebook:
    """The rulebook with everybody on duty at every hour."""
    agents = {name: msgspec.structs.replace(agent, hours=None) for name, agent in rulebook.agents.items()}
    return msgspec.structs.replace(rulebook, agents=agents)


def _outcome(rulebook: Rulebook, decision: Decision, facts: Facts) -> dict[str, Any]:
    """Field -> value, of everything that a test can ask for; what did not happen is None or empty."""
    fields = (
        "rule",
        "matched",
        "team",
        "level",
        "agent",
        "priority",
        "sla",
        "tags",
        "nature",
        "language",
        "status",
    )
    outcome: dict[str, Any] = {name: getattr(decision, name) for name in fields}
    outcome |= {name: list(outcome[name]) for name in ("matched", "tags")}
    for kind in ("notify", "note"):
        outcome[kind] = [action.value for action in decision.actions if action.kind == kind]
    for kind in ("reply", "ignore", "spam"):
        outcome[kind] = next((action.value for action in decision.actions if action.kind == kind), None)
    for target in sla.TARGETS:
        outcome[f"due.{target}"] = None
    for clock in simulation.armed(rulebook, decision, at=facts.at):
        outcome[f"due.{clock.target}"] = (
            clock.due_at.astimezone(facts.at.tzinfo).isoformat() if clock.due_at else None
        )
    return outcome


def _is_met(expected: Expectation, outcome: dict[str, Any], exactly: bool) -> bool:  # noqa: FBT001
    """Lists are partial unless the test is exact; `none` = nothing, `any` = something."""
    wanted, actual = expected.value, outcome[expected.field]
    if wanted in ("none", "any"):
        return bool(actual) is (wanted == "any")
    if isinstance(actual, list):
        listed = wanted if isinstance(wanted, list) else [wanted]
        return sorted(listed) == sorted(actual) if exactly else set(listed) <= set(actual)
    if isinstance(wanted, bool):
        return bool(actual) is wanted
    return bool(wanted == actual)


def _happened(never: Expectation, outcome: dict[str, Any]) -> bool:
    wanted, actual = never.value, outcome[never.field]
    if wanted == "any":
        return bool(actual)
    if isinstance(actual, list):
        listed = wanted if isinstance(wanted, list) else [wanted]
        return bool(set(listed) & set(actual))
    return actual in wanted if isinstance(wanted, list) else bool(wanted == actual)


def _failure(case: Case, expected: Expectation, outcome: dict[str, Any]) -> Problem:
    actual = _shown(outcome[expected.field])
    message = f"test '{case.name}': {expected.field} is {actual}, not {_shown(expected.value)}"
    hint = "" if expected.field == "rule" else f"rule {outcome['rule']} decided"
    return expected.node.problem("failing-test", message, hint)


def _unwanted(case: Case, never: Expectation, outcome: dict[str, Any]) -> Problem:
    message = f"test '{case.name}': {never.field} is {_shown(outcome[never.field])}, which must never be"
    return never.node.problem("failing-test", message, f"rule {outcome['rule']} decided")


def _unmentioned(case: Case, outcome: dict[str, Any]) -> list[Problem]:
    """Effects that an exact test does not name."""
    named = {expected.field for expected in case.expect}
    effects = [
        kind for kind in ("reply", "notify", "note", "ignore", "spam") if outcome[kind] and kind not in named
    ]
    return [
        case.node.problem("failing-test", f"test '{case.name}': there is also {kind} {_shown(outcome[kind])}")
        for kind in effects
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(str(each) for each in value) + "]"
    return "nothing" if value is None else str(value)


# -- timelines ------------------------------------------------------------------------------------------------------


def _timeline_failures(case: Case, rulebook: Rulebook, decision: Decision, facts: Facts) -> list[Problem]:
    if not case.timeline:
        return []
    last = max(entry.offset_s for entry in case.timeline)
    happened = simulation.future(rulebook, decision, facts, until=facts.at + timedelta(seconds=last))
    by_offset: dict[int, list[str]] = {}
    for each in happened:
        offset_s = int((each.at - facts.at).total_seconds())
        by_offset.setdefault(offset_s, []).append(_said(each))
    failures = [failure for entry in case.timeline if (failure := _entry_failure(case, entry, by_offset))]
    if case.exactly:
        known = {entry.offset_s for entry in case.timeline}
        failures += [
            _extra(case, offset_s, said) for offset_s, said in by_offset.items() if offset_s not in known
        ]
    return failures


def _said(happening: Happening) -> str:
    return f"{happening.action.kind} {happening.action.value}"


def _entry_failure(case: Case, entry: TimelineEntry, by_offset: dict[int, list[str]]) -> Problem | None:
    actual = by_offset.get(entry.offset_s, [])
    missing = [action for action in entry.actions if action not in actual]
    extra = [action for action in actual if action not in entry.actions] if case.exactly else []
    if not missing and not extra:
        return None
    wanted = ", ".join(missing) if missing else "nothing but " + ", ".join(entry.actions)
    got = ", ".join(actual) or "nothing"
    message = f"test '{case.name}': at {entry.text} wanted {wanted}, got {got}"
    return entry.node.problem("failing-test", message, _when_instead(missing, by_offset))


def _when_instead(missing: list[str], by_offset: dict[int, list[str]]) -> str:
    """Where the first missing action does happen."""
    at = [offset_s for offset_s, said in by_offset.items() if missing and missing[0] in said]
    return f"'{missing[0]}' is at +{_offset_text(min(at))}" if at else ""


def _extra(case: Case, offset_s: int, said: list[str]) -> Problem:
    message = f"test '{case.name}': at +{_offset_text(offset_s)} there is also {', '.join(said)}"
    return case.node.problem("failing-test", message)


def _offset_text(seconds: int) -> str:
    hours, rest = divmod(seconds, 3_600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (left, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0m"
