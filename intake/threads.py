"""What was said last in a ticket: whom an answer goes to, what it follows, and the customer's words for rules and notices."""

from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

ANSWERED_MESSAGES = 20

_m = schema.messages.c
_COLUMNS = (
    _m.external_id,
    _m.direction,
    _m.author,
    _m.author_name,
    _m.subject,
    _m.automatic,
    _m.is_verified,
    _m.body,
    _m.visible_text,
    _m.language,
    _m.attachments,
    _m.at,
    _m.medium,
    _m.account,
)
_MESSAGES = Statement(
    select(*_COLUMNS)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction != "note")
    .order_by(_m.id.desc())
    .limit(ANSWERED_MESSAGES)
)
_FROM_OUTSIDE = Statement(
    select(*_COLUMNS)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction == "in", _m.automatic.is_(None))
    .order_by(_m.id.desc())
    .limit(ANSWERED_MESSAGES)
)


class Said(msgspec.Struct, frozen=True):
    """One message of the conversation. text: what was written now, without quotes. attachments: JSON values.

    at: when it came or went, microseconds UTC. medium, account: by which.
    """

    external_id: str | None
    direction: str
    author: str
    author_name: str
    subject: str
    automatic: str | None
    is_verified: bool
    text: str
    language: str | None
    attachments: tuple[dict[str, Any], ...] = ()
    at: int = 0
    medium: str = ""
    account: str = ""


class Thread(msgspec.Struct, frozen=True):
    """The last messages of a ticket, the newest first; notes are not among them."""

    messages: tuple[Said, ...]

    @property
    def last_words(self) -> Said | None:
        """The customer's last message that a machine did not write; else their last; None = there is none."""
        return next(iter(self._written), None)

    @property
    def last_by_mail(self) -> Said | None:
        """The same, of the messages that came by mail: who can be answered by mail."""
        return next((each for each in self._written if "@" in each.author), None)

    def last_by(self, medium: str) -> Said | None:
        """The same, of the messages of one medium."""
        return next((each for each in self._written if each.medium == medium), None)

    @property
    def _written(self) -> tuple[Said, ...]:
        written = [each for each in self.messages if each.direction == "in"]
        people = [each for each in written if each.automatic is None]
        return tuple(people or written)

    @property
    def answers(self) -> tuple[str, ...]:
        """The Message-IDs that an answer follows, oldest first; the last is what the customer wrote last."""
        identifiers = [each.external_id for each in self.messages if each.external_id]
        last = self.last_words
        if last is not None and last.external_id:
            identifiers = [last.external_id, *(each for each in identifiers if each != last.external_id)]
        return tuple(reversed(identifiers))


def load(tx: Tx, ticket_id: int) -> Thread:
    rows = list(tx.all(_MESSAGES, ticket_id=ticket_id))
    if len(rows) == ANSWERED_MESSAGES and not any(row[1] == "in" for row in rows):
        # All the last words are ours: whom they went to stands further up.
        rows += tx.all(_FROM_OUTSIDE, ticket_id=ticket_id)
    return Thread(
        tuple(
            Said(
                external_id=row[0],
                direction=row[1],
                author=row[2],
                author_name=row[3],
                subject=row[4],
                automatic=row[5],
                is_verified=bool(row[6]),
                text=row[7] if row[8] is None else row[8],
                language=row[9],
                attachments=tuple(msgspec.json.decode(row[10])),
                at=row[11],
                medium=row[12],
                account=row[13],
            )
            for row in rows
        )
    )


def subject_of_answer(ticket: Ticket, subject: str | None = None) -> str:
    """Return the subject of an answer, with the ticket's ref. subject: what is answered, None = the ticket's own."""
    plain = subject or ticket.subject
    plain = plain if plain.lower().startswith("re:") else f"Re: {plain}"
    tag = f"[{ticket.ref}]"
    return plain if tag in plain else f"{plain} {tag}"
