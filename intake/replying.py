"""An answer as it is given at the desk: stopped when something is unseen, sent once whatever is clicked twice, taken back.

    reply       intake.desk.reply, after the look at what is new (intake.unseen), and held back for a moment
    note        intake.desk.note, once for each draft
    take_back   what is held back is never sent: the text is a draft again, the ticket as it was
    send_now    what is held back goes at once

The answer is composed when it is sent, with its recipients, sender and signature; the hold only says when it leaves. It
stands in the outbox, so that a restart changes nothing about it. What a chat shows at once cannot be held.
"""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, select

from channels.contract import OutboundFile
from intake import (
    clocks,
    desk,
    draft_files,
    drafts,
    events,
    failures,
    instants,
    seating,
    solving,
    tickets,
    unseen,
)
from intake.answering_by_phone import Chosen
from intake.desk import DeskError
from intake.drafts import Draft, Text
from intake.model import OPEN_STATUSES, Context, Ticket
from intake.solving import Ending
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_o = schema.outbox.c
_HOLD = Statement(
    schema.outbox.update()
    .where(_o.id == bindparam("outbox_id"), _o.state == "queued", _o.next_at < bindparam("until"))
    .values(next_at=bindparam("send_at"))
)
_NEXT = Statement(
    select(_o.next_at, _o.state, _o.attempts, _o.message_id).where(_o.id == bindparam("outbox_id"))
)
_HELD = Statement(
    select(_o.state, _o.attempts, _o.next_at, _o.ticket_id, _o.message_id, schema.messages.c.author)
    .join(schema.messages, schema.messages.c.id == _o.message_id)
    .where(_o.id == bindparam("outbox_id"))
)
_STOP = Statement(
    schema.outbox.update()
    .where(_o.id == bindparam("outbox_id"), _o.state == "queued", _o.attempts == 0)
    .values(state="dropped", next_at=None)
)
_REMOVE = Statement(delete(schema.messages).where(schema.messages.c.id == bindparam("message_id")))


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent. text: Markdown. seen: a mark of intake.unseen, None = whatever else was said meanwhile.

    fork: of the draft it was written as, "" = of none; sent twice under one fork it is sent once. status, ending: the
    ticket's afterwards. files, promise, chosen: as intake.desk.reply. hold_s: how long it can be taken back.
    """

    text: str
    seen: str | None = None
    fork: str = ""
    revision: int = 0
    status: str | None = None
    ending: Ending = Ending()
    files: tuple[OutboundFile, ...] = ()
    promise: datetime | None = None
    chosen: Chosen | None = None
    hold_s: float = 0


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an answer. held_until: RFC 3339, None = it cannot be taken back. is_again: it had been sent before.

    mark: what its author has seen now, the answer too; "" where it had been sent before: other things may have come since.
    """

    ref: str
    outbox_id: int
    held_until: str | None = None
    is_again: bool = False
    mark: str = ""


def reply(tx: Tx, context: Context, typed_ref: str, answer: Answer, *, agent: str) -> Sent:
    """Send an answer. Raises: unseen.Unseen when there is something new, DeskError; nothing is written then."""
    ticket = desk.find(tx, typed_ref)
    before = _sent_before(tx, ticket, answer.fork, agent=agent)
    if before is not None:
        return before
    if answer.seen is not None:
        unseen.check(tx, ticket, answer.seen)
    solving.check(answer.ending, status=answer.status)
    solving.note(
        tx, ticket, answer.ending, agent=agent
    )  # first: rules that wait for the end see how it came out
    outbox_id = desk.reply(
        tx,
        context,
        ticket.ref,
        agent=agent,
        text=answer.text,
        status=answer.status,
        files=answer.files,
        promise=answer.promise,
        chosen=answer.chosen,
    )
    after = tickets.locked(tx, ticket.id)
    held_until = _held(tx, outbox_id, answer.hold_s)
    _note_sent(tx, ticket, after, answer, agent=agent, outbox_id=outbox_id)
    return Sent(
        ref=ticket.ref,
        outbox_id=outbox_id,
        held_until=instants.rfc3339_from_us(held_until),
        mark=_mark(tx, ticket, answer, outbox_id),
    )


def note(
    tx: Tx, context: Context, typed_ref: str, text: str, *, agent: str, fork: str = "", revision: int = 0
) -> int | None:
    """Keep a note; the message's id, None = it had been kept before. Raises: DeskError."""
    ticket = desk.find(tx, typed_ref)
    draft = drafts.load(tx, fork, agent=agent) if fork else None
    if draft is not None and draft.state == "sent":
        return None
    message_id = desk.note(tx, context, ticket.ref, agent=agent, text=text)
    if fork:
        said = Text(fork=fork, kind="note", body=text, revision=max(revision, 1))
        drafts.note_sent(tx, ticket, said, agent=agent, outbox_id=None, undo={})
    return message_id


