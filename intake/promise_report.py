"""The report of promises: what was promised to whom for when, by whom, and how it ended. Reads only."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, or_, select

from intake import promises
from intake.listing import is_wanted
from intake.promises import Promise
from intake.store import schema
from intake.store.engine import Row, Store, Tx
from intake.store.statements import Statement

PAGE = 500

_p, _t = schema.promises.c, schema.tickets.c
_REPORT = Statement(
    select(*promises.COLUMNS, _t.ref, _t.subject, _t.team, _t.agent, _t.status)
    .join(schema.tickets, _t.id == _p.ticket_id)
    .where(
        _p.due_at >= bindparam("since"),
        or_(
            _p.due_at > bindparam("after_due"),
            and_(_p.due_at == bindparam("after_due"), _p.id > bindparam("after")),
        ),
        is_wanted(_p.state, "state"),
        is_wanted(_p.made_by, "made_by"),
        is_wanted(_t.team, "team"),
    )
    .order_by(_p.due_at, _p.id)
    .limit(bindparam("most"))
)


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which promises are wanted, None = all. made_by: an actor; since: microseconds UTC of the promised moment."""

    state: str | None = None
    made_by: str | None = None
    team: str | None = None
    since: int | None = None


def report(store: Store, filters: Filters, *, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """Give promises, the soonest moment first, each with its ticket."""
    given = {
        "since": filters.since or 0,
        "state": filters.state,
        "made_by": filters.made_by,
        "team": filters.team,
    }
    after_due, after, left = -1, -1, limit
    while left is None or left > 0:
        most = PAGE if left is None else min(PAGE, left)
        page = {**given, "after_due": after_due, "after": after, "most": most}

        def read(tx: Tx, page: dict[str, Any] = page) -> tuple[int, Sequence[Row]]:
            return tx.now, tx.all(_REPORT, **page)

        now, rows = store.read_now(read)
        yield from (_reported(row, now) for row in rows)
        if len(rows) < most:
            return
        after_due, after = rows[-1][4], rows[-1][0]
        left = None if left is None else left - len(rows)


def _reported(row: Row, now: int) -> dict[str, Any]:
    width = len(promises.COLUMNS)
    ref, subject, team, agent, status = row[width:]
    ticket = {"ticket": ref, "subject": subject, "team": team, "agent": agent, "status": status}
    return {**ticket, **promises.public(Promise(*row[:width]), now=now)}


class Counter:
    """How many promises there are: moved, withdrawn and dropped ones are neither kept nor broken."""

    def __init__(self) -> None:
        self.rows = self.open = self.kept = self.broken = 0

    def add(self, state: str) -> None:
        self.rows += 1
        self.open += state == "open"
        self.kept += state == "kept"
        self.broken += state == "broken"

    @property
    def percent(self) -> int | None:
        """Kept of those that were kept or broken; None = none was either."""
        decided = self.kept + self.broken
        return round(100 * self.kept / decided) if decided else None

    @property
    def line(self) -> str:
        """Write it for people: "kept 41 of 45, 91 %; 3 are open"."""
        decided = self.kept + self.broken
        said = f"kept {self.kept} of {decided}, {self.percent} %" if decided else "none is kept or broken yet"
        return f"{said}; {self.open} {'is' if self.open == 1 else 'are'} open"
