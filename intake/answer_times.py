"""How long a first answer by a person took lately, as it was: what visitors of a chat are told to expect.

Counted is the open time of a calendar, so that a night is no wait. What came while the desk was open and what came while it
was closed are two figures: who writes at night is not answered within the minute that a chat takes at noon.
"""

import math
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import bindparam, select

from intake import instants
from intake.store import schema
from intake.store.engine import Ids, Tx
from intake.store.statements import Statement
from routing.calendar import Calendar

SINCE_US = 14 * 86_400 * 1_000_000
MOST = 500
FEWEST = 5  # fewer say nothing: no estimate rather than a false one
HALF, MOSTLY = 0.5, 0.8

_t = schema.tickets.c
_m = schema.messages.c
_answer = (
    select(_m.at)
    .where(_m.ticket_id == _t.id, _m.direction == "out", _m.automatic.is_(None))
    .order_by(_m.id)
    .limit(1)
    .scalar_subquery()
)
_LATELY = (
    select(_t.created_at, _answer, _t.solved_at)
    .where(_t.id >= bindparam("after"), _t.is_spam == 0, _t.merged_into.is_(None))
    .order_by(_t.id.desc())
    .limit(MOST)
)
_OF_MEDIUM = Statement(_LATELY.where(_t.medium == bindparam("medium")))
_OF_TEAM = Statement(_LATELY.where(_t.team == bindparam("team")))


class Wait(msgspec.Struct, frozen=True):
    """Open seconds until the first answer. is_over: whether it came; else how long they have waited by now."""

    open_s: float
    is_over: bool
    began_open: bool


class Lately(msgspec.Struct, frozen=True):
    """(half, four of five) of the waits, in open seconds, None = too few. while_open: of what came in open hours."""

    while_open: tuple[int, int] | None = None
    while_closed: tuple[int, int] | None = None


def lately(tx: Tx, calendar: Calendar, *, medium: str, team: str) -> Lately:
    """Return the figures of a medium; what it cannot say for itself the whole team's tickets of all media do."""
    after = Ids.lowest(max(tx.now - SINCE_US, 0))
    own = _waits(tx.all(_OF_MEDIUM, after=after, medium=medium), calendar, now_us=tx.now)
    found = Lately(_figures(own, began_open=True), _figures(own, began_open=False))
    if found.while_open is not None and found.while_closed is not None:
        return found
    every = _waits(tx.all(_OF_TEAM, after=after, team=team), calendar, now_us=tx.now)
    return Lately(
        found.while_open or _figures(every, began_open=True),
        found.while_closed or _figures(every, began_open=False),
    )


def _waits(rows: Iterable[Sequence[int | None]], calendar: Calendar, *, now_us: int) -> list[Wait]:
    """Return what was answered, and what still waits; what was solved without an answer waited for none."""
    waits = []
    for created_us, answered_us, solved_us in rows:
        if answered_us is None and solved_us is not None:
            continue
        began = instants.datetime_from_us(created_us or 0)
        ended = instants.datetime_from_us(max(answered_us or now_us, created_us or 0))
        open_s = calendar.open_between(began, ended)
        waits.append(Wait(open_s, answered_us is not None, calendar.is_open(began)))
    return waits


def _figures(waits: Iterable[Wait], *, began_open: bool) -> tuple[int, int] | None:
    """Return half and four of five, whole seconds, rounded up; None = fewer than FEWEST.

    Who still waits counts once that is longer than what is said: a desk that answers nobody must not look quick.
    """
    mine = [each for each in waits if each.began_open == began_open]
    over = sorted(each.open_s for each in mine if each.is_over)
    longest = _quantile(over, MOSTLY) if over else 0.0
    known = sorted([*over, *(each.open_s for each in mine if not each.is_over and each.open_s > longest)])
    if len(known) < FEWEST:
        return None
    return math.ceil(_quantile(known, HALF)), math.ceil(_quantile(known, MOSTLY))


def _quantile(values: Sequence[float], part: float) -> float:
    """Return the nearest rank. values: in order, one at least."""
    return values[max(math.ceil(part * len(values)), 1) - 1]
