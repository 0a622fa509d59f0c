"""How many tickets each view of the desk holds for somebody. One count of the whole desk serves everybody for seconds."""

import asyncio
from typing import Any

import msgspec
from sqlalchemy import bindparam, case, func, literal_column, select

from intake.desk_scope import Scope, scope_of
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement
from intake.web.access import Who

KEPT_US = 5_000_000
SOON_US = 3_600_000_000  # what falls due within the hour counts as breaching

_t = schema.tickets.c
# tickets_counted holds them in this order: an index is read from end to end, and nothing else.
_OPEN = Statement(
    select(
        _t.team,
        _t.agent,
        func.count(),
        func.sum(case((_t.next_due_at < bindparam("before"), 1), else_=0)),
    )
    .where(_t.solved_at.is_(None), _t.id > literal_column("0"))
    .group_by(_t.team, _t.agent)
)

Counted = tuple[str | None, str | None, int]
"""Team, agent, how many."""


class Snapshot(msgspec.Struct, frozen=True):
    """The open tickets of the whole desk by team and agent, and those that are late or due within the hour."""

    open: tuple[Counted, ...]
    soon: tuple[Counted, ...]

    def of(self, who: Who) -> dict[str, int]:
        """Return view -> how many of its tickets are somebody's to see; of breaching those that are late or soon due."""
        scope = scope_of(who)
        seen = [each for each in self.open if _is_seen(scope, each)]
        return {
            "mine": sum(count for _, agent, count in seen if agent == scope.agent),
            "team": sum(count for team, _, count in seen if team in scope.teams),
            "unassigned": sum(count for _, agent, count in seen if agent is None),
            "breaching": sum(each[2] for each in self.soon if _is_seen(scope, each)),
            "all": sum(count for _, _, count in seen),
        }


def _is_seen(scope: Scope, counted: Counted) -> bool:
    team, agent, _ = counted
    if scope.is_none:
        return False
    is_own = agent is not None and agent == scope.agent
    return scope.is_all or is_own or team is None or team in scope.teams


def snapshot(tx: Tx) -> Snapshot:
    """Count the whole desk."""
    rows: Any = tx.all(_OPEN, before=tx.now + SOON_US)
    return Snapshot(
        tuple((team, agent, count) for team, agent, count, _ in rows),
        tuple((team, agent, int(soon)) for team, agent, _, soon in rows if soon),
    )


class Counts:
    """Counts that are a few seconds old at most; many who ask at once wait for one look at the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: Snapshot | None = None
        self._counted_at = 0
        self._turn = asyncio.Lock()

    async def of(self, who: Who) -> dict[str, int]:
        """See Snapshot.of."""
        async with self._turn:
            now = self._store.now_us()
            if self._known is None or not 0 <= now - self._counted_at < KEPT_US:
                self._known, self._counted_at = await self._store.read(snapshot), now
            return self._known.of(who)
