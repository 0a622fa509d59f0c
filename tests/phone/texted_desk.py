"""A desk that is texted: a world with two accounts that text, and forms that are settled there."""

from pathlib import Path
from typing import Any

import msgspec

from channels.twilio import sms, whatsapp
from intake import journal, pipeline
from intake.model import Account
from intake.store import blobs
from intake.store.engine import Store
from tests.domain.world import World
from tests.phone.texting import OWN, SID, Form, form, raw, whatsapp_form

CONVERSATIONS = """
conversations:
  sms: {join: open, reopen_within: 3d}
  whatsapp: {join: open, reopen_within: 3d}
"""


class Desk(World):
    """A world with two accounts that text, "texts" and "chats"."""

    def __init__(self, store: Store, folder: Path, clock: Any, *, rules: str) -> None:
        super().__init__(store, folder, clock, rules=rules)
        texts = Account("texts", "twilio.sms", "sms", (OWN,))
        chats = Account("chats", "twilio.whatsapp", "whatsapp", (OWN,))
        accounts = {**self.context.accounts, "texts": texts, "chats": chats}
        self.context = msgspec.structs.replace(self.context, accounts=accounts)

    def take(self, posted: Form, **about: Any) -> dict[str, Any]:
        """Take a text in and settle it; its journal row."""
        journal_id = self.journal_text(posted, **about)
        self.settle_text(journal_id)
        return self.row("journal", journal_id)

    def journal_text(self, posted: Form, **about: Any) -> int:
        """Take a text in, as its webhook would; its journal id."""
        taken = raw(posted, at=self.clock(), **about)
        blob = blobs.prepare(taken.body, self.folder)
        hashes = [self.keys.fingerprint(each) for each in taken.keys]
        return self.store.write_now(lambda tx: journal.keep(tx, taken, blob, hashes)).id

    def settle_text(self, journal_id: int) -> None:
        received = self.store.read_now(lambda tx: journal.load(tx, journal_id, self.folder))
        module = sms if received.raw.kind == "twilio.sms" else whatsapp
        understood = module.parse(received.raw, module.Options(account_sid=SID))
        self.store.write_now(lambda tx: pipeline.settle(tx, self.context, received, understood))

    def text(self, body: str = "My printer is on fire", **more: str) -> dict[str, Any]:
        return self.take(form(body, **more))

    def chat(self, body: str = "My printer is on fire", **more: str) -> dict[str, Any]:
        return self.take(whatsapp_form(body, **more), kind="twilio.whatsapp", account="chats")
