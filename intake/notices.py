"""Notices to agents, by mail: bundled, each can be switched off. They go to colleagues, so they quote the customer.

An agent may answer one (intake.agent_mail). Its first line is the one above which the answer is written: whatever stands
below it is ours, and never reaches a customer. A notice to a bare address has neither that line nor a reply address.
"""

import msgspec

from channels.contract import Address, Message
from intake import agents, events, outgoing
from intake.model import Context, Ticket
from intake.outgoing import Draft
from intake.store.engine import Tx

QUOTE_MAX_CHARACTERS = 2_000
MARKER = "[ Write your answer above this line ]"


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
            text=_text(ticket, notice, is_answerable=bool(name)),
            author="system",
            automatic="auto-generated",
            is_public=False,
            agent=name or None,
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


def _text(ticket: Ticket, notice: Notice, *, is_answerable: bool) -> str:
    lines = [
        *([MARKER, ""] if is_answerable else []),
        notice.headline,
        "",
        f"Ticket    {ticket.ref}",
        f"Subject   {ticket.subject}",
        f"Priority  {ticket.priority}",
        f"Team      {ticket.team or '-'}{f' ({ticket.level})' if ticket.level else ''}",
        f"Agent     {ticket.agent or 'nobody yet'}",
    ]
    if notice.quote:
        lines += ["", "The customer wrote:", "", *quoted(notice.quote)]
    lines += ["", f"See it:     intake tickets show {ticket.ref}"]
    if is_answerable:
        lines += [
            "Answer it:  reply to this mail, and the customer gets what you write.",
            "            First lines that do more: #note, #close, #assign NAME, #ack",
        ]
    else:
        lines.append(f"Answer it:  intake tickets reply {ticket.ref} --as NAME")
    return "\n".join([*lines, ""])


def quoted(text: str) -> list[str]:
    """Return the lines of what somebody wrote, marked as theirs, and not too many."""
    return [f"> {line}" for line in text[:QUOTE_MAX_CHARACTERS].splitlines()]


def of_message(
    tx: Tx, context: Context, ticket: Ticket, kind: str, headline: str, message_id: int, message: Message
) -> None:
    """Tell the assignee about a message, with the customer's words."""
    text = message.visible_text or message.text
    notice = Notice(kind=kind, headline=headline, cause=f"message:{message_id}", quote=text)
    send(tx, context, ticket, "assignee", notice)


def tell_agent(
    tx: Tx, context: Context, ticket: Ticket, agent: str, *, cause: str, headline: str, lines: tuple[str, ...]
) -> bool:
    """Tell an agent what became of a mail of theirs; false when they have no address or nothing can carry it."""
    person = context.rulebook.agents.get(agent)
    if person is None or person.email is None:
        return False
    text = "\n".join([MARKER, "", headline, "", *lines, "", f"Ticket  {ticket.ref}  {ticket.subject}", ""])
    draft = Draft(
        cause=cause,
        action=f"tell:{agent}",
        to=Address(person.email, agent),
        subject=f"[{ticket.ref}] {headline}"[:200],
        text=text,
        author="system",
        automatic="auto-replied",
        is_public=False,
        agent=agent,
    )
    return outgoing.send(tx, context, ticket, draft) is not None
