"""One leg of a call: a party on the phone, and the TwiML that it is told, verb after verb.

Source: twilio.com/docs/voice/twiml and its pages (2026-11): a document's end hangs up; a party that hangs up ends the leg
wherever it is; a request of the REST API (Twiml, Url, Status) interrupts what runs.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from channels.twilio.simulator import grammar
from channels.twilio.simulator.grammar import Element, Place
from channels.twilio.simulator.persona import Persona, speaking_s
from channels.twilio.simulator.provider import Call
from channels.twilio.simulator.studio import Studio
from channels.twilio.simulator.virtual_time import Signal
from channels.twilio.simulator.webhooks import Failed, resolved

MAX_DOCUMENTS = 200
PLAYED_S = 10.0  # of a sound whose length nobody knows
APOLOGY = "We are sorry, an application error has occurred. Goodbye."
_ANSWERING = frozenset(("Say", "Play", "Gather", "Record", "Enqueue"))


class HungUp(Exception):
    """The party has hung up."""


class Ended(Exception):
    """TwiML has ended the leg (<Hangup>, or the document's end)."""


class Interrupted(Exception):
    """A request of the REST API has something else in mind for this leg."""


class Next(msgspec.Struct, frozen=True):
    """Where a leg goes on. form: beside the usual fields."""

    url: str
    form: dict[str, str] = {}


Verb = Callable[["Leg", Element], Awaitable[Next | None]]


class Leg:
    """A leg under way. place: which verbs its documents may have; on_answer: what else happens when it is answered."""

    def __init__(self, studio: Studio, call: Call, persona: Persona, *, place: Place = "voice") -> None:
        self.studio, self.call, self.persona, self.place = studio, call, persona, place
        self.gone = Signal(studio.time)
        self.is_left = False
        self.url = ""
        self.fallback_url = ""
        self.asked: dict[str, str] = {}
        self._documents = 0
        studio.heard.setdefault(call.sid, persona.heard)

    async def run(self, start: Next) -> None:
        """Do what the documents say until one ends. Raises: HungUp, Ended, Interrupted."""
        following: Next | None = start
        while following is not None:
            following = await self.execute(await self._fetch(following))
        self.say("hears the end")

    async def execute(self, root: Element) -> Next | None:
        """Do the verbs in order; where to go on, None = the document has ended."""
        for verb in root.children:
            following = await self._verb(verb)
            if following is not None:
                return following
        return None

    async def _verb(self, verb: Element) -> Next | None:
        self.check()
        if verb.name in _ANSWERING:
            self.answer()
        found = VERBS.get(verb.name)
        if found is None:
            self.studio.webhooks.errors.append(f"{self.url}: <{verb.name}> is not played here")
            raise Ended
        return await found(self, verb)

    async def _fetch(self, following: Next) -> Element:
        self._documents += 1
        if self._documents > MAX_DOCUMENTS:
            self.studio.webhooks.errors.append(f"{following.url}: the call goes round in circles")
            raise Ended
        self.url = following.url
        try:
            return await self.studio.webhooks.document(
                following.url,
                self.studio.fields(self.call, **following.form),
                place=self.place,
                fallback_url=self.fallback_url,
            )
        except Failed as failed:
            self.say("error", str(failed))
            self.hear(APOLOGY)
            raise Ended from None

    # -- what verbs use -----------------------------------------------------------------------------------------------

    def at(self, url: str) -> str:
        """Give a URL of the current document as an absolute one."""
        return resolved(url, of=self.url) if url else self.url

    def say(self, kind: str, text: str = "") -> None:
        self.studio.say(self.persona.name, kind, text, call=self.call.sid)

    def hear(self, words: str) -> None:
        self.persona.hear(words)
        self.say("hears", words)

    def answer(self) -> None:
        """Let the call be answered, if it was not."""
        if self.call.started_at is None:
            self.call.status, self.call.started_at = "in-progress", self.studio.provider.at

    def check(self) -> None:
        """Raises: HungUp, Interrupted."""
        if self.gone.is_given:
            raise Interrupted if self.asked else HungUp

    async def rest(self, seconds: float) -> None:
        """Let time go by on this leg. Raises: HungUp, Interrupted."""
        await self.gone.within(seconds)
        self.check()

    def leave(self) -> None:
        """Let the party hang up, or be hung up."""
        self.is_left = True
        self.gone.give()

    def change(self, asked: dict[str, str]) -> None:
        """Take a request of the REST API that changes this leg."""
        self.asked = asked
        self.gone.give()

    def go_on(self) -> Next | None:
        """Go on after an interruption: where to, None = the leg is to end."""
        asked, self.asked = self.asked, {}
        self.gone = Signal(self.studio.time)
        if asked.get("Status") or not (asked.get("Url") or asked.get("Twiml")):
            return None
        return Next(asked.get("Url", ""), {"Twiml": asked["Twiml"]} if "Twiml" in asked else {})


# -- verbs ------------------------------------------------------------------------------------------------------------


async def _say(leg: Leg, verb: Element) -> None:
    leg.hear(verb.words)
    await leg.rest(speaking_s(verb.words) * max(1, verb.seconds("loop", 1)))


async def _play(leg: Leg, verb: Element) -> None:
    leg.say("hears", f"({'keys ' + verb.get('digits') if 'digits' in verb.attributes else verb.text})")
    loops = verb.seconds("loop", 1) or 360
    await leg.rest(PLAYED_S * loops)


async def _pause(leg: Leg, verb: Element) -> None:
    await leg.studio.settled()
    await leg.rest(verb.seconds("length", 1))


async def _redirect(leg: Leg, verb: Element) -> Next:
    await leg.studio.settled()
    return Next(leg.at(verb.text))


async def _hangup(leg: Leg, _: Element) -> Next | None:
    leg.say("is hung up on")
    raise Ended


async def _reject(leg: Leg, verb: Element) -> Next | None:
    leg.call.status = "busy" if verb.get("reason", "rejected") == "busy" else "no-answer"
    leg.say("is rejected")
    raise Ended


async def _leave(_: Leg, __: Element) -> None:
    return None


def prompt(gather: Element) -> tuple[list[str], float]:
    """Give what is said inside a <Gather>, and how long that takes."""
    words: list[str] = []
    seconds = 0.0
    for each in gather.children:
        if each.name == "Say":
            words.append(each.words)
            seconds += speaking_s(each.words)
        else:
            seconds += each.seconds("length", 1) if each.name == "Pause" else PLAYED_S
    return words, seconds


VERBS: dict[str, Verb | Callable[[Leg, Element], Awaitable[Any]]] = {
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Redirect": _redirect,
    "Hangup": _hangup,
    "Reject": _reject,
    "Leave": _leave,
}


def read_twiml(text: str) -> Element:
    """Read TwiML that came with a request of the REST API. Raises: Flawed."""
    return grammar.read(text.encode())
