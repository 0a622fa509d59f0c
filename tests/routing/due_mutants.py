"""Seeded faults in how due times are counted: the table of due times must see each of them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from routing import clock, clock_moves, ladder_timers, open_weeks
from routing.calendar import Calendar
from routing.life import Event, Life
from routing.open_weeks import OpenWeeks, Slot, instant_of_us, us_of
from routing.simulated import Simulated
from routing.targets import PRIORITIES, Clock, Target

Patch = pytest.MonkeyPatch
replace = msgspec.structs.replace
DAY = timedelta(days=1)


def used_time_is_wall_clock(patch: Patch) -> None:
    """A pause, a change of policy and a reopening take off the closed time, too."""

    def used_s(clock: Clock, *, at: datetime, calendar: Calendar) -> float:
        if clock.state != "running" or clock.running_since is None:
            return clock.used_s
        return clock.used_s + (at - clock.running_since).total_seconds()

    patch.setattr(clock, "used_s", used_s)


def no_quarter(patch: Patch) -> None:
    """A reopened target goes on with what is left, be it nothing."""
    honest = clock.reopen

    def reopen(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
        reopened = honest(clock, at=at, calendar=calendar)
        if reopened is clock:
            return clock
        left = max(clock.budget_s - clock.used_s, 0)
        return replace(reopened, used_s=clock.used_s, due_at=calendar.add(at, left))

    patch.setattr(clock_moves, "reopen", reopen)


def whole_time_after_reopening(patch: Patch) -> None:
    honest = clock.reopen

    def reopen(clock: Clock, *, at: datetime, calendar: Calendar) -> Clock:
        reopened = honest(clock, at=at, calendar=calendar)
        if reopened is clock:
            return clock
        return replace(reopened, used_s=0.0, due_at=calendar.add(at, clock.budget_s))

    patch.setattr(clock_moves, "reopen", reopen)


def night_belongs_to_its_end(patch: Patch) -> None:
    """A holiday closes the night that ends on it, not the one that begins on it."""

    def slots_on(self: Calendar, day: date) -> tuple[Slot, ...]:
        own = self.text.dates.get(day.isoformat())
        if own is not None:
            return own
        slots = self.text.week[day.weekday()]
        return tuple(each for each in slots if not self.holiday(day + DAY if each[1] > 86_400 else day))

    patch.setattr(Calendar, "slots_on", slots_on)


def holiday_is_stronger_than_own_date(patch: Patch) -> None:
    honest = Calendar.slots_on
    patch.setattr(Calendar, "slots_on", lambda self, day: () if self.holiday(day) else honest(self, day))


def folds_are_swapped(patch: Patch) -> None:
    """Of a local time that occurs twice a slot opens at the second and closes at the first."""
    honest = OpenWeeks.us_of_local

    def us_of_local(self: OpenWeeks, day: int, since: int, *, fold: int) -> int:
        return honest(self, day, since, fold=1 - fold)

    patch.setattr(OpenWeeks, "us_of_local", us_of_local)


def gap_is_stepped_over(patch: Patch) -> None:
    """A local time that never is moves by as much as the clocks do."""

    def end_of_gap(local: datetime, zone: ZoneInfo) -> datetime:
        return local.replace(tzinfo=zone, fold=0).astimezone(UTC)

    patch.setattr(open_weeks, "_end_of_gap", end_of_gap)


def change_of_clocks_comes_a_week_late(patch: Patch) -> None:
    """A week has one offset, that of its beginning."""

    def offset(self: OpenWeeks, number: int) -> int:
        begins = instant_of_us(number * 7 * 86_400 * 1_000_000).astimezone(self._zone)
        return (begins.utcoffset() or timedelta()) // timedelta(microseconds=1)

    patch.setattr(OpenWeeks, "_offset", offset)


def end_of_slot_is_next_opening(patch: Patch) -> None:
    honest = Calendar.add
    patch.setattr(Calendar, "add", lambda self, at, open_s: self.next_open(honest(self, at, open_s)))


def working_day_starts_in_closed_time(patch: Patch) -> None:
    def add_working_days(self: Calendar, at: datetime, days: int) -> datetime:
        t = us_of(at)
        today, since, fold = self._weeks.local(t)
        shift = day = self._shift_day(t, today)
        for _ in range(days):
            day = self._next_open_day(day)
        moved = self._weeks.us_of_local(day, (today - shift) * 86_400_000_000 + since, fold=fold)
        return instant_of_us(moved if self._weeks.is_end(moved) else self._next_open(moved))

    patch.setattr(Calendar, "add_working_days", add_working_days)


def working_day_may_end_while_closed(patch: Patch) -> None:
    """The same time of day, open or not."""
    honest = Calendar.add_working_days

    def add_working_days(self: Calendar, at: datetime, days: int) -> datetime:
        found = honest(self, at, days)
        begins = self.next_open(at).astimezone(self.zone)
        return min(
            found, found.astimezone(self.zone).replace(hour=begins.hour, minute=begins.minute).astimezone(UTC)
        )

    patch.setattr(Calendar, "add_working_days", add_working_days)


def next_lower_priority(patch: Patch) -> None:
    def span(self: Target, priority: str) -> Any:
        rank = PRIORITIES.index(priority)
        names = ("", *reversed(PRIORITIES[: rank + 1]), *PRIORITIES[rank + 1 :])
        return next(self.spans[name] for name in names if name in self.spans)

    patch.setattr(Target, "span", span)


def priority_starts_anew(patch: Patch) -> None:
    """Time used is forgotten when the priority changes."""
    honest = clock.retarget

    def retarget(clock: Clock, *, at: datetime, **given: Any) -> Clock:
        known = clock.due_at
        begun = replace(clock, running_since=at, started_at=None, used_s=0.0)
        return honest(
            begun if clock.state == "running" and (known is None or known > at) else clock, at=at, **given
        )

    patch.setattr(clock_moves, "retarget", retarget)


def new_calendar_counts_the_past(patch: Patch) -> None:
    """Under another policy the time used so far is counted by its calendar."""
    honest = clock.rearm
    patch.setattr(
        clock_moves, "rearm", lambda clock, **given: honest(clock, **{**given, "old": given["calendar"]})
    )


def next_answer_counts_from_the_newest_word(patch: Patch) -> None:
    def take_message(self: clock_moves._Moves) -> None:
        known = self.clocks.get("next_response")
        if known is not None and known.state in ("idle", "met", "running") and self.is_open:
            self._begin("next_response", self.at, run=known.run + (known.state == "met"))

    patch.setitem(clock_moves._DO, "customer_message", take_message)


def robots_count(patch: Patch) -> None:
    """Automatic mail is the customer's word."""
    honest = Life._happens["customer_replied"]

    def heard(self: Life, event: Event) -> None:
        message = None if event.message is None else replace(event.message, automatic=None)
        honest(self, replace(event, message=message))

    patch.setitem(Life._happens, "customer_replied", heard)


