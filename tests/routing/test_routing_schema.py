"""The JSON Schema and the reader take and refuse the same structure; names only the reader can check."""

import copy
import json
import random
import re
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from routing import fact_table, json_schema, json_schema_words, reference, rulebook, time_text
from routing.action_text import ACTIONS, SIBLINGS
from routing.condition_text import _OPERATORS
from routing.facts import EVENTS
from routing.problems import ConfigError
from routing.sections import SECTIONS
from tests.rows import every_row

GOOD: dict[str, Any] = {
    "version": 1,
    "calendars": {
        "office": {
            "timezone": "Europe/Warsaw",
            "open": {"mon-fri": ["08:00-12:00", "12:30-18:00"], "sat": "closed"},
            "holidays": ["PL", {"file": "company.ics", "free": "closed"}],
            "dates": {"2026-12-24": "closed", "2026-12-31": ["09:00-13:00"]},
        },
        "always": {"timezone": "UTC", "open": {"mon-sun": "00:00-24:00"}, "holidays": {"file": "x.ics"}},
    },
    "agents": {
        "ania": {"email": "ania@acme.example", "skills": ["pl"], "hours": "office", "deputy": "rui"},
        "rui": {"email": "rui@acme.example", "phone": "+351900000001", "urgent": ["call", "email"]},
    },
    "schedules": {
        "nights": {
            "timezone": "UTC",
            "layers": [
                {"rotate": "weekly", "from": "2026-11-02", "handover": "mon 09:00", "agents": ["rui", "ania"]},
                {"rotate": "daily", "from": "2026-11-02", "handover": "09:00", "agents": "rui", "days": "sat-sun"},
            ],
        }
    },
    "teams": {
        "first": {
            "levels": {"l1": ["ania"], "oncall": {"schedule": "nights"}, "lead": "rui"},
            "assign": {"by": "least_loaded", "capacity": {"email": 10, "chat": 3}},
        },
        "second": {"levels": {"l1": ["rui"]}, "assign": "round_robin"},
    },
    "lists": {"vip": ["acme.example"], "big": {"file": "big.csv"}, "blocked": {"kept": "desk"}},
    "fields": {
        "order": {"type": "text", "extract": "order ([A-Z]{2})"},
        "size": {"type": "choice", "choices": ["small", "large"]},
        "paid": {"type": "flag"},
    },
    "sla": {
        "gold": {
            "calendar": "always",
            "first_response": {"urgent": "15m", "normal": "2h"},
            "next_response": "2h",
            "resolution": "8h",
            "pause": ["pending"],
            "ladder": "page",
        },
        "slow": {"calendar": "office", "resolution": "3 working days", "promise": True},
    },
    "ladders": {
        "page": [
            {"at": "first_response 50%", "notify": "oncall", "by": "urgent", "ack_within": "10m"},
            {"at": "unacknowledged", "notify": ["lead", "boss@acme.example"], "by": "call"},
            {"at": "first_response breach", "level": ["oncall", "lead"], "priority": "urgent", "tags": ["late"]},
            {"at": "resolution +15m", "notify": "lead", "repeat": {"every": "15m", "times": 3}},
            {"at": "next_response -10m", "status": "open", "note": "soon late"},
        ]
    },
    "conversations": {
        "email": {"reopen_within": "14d", "then": "follow_up"},
        "sms": {"join": "open"},
        "by": [{"id": "alerts", "when": {"sender.address": "a@b.example"}, "key": "{subject}", "within": "24h"}],
    },
    "conditions": {"broken": {"text.words": ["outage", "not working"]}, "closed": {"time": {"outside": "office"}}},
    "enrich": [
        {"id": "vip", "when": {"sender.domain": {"in": "vip"}, "sender.verified": True}, "then": {"priority": "high"}},
        {"id": "spam", "when": {"sender.address": {"in": "blocked"}}, "then": {"spam": True, "block": True}},
        {"id": "many", "when": {"customer.tickets": {"within": "7d", "at_least": 3}}, "then": {"tags": "often"}},
        {"id": "field", "when": {"form.topic": ["a", "*.b"]}, "then": {"field.order": "AB", "field.paid": True}},
    ],
    "route": [
        {
            "id": "outage",
            "when": {
                "any": [{"text.words": ["down", "awari*"]}, {"text.regex": "error 5.."}],
                "none": {"sender.domain": "*.status.example"},
                "all": ["broken", {"channel": ["email", "sms"]}],
            },
            "then": {"team": "first", "skills": {"need": ["language", "pl"], "relax": "30m"}, "nature": "technical"},
        },
        {
            "id": "size",
            "when": [
                {"attachment.size": {"at_least": "10MB"}, "attachment.count": ">=2", "attachment.type": "image/*"},
                {"spam.score": {"between": [1, 5]}, "automatic": True, "language": {"none": ["pl"]}},
                {"not": {"sender.name": "none"}, "sender.known_since": {"at_most": "2026-01-01"}},
                {"text.words": {"only": ["thanks"]}, "sender.phone": {"empty": False}},
            ],
            "then": {"team": "second", "reply": {"email": "received", "sms": "none"}, "once": "12h"},
        },
        {
            "id": "late",
            "when": {"time": {"weekday": "mon-fri", "hour": {"at_least": 18}, "in": "office"}},
            "then": {"agent": "ania", "level": ["lead"], "sla": "gold", "untag": ["x"], "hand_off": "crm", "close": True},
        },
    ],
    "default": {"team": "first", "priority": "normal", "sla": "none", "reply": "received", "language": "en"},
    "react": [
        {
            "id": "twice",
            "on": "customer_replied",
            "when": {"ticket.status": "solved", "ticket.reopened": ">=2", "ticket.level": {"changed": {"to": "lead"}}},
            "then": {"reopen": False, "notify": "lead"},
        },
        {"id": "wait", "on": "quiet", "for": "3d", "since": "agent_replied", "then": {"status": "solved"}},
        {"id": "daily", "on": "clock", "at": "mon-fri 08:00", "in": "office", "when": "closed", "then": {"promise": "2d"}},
        {"id": "bad", "on": ["rated", "merged"], "when": {"rating": {"at_most": 2}}, "then": {"webhook": "crm"}},
        {"id": "old", "on": "sla_warning", "when": {"ticket.age": {"at_least": "2h"}}, "then": {"route": "again"}},
    ],
    "tests": [
        {
            "name": "one",
            "message": {"channel": "email", "from": "a@acme.example", "verified": True, "subject": "x"},
            "expect": {"priority": "high"},
        }
    ],
}  # fmt: skip

