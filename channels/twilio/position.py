"""How far the other side of an account has been compared with the journal: the cursor.

It never runs ahead of the journal: it is saved with the count that follows the last message it speaks of. It is JSON, one
object for all numbers of the account. What it names is looked at again by `OVERLAP`, for Twilio shows some messages late.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec

OVERLAP = timedelta(hours=24)
SWEEP = timedelta(days=3)  # once a day it is looked so far back: for prices, and for what came very late
SWEPT_EVERY = timedelta(days=1)
STEP = timedelta(days=1)  # a long absence is made up for day by day, the oldest first
# Longer is nothing listed, and shorter where the account wants it so: help centre, "Twilio SMS message and traffic storage"
# (checked 2026-11).
RETENTION = timedelta(days=400)
NEVER = datetime.min.replace(tzinfo=UTC)
LOST = timedelta(days=2)  # how far is looked back when nobody knows any more how far it was


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """begun: number -> nothing before it is taken. read: number -> up to when everything is accounted for.

    swept: when the last `SWEEP` ended. All aware UTC.
    """

    begun: dict[str, datetime] = {}
    read: dict[str, datetime] = {}
    swept: datetime | None = None
    version: int = 1


class Window(msgspec.Struct, frozen=True):
    """A time that is listed in one go. until: None = up to now, and then it is counted.

    is_history: nothing of the number has been read before, so that we have sent nothing yet.
    """

    start: datetime
    until: datetime | None
    is_history: bool = False

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


def joined(position: Position, numbers: Iterable[str], *, start: str, now: datetime) -> Position:
    """Return a cursor that knows where each number begins: one that has come new begins now, as the account says.

    start: the account's option. now: by Twilio's clock.
    """
    new = {each: _first(start, now) for each in numbers if each not in position.begun}
    return msgspec.structs.replace(position, begun=position.begun | new) if new else position


def _first(start: str, now: datetime) -> datetime:
    if start == "new":
        return now
    if start == "all":
        return now - RETENTION
    day = date.fromisoformat(start)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def stalest(position: Position, numbers: Iterable[str]) -> list[str]:
    """Order numbers so that the one that has waited longest is the first."""
    return sorted(numbers, key=lambda each: position.read.get(each, NEVER))


def windows(position: Position, number: str, now: datetime) -> Iterator[Window]:
    """Give what has to be listed of a number that has begun, the oldest first; the last one is open.

    A cursor that lies ahead counts as now: a clock that was set back hides nothing.
    """
    begun = position.begun[number]
    read = min(position.read.get(number, begun), now)
    is_history = number not in position.read
    overlap = SWEEP if is_sweep_due(position, now) else OVERLAP
    start = max(begun, read - overlap, now - RETENTION)
    while now - start > overlap + STEP:
        yield Window(start, start + STEP, is_history)
        start += STEP
    yield Window(start, None, is_history)


def is_sweep_due(position: Position, now: datetime) -> bool:
    return position.swept is None or not timedelta() <= now - position.swept < SWEPT_EVERY


def moved(position: Position, number: str, to: datetime) -> Position:
    return msgspec.structs.replace(position, read={**position.read, number: to})
