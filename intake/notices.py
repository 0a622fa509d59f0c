"""Notices to agents, by mail: bundled, each can be switched off. They go to colleagues, so they quote the customer."""

import msgspec

from channels.contract import Address, Message
from intake import agents, events, outgoing
from intake.model import Context, Ticket
from intake.outgoing import Draft
from intake.store.engine import Tx

QUOTE_MAX_CHARACTERS = 2_000


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """kind: "assigned", "customer_replied", "taken" or "escalated". headline: one line that says what happened.

    quote: what the customer wrote, "" = nothing to quote. cause: see intake.outgoing. by: a way to reach agents,
    None = by mail. rule: who asks for it, None = it is a built-in one.
    """

    kind: str
    headline: str
    cause: str
    quote: str = ""
    by: str | None = None
    rule: str | None = None


def send(tx: Tx, context: Context, ticket: Ticket, target: str, notice: Notice) -> int:
    """Write the notice for everybody that target reaches now; how many. That nobody is reached is an event."""
    reach = agents.reached(tx, context, ticket, target, by=notice.by)
    reached = reach.addresses
    own = {address for account in context.accounts.values() for address in account.addresses}
    sent = 0
    for address, name in reached.items():
        if address.lower() in own:  # a notice to ourselves would come back as a customer's message
            continue
        draft = Draft(
            cause=notice.cause,
            action=f"notify:{notice.kind}:{address}",
            to=Address(address, name),
            subject=f"[{ticket.ref}] {ticket.subject}"[:200],
            text=_text(ticket, notice, context),
            author="system",
            automatic="auto-generated",
            is_public=False,
        )
        if outgoing.send(tx, context, ticket, draft) is not None:
            sent += 1
    actor = f"rule:{notice.rule}" if notice.rule else "system"
    if reach.refused:
        reason = f"nothing in this configuration reaches agents by {' or '.join(reach.refused)}"
        events.of_ticket(
            tx, ticket, "action_not_done", actor=actor, action="notify", value=target, reason=reason
        )
    events.of_ticket(
        tx,
        ticket,
        "notified" if sent else "notice_reached_nobody",
        actor=actor,
        target=target,
        notice=notice.kind,
        agents=sorted(name for name in reached.values() if name),
    )
    return sent


def _text(ticket: Ticket, notice: Notice, context: Context) -> str:
    lines = [
        notice.headline,
        "",
        f"Ticket    {ticket.ref}",
        f"Subject   {ticket.subject}",
        f"Priority  {ticket.priority}",
        f"Team      {ticket.team or '-'}{f' ({ticket.level})' if ticket.level else ''}",
        f"Agent     {ticket.agent or 'nobody yet'}",
    ]
    if notice.quote:
        quoted = notice.quote[:QUOTE_MAX_CHARACTERS].splitlines()
        lines += ["", "The customer wrote:", "", *(f"> {line}" for line in quoted)]
    lines += [
        "",
        f"See it:     intake tickets show {ticket.ref}",
        f"Answer it:  intake tickets reply {ticket.ref} --as NAME",
        "",
    ]
    return "\n".join(lines)


def of_message(
    tx: Tx, context: Context, ticket: Ticket, kind: str, headline: str, message_id: int, message: Message
) -> None:
    """Tell the assignee about a message, with the customer's words."""
    text = message.visible_text or message.text
    notice = Notice(kind=kind, headline=headline, cause=f"message:{message_id}", quote=text)
    send(tx, context, ticket, "assignee", notice)
