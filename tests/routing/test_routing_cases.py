"""The admin's own tests: what passes, what fails and how it is told; and the shipped rules pass theirs."""

from pathlib import Path

import pytest

from routing import cases, rulebook, yaml_text
from routing.case_text import People, read_situation
from routing.problems import ConfigError, Problem
from tests.rows import every_row

CONFIG = Path(__file__).parents[2] / "config"
BASE = """\
version: 1
calendars:
  warsaw: {timezone: Europe/Warsaw, open: {mon-fri: ["08:00-12:00", "12:30-18:00"]}, holidays: PL}
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {hours: warsaw}
  tomek: {}
teams:
  billing: {levels: {l1: [ania], lead: [tomek]}}
lists: {vip: []}
sla:
  gold: {calendar: always, first_response: {urgent: 15m, high: 30m, normal: 2h}, resolution: 8h, ladder: page}
  standard: {calendar: warsaw, first_response: 4h, resolution: 3 working days, ladder: nudge}
ladders:
  page:
    - {at: first_response 50%, notify: l1}
    - {at: first_response breach, level: [lead], priority: urgent, notify: lead}
    - {at: first_response +15m, notify: lead, repeat: {every: 15m, times: 3}}
  nudge: [{at: first_response 80%, notify: assignee}]
enrich:
  - {id: vip, when: {sender.domain: {in: vip}}, then: {priority: high, sla: gold, tags: [vip, known]}}
route:
  - {id: refunds, when: {text.words: ["zwrot*"]}, then: {team: billing, notify: lead}}
default: {team: billing, sla: standard, reply: {email: received}}
tests:
"""
MAIL = "message: {channel: email, from: jan@acme.com, body: zwrot paczki}"
VIP = f"{MAIL}, at: 2026-11-10T17:30+01:00, lists: {{vip: [acme.com]}}"


def failures(test: str) -> list[str]:
    book = rulebook.load({"r.yaml": f"{BASE}  - {{name: t, {test}}}\n"})
    return [each.message.removeprefix("test 't': ") for each in cases.run(book)]


@every_row(
    "test",
    [
        f"{MAIL}, expect: {{rule: refunds, team: billing, agent: ania, sla: standard, reply: received, notify: lead}}",
        f"{VIP}, expect: {{priority: high, sla: gold, tags: [vip], due.first_response: 2026-11-10T18:00+01:00}}",
        f"{VIP}, expect: {{tags: [known, vip], notify: lead, reply: received}}, exactly: true",
        f'{VIP}, timeline: {{"+15m": notify l1, "+30m": [level lead, priority urgent], "+45m": notify lead}}',
        f'{VIP}, timeline: {{"+1h15m": notify lead}}, never: {{priority: urgent, tags: [late], agent: none}}',
        f"{MAIL}, at: 2026-11-10T17:30+01:00, expect: {{due.first_response: 2026-11-12T11:30+01:00}}",
        f"{MAIL}, at: 2026-11-10T17:30+01:00, expect: {{due.first_response: 2026-11-12T10:30Z}}",
        f"{MAIL}, steps: [{{at: +1h, priority: urgent, expect: {{priority: urgent}}}}]",
        f'{VIP}, timeline: {{"2026-11-10T17:45+01:00": notify l1}}',
        f"{MAIL}, given: {{away: [ania]}}, expect: {{agent: none}}",
        f"{MAIL}, expect: {{due.resolution: 2026-01-12T13:00+01:00}}",
        "message: {channel: sms, body: x}, expect: {rule: default}, never: {reply: any, notify: any}",
        "message: {channel: email, automatic: true, body: x}, never: {reply: any}",
    ],
)  # fmt: skip
def test_a_test_that_is_right_passes(test: str) -> None:
    assert failures(test) == []


