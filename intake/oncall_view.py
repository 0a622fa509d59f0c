"""Who is on call, laid out: as JSON for programs, with the days drawn for people."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from intake import agents, instants, oncall
from intake.shifts import Changed
from intake.store.engine import Tx
from intake.terminal import fitted, width_of
from routing import schedule as schedules_of
from routing.people import Agent
from routing.rulebook import Rulebook
from routing.schedule import Schedule, Shift

STRIP_COLUMNS = 84  # of the drawn days together; from 12 a day down to 1
LOOKED_AHEAD = timedelta(days=366)
_DAY = timedelta(days=1)
NOBODY = "nobody"
HERE, ELSEWHERE = "█", "·"


class Line(msgspec.Struct, frozen=True):
    text: str
    is_head: bool = False
    is_gap: bool = False


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule at an instant. now: whole, its start None = it always was so; coming: None = nobody changes.

    shifts: of the days that are drawn, from midnight of the schedule's zone; gap: the first of the days ahead. away: who is
    away at this moment, whatever instant is looked at.
    """

    schedule: Schedule
    at: datetime
    days: int
    now: Shift
    since: datetime | None
    coming: Shift | None
    shifts: tuple[Shift, ...]
    gap: Shift | None
    agents: dict[str, Agent]
    away: frozenset[str]


def look(tx: Tx, book: Rulebook, *, at: datetime, days: int) -> list[Shown]:
    """Return every schedule as it is at an instant."""
    changed = oncall.overrides_of(oncall.changes(tx, after_us=0), book)
    rotas = schedules_of.in_force(book.schedules, changed)
    away = frozenset(name for name in book.agents if agents.state(tx, name).is_away)
    return [_shown(rota, book, away, at=at, days=days) for rota in rotas.values()]


