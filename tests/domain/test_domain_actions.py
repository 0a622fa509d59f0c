"""What each action does to a ticket, on the real store."""

from typing import Any

import msgspec
import pytest

from intake import desk
from intake.store import schema
from tests.domain.world import RULES, World, at

ANSWER = {"In-Reply-To": "<first@customer.example>"}
MORE = """
fields:
  order: {type: text}
lists:
  blocked: {kept: desk}
"""
FAST = "  fast: {calendar: always, first_response: 1h, next_response: 30m, resolution: 4h, pause: [pending, on_hold]}\nladders:"
BOOK = RULES.replace("ladders:", FAST, 1).replace("sla:", MORE + "sla:", 1)


def noted(world: World, then: str, rules: str = BOOK) -> dict[str, Any]:
    """A ticket to which a rule does something when a note is written; as it is after that."""
    world.use_rules(rules + f"react:\n  - {{id: rule, on: note_added, then: {then}}}\n")
    ticket = world.ticket(world.receive(message_id="first@customer.example"))
    world.advance(minutes=30)
    note(world, ticket)
    return world.row("tickets", ticket["id"])


def note(world: World, ticket: dict[str, Any]) -> None:
    world.store.write_now(lambda tx: desk.note(tx, world.context, ticket["ref"], agent="ewa", text="hm"))


def details(world: World, ticket: dict[str, Any], kind: str) -> dict[str, Any]:
    rows = world.rows("events", "ticket_id = :id AND kind = :kind ORDER BY id", id=ticket["id"], kind=kind)
    found: dict[str, Any] = msgspec.json.decode(rows[-1]["details"])
    return found


@pytest.mark.parametrize(
    ("then", "column", "value"),
    [
        ("{priority: urgent}", "priority", "urgent"),
        ("{status: on_hold}", "status", "on_hold"),
        ("{nature: complaint}", "nature", "complaint"),
        ("{language: pl}", "language", "pl"),
        ("{tags: [a, b]}", "tags", '["a","b"]'),
        ("{field.order: AB1}", "fields", '{"order":"AB1"}'),
        ("{team: billing}", "agent", "ewa"),
        ("{level: lead}", "agent", "tomek"),
        ("{agent: ewa}", "agent", "ewa"),
        ("{close: true}", "status", "closed"),
        ("{spam: true}", "is_spam", 1),
    ],
)
def test_an_action_changes_its_column(world: World, then: str, column: str, value: object) -> None:
    """What a rule writes stands in the ticket."""
    assert noted(world, then)[column] == value


def test_a_field_written_as_none_is_taken_away(world: World) -> None:
    """The second rule event empties what the first wrote."""
    ticket = noted(world, "{field.order: AB1}")
    world.use_rules(BOOK + "react:\n  - {id: rule, on: note_added, then: {field.order: none}}\n")
    note(world, ticket)
    assert world.row("tickets", ticket["id"])["fields"] == "{}"


def test_an_agent_beside_levels_is_filed_under_one_that_the_team_has(world: World) -> None:
    """Of several levels the first that the ticket's team knows counts, whoever is named."""
    rules = BOOK.replace("teams:\n", "teams:\n  night: {levels: {owls: [ewa]}}\n", 1)
    ticket = noted(world, "{level: [owls, lead], agent: ewa}", rules)
    assert (ticket["team"], ticket["level"], ticket["agent"]) == ("support", "lead", "ewa")


def test_team_and_level_are_one_move(world: World) -> None:
    """The lead of the other team has it, and nobody else was told that it is theirs."""
    ticket = noted(world, "{team: billing, level: lead}")
    assert (ticket["team"], ticket["level"], ticket["agent"]) == ("billing", "lead", "tomek")
    assert not world.sent("ewa@desk.example")


def test_another_policy_counts_the_time_used(world: World) -> None:
    """Half an hour of two was used; of one hour half an hour is left."""
    ticket = noted(world, "{sla: fast}")
    assert world.clocks(ticket)["first_response"]["due_at"] == "2026-11-10T10:00:00Z"
    assert ticket["sla"] == "fast"


