"""Instants: aware datetimes in the code, microseconds since 1970-01-01T00:00Z in the store, RFC 3339 in JSON."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """Return the machine's time, aware UTC: the one clock that the daemon is given; tests give their own."""
    return datetime.now(UTC)


def us_from_datetime(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def datetime_from_us(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)


def rfc3339(at: datetime) -> str:
    """Write an aware instant in UTC to the second: 2026-11-21T09:30:00Z (RFC 3339 §5.6)."""
    # Not strftime, which asks the system each time whether the machine's zone has changed.
    return f"{at.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"


def rfc3339_from_us(at_us: int | None) -> str | None:
    return None if at_us is None else rfc3339(datetime_from_us(at_us))
