"""How the admin's tests are written: messages, circumstances, steps, timelines, and every mistake at its place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing import yaml_text
from routing.case_text import ACTION_KINDS, EXPECTABLE, Case, CaseStep, read_cases, spoken
from routing.customer_text import WHEN_NOT_SAID
from routing.facts import EVENTS, AgentLoad, AttachmentFacts, Facts
from routing.problems import Problem
from routing.situation_text import People, Situation, read_situation
from tests.rows import every_row

PEOPLE = People(
    frozenset(("ania", "tomek")),
    frozenset(("vips", "blocked")),
    teams=frozenset(("billing",)),
    levels=frozenset(("l1", "lead")),
)
MAIL = (
    "message: {channel: email, from: Jan@ACME.com, name: Jan, language: pl, subject: Hi, body: Where is it}"
)


def cases(text: str) -> tuple[tuple[Case, ...], list[Problem]]:
    problems: list[Problem] = []
    return read_cases([yaml_text.read(text, file="r.yaml")], PEOPLE, problems), problems


def case(rest: str) -> Case:
    (found,), problems = cases(f"- {{name: t, {MAIL}, {rest}}}")
    assert problems == []
    return found


def step(written: str, message: str = MAIL) -> CaseStep:
    found, problems = cases(f"- {{name: t, {message}, steps: [{written}]}}")
    assert problems == []
    return found[0].steps[0]


def situation(text: str) -> Situation:
    problems: list[Problem] = []
    found = read_situation(yaml_text.read(f"{{{text}}}", file="-"), PEOPLE, problems)
    assert (problems, found is None) == ([], False)
    assert found is not None
    return found


def facts(message: str, rest: str = "") -> Facts:
    return situation(f"message: {{channel: email, {message}}}{rest}").facts


# -- messages and circumstances -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("from: A@B.example, verified: true", {"address": "a@b.example", "domain": "b.example", "verified": True}),
        ('from: "+48 600 100 200", name: Jan', {"address": None, "phone": "+48 600 100 200", "name": "Jan"}),
        ('phone: "+48600", country: PL', {"phone": "+48600", "country": "PL"}),
    ],
)  # fmt: skip
def test_a_message_says_who_writes(message: str, expected: dict[str, Any]) -> None:
    sender = facts(message).sender
    assert {name: getattr(sender, name) for name in expected} == expected


@every_row(
    ("message", "expected"),
    [
        ("to: Sales@X.example, cc: [b@x.example]", {"recipient": ("sales@x.example", "b@x.example")}),
        ("quoted: old, spam_score: 3", {"quoted": "old", "spam_score": 3.0}),
        ("attachments: [{name: a.pdf, type: application/pdf, size: 10}]",
         {"attachments": (AttachmentFacts("a.pdf", "application/pdf", 10),)}),
        ("automatic: true", {"automatic": "auto_reply"}),
        ("automatic: bounce", {"automatic": "bounce"}),
        ("automatic: none", {"automatic": None}),
        ("headers: {X-Kind: a, List-Id: [b, c]}", {"headers": {"x-kind": ("a",), "list-id": ("b", "c")}}),
        ('form: {topic: Refund, phone: "1"}', {"form": {"topic": "Refund", "phone": "1"}}),
        ('call: {choice: "2", outcome: hang_up}', {"call_choice": "2", "call_outcome": "hang_up"}),
        ('page: "https://x.example/a"', {"chat_page": "https://x.example/a"}),
        ("created_by: agent, direction: out, unreadable: true", {"created_by": "agent", "direction": "out", "unreadable": True}),
        ("language: none", {"language": None}),
        ("body: x", {"subject": "", "at": WHEN_NOT_SAID, "event": "created", "ticket": None}),
    ],
)  # fmt: skip
def test_a_message_says_what_is_written_and_how(message: str, expected: dict[str, Any]) -> None:
    found = facts(message)
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_language_counts_as_said_when_it_is() -> None:
    assert situation("message: {channel: sms, language: none}").has_language
    assert not situation("message: {channel: sms}").has_language


def test_circumstances_are_given() -> None:
    given = "{away: [ania], load: {tomek: {email: 9}}, incident: true, waiting: {billing: 3}}"
    found = facts("body: x", f", given: {given}")
    assert found.agents == {"ania": AgentLoad(away=True), "tomek": AgentLoad({"email": 9})}
    assert (found.desk.incident_open, found.desk.waiting) == (True, {"billing": 3})


def test_a_customer_is_given_with_their_history() -> None:
    customer = (
        "{organization: ACME, tags: [gold], tier: A, language: en, open_tickets: 2, last_rating: 2, opted_out: true,"
        " fields: {city: Oslo}, known_since: 2026-01-01, tickets: [2d, 5h, 2026-01-06, 2026-01-07T09:00+01:00]}"
    )
    found = facts("from: a@b.example", f", given: {{customer: {customer}}}")
    theirs = found.customer
    assert (theirs.organization, theirs.tags, theirs.tier, theirs.last_rating) == ("ACME", ("gold",), "A", 2)
    assert (theirs.opted_out, theirs.fields, theirs.open_tickets, theirs.first_contact) == (
        True,
        {"city": "Oslo"},
        2,
        False,
    )
    assert theirs.tickets == (
        datetime(2026, 1, 7, 8, tzinfo=UTC), datetime(2026, 1, 7, 7, tzinfo=UTC),
        datetime(2026, 1, 6, tzinfo=UTC), datetime(2026, 1, 5, 12, tzinfo=UTC),
    )  # fmt: skip
    assert found.sender.known_since == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_number_of_earlier_tickets_means_of_the_last_hour() -> None:
    tickets = facts("body: x", ", given: {customer: {tickets: 3}}").customer.tickets
    assert len(tickets) == 3
    assert all(WHEN_NOT_SAID - timedelta(hours=1) < each < WHEN_NOT_SAID for each in tickets)


@every_row(
    ("customer", "is_first"),
    [("{}", True), ("{tier: A}", True), ("{tickets: 1}", False), ("{open_tickets: 1}", False),
     ("{tickets: 1, first_contact: true}", True), ("{first_contact: false}", False)],
)  # fmt: skip
def test_a_customer_is_new_unless_something_is_known_of_them(customer: str, is_first: object) -> None:
    assert facts("body: x", f", given: {{customer: {customer}}}").customer.first_contact is is_first


def test_lists_of_a_test_stand_in_the_facts_for_those_kept_at_the_desk() -> None:
    found = situation("message: {channel: email}, lists: {blocked: [a@b.example]}")
    assert found.lists == found.facts.kept == {"blocked": ("a@b.example",)}


# -- steps --------------------------------------------------------------------------------------------------------


def test_a_step_without_an_event_is_time_passing() -> None:
    found = step("{at: +3d1h, expect: {reply: still-there}, never: {reply: closing}}")
    assert (found.offset_s, found.text, found.event, found.message) == (
        3 * 86_400 + 3_600,
        "+3d1h",
        None,
        None,
    )
    assert [(each.field, each.value) for each in (*found.expect, *found.never)] == [
        ("reply", "still-there"), ("reply", "closing"),
    ]  # fmt: skip


def test_a_customers_reply_is_a_message_of_the_same_customer() -> None:
    found = step("{at: +1h, event: customer_replied, body: OK, attachments: [{name: a.pdf}]}")
    assert found.message is not None
    assert found.message.at == WHEN_NOT_SAID + timedelta(hours=1)
    assert found.message.event == "customer_replied"
    assert (found.message.subject, found.message.body, found.message.channel) == ("", "OK", "email")
    assert (found.message.sender.address, found.message.sender.name) == ("jan@acme.com", "Jan")
    assert found.message.attachments[0].name == "a.pdf"
    assert not found.has_language


def test_a_reply_from_somewhere_else_says_so() -> None:
    found = step("{at: +1h, event: customer_replied, from: b@x.example, language: en, verified: true}")
    assert found.message is not None
    assert (found.message.sender.domain, found.message.sender.verified) == ("x.example", True)
    assert (found.message.language, found.has_language) == ("en", True)


@every_row(
    ("message", "written", "has_reference"),
    [(MAIL, "", True), (MAIL, ", reference: false", False), ("message: {channel: sms}", "", False),
     ("message: {channel: sms}", ", reference: true", True)],
)  # fmt: skip
def test_mail_carries_a_reference_and_a_text_does_not(
    message: str, written: str, has_reference: object
) -> None:
    assert step(f"{{at: +1h, event: customer_replied{written}}}", message).has_reference is has_reference


def test_an_agents_answer_is_no_message_of_the_customer() -> None:
    found = step("{at: +1h, event: agent_replied, body: Soon, agent: ania, status: pending}")
    assert found.message is not None
    assert (found.message.direction, found.message.created_by) == ("out", "agent")
    assert found.message.sender.address is None
    assert found.changes == {"status": "pending", "agent": "ania"}


@every_row(
    ("written", "changes"),
    [
        ("event: status_changed, status: on_hold", {"status": "on_hold"}),
        ("event: status_changed, status: open, priority: urgent", {"status": "open", "priority": "urgent"}),
        ("event: assigned, agent: tomek, level: lead", {"agent": "tomek", "level": "lead"}),
        ("event: team_changed, team: billing, agent: none", {"team": "billing", "agent": None}),
        ("event: unassigned", {}),
        ("event: acknowledged, agent: ania", {"agent": "ania"}),
        ("event: incident_opened", {}),
    ],
)
def test_an_event_says_what_it_changes(written: str, changes: dict[str, str | None]) -> None:
    found = step(f"{{at: +5m, {written}}}")
    assert (found.changes, found.message) == (changes, None)


def test_a_rating_comes_with_its_event() -> None:
    assert step("{at: +2d, event: rated, rating: 2}").rating == 2


def test_agents_go_away_and_come_back_in_the_course_of_a_test() -> None:
    found = case("given: {away: [ania]}, steps: [{at: +1h, away: [tomek]}, {at: +2h, away: []}, {at: +3h}]")
    away = [
        each.agents and sorted(name for name, load in each.agents.items() if load.away)
        for each in found.steps
    ]
    assert away == [["tomek"], [], None]


def test_every_event_that_somebody_makes_can_be_a_step() -> None:
    extra = {
        "status_changed": "status: open",
        "assigned": "agent: ania",
        "team_changed": "team: billing",
        "rated": "rating: 1",
    }
    made = set(EVENTS) - {"created", "quiet", "clock", "sla_warning", "sla_breached", "promise_due"}
    for event in sorted(made):
        assert step(f"{{at: +1m, event: {event}, {extra.get(event, '')}}}").event == event


# -- what is expected ---------------------------------------------------------------------------------------------


def test_a_test_may_ask_for_every_kind_of_action_and_every_field() -> None:
    assert set(ACTION_KINDS) < set(EXPECTABLE)
    found = case(
        "expect: {field.order: AB1, skills: [pl], joins: same, due.update: none, close: true, matched: [a, b]}"
    )
    assert [each.field for each in found.expect] == [
        "field.order",
        "skills",
        "joins",
        "due.update",
        "close",
        "matched",
    ]


@every_row("field", ["due.first_response", "due.promise", "promise", "snooze"])
def test_instants_are_compared_not_their_spelling(field: str) -> None:
    one, other = (
        case(f"expect: {{{field}: {text}}}").expect[0].value
        for text in ("2026-11-10T17:30+01:00", "2026-11-10T16:30Z")
    )
    assert one == other == "2026-11-10T16:30:00+00:00"


@every_row(
    ("written", "actions"),
    [
        ("notify oncall", ("notify oncall",)),
        ("[level lead, priority urgent]", ("level lead", "priority urgent")),
        ("status solved", ("status solved",)),
        ("reply closing", ("reply closing",)),
        ("breach resolution", ("breach resolution",)),
        ("tags vip", ("tags vip",)),
        ("note Please call them back", ("note Please call them back",)),
        ("field.order AB1", ("field.order AB1",)),
        ("agent none", ("agent none",)),
        ("close", ("close",)),
        ("spam true", ("spam",)),
        ("reopen false", ("reopen false",)),
        ("route again", ("route again",)),
        ("webhook billing-hook", ("webhook billing-hook",)),
    ],
)
def test_a_timeline_names_every_kind_of_action(written: str, actions: tuple[str, ...]) -> None:
    (entry,) = case(f'timeline: {{"+1d2h": {written}}}').timeline
    assert (entry.offset_s, entry.actions) == (93_600, actions)


@every_row(
    ("kind", "value", "texts"),
    [
        ("notify", "lead", ("notify lead",)),
        ("tags", ["a", "b"], ("tags a", "tags b")),
        ("agent", None, ("agent none",)),
        ("close", True, ("close",)),
        ("spam", True, ("spam",)),
        ("reopen", False, ("reopen false",)),
        ("field.order", "AB1", ("field.order AB1",)),
        ("skills", {"need": ["pl"]}, ("skills",)),
    ],
)
def test_an_action_is_spoken_as_timelines_are_read(kind: str, value: object, texts: tuple[str, ...]) -> None:
    assert spoken(kind, value) == texts
    (entry,) = case(f'timeline: {{"+1h": [{", ".join(texts)}]}}').timeline
    assert entry.actions == texts


# -- mistakes -----------------------------------------------------------------------------------------------------


@every_row(
    ("rest", "code", "said"),
    [
        ("steps: [{event: unassigned}]", "missing-key", "'at' is missing"),
        ("steps: [{at: 1h}]", "bad-length", "write it like +1h or +3d1h"),
        ("steps: [{at: +1}]", "bad-length", "write it like +1h"),
        ("steps: [{at: +2h}, {at: +1h}]", "bad-value", "write steps in the order of time"),
        ("steps: [{at: +1h, event: agent_answered}]", "unknown-event", "no event 'agent_answered'"),
        ("steps: [{at: +1h, event: quiet}]", "bad-value", "time alone brings it about"),
        ("steps: [{at: +1h, event: created}]", "bad-value", "happens by itself"),
        ("steps: [{at: +1h, event: rated}]", "missing-key", "'rating' is missing"),
        ("steps: [{at: +1h, event: rated, rating: 6}]", "bad-value", "a rating is 1 to 5"),
        ("steps: [{at: +1h, event: status_changed}]", "missing-key", "'status' is missing"),
        ("steps: [{at: +1h, event: status_changed, status: done}]", "unknown-status", "no status 'done'"),
        ("steps: [{at: +1h, event: assigned, agent: anja}]", "unknown-agent", "did you mean 'ania'?"),
        ("steps: [{at: +1h, event: team_changed, team: biling}]", "unknown-team", "did you mean 'billing'?"),
        ("steps: [{at: +1h, event: unassigned, body: x}]", "wrong-place", "'body' says nothing of unassigned"),
        ("steps: [{at: +1h, body: x}]", "wrong-place", "'body' says nothing without an event"),
        ("steps: [{at: +1h, evnt: x}]", "unknown-key", "did you mean 'event'?"),
        ("steps: [{at: +1h, away: [anja]}]", "unknown-agent", "did you mean 'ania'?"),
        ("steps: [{at: +1h, expect: {stat: x}}]", "unknown-key", "a test can't ask for 'stat'"),
        ("steps: {}", "wrong-type", "'steps' is a list"),
        ("expect: {joins: again}", "bad-value", "a message never joins 'again'"),
        ("expect: {field.: x}", "unknown-key", "a test can't ask for 'field.'"),
        ("expect: {promise: soon}", "bad-instant", "no instant"),
        ('timeline: {"+1h": ntify lead}', "unknown-action", "did you mean 'notify'?"),
        ('timeline: {"+1h": notify}', "wrong-type", "'notify' wants to know what of it"),
        ('timeline: {"+1h": lead}', "wrong-type", "wanted 'notify lead' or the like"),
        ('timeline: {"1h": notify lead}', "bad-length", "write it like +1h"),
        ('timeline: {"2026-11-10T17:30": notify lead}', "bad-length", "as an instant like 2026-11-10T17:30+01:00"),
        ("steps: [{at: 2026-01-07T11:59Z}]", "bad-length", "comes before the message"),
        ("steps: [{at: +1h, sla: gold}]", "unknown-key", ""),
        ("given: {load: {anja: {email: 1}}}", "unknown-agent", "did you mean 'ania'?"),
        ("given: {waiting: {biling: 1}}", "unknown-team", "did you mean 'billing'?"),
        ("given: {customer: {tickets: many}}", "wrong-type", "wants earlier tickets"),
        ("given: {customer: {tickets: [someday]}}", "bad-instant", "no instant"),
        ("given: {customer: {tickets: -1}}", "wrong-type", "wants earlier tickets"),
        ("given: {custmer: {}}", "unknown-key", "did you mean 'customer'?"),
        ("lists: {vip: [x]}", "unknown-list", "did you mean 'vips'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(rest: str, code: str, said: str) -> None:
    found, problems = cases(f"- {{name: t, {MAIL}, {rest}}}")
    assert (found, [each.code for each in problems]) == ((), [code])
    assert said in f"{problems[0].message} — {problems[0].hint}"


@every_row(
    ("message", "code"),
    [
        ("{channel: sms, verified: true}", "bad-value"),
        ("{channel: voice, verified: true}", "bad-value"),
        ("{subject: x}", "missing-key"),
        ("{channel: form, form: {count: 5}}", "wrong-type"),
        ("{channel: voice, call: {chioce: x}}", "unknown-key"),
        ("{channel: email, from: 5}", "wrong-type"),
        ("{channel: email, frm: a@b.example}", "unknown-key"),
    ],
)
def test_a_mistake_in_a_message_is_told(message: str, code: str) -> None:
    _, problems = cases(f"- {{name: t, message: {message}}}")
    assert [each.code for each in problems] == [code]


def test_a_step_and_a_timeline_may_name_the_instant() -> None:
    """With its time zone: so many seconds after the message all the same."""
    found = case(
        'steps: [{at: 2026-01-07T14:30+01:00}], timeline: {"2026-01-08T12:00Z": notify lead}, because: so it is'
    )
    assert [found.steps[0].offset_s, found.timeline[0].offset_s] == [5_400, 86_400]
    assert (found.steps[0].text, found.because) == ("2026-01-07T14:30+01:00", "so it is")


def test_a_person_may_change_something_and_do_nothing_else() -> None:
    """Without an event beside it."""
    found = step("{at: +1h, priority: high, promise: none}")
    assert (found.event, found.changes) == (None, {"priority": "high", "promise": None})
