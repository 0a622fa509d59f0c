"""What visitors of a chat are told: whether somebody is there, how long it takes, and when else, by the clock of the desk."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from channels.contract import Availability
from intake import medium_presence, presence
from intake.availability import Availabilities
from intake.medium_presence import Presence
from intake.store import schema
from tests.domain.world import World

RULES = """
version: 1
calendars:
  office:
    timezone: Europe/Warsaw
    open: {mon-fri: "09:00-17:00"}
    holidays: PL
    dates: {2026-12-24: closed}
agents:
  ania: {email: ania@desk.example, hours: office}
  ewa: {email: ewa@desk.example, hours: office}
teams:
  support: {levels: {l1: [ania, ewa]}, assign: {capacity: {chat: 1}}}
sla:
  standard: {calendar: office, first_response: 2h}
default: {team: support, priority: normal, sla: standard}
"""
WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.fixture
def world(make_whole: Callable[[str], World]) -> World:
    return make_whole(RULES)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW)


def look(world: World, at: str | None = None) -> Availability:
    """What a page is told at a local time; a new look, as after the seconds that one is kept."""
    if at is not None:
        world.clock.at = local(at).astimezone(UTC)
    looking = Availabilities(lambda: world.context)
    return world.store.read_now(lambda tx: looking.of_account(tx, "shop"))


def told(found: Availability) -> tuple[str, str | None, str | None]:
    """State, next opening and by when, on the desk's clock."""
    opens, by = (
        each.astimezone(WARSAW).strftime("%Y-%m-%d %H:%M") if each is not None else None
        for each in (found.opens_at, found.answered_by)
    )
    return found.state, opens, by


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        ("2026-11-10T09:00", ("now", None, None)),
        ("2026-11-10T16:59:59", ("now", None, None)),
        ("2026-11-10T17:00", ("later", "2026-11-12 09:00", "2026-11-12 11:00")),
        ("2026-11-10T08:59", ("later", "2026-11-10 09:00", "2026-11-10 11:00")),
        ("2026-11-11T12:00", ("later", "2026-11-12 09:00", "2026-11-12 11:00")),
        ("2026-11-13T18:30", ("later", "2026-11-16 09:00", "2026-11-16 11:00")),
        ("2026-12-23T17:00", ("later", "2026-12-28 09:00", "2026-12-28 11:00")),
        ("2026-12-24T10:00", ("later", "2026-12-28 09:00", "2026-12-28 11:00")),
        ("2026-03-28T12:00", ("later", "2026-03-30 09:00", "2026-03-30 11:00")),
        ("2026-10-25T02:30", ("later", "2026-10-26 09:00", "2026-10-26 11:00")),
    ],
    ids=[
        "open",
        "last second",
        "closed before a holiday",
        "before opening",
        "a holiday at noon",
        "over a weekend",
        "over Christmas",
        "a day of one's own",
        "clocks go forward",
        "clocks go back",
    ],
)
def test_by_the_clock_of_the_desk(world: World, at: str, wanted: tuple[str, str | None, str | None]) -> None:
    """Without anything answered yet it is the rules' own promise that says by when: two hours."""
    assert told(look(world, at)) == wanted


@pytest.mark.parametrize(
    ("day", "utc_hour"), [("2026-03-27", 8), ("2026-03-30", 7), ("2026-10-23", 7), ("2026-10-26", 8)]
)
def test_the_same_hour_of_the_wall_opens_on_both_sides_of_a_change_of_clocks(
    world: World, day: str, utc_hour: int
) -> None:
    assert look(world, f"{day}T08:59:59").state == "later"
    assert look(world, f"{day}T09:00").state == "now"
    assert world.clock.at.hour == utc_hour


def go(world: World, name: str, *, until: str | None = None) -> None:
    us = None if until is None else int(local(until).timestamp() * 1_000_000)
    world.store.write_now(lambda tx: presence.go(tx, world.context, name, until_us=us, keep=True, by=name))


