"""One rulebook with every section and most actions, and its own tests of each kind: it loads, and they pass."""

from datetime import UTC, datetime, timedelta

import pytest

from routing import cases, rulebook, simulation
from routing.decision import decide
from routing.facts import Facts
from routing.problems import ConfigError
from routing.rulebook import Rulebook
from tests.rows import every_row

RULES = r"""
version: 1

calendars:
  porto: {timezone: Europe/Lisbon, open: {mon-fri: ["09:00-13:00", "14:00-18:00"]}, holidays: PT}
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}

agents:
  ines:  {email: ines@shop.example, skills: [pt, en], hours: porto}
  jorge: {email: jorge@shop.example, skills: [pt, es], hours: porto}
  carla: {email: carla@shop.example, skills: [pt, en, returns], hours: porto, deputy: rita}
  bruno: {email: bruno@shop.example, phone: "+351910000001", skills: [pt, en], urgent: [call, sms, email]}
  vera:  {email: vera@shop.example, phone: "+351910000002", skills: [en, pt], urgent: [sms, email]}
  rita:  {email: rita@shop.example, phone: "+351910000003"}
  hugo:  {email: hugo@shop.example, skills: [en, pt, es]}

schedules:
  ops-rota:
    timezone: Europe/Lisbon
    layers:
      - {rotate: weekly, from: 2026-11-02, handover: "mon 08:00", agents: [bruno, vera]}
      - {days: sat-sun, rotate: weekly, from: 2026-11-07, handover: "sat 08:00", agents: [vera, bruno]}

teams:
  returns: {levels: {front: [ines, jorge], senior: [carla], watch: {schedule: ops-rota}, chief: [rita]}, assign: {by: least_loaded, capacity: {email: 8, chat: 2}}}
  ops:     {levels: {front: [bruno, vera], watch: {schedule: ops-rota}, chief: [rita]}}
  welcome: {levels: {front: [hugo], chief: [rita]}, assign: {by: round_robin}}

lists:
  partners: [partner.example]
  unwanted: {kept: desk}

fields:
  parcel: {type: text, extract: 'parcel[ #:]+([A-Z]{2}\d{4})'}

sla:
  prime: {calendar: always, first_response: {urgent: 20m, high: 40m, normal: 3h}, next_response: 3h, resolution: 10h, pause: [pending, on_hold], ladder: alarm}
  plain: {calendar: porto, first_response: 4h, resolution: 3 working days, pause: [pending, on_hold], ladder: hint}

ladders:
  hint:
    - {at: first_response 80%, notify: assignee}
    - {at: first_response breach, level: [senior, chief], notify: chief}
    - {at: resolution breach, notify: chief}
  alarm:
    - {at: first_response 50%, notify: watch, by: urgent, ack_within: 5m}
    - {at: unacknowledged, notify: chief, by: urgent}
    - {at: first_response breach, level: chief, priority: urgent, notify: chief}
    - {at: first_response +10m, notify: chief, repeat: {every: 10m, times: 3}}
    - {at: next_response breach, notify: chief}
    - {at: resolution breach, notify: chief}

conversations:
  email: {reopen_within: 10d, then: follow_up}
  sms: {join: open, reopen_within: 2d}
  chat: {join: open, reopen_within: 6h}
  by:
    - {id: probes, when: {sender.address: probe@shop.example}, key: "{subject}", within: 12h}

conditions:
  shut: {time: {outside: porto}}

enrich:
  - id: partner
    when: {sender.domain: {in: partners}, sender.verified: true}
    then: {priority: high, sla: prime, tags: [partner]}
  - id: unwanted
    when: {sender.address: {in: unwanted}}
    then: {spam: true}

route:
  - id: down
    when:
      any:
        - text.words: ["site down", "em baixo", "no funciona"]
        - text.regex: 'http\s+5\d\d'
      none: {sender.domain: probe.example}
    then: {team: ops, priority: urgent, skills: {need: [language], relax: 20m}}
  - id: send-back
    when: {channel: [email, chat, sms], text.words: ["devolu*", "return*", "devolver"]}
    then: {team: returns, skills: {need: [language], relax: 2h}, nature: complaint}

default:
  {team: welcome, priority: normal, sla: plain, reply: {email: got-it, chat: none, sms: none}}

react:
  - {id: third-time, on: customer_replied, when: {ticket.status: solved, ticket.reopened: {at_least: 2}}, then: {level: chief, priority: high, notify: chief}}
  - {id: polite, on: customer_replied, when: {ticket.status: solved, text.words: {only: [thanks, obrigado, gracias]}}, then: {reopen: false}}
  - {id: nudge, on: quiet, for: 2d, since: agent_replied, when: {ticket.status: pending}, then: {reply: anyone-there}}
  - {id: give-up, on: quiet, for: 5d, since: agent_replied, when: {ticket.status: pending}, then: {status: solved, reply: goodbye}}
  - {id: seal, on: quiet, for: 3d, since: status_changed, when: {ticket.status: solved}, then: {status: closed}}
  - {id: orphan, on: quiet, for: 20m, in: porto, since: created, when: {ticket.agent: none}, then: {notify: chief}}
  - {id: sad, on: rated, when: {rating: {at_most: 2}}, then: {notify: chief, tags: [sad]}}
  - {id: fixed, on: customer_replied, when: {sender.address: probe@shop.example, text.words: recovered}, then: {close: true}}

tests:
  - name: a partner sends something back
    at: 2026-11-12T19:00Z
    message: {channel: email, from: ana@partner.example, verified: true, language: pt, subject: Devolução, body: A parcel PT1234 volta.}
    expect: {rule: send-back, team: returns, agent: ines, priority: high, sla: prime, tags: [partner], reply: got-it, field.parcel: PT1234}
    timeline: {"+20m": notify watch, "+25m": notify chief, "+40m": [level chief, priority urgent, breach first_response], "+1h10m": notify chief}
  - name: 1 December is a holiday in Portugal
    at: 2026-11-30T17:00Z
    message: {channel: sms, from: "+351960000000", language: pt, body: devolver}
    expect: {rule: send-back, sla: plain, due.first_response: 2026-12-02T12:00Z, due.resolution: 2026-12-04T17:00Z}
    never: {reply: any}
  - name: silence is answered, then believed, then sealed
    at: 2026-11-03T10:00Z
    message: {channel: email, from: b@x.example, language: en, body: my lamp}
    steps:
      - {at: +2h, event: agent_replied, status: pending}
      - {at: +2d1h59m, never: {reply: any}}
      - {at: +2d2h, expect: {reply: anyone-there, status: pending}}
      - {at: +5d2h, expect: {reply: goodbye, status: solved, matched: give-up}}
      - {at: +8d2h, expect: {status: closed}}
      - {at: +9d, event: customer_replied, body: wait, expect: {joins: follow_up, status: closed}}
  - name: thanks leave it solved, anything else opens it again
    at: 2026-11-03T10:00Z
    message: {channel: email, from: b@x.example, language: en, body: my lamp}
    steps:
      - {at: +1h, event: status_changed, status: solved}
      - {at: +2h, event: customer_replied, body: Obrigado!, expect: {status: solved, reopen: false}}
      - {at: +3h, event: customer_replied, body: it broke again, expect: {status: open, joins: reopened}, never: {reopen: false}}
      - {at: +4h, event: rated, rating: 1, expect: {notify: chief, tags: [sad]}}
  - name: who is unwanted goes nowhere
    lists: {unwanted: [spam@y.example]}
    message: {channel: email, from: spam@y.example, body: offers}
    expect: {spam: true, agent: none, due.first_response: none}
    never: {reply: any}
  - name: nobody of the language, so it waits
    at: 2026-11-16T09:00Z
    given: {away: [ines, hugo]}
    message: {channel: chat, from: c@x.example, language: en, body: return please}
    expect: {rule: send-back, agent: none, skills: [language]}
    steps:
      - {at: +20m, expect: {notify: chief, matched: orphan}}
      - {at: +2h, expect: {agent: jorge}}
  - name: the same probe again, and then its end
    message: {channel: email, from: probe@shop.example, subject: host 7, body: http 503}
    expect: {rule: down, team: ops, priority: urgent}
    steps:
      - {at: +1h, event: customer_replied, reference: false, subject: host 8, body: http 503, expect: {joins: new}}
      - {at: +2h, event: customer_replied, reference: false, subject: host 7, body: recovered, expect: {joins: same, status: closed, matched: fixed}}
"""


