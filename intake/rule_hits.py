"""How often each rule has matched, when last, and what broke: counted from what was decided, so that it equals a replay.

A hit is a message whose decision names the rule, an event that a react rule answered, or a message that a rule ignored.
What is old enough to be final is counted once and remembered; the last minutes are read anew at each look, because on
PostgreSQL a transaction that began earlier may be committed later.
"""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import bindparam, literal_column, or_, select

from intake.store import schema
from intake.store.engine import Ids, Store, Tx
from intake.store.statements import Statement

WINDOWS_S = {"24h": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400}
LONGEST_US = max(WINDOWS_S.values()) * 1_000_000
FINAL_AFTER_US = 120 * 1_000_000
CHUNK = 2_000

_d, _e = schema.decisions.c, schema.events.c
_DECISIONS = Statement(
    select(_d.id, _d.at, _d.ticket_id, _d.decision)
    .where(_d.id > bindparam("after"), _d.id < bindparam("before"))
    .order_by(_d.id)
    .limit(bindparam("most"))
)
_is_of_rules = or_(
    *(_e.kind == literal_column(f"'{kind}'") for kind in ("reacted", "ignored", "rule_failed"))
)
_EVENTS = Statement(
    select(_e.at, _e.id, _e.ticket_id, _e.kind, _e.actor, _e.details)
    .where(
        _is_of_rules,
        or_(_e.at > bindparam("after"), (_e.at == bindparam("after")) & (_e.id > bindparam("after_id"))),
        _e.at >= bindparam("after"),
        _e.at < bindparam("before"),
    )
    .order_by(_e.at, _e.id)
    .limit(bindparam("most"))
)


class Seen(NamedTuple):
    """One thing that a rule did. at: microseconds UTC; ticket_id: None = there is none; error: "" = it matched."""

    rule: str
    at: int
    ticket_id: int | None
    error: str = ""


class _Decided(msgspec.Struct, frozen=True):
    rule: str = ""
    matched: tuple[str, ...] = ()


class _Told(msgspec.Struct, frozen=True):
    rules: tuple[str, ...] = ()
    error: str = ""


_decided = msgspec.json.Decoder(_Decided).decode
_told = msgspec.json.Decoder(_Told).decode


class Tally:
    """What is known of one rule. hits, errors: instants in order, microseconds UTC; last: the latest hit."""

    __slots__ = ("errors", "hits", "last", "last_error")

    def __init__(self) -> None:
        self.hits: list[int] = []
        self.errors: list[int] = []
        self.last: Seen | None = None
        self.last_error: Seen | None = None

    def add(self, seen: Seen) -> None:
        if seen.error:
            self.errors.append(seen.at)
            self.last_error = _later(self.last_error, seen)
        else:
            self.hits.append(seen.at)
            self.last = _later(self.last, seen)

    def forget_before(self, at_us: int) -> None:
        for instants_us in (self.hits, self.errors):
            instants_us.sort()
            del instants_us[: bisect_left(instants_us, at_us)]

    def since(self, at_us: int) -> int:
        self.hits.sort()
        return len(self.hits) - bisect_left(self.hits, at_us)


def _later(one: Seen | None, other: Seen) -> Seen:
    return other if one is None or other.at >= one.at else one


class Position(NamedTuple):
    """How far something has been read: decisions behind an id, events behind an instant and an id."""

    decision: int
    event_at: int
    event_id: int = -1


def begin(now_us: int) -> Position:
    """Return where counting begins."""
    since = now_us - LONGEST_US
    return Position(Ids.lowest(since) - 1, since)


def read(tx: Tx, position: Position, until_us: int) -> tuple[list[Seen], Position, bool]:
    """Read what happened behind a position and before an instant: that, where it ended, and whether there is more."""
    decisions = tx.all(_DECISIONS, after=position.decision, before=Ids.lowest(until_us), most=CHUNK)
    told = tx.all(_EVENTS, after=position.event_at, after_id=position.event_id, before=until_us, most=CHUNK)
    seen = [each for row in decisions for each in _of_decision(row)]
    seen += [each for row in told for each in _of_event(row)]
    reached = Position(
        decisions[-1][0] if decisions else position.decision,
        told[-1][0] if told else position.event_at,
        told[-1][1] if told else position.event_id,
    )
    return seen, reached, CHUNK in (len(decisions), len(told))


def _reader(position: Position, until_us: int) -> Callable[[Tx], tuple[list[Seen], Position, bool]]:
    return lambda tx: read(tx, position, until_us)


def _of_decision(row: Any) -> Iterator[Seen]:
    _, at, ticket_id, decision = row
    found = _decided(decision)
    for rule in dict.fromkeys((*found.matched, found.rule)):
        if rule:
            yield Seen(rule, at, ticket_id)


def _of_event(row: Any) -> Iterator[Seen]:
    at, _, ticket_id, kind, actor, details = row
    found = _told(details)
    rules = found.rules if kind == "reacted" else (actor.removeprefix("rule:"),)
    for rule in rules:
        yield Seen(rule, at, ticket_id, found.error or "it broke" if kind == "rule_failed" else "")


class Hits:
    """Counts for as long as it lives: the first look reads 30 days, every later one what has come since."""

    def __init__(self) -> None:
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._position: Position | None = None
        self._turn = asyncio.Lock()

    async def look(self, store: Store) -> dict[str, Tally]:
        """Return what every rule has done until now. Raises: StoreError."""
        async with self._turn:
            now_us = store.now_us()
            position, has_more = self._position or begin(now_us), True
            while has_more:
                seen, position, has_more = await store.read(_reader(position, now_us - FINAL_AFTER_US))
                self._keep(seen, position)
            self._forget(now_us)
            tail, has_more = list[Seen](), True
            while has_more:
                seen, position, has_more = await store.read(_reader(position, now_us + LONGEST_US))
                tail += seen
            return self._with(tail)

    def look_now(self, store: Store) -> dict[str, Tally]:
        """The same for a command."""
        now_us = store.now_us()
        position, has_more = begin(now_us), True
        while has_more:
            seen, position, has_more = store.read_now(_reader(position, now_us + LONGEST_US))
            self._keep(seen, position)
        self._forget(now_us)
        return dict(self._tallies)

    def _keep(self, seen: list[Seen], position: Position) -> None:
        self._position = position
        for each in seen:
            self._tallies[each.rule].add(each)

    def _forget(self, now_us: int) -> None:
        for tally in self._tallies.values():
            tally.forget_before(now_us - LONGEST_US)

    def _with(self, tail: list[Seen]) -> dict[str, Tally]:
        """Return the tallies with what is not final yet."""
        found = dict(self._tallies)
        for each in tail:
            if found.get(each.rule) is self._tallies.get(each.rule):
                found[each.rule] = _copied(self._tallies.get(each.rule))
            found[each.rule].add(each)
        return found


def _copied(tally: Tally | None) -> Tally:
    made = Tally()
    if tally is not None:
        made.hits, made.errors = list(tally.hits), list(tally.errors)
        made.last, made.last_error = tally.last, tally.last_error
    return made
