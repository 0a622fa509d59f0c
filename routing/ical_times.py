"""Dates, times, periods and lengths of iCalendar (RFC 5545 §3.3.4-3.3.9), each with the zone it is told in."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from routing.ical_lines import Line
from routing.ical_zones import Zones

_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?\Z")
_LENGTH = re.compile(
    r"([+-])?P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?\Z"
)
_DAY_S = 86_400


class Moment(msgspec.Struct, frozen=True):
    """local: on the clock of the zone, midnight for a date. zone: IANA name, "" = of whichever calendar looks."""

    local: datetime
    zone: str = ""
    is_date: bool = False

    @property
    def date(self) -> date:
        return self.local.date()

    @property
    def text(self) -> str:
        """As closings keep it."""
        return self.local.date().isoformat() if self.is_date else self.local.isoformat()

    def at(self) -> datetime:
        """The instant, UTC; of one without a zone as if it were UTC."""
        zone = ZoneInfo(self.zone) if self.zone else UTC
        return self.local.replace(tzinfo=zone).astimezone(UTC)

    def on_clock_of(self, other: "Moment") -> "Moment":
        """The same on the clock of another; what one of the two does not tell is taken as written."""
        if self.is_date or other.is_date or not self.zone or not other.zone or self.zone == other.zone:
            return msgspec.structs.replace(self, zone=other.zone)
        local = self.at().astimezone(ZoneInfo(other.zone)).replace(tzinfo=None)
        return Moment(local, other.zone)


class Length(msgspec.Struct, frozen=True):
    """days: on the wall clock. seconds: exact."""

    days: int
    seconds: int

    @property
    def whole_days(self) -> int:
        """As many as an event of whole days takes."""
        return max(1, self.days + -(-self.seconds // _DAY_S))


class UnknownZone(ValueError):
    """A time is told in a zone that nobody knows."""


def moments(line: Line, zones: Zones) -> list[Moment]:
    """The dates or times of a line. Raises: ValueError; UnknownZone."""
    return [moment(each, line, zones) for each in line.value.split(",") if each.strip()]


def moment(text: str, line: Line, zones: Zones) -> Moment:
    """One value of a line. Raises: ValueError; UnknownZone."""
    found = _MOMENT.match(text.strip().upper())
    if found is None:
        raise ValueError(f"{line.name} has '{text.strip()[:40]}', which is no date or time")
    year, month, day, hour, minute, second = (int(each or 0) for each in found.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - the zone stands beside it
    except ValueError:
        raise ValueError(f"{line.name} has '{text.strip()[:40]}', which never is") from None
    if found[4] is None:
        return Moment(local, "", is_date=True)
    if found[7]:
        return Moment(local, "UTC")
    name = line.parameters.get("TZID", "")
    zone = zones.named(name) if name else ""
    if zone is None:
        raise UnknownZone(f"{line.name} is told in the zone '{name[:60]}', which is not known")
    return Moment(local, zone)


def length(text: str, name: str) -> Length:
    """`P1D`, `PT1H30M`, `P2W`. Raises: ValueError."""
    found = _LENGTH.match(text.strip().upper())
    if found is None or not any(found.groups()[1:]) or found[1] == "-":
        raise ValueError(f"{name} has '{text.strip()[:40]}', which is no length of time")
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in found.groups()[1:])
    return Length(weeks * 7 + days, (hours * 60 + minutes) * 60 + seconds)


def length_between(start: Moment, end: Moment) -> Length:
    """From start to end, whole days for dates. Raises: ValueError when it ends before it starts."""
    if start.is_date:
        found = Length((end.date - start.date).days, 0)
    elif start.zone:
        found = Length(0, _seconds(end.on_clock_of(start).at() - start.at()))
    else:
        found = Length(0, _seconds(end.local - start.local))
    if found.days < 0 or found.seconds < 0:
        raise ValueError("it ends before it begins")
    return found


def _seconds(length: timedelta) -> int:
    return length.days * _DAY_S + length.seconds