def _shown(rota: Schedule, book: Rulebook, away: frozenset[str], *, at: datetime, days: int) -> Shown:
    end = schedules_of.next_handover(rota, at)
    duty = schedules_of.duty(rota, at)
    following = schedules_of.next_handover(rota, end) if end else None
    midnight = at.astimezone(rota.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = schedules_of.instant_at(rota.timezone, midnight.replace(tzinfo=None))
    last = schedules_of.instant_at(rota.timezone, midnight.replace(tzinfo=None) + days * _DAY)
    gaps = schedules_of.gaps(rota, at, max(at + days * _DAY, last))
    return Shown(
        schedule=rota,
        at=at,
        days=days,
        now=Shift(at, end, duty),
        since=schedules_of.on_call_since(rota, at),
        coming=Shift(end, following, schedules_of.duty(rota, end)) if end else None,
        shifts=tuple(schedules_of.turns(rota, first, last)),
        gap=next(iter(gaps), None),
        agents=dict(book.agents),
        away=away,
    )


# -- for programs -------------------------------------------------------------------------------------------------------


def as_json(shown: Shown) -> dict[str, Any]:
    rota = shown.schedule
    return {
        "schedule": rota.name,
        "timezone": rota.timezone,
        "now": {**_turn(shown, shown.now, since=shown.since)},
        "next": _turn(shown, shown.coming, since=shown.coming.start) if shown.coming else None,
        "gap": {"from": _local(rota, shown.gap.start), "until": _local(rota, shown.gap.end)}
        if shown.gap
        else None,
    }


def _turn(shown: Shown, shift: Shift, *, since: datetime | None) -> dict[str, Any]:
    rota, duty = shown.schedule, shift.duty
    person = shown.agents.get(duty.agent or "")
    return {
        "agent": duty.agent,
        "since": _local(rota, since),
        "until": _local(rota, shift.end),
        "why": duty.why,
        "instead_of": duty.instead_of,
        "email": bool(person and person.email),
        "phone": bool(person and person.phone),
        "away": duty.agent in shown.away,
    }


def _local(rota: Schedule, at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(rota.zone).isoformat(timespec="seconds")


def changed_as_json(changed: Changed) -> Iterator[dict[str, Any]]:
    rota = changed.schedule
    for each in changed.pieces:
        yield {
            "schedule": rota.name,
            "agent": each.agent,
            "instead_of": each.instead_of,
            "from": _local(rota, instants.datetime_from_us(each.start_at)),
            "until": _local(rota, instants.datetime_from_us(each.until_at)),
            "kind": each.kind,
        }


# -- for people ---------------------------------------------------------------------------------------------------------


def changed_lines(changed: Changed, *, is_back: bool) -> Iterator[str]:
    rota = changed.schedule
    for each in changed.pieces:
        start, end = instants.datetime_from_us(each.start_at), instants.datetime_from_us(each.until_at)
        now, before = each.agent, each.instead_of or NOBODY
        who = f"{now} gives it back, {before} had it before" if is_back else f"{now} instead of {before}"
        yield f"{rota.name}: {rota.said(start)} until {rota.said(end)}, {who}"


def lines(shown: Shown) -> Iterator[Line]:
    """Give the schedule as lines: who has it now and next, the first gap, the days drawn."""
    rota = shown.schedule
    yield Line(f"{rota.name}  ({rota.timezone}, {rota.said(shown.at)})", is_head=True)
    since = f"since {rota.said(shown.since)}" if shown.since else "as ever"
    yield _said("now", shown, shown.now, since)
    if shown.coming is not None:
        yield _said("next", shown, shown.coming, f"from {rota.said(shown.coming.start)}")
    if shown.gap is not None and shown.gap.end is not None:
        until = rota.said(shown.gap.end)
        yield Line(f"  gap   nobody is on call from {rota.said(shown.gap.start)} until {until}", is_gap=True)
    yield Line("")
    yield from _strip(shown)


def _said(word: str, shown: Shown, shift: Shift, since: str) -> Line:
    until = f", until {shown.schedule.said(shift.end)}" if shift.end else ", nobody follows"
    note = f", {shift.duty.note}" if shift.duty.note else ""
    person = shown.agents.get(shift.duty.agent or "")
    away = ", is away" if shift.duty.agent in shown.away else ""
    reach = f"{away}  {_reach(person)}" if person else ""
    name = fitted(shift.duty.agent or NOBODY, max(12, width_of(shift.duty.agent or "")))
    return Line(
        f"  {word:<5} {name}  {since}{until}{note}{reach}", is_gap=shift.duty.agent is None or bool(away)
    )


def _reach(person: Agent) -> str:
    known = [
        f"{'' if value else 'no '}{what}"
        for what, value in (("email", person.email), ("phone", person.phone))
    ]
    return f"[{', '.join(known)}]"


def _strip(shown: Shown) -> Iterator[Line]:
    """Draw a line for each who is on call in these days: where they are, and when the days begin."""
    rota = shown.schedule
    cells = max(1, min(12, STRIP_COLUMNS // shown.days))
    names = list(dict.fromkeys(each.duty.agent or NOBODY for each in shown.shifts))
    width = max(map(width_of, names), default=0)
    first = shown.shifts[0].start.astimezone(rota.zone).date()
    heads = [
        f"{first + step * _DAY:%a %d}" if cells >= 7 else f"{first + step * _DAY:%d}"
        for step in range(shown.days)
    ]
    ruler = "".join(fitted(head, cells) if cells > 2 else " " * cells for head in heads)
    yield Line(f"  {' ' * width}  {ruler}".rstrip(), is_head=True)
    for name in names:
        drawn = "".join(
            HERE if _is_on(shown, first, place, cells, name) else ELSEWHERE
            for place in range(shown.days * cells)
        )
        yield Line(f"  {fitted(name, width)}  {drawn}", is_gap=name == NOBODY)


def _is_on(shown: Shown, first: Any, place: int, cells: int, name: str) -> bool:
    """Whether somebody is on call in the middle of a cell, on the wall clock."""
    day, part = divmod(place, cells)
    local = datetime.combine(first, datetime.min.time()) + day * _DAY + (part + 0.5) / cells * _DAY
    at = schedules_of.instant_at(shown.schedule.timezone, local)
    return (schedules_of.on_call(shown.schedule, at) or NOBODY) == name
