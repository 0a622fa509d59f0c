"""The server says N, and N are accounted for: counted from the journal, told when it is not so."""

from typing import Any

import pytest

from channels.contract import Excused, Inventory
from channels.email import identity
from intake import ledger
from intake.journal import Journal
from tests.domain.world import World


def _journal(world: World) -> Journal:
    return Journal(world.store, world.keys, folder=world.folder)


def _taken(world: World, subject: str, **mail: Any) -> str:
    """Take a mail in and settle it; its key."""
    content = world.mail("jan@customer.example", subject=subject, body="Hello", headers={}, message_id=None)
    world.receive(content=content, **mail)
    key = identity.content_key(content)
    assert key is not None
    return key


def _inventory(*keys: str, **changes: Any) -> Inventory:
    return Inventory(**{"account": "support", "place": "INBOX", "generation": "7", "keys": keys, **changes})


async def test_what_is_there_is_told_by_what_became_of_it(world: World) -> None:
    keys = [_taken(world, "one"), _taken(world, "two"), _taken(world, "newsletter")]
    excused = (Excused("skipped", 40), Excused("too_big", 1, "UID 9: large", is_alarming=True))
    assert await _journal(world).reconcile(_inventory(*keys, excused=excused)) == frozenset()
    [row] = ledger.rows(world.store)
    assert row["outcomes"] == {"ticket": 2, "ignored by rule newsletters": 1}
    assert (row["on_server"], row["accounted"], row["missing"]) == (44, 44, 0)


async def test_a_gap_is_an_event_once_and_its_end_is_one(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    key = _taken(world, "one")
    journal = _journal(world)
    for _ in range(2):
        assert await journal.reconcile(_inventory(key, "imap:lost")) == {"imap:lost"}
    await journal.reconcile(_inventory(key))
    events = [row["kind"] for row in world.rows("events") if row["kind"].startswith("ledger")]
    assert events == ["ledger_gap", "ledger_balanced"]
    assert "ledger_gap" in caplog.text


async def test_a_gap_names_its_place_where_the_daemon_is_asked_how_it_is(world: World) -> None:
    alarming = (Excused("unfetchable", 1, "UID 2: NO", is_alarming=True), Excused("retrying", 1, "UID 3: NO"))
    await _journal(world).reconcile(_inventory("imap:lost", excused=alarming))
    said = world.store.read_now(ledger.gaps)
    assert said == [
        "INBOX of support: 1 not accounted for",
        "INBOX of support: 1 left on the server, see: intake journal ledger",
    ]


async def test_telling_exceptions_alone_leaves_the_count_as_it_was(world: World) -> None:
    journal = _journal(world)
    await journal.reconcile(_inventory("imap:lost"))
    await journal.reconcile(_inventory(keys=None, excused=(Excused("retrying", 1),)))
    [row] = ledger.rows(world.store)
    assert (row["missing"], row["on_server"]) == (1, 1)
    assert row["excused"] == [{"reason": "retrying", "count": 1}]


async def test_the_cursor_is_saved_with_the_inventory(world: World) -> None:
    journal = _journal(world)
    await journal.reconcile(_inventory(keys=None, cursor=b"here"))
    assert await journal.cursor("support") == b"here"


async def test_more_keys_than_one_question_holds_are_all_looked_up(world: World) -> None:
    key = _taken(world, "one")
    missing = await _journal(world).reconcile(_inventory(key, *(f"imap:{n}" for n in range(2_500))))
    assert len(missing) == 2_500