ONLY_THE_READER = frozenset(
    (
        "alias", "bare-day", "bad-regex", "bad-version", "circle", "duplicate-name", "duplicate-key", "duplicate-day",
        "name-clash", "never-open", "overlap", "too-deep", "never-due", "never-known", "unknown-timezone",
        "unknown-country", "unknown-agent", "unknown-calendar", "unknown-condition", "unknown-field", "unknown-ladder",
        "unknown-level", "unknown-list", "unknown-recipient", "unknown-schedule", "unknown-skill", "unknown-SLA-policy",
        "unknown-team",
    )
)  # fmt: skip
"""What hangs on names, on two values together or on what a text means."""

JUNK: list[Any] = [
    None,
    True,
    False,
    0,
    3,
    -1,
    2.5,
    "",
    "x",
    "none",
    "any",
    "*",
    "a*b",
    ">=2",
    "15m",
    [],
    {},
    ["x"],
    [3],
]
JUNK += [
    [[]],
    {"x": 1},
    {"in": "vip"},
    {"at_least": 2},
    {"words": ["a"]},
    "first_response 0%",
    [{}],
    [None],
    "again",
]

VALIDATOR = jsonschema.Draft202012Validator(json_schema.schema())


def readers_verdict(value: dict[str, Any]) -> frozenset[str] | None:
    """The codes with which the reader refuses the structure; empty = it takes it, None = only it can tell."""
    try:
        rulebook.load({"rules.yaml": json.dumps(value)})
    except ConfigError as error:
        codes = frozenset(each.code for each in error.problems if each.severity == "error")
        return codes if codes - ONLY_THE_READER else None
    return frozenset()


