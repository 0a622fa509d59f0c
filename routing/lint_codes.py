"""What the lint tells, each with an example that gives just that: shown in docs/rules.md, run by a test."""

from datetime import UTC, datetime

import msgspec

from routing.lint_means import Means
from routing.problems import Severity

BASE = """\
version: 1
calendars:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  anna: {email: anna@example.com, hours: office}
  ben: {email: ben@example.com}
teams:
  support: {levels: {front: [anna], lead: [ben]}}
  billing: {levels: {front: [ben]}}
default: {team: support}
"""
"""What every example is added to."""

MEANS = Means(
    media=frozenset(("email",)),
    templates=frozenset((("received", "en"), ("received", "pl"), ("closing", "en"))),
    ways=frozenset(("email", "call")),
    kinds=frozenset(("team", "priority", "tags", "nature", "reply", "notify", "status")),
    choices=frozenset(("billing", "person")),
    shares={" hello ": 0.62},
    texts=1_000,
)
"""The installation of the examples: it sends mail, calls agents, has a phone menu, and "hello" stands in 62 % of what was written to it."""


AT = datetime(2026, 11, 10, 12, tzinfo=UTC)
"""The instant at which the examples are looked at, where that matters."""


class Code(msgspec.Struct, frozen=True):
    """meaning: one clause. example: sections that give this code and no other when added to BASE."""

    code: str
    severity: Severity
    meaning: str
    example: str


