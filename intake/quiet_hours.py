"""When nobody is woken: quiet hours by the clock of the number, in every zone that the number may be in.

A number says its country and no more (a mobile number less than that: it travels), so a country with several zones is
quiet while it is quiet in any of them. Which zones a country has: zone.tab of the tz database, as the `tzdata` package
brings it. A number of no country is taken to be in UTC.
"""

import functools
import importlib.resources
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from channels import phone_numbers

UNKNOWN = ("UTC",)
_DAYS_AHEAD = 3  # somewhere in between every zone of a country is awake at the same time


class Quiet(msgspec.Struct, frozen=True):
    """From when to when, local time; the night is in between when it begins later than it ends."""

    begins: time
    ends: time

    @classmethod
    def of(cls, text: str) -> "Quiet | None":
        """Read "21:00-08:00"; None = "" or no time at all: nobody is ever left alone."""
        first, _, last = text.partition("-")
        if not last or first == last:
            return None
        return cls(time.fromisoformat(first), time.fromisoformat(last))

    def holds(self, at: datetime, zone: str) -> bool:
        """Whether it is quiet in a zone. at: aware."""
        local = at.astimezone(ZoneInfo(zone)).time()
        if self.begins < self.ends:
            return self.begins <= local < self.ends
        return local >= self.begins or local < self.ends

    def ends_after(self, at: datetime, zones: Iterable[str]) -> datetime:
        """Return the first instant from then on at which it is quiet nowhere; `at` itself when it is not now. Aware UTC.

        Where the nights of a country's zones leave no such instant, one at which it is quiet in the fewest of them.
        """
        names = tuple(zones)
        if not self._quiet_in(at, names):
            return at.astimezone(UTC)
        ends = [each for each in sorted(each for name in names for each in self._ends(at, name)) if each > at]
        free = next((each for each in ends if not any(self.holds(each, name) for name in names)), None)
        return free or self._fewest(at, ends, names)

    def _fewest(self, at: datetime, ends: list[datetime], zones: tuple[str, ...]) -> datetime:
        """Return the first of `at` and these instants at which it is quiet in no more zones than at any other."""
        fewest = min(self._quiet_in(each, zones) for each in ends)
        if self._quiet_in(at, zones) <= fewest:
            return at.astimezone(UTC)
        return next(each for each in ends if self._quiet_in(each, zones) == fewest)

    def _quiet_in(self, at: datetime, zones: tuple[str, ...]) -> int:
        """Count the zones in which it is quiet."""
        return sum(self.holds(at, zone) for zone in zones)

    def _ends(self, at: datetime, zone: str) -> Iterable[datetime]:
        """Give the next ends in a zone; one that its clock skips is the next instant that it shows."""
        where = ZoneInfo(zone)
        today = at.astimezone(where).date()
        for days in range(_DAYS_AHEAD + 1):
            yield datetime.combine(today + timedelta(days), self.ends, where).astimezone(UTC)


def ends_after(quiet: Quiet, at: datetime, number: str) -> datetime:
    """Return when a number may be written to or called, from then on; `at` itself = now. Aware UTC."""
    return quiet.ends_after(at, zones_of(number))


@functools.lru_cache(maxsize=4_096)
def zones_of(number: str) -> tuple[str, ...]:
    """Return the zones that a number in E.164 may be in."""
    country = phone_numbers.country(number)
    return _zones().get(country or "", UNKNOWN)


@functools.cache
def _zones() -> dict[str, tuple[str, ...]]:
    table = importlib.resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            found.setdefault(country, []).append(zone)
    return {country: tuple(zones) for country, zones in found.items()}
