"""A day of downtime: each step is taken once, in its order, said to be late, and nobody drowns in mail."""

import collections
import json
from typing import Any

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from intake import digests, instants
from intake.sections import Limits
from intake.timers import Timers
from tests.domain.world import World

CAP = Limits().notices_per_minute
MINUTE_US = 60_000_000
DAY_S = 86_400
# What a day makes due of a ticket of the usual rules: key -> seconds after the ticket came.
STEPS = {"nudge/0": 3_600, "nudge/1": 7_200, "nudge/2": 8_100, "nudge/3": 28_800}
AGAIN = "nudge/2/1"  # whose turn is counted anew: from when the first of its notices went out
BREACHES = {"first_response": 7_200, "resolution": 28_800}
MINUTES_MAX = 60
FEW = 24  # more than anybody gets in a minute


async def standstill(world: World, tickets: int) -> World:
    """Tickets that came within ten minutes, and then nothing ran for a day; the first look, and the digests after it."""
    for number in range(tickets):
        world.receive(f"c{number}@customer.example", subject=f"ticket {number}")
        world.advance(seconds=600 / tickets)
    world.advance(days=1)
    bell = Timers(world.store, context=lambda: world.context, scheduler=AsyncIOScheduler(timezone="UTC"))
    await bell.fire_due()
    for _ in range(MINUTES_MAX):
        if world.store.read_now(digests.next_due) is None and not _escalated(world, AGAIN, less=tickets):
            return world
        world.advance(minutes=1)
        await bell.fire_due()
    raise AssertionError("something still waits after an hour")


def _escalated(world: World, step: str, *, less: int) -> bool:
    """Whether a step has been taken for less tickets than that."""
    return len(world.rows("timers", "step = :step AND state = 'fired'", step=step)) < less


def escalations(world: World) -> dict[int, list[dict[str, Any]]]:
    """Ticket -> what its ladder did, in the order in which it did so."""
    found = collections.defaultdict(list)
    for row in world.rows("events", "kind = 'escalated' ORDER BY id"):
        found[row["ticket_id"]].append(json.loads(row["details"]) | {"at_us": row["at"]})
    return found


@pytest.mark.slow
async def test_after_a_day_each_step_is_taken_once_in_order_and_said_to_be_late(world: World) -> None:
    """And each at the instant that the rules' text gives; the repeat keeps its distance from the notice that came late."""
    assert_once_in_order(await standstill(world, FEW))


@pytest.mark.slow
async def test_after_a_day_nobody_gets_more_mails_a_minute_than_the_cap(world: World) -> None:
    """And one digest a minute."""
    assert_within_cap(await standstill(world, FEW))


@pytest.mark.slow
async def test_after_a_day_digests_account_for_every_notice_that_is_no_mail(world: World) -> None:
    """Each notice that an event speaks of is one mail or one place in one digest, and every place has been told."""
    assert_accounted_for(await standstill(world, FEW))


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_after_a_day_all_this_holds_for_2000_tickets(world: World) -> None:
    late = await standstill(world, 2_000)
    assert_once_in_order(late)
    assert_within_cap(late)
    assert_accounted_for(late)


def assert_once_in_order(late: World) -> None:
    taken = escalations(late)
    for ticket in late.rows("tickets"):
        created = instants.datetime_from_us(ticket["created_at"])
        wanted = {
            step: instants.rfc3339_from_us(ticket["created_at"] + s * 1_000_000) for step, s in STEPS.items()
        }
        first = [each for each in taken[ticket["id"]] if each["step"] in STEPS]
        assert {each["step"]: each["due_at"] for each in first} == wanted, created
        assert [each["due_at"] for each in first] == sorted(map(str, wanted.values()))
        assert all(each["is_late"] for each in first)
        (again,) = [each for each in taken[ticket["id"]] if each["step"] == AGAIN]
        assert again["at_us"] >= first[0]["at_us"] + 15 * MINUTE_US
        assert len(taken[ticket["id"]]) == len(STEPS) + 1
    breached = collections.Counter(
        (row["ticket_id"], json.loads(row["details"])["target"])
        for row in late.rows("events", "kind = 'sla_breached'")
    )
    assert set(breached.values()) == {1}
    assert len(breached) == len(BREACHES) * len(taken)


def assert_within_cap(late: World) -> None:
    mails = collections.Counter(
        (row["recipient"], row["created_at"] // MINUTE_US)
        for row in late.rows(
            "outbox", "action LIKE 'notify:escalated:%' AND created_at >= :since", since=_downtime(late)
        )
    )
    assert mails
    assert max(mails.values()) <= CAP
    letters = collections.Counter(
        (row["recipient"], row["created_at"] // MINUTE_US) for row in late.rows("outbox", "action = 'digest'")
    )
    assert max(letters.values()) == 1


def assert_accounted_for(late: World) -> None:
    told = collections.Counter(
        (row["cause"], row["recipient"]) for row in late.rows("outbox", "action LIKE 'notify:escalated:%'")
    )
    told.update(
        (row["cause"], row["address"])
        for row in late.rows("digest_items", "action LIKE 'notify:escalated:%'")
    )
    assert set(told.values()) == {1}
    notified = sum(
        len(json.loads(row["details"])["agents"])
        for row in late.rows("events", "kind = 'notified' AND details LIKE '%\"notice\":\"escalated:%'")
    )
    assert len(told) == notified
    for box in late.rows("digest_boxes"):
        of_box = late.rows("digests", "address = :address ORDER BY told_after", address=box["address"])
        assert [each["told_after"] for each in of_box] == [0, *(each["told_to"] for each in of_box)][:-1]
        places = late.rows("digest_items", "address = :address", address=box["address"])
        assert of_box[-1]["told_to"] == box["told"] == box["held"] == len(places)


def _downtime(world: World) -> int:
    """When the downtime had ended: a day after the last ticket came."""
    return max(int(row["created_at"]) for row in world.rows("tickets")) + (DAY_S - 600) * 1_000_000
