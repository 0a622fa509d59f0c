"""What a caller's session is shown of the desk."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from channels.contract import Free
from intake import incident_telling, incidents, presence, seating, tickets
from intake.incidents import IncidentError
from intake.store import schema
from tests.phone.calling import JAN, RULES, Desk, answering, event, happened

Make = Callable[[str], Desk]


def rung(frees: tuple[Free, ...]) -> list[str]:
    return [each.agent for each in frees]


async def test_of_a_stranger_nothing_is_known(desk: Desk) -> None:
    view = await desk.view()
    assert (view.is_known, view.language, view.open_refs, view.placed) == (False, None, (), None)


async def test_who_hides_their_number_is_nobody(desk: Desk) -> None:
    desk.known()
    desk.caller = None
    assert not (await desk.view()).is_known


async def test_a_caller_is_known_by_their_number_with_language_and_open_tickets(desk: Desk) -> None:
    desk.known(language="pl")
    older, newer = desk.ticket_of_caller(), desk.ticket_of_caller()
    done = desk.ticket_of_caller(status="solved", solved_at=1)
    view = await desk.view()
    assert (view.is_known, view.language) == (True, "pl")
    assert view.open_refs == (newer["ref"], older["ref"])
    assert done["ref"] not in view.open_refs


@pytest.mark.parametrize(
    ("hour", "is_open", "next_open"),
    [
        (9, True, None),
        (17, False, datetime(2026, 11, 12, 8, tzinfo=UTC)),
        (3, False, datetime(2026, 11, 10, 8, tzinfo=UTC)),
    ],
)
async def test_hours_are_those_of_the_default_policy(
    make: Make, clock: Any, hour: int, *, is_open: bool, next_open: datetime | None
) -> None:
    """10 November 2026 is a Tuesday; the 11th is a holiday in Poland."""
    rules = RULES.replace('"09:00-17:00"}}', '"09:00-17:00"}, holidays: PL}')
    clock.at = datetime(2026, 11, 10, hour, tzinfo=UTC)
    view = await make(rules).view()
    assert (view.is_open, view.next_open, view.zone) == (is_open, next_open, "Europe/Warsaw")


@pytest.mark.parametrize(("by", "remembered"), [("digit", "en"), ("default", None)])
async def test_a_language_is_remembered_that_somebody_chose(
    desk: Desk, by: str, remembered: str | None
) -> None:
    at = desk.clock()
    spoken = happened("language", at, 3, language="en", by=by)
    done = happened("menu_done", at, 9, choice=None, open_ref=None)
    desk.tell(event(happened("started", at), spoken, done, language=remembered))
    assert (await desk.view("phone:CA2")).language == remembered


async def test_who_may_be_rung_is_there_has_a_phone_and_comes_level_by_level(desk: Desk) -> None:
    desk.call_on(desk.waiting_ticket())
    view = await desk.view()
    assert view.placed is not None
    assert (view.placed.team, view.placed.customer) == ("support", "Jan")
    assert [(each.agent, each.phone, each.level) for each in view.placed.ring] == [
        ("ania", "+48600000001", "l1"),
        ("ewa", "+48600000002", "l1"),
        ("tomek", "+48600000003", "lead"),
    ]


async def test_who_has_been_idle_for_longest_is_rung_first(desk: Desk) -> None:
    desk.call_on(desk.waiting_ticket())
    other = desk.waiting_ticket()
    desk.store.write_now(
        lambda tx: seating.give(tx, desk.context, tickets.locked(tx, other["id"]), "ania", actor="system")
    )
    view = await desk.view()
    assert view.placed is not None
    assert rung(view.placed.ring) == ["ewa", "ania", "tomek"]


async def test_whom_the_customer_knows_is_rung_first_of_whatever_level(desk: Desk) -> None:
    desk.ticket_of_caller(agent="tomek", agent_replied_at=desk.store.now_us())
    desk.call_on(desk.waiting_ticket())
    view = await desk.view()
    assert view.placed is not None
    assert rung(view.placed.ring) == ["tomek", "ania", "ewa"]


@pytest.mark.parametrize(
    ("relax_s", "expected"),
    [(1800, [("ania", True), ("ewa", False), ("tomek", True)]), (None, [("ania", True), ("tomek", True)])],
)
async def test_skills_choose_inside_a_level_and_are_relaxed_only_where_rules_allow(
    desk: Desk, relax_s: int | None, expected: list[tuple[str, bool]]
) -> None:
    skills = msgspec.json.encode({"need": ["language"], "relax_s": relax_s}).decode()
    desk.call_on(desk.waiting_ticket(language="pl", skills=skills))
    view = await desk.view()
    assert view.placed is not None
    assert [(each.agent, each.has_all) for each in view.placed.ring] == expected


async def test_who_is_away_or_held_by_another_call_is_not_rung(desk: Desk) -> None:
    desk.call_on(desk.waiting_ticket())
    await desk.turn(answering("", holds=("ania",), hold_s=30), session="phone:CA2")
    desk.store.write_now(lambda tx: presence.go(tx, desk.context, "ewa", until_us=None, keep=False, by="ewa"))
    view = await desk.view()
    assert view.placed is not None
    assert rung(view.placed.ring) == ["tomek"]


async def test_waiting_is_of_use_while_somebody_who_works_speaks(desk: Desk) -> None:
    desk.call_on(desk.waiting_ticket())
    await desk.turn(answering("", holds=("ania", "ewa", "tomek"), hold_s=30), session="phone:CA2")
    all_speak = (await desk.view()).placed
    assert all_speak is not None
    assert (all_speak.ring, all_speak.is_staffed) == ((), True)
    for agent in ("ania", "ewa", "tomek"):
        desk.store.write_now(
            functools.partial(
                presence.go, context=desk.context, name=agent, until_us=None, keep=False, by=agent
            )
        )
    all_gone = (await desk.view()).placed
    assert all_gone is not None
    assert (all_gone.ring, all_gone.is_staffed) == ((), False)


async def test_a_hold_that_has_ended_is_free_again(desk: Desk) -> None:
    desk.call_on(desk.waiting_ticket())
    await desk.turn(answering("", holds=("ania",), hold_s=30), session="phone:CA2")
    desk.clock.advance(31)
    view = await desk.view()
    assert view.placed is not None
    assert "ania" in rung(view.placed.ring)


async def test_whom_a_session_holds_itself_it_may_ring_on(desk: Desk) -> None:
    desk.call_on(desk.waiting_ticket())
    await desk.turn(answering("", holds=("ania",), hold_s=30))
    view = await desk.view()
    assert view.placed is not None
    assert "ania" in rung(view.placed.ring)


async def test_the_incident_is_told_within_five_seconds_and_no_longer(desk: Desk) -> None:
    assert (await desk.view()).incident == {}
    desk.store.write_now(lambda tx: incidents.begin(tx, {"en": "We know.", "pl": "Wiemy."}, by="ania"))
    desk.clock.advance(5)
    assert (await desk.view()).incident == {"en": "We know.", "pl": "Wiemy."}
    desk.store.write_now(lambda tx: incidents.end(tx, by="ania"))
    desk.clock.advance(5)
    assert (await desk.view()).incident == {}


async def test_one_incident_is_open_at_a_time(desk: Desk) -> None:
    desk.store.write_now(lambda tx: incidents.begin(tx, {"en": "We know."}, by="ania"))
    with pytest.raises(IncidentError, match="open already"):
        desk.store.write_now(lambda tx: incidents.begin(tx, {"en": "Again."}, by="ania"))


async def test_open_tickets_hear_of_an_incident_and_of_its_end(make: Make) -> None:
    react = """
