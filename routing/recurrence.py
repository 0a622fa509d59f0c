"""Recurrence rules of iCalendar (RFC 5545 §3.3.10) on dates: yearly to daily; what recurs within a day is not ours.

A rule is walked period by period from its start, and only as far as it is asked for: none is endless. The start always
counts as the first date, as calendars show it, also where the rule would not have given it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

import msgspec

Frequency = Literal["yearly", "monthly", "weekly", "daily"]

WALKED_YEARS = 200
"""How far the end of a rule that counts its dates is looked for."""


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule as it is stored. until: the last date there may be, ISO, "" = it does not end.

    weekdays: (which one, weekday): (0, 0) = every Monday, (-1, 4) = the last Friday. Numbers below 0 count from the end.
    """

    frequency: Frequency
    interval: int = 1
    until: str = ""
    months: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0


class Walk:
    """The dates of a rule from its first one on. steps: periods that were looked at."""

    def __init__(self, rule: Rule, first: date) -> None:
        self.first = first
        self.steps = 0
        self._rule = _completed(rule, first)
        self._until = date.fromisoformat(rule.until) if rule.until else date.max

    def dates(self, low: date, high: date) -> Iterator[date]:
        """The dates from low on, before high, in order."""
        if low <= self.first < high:
            yield self.first
        for number in range(self._period_of(max(low, self.first)), 1_000_000):
            start = self._start_of(number)
            if start is None or start >= high or start > self._until:
                return
            self.steps += 1
            for day in self._period(start):
                if self.first < day <= self._until and low <= day < high:
                    yield day

    def nth(self, count: int, *, steps: int) -> date | None:
        """The date at which so many have been; the last one if there are fewer; None = it took more steps than that."""
        high = _years_on(self.first, WALKED_YEARS)
        last = self.first
        walked = self.dates(self.first, high)
        for _, last in zip(range(count), walked, strict=False):  # noqa: B007 - the last one is wanted
            if self.steps > steps:
                return None
        return None if self.steps > steps else last

    def _period_of(self, day: date) -> int:
        """The number of the last period that begins at the date or before it; of the rule's own periods, from 0."""
        first, rule = self.first, self._rule
        if rule.frequency == "yearly":
            passed = day.year - first.year
        elif rule.frequency == "monthly":
            passed = (day.year - first.year) * 12 + day.month - first.month
        elif rule.frequency == "weekly":
            passed = (day - self._week_of(first)).days // 7
        else:
            passed = (day - first).days
        return max(0, passed // rule.interval)

    def _start_of(self, number: int) -> date | None:
        """The first day of a period; None = beyond the calendar."""
        first, rule = self.first, self._rule
        steps = number * rule.interval
        try:
            if rule.frequency == "yearly":
                return date(first.year + steps, 1, 1)
            if rule.frequency == "monthly":
                years, month = divmod(first.month - 1 + steps, 12)
                return date(first.year + years, month + 1, 1)
            if rule.frequency == "weekly":
                return self._week_of(first) + timedelta(weeks=steps)
            return first + timedelta(days=steps)
        except (ValueError, OverflowError):
            return None

    def _week_of(self, day: date) -> date:
        return day - timedelta(days=(day.weekday() - self._rule.week_start) % 7)

    def _period(self, start: date) -> list[date]:
        rule = self._rule
        found = [day for day in _days_of(rule, start) if _is_meant(rule, day)]
        if not rule.positions:
            return found
        count = len(found)
        places = {each - 1 if each > 0 else count + each for each in rule.positions}
        return [found[place] for place in sorted(places) if 0 <= place < count]


def _completed(rule: Rule, first: date) -> Rule:
    """The rule with what its first date says where it says nothing itself."""
    if rule.year_days or rule.month_days or rule.weekdays or rule.frequency == "daily":
        return rule
    if rule.frequency == "weekly" or rule.weeks:
        return msgspec.structs.replace(rule, weekdays=((0, first.weekday()),))
    months = rule.months or ((first.month,) if rule.frequency == "yearly" else ())
    return msgspec.structs.replace(rule, months=months, month_days=(first.day,))


def _days_of(rule: Rule, start: date) -> Iterator[date]:
    """The days of a period that can be meant, in order."""
    if rule.frequency == "daily":
        yield start
    elif rule.frequency == "weekly":
        wanted = {(weekday - rule.week_start) % 7 for _, weekday in rule.weekdays} or range(7)
        yield from (
            start + timedelta(days=each) for each in sorted(wanted) if (date.max - start).days >= each
        )
    elif rule.frequency == "monthly":
        yield from _month(rule, start.year, start.month)
    else:
        for month in sorted(set(rule.months)) or range(1, 13):
            yield from _month(rule, start.year, month)


def _month(rule: Rule, year: int, month: int) -> Iterator[date]:
    length = _month_length(year, month)
    wanted = {each if each > 0 else length + 1 + each for each in rule.month_days} or range(1, length + 1)
    return (date(year, month, day) for day in sorted(wanted) if 1 <= day <= length)


def _month_length(year: int, month: int) -> int:
    return 31 if month == 12 else (date(year, month + 1, 1) - date(year, month, 1)).days


def _is_meant(rule: Rule, day: date) -> bool:
    """Whether a day fits every part of a rule that is completed."""
    return (
        (not rule.months or day.month in rule.months)
        and (not rule.month_days or _is_in_month(rule, day))
        and (not rule.weekdays or _is_weekday(rule, day))
        and (not rule.year_days or _is_counted(rule.year_days, _place_in_year(day)))
        and (not rule.weeks or _is_counted(rule.weeks, week_number(day, rule.week_start)))
    )


def _is_in_month(rule: Rule, day: date) -> bool:
    return _is_counted(rule.month_days, (day.day, _month_length(day.year, day.month)))


def _is_counted(wanted: tuple[int, ...], place: tuple[int, int]) -> bool:
    """Whether (number, of how many) is one of the numbers, from the beginning or from the end."""
    number, of = place
    return number in wanted or number - of - 1 in wanted


def _is_weekday(rule: Rule, day: date) -> bool:
    """Whether it is one of the weekdays; "the second Monday" is that of the month, or of a year without months."""
    for which, weekday in rule.weekdays:
        if day.weekday() != weekday:
            continue
        if which == 0 or rule.frequency in ("weekly", "daily"):
            return True
        of_year = rule.frequency == "yearly" and not rule.months
        number, of = _place_in_year(day) if of_year else (day.day, _month_length(day.year, day.month))
        if which in ((number - 1) // 7 + 1, -((of - number) // 7 + 1)):
            return True
    return False


def _place_in_year(day: date) -> tuple[int, int]:
    return day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday


def week_number(day: date, week_start: int) -> tuple[int, int]:
    """The number of a day's week and how many its year has: the first week is the first with four days in the year."""
    middle = day - timedelta(days=(day.weekday() - week_start) % 7) + timedelta(days=3)
    last = date(middle.year, 12, 28)  # always in the last week
    last_middle = last - timedelta(days=(last.weekday() - week_start) % 7) + timedelta(days=3)
    return (middle.timetuple().tm_yday - 1) // 7 + 1, (last_middle.timetuple().tm_yday - 1) // 7 + 1


def _years_on(day: date, years: int) -> date:
    year = min(day.year + years, date.max.year)
    return date(year, 12, 31)
