"""The shifts of a schedule or of an agent as a calendar (RFC 5545), for whoever subscribes to it.

Instants are in UTC, so that no VTIMEZONE can be wrong. An event's UID follows from its schedule and its start, its
SEQUENCE grows with every change of the rules' schedule and of its hours at the desk, LAST-MODIFIED is the latest of
them. The window begins and ends with a day of UTC, so that the text changes only when something has. Names are all that
it says of people.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from intake import instants, oncall, turns
from intake.feed_links import Feed
from intake.model import Context
from intake.oncall import Change
from intake.store.engine import Tx
from intake.turns import Turn
from routing import schedule as schedules_of
from routing.schedule import Schedule, Shift

REFRESH = "PT1H"
LINE_MAX_OCTETS = 75  # RFC 5545 §3.1, without the line break
PRODUCT = "-//intaked//on call//EN"
_DAY = timedelta(days=1)
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One shift as an event. sequence, modified_at (microseconds UTC): see the module docstring."""

    schedule: Schedule
    shift: Shift
    sequence: int
    modified_at: int


def text(tx: Tx, context: Context, feed: Feed) -> str | None:
    """Return the calendar, lines ended by CRLF; None when the rules no longer have what it is about."""
    book = context.rulebook
    if feed.name not in (book.agents if feed.kind == "agent" else book.schedules):
        return None
    names = [feed.name] if feed.kind == "schedule" else list(book.schedules)
    found = [each for name in names for each in _entries(tx, context, name, feed)]
    found.sort(key=lambda each: (each.shift.start, each.schedule.name))
    zone = book.schedules[names[0]].timezone if names else "UTC"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(f'On call: {feed.name}')}",
        f"NAME:{escaped(f'On call: {feed.name}')}",
        f"X-WR-TIMEZONE:{zone}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
        f"X-PUBLISHED-TTL:{REFRESH}",
        *(line for each in found for line in _event(each, feed)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def _entries(tx: Tx, context: Context, name: str, feed: Feed) -> Iterator[Entry]:
    book, turn = context.rulebook, turns.load(tx, name)
    changed = [each for each in oncall.changes(tx, after_us=0) if each.schedule == name]
    rota = book.schedules[name].overridden(oncall.overrides_of(changed, book).get(name, ()))
    for shift in _shifts(rota, context, instants.datetime_from_us(tx.now)):
        agent = shift.duty.agent
        if agent is not None and (feed.kind == "schedule" or agent == feed.name):
            yield _entry(rota, shift, changed, turn)


def _shifts(rota: Schedule, context: Context, now: datetime) -> Iterator[Shift]:
    """Return the shifts that touch the window, whole at its beginning, cut at its end only when nobody follows."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - context.oncall.feed_past_days * _DAY
    last = today + (context.oncall.feed_days + 1) * _DAY
    start = schedules_of.on_call_since(rota, first) or first
    end = schedules_of.next_handover(rota, last) or last
    return (each for each in schedules_of.hours(rota, start, end) if each.end and each.end > first)


def _entry(rota: Schedule, shift: Shift, changed: Iterable[Change], turn: Turn | None) -> Entry:
    assert shift.end is not None  # noqa: S101 - the shifts of a window end
    start, end = instants.us_from_datetime(shift.start), instants.us_from_datetime(shift.end)
    touching = [each for each in changed if each.start_at < end and each.until_at > start]
    released = sum(each.released_at is not None for each in touching)
    began = (turn.changed_at, turn.revision) if turn is not None else (0, 0)
    return Entry(
        schedule=rota,
        shift=shift,
        sequence=began[1] + len(touching) + released,
        modified_at=max((began[0], *(each.changed_at for each in touching))),
    )


def _event(entry: Entry, feed: Feed) -> Sequence[str]:
    shift, name = entry.shift, entry.schedule.name
    duty = shift.duty
    note = f" ({duty.note})" if duty.note else ""
    title = f"On call: {name}{note}" if feed.kind == "agent" else f"{duty.agent} on call: {name}{note}"
    modified = _utc(instants.datetime_from_us(entry.modified_at))
    said = [f"{duty.agent} is on call for {name}{note}"]
    if shift.end is not None:
        said.append(
            f"{entry.schedule.said(shift.start)} until {entry.schedule.said(shift.end)} ({entry.schedule.timezone})"
        )
    return (
        "BEGIN:VEVENT",
        f"UID:{_uid(name, shift.start)}",
        f"DTSTAMP:{modified}",
        f"LAST-MODIFIED:{modified}",
        f"SEQUENCE:{entry.sequence}",
        f"DTSTART:{_utc(shift.start)}",
        f"DTEND:{_utc(shift.end or shift.start)}",
        f"SUMMARY:{escaped(title)}",
        f"DESCRIPTION:{escaped(chr(10).join(said))}",
        f"CATEGORIES:{'SWAPPED' if duty.why == 'swapped' else 'TAKEN' if duty.why == 'taken' else 'ON-CALL'}",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    )


def _uid(name: str, start: datetime) -> str:
    digest = sha256(f"{name}\0{_utc(start)}".encode()).hexdigest()
    return f"{digest[:32]}@oncall.intaked"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(value: str) -> str:
    """Write a TEXT value (RFC 5545 §3.3.11)."""
    return value.translate(_ESCAPES)


def folded(line: str) -> str:
    """Break a content line into lines of 75 octets at most, never inside a character (RFC 5545 §3.1)."""
    parts, part, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LINE_MAX_OCTETS:
            parts.append(part)
            part, size = " ", 1
        part, size = part + character, size + octets
    return "\r\n".join([*parts, part])


def etag(body: str) -> str:
    """Return a strong entity tag (RFC 9110 §8.8.3) of a calendar."""
    return f'"{sha256(body.encode()).hexdigest()[:32]}"'
