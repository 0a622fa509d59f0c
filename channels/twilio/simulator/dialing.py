"""<Dial>: phones ring, somebody picks up, hears who calls, is connected or not; then the action is asked.

Source: twilio.com/docs/voice/twiml/dial and /number (2026-11). What the pages leave open can be chosen (Studio): whether the
first to pick up is whoever answers, or whoever lets the document of `url` come to its end ("pick"), and what
DialCallStatus is when somebody answered and was not connected. Who is not picked is hung up on. Numbers only: a conference, a
queue, a client or a SIP address is an error that says so.
"""

import dataclasses

from channels.twilio.simulator.grammar import Element
from channels.twilio.simulator.legs import VERBS, Ended, HungUp, Interrupted, Leg, Next
from channels.twilio.simulator.persona import Persona
from channels.twilio.simulator.provider import Call
from channels.twilio.simulator.scenario import Phone
from channels.twilio.simulator.virtual_time import FOR_EVER_S, Signal, either

RINGING_AFTER_S = 1.0
BUSY_AFTER_S = 2.0
_ORDER = ("no-answer", "busy", "failed", "canceled")


@dataclasses.dataclass(kw_only=True)
class Ring:
    """One <Dial> under way. decided: somebody is connected, or nobody is left; over: the talk has ended."""

    leg: Leg
    verb: Element
    decided: Signal
    over: Signal
    children: list["Child"] = dataclasses.field(default_factory=list)
    picked: "Child | None" = None
    bridged: "Child | None" = None
    bridged_at_s: float = 0

    def drop_others(self, kept: "Child") -> None:
        for each in self.children:
            if each is not kept:
                each.drop()

    def look(self) -> None:
        """Decide when nobody is left."""
        if all(each.is_done for each in self.children):
            self.decided.give()


class Child:
    """A phone that rings for a <Dial>."""

    def __init__(self, ring: Ring, noun: Element, phone: Phone) -> None:
        studio, parent = ring.leg.studio, ring.leg.call
        self.ring, self.noun, self.phone = ring, noun, phone
        self.call = Call(
            sid=studio.provider.sid("CA"),
            direction="outbound-dial",
            from_=ring.verb.get("callerId") or parent.from_,
            to=noun.text,
            status="initiated",
            created_at=studio.provider.at,
            parent=parent.sid,
        )
        studio.provider.calls[self.call.sid] = self.call
        persona = Persona(studio.name(noun.text), phone.acts())
        self.leg = Leg(studio, self.call, persona, place="whisper")
        self.is_done = False
        self._events = 0

    async def ring_it(self) -> None:
        """Ring until it is answered, and see what comes of it."""
        self._tell("initiated")
        try:
            await self.leg.rest(RINGING_AFTER_S)
            self.call.status = "ringing"
            self._tell("ringing")
            self.ring.leg.studio.rang.append((self.leg.studio.time.now_s, self.noun.text))
            await self._until_answered()
            await self._answered()
        except (HungUp, Ended, Interrupted):
            pass
        finally:
            self._finish()

    async def _until_answered(self) -> None:
        phone, leg = self.phone, self.leg
        if phone.unreachable:
            self.call.status = "failed"
            raise Ended
        if phone.busy:
            await leg.rest(BUSY_AFTER_S - RINGING_AFTER_S)
            self.call.status = "busy"
            raise Ended
        leg.say("rings")
        patience_s = self.ring.verb.seconds("timeout", 30) - RINGING_AFTER_S
        ends = {"busy": phone.declines, "in-progress": phone.answers}
        status, at_s = min(
            ((name, each) for name, each in ends.items() if each is not None),
            key=lambda found: found[1],
            default=("no-answer", patience_s),
        )
        await leg.rest(max(0.0, min(at_s, patience_s)))
        self.call.status = "no-answer" if at_s >= patience_s else status
        if self.call.status != "in-progress":
            leg.say("declines" if self.call.status == "busy" else "does not answer")
            raise Ended

    async def _answered(self) -> None:
        ring, leg = self.ring, self.leg
        self.call.started_at = leg.studio.provider.at
        leg.say("answers")
        if leg.studio.pick == "answer":
            ring.picked = self
            ring.drop_others(self)
        self._tell("answered")
        if "url" in self.noun.attributes:
            await leg.run(Next(ring.leg.at(self.noun.get("url"))))
            leg.check()
        if ring.bridged is not None or ring.leg.gone.is_given:
            raise Ended
        await self._talk()

    async def _talk(self) -> None:
        ring, leg = self.ring, self.leg
        ring.bridged, ring.bridged_at_s = self, leg.studio.time.now_s
        ring.drop_others(self)
        leg.say("is connected", ring.leg.persona.name)
        ring.decided.give()
        limit_s = ring.verb.seconds("timeLimit", 14_400)
        await leg.rest(min(self.phone.talks, limit_s))
        leg.say("hangs up")

    def drop(self) -> None:
        """Hang up on this phone: somebody else was quicker, or the caller is gone."""
        if not self.is_done:
            self.leg.leave()

    def _finish(self) -> None:
        self.is_done = True
        if not self.call.is_over:
            self.call.status = "completed" if self.call.started_at else "no-answer"
        self.call.ended_at = self.leg.studio.provider.at
        self.leg.studio.end_recordings(self.call)
        self._tell("completed")
        if self.ring.bridged is self:
            self.ring.over.give()
        self.ring.look()

    def _tell(self, event: str) -> None:
        wanted = self.noun.get("statusCallbackEvent", "completed").split()
        if event not in wanted or "statusCallback" not in self.noun.attributes:
            return
        studio = self.leg.studio
        url = self.ring.leg.at(self.noun.get("statusCallback"))
        studio.callback(url, studio.event(self.call, self._events))
        self._events += 1