def lost_answers_count(patch: Patch) -> None:
    patch.setattr(Simulated, "take_back_answer", lambda self, at: None)


def promises_are_open_time(patch: Patch) -> None:
    """What comes before a promise is counted by the calendar."""
    for module in (clock, ladder_timers):
        patch.setattr(module, "measure", lambda clock, calendar: calendar)


def news_are_owed_while_pending(patch: Patch) -> None:
    patch.setattr(clock_moves, "UPDATE_STATUSES", ("open", "on_hold", "pending"))


def nothing_pauses(patch: Patch) -> None:
    patch.setattr(clock_moves, "pause", lambda clock, **given: clock)


MUTANTS: tuple[Callable[[Patch], None], ...] = (
    used_time_is_wall_clock,
    no_quarter,
    whole_time_after_reopening,
    night_belongs_to_its_end,
    holiday_is_stronger_than_own_date,
    folds_are_swapped,
    gap_is_stepped_over,
    change_of_clocks_comes_a_week_late,
    end_of_slot_is_next_opening,
    working_day_starts_in_closed_time,
    working_day_may_end_while_closed,
    next_lower_priority,
    priority_starts_anew,
    new_calendar_counts_the_past,
    next_answer_counts_from_the_newest_word,
    robots_count,
    lost_answers_count,
    promises_are_open_time,
    news_are_owed_while_pending,
    nothing_pauses,
)
