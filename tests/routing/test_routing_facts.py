"""Every fact and every operator of conditions: what holds, what does not, and what is refused where."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing import yaml_text
from routing.calendar import Calendar, CalendarText
from routing.condition_text import read_condition
from routing.conditions import Condition, kept_uses, results
from routing.fact_table import DECIDED, FIELDS, MADE_ON_DEMAND, field_named, is_settled
from routing.facts import (
    AgentLoad,
    AttachmentFacts,
    CustomerFacts,
    DeskFacts,
    Facts,
    SenderFacts,
    TicketFacts,
)
from routing.fields import FieldRule
from routing.matcher import requirement
from routing.naming import Targets
from routing.people import Agent, Team
from routing.problems import has_error
from routing.schedule import Layer, Schedule
from routing.value_text import Names
from routing.view import Roster, View
from tests.rows import every_row

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)  # a Tuesday, 13:00 in Warsaw
OFFICE = Calendar(CalendarText("office", "Europe/Warsaw", ((((9 * 3_600), 17 * 3_600),),) * 5 + ((), ())))
KYIV = Calendar(CalendarText("kyiv", "Pacific/Auckland", (((0, 86_400),),) * 7))
PEOPLE = Roster(
    {
        "billing": Team("billing", {"l1": ("ania",), "oncall": ("rui",)}, on_call={"oncall": "rota"}),
        "desk": Team("desk", {"l1": ("ewa",)}),
    },
    {name: Agent(name, hours=hours) for name, hours in (("ania", "office"), ("ewa", None), ("rui", "office"))},
    {"rota": Schedule("rota", "UTC", (Layer(("rui",), "weekly", NOON.date() - timedelta(7), None, NOON.time()),))},
)  # fmt: skip
ORDER = {
    "order": FieldRule("order"),
    "amount": FieldRule("amount", "number"),
    "until": FieldRule("until", "date"),
    "gift": FieldRule("gift", "flag"),
    "size": FieldRule("size", "choice", choices=("Small", "Large")),
}


def names(**more: Any) -> Names:
    known: dict[str, Any] = {
        "calendars": ("office", "kyiv"),
        "lists": {"vips": ("ACME.com", "*.acme.com")},
        "kept": ("blocked",),
        "fields": ORDER,
        "targets": Targets(frozenset(("l1", "oncall")), frozenset(PEOPLE.agents), frozenset(PEOPLE.teams)),
        "problems": [],
    }
    return Names(**(known | more))


def read(when: str, **more: Any) -> Condition:
    known = names(**more)
    condition = read_condition(yaml_text.read(when, file="r.yaml"), known)
    assert not has_error(known.problems)
    return condition


def view(facts: Facts, decided: Mapping[str, tuple[str, ...]] | None = None, **fields: str) -> View:
    calendars = {"office": OFFICE, "kyiv": KYIV}
    return View(facts, calendars=calendars, decided=decided, people=PEOPLE, fields=fields)


def event(**given: Any) -> Facts:
    return Facts(**{"at": NOON, "channel": "email", **given})


def ticket(**given: Any) -> Facts:
    facts = {name: given.pop(name) for name in ("desk", "agents", "changed", "rating", "at") if name in given}
    return event(ticket=TicketFacts(**{"created_at": NOON - timedelta(hours=3), **given}), **facts)


def ago(*days: float) -> tuple[datetime, ...]:
    return tuple(NOON - timedelta(days=each) for each in days)


FULL = event(
    account="support",
    unreadable=True,
    recipient=("billing@x.example", "all@x.example"),
    subject="Hello",
    body="Where is it",
    quoted="the old text",
    language="pl",
    attachments=(AttachmentFacts("A.PDF", "application/pdf", 2_000_000), AttachmentFacts("b.pdf", "Application/PDF", 1)),
    automatic="list",
    headers={"x-kind": ("Alert",)},
    spam_score=4.5,
    form={"Topic": "Refund"},
    call_choice="2",
    call_outcome="hang_up",
    chat_page="https://x.example/pricing/big",
    direction="out",
    created_by="agent",
    sender=SenderFacts("Jan@eu.acme.com", "eu.acme.com", "Jan Łoś", "+48600", "PL", verified=True, known_since=ago(30)[0]),
    customer=CustomerFacts("ACME", ("gold", "loud"), "A", "en", 2, ago(1, 2, 9), 2, opted_out=True, first_contact=False,
                           fields={"Since": "2019"}),
    desk=DeskFacts(incident_open=True),
)  # fmt: skip


@every_row(
    ("holds", "does_not"),
    [
        ("{channel: EMAIL}", "{channel: sms}"),
        ("{account: support}", "{account: none}"),
        ("{unreadable: true}", "{unreadable: false}"),
        ("{recipient: all@x.example}", "{recipient: [other@x.example]}"),
        ("{subject: hello}", "{subject: hell}"),
        ("{body.words: where}", "{body.words: hello}"),
        ("{text.words: hello}", "{text.words: old}"),
        ("{text: {only: [hello, where, is, it]}}", "{text: {only: [hello, where, is]}}"),
        ("{text.quoted.words: old}", "{text.quoted.words: hello}"),
        ("{language: [en, pl]}", "{language: [en, none]}"),
        ('{attachment.name: "*.pdf"}', '{attachment.name: "*.png"}'),
        ("{attachment.type: {only: application/pdf}}", "{attachment.name: {only: [a.pdf]}}"),
        ('{attachment.type: "application/*"}', '{attachment.type: "image/*"}'),
        ("{attachment.size: {at_least: 2MB}}", '{attachment.size: ">=2.1MB"}'),
        ("{attachment.size: {between: [1, 5]}}", "{attachment.size: {between: [2, 5]}}"),
        ("{attachment.count: 2}", "{attachment.count: [0, 1]}"),
        ("{automatic: true}", "{automatic: false}"),
        ("{automatic: [list, bounce]}", "{automatic: bounce}"),
        ("{header.X-Kind: alert}", "{header.X-Other: any}"),
        ("{spam.score: {at_least: 4, at_most: 5}}", "{spam.score: [4, 5]}"),
        ("{spam.score: [4.5, none]}", "{spam.score: none}"),
        ("{form.topic: refund}", "{form.subject: any}"),
        ('{call.choice: "2"}', '{call.choice: ["1", none]}'),
        ("{call.outcome: hang_up}", "{call.outcome: none}"),
        ('{chat.page: "https://x.example/pricing/*"}', '{chat.page: "https://x.example/shop/*"}'),
        ("{direction: out}", "{direction: in}"),
        ("{created_by: agent}", "{created_by: customer}"),
        ("{sender.address: jan@EU.acme.com}", "{sender.address: jan@acme.com}"),
        ('{sender.domain: "*.acme.com"}', "{sender.domain: acme.com}"),
        ("{sender.domain: {in: vips}}", "{sender.domain: {none: [eu.acme.com]}}"),
        ("{sender.name: JAN ŁOŚ}", "{sender.name: {empty: true}}"),
        ('{sender.phone: "+48600"}', "{sender.phone: none}"),
        ("{sender.country: pl}", "{sender.country: de}"),
        ("{sender.verified: true}", "{sender.verified: false}"),
        ("{sender.known_since: {at_most: 2026-10-30}}", '{sender.known_since: ">=2026-10-30"}'),
        ("{customer.organization: acme}", "{customer.organization: none}"),
        ("{customer.tags: gold}", "{customer.tags: {only: [gold]}}"),
        ("{customer.tier: a}", "{customer.tier: [b, none]}"),
        ("{customer.language: en}", "{customer.language: pl}"),
        ("{customer.open_tickets: 2}", '{customer.open_tickets: "<=1"}'),
        ("{customer.tickets: {within: 7d, at_least: 3}}", "{customer.tickets: {within: 7d, at_least: 4}}"),
        ("{customer.tickets: {within: 2d, at_least: 3}}", "{customer.tickets: {within: 47h, at_least: 3}}"),
        ("{customer.tickets: 4}", "{customer.tickets: {between: [1, 3]}}"),
        ("{customer.last_rating: {at_most: 2}}", "{customer.last_rating: none}"),
        ("{customer.opted_out: true}", "{customer.opted_out: false}"),
        ("{customer.first_contact: false}", "{customer.first_contact: true}"),
        ('{customer.field.Since: "2019"}', "{customer.field.Other: any}"),
        ("{incident.open: true}", "{incident.open: false}"),
        ("{ticket.status: none}", "{ticket.status: new}"),
        ("{rating: none}", "{rating: any}"),
        ("{ticket.age: {at_most: 0s}}", "{ticket.age: {at_least: 1s}}"),
        ("{agent.available: false}", "{agent.available: true}"),
        ("{team.waiting: none}", "{team.waiting: 0}"),
        ("[{channel: email}, {language: pl}]", "[{channel: email}, {language: en}]"),
        ("{not: {channel: sms}, any: [{language: en}, {language: pl}]}", "{not: {channel: email}}"),
        ("{none: [{channel: sms}, {language: en}]}", "{none: [{channel: sms}, {language: pl}]}"),
    ],
)
def test_a_fact_of_the_message_holds_and_does_not(holds: str, does_not: str) -> None:
    assert read(holds).holds(view(FULL))
    assert not read(does_not).holds(view(FULL))


TICKET = ticket(
    status="pending",
    priority="high",
    team="billing",
    level="l1",
    agent="ania",
    nature="complaint",
    reopened=2,
    tags=("vip", "late"),
    fields={"order": "AB123456", "amount": "1 250,50", "until": "24.12.2026", "gift": "Yes", "size": "Large"},
    sla={"first_response": "warned", "resolution": "paused"},
    promise=datetime(2026, 11, 5, 15, tzinfo=UTC),
    rating=2,
    desk=DeskFacts(waiting={"billing": 4}),
    changed={"status": ("open", "pending"), "agent": (None, "ania"), "team": ("desk", "desk")},
)


@every_row(
    ("holds", "does_not"),
    [
        ("{ticket.status: pending}", "{ticket.status: [open, solved]}"),
        ("{ticket.priority: [high, urgent]}", "{ticket.priority: none}"),
        ("{ticket.team: billing}", "{ticket.team: desk}"),
        ("{ticket.level: l1}", "{ticket.level: oncall}"),
        ("{ticket.agent: any}", "{ticket.agent: none}"),
        ("{ticket.nature: complaint}", "{ticket.nature: sales}"),
        ("{ticket.tags: vip}", "{ticket.tags: {only: [vip]}}"),
        ("{ticket.age: {at_least: 3h, at_most: 3h}}", '{ticket.age: ">=3h1s"}'),
        ("{ticket.reopened: {at_least: 2}}", "{ticket.reopened: 1}"),
        ("{ticket.field.order: ab123456}", "{ticket.field.order: none}"),
        ("{ticket.field.amount: {between: [1250, 1251]}}", "{ticket.field.amount: [1250, none]}"),
        ("{ticket.field.until: {at_most: 2026-12-24}}", "{ticket.field.until: 2026-12-25}"),
        ("{ticket.field.gift: true}", "{ticket.field.gift: false}"),
        ("{ticket.field.size: large}", "{ticket.field.size: Small}"),
        ("{ticket.sla.first_response: warned}", "{ticket.sla.first_response: [running, breached]}"),
        ("{ticket.sla.update: none}", "{ticket.sla.resolution: none}"),
        ("{ticket.promise: any}", "{ticket.promise: {at_least: 2026-11-06}}"),
        ("{rating: {at_most: 2}}", "{rating: [3, 4, 5]}"),
        ('{team.waiting: ">=4"}', "{team.waiting: 0}"),
        ("{ticket.status: {changed: true}}", "{ticket.status: {changed: false}}"),
        ("{ticket.status: {changed: {from: open}}}", "{ticket.status: {changed: {from: new}}}"),
        (
            "{ticket.status: {changed: {to: [solved, pending]}}}",
            "{ticket.status: {changed: {from: open, to: solved}}}",
        ),
        ("{ticket.agent: {changed: {from: none, to: any}}}", "{ticket.agent: {changed: {from: any}}}"),
        ("{ticket.team: {changed: false}}", "{ticket.team: {changed: true}}"),
        ("{ticket.level: {changed: false}}", "{ticket.level: {changed: {to: l1}}}"),
        ("{agent.available: true}", "{agent.available: none}"),
        ("{team.open_now: true}", "{team.open_now: false}"),
    ],
)
def test_a_fact_of_the_ticket_holds_and_does_not(holds: str, does_not: str) -> None:
    assert read(holds).holds(view(TICKET))
    assert not read(does_not).holds(view(TICKET))


@every_row(
    ("holds", "does_not"),
    [
        ("{time: {inside: office}}", "{time: {outside: office}}"),
        ("{time.inside: office}", "{time.outside: office}"),
        ("{time: {weekday: tue}}", "{time: {weekday: [mon, wed-sun]}}"),
        ("{time: {weekday: wed, in: kyiv}}", "{time: {weekday: tue, in: kyiv}}"),
        ("{time: {hour: 13}}", "{time: {hour: 12}}"),
        ("{time: {hour: [9, {between: [12, 14]}]}}", '{time: {hour: ">=14"}}'),
        ("{time: {date: 2026-11-03}}", "{time: {date: 2026-11-04}}"),
        ("{time: {date: 2026-11-04, in: kyiv}}", "{time: {date: 2026-11-03, in: kyiv}}"),
        ("{time: {date: {between: [2026-11-01, 2026-11-03]}}}", '{time: {date: ">=2026-11-04"}}'),
        ("{time.date: [2026-12-24, {at_most: 2026-11-03}]}", "{time.date: [2026-12-24, {at_least: 2026-12-31}]}"),
        ("{time: {date: 2026-11-03, hour: 13, weekday: tue}}", "{time: {date: 2026-11-03, hour: 14}}"),
    ],
)  # fmt: skip
def test_a_fact_of_time_holds_and_does_not(holds: str, does_not: str) -> None:
    assert read(holds).holds(view(FULL))
    assert not read(does_not).holds(view(FULL))


def test_of_a_new_ticket_the_facts_are_what_earlier_stages_decided() -> None:
    decided = {"team": ("desk",), "agent": ("ewa",), "tags": ("vip",), "field.order": ()}
    seen = view(event(desk=DeskFacts(waiting={"desk": 2})), decided, order="AB1", amount="7")
    for when in ("{ticket.team: desk}", "{ticket.tags: vip}", "{team.waiting: 2}", "{agent.available: true}",
                 "{ticket.field.order: none}", "{ticket.field.amount: 7}", "{ticket.field.gift: none}"):  # fmt: skip
        assert read(when).holds(seen), when


def test_what_was_decided_is_no_fact_of_a_ticket_that_is_there() -> None:
    seen = view(TICKET, {"team": ("desk",), "field.order": ("other",)}, order="other")
    assert read("{ticket.team: billing, ticket.field.order: AB123456}").holds(seen)


NIGHT = NOON.replace(hour=22)


@every_row(
    ("facts", "available", "open_now"),
    [
        (ticket(team="billing", agent="ania"), True, True),
        (ticket(team="billing", agent="ania", at=NIGHT), False, True),
        (ticket(team="billing", agent="rui", at=NIGHT), True, True),
        (ticket(team="billing", agent="ania", at=NIGHT, agents={"rui": AgentLoad(away=True)}), False, False),
        (ticket(team="desk", agent="ewa", agents={"ewa": AgentLoad(away=True)}), False, False),
        (ticket(team="desk", agent="gone"), False, True),
        (ticket(team="desk"), False, True),
        (ticket(), False, False),
    ],
)
def test_who_is_on_duty_follows_hours_schedules_and_presence(
    facts: Facts, available: object, open_now: object
) -> None:
    seen = view(facts)
    assert read("{agent.available: true}").holds(seen) is available
    assert read("{team.open_now: true}").holds(seen) is open_now


def test_the_customers_tickets_count_this_one_once() -> None:
    earlier = CustomerFacts(tickets=ago(0.1, 3))
    new = event(customer=earlier)
    later = event(customer=earlier, ticket=TicketFacts(created_at=NOON - timedelta(days=2)))
    for facts in (new, later):
        assert read("{customer.tickets: 3}").holds(view(facts))
    assert read("{customer.tickets: {within: 1d, at_least: 2}}").holds(view(new))
    assert not read("{customer.tickets: {within: 1d, at_least: 2}}").holds(view(later))


@pytest.mark.parametrize(
    ("kept", "expected"), [({"blocked": ("EU.acme.com",)}, True), ({"blocked": ("x",)}, False), ({}, False)]
)
def test_a_list_kept_at_the_desk_is_asked_of_the_facts(
    kept: dict[str, tuple[str, ...]], expected: object
) -> None:
    facts = event(sender=SenderFacts(domain="eu.acme.com"), kept=kept)
    assert read("{sender.domain: {in: blocked}}").holds(view(facts)) is expected


def test_none_in_a_list_is_a_word_and_an_empty_line_is_nothing() -> None:
    condition = read("{attachment.name: {in: odd}}", lists={"odd": ("none", "", "*.pdf")})
    for name, expected in (("", False), ("None", True), ("a.pdf", True), ("x", False)):
        assert condition.holds(view(event(attachments=(AttachmentFacts(name),)))) is expected
    assert not condition.holds(view(event()))


def test_the_uses_of_kept_lists_are_named() -> None:
    conditions = [
        read("{any: [{sender.address: {in: blocked}}, {sender.domain: {in: vips}}]}"),
        read("{channel: sms}"),
    ]
    assert kept_uses(conditions) == {("sender.address", "blocked")}


@every_row(
    ("when", "wanted", "actual"),
    [
        ("{ticket.status: {changed: {to: solved}}}", {"to": "solved"}, {"from": "open", "to": "pending"}),
        ("{ticket.level: {changed: true}}", True, None),
        ("{customer.tickets: {within: 7d, at_least: 3}}", {"within": "7d", "at_least": 3}, 1),
        ("{ticket.age: {at_least: 4h}}", "4h", 10_800.0),
        ("{time.date: 2026-12-24}", "2026-12-24", "2026-11-03"),
        ("{ticket.field.amount: {at_least: 2000}}", 2000, 1250.5),
    ],
)
def test_a_condition_says_what_was_there(when: str, wanted: object, actual: object) -> None:
    (result,) = results(read(when), view(TICKET))
    assert (result.wanted, result.actual, result.held) == (wanted, actual, False)


@every_row(
    ("when", "place", "code", "said"),
    [
        ("{sendr.domain: x}", (1, 2), "unknown-fact", "did you mean 'sender.domain'?"),
        ("{ticket.sla.first: x}", (1, 2), "unknown-fact", "no fact 'ticket.sla.first'"),
        ("{ticket.field.ordr: x}", (1, 2), "unknown-field", "did you mean 'order'?"),
        ("{header.: x}", (1, 2), "unknown-fact", "no fact 'header.'"),
        ("{ticket.team: biling}", (1, 15), "unknown-team", "did you mean 'billing'?"),
        ("{ticket.level: [l1, l9]}", (1, 21), "unknown-level", "no level 'l9'"),
        ("{ticket.agent: anja}", (1, 16), "unknown-agent", "did you mean 'ania'?"),
        ("{ticket.status: wating}", (1, 17), "bad-value", "is never 'wating'"),
        ("{ticket.nature: complain}", (1, 17), "bad-value", "did you mean 'complaint'?"),
        ("{ticket.sla.resolution: late}", (1, 25), "bad-value", "is never 'late'"),
        ("{ticket.field.size: huge}", (1, 21), "bad-value", "is never 'huge'"),
        ("{ticket.field.amount: much}", (1, 23), "wrong-type", "wants a number, got 'much'"),
        ("{ticket.field.until: 2026-02-30}", (1, 22), "wrong-type", "wants a date like 2026-11-30"),
        ("{ticket.field.gift: maybe}", (1, 21), "wrong-type", "is true or false, got 'maybe'"),
        ("{channel: 5}", (1, 11), "wrong-type", "put it in quotes"),
        ("{channel: #x\n}", (2, 1), "wrong-type", 'must be in quotes: "#x"'),
        ("{sender.phone: +48600100200}", (1, 16), "wrong-type", 'must be in quotes: "+48600000001"'),
        ("{channel: []}", (1, 11), "wrong-type", "no value can match it"),
        ('{sender.name: ">=5"}', (1, 15), "wrong-type", "'sender.name' is text"),
        ("{sender.name: {at_least: 5}}", (1, 26), "wrong-type", "it can't be compared"),
        ("{sender.verified: [true, false]}", (1, 20), "wrong-type", "is true or false, got a list"),
        ("{incident.open: open}", (1, 17), "wrong-type", "is true or false, got 'open'"),
        ("{ticket.age: 2h}", (1, 14), "wrong-type", "write {at_least: 2h}"),
        ("{ticket.age: {at_least: 2}}", (1, 25), "wrong-type", "a length of time like 30m, 2h or 3d"),
        ('{ticket.age: ">=two"}', (1, 14), "wrong-type", "a length of time"),
        ('{rating: ">3"}', (1, 10), "wrong-type", 'write ">=3" or "<=3"'),
        ("{rating: {between: [5, 1]}}", (1, 21), "wrong-type", "the range from 5 to 1 is empty"),
        ("{rating: {between: 3}}", (1, 20), "wrong-type", "two values [low, high]"),
        ("{rating: {atleast: 3}}", (1, 11), "unknown-operator", "did you mean 'at_least'?"),
        ("{rating: {inside: office}}", (1, 11), "unknown-operator", "write time: {inside: CALENDAR}"),
        ("{rating: {within: 1d}}", (1, 11), "unknown-operator", "it counts customer.tickets only"),
        ("{rating: {}}", (1, 10), "wrong-type", "empty mapping"),
        ("{rating: {empty: 1}}", (1, 18), "wrong-type", "'empty' wants true or false"),
        ("{rating: {only: [1]}}", (1, 17), "wrong-type", "'only' wants the texts"),
        ("{customer.tickets: {within: 7d}}", (1, 20), "wrong-type", "wants to know how many"),
        ("{customer.tickets: {within: soon, at_least: 3}}", (1, 29), "bad-length", "no length of time 'soon'"),
        ("{customer.tickets: {within: 1d, at_lest: 3}}", (1, 20), "wrong-type", "at_least, at_most or between"),
        ("{customer.tickets: [1, 2]}", (1, 20), "wrong-type", "wants a number"),
        ("{customer.tags: {changed: true}}", (1, 27), "wrong-type", "it is for ticket.status"),
        ("{ticket.status: {changed: solved}}", (1, 27), "wrong-type", "wants {from: x, to: y}"),
        ("{ticket.status: {changed: {into: open}}}", (1, 27), "wrong-type", "wants {from: x, to: y}"),
        ("{ticket.status: {changed: {to: opn}}}", (1, 32), "bad-value", "did you mean 'open'?"),
        ("{sender.domain: {in: vip}}", (1, 22), "unknown-list", "did you mean 'vips'?"),
        ('{sender.domain: "acme.*"}', (1, 17), "bad-value", "'*' is understood as"),
        ("{account.words: x}", (1, 17), "wrong-type", "words belong to subject, body and text"),
        ("{text.words: []}", (1, 14), "wrong-type", "the list of words is empty"),
        ("{text.words: ['!']}", (1, 15), "bad-value", "has no letter or digit"),
        ("{time: {inside: ofice}}", (1, 17), "unknown-calendar", "did you mean 'office'?"),
        ("{time: {weekday: monday}}", (1, 18), "bad-value", "write mon, tue"),
        ("{time: {weekday: []}}", (1, 18), "wrong-type", "no day can match it"),
        ("{time: {hour: 24}}", (1, 15), "wrong-type", "an hour is 0 to 23"),
        ("{time: {date: 24.12.}}", (1, 15), "wrong-type", "a date like 2026-11-30"),
        ("{time: {dat: 2026-12-24}}", (1, 9), "unknown-fact", "did you mean 'date'?"),
        ("{time: {in: office}}", (1, 8), "wrong-type", "says a calendar, but not what of it"),
        ("{not: [{channel: sms}]}", (1, 7), "wrong-type", "a single condition"),
        ("{any: {channel: sms, language: pl}}", (1, 7), "wrong-type", "a list of conditions"),
        ("[]", (1, 1), "wrong-type", "wanted a condition"),
        ("nights", (1, 1), "unknown-condition", "no condition 'nights'"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_at_its_place(
    when: str, place: tuple[int, int], code: str, said: str
) -> None:
    known = names()
    read_condition(yaml_text.read(when, file="r.yaml"), known)
    (problem,) = known.problems
    assert (problem.line, problem.column, problem.code, problem.severity) == (*place, code, "error")
    assert said in f"{problem.message} — {problem.hint}"


@every_row(
    ("when", "stage", "on", "severity"),
    [
        ("{rating: 1}", "route", (), "error"),
        ("{rating: 1}", "react", ("customer_replied",), "warning"),
        ("{rating: 1}", "react", ("customer_replied", "rated"), None),
        ("{rating: 1}", "", (), None),
        ("{target: resolution}", "enrich", (), "error"),
        ("{target: resolution}", "react", ("customer_replied",), "warning"),
        ("{target: resolution}", "react", ("sla_breached",), None),
        ("{target: promise}", "react", ("promise_due", "customer_replied"), None),
        ("{ticket.status: {changed: true}}", "enrich", (), "error"),
        ("{ticket.status: {changed: true}}", "react", ("quiet",), "error"),
        ("{ticket.status: {changed: true}}", "react", ("agent_replied",), None),
        ("{ticket.age: {at_least: 1h}}", "route", (), "warning"),
        ("{ticket.sla.resolution: breached}", "enrich", (), "warning"),
        ("{ticket.sla.resolution: breached}", "react", ("clock",), None),
    ],
)
def test_a_fact_that_the_event_never_has_is_told(
    when: str, stage: str, on: tuple[str, ...], severity: str | None
) -> None:
    known = names(stage=stage, on=on)
    read_condition(yaml_text.read(when, file="r.yaml"), known)
    assert [(each.code, each.severity) for each in known.problems] == (
        [("never-known", severity)] if severity else []
    )


def test_a_named_condition_stands_for_itself_alone_and_in_lists() -> None:
    night = {"night": yaml_text.read("{time: {outside: office}}", file="r.yaml")}
    for when in (
        "night",
        "[night, {channel: email}]",
        "{any: [night, {channel: sms}]}",
        "{not: {not: night}}",
    ):
        condition = read(when, conditions=night)
        assert condition.holds(view(event(at=NIGHT))), when
        assert not condition.holds(view(event())), when


def test_only_facts_that_are_the_same_in_every_stage_are_filed() -> None:
    for name in (
        *FIELDS,
        "header.X",
        "form.topic",
        "customer.field.x",
        "ticket.field.order",
        "ticket.sla.resolution",
    ):
        field = field_named(name)
        assert field is not None
        if (
            field.type == "text"
            and not field.choices
            and name not in ("ticket.team", "ticket.level", "ticket.agent")
        ):
            filed = requirement(read(f"{{{name}: x}}")) is not None
            assert filed == is_settled(name), name


def test_every_decided_field_is_a_fact() -> None:
    assert {f"ticket.{name}" for name in DECIDED} <= set(FIELDS)
    assert all(field_named(name) for name in MADE_ON_DEMAND)
