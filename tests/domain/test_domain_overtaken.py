"""After a downtime a customer hears once: the last of what was late on a ticket, and never a reminder with the closing words."""

from typing import Any

from intake.occasion import OVERTAKEN
from tests.domain.world import RULES, World

DELAYS = RULES.replace(
    "    - {at: resolution breach, priority: urgent, notify: lead}",
    "    - {at: first_response +30m, reply: {email: still-there}}\n"
    "    - {at: first_response +3h, reply: {email: closing}}\n"
    "    - {at: resolution breach, priority: urgent, notify: lead}",
)
SILENCE = (
    RULES
    + """
react:
  - {id: bump, on: quiet, for: 3d, since: agent_replied, when: {ticket.status: pending}, then: {reply: still-there}}
  - {id: solve, on: quiet, for: 7d, since: agent_replied, when: {ticket.status: pending}, then: {status: solved, reply: closing}}
"""
)
CUSTOMER = "jan@customer.example"


def words(world: World) -> list[str]:
    """What the customer was told after the receipt."""
    return [each.text.split("\n")[0] for each in world.sent(CUSTOMER)[1:]]


def withheld(world: World) -> list[dict[str, Any]]:
    return world.rows("events", "kind = 'reply_withheld'")


def started(world: World, rules: str) -> dict[str, Any]:
    world.use_rules(rules)
    ticket = world.ticket(world.receive())
    world.advance(hours=1, minutes=1)  # the receipt was this hour's automatic answer
    return ticket


def test_in_time_the_first_step_says_its_words(world: World) -> None:
    """And the second does not tell of the same delay again: nothing is overtaken."""
    started(world, DELAYS)
    for _ in range(2):
        world.advance(hours=2, minutes=15)
        world.fire_due()
    assert words(world) == ["Are you still there?"]
    assert not any(OVERTAKEN in row["details"] for row in withheld(world))


def test_late_steps_of_one_ticket_say_the_last_words_only(world: World) -> None:
    """The earlier one is taken and told, its answer withheld with the reason."""
    started(world, DELAYS)
    world.advance(hours=6)
    world.fire_due()
    assert words(world) == ["We take it that all is well."]
    assert [OVERTAKEN in row["details"] for row in withheld(world)] == [True]


def test_a_late_answer_that_nothing_follows_still_goes_out(world: World) -> None:
    """A delay that is told late is still true."""
    started(world, DELAYS)
    world.advance(hours=3, minutes=20)
    world.fire_due()
    assert words(world) == ["Are you still there?"]


def test_a_reminder_does_not_come_with_the_closing_words(world: World) -> None:
    """Down from the third day to the eighth: the ticket is solved with its words, and nobody asks before."""
    ticket = started(world, SILENCE)
    world.reply(ticket, status="pending")
    world.advance(days=8)
    while world.fire_due():
        pass
    assert words(world)[-1] == "We take it that all is well."
    assert "Are you still there?" not in words(world)
    assert world.row("tickets", ticket["id"])["status"] == "solved"
    assert len(withheld(world)) == 1
