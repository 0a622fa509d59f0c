"""Hours at which nobody is there, agents whom nothing reaches, and what the configuration has no means for."""

from routing import lint, lint_words, rulebook
from routing.lint import Means
from tests.rows import every_row

BASE = """\
version: 1
calendars:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
  longer: {timezone: Europe/Warsaw, open: {mon-fri: "08:00-17:00"}}
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  anna: {email: anna@example.com, hours: office}
  early: {email: early@example.com, hours: longer}
  ben: {email: ben@example.com, phone: "+48600000002"}
schedules:
  weekend:
    timezone: Europe/Warsaw
    layers: [{rotate: weekly, from: 2026-01-03, handover: "sat 09:00", days: sat-sun, agents: [ben]}]
teams:
  t: {levels: {front: [anna], both: [anna, early], oncall: {schedule: weekend}, lead: [ben]}}
  u: {levels: {desk: [ben]}}
"""
DEFAULT = "default: {team: t, sla: p}\n"
MEANS = Means(media=frozenset(("email",)), ways=frozenset(("email",)))


def gaps(rules: str) -> list[str]:
    found = rulebook.load({"r.yaml": BASE + rules}).warnings
    return [each.message for each in found if each.code == "nobody-there"]


def ladder(calendar: str, step: str) -> str:
    return (
        f"sla: {{p: {{calendar: {calendar}, first_response: 1h, ladder: l}}}}\n"
        f"ladders: {{l: [{{at: first_response breach, {step}}}]}}\n"
    )


@every_row(
    ("calendar", "step", "when"),
    [
        ("longer", "notify: front", "mon 08:00"),
        ("always", "notify: oncall", "mon 09:00"),
        ("always", "level: [front, oncall]", "mon 17:00"),
        ("always", "notify: [front, oncall]", "mon 17:00"),
        ("always", "notify: front", "mon 00:00"),
    ],
)
def test_a_step_that_reaches_nobody_is_told_with_the_first_such_hour(
    calendar: str, step: str, when: str
) -> None:
    [message] = gaps(ladder(calendar, step) + DEFAULT)
    assert f"from {when} (Europe/Warsaw) on" in message
    assert "team 't' is on duty" in message


@every_row(
    ("calendar", "step"),
    [
        ("office", "notify: front"),
        ("longer", "notify: both"),
        ("always", "notify: lead"),
        ("always", "notify: [front, lead]"),
        ("always", "level: [oncall, lead]"),
        ("always", "notify: assignee"),
        ("always", "notify: [assignee, front]"),
        ("always", "notify: boss@example.com"),
        ("always", "notify: anna"),
        ("always", "notify: team"),
    ],
)
def test_a_step_that_always_reaches_somebody_or_may_do_so_is_not_told(calendar: str, step: str) -> None:
    assert gaps(ladder(calendar, step) + DEFAULT) == []


def test_a_level_that_the_tickets_team_does_not_have_is_told() -> None:
    route = "route: [{id: r, when: {channel: sms}, then: {team: u}}]\n"
    assert gaps(ladder("office", "notify: lead") + DEFAULT + route) == [
        "this step reaches nobody for a ticket of team 'u', which has no level 'lead', while policy 'p' counts"
    ]


def test_a_ladder_that_no_teams_tickets_climb_is_not_told() -> None:
    """Team u never has policy p."""
    route = "route: [{id: r, when: {channel: sms}, then: {team: u, sla: q}}]\n"
    rules = ladder("office", "notify: lead").replace(
        "sla: {p:", "sla: {q: {calendar: office, resolution: 9h}, p:"
    )
    assert gaps(rules + DEFAULT + route) == []


@every_row(
    ("rule", "is_told"),
    [
        ("on: rated, then: {notify: front}", True),
        ("on: rated, when: {time: {inside: office}}, then: {notify: front}", False),
        ("on: rated, when: {time: {outside: office}}, then: {notify: front}", True),
        ("on: rated, when: {time: {outside: office}}, then: {notify: [lead, front]}", False),
        ("on: rated, when: {time: {hour: 10}}, then: {notify: front}", False),
        ("on: rated, when: {team.open_now: true}, then: {notify: front}", False),
        ("on: quiet, for: 2h, since: created, in: office, then: {notify: front}", False),
        ("on: quiet, for: 2h, since: created, then: {notify: front}", True),
        ('on: clock, at: "mon-fri 09:30", in: office, then: {notify: front}', False),
        ('on: clock, at: "mon-sat 09:30", in: office, then: {notify: front}', True),
    ],
)
def test_a_notice_of_a_rule_is_judged_by_the_hours_at_which_the_rule_may_act(
    rule: str, *, is_told: bool
) -> None:
    rules = f"default: {{team: t}}\nreact: [{{id: r, {rule}}}]\n"
    assert bool(gaps(rules)) is is_told


