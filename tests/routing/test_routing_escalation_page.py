"""docs/escalation.md draws what the program does."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from routing import rulebook
from routing.facts import Facts, SenderFacts
from routing.life import Event, Life
from routing.rulebook import Rulebook

PAGE = (Path(__file__).parents[2] / "docs" / "escalation.md").read_text()
TEN = datetime(2026, 11, 10, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def book() -> Rulebook:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return rulebook.load({"rules.yaml": found[1]}, replies={("delayed", "en")})


def told(book: Rulebook, *events: Event) -> list[tuple[str, str]]:
    """Hour, and who is told, of the first day."""
    facts = Facts(at=TEN, channel="email", sender=SenderFacts(address="a@x.example"))
    life = Life(book, facts)
    for event in events:
        life.happen(event)
    life.advance(TEN + timedelta(hours=9))
    kinds = ("notify", "reply", "level")
    return [
        (f"{each.at:%H:%M}", f"{each.action.kind} {each.action.value}")
        for each in life.happenings[life.opening :]
        if each.action.kind in kinds
    ]


def test_the_ticket_that_nobody_answers(book: Rulebook) -> None:
    """Each instant of the drawing, and no other."""
    assert told(book) == [
        ("10:30", "notify oncall"),
        ("10:40", "notify lead"),
        ("11:00", "level oncall"),
        ("11:00", "reply delayed"),
        ("11:00", "notify lead"),
        ("11:15", "notify lead"),
        ("11:30", "notify lead"),
        ("11:45", "notify lead"),
        ("17:00", "notify assignee"),
    ]


def test_the_ticket_that_somebody_looks_at(book: Rulebook) -> None:
    """At 10:35 on-call says so: the lead is told at 10:45, because the customer has no answer by then."""
    seen = Event(at=TEN + timedelta(minutes=35), kind="acknowledged", by="marek")
    assert told(book, seen)[:2] == [("10:30", "notify oncall"), ("10:45", "notify lead")]


def test_the_ticket_that_is_answered(book: Rulebook) -> None:
    """Nothing more of the first answer; the solution is watched."""
    answer = Event(at=TEN + timedelta(minutes=35), kind="agent_replied", by="marek")
    assert told(book, answer) == [("10:30", "notify oncall"), ("17:00", "notify assignee")]
