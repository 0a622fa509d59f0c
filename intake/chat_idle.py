"""Chats that nobody goes on with end politely, by themselves: a line that says so, `chat_left` for the rules, nothing lost.

A chat is idle when the last word was ours and the visitor has said nothing for the account's minutes (visitors.idle_at). A
further line of theirs opens it again, on the same ticket while that can be joined. Somebody whom we owe an answer is never sent
away. This is a clockwork (intake.clockworks).
"""

import logging

from sqlalchemy import bindparam, func, select

from channels.contract import Line
from intake import clocks, events, quiet, reactions, seating, session_lines, tickets, visitors
from intake.model import OPEN_STATUSES, Context, Ticket
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement

KIND = "chat_idle"
ENDED_IDLE = "ended_idle"  # the code of the line; what it says is the page's
PAGE = 100

log = logging.getLogger("intake.chat_idle")

_v, _f, _l = schema.visitors.c, schema.feeds.c, schema.session_lines.c
_NEXT = Statement(select(func.min(_v.idle_at)).where(_v.idle_at.is_not(None)))
_DUE = Statement(
    select(_v.session, _v.account, _f.ticket_id)
    .outerjoin(schema.feeds, _f.session == _v.session)
    .where(_v.idle_at <= bindparam("now"))
    .order_by(_v.idle_at)
    .limit(bindparam("most"))
)
_CLAIM = Statement(
    schema.visitors.update()
    .where(_v.session == bindparam("of_session"), _v.idle_at <= bindparam("now"))
    .values(idle_at=None)
)
_LAST = Statement(
    select(_l.author, _l.code).where(_l.session == bindparam("session")).order_by(_l.seq.desc()).limit(1)
)


def next_due(tx: Tx) -> int | None:
    """Return when to look next, microseconds UTC; None = no chat can become idle."""
    row = tx.one(_NEXT)
    return None if row is None else row[0]


async def run_due(store: Store, context: Context) -> int:
    """End what is idle; how many. Raises: StoreError."""
    ended = 0
    for session, account, ticket_id in await store.read(lambda tx: tx.all(_DUE, now=tx.now, most=PAGE)):
        ended += await _try(store, context, session, account, ticket_id)
    return ended


async def _try(store: Store, context: Context, session: str, account: str, ticket_id: int | None) -> bool:
    """End one chat; one that breaks is told and holds up no other. Raises: StoreError."""
    try:
        return await store.write(lambda tx: end(tx, context, session, account, ticket_id))
    except StoreError:
        raise
    except Exception:
        log.exception("chat_not_ended", extra={"session": session})
        await store.write(lambda tx: visitors.begin_idle(tx, session, at_us=None))
        return False


def end(tx: Tx, context: Context, session: str, account: str, ticket_id: int | None) -> bool:
    """End an idle chat; false = it is not idle any more, or is over."""
    ticket = None if ticket_id is None else tickets.locked_final(tx, ticket_id)
    if not tx.run(_CLAIM, of_session=session, now=tx.now):
        return False
    last = tx.one(_LAST, session=session)
    if last is None or last[0] == "customer" or last[1].startswith("ended"):
        return False
    if ticket is not None:
        _leave(tx, context, ticket, session, account)
    session_lines.say(tx, session, Line(author="system", code=ENDED_IDLE))
    return True


def _leave(tx: Tx, context: Context, ticket: Ticket, session: str, account: str) -> None:
    """Do what an ended chat means for its ticket, and let the rules hear of it."""
    events.of_ticket(tx, ticket, "chat_left", reason="idle", session=session)
    cause = Cause(name=f"idle:{session}:{tx.new_id()}")
    reacted = reactions.react(tx, context, ticket, "chat_left", cause=cause)
    after = reacted.ticket
    known = context.accounts.get(account)
    wanted = "" if known is None or known.leaving is None else known.leaving.idle_status
    if wanted and not reacted.has_status and after.status in OPEN_STATUSES and after.status != wanted:
        changed = seating.set_status(tx, context, after, wanted, actor="system", cause=cause.name)
        clocks.follow(tx, after, changed)
        after = reactions.changed_by_hand(tx, context, after, changed, cause=cause)
    quiet.follow(tx, context, after)
