"""When somebody of a team is there: the next instant at which a calendar is open and one of its levels has anybody on duty."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from routing import duty
from routing.calendar import Calendar, NeverOpen
from routing.duty import People
from routing.people import Team

LOOKS = 200  # an opening each: half a year of two a day
FAR = timedelta(days=366)


def next_staffed(
    team: Team,
    calendar: Calendar,
    *,
    at: datetime,
    people: Callable[[datetime], People],
    ends: Iterable[datetime],
) -> datetime | None:
    """The next such instant, `at` itself when it is one; None = not within a year, as things stand.

    people: everybody as they are at an instant to come; ends: when absences end. It goes from one thing that can change the
    answer to the next: an opening of the calendar, of somebody's hours, a hand-over, the end of an absence.
    """
    absences = sorted(ends)
    moment = at
    for _ in range(LOOKS):
        try:
            moment = calendar.next_open(moment)
        except NeverOpen:
            return None
        there = people(moment)
        if duty.is_open(team, there):
            return moment
        later = min(_changes(team, there, absences), default=None)
        if later is None or later - at > FAR:
            return None
        moment = later
    return None


def _changes(team: Team, people: People, absences: Iterable[datetime]) -> Iterator[datetime]:
    """When something changes after the instant that people are seen at."""
    for level in team.levels:
        begins = duty.next_duty(team, level, people)
        if begins is not None and begins > people.at:
            yield begins
    yield from (each for each in absences if each > people.at)


def own_hours(team: Team, people: People) -> Calendar | None:
    """The hours that most of a team's agents share; None = one of them is always on duty."""
    names = [
        people.agents[each].hours for level in team.levels.values() for each in level if each in people.agents
    ]
    if not names or None in names:
        return None
    most = max(dict.fromkeys(names), key=names.count)
    return people.calendars[most] if most is not None else None
