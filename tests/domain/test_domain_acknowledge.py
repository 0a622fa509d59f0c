"""Notices that somebody should acknowledge, and what follows when nobody does."""

from typing import Any

import msgspec
import pytest

from intake import acknowledging, explaining, listing
from intake.acknowledging import Outcome, Said
from intake.commands import ticket_page
from intake.store import schema
from tests.domain.world import RULES, World

LADDER = """
  nudge:
    - {at: first_response 50%, notify: l2, ack_within: 10m}
    - {at: unacknowledged, notify: lead}
"""
PAGING = RULES[: RULES.index("\n  nudge:")] + LADDER + RULES[RULES.index("enrich:") :]


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    """A ticket whose second level has just been told, an hour after it came."""
    world.use_rules(PAGING)
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    return ticket


def acknowledge(world: World, ticket: dict[str, Any], agent: str = "ewa") -> Outcome:
    said = Said(agent=agent)
    return world.store.write_now(lambda tx: acknowledging.acknowledge(tx, world.context, ticket["ref"], said))


def take(world: World, ticket: dict[str, Any], agent: str = "ewa") -> Outcome:
    said = Said(agent=agent)
    return world.store.write_now(lambda tx: acknowledging.take(tx, world.context, ticket["ref"], said))


def after(world: World, **by: float) -> int:
    world.advance(**by)
    world.fire_due()
    return len(world.sent("tomek@desk.example"))


def test_unacknowledged_in_ten_minutes_the_second_person_is_told(
    world: World, ticket: dict[str, Any]
) -> None:
    """Not a moment earlier."""
    assert after(world, minutes=9) == 0
    assert after(world, minutes=1) == 1


def test_acknowledged_the_step_is_not_due(world: World, ticket: dict[str, Any]) -> None:
    """Ten minutes after the notice nobody else is told."""
    world.advance(minutes=5)
    acknowledge(world, ticket)
    assert after(world, minutes=5) == 0


def test_acknowledged_but_not_answered_it_is_due_after_all(world: World, ticket: dict[str, Any]) -> None:
    """Another ten minutes after the acknowledgement."""
    world.advance(minutes=5)
    acknowledge(world, ticket)
    assert after(world, minutes=10) == 1


def test_answered_it_is_never_due(world: World, ticket: dict[str, Any]) -> None:
    """A public answer is what everybody waits for."""
    world.reply(ticket, agent="ewa")
    assert after(world, hours=5) == 0


def test_a_notice_that_reaches_nobody_makes_it_due_at_once(world: World) -> None:
    """The second level is away: the lead is told in the same minute."""
    world.use_rules(PAGING)
    world.store.write_now(lambda tx: tx.insert(schema.agent_state, name="ewa", is_away=1))
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    assert "notice_reached_nobody" in world.events(ticket)
    assert after(world) == 1


def test_acknowledging_stops_copies_that_have_not_gone_out(world: World, ticket: dict[str, Any]) -> None:
    """The mail to the second level still waits in the outbox: it is not sent any more."""
    acknowledge(world, ticket, "ania")
    rows = world.rows("outbox", "action LIKE 'notify:escalated:%'")
    assert [row["state"] for row in rows] == ["dropped"]


def test_acknowledging_stops_no_clock(world: World, ticket: dict[str, Any]) -> None:
    """The customer still waits."""
    before = world.clocks(ticket)
    acknowledge(world, ticket)
    assert world.clocks(ticket) == before


def test_a_solved_ticket_asks_nobody(world: World, ticket: dict[str, Any]) -> None:
    """What is done needs no second person."""
    world.set_status(ticket, "solved")
    assert after(world, hours=1) == 0


def test_rules_hear_of_an_acknowledgement(world: World) -> None:
    """It is an event for react rules."""
    world.use_rules(PAGING + "react:\n  - {id: seen, on: acknowledged, then: {tags: [seen]}}\n")
    ticket = world.ticket(world.receive())
    acknowledge(world, ticket)
    assert world.row("tickets", ticket["id"])["tags"] == '["seen"]'


def test_a_way_that_nothing_can_go_is_told_and_reaches_nobody(world: World) -> None:
    """By call: no part of this configuration can, so the next step is due at once."""
    world.use_rules(
        PAGING.replace("notify: l2, ack", "notify: l2, by: call, ack").replace(
            "ewa: {email: ewa@desk.example}", 'ewa: {email: ewa@desk.example, phone: "+48600000001"}'
        )
    )
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    assert not world.sent("ewa@desk.example")
    assert "action_not_done" in world.events(ticket)
    assert after(world) == 1


