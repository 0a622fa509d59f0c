"""Chats that show another chat's lines: the same person, proven, on another device. One session, by several tokens.

A session becomes another's while it has no lines of its own, and stays it: whatever its token says and hears from then on is
the other's. Two ways lead there: the site vouches for the same visitor, or a link of ours from the mail that answered them.
"""

from sqlalchemy import bindparam, select

from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

SIGNAL = "lines_aliased"  # after commit: a list of (alias, session)

_a, _f, _v = schema.session_aliases.c, schema.feeds.c, schema.visitors.c
_RESOLVE = Statement(select(_a.session).where(_a.alias == bindparam("alias")))
_JOIN = Statement(
    upsert(schema.session_aliases)
    .values(alias=bindparam("alias"), session=bindparam("session"), at=bindparam("now"))
    .on_conflict_do_nothing(index_elements=[_a.alias])
)
_LINES = Statement(select(_f.last_seq).where(_f.session == bindparam("session")))
_OF_PERSON = Statement(
    select(_v.session)
    .join(schema.feeds, _f.session == _v.session)
    .where(
        _v.account == bindparam("account"),
        _v.subject == bindparam("subject"),
        _v.subject != "",
        _v.session != bindparam("but"),
        _f.last_seq > 0,
    )
    .order_by(_f.updated_at.desc())
    .limit(1)
)


def resolved(tx: Tx, session: str) -> str:
    """Return the session whose lines a token's own shows; mostly itself."""
    row = tx.one(_RESOLVE, alias=session)
    return session if row is None else str(row[0])


def join(tx: Tx, alias: str, session: str) -> bool:
    """Let a session show another's lines from now on; false = it has lines, of its own or a third one's, or the other has none."""
    if alias == session:
        return True
    if resolved(tx, alias) not in (alias, session) or _last(tx, alias) or not _last(tx, session):
        return False
    tx.run(_JOIN, alias=alias, session=session, now=tx.now)
    tx.signal(SIGNAL, [(alias, session)])
    return True


def is_elsewhere(tx: Tx, alias: str, session: str) -> bool:
    """Whether a session cannot show another's lines because it has lines, and the other has some."""
    return bool(_last(tx, resolved(tx, alias))) and bool(_last(tx, session))


def of_person(tx: Tx, account: str, subject: str, *, but: str) -> str | None:
    """Return the chat that somebody whom the site vouches for has elsewhere, the last one; None = they have none."""
    row = tx.one(_OF_PERSON, account=account, subject=subject, but=but)
    return None if row is None else str(row[0])


def _last(tx: Tx, session: str) -> int:
    row = tx.one(_LINES, session=session)
    return 0 if row is None else int(row[0])
