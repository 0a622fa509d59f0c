"""What actions do: each kind of action of the rules is one function here, run in the transaction of its cause.

A new action is one class in routing/ (what it means) and one line in DOERS (what it does).
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from channels.contract import Address
from intake import agents, clocks, counters, events, instants, notices, outgoing, tickets
from intake.model import Context, Customer, Ticket
from intake.outgoing import Draft
from intake.replies import TemplateProblem
from intake.store import schema
from intake.store.engine import Tx
from routing import assignment
from routing.actions import Action

NEVER_ANSWERED = frozenset(
    {"mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply", "bounce", "bounces"}
)


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What made the actions happen. cause: unique for this event ("message:123", "timer:456").

    address: whom a reply goes to, None = nobody can be answered. is_robot: it is automatic mail.
    is_verified: the address is proven; otherwise nothing a stranger wrote is sent to it. text: the customer's words.
    """

    cause: str
    address: Address | None = None
    is_robot: bool = False
    is_verified: bool = False
    subject: str = ""
    text: str = ""
    answers: tuple[str, ...] = ()
    customer: Customer | None = None


def apply(tx: Tx, context: Context, ticket: Ticket, actions: Iterable[Action], occasion: Occasion) -> Ticket:
    """Do the actions in order; the ticket as they leave it. An action that nothing here does is an event."""
    for action in actions:
        doer = DOERS.get(action.kind)
        if doer is None:
            _event(tx, ticket, action, "action_not_done", reason="nothing in this configuration can do it")
            continue
        before = ticket
        ticket = doer(tx, context, ticket, action, occasion)
        if ticket != before:
            clocks.follow(tx, before, ticket)
    return ticket


def reply(tx: Tx, context: Context, ticket: Ticket, action: Action, occasion: Occasion) -> Ticket:
    """Send a template to the customer, unless that could annoy, echo or loop."""
    reason = _refusal(tx, context, ticket, occasion)
    if reason is not None or occasion.address is None:
        _event(tx, ticket, action, "reply_withheld", template=action.value, reason=reason)
        return ticket
    try:
        rendered = context.replies.render(
            str(action.value), ticket.language, _values(context, ticket, occasion, tx)
        )
    except TemplateProblem as problem:
        _event(tx, ticket, action, "reply_failed", template=action.value, reason=str(problem))
        return ticket
    if rendered is None:
        _event(tx, ticket, action, "reply_failed", template=action.value, reason="there is no such template")
        return ticket
    subject = rendered.subject or f"Your message [{ticket.ref}]"
    if occasion.is_verified and occasion.subject:
        subject = _answer_subject(occasion.subject, ticket.ref)
    outgoing.send(
        tx,
        context,
        ticket,
        Draft(
            cause=occasion.cause,
            action=f"reply:{action.value}",
            to=occasion.address,
            subject=subject,
            text=rendered.text,
            author=f"rule:{action.rule}",
            automatic="auto-replied",
            answers=occasion.answers,
        ),
    )
    return ticket


def _answer_subject(subject: str, ref: str) -> str:
    tag = f"[{ref}]"
    plain = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    return plain if tag in plain else f"{plain} {tag}"


def _refusal(tx: Tx, context: Context, ticket: Ticket, occasion: Occasion) -> str | None:
    """Say why an automatic answer must not go out; None when it may. Uses up the counters when it may."""
    if occasion.address is None:
        return "there is no address to answer to"
    address = occasion.address.address.lower()
    if occasion.is_robot or address.partition("@")[0] in NEVER_ANSWERED:
        return "automatic mail is never answered"
    if ticket.is_spam:
        return "it is spam"
    if any(address in account.addresses for account in context.accounts.values()):
        return "the address is our own"
    if not counters.take(tx, "auto_reply_ticket", str(ticket.id), limit=1):
        return "this ticket had an automatic reply within the hour"
    limit = context.limits.auto_replies_per_address_hour
    if not counters.take(tx, "auto_reply_address", address, limit=limit):
        return f"this address had {limit} automatic replies within the hour"
    return None


def _values(context: Context, ticket: Ticket, occasion: Occasion, tx: Tx) -> dict[str, Any]:
    name = occasion.customer.name if occasion.customer and occasion.is_verified else ""
    return {
        "ticket": {"ref": ticket.ref, "priority": ticket.priority, "team": ticket.team},
        "customer": {"name": name},
        "organization": context.organization,
        "expected": "",
    }


def notify(tx: Tx, context: Context, ticket: Ticket, action: Action, occasion: Occasion) -> Ticket:
    notice = notices.Notice(
        kind=f"escalated:{action.rule}",
        headline=f"You are asked to look at ticket {ticket.ref} (rule {action.rule}).",
        cause=occasion.cause,
        quote=occasion.text,
    )
    notices.send(tx, context, ticket, str(action.value), notice)
    return ticket


def note(tx: Tx, context: Context, ticket: Ticket, action: Action, occasion: Occasion) -> Ticket:
    tx.insert(
        schema.messages,
        id=tx.new_id(),
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        direction="note",
        author=f"rule:{action.rule}",
        medium=ticket.medium,
        account=ticket.account,
        body=str(action.value),
        at=tx.now,
    )
    return ticket


def level(tx: Tx, context: Context, ticket: Ticket, action: Action, occasion: Occasion) -> Ticket:
    """Move the ticket to the first of the levels with somebody on duty and give it to one of them."""
    book = context.rulebook
    team = book.teams.get(ticket.team or "")
    if team is None:
        return ticket
    wanted = [action.value] if isinstance(action.value, str) else list(action.value)
    chosen = assignment.choose(
        team,
        level=wanted,
        agents=book.agents,
        loads=agents.loads(tx),
        at=instants.datetime_from_us(tx.now),
        calendars=book.calendars,
    )
    actor = f"rule:{action.rule}"
    moved = tickets.change(tx, ticket, actor=actor, level=chosen.level, agent=chosen.agent or ticket.agent)
    if moved.agent is not None and moved.agent != ticket.agent:
        agents.note_turn(tx, moved.agent)
    return moved


def priority(tx: Tx, context: Context, ticket: Ticket, action: Action, occasion: Occasion) -> Ticket:
    return tickets.change(tx, ticket, actor=f"rule:{action.rule}", priority=action.value)


def status(tx: Tx, context: Context, ticket: Ticket, action: Action, occasion: Occasion) -> Ticket:
    return tickets.change(tx, ticket, actor=f"rule:{action.rule}", status=action.value)


def tags(tx: Tx, context: Context, ticket: Ticket, action: Action, occasion: Occasion) -> Ticket:
    added = tuple(dict.fromkeys((*ticket.tags, *_names(action.value))))
    return tickets.change(tx, ticket, actor=f"rule:{action.rule}", tags=added)


def untag(tx: Tx, context: Context, ticket: Ticket, action: Action, occasion: Occasion) -> Ticket:
    gone = set(_names(action.value))
    kept = tuple(tag for tag in ticket.tags if tag not in gone)
    return tickets.change(tx, ticket, actor=f"rule:{action.rule}", tags=kept)


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _event(tx: Tx, ticket: Ticket, action: Action, kind: str, **details: Any) -> None:
    events.record(
        tx,
        kind,
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        actor=f"rule:{action.rule}",
        action=action.kind,
        **details,
    )


Doer = Callable[[Tx, Context, Ticket, Action, Occasion], Ticket]
DOERS: dict[str, Doer] = {
    "reply": reply,
    "notify": notify,
    "note": note,
    "level": level,
    "priority": priority,
    "status": status,
    "tags": tags,
    "untag": untag,
}