def say(world: World, name: str, said: Presence, *, until: str | None = None) -> None:
    us = None if until is None else int(local(until).timestamp() * 1_000_000)
    world.store.write_now(lambda tx: medium_presence.say(tx, name, "chat", said, by=name, until_us=us))


def test_with_everybody_away_it_opens_when_the_first_is_back(world: World) -> None:
    """Whose absence ends at night is there in the morning."""
    look(world, "2026-11-12T10:00")
    go(world, "ania", until="2026-11-16T12:30")
    go(world, "ewa", until="2026-11-16T20:00")
    assert told(look(world)) == ("later", "2026-11-16 12:30", "2026-11-16 14:30")
    go(world, "ania", until="2026-11-18T12:30")
    assert told(look(world))[1] == "2026-11-17 09:00"


def test_with_everybody_away_for_good_no_opening_is_promised(world: World) -> None:
    look(world, "2026-11-12T10:00")
    for name in ("ania", "ewa"):
        go(world, name)
    assert told(look(world))[:2] == ("later", None)


@pytest.mark.parametrize(("said", "state"), [("busy", "soon"), ("away", "later")])
def test_busy_is_soon_and_away_is_later(world: World, said: Presence, state: str) -> None:
    """One who is still available is enough."""
    look(world, "2026-11-12T10:00")
    say(world, "ania", said)
    assert look(world).state == "now"
    say(world, "ewa", said)
    assert look(world).state == state


def test_who_is_away_for_chats_until_noon_opens_at_noon(world: World) -> None:
    look(world, "2026-11-12T10:00")
    for name in ("ania", "ewa"):
        say(world, name, "away", until="2026-11-12T12:00")
    assert told(look(world))[:2] == ("later", "2026-11-12 12:00")
    assert look(world, "2026-11-12T12:00").state == "now"


def hold(world: World, name: str, count: int) -> None:
    world.store.write_now(
        lambda tx: tx.insert(schema.agent_load, name=name, medium="chat", open_tickets=count)
    )


def test_without_room_for_another_chat_it_is_soon(world: World) -> None:
    look(world, "2026-11-12T10:00")
    hold(world, "ania", 1)
    assert look(world).state == "now"
    hold(world, "ewa", 1)
    assert look(world).state == "soon"


def test_somebody_who_goes_is_seen_within_five_seconds(world: World) -> None:
    """What was found is kept for two."""
    look(world, "2026-11-12T10:00")
    looking = Availabilities(lambda: world.context)

    def state() -> str:
        return world.store.read_now(lambda tx: looking.of_account(tx, "shop")).state

    assert state() == "now"
    for name in ("ania", "ewa"):
        say(world, name, "away")
    assert state() == "now"
    world.advance(seconds=2)
    assert state() == "later"


# -- how long it takes ----------------------------------------------------------------------------------------------------


def chatted(
    world: World, at: str, answered_after: timedelta | None, *, medium: str = "chat"
) -> dict[str, Any]:
    """A customer who wrote then, and what a person answered."""
    world.clock.at = local(at).astimezone(UTC)
    ticket = world.ticket(world.receive(f"c{len(world.rows('tickets'))}@customer.example"))
    world.store.write_now(lambda tx: tx.update(schema.tickets, {"id": ticket["id"]}, medium=medium))
    if answered_after is not None:
        world.clock.at += answered_after
        world.reply(ticket)
    return ticket


def test_how_long_it_takes_is_what_four_of_five_waited(world: World) -> None:
    for number, minutes in enumerate((1, 2, 3, 4, 30)):
        chatted(world, f"2026-11-10T1{number}:00", timedelta(minutes=minutes))
    assert look(world, "2026-11-12T10:00").wait_s == (180, 240)


def test_four_say_nothing(world: World) -> None:
    for number in range(4):
        chatted(world, f"2026-11-10T1{number}:00", timedelta(minutes=1))
    assert look(world, "2026-11-12T10:00").wait_s is None


