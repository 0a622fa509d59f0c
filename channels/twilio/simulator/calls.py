"""Calls from their first ring to their last callback: somebody calls us, or we call somebody by REST.

Source: twilio.com/docs/voice/twiml, "Twilio's request to your application", /docs/voice/api/call-resource, "StatusCallback"
(2026-11): a number's voice_url, voice_fallback_url and status_callback; of our own calls what was asked for.
"""

from channels.twilio.simulator import asking, dialing, queueing
from channels.twilio.simulator.grammar import Flawed
from channels.twilio.simulator.legs import Ended, HungUp, Interrupted, Leg, Next, read_twiml
from channels.twilio.simulator.persona import Persona
from channels.twilio.simulator.provider import Call
from channels.twilio.simulator.scenario import Act, Phone
from channels.twilio.simulator.studio import Studio

VERBS_ARE_KNOWN = (asking, dialing, queueing)  # each brings its verbs
RINGING_AFTER_S = 1.0


class Switchboard:
    """Plays the calls of one studio."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.legs: dict[str, Leg] = {}
        studio.provider.on_call.append(self._asked_for)
        studio.provider.on_change.append(self._changed)

    def incoming(self, sender: str, to: str, acts: tuple[Act, ...] = ()) -> Leg:
        """Let somebody call one of our numbers; it is played by the studio's time."""
        provider = self.studio.provider
        call = Call(
            sid=provider.sid("CA"),
            direction="inbound",
            from_=sender,
            to=to,
            status="ringing",
            created_at=provider.at,
        )
        provider.calls[call.sid] = call
        leg = Leg(self.studio, call, Persona(self.studio.name(sender), acts))
        self.legs[call.sid] = leg
        self.studio.time.start(self._take_in(leg))
        return leg

    async def _take_in(self, leg: Leg) -> None:
        settings = self.studio.provider.numbers[leg.call.to].settings
        leg.say("calls", self.studio.name(leg.call.to))
        leg.fallback_url = settings.get("voice_fallback_url", "")
        if not settings.get("voice_url"):
            self.studio.webhooks.errors.append(f"{leg.call.to} has no voice_url: nobody answers")
        await self._converse(leg, Next(settings.get("voice_url", "")))
        self.studio.callback(settings.get("status_callback", ""), self.studio.event(leg.call, 0))

    async def _converse(self, leg: Leg, start: Next) -> None:
        """Do what documents say until the call is over."""
        following: Next | None = start
        while following is not None:
            try:
                await self._run(leg, following)
                following = None
            except Interrupted:
                following = leg.go_on()
            except (HungUp, Ended):
                following = None
        if leg.is_left:
            leg.say("is gone")
        call = leg.call
        if not call.is_over:
            call.status = "completed" if call.started_at else "no-answer"
        call.ended_at = self.studio.provider.at
        self.studio.end_recordings(call)
        leg.gone.give()
        persona = leg.persona
        self.studio.missed += [f"{persona.name} never heard {each!r}" for each in persona.missed]
        self.studio.missed += [f"{persona.name} never came to: {each}" for each in persona.left]

    async def _run(self, leg: Leg, start: Next) -> None:
        twiml = start.form.get("Twiml")
        if twiml is None:
            await leg.run(start)
            return
        try:
            following = await leg.execute(read_twiml(twiml))
        except Flawed as flawed:
            self.studio.webhooks.errors.append(f"Twiml of a request: {flawed}")
            raise Ended from None
        if following is not None:
            await leg.run(following)

    # -- calls that we ask for ----------------------------------------------------------------------------------------

    def _asked_for(self, call: Call) -> None:
        phone = self.studio.phone(call.to)
        leg = Leg(self.studio, call, Persona(self.studio.name(call.to), phone.acts()))
        self.legs[call.sid] = leg
        self.studio.time.start(self._call_out(leg, phone))

    async def _call_out(self, leg: Leg, phone: Phone) -> None:
        call, asked = leg.call, leg.call.asked
        leg.fallback_url = asked.get("FallbackUrl", "")
        told = _Told(self.studio, call, asked.get("StatusCallback", ""))
        call.status = "initiated"
        told.tell("initiated")
        try:
            await leg.rest(RINGING_AFTER_S)
            call.status = "ringing"
            told.tell("ringing")
            leg.say("rings", self.studio.name(call.from_))
            self.studio.rang.append((self.studio.time.now_s, call.to))
            await _until_answered(leg, phone)
            leg.answer()
            leg.say("answers")
            told.tell("answered")
            start = Next(asked.get("Url", ""), {"Twiml": asked["Twiml"]} if "Twiml" in asked else {})
            await self._converse(leg, start)
        except (HungUp, Ended, Interrupted):
            if not call.is_over:
                call.status = "completed" if call.started_at else "no-answer"
        call.ended_at = self.studio.provider.at
        told.tell("completed")

    def _changed(self, call: Call, asked: dict[str, str]) -> None:
        leg = self.legs.get(call.sid)
        if leg is not None:
            leg.change(asked)


class _Told:
    """The status callbacks of one call of ours."""

    def __init__(self, studio: Studio, call: Call, url: str) -> None:
        self._studio, self._call, self._url, self._count = studio, call, url, 0

    def tell(self, event: str) -> None:
        if event in self._call.events and self._url:
            self._studio.callback(self._url, self._studio.event(self._call, self._count))
            self._count += 1


async def _until_answered(leg: Leg, phone: Phone) -> None:
    """Ring until somebody answers. Raises: Ended when nobody does."""
    patience_s = float(leg.call.asked.get("Timeout", "60"))
    if phone.unreachable or phone.busy:
        leg.call.status = "failed" if phone.unreachable else "busy"
        raise Ended
    if phone.declines is not None and (phone.answers is None or phone.declines < phone.answers):
        await leg.rest(phone.declines)
        leg.call.status = "busy"
        leg.say("declines")
        raise Ended
    await leg.rest(patience_s if phone.answers is None else min(phone.answers, patience_s))
    if phone.answers is None or phone.answers >= patience_s:
        leg.call.status = "no-answer"
        leg.say("does not answer")
        raise Ended
