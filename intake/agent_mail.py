"""An agent's mail in answer to a notice, once it is proven (agent_proof): the text goes to the customer, commands are obeyed.

The same functions as of the command line and the desk do it (intake.desk). Three ends:

    carried out   a public answer, a note, commands; the agent hears of it only when something is not as they think
    held          kept as a note, because sending it may be a mistake; the agent is told why and how to send it
    refused       nothing is done; the agent is told what was wrong, with what they wrote

What a machine sends for an agent ("I am away") is an event of the ticket, and never answered. Mails to the agent are
marked as automatic and limited by the hour; the journal keeps every mail whole, and settles each but once.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, or_, select

from channels.contract import Message
from intake import (
    agent_commands,
    agent_text,
    conversations,
    counters,
    desk,
    events,
    instants,
    journal,
    notices,
    tickets,
)
from intake.agent_commands import Misunderstood, Orders
from intake.agent_proof import MACHINES, Proven
from intake.desk import DeskError
from intake.model import Context, Received, Ticket
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement

TOLD_PER_HOUR = 20  # mails to one agent about mails of theirs
SENT_PER_HOUR = 20  # answers by mail of one agent in one ticket
ANSWERS_LOOKED_AT = 20
TEXT_OF_MACHINE_MAX = 500

_m = schema.messages.c
_e = schema.events.c
_ANSWERS = Statement(
    select(_m.author, _m.at, _m.body)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction == "out", _m.automatic.is_(None))
    .order_by(_m.id.desc())
    .limit(ANSWERS_LOOKED_AT)
)
_HELD = Statement(
    select(_e.details)
    .where(
        _e.ticket_id == bindparam("ticket_id"),
        _e.actor == bindparam("actor"),
        or_(_e.kind == "answer_held", _e.kind == "held_answer_sent"),
    )
    .order_by(_e.id.desc())
    .limit(1)
)
_BODY = Statement(select(_m.body).where(_m.id == bindparam("message_id")))
_MESSAGE_OF = Statement(
    select(schema.outbox.c.message_id).where(schema.outbox.c.id == bindparam("outbox_id"))
)


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A proven mail and what it is about. ticket: locked, as it was before."""

    received: Received
    message: Message
    agent: str
    ticket: Ticket
    seen_us: int
    by: str

    @property
    def cause(self) -> str:
        return f"journal:{self.received.id}"


class Held(msgspec.Struct, frozen=True):
    """Why an answer is not sent at once. reason: for the event; sentence: for the agent; lines: what to look at."""

    reason: str
    sentence: str
    lines: tuple[str, ...] = ()


def settle(tx: Tx, context: Context, received: Received, message: Message, proven: Proven) -> None:
    """Do what an agent's mail asks for, and close its journal row."""
    ticket = tickets.locked(tx, proven.ticket.id)
    mail = Mail(
        received=received,
        message=message,
        agent=proven.agent,
        ticket=ticket,
        seen_us=proven.seen_us,
        by=proven.by,
    )
    if message.automatic in MACHINES:
        _keep_automatic(tx, mail)
        return
    message_id = None
    try:
        message_id = _follow(tx, context, mail, _orders(context, mail))
    except (Misunderstood, DeskError) as problem:
        _refuse(tx, context, mail, str(problem))
    _close(tx, mail, "ticket", message_id)


def _keep_automatic(tx: Tx, mail: Mail) -> None:
    """Keep what a machine sent in answer to an agent's notice: an event, and no answer."""
    text = (mail.message.visible_text or mail.message.text)[:TEXT_OF_MACHINE_MAX]
    _tell(tx, mail, "agent_automatic", automatic=mail.message.automatic, text=text)
    _close(tx, mail, "automatic", None)


def _orders(context: Context, mail: Mail) -> Orders:
    """Return what the mail asks for. Raises: Misunderstood."""
    text = agent_text.written(mail.message)
    orders = agent_commands.read(text, book=context.rulebook, agent=mail.agent)
    if orders.text and agent_text.is_signature(orders.text, _names(mail)):
        orders = msgspec.structs.replace(orders, text="")
    if not orders.text and (orders.is_note or not orders.commands):
        raise Misunderstood("there is no text in it")
    if orders.text and not orders.is_note and agent_text.shows_notice(orders.text):
        raise Misunderstood("it holds parts of our notice, which is for colleagues only: write above it")
    return orders


