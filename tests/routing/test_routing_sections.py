"""People, schedules, lists, fields, policies and ladders are read whole, from one file or several."""

from datetime import date, time

import pytest

from routing import rulebook
from routing.ladder import When
from routing.people import Agent, Team
from routing.problems import ConfigError
from routing.rulebook import Rulebook
from routing.schedule import Layer
from tests.rows import every_row

GOOD = """\
version: 1
calendars:
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
agents:
  ania: {email: ania@example.com, phone: "+48600000001", urgent: [call, sms], deputy: tom}
  tom: {email: tom@example.com}
schedules:
  nights:
    timezone: Europe/Warsaw
    layers:
      - {rotate: weekly, from: 2026-11-02, handover: "mon 09:00", agents: [ania, tom]}
      - {rotate: daily, from: 2026-11-07, handover: "18:00", days: [sat-sun], agents: tom}
teams:
  desk: {levels: {l1: [ania], oncall: {schedule: nights}}, assign: {by: round_robin, capacity: {email: 10, chat: 3}}}
lists:
  vips: {file: vip.csv}
  blocked: {kept: desk}
  here: [acme.com]
fields:
  order: {type: text, extract: 'order ([A-Z]{2}\\d{6})'}
  size: {type: choice, choices: [small, large]}
sla:
  gold: {calendar: always, first_response: 1h, next_response: 2h, resolution: 2d, update: {high: 1d, low: 5d}, promise: true, ladder: page}
ladders:
  page:
    - {at: first_response 50%, notify: oncall, ack_within: 10m}
    - {at: unacknowledged, notify: l1, by: urgent}
    - {at: next_response breach, notify: l1}
    - {at: resolution breach, notify: l1}
    - {at: update -1h, notify: l1}
    - {at: promise breach, notify: l1}
default: {team: desk}
"""


def book(text: str = GOOD, **lists: tuple[str, ...]) -> Rulebook:
    return rulebook.load({"r.yaml": text}, lists={"vips": ("acme.com",), **lists})


def test_the_good_one_is_good() -> None:
    assert [str(each) for each in book().warnings if each.code == "not-supported"] == []


def test_an_agent_has_ways_for_urgent_notices_and_a_deputy() -> None:
    assert book().agents["ania"] == Agent(
        "ania", "ania@example.com", "+48600000001", urgent=("call", "sms"), deputy="tom"
    )


def test_a_level_may_be_whoever_is_on_call() -> None:
    assert book().teams["desk"] == Team(
        "desk",
        {"l1": ("ania",), "oncall": ("ania", "tom")},
        "round_robin",
        {"email": 10, "chat": 3},
        {"oncall": "nights"},
    )


def test_a_schedule_has_layers_with_their_hand_overs() -> None:
    schedule = book().schedules["nights"]
    assert schedule.timezone == "Europe/Warsaw"
    assert schedule.layers == (
        Layer(("ania", "tom"), "weekly", date(2026, 11, 2), 0, time(9)),
        Layer(("tom",), "daily", date(2026, 11, 7), None, time(18), frozenset((5, 6))),
    )


def test_a_field_knows_its_type_its_pattern_and_its_choices() -> None:
    order, size = book().fields["order"], book().fields["size"]
    assert order.extract is not None
    assert (order.type, order.extract.text, order.choices) == ("text", r"order ([A-Z]{2}\d{6})", ())
    assert (size.type, size.extract, size.choices) == ("choice", None, ("small", "large"))


def test_a_policy_has_all_targets_but_the_promise_whose_moment_is_agreed() -> None:
    targets = book().policies["gold"].targets
    assert {name: target.span("normal").seconds for name, target in targets.items()} == {
        "first_response": 3_600,
        "next_response": 7_200,
        "resolution": 2 * 86_400,
        "update": 86_400,
    }


def test_a_ladder_may_wait_for_an_acknowledgement_and_for_every_target() -> None:
    steps = book().ladders["page"].steps
    assert steps[1].when == When("", "unacknowledged")
    assert (steps[0].ack_within_s, steps[1].by) == (600, "urgent")
    assert [step.when.target for step in steps[2:]] == ["next_response", "resolution", "update", "promise"]


