"""The minutes of a week as bits of one number: when calendars are open, when somebody of a level is on duty.

Weekly hours count, not holidays or dates of one's own. Minutes are of UTC, in one week of winter and one of summer, so
that two zones which change their clocks on different days are seen as they are most of the year.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from routing.calendar import Calendar
from routing.conditions import WEEKDAYS
from routing.people import Agent, Team
from routing.schedule import Layer, Schedule

MINUTES = 7 * 24 * 60
ALL_WEEK = (1 << MINUTES) - 1
WEEKS = (date(2026, 1, 5), date(2026, 7, 6))
"""The Mondays of the weeks that are looked at."""


class Week:
    """On-duty times of one week. monday: of the week, in UTC."""

    def __init__(
        self,
        monday: date,
        *,
        calendars: Mapping[str, Calendar],
        schedules: Mapping[str, Schedule],
        agents: Mapping[str, Agent],
    ) -> None:
        self.monday = monday
        self.open = {name: self._open(calendar) for name, calendar in calendars.items()}
        self.on_call = {name: self._covered(schedule) for name, schedule in schedules.items()}
        self._on_duty = {
            name: ALL_WEEK if agent.hours is None else self.open.get(agent.hours, ALL_WEEK)
            for name, agent in agents.items()
        }

    def level(self, team: Team, level: str) -> int:
        """When somebody of a team's level is on duty; never, when the team has no such level."""
        schedule = team.on_call.get(level)
        if schedule is not None:
            return self.on_call.get(schedule, ALL_WEEK)
        return self.any_of(team.levels.get(level, ()))

    def team(self, team: Team) -> int:
        """When anybody of the team is on duty."""
        found = 0
        for level in team.levels:
            found |= self.level(team, level)
        return found

    def any_of(self, agents: Iterable[str]) -> int:
        found = 0
        for name in agents:
            found |= self._on_duty.get(name, ALL_WEEK)
        return found

    def moments(self, days: Iterable[int], at: time, calendar: Calendar) -> int:
        """The minute of a local time on some weekdays, Monday 0."""
        found = 0
        for day in days:
            found |= _span(self._minute(day, at.hour * 3_600 + at.minute * 60, calendar.zone), 1)
        return found

    def said(self, minutes: int, zone: ZoneInfo) -> str:
        """The first of some minutes of the local week, like "mon 17:00"."""
        begin = self._minute(0, 0, zone)
        turned = ((minutes >> begin) | (minutes << (MINUTES - begin))) & ALL_WEEK
        first = (turned & -turned).bit_length() - 1
        return f"{WEEKDAYS[first // 1_440]} {first % 1_440 // 60:02}:{first % 60:02}"

    def _open(self, calendar: Calendar) -> int:
        found = 0
        for day, slots in enumerate(calendar.text.week):
            for start, end in slots:
                found |= _span(self._minute(day, start, calendar.zone), (end - start) // 60)
        return found

    def _covered(self, schedule: Schedule) -> int:
        """When a layer has somebody on call, all layers having begun."""
        found = 0
        for layer in schedule.layers:
            found |= self._active(layer, ZoneInfo(schedule.timezone)) if layer.agents else 0
        return found

    def _active(self, layer: Layer, zone: ZoneInfo) -> int:
        """All week, or from the hand-over of each of its days to that of the next day."""
        if layer.days is None:
            return ALL_WEEK
        start = layer.handover_at.hour * 3_600 + layer.handover_at.minute * 60
        found = 0
        for day in layer.days:
            found |= _span(self._minute(day, start, zone), 1_440)
        return found

    def _minute(self, day: int, seconds: int, zone: ZoneInfo) -> int:
        """Minutes since the UTC Monday of a local time, turned round into the week."""
        local = datetime.combine(self.monday + timedelta(days=day), time(), zone) + timedelta(seconds=seconds)
        since = local.astimezone(UTC) - datetime.combine(self.monday, time(), UTC)
        return int(since.total_seconds() // 60) % MINUTES


def _span(start: int, length: int) -> int:
    """So many minutes from one on, going round at the week's end."""
    bits = ((1 << min(length, MINUTES)) - 1) << (start % MINUTES)
    return (bits | (bits >> MINUTES)) & ALL_WEEK
