"""Nobody is woken: quiet hours by the clock of the number, and what they do not hold back."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake import instants, quiet_hours
from intake.quiet_hours import Quiet
from intake.store import opening
from tests.phone.consent_desk import ConsentDesk
from tests.phone.texting import JAN
from tests.rows import every_row

NIGHT = Quiet(time(21), time(8))
US = "+12025550123"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[ConsentDesk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield ConsentDesk(store, tmp_path, clock)


@every_row(
    ("now", "number", "free"),
    [
        ("2026-11-10T12:00", "+48600100200", "2026-11-10T12:00"),  # 13:00 in Warsaw
        ("2026-11-10T20:30", "+48600100200", "2026-11-11T07:00"),  # 21:30 there: 8:00 is 7:00 UTC
        ("2026-11-10T05:00", "+48600100200", "2026-11-10T07:00"),
        ("2026-07-10T20:30", "+48600100200", "2026-07-11T06:00"),  # in summer 8:00 is 6:00 UTC
        ("2026-11-10T13:00", US, "2026-11-10T18:00"),  # New York is awake, Honolulu and Adak are not yet
        ("2026-11-10T20:00", US, "2026-11-10T20:00"),
        ("2026-11-11T02:30", US, "2026-11-11T18:00"),  # 21:30 in New York
        ("2026-11-10T20:30", "+882161234567890", "2026-11-10T20:30"),  # of no country: UTC
        ("2026-11-10T21:30", "+882161234567890", "2026-11-11T08:00"),
    ],
)  # fmt: skip
def test_it_waits_until_no_zone_of_the_number_is_quiet(now: str, number: str, free: str) -> None:
    assert quiet_hours.ends_after(NIGHT, at(now), number) == at(free)


@pytest.mark.slow
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    st.sampled_from(["+48600100200", US, "+79161234567", "+61412345678", "+5511912345678", "+351912345678"]),
)
def test_at_the_end_nobody_sleeps(moment: datetime, number: str) -> None:
    """In every zone, at every turn of the clocks; and it is never further off than two days."""
    now = moment.replace(tzinfo=UTC)
    free = quiet_hours.ends_after(NIGHT, now, number)
    assert now <= free <= now + timedelta(days=2)
    for zone in quiet_hours.zones_of(number):
        assert time(8) <= free.astimezone(ZoneInfo(zone)).time() < time(21)


@pytest.mark.parametrize(("text", "quiet"), [("", None), ("08:00-08:00", None), ("21:00-08:00", NIGHT)])
def test_they_are_read_from_the_settings(text: str, quiet: Quiet | None) -> None:
    assert Quiet.of(text) == quiet


def test_they_may_be_within_a_day() -> None:
    """A siesta."""
    siesta = Quiet(time(13), time(15))
    assert siesta.ends_after(at("2026-11-10T13:30"), ("UTC",)) == at("2026-11-10T15:00")
    assert siesta.ends_after(at("2026-11-10T16:00"), ("UTC",)) == at("2026-11-10T16:00")


def test_an_end_that_the_clock_skips_is_the_next_instant() -> None:
    """On 28 March 2027 Warsaw has no half past two: clocks go from 2:00 to 3:00."""
    early = Quiet(time(1), time(2, 30))
    assert early.ends_after(at("2027-03-28T00:15"), ("Europe/Warsaw",)) == at("2027-03-28T01:30")


@pytest.mark.slow
def test_where_somebody_always_sleeps_it_goes_when_the_fewest_do() -> None:
    """Nights of sixteen hours in all of Russia leave no free instant: it waits once, and not for ever."""
    long = Quiet(time(18), time(10))
    zones = quiet_hours.zones_of("+79161234567")
    now = at("2026-11-10T20:00")
    then = long.ends_after(now, zones)
    assert now < then <= now + timedelta(days=1)
    assert long.ends_after(then, zones) == then


# -- on a desk -----------------------------------------------------------------------------------------------------


def night(desk: ConsentDesk) -> dict[str, Any]:
    """A ticket of the afternoon, at 23:00 in Warsaw."""
    ticket = desk.ticket(desk.say("My printer is on fire"))
    desk.clock.at = at("2026-11-10T22:00")
    return ticket


def test_what_comes_unasked_waits_for_the_morning(desk: ConsentDesk) -> None:
    """It is seen in the outbox, with the reason and when; and it goes out then."""
    ticket = night(desk)
    row = desk.send(ticket, "Are you still there?")
    morning = instants.us_from_datetime(at("2026-11-11T07:00"))
    assert (row["state"], row["next_at"]) == ("queued", morning)
    assert "quiet hours" in row["error"]
    assert "message_waits" in desk.events(ticket)
    assert desk.texts_to() == []
    desk.clock.at = at("2026-11-11T07:00")
    assert desk.texts_to() == ["Are you still there?"]


@pytest.mark.parametrize(
    "about",
    [
        {"cause": "message:1"},
        {"cause": "call:CA1"},
        {"cause": "agent:ania:1", "automatic": None},
    ],
)
def test_answers_and_people_go_out_at_night(desk: ConsentDesk, about: dict[str, Any]) -> None:
    """Who has just written is awake."""
    desk.send(night(desk), "We have your message.", **about)
    assert desk.texts_to() == ["We have your message."]


def test_an_answer_of_a_machine_that_could_not_leave_for_an_hour_waits(desk: ConsentDesk) -> None:
    """After an evening without the provider nobody is woken by "we have it"; what an agent has written goes."""
    ticket = desk.ticket(desk.say("My printer is on fire"))
    desk.send(ticket, "We have your message.", cause="message:1")
    desk.send(ticket, "We are on it.", cause="agent:ania:1", automatic=None)
    desk.clock.at = at("2026-11-10T22:00")
    assert desk.texts_to() == ["We are on it."]
    desk.clock.at = at("2026-11-11T07:00")
    assert desk.texts_to() == ["We are on it.", "We have your message."]


def test_a_call_of_a_rule_waits_as_well(desk: ConsentDesk) -> None:
    row = desk.send(night(desk), medium="voice")
    assert row["next_at"] > desk.store.now_us()
    assert desk.texts_to() == []


def test_what_was_put_off_until_the_night_waits_for_the_morning(desk: ConsentDesk) -> None:
    """A retry that falls into the quiet hours is asked about again."""
    ticket = desk.ticket(desk.say("My printer is on fire"))
    row = desk.send(ticket)
    desk.clock.at = at("2026-11-10T22:00")
    assert desk.texts_to() == []
    assert desk.row("outbox", row["id"])["next_at"] == instants.us_from_datetime(at("2026-11-11T07:00"))


def test_a_desk_may_have_none(desk: ConsentDesk) -> None:
    desk.set(quiet_hours="")
    desk.send(night(desk), "Are you still there?")
    assert desk.texts_to(JAN) == ["Are you still there?"]