def test_urgent_goes_the_agents_own_way_as_far_as_it_can(world: World) -> None:
    """Call first, then mail: the mail goes out, the call is told as not done."""
    world.use_rules(
        PAGING.replace("notify: l2, ack", "notify: l2, by: urgent, ack").replace(
            "ewa: {email: ewa@desk.example}",
            'ewa: {email: ewa@desk.example, phone: "+48600000001", urgent: [call, email]}',
        )
    )
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    assert world.sent("ewa@desk.example")
    assert "action_not_done" in world.events(ticket)


# -- once, and by whom ------------------------------------------------------------------------------------------------


def test_saying_it_twice_changes_nothing(world: World, ticket: dict[str, Any]) -> None:
    """The second time is no second event, and gives no further ten minutes."""
    acknowledge(world, ticket)
    world.advance(minutes=5)
    assert not acknowledge(world, ticket).is_done
    assert world.events(ticket).count("acknowledged") == 1
    assert after(world, minutes=5) == 1


def test_whoever_comes_second_hears_who_was_first(world: World, ticket: dict[str, Any]) -> None:
    acknowledge(world, ticket, "ewa")
    found = acknowledge(world, ticket, "ania")
    assert (found.is_done, found.look.agent if found.look else None) == (False, "ewa")


def test_after_another_notice_it_can_be_acknowledged_again(world: World, ticket: dict[str, Any]) -> None:
    """The lead was told because nobody had answered: that the second level looked at it before is no answer."""
    acknowledge(world, ticket, "ewa")
    assert after(world, minutes=10) == 1
    world.advance(minutes=1)
    assert acknowledge(world, ticket, "tomek").is_done


def test_before_the_bell_rings_an_acknowledgement_wins(world: World, ticket: dict[str, Any]) -> None:
    """Nobody had told the lead yet, whatever the clock says: the step waits for an answer again."""
    world.advance(minutes=10, seconds=30)
    acknowledge(world, ticket)
    assert after(world) == 0
    assert after(world, minutes=10) == 1


def test_a_step_of_a_target_still_says_what_it_has_to(world: World) -> None:
    """Acknowledging takes back no notice of a breach that waits to be sent."""
    world.use_rules(
        PAGING.replace("notify: lead}", "notify: lead}\n    - {at: first_response breach, notify: ania}")
    )
    ticket = world.ticket(world.receive())
    world.advance(hours=2)
    world.fire_due()
    acknowledge(world, ticket)
    states = {
        row["recipient"]: row["state"] for row in world.rows("outbox", "action LIKE 'notify:escalated:%'")
    }
    assert states == {"ewa@desk.example": "dropped", "ania@desk.example": "queued"}


def test_a_done_ticket_that_is_opened_again_asks_nobody_about_old_notices(
    world: World, ticket: dict[str, Any]
) -> None:
    """What was asked before it was solved is over."""
    world.set_status(ticket, "solved")
    world.advance(hours=1)
    world.set_status(ticket, "open")
    assert after(world, minutes=20) == 0


def test_an_answer_ends_it_also_where_no_clock_waits_for_one(world: World) -> None:
    """A policy with a resolution and nothing else: the answer moves no clock, and still nobody else is told."""
    world.use_rules(
        PAGING.replace("first_response: {urgent: 30m, normal: 2h}, ", "").replace(
            "first_response 50%", "resolution 50%"
        )
    )
    ticket = world.ticket(world.receive())
    world.set_status(ticket, "open")
    world.advance(hours=4)
    world.fire_due()
    world.reply(ticket, agent="ewa")
    assert after(world, hours=1) == 0


def test_nothing_is_left_to_look_at_when_it_is_solved(world: World, ticket: dict[str, Any]) -> None:
    world.set_status(ticket, "solved")
    assert not acknowledge(world, ticket).is_done
    assert "acknowledged" not in world.events(ticket)


# -- take over --------------------------------------------------------------------------------------------------------


def test_taking_it_is_looking_at_it_and_having_it(world: World, ticket: dict[str, Any]) -> None:
    """Both are events, and the ticket is theirs."""
    take(world, ticket, "ewa")
    assert {"acknowledged", "taken_over"} <= set(world.events(ticket))
    assert world.row("tickets", ticket["id"])["agent"] == "ewa"
    assert after(world, minutes=9) == 0


def test_taking_it_from_somebody_who_looks_at_it_makes_it_ones_own(
    world: World, ticket: dict[str, Any]
) -> None:
    acknowledge(world, ticket, "ania")
    found = take(world, ticket, "ewa")
    assert (found.is_done, found.look.agent if found.look else None, found.ticket.agent) == (
        True,
        "ewa",
        "ewa",
    )


