"""Opt-outs of mail: a proven mail that says "unsubscribe", and complaints. Machines write no more there, people may."""

from collections.abc import Iterable
from typing import Any

from channels.contract import Identity, Message
from channels.twilio import keywords
from intake import customers, events, journal, opt_outs
from intake.consent_names import WORD
from intake.model import Received
from intake.opt_outs import EMAIL
from intake.store.engine import Tx

COMPLAINT = "complaint"
Told = dict[str, Any]


def takes(tx: Tx, received: Received, message: Message) -> bool:
    """Settle a proven mail that says "unsubscribe" and nothing else: machines write no more mail to its sender."""
    said = (message.visible_text or message.text).strip() or message.subject
    sender = message.sender
    if sender is None or not message.trust.verified_sender or not keywords.is_unsubscribe(said):
        return False
    customer = customers.known_as(tx, sender, name="")
    if opt_outs.holding(tx, (sender,), EMAIL) is None:
        opt_outs.note(tx, sender, "out", how=WORD, scope=EMAIL, said=said, account=received.raw.account)
        told: Told = {"medium": EMAIL, "value": sender.value, "said": said[:100], "how": WORD}
        events.record(tx, "opted_out", customer_id=customer.id, actor="customer", **told)
        opt_outs.bring_forward(tx, (sender,))
    journal.close(tx, received.id, "automatic", customer_id=customer.id)
    return True


def note_complaint(tx: Tx, addresses: Iterable[str], *, is_withdrawn: bool) -> None:
    """Note that somebody called our mail spam, or took it back: machines write them no more mail."""
    for address in addresses:
        identity = Identity(EMAIL, address.lower())
        holds = opt_outs.holding(tx, (identity,), EMAIL)
        if holds is None and not is_withdrawn:
            opt_outs.note(tx, identity, "out", how=COMPLAINT, scope=EMAIL)
        elif holds is not None and holds.how == COMPLAINT and is_withdrawn:
            opt_outs.note(tx, identity, "in", how=COMPLAINT, scope=holds.scope)
