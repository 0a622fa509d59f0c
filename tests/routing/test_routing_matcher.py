"""The index finds every rule that the plain evaluator finds: generated rules on generated messages."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import explain, rulebook
from routing.decision import decide
from routing.facts import AttachmentFacts, CustomerFacts, DeskFacts, Facts, SenderFacts
from routing.matcher import Key, requirement
from routing.view import View
from tests.rows import every_row

WORDS = [
    "refund",
    "Zwrot",
    "zwrotów",
    "nie działa",
    "δεν",
    "error",
    "502",
    "re",
    "ß",
    "退款",
    "don't",
    "ЗАМОК",
    "i",
]
DOMAINS = ["acme.com", "eu.acme.com", "other.example", "ACME.com"]
CHANNELS = ["email", "sms", "chat"]

ENRICHING: list[dict[str, Any]] = [{"team": "t"}, {"field.order": "CD2"}, {"agent": "a"}]

texts = st.lists(
    st.sampled_from([*WORDS, "xx", "!", "ref und", "WORK", "Straße", "order AB1", "order cd2, 12,00 zł"]),
    max_size=6,
).map(" ".join)
leaves: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda field, words: {f"{field}.words": words}, st.sampled_from(["text", "subject", "body"]),
              st.lists(st.sampled_from([*WORDS, "zwrot*", "ref*", "re*"]), min_size=1, max_size=3)),
    st.builds(lambda words: {"text.words": {"only": words}}, st.lists(st.sampled_from(WORDS), min_size=1, max_size=3)),
    st.builds(lambda text: {"text.regex": text},
              st.sampled_from([r"err?or\s+\d", r"\bzwrot\b", "refund|zwrot", r"dzia.a", "ref(und)?", r"STRASSE|ß", r"\w+ów"])),
    st.builds(lambda value: {"channel": value}, st.one_of(st.sampled_from(CHANNELS), st.lists(st.sampled_from(CHANNELS), min_size=1))),
    st.builds(lambda value: {"sender.domain": value}, st.sampled_from([*DOMAINS, "*.acme.com", "none", "any", ["none", "acme.com"]])),
    st.builds(lambda value: {"sender.domain": {"in": value}}, st.sampled_from([["acme.com"], "vips"])),
    st.builds(lambda value: {"recipient": value}, st.sampled_from(["a@x.example", "none", ["a@x.example", "b@x.example"]])),
    st.builds(lambda value: {"header.X-Kind": value}, st.sampled_from(["alert", "none", "any", {"none": ["alert"]}])),
    st.builds(lambda value: {"spam.score": value}, st.sampled_from([5, ">=3", {"at_most": 2}, {"between": [1, 4]}, "none"])),
    st.builds(lambda value: {"attachment.name": value}, st.sampled_from(["*.pdf", "a.pdf", "none"])),
    st.builds(lambda value: {"customer.tags": value}, st.sampled_from(["gold", "none", ["gold", "silver"]])),
    st.builds(lambda value: {"ticket.tags": value}, st.sampled_from(["t0", "t1", "none", "any"])),
    st.builds(lambda value: {"time": value}, st.sampled_from([{"inside": "office"}, {"weekday": "mon-fri"}, {"hour": ">=12"}])),
    st.builds(lambda value: {"sender.verified": value}, st.booleans()),
    st.just({"language": "pl"}),
    st.builds(lambda value: {"form.topic": value}, st.sampled_from(["Refund", ["refund", "other"], "none", {"only": ["refund"]}])),
    st.builds(lambda value: {"call.choice": value}, st.sampled_from(["1", ["1", "2"], "none", "any"])),
    st.builds(lambda value: {"customer.tier": value}, st.sampled_from(["A", ["a", "none"]])),
    st.builds(lambda value: {"customer.field.city": value}, st.sampled_from(["Łódź", "none", ["łódź", "Oslo"]])),
    st.builds(lambda value: {"customer.tickets": value}, st.sampled_from([1, ">=2", {"within": "7d", "at_least": 2}])),
    st.builds(lambda value: {"customer.last_rating": value}, st.sampled_from([[1, 2], ["none", 5], {"at_most": 2}])),
    st.builds(lambda value: {"ticket.field.order": value}, st.sampled_from(["AB1", "none", ["ab1", "CD2"]])),
    st.builds(lambda value: {"ticket.field.amount": value}, st.sampled_from([12, ">=10", [7, "none"]])),
    st.builds(lambda value: {"ticket.team": value}, st.sampled_from(["t", "none"])),
    st.builds(lambda value: {"team.waiting": value}, st.sampled_from([2, "none", {"at_least": 1}])),
    st.builds(lambda value: {"agent.available": value}, st.booleans()),
    st.builds(lambda value: {"team.open_now": value}, st.booleans()),
    st.builds(lambda value: {"incident.open": value}, st.booleans()),
    st.builds(lambda value: {"time": {"date": value}}, st.sampled_from(["2026-06-01", {"at_least": "2026-06-01"}, ["2026-01-01", "2026-12-31"]])),
    st.builds(lambda value: {"attachment.name": {"only": value}}, st.sampled_from([["a.pdf", "b.png"], "*.pdf"])),
    st.just({"sender.domain": {"in": "blocked"}}),
)  # fmt: skip
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda mode, members: {mode: members}, st.sampled_from(["all", "any", "none"]),
                  st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one, other: {**one, **other}, inner, inner),
        st.builds(lambda one: {"not": one}, leaves),
    ),
    max_leaves=5,
)  # fmt: skip
facts = st.builds(
    Facts,
    at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(tzinfo=UTC)),
    channel=st.sampled_from(CHANNELS),
    recipient=st.lists(st.sampled_from(["a@x.example", "b@x.example"]), max_size=2).map(tuple),
    subject=texts,
    body=texts,
    language=st.sampled_from(["pl", "en", None]),
    headers=st.sampled_from([{}, {"x-kind": ("Alert", "other")}, {"x-kind": ("other",)}]),
    attachments=st.sampled_from([(), (AttachmentFacts("A.PDF"), AttachmentFacts("b.png"))]),
    spam_score=st.sampled_from([None, 1.0, 3.5, 7.0]),
    sender=st.builds(SenderFacts, domain=st.sampled_from([*DOMAINS, None]), verified=st.booleans()),
    form=st.sampled_from([{}, {"Topic": "refund"}, {"topic": "Other"}]),
    call_choice=st.sampled_from([None, "1", "3"]),
    kept=st.sampled_from([{}, {"blocked": ("acme.com",)}]),
    desk=st.builds(DeskFacts, incident_open=st.booleans(), waiting=st.sampled_from([{}, {"t": 2}])),
    customer=st.builds(
        CustomerFacts,
        tags=st.sampled_from([(), ("gold",), ("Silver", "x")]),
        tier=st.sampled_from([None, "a", "B"]),
        last_rating=st.sampled_from([None, 1, 5]),
        tickets=st.sampled_from(
            [(), (datetime(2026, 1, 1, tzinfo=UTC),), (datetime(2025, 1, 1, tzinfo=UTC),) * 3]
        ),
        fields=st.sampled_from([{}, {"city": "łódź"}, {"city": "Oslo"}]),
    ),
)


def written(enrich: list[dict[str, Any]], route: list[dict[str, Any]]) -> str:
    """JSON is YAML."""
    book = {
        "version": 1,
        "calendars": {"office": {"timezone": "Europe/Warsaw", "open": {"mon-fri": "09:00-17:00"}}},
        "agents": {"a": {}},
        "teams": {"t": {"levels": {"l1": ["a"]}}},
        "lists": {"vips": ["ACME.com", "*.acme.com"], "blocked": {"kept": "desk"}},
        "fields": {
            "order": {"type": "text", "extract": r"order ([A-Z]{2}\d)"},
            "amount": {"type": "number", "extract": r"(\d+,\d\d) zł"},
        },
        "enrich": [
            {"id": f"e{n}", "when": when, "then": {"tags": [f"t{n}"], **ENRICHING[n % len(ENRICHING)]}}
            for n, when in enumerate(enrich)
        ],
        "route": [{"id": f"r{n}", "when": when, "then": {"team": "t"}} for n, when in enumerate(route)],
        "default": {"team": "t"},
    }
    return msgspec.json.encode(book).decode()


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(
    st.lists(conditions, max_size=3),
    st.lists(conditions, min_size=1, max_size=6),
    st.lists(facts, min_size=3, max_size=6),
)
def test_the_index_agrees_with_the_plain_evaluator(
    enrich: list[dict[str, Any]], route: list[dict[str, Any]], messages: list[Facts]
) -> None:
    book = rulebook.load({"rules.yaml": written(enrich, route)})
    for message in messages:
        decision = decide(book, message)
        assert decision.failed == ()
        assert decision.matched == explain.matching(book, message)


def test_a_rule_is_filed_under_its_rarest_requirement() -> None:
    when = {"channel": "email", "sender.address": ["A@x.example", "b@x.example"], "text.words": ["refund*"]}
    book = rulebook.load({"rules.yaml": written([], [when])})
    keys = requirement(book.route[0].when)
    assert keys is not None
    assert set(keys) == {
        Key("sender.address", "a@x.example"),
        Key("sender.address", "b@x.example"),
    }


@every_row(
    "when",
    [
        {"sender.domain": ["none", "acme.com"]},
        {"sender.domain": ["any", "acme.com"]},
        {"sender.domain": ["*.acme.com", "acme.com"]},
        {"ticket.tags": "vip"},
        {"text.quoted.words": "old"},
        {"any": [{"channel": "email"}, {"sender.verified": True}]},
        {"none": [{"channel": "email"}]},
        {"text.regex": "refund|zwrot"},
    ],
)
def test_a_rule_that_can_do_without_any_value_is_always_tried(when: dict[str, Any]) -> None:
    assert requirement(rulebook.load({"rules.yaml": written([], [when])}).route[0].when) is None


def test_candidates_of_many_rules_are_few() -> None:
    route: list[dict[str, Any]] = [{"text.words": [f"word{n}"]} for n in range(300)]
    book = rulebook.load({"rules.yaml": written([], route)})
    message = Facts(at=datetime(2026, 1, 1, tzinfo=UTC), body="one word7 and Word12, but no sword9 or word1x")
    assert book.index.candidates(View(message, calendars=book.calendars)) == [7, 12]
