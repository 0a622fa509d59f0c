"""When sending an agent's answer may be a mistake: it is kept as a note instead, and sent when the agent says so."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, or_, select

from intake import counters, instants, notices, tickets
from intake.agent_proof import Mail
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement

SENT_PER_HOUR = 20  # answers by mail of one agent in one ticket
ANSWERS_LOOKED_AT = 20

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
_NOTE = Statement(select(_m.body, _m.journal_id, _m.attachments).where(_m.id == bindparam("message_id")))


class Held(msgspec.Struct, frozen=True):
    """Why an answer is not sent at once. reason: for the event; sentence: for the agent; lines: what to look at."""

    reason: str
    sentence: str
    lines: tuple[str, ...] = ()


class Kept(msgspec.Struct, frozen=True):
    """An answer that was held: its note. attachments: JSON."""

    text: str
    journal_id: int | None
    attachments: str


def reason(tx: Tx, mail: Mail, text: str) -> Held | None:
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


def kept(tx: Tx, mail: Mail) -> Kept | None:
    """Return the agent's answer that was held last, as its note has it now; None when there is none, or it was sent."""
    row = tx.one(_HELD, ticket_id=mail.ticket.id, actor=f"agent:{mail.agent}")
    note_id = msgspec.json.decode(row[0]).get("note") if row is not None else None
    note = tx.one(_NOTE, message_id=int(note_id)) if note_id else None
    return None if note is None else Kept(str(note[0]), note[1], note[2])
