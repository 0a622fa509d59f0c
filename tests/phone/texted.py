"""A desk that is texted: its accounts, customers' texts settled as they come, and an outbox that the played Twilio takes from."""

import itertools
import urllib.parse
from pathlib import Path
from typing import Any

import msgspec

from channels.contract import Address, Identity, Message, RawMessage, Understood
from channels.twilio import pacing, send, settings, sms, status, texting, whatsapp
from channels.twilio.simulator.provider import Provider, Text
from channels.twilio.templates import Template
from intake import composing, desk, journal, pipeline
from intake.answering_by_phone import Chosen
from intake.composed import Composed
from intake.delivering import Outbox
from intake.model import Account, Received
from intake.sections import Phone
from intake.store import blobs
from intake.store.engine import Store, Tx
from tests.domain.world import RULES, World

OWN, OTHER = "+48221234567", "+48221234568"
JAN, EVA, LANDLINE = "+48600100200", "+48600100300", "+48221112233"
PUBLIC = "https://help.example.com"
STILL = Template(
    name="still_there",
    language="en",
    sid="HX" + "1" * 32,
    text="Hello {{1}}, are you still there?",
    variables=("the customer's name",),
)
NOCH = Template(name="noch_da", language="de", sid="HX" + "2" * 32, text="Sind Sie noch da?")
REPLYING = RULES.replace("reply: {email: received}", "reply: received")


