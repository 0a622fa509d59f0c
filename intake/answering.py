"""A rule's answer to the customer: a template, unless that could annoy, echo or loop."""

from typing import Any

import msgspec

from intake import counters, occasion, outgoing, threads
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.outgoing import Draft
from intake.replies import Reply, TemplateProblem
from intake.store.engine import Tx
from routing.actions import Action

NEVER_ANSWERED = frozenset(
    {"mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply", "bounce", "bounces"}
)


def reply(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    """Send a template to the customer; why it was not sent is an event. The counters are used up last."""
    if isinstance(action.value, dict):  # a step of a ladder says it medium by medium
        template = action.value.get(ticket.medium, action.value.get(""))
        action = msgspec.structs.replace(action, value=template)
    if action.value is None:
        return ticket
    reason = _refusal(context, ticket, happened)
    rendered = _rendered(tx, context, ticket, action, happened) if reason is None else None
    if reason is None and rendered is not None:
        reason = _used_up(tx, context, ticket, action, happened)
    if reason is not None:
        occasion.tell(tx, ticket, action, "reply_withheld", template=action.value, reason=reason)
    elif rendered is not None and happened.address is not None:
        outgoing.send(
            tx,
            context,
            ticket,
            Draft(
                cause=happened.cause,
                action=f"reply:{action.value}",
                to=happened.address,
                subject=_subject(ticket, rendered, happened),
                text=rendered.text,
                author=f"rule:{action.rule}",
                automatic="auto-replied",
                answers=happened.answers,
            ),
        )
    return ticket


def _rendered(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Reply | None:
    """Return the template filled in; None when it cannot be, which is told."""
    try:
        rendered: Reply | None = context.replies.render(
            str(action.value), ticket.language, _values(context, ticket, happened)
        )
    except TemplateProblem as problem:
        occasion.tell(tx, ticket, action, "reply_failed", template=action.value, reason=str(problem))
        return None
    if rendered is None:
        reason = "there is no such template"
        occasion.tell(tx, ticket, action, "reply_failed", template=action.value, reason=reason)
    return rendered


def _subject(ticket: Ticket, rendered: Reply, happened: Occasion) -> str:
    if happened.is_verified and happened.subject:
        return threads.subject_of_answer(ticket, happened.subject)
    return rendered.subject or f"Your message [{ticket.ref}]"


def _refusal(context: Context, ticket: Ticket, happened: Occasion) -> str | None:
    """Say why an automatic answer must not go out, whatever has gone out before; None when it may."""
    if happened.address is None:
        return "there is no address to answer to"
    address = happened.address.address.lower()
    if happened.is_robot or address.partition("@")[0] in NEVER_ANSWERED:
        return "automatic mail is never answered"
    if ticket.is_spam:
        return "it is spam"
    if any(address in account.addresses for account in context.accounts.values()):
        return "the address is our own"
    return None


def _used_up(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> str | None:
    """Say which limit an answer would break; None when none, and the answer is counted."""
    address = happened.address.address.lower() if happened.address is not None else ""
    once_s = action.options.get("once_s")
    if once_s is None:
        if not counters.take(tx, "auto_reply_ticket", f"{ticket.id}:{address}", limit=1):
            return "this ticket had an automatic reply within the hour"
    else:  # whatever the ticket: who writes three times in a night is told once
        key, window_us = f"{action.value}:{address}", int(once_s * 1_000_000)
        if not counters.take(tx, "reply_once", key, limit=1, window_us=window_us):
            return "this customer had the same automatic reply less long ago than its rule allows"
    limit = context.limits.auto_replies_per_address_hour
    if not counters.take(tx, "auto_reply_address", address, limit=limit):
        return f"this address had {limit} automatic replies within the hour"
    return None


def _values(context: Context, ticket: Ticket, happened: Occasion) -> dict[str, Any]:
    name = happened.customer.name if happened.customer and happened.is_verified else ""
    return {
        "ticket": {"ref": ticket.ref, "priority": ticket.priority, "team": ticket.team},
        "customer": {"name": name},
        "organization": context.organization,
        "expected": "",
    }
