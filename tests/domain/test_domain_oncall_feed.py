"""Shifts as a calendar: what another's reader makes of it, what stays when hours change hands, who may read it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import icalendar  # type: ignore[import-untyped]
import msgspec
import pytest
from aiohttp import web

from intake import feed_links, handovers, keys, oncall_feed
from intake.feed_links import Feed
from intake.metrics import Metrics
from intake.sections import OnCall
from intake.store import opening
from intake.web.app import make_app
from intake.web.oncall import Feeds
from intake.web.routes import mount
from tests.domain.oncall_world import ONCALL, local, release, swap, take
from tests.domain.world import World

NIGHTS, ANIA = Feed("schedule", "nights"), Feed("agent", "ania")


@pytest.fixture
def world(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[World]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield World(store, tmp_path, clock, rules=ONCALL)


def text(world: World, feed: Feed = NIGHTS) -> str:
    found = world.store.read_now(lambda tx: oncall_feed.text(tx, world.context, feed))
    assert found is not None
    return found


def events(world: World, feed: Feed = NIGHTS) -> list[Any]:
    return list(icalendar.Calendar.from_ical(text(world, feed)).walk("VEVENT"))


def spans(world: World, feed: Feed = NIGHTS) -> list[tuple[str, datetime, datetime]]:
    return [(str(each["SUMMARY"]), each["DTSTART"].dt, each["DTEND"].dt) for each in events(world, feed)]


def test_every_shift_is_an_event_as_another_s_reader_sees_it(world: World) -> None:
    """The week before, this one and the next, each from Monday nine to Monday nine in Warsaw."""
    found = spans(world)
    assert found[:3] == [
        ("ania on call: nights", local("2026-11-02T09:00"), local("2026-11-09T09:00")),
        ("ewa on call: nights", local("2026-11-09T09:00"), local("2026-11-16T09:00")),
        ("ania on call: nights", local("2026-11-16T09:00"), local("2026-11-23T09:00")),
    ]
    assert all(before[2] == after[1] for before, after in itertools.pairwise(found))


def test_a_shift_through_the_change_of_clocks_is_an_hour_shorter(world: World) -> None:
    """In March 2027 the week has 167 hours, in UTC without any doubt."""
    (week,) = [each for each in spans(world) if each[1] == datetime(2027, 3, 22, 8, tzinfo=UTC)]
    assert week[2] - week[1] == timedelta(hours=167)


def test_the_window_is_a_month_back_and_half_a_year_ahead(world: World) -> None:
    world.clock.at = local("2027-06-15T12:00")
    found = spans(world)
    assert found[0][1] <= local("2027-05-15T00:00") < found[0][2]
    assert found[-1][1] <= local("2027-12-15T00:00") < found[-1][2]


def test_the_window_is_a_setting(world: World) -> None:
    world.context = msgspec.structs.replace(world.context, oncall=OnCall(feed_past_days=0, feed_days=7))
    assert [each[1] for each in spans(world)] == [local("2026-11-09T09:00"), local("2026-11-16T09:00")]


def test_an_agent_s_calendar_has_only_their_shifts(world: World) -> None:
    assert {each[0] for each in spans(world, ANIA)} == {"On call: nights"}
    assert spans(world, ANIA)[1][1] == local("2026-11-16T09:00")


def test_swapped_shifts_move_to_the_other_s_calendar_and_are_marked(world: World) -> None:
    swap(world, "ania", "ewa", start=local("2026-11-16T09:00"), end=local("2026-11-30T09:00"))
    assert local("2026-11-16T09:00") not in [each[1] for each in spans(world, ANIA)]
    swapped = [each for each in spans(world, ANIA) if each[1] == local("2026-11-23T09:00")]
    assert swapped[0][0] == "On call: nights (swapped with ewa)"


def test_a_shift_keeps_its_uid_and_its_sequence_grows_when_it_changes_hands(world: World) -> None:
    """A whole week goes to tomek and back: the same event, newer each time; the others stay as they are."""
    start, end = local("2026-11-16T09:00"), local("2026-11-23T09:00")
    seen = []
    for change in (
        lambda: None,
        lambda: take(world, "tomek", start=start, end=end),
        lambda: release(world, "tomek"),
    ):
        world.advance(minutes=1)
        change()
        seen.append({each["DTSTART"].dt: each for each in events(world)})
    assert len({str(each[start]["UID"]) for each in seen}) == 1
    assert [int(each[start]["SEQUENCE"]) for each in seen] == [0, 1, 2]
    modified = [each[start]["LAST-MODIFIED"].dt for each in seen]
    assert modified == sorted(set(modified))
    assert len({(int(each[end]["SEQUENCE"]), each[end]["LAST-MODIFIED"].dt) for each in seen}) == 1


def test_a_change_of_the_rules_makes_the_shifts_newer(world: World) -> None:
    before = events(world)[2]
    world.advance(minutes=1)
    world.use_rules(ONCALL.replace("agents: [ania, ewa]}", "agents: [tomek, ewa]}"))
    after = events(world)[2]
    assert str(before["UID"]) == str(after["UID"])
    assert (int(after["SEQUENCE"]), after["LAST-MODIFIED"].dt) > (0, before["LAST-MODIFIED"].dt)


def test_uids_are_unique(world: World) -> None:
    take(world, "tomek")
    uids = [str(each["UID"]) for each in events(world)]
    assert len(set(uids)) == len(uids)


def test_it_says_how_often_to_ask_again(world: World) -> None:
    calendar = icalendar.Calendar.from_ical(text(world))
    interval = calendar["REFRESH-INTERVAL"]
    assert (str(interval), interval.params["VALUE"]) == ("PT1H", "DURATION")
    assert str(calendar["X-PUBLISHED-TTL"]) == "PT1H"
    assert (str(calendar["VERSION"]), str(calendar["METHOD"])) == ("2.0", "PUBLISH")


def test_lines_have_75_octets_at_most_and_end_with_crlf(world: World) -> None:
    body = text(world)
    lines = body.split("\r\n")
    assert body.endswith("\r\n")
    assert "\n" not in "".join(lines)
    assert max(len(line.encode()) for line in lines) <= 75


@pytest.mark.slow
@pytest.mark.parametrize("value", ["ż" * 80, "a, b; c\\d\nnext", "x" * 75, "😀" * 40, "", "a" * 74 + "ż"])
def test_any_text_comes_back_as_it_was(value: str) -> None:
    line = oncall_feed.folded(f"SUMMARY:{oncall_feed.escaped(value)}")
    assert all(len(each.encode()) <= 75 for each in line.split("\r\n"))
    event = f"BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n{line}\r\nEND:VEVENT\r\n"
    assert str(icalendar.Event.from_ical(event)["SUMMARY"]) == value


def test_nothing_of_people_but_their_names_is_in_it(world: World) -> None:
    assert "@desk.example" not in text(world)
    assert "ATTENDEE" not in text(world)


def test_the_text_stays_the_same_while_nothing_changes(world: World) -> None:
    """An hour later, and after the clockwork has looked: every subscriber is spared the same calendar."""
    before = text(world)
    world.advance(hours=1)
    asyncio.run(handovers.run_due(world.store, world.context))
    assert text(world) == before


def test_what_the_rules_do_not_have_has_no_calendar(world: World) -> None:
    found = world.store.read_now(lambda tx: oncall_feed.text(tx, world.context, Feed("agent", "gone")))
    assert found is None


# -- over HTTP --------------------------------------------------------------------------------------------------------


class State:
    metrics = Metrics()


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    app = make_app(State())  # type: ignore[arg-type]
    mount(app, Feeds(world.store, lambda: world.context).routes(), None)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


def path(world: World, feed: Feed = NIGHTS) -> str:
    return world.store.read_now(lambda tx: feed_links.path(tx, world.keys, feed.kind, feed.name))


async def fetched(url: str, **headers: str) -> tuple[int, str, Any]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_who_has_the_link_gets_the_calendar(world: World, url: str) -> None:
    status, body, headers = await fetched(url + path(world))
    assert (status, body) == (200, text(world))
    assert headers["Content-Type"] == "text/calendar; charset=utf-8"


async def test_what_has_not_changed_is_not_sent_again(world: World, url: str) -> None:
    _, _, headers = await fetched(url + path(world))
    assert headers["Cache-Control"] == "private, no-cache"
    status, body, _ = await fetched(url + path(world), **{"If-None-Match": f'"other", W/{headers["ETag"]}'})
    assert (status, body) == (304, "")
    take(world, "tomek")
    status, body, _ = await fetched(url + path(world), **{"If-None-Match": headers["ETag"]})
    assert (status, "tomek on call" in body) == (200, True)


async def test_a_link_that_was_renewed_is_dead_and_the_new_one_lives(world: World, url: str) -> None:
    old = path(world)
    world.store.write_now(lambda tx: feed_links.renew(tx, "schedule", "nights"))
    assert (await fetched(url + old))[0] == 404
    assert (await fetched(url + path(world)))[0] == 200


async def test_a_link_dies_with_the_key_that_signed_it(world: World, url: str, tmp_path: Path) -> None:
    old = path(world)
    fresh = keys.Keys.load_or_create(tmp_path / "other" / "keys.json")
    world.context = msgspec.structs.replace(world.context, keys=fresh)
    assert (await fetched(url + old))[0] == 404


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.replace("schedule.nights", "agent.ania"),
        lambda path: path.replace(".nights.0.", ".nights.1."),
        lambda path: path[:-5] + ("a" if path[-5] != "a" else "b") + ".ics",
        lambda path: "/oncall/x.ics",
        lambda path: "/oncall/schedule.nights.0..ics",
    ],
)
async def test_a_link_that_we_did_not_sign_is_no_link(world: World, url: str, change: Any) -> None:
    assert (await fetched(url + change(path(world))))[0] == 404
