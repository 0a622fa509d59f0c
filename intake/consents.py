"""STOP, START and HELP: what the words do, in the transaction of their journal row.

STOP is certain: its text makes no ticket and no notice, and stays in the journal as automatic, with its customer. One
confirmation is queued before the ledger says "out", unless the provider has confirmed it, and everything else that waits
for the number comes to the gate at once (intake.admitting), which withholds it. START lifts what holds.

START and HELP count only where they make sense, so such a text comes here as a message first (`takes`): START, and YES,
when its sender has said STOP; HELP when nothing of theirs is open and nobody has answered it within the hour. Who asks
again wants a person. YES of somebody whose ticket is open is an answer as well: it lifts the block, as it does at the
provider, and stays a message.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from channels.contract import Address, Consent, Identity, Message
from channels.twilio import keywords
from intake import (
    consent_names,
    consent_texts,
    counters,
    customers,
    events,
    instants,
    journal,
    mail_consents,
    opt_outs,
    outgoing,
    permission,
    whatsapp_window,
)
from intake.consent_names import WORD
from intake.model import Account, Arrival, Context, Received
from intake.opt_outs import EMAIL, SMS, WHATSAPP
from intake.outbound import Draft
from intake.store.engine import Tx

TEXTED = frozenset({SMS, WHATSAPP})
HELPED = "consent_help"  # a counter: once an hour for each sender


def settle(tx: Tx, context: Context, received: Received, consent: Consent) -> None:
    """Do what a word says, and close its journal row."""
    agent = consent_names.agent_of(context, consent.sender)
    covered = consent_names.locked(tx, context, consent.sender, *consent.also)
    customer_id = None if agent else customers.known_as(tx, consent.sender, name="", is_locked=True).id
    consent_names.lock_owners(tx, covered)
    if consent.word == "stop":
        stop(tx, context, received, consent, covered=covered, customer_id=customer_id, agent=agent)
    elif consent.word == "start":
        start(tx, context, received, consent, customer_id=customer_id)
    elif not consent.is_answered:
        help_out(tx, context, received, consent, customer_id=customer_id)
    journal.close(tx, received.id, "automatic", customer_id=customer_id)


def takes(tx: Tx, context: Context, received: Received, message: Message, account: Account) -> bool:
    """Settle a message that is a word of consent because it makes sense as one; false = it is a message (as well)."""
    if message.sender is None or received.ticket_id is not None or message.attachments:
        return False
    if message.kind == EMAIL:
        return mail_consents.takes(tx, received, message)
    word = keywords.perhaps(message.text, languages=account.languages) if message.kind in TEXTED else None
    if word is None:
        return False
    consent = _consent(message, word)
    return (
        _takes_start(tx, context, received, consent)
        if word == "start"
        else _takes_help(tx, context, received, consent)
    )


def stop(
    tx: Tx,
    context: Context,
    received: Received,
    consent: Consent,
    *,
    covered: Iterable[Identity],
    customer_id: int | None,
    agent: str | None = None,
) -> None:
    """Confirm it, write it down for every name that it covers, and hold back what waits. covered: locked."""
    said_at = _said_at(received)
    if any(each.at == said_at and each.state == "out" for each in opt_outs.history(tx, consent.sender)):
        return  # a replay
    was_out = opt_outs.holding(tx, (consent.sender,), consent.kind) is not None
    is_timely = tx.now - said_at <= permission.CONFIRMED_WITHIN_US
    if not consent.is_answered and not was_out and is_timely and context.consent.confirm:
        _answer(tx, context, received, consent, "stop", customer_id=customer_id)
    scope = consent.kind if context.consent.stop_means == "text" else ""
    for identity in covered:
        opt_outs.write(
            tx,
            identity,
            "out",
            how=WORD,
            scope=scope,
            said=consent.said,
            account=received.raw.account,
            at=said_at,
        )
    _note(tx, "opted_out", consent, customer_id=customer_id, actor=f"agent:{agent}" if agent else "customer")
    _follow(tx, covered)
    if agent:
        tx.signal("told", [("agent_opted_out", {"agent": agent, "number": consent.sender.value})])
    opt_outs.bring_forward(tx, covered)


def start(tx: Tx, context: Context, received: Received, consent: Consent, *, customer_id: int | None) -> bool:
    """Lift what holds, and confirm it where the provider has not; false when nothing held."""
    said_at = _said_at(received)
    lifted = consent_names.liftable(tx, consent.sender)
    if _is_late(received):  # what was noted since is the last word
        lifted = [each for each in lifted if each.at < said_at]
    history = opt_outs.history(tx, consent.sender)
    if not lifted or any(each.at == said_at and each.state == "in" for each in history):
        return False  # nothing held, or it is a replay
    for each in lifted:
        opt_outs.write(
            tx, each.identity, "in", how=WORD, scope=each.scope, said=consent.said, account=received.raw.account,
            at=said_at,
        )  # fmt: skip
    _note(tx, "opted_in", consent, customer_id=customer_id, actor="customer")
    _follow(tx, (each.identity for each in lifted))
    if not consent.is_answered and context.consent.confirm:
        _answer(tx, context, received, consent, "start", customer_id=customer_id)
    return True


def _is_late(received: Received) -> bool:
    """Whether a word was brought by the reconciler: it may be older than words that a webhook brought."""
    return "sent_at" in received.raw.envelope


def _said_at(received: Received) -> int:
    """Return when a word was said, microseconds UTC: one that is brought late was said when it was sent."""
    raw = received.raw
    came_at = instants.us_from_datetime(raw.received_at)
    if not _is_late(received):
        return came_at
    return min(came_at, instants.us_from_datetime(datetime.fromisoformat(raw.envelope["sent_at"])))


def _note(tx: Tx, kind: str, consent: Consent, *, customer_id: int | None, actor: str) -> None:
    """Write the event."""
    events.record(
        tx,
        kind,
        customer_id=customer_id,
        actor=actor,
        medium=consent.kind,
        value=consent.sender.value,
        said=consent.said[:100],
        how=WORD,
    )


def _follow(tx: Tx, identities: Iterable[Identity]) -> None:
    """Keep beside each customer of these names whether they have opted out of something."""
    for customer_id in consent_names.owners(tx, identities):
        opt_outs.follow(tx, customer_id)


def help_out(
    tx: Tx, context: Context, received: Received, consent: Consent, *, customer_id: int | None
) -> bool:
    """Say who we are and how to stop us; false when that was said within the hour, or may not be sent."""
    if opt_outs.holding(tx, (consent.sender,), consent.kind) is not None:
        return False
    if not counters.take(tx, HELPED, f"{consent.kind}:{consent.sender.value}", limit=1):
        return False
    return _answer(tx, context, received, consent, "help", customer_id=customer_id)


def lift(tx: Tx, context: Context, arrival: Arrival) -> None:
    """Lift what holds where YES came as an answer: it has joined its ticket, and the provider writes there again."""
    message = arrival.message
    if message.kind in TEXTED and message.sender is not None and keywords.is_yes(message.text):
        consent = _consent(message, "start")
        start(tx, context, arrival.received, consent, customer_id=arrival.customer.id)


def _takes_start(tx: Tx, context: Context, received: Received, consent: Consent) -> bool:
    customer_id = opt_outs.customer_of(tx, consent.sender)
    if not consent_names.liftable(tx, consent.sender):
        return False
    if keywords.is_yes(consent.said) and customer_id and customers.open_tickets(tx, customer_id):
        return False
    consent_names.lock_owners(tx, consent_names.locked(tx, context, consent.sender))
    start(tx, context, received, consent, customer_id=customer_id)
    journal.close(tx, received.id, "automatic", customer_id=customer_id)
    return True


def _takes_help(tx: Tx, context: Context, received: Received, consent: Consent) -> bool:
    customer_id = opt_outs.customer_of(tx, consent.sender)
    if customer_id is not None and customers.open_tickets(tx, customer_id):
        return False
    if not help_out(tx, context, received, consent, customer_id=customer_id):
        return False
    known = customers.known_as(tx, consent.sender, name="")
    journal.close(tx, received.id, "automatic", customer_id=known.id)
    return True


def _consent(message: Message, word: Literal["start", "help"]) -> Consent:
    assert message.sender is not None  # noqa: S101 - the callers have looked
    return Consent(
        kind=message.kind,
        word=word,
        sender=message.sender,
        own=next((each.address for each in message.to), ""),
        said=message.text,
        provider_id=message.message_id or "",
        language=message.language,
        is_answered=keywords.is_confirmed_by_twilio(message.text, medium=message.kind),
    )


def _answer(
    tx: Tx,
    context: Context,
    received: Received,
    consent: Consent,
    word: consent_texts.Word,
    *,
    customer_id: int | None,
) -> bool:
    """Queue the answer to a word; false when nothing can carry it."""
    account = context.accounts.get(received.raw.account)
    if account is None or not account.can_deliver:
        return False
    language = consent.language or _language(tx, customer_id) or next(iter(account.languages), None)
    draft = Draft(
        cause=f"consent:{received.id}",
        action=f"confirm:{word}",
        to=Address(consent.sender.value),
        subject="",
        text=consent_texts.text(context, word, language),
        author="system",
        automatic="auto-replied",
        medium=consent.kind,
        extra=whatsapp_window.opened(received.raw.received_at) if consent.kind == WHATSAPP else {},
    )
    own = consent.own or next(iter(account.addresses), "")
    return outgoing.send_alone(tx, context, account, draft, own=own, customer_id=customer_id) is not None


def _language(tx: Tx, customer_id: int | None) -> str | None:
    return customers.load(tx, customer_id).language if customer_id is not None else None
