"""Rules for later events, on the real store."""

from typing import Any

import msgspec
import pytest

from intake import desk
from intake.store import schema
from tests.domain.world import RULES, World

ANSWER = {"In-Reply-To": "<first@customer.example>"}


def ruled(world: World, react: str) -> dict[str, Any]:
    """Open a ticket under the rules with react rules beside them."""
    world.use_rules(RULES + "react:\n" + react)
    return world.ticket(world.receive(message_id="first@customer.example"))


def reacted(world: World, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    rows = world.rows("events", "ticket_id = :id AND kind = 'reacted' ORDER BY id", id=ticket["id"])
    return [msgspec.json.decode(row["details"]) for row in rows]


def now(world: World, ticket: dict[str, Any]) -> dict[str, Any]:
    return world.row("tickets", ticket["id"])


def test_thank_you_does_not_reopen(world: World) -> None:
    """A rule refuses the built-in reopening of a solved ticket."""
    ticket = ruled(
        world,
        "  - {id: thanks, on: customer_replied, when: {ticket.status: solved, body.words: {only: [thanks]}}, then: {reopen: false}}\n",
    )
    world.set_status(ticket, "solved")
    world.receive(subject="Re: My printer", body="Thanks!", headers=ANSWER)
    assert now(world, ticket)["status"] == "solved"


def test_anything_else_reopens(world: World) -> None:
    """The same rule leaves other replies to what is built in."""
    ticket = ruled(
        world,
        "  - {id: thanks, on: customer_replied, when: {ticket.status: solved, body.words: {only: [thanks]}}, then: {reopen: false}}\n",
    )
    world.set_status(ticket, "solved")
    world.receive(body="Thanks, but it burns again", headers=ANSWER)
    assert now(world, ticket)["status"] == "open"


def test_rules_see_the_ticket_as_it_was_before_the_reply(world: World) -> None:
    """Solved is what the rule asks for, although the reply opens it."""
    ticket = ruled(
        world,
        "  - {id: back, on: customer_replied, when: {ticket.status: solved}, then: {tags: [came-back]}}\n",
    )
    world.set_status(ticket, "solved")
    world.receive(body="no", headers=ANSWER)
    after = now(world, ticket)
    assert (after["status"], after["tags"]) == ("open", '["came-back"]')


def test_a_status_that_a_rule_sets_stands(world: World) -> None:
    """What is built in does not undo what a rule has said: "OK" closes an alert's ticket."""
    ticket = ruled(world, "  - {id: ok, on: customer_replied, when: {body.words: ok}, then: {close: true}}\n")
    world.set_status(ticket, "pending")
    world.receive(body="OK", headers=ANSWER)
    assert now(world, ticket)["status"] == "closed"


def test_what_a_rule_changes_sets_off_no_other_rule(world: World) -> None:
    """There is no recursion."""
    ticket = ruled(
        world,
        "  - {id: one, on: customer_replied, then: {status: pending}}\n"
        "  - {id: two, on: status_changed, then: {tags: [changed]}}\n",
    )
    world.receive(body="more", headers=ANSWER)
    assert now(world, ticket)["tags"] == "[]"


def test_a_reopening_by_the_customer_is_an_event_for_rules(world: World) -> None:
    """What is built in is no rule's change."""
    ticket = ruled(world, "  - {id: again, on: reopened, then: {tags: [again]}}\n")
    world.set_status(ticket, "solved")
    world.receive(body="no", headers=ANSWER)
    assert now(world, ticket)["tags"] == '["again"]'


def test_an_away_assignee_loses_the_ticket_when_the_customer_replies(world: World) -> None:
    """Back to the team: nobody has it until somebody takes it."""
    ticket = ruled(
        world,
        "  - {id: away, on: customer_replied, when: {agent.available: false}, then: {agent: none}}\n",
    )
    assert ticket["agent"] == "ania"
    world.store.write_now(lambda tx: tx.insert(schema.agent_state, name="ewa", is_away=0))
    world.store.write_now(lambda tx: tx.update(schema.agent_state, {"name": "ania"}, is_away=1))
    world.receive(body="hello?", headers=ANSWER)
    assert now(world, ticket)["agent"] is None


def test_who_got_and_who_lost_it_by_a_rule_is_told(world: World) -> None:
    """A move to another level is told to both."""
    ticket = ruled(world, "  - {id: up, on: note_added, then: {level: lead}}\n")
    world.store.write_now(lambda tx: desk.note(tx, world.context, ticket["ref"], agent="ewa", text="hard"))
    assert now(world, ticket)["agent"] == "tomek"
    assert "is yours now" in world.sent("tomek@desk.example")[-1].text
    assert "not yours any more" in world.sent("ania@desk.example")[-1].text


def test_rules_about_a_note_see_the_words_of_the_note(world: World) -> None:
    """And not the customer's last ones, as in the tests of the rules."""
    ticket = ruled(world, "  - {id: gold, on: note_added, when: {text.words: gold}, then: {tags: [gold]}}\n")
    world.receive(body="I want gold", headers=ANSWER)

    def note(text: str) -> None:
        world.store.write_now(lambda tx: desk.note(tx, world.context, ticket["ref"], agent="ewa", text=text))

    note("hm")
    assert "gold" not in now(world, ticket)["tags"]
    note("give them gold")
    assert "gold" in now(world, ticket)["tags"]


def test_rules_about_an_answer_see_its_words(world: World) -> None:
    ticket = ruled(
        world, "  - {id: call, on: agent_replied, when: {text.words: call}, then: {tags: [calls]}}\n"
    )
    world.reply(ticket, "We shall call you.")
    assert "calls" in now(world, ticket)["tags"]


def test_the_reaction_is_kept_with_its_reasons(world: World) -> None:
    """Explain finds the rule, the condition and the rulebook of that day."""
    ticket = ruled(
        world, "  - {id: noted, on: note_added, when: {ticket.team: support}, then: {tags: [noted]}}\n"
    )
    world.store.write_now(lambda tx: desk.note(tx, world.context, ticket["ref"], agent="ewa", text="hm"))
    (kept,) = reacted(world, ticket)
    assert (kept["on"], kept["rules"], kept["rulebook"]) == (
        "note_added",
        ["noted"],
        world.context.rulebook.hash,
    )
    assert kept["reasons"][0]["conditions"][0]["field"] == "ticket.team"


def test_a_person_who_changes_the_status_sets_off_rules_about_the_change(world: World) -> None:
    """changed: says from what to what."""
    ticket = ruled(
        world,
        "  - {id: done, on: status_changed, when: {ticket.status: {changed: {to: solved}}}, then: {tags: [done]}}\n",
    )
    world.set_status(ticket, "pending")
    assert now(world, ticket)["tags"] == "[]"
    world.set_status(ticket, "solved")
    assert now(world, ticket)["tags"] == '["done"]'


def test_a_warning_of_the_ladder_is_an_event(world: World) -> None:
    """The step at 50 % is told to rules as a warning."""
    ticket = ruled(world, "  - {id: warn, on: sla_warning, then: {priority: high}}\n")
    world.advance(hours=1)
    world.fire_due()
    assert now(world, ticket)["priority"] == "high"


def test_a_breach_is_an_event(world: World) -> None:
    """The rule may ask which target was missed."""
    ticket = ruled(
        world,
        "  - {id: late, on: sla_breached, when: {target: first_response}, then: {tags: [late]}}\n"
        "  - {id: slow, on: sla_breached, when: {target: resolution}, then: {tags: [slow]}}\n",
    )
    world.advance(hours=2)
    world.fire_due()
    assert now(world, ticket)["tags"] == '["late"]'
    world.advance(hours=6)
    world.fire_due()
    assert now(world, ticket)["tags"] == '["late","slow"]'


def test_a_rule_promises_nothing_on_a_ticket_that_is_done(world: World) -> None:
    """That it did not is an event with its reason."""
    ticket = ruled(
        world, "  - {id: call, on: status_changed, when: {ticket.status: new}, then: {promise: 2h}}\n"
    )
    world.set_status(ticket, "solved")
    world.advance(hours=3)
    world.fire_due()
    assert "action_not_done" in world.events(ticket)
    assert "promise" not in world.clocks(ticket)


def test_an_answer_that_came_back_was_not_given(world: World) -> None:
    """The first response runs on, and rules about failed deliveries hear of it."""
    from channels.contract import DeliveryFailed
    from intake import outbox

    ticket = ruled(world, "  - {id: lost, on: delivery_failed, then: {tags: [undelivered]}}\n")
    outbox_id = world.reply(ticket)
    world.advance(minutes=5)
    failure = DeliveryFailed("no such user", retryable=False)
    world.store.write_now(
        lambda tx: outbox.note_failed(tx, outbox_id, failure, 1, None, context=world.context)
    )
    assert world.clocks(ticket)["first_response"]["state"] == "running"
    assert now(world, ticket)["agent_replied_at"] is None
    assert "undelivered" in now(world, ticket)["tags"]


def test_rules_without_react_cost_a_new_ticket_nothing(world: World) -> None:
    """No statement more than the ticket itself asks for."""
    journal_id = world.journal()
    before = world.count_statements(journal_id)
    world.use_rules(RULES + "react:\n  - {id: never, on: rated, then: {tags: [x]}}\n")
    assert world.count_statements(world.journal(sender="eva@customer.example")) == before


@pytest.mark.parametrize("status", ["pending", "on_hold"])
def test_a_reply_opens_what_waited(world: World, status: str) -> None:
    """With react rules that do not match it is as without."""
    ticket = ruled(
        world, "  - {id: x, on: customer_replied, when: {body.words: nothing}, then: {tags: [x]}}\n"
    )
    world.set_status(ticket, status)
    world.receive(body="here", headers=ANSWER)
    assert now(world, ticket)["status"] == "open"
