"""Reports about mail of ours: bounces, receipts and complaints. They make no ticket, no answer and no customer.

What a report is about is proven (intake.deliveries) or it touches nothing: one that names nothing of ours is kept in the
journal as automatic. Only what may still be a person's mail, because no more than its words make it a report, goes the
way of every mail.
"""

import re
from collections.abc import Iterable
from typing import Any

from channels.contract import BouncedRecipient, Message
from channels.email.bounces import prose, reasons
from intake import (
    conversations,
    customers,
    deliveries,
    events,
    failures,
    journal,
    mail_consents,
    tickets,
    undeliverable,
)
from intake.deliveries import Sent
from intake.failures import Failure
from intake.model import Account, Arrival, Context, Received, Ticket
from intake.store.engine import Tx

REPORTS = frozenset({"bounce", "delivery_receipt", "feedback_report"})
BACKSCATTER = "a report about no mail of ours"
_DAEMON = re.compile(r"(?i)(?:mailer-?daemon|mail-?daemon|postmaster|mdaemon)@")


def settle(
    tx: Tx,
    context: Context,
    received: Received,
    account: Account,
    message: Message,
    recipients: tuple[str, ...],
) -> bool:
    """Do what a report asks for and close its journal row; false = it is none, or may be a person's mail."""
    if message.automatic not in REPORTS:
        return False
    sent = deliveries.find(tx, context, account, recipients, _named(message))
    if sent is None:
        return _keep(tx, received, message)
    _note_complaint(tx, sent, message)
    ticket = tickets.locked_final(tx, sent.ticket_id)
    arrival = Arrival(
        received=received,
        message=message,
        account=account,
        customer=customers.load(tx, ticket.customer_id),
        recipients=recipients,
    )
    if message.automatic == "bounce":
        conversations.attach(tx, arrival, ticket)
        _note_bounce(tx, context, ticket, sent, message)
    else:
        journal.close(tx, received.id, "automatic", ticket_id=ticket.id, customer_id=ticket.customer_id)
        _note_feedback(tx, ticket, sent, message)
    return True


def _named(message: Message) -> str | None:
    """Return the Message-ID that the report is about."""
    about = message.bounce or message.feedback
    return about.original_message_id if about is not None else None


def _keep(tx: Tx, received: Received, message: Message) -> bool:
    """Keep a report that is about nothing of ours, if it is one for certain; false = it may be a person's."""
    if not _is_certain(received, message):
        return False
    events.record(tx, "report_kept", journal=received.id, report=message.automatic, reason=BACKSCATTER)
    journal.close(tx, received.id, "automatic", problem=BACKSCATTER)
    return True


def _is_certain(received: Received, message: Message) -> bool:
    """Whether more than words say that a machine wrote this: its form, its return path, its sender."""
    envelope_sender = received.raw.envelope.get("sender")
    path = next(iter(message.headers.get("return-path", ())), "").replace(" ", "")
    form = next(iter(message.headers.get("content-type", ())), "").lower()
    sender = message.from_.address if message.from_ is not None else ""
    has_null_path = envelope_sender == "" or (envelope_sender is None and path == "<>")
    return has_null_path or form.startswith("multipart/report") or bool(_DAEMON.match(sender))


def _note_bounce(tx: Tx, context: Context, ticket: Ticket, sent: Sent, message: Message) -> None:
    reported = message.bounce.recipients if message.bounce is not None else ()
    if not reported and sent.is_returned:
        reported = (_nameless(sent, message),)
    final = [each for each in reported if each.permanent]
    named = [each.address for each in final]
    if final and sent.concerns(named):
        _fail(tx, context, ticket, sent, final)
    elif final and sent.failed_copies(named):
        _fail_copies(tx, ticket, sent, final)
    elif final:
        events.of_ticket(tx, ticket, "bounce_unproven", outbox=str(sent.id), addresses=named)
    else:
        told = [each.address for each in reported]
        events.of_ticket(tx, ticket, "delivery_delayed", outbox=str(sent.id), addresses=told)


