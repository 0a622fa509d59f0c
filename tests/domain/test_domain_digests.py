"""A storm of notices is one mail: who has had enough of them in a minute gets the rest in a digest, and nothing is lost."""

import asyncio
import re
from functools import partial
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from intake import acknowledging, digests, notice_links
from intake.sections import Limits
from intake.store.engine import Tx
from tests.domain.world import RULES, World

ANIA = "ania@desk.example"
ASKS = RULES.replace(
    "{at: first_response 50%, notify: assignee}",
    "{at: first_response 50%, notify: assignee, ack_within: 10m}",
)


@pytest.fixture
def storm(world: World) -> World:
    """Five tickets of Ania's whose first step is due, of which two notices may be mails."""
    world.use_rules(ASKS)
    world.context = msgspec.structs.replace(world.context, limits=Limits(notices_per_minute=2))
    for number in range(5):
        world.receive(f"c{number}@customer.example", subject=f"Printer {number}")
    world.advance(hours=1, minutes=37)
    world.fire_due()
    return world


def escalations(world: World) -> list[str]:
    """The subjects of the notices that the first step sent."""
    rows = world.rows("outbox", "action LIKE 'notify:escalated:%' ORDER BY id")
    return [msgspec.json.decode(row["payload"])["subject"] for row in rows]


def run(world: World) -> int:
    return asyncio.run(digests.run_due(world.store, world.context))


def digest(world: World) -> dict[str, Any]:
    (row,) = world.rows("outbox", "action = 'digest'")
    payload: dict[str, Any] = msgspec.json.decode(row["payload"])
    return payload


def test_what_is_more_than_the_cap_waits_and_every_step_is_taken(storm: World) -> None:
    assert len(escalations(storm)) == 2
    assert len(storm.rows("digest_items")) == 3
    assert len(storm.rows("events", "kind = 'escalated'")) == 5


def test_the_digest_goes_out_a_minute_later_and_names_each_ticket(storm: World) -> None:
    assert run(storm) == 0
    storm.advance(minutes=1)
    assert run(storm) == 1
    told = digest(storm)
    assert (told["to"], told["subject"]) == ([{"address": ANIA, "name": "ania"}], "3 tickets ask for you")
    assert [f"Printer {number}" in told["text"] for number in range(5)] == [False, False, True, True, True]
    assert told["text"].count("nudge/0, due 2026-11-10 10:00 UTC, 38 min late") == 3


def test_a_digest_is_written_once(storm: World) -> None:
    storm.advance(minutes=1)
    run(storm)
    assert run(storm) == 0
    assert storm.store.write_now(lambda tx: digests.send(tx, storm.context, ANIA)) is None
    assert len(storm.rows("events", "kind = 'digest_sent'")) == 1
    assert len(storm.rows("digests")) == 1


def test_a_digest_cut_off_in_its_transaction_is_written_by_the_next_try(storm: World) -> None:
    """What was written is undone with the marks: nothing is told twice, and nothing is lost."""

    def cut_off(tx: Tx) -> None:
        digests.send(tx, storm.context, ANIA)
        raise ZeroDivisionError

    storm.advance(minutes=1)
    with pytest.raises(ZeroDivisionError):
        storm.store.write_now(cut_off)
    assert run(storm) == 1
    assert digest(storm)["subject"] == "3 tickets ask for you"


def test_a_held_notice_has_reached_its_reader(storm: World) -> None:
    """Its `unacknowledged` step is due ten minutes after it, not at once."""
    rows = storm.rows("timers", "step = 'nudge/0'")
    assert [row["is_reached"] for row in rows] == [1] * 5


def test_acknowledging_a_ticket_of_a_digest_counts(storm: World) -> None:
    storm.advance(minutes=1)
    run(storm)
    outbox_id = int(digest(storm)["id"])
    items = storm.store.read_now(lambda tx: digests.items_of(tx, outbox_id))
    said = acknowledging.Said(agent="ania")
    for item in items:
        seen = partial(acknowledging.acknowledge, context=storm.context, typed_ref=item.ref, said=said)
        assert storm.store.write_now(seen).is_done
    rows = storm.rows("timers", "step = 'nudge/0' AND acknowledged_at IS NOT NULL")
    assert {row["ticket_id"] for row in rows} == {item.ticket_id for item in items}
    assert all(item.is_settled for item in storm.store.read_now(lambda tx: digests.items_of(tx, outbox_id)))


def test_a_ticket_whose_notice_asked_nobody_is_seen_to_when_it_is_acknowledged(world: World) -> None:
    """Also where no `unacknowledged` step waits."""
    world.context = msgspec.structs.replace(world.context, limits=Limits(notices_per_minute=0))
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    said = acknowledging.Said(agent="ania")
    world.store.write_now(lambda tx: acknowledging.acknowledge(tx, world.context, ticket["ref"], said))
    world.advance(minutes=1)
    run(world)
    assert [row["state"] for row in world.rows("digests")] == ["settled"]


def test_a_ticket_answered_before_the_digest_is_not_listed_in_it(storm: World) -> None:
    held = storm.rows("digest_items")
    storm.advance(seconds=30)
    storm.reply(storm.row("tickets", held[0]["ticket_id"]))
    storm.advance(seconds=30)
    run(storm)
    assert "Printer 2" not in digest(storm)["text"]
    assert "1 of them are not listed" in digest(storm)["text"]


def test_no_digest_when_somebody_has_seen_to_all_of_it(storm: World) -> None:
    for row in storm.rows("digest_items"):
        storm.reply(storm.row("tickets", row["ticket_id"]))
    storm.advance(minutes=1)
    run(storm)
    assert storm.rows("outbox", "action = 'digest'") == []
    assert [row["state"] for row in storm.rows("digests")] == ["settled"]


