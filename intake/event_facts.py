"""Facts of what happens to a ticket that is there already: filled by value, and only as far as the rules ask."""

import msgspec

from channels import phone_numbers
from intake import agents, call_facts, clocks, customers, facts, instants, oncall, threads
from intake.model import Context, Customer, Ticket
from intake.store.engine import Tx
from routing import facts as rules
from routing.facts import Facts, TicketFacts

Changed = dict[str, tuple[str | None, str | None]]


def of_ticket(
    tx: Tx,
    context: Context,
    ticket: Ticket,
    event: str,
    *,
    changed: Changed | None = None,
    said: str | None = None,
) -> Facts:
    """Return the facts of an event without a message; the words are those of the customer's last one.

    said: what one of ours answered or noted, and these are the words instead.
    """
    customer = customers.load(tx, ticket.customer_id)
    last = threads.load(tx, ticket.id).last_words
    base = Facts(
        at=instants.datetime_from_us(tx.now),
        channel=ticket.medium,
        account=ticket.account,
        recipient=(ticket.own_address,) if ticket.own_address else (),
        language=ticket.language,
        customer=facts.of_customer(tx, context, customer, ticket_id=ticket.id),
        desk=facts.of_desk(tx, context),
        agents=agents.loads(tx),
        on_call=oncall.facts(tx, context.rulebook),
    )
    if said is not None:
        base = msgspec.structs.replace(base, body=said, direction="out", created_by="agent")
    elif last is not None:
        base = msgspec.structs.replace(
            base,
            subject=last.subject,
            body=last.text,
            automatic=last.automatic,
            attachments=tuple(
                rules.AttachmentFacts(each.get("name", ""), each.get("content_type", ""), each.get("size", 0))
                for each in last.attachments
            ),
            sender=_sender(last, customer, medium=ticket.medium),
        )
    called = call_facts.of_ticket(tx, context, ticket)
    base = msgspec.structs.replace(base, call_choice=called.choice, call_outcome=called.outcome)
    base = facts.with_kept(tx, context, base)
    return of_event(tx, context, base, ticket, event, changed=changed)


def of_event(
    tx: Tx, context: Context, seen: Facts, ticket: Ticket, event: str, *, changed: Changed | None = None
) -> Facts:
    """Return the facts of a message's arrival as those of an event on a ticket. ticket: as it was before."""
    return msgspec.structs.replace(
        seen,
        event=event,
        ticket=_ticket(tx, context, ticket),
        changed=changed or {},
    )


def _sender(said: threads.Said, customer: Customer, *, medium: str) -> rules.SenderFacts:
    is_address = "@" in said.author
    phone = _phone(said.author, medium=medium)
    return rules.SenderFacts(
        address=said.author if is_address else None,
        domain=said.author.rpartition("@")[2] if is_address else None,
        name=said.author_name or None,
        phone=phone,
        country=phone_numbers.country(phone) if phone is not None else None,
        verified=said.is_verified,
        known_since=instants.datetime_from_us(customer.created_at),
    )


def _phone(author: str, *, medium: str) -> str | None:
    """Return the author's number; None = they wrote by mail, or WhatsApp does not tell it."""
    if not author or "@" in author:
        return None
    return phone_numbers.e164(author) or (author if medium != "whatsapp" else None)


def _ticket(tx: Tx, context: Context, ticket: Ticket) -> TicketFacts:
    asks_for_sla = any(need.startswith("ticket.sla") for need in context.rulebook.needs)
    has_clocks = ticket.armament is not None or ticket.promised_at is not None
    return TicketFacts(
        created_at=instants.datetime_from_us(ticket.created_at),
        status=ticket.status,
        priority=ticket.priority,
        team=ticket.team,
        level=ticket.level,
        agent=ticket.agent,
        nature=ticket.nature,
        reopened=ticket.reopened,
        tags=ticket.tags,
        fields=ticket.fields,
        sla=clocks.states(tx, ticket) if asks_for_sla and has_clocks else {},
        promise=None if ticket.promised_at is None else instants.datetime_from_us(ticket.promised_at),
    )
