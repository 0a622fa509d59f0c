"""The lines of sessions as rows: numbered in the transaction that makes them, whoever said them.

A session's feed is a row of its own, which a transaction holds from the moment it asks for the last number (`begin`,
`say`): so numbers have no gaps, and who sees one sees all before it. On PostgreSQL that is the row's own lock, of which a
transaction holds one.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, case, select

from channels.contract import Fed, Line, LineFile, Opened
from intake import instants
from intake.store import schema
from intake.store.engine import Ids, Tx
from intake.store.statements import Statement, upsert, values_of

SIGNAL = "lines"  # after commit: a list of Said
PLACED = "lines_placed"  # after commit: a list of (session, ticket id)
TYPING = "lines_typing"  # after commit: a list of (session, the agent's name for customers)
SEEN = "lines_seen"  # after commit: a list of (session, number)
GONE = "lines_gone"  # after commit: a list of sessions that are forgotten
PAGE = 200
KEPT_US = 30 * 86_400 * 1_000_000
FORGOTTEN_AT_ONCE = 200

_f, _l = schema.feeds.c, schema.session_lines.c
_encode = msgspec.json.Encoder().encode
_files = msgspec.json.Decoder(tuple[LineFile, ...]).decode
_BEGIN = Statement(
    upsert(schema.feeds)
    .values(session=bindparam("session"), account=bindparam("account"), updated_at=bindparam("now"))
    .on_conflict_do_update(index_elements=[_f.session], set_={"updated_at": bindparam("now")})
    .returning(_f.last_seq, _f.ticket_id, _f.customer_id)
)
_NEXT = Statement(
    schema.feeds.update()
    .where(_f.session == bindparam("of_session"))
    .values(last_seq=_f.last_seq + 1, updated_at=bindparam("now"))
    .returning(_f.last_seq, _f.ticket_id, _f.account)
)
_COUNT_UP = Statement(
    schema.feeds.update()
    .where(_f.session == bindparam("of_session"))
    .values(last_seq=bindparam("last"), updated_at=bindparam("now"))
)
_PLACE = Statement(
    schema.feeds.update()
    .where(_f.session == bindparam("of_session"))
    .values(
        customer_id=bindparam("customer"),
        ticket_id=bindparam("ticket"),
        settled_seq=case((_f.settled_seq < bindparam("seq"), bindparam("seq")), else_=_f.settled_seq),
    )
)
_COLUMNS = (_l.seq, _l.at, _l.author, _l.name, _l.text, _l.files, _l.line_id, _l.code)
_AFTER = Statement(
    select(*_COLUMNS)
    .where(_l.session == bindparam("session"), _l.seq > bindparam("after"))
    .order_by(_l.seq)
    .limit(bindparam("most"))
)
_ONE = Statement(
    select(*_COLUMNS, _l.outbox_id).where(_l.session == bindparam("session"), _l.seq == bindparam("seq"))
)
_OPENED = Statement(select(_f.last_seq, _f.seen_seq, _f.ticket_id).where(_f.session == bindparam("session")))
_STATE = Statement(select(schema.sessions.c.state).where(schema.sessions.c.name == bindparam("session")))
# Not grouped: SQLite would then go through the whole table in the order of its key.
_LATELY = Statement(select(_l.session, _l.seq).where(_l.id >= bindparam("since")).order_by(_l.id))
_OF_SESSIONS = Statement(select(_f.session, _f.last_seq).where(_f.session.in_(values_of("sessions"))))
_OF_TICKET = Statement(select(_f.session).where(_f.ticket_id == bindparam("ticket_id")).order_by(_f.session))
_SEEN = Statement(
    schema.feeds.update()
    .where(_f.session == bindparam("of_session"), _f.seen_seq < _f.last_seq)
    .values(seen_seq=_f.last_seq)
    .returning(_f.seen_seq)
)
_UNSEEN = Statement(
    select(_l.seq)
    .join(schema.feeds, _f.session == _l.session)
    .where(
        _l.session == bindparam("session"),
        _l.seq > _f.seen_seq,
        _l.seq < bindparam("before"),
        _l.author == "customer",
    )
    .limit(1)
)
_OLD = Statement(
    select(_f.session)
    .where(_f.updated_at < bindparam("before"))
    .order_by(_f.updated_at)
    .limit(bindparam("most"))
)
_OLD_NOW = Statement(
    schema.feeds.delete().where(_f.session == bindparam("of_session"), _f.updated_at < bindparam("before"))
)
_FORGET_LINES = Statement(schema.session_lines.delete().where(_l.session == bindparam("of_session")))
_FORGET_STATE = Statement(
    schema.sessions.delete().where(schema.sessions.c.name == bindparam("of_session"))
)  # fmt: skip

_FORGET_VISITOR = Statement(
    schema.visitors.delete().where(schema.visitors.c.session == bindparam("of_session"))
)
_FORGET_ALIASES = Statement(
    schema.session_aliases.delete().where(schema.session_aliases.c.session == bindparam("of_session"))
)


class Begun(msgspec.Struct, frozen=True):
    """A feed as a turn finds it. ticket_id, customer_id: None = nothing of it has been settled yet."""

    last_seq: int
    ticket_id: int | None
    customer_id: int | None


class Said(msgspec.Struct, frozen=True):
    """A line that has been committed. ticket_id: on which the session's last line stood before, None = on none yet."""

    session: str
    account: str
    ticket_id: int | None
    fed: Fed


def begin(tx: Tx, session: str, account: str) -> Begun:
    """Return the session's feed, a new one if there is none; nobody else numbers its lines until the commit."""
    row = tx.one(_BEGIN, session=session, account=account, now=tx.now)
    assert row is not None  # noqa: S101 - RETURNING of an upsert
    return Begun(*row)


