"""What happens to a message? `settle` is the whole answer: one function, run in one transaction per message.

    our own mail         loops.note_echo, when somebody's forwarding sent it back: it is noted, and that is all
    what came back       bounces.settle: a bounce, receipt or complaint is about a mail of ours, and nobody's message
    a word of consent    consents.takes, when START, HELP or "unsubscribe" make sense as one
    an agent's "1"       paged_texts.settle: a text from an agent's number that answers a page
    who is writing       agent_proof.judge, when it looks like an agent's:
                         with proof agent_mail.settle does what it says, and that is all; else
                         unwanted.turns_away whom we never want to hear from again, or customers.identify
    which conversation   conversations.place: what the message names, else what gathers it, else what its medium says

None that there is: newcomers.open_ticket.

    where it goes        routing.decide, with its reasons; a rule may ignore it, and there is no ticket
    what follows         ticket, message, events, clocks and timers, actions (effects); then the rules for `created`

One that there is: `join`.

    what rules do        reactions.react: the rules for `customer_replied`, which see the ticket as it was before
    what happens anyway  what waited or was solved is open again, and clocks move; where messages are lines of one,
                         rerouting.further_line decides anew until a person takes the ticket; its agent is told
    what is awaited      quiet.follow: the rules that wait for silence

What is no message at all (what became of one of ours, a word of consent, a turn of a call) is settled where it belongs:
happenings.settle.

conversations.attach writes the message and closes its journal row. All of it is committed together or not at all.
Nothing here does I/O: replies and notices are rows of the outbox.
"""

from typing import Any

from channels.contract import Message, Understood
from intake import (
    addresses,
    agent_mail,
    agent_proof,
    agent_telling,
    bounces,
    chats,
    clocks,
    consents,
    conversations,
    customers,
    events,
    facts,
    failpoints,
    fetches,
    happenings,
    journal,
    loops,
    newcomers,
    notices,
    occasion,
    opt_out_hints,
    paged_texts,
    participants,
    quiet,
    reactions,
    rerouting,
    search_index,
    seating,
    tickets,
    unwanted,
    whatsapp_nudges,
)
from intake.agent_proof import Proven, Unproven
from intake.conversations import Place
from intake.model import Account, Arrival, Context, Received, Ticket
from intake.outbound import MAIL
from intake.reactions import Cause, Reacted
from intake.store import schema
from intake.store.engine import Tx


def settle(
    tx: Tx, context: Context, received: Received, message: Understood, *, problem: str | None = None
) -> None:
    """Turn a journal row into what it means. problem: why the message could not be read; it is a ticket all the same."""
    failpoints.reach("settle.in_transaction")
    if received.duplicate_of is not None:
        _settle_duplicate(tx, received)
    elif not isinstance(message, Message):
        happenings.settle(tx, context, received, message)
    elif received.ticket_id is not None:
        _settle_again(tx, received, message, problem)
    else:
        _settle_new(tx, context, received, message, problem)


def _settle_new(tx: Tx, context: Context, received: Received, message: Message, problem: str | None) -> None:
    if loops.note_echo(tx, context, received, message):
        return
    account = context.accounts.get(received.raw.account) or _forgotten(received)
    recipients = recipients_of(received, message)
    if bounces.settle(tx, context, received, account, message, recipients):
        return
    if consents.takes(tx, context, received, message, account):
        return
    if paged_texts.settle(tx, context, received, account, message):
        return
    claimed = agent_proof.claim(context, account, message, recipients)
    word = agent_proof.judge(tx, context, claimed, message, problem=problem) if claimed else None
    if isinstance(word, Proven):
        agent_mail.settle(tx, context, received, message, word)
        return
    if unwanted.turns_away(tx, context, received, message, account):
        return
    arrival = Arrival(
        received=received,
        message=message,
        account=account,
        customer=customers.identify(tx, message),
        recipients=recipients,
        problem=problem,
    )
    place = conversations.place(tx, context, arrival)
    if word is not None:
        place = word.suggestion(place)
    if place.ticket is not None:
        join(tx, context, arrival, place.ticket, place)
    else:
        newcomers.open_ticket(tx, context, arrival, place)
    consents.lift(tx, context, arrival)
    whatsapp_nudges.follow(tx, context, arrival)
    opt_out_hints.look(tx, context, arrival)
    if word is not None:
        _tell_unproven(tx, context, received, message, word)
    paged_texts.note_unanswering(tx, context, received, message)


def _tell_unproven(tx: Tx, context: Context, received: Received, message: Message, word: Unproven) -> None:
    """Say on the ticket that an agent seemed to write, and why that counted for nothing."""
    settled = journal.outcome(tx, received.id)
    events.record(
        tx,
        "agent_unproven",
        ticket_id=settled.ticket_id,
        customer_id=settled.customer_id,
        agent=word.agent,
        address=message.sender.value if message.sender is not None else None,
        reason=word.reason,
    )
    agent_telling.elsewhere(tx, context, received, message, word)


def recipients_of(received: Received, message: Message) -> tuple[str, ...]:
    """Return the addresses the message was delivered to; without an envelope (a file) those it names."""
    enveloped = received.raw.envelope.get("recipients")
    named = enveloped or [each.address for each in (*message.to, *message.cc)]
    return tuple(str(address).lower() for address in named)


