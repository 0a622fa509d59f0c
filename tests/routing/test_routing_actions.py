"""Actions are one grammar: what each takes, what may stand beside it, and where it makes no sense."""

from typing import Any

import pytest

from routing import rulebook
from routing.action_text import ACTIONS, SIBLINGS
from routing.ladder import Step
from routing.problems import ConfigError
from routing.rules import Write
from tests.rows import every_row

BASE = """\
version: 1
calendars: {always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}}
agents: {ania: {email: ania@example.com, skills: [pl, invoices]}, tom: {skills: [en]}}
teams: {billing: {levels: {l1: [ania], lead: [tom]}}, desk: {levels: {l1: [tom]}}}
fields:
  order: {}
  amount: {type: number}
  due: {type: date}
  paid: {type: flag}
  size: {type: choice, choices: [Small, Large]}
sla: {gold: {calendar: always, first_response: 1h, ladder: page}}
"""
QUIET = "on: quiet, for: 1h, since: created"
PLACES = {
    "enrich": "enrich: [{{id: r, when: {{channel: email}}, then: {0}}}]\ndefault: {{team: desk}}\n",
    "route": "route: [{{id: r, when: {{channel: email}}, then: {0}}}]\ndefault: {{team: desk}}\n",
    "default": "default: {{team: desk, {1}}}\n",
    "react": "react: [{{id: r, on: customer_replied, then: {0}}}]\ndefault: {{team: desk}}\n",
    "ladder": "ladders: {{page: [{{at: first_response breach, {1}}}]}}\ndefault: {{team: desk}}\n",
}
PAGE = "ladders: {page: [{at: first_response breach, notify: lead}]}\n"
EXAMPLES = {
    "level": "lead", "agent": "ania", "skills": "{need: [pl]}", "priority": "high", "status": "open", "sla": "gold",
    "tags": "[a]", "untag": "[a]", "nature": "sales", "language": "pl", "reply": "received", "note": "Look",
    "notify": "lead", "hand_off": "partner", "webhook": "crm", "rating": "true", "incident": "outage",
    "promise": "2d", "snooze": "4h", "route": "again", "reopen": "false", "ignore": "true", "spam": "true",
    "block": "true", "close": "true", "field.order": "AB1", "team": "billing",
}  # fmt: skip
NOT_HERE = {
    "enrich": {"rating", "route", "reopen"},
    "route": {"rating", "route", "reopen"},
    "default": {"rating", "route", "reopen", "untag", "ignore", "spam", "block", "close", "team"},
    "react": {"ignore"},
    "ladder": {"reopen", "ignore", "spam", "block"},
}


def written(place: str, actions: str) -> str:
    return BASE + ("" if place == "ladder" else PAGE) + PLACES[place].format(f"{{{actions}}}", actions)


def writes(actions: str, *, place: str = "route") -> dict[str, Any]:
    book = rulebook.load({"r.yaml": written(place, actions)})
    then = (
        book.react[0].rule.then
        if place == "react"
        else book.default.then
        if place == "default"
        else book.rules[0].then
    )
    return {write.field: write.value for write in then}


def step(actions: str) -> Step:
    return rulebook.load({"r.yaml": written("ladder", actions)}).ladders["page"].steps[0]


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        rulebook.load({"r.yaml": text})
    return [str(each).split(": ", 1)[1] for each in error.value.problems if each.severity == "error"]


def test_every_action_has_an_example_here() -> None:
    assert {*ACTIONS, "field.order"} == set(EXAMPLES)


@every_row("place", PLACES)
@every_row("action", EXAMPLES)
def test_an_action_stands_where_it_makes_sense_and_nowhere_else(place: str, action: str) -> None:
    text = written(place, f"{action}: {EXAMPLES[action]}")
    if action not in NOT_HERE[place]:
        rulebook.load({"r.yaml": text})
    elif action != "team":  # default has one already
        [told] = refused(text)
        assert told.startswith(f"error[wrong-place] '{action}' makes no sense in ")
        assert " — " in told


