"""An agent's mail in answer to a notice, once it is proven (agent_proof): the text goes to the customer, commands are obeyed.

The same functions as of the command line and the desk do it (intake.desk). Three ends:

    carried out   a public answer, a note, commands; the agent hears of it only when something is not as they think
    held          kept as a note, because sending it may be a mistake; the agent is told why and how to send it
    refused       nothing is done; the agent is told what was wrong, with what they wrote

What a machine sends for an agent ("I am away") is an event of the ticket, and never answered. Mails to the agent are
marked as automatic and limited by the hour; the journal keeps every mail whole, and settles each but once.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Message, OutboundFile
from intake import (
    acknowledging,
    addresses,
    agent_commands,
    agent_files,
    agent_holding,
    agent_telling,
    agent_text,
    answered,
    assigning,
    conversations,
    desk,
    desk_promises,
    journal,
    loops,
    presence,
    search_index,
    tickets,
)
from intake.agent_commands import Misunderstood, Orders
from intake.agent_holding import Held
from intake.agent_proof import Mail, Proven
from intake.attaching import TooMuch
from intake.desk import DeskError
from intake.model import Context, Received
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import moment_text

TEXT_OF_MACHINE_MAX = 500

_MESSAGE_OF = Statement(
    select(schema.outbox.c.message_id).where(schema.outbox.c.id == bindparam("outbox_id"))
)


class Answer(msgspec.Struct, frozen=True):
    """What goes to the customer."""

    text: str
    files: tuple[OutboundFile, ...] = ()


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
    if message.automatic in loops.MACHINES:
        _keep_automatic(tx, mail)
        return
    message_id = None
    try:
        message_id = _follow(tx, context, mail, _orders(context, mail))
    except (Misunderstood, DeskError, TooMuch) as problem:
        agent_telling.refused(tx, context, mail, str(problem))
    _close(tx, mail, "ticket", message_id)


def _keep_automatic(tx: Tx, mail: Mail) -> None:
    """Keep what a machine sent in answer to an agent's notice: an event, and no answer."""
    text = (mail.message.visible_text or mail.message.text)[:TEXT_OF_MACHINE_MAX]
    agent_telling.event(tx, mail, "agent_automatic", automatic=mail.message.automatic, text=text)
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
    if mail.ticket.status == "closed" and not {"#close", "#solve"}.isdisjoint(orders.commands):
        # It is closed for good; as solved the customer's answer would open it again.
        return msgspec.structs.replace(orders, status=None)
    return orders


def _names(mail: Mail) -> tuple[str, ...]:
    written = mail.message.from_.name if mail.message.from_ is not None else ""
    return (mail.agent, written)


def _follow(tx: Tx, context: Context, mail: Mail, orders: Orders) -> int | None:
    """Carry the orders out; the id of the message it became. Raises: Misunderstood, DeskError, TooMuch."""
    if orders.is_taken or orders.is_assigned:
        # Before anything is sent: what is refused afterwards would be sent a second time.
        assigning.check_room(tx, context, mail.ticket, mail.agent if orders.is_taken else orders.assigned_to)
    away_until = _away_until(tx, context, mail, orders)
    promise = desk_promises.ordered(tx, context, mail.ticket, orders.promise, agent=mail.agent)
    if orders.is_note:
        message_id: int | None = _note(tx, context, mail, orders.text)
    elif orders.is_answer:
        why = agent_holding.reason(tx, mail, orders.text) if not orders.is_forced else None
        if why is not None:
            return _hold(tx, context, mail, orders.text, why)
        answer = _written(tx, context, mail, orders.text) if orders.text else _held(tx, context, mail)
        message_id = _answer(tx, context, mail, answer, orders.status, promise.at)
    else:
        message_id = None
    _obey(tx, context, mail, orders)
    _note_presence(tx, context, mail, orders, away_until)
    if promise.is_ordered and not (promise.at and orders.is_answer):
        promise = desk_promises.obey(
            tx, context, mail.ticket.ref, promise, agent=mail.agent, is_quiet=orders.is_note
        )
    agent_telling.carried_out(tx, context, mail, orders, promise.doubts)
    return message_id


def _away_until(tx: Tx, context: Context, mail: Mail, orders: Orders) -> int | None:
    """Return until when the agent is away, microseconds UTC; None = until they are back. Raises: Misunderstood."""
    if not orders.away:
        return None
    try:
        return presence.until_us(context, mail.agent, orders.away, now_us=tx.now)
    except moment_text.NoMoment as problem:
        raise Misunderstood(str(problem)) from None


