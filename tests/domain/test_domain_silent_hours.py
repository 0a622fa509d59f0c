"""Agents are left alone outside their hours: what can wait comes in one mail in the morning, and nothing else waits."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from intake import assigning, desk, digests, notices, silent_hours
from intake.notice_page import Notice
from intake.sections import Notices
from intake.store.engine import Tx
from tests.domain.world import RULES, World, at, us
from tests.rows import every_row

ANIA = "ania@desk.example"
HOURS = RULES.replace("ania: {email: ania@desk.example}", "ania: {email: ania@desk.example, hours: office}")
ON_CALL = HOURS.replace(
    "teams:",
    """schedules:
  night:
    timezone: Europe/Warsaw
    layers: [{rotate: weekly, from: 2026-11-02, handover: "mon 09:00", agents: [ewa, ania]}]
teams:""",
).replace("l2: [ewa], lead: [tomek]}", "l2: [ewa], oncall: {schedule: night}, lead: [tomek]}")
NIGHT, MORNING = "2026-11-10T22:30:00+01:00", "2026-11-11T09:00:00+01:00"


@pytest.fixture
def night(world: World) -> World:
    """Half past ten in the evening; a ticket of ewa's."""
    world.use_rules(HOURS)
    world.clock.at = at(NIGHT)
    world.receive(subject="Printer")
    return world


def give(world: World, *, urgent: bool = False) -> None:
    """Have ewa give the last ticket to ania."""
    ref = world.rows("tickets", "1 = 1 ORDER BY id DESC")[0]["ref"]

    def act(tx: Tx) -> None:
        if urgent:
            desk.set_priority(tx, world.context, ref, "urgent", agent="ewa")
        assigning.assign(tx, world.context, ref, "ania", agent="ewa")

    world.store.write_now(act)


def run(world: World) -> int:
    return asyncio.run(digests.run_due(world.store, world.context))


def due(world: World) -> int | None:
    return world.store.read_now(digests.next_due)


def test_what_can_wait_comes_in_one_mail_when_the_hours_begin(night: World) -> None:
    give(night)
    night.receive("eva@customer.example", subject="Scanner")
    give(night)
    assert [each.to[0].address for each in night.sent(ANIA)] == []
    assert (run(night), due(night)) == (0, us(at(MORNING)))
    night.clock.at = at(MORNING) - timedelta(seconds=1)
    assert run(night) == 0
    night.clock.at = at(MORNING)
    assert (run(night), due(night)) == (1, None)
    (told,) = night.sent(ANIA)
    assert told.subject == "2 tickets ask for you"
    assert "What happened outside your hours" in told.text
    assert [each in told.text for each in ("Printer", "Scanner", "assigned")] == [True, True, True]


def test_what_was_seen_to_meanwhile_is_told_no_more(night: World) -> None:
    """Ewa has answered at night: ania's morning begins without that mail."""
    give(night)
    night.advance(minutes=5)
    night.reply(night.rows("tickets")[0], agent="ewa")
    night.clock.at = at(MORNING)
    run(night)
    assert night.sent(ANIA) == []


def test_within_the_hours_it_is_told_at_once(night: World) -> None:
    night.clock.at = at(MORNING)
    give(night)
    assert len(night.sent(ANIA)) == 1


def test_an_urgent_ticket_is_told_at_once(night: World) -> None:
    give(night, urgent=True)
    assert ["Urgent" in each.subject for each in night.sent(ANIA)] == [True]


def test_who_is_on_call_is_told_at_once(night: World) -> None:
    """Whatever their hours say (docs/on-call.md)."""
    night.use_rules(ON_CALL)
    give(night)
    assert len(night.sent(ANIA)) == 1


def test_whoever_wants_it_at_once_says_so(night: World) -> None:
    night.context = msgspec.structs.replace(night.context, notices=Notices(outside_hours="at_once"))
    give(night)
    assert len(night.sent(ANIA)) == 1


def test_who_has_no_hours_is_there_always(night: World) -> None:
    night.use_rules(RULES)
    give(night)
    assert len(night.sent(ANIA)) == 1


@every_row(
    ("kind", "more", "is_waiting"),
    [
        ("customer_replied", {}, True),
        ("taken", {}, True),
        ("delivery_failed", {}, True),
        ("promise_due", {}, False),
        ("promise_broken", {}, False),
        ("window_closes", {}, False),
        ("escalated", {"rule": "nudge/0"}, False),
        ("assigned", {"rule": "r"}, False),
        ("assigned", {"by": "urgent"}, False),
    ],
)
def test_what_cannot_wait_does_not(
    night: World, kind: str, more: dict[str, Any], *, is_waiting: bool
) -> None:
    """A promised moment, what rules and ladders ask for, and what goes by telephone."""
    ref = night.rows("tickets")[0]["ref"]
    notice = Notice(kind=kind, headline="It is so.", cause="test:1", **more)

    def until(tx: Tx) -> int | None:
        return silent_hours.of_notice(tx, night.context, desk.find(tx, ref), notice, "ania")

    assert (night.store.read_now(until) is not None) is is_waiting


def test_the_same_notice_is_held_once(night: World) -> None:
    notice = Notice(kind="assigned", headline="It is so.", cause="test:1")
    ref = night.rows("tickets")[0]["ref"]
    for _ in range(2):
        night.store.write_now(lambda tx: notices.send(tx, night.context, desk.find(tx, ref), "ania", notice))
    assert len(night.rows("digest_items")) == 1


def test_a_clock_that_was_set_back_does_not_wake_anybody(night: World) -> None:
    """Only a digest of too many goes out then: what waits for the morning still does."""
    give(night)
    night.advance(hours=-2)
    assert (run(night), due(night)) == (0, us(at(MORNING)))
