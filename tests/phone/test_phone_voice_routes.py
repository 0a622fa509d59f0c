"""The webhooks of a call: signed, kept before they are answered, answered with a voice whatever happens."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest

from channels import testing
from channels.contract import CallEvent, Happened, Identity, RawMessage, View
from channels.twilio import voice
from channels.twilio.simulator import grammar
from tests.phone import talking, texting
from tests.phone.talking import ANIA, CALL, JAN, OWN, SID, placed

HOOK = "https://desk.example.com/hooks/texts/"
FORM = {"AccountSid": SID, "CallSid": CALL, "From": JAN, "To": OWN, "Direction": "inbound"}
RINGING = FORM | {"CallStatus": "ringing"}
SPOKEN = ("call", "call/menu", "call/ring", "call/dialed", "call/recorded", "call/static")
TOLD = ("call/status", "call/leg", "call/recording", "call/transcription")


class Slow(testing.MemoryGate):
    """A gate whose turns are kept when they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = View(at=talking.NOON, placed=placed(ANIA))


@pytest.fixture
async def served() -> AsyncIterator[texting.Served]:
    served = await serve()
    yield served
    await served.stop()


async def serve(gate: Any = None, **changed: Any) -> texting.Served:
    usual = {"public_url": "https://desk.example.com", "menu": talking.MENU, "answer_within_s": 5}
    told = {"account_sid": SID} | usual | changed
    return await texting.serve(gate or Slow(), kind=voice, **told)


async def post(served: texting.Served, url: str, **form: str) -> grammar.Element:
    """Post what Twilio would, to an address that an answer has given; the answer, checked."""
    parts = urlsplit(url)
    path = parts.path.removeprefix("/hooks/texts/") + (f"?{parts.query}" if parts.query else "")
    status, text = await served.post(RINGING | form, path=path, signed=HOOK + path)
    assert status == 200
    return grammar.read(text.encode())


def names(root: grammar.Element) -> list[str]:
    return [each.name for each in root.walk()][1:]


def action(root: grammar.Element) -> str:
    return next(each.get("action") for each in root.walk() if each.get("action"))


async def test_a_call_is_kept_and_answered(served: texting.Served) -> None:
    root = await post(served, f"{HOOK}call")
    assert names(root)[0] == "Gather"
    stored = served.gate.stored[0]
    assert (stored.kind, stored.lane, stored.body) == (
        "twilio.voice",
        f"call:{CALL}",
        urlencode(RINGING).encode(),
    )
    assert stored.envelope["path"] == "call"
    assert stored.envelope["session"] == f"texts:{CALL}"


async def test_a_whole_call_goes_through_the_addresses_that_are_given(served: texting.Served) -> None:
    menu = await post(served, f"{HOOK}call")
    connecting = await post(served, action(menu), Digits="2")
    redirect = next(each.words for each in connecting.walk() if each.name == "Redirect")
    dial = await post(served, redirect)
    number = next(each for each in dial.walk() if each.name == "Number")
    leg = {"CallSid": talking.leg_of("ania"), "ParentCallSid": CALL, "From": OWN, "To": ANIA.phone}
    asked = await post(served, number.get("url"), **leg)
    told = await post(served, action(asked), Digits="1", **leg)
    assert names(await post(served, action(told), **leg)) == []
    await post(served, number.get("statusCallback"), CallStatus="completed", **leg)
    bye = await post(served, action(dial), DialCallStatus="completed", DialBridged="true")
    assert names(bye) == ["Say", "Hangup"]
    await post(served, f"{HOOK}call/status", CallStatus="completed", CallDuration="95")
    words = [each["what"] for raw in served.gate.stored for each in raw.envelope["happened"]]
    assert words == [
        "started",
        "chose",
        "menu_done",
        "ringing",
        "accepted",
        "connected",
        "agent_left",
        "ended",
    ]
    assert served.gate.sessions == {}


async def test_the_same_request_again_gets_the_same_answer_and_changes_nothing(
    served: texting.Served,
) -> None:
    menu = await post(served, f"{HOOK}call")
    first = await post(served, action(menu), Digits="1")
    before = dict(served.gate.sessions)
    assert await post(served, action(menu), Digits="1") == first
    assert (served.gate.sessions, len(served.gate.stored)) == (before, 2)


async def test_the_same_key_pressed_again_later_is_another_request(served: texting.Served) -> None:
    menu = await post(served, f"{HOOK}call")
    again = await post(served, action(menu), Digits="*")
    assert action(again) != action(menu)
    await post(served, action(again), Digits="*")
    assert len(served.gate.stored) == 3


