"""What later events make of the rules: which apply, who wins a field, in what order things are done; and when silence is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing import react, rulebook
from routing.facts import Facts, SenderFacts, TicketFacts
from routing.react import Reaction
from routing.rulebook import Rulebook
from tests.rows import every_row

BASE = """
version: 1
calendars:
  desk: {timezone: Europe/Warsaw, open: {mon-fri: "08:00-16:00"}, holidays: PL}
  night: {timezone: Europe/Warsaw, open: {mon-sun: "00:00-24:00"}}
agents: {olga: {}, piet: {}, quim: {}}
teams:
  sales: {levels: {l1: [olga], lead: [piet]}}
  care: {levels: {l1: [quim], lead: [piet]}}
sla:
  calm: {calendar: night, first_response: {high: 8h, normal: 4h}}
  keen: {calendar: night, first_response: {high: 2h, normal: 6h}}
fields: {case: {type: text}}
default: {team: sales}
react:
"""
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def book(*rules: str) -> Rulebook:
    return rulebook.load({"r.yaml": BASE + "".join(f"  - {{{rule}}}\n" for rule in rules)})


def facts(event: str = "customer_replied", *, ticket: dict[str, Any] | None = None, **given: Any) -> Facts:
    known = TicketFacts(created_at=NOON - timedelta(hours=2), team="sales", **(ticket or {}))
    return Facts(at=NOON, event=event, ticket=known, channel="email", **given)


def reacted(*rules: str, **given: Any) -> Reaction:
    return react.react(book(*rules), facts(**given))


def done(reaction: Reaction) -> list[tuple[str, Any]]:
    return [(action.kind, action.value) for action in reaction.actions]


def test_every_rule_of_the_event_whose_condition_holds_applies() -> None:
    reaction = reacted(
        "id: a, on: customer_replied, when: {ticket.status: solved}, then: {tags: back}",
        "id: b, on: [agent_replied, customer_replied], then: {tags: talk}",
        "id: c, on: agent_replied, then: {tags: no}",
        "id: d, on: customer_replied, when: {ticket.status: new}, then: {tags: no}",
        ticket={"status": "solved"},
    )
    assert reaction.matched == ("a", "b")
    assert done(reaction) == [("tags", ["back"]), ("tags", ["talk"])]


def test_no_rule_sees_what_another_writes() -> None:
    reaction = reacted(
        "id: a, on: customer_replied, then: {priority: urgent}",
        "id: b, on: customer_replied, when: {ticket.priority: urgent}, then: {tags: no}",
    )
    assert reaction.matched == ("a",)


def test_of_several_writers_priority_takes_the_highest_and_other_fields_the_first() -> None:
    reaction = reacted(
        "id: a, on: customer_replied, then: {priority: high, team: care, nature: sales}",
        "id: b, on: customer_replied, then: {priority: urgent, team: sales, nature: other}",
    )
    assert done(reaction) == [("team", "care"), ("priority", "urgent"), ("nature", "sales")]
    assert {(each.rule, each.field, each.by) for each in reaction.ignored} == {
        ("a", "priority", "b"), ("b", "team", "a"), ("b", "nature", "a"),
    }  # fmt: skip


@pytest.mark.parametrize(("priority", "stricter"), [("normal", "calm"), ("high", "keen")])
def test_the_strictest_policy_is_measured_at_the_tickets_priority(priority: str, stricter: str) -> None:
    """calm answers in 4 h at normal where keen takes 6; at high it is 8 h and 2 h."""
    reaction = reacted(
        "id: a, on: customer_replied, then: {sla: calm}",
        "id: b, on: customer_replied, then: {sla: keen}",
        ticket={"priority": priority},
    )
    assert done(reaction) == [("sla", stricter)]


def test_where_the_ticket_goes_comes_before_who_is_told() -> None:
    reaction = reacted(
        "id: a, on: customer_replied, then: {notify: lead, reply: seen, note: look, status: open, level: lead, field.case: x}"
    )
    assert [kind for kind, _ in done(reaction)] == [
        "level",
        "field.case",
        "status",
        "reply",
        "note",
        "notify",
    ]


def test_a_tag_that_a_rule_takes_away_is_not_added_by_another() -> None:
    reaction = reacted(
        "id: a, on: customer_replied, then: {tags: [x, y]}",
        "id: b, on: customer_replied, then: {untag: x}",
    )
    assert done(reaction) == [("tags", ["y"]), ("untag", ["x"])]


def test_who_is_told_how_stands_beside_the_notice() -> None:
    (action,) = reacted("id: a, on: customer_replied, then: {notify: lead, by: sms}").actions
    assert (action.value, action.options, action.rule) == ("lead", {"by": "sms"}, "a")


def test_reopening_can_be_refused_and_who_refuses_is_known() -> None:
    rule = "id: bye, on: customer_replied, when: {text.words: {only: [cheers]}}, then: {reopen: false}"
    refused = reacted(rule, ticket={"status": "solved"}, body="Cheers!")
    assert (refused.reopen, refused.reopen_by, refused.actions) == (False, "bye", ())
    assert reacted(rule, ticket={"status": "solved"}, body="Cheers, but no").reopen


def test_what_changes_can_be_asked_for() -> None:
    rule = "id: a, on: status_changed, when: {ticket.status: {changed: {from: pending, to: solved}}}, then: {tags: x}"
    matched = reacted(rule, event="status_changed", changed={"status": ("pending", "solved")}).matched
    other = reacted(rule, event="status_changed", changed={"status": ("open", "solved")}).matched
    assert (matched, other) == (("a",), ())


def test_a_machine_is_never_answered() -> None:
    reaction = reacted("id: a, on: customer_replied, then: {reply: seen}", automatic="auto_reply")
    assert reaction.actions == ()
    assert [(each.field, each.value) for each in reaction.ignored] == [("reply", "seen")]


def test_reasons_say_why_with_the_tickets_own_values() -> None:
    rule = "id: a, on: customer_replied, when: {ticket.status: solved}, then: {tags: x}"
    (reason,) = reacted(rule, ticket={"status": "solved"}).reasons
    assert [(each.field, each.actual, each.held) for each in reason.conditions] == [
        ("ticket.status", "solved", True)
    ]


def test_without_a_rule_for_the_event_nothing_is_asked_for() -> None:
    assert reacted("id: a, on: rated, then: {tags: x}").actions == ()


def test_a_low_score_is_seen() -> None:
    rule = "id: a, on: rated, when: {rating: {at_most: 2}}, then: {notify: lead}"
    assert [reacted(rule, event="rated", rating=score).matched for score in (2, 3)] == [("a",), ()]


QUIET = (
    "id: soft, on: quiet, for: 2d, since: agent_replied, when: {ticket.status: pending}, then: {reply: there}",
    "id: hard, on: quiet, for: 4d, since: agent_replied, when: {ticket.status: pending}, then: {status: solved}",
    "id: else, on: quiet, for: 1h, since: created, when: {sender.domain: x.example}, then: {notify: lead}",
)


def test_quiet_rules_that_hold_now_are_known() -> None:
    holding = react.quiet_holding(book(*QUIET), facts(event="quiet", ticket={"status": "pending"}))
    assert [each.rule.id for each in holding] == ["soft", "hard"]


def test_only_the_quiet_rule_that_is_due_speaks() -> None:
    seen = facts(event="quiet", ticket={"status": "pending"})
    assert react.react(book(*QUIET), seen, only="hard").matched == ("hard",)


def test_a_quiet_rule_whose_condition_holds_no_more_says_nothing() -> None:
    seen = facts(event="quiet", ticket={"status": "open"}, sender=SenderFacts())
    assert react.react(book(*QUIET), seen, only="hard").matched == ()


@every_row(
    ("written", "since", "due"),
    [
        # Friday 13:00 in Warsaw; open until 16:00, then Monday from 08:00
        ("for: 4h, in: desk", "2026-03-13T12:00Z", "2026-03-16T08:00Z"),
        ("for: 4h", "2026-03-13T12:00Z", "2026-03-13T16:00Z"),
        # 24, 25 and 26 December are holidays: one hour on Wednesday, one on Monday
        ("for: 2h, in: desk", "2026-12-23T14:00Z", "2026-12-28T08:00Z"),
        # the clocks go back that night: a day is 24 hours all the same
        ("for: 1d", "2026-10-24T10:00Z", "2026-10-25T10:00Z"),
    ],
)
def test_silence_is_counted_on_the_wall_clock_or_in_open_time(written: str, since: str, due: str) -> None:
    rules = book(f"id: q, on: quiet, {written}, since: created, then: {{notify: lead}}")
    due_at = react.quiet_due(rules.react[0], datetime.fromisoformat(since), rules.calendars)
    assert due_at == datetime.fromisoformat(due)


@every_row(
    ("at", "after", "next_at"),
    [
        ("mon-fri 08:00", "2026-03-10T06:59Z", "2026-03-10T07:00Z"),
        ("mon-fri 08:00", "2026-03-10T07:00Z", "2026-03-11T07:00Z"),
        ("mon-fri 08:00", "2026-03-13T08:00Z", "2026-03-16T07:00Z"),
        ("sun 12:00", "2026-03-28T12:00Z", "2026-03-29T10:00Z"),  # summer time since that night
        ("sun 02:30", "2026-03-28T12:00Z", "2026-03-29T01:00Z"),  # 02:30 does not exist: 03:00 does
        ("sun 02:30", "2026-10-24T12:00Z", "2026-10-25T00:30Z"),  # occurs twice: the first
        ("sun 02:30", "2026-10-25T00:30Z", "2026-11-01T01:30Z"),  # and not the second
    ],
)
def test_a_clock_rule_rings_on_the_wall_clock_of_its_calendar(at: str, after: str, next_at: str) -> None:
    rules = book(f'id: c, on: clock, at: "{at}", in: night, then: {{notify: lead}}')
    found = react.next_daily(rules.react[0], datetime.fromisoformat(after), rules.calendars)
    assert found == datetime.fromisoformat(next_at)
