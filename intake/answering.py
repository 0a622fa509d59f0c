"""A rule's answer to the customer: a template, unless that could annoy, echo or loop.

Whom a machine writes for is never answered; that is an event. What a limit holds back is kept in the outbox as withheld,
with the reason, and an operator may send it after all.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec

from channels.twilio import segments
from intake import (
    answering_by_phone,
    counters,
    expected,
    instants,
    loops,
    occasion,
    outgoing,
    promised_text,
    refs,
    seniors,
    threads,
    undeliverable,
    whatsapp_window,
)
from intake.counters import Take
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.outbound import Draft
from intake.replies import Reply, TemplateProblem
from intake.sections import Limits
from intake.store.engine import Tx
from routing import late_replies
from routing.actions import Action

# What the limit for one address is multiplied with where no other number is set.
DOMAIN_FACTOR = 100
EVERYBODY_FACTOR = 400
UNPROVEN_FACTOR = 10  # of notices of a delay
FOREVER_US = 100 * 366 * 24 * counters.HOUR_US
# The same words again are those of a machine that does not say so: they get this part of the limit, one at least.
SAME_WORDS_PART = 5
WORDS_MAX_CHARACTERS = 4_000
ONCE = "reply_once"  # the counter of what an address is told once in so long
# One row for everybody would have all settlements of a PostgreSQL wait for each other.
SHARDS = 8
SHARDED_FROM = 400
# The counters whose window is an hour at most.
HOURLY = (
    "agent_answers",
    "agent_told",
    "auto_reply_ticket",
    "auto_reply_words",
    "auto_reply_address",
    "auto_reply_domain",
    "auto_reply_everybody",
    "delay_unverified_domain",
    "delay_unverified",
    "agent_notices",
)

_REF = re.compile(rf"\b[{refs.ALPHABET}]{{{refs.LENGTH}}}\b")


class Limit(msgspec.Struct, frozen=True):
    """One backstop. name, key: of its counter. reason: what is said when it is used up.

    is_kept: what it stops is kept in the outbox; what an earlier answer has said already is not.
    """

    name: str
    key: str
    most: int
    reason: str
    window_us: int = counters.HOUR_US
    is_kept: bool = True


def reply(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    """Send a template to the customer; why it was not sent is an event. The counters are used up last."""
    if isinstance(action.value, dict):  # a step of a ladder says it medium by medium
        template = action.value.get(ticket.medium, action.value.get(""))
        action = msgspec.structs.replace(action, value=template)
    if action.value is None:
        return ticket
    reason = refusal(context, ticket, happened)
    if (
        reason is None
        and happened.address is not None
        and undeliverable.has_complained(tx, happened.address.address)
    ):
        reason = "the address has called our mail spam"
    reason = reason or _past_waiting(ticket, action, happened) or _unreachable(tx, ticket, happened)
    if reason is not None:
        occasion.tell(tx, ticket, action, "reply_withheld", template=action.value, reason=reason)
        return ticket
    rendered = _rendered(tx, context, ticket, action, happened)
    if rendered is not None:
        _send(tx, context, ticket, action, happened, rendered)
    return ticket


def _past_waiting(ticket: Ticket, action: Action, happened: Occasion) -> str | None:
    """Say that nobody waits for what a notice of a delay is about; None = somebody does, or it is none."""
    run_of = late_replies.run_of(action, happened.cause)
    if run_of is None or ticket.agent_replied_at is None:
        return None
    is_answered = late_replies.is_answered(
        run_of,
        answered_at=instants.datetime_from_us(ticket.agent_replied_at),
        wrote_at=instants.datetime_from_us(ticket.customer_replied_at or ticket.created_at),
    )
    return late_replies.ANSWERED if is_answered else None


def _unreachable(tx: Tx, ticket: Ticket, happened: Occasion) -> str | None:
    """Say why what a machine texts would not arrive; None = it would, or it is mail."""
    if happened.medium not in occasion.TEXTS or happened.address is None:
        return None
    to = happened.address.address
    if not answering_by_phone.is_answerable(happened.medium, to):
        return "a short code or a name is never answered"
    problem = undeliverable.reason_of_number(tx, happened.medium, to)
    if problem is not None:
        return f"what is sent there does not arrive ({problem})"
    if happened.medium != whatsapp_window.MEDIUM or happened.account is None:
        return None
    return whatsapp_window.closed(tx, ticket, account=happened.account, address=to)


def forget_counted(tx: Tx) -> int:
    """Remove some of what was counted longer than an hour ago; how many counters went."""
    return sum(counters.forget(tx, name) for name in HOURLY)


def _send(
    tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion, rendered: Reply
) -> None:
    assert happened.address is not None  # noqa: S101 - refusal has looked
    limit = _used_up(tx, context, ticket, action, happened)
    if limit is not None:
        occasion.tell(tx, ticket, action, "reply_withheld", template=action.value, reason=limit.reason)
        tx.signal("replies_withheld", [limit.name])
        if not limit.is_kept:
            return
    outgoing.send(
        tx,
        context,
        ticket,
        Draft(
            cause=happened.cause,
            action=f"{'reply' if limit is None else 'withheld'}:{action.value}",
            to=happened.address,
            subject=subject(ticket, rendered, happened),
            text=_worded(rendered, happened.medium),
            author=f"rule:{action.rule}",
            automatic="auto-replied",
            answers=happened.answers,
            withheld=None if limit is None else limit.reason,
            medium=happened.medium,
            account=happened.account if happened.medium in occasion.OWN else None,
        ),
    )


def _worded(rendered: Reply, medium: str) -> str:
    """Return a template's words as a medium takes them: a text message may not be any longer than its segments."""
    return segments.cut(rendered.text.strip()) if medium in occasion.TEXTS else rendered.text