def test_no_policy_ends_every_clock(world: World) -> None:
    """Nothing falls due any more."""
    noted(world, "{sla: none}")
    assert world.rows("timers", "state = 'pending'") == []


def test_next_response_runs_from_the_customers_next_word(world: World) -> None:
    """After the first answer the customer's question has a target of its own."""
    ticket = noted(world, "{sla: fast}")
    world.reply(ticket, status="open")
    world.advance(minutes=10)
    world.receive(body="and now?", headers=ANSWER)
    assert world.clocks(ticket)["next_response"]["due_at"] == "2026-11-10T10:10:00Z"


def test_a_snoozed_ticket_wakes_up(world: World) -> None:
    """On hold until the instant, then open."""
    ticket = noted(world, "{snooze: 2h}")
    assert ticket["status"] == "on_hold"
    world.advance(hours=2)
    world.fire_due()
    assert world.row("tickets", ticket["id"])["status"] == "open"


def test_a_status_set_meanwhile_ends_the_snooze(world: World) -> None:
    """Pending by hand stays pending."""
    ticket = noted(world, "{snooze: 2h}")
    world.advance(minutes=5)
    world.set_status(ticket, "pending")
    world.advance(hours=2)
    world.fire_due()
    assert world.row("tickets", ticket["id"])["status"] == "pending"


def test_on_hold_by_hand_is_not_ended_by_an_older_snooze(world: World) -> None:
    """Woken by a person and put on hold anew: nobody has said until when."""
    ticket = noted(world, "{snooze: 2h}")
    world.advance(minutes=5)
    world.set_status(ticket, "open")
    world.set_status(ticket, "on_hold")
    world.advance(hours=2)
    world.fire_due()
    assert world.row("tickets", ticket["id"])["status"] == "on_hold"


def test_a_promise_is_a_target(world: World) -> None:
    """It is running, due at the instant, and its passing is an event for rules."""
    rules = BOOK + (
        "react:\n"
        "  - {id: made, on: note_added, then: {promise: 2026-11-12T15:00+01:00}}\n"
        "  - {id: broken, on: promise_due, then: {tags: [broken]}}\n"
    )
    world.use_rules(rules)
    ticket = world.ticket(world.receive())
    note(world, ticket)
    assert world.clocks(ticket)["promise"]["due_at"] == "2026-11-12T14:00:00Z"
    world.clock.at = at("2026-11-12T15:00+01:00")
    world.fire_due()
    assert world.row("tickets", ticket["id"])["tags"] == '["broken"]'


def test_a_blocked_sender_is_in_the_kept_list(world: World) -> None:
    """The next rule that asks for the list finds them."""
    noted(world, "{block: true}")
    (row,) = world.rows("list_values")
    assert (row["list"], row["value"]) == ("blocked", "jan@customer.example")


def test_without_a_kept_list_blocking_is_told_as_not_done(world: World) -> None:
    """There is nowhere to keep the sender."""
    ticket = noted(world, "{block: true}", RULES)
    assert "blocked" in details(world, ticket, "action_not_done")["reason"]


@pytest.mark.parametrize(
    "then", ["{webhook: crm}", "{incident: outage}", "{rating: true}", "{hand_off: crm}"]
)
def test_what_nothing_can_do_is_told(world: World, then: str) -> None:
    """An action that needs another part is an event with its reason, and stops nothing."""
    assert "can do it" in details(world, noted(world, then), "action_not_done")["reason"]


def test_a_reply_goes_to_who_wrote_last(world: World) -> None:
    """A rule that answers a later event answers the customer, in the thread."""
    world.use_rules(BOOK + "react:\n  - {id: rule, on: note_added, then: {reply: still-there}}\n")
    ticket = world.ticket(world.receive(message_id="first@customer.example"))
    world.advance(hours=2)
    note(world, ticket)
    sent = world.sent("jan@customer.example")[-1]
    assert (sent.text, sent.in_reply_to) == ("Are you still there?\n", ("first@customer.example",))