def add(tx: Tx, session: str, account: str, begun: Begun, lines: Sequence[Line]) -> None:
    """Keep what a turn says, numbered on from what `begin` returned."""
    for number, line in enumerate(lines, begun.last_seq + 1):
        _keep(tx, session, account, begun.ticket_id, number, line)
    if lines:
        tx.run(_COUNT_UP, of_session=session, last=begun.last_seq + len(lines), now=tx.now)


def say(tx: Tx, session: str, line: Line, *, outbox_id: int | None = None) -> int | None:
    """Say something to a session from our side; its number, None = there is no such feed (any more)."""
    row = tx.one(_NEXT, of_session=session, now=tx.now)
    if row is None:
        return None
    number, ticket_id, account = row
    _keep(tx, session, account, ticket_id, number, line, outbox_id=outbox_id)
    return int(number)


def _keep(
    tx: Tx,
    session: str,
    account: str,
    ticket_id: int | None,
    number: int,
    line: Line,
    *,
    outbox_id: int | None = None,
) -> None:
    tx.insert(
        schema.session_lines,
        session=session,
        seq=number,
        id=tx.new_id(),
        at=tx.now,
        author=line.author,
        name=line.name,
        text=line.text,
        files=_encode(line.files).decode(),
        line_id=line.id,
        code=line.code,
        outbox_id=outbox_id,
    )
    fed = Fed(number, instants.datetime_from_us(tx.now), line)
    tx.signal(SIGNAL, [Said(session, account, ticket_id, fed)])


def placed(tx: Tx, session: str, *, customer_id: int, ticket_id: int, seq: int = 0) -> None:
    """Note whose session it is, and the ticket on which its last line stands. seq: up to which lines are messages now."""
    tx.run(_PLACE, of_session=session, customer=customer_id, ticket=ticket_id, seq=seq)
    tx.signal(PLACED, [(session, ticket_id)])


def after(tx: Tx, session: str, number: int, *, most: int = PAGE) -> list[Fed]:
    """Return the lines behind a number, in order, some at a time."""
    return [_fed(row) for row in tx.all(_AFTER, session=session, after=number, most=most)]


def one(tx: Tx, session: str, number: int) -> tuple[Fed, int | None] | None:
    """Return a line, and the outbox row that it is the delivery of; None = there is no such line."""
    row = tx.one(_ONE, session=session, seq=number)
    return None if row is None else (_fed(row[:-1]), row[-1])


def _fed(row: Sequence[Any]) -> Fed:
    seq, at, author, name, text, files, line_id, code = row
    line = Line(author=author, name=name, text=text, files=_files(files), id=line_id, code=code)
    return Fed(seq, instants.datetime_from_us(at), line)


def opened(tx: Tx, session: str) -> tuple[Opened, int | None]:
    """Return what a feed begins with, and the ticket that it is about."""
    state = tx.one(_STATE, session=session)
    row = tx.one(_OPENED, session=session)
    last_seq, seen_seq, ticket_id = row if row is not None else (0, 0, None)
    last = one(tx, session, last_seq) if last_seq else None
    opened = Opened(
        state=None if state is None else bytes(state[0]),
        last_seq=last_seq,
        last_code="" if last is None else last[0].line.code,
        seen_seq=seen_seq,
    )
    return opened, ticket_id


def said_since(tx: Tx, at_us: int) -> dict[str, int]:
    """Return the last number of each session to which something was said since an instant (microseconds UTC)."""
    last: dict[str, int] = {}
    for session, number in tx.all(_LATELY, since=Ids.lowest(at_us)):
        last[session] = max(last.get(session, 0), int(number))
    return last


def last_of(tx: Tx, sessions: Sequence[str]) -> dict[str, int]:
    """Return the last number of each of these sessions."""
    return {session: int(last) for session, last in tx.all(_OF_SESSIONS, sessions=_encode(sessions).decode())}


def of_ticket(tx: Tx, ticket_id: int) -> list[str]:
    """Return the sessions whose last line stands on a ticket."""
    return [row[0] for row in tx.all(_OF_TICKET, ticket_id=ticket_id)]


def seen(tx: Tx, ticket_id: int) -> None:
    """Note that an agent has all that the visitors of a ticket said on the screen; their pages are told."""
    for session in of_ticket(tx, ticket_id):
        row = tx.one(_SEEN, of_session=session)
        if row is not None:
            tx.signal(SEEN, [(session, int(row[0]))])


def is_unseen(tx: Tx, session: str, *, before: int) -> bool:
    """Whether the visitor has said something before a line that no agent has had on the screen."""
    return tx.one(_UNSEEN, session=session, before=before) is not None


def forget_old(tx: Tx) -> int:
    """Delete sessions of which nothing was heard for 30 days, with their lines, some at a time; how many."""
    before = tx.now - KEPT_US
    old = [row[0] for row in tx.all(_OLD, before=before, most=FORGOTTEN_AT_ONCE)]
    return sum(forget(tx, session, before=before) for session in old)


def forget(tx: Tx, session: str, *, before: int | None = None) -> int:
    """Delete a session with its lines; 1 = it is gone. before: unless something was said since, microseconds UTC."""
    if not tx.run(_OLD_NOW, of_session=session, before=tx.now + 1 if before is None else before):
        return 0
    tx.run(_FORGET_LINES, of_session=session)
    tx.run(_FORGET_STATE, of_session=session)
    tx.run(_FORGET_VISITOR, of_session=session)
    tx.run(_FORGET_ALIASES, of_session=session)
    tx.signal(GONE, [session])
    return 1
