"""Every problem of a rulebook at once, each with file, line, column, code and what to do."""

import pytest

from routing import rulebook
from routing.problems import ConfigError, Problem
from tests.rows import every_row

GOOD = """\
version: 1
calendars:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
agents:
  ania: {email: ania@example.com, hours: office}
teams:
  billing: {levels: {l1: [ania]}}
sla:
  standard: {calendar: office, first_response: 4h, ladder: nudge}
ladders:
  nudge: [{at: first_response breach, notify: l1}]
conditions:
  night: {time: {outside: office}}
route:
  - {id: one, when: night, then: {team: billing}}
default: {team: billing}
"""


def problems_of(text: str, **more: object) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as refused:
        rulebook.load({"rules.yaml": text}, **more)  # type: ignore[arg-type]
    return refused.value.problems


def test_the_good_one_is_good() -> None:
    assert rulebook.load({"rules.yaml": GOOD}).warnings == ()


@every_row(
    ("old", "new", "place", "told"),
    [
        ("{team: billing}}", "{team: biling}}", "15:41",
         "error[unknown-team] no team 'biling' — did you mean 'billing'?"),
        ("version: 1", "version: 2", "1:10", "error[bad-version] version the number 2 is not known — write 1"),
        ("default: {team: billing}\n", "", "1:1", "error[missing-key] 'default' is missing — add default: {team: NAME}"),
        ("default: {team: billing}", "default: {priority: low}", "16:10",
         "error[missing-key] 'team' is missing — default says where a ticket goes at worst"),
        ("version: 1\n", "version: 1\nrouts: []\n", "2:1", "error[unknown-key] no section 'routs' — did you mean 'route'?"),
        ("timezone: Europe/Warsaw", "timezone: Europe/Warschau", "3:22",
         "error[unknown-timezone] no time zone 'Europe/Warschau' — write a name like Europe/Warsaw or UTC"),
        ("09:00-17:00", "9-17", "3:53",
         'error[bad-value] no opening time \'9-17\' — write "09:00-17:00", "22:00-06:00" for a night, or closed'),
        ('"09:00-17:00"}', '"09:00-17:00"}, holidays: QQ', "3:79",
         "error[unknown-country] no holidays are known for 'QQ' — own days go under dates:, or into a file: {file: company.ics}"),
        ("hours: office", "hours: offic", "5:42", "error[unknown-calendar] no calendar 'offic' — did you mean 'office'?"),
        ("email: ania@example.com", "phone: +48600000001", "5:17",
         'error[bad-value] the number +48600000001 is no phone number — write it like "+48600000001", in quotes'),
        ("l1: [ania]", "l1: [anja]", "7:27", "error[unknown-agent] no agent 'anja' — did you mean 'ania'?"),
        ("agents:\n", "agents:\n  l1: {}\n", "5:7", "error[name-clash] 'l1' is an agent and a level — rename one"),
        ("first_response: 4h", "first_response: 2d", "9:48",
         ("error[bare-day] '2d' could mean 24 hours or a day's open hours: calendar 'office' is not always open"
         " — write '2 working days', or hours")),
        ("first_response: 4h", "first_response: four", "9:48",
         "error[bad-length] no length of time 'four' — write it like 30m, 4h or 3 working days"),
        ("at: first_response breach", "at: first_respnse breach", "11:16",
         "error[unknown-target] no target 'first_respnse' — did you mean 'first_response'?"),
        ("notify: l1}", "notify: l1, repeat: {every: 5m}}", "11:59",
         "error[unbounded-ladder] this step repeats for ever — add times: 3"),
        ("notify: l1}", "notify: boss}", "11:47",
         "error[unknown-recipient] no recipient 'boss' — known: agent, ania, assignee, billing, l1, team"),
        ("when: night", "when: nigt", "15:21", "error[unknown-condition] no condition 'nigt' — did you mean 'night'?"),
        ("{time: {outside: office}}", "{all: [night]}", "13:17", "error[circle] condition 'night' refers to itself"),
        ("when: night", "when: {sendr.domain: x}", "15:22",
         "error[unknown-fact] no fact 'sendr.domain' — did you mean 'sender.domain'?"),
        ("when: night", "when: {channel: 5}", "15:31", "error[wrong-type] 'channel' wants text, got the number 5 — put it in quotes"),
        ("when: night", "when: {sender.verified: yes}", "15:39",
         "error[wrong-type] 'sender.verified' is true or false, got 'yes'"),
        ("when: night", "when: {spam.score: {atleast: 1}}", "15:35",
         "error[unknown-operator] no operator 'atleast' — did you mean 'at_least'?"),
        ("when: night", "when: {text.regex: 'ab(?=c)'}", "15:37",
         "error[bad-regex] look-around is not supported: it is not linear in time"),
        ("when: night", "when: {text.words: ['re*fund']}", "15:35",
         "error[bad-value] '*' may only end a word, not in 're*fund'"),
        ("when: night", "when: {sender.domain: {in: vips}}", "15:42", "error[unknown-list] no list 'vips'"),
        ("when: night, ", "", "15:5", "error[missing-key] 'when' is missing — what is for every message belongs to default"),
        ("then: {team: billing}}", "then: {tean: billing}}", "15:35",
         "error[unknown-action] no action 'tean' — did you mean 'team'?"),
        ("then: {team: billing}}", "then: {priority: hi}}", "15:45",
         "error[unknown-priority] no priority 'hi' — did you mean 'high'?"),
        ("version: 1", "version: 1\nversion: 1", "2:1",
         "error[duplicate-key] 'version' is written twice — the first is in line 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(old: str, new: str, place: str, told: str) -> None:
    assert old in GOOD
    (problem,) = problems_of(GOOD.replace(old, new, 1))
    assert str(problem) == f"rules.yaml:{place}: {told}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("first_response: 4h", "first_response: 20000h"),
        ("notify: l1}", "notify: l1, repeat: {every: 2000h, times: 100}}"),
    ],
)
def test_a_policy_whose_time_never_comes_is_refused(old: str, new: str) -> None:
    text = GOOD.replace('mon-fri: "09:00-17:00"', 'mon: "09:00-10:00"').replace(old, new)
    assert [each.code for each in problems_of(text)] == ["never-due"]


def test_every_mistake_is_told_at_once_in_order() -> None:
    text = (
        GOOD.replace("Europe/Warsaw", "Nowhere")
        .replace("[ania]", "[anja]")
        .replace("{team: billing}}", "{tem: billing, priority: hi}}")
        .replace("when: night", "when: {a: 1, b: 2}")
    )
    assert [(each.line, each.code) for each in problems_of(text)] == [
        (3, "unknown-timezone"),
        (7, "unknown-agent"),
        (15, "unknown-fact"),
        (15, "unknown-fact"),
        (15, "unknown-action"),
        (15, "unknown-priority"),
    ]


def test_mistakes_of_several_files_carry_their_file() -> None:
    with pytest.raises(ConfigError) as refused:
        rulebook.load(
            {"a.yaml": GOOD, "b.yaml": "agents: {ania: {}}\nroute: [{id: one, when: night, then: {team: x}}]"}
        )
    assert [(each.file, each.line, each.code) for each in refused.value.problems] == [
        ("b.yaml", 1, "duplicate-name"),
        ("b.yaml", 2, "duplicate-name"),
        ("b.yaml", 2, "unknown-team"),
    ]


def test_a_file_that_is_no_yaml_does_not_hide_the_others() -> None:
    with pytest.raises(ConfigError) as refused:
        rulebook.load({"a.yaml": GOOD.replace("billing}}", "billing, teem: x}}"), "b.yaml": "agents: ["})
    assert [(each.file, each.code) for each in refused.value.problems] == [
        ("a.yaml", "unknown-action"),
        ("b.yaml", "syntax"),
    ]


def test_names_that_may_stand_in_a_file_that_is_no_yaml_are_not_missed() -> None:
    """Nor is a section: one slip is told once, and not as a dozen."""
    with pytest.raises(ConfigError) as refused:
        rulebook.load(
            {
                "a.yaml": "version: 1\nroute: [{id: a, when: {channel: sms}, then: {team: x}}]",
                "b.yaml": "teams: [",
            }
        )
    assert [(each.file, each.code) for each in refused.value.problems] == [("b.yaml", "syntax")]


@every_row("text", ["", "null", "[]", "route", "5", "version: 1"])
def test_what_is_no_rulebook_is_refused_in_words(text: str) -> None:
    assert problems_of(text)


def test_a_warning_keeps_its_rule() -> None:
    text = GOOD.replace("{team: billing}", "{team: billing, reply: {email: recieved}}")
    book = rulebook.load({"rules.yaml": text}, replies=[("received", "en")])
    assert [each.code for each in book.warnings] == ["missing-reply", "missing-reply"]
    assert [rule.id for rule in (*book.rules, book.default)] == ["one", "default"]
    assert [write.field for write in book.default.then] == ["team", "reply"]


def test_a_reply_template_that_is_not_there_is_a_warning() -> None:
    text = GOOD.replace("default: {team: billing}", "default: {team: billing, reply: {email: recieved}}")
    warned = rulebook.load({"rules.yaml": text}, replies=[("received", "en")]).warnings
    assert [str(each) for each in warned] == [
        "rules.yaml:16:41: warning[missing-reply] no reply template 'recieved' — did you mean 'received'?"
    ]