def test_taking_it_twice_changes_nothing(world: World, ticket: dict[str, Any]) -> None:
    take(world, ticket)
    assert not take(world, ticket).is_done
    assert world.events(ticket).count("taken_over") == 1


def test_an_event_says_who_how_and_which_notice(world: World, ticket: dict[str, Any]) -> None:
    """For explain: by the link of the notice that went to the second level."""
    (notice,) = world.rows("outbox", "action LIKE 'notify:escalated:%'")
    said = Said(agent="ewa", how="link", notice=notice["id"])
    world.store.write_now(lambda tx: acknowledging.acknowledge(tx, world.context, ticket["ref"], said))
    (event,) = world.rows("events", "kind = 'acknowledged'")
    assert event["actor"] == "agent:ewa"
    details = msgspec.json.decode(event["details"])
    assert details == {"stopped": 1, "steps": ["nudge/0"], "how": "link", "notice": str(notice["id"])}


# -- somebody else ----------------------------------------------------------------------------------------------------


def test_a_level_of_a_step_is_somebody_else_of_it(world: World) -> None:
    """ania has one ticket and has not answered it, ewa has two: ewa gets it all the same."""
    rules = PAGING.replace("l1: [ania], l2: [ewa]", "l1: [ania, ewa], l2: [ewa]").replace(
        "{at: first_response 50%, notify: l2, ack_within: 10m}", "{at: first_response 50%, level: l1}"
    )
    world.use_rules(rules.replace("    - {at: unacknowledged, notify: lead}\n", ""))
    ticket = world.ticket(world.receive())
    assert ticket["agent"] == "ania"
    for number in range(3):
        other = world.ticket(world.receive(f"c{number}@customer.example"))
        if other["agent"] == "ania":
            world.set_status(other, "solved")
    world.advance(hours=1)
    first = world.rows("timers", "ticket_id = :id AND step = 'nudge/0'", id=ticket["id"])
    world.fire(first[0])
    assert world.row("tickets", ticket["id"])["agent"] == "ewa"


def test_with_nobody_else_there_it_stays(world: World) -> None:
    """ania is the only one of the first level."""
    rules = PAGING.replace(
        "{at: first_response 50%, notify: l2, ack_within: 10m}", "{at: first_response 50%, level: l1}"
    )
    world.use_rules(rules.replace("    - {at: unacknowledged, notify: lead}\n", ""))
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    assert world.row("tickets", ticket["id"])["agent"] == "ania"


# -- why --------------------------------------------------------------------------------------------------------------


