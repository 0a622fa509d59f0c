"""Random ladders under random events, lived through by the product and by the little model beside this file."""

from datetime import UTC, datetime, timedelta

import pytest

from routing import rulebook
from routing.facts import Facts, SenderFacts
from routing.ladder import parsed_key
from routing.life import Event, Life
from tests.routing.ladder_model import SLOT, SLOTS, Case, Model, random_case

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
RULES = """
version: 1
calendars:
  office: {{timezone: UTC, open: {{mon-sun: "09:00-17:00"}}}}
  always: {{timezone: UTC, open: {{mon-sun: "00:00-24:00"}}}}
  seldom: {{timezone: UTC, open: {{sun: "03:00-03:01"}}}}
agents:
  ada: {{email: ada@x.example}}
  bo: {{email: bo@x.example, hours: office}}
  cy: {{email: cy@x.example, hours: seldom}}
teams: {{desk: {{levels: {{anybody: [ada], daily: [bo], nobody: [cy]}}}}}}
sla:
  p:
    calendar: {calendar}
    first_response: {{urgent: {fast}m, normal: {slow}m}}
    resolution: {{urgent: {quick}m, normal: {long}m}}
    pause: [pending]
    ladder: up
ladders:
  up:
{steps}default: {{team: desk, priority: normal, sla: p}}
"""
STATUS = {"pause": "pending", "resume": "open", "solve": "solved"}


def lived(case: Case) -> list[tuple[int, int]]:
    """Slot and step of every notice of the product's ticket."""
    start = MONDAY + timedelta(minutes=case.start)
    life = Life(_book(case), Facts(at=start, channel="email", sender=SenderFacts(address="a@x.example")))
    for slot, kind in sorted(case.events.items()):
        life.happen(_event(kind, start + timedelta(minutes=slot * SLOT)))
    life.advance(start + timedelta(minutes=(SLOTS - 1) * SLOT))
    found = []
    for each in life.happenings:
        key = parsed_key(each.action.rule)
        if each.action.kind == "notify" and key is not None:
            minutes, rest = divmod((each.at - start).total_seconds(), 60 * SLOT)
            assert rest == 0
            found.append((int(minutes), key.step))
    return sorted(found)


def _book(case: Case) -> rulebook.Rulebook:
    return rulebook.load({"r.yaml": rules_of(case)})


def rules_of(case: Case) -> str:
    """The case as an admin would write it."""
    (slow, fast), (long, quick) = case.budgets["first_response"], case.budgets["resolution"]
    return RULES.format(
        calendar="always" if case.is_always_open else "office",
        fast=fast * SLOT, slow=slow * SLOT, quick=quick * SLOT, long=long * SLOT,
        steps="".join(step.text() for step in case.steps),
    )  # fmt: skip


def _event(kind: str, at: datetime) -> Event:
    if kind in ("urgent", "normal"):
        return Event(at=at, kind="note_added", changes={"priority": kind})
    if kind in STATUS:
        return Event(at=at, kind="status_changed", changes={"status": STATUS[kind]})
    return Event(at=at, kind={"ack": "acknowledged", "answer": "agent_replied"}[kind], by="ada")


def differing(seeds: range) -> list[int]:
    return [seed for seed in seeds if lived(random_case(seed)) != Model(random_case(seed)).live()]


@pytest.mark.slow
def test_random_ladders_fire_as_the_language_says() -> None:
    """Percentages, breaches, offsets, repetitions, acknowledgements, empty levels: the same notices at the same minutes."""
    assert differing(range(25)) == []


@pytest.mark.slow
def test_very_many_random_ladders_fire_as_the_language_says() -> None:
    """The same over some hundreds."""
    assert differing(range(1_000, 1_400)) == []
