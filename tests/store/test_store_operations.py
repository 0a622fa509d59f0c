"""What the pages of rules and operations read is the same on both engines."""

import msgspec

from intake import events, operations, rule_hits
from intake.model import Account
from intake.rule_hits import Hits, Tally
from intake.store import schema
from intake.store.engine import Store, Tx
from tests.store.test_store_listing import FIRST_US, tickets

ACCOUNTS = {
    "support": Account("support", "email.smtp", "email"),
    "texts": Account("texts", "twilio.sms", "sms"),
}


def decided(tx: Tx) -> None:
    """Two decisions, a reaction, a message that was ignored, and a rule that broke."""
    for number in (1, 2):
        tx.insert(
            schema.decisions,
            id=tx.new_id(),
            ticket_id=number,
            customer_id=100 + number,
            message_id=1,
            at=tx.now,
            rulebook="x",
            facts_version=1,
            facts="{}",
            decision=msgspec.json.encode({"matched": ["vip", "money"], "rule": "money"}).decode(),
        )
    events.record(tx, "reacted", ticket_id=1, rules=["thanks"])
    events.record(tx, "ignored", actor="rule:junk", journal=1)
    events.record(tx, "rule_failed", actor="rule:money", error="it broke")
    events.record(tx, "created")


def hits(tallies: dict[str, Tally]) -> dict[str, tuple[int, int]]:
    return {name: (len(each.hits), len(each.errors)) for name, each in tallies.items()}


async def test_hits_are_counted_alike(store: Store) -> None:
    await store.write(tickets)
    await store.write(decided)
    expected = {"vip": (2, 0), "money": (2, 1), "thanks": (1, 0), "junk": (1, 0)}
    assert hits(rule_hits.Hits().look_now(store)) == expected
    counted = Hits()
    assert [hits(await counted.look(store)) for _ in range(3)] == [expected] * 3


async def test_what_is_stuck_is_read_alike(store: Store) -> None:
    await store.write(tickets)
    found = operations.look(store, ACCOUNTS)
    assert [each["account"] for each in found.channels] == ["support", "texts"]
    assert found.channels[0]["last_received_at"] is not None
    assert found.channels[1]["last_received_at"] is None
    assert [row.ref for row in found.quarantine.rows] == ["R5"]
    assert [row.ref for row in found.dead_letters.rows] == ["R2"]
    assert (found.quarantine.count, found.dead_letters.count, found.queued.count) == (1, 1, 0)
    assert found.timers.rows[0].ref == "R1"


async def test_what_is_not_settled_is_counted_by_account(store: Store) -> None:
    def pending(tx: Tx) -> None:
        for number, account in enumerate(("texts", "texts", "support")):
            tx.insert(
                schema.journal, kind="x", account=account, lane="x", received_at=FIRST_US + number, blob_id=1, key=None,
            )  # fmt: skip

    await store.write(pending)
    assert {each["account"]: each["unsettled"] for each in operations.look(store, ACCOUNTS).channels} == {
        "support": 1,
        "texts": 2,
    }


async def test_somebody_mends_it_once(store: Store) -> None:
    await store.write(tickets)
    assert await store.write(lambda tx: operations.retry(tx, 402, agent="ania"))
    assert [row.ref for row in operations.look(store, ACCOUNTS).queued.rows] == ["R2"]
    assert await store.write(lambda tx: operations.drop(tx, 402, agent="ania"))
    assert not await store.write(lambda tx: operations.drop(tx, 402, agent="ania"))
    [journal_id] = [int(row.told["id"]) for row in operations.look(store, ACCOUNTS).quarantine.rows]
    assert await store.write(lambda tx: operations.replay(tx, journal_id, agent="ania"))
    assert not await store.write(lambda tx: operations.replay(tx, journal_id, agent="ania"))
