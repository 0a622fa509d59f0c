"""What agents do, and what clocks and ladders make of it."""

from typing import Any

import pytest

from intake import assigning, desk
from intake.desk import DeskError
from intake.occasion import Occasion
from tests.domain.world import World


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    return world.ticket(world.receive(message_id="first@customer.example"))


def test_answer_goes_to_the_customer_in_the_same_thread(world: World, ticket: dict[str, Any]) -> None:
    """The answer follows the customer's mail, comes from a person and can be answered."""
    world.reply(ticket, "Try water.")
    answer = world.sent("jan@customer.example")[-1]
    assert (answer.text.partition("\n")[0], answer.in_reply_to, answer.automatic) == (
        "Try water.",
        ("first@customer.example",),
        None,
    )
    assert answer.reply_to is not None
    assert answer.envelope_sender.startswith("support+b.")


def test_answer_comes_from_the_address_the_customer_wrote_to(world: World) -> None:
    """Who writes to help@ is answered by help@."""
    ticket = world.ticket(world.receive(to=["help@example.com"]))
    world.reply(ticket)
    assert world.sent("jan@customer.example")[-1].from_.address == "help@example.com"


def test_answer_meets_the_first_response(world: World, ticket: dict[str, Any]) -> None:
    """A person's public answer ends that clock; the resolution goes on."""
    world.reply(ticket)
    states = {name: clock["state"] for name, clock in world.clocks(ticket).items()}
    assert states == {"first_response": "met", "resolution": "running"}


def test_acknowledgement_does_not_meet_the_first_response(world: World, ticket: dict[str, Any]) -> None:
    """An automatic receipt is no answer."""
    assert world.clocks(ticket)["first_response"]["state"] == "running"


def test_note_stops_no_clock_and_is_sent_to_nobody(world: World, ticket: dict[str, Any]) -> None:
    """What colleagues write to each other never leaves the house."""
    before = len(world.sent())
    world.store.write_now(
        lambda tx: desk.note(tx, world.context, ticket["ref"], agent="ania", text="odd one")
    )
    assert world.clocks(ticket)["first_response"]["state"] == "running"
    assert len(world.sent()) == before


def test_pending_pauses_the_resolution_and_opening_goes_on(world: World, ticket: dict[str, Any]) -> None:
    """Time in a paused status is not used: the due instant moves by exactly as much."""
    world.set_status(ticket, "pending")
    world.advance(hours=3)
    world.set_status(ticket, "open")
    assert world.clocks(ticket)["resolution"]["due_at"] == "2026-11-10T20:00:00Z"


def test_customers_answer_resumes_a_paused_clock(world: World, ticket: dict[str, Any]) -> None:
    """A pending ticket that the customer answers is open, and its clock runs."""
    world.set_status(ticket, "pending")
    world.advance(hours=1)
    world.receive(body="here you are", headers={"In-Reply-To": "<first@customer.example>"})
    assert world.clocks(ticket)["resolution"]["state"] == "running"


def test_solving_meets_the_resolution_and_takes_every_timer_back(
    world: World, ticket: dict[str, Any]
) -> None:
    """Nothing escalates on a ticket that is done."""
    world.set_status(ticket, "solved")
    assert world.clocks(ticket)["resolution"]["state"] == "met"
    assert world.rows("timers", "state = 'pending'") == []


def test_reopening_goes_on_with_what_was_left(world: World, ticket: dict[str, Any]) -> None:
    """8 h with 7 h used and then solved goes on with 2 h, a quarter, when the customer comes back."""
    world.advance(hours=7)
    world.set_status(ticket, "solved")
    world.advance(hours=10)
    world.receive(body="no", headers={"In-Reply-To": "<first@customer.example>"})
    assert world.clocks(ticket)["resolution"]["due_at"] == "2026-11-11T04:00:00Z"


def test_load_follows_assignment_and_status(world: World, ticket: dict[str, Any]) -> None:
    """An agent's open tickets are counted as they are given, taken and solved."""
    other = world.ticket(world.receive(body="another"))
    world.store.write_now(lambda tx: assigning.assign(tx, world.context, other["ref"], "ewa", agent="ania"))
    world.set_status(ticket, "solved")
    loads = {row["name"]: row["open_tickets"] for row in world.rows("agent_load")}
    assert loads == {"ania": 0, "ewa": 1}


def test_who_gets_a_ticket_and_who_loses_it_is_told(world: World, ticket: dict[str, Any]) -> None:
    """Reassignment by a third person tells both."""
    world.store.write_now(lambda tx: assigning.assign(tx, world.context, ticket["ref"], "ewa", agent="tomek"))
    assert "given you" in world.sent("ewa@desk.example")[-1].text
    assert "taken ticket" in world.sent("ania@desk.example")[-1].text


def test_an_agent_who_is_given_a_ticket_reads_what_the_customer_wrote(
    world: World, ticket: dict[str, Any]
) -> None:
    """Whoever answers by mail answers what stands in it."""
    world.store.write_now(lambda tx: assigning.assign(tx, world.context, ticket["ref"], "ewa", agent="ania"))
    (asked,) = [row["body"] for row in world.rows("messages") if row["direction"] == "in"]
    assert f"> {asked.splitlines()[0]}" in world.sent("ewa@desk.example")[-1].text


