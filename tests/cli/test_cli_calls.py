"""`intake calls` and `intake incident`: what a desk reads of its calls, and what callers are told."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from channels.contract import Happened
from intake import call_timeline
from intake.commands import event_text
from intake.store import opening, schema
from intake.store.engine import Tx
from tests.cli.conftest import Intake
from tests.phone.calling import JAN, happened

AT = datetime(2026, 11, 10, 9, tzinfo=UTC)
TOLD = (
    happened("started", AT),
    happened("chose", AT, 6, id="billing", by="digit"),
    happened("connected", AT, 20, agent="zoe"),
    happened("ended", AT, 200, status="completed", duration_s=200, why="answered"),
    happened("priced", AT, 300, price="-0.0085 USD"),
)


@pytest.fixture
def called(desk: Path, intake: Intake) -> Intake:
    """A desk that was called twice: answered, and hung up in the menu."""
    with closing(opening.open_store("", desk / "var")) as store:
        store.write_now(lambda tx: _insert(tx, call="CA1", told=TOLD, outcome="answered", caller=JAN))
        store.write_now(lambda tx: _insert(tx, call="CA2", told=TOLD[:1], outcome="hung_up", caller=None))
    return intake


def _insert(tx: Tx, *, told: tuple[Happened, ...], **columns: str | None) -> None:
    timeline = msgspec.json.encode(call_timeline.merged((), told)).decode()
    tx.insert(
        schema.calls,
        id=tx.new_id(),
        account="phone",
        direction="in",
        timeline=timeline,
        started_at=1,
        **columns,
    )


def test_every_call_is_listed_with_how_it_came_out(called: Intake) -> None:
    first, second = called("calls", "list", "--json").objects
    assert (first["call"], first["caller"], first["agent"], first["wait_s"], first["talk_s"]) == (
        "CA1", JAN, "zoe", 20, 180,
    )  # fmt: skip
    assert (first["price"], first["choices"]) == ("-0.0085 USD", ["billing"])
    assert second["caller"] is None


def test_calls_are_listed_for_people_and_by_outcome(called: Intake) -> None:
    listed = called("calls", "list", "--outcome", "answered").out
    assert JAN in listed
    assert "3 min" in listed
    assert "CA2" not in listed


def test_a_call_is_shown_with_its_timeline(called: Intake) -> None:
    (found,) = called("calls", "show", "CA1", "--json").objects
    assert [each["what"] for each in found["timeline"]] == [
        "started",
        "chose",
        "connected",
        "ended",
        "priced",
    ]
    shown = called("calls", "show", "CA1").out
    assert "+0:20  connected  agent zoe" in shown
    assert "+3:20  ended" in shown
    assert "cost      -0.0085 USD" in shown


def test_a_call_that_is_not_there_is_said_in_a_sentence(called: Intake) -> None:
    done = called("calls", "show", "CA9")
    assert (done.code, "there is no call CA9" in done.err) == (2, True)


def test_an_incident_is_opened_listed_and_closed(called: Intake) -> None:
    opened = called("incident", "open", "--as", "anna", "en=We know.", "pl=Wiemy.")
    assert opened.code == 0, opened.err
    (listed,) = called("incident", "list", "--json").objects
    assert (listed["texts"], listed["opened_by"], listed["closed_at"]) == (
        {"en": "We know.", "pl": "Wiemy."}, "anna", None,
    )  # fmt: skip
    assert called("incident", "close", "--as", "anna").code == 0
    assert called("incident", "list", "--json").objects[0]["closed_by"] == "anna"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("open", "--as", "anna", "We know."), "is not written like"),
        (("open", "--as", "nobody", "en=We know."), "there is no agent 'nobody'"),
        (("open", "--as", "anna", "en="), "1 to 500 characters"),
        (("close", "--as", "anna"), "no incident is open"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(called: Intake, given: tuple[str, ...], said: str) -> None:
    done = called("incident", *given)
    assert done.code == 2
    assert said in done.err


def test_a_tickets_history_says_what_happened_in_a_call() -> None:
    told = {"call": "CA1", "happened_at": "2026-11-10T09:00:00Z", "agents": ["ania", "ewa"], "status": ""}
    assert event_text.said("call_ringing", told) == "agents ania, ewa"
