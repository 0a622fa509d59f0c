"""What an agent, and the history of the ticket, are told about a mail of theirs.

Mails to the agent are marked as automatic and limited by the hour; what is too much is an event.
"""

from typing import Any

from channels.contract import Message
from intake import acknowledging, agent_commands, agent_text, counters, events, instants, notice_page, notices
from intake.agent_commands import Orders
from intake.agent_holding import Held
from intake.agent_proof import Mail, Unproven
from intake.model import Context, Received
from intake.store.engine import Tx

TOLD_PER_HOUR = 20  # mails to one agent about mails of theirs


def refused(tx: Tx, context: Context, mail: Mail, problem: str) -> None:
    """Tell the agent what was wrong with what they wrote, so that nothing was done."""
    event(tx, mail, "agent_mail_refused", reason=problem, by=mail.by)
    written = agent_text.written(mail.message)
    lines = (
        f"Nothing was done: {problem}.",
        "",
        "What you write above the line goes to the customer. Its first lines may be commands:",
        "",
        *(f"    {each}" for each in agent_commands.HELP),
        *(("", "You wrote:", "", *notices.quoted(written)) if written else ()),
    )
    _write(tx, context, mail, "Your mail was not understood", lines)


def held(tx: Tx, context: Context, mail: Mail, text: str, why: Held, *, note_id: int) -> None:
    """Tell the agent why the answer is only a note, and how to send it."""
    event(tx, mail, "answer_held", note=str(note_id), reason=why.reason, by=mail.by)
    lines = (
        f"Your answer is kept as a note: {why.sentence}.",
        "",
        *why.lines,
        *([""] if why.lines else []),
        "To send it as it is, answer this mail with #send alone. To send another text, just answer this mail.",
        "Commands of your mail were not carried out.",
        "",
        "You wrote:",
        "",
        *notices.quoted(text),
    )
    _write(tx, context, mail, "Your answer was not sent", lines)


def carried_out(tx: Tx, context: Context, mail: Mail, orders: Orders, doubts: tuple[str, ...] = ()) -> None:
    """Say in the history what was done; and to the agent where an answer is not all that they may think.

    doubts: what speaks against what they have promised.
    """
    if orders.is_answer and not orders.text:
        event(tx, mail, "held_answer_sent")
    unread = {"unread": True} if _is_unread(mail) else {}
    event(tx, mail, "agent_mail", by=mail.by, answered=orders.is_answer, commands=orders.commands, **unread)
    surprises = (*(_surprises(mail, orders) if orders.is_answer else ()), *doubts)
    if surprises:
        headline = "Your answer was sent" if orders.is_answer else "Your promise is noted"
        _write(tx, context, mail, headline, surprises)


def _surprises(mail: Mail, orders: Orders) -> tuple[str, ...]:
    before = mail.ticket
    lines = []
    if before.agent not in (None, mail.agent) and (before.assigned_at or 0) > mail.seen_us:
        lines.append(f"The ticket is {before.agent}'s by now; who has it is not changed by your answer.")
    if not before.is_open and orders.status is None:
        lines.append(f"The ticket is {before.status}, and stays so: #status open opens it again.")
    if _is_unread(mail):
        lines.append("The customer had written again before: see whether your answer still fits.")
    return tuple(lines)


def away(tx: Tx, context: Context, mail: Mail, until_us: int | None, moved: int) -> None:
    """Tell an agent until when they are away now: a moment can be read wrongly."""
    until = instants.rfc3339_from_us(until_us) or "you write #back, in answer to any notice"
    line = f"Of your tickets {moved or 'none'} that wait for an answer go on to others meanwhile."
    _write(tx, context, mail, "You are away", (f"Until {until}.", line))


def too_late(tx: Tx, context: Context, mail: Mail, outcome: acknowledging.Outcome) -> None:
    """Tell an agent who wanted to look at a ticket that somebody else does, or that it is done."""
    zone = notice_page.zone_of_agent(context, mail.agent) or notice_page.zone_of_ticket(
        tx, context, mail.ticket
    )
    now = instants.datetime_from_us(tx.now)
    said = acknowledging.sentence(outcome, mail.agent, now=now, zone=zone)
    _write(tx, context, mail, "Nothing was changed", (f"The ticket {said}.",))


def elsewhere(tx: Tx, context: Context, received: Received, message: Message, word: Unproven) -> None:
    """Tell an agent that somebody answered their notice from another address: it may be their own, and they wait."""
    if word.ticket is None or not word.is_elsewhere or message.automatic is not None:
        return
    if not counters.take(tx, "agent_told", word.agent, limit=TOLD_PER_HOUR):
        return
    sender = message.sender.value if message.sender is not None else "an unknown address"
    lines = (
        f"A mail from {sender} answers the notice of this ticket that you got.",
        "That is not your address in the rules. The customer got nothing: it is a stranger's mail and a ticket of its own.",
        "",
        "If it was you, write again from your own address. If it was not, somebody else can read your notices.",
    )
    headline = "An answer to your notice came from elsewhere"
    notices.tell_agent(
        tx,
        context,
        word.ticket,
        word.agent,
        cause=f"journal:{received.id}",
        headline=headline,
        lines=lines,
    )


def _is_unread(mail: Mail) -> bool:
    """Whether the customer has written since what the agent answers."""
    return (mail.ticket.customer_replied_at or 0) // 1_000 > mail.seen_us // 1_000


def _write(tx: Tx, context: Context, mail: Mail, headline: str, lines: tuple[str, ...]) -> None:
    """Write to the agent about their mail; what is too much within the hour is an event instead."""
    is_told = counters.take(tx, "agent_told", mail.agent, limit=TOLD_PER_HOUR) and notices.tell_agent(
        tx, context, mail.ticket, mail.agent, cause=mail.cause, headline=headline, lines=lines
    )
    if not is_told:
        event(tx, mail, "agent_not_told", headline=headline)


def event(tx: Tx, mail: Mail, kind: str, **details: Any) -> None:
    """Write an event of the agent's mail."""
    actor = f"agent:{mail.agent}"
    events.of_ticket(tx, mail.ticket, kind, actor=actor, journal=mail.received.id, **details)
