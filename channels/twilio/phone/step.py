"""The machine: one request of Twilio in, one Turn out. Pure: all it knows is what it is handed.

The customer's leg is in one phase at a time, and each of its requests carries the number that was given out last, so one
that comes late changes nothing. The legs of agents and Twilio's callbacks have addresses of their own and feed the same
state. A state that is lost does not end a call: it goes on to a person, or to a message.
"""

from collections.abc import Callable

import msgspec

from channels import contract
from channels.twilio.phone import (
    choosing,
    closed,
    ending,
    greeting,
    moment,
    placing,
    ringing,
    state,
    static,
    twiml,
    voicemail,
    whisper,
)
from channels.twilio.phone.moment import Answer, Moment
from channels.twilio.phone.options import Options
from channels.twilio.phone.state import State

WHISPER_S = 45  # beyond the ringing: what an agent hears, and thinks about
AFTER_TALK_S = 60
_replace = msgspec.structs.replace

_PHASES: dict[str, Callable[[Moment, State], Answer]] = {
    "language": greeting.language_chosen,
    "offer": greeting.offer_answered,
    "menu": greeting.menu_answered,
    "consent": placing.consented,
    "placing": placing.look,
    "dialing": ringing.dialed,
    "holding": ringing.held,
    "voicemail": voicemail.recorded,
    "leaving": voicemail.left,
    "closed": closed.answered,
}
_PATHS = {
    "language": "call/language",
    "offer": "call/offer",
    "menu": "call/menu",
    "consent": "call/consent",
    "placing": "call/ring",
    "dialing": "call/dialed",
    "holding": "call/hold",
    "voicemail": "call/recorded",
    "leaving": "call/recorded",
    "closed": "call/closed",
}
_AGENTS: dict[str, Callable[[Moment, State], Answer]] = {
    "call/whisper": whisper.told,
    "call/accept": whisper.accepted,
    "call/connected": whisper.connected,
    "call/leg": whisper.leg,
}
_BESIDE: dict[str, Callable[[Moment, State | None], Answer]] = {
    "call/status": ending.status,
    "call/recording": lambda at, kept: Answer(kept, twiml.EMPTY, ending.recorded(at.request)),
    "call/transcription": lambda at, kept: Answer(kept, twiml.EMPTY, ending.transcribed(at.request)),
}
CUSTOMER_PATHS = frozenset({"call", static.PATH, *_PATHS.values()})
AGENT_PATHS = frozenset(_AGENTS)
CALLBACK_PATHS = frozenset(_BESIDE)


class Machine:
    """Everything that a caller can do on one account."""

    def __init__(self, account: str, options: Options) -> None:
        self._account, self._options = account, options

    def step(self, kept: bytes | None, raw: contract.RawMessage, view: contract.View) -> contract.Turn:
        """Decide one turn. See contract.Step."""
        at = Moment(account=self._account, options=self._options, request=moment.read(raw), view=view)
        return self._turn(_answer(at, state.load(kept)))

    def _turn(self, answer: Answer) -> contract.Turn:
        after = answer.state
        return contract.Turn(
            state=None if after is None else state.keep(after),
            reply=answer.reply,
            happened=answer.happened,
            holds=() if after is None else after.ringing,
            hold_s=0 if after is None else self._hold_s(after),
        )

    def _hold_s(self, after: State) -> float:
        if not after.ringing:
            return 0
        is_talk = after.owner is not None
        return self._options.talk_max_s + AFTER_TALK_S if is_talk else self._options.ring_s + WHISPER_S


def _answer(at: Moment, known: State | None) -> Answer:
    path = at.request.path
    if path in _BESIDE:
        return _BESIDE[path](at, known)
    if path in _AGENTS:
        if known is None:
            return _nobody_there(at)
        return _AGENTS[path](at, known)
    if path == static.PATH:
        return _static(at, known)
    if at.request.is_over:
        return _gone(at, known)
    if known is None:
        return greeting.start(at) if path == "call" else _lost(at)
    if path == "call" or at.request.n < known.n:
        return _again(at, known)
    return _PHASES[known.phase](at, _replace(known, n=max(known.n, at.request.n) + 1))


def _static(at: Moment, known: State | None) -> Answer:
    anew = known or greeting.fresh(at, at.request.query.get("l"))
    answer = static.answered(at, anew)
    return Answer(None, answer.reply, answer.happened) if known is None and at.request.is_over else answer


def _gone(at: Moment, known: State | None) -> Answer:
    """Note what a request tells of a caller who has hung up: nobody rings for them any more, a message is kept."""
    if known is None:
        return Answer(None, twiml.EMPTY)
    if known.phase == "voicemail" and voicemail.has_message(at):
        known = voicemail.leaving(known, "voicemail")
    told: tuple[contract.Happened, ...] = ()
    claim = known.claim
    if claim is not None and claim.state == "claimed" and at.request.form.get("DialBridged") == "true":
        known = _replace(known, claim=_replace(claim, state="connected"))
        told = (at.happened("connected", agent=claim.agent),)
    return Answer(_replace(known, ringing=()), twiml.EMPTY, told)


def _again(at: Moment, known: State) -> Answer:
    """Send a request that came late to where the call is now, and change nothing."""
    url = at.turn_url(_PATHS[known.phase], known)
    return Answer(known, twiml.going_on(at, url))


def _nobody_there(at: Moment) -> Answer:
    """Tell an agent that the call is over; a callback about the agent's phone is told nothing."""
    if at.request.path == "call/leg":
        return Answer(None, twiml.EMPTY)
    return Answer(None, twiml.good_bye(at, [at.line(at.options.staff_language, "gone")]))


def _lost(at: Moment) -> Answer:
    """Go on with a call of which nothing is remembered: to a person, or to a message."""
    anew = greeting.fresh(at, at.request.query.get("l"))
    if at.request.form.get("DialBridged") == "true":
        return voicemail.left(at, voicemail.leaving(anew, "answered"))
    if at.request.path == "call/recorded":
        return voicemail.recorded(at, _replace(anew, phase="voicemail", attempts=voicemail.MAX_ATTEMPTS))
    if not at.view.is_open and at.options.when_closed != "ring":
        return closed.say(at, anew, ())
    return choosing.over(at, anew)