def test_what_is_older_than_two_weeks_says_nothing(world: World) -> None:
    for number in range(5):
        chatted(world, f"2026-11-10T1{number}:00", timedelta(minutes=1))
    assert look(world, "2026-11-24T09:59").wait_s is not None
    assert look(world, "2026-11-25T10:00").wait_s is None


def test_a_desk_that_answers_nobody_does_not_look_quick(world: World) -> None:
    """Five answers within a minute, and five who have waited for an hour."""
    for number in range(5):
        chatted(world, f"2026-11-10T1{number}:00", timedelta(minutes=1))
    for _ in range(5):
        chatted(world, "2026-11-10T15:00", None)
    wait_s = look(world, "2026-11-10T16:00").wait_s
    assert wait_s is not None
    assert wait_s[1] >= 3_600


def test_a_night_is_no_wait_and_says_by_when_an_answer_comes(world: World) -> None:
    """Who wrote at nine in the evening was answered at 9:20: that is what the next one at night is told."""
    for day in (2, 3, 4, 5, 6):
        chatted(
            world,
            f"2026-11-{day:02}T21:00",
            timedelta(hours=12, minutes=20) if day < 6 else timedelta(days=2, hours=12, minutes=20),
        )
    for number in range(5):
        chatted(world, f"2026-11-09T1{number}:00", timedelta(minutes=1))
    found = look(world, "2026-11-12T20:00")
    assert told(found) == ("later", "2026-11-13 09:00", "2026-11-13 09:30")
    assert found.wait_s == (60, 60)


def test_what_chats_cannot_say_the_teams_other_tickets_do(world: World) -> None:
    for number in range(5):
        chatted(world, f"2026-11-10T1{number}:00", timedelta(minutes=7), medium="email")
    assert look(world, "2026-11-12T10:00").wait_s == (420, 420)


def test_rules_that_give_chats_to_another_team_say_whose_hours_count(
    make_whole: Callable[[str], World],
) -> None:
    """The account's chats go to the night shift, which is there at midnight."""
    rules = """
version: 1
calendars:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
  nights: {timezone: Europe/Warsaw, open: {mon-sun: "22:00-06:00"}}
agents:
  ania: {email: ania@desk.example, hours: office}
  zoe: {email: zoe@desk.example, hours: nights}
teams:
  support: {levels: {l1: [ania]}}
  night: {levels: {l1: [zoe]}}
sla:
  always: {calendar: nights, first_response: 10m}
route:
  - {id: chats, when: {account: shop}, then: {team: night, sla: always}}
default: {team: support, priority: normal}
"""
    world = make_whole(rules)
    assert told(look(world, "2026-11-12T23:00"))[0] == "now"
    assert told(look(world, "2026-11-12T10:00")) == ("later", "2026-11-12 22:00", "2026-11-12 22:15")


def test_without_calendars_the_hours_of_the_agents_are_the_desks(make_whole: Callable[[str], World]) -> None:
    rules = """
version: 1
calendars:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example, hours: office}
teams:
  support: {levels: {l1: [ania]}}
sla:
  round: {calendar: always, first_response: 1h}
default: {team: support, priority: normal, sla: round}
"""
    world = make_whole(rules)
    assert told(look(world, "2026-11-13T18:00")) == ("later", "2026-11-16 09:00", "2026-11-16 10:00")


def test_where_the_policy_never_closes_a_night_of_the_agents_is_no_wait_either(
    make_whole: Callable[[str], World],
) -> None:
    """Who wrote at eight in the evening was answered at half past nine: half an hour, not thirteen."""
    rules = """
version: 1
calendars:
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
agents:
  ania: {email: ania@desk.example, hours: office}
teams:
  support: {levels: {l1: [ania]}}
sla:
  round: {calendar: always, first_response: 1d}
default: {team: support, priority: normal, sla: round}
"""
    world = make_whole(rules)
    for day in (2, 3, 4, 5, 9):
        chatted(world, f"2026-11-{day:02}T20:00", timedelta(hours=13, minutes=30))
    assert told(look(world, "2026-11-10T20:00")) == ("later", "2026-11-11 09:00", "2026-11-11 09:30")
