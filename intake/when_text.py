"""Moments as people type them: "2026-11-28T09:00", "sat 09:00", "18:00", "+4h"; in a zone, seen from now.

Unlike promises, hours may begin in the past. What is written otherwise is read like those (routing.moment_text).
"""

import argparse
import re
from datetime import UTC, datetime, timedelta, tzinfo

from intake import cli, instants
from intake.model import Context
from intake.store.engine import Tx
from routing import moment_text
from routing.calendar_text import weekdays_from
from routing.open_weeks import instant_of
from routing.schedule_text import clock_from

_DAY_BEFORE = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun) (?=\d{4}-)", re.IGNORECASE)  # as it is shown
_LENGTH = re.compile(r"(\d{1,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WEEK_DAYS = 8


def read(text: str, *, zone: tzinfo | None, now: datetime) -> datetime:
    """Read a moment; a time of day is the next one. zone: None = the machine's. Raises: cli.WrongInput."""
    if text.startswith("+"):
        return now + length(text[1:])
    next_one = _next_time(text, zone=zone, now=now)
    if next_one is not None:
        return next_one
    try:
        found = datetime.fromisoformat(_DAY_BEFORE.sub("", text, count=1))
    except ValueError:
        return _as_people_write(text, zone=zone, now=now)
    return found.astimezone(UTC) if found.tzinfo else _instant(found, zone)


def _as_people_write(text: str, *, zone: tzinfo | None, now: datetime) -> datetime:
    try:
        return moment_text.moment_from(text, now=now, zone=zone or now.astimezone().tzinfo or UTC)
    except moment_text.NoMoment:
        raise cli.WrongInput(
            f"'{text}' is no moment: write it like 2026-11-28T09:00, \"sat 09:00\", 18:00 or +4h"
        ) from None


def length(text: str) -> timedelta:
    """Read a length of time. Raises: cli.WrongInput."""
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise cli.WrongInput(f"'{text}' is no length of time: write it like 90m, 4h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def hours(tx: Tx, context: Context, arguments: argparse.Namespace) -> tuple[datetime | None, datetime | None]:
    """Read --from with --until or --for, in the zone of the schedule. None = not said. Raises: cli.WrongInput."""
    rota = context.rulebook.schedules.get(arguments.schedule)
    zone = rota.zone if rota is not None else None
    now = instants.datetime_from_us(tx.now)
    start = read(arguments.start, zone=zone, now=now) if arguments.start else None
    asked = getattr(arguments, "end", None)
    if getattr(arguments, "length", None):
        return start, (start or now) + length(arguments.length)
    return start, read(asked, zone=zone, now=start or now) if asked else None


def _next_time(text: str, *, zone: tzinfo | None, now: datetime) -> datetime | None:
    """The next moment with this time of day, on this weekday if one is named; None = it is written otherwise."""
    first, _, last = text.strip().rpartition(" ")
    at, days = clock_from(last), weekdays_from(first) if first else tuple(range(7))
    if at is None or days is None or (first and len(days) != 1):
        return None
    today = now.astimezone(zone).date()
    each_day = (today + timedelta(days=step) for step in range(_WEEK_DAYS))
    moments = (_instant(datetime.combine(day, at), zone) for day in each_day if day.weekday() in days)
    return next((moment for moment in moments if moment > now), None)


def _instant(local: datetime, zone: tzinfo | None) -> datetime:
    from zoneinfo import ZoneInfo

    if isinstance(zone, ZoneInfo):
        return instant_of(local, zone, fold=0)
    return (local.replace(tzinfo=zone) if zone else local.astimezone()).astimezone(UTC)
