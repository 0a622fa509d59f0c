"""Calls from tickets whose callbacks were lost: how they ended, what was recorded, what they cost, and no others."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from channels import contract
from channels.twilio import voice
from channels.twilio.simulator.provider import Call
from intake import call_timeline
from tests.phone.outage import JAN, OTHER, OWN, Desk, desk, ended

__all__ = ["desk"]


class Talk:
    """An agent's talk with JAN of 60 s, all of whose callbacks were lost; both legs cost something."""

    def __init__(
        self, desk: Desk, *, known_by: str | None = "out/status:initiated", seconds: float = 60
    ) -> None:
        self.desk = desk
        self.agent, self.customer = desk.called(seconds + 30), desk.called(seconds)
        self.agent.direction, self.agent.from_, self.agent.to = "outbound-api", OWN, "+48600000001"
        self.customer.direction, self.customer.from_, self.customer.to = "outbound-dial", OWN, JAN
        self.customer.parent = self.agent.sid
        self.agent.price, self.customer.price = "-0.0100", "-0.0195"
        self.known_by = known_by

    async def asked_for(self) -> "Talk":
        """Have the journal know a request of it."""
        if self.known_by is not None:
            raw = self.desk.status_of(self.agent)
            key = f"twilio:{self.desk.provider.account}:{self.agent.sid}:{self.known_by}"
            await self.desk.gate.submit(
                contract.RawMessage(
                    kind=raw.kind, account=raw.account, lane=raw.lane, body=b"", received_at=raw.received_at, keys=(key,)
                )
            )  # fmt: skip
            self.desk.gate.stored.clear()
        return self

    def key(self, leg: Call, what: str) -> str:
        return f"twilio:{self.desk.provider.account}:{leg.sid}:{what}"

    def told(self) -> dict[str, contract.Happened]:
        """What all of it together says."""
        given = voice.Options(account_sid=self.desk.provider.account)
        events = [voice.parse(raw, given) for raw in self.desk.gate.stored]
        assert {(event.call, event.direction) for event in events} <= {(self.agent.sid, "out")}
        return {each.what: each for event in events for each in event.happened}


async def test_a_call_from_a_ticket_has_its_end_its_recording_and_its_cost(desk: Desk) -> None:
    talk = await Talk(desk).asked_for()
    recording = desk.recorded(talk.agent, 50, source="StartCallRecordingAPI")
    await ended(desk)
    assert desk.taken == [
        talk.key(talk.customer, "out/leg:completed"),
        talk.key(talk.agent, f"out/recording:{recording.sid}completed"),
        talk.key(talk.agent, "out:priced"),
    ]
    told = talk.told()
    assert (told["ended"].details["why"], told["ended"].details["duration_s"]) == ("answered", 60)
    assert told["priced"].details == {"price": "-0.0295 USD"}
    assert told["recorded"].details["duration_s"] == 50
    await ended(desk)
    assert len(desk.gate.stored) == 3


async def test_what_is_brought_says_when_it_was_and_stands_in_the_calls_one_lane(desk: Desk) -> None:
    """Both legs settle in one order, whoever tells of them; a talk of yesterday did not end today."""
    talk = await Talk(desk).asked_for()
    desk.recorded(talk.agent, 50, source="StartCallRecordingAPI")
    desk.provider.advance(hours=8)
    await ended(desk)
    assert {raw.lane for raw in desk.gate.stored} == {f"call:{talk.agent.sid}"}
    told = talk.told()
    assert told["ended"].at == talk.customer.ended_at
    [recording] = desk.provider.recordings.values()
    assert told["recorded"].at == recording.created_at + timedelta(seconds=recording.duration_s)


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
async def test_a_leg_that_nobody_answered_is_told_as_it_ended(desk: Desk, status: str) -> None:
    talk = Talk(desk, seconds=0)
    talk.customer.status = status
    await talk.asked_for()
    await ended(desk)
    assert desk.taken[0] == talk.key(talk.customer, f"out/leg:{status}")
    assert talk.told()["ended"].details["status"] == status


@pytest.mark.parametrize("known_by", ["out:0", "out/status:ringing", "out/status:completed"])
async def test_whatever_the_journal_knows_of_a_call_makes_it_ours(desk: Desk, known_by: str) -> None:
    await Talk(desk, known_by=known_by).asked_for()
    await ended(desk)
    assert len(desk.gate.stored) == 2


