"""Facts of a message for the rules: filled by value, and only as far as the rulebook asks."""

import msgspec
from sqlalchemy import func, select

from channels import phone_numbers
from channels.contract import Message
from intake import agents, customers, incidents, instants, lists, oncall, returning
from intake.model import Arrival, Context, Customer
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import facts as rules
from routing import gathering_key
from routing.facts import Facts

_encode = msgspec.json.Encoder(order="deterministic").encode
_t = schema.tickets.c
_WAITING = Statement(
    select(_t.team, func.count())
    .where(_t.agent.is_(None), _t.solved_at.is_(None), _t.team.is_not(None))
    .group_by(_t.team)
)


def of_arrival(tx: Tx, context: Context, arrival: Arrival, *, ticket_id: int = 0) -> Facts:
    """Return the facts of a message. ticket_id: the ticket that it joins, 0 = it opens one."""
    message, raw = arrival.message, arrival.received.raw
    spam_score = raw.envelope.get("spam_score")
    seen = Facts(
        at=instants.datetime_from_us(tx.now),
        channel=message.kind,
        account=raw.account,
        unreadable=arrival.problem is not None,
        recipient=arrival.recipients,
        subject=message.subject,
        # Of a call only what the caller said is text; the rest is our own account of it.
        body=message.visible_text if message.call is not None else message.visible_text or message.text,
        quoted=message.quoted_text,
        language=message.language,
        attachments=tuple(
            rules.AttachmentFacts(each.name, each.content_type, each.size) for each in message.attachments
        ),
        automatic=message.automatic,
        headers=_headers(context, message),
        spam_score=float(spam_score) if isinstance(spam_score, int | float) else None,
        call_choice=message.call.choice if message.call is not None else None,
        call_outcome=message.call.outcome if message.call is not None else None,
        chat_page=str(raw.envelope["page"]) if message.kind == "chat" and raw.envelope.get("page") else None,
        sender=_sender(message, arrival.customer),
        customer=of_customer(tx, context, arrival.customer, ticket_id=ticket_id),
        desk=of_desk(tx, context),
        agents=agents.loads(tx) if not ticket_id or asks_for_people(context) else {},
        on_call=oncall.facts(tx, context.rulebook),
    )
    return with_kept(tx, context, seen)


def of_desk(tx: Tx, context: Context) -> rules.DeskFacts:
    """Return what is known of the desk at this moment, as far as the rules ask."""
    needs = context.rulebook.needs
    return rules.DeskFacts(
        incident_open="incident.open" in needs and incidents.is_open(tx),
        waiting=dict(tx.all(_WAITING)) if "team.waiting" in needs else {},
    )


def asks_for_people(context: Context) -> bool:
    """Whether rules ask who is there; to open a ticket that is known anyway, because somebody is chosen."""
    return not context.rulebook.needs.isdisjoint(("agent.available", "team.open_now"))


def of_customer(tx: Tx, context: Context, customer: Customer, *, ticket_id: int = 0) -> rules.CustomerFacts:
    """Return what is known of a customer, as far as the rules ask.

    ticket_id: the ticket in question, which is not counted among the customer's; 0 = it is only being opened.
    """
    needs = needed(context) if not customer.is_new else frozenset()
    is_counted, has_history = "customer.open_tickets" in needs, "customer.tickets" in needs
    last = returning.answered(tx, context, customer) if not ticket_id else None
    return rules.CustomerFacts(
        organization=customer.organization,
        tags=customer.tags,
        tier=customer.tier,
        language=customer.language,
        open_tickets=customers.open_tickets(tx, customer.id, but=ticket_id) if is_counted else 0,
        tickets=customers.history(tx, customer.id, but=ticket_id) if has_history else (),
        last_rating=customer.last_rating,
        opted_out=customer.opted_out_at is not None,
        first_contact=customer.is_new,
        fields=customer.fields,
        answered_by=last[0] if last else None,
        answered_at=instants.datetime_from_us(last[1]) if last else None,
    )


def with_kept(tx: Tx, context: Context, seen: Facts) -> Facts:
    """Return the facts with those of their values that are in lists kept at the desk."""
    kept = lists.held(tx, context.rulebook, seen)
    return msgspec.structs.replace(seen, kept=kept) if kept else seen


def needed(context: Context) -> frozenset[str]:
    """Return the facts that rules and the keys of gatherings ask for."""
    by = context.rulebook.conversations.by
    asked = {name for each in by for name in gathering_key.places(each.key)}
    return context.rulebook.needs | asked if asked else context.rulebook.needs


def stored(facts: Facts) -> str:
    """Return the facts as a decision keeps them: all by value but the text, which stands with the message."""
    return _encode(without_text(facts)).decode()


def without_text(facts: Facts) -> Facts:
    """Return the facts without what a customer wrote, which is kept once, as the message."""
    return msgspec.structs.replace(facts, subject="", body="", quoted="")


def stored_whole(facts: Facts) -> str:
    """Return the facts with their text, where that is of several messages."""
    return _encode(facts).decode()


def _headers(context: Context, message: Message) -> dict[str, tuple[str, ...]]:
    """Return the headers that rules ask for: the others stay in the raw message, and out of what is kept."""
    wanted = (name.removeprefix("header.").lower() for name in needed(context) if name.startswith("header."))
    return {name: message.headers[name] for name in wanted if name in message.headers}


def phone_of(message: Message) -> str | None:
    """Return the number that a message came from, like +48600100200; a short code or a name is returned as it is written."""
    names = (message.sender, *message.also) if message.sender is not None else message.also
    return next((each.value for each in names if each.kind == "phone"), None)


def _sender(message: Message, customer: Customer) -> rules.SenderFacts:
    sender = message.sender
    value = sender.value if sender is not None else None
    is_address = sender is not None and sender.kind == "email"
    phone = phone_of(message)
    return rules.SenderFacts(
        address=value if is_address else None,
        domain=value.rpartition("@")[2] if is_address and value else None,
        name=(message.from_.name or None) if message.from_ else None,
        phone=phone,
        country=phone_numbers.country(phone) if phone is not None else None,
        verified=message.trust.verified_sender,
        known_since=None if customer.is_new else instants.datetime_from_us(customer.created_at),
    )
