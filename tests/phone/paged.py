"""A desk that rings and texts its agents: a page call is played by its turns, a text by the message that it becomes."""

import asyncio
import itertools
import json
import re
import urllib.parse
from pathlib import Path
from typing import Any

import msgspec

from channels.contract import (
    CallEvent,
    DeliveryReport,
    DeliveryState,
    Happened,
    Identity,
    Message,
    OutboundMessage,
    RawMessage,
)
from channels.page_calls import session
from channels.twilio.phone import paging as page_step
from channels.twilio.simulator import grammar
from intake import acknowledging, deliveries, failures, journal, pipeline, tickets
from intake.acknowledging import Outcome, Said
from intake.failures import Failure
from intake.journal import Journal
from intake.model import Account
from intake.sections import OnCall
from intake.sessions import Sessions
from intake.store import blobs, schema
from intake.store.engine import Store, Tx
from intake.views import Views
from tests.domain.world import RULES, World

OWN_TEXTS, OWN_CALLS = "+48221234501", "+48221234502"
ANIA, EWA, TOMEK = "+48600000001", "+48600000002", "+48600000003"
LADDER = """
  nudge:
    - {at: first_response 50%, notify: l2, by: urgent, ack_within: 10m}
    - {at: unacknowledged, notify: lead, by: urgent}
"""
AGENTS = f"""
  ania: {{email: ania@desk.example, phone: "{ANIA}", urgent: [call, sms, email]}}
  ewa: {{email: ewa@desk.example, phone: "{EWA}", urgent: [call, sms, email]}}
  tomek: {{email: tomek@desk.example, phone: "{TOMEK}", urgent: [sms, call]}}
"""
_AT_MAIL = RULES[RULES.index("agents:") + 7 : RULES.index("teams:")]
PAGED = (RULES[: RULES.index("\n  nudge:")] + LADDER + RULES[RULES.index("enrich:") :]).replace(
    _AT_MAIL, AGENTS, 1
)


