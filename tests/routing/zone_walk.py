"""Calendars at changes of clocks, held against a walk over the minutes around each.

`python -m tests.routing.zone_walk --kinds 3` does it for every zone and every change 2020-2040; the tests take one zone of
those whose clocks do the same.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from routing import ical
from routing.calendar import Calendar, CalendarText
from tests.routing import transitions
from tests.routing.clock_walker import MINUTE, Walked
from tests.routing.transitions import Change

DAYS = 9  # walked around each change
Slots = tuple[tuple[int, int], ...]
OFFICE: Slots = ((9 * 3600, 12 * 3600 + 1800), (13 * 3600, 17 * 3600))
STAMP = "%Y%m%dT%H%M%SZ"
NIGHT: Slots = ((22 * 3600, 30 * 3600),)


def slots_near(change: Change, pick: random.Random) -> Slots:
    """Opening hours of a day of which one begins or ends near the hour that is jumped over or occurs twice."""
    begin, end = (moment.hour * 60 + moment.minute for moment in change.gap_or_fold)
    end += 1440 if end < begin else 0
    length = end - begin
    inside = begin + length // 3, begin + 2 * length // 3
    kinds = (
        (begin - 45, begin + length // 2),
        (begin + length // 2, end + 45),
        (begin - 90, end + 90),
        (begin, end),
        inside,
        (begin - pick.randint(1, 200), begin + pick.randint(1, 200)),
        (begin - 600, begin + 10),
    )
    low, high = pick.choice(kinds)
    low, high = low % 1440, low % 1440 + max(1, high - low)
    spans = [(low, high)]
    if pick.random() < 0.4:  # a second one the same day, often just after the first
        again = high + pick.choice((0, 1, 15, 90))
        if again < 1440:
            spans.append((again, again + pick.randint(1, 300)))
    return tuple((first * 60, min(last, first + 1440) * 60) for first, last in spans)


def week_near(change: Change, pick: random.Random) -> tuple[Slots, ...]:
    on = {(change.gap_or_fold[0] + timedelta(days=each)).weekday() for each in (-1, 0)}
    others: tuple[Slots, ...] = (OFFICE, NIGHT, (), ((0, 86400),), slots_near(change, pick))
    return tuple(slots_near(change, pick) if day in on else pick.choice(others) for day in range(7))


def differing(change: Change, *, looks: int, kind: int = 0) -> list[str]:
    """What a calendar says otherwise than the walk. looks: how many instants are asked about. kind: another calendar each."""
    pick = random.Random(f"{change.zone} {change.at} {kind}")
    start = change.at.replace(hour=0, minute=0, second=0) - timedelta(days=4)
    book, walked = made(change, start, pick)
    found = []
    middle = (change.at - start) // MINUTE
    for _ in range(looks):
        minute = min(max(1440 * 2, middle + int(pick.gauss(0, 300))), walked.count - 1440 * 3)
        length, days = pick.choice((1, 30, 240, 480, pick.randint(1, 2000))), pick.choice((1, 1, 2))
        for what, ours, theirs in compared(book, walked, minute, length, days):
            if ours != theirs:
                found.append(f"{change} {what}: {ours}, walked {theirs}, {book}")
    return found


def made(change: Change, start: datetime, pick: random.Random) -> tuple[Calendar, Walked]:
    """A calendar and its walk. Every other one has closed hours, as a file has them, and some a closed and an own day."""
    week = week_near(change, pick)
    middle = (change.at - start) // MINUTE
    begins = [middle + int(pick.gauss(0, 200)) for _ in range(pick.choice((0, 0, 1, 3)))]
    spans = [(each, each + pick.randint(1, 200)) for each in begins]
    around = [(change.gap_or_fold[0] + timedelta(days=each)).date() for each in range(-2, 4)]
    closed_dates = pick.sample(around, pick.choice((0, 0, 1)))
    own = {day: slots_near(change, pick) for day in pick.sample(around, pick.choice((0, 0, 1, 2)))}
    lines = [
        f"DTSTART:{start + MINUTE * low:{STAMP}}\nDTEND:{start + MINUTE * high:{STAMP}}"
        for low, high in spans
    ]
    lines += [f"DTSTART:{day:%Y%m%d}" for day in closed_dates]
    events = "".join(f"BEGIN:VEVENT\n{each}\nEND:VEVENT\n" for each in lines)
    closings = ical.read(f"BEGIN:VCALENDAR\n{events}END:VCALENDAR", file="x").closings
    dates = {day.isoformat(): slots for day, slots in own.items()}
    book = Calendar(CalendarText("x", change.zone, week, dates=dates, closings=closings))
    walked = Walked(change.zone, start, DAYS, week=week, own=own, closed_dates=closed_dates, closed=spans)
    return book, walked


def compared(
    book: Calendar, walked: Walked, minute: int, length: int, days: int
) -> Iterable[tuple[str, object, object]]:
    at = walked.at(minute)
    yield f"is_open {at}", book.is_open(at), bool(walked.is_open[minute])
    later = min(minute + length, walked.count - 1440 * 2)
    between = 60.0 * (walked.before[later] - walked.before[minute])
    yield f"open_between {at} +{later - minute}", book.open_between(at, walked.at(later)), between
    # only what is certain within the days walked: the last two of them have slots that nobody looked at
    for what, due in (
        (f"next_open {at}", walked.next_open(minute)),
        (f"add {at} {length}", walked.add(minute, length)),
        (f"working days {at} {days}", walked.add_working_days(minute, days)),
    ):
        if due is None or due > walked.count - 1440 * 3:
            continue
        ours = {
            "next_open": lambda: book.next_open(at),
            "add": lambda: book.add(at, length * 60),
            "working": lambda: book.add_working_days(at, days),
        }[what.split()[0]]()
        yield what, ours.astimezone(UTC), walked.at(due)


def all_changes() -> list[Change]:
    """Every change of every behaviour: zones whose clocks do the same in these years are one."""
    return [change for name in transitions.distinct() for change in transitions.changes(name)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", type=int, default=1, help="how many calendars at each change")
    parser.add_argument("--looks", type=int, default=10, help="how many instants each is asked about")
    asked = parser.parse_args()
    changes = [change for name in transitions.zones() for change in transitions.changes(name)]
    began, wrong = time.monotonic(), 0
    for kind in range(asked.kinds):
        for change in changes:
            for text in differing(change, looks=asked.looks, kind=kind):
                wrong += 1
                print(text)
    zones, spent_s = len(transitions.zones()), time.monotonic() - began
    print(
        f"{zones} zones, {len(changes)} changes, {asked.kinds} calendars at each: {wrong} wrong, {spent_s:.0f} s"
    )
    from bench import torture

    torture.record_zones(zones, len(changes), asked.kinds, wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
