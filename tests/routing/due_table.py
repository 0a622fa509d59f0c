"""The table of due times worked out by hand: small rulebooks whose tests say what is due when, and why."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec

from routing import rulebook
from routing.case_text import Case, Expectation
from routing.rulebook import Rulebook

FOLDER = Path(__file__).parent / "due_times"
FILES = tuple(sorted(FOLDER.glob("*.yaml")))
_BESIDE = {path.name: path.read_text() for path in FOLDER.glob("*.ics")}


class Due(msgspec.Struct, frozen=True):
    """What a case says of a target at an instant. due_at: None = nothing is due."""

    at: datetime
    target: str
    due_at: datetime | None


@cache
def book(file: Path) -> Rulebook:
    return read(file)


def read(file: Path) -> Rulebook:
    return rulebook.load({file.name: file.read_text()}, calendars=_BESIDE)


def cases() -> Iterator[tuple[Path, Case]]:
    return ((file, case) for file in FILES for case in book(file).tests)


def names() -> list[str]:
    return [f"{file.stem}: {case.name}" for file, case in cases()]


def due(case: Case) -> Iterator[Due]:
    """Every due instant that a case states, at its beginning and after its steps."""
    start = case.situation.facts.at
    yield from _due(start, case.expect)
    for step in case.steps:
        yield from _due(start + timedelta(seconds=step.offset_s), step.expect)


def _due(at: datetime, expected: tuple[Expectation, ...]) -> Iterator[Due]:
    for each in expected:
        target = each.field.removeprefix("due.")
        if target != each.field:
            yield Due(at, target, None if each.value == "none" else datetime.fromisoformat(each.value))
