"""Rules for later events and for conversations say what they wait for, and mistakes are told at their place."""

from datetime import time

import pytest

from routing import rulebook
from routing.conversation import Conversations, Gathering, MediumRule
from routing.facts import EVENTS
from routing.problems import ConfigError
from routing.rules import Daily, Quiet, React
from tests.rows import every_row

BASE = """\
version: 1
calendars: {office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}, always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}}
agents: {ania: {email: ania@example.com}}
teams: {desk: {levels: {l1: [ania]}}}
default: {team: desk}
"""


def react(rule: str) -> React:
    [found] = rulebook.load({"r.yaml": f"{BASE}react:\n  - {{id: r, {rule}, then: {{notify: l1}}}}\n"}).react
    return found


def told(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        rulebook.load({"r.yaml": BASE + text})
    return [
        f"{each.line}:{each.column}: {each.code}: {each.message} — {each.hint}"
        for each in refused.value.problems
    ]


@every_row("event", [event for event in EVENTS if event not in ("quiet", "clock")])
def test_a_rule_may_wait_for_every_event(event: str) -> None:
    found = react(f"on: {event}")
    assert (found.on, found.quiet, found.daily) == ((event,), None, None)


def test_a_rule_may_wait_for_several_events() -> None:
    assert react("on: [reopened, assigned, reopened]").on == ("reopened", "assigned")


def test_a_react_rule_knows_its_place_and_stage() -> None:
    rule = react("on: created, when: {channel: sms}").rule
    assert (rule.id, rule.stage, rule.file, rule.line, rule.column) == ("r", "react", "r.yaml", 7, 5)


def test_react_rules_are_not_among_those_of_a_new_ticket() -> None:
    book = rulebook.load({"r.yaml": f"{BASE}react:\n  - {{id: r, on: rated, then: {{notify: l1}}}}\n"})
    assert (book.rules, book.positions) == ((), {})


@pytest.mark.parametrize(
    ("written", "quiet"),
    [
        ("for: 3d, since: agent_replied", Quiet(3 * 86_400, "agent_replied")),
        ("for: 90m, since: created, in: office", Quiet(5_400, "created", "office")),
        ("for: 2d, since: assigned, in: always", Quiet(2 * 86_400, "assigned", "always")),
    ],
)
def test_quiet_is_elapsed_time_or_open_time_of_a_calendar(written: str, quiet: Quiet) -> None:
    found = react(f"on: quiet, {written}")
    assert (found.on, found.quiet) == (("quiet",), quiet)


@every_row(
    ("written", "days", "at"),
    [
        ("mon-fri 08:00", range(5), time(8)),
        ("mon, thu 17:30", (0, 3), time(17, 30)),
        ("sat-mon 0:05", (5, 6, 0), time(0, 5)),
        ("08:00", range(7), time(8)),
    ],
)
def test_clock_is_a_moment_of_the_week(written: str, days: object, at: time) -> None:
    found = react(f'on: clock, at: "{written}", in: office')
    assert found.daily == Daily(frozenset(days), at, "office")  # type: ignore[call-overload]


@every_row(
    ("rule", "mistake"),
    [
        ("on: custmer_replied", "7:17: unknown-event: no event 'custmer_replied' — did you mean 'customer_replied'?"),
        ("on: []", "7:17: wrong-type: the list of events is empty — "),
        ("when: {channel: sms}", "7:5: missing-key: 'on' is missing — like on: customer_replied"),
        ("on: [quiet, created]",
         "7:17: bad-value: 'quiet' can't stand beside other events — write a rule of its own for it"),
        ("on: quiet, since: created", "7:5: missing-key: on: quiet needs 'for' — like for: 3d"),
        ("on: quiet, for: 3d", "7:5: missing-key: on: quiet needs 'since' — like since: agent_replied"),
        ("on: quiet, for: 3 days, since: created",
         "7:29: bad-length: no length of time '3 days' — write it like 15m, 2h or 3d"),
        ("on: quiet, for: 3d, since: create", "7:40: unknown-since-event: no since-event 'create' — did you mean 'created'?"),
        ("on: quiet, for: 3d, since: created, in: office",
         ("7:29: bare-day: '3d' could mean 24 hours or a day's open hours: calendar 'office' is not always open"
          " — write hours, or take 'in' away: then days are elapsed days")),
        ("on: quiet, for: 3h, since: created, in: offce", "7:53: unknown-calendar: no calendar 'offce' — did you mean 'office'?"),
        ("on: created, for: 3d", "7:26: wrong-place: 'for' says nothing with on: created — it belongs to on: quiet"),
        ("on: created, in: office",
         "7:26: wrong-place: 'in' says nothing with on: created — it belongs to on: quiet or on: clock"),
        ("on: quiet, for: 3d, since: created, at: '08:00'",
         "7:49: wrong-place: 'at' says nothing with on: quiet — it belongs to on: clock"),
        ("on: clock, in: office", '7:5: missing-key: on: clock needs \'at\' — like at: "mon-fri 08:00"'),
        ("on: clock, at: '08:00'", "7:5: missing-key: on: clock needs 'in' — like in: CALENDAR, whose time zone counts"),
        ("on: clock, at: noon, in: office",
         '7:28: bad-value: no time of the week \'noon\' — write "mon-fri 08:00", "mon 17:00" or "08:00" for every day'),
        ("on: created, whenn: {channel: sms}", "7:26: unknown-key: no key 'whenn' here — did you mean 'when'?"),
    ],
)  # fmt: skip
def test_a_mistake_in_what_a_rule_waits_for_is_told(rule: str, mistake: str) -> None:
    assert told(f"react:\n  - {{id: r, {rule}, then: {{notify: l1}}}}\n") == [mistake]


def test_a_rule_may_not_share_its_id_with_one_of_another_section() -> None:
    assert told(
        "enrich: [{id: one, when: {channel: sms}, then: {tags: [a]}}]\n"
        "react: [{id: one, on: created, then: {note: a}}]\n"
        'conversations: {by: [{id: one, when: {channel: sms}, key: "{subject}", within: 1h}]}\n'
    ) == [
        "7:14: duplicate-name: two rules have the id 'one' — the first is in r.yaml:6",
        "8:27: duplicate-name: two rules have the id 'one' — the first is in r.yaml:6",
    ]


# -- conversations --------------------------------------------------------------------------------------------------


def conversations(text: str) -> Conversations:
    return rulebook.load({"r.yaml": f"{BASE}conversations: {text}\n"}).conversations


def test_a_medium_says_what_joins_and_how_long_an_answer_reopens() -> None:
    found = conversations(
        "{email: {reopen_within: 10d, then: new}, sms: {join: open}, chat: {reopen_within: 0d}}"
    )
    assert found.media == {
        "email": MediumRule(None, 10 * 86_400, "new"),
        "sms": MediumRule("open"),
        "chat": MediumRule("open", 0),  # its lines are one conversation, whatever else is said
    }


def test_a_medium_that_is_not_named_makes_new_tickets() -> None:
    assert conversations("{}").of("voice") == MediumRule()


def test_messages_are_gathered_by_a_key() -> None:
    [found] = conversations(
        '{by: [{id: m, when: {account: a}, key: "{sender.domain}/{subject}", within: 24h}]}'
    ).by
    assert isinstance(found, Gathering)
    assert (found.id, found.key, found.within_s, found.line) == ("m", "{sender.domain}/{subject}", 86_400, 6)


@every_row(
    ("text", "mistake"),
    [
        ("[]", "6:16: wrong-type: wanted a mapping of media, got a list — like {sms: {join: open, reopen_within: 3d}}"),
        ("{sms: {join: all}}", "6:29: bad-value: 'all' is not one of open — "),
        ("{sms: {reopen_within: never}}",
         "6:38: bad-length: no length of time 'never' — write it like 14d; 0d = never"),
        ("{sms: {then: reopen}}", "6:29: bad-value: 'reopen' is not one of follow_up, new — "),
        ("{sms: {joins: open}}", "6:23: unknown-key: no key 'joins' here — did you mean 'join'?"),
        ("{by: {id: m}}",
         '6:21: wrong-type: \'by\' is a list, got a mapping — like [{id: alerts, when: {…}, key: "{subject}", within: 24h}]'),
        ("{by: [{id: m, when: {account: a}, key: '{subjct}', within: 1h}]}",
         "6:55: unknown-fact: no fact 'subjct' for a key — did you mean 'subject'?"),
        ("{by: [{id: m, when: {account: a}, key: '{ticket.team}', within: 1h}]}",
         "6:55: unknown-fact: no fact 'ticket.team' for a key — a message that looks for its ticket has none yet"),
        ("{by: [{id: m, when: {account: a}, key: '{subject', within: 1h}]}",
         '6:55: bad-value: a { or } has no partner in the key — like key: "{subject}"'),
        ("{by: [{id: m, when: {account: a}, key: {subject: }, within: 1h}]}",
         '6:55: wrong-type: \'key\' wants a short text, got a mapping — like key: "{subject}", in quotes'),
        ("{by: [{id: m, when: {account: a}, key: x}]}", "6:22: missing-key: 'within' is missing — like within: 24h"),
    ],
)  # fmt: skip
def test_a_mistake_in_conversations_is_told(text: str, mistake: str) -> None:
    assert told(f"conversations: {text}\n") == [mistake]


def test_a_medium_of_two_files_is_told() -> None:
    with pytest.raises(ConfigError) as refused:
        rulebook.load({"a.yaml": BASE + "conversations: {sms: {}}\n", "b.yaml": "conversations: {sms: {}}\n"})
    assert [str(each) for each in refused.value.problems] == [
        "b.yaml:1:17: error[duplicate-name] medium 'sms' is written twice — the first is in a.yaml:6"
    ]


def test_a_named_condition_is_read_once_however_many_rules_ask_for_it() -> None:
    rule = "  - {{id: r{0}, when: busy, then: {{tags: [a]}}}}\n"
    book = rulebook.load(
        {"r.yaml": f"{BASE}conditions: {{busy: {{channel: sms}}}}\nenrich:\n{rule.format(1)}{rule.format(2)}"}
    )
    assert book.enrich[0].when is book.enrich[1].when


def test_a_named_condition_is_looked_at_anew_where_other_facts_are_known() -> None:
    text = (
        "conditions: {late: {ticket.age: {at_least: 2h}}}\n"
        "react: [{id: a, on: created, when: late, then: {note: a}}]\n"
        "enrich: [{id: b, when: late, then: {tags: [a]}}]\n"
    )
    warned = rulebook.load({"r.yaml": BASE + text}).warnings
    assert "never-known" in [each.code for each in warned]
    react_only = rulebook.load({"r.yaml": BASE + text.partition("enrich")[0]}).warnings
    assert "never-known" not in [each.code for each in react_only]