def test_a_second_automatic_reply_within_the_hour_is_withheld(world: World) -> None:
    """The receipt has gone out half an hour ago."""
    ticket = noted(world, "{reply: still-there}")
    assert "within the hour" in details(world, ticket, "reply_withheld")["reason"]


def test_once_counts_for_the_customer_whatever_the_ticket(world: World) -> None:
    """Three mails in a night: one note that we are closed."""
    rules = BOOK.replace("default: {", "default: {once: 12h, ", 1)
    world.use_rules(rules)
    for number in range(3):
        world.receive(body=f"question {number}")
        world.advance(hours=2)
    assert len(world.sent("jan@customer.example")) == 1
    world.advance(hours=8)
    world.receive(body="good morning")
    assert len(world.sent("jan@customer.example")) == 2


def test_routed_again_by_what_was_said_later(world: World) -> None:
    """While no person has taken it, a later line moves it; the clock goes on from the first."""
    world.use_rules(BOOK + "react:\n  - {id: again, on: customer_replied, then: {route: again}}\n")
    ticket = world.ticket(world.receive(subject="Hi", body="Hi", message_id="first@customer.example"))
    world.advance(minutes=10)
    world.receive(subject="Re: Hi", body="I want a refund", headers=ANSWER)
    after = world.row("tickets", ticket["id"])
    assert (after["team"], after["rule"], after["tags"]) == ("billing", "money", '["money"]')
    assert world.clocks(ticket)["first_response"]["due_at"] == "2026-11-10T11:00:00Z"
    assert len(world.sent("jan@customer.example")) == 1


def test_a_ticket_that_a_person_has_taken_is_not_routed_again(world: World) -> None:
    """An answer takes it."""
    world.use_rules(BOOK + "react:\n  - {id: again, on: customer_replied, then: {route: again}}\n")
    ticket = world.ticket(world.receive(subject="Hi", body="Hi", message_id="first@customer.example"))
    world.reply(ticket)
    world.receive(subject="Re: Hi", body="I want a refund", headers=ANSWER)
    assert world.row("tickets", ticket["id"])["team"] == "support"


SKILLED = BOOK.replace("ania: {email", "ania: {skills: [en], email").replace(
    "ewa: {email", "ewa: {skills: [en, pl], email"
)


def test_skills_are_asked_for_until_they_are_relaxed(world: World) -> None:
    """Nobody of the level knows Greek: the ticket waits half an hour, then anybody has it."""
    rules = SKILLED.replace("tomek: {email", "tomek: {skills: [el], email").replace(
        "team: support,", "team: support, skills: {need: el, relax: 30m},", 1
    )
    world.use_rules(rules)
    ticket = world.ticket(world.receive())
    assert ticket["agent"] is None
    world.advance(minutes=30)
    world.fire_due()
    after = world.row("tickets", ticket["id"])
    assert (after["agent"], after["skills"]) == ("ania", None)


def test_a_deputy_gets_the_notices_of_who_is_away(world: World) -> None:
    """Told by name, while away."""
    rules = BOOK.replace("ania: {email", "ania: {deputy: tomek, email")
    world.use_rules(rules + "react:\n  - {id: tell, on: note_added, then: {notify: assignee}}\n")
    ticket = world.ticket(world.receive())
    world.store.write_now(lambda tx: tx.update(schema.agent_state, {"name": "ania"}, is_away=1))
    note(world, ticket)
    assert "asked to look" in world.sent("tomek@desk.example")[-1].text


def test_an_agent_at_capacity_gets_no_more(world: World) -> None:
    """The third mail waits with the team."""
    rules = BOOK.replace(
        "support: {levels: {l1: [ania], l2: [ewa], lead: [tomek]}}",
        "support: {levels: {l1: [ania], l2: [ewa], lead: [tomek]}, assign: {by: least_loaded, capacity: {email: 2}}}",
    )
    world.use_rules(rules)
    given = [world.ticket(world.receive(f"c{number}@customer.example"))["agent"] for number in range(3)]
    assert given == ["ania", "ania", None]
