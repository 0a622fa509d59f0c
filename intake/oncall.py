"""Who is on call: the schedules of the rules, with the hours that agents took or swapped at the desk.

The rows are read in each transaction that asks, by one index, and only where the rules have schedules: what the command
line beside a daemon, or another daemon, wrote counts at once. Agents whom the rules no longer name are passed over.
"""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import bindparam, select

from intake import instants
from intake.model import Context
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement
from routing import schedule as schedules_of
from routing.rulebook import Rulebook
from routing.schedule import Duty, Override, Schedule

_c = schema.oncall_changes.c
_COLUMNS = (
    _c.id, _c.change_id, _c.schedule, _c.start_at, _c.end_at, _c.until_at, _c.agent, _c.instead_of, _c.kind, _c.made_by,
    _c.made_at, _c.released_at,
)  # fmt: skip
_AFTER = Statement(select(*_COLUMNS).where(_c.end_at > bindparam("after")).order_by(_c.id))

Overrides = dict[str, tuple[Override, ...]]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Hours that an agent took or swapped. Instants: microseconds UTC. change_id: of all rows of one take or swap.

    instead_of: who had them, None = nobody. released_at: None = they stand. Released hours end there, or never began;
    until_at is their end as it was made.
    """

    id: int
    change_id: int
    schedule: str
    start_at: int
    end_at: int
    until_at: int
    agent: str
    instead_of: str | None
    kind: str
    made_by: str
    made_at: int
    released_at: int | None = None

    @property
    def is_void(self) -> bool:
        """Whether the hours were given back before they began."""
        return self.end_at <= self.start_at

    @property
    def changed_at(self) -> int:
        """When the row was last touched, microseconds UTC."""
        return self.made_at if self.released_at is None else self.released_at

    def overlaps(self, start_at: int, end_at: int) -> bool:
        return self.start_at < end_at and start_at < self.end_at and not self.is_void

    def override(self) -> Override:
        return Override(
            instants.datetime_from_us(self.start_at),
            instants.datetime_from_us(self.end_at),
            self.agent,
            "taken" if self.kind == "taken" else "swapped",
            self.instead_of,
        )


def changes(tx: Tx, *, after_us: int | None = None) -> list[Change]:
    """Return what the desk changed and is not over, oldest first. after_us: as if it was that instant, None = now."""
    return [_change(row) for row in tx.all(_AFTER, after=tx.now if after_us is None else after_us)]


def overrides_of(found: Iterable[Change], book: Rulebook) -> Overrides:
    """Return schedule -> the hours that count in it, in the order in which they were made."""
    kept: dict[str, list[Override]] = {}
    for each in found:
        if each.agent in book.agents and each.schedule in book.schedules and not each.is_void:
            kept.setdefault(each.schedule, []).append(each.override())
    return {name: tuple(overrides) for name, overrides in kept.items()}


def overrides(tx: Tx, book: Rulebook) -> Overrides:
    """Return schedule -> the hours that the desk took or swapped and that are not over; {} costs nothing without schedules."""
    return overrides_of(changes(tx), book) if book.schedules else {}


def facts(tx: Tx, book: Rulebook) -> Overrides:
    """Return of these the hours that count at this instant: what a decision keeps."""
    found = overrides(tx, book)
    if not found:
        return found
    now = instants.datetime_from_us(tx.now)
    here = {
        name: tuple(each for each in every if each.start <= now < each.end) for name, every in found.items()
    }
    return {name: every for name, every in here.items() if every}


def schedules(tx: Tx, context: Context) -> Mapping[str, Schedule]:
    """Return the schedules in force, those of the rules with what the desk changed."""
    book = context.rulebook
    return schedules_of.in_force(book.schedules, overrides(tx, book))


def duty(tx: Tx, context: Context, name: str) -> Duty:
    """Return who is on call for a schedule now."""
    return schedules_of.duty(schedules(tx, context)[name], instants.datetime_from_us(tx.now))


def _change(row: Row) -> Change:
    return Change(**dict(zip(Change.__struct_fields__, row, strict=True)))
