"""Tests that go on in time: what a step looks at, what exact and never mean over it, and what is touched."""

from routing import cases, rulebook
from routing.rulebook import Rulebook
from tests.rows import every_row

RULES = """
version: 1
calendars: {always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}}
agents: {ada: {hours: shifts, skills: [en]}, ben: {}}
teams:
  desk: {levels: {l1: [ada], chief: [ben], watch: {schedule: rota}}}
schedules:
  rota: {timezone: UTC, layers: [{rotate: daily, from: 2026-01-08, handover: "00:00", agents: [ben]}]}
sla: {fair: {calendar: always, first_response: 2h, ladder: up}}
ladders:
  up: [{at: first_response 50%, notify: watch}, {at: first_response breach, priority: high}]
enrich: [{id: polish, when: {language: pl}, then: {tags: pl}}]
default: {team: desk, sla: fair, reply: got-it}
react:
  - {id: more, on: customer_replied, then: {tags: more, note: look}}
  - {id: in-polish, on: customer_replied, when: {language: pl}, then: {tags: now-pl}}
  - {id: gone, on: customer_replied, when: {agent.available: false}, then: {agent: none}}
tests:
""".replace("{always:", '{shifts: {timezone: UTC, open: {mon: "08:00-09:00"}}, always:')
MAIL = "message: {channel: email, from: a@b.example, language: en, body: hello}"


def book(test: str) -> Rulebook:
    return rulebook.load({"r.yaml": f"{RULES}  - {{name: t, {test}}}\n"})


def failures(test: str) -> list[str]:
    return [each.message.removeprefix("test 't': ") for each in cases.run(book(test))]


def steps(*written: str, more: str = "") -> str:
    return f"{MAIL}{more}, steps: [{', '.join(f'{{{each}}}' for each in written)}]"


@every_row(
    "test",
    [
        steps("at: +30m, event: customer_replied, body: x, expect: {note: look, tags: [more], reply: none}"),
        steps("at: +2h, expect: {priority: high, breach: first_response}"),
        steps("at: +1h59m59s, expect: {priority: normal, breach: none}"),
        steps("at: +30m, event: agent_replied", "at: +5h, expect: {status: open, priority: normal, notify: none}"),
        steps("at: +30m, away: [ada], event: customer_replied, body: x, expect: {agent: none}"),
        steps("at: +1h, expect: {agent: ada}", more=", exactly: true, expect: {reply: got-it}, never: {tags: any}")
        .replace("expect: {agent: ada}", "expect: {agent: ada, notify: watch}"),
        f'{MAIL}, timeline: {{"+1h": notify watch, "+2h": [breach first_response, priority high]}}, exactly: true, expect: {{reply: got-it}}',
    ],
)  # fmt: skip
def test_steps_that_are_right_pass(test: str) -> None:
    assert failures(test) == []


def test_a_step_looks_only_at_what_was_done_since_the_step_before() -> None:
    talk = "at: +30m, event: customer_replied, body: x"
    assert failures(steps(talk, "at: +40m, expect: {note: look}")) == ["at +40m note is nothing, not look"]


def test_an_exact_step_tells_what_else_was_done() -> None:
    test = steps("at: +1h, expect: {agent: ada}", more=", exactly: true, expect: {reply: got-it}")
    assert failures(test) == ["at +1h there is also notify [watch]"]


def test_never_holds_at_every_step_and_up_to_the_end_of_the_timeline() -> None:
    told = steps("at: +1h", "at: +3h", more=", never: {notify: any, priority: high}")
    assert failures(told) == [
        "at +1h notify is [watch], which must never be",
        "at +3h priority is high, which must never be",
    ]
    later = f'{MAIL}, never: {{notify: watch}}, timeline: {{"+2h": priority high}}'
    assert failures(later) == ["notify is [watch], which must never be"]


def test_hours_are_set_aside_and_the_schedule_is_not() -> None:
    """The rota begins on 8 January: the watch of the 7th, when the test is, reaches nobody."""
    early = book(steps("at: +1h, expect: {agent: ada, notify: watch}"))
    assert cases.run(early) == ()
    (judged,) = (cases.judge(early, case) for case in early.tests)
    assert "up/0" in judged.touched


def test_the_language_of_a_step_is_detected_when_it_is_not_said() -> None:
    found = book(steps("at: +1h, event: customer_replied, body: dzień dobry, expect: {tags: [now-pl]}"))
    assert cases.run(found, detect_language=lambda text: "pl" if "dzień" in text else "en") == ()


def test_rules_of_every_kind_and_steps_that_did_something_are_touched() -> None:
    test = steps("at: +30m, event: customer_replied, body: x", "at: +2h")
    assert cases.touched(book(test)) == {"more", "up/0", "up/1"}


def test_without_tests_nothing_is_touched() -> None:
    assert cases.touched(rulebook.load({"r.yaml": RULES.removesuffix("tests:\n")})) == frozenset()
