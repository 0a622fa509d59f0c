"""What happens to a message? `settle` is the whole answer: one function, run in one transaction per message.

    who is writing      customers.identify
    which conversation  conversations.place
    where it goes       routing.decide, with its reasons
    what follows        ticket, message, events, clocks and timers, outbox rows; the journal row is closed

All of it is committed together or not at all. Nothing here does I/O: replies and notices are rows of the outbox.
"""

from typing import Any

import msgspec

from channels.contract import Address, Message
from intake import (
    addresses,
    agents,
    bounces,
    clocks,
    conversations,
    customers,
    effects,
    events,
    facts,
    failpoints,
    instants,
    journal,
    notices,
    tickets,
)
from intake.conversations import Place
from intake.model import Account, Context, Customer, Received, Ticket
from intake.store import schema
from intake.store.engine import Tx
from routing import decision as rules
from routing.decision import Decision
from routing.facts import FACTS_VERSION

_encode = msgspec.json.Encoder().encode


def settle(
    tx: Tx, context: Context, received: Received, message: Message, *, problem: str | None = None
) -> None:
    """Turn a journal row into what it means. problem: why the message could not be read; it is a ticket all the same."""
    failpoints.reach("settle.in_transaction")
    if received.duplicate_of is not None:
        _settle_duplicate(tx, received)
    elif received.message_id is not None:
        _settle_again(tx, received, message, problem)
    else:
        _settle_new(tx, context, received, message, problem)


def _settle_new(tx: Tx, context: Context, received: Received, message: Message, problem: str | None) -> None:
    account = context.accounts.get(received.raw.account) or _forgotten(received)
    recipients = recipients_of(received, message)
    bounced = bounces.note(tx, context, account, message, recipients)
    if bounced is not None:
        customer = customers.load(tx, bounced.customer_id)
        _attach(tx, received, message, bounced, customer, state="automatic")
        return
    customer = customers.identify(tx, message)
    place = conversations.place(tx, context, account, message, recipients)
    if place.ticket is not None:
        _join(tx, context, received, message, customer, place)
    else:
        _open(tx, context, account, received, message, customer, place, problem)


def recipients_of(received: Received, message: Message) -> tuple[str, ...]:
    """Return the addresses the message was delivered to; without an envelope (a file) those it names."""
    enveloped = received.raw.envelope.get("recipients")
    named = enveloped or [each.address for each in (*message.to, *message.cc)]
    return tuple(str(address).lower() for address in named)


def _join(
    tx: Tx, context: Context, received: Received, message: Message, customer: Customer, place: Place
) -> None:
    """Add the customer's next message to the conversation; automatic mail moves neither status nor clock."""
    ticket = place.ticket
    assert ticket is not None  # noqa: S101 - asked by the caller
    state = "automatic" if message.automatic else "ticket"
    message_id = _attach(tx, received, message, ticket, customer, state=state)
    if place.is_flagged:
        _event(tx, ticket, "unverified_join", message=str(message_id))
    if message.automatic:
        return
    tickets.count_message(tx, ticket.id)
    _event(tx, ticket, "customer_replied", actor="customer", message=str(message_id))
    if ticket.status not in ("new", "open"):
        reopened = tickets.change(tx, ticket, actor="customer", status="open")
        clocks.follow(tx, ticket, reopened)
        ticket = reopened
    if ticket.agent is not None and context.notices.customer_replied:
        headline = f"The customer has answered on your ticket {ticket.ref}."
        _notify(tx, context, ticket, "customer_replied", headline, message_id, message)


