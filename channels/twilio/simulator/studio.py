"""Where calls are played: the provider, its time, its webhooks, the phones that may ring, and all that is said."""

import asyncio
import io
import random
import wave
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec
import phonenumbers

from channels.twilio.simulator.provider import Call, Provider, Recording
from channels.twilio.simulator.scenario import Phone
from channels.twilio.simulator.virtual_time import Time
from channels.twilio.simulator.webhooks import Webhooks

Order = Literal["ordered", "late", "shuffled"]
RATE_HZ = 8_000
_SOUND_MAX_S = 2  # of a recording's bytes: nobody listens to it


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the transcript. at_s: since the play began; who: a name; kind: what they did; text: the rest."""

    at_s: float
    who: str
    kind: str
    text: str = ""
    call: str = ""


class Studio:
    """One play. phones: number -> how it behaves, one call after the other; pick: who wins a <Dial> (see scenario).

    settled: awaited before time goes on over a pause, so that the daemon has done what a turn has begun.
    """

    def __init__(self, provider: Provider, webhooks: Webhooks, *, time: Time | None = None) -> None:
        self.provider, self.webhooks = provider, webhooks
        self.time = time or Time(provider)
        self.random = random.Random(provider.random.random())  # noqa: S311 - reproducible on purpose
        self.phones: dict[str, list[Phone]] = {}
        self.names: dict[str, str] = {}
        self.lines: list[Line] = []
        self.missed: list[str] = []
        self.heard: dict[str, list[str]] = {}
        self.rang: list[tuple[float, str]] = []
        self.pick: Literal["answer", "bridge"] = "answer"
        self.callbacks: Order = "ordered"
        self.unbridged_status = "no-answer"
        self.settled: Callable[[], Awaitable[None]] = _nothing

    def say(self, who: str, kind: str, text: str = "", *, call: str = "") -> None:
        self.lines.append(Line(at_s=round(self.time.now_s, 1), who=who, kind=kind, text=text, call=call))

    def name(self, number: str) -> str:
        return self.names.get(number, number)

    def phone(self, number: str) -> Phone:
        """How a phone behaves that is called now; one that nobody has described just rings."""
        waiting = self.phones.get(number)
        if not waiting:
            return Phone(number=number)
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def callback(self, url: str, form: Mapping[str, str]) -> None:
        """Tell of something beside the call, in the order that was asked for."""
        if not url:
            return
        after_s = {"ordered": 0.0, "late": 30.0}.get(self.callbacks)
        fields = dict(form)

        async def tell() -> None:
            await self.webhooks.tell(url, fields)

        self.time.start(tell(), after_s=self.random.uniform(0, 20) if after_s is None else after_s)

    def fields(self, call: Call, **more: str) -> dict[str, str]:
        """Make what every request about a call carries (twilio.com/docs/voice/twiml, "Request parameters", 2026-11)."""
        own = {
            "AccountSid": self.provider.account,
            "ApiVersion": "2010-04-01",
            "CallSid": call.sid,
            "CallStatus": call.status,
            "Called": call.to,
            "Caller": call.from_,
            "Direction": call.direction,
            "From": call.from_,
            "To": call.to,
            "FromCountry": country(call.from_),
            "ToCountry": country(call.to),
        }
        parent = {"ParentCallSid": call.parent} if call.parent else {}
        return own | parent | more

    def event(self, call: Call, number: int, **more: str) -> dict[str, str]:
        """Make what a status callback carries beside the fields of the call."""
        done = (
            {"CallDuration": str(call.duration_s), "Duration": str(-(-call.duration_s // 60))}
            if call.is_over
            else {}
        )
        stamp = self.provider.at.strftime("%a, %d %b %Y %H:%M:%S +0000")
        return self.fields(
            call,
            Timestamp=stamp,
            CallbackSource="call-progress-events",
            SequenceNumber=str(number),
            **done,
            **more,
        )

    def recording(
        self, call: Call, *, words: str, duration_s: float, source: str, channels: int = 1
    ) -> Recording:
        """Keep what was said."""
        made = Recording(
            sid=self.provider.sid("RE"),
            call=call.sid,
            created_at=self.provider.at,
            duration_s=max(1, round(duration_s)),
            source=source,
            channels=channels,
            content=sound(min(duration_s, _SOUND_MAX_S)),
            words=words,
        )
        self.provider.recordings[made.sid] = made
        return made

    def end_recordings(self, call: Call) -> None:
        """End what a request began to record on a call that is over, and tell of it."""
        for made in self.provider.recordings.values():
            if made.call != call.sid or made.status not in ("in-progress", "paused", "stopped"):
                continue
            seconds = (self.provider.at - made.created_at).total_seconds()
            made.duration_s, made.content = max(1, round(seconds)), sound(min(seconds, _SOUND_MAX_S))
            made.status = "completed"
            url = made.asked.get("RecordingStatusCallback", "")
            self.callback(url, self.recording_fields(call, made))

    def recording_fields(self, call: Call, made: Recording) -> dict[str, str]:
        """Make what a recording callback carries (twilio.com/docs/voice/twiml/record, 2026-11)."""
        return {
            "AccountSid": self.provider.account,
            "CallSid": call.sid,
            "RecordingSid": made.sid,
            "RecordingUrl": self.recording_url(made),
            "RecordingStatus": made.status,
            "RecordingDuration": str(made.duration_s),
            "RecordingChannels": str(made.channels),
            "RecordingSource": made.source,
            "RecordingStartTime": made.created_at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            "RecordingTrack": "both",
        }

    def recording_url(self, made: Recording) -> str:
        return f"https://api.twilio.com/2010-04-01/Accounts/{self.provider.account}/Recordings/{made.sid}"


async def _nothing() -> None:
    await asyncio.sleep(0)


def country(number: str) -> str:
    """Which country a number is of, "" = none that is known."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number.removeprefix("whatsapp:"))) or ""
    except phonenumbers.NumberParseException:
        return ""


def sound(seconds: float) -> bytes:
    """Make a quiet WAV of that length."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(RATE_HZ)
        file.writeframes(b"\x80" * int(RATE_HZ * seconds))
    return written.getvalue()
