"""How far the other side of a number has been compared with the journal: its cursor, JSON.

It never runs ahead of the journal: it is saved with the count that follows the last message it speaks of. Each number has
one of its own, so that daemons with other settings write over nothing. What it names is looked at again by `OVERLAP`, for
Twilio shows some messages late.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec

OVERLAP = timedelta(hours=24)
SWEEP = timedelta(days=3)  # once a day it is looked so far back: for prices, and for what came very late
SWEPT_EVERY = timedelta(days=1)
STEP = timedelta(days=1)  # a long absence is made up for day by day, the oldest first
# Longer is nothing listed, and shorter where the account wants it so: help centre, "Twilio SMS message and traffic storage"
# (checked 2026-11).
RETENTION = timedelta(days=400)
LOST = timedelta(days=2)  # how far is looked back when nobody knows any more how far it was


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """begun: nothing before it is taken. met: when it was first looked at; what went out before was not ours.

    read: up to when everything is accounted for, None = nothing has been read. swept: when the last `SWEEP` ended. All
    aware UTC.
    """

    begun: datetime
    met: datetime
    read: datetime | None = None
    swept: datetime | None = None
    version: int = 1


class Window(msgspec.Struct, frozen=True):
    """A time that is listed in one go. until: None = up to now, and then it is counted. met: as of the position."""

    start: datetime
    until: datetime | None
    met: datetime

    @property
    def ours(self) -> "Window | None":
        """The part in which we may have sent something; None = there is none."""
        if self.until is not None and self.until < self.met:
            return None
        return Window(max(self.start, self.met), self.until, self.met)

    def has(self, at: datetime | None) -> bool:
        """Whether a row lies in it; a row without a date does: Twilio put it into the list."""
        return at is None or (at >= self.start and (self.until is None or at <= self.until))


def encode(position: Position) -> bytes:
    return msgspec.json.encode(position)


def decode(saved: bytes | None) -> Position | None:
    """Read a cursor; None when there is none, or it cannot be read."""
    if saved is None:
        return None
    try:
        return msgspec.json.decode(saved, type=Position)
    except msgspec.MsgspecError:
        return None


def first(start: str, now: datetime) -> Position:
    """Return where a number begins that is looked at for the first time. start: the account's option. now: Twilio's."""
    if start == "new":
        return Position(begun=now, met=now)
    if start == "all":
        return Position(begun=now - RETENTION, met=now)
    day = date.fromisoformat(start)
    return Position(begun=datetime(day.year, day.month, day.day, tzinfo=UTC), met=now)


def windows(position: Position, now: datetime) -> Iterator[Window]:
    """Give what has to be listed of a number, the oldest first; the last one is open.

    A cursor that lies ahead counts as now: a clock that was set back hides nothing.
    """
    read = min(position.read or position.begun, now)
    overlap = SWEEP if is_sweep_due(position, now) else OVERLAP
    start = max(position.begun, read - overlap, now - RETENTION)
    while now - start > overlap + STEP:
        yield Window(start, start + STEP, position.met)
        start += STEP
    yield Window(start, None, position.met)


def is_sweep_due(position: Position, now: datetime) -> bool:
    return position.swept is None or not timedelta() <= now - position.swept < SWEPT_EVERY


def moved(position: Position, window: Window, now: datetime) -> Position:
    """Return the cursor after a window; a sweep that does not come to its end is begun again."""
    to = min(now, window.until or now)
    is_swept = window.until is None and is_sweep_due(position, now)
    return msgspec.structs.replace(position, read=to, swept=now if is_swept else position.swept)