class Texted(World):
    """A world with accounts for texts, WhatsApp and mail. The provider's clock is the world's."""

    def __init__(
        self, store: Store, folder: Path, clock: Any, provider: Provider, api_url: str, *, rules: str = RULES
    ) -> None:
        super().__init__(store, folder, clock, rules=rules)
        self.folder.mkdir(exist_ok=True)
        self.provider = provider
        provider.templates |= {STILL.sid, NOCH.sid}
        self.options = settings.Options(
            account_sid=provider.account,
            auth_token=provider.token,
            numbers=(OWN, OTHER),
            public_url=PUBLIC,
            api_url=api_url,
        )
        texts = Account("texts", "twilio.sms", "sms", (OWN, OTHER), can_deliver=True, price="0.04 EUR")
        chats = Account(
            "whatsapp", "twilio.whatsapp", "whatsapp", (OWN,), can_deliver=True, templates=(STILL, NOCH)
        )
        self.context = msgspec.structs.replace(
            self.context,
            accounts={
                "support": self.account,
                "texts": texts,
                "whatsapp": chats,
                "phone": Account("phone", "twilio.voice", "voice", (OWN,)),
            },
            phone=Phone(quiet_hours=""),
        )
        self.senders = self.new_senders()
        self.told: list[tuple[str, dict[str, Any]]] = []

    def new_senders(self) -> dict[str, send.Sender]:
        """As a daemon has them that has just been started; a second passes between any two messages."""
        return {
            name: send.Sender(
                name,
                self.options,
                prefix=prefix,
                clock=lambda: self.clock().timestamp(),
                pace=pacing.Pacing(clock=itertools.count().__next__),
            )
            for name, prefix in (("texts", ""), ("whatsapp", send.WHATSAPP))
        }

    async def close(self) -> None:
        for sender in self.senders.values():
            await sender.close()

    # -- in ---------------------------------------------------------------------------------------------------

    def text(
        self, body: str = "My printer is on fire", sender: str = JAN, *, to: str = OWN, **form: str
    ) -> Any:
        """Settle a customer's text; its ticket, None = it made none. A sender with whatsapp: comes by WhatsApp."""
        is_chat = sender.startswith(send.WHATSAPP)
        own = f"{send.WHATSAPP}{to}" if is_chat else to
        self.provider.at = self.clock()
        sid = self.provider.receive(sender, own, body).sid
        fields = {"MessageSid": sid, "From": sender, "To": own, "Body": body, "NumMedia": "0"} | form
        account = "whatsapp" if is_chat else "texts"
        row = self.take(account, "message", fields, keys=(f"twilio:{sid}",))
        return self.ticket(row) if row["ticket_id"] is not None else None

    def report(
        self, sid: str, word: str, *, code: int | None = None, reference: str = "", account: str = "texts"
    ) -> Any:
        """Settle a status callback; its journal row."""
        fields = {"MessageSid": sid, "MessageStatus": word, "To": JAN, "From": OWN}
        fields |= {"ErrorCode": str(code)} if code is not None else {}
        query: dict[str, Any] = {"query": {"o": reference}} if reference else {}
        return self.take(account, status.PATH, fields, **query)

    def take(
        self, account: str, path: str, fields: dict[str, str], *, keys: tuple[str, ...] = (), **envelope: Any
    ) -> Any:
        """Settle what Twilio has posted; its journal row."""
        module: Any = whatsapp if account == "whatsapp" else sms
        raw = RawMessage(
            kind=self.context.accounts[account].kind,
            account=account,
            lane=f"phone:{fields.get('From')}",
            keys=keys,
            body=urllib.parse.urlencode({"AccountSid": self.provider.account} | fields).encode(),
            received_at=self.clock(),
            envelope={"path": path} | envelope,
        )
        understood = texting.parse(raw, self.options, medium=module.MEDIUM)
        return self.understand(raw, understood)

    def call(self, sender: str | None = JAN, *, to: str = OWN) -> Any:
        """Settle a voicemail; its ticket. sender: None = they hide their number."""
        raw = RawMessage(
            kind="twilio.voice", account="phone", lane="call:1", body=b"", received_at=self.clock()
        )
        identity = Identity("phone", sender) if sender is not None else None
        said = Message(
            kind="voice",
            sender=identity,
            from_=Address(sender) if sender is not None else None,
            to=(Address(to),),
            text="Please call me back.",
        )
        return self.ticket(self.understand(raw, said))

    def understand(self, raw: RawMessage, understood: Understood) -> dict[str, Any]:
        """Settle what came in and was read as this; its journal row."""
        blob = blobs.prepare(raw.body, self.folder)
        hashes = [self.keys.fingerprint(each) for each in raw.keys]
        journal_id = self.store.write_now(lambda tx: journal.keep(tx, raw, blob, hashes)).id
        received = self.store.read_now(lambda tx: journal.load(tx, journal_id, self.folder))
        self.store.write_now(lambda tx: pipeline.settle(tx, self.context, received, understood))
        return self.row("journal", journal_id)

    def received(self, row: dict[str, Any]) -> Received:
        return self.store.read_now(lambda tx: journal.load(tx, row["id"], self.folder))

    # -- out --------------------------------------------------------------------------------------------------

    def outbox(self) -> Outbox:
        return Outbox(
            self.store,
            self.senders,
            jitter=lambda: 0.0,
            context=lambda: self.context,
            told=lambda event, fields: self.told.append((event, fields)),
        )

    async def deliver_due(self, sender: Outbox | None = None) -> list[Text]:
        """Send what is due now; everything that Twilio has taken so far."""
        self.provider.at = self.clock()
        sender = sender or self.outbox()
        rows, _ = await sender._due()
        for queued in rows:
            if queued.outbound.account in self.senders:
                await sender._free.acquire()
                await sender._send(queued)
        return self.provider.sent

    def answer(
        self, ticket: dict[str, Any], text: str = "Have you tried water?", *, chosen: Chosen | None = None
    ) -> dict[str, Any]:
        """Answer as an agent; the outbox row."""

        def reply(tx: Tx) -> int:
            return desk.reply(tx, self.context, ticket["ref"], agent="ania", text=text, chosen=chosen)

        return self.row("outbox", self.store.write_now(reply))

    def compose(self, ticket: dict[str, Any], text: str) -> Composed:
        return self.store.read_now(lambda tx: composing.compose(tx, self.context, ticket["ref"], text=text))

    def reference(self, row: dict[str, Any]) -> str:
        return str(msgspec.json.decode(row["payload"])["reference"])

    def again(self, row: dict[str, Any]) -> dict[str, Any]:
        return self.row("outbox", row["id"])
