"""Why and why not: rules of every stage, steps of a ladder, agents, writes that lost, rules that broke."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from routing import explain, rulebook
from routing.decision import decide
from routing.facts import AgentLoad, Facts, TicketFacts
from routing.life import Event, Life
from routing.rulebook import Rulebook

RULES = """
version: 1
calendars: {always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}}
agents: {una: {skills: [fr]}, vito: {}, wim: {}}
teams: {desk: {levels: {l1: [una, vito], lead: [wim]}, assign: {capacity: {email: 2}}}}
sla: {fair: {calendar: always, first_response: 4h, next_response: 2h, resolution: 2d, pause: [pending], ladder: up}}
ladders:
  up:
    - {at: first_response 50%, notify: assignee, ack_within: 30m}
    - {at: unacknowledged, notify: lead}
    - {at: next_response breach, notify: lead}
    - {at: resolution breach, level: lead, notify: lead}
enrich:
  - {id: low, when: {channel: email}, then: {priority: low}}
  - {id: high, when: {subject.words: urgent}, then: {priority: high}}
default: {team: desk, sla: fair}
react:
  - {id: scored, on: rated, when: {rating: {at_most: 2}}, then: {notify: lead}}
  - {id: wrote, on: customer_replied, when: {ticket.status: pending}, then: {tags: back}}
  - {id: still, on: quiet, for: 1d, since: created, then: {notify: lead}}
"""
NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def book() -> Rulebook:
    return rulebook.load({"r.yaml": RULES})


def facts(**given: Any) -> Facts:
    return Facts(**{"at": NOON, "channel": "email", **given})


def outcomes(*events: Event, until: timedelta = 0 * HOUR) -> list[tuple[str, str, str | None]]:
    """Step, outcome, and the instant it is due."""
    life = Life(book(), facts())
    for each in events:
        life.happen(each)
    life.advance(max(life.now, NOON + until))
    return [
        (each.step, each.outcome, each.due_at.strftime("%d %H:%M") if each.due_at else None)
        for each in explain.outcomes(life.ticket)
    ]


def test_steps_say_when_they_will_fire_or_why_not() -> None:
    assert outcomes() == [
        ("up/0", "waits", "05 14:00"),
        ("up/1", "no notice that asks to be acknowledged has gone out", None),
        ("up/2", "next_response has not begun", None),
        ("up/3", "waits", "07 12:00"),
    ]


def test_a_step_that_fired_lets_the_next_wait() -> None:
    assert outcomes(until=2 * HOUR)[:2] == [("up/0", "fired", None), ("up/1", "waits", "05 14:30")]


def test_a_clock_that_is_met_or_stands_still_is_the_reason() -> None:
    answered = Event(at=NOON + HOUR, kind="agent_replied", changes={"status": "pending"})
    assert [outcome for _, outcome, _ in outcomes(answered)] == [
        "first_response was met",
        "no notice that asks to be acknowledged has gone out",
        "next_response waits for the customer's next message",
        "resolution stands still",
    ]


def test_a_step_says_what_it_would_do() -> None:
    life = Life(book(), facts())
    assert explain.outcomes(life.ticket)[3].does == ("level lead", "notify lead")


def test_react_rules_tell_the_event_they_wait_for_or_the_condition_that_failed() -> None:
    ticket = TicketFacts(created_at=NOON - HOUR, status="open", team="desk")
    told = {
        each.rule: each
        for each in explain.why_not_react(book(), facts(event="customer_replied", ticket=ticket))
    }
    assert told["scored"].outcome == "waits for rated, not for customer_replied"
    assert told["still"].outcome == "waits for quiet, not for customer_replied"
    (result,) = told["wrote"].conditions
    assert (told["wrote"].outcome, result.wanted, result.actual) == ("does not match", "pending", "open")


def test_a_react_rule_that_applies_is_not_among_them() -> None:
    ticket = TicketFacts(created_at=NOON - HOUR, status="pending", team="desk")
    seen = facts(event="customer_replied", ticket=ticket)
    assert "wrote" not in {each.rule for each in explain.why_not_react(book(), seen)}


def test_agents_tell_why_they_were_passed_over_and_writes_what_kept_them_from_counting() -> None:
    loads = {"una": AgentLoad({"email": 2})}
    told = explain.explained(book(), facts(subject="urgent", agents=loads))
    assert [(each.agent, each.taken, each.reason) for each in told.candidates] == [
        ("una", False, "at capacity: 2 of 2 email"),
        ("vito", True, "taken: 0 open tickets"),
    ]
    assert [(each.rule, each.field, each.by) for each in told.ignored] == [("low", "priority", "high")]


def test_a_rule_that_broke_is_told_with_its_error() -> None:
    class Broken(msgspec.Struct, frozen=True):
        def holds(self, view: object) -> bool:
            raise ValueError("no such thing")

    good = book()
    broken = msgspec.structs.replace(good.enrich[0], when=Broken())
    rules = (broken, *good.rules[1:])
    told = explain.explained(msgspec.structs.replace(good, rules=rules, enrich=rules), facts())
    assert told.failed == (("low", "ValueError: no such thing"),)
    assert told.why_not[0].outcome == "failed: ValueError: no such thing"


def test_a_stored_decision_is_told_with_the_rulebook_and_the_facts_of_its_day() -> None:
    seen = facts(subject="urgent")
    decided = decide(book(), seen)
    stored, text = msgspec.json.encode(seen), book().text
    again = explain.explained(rulebook.from_text(text), msgspec.json.decode(stored, type=Facts))
    assert (again.reasons, again.ignored) == (decided.reasons, decided.ignored)
