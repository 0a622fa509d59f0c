"""Eight writers at once on what must happen once, with the product's own functions, on both engines."""

from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake import answering
from intake.sections import Limits
from intake.store.engine import Store
from tests.domain.world import World
from tests.store.racing import WRITERS, at_once

ROUNDS = 6


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> World:
    return World(store, tmp_path, clock)


@pytest.mark.slow
def test_crowd_of_a_new_sender_is_one_customer(world: World) -> None:
    """Eight first mails of one address, settled at once, make one customer with eight tickets."""
    for number in range(ROUNDS):
        sender = f"new{number}@customer.example"
        ids = [world.journal(sender, body=f"mail {each}") for each in range(WRITERS)]
        at_once([partial(world.settle, each) for each in ids])
        assert len(world.rows("identities", "value = :value", value=sender)) == 1
    assert len(world.rows("customers")) == ROUNDS
    assert len(world.rows("tickets")) == ROUNDS * WRITERS


@pytest.mark.slow
def test_crowd_of_new_tickets_has_as_many_refs(world: World) -> None:
    """Numbers are given out once, whoever asks at the same time."""
    ids = [world.journal(f"c{each}@customer.example") for each in range(WRITERS * ROUNDS)]
    at_once([partial(world.settle, each) for each in ids])
    assert len({row["ref"] for row in world.rows("tickets")}) == WRITERS * ROUNDS


def test_same_mail_at_eight_doors_is_one_ticket(world: World) -> None:
    """One mail handed in eight times at once has one owner of its key and seven duplicates."""
    body = world.mail("jan@customer.example", subject="s", body="b", headers={}, message_id="same@x")
    ids = at_once([lambda: world.journal(content=body)] * WRITERS)
    for journal_id in sorted(ids):
        world.settle(journal_id)
    states = sorted(row["state"] for row in world.rows("journal"))
    assert states == ["duplicate"] * (WRITERS - 1) + ["ticket"]
    assert len(world.rows("tickets")) == 1


def test_crowd_does_not_pass_the_cap_of_automatic_replies(world: World) -> None:
    """Twenty-four tickets of one address at once get as many receipts as the cap says, not one more."""
    ids = [world.journal(body=f"mail {each}") for each in range(WRITERS * 3)]
    at_once([partial(world.settle, each) for each in ids])
    assert len(world.sent("jan@customer.example")) == Limits().auto_replies_per_address_hour


def test_crowd_of_forged_senders_does_not_pass_the_cap_for_all(world: World) -> None:
    """Each is somebody else at another domain; together they get what the cap says, and the rest is kept."""
    world.context = msgspec.structs.replace(world.context, limits=Limits(auto_replies_per_hour=5))
    ids = [world.journal(f"c@victim{each}.example", body=f"mail {each}") for each in range(WRITERS * 3)]
    at_once([partial(world.settle, each) for each in ids])
    receipts = [each for each in world.sent() if each.automatic == "auto-replied"]
    assert (len(receipts), len(world.rows("outbox", "state = 'withheld'"))) == (5, WRITERS * 3 - 5)
    world.advance(hours=2)
    assert world.store.write_now(answering.forget_counted) > 0


def test_timer_fires_once_for_eight_bells(world: World) -> None:
    """Eight daemons that see the same due row take one step of the ladder."""
    tickets = [world.ticket(world.receive(f"c{each}@customer.example")) for each in range(ROUNDS)]
    world.advance(hours=1)
    due = world.rows("timers", "due_at <= :now", now=world.store.now_us())
    results = at_once([partial(world.fire, row) for row in due for _ in range(WRITERS)])
    assert sum(result is not None for result in results) == len(tickets)
    assert [world.events(ticket).count("escalated") for ticket in tickets] == [1] * ROUNDS


def test_answer_against_close_leaves_no_half_state(world: World) -> None:
    """A customer's answer and an agent's close at once end as joined then closed, or as a linked follow-up."""
    for number in range(ROUNDS):
        sender = f"c{number}@customer.example"
        ticket = world.ticket(world.receive(sender, message_id=f"first{number}@x"))
        answer = world.journal(sender, body="but", headers={"In-Reply-To": f"<first{number}@x>"})
        at_once(
            [
                partial(world.settle, answer),
                partial(world.set_status, ticket, "closed"),
            ]
        )
        row, after = world.row("journal", answer), world.row("tickets", ticket["id"])
        if row["ticket_id"] == ticket["id"]:
            assert (after["status"], after["messages"]) == ("closed", 2)
        else:
            assert (after["status"], after["messages"]) == ("closed", 1)
            assert world.ticket(row)["linked_to"] == ticket["id"]


def test_agents_load_is_right_after_a_crowd(world: World) -> None:
    """The count of an agent's open tickets, kept step by step, equals what counting the tickets gives."""
    ids = [world.journal(f"c{each}@customer.example") for each in range(WRITERS * 3)]
    at_once([partial(world.settle, each) for each in ids])
    tickets = world.rows("tickets")
    at_once([partial(world.set_status, each, "solved") for each in tickets[::2]])
    at_once([partial(world.set_status, each, "open") for each in tickets[::4]])
    held = [row["agent"] for row in world.rows("tickets", "status NOT IN ('solved', 'closed')")]
    loads = {row["name"]: row["open_tickets"] for row in world.rows("agent_load") if row["open_tickets"]}
    assert loads == {agent: held.count(agent) for agent in set(held)}