CODES = (
    Code(
        "never-matches",
        "warning",
        "the conditions of a rule exclude each other",
        "route: [{id: both, when: {all: [{channel: sms}, {channel: email}]}, then: {team: billing}}]",
    ),
    Code(
        "hidden-rule",
        "warning",
        "an earlier route rule, which is named, holds whenever this one does",
        """\
route:
  - {id: mail, when: {channel: email}, then: {team: support}}
  - {id: refund, when: {channel: email, text.words: ["refund*"]}, then: {team: billing}}""",
    ),
    Code(
        "lost-write",
        "warning",
        "another rule applies whenever this one does, and what it writes is stronger",
        """\
enrich:
  - {id: mail, when: {channel: email}, then: {nature: question}}
  - {id: complaint, when: {channel: email, text.words: [angry]}, then: {nature: complaint}}""",
    ),
    Code(
        "two-writers",
        "warning",
        "two enrich rules can both match and write one field; the first wins",
        """\
enrich:
  - {id: money, when: {text.words: ["refund*"]}, then: {nature: complaint}}
  - {id: broken, when: {text.words: [outage]}, then: {nature: technical}}""",
    ),
    Code(
        "no-step",
        "warning",
        "nobody is told when a target is missed",
        "sla: {standard: {calendar: office, first_response: 4h}}",
    ),
    Code(
        "nobody-there",
        "warning",
        "a step or a notice reaches nobody at some hour of the week, the first of which is named",
        "react: [{id: low, on: rated, when: {rating: {at_most: 2}}, then: {notify: front, team: support}}]",
    ),
    Code(
        "unreachable-agent",
        "warning",
        "no notice reaches an agent",
        "agents: {carla: {skills: [pl]}}",
    ),
    Code(
        "cannot-reach",
        "warning",
        "an agent wants to be reached in a way that needs what is not known of them",
        "agents: {carla: {email: carla@example.com, urgent: [call, email]}}",
    ),
    Code(
        "never-known",
        "warning",
        "a rule asks for what is never known where it stands",
        "enrich: [{id: old, when: {ticket.age: {at_least: 2h}}, then: {priority: high}}]",
    ),
    Code(
        "unknown-medium",
        "warning",
        "a medium looks like a slip of another",
        "conversations: {emial: {join: open}}",
    ),
    Code(
        "unknown-language",
        "warning",
        "a rule asks for a language that no message is in",
        "enrich: [{id: polish, when: {language: polish}, then: {tags: [polish]}}]",
    ),
    Code(
        "cannot-act",
        "warning",
        "nothing in this configuration can do it: a channel, a way or a part is missing",
        "route: [{id: text, when: {channel: sms}, then: {reply: {sms: received}}}]",
    ),
    Code(
        "unknown-choice",
        "warning",
        "no phone menu of this configuration has an option of this id",
        "route: [{id: money, when: {call.choice: biling}, then: {team: billing}}]",
    ),
    Code(
        "missing-language",
        "warning",
        "a reply template is not there in a language in which another one is",
        "react: [{id: end, on: quiet, for: 7d, since: agent_replied, then: {reply: closing}}]",
    ),
    Code(
        "missing-reply",
        "warning",
        "a reply template is not there at all; the reply is not sent, which is an event",
        "route: [{id: all, when: {channel: email}, then: {reply: recieved}}]",
    ),
    Code(
        "missing-list",
        "warning",
        "the file of a list is not there; the list is empty",
        "lists: {vip: {file: vip.csv}}",
    ),
    Code(
        "missing-calendar",
        "warning",
        "an iCalendar file is not there; its calendar goes on without it",
        """\
calendars:
  shop: {timezone: UTC, open: {mon-fri: "09:00-17:00"}, holidays: [PL, {file: company.ics}]}""",
    ),
    Code(
        "dead-value",
        "warning",
        "a value of a list has a star that stands for nothing, so that it matches nothing",
        'lists: {friends: ["*@example.com"]}',
    ),
    Code(
        "long-night",
        "warning",
        "an opening time runs through the night and most of a day: its two times may be the wrong way round",
        'calendars: {shop: {timezone: UTC, open: {sat: "13:00-10:00"}}}',
    ),
    Code(
        "whole-text",
        "hint",
        "a subject or a text is asked to be just that, where a word in it may be meant",
        "route: [{id: money, when: {subject: Invoice}, then: {team: billing}}]",
    ),
    Code(
        "wide-words",
        "warning",
        "a word stands in a large share of the stored messages (check --store)",
        "route: [{id: greeting, when: {text.words: [hello]}, then: {team: billing}}]",
    ),
    Code(
        "oncall-gap",
        "warning",
        "nobody is on call at some time of the next eight weeks; the first such time is named",
        """\
schedules:
  nights: {timezone: Europe/Warsaw, layers: [{days: mon-fri, rotate: weekly, from: 2026-01-05, handover: "mon 09:00", agents: [ben]}]}""",
    ),
    Code(
        "override-overlap",
        "warning",
        "two overrides of a schedule are about the same hours, and the later one wins",
        """\
schedules:
  nights:
    timezone: Europe/Warsaw
    layers: [{rotate: weekly, from: 2026-01-05, handover: "mon 09:00", agents: [anna, ben]}]
    overrides:
      - {from: 2026-12-24T09:00, until: 2026-12-26T09:00, agent: ben}
      - {from: 2026-12-25T09:00, until: 2026-12-27T09:00, agent: anna}""",
    ),
    Code(
        "past-override",
        "hint",
        "an override of a schedule is over",
        """\
schedules:
  nights:
    timezone: Europe/Warsaw
    layers: [{rotate: weekly, from: 2026-01-05, handover: "mon 09:00", agents: [anna, ben]}]
    overrides: [{from: 2026-08-01T09:00, until: 2026-08-02T09:00, agent: ben}]""",
    ),
    Code(
        "untested",
        "hint",
        "no test makes the rule match",
        "route: [{id: money, when: {text.words: [refund]}, then: {team: billing}}]",
    ),
    Code(
        "unbounded-ladder",
        "error",
        "a step repeats for ever",
        "ladders: {nudge: [{at: resolution breach, notify: lead, repeat: {every: 1h}}]}",
    ),
    Code(
        "never-due",
        "error",
        "a policy asks for more open time than its calendar ever has",
        """\
sla: {slow: {calendar: office, first_response: 4h, ladder: nag}}
ladders: {nag: [{at: first_response breach, notify: lead, repeat: {every: 2000h, times: 100}}]}""",
    ),
)
