"""The desk's list: five views of the tickets that somebody may see, in pages that can be turned both ways.

    mine        theirs, open                    team        of their teams, open
    unassigned  nobody's, open                  breaching   with a running clock, the soonest first
    all         whatever they may see; open, unless a status is asked for

A page is put together from parts, each of which one index holds in the order of the list (a team's tickets, an agent's):
what it costs does not grow with the tickets that there are. Its cursor names the first or last ticket shown, never a
number of pages, so that what comes meanwhile moves nothing.
"""

import heapq
import re
from functools import cache
from typing import Any, Literal

import msgspec
from sqlalchemy import and_, bindparam, cast, func, or_, select, tuple_
from sqlalchemy.types import BigInteger, Text

from intake import desk_rows
from intake.desk_scope import Scope, is_seen, scope_of
from intake.model import OPEN_STATUSES
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, values_of
from intake.web.access import Who

View = Literal["mine", "team", "unassigned", "breaching", "all"]
VIEWS: tuple[View, ...] = ("mine", "team", "unassigned", "breaching", "all")
Order = Literal["newest", "oldest", "due"]
ORDERS: tuple[Order, ...] = ("newest", "oldest", "due")
PAGE = 50
PAGE_MAX = 200
ANY = "any"  # every status
NO_TEAM = "none"

_FIRST, _LAST = -1, 2**63 - 1
_CURSOR = re.compile(r"(after|before)-(\d{1,19})-(\d{1,19})")
_t = schema.tickets.c


class ListError(Exception):
    """What was asked for is not a list of ours; the sentence says why."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which list, and which page of it. None = all of them.

    status: None = the open ones, "any" = every one. team: "none" = without a team. order: None = the view's own, which is
    the customer's last word, newest first (of breaching: the soonest clock first). cursor: None = the first page.
    """

    view: View = "all"
    status: str | None = None
    team: str | None = None
    agent: str | None = None
    channel: str | None = None
    priority: str | None = None
    tag: str | None = None
    order: Order | None = None
    cursor: str | None = None
    limit: int = PAGE

    @property
    def is_open(self) -> bool:
        return self.status is None or self.status in OPEN_STATUSES

    @property
    def ordered(self) -> Order:
        return self.order or ("due" if self.view == "breaching" else "newest")


class _Part(msgspec.Struct, frozen=True):
    """Tickets that one index holds in order. by: its leading column, None = all tickets; value: None = those without."""

    by: Literal["team", "agent", "unassigned"] | None
    value: str | None = None


class _Walk(msgspec.Struct, frozen=True):
    """How parts are walked. is_back: against the list's order, for the page before. is_due: by the soonest clock."""

    is_due: bool
    is_open: bool
    is_descending: bool


def page(tx: Tx, who: Who, asked: Asked) -> dict[str, Any]:
    """Give a page: `view`, `order`, `tickets` (see desk_rows), `previous` and `next` cursors (None = there is no more).

    Raises: ListError.
    """
    scope, limit = scope_of(who), min(max(asked.limit, 1), PAGE_MAX)
    if asked.view not in VIEWS or asked.ordered not in ORDERS:
        raise ListError(f"there is no list '{asked.view}' by '{asked.ordered}': {', '.join(VIEWS)}")
    is_back, place = _place(asked)
    is_due = asked.ordered == "due"
    is_descending = (asked.ordered == "newest") != is_back
    walk = _Walk(is_due, asked.is_open, is_descending)
    found = _walked(tx, scope, asked, walk, place=place, most=limit + 1)
    is_more, found = len(found) > limit, found[:limit]
    if (
        is_back and not is_more
    ):  # this is the beginning: as a whole page, not as the few that stand before that place
        return page(tx, who, at(asked, None))
    if is_back:
        found.reverse()
    return {
        "view": asked.view,
        "order": asked.ordered,
        "tickets": desk_rows.of_ids(tx, [each[1] for each in found]),
        "previous": None if place is None else _before(found, place, walk),
        "next": f"after-{found[-1][0]}-{found[-1][1]}" if is_more or is_back else None,
    }


def at(asked: Asked, cursor: str | None) -> Asked:
    """Return the same list at another page."""
    return msgspec.structs.replace(asked, cursor=cursor)


def _place(asked: Asked) -> tuple[bool, tuple[int, int] | None]:
    """Read the cursor: whether the page before it is wanted, and the ticket's place; None = from the beginning."""
    if asked.cursor is None:
        return False, None
    found = _CURSOR.fullmatch(asked.cursor)
    if found is None:
        raise ListError("the list cannot go on there: begin at its first page")
    return found[1] == "before", (min(int(found[2]), _LAST), min(int(found[3]), _LAST))


def _before(found: list[tuple[int, int]], place: tuple[int, int], walk: _Walk) -> str:
    """Return the cursor of the page before; where nothing is left on this one, it ends with the ticket at the place."""
    here, ticket_id = found[0] if found else (place[0], place[1] + (-1 if walk.is_descending else 1))
    return f"before-{here}-{max(ticket_id, 0)}"