class Desk(World):
    """A world with a telephone. Mail, texts and calls leave by one account each, unless a test takes one away."""

    def __init__(self, store: Store, folder: Path, clock: Any, *, rules: str = PAGED) -> None:
        super().__init__(store, folder, clock, rules=rules)
        self.folder.mkdir(exist_ok=True)
        texts = Account("texts", "twilio.sms", "sms", (OWN_TEXTS,), can_deliver=True)
        calls = Account("calls", "twilio.voice", "voice", (OWN_CALLS,), can_deliver=True)
        self.use_accounts(self.account, texts, calls)
        self.sessions = Sessions(
            store,
            self.keys,
            journal=Journal(store, self.keys, folder=self.folder),
            views=Views(lambda: self.context),
            folder=self.folder,
            caller=lambda raw: None,
        )
        self._turns = itertools.count(1)

    def use_accounts(self, *accounts: Account) -> None:
        self.context = msgspec.structs.replace(self.context, accounts={each.name: each for each in accounts})

    def use_oncall(self, **settings: Any) -> None:
        self.context = msgspec.structs.replace(self.context, oncall=OnCall(**settings))

    # -- a notice -------------------------------------------------------------------------------------------------

    def paged_ticket(self, **mail: Any) -> dict[str, Any]:
        """A ticket whose second level has just been told, an hour after it came."""
        ticket = self.ticket(self.receive(**mail))
        self.advance(hours=1)
        self.fire_due()
        return ticket

    def tries(self, ticket: dict[str, Any] | None = None) -> list[tuple[str, str, str]]:
        """Every notice that a rule or a step asked for, in order: medium, to whom, state."""
        rows = self.rows("outbox", "action LIKE 'notify:escalated:%' ORDER BY id")
        found = [row for row in rows if ticket is None or row["ticket_id"] == ticket["id"]]
        return [(row["medium"], row["recipient"], row["state"]) for row in found]

    def try_of(self, medium: str, number: int = -1) -> dict[str, Any]:
        return self.rows("outbox", "medium = :medium ORDER BY id", medium=medium)[number]

    def outbound(self, row: dict[str, Any]) -> OutboundMessage:
        return msgspec.json.decode(row["payload"], type=OutboundMessage)

    def after(self, **by: float) -> None:
        self.advance(**by)
        self.fire_due()

    def send_all(self) -> None:
        """Let everything that waits leave."""
        for row in self.rows("outbox", "state = 'queued'"):
            self.store.write_now(lambda tx, row=row: deliveries.advance(tx, row["id"], "sent"))  # type: ignore[misc]

    def fail(self, row: dict[str, Any]) -> None:
        """A try fails for good, as a report says it."""

        def fail(tx: Tx) -> None:
            ticket = tickets.locked_final(tx, row["ticket_id"])
            if deliveries.advance(tx, row["id"], "failed", reason="undelivered"):
                failures.follow(tx, self.context, ticket, row["id"], Failure("undelivered"))

        self.store.write_now(fail)

    def report(self, row: dict[str, Any], state: DeliveryState, **more: Any) -> None:
        """A provider reports on a try, which it knows by an id of its own."""
        self.store.write_now(
            lambda tx: tx.update(schema.outbox, {"id": row["id"]}, provider_id=f"SM{row['id']}")
        )
        raw = RawMessage(
            kind="twilio.sms",
            account="texts",
            lane=f"phone:{row['recipient']}",
            body=b"",
            received_at=self.clock(),
            keys=(f"report-{next(self._turns)}",),
            envelope={"path": "status"},
        )
        journal_id = self._keep(raw)
        received = self.store.read_now(lambda tx: journal.load(tx, journal_id, self.folder))
        told = DeliveryReport(provider_id=f"SM{row['id']}", state=state, **more)
        self.store.write_now(lambda tx: pipeline.settle(tx, self.context, received, told))

    def acknowledge(self, ticket: dict[str, Any], agent: str, **said: Any) -> Outcome:
        told = Said(agent=agent, **said)
        return self.store.write_now(
            lambda tx: acknowledging.acknowledge(tx, self.context, ticket["ref"], told)
        )

    def details(self, kind: str) -> list[dict[str, Any]]:
        rows = self.rows("events", "kind = :kind ORDER BY id", kind=kind)
        return [json.loads(row["details"]) | {"actor": row["actor"]} for row in rows]

    # -- a call ---------------------------------------------------------------------------------------------------

    def turn(self, page: dict[str, Any], number: int = 0, digits: str | None = None) -> str:
        """One request of a page call; its TwiML. What it tells is not settled yet."""
        fields = {"CallSid": f"CA{page['id']}", "From": OWN_CALLS, "To": page["recipient"]}
        if digits is not None:
            fields["Digits"] = digits
        raw = self._raw("page", page, fields, n=str(number))
        reply = asyncio.run(self.sessions.turn(session(str(page["id"])), raw, page_step.step))
        grammar.read(reply.encode())
        return reply

    def press(self, page: dict[str, Any], *digits: str) -> str:
        """Pick up and press keys, each settled before the next turn; what is said in the end."""
        number, reply = 0, self.turn(page)
        self.settle_calls()
        for each in digits:
            number += 1
            reply = self.turn(page, number, each)
            self.settle_calls()
        while "<Redirect" in reply:
            number += 1
            reply = self.turn(page, number)
            self.settle_calls()
        return said(reply)

    def status(self, page: dict[str, Any], status: str, *, call: str = "") -> None:
        """Twilio says how far a call got, and it is settled. call: "" = the page's own."""
        fields = {"CallSid": call or f"CA{page['id']}", "CallStatus": status, "To": page["recipient"]}
        self._keep(self._raw("page/status", page, fields))
        self.settle_calls()

    def reconciled(self, page: dict[str, Any], status: str) -> None:
        """The reconciler brings a call of ours, which it knows nothing of but its id and its end."""
        self.store.write_now(
            lambda tx: tx.update(schema.outbox, {"id": page["id"]}, provider_id=f"CA{page['id']}")
        )
        raw = self._raw("call/status", page, {"CallSid": f"CA{page['id']}", "CallStatus": status})
        journal_id = self._keep(raw)
        received = self.store.read_now(lambda tx: journal.load(tx, journal_id, self.folder))
        ended = Happened("ended", self.clock(), {"status": status})
        event = CallEvent(
            kind="voice",
            call=f"CA{page['id']}",
            direction="out",
            caller=Identity("phone", page["recipient"]),
            own=OWN_CALLS,
            happened=(Happened("started", self.clock()), ended),
        )
        self.store.write_now(lambda tx: pipeline.settle(tx, self.context, received, event))

    def settle_calls(self) -> int:
        """Settle what came in of calls, in order; how many."""
        rows = self.rows("journal", "state = 'pending' AND account = 'calls' ORDER BY id")
        for row in rows:
            received = self.store.read_now(lambda tx, row=row: journal.load(tx, row["id"], self.folder))  # type: ignore[misc]
            event: CallEvent = page_step.parse(received.raw)
            self.store.write_now(
                lambda tx, received=received, event=event: pipeline.settle(tx, self.context, received, event)  # type: ignore[misc]
            )
        return len(rows)

    def _raw(self, path: str, page: dict[str, Any], fields: dict[str, str], **query: str) -> RawMessage:
        return RawMessage(
            kind="twilio.voice",
            account="calls",
            lane=f"call:{fields['CallSid']}",
            body=urllib.parse.urlencode(fields).encode(),
            received_at=self.clock(),
            keys=(f"turn-{next(self._turns)}",),
            envelope={"path": path, "query": {"o": str(page["id"]), **query}},
        )

    def _keep(self, raw: RawMessage) -> int:
        blob = blobs.prepare(raw.body, self.folder)
        hashes = [self.keys.fingerprint(each) for each in raw.keys]
        return self.store.write_now(lambda tx: journal.keep(tx, raw, blob, hashes)).id

    # -- a text ---------------------------------------------------------------------------------------------------

    def text(self, sender: str, words: str) -> dict[str, Any]:
        """A text comes in and is settled; its journal row."""
        journal_id = self.keep_text(sender, words)
        self.settle_text(journal_id, sender, words)
        return self.row("journal", journal_id)

    def keep_text(self, sender: str, words: str) -> int:
        return self._keep(
            RawMessage(
                kind="twilio.sms",
                account="texts",
                lane=f"phone:{sender}",
                body=words.encode(),
                received_at=self.clock(),
                keys=(f"text-{next(self._turns)}",),
                envelope={"path": "message"},
            )
        )

    def settle_text(self, journal_id: int, sender: str, words: str, **said: Any) -> None:
        received = self.store.read_now(lambda tx: journal.load(tx, journal_id, self.folder))
        message = Message(
            kind="sms",
            sender=Identity("phone", sender),
            text=words,
            visible_text=words,
            **said,
        )
        self.store.write_now(lambda tx: pipeline.settle(tx, self.context, received, message))

    def texts_to(self, number: str) -> list[str]:
        return [each.text for each in self.sent(number)]


def said(twiml: str) -> str:
    """What a document says aloud."""
    return " ".join(re.findall(r"<Say[^>]*>(.*?)</Say>", twiml, re.DOTALL))
