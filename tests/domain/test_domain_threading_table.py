"""Every combination of sender, proof, reference, copy and state, settled for real and compared with the rules."""

import itertools
from typing import Any

import msgspec
import pytest
from sqlalchemy import text as sql

from channels.contract import RawMessage, Trust
from channels.email import message as mail_reader
from intake import addresses, journal, merging, pipeline
from intake.store import blobs
from intake.store.engine import Tx
from intake.store.statements import Statement
from tests.domain.threading_table import STATES, Outcome, Row, expected, rows
from tests.domain.world import SUPPORT, World

JAN, COPIED, OTHER = "jan@customer.example", "maria@customer.example", "paul@other.example"
STRANGER, AGENT, NEW = "eve@elsewhere.example", "ania@desk.example", "newcomer@elsewhere.example"
FROM = {
    "customer": JAN,
    "copied": COPIED,
    "other": OTHER,
    "stranger": STRANGER,
    "agent": AGENT,
    "ambiguous": f"{JAN}, {STRANGER}",
}
TRUST = {
    "pass": Trust(dmarc="pass", verified_sender=True),
    "fail": Trust(dmarc="fail"),
    "none": Trust(dmarc="none"),
    "temperror": Trust(dmarc="temperror"),
    "vouched": Trust(dmarc="fail", arc="pass", vouched_by="lists.example", verified_sender=True),
}
PROVEN = {"Authentication-Results": "mx.example.com; dmarc=pass header.from=customer.example"}
_LANDED = Statement(
    sql(
        "SELECT t.id, t.status, t.linked_to, t.suggested_link FROM journal j JOIN tickets t ON t.id = j.ticket_id"
        " WHERE j.id = :id"
    )
)
_TAKES_PART = Statement(sql("SELECT value FROM participants WHERE ticket_id = :id"))
_FLAGS = Statement(
    sql("SELECT count(*) FROM events WHERE kind = 'unverified_join' AND ticket_id = :id AND id > :after")
)
_LAST_EVENT = Statement(sql("SELECT coalesce(max(id), 0) FROM events"))


class Undone(Exception):
    """Carries what was seen out of a transaction that leaves nothing behind."""

    def __init__(self, seen: Outcome) -> None:
        super().__init__()
        self.seen = seen


