"""What made actions happen, and whom an automatic answer would go to."""

from collections.abc import Callable
from typing import Any

import msgspec

from channels.contract import Address, Message
from intake import customers, events, loops, threads
from intake.model import Arrival, Context, Customer, Ticket
from intake.notice_text import Told
from intake.store.engine import Tx
from routing.actions import Action

MAIL = "email"
TEXTS = frozenset(("sms", "whatsapp"))
CHAT = "chat"
OWN = TEXTS | {CHAT}  # who writes by these is answered by the same, and by nothing else
OVERTAKEN = "it is late, and what fell due after it tells the customer more"


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What made the actions happen. cause: unique for this event ("message:123", "timer:456").

    address: whom a reply goes to, None = nobody can be answered; medium, account: by what they wrote. is_robot: it is automatic mail.
    is_verified: the address is proven; otherwise nothing a stranger wrote is sent to it. text: the customer's words.
    told: why a step of a ladder is taken, None = it is none.
    due_at: of a timer, when it should have happened, microseconds UTC, None = it is no timer's. is_overtaken: it is so
    late that what it says to the customer is said anew by what fell due after it (intake.overtaken). once_s: how often an
    address is answered at most, where the rule does not say, None = as limits have it. refusal: why nobody is to be
    answered, None = somebody may be.
    """

    cause: str
    address: Address | None = None
    medium: str = "email"
    account: str | None = None
    is_robot: bool = False
    is_verified: bool = False
    subject: str = ""
    text: str = ""
    answers: tuple[str, ...] = ()
    customer: Customer | None = None
    told: Told | None = None
    due_at: int | None = None
    is_overtaken: bool = False
    once_s: float | None = None
    refusal: str | None = None


Doer = Callable[[Tx, Context, Ticket, Action, Occasion], Ticket]


def of_ticket(tx: Tx, ticket: Ticket, *, cause: str) -> Occasion:
    """Return the occasion of what happened to a ticket without a message: an answer goes to who wrote last."""
    thread = threads.load(tx, ticket.id)
    said = thread.last_words
    answered = said if said is not None and said.medium in OWN else thread.last_by_mail
    customer = customers.load(tx, ticket.customer_id)
    is_verified = answered is not None and answered.is_verified
    name = customer.name if is_verified else ""
    return Occasion(
        cause=cause,
        address=Address(answered.author, name) if answered is not None and answered.author else None,
        medium=answered.medium if answered is not None else MAIL,
        account=answered.account if answered is not None else None,
        is_robot=said is not None and said.automatic is not None,
        is_verified=is_verified,
        subject=said.subject if said is not None else "",
        text=said.text if said is not None else "",
        answers=thread.answers,
        customer=customer,
    )


def of_arrival(arrival: Arrival, message_id: int) -> Occasion:
    """Return the occasion of a message that has come in."""
    message, sender = arrival.message, arrival.message.sender
    is_verified = message.trust.verified_sender
    # A stranger's display name would be a stranger's words in a mail that we send to whoever he named.
    name = arrival.customer.name if is_verified else ""
    return Occasion(
        cause=f"message:{message_id}",
        address=Address(sender.value, name) if sender is not None and _is_answerable(message) else None,
        medium=message.kind,
        account=arrival.account.name,
        is_robot=_is_robots(arrival),
        is_verified=is_verified,
        subject=message.subject,
        text=message.visible_text or message.text,
        answers=_answered(message),
        customer=arrival.customer,
    )


def _is_answerable(message: Message) -> bool:
    """Whether what came in can be answered by what it came by: a call cannot."""
    return message.sender is not None and (message.sender.kind == MAIL or message.kind in OWN)


def _is_robots(arrival: Arrival) -> bool:
    """Whether a machine wrote it, as it says itself, or as its return path or an intaked's mark does."""
    message, path = arrival.message, arrival.received.raw.envelope.get("sender")
    return (
        message.automatic is not None
        or path == ""
        or (isinstance(path, str) and loops.is_robot(path))
        or loops.is_marked_automatic(message.headers)
    )


def _answered(message: Message) -> tuple[str, ...]:
    """Return the Message-IDs that an answer follows. Further ones that a stranger wrote are not sent on either."""
    if message.message_id is None:
        return ()
    return (
        (*message.references, message.message_id) if message.trust.verified_sender else (message.message_id,)
    )


def tell(tx: Tx, ticket: Ticket, action: Action, kind: str, **details: Any) -> None:
    """Write the event of what became of an action."""
    events.of_ticket(tx, ticket, kind, actor=f"rule:{action.rule}", action=action.kind, **details)


def not_done(tx: Tx, ticket: Ticket, action: Action, reason: str) -> None:
    """Tell that an action was asked for and nothing could do it."""
    tell(tx, ticket, action, "action_not_done", value=action.value, reason=reason)