async def test_callbacks_that_report_different_things_are_different_requests(served: texting.Served) -> None:
    dial = await post(served, action(await post(served, f"{HOOK}call")), Digits="0")
    dial = await post(served, next(each.words for each in dial.walk() if each.name == "Redirect"))
    url = next(each.get("statusCallback") for each in dial.walk() if each.name == "Number")
    for status in ("initiated", "ringing", "ringing", "no-answer", "no-answer"):
        await post(served, url, CallSid=talking.leg_of("ania"), ParentCallSid=CALL, CallStatus=status)
    told = [raw for raw in served.gate.stored if raw.envelope["path"] == "call/leg"]
    assert len(told) == 3
    for recording in ("RE1", "RE2"):
        await post(served, f"{HOOK}call/recording?of={CALL}", RecordingSid=recording, RecordingDuration="3")
    assert [raw.envelope["path"] for raw in served.gate.stored].count("call/recording") == 2


@pytest.mark.parametrize("path", [*SPOKEN, *TOLD, *talking.AGENT_PATHS])
async def test_what_twilio_has_not_signed_is_refused_and_not_kept(served: texting.Served, path: str) -> None:
    status, _ = await served.post(RINGING, path=path, signature="AAAA")
    assert (status, served.gate.stored) == (403, [])


async def test_the_query_is_under_the_signature(served: texting.Served) -> None:
    status, _ = await served.post(RINGING, path="call/menu?n=1", signed=f"{HOOK}call/menu?n=2")
    assert (status, served.gate.stored) == (403, [])


@pytest.mark.parametrize("path", SPOKEN[:4])
@pytest.mark.parametrize("fault", ["unavailable", "full", "crash"])
async def test_a_caller_hears_a_voicemail_when_nothing_can_be_kept(
    served: texting.Served, path: str, fault: testing.Fault
) -> None:
    served.gate.fault = fault
    root = await post(served, HOOK + path)
    assert "Record" in names(root)
    assert served.gate.stored == []


@pytest.mark.parametrize("path", talking.AGENT_PATHS)
async def test_an_agent_is_let_go_when_nothing_can_be_kept(served: texting.Served, path: str) -> None:
    served.gate.fault = "unavailable"
    assert names(await post(served, HOOK + path)) == ["Hangup"]


@pytest.mark.parametrize("path", TOLD)
async def test_what_nobody_listens_to_is_asked_for_again(served: texting.Served, path: str) -> None:
    served.gate.fault = "unavailable"
    status, _ = await served.post(RINGING, path=path, signed=HOOK + path)
    assert status == 503


async def test_a_caller_never_waits_for_a_slow_store_and_the_turn_is_kept_all_the_same() -> None:
    served = await serve(answer_within_s=0.05)
    served.gate.hold()
    began = asyncio.get_running_loop().time()
    root = await post(served, f"{HOOK}call")
    assert asyncio.get_running_loop().time() - began < 1
    assert "Record" in names(root)
    served.gate.let_go()
    async with asyncio.timeout(5):
        while not served.gate.stored:
            await asyncio.sleep(0)
    assert served.gate.sessions.keys() == {f"texts:{CALL}"}
    # the message that was left meanwhile finds the call where it is
    told = {"RecordingSid": "RE" + "a" * 32, "RecordingDuration": "8"}
    assert names(await post(served, action(root), **told)) == ["Say", "Hangup"]
    await post(served, f"{HOOK}call/status", CallStatus="completed")
    assert served.gate.stored[-1].envelope["happened"][0]["details"]["why"] == "voicemail"
    await served.stop()


async def test_a_turn_that_fails_after_nobody_waits_any_more_is_not_lost_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    served = await serve(answer_within_s=0.05)
    served.gate.hold()
    with caplog.at_level(logging.WARNING, logger="channels.twilio"):
        await post(served, f"{HOOK}call")
        served.gate.fault = "unavailable"
        served.gate.let_go()
        for _ in range(5):
            await asyncio.sleep(0)
    said = [record.getMessage() for record in caplog.records]
    assert [line.split()[0] for line in said] == ["call_answered_statically", "call_turn_lost"]
    assert talking.JAN not in "".join(said)
    await served.stop()


async def test_a_thousand_callers_who_get_a_voicemail_are_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    served = await serve()
    served.gate.fault = "unavailable"
    with caplog.at_level(logging.WARNING, logger="channels.twilio"):
        for number in range(20):
            await post(served, f"{HOOK}call", CallSid=f"CA{number:032x}")
    assert [record.getMessage() for record in caplog.records] == [
        "call_answered_statically account=texts reason=the store is down unsaid=0"
    ]
    await served.stop()


async def test_the_static_answer_speaks_the_accounts_languages() -> None:
    served = await serve(languages=("pl", "de"), menu=())
    served.gate.fault = "full"
    root = await post(served, f"{HOOK}call")
    assert {each.get("language") for each in root.walk() if each.name == "Say"} == {"pl-PL", "de-DE"}
    await served.stop()


