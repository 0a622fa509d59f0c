"""Notices to agents, by mail: bundled, each can be switched off. They go to colleagues, so they quote the customer.

An agent may answer one (intake.agent_mail). Its first line is the one above which the answer is written: whatever stands
below it is ours, and never reaches a customer. A notice to a bare address has neither that line nor a reply address, and
no links (intake.notice_links): whoever reads there is nobody whom the rules know. What stands in one: intake.notice_page.
"""

import msgspec

from channels.contract import Address, Message
from intake import digests, events, outgoing, reaching
from intake.model import Context, Ticket
from intake.notice_page import MARKER, Notice, Page, quoted
from intake.outgoing import Draft
from intake.reaching import Reach, Skipped
from intake.store.engine import Tx

__all__ = ["MARKER", "Notice", "of_message", "quoted", "send", "tell_agent"]


def send(tx: Tx, context: Context, ticket: Ticket, target: str, notice: Notice) -> int:
    """Write the notice for everybody that target reaches now; how many. That nobody is reached is an event."""
    reach = _without_own(context, reaching.reached(tx, context, ticket, target, by=notice.by))
    page = Page.of(tx, context, ticket, notice, others=_others(tx, context, ticket, notice, reach))
    sent = [
        address
        for address, name in reach.addresses.items()
        if _write(tx, context, ticket, page, address, name)
    ]
    # Somebody may be meant twice, as assignee and as lead: they are told once, and that has reached them.
    has_reached = bool(reach.addresses) and outgoing.carrier(context, ticket) is not None
    _tell(tx, ticket, target, notice, reach, has_reached=has_reached)
    return len(sent)


def _write(tx: Tx, context: Context, ticket: Ticket, page: Page, address: str, name: str) -> bool:
    """Write it for one reader, or keep it for their digest; false when they have it already, or nothing can carry it."""
    notice = page.notice
    action = f"notify:{notice.kind}:{address}"
    held = digests.Held(notice.cause, action, address, name, notice.rule or notice.kind, notice.due_at)
    if digests.takes(tx, context, ticket, held):
        return True
    number = tx.new_id()
    draft = Draft(
        cause=notice.cause,
        action=action,
        to=Address(address, name),
        subject=page.subject(name),
        text=page.text(name, number=number),
        author="system",
        automatic="auto-generated",
        is_public=False,
        agent=name or None,
        number=number,
    )
    return outgoing.send(tx, context, ticket, draft) is not None


def _without_own(context: Context, reach: Reach) -> Reach:
    """Leave our own addresses out: a notice to ourselves would come back as a customer's message."""
    own = {address for account in context.accounts.values() for address in account.addresses}
    kept = {address: name for address, name in reach.addresses.items() if address.lower() not in own}
    ours = [name or address for address, name in reach.addresses.items() if address not in kept]
    if not ours:
        return reach
    skipped = (*reach.skipped, *(Skipped(each, "the address is our own") for each in ours))
    return msgspec.structs.replace(reach, addresses=kept, skipped=skipped)


def _others(tx: Tx, context: Context, ticket: Ticket, notice: Notice, reach: Reach) -> tuple[str, ...]:
    """Return all who get the same notice, also by its other targets."""
    names = set(reach.names)
    for target in notice.also:
        names.update(reaching.reached(tx, context, ticket, target, by=notice.by).names)
    return tuple(sorted(names))


def _tell(tx: Tx, ticket: Ticket, target: str, notice: Notice, reach: Reach, *, has_reached: bool) -> None:
    """Write down whom it reached, who was passed over and why."""
    actor = f"rule:{notice.rule}" if notice.rule else "system"
    if reach.refused:
        reason = f"nothing in this configuration reaches agents by {' or '.join(reach.refused)}"
        events.of_ticket(
            tx, ticket, "action_not_done", actor=actor, action="notify", value=target, reason=reason
        )
    nobody = {} if has_reached else {"reason": reach.why_nobody or _reason(reach)}
    events.of_ticket(
        tx,
        ticket,
        "notified" if has_reached else "notice_reached_nobody",
        actor=actor,
        target=target,
        notice=notice.kind,
        agents=list(reach.names),
        skipped=[{"agent": each.agent, "reason": each.reason} for each in reach.skipped],
        cause=notice.cause,
        **nobody,
    )


def _reason(reach: Reach) -> str:
    said = "; ".join(f"{each.agent}: {each.reason}" for each in reach.skipped)
    return said or "there is nobody to tell"


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
