"""Fields found in what customers write: the first group of a pattern, when it fits the field's type."""

from typing import Any

from routing import rulebook
from routing.customer_text import WHEN_NOT_SAID
from routing.decision import decide
from routing.facts import Facts
from routing.fields import MAX_CHARACTERS, FieldRule, extracted, value_of
from tests.rows import every_row

BOOK = r"""
version: 1
agents: {a: {}}
teams: {t: {levels: {l: [a]}}, u: {levels: {l: [a]}}}
fields:
  order: {type: text, extract: 'order[ #:]+([A-Z]{2}\d{6})'}
  exact: {type: text, extract: '(?-i)Ref ([A-Z]+)'}
  amount: {type: number, extract: '(?:total|razem)\D{0,3}([\d., ]*\d|\w+)'}
  until: {type: date, extract: 'until (\S+)'}
  gift: {type: flag, extract: 'gift: (\w+)'}
  size: {type: choice, extract: 'size (\w+)', choices: [Small, Large]}
  street: {type: text, extract: '\bul\.? (\w+)\b'}
  note: {type: text}
enrich:
  - {id: known, when: {ticket.field.order: any}, then: {tags: [ordered]}}
  - {id: dear, when: {ticket.field.amount: {at_least: 1000}}, then: {tags: [dear], field.note: look}}
route:
  - {id: noted, when: {ticket.field.note: look}, then: {team: u}}
default: {team: t}
"""


def book() -> rulebook.Rulebook:
    return rulebook.load({"r.yaml": BOOK})


def found(body: str, subject: str = "") -> dict[str, str]:
    return extracted(book(), Facts(at=WHEN_NOT_SAID, channel="email", subject=subject, body=body))


@every_row(
    ("body", "expected"),
    [
        ("my Order #AB123456 please", {"order": "AB123456"}),
        ("ORDER: ab123456, order CD000000", {"order": "ab123456"}),
        ("order 123456", {}),
        ("ref ABC Ref XYZ", {"exact": "XYZ"}),
        ("ref ABC", {}),
        ("Razem: 1 250,50 zł", {"amount": "1 250,50"}),
        ("total 1.250,50", {"amount": "1.250,50"}),
        ("total unknown, total 7", {"amount": "7"}),
        ("total unknown", {}),
        ("until tomorrow until 2026-11-30", {"until": "2026-11-30"}),
        ("until 2026-02-30", {}),
        ("until 1.2.2026", {"until": "1.2.2026"}),
        ("gift: YES", {"gift": "YES"}),
        ("gift: perhaps", {}),
        ("size LARGE", {"size": "Large"}),
        ("size huge, size small", {"size": "Small"}),
        ("ul. Żółwia 7", {"street": "Żółwia"}),
        ("UL ŻÓŁWIA", {"street": "ŻÓŁWIA"}),
        ("", {}),
    ],
)
def test_a_field_is_found_as_it_is_written(body: str, expected: dict[str, str]) -> None:
    assert found(body) == expected


def test_a_field_is_found_in_the_subject_before_the_body() -> None:
    assert found("order AB000002", "Order AB000001") == {"order": "AB000001"}


def test_of_many_finds_that_do_not_fit_only_the_first_twenty_are_looked_at() -> None:
    assert found("total wxyz " * 19 + "total 7") == {"amount": "7"}
    assert found("total wxyz " * 20 + "total 7") == {}


def test_a_long_find_is_cut() -> None:
    assert len(found(f"ul. {'a' * 5_000}")["street"]) == MAX_CHARACTERS


def test_rules_of_every_stage_see_the_fields_that_are_known_by_then() -> None:
    facts = Facts(at=WHEN_NOT_SAID, channel="email", body="order AB123456, total 1 250,50")
    decision = decide(book(), facts)
    assert (decision.tags, decision.rule) == (("ordered", "dear"), "noted")
    assert decision.fields == {"order": "AB123456", "amount": "1 250,50", "note": "look"}


@every_row(
    ("type_", "text", "value"),
    [
        ("number", "12", 12.0),
        ("number", "-3.5", -3.5),
        ("number", "+7", 7.0),
        ("number", "1 250,50", 1250.5),
        ("number", "1\u00a0250\u202f000", 1_250_000.0),
        ("number", "1,250.50", 1250.5),
        ("number", "1.250,50", 1250.5),
        ("number", "1.250.000", 1_250_000.0),
        ("number", "1'250", 1250.0),
        ("number", "12a", None),
        ("number", "", None),
        ("number", ".", None),
        ("number", "1 2 .", None),
        ("number", "٣", None),
        ("number", "9" * 60, None),
        ("date", " 2026-11-30 ", "2026-11-30"),
        ("date", "30. 11. 2026", "2026-11-30"),
        ("date", "31.11.2026", None),
        ("date", "11/30/2026", None),
        ("flag", "True", True),
        ("flag", " no", False),
        ("flag", "si", None),
        ("choice", "LARGE ", "Large"),
        ("choice", "larger", None),
        ("text", " x y ", "x y"),
        ("text", "  ", None),
    ],
)
def test_a_text_is_read_by_the_type_of_its_field(type_: Any, text: str, value: object) -> None:
    assert value_of(FieldRule("x", type_, choices=("Small", "Large")), text) == value
