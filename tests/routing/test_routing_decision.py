"""What happens to a message: stages, who wins, and why, as tables of rules and rows."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from routing import rulebook
from routing.decision import decide, decision_json
from routing.explain import why_not
from routing.facts import AgentLoad, AttachmentFacts, CustomerFacts, Facts, SenderFacts
from routing.rulebook import Rulebook
from tests.rows import every_row

BASE = """
version: 1
calendars:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {hours: office}
  ewa: {}
  tomek: {}
teams:
  billing: {levels: {l1: [ania], l2: [ewa], lead: [tomek]}}
  support: {levels: {l1: [ewa], lead: [tomek]}}
sla:
  fast: {calendar: always, first_response: {high: 1h, normal: 8h}}
  slow: {calendar: office, first_response: {high: 2h, normal: 4h}}
conditions:
  at_night: {time: {outside: office}}
"""
DEFAULT = "default: {team: support, priority: normal, sla: slow, reply: {email: received}}\n"
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def book(
    rules: str = "", *, default: str = DEFAULT, lists: dict[str, tuple[str, ...]] | None = None
) -> Rulebook:
    return rulebook.load({"rules.yaml": BASE + rules + default}, lists=lists)


def message(**given: Any) -> Facts:
    return Facts(**{"at": NOON, "channel": "email", **given})


def sender(address: str = "jan@eu.acme.com", **given: Any) -> SenderFacts:
    return SenderFacts(address=address, domain=address.rpartition("@")[2], **given)


def holds(when: str, facts: Facts) -> bool:
    rules = f"route:\n  - {{id: x, when: {when}, then: {{team: billing}}}}\n"
    return decide(book(rules, lists={"vips": ("acme.com", "*.acme.com")}), facts).rule == "x"


@every_row(
    ("when", "facts", "expected"),
    [
        ("{channel: email}", message(), True),
        ("{channel: [sms, EMAIL]}", message(), True),
        ("{channel: sms}", message(), False),
        ("{sender.domain: acme.com}", message(sender=sender()), False),
        ('{sender.domain: "*.acme.com"}', message(sender=sender()), True),
        ('{sender.domain: "*.acme.com"}', message(sender=sender("a@acme.com")), False),
        ("{sender.domain: {in: vips}}", message(sender=sender("a@ACME.com")), True),
        ("{sender.domain: {in: vips}}", message(sender=sender("a@badacme.com")), False),
        ("{sender.domain: {none: [acme.com]}}", message(sender=sender()), True),
        ("{sender.address: none}", message(), True),
        ("{sender.address: any}", message(), False),
        ("{sender.name: [none, Jan]}", message(sender=sender(name="JAN")), True),
        ("{sender.name: {empty: false}}", message(sender=sender()), False),
        ("{sender.verified: true}", message(sender=sender(verified=True)), True),
        ("{sender.known_since: {at_most: 2026-01-01}}", message(sender=sender(known_since=NOON)), False),
        ("{sender.known_since: none}", message(sender=sender()), True),
        ("{recipient: sales@x.example}", message(recipient=("a@x.example", "sales@x.example")), True),
        ("{header.X-Kind: alert}", message(headers={"x-kind": ("Alert",)}), True),
        ("{header.x-kind: none}", message(), True),
        ('{attachment.name: "*.pdf", attachment.count: 2}',
         message(attachments=(AttachmentFacts("A.PDF"), AttachmentFacts("b"))), True),
        ('{attachment.type: "image/*"}', message(attachments=(AttachmentFacts(type="image/png"),)), True),
        ("{attachment.size: {at_least: 5MB}}", message(attachments=(AttachmentFacts(size=5_000_000),)), True),
        ("{attachment.size: {at_least: 5MB}}", message(attachments=(AttachmentFacts(size=4_999_999),)), False),
        ("{attachment.size: {at_least: 10, at_most: 20}}",
         message(attachments=(AttachmentFacts(size=5), AttachmentFacts(size=25))), False),
        ('{spam.score: ">=5"}', message(spam_score=5.0), True),
        ('{spam.score: "<=5"}', message(), False),
        ("{spam.score: {between: [1, 2]}}", message(spam_score=2.5), False),
        ("{automatic: true}", message(automatic="list"), True),
        ("{automatic: bounce}", message(automatic="list"), False),
        ("{automatic: none}", message(), True),
        ("{unreadable: true}", message(unreadable=True), True),
        ("{created_by: agent}", message(created_by="agent"), True),
        ("{customer.tags: gold, customer.open_tickets: {at_least: 2}}",
         message(customer=CustomerFacts(tags=("x", "Gold"), open_tickets=2)), True),
        ("{customer.first_contact: false}", message(), False),
        ("{subject.words: refund}", message(body="refund"), False),
        ("{text.words: refund}", message(subject="Re: REFUND!"), True),
        ('{text.words: "not working"}', message(body="it is not, working"), True),
        ("{text.words: fund}", message(body="refund funds"), False),
        ('{text.words: "fund*"}', message(body="refund funds"), True),
        ("{text.quoted.words: old}", message(quoted="> old"), True),
        ("{subject: hello}", message(subject=" Hello "), True),
        ('{text.words: {only: [thanks, "thank you", "dzięk*"]}}', message(body="Thank you!! Dziękuję."), True),
        ("{text.words: {only: [thanks]}}", message(body="thanks, but no"), False),
        ("{text.words: {only: [thanks]}}", message(subject="Re: my order", body="thanks"), True),
        ("{text.words: {only: [thanks]}}", message(subject="my order", body="thanks"), False),
        ("{body.regex: 'order #\\d+'}", message(body="Order #77"), True),
        ("at_night", message(), False),
        ("{none: [at_night]}", message(), True),
        ("{all: [at_night, {channel: email}]}", message(at=datetime(2026, 11, 3, 16, tzinfo=UTC)), True),
        ("{time: {weekday: [mon, tue-wed]}}", message(), True),
        ("{time: {weekday: sat-mon}}", message(), False),
        ("{time: {hour: {between: [13, 13]}}}", message(), True),  # 12 UTC is 13 in Warsaw
        ("{time: {hour: 12, in: always}}", message(), True),
        ("{time.hour: {at_least: 14}}", message(), False),
        ("{any: [{channel: sms}, {not: {channel: chat}}]}", message(), True),
        ("{any: [{channel: sms}], channel: email}", message(), False),
    ],
)  # fmt: skip
def test_conditions(when: str, facts: Facts, expected: object) -> None:
    assert holds(when, facts) is expected


ENRICH = """
enrich:
  - {id: low, when: {channel: email}, then: {priority: low, sla: slow, tags: [a, b], nature: question, notify: lead}}
  - {id: high, when: {channel: email}, then: {priority: high, sla: fast, tags: [c], nature: sales, notify: [lead, ewa]}}
  - {id: other, when: {channel: sms}, then: {priority: urgent}}