class TestCallbacks(testing.ReceiverContract):
    """Twilio's callbacks keep the contract of every receiver; who is on the line has a voice instead: see above."""

    secrets = (texting.TOKEN,)

    def body(self) -> bytes:
        return urlencode(FORM | {"CallStatus": "completed"}).encode()

    def oversize(self) -> bytes:
        return urlencode(FORM | {"CallStatus": "completed", "x": "y" * 300_000}).encode()

    async def send(self, gate: testing.MemoryGate, body: bytes) -> testing.Answer:
        served = await serve(gate)
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        status, _ = await served.post(form, path="call/status", signed=f"{HOOK}call/status")
        await served.stop()
        return "taken" if status == 200 else "try again" if status == 503 else "refused"


def raw(path: str, *, query: dict[str, str] | None = None, **form: str) -> RawMessage:
    envelope = {"path": path} | ({"query": query} if query else {})
    return RawMessage(
        kind="twilio.voice",
        account="phone",
        lane=f"call:{CALL}",
        body=urlencode(FORM | form).encode(),
        received_at=talking.NOON,
        envelope=envelope,
    )


def event(*happened: tuple[str, dict[str, Any]], at: datetime = talking.NOON, **told: Any) -> CallEvent:
    each = tuple(Happened(what, at, details) for what, details in happened)
    base: dict[str, Any] = {
        "kind": "voice",
        "call": CALL,
        "direction": "in",
        "caller": Identity("phone", JAN),
        "own": OWN,
        "happened": each,
    }
    return CallEvent(**(base | told))


RECORDED = {"recording": "RE1", "duration_s": 4, "why": "voicemail"}
STARTED = {"to": OWN, "country": "", "known": False, "from": JAN}


class TestParse(testing.ParserContract):
    module = voice  # type: ignore[assignment]
    options = talking.options(languages=("en", "pl"))
    valid = (  # type: ignore[assignment]
        (
            msgspec.structs.replace(
                raw("call/language"),
                envelope={
                    "path": "call/language",
                    "session": f"phone:{CALL}",
                    "happened": [
                        {"what": "language", "at": "2026-11-10T11:00:00Z", "details": {"language": "pl"}}
                    ],
                },
            ),
            event(("language", {"language": "pl"}), language="pl"),
        ),
        (raw("call"), event(("started", STARTED))),
        (
            raw("call/recording", RecordingSid="RE1", RecordingDuration="4"),
            event(("recorded", RECORDED)),
        ),
        (raw("call/menu", query={"l": "pl"}), event(language="pl")),
        (
            raw("call/whisper", query={"of": CALL, "a": "ania"}, CallSid="CA2", From=OWN, To=ANIA.phone),
            event(caller=None, own=""),
        ),
        (
            raw("call/status", CallStatus="completed", CallDuration="7", From="anonymous"),
            event(
                ("started", {"to": OWN, "country": "", "known": False}),
                ("ended", {"status": "completed", "duration_s": 7, "why": "no_message"}),
                caller=None,
            ),
        ),
    )

    def test_a_call_out_is_ours(self) -> None:
        parsed = voice.parse(raw("call/status", Direction="outbound-api", From=OWN, To=JAN), self.options)
        assert (parsed.direction, parsed.caller, parsed.own) == ("out", Identity("phone", JAN), OWN)

    def test_what_the_reconciler_brings_says_when_it_was_and_what_it_cost(self) -> None:
        told = raw(
            "call/status",
            CallStatus="no-answer",
            CallDuration="0",
            StartTime="Tue, 10 Nov 2026 08:00:00 +0000",
            EndTime="Tue, 10 Nov 2026 08:00:20 +0000",
            Price="-0.0085",
            PriceUnit="USD",
        )
        happened = voice.parse(told, self.options).happened
        assert [(each.what, each.at.minute, each.at.second) for each in happened] == [
            ("started", 0, 0),
            ("ended", 0, 20),
            ("priced", 0, 0),
        ]
        assert happened[0].at == datetime(2026, 11, 10, 8, 0, tzinfo=UTC)
        assert happened[2].details == {"price": "-0.0085 USD"}

    @pytest.mark.parametrize("told", [7, "x", [1], [{"what": 1}], {"a": 1}])
    def test_an_envelope_that_makes_no_sense_is_read_without_it(self, told: Any) -> None:
        odd = msgspec.structs.replace(raw("call"), envelope={"path": "call", "query": 5, "happened": told})
        assert voice.parse(odd, self.options).happened[0].what == "started"

    def test_what_is_told_can_always_be_written_down(self) -> None:
        odd = msgspec.structs.replace(
            raw("call"), body=b"CallSid=CA1&From=%00%ff%ed%a0%80&To=%00x&FromCountry=%fe"
        )
        assert msgspec.json.encode(voice.parse(odd, self.options))