def book() -> Rulebook:
    return rulebook.load({"shop.yaml": RULES})


def test_a_rulebook_with_every_section_passes_its_own_tests() -> None:
    assert [str(each) for each in cases.run(book())] == []


def test_what_no_test_makes_match_is_known() -> None:
    found = book()
    ids = {rule.id for rule in found.rules} | {each.rule.id for each in found.react}
    assert ids - cases.touched(found) == {"third-time"}


def test_the_same_text_gives_the_same_rulebook_and_the_same_lives() -> None:
    first, again = book(), rulebook.from_text(book().text)
    facts = Facts(at=datetime(2026, 11, 3, 10, tzinfo=UTC), channel="email", body="return it", language="pt")
    until = facts.at + timedelta(days=30)
    futures = [simulation.future(each, decide(each, facts), facts, until=until) for each in (first, again)]
    assert first.hash == again.hash
    assert futures[0] == futures[1] != ()


@every_row(
    ("right", "wrong", "told", "hint"),
    [
        ('"+25m": notify chief', '"+26m": notify chief',
         "at +26m wanted notify chief, got nothing", "'notify chief' is at +25m"),
        ("+2d2h, expect: {reply: anyone-there", "+2d1h59m, expect: {reply: anyone-there",
         "at +2d1h59m reply is nothing, not anyone-there", "'reply anyone-there' is at +2d2h"),
        ("+8d2h, expect: {status: closed}", "+8d1h, expect: {status: closed}",
         "at +8d1h status is solved, not closed", "'status closed' is at +8d2h"),
        ("joins: follow_up", "joins: reopened", "at +9d joins is follow_up, not reopened", ""),
        ("due.first_response: 2026-12-02T12:00Z", "due.first_response: 2026-12-01T12:00Z",
         "due.first_response is 2026-12-02T12:00:00+00:00, not 2026-12-01T12:00:00+00:00", ""),
        ("never: {reopen: false}", "never: {status: open}", "at +3h status is open, which must never be", ""),
    ],
)  # fmt: skip
def test_a_test_that_is_wrong_says_what_is_and_where_it_happens_instead(
    right: str, wrong: str, told: str, hint: str
) -> None:
    assert RULES.count(right) == 1
    (failure,) = cases.run(rulebook.load({"shop.yaml": RULES.replace(right, wrong)}))
    assert (failure.message.partition("': ")[2], failure.hint) == (told, hint)


def test_a_section_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigError):
        rulebook.load({"shop.yaml": RULES + "\nreakt: []\n"})