react:
  - {id: told, on: incident_opened, then: {tags: [outage]}}
  - {id: over, on: incident_closed, then: {untag: [outage]}}
"""
    desk = make(RULES + react)
    open_one, done = desk.ticket_of_caller(), desk.ticket_of_caller(status="solved", solved_at=1)
    desk.store.write_now(lambda tx: incidents.begin(tx, {"en": "We know."}, by="ania"))
    assert await incident_telling.run_due(desk.store, desk.context) == 1
    tags = [desk.row("tickets", each["id"])["tags"] for each in (open_one, done)]
    assert tags == ['["outage"]', "[]"]
    desk.store.write_now(lambda tx: incidents.end(tx, by="ania"))
    await incident_telling.run_due(desk.store, desk.context)
    assert desk.row("tickets", open_one["id"])["tags"] == "[]"
    assert desk.store.read_now(incident_telling.next_due) is None


def waited(desk: Desk, *waits_s: int) -> None:
    for number, wait_s in enumerate(waits_s):
        desk.insert_call(call=f"W{number}", answered_at=desk.store.now_us() + wait_s * 1_000_000)


async def test_the_wait_is_a_range_of_what_callers_waited_lately(desk: Desk) -> None:
    waited(desk, 10, 20, 30, 40, 50)
    assert (await desk.view()).wait_s == (30, 50)
    desk.clock.advance(hours=2)
    assert (await desk.view()).wait_s is None


async def test_of_few_calls_no_wait_is_told(desk: Desk) -> None:
    waited(desk, 10, 20, 30, 40)
    assert (await desk.view()).wait_s is None


async def test_who_said_stop_is_shown_as_such_until_they_take_it_back(desk: Desk) -> None:
    def said(state: str) -> None:
        desk.store.write_now(
            lambda tx: tx.insert(
                schema.opt_outs, id=tx.new_id(), kind="phone", value=JAN, state=state, how="word", at=tx.now
            )
        )

    said("out")
    assert (await desk.view()).is_opted_out
    said("in")
    assert not (await desk.view()).is_opted_out