def _walked(
    tx: Tx, scope: Scope, asked: Asked, walk: _Walk, *, place: tuple[int, int] | None, most: int
) -> list[tuple[int, int]]:
    """Return (place in the order, ticket id) of the next tickets of all parts together."""
    beginning = (_LAST, _LAST) if walk.is_descending else (_FIRST, _FIRST)
    at, at_id = place or beginning
    given = {"at": at, "at_id": at_id, "most": most, **_wanted(asked), **scope.parameters}
    runs = [
        tx.all(_statement(part.by, part.value is None, walk), part=part.value or "", **given)
        for part in _parts(scope, asked)
    ]
    merged = heapq.merge(*runs, reverse=walk.is_descending)
    return list(dict.fromkeys((row[0], row[1]) for row in merged))[:most]


def _parts(scope: Scope, asked: Asked) -> list[_Part]:
    """Return the parts that a view is made of; access is asked about each ticket besides."""
    if asked.view == "mine":
        return [_Part("agent", scope.agent)] if scope.agent else []
    if asked.agent is not None:
        return [_Part("agent", asked.agent)]
    by: Literal["team", "unassigned"] = (
        "unassigned" if asked.view == "unassigned" and asked.is_open else "team"
    )
    if asked.team is not None:
        return [_Part(by, None if asked.team == NO_TEAM else asked.team)]
    teams = [_Part(by, team) for team in scope.teams]
    if asked.view == "team":
        return teams
    if scope.is_all:
        return [_Part(None)]
    own = [_Part("agent", scope.agent)] if scope.agent and asked.view != "unassigned" else []
    return [*teams, _Part(by), *own]


def _wanted(asked: Asked) -> dict[str, Any]:
    """Return the parameters of what narrows every part."""
    is_one = asked.status is not None and asked.status != ANY
    return {
        "status": asked.status if is_one else None,
        "of_team": asked.team,
        "channel": asked.channel,
        "priority": asked.priority,
        "tag": None if asked.tag is None else msgspec.json.encode(asked.tag).decode(),
        "is_nobodys": int(asked.view == "unassigned"),
        "in_teams": int(asked.view == "team"),
    }


def _optional(column: Any, parameter: str) -> Any:
    wanted = cast(bindparam(parameter), Text())  # PostgreSQL wants the type of what may be NULL
    return or_(wanted.is_(None), column == wanted)


def _flag(parameter: str) -> Any:
    return cast(bindparam(parameter), BigInteger()) == 0


_narrowing = (
    is_seen,
    _optional(_t.status, "status"),
    _optional(_t.medium, "channel"),
    _optional(_t.priority, "priority"),
    or_(
        _optional(_t.team, "of_team"), and_(cast(bindparam("of_team"), Text()) == NO_TEAM, _t.team.is_(None))
    ),
    or_(_flag("is_nobodys"), _t.agent.is_(None)),
    or_(_flag("in_teams"), _t.team.in_(values_of("seen_teams"))),
    or_(
        cast(bindparam("tag"), Text()).is_(None),
        func.replace(_t.tags, cast(bindparam("tag"), Text()), "") != _t.tags,
    ),
)


def _behind(order: Any, walk: _Walk) -> tuple[Any, ...]:
    """Return what is true of the tickets behind a place.

    Of clocks PostgreSQL takes a comparison of rows to be rare, and "is not NULL" beside it to be rarer: it would read and
    sort all that runs, for fifty. A plain comparison says both.
    """
    at: Any = bindparam("at")
    at_id: Any = bindparam("at_id")
    if not walk.is_due:
        here, place = tuple_(order, _t.id), tuple_(at, at_id)
        return (here < place if walk.is_descending else here > place,)
    if walk.is_descending:
        return order <= at, or_(order < at, _t.id < at_id)
    return order >= at, or_(order > at, _t.id > at_id)


@cache
def _statement(by: str | None, is_without: bool, walk: _Walk) -> Statement:  # noqa: FBT001 - a cache's key
    """Return what walks one part: (place, id) of the tickets behind a place."""
    order = _t.next_due_at if walk.is_due else _t.written_at
    where: list[Any] = [*_narrowing]
    if walk.is_open:
        where.append(_t.solved_at.is_(None))
    if by == "agent":
        where.append(_t.agent == bindparam("part"))
        where.append(_t.agent.is_not(None))
    elif by is not None:
        where.append(_t.team.is_(None) if is_without else _t.team == bindparam("part"))
        if by == "unassigned":
            where.append(_t.agent.is_(None))
    where += _behind(order, walk)
    turned = (order.desc(), _t.id.desc()) if walk.is_descending else (order, _t.id)
    return Statement(select(order, _t.id).where(*where).order_by(*turned).limit(bindparam("most")))
