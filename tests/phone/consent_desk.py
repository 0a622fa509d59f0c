"""A desk that texts, chats and calls through a far end which notes everything that reaches it."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import msgspec

from channels.contract import Address, Consent, Delivered, Identity, OutboundMessage, RawMessage
from channels.twilio import sms, whatsapp
from intake import desk, journal, opt_outs, outbox, outgoing, pipeline, tickets
from intake.delivering import Outbox
from intake.model import Account
from intake.opt_outs import OptOut
from intake.outbound import Draft
from intake.store import blobs
from intake.store.engine import Store, Tx
from tests.domain.world import RULES
from tests.phone.texted_desk import CONVERSATIONS, Desk
from tests.phone.texting import JAN, OWN, SID, form, whatsapp_form

PHONE = Identity("phone", JAN)
BASE = RULES + CONVERSATIONS
_numbers = itertools.count(1)


class FarEnd:
    """What would be Twilio: takes everything. taken: in the order in which it came."""

    def __init__(self) -> None:
        self.taken: list[OutboundMessage] = []

    async def deliver(self, outbound: OutboundMessage) -> Delivered:
        self.taken.append(outbound)
        return Delivered(f"SM{next(_numbers):032x}")

    def to(self, number: str = JAN) -> list[str]:
        """The texts that a number got, and the calls."""
        return [each.text for each in self.taken if each.to[0].address.removeprefix("whatsapp:") == number]


class ConsentDesk(Desk):
    """See the module docstring. accounts: "texts", "chats", "calls", and the mailbox "support"."""

    def __init__(self, store: Store, folder: Path, clock: Any, *, rules: str = BASE, **settings: Any) -> None:
        super().__init__(store, folder, clock, rules=rules)
        self.far = FarEnd()
        self.mails = FarEnd()
        self.told: list[tuple[str, dict[str, Any]]] = []
        store.listen(self._hear)
        accounts = dict(self.context.accounts)
        for name, kind, medium in (
            ("texts", "twilio.sms", "sms"),
            ("chats", "twilio.whatsapp", "whatsapp"),
            ("calls", "twilio.voice", "voice"),
        ):
            accounts[name] = Account(name, kind, medium, (OWN,), can_deliver=True, languages=("pl",))
        self.context = msgspec.structs.replace(self.context, accounts=accounts)
        self.set(**settings)

    def _hear(self, signals: Any) -> None:
        self.told += signals.get("told", ())

    def set(self, **settings: Any) -> None:
        """Change keys of consent: and phone:."""
        known = set(self.context.consent.__struct_fields__)
        consent = {name: value for name, value in settings.items() if name in known}
        phone = {name: value for name, value in settings.items() if name not in known}
        self.context = msgspec.structs.replace(
            self.context,
            consent=msgspec.structs.replace(self.context.consent, **consent),
            phone=msgspec.structs.replace(self.context.phone, **phone),
        )

    def settle_text(self, journal_id: int) -> None:
        received = self.store.read_now(lambda tx: journal.load(tx, journal_id, self.folder))
        module: Any = sms if received.raw.kind == "twilio.sms" else whatsapp
        options = module.Options(account_sid=SID, consent_languages=("pl",))
        understood = module.parse(received.raw, options)
        self.store.write_now(lambda tx: pipeline.settle(tx, self.context, received, understood))

    # -- customers --------------------------------------------------------------------------------------------

    def say(self, body: str, sender: str = JAN, **more: str) -> dict[str, Any]:
        """A text comes and is settled; its journal row."""
        return self.take(form(body, **({"From": sender} | more)))

    def chat_say(self, body: str, sender: str = JAN, **more: str) -> dict[str, Any]:
        posted = whatsapp_form(body, **({"From": f"whatsapp:{sender}", "WaId": sender[1:]} | more))
        return self.take(posted, kind="twilio.whatsapp", account="chats")

    def consent(self, word: Any, sender: str = JAN, **about: Any) -> None:
        """A word of consent is settled as whatever medium brought it."""
        raw = RawMessage(
            kind="twilio.sms", account="texts", lane=sender, body=b"x", received_at=self.clock(),
            keys=(f"consent:{next(_numbers)}",),
        )  # fmt: skip
        blob = blobs.prepare(raw.body, self.folder)
        kept = self.store.write_now(lambda tx: journal.keep(tx, raw, blob, list(raw.keys)))
        said = Consent(
            **{"kind": "sms", "word": word, "sender": Identity("phone", sender), "own": OWN, "said": word, "provider_id": "SM1"}
            | about
        )  # fmt: skip
        received = self.store.read_now(lambda tx: journal.load(tx, kept.id, self.folder))
        self.store.write_now(lambda tx: pipeline.settle(tx, self.context, received, said))

    # -- what goes out ----------------------------------------------------------------------------------------

    def send(
        self, ticket: dict[str, Any], text: str = "Hello.", *, to: str = JAN, **about: Any
    ) -> dict[str, Any]:
        """Decide a message about a ticket, as any path does; its outbox row."""
        draft = Draft(
            cause=f"timer:{next(_numbers)}",
            action="reply:test",
            to=Address(to),
            subject="",
            text=text,
            author="rule:test",
            automatic="auto-replied",
            medium="sms",
        )
        draft = msgspec.structs.replace(draft, **about)

        def decide(tx: Tx) -> int | None:
            loaded = tickets.load(tx, ticket["id"])
            assert loaded is not None
            return outgoing.send(tx, self.context, loaded, draft)

        outbox_id = self.store.write_now(decide)
        assert outbox_id is not None
        return self.row("outbox", outbox_id)

    def answer(self, ticket: dict[str, Any], text: str = "We are on it.") -> int:
        return self.store.write_now(
            lambda tx: desk.reply(tx, self.context, ticket["ref"], agent="ania", text=text)
        )

    def deliver(self) -> list[OutboundMessage]:
        """Send what is due now; all that has reached the far end's phones so far."""
        asyncio.run(self.deliver_due())
        return self.far.taken

    def outbox(self) -> Outbox:
        ends = {"texts": self.far, "chats": self.far, "calls": self.far, "support": self.mails}
        return Outbox(self.store, ends, jitter=lambda: 0.0, context=lambda: self.context, folder=self.folder)

    async def deliver_due(self) -> None:
        sender = self.outbox()
        while True:
            rows, _ = await sender._due()
            if not rows:
                return
            for queued in rows:
                await sender._free.acquire()
                await sender._send(queued)

    def retry(self, outbox_id: int) -> bool:
        return self.store.write_now(lambda tx: outbox.retry(tx, outbox_id))

    # -- looking ----------------------------------------------------------------------------------------------

    def holding(self, identity: Identity = PHONE, medium: str = "sms") -> OptOut | None:
        return self.store.read_now(lambda tx: opt_outs.holding(tx, (identity,), medium))

    def customer(self, journal_row: dict[str, Any]) -> dict[str, Any]:
        return self.row("customers", journal_row["customer_id"])

    def texts_to(self, number: str = JAN) -> list[str]:
        self.deliver()
        return self.far.to(number)
