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


def test_a_ticket_that_was_solved_asks_nobody_about_old_notices(book: Rulebook) -> None:
    """Solved at 10:35 and opened again at 12:00: the notice of half past ten is over, what is late now is told."""
    solved = Event(at=TEN + timedelta(minutes=35), kind="status_changed", changes={"status": "solved"})
    opened = Event(at=TEN + timedelta(hours=2), kind="status_changed", changes={"status": "open"})
    hours = [hour for hour, _ in told(book, solved, opened)]
    assert hours[:2] == ["10:30", "12:25"]


def test_the_customer_is_told_of_one_delay_once(book: Rulebook) -> None:
    """Two steps of a target say it; as in earnest, the second says nothing."""
    text = book.files["rules.yaml"].replace(
        "- {at: first_response +15m, notify: lead,",
        "- {at: first_response +15m, reply: delayed, once: 1m, notify: lead,",
    )
    twice = rulebook.load({"rules.yaml": text}, replies={("delayed", "en")})
    assert [what for _, what in told(twice)].count("reply delayed") == 1


def test_the_customer_who_was_answered_is_not_told(book: Rulebook) -> None:
    text = book.files["rules.yaml"].replace(
        "at: resolution -1h, notify: assignee", "at: resolution -1h, reply: delayed"
    )
    late = rulebook.load({"rules.yaml": text}, replies={("delayed", "en")})
    answer = Event(at=TEN + timedelta(minutes=35), kind="agent_replied", by="marek")
    assert told(late, answer) == [("10:30", "notify oncall")]
