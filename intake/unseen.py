"""What has been said in public since somebody looked: an answer that was written without it is stopped first.

What was seen is a mark: how many public messages there were, and the newest; then, for each chat on the ticket, how many lines
of its visitor, and the number of the last. Both are counted again under the ticket's lock, in the transaction that answers,
so that of two who answer the same message at once one has seen the other's answer. The number counts as well as the
newest, because a merge brings in messages that are older than the last one here.

A line of a chat counts from the commit that keeps it, and the same before and after it is settled: whoever has it on the
screen answers it at once, by writing its number into the mark (`seen`), and one that is not on the screen stops them.
"""

import re
from typing import Any, Literal

import msgspec
from sqlalchemy import bindparam, case, func, or_, select

from intake import instants
from intake.desk import DeskError
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

NEWER_SHOWN = 20
# "5.1234", and of a ticket with chats "5.1234+2/7@chat:website:…": two lines of that session, the last is its number 7
_LINES = r"\+([0-9]{1,9})/([0-9]{1,18})@([^\s+@]{1,300})"
_MARK = re.compile(rf"([0-9]{{1,9}})\.([0-9]{{1,19}})((?:{_LINES})*)")
_EACH = re.compile(_LINES)

_m, _f, _l = schema.messages.c, schema.feeds.c, schema.session_lines.c
# What a machine of ours says answers nobody: an acknowledgement stops no answer.
_is_public = (
    _m.ticket_id == bindparam("ticket_id"),
    or_(_m.direction == "in", (_m.direction == "out") & _m.automatic.is_(None)),
)
_session = case((_m.line_seq.is_(None), ""), else_=_m.author)
_COUNT = Statement(
    select(_session, func.count(), func.max(_m.id), func.max(_m.line_seq))
    .where(*_is_public)
    .group_by(_session)
)
_LAST = Statement(
    select(
        _m.id,
        _m.direction,
        _m.author,
        _m.author_name,
        _m.at,
        _m.medium,
        _m.body,
        _m.visible_text,
        _m.line_seq,
    )
    .where(*_is_public)
    .order_by(_m.id.desc())
    .limit(NEWER_SHOWN)
)
_ARRIVING = Statement(
    select(_l.session, _l.seq, _l.name, _l.at, _l.text, _l.files)
    .join(schema.feeds, _f.session == _l.session)
    .where(_f.ticket_id == bindparam("ticket_id"), _l.seq > _f.settled_seq, _l.author == "customer")
    .order_by(_l.id)
)


class Newer(msgspec.Struct, frozen=True, kw_only=True):
    """A public message that may be news to who answers. id: as text; at: RFC 3339; author: an address, or an agent's name."""

    id: str
    direction: Literal["in", "out"]
    author: str
    name: str
    at: str | None
    medium: str
    text: str


class Unseen(DeskError):
    """Somebody has said something since the answer was begun. newer: oldest first; mark: of what there is now."""

    def __init__(self, ticket: Ticket, newer: tuple[Newer, ...], mark: str) -> None:
        super().__init__(f"ticket {ticket.ref} has something new: nothing was sent, your text is kept")
        self.ref = ticket.ref
        self.newer = newer
        self.mark = mark


class Mark(msgspec.Struct, frozen=True):
    """What was seen. lines: session -> how many lines of its visitor, and the number of the last."""

    count: int = 0
    last_id: int = 0
    lines: dict[str, tuple[int, int]] = {}

    def __str__(self) -> str:
        lines = (f"+{count}/{last}@{session}" for session, (count, last) in sorted(self.lines.items()))
        return f"{self.count}.{self.last_id}{''.join(lines)}"

    def and_message(self, message_id: int) -> "Mark":
        """Return the mark of who has written a further message."""
        return msgspec.structs.replace(self, count=self.count + 1, last_id=max(self.last_id, message_id))

    def and_line(self, session: str, seq: int) -> "Mark":
        """Return the mark of who has a further line on the screen."""
        count, last = self.lines.get(session, (0, 0))
        if seq <= last:
            return self
        return msgspec.structs.replace(self, lines=self.lines | {session: (count + 1, seq)})