def steps_of(world: World, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    told = world.store.read_now(lambda tx: explaining.of_ticket(tx, ticket["ref"]))
    assert told is not None
    steps: list[dict[str, Any]] = told["steps"]
    return steps


def test_explain_tells_why_a_step_was_taken_and_whom_it_reached(world: World, ticket: dict[str, Any]) -> None:
    first, second = steps_of(world, ticket)
    assert first["why"][0]["why"] == f"The first answer of ticket {ticket['ref']} is due at 11:00 UTC."
    assert [(each["target"], each["agents"], each["skipped"]) for each in first["notices"]] == [
        ("l2", ["ewa"], [])
    ]
    assert second["why"] == second["notices"] == []
    world.advance(minutes=10)
    world.fire_due()
    _, second = steps_of(world, ticket)
    assert second["why"][0]["why"].startswith("Nobody has answered the notice of 10:00 UTC")


def test_explain_tells_who_was_passed_over_and_why(world: World) -> None:
    """Away, and outside their hours: two words each, and the notice reached nobody."""
    rules = (
        PAGING.replace("l2: [ewa]", "l2: [ewa, ania]")
        .replace("ania: {email: ania@desk.example}", "ania: {email: ania@desk.example, hours: night}")
        .replace("calendars:", 'calendars:\n  night: {timezone: UTC, open: {mon-sun: "01:00-02:00"}}')
    )
    world.use_rules(rules)
    world.store.write_now(lambda tx: tx.insert(schema.agent_state, name="ewa", is_away=1))
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    (notice,) = steps_of(world, ticket)[0]["notices"]
    assert (notice["reached"], notice["agents"]) == (False, [])
    assert notice["skipped"] == [
        {"agent": "ewa", "reason": "away"},
        {"agent": "ania", "reason": "outside their hours (night)"},
    ]
    world.fire_due()
    assert "reached nobody on duty" in steps_of(world, ticket)[1]["why"][0]["why"]


def test_explain_tells_who_acknowledged(world: World, ticket: dict[str, Any]) -> None:
    world.advance(minutes=1)
    acknowledge(world, ticket)
    (said,) = steps_of(world, ticket)[0]["acknowledged"]
    assert (said["agent"], said["how"]) == ("ewa", "command")
    world.advance(minutes=10)
    world.fire_due()
    why = steps_of(world, ticket)[1]["why"][0]["why"]
    assert why == f"ewa looks at ticket {ticket['ref']} since 10:01 UTC, but the customer has no answer yet."


def test_ticket_shows_who_looks_at_it(world: World, ticket: dict[str, Any]) -> None:
    acknowledge(world, ticket)
    found = world.store.read_now(lambda tx: listing.ticket(tx, ticket["ref"]))
    assert found is not None
    assert found["looked_at"] == {"by": "ewa", "since": "2026-11-10T10:00:00Z"}
    assert any("looked at by ewa" in line for line in ticket_page.lines(found))


def test_history_tells_it_in_sentences(world: World, ticket: dict[str, Any]) -> None:
    """What the command line shows of each event; the JSON has all of it."""
    take(world, ticket)
    found = world.store.read_now(lambda tx: listing.ticket(tx, ticket["ref"]))
    assert found is not None
    history = "\n".join(ticket_page.lines(found))
    for line in (
        f"first_response 50%: The first answer of ticket {ticket['ref']} is due at 11:00 UTC.",
        "notified  rule:nudge/0  l2: ewa",
        "acknowledged  agent:ewa  by command, 1 copy of notices stopped",
        "taken_over  agent:ewa  from ania, by command",
    ):
        assert line in history


def test_the_copies_of_the_notice_that_was_read_are_stopped(world: World) -> None:
    """A breach was told to two; one of them looks at it by the link of their own mail."""
    world.use_rules(
        PAGING.replace(
            "first_response 50%, notify: l2, ack_within: 10m", "first_response breach, notify: [l2, lead]"
        ).replace("    - {at: unacknowledged, notify: lead}\n", "")
    )
    ticket = world.ticket(world.receive())
    world.advance(hours=2)
    world.fire_due()
    (read,) = world.rows("outbox", "recipient = 'ewa@desk.example'")
    said = Said(agent="ewa", how="link", notice=read["id"])
    world.store.write_now(lambda tx: acknowledging.acknowledge(tx, world.context, ticket["ref"], said))
    (copy,) = world.rows("outbox", "recipient = 'tomek@desk.example'")
    assert copy["state"] == "dropped"


# -- what a notice says -----------------------------------------------------------------------------------------------


def test_notice_says_what_is_due_who_else_knows_and_what_to_do(world: World) -> None:
    """In the zone of whoever reads it, and with what happens when nobody says anything."""
    rules = PAGING.replace("notify: l2, ack", "notify: [l2, assignee], ack").replace(
        "ewa: {email: ewa@desk.example}", "ewa: {email: ewa@desk.example, hours: office}"
    )
    world.use_rules(rules)
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    mail = world.sent("ewa@desk.example")[-1]
    assert mail.subject == f"[{ticket['ref']}] Due 12:00 CET: My printer"
    for line in (
        f"The first answer of ticket {ticket['ref']} is due at 12:00 CET.",
        "Please say by 11:10 CET that you look at it; otherwise lead will be told.",
        "Told as well: ania.",
        "Due       first answer 12:00 CET, in an hour",
        "> My printer is on fire, please help me.",
    ):
        assert line in mail.text.splitlines()
    assert "due at 11:00 UTC" in world.sent("ania@desk.example")[-1].text


def test_late_ticket_says_so_in_the_subject(world: World) -> None:
    """And an urgent one, too."""
    world.use_rules(
        PAGING.replace(
            "{at: unacknowledged, notify: lead}",
            "{at: first_response breach, priority: urgent, notify: lead}",
        )
    )
    ticket = world.ticket(world.receive())
    world.advance(hours=2)
    world.fire_due()
    mail = world.sent("tomek@desk.example")[-1]
    assert mail.subject == f"[{ticket['ref']}] Urgent, late since 11:00 UTC: My printer"


def test_whoever_is_meant_twice_is_told_once(world: World) -> None:
    """As assignee and of the first level: one mail, and nothing says that nobody was reached."""
    world.use_rules(PAGING.replace("notify: l2, ack", "notify: [assignee, l1], ack"))
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    told = [each for each in world.sent("ania@desk.example") if "Due " in each.subject]
    assert len(told) == 1
    assert "notice_reached_nobody" not in world.events(ticket)
    assert after(world) == 0
