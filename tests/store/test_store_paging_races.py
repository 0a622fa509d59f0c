"""A page is acknowledged once and by one, whoever says it how and when, and never passed on into nothing; on both engines."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from channels.twilio.phone import paging as page_step
from intake import deliveries, failures, journal, pipeline, tickets
from intake.failures import Failure
from intake.store.engine import Store, Tx
from tests.phone.paged import EWA, LADDER, PAGED, TOMEK, Desk
from tests.store.racing import WRITERS, at_once

ROUNDS = 4
TWO = PAGED.replace("l2: [ewa]", "l2: [ewa, tomek]")
OPEN_ENDED = TWO.replace(LADDER.splitlines()[3], "").replace(", ack_within: 10m", "")


@pytest.fixture
def desk(store: Store, tmp_path: Path, clock: Any) -> Desk:
    return Desk(store, tmp_path, clock, rules=TWO)


def paged(desk: Desk, number: int) -> dict[str, Any]:
    """A ticket whose second level has been rung and texted."""
    ticket = desk.ticket(desk.receive(f"c{number}@customer.example"))
    desk.after(hours=1)
    desk.send_all()
    return ticket


def pressing(desk: Desk, page: dict[str, Any], digits: str) -> Callable[[], None]:
    """A pressed key on its way to be settled, as the dispatcher would."""
    fields = {"CallSid": f"CA{page['id']}", "Digits": digits}
    raw = desk._raw("page", page, fields, n="1")
    what = page_step._TOLD[digits]
    told = [{"what": what, "at": desk.clock().isoformat(), "details": {"page": str(page["id"])}}]
    raw.envelope["happened"] = told
    journal_id = desk._keep(raw)
    received = desk.store.read_now(lambda tx: journal.load(tx, journal_id, desk.folder))
    event = page_step.parse(received.raw)
    return partial(desk.store.write_now, lambda tx: pipeline.settle(tx, desk.context, received, event))


def texting(desk: Desk, number: str, words: str) -> Callable[[], None]:
    journal_id = desk.keep_text(number, words)
    return partial(desk.settle_text, journal_id, number, words)


def page_of(desk: Desk, ticket: dict[str, Any], medium: str) -> dict[str, Any]:
    (row,) = desk.rows("outbox", "ticket_id = :id AND medium = :medium", id=ticket["id"], medium=medium)
    return row


def acknowledged(desk: Desk, ticket: dict[str, Any]) -> int:
    return desk.events(ticket).count("acknowledged")


def test_eight_who_say_it_in_every_way_at_once_are_one(desk: Desk) -> None:
    """Two press 1, two text it, two answer by link, two at the desk: one event, and every way of both has ended."""
    for number in range(ROUNDS):
        ticket = paged(desk, number)
        call, text = page_of(desk, ticket, "voice"), page_of(desk, ticket, "sms")
        says: list[Callable[[], Any]] = [
            pressing(desk, call, "1"),
            pressing(desk, call, "1"),
            texting(desk, TOMEK, "1"),
            texting(desk, EWA, "1"),
            partial(desk.acknowledge, ticket, "tomek", how="link", notice=text["id"]),
            partial(desk.acknowledge, ticket, "ewa", how="link", notice=call["id"]),
            partial(desk.acknowledge, ticket, "ania"),
            partial(desk.acknowledge, ticket, "ewa"),
        ]
        at_once(says[number:] + says[:number])
        assert acknowledged(desk, ticket) == 1
        states = {row["state"] for row in desk.rows("summonses", "ticket_id = :id", id=ticket["id"])}
        assert states == {"acknowledged"}
        timers = desk.rows("timers", "ticket_id = :id AND kind = 'way'", id=ticket["id"])
        assert {row["state"] for row in timers} == {"cancelled"}


def test_the_next_way_or_the_acknowledgement_has_it(desk: Desk) -> None:
    """Either the text is written and then stopped, or it is never written: nothing that waits is left behind."""
    for number in range(ROUNDS):
        ticket = paged(desk, number)
        desk.advance(minutes=2)
        timers = desk.rows(
            "timers", "ticket_id = :id AND kind = 'way' AND state = 'pending'", id=ticket["id"]
        )
        assert len(timers) == 2
        races: list[Callable[[], Any]] = [
            *(partial(desk.fire, timer) for timer in timers * 2),
            *(partial(desk.acknowledge, ticket, agent) for agent in ("ewa", "tomek", "ania", "ewa")),
        ]
        at_once(races[number:] + races[:number])
        assert acknowledged(desk, ticket) == 1
        assert "queued" not in {state for _, _, state in desk.tries(ticket)}
        desk.after(minutes=5)
        assert "queued" not in {state for _, _, state in desk.tries(ticket)}


def test_a_failure_and_the_bell_go_one_way_on(desk: Desk) -> None:
    """The call is told to have failed in the very moment in which the two minutes are over."""
    for number in range(ROUNDS):
        ticket = paged(desk, number)
        call = page_of(desk, ticket, "voice")
        desk.advance(minutes=2)
        timers = desk.rows("timers", "ticket_id = :id AND kind = 'way' AND step LIKE 'ewa%'", id=ticket["id"])
        at_once(
            [partial(desk.fire, timer) for timer in timers for _ in range(WRITERS // 2)]
            + [partial(_fail, desk, call) for _ in range(WRITERS // 2)]
        )
        media = [medium for medium, to, _ in desk.tries(ticket) if to == EWA]
        assert sorted(media) == ["sms", "voice"]


def _fail(desk: Desk, row: dict[str, Any]) -> None:
    def fail(tx: Tx) -> None:
        ticket = tickets.locked_final(tx, row["ticket_id"])
        if deliveries.advance(tx, row["id"], "failed", reason="busy"):
            failures.follow(tx, desk.context, ticket, row["id"], Failure("busy"))

    desk.store.write_now(fail)


@pytest.mark.slow
def test_passed_on_by_eight_is_passed_on_once_by_each(desk: Desk) -> None:
    """ewa by key and by text, four times each: one event, and the step after it fires once."""
    for number in range(ROUNDS):
        ticket = paged(desk, number)
        call = page_of(desk, ticket, "voice")
        races = [each for _ in range(4) for each in (pressing(desk, call, "2"), texting(desk, EWA, "2"))]
        at_once(races)
        assert desk.events(ticket).count("passed_on") == 1
        desk.fire_due()
        assert desk.events(ticket).count("escalated") == 2


def test_taken_and_passed_on_at_once_is_one_of_both(desk: Desk) -> None:
    """tomek takes it while ewa passes it on: it is acknowledged once, and whoever is told after it knows by whom."""
    desk.use_rules(OPEN_ENDED)
    for number in range(ROUNDS):
        ticket = paged(desk, number)
        call = page_of(desk, ticket, "voice")
        races: list[Callable[[], Any]] = [
            *(pressing(desk, call, "2") for _ in range(4)),
            *(texting(desk, TOMEK, "1") for _ in range(4)),
        ]
        at_once(races[number:] + races[:number])
        assert acknowledged(desk, ticket) == 1
        assert desk.events(ticket).count("passed_on") in (0, 1)


def test_a_text_of_which_eight_copies_are_settled_answers_once(desk: Desk) -> None:
    ticket = paged(desk, 0)
    journal_id = desk.keep_text(TOMEK, "1")
    at_once([partial(desk.settle_text, journal_id, TOMEK, "1") for _ in range(WRITERS)])
    assert acknowledged(desk, ticket) == 1
    assert len(desk.rows("outbox", "action = 'page_confirmed'")) == 1


def test_of_two_who_pass_it_on_at_once_and_have_nobody_else_one_keeps_it(desk: Desk) -> None:
    """Each is the other's somebody else: whoever is second is told that it stays, and goes on being told."""
    desk.use_rules(OPEN_ENDED.replace("lead: [tomek]", "lead: [ewa]"))
    for number in range(ROUNDS):
        ticket = paged(desk, number)
        call = page_of(desk, ticket, "voice")
        races = [each for _ in range(4) for each in (pressing(desk, call, "2"), texting(desk, TOMEK, "2"))]
        at_once(races[number:] + races[:number])
        assert desk.events(ticket).count("passed_on") == 1
        states = [row["state"] for row in desk.rows("summonses", "ticket_id = :id", id=ticket["id"])]
        assert sorted(states) == ["open", "passed_on"]