def _rendered(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Reply | None:
    """Return the template filled in; None when it cannot be, which is told."""
    try:
        rendered: Reply | None = context.replies.render(
            str(action.value), ticket.language, values(tx, context, ticket, happened)
        )
    except TemplateProblem as problem:
        occasion.tell(tx, ticket, action, "reply_failed", template=action.value, reason=str(problem))
        return None
    if rendered is None:
        reason = "there is no such template"
        occasion.tell(tx, ticket, action, "reply_failed", template=action.value, reason=reason)
    return rendered


def subject(ticket: Ticket, rendered: Reply, happened: Occasion) -> str:
    """Return the subject of an answer: the customer's own, which nobody else is told, else the template's."""
    if happened.is_verified and happened.subject:
        return threads.subject_of_answer(ticket, happened.subject)
    return rendered.subject or f"Your message [{ticket.ref}]"


def refusal(context: Context, ticket: Ticket, happened: Occasion) -> str | None:
    """Say why an automatic answer must not go out, whatever has gone out before; None when it may."""
    if happened.is_overtaken:
        return occasion.OVERTAKEN
    if happened.refusal is not None:
        return happened.refusal
    if happened.address is None:
        return "there is no address to answer to"
    if happened.is_robot or loops.is_robot(happened.address.address):
        return "automatic mail is never answered"
    if ticket.is_spam:
        return "it is spam"
    if loops.is_ours(context.accounts.values(), happened.address.address):
        return "the address is our own"
    return None


def _used_up(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Limit | None:
    """Return the limit that an answer would break; None when none, and the answer is counted by all of them."""
    limits = list(_limits(context.limits, ticket, action, happened))
    wanted = [
        Take(name=each.name, key=each.key, limit=each.most, window_us=each.window_us) for each in limits
    ]
    broken = counters.take_all(tx, wanted)
    return None if broken is None else limits[broken]


def _limits(limits: Limits, ticket: Ticket, action: Action, happened: Occasion) -> Iterator[Limit]:
    """Give the limits, the narrowest first: an answer that one of them stops uses up none of the wider ones."""
    address = happened.address.address.lower() if happened.address is not None else ""
    once_s = action.options.get("once_s", happened.once_s)
    if once_s is None:
        reason = "this ticket had an automatic reply within the hour"
        yield Limit("auto_reply_ticket", f"{ticket.id}:{address}", 1, reason, is_kept=False)
    else:  # whatever the ticket: who writes three times in a night is told once
        reason = "this customer had the same automatic reply less long ago than its rule allows"
        key, window_us = once_key(str(action.value), address), int(once_s * 1_000_000)
        yield Limit(ONCE, key, 1, reason, window_us, is_kept=False)
    most = limits.auto_replies_per_address_hour
    yield from _limits_of_delays(most, ticket, action, happened)
    if happened.text:
        part = max(1, most // SAME_WORDS_PART) if most else 0
        reason = "the same words came from this address within the hour, and were answered"
        yield Limit("auto_reply_words", f"{action.value}:{_words_key(address, happened)}", part, reason)
    reason = f"this address had {most} automatic replies within the hour"
    yield Limit("auto_reply_address", address, most, reason)
    domain, everybody = limits.auto_replies_per_domain_hour, limits.auto_replies_per_hour
    domain = most * DOMAIN_FACTOR if domain is None else domain
    everybody = most * EVERYBODY_FACTOR if everybody is None else everybody
    reason = f"this domain had {domain} automatic replies within the hour"
    yield _sharded(Limit("auto_reply_domain", address.rpartition("@")[2], domain, reason), address)
    reason = f"{everybody} automatic replies went out within the hour"
    yield _sharded(Limit("auto_reply_everybody", "", everybody, reason), address)


def once_key(template: str, address: str) -> str:
    """Return what ONCE counts a template to an address by."""
    return f"{template}:{address.lower()}"


def _limits_of_delays(most: int, ticket: Ticket, action: Action, happened: Occasion) -> Iterator[Limit]:
    """Give the limits of a notice of a delay: once for each; and few to addresses that nobody has proven.

    A flood of forged senders had its receipts; hours later nobody else's mailbox is to hear of it a second time.
    """
    run_of = late_replies.run_of(action, happened.cause)
    if run_of is None:
        return
    yield Limit("delay_told", f"{ticket.id}:{run_of}", 1, late_replies.ONCE, FOREVER_US, is_kept=False)
    if happened.is_verified or happened.address is None:
        return
    domain = happened.address.address.lower().rpartition("@")[2]
    reason = f"unproven addresses of this domain were told of {most} delays within the hour"
    yield Limit("delay_unverified_domain", domain, most, reason)
    every = most * UNPROVEN_FACTOR
    reason = f"unproven addresses were told of {every} delays within the hour"
    yield Limit("delay_unverified", "", every, reason)


def _sharded(limit: Limit, address: str) -> Limit:
    if limit.most < SHARDED_FROM:
        return limit
    shard = sha256(address.encode("utf-8", "replace")).digest()[0] % SHARDS
    return msgspec.structs.replace(limit, key=f"{limit.key}:{shard}", most=limit.most // SHARDS)


def _words_key(address: str, happened: Occasion) -> str:
    """Return what is equal when an address says the same again; refs in it differ from answer to answer."""
    words = _REF.sub("", f"{happened.subject}\n{happened.text[:WORDS_MAX_CHARACTERS]}")
    return f"{address}:{sha256(words.encode('utf-8', 'replace')).hexdigest()[:32]}"


def values(tx: Tx, context: Context, ticket: Ticket, happened: Occasion) -> dict[str, Any]:
    """Return what a template may name. What the customer wrote is left out unless the address is proven to be theirs."""
    customer = happened.customer if happened.is_verified else None
    return {
        "ticket": {
            "ref": ticket.ref,
            "subject": happened.subject if happened.is_verified else "",
            "priority": ticket.priority,
            "status": ticket.status,
            "team": ticket.team or "",
            "tags": ticket.tags,
            "language": ticket.language or "",
        },
        "customer": {
            "name": customer.name if customer else "",
            "organization": (customer.organization or "") if customer else "",
            "language": ticket.language or "",
        },
        "organization": context.organization,
        "expected": expected.Expected(tx, ticket, context),
        "open_now": expected.OpenNow(tx, ticket, context),
        "next_open": expected.NextOpen(tx, ticket, context),
        "promised": promised_text.Promised(tx, ticket, context),
        "in_answer": False,
        "senior": seniors.level(context, ticket),
    }