route:
  - {id: by-tag, when: {ticket.tags: c, ticket.priority: high}, then: {team: billing, nature: complaint, untag: a, tags: d}}
  - {id: late, when: {channel: email}, then: {team: support}}
"""


def test_enrich_applies_all_and_route_the_first() -> None:
    decision = decide(book(ENRICH), message())
    assert decision.matched == ("low", "high", "by-tag")
    assert (decision.rule, decision.team) == ("by-tag", "billing")


def test_of_several_writers_each_field_has_its_winner() -> None:
    decision = decide(book(ENRICH), message())
    assert (decision.priority, decision.sla, decision.nature) == ("high", "fast", "complaint")
    assert decision.tags == ("b", "c", "d")
    assert [action.value for action in decision.actions if action.kind == "notify"] == ["lead", "ewa"]


def test_every_write_that_lost_is_kept_with_the_winner() -> None:
    lost = {(each.rule, each.field, each.value, each.by) for each in decide(book(ENRICH), message()).ignored}
    assert lost == {
        ("low", "priority", "low", "high"),
        ("low", "sla", "slow", "high"),
        ("low", "nature", "question", "by-tag"),
        ("high", "nature", "sales", "by-tag"),
    }


def test_the_strictest_policy_is_measured_at_the_final_priority() -> None:
    """slow answers in 4 h at normal, fast in 8 h; at high it is the other way round."""
    rules = """
