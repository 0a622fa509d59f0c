"""A desk that is down while its customers write and call: what happens at Twilio, which webhooks come, late or never."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from channels import contract, testing
from channels.twilio import recovered, settings
from channels.twilio.api import Api
from channels.twilio.reconcile import Reconciler
from channels.twilio.reconcile_calls import Calls
from channels.twilio.reconcile_messages import Messages
from channels.twilio.simulator.provider import Call, Provider, Recording, Text, Transcription

OWN = "+48221234567"
OTHER = "+48221234599"
JAN = "+48600100200"
MARIA = "+48600100201"


class Desk:
    """One number, its two accounts of intake.yaml (texts, phone), a gate, and Twilio."""

    def __init__(self, provider: Provider, url: str, gate: Any = None, **more: Any) -> None:
        given = {"numbers": (OWN,), "auth_token": provider.token, "timeout_s": 60, **more}
        self.provider = provider
        self.options = settings.Options(account_sid=provider.account, api_url=url, **given)
        self.api = Api(self.options)
        self.gate = gate or testing.MemoryGate()
        self.skew = timedelta()

    def texts(self, account: str = "texts", **how: Any) -> Reconciler:
        source = Messages(account, self.options, kind="twilio.sms", medium="sms", api=self.api)
        return Reconciler(account, self.options, source, clock=self._clock, **how)

    def phone(self, **how: Any) -> Reconciler:
        source = Calls("phone", self.options, api=self.api, has_transcripts=True)
        return Reconciler("phone", self.options, source, clock=self._clock, **how)

    def _clock(self) -> Any:
        return self.provider.at + self.skew

    async def round(self, gate: contract.Gate | None = None) -> None:
        """Both accounts look once."""
        for each in (self.texts(), self.phone()):
            await each.round(gate or self.gate)

    # -- what happens at Twilio ---------------------------------------------------------------------------------------

    def reported(self, status: str, *, to: str = JAN, **more: Any) -> Text:
        """A text of ours that has come so far."""
        text = Text(
            sid=self.provider.sid("SM"),
            direction="outbound-api",
            from_=OWN,
            to=to,
            body="We look into it.",
            status=status,
            created_at=self.provider.at,
            sent_at=self.provider.at,
            **more,
        )
        self.provider.texts[text.sid] = text
        return text

    def called(
        self, seconds: float = 20, *, status: str = "completed", caller: str = JAN, **more: Any
    ) -> Call:
        """A call that is over."""
        call = Call(
            sid=self.provider.sid("CA"),
            direction="inbound",
            from_=caller,
            to=more.pop("to", OWN),
            status=status,
            created_at=self.provider.at,
            started_at=self.provider.at,
            ended_at=self.provider.at + timedelta(seconds=seconds),
            **more,
        )
        self.provider.calls[call.sid] = call
        return call

    def recorded(self, call: Call, seconds: int = 12, **more: Any) -> Recording:
        recording = Recording(
            sid=self.provider.sid("RE"),
            call=call.sid,
            created_at=call.ended_at or self.provider.at,
            duration_s=seconds,
            **more,
        )
        self.provider.recordings[recording.sid] = recording
        return recording

    def understood(self, recording: Recording, text: str) -> Transcription:
        made = Transcription(
            sid=self.provider.sid("TR"), recording=recording.sid, created_at=recording.created_at, text=text
        )
        self.provider.transcriptions[made.sid] = made
        return made

    def half_an_hour(self, count: int, *, seed: int = 7) -> list[contract.RawMessage]:
        """So many things happen within 30 minutes; the webhooks that would have told of them, in order."""
        source, told = random.Random(seed), []
        for number in range(count):
            self.provider.advance(1_800 / count)
            customer = f"+4860020{source.randrange(40):04}"
            told.append(self._something(source.randrange(4), number, customer, source))
        return told

    def _something(self, kind: int, number: int, customer: str, source: random.Random) -> contract.RawMessage:
        if kind == 0:
            return self.webhook(self.provider.receive(customer, OWN, f"text {number}"))
        if kind == 1:
            status = source.choice(("sent", "delivered", "undelivered", "failed", "read"))
            code = 30003 if status in ("undelivered", "failed") else None
            return self.callback(self.reported(status, to=customer, code=code))
        call = self.called(source.randrange(1, 200), caller=customer)
        if kind == 2:
            return self.status_of(call)
        return self.recording_of(self.recorded(call))

    # -- what a webhook brings ----------------------------------------------------------------------------------------

    def webhook(self, text: Text) -> contract.RawMessage:
        key = recovered.message_key(self.provider.account, text.sid)
        return self._raw("texts", "message", f"phone:{text.from_}", key)

    def callback(self, text: Text) -> contract.RawMessage:
        key = recovered.status_key(self.provider.account, text.sid, text.status)
        return self._raw("texts", "status", f"phone:{text.to}", key)

    def status_of(self, call: Call) -> contract.RawMessage:
        key = recovered.call_key(self.provider.account, call.sid, "call/status", call.status)
        return self._raw("phone", "call/status", f"call:{call.sid}", key)

    def recording_of(self, recording: Recording) -> contract.RawMessage:
        key = recovered.call_key(
            self.provider.account, recording.call, "call/recording", f"{recording.sid}:completed"
        )
        return self._raw("phone", "call/recording", f"call:{recording.call}", key)

    def _raw(self, account: str, path: str, lane: str, key: str) -> contract.RawMessage:
        return contract.RawMessage(
            kind="twilio.sms" if account == "texts" else "twilio.voice",
            account=account,
            lane=lane,
            body=b"From=a+webhook",
            received_at=self.provider.at,
            keys=(key,),
            envelope={"path": path},
        )

    # -- what has to be there -----------------------------------------------------------------------------------------

    def expected(self) -> set[str]:
        """The keys of everything at Twilio that an account has to have once it has looked."""
        provider = self.provider
        texts = provider.texts.values()
        return {
            *(self.webhook(each).keys[0] for each in texts if each.direction == "inbound"),
            *(self.callback(each).keys[0] for each in texts if each.direction == "outbound-api"),
            *(self.status_of(each).keys[0] for each in provider.calls.values()),
            *(self.recording_of(each).keys[0] for each in provider.recordings.values()),
        }

    @property
    def taken(self) -> list[str]:
        """The keys of everything stored, in order."""
        return [raw.keys[0] for raw in self.gate.stored]

    @property
    def said(self) -> list[str]:
        return [form(raw)["Body"] for raw in self.gate.stored if raw.envelope["path"] == "message"]


def form(raw: contract.RawMessage) -> dict[str, str]:
    return dict(parse_qsl(raw.body.decode(), keep_blank_values=True))


@pytest.fixture
async def desk(provider: Provider, api_url: str) -> AsyncIterator[Desk]:
    """A desk that has been up for a while: the first start is behind it."""
    desk = Desk(provider, api_url)
    await desk.round()
    provider.advance(60)
    yield desk
    await desk.api.close()


async def ended(desk: Desk) -> None:
    """Everything that happened is old enough by now; both accounts look."""
    desk.provider.advance(900)
    await desk.round()


class Killed(BaseException):
    """The end of the process, as far as it can be played in one."""


class Mortal:
    """A gate that dies at its nth call: before it is done, or after."""

    def __init__(self, gate: testing.MemoryGate, nth: int, *, is_done: bool) -> None:
        self._gate, self._left, self._is_done = gate, nth, is_done

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._gate, name)

        async def call(*given: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._is_done:
                raise Killed
            answer = await real(*given)
            if self._left == 0:
                raise Killed
            return answer

        return call