def take_back(tx: Tx, context: Context, outbox_id: int, *, agent: str) -> Ticket:
    """Never send an answer that is still held; its text is a draft again, and the ticket as it was. Raises: DeskError."""
    desk.check_agent(context, agent)
    row = tx.one(_HELD, outbox_id=outbox_id)
    if row is None or row[5] != agent:
        raise DeskError("there is no answer of yours to take back")
    if row[0] != "queued" or row[1] or (row[2] or 0) <= tx.now:
        raise DeskError("it has left already: it cannot be taken back")
    ticket = tickets.locked_final(tx, row[3])
    if not tx.run(_STOP, outbox_id=outbox_id):
        raise DeskError("it has left already: it cannot be taken back")
    failures.take_back(tx, ticket, outbox_id)
    # The conversation is what was said; a message that nobody got is none of it.
    tx.update(schema.outbox, {"id": outbox_id}, message_id=None)
    tx.run(_REMOVE, message_id=row[4])
    draft = drafts.of_outbox(tx, outbox_id)
    if draft is not None:
        drafts.take_up(tx, draft)
    events.of_ticket(tx, ticket, "reply_taken_back", actor=f"agent:{agent}", outbox=str(outbox_id))
    return _as_before(tx, context, tickets.locked(tx, ticket.id), draft, agent)


def send_now(tx: Tx, context: Context, outbox_id: int, *, agent: str) -> bool:
    """Send what is held at once; false = it has left. Raises: DeskError."""
    desk.check_agent(context, agent)
    row = tx.one(_HELD, outbox_id=outbox_id)
    if row is None or row[5] != agent:
        raise DeskError("there is no answer of yours that waits")
    where = {"id": outbox_id, "state": "queued", "attempts": 0}
    touched = tx.update(schema.outbox, where, next_at=tx.now)
    tx.signal("outbox", tx.now)
    return bool(touched)


def last_held(tx: Tx, typed_ref: str, *, agent: str) -> int:
    """Return the outbox id of an agent's answer on a ticket that is still held. Raises: DeskError."""
    ticket = desk.find(tx, typed_ref, is_locked=False)
    row = tx.one(_LAST_HELD, ticket_id=ticket.id, agent=agent, now=tx.now)
    if row is None:
        raise DeskError(
            f"no answer of {agent} on ticket {ticket.ref} waits: what has left cannot be taken back"
        )
    return int(row[0])


_LAST_HELD = Statement(
    select(_o.id)
    .join(schema.messages, schema.messages.c.id == _o.message_id)
    .where(
        _o.ticket_id == bindparam("ticket_id"),
        _o.state == "queued",
        _o.attempts == 0,
        _o.next_at > bindparam("now"),
        schema.messages.c.author == bindparam("agent"),
    )
    .order_by(_o.id.desc())
    .limit(1)
)


def _sent_before(tx: Tx, ticket: Ticket, fork: str, *, agent: str) -> Sent | None:
    """Return what became of the same draft before: a click too many, or a browser that never heard the answer."""
    draft = drafts.load(tx, fork, agent=agent) if fork else None
    if draft is None or draft.state != "sent" or draft.outbox_id is None:
        return None
    row = tx.one(_NEXT, outbox_id=draft.outbox_id)
    is_held = row is not None and row[1] == "queued" and not row[2] and (row[0] or 0) > tx.now
    until = instants.rfc3339_from_us(row[0]) if row is not None and is_held else None
    return Sent(ref=ticket.ref, outbox_id=draft.outbox_id, held_until=until, is_again=True)


def _mark(tx: Tx, ticket: Ticket, answer: Answer, outbox_id: int) -> str:
    """Return what its author has seen: what they had, and this."""
    row = tx.one(_NEXT, outbox_id=outbox_id)
    if answer.seen is None or row is None or row[3] is None:
        return unseen.mark(tx, ticket.id)
    return unseen.answered(answer.seen, row[3])


def _held(tx: Tx, outbox_id: int, hold_s: float) -> int | None:
    """Let the answer leave so much later; until when it can be taken back, microseconds UTC, None = it cannot."""
    until = tx.now + round(hold_s * 1_000_000)
    if hold_s > 0:
        tx.run(_HOLD, outbox_id=outbox_id, until=until, send_at=until)
    row = tx.one(_NEXT, outbox_id=outbox_id)
    is_waiting = row is not None and row[1] == "queued" and (row[0] or 0) > tx.now
    return int(row[0]) if row is not None and is_waiting else None


def _note_sent(tx: Tx, before: Ticket, after: Ticket, answer: Answer, *, agent: str, outbox_id: int) -> None:
    """Keep what sending has changed. An answer that was no draft is one from now on: taken back, it is nowhere else."""
    undo: dict[str, Any] = {
        "status": before.status,
        "to": after.status,
        "is_promised": answer.promise is not None,
    }
    said = Text(
        fork=answer.fork or f"sent-{outbox_id:020}",
        kind="reply",
        body=answer.text,
        revision=max(answer.revision, 1),
        seen=answer.seen or "",
    )
    files = draft_files.again(tx, answer.files)
    drafts.note_sent(tx, before, said, agent=agent, outbox_id=outbox_id, undo=undo, files=files)


def _as_before(tx: Tx, context: Context, ticket: Ticket, draft: Draft | None, agent: str) -> Ticket:
    """Take back what the answer has changed beside itself, where nothing has changed it further."""
    undo = draft.undo if draft is not None else {}
    before = undo.get("status", ticket.status)
    after = ticket
    if before != ticket.status and ticket.status == undo.get("to"):
        cause = desk.cause_of(tx, agent).name
        after = seating.set_status(tx, context, ticket, before, actor=f"agent:{agent}", cause=cause)
        clocks.follow(tx, ticket, after)
    if undo.get("is_promised") and after.promised_at is not None and after.status in OPEN_STATUSES:
        from intake import desk_promises

        after = desk_promises.withdraw(tx, context, after.ref, agent=agent)
    return after