class Arriving(msgspec.Struct, frozen=True):
    """A line of a ticket's visitor that is kept, and no message yet. at: microseconds UTC; files: JSON of LineFile."""

    session: str
    seq: int
    name: str
    at: int
    text: str
    files: str


def mark(tx: Tx, ticket_id: int) -> str:
    """Return the mark of what there is now."""
    return str(_now(tx, ticket_id))


def seen(given: str, session: str, seq: int) -> str:
    """Return a mark with a line that has come onto the screen since."""
    return str(_read(given).and_line(session, seq))


def answered(given: str, message_id: int) -> str:
    """Return a mark with an answer of one's own."""
    return str(_read(given).and_message(message_id))


def arriving(tx: Tx, ticket_id: int) -> list[Arriving]:
    """Return what visitors have said on a ticket that is not settled yet, oldest first."""
    return [Arriving(*row) for row in tx.all(_ARRIVING, ticket_id=ticket_id)]


def check(tx: Tx, ticket: Ticket, given: str) -> None:
    """Stop who has not seen everything. given: their mark. The ticket is locked. Raises: Unseen; DeskError for no mark."""
    had, now = _read(given), _now(tx, ticket.id)
    if now != had:
        raise Unseen(ticket, newer(tx, ticket.id, given), str(now))


def newer(tx: Tx, ticket_id: int, given: str) -> tuple[Newer, ...]:
    """Return the public messages since a mark, oldest first; where none is younger, the last ones: older ones came in."""
    had = _read(given) if _MARK.fullmatch(given) else Mark()
    rows = tx.all(_LAST, ticket_id=ticket_id)
    lines = [each for each in arriving(tx, ticket_id) if each.seq > had.lines.get(each.session, (0, 0))[1]]
    later = [row for row in rows if _is_later(row, had)] or ([] if lines else rows)
    return (*(_newer(row) for row in reversed(later)), *map(_coming, lines))


def _read(given: str) -> Mark:
    found = _MARK.fullmatch(given)
    if found is None:
        raise DeskError(f"'{given[:40]}' is no mark of what was seen: 'tickets show --json' has it as seen")
    lines = {session: (int(count), int(last)) for count, last, session in _EACH.findall(found[3])}
    return Mark(int(found[1]), int(found[2]), lines)


def _now(tx: Tx, ticket_id: int) -> Mark:
    found = Mark()
    lines: dict[str, tuple[int, int]] = {}
    for session, count, last_id, last_seq in tx.all(_COUNT, ticket_id=ticket_id):
        if last_seq is None:
            found = Mark(count, last_id)
        else:
            lines[session] = (count, last_seq)
    found = msgspec.structs.replace(found, lines=lines)
    for each in arriving(tx, ticket_id):
        found = found.and_line(each.session, each.seq)
    return found


def _is_later(row: Any, had: Mark) -> bool:
    message_id, author, line_seq = row[0], row[2], row[8]
    if line_seq is None:
        return bool(message_id > had.last_id)
    return bool(line_seq > had.lines.get(author, (0, 0))[1])


def _newer(row: Any) -> Newer:
    return Newer(
        id=str(row[0]),
        direction=row[1],
        author=row[2],
        name=row[3],
        at=instants.rfc3339_from_us(row[4]),
        medium=row[5],
        text=row[6] if row[7] is None else row[7],
    )


def _coming(line: Arriving) -> Newer:
    """Tell a line that has no message's id yet: it has a number in its session."""
    return Newer(
        id=f"{line.seq}@{line.session}",
        direction="in",
        author=line.session,
        name=line.name,
        at=instants.rfc3339_from_us(line.at),
        medium="chat",
        text=line.text,
    )