enrich:
  - {id: one, when: {channel: email}, then: {sla: fast}}
  - {id: two, when: {channel: email}, then: {sla: slow}}
  - {id: vip, when: {sender.verified: true}, then: {priority: high}}
"""
    assert decide(book(rules), message()).sla == "slow"
    assert decide(book(rules), message(sender=sender(verified=True))).sla == "fast"


def test_no_policy_is_the_least_strict_one() -> None:
    rules = """
enrich:
  - {id: one, when: {channel: email}, then: {sla: none}}
  - {id: two, when: {sender.verified: true}, then: {sla: fast}}
"""
    assert decide(book(rules), message()).sla is None
    assert decide(book(rules), message(sender=sender(verified=True))).sla == "fast"


def test_default_fills_only_what_nobody_wrote() -> None:
    decision = decide(book(), message(channel="sms"))
    assert (decision.rule, decision.matched, decision.reasons) == ("default", (), ())
    assert (decision.team, decision.level, decision.agent) == ("support", "l1", "ewa")
    assert (decision.priority, decision.sla, decision.status) == ("normal", "slow", "new")


def test_what_only_default_would_fill_is_not_yet_seen_by_rules() -> None:
    assert not holds("{ticket.priority: normal}", message())
    assert holds("{ticket.priority: none}", message())


@every_row(
    ("reply", "channel", "sent"),
    [
        ("{email: received, sms: none}", "email", ["received"]),
        ("{email: received, sms: none}", "sms", []),
        ("{email: received}", "chat", []),
        ("received", "chat", ["received"]),
        ("none", "email", []),
    ],
)
def test_a_reply_is_chosen_by_medium(reply: str, channel: str, sent: list[str]) -> None:
    decision = decide(book(default=f"default: {{team: support, reply: {reply}}}"), message(channel=channel))
    assert [action.value for action in decision.actions] == sent


@pytest.mark.parametrize(
    ("facts", "why"), [({"automatic": "auto_reply"}, "automatic"), ({"spam_score": 9.0}, "spam")]
)
def test_machines_and_spam_are_never_answered(facts: dict[str, Any], why: str) -> None:
    rules = "enrich:\n  - {id: spam, when: {spam.score: {at_least: 5}}, then: {spam: true}}\n"
    decision = decide(book(rules), message(**facts))
    assert [action.kind for action in decision.actions if action.kind == "reply"] == []
    assert [(each.rule, each.field, each.value) for each in decision.ignored] == [
        ("default", "reply", "received")
    ]
    assert why in decision.ignored[0].by


def test_spam_is_assigned_to_nobody() -> None:
    rules = "enrich:\n  - {id: spam, when: {channel: email}, then: {spam: true}}\n"
    decision = decide(book(rules), message())
    assert (decision.agent, [(each.kind, each.value) for each in decision.actions]) == (
        None,
        [("spam", True)],
    )


@every_row(
    ("then", "facts", "expected"),
    [
        ("{team: billing}", {}, ("l1", "ania")),
        ("{team: billing}", {"at": datetime(2026, 11, 3, 20, tzinfo=UTC)}, ("l1", None)),
        (
            "{team: billing, level: [l1, lead]}",
            {"at": datetime(2026, 11, 3, 20, tzinfo=UTC)},
            ("lead", "tomek"),
        ),
        ("{team: billing, agent: ewa}", {}, ("l2", "ewa")),
        ("{team: billing, agent: none}", {}, ("l1", None)),
        ("{team: billing}", {"agents": {"ania": AgentLoad(away=True)}}, ("l1", None)),
        ("{level: l2}", {}, ("l1", None)),  # support has no l2: an empty level
    ],
)
def test_assignment_follows_team_level_and_duty(
    then: str, facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    rules = f"route:\n  - {{id: x, when: {{channel: email}}, then: {then}}}\n"
    decision = decide(book(rules), message(**facts))
    assert (decision.level, decision.agent) == expected


def test_reasons_say_what_was_wanted_and_what_was_there() -> None:
    rules = """