def test_the_next_minute_has_mails_of_its_own(storm: World) -> None:
    storm.advance(minutes=2)
    storm.receive("late@customer.example")
    storm.advance(hours=1)
    before = len(escalations(storm))
    storm.fire_due()
    assert len(escalations(storm)) > before


def test_notices_about_mail_that_came_in_are_never_held(world: World) -> None:
    """They carry the customer's words, and agents answer them."""
    world.context = msgspec.structs.replace(world.context, limits=Limits(notices_per_minute=0))
    world.receive()
    assert [each.subject for each in world.sent(ANIA)]
    assert world.rows("digest_items") == []


def test_a_notice_that_is_late_says_so(storm: World) -> None:
    """The mails of a catch-up say how late they come, and why."""
    notice = storm.sent(ANIA)[-1]
    assert "37 min late: the daemon was down, or behind" in notice.text


def test_what_a_digest_names_is_limited_and_the_rest_is_counted(
    storm: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intake import digest_text

    monkeypatch.setattr(digest_text, "LISTED_MAX", 1)
    storm.advance(minutes=1)
    run(storm)
    assert f"And more:  intake digests show {digest(storm)['id']}" in digest(storm)["text"]


def test_digests_are_listed_as_written_and_waiting(storm: World) -> None:
    (waiting,) = storm.store.read_now(digests.summaries)
    assert (waiting.id, waiting.state, waiting.notices) == (None, "held", 3)
    storm.advance(minutes=1)
    run(storm)
    (sent,) = storm.store.read_now(digests.summaries)
    assert (sent.id, sent.state) == (int(digest(storm)["id"]), "sent")


def test_a_ticket_that_is_reassigned_by_a_late_step_tells_within_the_cap(storm: World) -> None:
    """Whatever a timer causes counts: the built-in notices of the moves that it makes, too."""
    storm.advance(hours=1)
    storm.fire_due()
    mails = [
        row for row in storm.rows("outbox", "cause LIKE 'timer:%'") if row["recipient"] == "ewa@desk.example"
    ]
    held = storm.rows("digest_items", "address = 'ewa@desk.example'")
    assert (len(mails), len(held)) == (2, 3)


def test_a_clock_that_was_set_back_holds_no_digest_back(storm: World) -> None:
    """Two hours back: what was held goes out now, and the agent's minute is not two hours long."""
    storm.advance(hours=-2)
    assert storm.store.read_now(digests.next_due) == storm.store.now_us()
    assert run(storm) == 1
    before = len(escalations(storm))
    storm.receive("late@customer.example")
    storm.advance(hours=1)
    storm.fire_due()
    assert len(escalations(storm)) > before


def test_more_than_is_looked_at_is_told_by_the_same_mail(
    storm: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the mail does not name it counts, and the command shows all of it."""
    monkeypatch.setattr(digests, "LOOKED_AT_MAX", 2)
    storm.advance(minutes=1)
    run(storm)
    told = digest(storm)
    assert told["subject"] == "3 notices: tickets ask for you"
    assert told["text"].count("nudge/0") == 2
    assert len(storm.store.read_now(lambda tx: digests.items_of(tx, int(told["id"])))) == 3
    assert run(storm) == 0


def test_what_is_held_after_a_digest_comes_in_the_next(storm: World) -> None:
    storm.advance(minutes=1)
    run(storm)
    storm.advance(hours=1)
    storm.fire_due()
    storm.advance(minutes=1)
    run(storm)
    of_ania = [row for row in storm.rows("digests", "1 = 1 ORDER BY id") if row["address"] == ANIA]
    assert [(row["told_after"], row["told_to"]) for row in of_ania][:1] == [(0, 3)]
    assert all(later["told_after"] == before["told_to"] for before, later in pairwise(of_ania))
    told = [
        item.id
        for row in storm.rows("digests")
        for item in storm.store.read_now(partial(digests.items_of, digest_id=row["id"]))
    ]
    assert sorted(told) == sorted(row["id"] for row in storm.rows("digest_items"))
    assert storm.store.read_now(digests.next_due) is None


def test_each_ticket_of_a_digest_has_its_link(storm: World) -> None:
    """The page behind it acknowledges that ticket, in the agent's name."""
    storm.context = msgspec.structs.replace(storm.context, public_url="https://help.example.com")
    storm.advance(minutes=1)
    run(storm)
    tokens = re.findall(r"https://help\.example\.com/n/ack/(\S+)", digest(storm)["text"])
    links = [notice_links.read(storm.keys, "ack", token) for token in tokens]
    held = {row["ticket_id"] for row in storm.rows("digest_items")}
    refs = {row["ref"] for row in storm.rows("tickets") if row["id"] in held}
    assert {link.ref for link in links if link} == refs
    assert {link.agent for link in links if link} == {"ania"}


def test_what_is_held_later_does_not_put_the_digest_off(world: World) -> None:
    """It goes out a minute after the first that was held, whatever comes in between."""
    world.context = msgspec.structs.replace(world.context, limits=Limits(notices_per_minute=0))
    for number in range(3):
        world.receive(f"c{number}@customer.example")
        world.advance(seconds=20)
    world.advance(minutes=59)
    first = world.store.now_us()
    for _ in range(3):
        world.fire_due()
        world.advance(seconds=20)
    (row,) = world.rows("digest_boxes")
    assert (row["held"], row["send_at"]) == (3, first + digests.MINUTE_US)