class Desk:
    """Jan's ticket in each state, with Maria copied in; each row is tried on it and undone."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.receive(OTHER, subject="Mine")
        self.tickets = {"solved long ago": self._ticket("solved long ago")}
        world.set_status(self.tickets["solved long ago"], "solved")
        world.advance(days=15)
        for state in STATES:
            if state not in self.tickets:
                world.advance(hours=2)
                self.tickets[state] = self._ticket(state)
        world.set_status(self.tickets["solved"], "solved")
        world.set_status(self.tickets["closed"], "closed")
        merged, into = self.tickets["merged"], world.ticket(world.receive(JAN, subject="Another"))
        world.store.write_now(
            lambda tx: merging.merge(tx, world.context, merged["ref"], into["ref"], agent="ania")
        )
        self.leads_to = {state: ticket["id"] for state, ticket in self.tickets.items()} | {
            "merged": into["id"]
        }
        self._numbers = itertools.count(1)

    def _ticket(self, state: str) -> dict[str, Any]:
        identifier = f"{state.replace(' ', '-')}@customer.example"
        ticket = self.world.ticket(
            self.world.receive(JAN, message_id=identifier, headers={**PROVEN, "Cc": COPIED})
        )
        self.world.reply(ticket)
        return ticket | {"held": identifier, "sent": self.world.sent(JAN)[-1].message_id}

    def outcome(self, row: Row) -> Outcome:
        """Settle the row's mail, look at what it became, and undo it."""
        raw = self._raw(row)
        understood = mail_reader.parse(raw, mail_reader.Options())
        trust = TRUST[row.proof]
        if not understood.trust.has_single_sender:
            trust = msgspec.structs.replace(trust, verified_sender=False, has_single_sender=False)
        understood = msgspec.structs.replace(understood, trust=trust)
        blob = blobs.prepare(raw.body, self.world.folder)

        def settle(tx: Tx) -> None:
            journal_id = journal.keep(tx, raw, blob, ()).id
            last = tx.one(_LAST_EVENT)
            received = journal.load(tx, journal_id, self.world.folder)
            pipeline.settle(tx, self.world.context, received, understood)
            raise Undone(self._seen(tx, row, journal_id, last[0] if last else 0))

        try:
            self.world.store.write_now(settle)
        except Undone as undone:
            return undone.seen
        raise AssertionError("the transaction was to be undone")

    def _raw(self, row: Row) -> RawMessage:
        ticket = self.tickets[row.state]
        headers = {
            "our id": {"In-Reply-To": f"<{ticket['sent']}>"},
            "held id": {"References": f"<unknown@x> <{ticket['held']}>"},
        }.get(row.reference, {})
        if row.sender == "ambiguous":
            headers["Reply-To"] = JAN
        if row.copied == "somebody new":
            headers["Cc"] = f"{NEW}, {AGENT}, help@example.com"
        body = self.world.mail(
            FROM[row.sender],
            subject=f"Re: [{ticket['ref']}]" if row.reference == "tag" else "More",
            body="more",
            headers=headers,
            message_id=f"{next(self._numbers)}@row.example",
        )
        return RawMessage(
            kind="email.smtp",
            account="support",
            lane="",  # locked before the sender, in one transaction with it
            body=body,
            received_at=self.world.clock(),
            envelope={"sender": "envelope@row.example", "recipients": [self._recipient(row, ticket)]},
        )

    def _recipient(self, row: Row, ticket: dict[str, Any]) -> str:
        own = FROM[row.sender] if row.sender != "ambiguous" else JAN
        bound_to = {
            "own address": own,
            "another's address": COPIED if row.sender == "customer" else JAN,
            "wrong address": own,
        }.get(row.reference)
        if bound_to is None:
            return SUPPORT
        made = addresses.reply_address(
            self.world.keys, self.world.account, SUPPORT, ref=ticket["ref"], to=bound_to, name=""
        ).address
        return made if row.reference != "wrong address" else _broken(made)

    def _seen(self, tx: Tx, row: Row, journal_id: int, last_event: int) -> Outcome:
        landed = tx.one(_LANDED, id=journal_id)
        assert landed is not None
        ticket_id, status, linked_to, suggested = landed
        named = self.leads_to[row.state]
        joins = ticket_id == named
        if joins:
            place = "reopened" if row.state == "solved" and status == "open" else "joined"
        else:
            assert (linked_to or suggested) in (None, named)
            place = "linked" if linked_to else "suggested" if suggested else "new"
        people = {each[0] for each in tx.all(_TAKES_PART, id=ticket_id)}
        assert not (people - {FROM[row.sender]}) & {AGENT, "help@example.com"}
        untouched = {each[0] for each in tx.all(_TAKES_PART, id=named)}
        assert joins or untouched == {JAN, COPIED}
        flags = tx.one(_FLAGS, id=ticket_id, after=last_event)
        return Outcome(place, is_flagged=bool(flags and flags[0]), has_added=NEW in people)


def _broken(address: str) -> str:
    """The address with another character in the middle of its signature."""
    local, _, domain = address.rpartition("@")
    place = len(local) - 10
    other = "a" if local[place] != "a" else "b"
    return f"{local[:place]}{other}{local[place + 1 :]}@{domain}"


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def wrong(desk: Desk, some: list[Row]) -> list[tuple[Row, Outcome, Outcome]]:
    """The rows that become something else than they must: (row, seen, expected)."""
    found = ((row, desk.outcome(row), expected(row)) for row in some)
    return [each for each in found if each[1] != each[2]]


@pytest.mark.slow
def test_every_row_of_a_sample_becomes_what_the_rules_say(desk: Desk) -> None:
    """A part of the table that meets each value, and each pair of neighbours, in the quick suite."""
    some = list(rows())[::17]
    assert {value for row in some for value in msgspec.structs.astuple(row)} >= {*STATES, *FROM, *TRUST}
    assert wrong(desk, some) == []


@pytest.mark.slow
def test_every_row_becomes_what_the_rules_say(desk: Desk) -> None:
    """The whole table."""
    every = list(rows())
    assert len(every) >= 400
    assert wrong(desk, every) == []