route:
  - id: x
    when:
      text.words: ["refund*", outage]
      any: [{channel: sms}, {sender.domain: "*.acme.com"}]
      none: {language: pl}
    then: {team: billing}
"""
    (reason,) = decide(book(rules), message(body="Refunds please", sender=sender(), language="en")).reasons
    assert (reason.rule, reason.line) == ("x", BASE.count("\n") + 3)
    assert [(each.field, each.wanted, each.actual, each.held) for each in reason.conditions] == [
        ("text.words", ["refund*", "outage"], ["refund"], True),
        ("sender.domain", "*.acme.com", "eu.acme.com", True),
        ("language", {"none": "pl"}, "en", True),
    ]


def test_reasons_never_hold_the_whole_text() -> None:
    rules = "route:\n  - {id: x, when: {text.regex: 'secret.*'}, then: {team: billing}}\n"
    decision = decide(book(rules), message(body="a secret " + "x" * 5_000))
    assert len(msgspec.json.encode(decision_json(decision, {}))) < 1_500


def test_why_not_tells_of_every_other_rule() -> None:
    told = {each.rule: each for each in why_not(book(ENRICH), message())}
    assert told["late"].outcome == "matches, but 'by-tag' comes first"
    assert told["other"].outcome == "does not match"
    assert [(each.actual, each.held) for each in told["other"].conditions] == [("email", False)]


def test_the_decision_as_json_has_the_public_keys() -> None:
    shown = decision_json(decide(book(ENRICH), message()), {"first_response": NOON})
    assert list(shown)[:11] == [
        "rulebook", "matched", "rule", "team", "agent", "priority", "sla", "tags", "due", "actions", "reasons",
    ]  # fmt: skip
    assert shown["due"] == {"first_response": "2026-11-03T12:00:00Z"}
    assert shown["reasons"][0] == {
        "rule": "low",
        "line": BASE.count("\n") + 3,
        "conditions": [{"field": "channel", "wanted": "email", "actual": "email", "held": True}],
    }
    assert msgspec.json.decode(msgspec.json.encode(shown)) == shown


def test_a_rule_that_breaks_is_no_match_and_is_told() -> None:
    class Broken(msgspec.Struct, frozen=True):
        def holds(self, view: object) -> bool:
            raise RuntimeError("out of order")

    rules = "route:\n  - {id: x, when: {time: {weekday: mon-sun}}, then: {team: billing}}\n"
    good = book(rules)
    broken = msgspec.structs.replace(good.rules[0], when=Broken())
    decision = decide(msgspec.structs.replace(good, rules=(broken,), route=(broken,)), message())
    assert (decision.rule, decision.failed) == ("default", (("x", "RuntimeError: out of order"),))


def test_the_same_text_gives_the_same_rulebook() -> None:
    first = book(ENRICH, lists={"vips": ("a.example",)})
    again = rulebook.from_text(first.text)
    assert again.hash == first.hash
    assert decide(again, message()) == decide(first, message())


def test_a_rulebook_names_the_facts_it_needs() -> None:
    rules = "route:\n  - {id: x, when: {customer.open_tickets: 1, any: [{text.words: a}]}, then: {team: billing}}\n"
    assert book(rules).needs == {"customer.open_tickets", "text"}


def test_several_files_are_one_rulebook_in_the_order_of_their_names() -> None:
    files = {
        "20.yaml": "route:\n  - {id: second, when: {channel: email}, then: {team: billing}}\n",
        "10.yaml": BASE
        + DEFAULT
        + "route:\n  - {id: first, when: {channel: email}, then: {team: support}}\n",
    }
    assert [rule.id for rule in rulebook.load(files).rules] == ["first", "second"]