async def test_a_call_of_which_the_journal_knows_nothing_is_somebody_elses(desk: Desk) -> None:
    talk = await Talk(desk, known_by=None).asked_for()
    desk.recorded(talk.agent, 50, source="StartCallRecordingAPI")
    await ended(desk)
    assert desk.gate.stored == []


def _in_progress(talk: Talk) -> None:
    talk.customer.status, talk.customer.ended_at = "in-progress", None


def _still_recording(talk: Talk) -> None:
    talk.desk.recorded(talk.agent, 50, source="StartCallRecordingAPI", status="processing")


def _half_priced(talk: Talk) -> None:
    talk.customer.price = None


def _oddly_priced(talk: Talk) -> None:
    talk.customer.price = "?"


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        (_in_progress, []),
        (_still_recording, ["out/leg", "out"]),
        (_half_priced, ["out/leg"]),
        (_oddly_priced, ["out/leg"]),
    ],
)
async def test_what_is_not_known_yet_is_waited_for(
    desk: Desk, change: Callable[[Talk], None], paths: list[str]
) -> None:
    talk = await Talk(desk).asked_for()
    change(talk)
    await ended(desk)
    assert [raw.envelope["path"] for raw in desk.gate.stored] == paths


async def test_callbacks_have_two_minutes(desk: Desk) -> None:
    talk = await Talk(desk).asked_for()
    assert talk.agent.ended_at is not None
    desk.provider.at = talk.agent.ended_at
    desk.provider.advance(115)
    await desk.round()
    assert desk.gate.stored == []
    desk.provider.advance(10)
    await desk.round()
    assert len(desk.gate.stored) == 2


async def test_the_ledger_counts_what_customers_did_not_what_we_did(desk: Desk) -> None:
    await Talk(desk).asked_for()
    await ended(desk)
    [counted] = [each.keys for each in desk.gate.inventories if each.account == "phone"][-1:]
    assert counted == ()


async def test_only_the_calls_of_the_number_and_the_window_are_asked_for(desk: Desk) -> None:
    """An account makes many calls, for years; each list names the number and a day."""
    desk.provider.asked.clear()
    await Talk(desk).asked_for()
    await ended(desk)
    asked: list[dict[str, Any]] = [dict(each.parameters) for each in desk.provider.asked_for("Calls", "GET")]
    outgoing = [each for each in asked if "From" in each]
    assert [each["From"] for each in outgoing] == [OWN]
    assert all("StartTime>" in each for each in asked if "PageSize" in each and each["PageSize"] != "1")
    assert len(desk.provider.asked_for("Recordings", "GET")) == 1


async def test_without_a_call_from_a_ticket_no_recordings_are_asked_for(desk: Desk) -> None:
    desk.provider.asked.clear()
    await ended(desk)
    assert desk.provider.asked_for("Recordings", "GET") == []


async def test_a_call_of_another_number_is_not_listed(desk: Desk) -> None:
    talk = Talk(desk)
    talk.agent.from_ = talk.customer.from_ = OTHER
    await talk.asked_for()
    await ended(desk)
    assert desk.gate.stored == []


def _rang(desk: Desk, parent: Call, *, price: str | None, status: str = "completed") -> Call:
    """An agent's leg of a customer's call, called with our number."""
    leg = desk.called(60)
    leg.direction, leg.from_, leg.to = "outbound-dial", OWN, "+48600000001"
    leg.parent, leg.price, leg.status = parent.sid, price, status
    return leg


@pytest.mark.parametrize(
    ("prices", "wanted"), [(("-0.0140", None), "-0.0225 USD"), ((None, None), "-0.0085 USD")]
)
async def test_a_customers_call_costs_what_its_agents_legs_cost_as_well(
    desk: Desk, prices: tuple[str | None, str | None], wanted: str
) -> None:
    """Whoever did not answer may have no price; one who talked and has none yet is waited for."""
    call = desk.called(90)
    call.price = "-0.0085"
    _rang(desk, call, price=prices[0])
    _rang(desk, call, price=prices[1], status="no-answer")
    for _ in range(2):  # whose they are is known once the end of the call is
        await ended(desk)
    given = voice.Options(account_sid=desk.provider.account)
    told = [each for raw in desk.gate.stored for each in voice.parse(raw, given).happened]
    assert call_timeline.state(call_timeline.merged((), told)).price == wanted
    stored = len(desk.gate.stored)
    await ended(desk)
    assert len(desk.gate.stored) == stored
