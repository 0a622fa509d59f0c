"""What the lint concludes about conditions is true of every message, and its index loses no pair."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from routing import lint_relations as relations
from routing import rulebook
from routing.conditions import Condition
from routing.facts import AttachmentFacts, CustomerFacts, Facts, SenderFacts
from routing.lint_index import Filed
from routing.view import View
from tests.rows import every_row

BASE = """\
version: 1
calendars: {office: {timezone: UTC, open: {mon-fri: "09:00-17:00"}}}
agents: {ania: {email: ania@example.com}}
teams: {t: {levels: {l1: [ania]}}}
default: {team: t}
"""
LEAVES: tuple[dict[str, Any], ...] = (
    {"channel": "email"}, {"channel": ["email", "sms"]}, {"channel": {"none": ["sms"]}},
    {"sender.domain": "*.acme.com"}, {"sender.domain": "a.acme.com"}, {"sender.domain": ["acme.com", "none"]},
    {"sender.domain": "any"}, {"sender.domain": {"empty": True}},
    {"text.words": ["refund*"]}, {"text.words": ["refund"]}, {"text.words": ["refund now", "refunds"]},
    {"subject.words": "refund"}, {"text.words": {"only": ["thanks"]}}, {"text.regex": r"refund\s+now"},
    {"spam.score": {"at_least": 3}}, {"spam.score": {"between": [4, 5]}}, {"spam.score": {"at_most": 3}},
    {"spam.score": {"at_most": 2}}, {"attachment.count": ">=2"}, {"attachment.type": "image/*"},
    {"attachment.type": ["image/png", "text/plain"]}, {"recipient": "a@x.example"}, {"recipient": "b@x.example"},
    {"automatic": True}, {"automatic": False}, {"automatic": "list"}, {"unreadable": True}, {"unreadable": False},
    {"time": {"inside": "office"}}, {"time": {"outside": "office"}}, {"time": {"weekday": "mon-tue"}},
    {"time": {"weekday": "tue"}}, {"time": {"hour": ">=18"}}, {"time": {"hour": {"between": [9, 10]}}},
    {"time": {"weekday": "sat"}}, {"customer.tags": ["gold", "red"]}, {"customer.tags": "gold"},
    {"header.x-kind": "b"}, {"language": {"none": ["pl", "en"]}}, {"language": "pl"},
)  # fmt: skip


def written(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    if depth == 3 or chance.random() < 0.4:
        return chance.choice(LEAVES)
    members = [written(chance, depth + 1) for _ in range(chance.randint(1, 3))]
    return {chance.choice(["all", "any", "none"]): members}


def conditions_of(parts: list[dict[str, Any]]) -> list[Condition]:
    rules = [{"id": f"r{number}", "when": when, "then": {"team": "t"}} for number, when in enumerate(parts)]
    text = BASE + "route: " + msgspec.json.encode(rules).decode() + "\n"
    return [rule.when for rule in rulebook.load({"r.yaml": text}).route]


def messages(chance: random.Random, count: int) -> Iterator[Facts]:
    for _ in range(count):
        yield Facts(
            at=datetime(2026, 3, chance.randint(1, 14), chance.randint(0, 23), 30, tzinfo=UTC),
            channel=chance.choice(["email", "sms", "chat"]),
            unreadable=chance.random() < 0.3,
            recipient=tuple(chance.sample(["a@x.example", "b@x.example"], chance.randint(0, 2))),
            subject=chance.choice(["", "refund", "thanks"]),
            body=chance.choice(["", "refund now", "refunds please", "thanks", "refunding"]),
            language=chance.choice([None, "pl", "en", "de"]),
            attachments=tuple(
                AttachmentFacts(type=chance.choice(["image/png", "text/plain"]))
                for _ in range(chance.randint(0, 3))
            ),
            automatic=chance.choice([None, "list", "bounce"]),
            headers={"x-kind": ("a", "b")} if chance.random() < 0.5 else {},
            spam_score=chance.choice([None, 1.0, 3.0, 4.5, 6.0]),
            sender=SenderFacts(domain=chance.choice([None, "acme.com", "a.acme.com", "b.example"])),
            customer=CustomerFacts(tags=tuple(chance.sample(["gold", "red", "x"], chance.randint(0, 3)))),
        )


@pytest.mark.slow
@every_row("seed", range(4))
def test_a_conclusion_holds_for_every_message(seed: int) -> None:
    chance = random.Random(seed)
    found = conditions_of([written(chance) for _ in range(60)] + [dict(each) for each in LEAVES])
    calendars = rulebook.load({"r.yaml": BASE}).calendars
    views = [View(facts, calendars=calendars) for facts in messages(chance, 150)]
    held = [frozenset(number for number, view in enumerate(views) if each.holds(view)) for each in found]
    for one, ours in zip(found, held, strict=True):
        assert not (relations.is_impossible(one) and ours)
        assert not (relations.is_certain(one) and len(ours) < len(views))
        for other, theirs in zip(found, held, strict=True):
            assert not relations.implies(one, other) or ours <= theirs
            assert not relations.contradicts(one, other) or not ours & theirs


@pytest.mark.slow
@every_row("seed", range(4))
def test_the_index_finds_every_condition_that_one_implies(seed: int) -> None:
    chance = random.Random(seed)
    found = conditions_of([written(chance) for _ in range(80)] + [dict(each) for each in LEAVES])
    filed = Filed(found)
    for one in found:
        implied = {position for position, other in enumerate(found) if relations.implies(one, other)}
        assert implied - set(filed.that_may_cover(one)) == set()


def test_every_simple_condition_implies_itself() -> None:
    found = conditions_of([dict(each) for each in LEAVES])
    assert [number for number, each in enumerate(found) if not relations.implies(each, each)] == []


@every_row(
    ("one", "other"),
    [
        ({"time": {"inside": "office"}}, {"time": {"outside": "office"}}),
        ({"time": {"weekday": "mon-tue"}}, {"time": {"weekday": "sat"}}),
        ({"time": {"hour": {"between": [9, 10]}}}, {"time": {"hour": ">=18"}}),
        ({"automatic": "list"}, {"automatic": False}),
        ({"channel": "sms"}, {"none": {"channel": ["sms", "chat"]}}),
        (
            {"spam.score": {"at_most": 2}},
            {"any": [{"spam.score": {"between": [4, 5]}}, {"spam.score": ">=9"}]},
        ),
    ],
)
def test_what_excludes_each_other_is_seen(one: Any, other: Any) -> None:
    first, second = conditions_of([one, other])
    assert relations.contradicts(first, second)
    assert relations.contradicts(second, first)