def _names(mail: Mail) -> tuple[str, ...]:
    written = mail.message.from_.name if mail.message.from_ is not None else ""
    return (mail.agent, written)


def _follow(tx: Tx, context: Context, mail: Mail, orders: Orders) -> int | None:
    """Carry the orders out, what is said first; the id of the message it became. Raises: Misunderstood, DeskError."""
    status = orders.status
    message_id = None
    if orders.is_note:
        message_id = _note(tx, context, mail, orders.text)
    elif orders.text or orders.is_forced:
        text = orders.text or _held_text(tx, mail)
        held = None if orders.is_forced else _reason_to_hold(tx, mail, text)
        if held is not None:
            return _hold(tx, context, mail, text, held)
        message_id = _answer(tx, context, mail, text, status)
        status = None
        if not orders.text:
            _tell(tx, mail, "held_answer_sent")
    _obey(tx, context, mail, msgspec.structs.replace(orders, status=status))
    _tell(
        tx,
        mail,
        "agent_mail",
        by=mail.by,
        answered=message_id is not None and not orders.is_note,
        commands=orders.commands,
        **({"unread": True} if _is_unread(mail) else {}),
    )
    if message_id is not None and not orders.is_note:
        _tell_surprises(tx, context, mail, orders)
    return message_id


def _answer(tx: Tx, context: Context, mail: Mail, text: str, status: str | None) -> int | None:
    """Send the text to the customer; the id of the message it became."""
    outbox_id = desk.reply(tx, context, mail.ticket.ref, agent=mail.agent, text=text, status=status)
    row = tx.one(_MESSAGE_OF, outbox_id=outbox_id)
    message_id = None if row is None else row[0]
    if message_id is not None:
        tx.update(schema.messages, {"id": message_id}, journal_id=mail.received.id)
    return message_id


def _obey(tx: Tx, context: Context, mail: Mail, orders: Orders) -> None:
    """Carry out what is no text."""
    ref, agent = mail.ticket.ref, mail.agent
    if orders.status is not None:
        desk.set_status(tx, context, ref, orders.status, agent=agent)
    if orders.priority is not None:
        desk.set_priority(tx, context, ref, orders.priority, agent=agent)
    if orders.is_acknowledged:
        desk.acknowledge(tx, context, ref, agent=agent)
    if orders.is_assigned:
        desk.assign(tx, context, ref, orders.assigned_to, agent=agent)


def _note(tx: Tx, context: Context, mail: Mail, text: str) -> int:
    """Keep the text for colleagues, with the files of the mail; the message's id."""
    message_id = desk.note(tx, context, mail.ticket.ref, agent=mail.agent, text=text)
    files = conversations.content(mail.message)["attachments"]
    tx.update(schema.messages, {"id": message_id}, journal_id=mail.received.id, attachments=files)
    return message_id


def _reason_to_hold(tx: Tx, mail: Mail, text: str) -> Held | None:
    """Say why sending the answer may be a mistake; None = nothing speaks against it."""
    rows = tx.all(_ANSWERS, ticket_id=mail.ticket.id)
    newer = _unseen_answer(rows, mail)
    if newer is not None:
        author, at_us, body = newer
        return Held(
            "a colleague has answered meanwhile",
            f"{author} has answered the customer since the mail that you answer",
            (f"{author} wrote at {instants.rfc3339_from_us(at_us)}:", "", *notices.quoted(body)),
        )
    if any(author == mail.agent and body.strip() == text.strip() for author, _, body in rows):
        return Held("the same text again", "you have sent the customer the same text before")
    written_to = {each.address.lower() for each in (*mail.message.to, *mail.message.cc)}
    if any(each.value in written_to for each in tickets.participants(tx, mail.ticket.id)):
        return Held(
            "it went to the customer directly", "your mail went to the customer's own address as well"
        )
    key = f"{mail.agent}:{mail.ticket.id}"
    if not counters.take(tx, "agent_answers", key, limit=SENT_PER_HOUR):
        return Held(
            "too many answers within the hour", f"you have sent {SENT_PER_HOUR} answers within the hour"
        )
    return None


