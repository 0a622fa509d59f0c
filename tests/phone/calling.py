"""A desk that is called: a world with phones, turns of sessions, and what a provider tells of calls."""

import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from channels.contract import CallEvent, Happened, Identity, RawMessage, Step, Turn, View
from intake import customers, journal, pipeline
from intake.journal import Journal
from intake.model import Account
from intake.sessions import Sessions
from intake.store import blobs, schema
from intake.store.engine import Store, Tx
from intake.views import Views
from tests.domain.world import World

OWN = "+48221234567"
JAN = "+48600100200"
RULES = """
version: 1
calendars:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
agents:
  ania: {email: ania@desk.example, phone: "+48600000001", skills: [pl, en]}
  ewa: {email: ewa@desk.example, phone: "+48600000002", skills: [en]}
  olek: {email: olek@desk.example}
  tomek: {email: tomek@desk.example, phone: "+48600000003", skills: [pl]}
teams:
  support: {levels: {l1: [ania, ewa, olek], lead: [tomek]}}
  billing: {levels: {l1: [ewa], lead: [tomek]}}
sla:
  standard: {calendar: office, first_response: 2h, resolution: 8h, pause: [pending, on_hold]}
route:
  - {id: money, when: {call.choice: billing}, then: {team: billing, tags: [money]}}
  - {id: refunds, when: {text.words: ["refund*"]}, then: {team: billing, priority: high}}
default: {team: support, priority: normal, sla: standard}
"""


class Desk(World):
    """A world with a phone. Sessions are with JAN unless they say else."""

    def __init__(self, store: Store, folder: Path, clock: Any, *, rules: str = RULES) -> None:
        super().__init__(store, folder, clock, rules=rules)
        self.folder.mkdir(exist_ok=True)
        phone = Account("phone", "twilio.voice", "voice", (OWN,))
        self.context = msgspec.structs.replace(
            self.context, accounts={**self.context.accounts, "phone": phone}
        )
        self.caller: Identity | None = Identity("phone", JAN)
        self.views = Views(lambda: self.context)
        self.sessions = Sessions(
            store,
            self.keys,
            journal=Journal(store, self.keys, folder=self.folder),
            views=self.views,
            folder=self.folder,
            caller=lambda raw: self.caller,
        )
        self._turns = itertools.count(1)

    def raw(self, key: str | None = None, *, session: str = "phone:CA1") -> RawMessage:
        key = key or f"turn-{next(self._turns)}"
        return RawMessage(
            kind="twilio.voice",
            account="phone",
            lane=f"call:{session}",
            body=b"Digits=1",
            received_at=self.clock(),
            keys=(key,),
            envelope={"path": "call"},
        )

    async def turn(self, step: Step, key: str | None = None, *, session: str = "phone:CA1") -> str:
        return await self.sessions.turn(session, self.raw(key, session=session), step)

    async def view(self, session: str = "phone:CA1") -> View:
        """The view as a turn of the session sees it."""
        seen: list[View] = []

        def look(state: bytes | None, raw: RawMessage, view: View) -> Turn:
            seen.append(view)
            return Turn(state=state or b"", reply="")

        await self.turn(look, session=session)
        return seen[-1]

    def known(self, number: str = JAN, *, name: str = "Jan", **columns: Any) -> int:
        """A customer with a number, and what else is known of them; their id."""

        def know(tx: Tx) -> int:
            customer = customers.known_as(tx, Identity("phone", number), name=name)
            if columns:
                tx.update(schema.customers, {"id": customer.id}, **columns)
            return customer.id

        return self.store.write_now(know)

    def ticket_of_caller(self, **columns: Any) -> dict[str, Any]:
        """A mail's ticket, made JAN's, with some columns changed."""
        ticket = self.ticket(self.receive())
        values = {"customer_id": self.known()} | columns

        def make_theirs(tx: Tx) -> None:
            tx.update(schema.tickets, {"id": ticket["id"]}, **values)
            tx.update(schema.agent_state, {"name": ticket["agent"]}, last_assigned_at=None)

        self.store.write_now(make_theirs)
        return self.row("tickets", ticket["id"])

    def waiting_ticket(self, **columns: Any) -> dict[str, Any]:
        """A ticket of JAN that support has and nobody of it."""
        return self.ticket_of_caller(**({"team": "support", "level": "l1", "agent": None} | columns))

    def call_on(self, ticket: dict[str, Any], *, session: str = "phone:CA1") -> None:
        """A session's call stands on a ticket."""
        self.insert_call(
            call=session.partition(":")[2],
            session=session,
            customer_id=ticket["customer_id"],
            ticket_id=ticket["id"],
        )

    def insert_call(self, **columns: Any) -> None:
        self.store.write_now(
            lambda tx: tx.insert(
                schema.calls,
                **{"id": tx.new_id(), "account": "phone", "direction": "in", "started_at": tx.now, **columns},
            )
        )

    # -- what a provider tells of calls -----------------------------------------------------------------------

    def tell(self, told: CallEvent) -> dict[str, Any]:
        """Take in and settle what a provider tells; its journal row."""
        raw = msgspec.structs.replace(self.raw(), envelope={"session": f"phone:{told.call}"})
        blob = blobs.prepare(raw.body, self.folder)
        journal_id = self.store.write_now(lambda tx: journal.keep(tx, raw, blob, ())).id
        received = self.store.read_now(lambda tx: journal.load(tx, journal_id, self.folder))
        self.store.write_now(lambda tx: pipeline.settle(tx, self.context, received, told))
        return self.row("journal", journal_id)

    def call(self, call: str = "CA1") -> dict[str, Any]:
        (row,) = self.rows("calls", "call = :call", call=call)
        return row

    def message(self, ticket: dict[str, Any]) -> dict[str, Any]:
        """The only message of a ticket."""
        (row,) = self.rows("messages", "ticket_id = :id AND direction = 'in'", id=ticket["id"])
        return row


def answering(reply: str, state: bytes | None = b"1", **more: Any) -> Step:
    """A step that always decides the same."""
    return lambda before, raw, view: Turn(state=state, reply=reply, **more)


def happened(what: str, at: datetime, after_s: float = 0, **details: Any) -> Happened:
    return Happened(what, at + timedelta(seconds=after_s), details)


def event(*what: Happened, call: str = "CA1", caller: str | None = JAN, **more: Any) -> CallEvent:
    return CallEvent(
        kind="voice",
        call=call,
        direction=more.pop("direction", "in"),
        caller=None if caller is None else Identity("phone", caller),
        own=OWN,
        happened=what,
        **more,
    )