@every_row(
    ("actions", "field", "value"),
    [
        ("team: billing", "team", "billing"),
        ("level: [lead, l1]", "level", ("lead", "l1")),
        ("agent: none", "agent", None),
        ("skills: {need: [language, invoices], relax: 30m}", "skills",
         {"need": ["language", "invoices"], "relax_s": 1800}),
        ("skills: {need: pl}", "skills", {"need": ["pl"], "relax_s": None}),
        ("notify: [lead, ania, boss@example.com]", "notify", ("lead", "ania", "boss@example.com")),
        ("note: 'Call back: #7'", "note", ("Call back: #7",)),
        ("reply: received", "reply", {"": "received"}),
        ("reply: {email: received, sms: none}", "reply", {"email": "received", "sms": None}),
        ("reply: none", "reply", None),
        ("snooze: 1d12h", "snooze", {"seconds": 129_600}),
        ("promise: 2026-11-30T15:00+01:00", "promise", "2026-11-30T15:00:00+01:00"),
        ("hand_off: orders@partner.example", "hand_off", "orders@partner.example"),
        ("spam: true", "spam", True),
        ("field.order: 'AB 1'", "field.order", "AB 1"),
        ("field.order: none", "field.order", None),
        ("field.amount: 12.50", "field.amount", "12.5"),
        ("field.amount: '1 234,50'", "field.amount", "1 234,50"),
        ("field.due: 2026-11-30", "field.due", "2026-11-30"),
        ("field.paid: true", "field.paid", "true"),
        ("field.size: large", "field.size", "Large"),
    ],
)  # fmt: skip
def test_an_action_is_read_with_its_type(actions: str, field: str, value: object) -> None:
    assert writes(actions) == {field: value}


def test_what_stands_beside_an_action_is_its_option() -> None:
    text = written("route", "notify: lead, by: urgent, ack_within: 10m, reply: received, once: 12h")
    assert rulebook.load({"r.yaml": text}).route[0].then == (
        Write("notify", ("lead",), {"by": "urgent", "ack_within_s": 600}),
        Write("reply", {"": "received"}, {"once_s": 43_200}),
    )


def test_a_react_rule_may_refuse_the_reopening_and_route_again() -> None:
    assert writes("reopen: false, route: again", place="react") == {"reopen": False, "route": "again"}


def test_default_may_leave_a_field_empty_on_purpose() -> None:
    assert writes("level: none, tags: none, notify: none, sla: none", place="default") == {
        "team": "desk",
        "level": None,
        "tags": None,
        "notify": None,
        "sla": None,
    }


def test_a_step_takes_every_action_of_a_rule() -> None:
    found = step(
        "level: [lead, l1], notify: lead, by: call, ack_within: 5m, priority: urgent, tags: [late], reply: {email: wait},"
        " once: 2h, note: Late, agent: none, untag: [calm], field.size: Small"
    )
    assert (found.notify, found.level, found.priority, found.tags) == (
        ("lead",),
        ("lead", "l1"),
        "urgent",
        ("late",),
    )
    assert (found.by, found.ack_within_s) == ("call", 300)
    assert [(each.kind, each.value, each.rule, each.options) for each in found.actions] == [
        ("reply", {"email": "wait"}, "page/0", {"once_s": 7200}),
        ("note", "Late", "page/0", {}),
        ("agent", None, "page/0", {}),
        ("untag", ["calm"], "page/0", {}),
        ("field.size", "Small", "page/0", {}),
    ]


def test_a_step_with_actions_comes_back_from_json() -> None:
    ladder = rulebook.load({"r.yaml": written("ladder", "note: Late, reply: wait, untag: [a]")}).ladders[
        "page"
    ]
    assert type(ladder).from_json(ladder.to_json()) == ladder


