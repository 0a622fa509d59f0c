"""The desk as somebody outside sees it: whether it is open, how long it takes, what everybody is told (contract.View).

What is the same for everybody is looked up once in 5 s, in the transaction of the turn that needs it; the caller's own
part (intake.callers) in each.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Identity, View
from intake import armaments, blocking, callers, calling_out, closed_texts, holds, incidents, instants, paging
from intake.availability import Availabilities
from intake.model import Context, Ticket
from intake.saying import CHAT
from intake.session_lines import Begun
from intake.store import schema
from intake.store.engine import Ids, Tx
from intake.store.statements import Statement
from routing.calendar import ALWAYS_OPEN, Calendar, NeverOpen

FRESH_US = 5_000_000
WAITS_SINCE_US = 3_600 * 1_000_000  # a wait of an hour ago says nothing of now
WAITS_MAX = 50
WAITS_MIN = 5  # fewer say nothing: no estimate rather than a false one

_c = schema.calls.c
_WAITS = Statement(
    select(_c.started_at, _c.answered_at)
    .where(_c.id >= bindparam("after"), _c.answered_at.is_not(None), _c.direction == "in")
    .order_by(_c.id.desc())
    .limit(bindparam("most"))
)


class _Desk(msgspec.Struct, frozen=True):
    """What is the same for every caller. seen_at: microseconds UTC; book: of the rules it was seen with."""

    seen_at: int
    book: str
    incident: dict[str, str]
    wait_s: tuple[int, int] | None


class Views:
    """Builds views. context: the rules in force."""

    def __init__(self, context: Callable[[], Context]) -> None:
        self._context = context
        self._desk: _Desk | None = None
        self._availabilities = Availabilities(context)

    def build(
        self,
        tx: Tx,
        account: str,
        *,
        session: str | None = None,
        caller: Identity | None = None,
        busy: frozenset[str] = frozenset(),
        feed: Begun | None = None,
        names: tuple[str, ...] = (),
    ) -> View:
        """Return the view of a session. caller: who it is with, as the channel knows it. busy: agents who ring elsewhere.

        feed: of the session, None = it has none. names: by which its visitor may be blocked.
        """
        if self.is_fed(account):
            return self._of_chat(tx, account, feed, names)
        context, desk = self._context(), self._looked(tx)
        who = callers.find(tx, session, caller)
        ticket = callers.ticket_of(tx, who)
        busy |= holds.of_others(tx, session or "")
        calendar = _calendar(context, tx, ticket)
        at = instants.datetime_from_us(tx.now)
        is_open = calendar.is_open(at)
        return View(
            at=at,
            is_open=is_open,
            next_open=None if is_open else _next_open(calendar, tx.now),
            zone=str(calendar.zone),
            wait_s=desk.wait_s,
            incident=desk.incident,
            page=paging.paged(tx, session, busy=busy),
            out=calling_out.shown(tx, context, session, busy=busy),
            placed=None if ticket is None else callers.placed(tx, context, ticket, busy=busy),
            may_text=not is_open and closed_texts.may_be_offered(tx, context, account, caller),
            **callers.part_of_view(tx, who, caller),
        )

    def is_fed(self, account: str) -> bool:
        """Whether the account's sessions have a feed, which others may say something to."""
        known = self._context().accounts.get(account)
        return known is not None and known.medium == CHAT

    def _of_chat(self, tx: Tx, account: str, feed: Begun | None, names: tuple[str, ...]) -> View:
        """Return what a chat is shown: nobody rings for it, and little is looked up anew for each line."""
        there = self._availabilities.of_account(tx, account)
        return View(
            at=instants.datetime_from_us(tx.now),
            is_open=there.state != "later",
            next_open=there.opens_at,
            zone=there.zone,
            wait_s=there.wait_s,
            incident=self._looked(tx).incident,
            availability=there,
            is_blocked=bool(names) and blocking.is_blocked(tx, self._context(), names),
            last_seq=0 if feed is None else feed.last_seq,
        )

    def _looked(self, tx: Tx) -> _Desk:
        """Return what is the same for everybody, as it was 5 s ago at most."""
        book, desk = self._context().rulebook.hash, self._desk
        if desk is None or desk.book != book or not 0 <= tx.now - desk.seen_at < FRESH_US:
            desk = self._desk = _Desk(tx.now, book, incidents.texts(tx), _wait_s(tx))
        return desk


def _wait_s(tx: Tx) -> tuple[int, int] | None:
    """Return how long callers waited for a person lately: what half and what four of five waited, at most."""
    after = Ids.lowest(tx.now - WAITS_SINCE_US)
    rows = tx.all(_WAITS, after=after, most=WAITS_MAX)
    if len(rows) < WAITS_MIN:
        return None
    waits = sorted(max(answered - started, 0) // 1_000_000 for started, answered in rows)
    return waits[len(waits) // 2], waits[min(len(waits) * 4 // 5, len(waits) - 1)]


def _calendar(context: Context, tx: Tx, ticket: Ticket | None) -> Calendar:
    """Return the hours that count: of the ticket's policy, before there is one of the policy that `default` names.

    Without either the rules' first calendar, as in what templates say; without any the desk is always open.
    """
    if ticket is not None and ticket.armament is not None:
        return armaments.load(tx, ticket.armament).calendar
    book = context.rulebook
    named = next((each.value for each in book.default.then if each.field == "sla"), None)
    if named in book.policies:
        return book.calendar_of(named)
    return next(iter(book.calendars.values()), ALWAYS_OPEN)


def _next_open(calendar: Calendar, now_us: int) -> datetime | None:
    try:
        return calendar.next_open(instants.datetime_from_us(now_us))
    except NeverOpen:
        return None