def agrees(value: dict[str, Any]) -> str:
    """Where the two disagree; "" = nowhere."""
    found = readers_verdict(value)
    errors = list(VALIDATOR.iter_errors(value))
    if found is None or bool(found) == bool(errors):
        return ""
    told = jsonschema.exceptions.best_match(errors)
    return f"reader {sorted(found)}, schema {told and told.message[:200]}"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value but those of tests, whose inside the schema leaves to the reader."""
    if path and path[0] == "tests":
        return
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inside:
        yield from places(child, (*path, key))


def changed(path: tuple[Any, ...], change: Any) -> dict[str, Any]:
    """GOOD with something done to the value at a path."""
    value = copy.deepcopy(GOOD)
    parent: Any = value
    for key in path[:-1]:
        parent = parent[key]
    change(parent, path[-1])
    return value


def said(value: Any) -> str:
    return json.dumps(value)[:60]


def test_what_the_reader_takes_the_schema_takes() -> None:
    assert readers_verdict(GOOD) == frozenset()
    assert list(VALIDATOR.iter_errors(GOOD)) == []


def disagreements(change: Any, *, count: int | None = None, seed: str = "") -> list[str]:
    """Where the two disagree when each of some places is changed. count: how many, None = everywhere."""
    depend = (("fields", "paid"), ("enrich", 3, "then"))  # what may stand in one hangs on the other
    every = [path for path in places(GOOD) if path[:2] not in depend and path[:3] not in depend]
    chosen = every if count is None else random.Random(seed).sample(every, count)
    return [f"{path}: {found}" for path in chosen if (found := agrees(changed(path, change)))]


def remove(parent: Any, key: Any) -> None:
    """Takes a key away, unless only the reader knows that it is needed: in another file, or by another value."""
    is_first_step = isinstance(parent, list) and key == 0 and "ack_within" in str(parent[0])
    if key not in ("version", "default", "ack_within") and not is_first_step:
        del parent[key]


def add(parent: Any, key: Any) -> None:
    if isinstance(parent[key], dict):
        parent[key]["zzz zzz"] = "x"


@pytest.mark.slow
def test_a_missing_key_is_refused_by_both_or_by_none() -> None:
    assert disagreements(remove, count=60) == []


@pytest.mark.slow
def test_an_unknown_key_is_refused_by_both_or_by_none() -> None:
    assert disagreements(add, count=60) == []


@pytest.mark.slow
@pytest.mark.parametrize("junk", JUNK, ids=said)
def test_a_value_of_another_kind_is_refused_by_both_or_by_none(junk: Any) -> None:
    def replace(parent: Any, key: Any) -> None:
        parent[key] = junk

    assert disagreements(replace, count=6, seed=said(junk)) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_two_agree_at_many_places() -> None:
    def junk_at(junk: Any) -> Any:
        def replace(parent: Any, key: Any) -> None:
            parent[key] = junk

        return replace

    changes = [remove, add, *map(junk_at, JUNK)]
    assert [each for change in changes for each in disagreements(change, count=25)] == []


def test_every_word_of_the_language_has_its_line() -> None:
    assert set(fact_table.FIELDS) | set(fact_table.MADE_ON_DEMAND) == set(reference.FACTS)
    assert set(time_text.TIME_FACTS) == set(reference.TIME)
    assert set(_OPERATORS) == set(reference.OPERATORS)
    assert {*ACTIONS, *SIBLINGS, "field.NAME"} == set(reference.ACTIONS)
    assert set(EVENTS) == set(reference.EVENTS)
    assert set(SECTIONS) == set(reference.SECTIONS)


@every_row(
    ("fact", "is_taken"),
    [("ticket.status", True), ("ticket.level", True), ("language", False), ("ticket.nature", False)],
)
def test_only_what_events_tell_the_change_of_may_be_asked_for_it(fact: str, *, is_taken: bool) -> None:
    value = copy.deepcopy(GOOD)
    value["react"][4]["when"] = {fact: {"changed": True}}
    assert agrees(value) == ""
    assert (list(VALIDATOR.iter_errors(value)) == []) is is_taken


def test_every_action_has_a_schema() -> None:
    assert set(json_schema_words.VALUES) == set(ACTIONS)


def test_a_name_that_is_not_there_only_the_reader_tells() -> None:
    value = copy.deepcopy(GOOD)
    value["default"]["team"] = "nobody"
    assert readers_verdict(value) is None
    assert list(VALIDATOR.iter_errors(value)) == []


def test_every_pattern_is_understood_by_browsers_too() -> None:
    patterns = re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(json_schema.schema()))
    assert patterns
    assert [each for each in map(json.loads, patterns) if re.search(r"\\Z|\\A|\(\?[PixmsL<]", each)] == []
