"""What happened to a ticket, as its page says it: sentences, whatever wrote the event."""

from typing import Any

from intake.web.desk import sayings
from tests.rows import every_row


@every_row(
    ("kind", "actor", "details", "said"),
    [
        ("merge_undone", "agent:tom", {"from": "63NXY2S"}, ("tom", "took the merge with 63NXY2S back")),
        ("merge_undone", "agent:tom", {"ref": "E8ZZ9FB"}, ("tom", "took the merge with E8ZZ9FB back")),
        ("nobody_on_duty", "system", {}, ("", "Nobody was on duty")),
        ("routed_again", "rule:again", {"rule": "money"}, ("Rule again", "had it routed again; rule money placed it")),
        ("customer_field_changed", "agent:tom", {"field": "tier", "to": None}, ("tom", "set tier to nothing")),
        ("call_asked", "agent:tom", {"was": "written by another version"}, ("tom", "call asked")),
    ],
)  # fmt: skip
def test_events_are_sentences(kind: str, actor: str, details: dict[str, Any], said: tuple[str, str]) -> None:
    """One of another version, whose details are not known, is its bare words and breaks no page."""
    event = {"id": "1", "at": "2026-11-22T21:00:00Z", "kind": kind, "actor": actor, "details": details}
    found = sayings.of_event(event)
    assert (found.who, found.text) == said


def test_steps_of_a_call_are_told_on_demand_and_its_end_at_once() -> None:
    """What a provider tells of a call is a machine's; that somebody left a message is not."""
    step: dict[str, Any] = {"call": "1", "happened_at": "2026-11-22T21:57:00Z"}
    told = [
        sayings.of_event(
            {"id": "1", "at": step["happened_at"], "kind": kind, "actor": actor, "details": details}
        )
        for kind, actor, details in (
            ("call_started", "system", step | {"to": "+48221234567"}),
            ("call_recorded", "customer", step | {"duration_s": 9, "why": "voicemail"}),
        )
    ]
    assert [each.is_quiet for each in told] == [True, False]
    assert (told[1].who, told[1].text) == ("The customer", "left a message of 9 s")