def test_a_typed_ref_is_read_kindly(world: World, ticket: dict[str, Any]) -> None:
    """Small letters and dashes are how people write a ref."""
    typed = f"{ticket['ref'][:3]}-{ticket['ref'][3:]}".lower()
    found = world.store.write_now(lambda tx: desk.find(tx, typed))
    assert found.id == ticket["id"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda tx, world, ref: desk.reply(tx, world.context, ref, agent="anja", text="x"),
            "did you mean 'ania'",
        ),
        (lambda tx, world, ref: desk.reply(tx, world.context, ref, agent="ania", text=" \n"), "empty"),
        (
            lambda tx, world, ref: desk.reply(tx, world.context, "ABC", agent="ania", text="x"),
            "not a ticket's ref",
        ),
        (
            lambda tx, world, ref: desk.set_status(tx, world.context, ref, "solvd", agent="ania"),
            "did you mean 'solved'",
        ),
        (
            lambda tx, world, ref: desk.set_policy(tx, world.context, ref, "standart", agent="ania"),
            "did you mean 'standard'",
        ),
        (
            lambda tx, world, ref: assigning.assign(tx, world.context, ref, "suport", agent="ania"),
            "did you mean 'support'",
        ),
    ],
)
def test_wrong_input_is_one_sentence_and_changes_nothing(
    world: World, ticket: dict[str, Any], call: Any, said: str
) -> None:
    """A slip of the agent is answered with what is wrong; no row moves."""
    before = len(world.rows("events"))
    with pytest.raises(DeskError, match=said):
        world.store.write_now(lambda tx: call(tx, world, ticket["ref"]))
    assert len(world.rows("events")) == before


def test_a_person_puts_a_ticket_under_no_policy_and_back(world: World, ticket: dict[str, Any]) -> None:
    """Its clocks end; under the policy again, the time since it came counts."""
    for policy in (None, "standard"):
        world.advance(minutes=15)
        world.store.write_now(
            lambda tx, policy=policy: desk.set_policy(  # type: ignore[misc]
                tx, world.context, ticket["ref"], policy, agent="ania"
            )
        )
        states = {clock["state"] for clock in world.clocks(ticket).values()}
        assert ("running" in states) is (policy is not None)
    assert world.clocks(ticket)["first_response"]["due_at"] == "2026-11-10T11:00:00Z"


def test_first_step_tells_the_assignee_at_half_time(world: World, ticket: dict[str, Any]) -> None:
    """A ladder's step fires at its instant and sends its notice."""
    world.advance(hours=1)
    assert world.fire_due() == 1
    assert "nudge/0" in world.sent("ania@desk.example")[-1].text


def test_breach_moves_the_ticket_up_and_tells_the_lead(world: World, ticket: dict[str, Any]) -> None:
    """At the breach the ticket goes to the next level, somebody there has it, and it is an event."""
    world.advance(hours=2)
    world.fire_due()
    after = world.row("tickets", ticket["id"])
    assert (after["level"], after["agent"]) == ("l2", "ewa")
    assert "sla_breached" in world.events(ticket)
    assert world.sent("tomek@desk.example")


def test_every_timer_fires_once(world: World, ticket: dict[str, Any]) -> None:
    """Asked again about the same row, nothing happens."""
    from intake import timers

    world.advance(hours=1)
    (row,) = world.rows("timers", "due_at <= :now", now=world.store.now_us())
    world.fire_due()
    again = world.store.write_now(lambda tx: timers.fire(tx, world.context, row["id"], ticket["id"]))
    assert again is None
    assert world.events(ticket).count("escalated") == 1


def test_late_timers_fire_once_each_in_order_and_say_so(world: World, ticket: dict[str, Any]) -> None:
    """After a long downtime every step happens once, marked late; a notice that repeats goes on at its pace."""
    world.advance(hours=100)
    world.fire_due()
    fired = world.rows("events", "kind = 'escalated' ORDER BY id")
    assert len(fired) == 4
    assert all('"is_late":true' in row["details"] for row in fired)
    world.advance(minutes=15)
    world.fire_due()
    assert world.events(ticket).count("escalated") == 5


def test_answered_in_time_never_escalates_the_first_response(world: World, ticket: dict[str, Any]) -> None:
    """Steps of a target that was met do not fire."""
    world.reply(ticket)
    world.advance(hours=3)
    assert world.fire_due() == 0


def test_raised_priority_brings_a_running_target_forward(world: World, ticket: dict[str, Any]) -> None:
    """The target follows priority; the step that is past by then fires at once."""
    from intake import effects
    from routing.actions import Action

    world.advance(minutes=40)
    loaded = world.store.write_now(lambda tx: desk.find(tx, ticket["ref"]))
    raised = Action("priority", "urgent", "test")
    world.store.write_now(
        lambda tx: effects.apply(tx, world.context, loaded, [raised], Occasion(cause="test:1"))
    )
    assert world.clocks(ticket)["first_response"]["due_at"] == "2026-11-10T09:30:00Z"
    assert world.fire_due() >= 3


def test_reload_changes_no_running_clock(world: World, ticket: dict[str, Any]) -> None:
    """A ticket keeps the policy, ladder and calendar it was armed with."""
    import msgspec

    from intake import armaments
    from routing import rulebook
    from tests.domain.world import RULES

    changed = rulebook.load({"rules.yaml": RULES.replace("normal: 2h", "normal: 9h").replace("50%", "90%")})
    world.context = msgspec.structs.replace(
        world.context, rulebook=changed, armaments=armaments.of_rulebook(changed)
    )
    world.advance(hours=1)
    assert world.fire_due() == 1
    assert world.clocks(ticket)["first_response"]["due_at"] == "2026-11-10T11:00:00Z"