def join(tx: Tx, context: Context, arrival: Arrival, ticket: Ticket, place: Place) -> None:
    """Add the next message to the conversation; automatic mail moves neither status nor clock.

    Rules hear of automatic mail only where they gather it: an alert's "OK" may close the ticket.
    """
    message = arrival.message
    message_id = conversations.attach(tx, arrival, ticket)
    participants.add_named(tx, context, arrival, ticket)
    if ticket.medium != MAIL:  # whoever texts another number of ours is answered from there
        ticket = tickets.answer_from(tx, ticket, addresses.own_address(arrival.account, arrival.recipients))
    _tell_joining(tx, ticket, place, message_id)
    if message.automatic and not place.is_gathered:
        return
    before = ticket
    if not message.automatic:
        at = tickets.counted_from(tx, ticket, arrival.at(tx.now))
        ticket = tickets.count_message(tx, ticket, at=at)
        events.of_ticket(tx, ticket, "customer_replied", actor="customer", message=str(message_id))
    cause = _cause(tx, context, arrival, ticket, message_id)
    reacted = reactions.react(tx, context, before, "customer_replied", cause=cause, now=ticket)
    ticket = reacted.ticket
    if not message.automatic:
        ticket = _reopen(tx, context, reacted, cause)
        is_theirs = ticket.agent == reacted.ticket.agent
        ticket = rerouting.further_line(tx, context, ticket, arrival, message_id)
        # Who has just been given it reads the same words in that notice.
        if is_theirs and not chats.is_told(tx, before, arrival):
            _tell_assignee(tx, context, ticket, message_id, message)
    quiet.follow(tx, context, ticket, seen=cause.seen)


def _tell_joining(tx: Tx, ticket: Ticket, place: Place, message_id: int) -> None:
    if place.is_flagged:
        events.of_ticket(tx, ticket, "unverified_join", message=str(message_id))
    if place.is_gathered:
        events.of_ticket(tx, ticket, "gathered", message=str(message_id))
    if place.suggested is not None:
        other = tickets.load(tx, place.suggested)
        events.of_ticket(tx, ticket, "link_suggested", to=other.ref if other else None)


def _tell_assignee(tx: Tx, context: Context, ticket: Ticket, message_id: int, message: Message) -> None:
    if ticket.agent is not None and context.notices.customer_replied:
        headline = f"The customer has answered on your ticket {ticket.ref}."
        notices.of_message(tx, context, ticket, "customer_replied", headline, message_id, message)


def _cause(tx: Tx, context: Context, arrival: Arrival, ticket: Ticket, message_id: int) -> Cause:
    """Return what rules may ask of the message; no fact is looked up when no rule waits."""
    seen = facts.of_arrival(tx, context, arrival, ticket_id=ticket.id) if context.rulebook.react else None
    return Cause(name=f"message:{message_id}", seen=seen, occasion=occasion.of_arrival(arrival, message_id))


def _reopen(tx: Tx, context: Context, reacted: Reacted, cause: Cause) -> Ticket:
    """Do what a customer's reply does by itself, after all rules: what waited or was done is open again.

    A rule that has set the status has had the last word. What an agent has who is away goes on to somebody who is there.
    """
    ticket = reacted.ticket
    stays = not reacted.reopens or reacted.has_status or ticket.status in ("new", "open", "closed")
    text = cause.occasion.text if cause.occasion is not None else ""
    after = ticket
    if not stays:
        after = seating.set_status(tx, context, ticket, "open", actor="customer", cause=cause.name, text=text)
    clocks.customer_wrote(tx, ticket, after, at=ticket.customer_replied_at or tx.now)
    after = seating.hand_back(tx, context, after, cause=cause.name, text=text)
    return reactions.changed_by_hand(tx, context, ticket, after, cause=cause)


def _settle_duplicate(tx: Tx, received: Received) -> None:
    """Note on the first one's ticket that the message came again; a further address of ours is named.

    What is no message, a report or a turn of a call, is told twice as a matter of course: nobody has to read of it.
    """
    first = journal.outcome(tx, received.duplicate_of or 0)
    if first.ticket_id is not None and first.message_id is not None:
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
    about: dict[str, Any] = {"problem": problem}
    if received.message_id is not None:
        # What an agent's mail became is the agent's words, and no longer the mail's: only "in" is written anew.
        row = {"id": received.message_id, "direction": "in"}
        tx.update(schema.messages, row, **conversations.content(message))
        search_index.renew(tx, received.message_id)
        fetches.name_again(tx, received.message_id)
        about["message"] = str(received.message_id)
    events.record(tx, "parsed_again", ticket_id=received.ticket_id, **about)
    state = "quarantined" if problem else "automatic" if message.automatic else "ticket"
    journal.close(tx, received.id, state, problem=problem)


def _forgotten(received: Received) -> Account:
    """Stand in for an account that is not configured any more: its messages still become tickets."""
    return Account(received.raw.account, received.raw.kind, received.raw.kind.partition(".")[0])