def _unseen_answer(rows: Sequence[Row], mail: Mail) -> Row | None:
    """Return a colleague's newest public answer that the agent had not seen; their own later ones show that they had."""
    for row in rows:
        author, at_us, _ = row
        if author == mail.agent or at_us // 1_000 <= mail.seen_us // 1_000:
            return None
        return row
    return None


def _hold(tx: Tx, context: Context, mail: Mail, text: str, held: Held) -> int:
    """Keep the answer as a note and tell the agent how to send it; the note's id."""
    note_id = _note(tx, context, mail, text)
    _tell(tx, mail, "answer_held", note=str(note_id), reason=held.reason, by=mail.by)
    lines = (
        f"Your answer is kept as a note: {held.sentence}.",
        "",
        *held.lines,
        *([""] if held.lines else []),
        "To send it as it is, answer this mail with #send alone. To send another text, just answer this mail.",
        "Commands of your mail were not carried out.",
        "",
        "You wrote:",
        "",
        *notices.quoted(text),
    )
    _write(tx, context, mail, "Your answer was not sent", lines)
    return note_id


def _held_text(tx: Tx, mail: Mail) -> str:
    """Return the agent's answer that was held last. Raises: Misunderstood when there is none, or it was sent."""
    row = tx.one(_HELD, ticket_id=mail.ticket.id, actor=f"agent:{mail.agent}")
    note_id = msgspec.json.decode(row[0]).get("note") if row is not None else None
    body = tx.one(_BODY, message_id=int(note_id)) if note_id else None
    if body is None:
        raise Misunderstood("there is no answer of yours that was held: write one below #send")
    return str(body[0])


def _refuse(tx: Tx, context: Context, mail: Mail, problem: str) -> None:
    """Do nothing, and tell the agent what was wrong with what they wrote."""
    _tell(tx, mail, "agent_mail_refused", reason=problem, by=mail.by)
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


def _tell_surprises(tx: Tx, context: Context, mail: Mail, orders: Orders) -> None:
    """Write to the agent where an answer that has gone out is not all that they may think."""
    before = mail.ticket
    lines = []
    if before.agent not in (None, mail.agent) and (before.assigned_at or 0) > mail.seen_us:
        lines.append(f"The ticket is {before.agent}'s by now; who has it is not changed by your answer.")
    if not before.is_open and orders.status is None:
        lines.append(f"The ticket is {before.status}, and stays so: #status open opens it again.")
    if _is_unread(mail):
        lines.append("The customer had written again before: see whether your answer still fits.")
    files = [each.name for each in mail.message.attachments if not each.inline]
    if files:
        lines.append(f"Files do not go along by mail yet: {', '.join(files)[:500]}")
    if lines:
        _write(tx, context, mail, "Your answer was sent", tuple(lines))


def _is_unread(mail: Mail) -> bool:
    """Whether the customer has written since what the agent answers."""
    return (mail.ticket.customer_replied_at or 0) // 1_000 > mail.seen_us // 1_000


def _write(tx: Tx, context: Context, mail: Mail, headline: str, lines: tuple[str, ...]) -> None:
    """Write to the agent about their mail; what is too much within the hour is an event instead."""
    is_told = counters.take(tx, "agent_told", mail.agent, limit=TOLD_PER_HOUR) and notices.tell_agent(
        tx, context, mail.ticket, mail.agent, cause=mail.cause, headline=headline, lines=lines
    )
    if not is_told:
        _tell(tx, mail, "agent_not_told", headline=headline)


def _tell(tx: Tx, mail: Mail, kind: str, **details: Any) -> None:
    """Write an event of the agent's mail."""
    actor = f"agent:{mail.agent}"
    events.of_ticket(tx, mail.ticket, kind, actor=actor, journal=mail.received.id, **details)


def _close(tx: Tx, mail: Mail, state: str, message_id: int | None) -> None:
    journal.close(
        tx,
        mail.received.id,
        state,
        customer_id=mail.ticket.customer_id,
        ticket_id=mail.ticket.id,
        message_id=message_id,
    )