def _open(
    tx: Tx,
    context: Context,
    account: Account,
    received: Received,
    message: Message,
    customer: Customer,
    place: Place,
    problem: str | None,
) -> None:
    """Decide where a new conversation goes, and write all that follows from it."""
    recipients = recipients_of(received, message)
    seen = facts.of_message(tx, context, received, message, customer, recipients)
    decided = rules.decide(context.rulebook, seen)
    kinds = {action.kind for action in decided.actions}
    if "ignore" in kinds:
        events.record(
            tx, "ignored", customer_id=customer.id, actor=f"rule:{decided.rule}", journal=received.id
        )
        journal.close(
            tx,
            received.id,
            "ignored",
            customer_id=customer.id,
            problem=f"ignored by rule {_ignorer(decided)}",
        )
        return
    ticket = _new_ticket(tx, context, account, message, customer, decided, recipients)
    tickets.insert(
        tx,
        ticket,
        rule=decided.rule,
        nature=decided.nature,
        linked_to=place.linked_to,
        suggested=place.suggested,
    )
    if message.sender is not None:
        tickets.add_participant(tx, ticket, message.sender)
    state = "quarantined" if problem else "ticket"
    message_id = _attach(tx, received, message, ticket, customer, state=state, problem=problem)
    _tell_opening(tx, ticket, place, decided, problem)
    due = _arm(tx, context, ticket)
    _keep_decision(tx, ticket, message_id, seen, decided, due)
    if ticket.agent is not None:
        agents.note_turn(tx, ticket.agent)
        if context.notices.assigned:
            headline = f"A new ticket {ticket.ref} is yours."
            _notify(tx, context, ticket, "assigned", headline, message_id, message)
    occasion = _occasion(received, message, customer, message_id)
    effects.apply(tx, context, ticket, _remaining(decided), occasion)


def _new_ticket(
    tx: Tx,
    context: Context,
    account: Account,
    message: Message,
    customer: Customer,
    decided: Decision,
    recipients: tuple[str, ...],
) -> Ticket:
    is_spam = any(action.kind == "spam" for action in decided.actions)
    armament = context.armaments.get(decided.sla or "") if not is_spam else None
    status = "closed" if is_spam else decided.status or "new"
    return Ticket(
        id=tx.new_id(),
        ref=tickets.new_ref(tx, context.keys),
        customer_id=customer.id,
        subject=message.subject or _first_line(message),
        status=status,  # type: ignore[arg-type]  # the rulebook's reader lets only these through
        priority=decided.priority,
        team=decided.team,
        level=decided.level,
        agent=decided.agent,
        language=decided.language or message.language,
        tags=decided.tags,
        medium=message.kind,
        account=account.name,
        own_address=addresses.own_address(account, recipients),
        sla=decided.sla,
        armament=armament.hash if armament else None,
        reopened=0,
        is_spam=is_spam,
        created_at=tx.now,
        solved_at=tx.now if status in ("solved", "closed") else None,
    )


def _first_line(message: Message) -> str:
    for line in (message.visible_text or message.text).splitlines():
        if line.strip():
            return line.strip()[:120]
    return "(no subject)"


def _attach(
    tx: Tx,
    received: Received,
    message: Message,
    ticket: Ticket,
    customer: Customer,
    *,
    state: str,
    problem: str | None = None,
) -> int:
    """Write the message into its conversation and close its journal row; the message's id."""
    message_id = tx.new_id()
    tx.insert(
        schema.messages,
        id=message_id,
        ticket_id=ticket.id,
        customer_id=customer.id,
        journal_id=received.id,
        direction="in",
        account=received.raw.account,
        at=instants.us_from_datetime(received.raw.received_at),
        **_content(message),
    )
    journal.close(
        tx,
        received.id,
        state,
        customer_id=customer.id,
        ticket_id=ticket.id,
        message_id=message_id,
        problem=problem,
    )
    return message_id


def _content(message: Message) -> dict[str, Any]:
    """Return the columns of `messages` that come from parsing, and so change when a message is parsed again."""
    sender = message.sender
    return {
        "author": sender.value if sender is not None else "",
        "author_name": message.from_.name if message.from_ is not None else "",
        "medium": message.kind,
        "external_id": message.message_id,
        "subject": message.subject,
        "body": message.text,
        "visible_text": message.visible_text if message.visible_text != message.text else None,
        "language": message.language,
        "automatic": message.automatic,
        "is_verified": int(message.trust.verified_sender),
        "attachments": _encode(message.attachments).decode(),
        "problems": _encode(message.problems).decode(),
        "sent_at": None if message.sent_at is None else instants.us_from_datetime(message.sent_at),
    }


