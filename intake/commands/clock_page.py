"""The clocks of a ticket drawn for people: one line a target, with a bar of what it did, and below it what happened."""

import sys
import textwrap
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import zip_longest

from intake import terminal
from intake.clock_events import Moved
from intake.clock_history import History, Lives
from intake.logs import escaped
from routing.calendar import ALWAYS_OPEN, Calendar

BAR = 48
WIDTH = 110
LEGEND = "█ ran  ░ paused  · closed  ─ to come   W warning  D due  B breach  M met"
_RAN, _PAUSED, _CLOSED, _TO_COME = "█", "░", "·", "─"
_SHORT = timedelta(days=6)  # within it a weekday says which day is meant
_GONE = {"met": "met", "stopped": "given up", "paused": "paused", "idle": "nobody waits", "running": "runs"}


def lines(lives: Lives) -> Iterator[str]:
    """Lay out what `tickets clocks` prints. Instants are of the calendar's zone."""
    armament = lives.armed[-1][1]
    zone: tzinfo = armament.calendar.zone if armament is not None else UTC
    ticket = lives.ticket
    yield terminal.coloured(f"{ticket.ref}  {escaped(ticket.subject)}", "bold", sys.stdout)
    if armament is not None:
        yield f"  policy {ticket.sla}, priority {ticket.priority}; hours of calendar {armament.calendar.name} ({zone})"
    else:
        yield f"  no policy; times are {zone}"
    if not lives.histories:
        yield "  no clock"
        return
    for each in lives.histories:
        yield ""
        yield from _target(each, lives, zone)
    yield ""
    yield f"  {LEGEND}"


def span(seconds: float) -> str:
    """Write a length: "1 h 28", "45 m", "50 h"; never days, because days of open time are not all alike."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02}" if minutes else f"{hours} h"
    return f"{minutes} m" if minutes or not left else f"{left} s"


def _target(found: History, lives: Lives, zone: tzinfo) -> Iterator[str]:
    clock = found.clock
    state = "breached" if clock.breached_at is not None and clock.state == "running" else _GONE[clock.state]
    late = ", late" if clock.breached_at is not None and clock.state == "met" else ""
    due = f", due {_day(clock.due_at, zone, lives.now)}" if clock.due_at and clock.state == "running" else ""
    yield terminal.coloured(f"{clock.target}  {state}{late}{due}{_used(found)}", _colour(found), sys.stdout)
    start, end = _scale(found, lives)
    if end > start:
        left, right = _day(start, zone, lives.now), _day(end, zone, lives.now)
        yield f"  {left}  {_bar(found, lives, start, end)}  {right}"
    said = " · ".join(_said(found, lives, zone))
    yield from textwrap.wrap(
        said,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _used(found: History) -> str:
    if found.clock.state == "idle" or found.clock.target == "promise":
        return ""
    return f", used {span(found.used_s)} of {span(found.clock.budget_s)}"


def _colour(found: History) -> str:
    if found.clock.breached_at is not None:
        return "red"
    return {"running": "yellow", "met": "green"}.get(found.clock.state, "dim")


def _said(found: History, lives: Lives, zone: tzinfo) -> Iterator[str]:
    """What happened, in words: the day is said when it is another than before."""
    day = None
    for each in _without_flicker(found.moves):
        local = each.at.astimezone(zone)
        when = local.strftime("%H:%M")
        if local.date() != day:
            day, when = local.date(), _day(each.at, zone, lives.now)
        who = each.actor.removeprefix("agent:")
        notes = ", ".join(
            filter(None, (each.why, who if who not in ("system", "customer") else "", each.ticket))
        )
        yield f"{when} {each.what}{f' ({escaped(notes)})' if notes else ''}{_sum(each)}"


def _without_flicker(moves: Sequence[Moved]) -> Iterator[Moved]:
    """The moves without turns that did not last: an answer that also opens the ticket turns a clock twice."""
    for each, after in zip_longest(moves, moves[1:]):
        is_turn = after is not None and {each.what, after.what} == {"runs", "paused"}
        if after is None or not is_turn or (each.at, each.run) != (after.at, after.run):
            yield each


def _sum(moved: Moved) -> str:
    if moved.what not in ("paused", "met", "stopped", "moved") or not moved.budget_s:
        return ""
    return f", used {span(moved.used_s)} of {span(moved.budget_s)}"


def _day(at: datetime, zone: tzinfo, now: datetime) -> str:
    local = at.astimezone(zone)
    return local.strftime("%a %H:%M" if abs(now - at) < _SHORT else "%a %Y-%m-%d %H:%M")


# -- the bar ------------------------------------------------------------------------------------------------------------


def _scale(found: History, lives: Lives) -> tuple[datetime, datetime]:
    clock = found.clock
    start = found.moves[0].at if found.moves else clock.started_at or clock.running_since or lives.now
    ends = [each.at for each in found.moves] + [each for each in (clock.due_at, *found.warnings) if each]
    if clock.state in ("running", "paused"):
        ends.append(lives.now)
    return start, max(ends, default=start)


def _bar(found: History, lives: Lives, start: datetime, end: datetime) -> str:
    step = (end - start) / BAR
    turns = [
        (each.at, each.what) for each in found.moves if each.what in ("runs", "paused", "met", "stopped")
    ]
    instants = [at for at, _ in turns]
    cells = []
    for number in range(BAR):
        middle = start + step * (number + 0.5)
        index = bisect_right(instants, middle) - 1
        what = turns[index][1] if index >= 0 else ""
        cells.append(_cell(what, middle, step, found, lives))
    for at, mark in _marks(found):
        if start <= at <= end:
            cells[min(BAR - 1, int((at - start) / step))] = mark
    return "".join(cells)


def _cell(what: str, middle: datetime, step: timedelta, found: History, lives: Lives) -> str:
    if what in ("met", "stopped", ""):
        return " "
    if what == "paused":
        return _PAUSED if middle <= lives.now else " "
    open_s = _calendar(found, lives, middle).open_between(middle - step / 2, middle + step / 2)
    if open_s < step.total_seconds() / 2:
        return _CLOSED
    return _RAN if middle <= lives.now else _TO_COME


def _calendar(found: History, lives: Lives, at: datetime) -> Calendar:
    armament = lives.armament_at(at)
    return ALWAYS_OPEN if armament is None or found.clock.target == "promise" else armament.calendar


def _marks(found: History) -> Sequence[tuple[datetime, str]]:
    """Instants with their letters; of several in one cell the last one is seen."""
    clock = found.clock
    marks = [(at, "W") for at in found.warnings]
    marks += [(each.at, "W") for each in found.moves if each.what == "warned"]
    if clock.due_at is not None and clock.breached_at is None:
        marks.append((clock.due_at, "D"))
    marks += [(each.at, "B") for each in found.moves if each.what == "breached"]
    marks += [(each.at, "M") for each in found.moves if each.what == "met"]
    return marks