@every_row(
    ("actions", "told"),
    [
        ("tean: billing", "error[unknown-action] no action 'tean' — did you mean 'team'?"),
        ("agent: anja", "error[unknown-agent] no agent 'anja' — did you mean 'ania'?"),
        ("level: led", "error[unknown-level] no level 'led' — did you mean 'lead'?"),
        ("level: []", "error[wrong-type] the list of levels is empty"),
        ("skills: {need: [invoice]}", "error[unknown-skill] no skill 'invoice' — did you mean 'invoices'?"),
        ("skills: {need: []}", "error[wrong-type] the list of skills is empty"),
        ("skills: {relax: 5m}", "error[missing-key] 'need' is missing — like need: [language]"),
        ("field.ordr: x", "error[unknown-field] no field 'ordr' — did you mean 'order'?"),
        ("field.order: 12", "error[wrong-type] field 'order' is text, got the number 12 — put it in quotes"),
        ("field.order: +48600000001",
         ("error[wrong-type] field 'order' is text, got the number +48600000001 — a value that starts with + must be in"
          ' quotes: "+48600000001"')),
        ("field.amount: many", "error[wrong-type] field 'amount' is a number, got 'many' — like 12.5"),
        ("field.due: 2026-02-30", "error[wrong-type] field 'due' is a date, got '2026-02-30' — write it like 2026-11-30"),
        ("field.paid: often", "error[wrong-type] field 'paid' is true or false, got 'often'"),
        ("field.size: Smal", "error[wrong-type] field 'size' is one of its choices, got 'Smal' — did you mean 'Small'?"),
        ("notify: +48600000001",
         ("error[unknown-recipient] no recipient '+48600000001' — a value that starts with + must be in quotes:"
          ' "+48600000001"')),
        ("by: sms", "error[missing-key] 'by' says more about 'notify', which is not here — add notify: …"),
        ("reply: received, ack_within: 5m",
         "error[missing-key] 'ack_within' says more about 'notify', which is not here — add notify: …"),
        ("notify: lead, once: 5m", "error[missing-key] 'once' says more about 'reply', which is not here — add reply: …"),
        ("notify: lead, by: post", "error[unknown-way] no way 'post' — known: call, email, push, sms, urgent"),
        ("notify: lead, ack_within: soon",
         "error[bad-length] no length of time 'soon' — write it like 15m, 2h or 3d"),
        ("reply: received, once: 0m", "error[bad-length] no length of time '0m' — write it like 15m, 2h or 3d"),
        ("notify: []", "error[wrong-type] the list of recipients is empty"),
        ("reply: {}", "error[wrong-type] 'reply' has an empty mapping — like {email: received}"),
        ("webhook: https://x.example/y",
         ("error[bad-name] a webhook is named, not written out — name the account in intake.yaml that has this address:"
          " keys and retries belong there")),
        ("snooze: tomorrow",
         "error[bad-length] no length of time 'tomorrow' — write it like 2d, 4h or 2026-11-30T15:00+01:00"),
        ("promise: 2026-11-30T15:00",
         "error[bad-length] no length of time '2026-11-30T15:00' — write it like 2d, 4h or 2026-11-30T15:00+01:00"),
        ("spam: yes", "error[wrong-type] wanted true or false, got 'yes' — write true, without quotes"),
        ("language: Polish", "error[bad-value] no language 'Polish' — write two letters like pl"),
        ("team: none", "error[unknown-team] no team 'none' — known: billing, desk"),
        ("priority: none", "error[unknown-priority] no priority 'none' — known: high, low, normal, urgent"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_action_is_told(actions: str, told: str) -> None:
    assert refused(written("route", actions)) == [told]


@pytest.mark.parametrize("sibling", SIBLINGS)
def test_no_action_is_called_like_what_stands_beside_one(sibling: str) -> None:
    assert sibling not in ACTIONS


def test_route_again_is_all_that_route_can_be() -> None:
    told = "error[bad-value] 'route' can't be 'billing' — write route: again"
    assert refused(written("react", "route: billing")) == [told]


def test_reopen_belongs_to_a_customers_reply() -> None:
    text = BASE + PAGE + f"react: [{{id: r, {QUIET}, then: {{reopen: true}}}}]\ndefault: {{team: desk}}\n"
    assert refused(text) == [
        (
            "error[wrong-place] 'reopen' says what a customer's reply does, and this is on: quiet"
            " — write on: customer_replied, or status: open to open the ticket"
        )
    ]


def test_a_medium_that_looks_like_a_slip_is_warned_of() -> None:
    book = rulebook.load({"r.yaml": written("route", "reply: {emial: received, pigeon: received}")})
    found = [str(each) for each in book.warnings if each.code == "unknown-medium"]
    assert [each.split(": ", 1)[1] for each in found] == [
        "warning[unknown-medium] no medium 'emial' is known — did you mean 'email'?"
    ]