def _note_presence(tx: Tx, context: Context, mail: Mail, orders: Orders, until_us: int | None) -> None:
    if orders.is_back:
        presence.come_back(tx, mail.agent, by=mail.agent)
    elif orders.away is not None:
        left = presence.go(tx, context, mail.agent, until_us=until_us, keep=False, by=mail.agent)
        agent_telling.away(tx, context, mail, left.until, left.tickets)


def _written(tx: Tx, context: Context, mail: Mail, text: str) -> Answer:
    """Return what the mail says to the customer. Raises: attaching.TooMuch."""
    most = context.limits.max_attachments_bytes
    files = agent_files.of_mail(tx, mail.received.id, mail.message.attachments, max_bytes=most)
    return Answer(text, files)


def _hold(tx: Tx, context: Context, mail: Mail, text: str, why: Held) -> int:
    """Keep the answer as a note and tell the agent how to send it; the note's id."""
    note_id = _note(tx, context, mail, text)
    agent_telling.held(tx, context, mail, text, why, note_id=note_id)
    return note_id


def _held(tx: Tx, context: Context, mail: Mail) -> Answer:
    """Return what was held last. Raises: Misunderstood when there is nothing, TooMuch."""
    kept = agent_holding.kept(tx, mail)
    if kept is None:
        raise Misunderstood("there is no answer of yours that was held: write one below #send")
    most = context.limits.max_attachments_bytes
    return Answer(kept.text, agent_files.of_note(tx, kept.journal_id, kept.attachments, max_bytes=most))


def _answer(
    tx: Tx, context: Context, mail: Mail, answer: Answer, status: str | None, promise: datetime | None
) -> int:
    """Send it to the customer; the id of the message it became."""
    outbox_id = desk.reply(
        tx,
        context,
        mail.ticket.ref,
        agent=mail.agent,
        text=answer.text,
        status=status,
        files=answer.files,
        promise=promise,
    )
    row = tx.one(_MESSAGE_OF, outbox_id=outbox_id)
    assert row is not None  # noqa: S101 - desk.reply has just written it
    tx.update(schema.messages, {"id": row[0]}, journal_id=mail.received.id)
    return int(row[0])


def _obey(tx: Tx, context: Context, mail: Mail, orders: Orders) -> None:
    """Carry out what is no text; the status came with the answer, when there is one."""
    ref, agent = mail.ticket.ref, mail.agent
    if orders.status is not None and not orders.is_answer:
        desk.set_status(tx, context, ref, orders.status, agent=agent)
    if orders.priority is not None:
        desk.set_priority(tx, context, ref, orders.priority, agent=agent)
    if orders.is_taken or orders.is_acknowledged:
        _look(tx, context, mail, acknowledging.take if orders.is_taken else acknowledging.acknowledge)
    if orders.is_assigned:
        assigning.assign(tx, context, ref, orders.assigned_to, agent=agent)


def _look(tx: Tx, context: Context, mail: Mail, act: Callable[..., acknowledging.Outcome]) -> None:
    """Acknowledge or take over; somebody who comes too late is told who was first."""
    said = acknowledging.Said(agent=mail.agent, how="mail", notice=_notice(mail.message))
    outcome = act(tx, context, mail.ticket.ref, said)
    is_theirs = outcome.look is not None and outcome.look.agent == mail.agent
    if not outcome.is_done and not is_theirs and (outcome.ticket.is_open or not mail.ticket.is_open):
        agent_telling.too_late(tx, context, mail, outcome)


def _notice(message: Message) -> int | None:
    """Return the outbox id of the notice that a mail answers; None = its program has not said which."""
    named = map(addresses.outbox_id_from_message_id, answered.identifiers(message))
    return next((each for each in named if each is not None), None)


def _note(tx: Tx, context: Context, mail: Mail, text: str) -> int:
    """Keep the text for colleagues, with the files of the mail; the message's id."""
    message_id = desk.note(tx, context, mail.ticket.ref, agent=mail.agent, text=text)
    files = conversations.content(mail.message)["attachments"]
    tx.update(schema.messages, {"id": message_id}, journal_id=mail.received.id, attachments=files)
    search_index.renew(tx, message_id)
    return message_id


def _close(tx: Tx, mail: Mail, state: str, message_id: int | None) -> None:
    journal.close(
        tx,
        mail.received.id,
        state,
        customer_id=mail.ticket.customer_id,
        ticket_id=mail.ticket.id,
        message_id=message_id,
    )
