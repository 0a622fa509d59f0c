"""Notices to agents: bundled, each can be switched off. They go to colleagues, so mails quote the customer.

By mail unless a rule or a step says another way (`by:`); an agent's phone is rung and texted by intake.paging.

An agent may answer one (intake.agent_mail). Its first line is the one above which the answer is written: whatever stands
below it is ours, and never reaches a customer. A notice to a bare address has neither that line nor a reply address, and
no links (intake.notice_links): whoever reads there is nobody whom the rules know. What stands in one: intake.notice_page.
"""

import msgspec

from channels.contract import Address, Message
from intake import events, notice_letters, outgoing, paging, push, reaching, summonses
from intake.model import Context, Ticket
from intake.notice_page import MARKER, Notice, Page, quoted
from intake.outbound import Draft
from intake.reaching import Reach, Reached, Skipped
from intake.store.engine import Tx

__all__ = ["MARKER", "Notice", "of_message", "quoted", "send", "tell_agent"]


def send(tx: Tx, context: Context, ticket: Ticket, target: str, notice: Notice) -> int:
    """Write the notice for everybody that target reaches now; how many. That nobody is reached is an event."""
    reach = _without_own(context, reaching.reached(tx, context, ticket, target, by=notice.by))
    page = Page.of(tx, context, ticket, notice, others=_others(tx, context, ticket, notice, reach))
    sent = [person for person in reach.people if _write(tx, context, ticket, page, person)]
    # Somebody may be meant twice, as assignee and as lead: they are told once, and that has reached them.
    has_reached = bool(sent) or any(_has_it(tx, notice, person) for person in reach.people)
    _tell(tx, ticket, target, notice, reach, has_reached=has_reached)
    return len(sent)


def _write(tx: Tx, context: Context, ticket: Ticket, page: Page, person: Reached) -> bool:
    """Write it for one reader; false when they have it already, or nothing can carry it."""
    if paging.is_for(person):
        return paging.summon(tx, context, ticket, page, person)
    address = person.where[reaching.MAIL]
    written = notice_letters.write(tx, context, ticket, page, address, person.name)
    # What stands in a digest is one of too many: a browser that rang for each would be turned off.
    if written is not None and written.outbox_id is not None and person.name:
        push.tell(tx, context, ticket, page.notice, person.name)
    return written is not None


def _has_it(tx: Tx, notice: Notice, person: Reached) -> bool:
    """Whether the notice is on its way to somebody, from before."""
    return notice_letters.is_written(tx, notice, person.where.get(reaching.MAIL)) or summonses.is_told(
        tx, notice, person.name
    )


def _without_own(context: Context, reach: Reach) -> Reach:
    """Leave our own addresses and numbers out: a notice to ourselves would come back as a customer's message."""
    own = {address for account in context.accounts.values() for address in account.addresses}
    people, skipped = [], []
    for person in reach.people:
        kept = {way: where for way, where in person.where.items() if where.lower() not in own}
        if kept:
            people.append(Reached(person.name, kept))
        else:
            ours = person.name or next(iter(person.where.values()))
            skipped.append(Skipped(ours, "the address is our own"))
    return msgspec.structs.replace(reach, people=tuple(people), skipped=(*reach.skipped, *skipped))


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
