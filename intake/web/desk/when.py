"""How the desk's pages write instants and lengths of time: short, in the reader's zone, the same as modules/clock.js."""

from datetime import datetime, tzinfo
from typing import Literal

import msgspec

from intake import instants

SOON_S = 3_600
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
Instant = datetime | int | str


class Due(msgspec.Struct, frozen=True):
    """A target as a list shows it. at: RFC 3339 UTC. look: how near it is, told by a word and an icon beside the colour."""

    at: str
    text: str
    look: Literal["late", "soon", "later"]


def instant_of(value: Instant) -> datetime:
    """Read an aware instant: as it is, microseconds UTC, or RFC 3339."""
    if isinstance(value, int):
        return instants.datetime_from_us(value)
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def short(value: Instant, *, now: datetime, zone: tzinfo) -> str:
    """Write when something was, for a list: "10:42" today, "21 Nov" this year, "21 Nov 2025" before."""
    at, today = instant_of(value).astimezone(zone), now.astimezone(zone)
    if at.date() == today.date():
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b}" if at.year == today.year else f"{at.day} {at:%b %Y}"


def full(value: Instant, *, zone: tzinfo) -> str:
    """Write it whole: "Sun 22 November 2026, 10:42 CET"."""
    at = instant_of(value).astimezone(zone)
    return f"{at:%a} {at.day} {at:%B %Y}, {at:%H:%M} {at.tzname() or ''}".rstrip()


def day(value: Instant, *, now: datetime, zone: tzinfo) -> str:
    """Write the day that a part of a conversation is of: "Today", "Yesterday", "Sunday 22 November"."""
    at, today = instant_of(value).astimezone(zone), now.astimezone(zone)
    days = (today.date() - at.date()).days
    if days in (0, 1):
        return "Yesterday" if days else "Today"
    return f"{at:%A} {at.day} {at:%B}" + ("" if at.year == today.year else f" {at.year}")


def hour(value: Instant, *, zone: tzinfo) -> str:
    """Write the time of day: "10:42"."""
    return f"{instant_of(value).astimezone(zone):%H:%M}"


def length(seconds: float) -> str:
    """Write a length of time: "42 min", "3 h 5 min", "2 d 4 h"; less than a minute is "1 min"."""
    whole = max(int(seconds), _MINUTE)
    days, hours, minutes = whole // _DAY, whole % _DAY // _HOUR, whole % _HOUR // _MINUTE
    first, second = (f"{days} d", f"{hours} h") if days else (f"{hours} h", f"{minutes} min")
    parts = [each for each in (first, second) if not each.startswith("0 ")]
    return " ".join(parts)


def due(value: Instant, *, now: datetime) -> Due:
    """Write how long a target has left, or how late it is."""
    at = instant_of(value)
    left_s = (at - now).total_seconds()
    written = instants.rfc3339_from_us(instants.us_from_datetime(at)) or ""
    if left_s <= 0:
        return Due(written, f"{length(-left_s)} late", "late")
    return Due(written, f"in {length(left_s)}", "soon" if left_s < SOON_S else "later")