@every_row(
    ("old", "new", "told"),
    [
        ("urgent: [call, sms]", "urgent: [fax]", "6:67: error[unknown-way] no way 'fax' — known: call, email, push, sms"),
        ("deputy: tom", "deputy: ania", "6:87: error[bad-value] 'ania' can't be their own deputy — name another agent"),
        ("deputy: tom", "deputy: tim", "6:87: error[unknown-agent] no agent 'tim' — did you mean 'tom'?"),
        ("schedule: nights", "schedule: night", "15:50: error[unknown-schedule] no schedule 'night' — did you mean 'nights'?"),
        ("chat: 3", "chat: none",
         ("15:114: error[bad-value] a capacity is 1 to 10000 tickets, got 'none'"
          " — a medium that is not named has no cap")),
        ("timezone: Europe/Warsaw\n", "timezone: Warsaw\n",
         "10:15: error[unknown-timezone] no time zone 'Warsaw' — did you mean 'Europe/Warsaw'?"),
        ("rotate: weekly", "rotate: monthly", "12:18: error[bad-value] 'monthly' is not one of daily, weekly"),
        ('"mon 09:00"', '"09:00"',
         "12:54: error[bad-value] no weekly hand-over '09:00' — write it like \"mon 09:00\""),
        ('"18:00"', '"mon 18:00"',
         "13:53: error[bad-value] no daily hand-over 'mon 18:00' — write it like \"09:00\", in quotes"),
        ("2026-11-07", "7.11.2026", "13:31: error[bad-value] no date '7.11.2026' — write it like 2026-11-02"),
        ("[sat-sun]", "weekend",
         ("13:68: error[bad-value] no weekday 'weekend'"
          " — write mon, tue, wed, thu, fri, sat, sun or a range like mon-fri")),
        ("agents: [ania, tom]}", "agents: []}", "12:75: error[wrong-type] nobody takes turns here — like agents: [ania]"),
        ("agents: tom}", "agents: tim}", "13:87: error[unknown-agent] no agent 'tim' — did you mean 'tom'?"),
        ("file: vip.csv", "file: ../vip.csv",
         "17:16: error[bad-value] '../vip.csv' is no name of a file — the file stands beside the rules: write vip.csv"),
        ("file: vip.csv", "file: .env",
         "17:16: error[bad-value] '.env' is no name of a file — the file stands beside the rules: write vip.csv"),
        ("kept: desk", "kept: here", "18:19: error[unknown-place] no place 'here' — known: desk"),
        ("{kept: desk}", "desk",
         "18:12: error[wrong-type] no list 'desk' — write [value, value], {file: NAME.csv} or {kept: desk}"),
        ("([A-Z]{2}\\d{6})", "[A-Z]{2}",
         ("21:32: error[bad-regex] the pattern does not say which part is the value"
          r" — put ( ) around the value, like 'order (\d{6})'")),
        ("'order (", "'order ((?=x)", "21:40: error[bad-regex] look-around is not supported: it is not linear in time"),
        ("type: text", "type: texts",
         "21:17: error[bad-value] 'texts' is not one of choice, date, flag, number, text — did you mean 'text'?"),
        (", choices: [small, large]", "", "22:9: error[missing-key] 'choices' is missing — like choices: [small, large]"),
        ("type: choice", "type: text",
         "22:22: error[bad-value] 'choices' belongs to type choice, this is type text — write type: choice"),
        ("promise: true", "promise: 2d",
         ("24:121: error[wrong-type] 'promise' has no length, its moment is agreed with the customer; got '2d'"
          " — write promise: true")),
        ("update: {high: 1d", "update: {hihg: 1d", "24:92: error[unknown-priority] no priority 'hihg' — did you mean 'high'?"),
        (", ack_within: 10m", "",
         ("28:12: error[bad-step] no step before this one asks for an acknowledgement"
          " — add ack_within: 10m to its notify")),
        ("by: urgent}", "by: urgent, repeat: {every: 5m, times: 2}}",
         ("28:52: error[bad-step] a step that follows a notice nobody acknowledged happens once"
          " — give it ack_within, and add another unacknowledged step")),
        ("at: update -1h", "at: updates -1h", "31:12: error[unknown-target] no target 'updates' — did you mean 'update'?"),
        (", notify: l1}\n    - {at: resolution", "}\n    - {at: resolution",
         "29:7: error[missing-key] this step does nothing — add notify, level, priority, tags or another action"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as refused:
        book(GOOD.replace(old, new, 1))
    assert [str(each) for each in refused.value.problems if each.severity == "error"] == [f"r.yaml:{told}"]


def test_an_always_open_calendar_knows_days() -> None:
    with pytest.raises(ConfigError) as refused:
        book(GOOD.replace("gold: {calendar: always", "gold: {calendar: office"))
    assert [each.code for each in refused.value.problems if each.severity == "error"] == ["bare-day"] * 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("l1: [ania]", "tom: [ania]", "'tom' is an agent and a level"),
        ("  desk: {levels", "  ania: {levels", "'ania' is an agent and a team"),
        ("oncall: {schedule", "desk: {schedule", "'desk' is a team and a level"),
    ],
)
def test_a_level_a_team_and_an_agent_never_share_a_name(old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        book(GOOD.replace(old, new, 1))
    assert told in [each.message for each in refused.value.problems if each.code == "name-clash"]


def test_an_urgent_way_without_what_it_goes_by_is_warned_of() -> None:
    warned = book(GOOD.replace(' phone: "+48600000001",', "")).warnings
    assert [each.message for each in warned if each.code == "cannot-reach"] == [
        "'ania' can't be reached by sms: there is no 'phone'",
        "'ania' can't be reached by call: there is no 'phone'",
    ]


def test_a_medium_that_looks_like_a_slip_is_warned_of() -> None:
    warned = book(GOOD.replace("{email: 10", "{emial: 10")).warnings
    assert [each.hint for each in warned if each.code == "unknown-medium"] == ["did you mean 'email'?"]


# -- lists ----------------------------------------------------------------------------------------------------------


def test_list_files_names_the_files_that_the_caller_reads() -> None:
    assert rulebook.list_files({"r.yaml": GOOD}) == {"vips": "vip.csv"}


@every_row(
    "text",
    [
        "{version: 1, lists: {vips: {file: vip.csv}, here: [a]}}",
        'version: 1\n"lists": {vips: {file: vip.csv}}',
        "version: 1\nlists:   # ours\n\n  # one\n  vips:\n    file: vip.csv\n\nroute: []\n",
        "version: 1\r\nlists:\r\n  vips: {file: vip.csv}\r\nroute: []\r\n",
        "lists: {vips: {file: vip.csv}}\nroute: [\n",
    ],
)
def test_list_files_are_found_however_the_section_is_written(text: str) -> None:
    assert rulebook.list_files({"a.yaml": "", "r.yaml": text}) == {"vips": "vip.csv"}


@every_row(
    "text",
    [
        "",
        "lists: {vips: {file: ../x}}",
        "lists: [file]",
        "lists: {file: [a]}",
        "a: [file, lists",
        "lists: file",
    ],
)
def test_list_files_leaves_out_what_load_will_tell(text: str) -> None:
    assert rulebook.list_files({"r.yaml": text}) == {}


def test_a_list_has_the_values_of_its_file() -> None:
    assert book().lists == {"vips": ("acme.com",), "here": ("acme.com",)}


def test_a_list_whose_file_is_not_there_is_empty_and_warned_of() -> None:
    loaded = rulebook.load({"r.yaml": GOOD})
    assert loaded.lists["vips"] == ()
    assert [str(each) for each in loaded.warnings if each.code == "missing-list"] == [
        (
            "r.yaml:17:16: warning[missing-list] the file 'vip.csv' of list 'vips' is not there"
            " — the list is empty; the file belongs beside the rules"
        )
    ]


def test_a_rulebook_of_last_month_has_the_list_values_of_last_month() -> None:
    old = book()
    again = rulebook.from_text(old.text)
    assert (again.lists, again.hash) == (old.lists, old.hash)
    assert [each for each in again.warnings if each.code == "missing-list"] == []


def test_other_list_values_make_another_rulebook() -> None:
    assert book().hash != book(vips=("other.example",)).hash


def test_a_list_kept_at_the_desk_has_no_values_here_but_its_uses_are_known() -> None:
    rules = (
        "enrich:\n  - {id: a, when: {sender.address: {in: blocked}}, then: {spam: true}}\n"
        "react:\n  - {id: b, on: customer_replied, when: {sender.domain: {in: blocked}}, then: {note: Oh}}\n"
    )
    loaded = book(GOOD + rules)
    assert loaded.kept == {"blocked"}
    assert "blocked" not in loaded.lists
    assert loaded.kept_uses() == {("sender.address", "blocked"), ("sender.domain", "blocked")}


# -- files ----------------------------------------------------------------------------------------------------------


def test_sections_of_several_files_are_one_rulebook_in_the_order_of_their_names() -> None:
    head, _, default = GOOD.partition("default:")
    rule = "{{id: {0}, when: {{channel: {0}}}, then: {{tags: [{0}]}}}}"
    loaded = rulebook.load(
        {
            "20.yaml": "route: ["
            + rule.format("sms")
            + "]\nreact: [{id: x, on: created, then: {note: b}}]\n",
            "10.yaml": head
            + "route: ["
            + rule.format("email")
            + "]\nreact: [{id: y, on: created, then: {note: a}}]\n",
            "30.yaml": f"default:{default}conversations: {{sms: {{join: open}}}}\nagents: {{zoe: {{}}}}\n",
        },
        lists={"vips": ()},
    )
    assert [rule.id for rule in loaded.route] == ["email", "sms"]
    assert [each.rule.id for each in loaded.react] == ["y", "x"]
    assert list(loaded.agents) == ["ania", "tom", "zoe"]
    assert loaded.conversations.of("sms").join == "open"


def test_one_file_has_to_say_the_version() -> None:
    assert rulebook.load({"a.yaml": "agents: {zoe: {}}", "b.yaml": GOOD}).agents["zoe"]
    with pytest.raises(ConfigError) as refused:
        rulebook.load({"a.yaml": "agents: {zoe: {}}", "b.yaml": GOOD.replace("version: 1\n", "")})
    assert (
        str(refused.value.problems[0])
        == "a.yaml:1:1: error[missing-key] 'version' is missing — start with version: 1"
    )


def test_needs_names_the_facts_of_every_section() -> None:
    loaded = book(
        GOOD
        + "react:\n  - {id: b, on: rated, when: {rating: {at_most: 2}}, then: {note: Oh}}\n"
        + "conversations: {by: [{id: m, when: {account: alerts}, key: '{sender.name}', within: 1h}]}\n"
    )
    assert loaded.needs == {"rating", "account", "sender.name", "text"}


@every_row(
    ("gone", "told"),
    [
        ("rotate: weekly, ", "12:9: error[missing-key] 'rotate' is missing — wanted: one of daily, weekly"),
        ("from: 2026-11-02, ", "12:9: error[missing-key] 'from' is missing — like from: 2026-11-02"),
        (
            'handover: "mon 09:00", ',
            "12:9: error[missing-key] 'handover' is missing — like handover: \"mon 09:00\"",
        ),
        (
            ", agents: [ania, tom]",
            "12:9: error[missing-key] 'agents' is missing — like agents: [ania, marek]",
        ),
    ],
)
def test_what_a_layer_lacks_is_told_with_an_example(gone: str, told: str) -> None:
    assert gone in GOOD
    with pytest.raises(ConfigError) as refused:
        book(GOOD.replace(gone, "", 1))
    assert f"r.yaml:{told}" in [str(each) for each in refused.value.problems]