def _tell_opening(tx: Tx, ticket: Ticket, place: Place, decided: Decision, problem: str | None) -> None:
    _event(tx, ticket, "created", actor="customer", rule=decided.rule, matched=decided.matched)
    if ticket.agent is not None:
        _event(tx, ticket, "assigned", actor=f"rule:{decided.rule}", field="agent", to=ticket.agent)
    elif ticket.is_open:
        _event(tx, ticket, "nobody_on_duty", team=ticket.team, level=ticket.level)
    if place.linked_to is not None or place.suggested is not None:
        kind = "linked" if place.linked_to is not None else "link_suggested"
        other = tickets.load(tx, place.linked_to or place.suggested or 0)
        _event(tx, ticket, kind, to=other.ref if other else None)
    if problem is not None:
        _event(tx, ticket, "unreadable", problem=problem)


def _arm(tx: Tx, context: Context, ticket: Ticket) -> dict[str, Any]:
    if ticket.armament is None or ticket.sla is None:
        return {}
    started = clocks.arm(tx, ticket, context.armaments[ticket.sla])
    return {clock.target: clock.due_at for clock in started if clock.due_at is not None}


def _keep_decision(
    tx: Tx, ticket: Ticket, message_id: int, seen: Any, decided: Decision, due: dict[str, Any]
) -> None:
    tx.insert(
        schema.decisions,
        id=tx.new_id(),
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        message_id=message_id,
        at=tx.now,
        rulebook=decided.rulebook,
        facts_version=FACTS_VERSION,
        facts=facts.stored(seen),
        decision=_encode(rules.decision_json(decided, due)).decode(),
    )


def _occasion(received: Received, message: Message, customer: Customer, message_id: int) -> effects.Occasion:
    sender = message.sender
    is_verified = message.trust.verified_sender
    # A stranger's display name would be a stranger's words in a mail that we send to whoever he named.
    name = customer.name if is_verified else ""
    address = Address(sender.value, name) if sender is not None and sender.kind == "email" else None
    return effects.Occasion(
        cause=f"message:{message_id}",
        address=address,
        is_robot=message.automatic is not None or received.raw.envelope.get("sender") == "",
        is_verified=is_verified,
        subject=message.subject,
        text=message.visible_text or message.text,
        answers=(*message.references, message.message_id) if message.message_id else (),
        customer=customer,
    )


def _remaining(decided: Decision) -> list[Any]:
    """Return the actions that are done; the others were fields of the ticket."""
    return [action for action in decided.actions if action.kind in effects.DOERS]


def _ignorer(decided: Decision) -> str:
    return next(action.rule for action in decided.actions if action.kind == "ignore")


def _notify(
    tx: Tx, context: Context, ticket: Ticket, kind: str, headline: str, message_id: int, message: Message
) -> None:
    text = message.visible_text or message.text
    notice = notices.Notice(kind=kind, headline=headline, cause=f"message:{message_id}", quote=text)
    notices.send(tx, context, ticket, "assignee", notice)


def _settle_duplicate(tx: Tx, received: Received) -> None:
    """Note on the first one's ticket that the message came again; a further address of ours is named."""
    first = journal.outcome(tx, received.duplicate_of or 0)
    if first.ticket_id is not None:
        tx.lock("ticket", first.ticket_id)
        events.record(
            tx,
            "received_again",
            ticket_id=first.ticket_id,
            customer_id=first.customer_id,
            journal=received.id,
            recipients=received.raw.envelope.get("recipients", []),
        )
    journal.close(tx, received.id, "duplicate", ticket_id=first.ticket_id, customer_id=first.customer_id)


def _settle_again(tx: Tx, received: Received, message: Message, problem: str | None) -> None:
    """Put what a second parse understood onto the ticket that the message has already."""
    tx.lock("ticket", received.ticket_id)
    tx.update(schema.messages, {"id": received.message_id}, **_content(message))
    events.record(
        tx, "parsed_again", ticket_id=received.ticket_id, message=str(received.message_id), problem=problem
    )
    state = "quarantined" if problem else "ticket"
    journal.close(tx, received.id, state, problem=problem)


def _event(tx: Tx, ticket: Ticket, kind: str, *, actor: str = "system", **details: Any) -> None:
    events.record(tx, kind, ticket_id=ticket.id, customer_id=ticket.customer_id, actor=actor, **details)


def _forgotten(received: Received) -> Account:
    """Stand in for an account that is not configured any more: its messages still become tickets."""
    return Account(received.raw.account, received.raw.kind, received.raw.kind.partition(".")[0])
