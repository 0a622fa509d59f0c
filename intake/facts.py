"""Facts of a message for the rules: filled by value, and only as far as the rulebook asks."""

import msgspec

from channels.contract import Message
from intake import agents, customers, instants
from intake.model import Arrival, Context, Customer
from intake.store.engine import Tx
from routing import facts as rules
from routing.facts import Facts

_encode = msgspec.json.Encoder(order="deterministic").encode


def of_arrival(tx: Tx, context: Context, arrival: Arrival) -> Facts:
    """Return the facts of a message that opens a ticket."""
    message, raw = arrival.message, arrival.received.raw
    spam_score = raw.envelope.get("spam_score")
    return Facts(
        at=instants.datetime_from_us(tx.now),
        channel=message.kind,
        account=raw.account,
        unreadable=arrival.problem is not None,
        recipient=arrival.recipients,
        subject=message.subject,
        body=message.visible_text or message.text,
        quoted=message.quoted_text,
        language=message.language,
        attachments=tuple(
            rules.AttachmentFacts(each.name, each.content_type, each.size) for each in message.attachments
        ),
        automatic=message.automatic,
        headers=_headers(context, message),
        spam_score=float(spam_score) if isinstance(spam_score, int | float) else None,
        sender=_sender(message, arrival.customer),
        customer=of_customer(tx, context, arrival.customer),
        agents=agents.loads(tx),
    )


def stored(facts: Facts) -> str:
    """Return the facts as a decision keeps them: all by value but the text, which stands with the message."""
    return _encode(msgspec.structs.replace(facts, subject="", body="", quoted="")).decode()


def _headers(context: Context, message: Message) -> dict[str, tuple[str, ...]]:
    """Return the headers that rules ask for: the others stay in the raw message, and out of what is kept."""
    wanted = (
        name.removeprefix("header.").lower() for name in context.rulebook.needs if name.startswith("header.")
    )
    return {name: message.headers[name] for name in wanted if name in message.headers}


def _sender(message: Message, customer: Customer) -> rules.SenderFacts:
    sender = message.sender
    value = sender.value if sender is not None else None
    is_address = sender is not None and sender.kind == "email"
    return rules.SenderFacts(
        address=value if is_address else None,
        domain=value.rpartition("@")[2] if is_address and value else None,
        name=(message.from_.name or None) if message.from_ else None,
        phone=value if sender is not None and sender.kind == "phone" else None,
        verified=message.trust.verified_sender,
        known_since=None if customer.is_new else instants.datetime_from_us(customer.created_at),
    )


def of_customer(tx: Tx, context: Context, customer: Customer) -> rules.CustomerFacts:
    """Return what is known of a customer, as far as the rules ask."""
    counted = "customer.open_tickets" in context.rulebook.needs and not customer.is_new
    return rules.CustomerFacts(
        organization=customer.organization,
        tags=customer.tags,
        language=customer.language,
        open_tickets=customers.open_tickets(tx, customer.id) if counted else 0,
        first_contact=customer.is_new,
    )