def configured(rules: str, means: Means = MEANS) -> list[tuple[int, str, str]]:
    book = rulebook.load({"r.yaml": BASE + rules})
    first = BASE.count("\n")
    return [(each.line - first, each.code, each.message) for each in lint.configured(book, means)]


def test_a_reply_on_a_medium_that_nothing_sends_is_told_at_its_rule() -> None:
    rules = "default: {team: t, reply: {email: received, sms: short, chat: none}}\n"
    assert configured(rules) == [
        (1, "cannot-act", "rule 'default': no channel here sends sms, so 'short' is never sent")
    ]


def test_a_way_that_nothing_here_goes_is_told_at_its_step() -> None:
    rules = ladder("office", "notify: lead, by: call") + DEFAULT
    assert configured(rules) == [
        (2, "cannot-act", "this step of ladder 'l': nothing here reaches agents by call")
    ]


def test_an_action_that_nothing_here_does_is_told() -> None:
    means = Means(media=MEANS.media, ways=MEANS.ways, kinds=frozenset(("team",)))
    rules = "default: {team: t, webhook: crm}\n"
    assert configured(rules, means) == [
        (1, "cannot-act", "rule 'default': nothing here can do 'webhook' yet")
    ]
    assert configured(rules) == []


def test_an_agent_whom_only_a_missing_channel_reaches_is_told() -> None:
    means = Means(media=frozenset(("sms",)), ways=frozenset(("sms",)))
    found = configured("default: {team: t}\n", means)
    assert [each[2].split(":")[0] for each in found] == [
        "no notice reaches agent 'anna'",
        "no notice reaches agent 'early'",
    ]


def test_a_template_that_lacks_a_language_of_the_others_is_told() -> None:
    means = Means(
        media=MEANS.media,
        ways=MEANS.ways,
        templates=frozenset((("a", "en"), ("a", "pl"), ("a", "el"), ("b", "en"))),
    )
    assert configured("default: {team: t, reply: {email: b}}\n", means) == [
        (1, "missing-language", "reply template 'b' is not there in el, pl")
    ]
    assert configured("default: {team: t, reply: {email: a}}\n", means) == []


def test_wide_words_are_counted_in_stored_texts() -> None:
    rules = "default: {team: t}\nroute: [{id: r, when: {text.words: [Hello, 'refund*']}, then: {team: u}}]\n"
    book = rulebook.load({"r.yaml": BASE + rules})
    texts = ["HELLO\nyou"] * 60 + ["helloween", "Refunds, hello"] + ["x"] * 58
    shares, count = lint_words.shares(book, texts)
    assert (shares, count) == ({" hello ": 61 / 120, " refund": 1 / 120}, 120)
    found = configured(rules, Means(media=MEANS.media, ways=MEANS.ways, shares=shares, texts=count))
    assert found == [(2, "wide-words", "'hello' of rule 'r' is in 51% of 120 stored messages")]


def test_few_stored_texts_say_nothing_of_words() -> None:
    rules = "default: {team: t}\nroute: [{id: r, when: {text.words: hello}, then: {team: u}}]\n"
    assert (
        configured(rules, Means(media=MEANS.media, ways=MEANS.ways, shares={" hello ": 1.0}, texts=99)) == []
    )


def test_a_rule_that_no_test_touches_is_a_hint() -> None:
    rules = "default: {team: t}\nroute: [{id: r, when: {channel: sms}, then: {team: u}}]\nreact: [{id: q, on: rated, then: {tags: x}}]\n"
    book = rulebook.load({"r.yaml": BASE + rules})
    found = lint.untested(book, {"q"})
    assert [(each.severity, each.code, each.message) for each in found] == [
        ("hint", "untested", "no test makes rule 'r' match")
    ]


def test_a_choice_that_no_phone_menu_has_is_told_with_the_one_that_may_be_meant() -> None:
    rules = "route: [{id: money, when: {call.choice: [biling, technical]}, then: {team: t}}]\n"
    means = Means(choices=frozenset(("billing", "technical")))
    book = rulebook.load({"r.yaml": BASE + rules + "default: {team: t}\n"})
    told = [each for each in lint.configured(book, means) if each.code == "unknown-choice"]
    assert [each.message for each in told] == ["rule 'money': no phone menu here has 'biling'"]
    assert "billing" in told[0].hint
    assert [each for each in lint.configured(book, Means()) if each.code == "unknown-choice"] == []