def _nameless(sent: Sent, message: Message) -> BouncedRecipient:
    """Say what a report says that names nobody: on our own return path it is about whom the mail was for."""
    text = " ".join(message.text.split())[:300]
    return BouncedRecipient(
        address=sent.recipient,
        status=reasons.status_in(text),
        permanent=prose.is_permanent(message.text),
        diagnostic=text,
        reason=reasons.reason_of(reasons.status_in(text), text),
    )


def _fail(tx: Tx, context: Context, ticket: Ticket, sent: Sent, final: list[BouncedRecipient]) -> None:
    """Mark the delivery and the address; what follows for the ticket follows once."""
    first = next((each for each in final if each.address.lower() == sent.recipient.lower()), final[0])
    failure = Failure(first.reason or "other", first.status, first.diagnostic)
    undeliverable.mark(tx, sent.recipient, failure.reason)
    if not deliveries.advance(tx, sent.id, "failed", reason=failure.sentence):
        return
    _tell(tx, ticket, "delivery_failed", sent, first)
    tx.signal("told", [("delivery_failed", _loud(ticket, sent, failure))])
    failures.follow(tx, context, ticket, sent.id, failure)


def _fail_copies(tx: Tx, ticket: Ticket, sent: Sent, final: list[BouncedRecipient]) -> None:
    """Note that copies came back; whom the answer was for has it."""
    for each in final:
        if each.address.lower() in sent.copies:
            undeliverable.mark(tx, each.address, each.reason)
            _tell(tx, ticket, "copy_failed", sent, each)


def _tell(tx: Tx, ticket: Ticket, kind: str, sent: Sent, each: BouncedRecipient) -> None:
    events.of_ticket(
        tx,
        ticket,
        kind,
        outbox=str(sent.id),
        addresses=[each.address],
        reason=each.reason,
        status=each.status,
        diagnostic=each.diagnostic[:300],
    )


def _loud(ticket: Ticket, sent: Sent, failure: Failure) -> dict[str, Any]:
    return {"outbox": sent.id, "account": sent.account, "ticket": ticket.ref, "reason": failure.sentence}


def _note_feedback(tx: Tx, ticket: Ticket, sent: Sent, message: Message) -> None:
    """Move the delivery forward, or note a complaint: who complains gets no automatic mail any more."""
    feedback = message.feedback
    if feedback is None:
        return
    if feedback.state in ("complained", "not_spam"):
        kind = "complained" if feedback.state == "complained" else "complaint_withdrawn"
        for address in _complainers(sent, feedback.recipients):
            undeliverable.complain(tx, address, is_withdrawn=feedback.state == "not_spam")
            events.of_ticket(tx, ticket, kind, actor="customer", outbox=str(sent.id), address=address)
    elif _is_theirs(sent, message) and deliveries.advance(tx, sent.id, feedback.state):
        events.of_ticket(tx, ticket, f"answer_{feedback.state}", outbox=str(sent.id), address=sent.recipient)


def _note_complaint(tx: Tx, sent: Sent, message: Message) -> None:
    """Write a complaint into the ledger of opt-outs, which is locked by sender and so before the ticket."""
    feedback = message.feedback
    if feedback is not None and feedback.state in ("complained", "not_spam"):
        addresses = _complainers(sent, feedback.recipients)
        mail_consents.note_complaint(tx, addresses, is_withdrawn=feedback.state == "not_spam")


def _complainers(sent: Sent, named: Iterable[str]) -> tuple[str, ...]:
    """Return who of those the mail went to complains; where the address was taken out, whom it was for."""
    went_to = sent.copies | {sent.recipient.lower()}
    return tuple(each for each in named if each.lower() in went_to) or (sent.recipient,)


def _is_theirs(sent: Sent, message: Message) -> bool:
    """Whether a receipt speaks for whom the mail was for, not for somebody who got a copy."""
    feedback = message.feedback
    named = {each.lower() for each in feedback.recipients} if feedback is not None else set()
    return not named or sent.concerns(named)