def _nouns(leg: Leg, verb: Element) -> list[Element]:
    """Give the numbers that are dialled. Raises: Ended when there is anything that is not played here."""
    others = sorted({each.name for each in verb.children} - {"Number"})
    if others:
        shown = ", ".join(f"<{each}>" for each in others)
        leg.studio.webhooks.errors.append(f"{leg.url}: {shown} in <Dial> is not played here")
        raise Ended
    return verb.children or [Element("Number", verb.line, {}, [], verb.text)]


async def _dial(leg: Leg, verb: Element) -> Next | None:
    studio = leg.studio
    ring = Ring(leg=leg, verb=verb, decided=Signal(studio.time), over=Signal(studio.time))
    ring.children = [Child(ring, each, studio.phone(each.text)) for each in _nouns(leg, verb)]
    leg.say("waits", "rings " + ", ".join(each.leg.persona.name for each in ring.children))
    document = leg.url
    for each in ring.children:
        studio.time.start(each.ring_it())
    try:
        leaves_s = leg.persona.leaves_after()
        leaves_at_s = FOR_EVER_S if leaves_s is None else studio.time.now_s + leaves_s
        await _until(leg, ring.decided, leaves_at_s)
        if ring.bridged is not None:
            leg.answer()
            await _until(leg, ring.over, leaves_at_s)
    except (HungUp, Interrupted) as left:
        _end(ring)
        await _left(ring, left)
        raise
    if not verb.is_set("answerOnBridge"):
        leg.answer()
    leg.url = document
    return _action(ring, verb)


async def _until(leg: Leg, signal: Signal, leaves_at_s: float) -> None:
    """Wait for it until the caller has had enough. Raises: HungUp, Interrupted."""
    time = leg.studio.time
    await either(time, signal, leg.gone, seconds=leaves_at_s - time.now_s)
    leg.check()
    if not signal.is_given:
        leg.say("hangs up")
        leg.leave()
        raise HungUp


def _end(ring: Ring) -> None:
    """Hang up on everybody: the caller is gone."""
    for each in ring.children:
        each.drop()


async def _left(ring: Ring, why: Exception) -> None:
    """Ask the action although nobody is there to hear the answer: it tells how the ringing ended."""
    leg = ring.leg
    if not isinstance(why, HungUp) or "action" not in ring.verb.attributes:
        return
    leg.call.status = "completed"
    action = _action(ring, ring.verb)
    if action is not None:
        await leg.studio.webhooks.tell(action.url, leg.studio.fields(leg.call, **action.form))


def _status(ring: Ring) -> str:
    if ring.bridged is not None:
        return "completed"
    if ring.leg.is_left:
        return "canceled"
    if any(each.call.started_at for each in ring.children):
        return ring.leg.studio.unbridged_status
    found = {each.call.status for each in ring.children}
    return next((each for each in _ORDER if each in found), "no-answer")


def _action(ring: Ring, verb: Element) -> Next | None:
    if "action" not in verb.attributes:
        return None
    told = {"DialCallStatus": _status(ring), "DialBridged": str(ring.bridged is not None).lower()}
    child = ring.bridged or ring.picked or (ring.children[0] if len(ring.children) == 1 else None)
    if child is not None:
        told["DialCallSid"] = child.call.sid
    if ring.bridged is not None:
        told["DialCallDuration"] = str(round(ring.leg.studio.time.now_s - ring.bridged_at_s))
        told |= _recorded(ring)
    return Next(ring.leg.at(verb.get("action")), told)


def _recorded(ring: Ring) -> dict[str, str]:
    """Keep the talk when it was to be recorded, and tell of it."""
    verb, leg = ring.verb, ring.leg
    if verb.get("record", "do-not-record") in ("do-not-record", "false"):
        return {}
    talked_s = leg.studio.time.now_s - ring.bridged_at_s
    channels = 2 if verb.get("record").endswith("dual") else 1
    made = leg.studio.recording(
        leg.call, words="(a talk)", duration_s=talked_s, source="DialVerb", channels=channels
    )
    if "recordingStatusCallback" in verb.attributes:
        fields = leg.studio.recording_fields(leg.call, made)
        leg.studio.callback(leg.at(verb.get("recordingStatusCallback")), fields)
    return {"RecordingUrl": leg.studio.recording_url(made), "RecordingSid": made.sid}


VERBS["Dial"] = _dial
