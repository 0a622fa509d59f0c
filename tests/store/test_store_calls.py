"""Calls on both engines: a whole one, one that nobody took, two of one caller at once."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from intake import call_list, incident_telling, incidents
from intake.listing import Filters
from intake.store.engine import Store
from tests.phone.calling import JAN, OWN, RULES, Desk, event, happened
from tests.store.racing import WRITERS, at_once

REACT = """
react:
  - {id: later, on: call_missed, then: {tags: [call-back]}}
  - {id: outage, on: incident_opened, then: {tags: [outage]}}
"""


@pytest.fixture
def desk(store: Store, tmp_path: Path, clock: Any) -> Desk:
    return Desk(store, tmp_path, clock, rules=RULES + REACT)


def test_a_call_that_is_taken_and_one_that_leaves_a_message(desk: Desk) -> None:
    at = desk.clock()
    done = happened("menu_done", at, 6, choice="billing", open_ref=None)
    desk.tell(event(happened("started", at), done))
    desk.tell(event(happened("accepted", at, 9, agent="ewa"), happened("connected", at, 10, agent="ewa")))
    desk.tell(event(happened("ended", at, 12, status="completed", why="answered")))
    other = "+48600300400"
    desk.tell(event(happened("menu_done", at, 6, choice="support", open_ref=None), call="CA2", caller=other))
    recorded = happened("recorded", at, 80, recording="RE1", duration_s=9, why="voicemail")
    desk.tell(event(recorded, happened("ended", at, 81, why="voicemail"), call="CA2", caller=other))
    told = happened("transcribed", at, 90, text="a refund", language="en", confidence=0.5, recording="RE1")
    desk.tell(event(told, call="CA2", caller=other))
    first, second = (row["ticket_id"] for row in desk.rows("calls", "1 = 1 ORDER BY call"))
    assert desk.row("tickets", first)["agent"] == "ewa"
    assert (
        desk.clocks(desk.row("tickets", first))["first_response"]["state"] == "running"
    )  # 2 s are no answer
    assert desk.row("tickets", second)["team"] == "billing"
    shown = list(call_list.calls(desk.store, Filters(state="voicemail")))
    assert [each["call"] for each in shown] == ["CA2"]
    assert len(desk.store.read_now(lambda tx: call_list.of_ticket(tx, first))) == 1


async def test_a_missed_call_and_an_incident_reach_the_rules(desk: Desk) -> None:
    at = desk.clock()
    desk.tell(event(happened("started", at), happened("menu_done", at, 6, choice="support", open_ref=None)))
    desk.tell(event(happened("ended", at, 30, status="completed", why="hung_up_waiting")))
    desk.store.write_now(lambda tx: incidents.begin(tx, {"en": "We know."}, by="ania"))
    await incident_telling.run_due(desk.store, desk.context)
    (ticket,) = desk.rows("tickets")
    assert ticket["tags"] == '["call-back","outage"]'
    assert (await desk.view()).incident == {"en": "We know."}


def test_eight_calls_of_one_number_at_once_are_one_ticket(desk: Desk) -> None:
    """Eight lines of one caller, none of which is taken: settled by eight writers at the same moment."""
    at = desk.clock()
    done = happened("menu_done", at, 6, choice="support", open_ref=None)
    at_once([partial(desk.tell, event(done, call=f"CA{each}")) for each in range(WRITERS)])
    (ticket,) = desk.rows("tickets")
    assert ticket["messages"] == WRITERS
    assert len(desk.rows("messages")) == WRITERS
    assert {row["caller"] for row in desk.rows("calls")} == {JAN}
    assert {row["own"] for row in desk.rows("calls")} == {OWN}


def test_what_is_told_of_one_call_at_once_is_all_in_its_row(desk: Desk) -> None:
    """Eight daemons that settle eight things told of one call."""
    at = desk.clock()
    told = [happened("chose", at, each, id=f"c{each}", by="digit") for each in range(WRITERS)]
    at_once([partial(desk.tell, event(each)) for each in told])
    assert desk.call()["choices"] == "[" + ",".join(f'"c{each}"' for each in range(WRITERS)) + "]"