@every_row(
    ("test", "told"),
    [
        (f"{MAIL}, expect: {{rule: default}}", ["rule is refunds, not default"]),
        (f"{MAIL}, expect: {{agent: tomek, priority: high}}", ["agent is ania, not tomek", "priority is normal, not high"]),
        (f"{VIP}, expect: {{tags: [vip, new]}}", ["tags is [vip, known], not [vip, new]"]),
        (f"{VIP}, expect: {{tags: [vip], notify: lead, reply: received}}, exactly: true",
         ["tags is [vip, known], not [vip]"]),
        (f"{VIP}, expect: {{notify: lead}}, exactly: true", ["there is also reply received"]),
        (f"{MAIL}, never: {{reply: any}}", ["reply is received, which must never be"]),
        (f"{MAIL}, never: {{notify: [lead, ania]}}", ["notify is [lead], which must never be"]),
        (f'{VIP}, timeline: {{"+20m": notify l1}}', ["at +20m wanted notify l1, got nothing"]),
        (f'{VIP}, timeline: {{"+30m": notify l1}}',
         ["at +30m wanted notify l1, got breach first_response, level lead, priority urgent, notify lead"]),
        ((f'{VIP}, timeline: {{"+45m": notify lead}}, expect: {{tags: [vip, known], notify: lead, reply: received}},'
         " exactly: true"),
         ["at +15m there is also notify l1",
          "at +30m there is also breach first_response, level lead, priority urgent, notify lead"]),
    ],
)  # fmt: skip
def test_a_test_that_is_wrong_says_what_came_instead(test: str, told: list[str]) -> None:
    assert failures(test) == told


def test_a_missed_step_is_told_where_it_is() -> None:
    book = rulebook.load({"r.yaml": f'{BASE}  - {{name: t, {VIP}, timeline: {{"+20m": notify l1}}}}\n'})
    (failure,) = cases.run(book)
    assert (failure.line, failure.hint) == (BASE.count("\n") + 1, "'notify l1' is at +15m")


def test_hours_are_set_aside_in_tests() -> None:
    assert failures(f"{MAIL}, at: 2026-11-11T03:00+01:00, expect: {{agent: ania}}") == []


def test_a_language_that_is_not_said_is_detected() -> None:
    book = rulebook.load({"r.yaml": f"{BASE}  - {{name: t, {MAIL}, expect: {{language: pl}}}}\n"})
    assert cases.run(book, detect_language=lambda text: "pl" if "paczki" in text else None) == ()
    assert [each.message for each in cases.run(book)] == ["test 't': language is nothing, not pl"]


@every_row(
    ("test", "code"),
    [
        (f"{MAIL}, steps: {{}}", "wrong-type"),
        (f"{MAIL}, expct: {{}}", "unknown-key"),
        (f"{MAIL}, expect: {{tema: x}}", "unknown-key"),
        (f"{MAIL}, at: 2026-11-10", "bad-instant"),
        (f"{MAIL}, at: yesterday", "bad-instant"),
        (f"{MAIL}, lists: {{nope: []}}", "unknown-list"),
        (f"{MAIL}, given: {{away: [nobody]}}", "unknown-agent"),
        ("message: {from: a@b.example}", "missing-key"),
        ("message: {channel: form, form: {topic: 5}}", "wrong-type"),
        (f'{MAIL}, timeline: {{"15m": notify lead}}', "bad-length"),
        (f'{MAIL}, timeline: {{"+15m": lead}}', "wrong-type"),
    ],
)
def test_a_test_that_is_written_wrong_is_refused(test: str, code: str) -> None:
    with pytest.raises(ConfigError) as refused:
        rulebook.load({"r.yaml": f"{BASE}  - {{name: t, {test}}}\n"})
    assert [each.code for each in refused.value.problems] == [code]


def test_an_object_like_a_test_is_read_as_a_situation() -> None:
    problems: list[Problem] = []
    text = '{"message": {"channel": "email", "from": "A@B.example", "to": ["x@y.example"]}, "at": "2026-01-01T00:00Z"}'
    situation = read_situation(yaml_text.read(text, file="-"), People(frozenset(), frozenset()), problems)
    assert problems == []
    assert situation is not None
    assert (situation.facts.sender.domain, situation.facts.recipient) == ("b.example", ("x@y.example",))


def shipped() -> rulebook.Rulebook:
    replies = [tuple(path.stem.rsplit(".", 1)) for path in (CONFIG / "replies").glob("*.md")]
    return rulebook.load({"rules.yaml": (CONFIG / "rules.yaml").read_text("utf-8")}, replies=replies)  # type: ignore[arg-type]


def test_the_shipped_rules_have_no_warning_and_pass_their_own_tests() -> None:
    book = shipped()
    assert book.warnings == ()
    assert len(book.tests) >= 6
    assert cases.run(book) == ()


def test_every_rule_that_is_shipped_is_shown_in_a_test() -> None:
    book = shipped()
    shown = {"default"}
    for case in book.tests:
        shown.update(each.value for each in case.expect if each.field == "rule")
    assert {rule.id for rule in book.route} <= shown
