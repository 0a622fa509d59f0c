"""How a simulated ticket is shown: as JSON, as lines with its open hours drawn below, or as a table of due times."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from intake import terminal
from intake.commands import clock_page, deciding
from routing.actions import Action
from routing.calendar import Calendar
from routing.case_text import Case
from routing.life import Happening, Life
from routing.movements import Movement, movements

DRAWN_DAYS = 15
_CELL = timedelta(minutes=30)
_COLUMNS = ("test", "at", "what", "due", "because")
_OPEN, _CLOSED, _THERE, _DUE = "█", "·", "○", "D"
_WHEN = "%a %Y-%m-%d %H:%M %z"


def told(life: Life) -> list[Happening | Movement]:
    """All that happened and every movement of a due time, in the order of instants; of one instant what moved it first."""
    found: list[Happening | Movement] = [*life.happenings, *movements(life.ticket.moves)]
    return sorted(found, key=lambda each: each.at)


def objects(life: Life) -> Iterator[dict[str, Any]]:
    """Give each thing as JSON, local times with their offsets."""
    zone = life.ticket.calendar.zone
    for each in told(life):
        yield _moved_object(each) if isinstance(each, Movement) else _object(each, zone)


def _object(happening: Happening, zone: tzinfo) -> dict[str, Any]:
    action = happening.action
    return {
        "at": _rfc3339(happening.at, zone),
        "action": action.kind,
        "value": action.value,
        "rule": action.rule,
        "why": happening.why,
    }


def _moved_object(movement: Movement) -> dict[str, Any]:
    due_at = movement.due_at
    return {
        "at": _rfc3339(movement.at, movement.zone),
        "action": movement.kind,
        "value": movement.target,
        "rule": "",
        "why": movement.why,
        "due": None if due_at is None else _rfc3339(due_at, movement.zone),
        "left_s": round(movement.left_s, 6),
    }


def _rfc3339(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


# -- lines ------------------------------------------------------------------------------------------------------------


def lines(life: Life, began: datetime, *, days: int) -> Iterator[str]:
    """Lay one ticket out, line by line."""
    ticket, zone = life.ticket, life.ticket.calendar.zone
    if life.is_ignored:
        yield "no ticket: the message is kept and ignored"
        return
    yield f"{began.astimezone(zone):{_WHEN}}  begins; times are those of {zone}"
    for each in told(life):
        local, after = each.at.astimezone(zone), _elapsed(each.at - began)
        said = _moved(each) if isinstance(each, Movement) else _happened(each)
        yield f"{local:%a %Y-%m-%d %H:%M}  {after:>9}  {said}"
    yield from _drawn(life, began)
    state = ", ".join(filter(None, (ticket.team, ticket.level, ticket.agent or "nobody")))
    yield f"after {days} days: {ticket.status}, {ticket.priority}, {state}"
    if life.is_cut:
        yield "it does too much to be followed further"


def _happened(happening: Happening) -> str:
    return f"{_said(happening.action)}{f' ({happening.why})' if happening.why else ''}"


def _said(action: Action) -> str:
    is_text = isinstance(action.value, str)
    value = action.value if is_text else "" if action.value is None else deciding.shortened(action.value)
    by = f" [{action.rule}]" if action.rule else ""
    return f"{action.kind} {value}".rstrip() + by


def _moved(movement: Movement) -> str:
    """`due first_response Mon 2026-11-16 12:00 +0100 (policy desk, normal)`, `paused resolution, 6 h left (pending)`."""
    left = f", {clock_page.span(movement.left_s)} left" if movement.left_s > 0 else ""
    tail = left if movement.kind == "paused" else ""
    if movement.kind in ("due", "resumed", "reopened"):
        tail = f" {_due(movement)}" if movement.kind == "due" else f", due {_due(movement)}"
    return f"{movement.kind} {movement.target}{tail} ({movement.why})"


def _due(movement: Movement) -> str:
    return "" if movement.due_at is None else f"{movement.due_at.astimezone(movement.zone):{_WHEN}}"


def _elapsed(time: timedelta) -> str:
    """So much later: "+2d 3h", "+45m"."""
    minutes = int(time.total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{number}{unit}" for number, unit in ((days, "d"), (hours, "h"), (rest, "m")) if number]
    return "+" + (" ".join(parts[:2]) or "0m")


# -- the days drawn -------------------------------------------------------------------------------------------------------


def _drawn(life: Life, began: datetime) -> Iterator[str]:
    """Draw the days from the beginning to the last due time, half an hour a cell: open or closed, what happened, what was due."""
    calendar = life.ticket.calendar
    due = {each.due_at for each in movements(life.ticket.moves) if each.due_at is not None}
    if calendar.is_always_open or not due:
        return
    first, last = began.astimezone(calendar.zone).date(), max(due).astimezone(calendar.zone).date()
    marks = {each.at: _THERE for each in told(life)} | dict.fromkeys(due, _DUE)
    yield ""
    yield f"hours of {calendar.name}, half an hour a sign: {_OPEN} open  {_CLOSED} closed  {_THERE} something happened  {_DUE} due"
    for offset in range(min((last - first).days + 1, DRAWN_DAYS)):
        day = first + timedelta(days=offset)
        yield f"{day:%a %Y-%m-%d}  {_day(calendar, datetime.combine(day, time()), marks)}"
    if (last - first).days >= DRAWN_DAYS:
        yield f"… till {last:%a %Y-%m-%d}"
    yield ""


def _day(calendar: Calendar, midnight: datetime, marks: dict[datetime, str]) -> str:
    """Draw one local day, which has 46 or 50 cells where clocks change by an hour."""
    at, end = (
        each.replace(tzinfo=calendar.zone).astimezone(UTC)
        for each in (midnight, midnight + timedelta(days=1))
    )
    cells = []
    while at < end:
        after = at + _CELL
        mark = "".join(sorted(sign for there, sign in marks.items() if at <= there < after))[:1]
        is_open = calendar.open_between(at, after) >= _CELL.total_seconds() / 2
        cells.append(mark or (_OPEN if is_open else _CLOSED))
        at = after
    return "".join(cells)


# -- the table --------------------------------------------------------------------------------------------------------


def print_table(file: str, played: Sequence[tuple[Case, Life]]) -> None:
    """Print the due times of tests, a line for each movement; the working stands in the first line of its test."""
    rows = [row for case, life in played for row in _rows(case, life)]
    terminal.say(f"{file}: {len(played)} tests")
    if rows:
        terminal.print_table(rows, _COLUMNS, stretch="because")


def _rows(case: Case, life: Life) -> Iterator[dict[str, str]]:
    first = {"test": case.name, "because": case.because}
    for each in movements(life.ticket.moves):
        yield {
            "at": f"{each.at.astimezone(each.zone):%a %Y-%m-%d %H:%M}",
            "what": f"{each.kind} {each.target}",
            "due": _due(each),
            **first,
        }
        first = {}
