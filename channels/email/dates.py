"""Reads the Date of a mail: RFC 5322 §3.3 and §4.3, ISO 8601, and what senders make of them."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache

from channels.email import encoded_words

MAX_CHARS = 200

_COMMENT = re.compile(r"\([^()]*\)")
_COLON = re.compile(r"(?<!\s)\s*:\s*")
_LEAP_SECOND = re.compile(r"(\d\d:\d\d):6\d")
_ZONE = re.compile(r"(?:GMT|UTC|UT|Z)?\s?([+-]\d\d):?(\d\d)\s*$")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: month for month, name in enumerate(_NAMES, 1)}
# As nearly every program writes it (RFC 5322 §3.3); the library's way takes three times as long.
_USUAL = re.compile(
    rf"(?:[A-Z][a-z][a-z], )?(\d\d?) ({'|'.join(_NAMES)}) ([12]\d{{3}}) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d) ([+-][01]\d[0-5]\d)(?: \([A-Z]{{1,5}}\))?",
    re.ASCII,
)


def read(value: str) -> datetime | None:
    """The moment, aware; None = unreadable. "-0000" and no zone at all count as UTC."""
    value = value[:MAX_CHARS].strip()
    if usual := _USUAL.fullmatch(value):
        return _usual(usual) or _parsed_anyhow(value)
    found = (
        None
        if _ISO.match(value)
        else _parsed(_ZONE.sub(r" \1\2", value) if value[-3:-2] == ":" or "T+" in value else value)
    )
    return found or _parsed_anyhow(value)


def _usual(found: re.Match[str]) -> datetime | None:
    day, month, year, hour, minute, second, zone = found.groups()
    try:
        return datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=_zone(zone)
        )
    except ValueError:  # no such day
        return None


@lru_cache(maxsize=256)
def _zone(written: str) -> tzinfo:
    """The zone of "+0530"."""
    offset = timedelta(hours=int(written[1:3]), minutes=int(written[3:]))
    return timezone(-offset if written[0] == "-" else offset)


def _parsed_anyhow(value: str) -> datetime | None:
    value = encoded_words.decode(value).strip()
    if _ISO.match(value):
        return _aware_iso(value)
    value = _COLON.sub(":", _COMMENT.sub(" ", value))
    return _parsed(_ZONE.sub(r" \1\2", _LEAP_SECOND.sub(r"\1:59", value)))


def _aware_iso(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value.replace(" +", "+"))
    except ValueError:
        return None
    return _in_range(found)


def _parsed(value: str) -> datetime | None:
    try:
        return _in_range(parsedate_to_datetime(value))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _in_range(found: datetime) -> datetime | None:
    """Aware, and such that it can be told in UTC; None for the first and last hours that there are."""
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        aware.astimezone(UTC)
    except OverflowError:
        return None
    return aware
