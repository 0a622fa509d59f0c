"""The webhooks of calls that we make: signed, kept before they are answered, asked again when nothing can be kept."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from channels import testing
from channels.contract import View
from channels.page_calls import Paged
from channels.twilio import voice
from channels.twilio.simulator import grammar
from tests.phone import texting
from tests.phone.paged import said
from tests.phone.talking import SID

HOOK = "https://desk.example.com/hooks/texts/"
CALL = "CA" + "1" * 32
FORM = {"AccountSid": SID, "CallSid": CALL, "From": "+48221234502", "To": "+48600000002"}


class Gate(testing.MemoryGate):
    def __init__(self) -> None:
        super().__init__()
        at = datetime(2026, 11, 10, 2, tzinfo=UTC)
        self.shown = View(at=at, page=Paged(page="7", said="Urgent ticket."))


@pytest.fixture
async def served() -> AsyncIterator[texting.Served]:
    served = await texting.serve(Gate(), kind=voice, account_sid=SID, public_url="https://desk.example.com")
    yield served
    await served.stop()


async def post(served: texting.Served, path: str, **form: Any) -> tuple[int, str]:
    status, text = await served.post(FORM | form, path=path, signed=HOOK + path)
    return status, text


async def test_a_page_is_read_and_its_key_is_kept(served: texting.Served) -> None:
    status, text = await post(served, "page?o=7&n=0")
    assert (status, said(text)[:14]) == (200, "Urgent ticket.")
    _, text = await post(served, "page?o=7&n=1", Digits="1")
    grammar.read(text.encode())
    assert "page?o=7&amp;n=2" in text
    told = [each["what"] for raw in served.gate.stored for each in raw.envelope["happened"]]
    assert told == ["page_status", "page_acknowledged"]
    event = voice.parse(served.gate.stored[1], voice.Options(account_sid=SID))
    assert [each.what for each in event.happened] == ["page_acknowledged"]
    assert event.happened[0].details == {"page": "7", "call": CALL}


async def test_a_turn_that_twilio_asks_again_is_answered_alike_and_kept_once(served: texting.Served) -> None:
    first = await post(served, "page?o=7&n=1", Digits="1")
    again = await post(served, "page?o=7&n=1", Digits="1")
    assert (first, len(served.gate.stored)) == (again, 1)


async def test_what_is_not_signed_is_refused_and_nothing_is_stored(served: texting.Served) -> None:
    for path in ("page?o=7&n=0", "page/status?o=7"):
        status, _ = await served.post(FORM, path=path, signed=HOOK + "page?o=8&n=0")
        assert status == 403
    assert served.gate.stored == []


async def test_a_call_that_names_no_page_is_refused(served: texting.Served) -> None:
    for path in ("page", "page?o=x&n=0", "page?o=-1"):
        status, _ = await post(served, path)
        assert status == 403
    assert served.gate.stored == []


async def test_while_nothing_can_be_kept_the_agent_is_asked_to_wait_and_the_turn_comes_again(
    served: texting.Served,
) -> None:
    """Whoever is on the line hears no error: in the end they are told in another way."""
    served.gate.fault = "unavailable"
    _, text = await post(served, "page?o=7&n=1", Digits="1")
    grammar.read(text.encode())
    assert "page?o=7&amp;n=1&amp;again=1&amp;k=1" in text
    _, text = await post(served, "page?o=7&n=1&again=8")
    assert said(text).startswith("The desk cannot be reached at this moment.")


async def test_each_status_is_kept_once(served: texting.Served) -> None:
    for status in ("ringing", "busy", "busy"):
        code, text = await post(served, "page/status?o=7", CallStatus=status)
        assert code == 200
        assert grammar.read(text.encode()).name == "Response"
    events = [voice.parse(raw, voice.Options(account_sid=SID)) for raw in served.gate.stored]
    assert [event.happened[0].details for event in events] == [
        {"page": "7", "status": "ringing"},
        {"page": "7", "status": "busy"},
    ]


async def test_a_status_that_cannot_be_kept_is_to_come_again(served: texting.Served) -> None:
    served.gate.fault = "unavailable"
    status, _ = await post(served, "page/status?o=7", CallStatus="busy")
    assert status == 503


async def test_a_key_that_could_not_be_kept_is_kept_when_it_comes_again(served: texting.Served) -> None:
    """The agent pressed 1 once, and is not asked twice."""
    served.gate.fault = "unavailable"
    await post(served, "page?o=7&n=1", Digits="1")
    served.gate.fault = None
    await post(served, "page?o=7&n=1&again=1&k=1")
    event = voice.parse(served.gate.stored[0], voice.Options(account_sid=SID))
    assert [each.what for each in event.happened] == ["page_acknowledged"]


async def test_a_turn_that_fails_is_asked_again_and_no_error_is_heard(
    served: texting.Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours: Twilio would say that an application error has occurred."""

    async def turn(*_: object) -> str:
        raise ValueError("a bug")

    monkeypatch.setattr(served.gate, "turn", turn)
    status, text = await post(served, "page?o=7&n=1", Digits="1")
    assert (status, "again=1&amp;k=1" in text) == (200, True)
