"""What Twilio tells beside the call: that it is over, what was recorded, what was said in it."""

from channels.contract import Happened
from channels.twilio.phone import twiml
from channels.twilio.phone.moment import FINAL, Answer, Moment, Request, number
from channels.twilio.phone.state import State

MAX_TEXT = 20_000
_IN_MENU = frozenset({"language", "offer", "menu"})


def status(moment: Moment, state: State | None) -> Answer:
    """End the session, and every ringing with it, when the customer's leg is over."""
    said = moment.request.form.get("CallStatus", "")
    if said not in FINAL:
        return Answer(state, twiml.EMPTY)
    return Answer(None, twiml.EMPTY, (ended(moment.request, why=why(state, said)),))


def why(state: State | None, said: str) -> str:
    """How the call ended, in a word of docs/phone.md; "no_message" when nothing is known of it."""
    if said != "completed":
        return "failed"
    if state is None:
        return "no_message"
    if state.claim is not None and state.claim.state != "claimed":
        return "answered"
    if state.why == "closed":
        return "closed"
    if state.phase == "leaving":
        return state.why
    if state.phase == "voicemail":
        return "no_message"
    return "hung_up_in_menu" if state.phase in _IN_MENU else "hung_up_waiting"


def ended(request: Request, *, why: str) -> Happened:
    told = {
        "status": request.form.get("CallStatus", "")[:20],
        "duration_s": number(request.form.get("CallDuration")),
        "why": why,
    }
    return Happened("ended", request.at, told)


def recorded(request: Request) -> tuple[Happened, ...]:
    """A recording is there, of a message or of a talk; nothing when it is empty or failed."""
    form = request.form
    recording, duration_s = form.get("RecordingSid", "")[:64], number(form.get("RecordingDuration"))
    is_empty = form.get("RecordingDuration") == "0"
    if not recording or is_empty or form.get("RecordingStatus", "completed") != "completed":
        return ()
    why = "call" if request.query.get("why") == "call" else "voicemail"
    return (Happened("recorded", request.at, {"recording": recording, "duration_s": duration_s, "why": why}),)


def transcribed(request: Request) -> tuple[Happened, ...]:
    """Twilio has written down what was said; confidence: it does not say how sure it is."""
    form = request.form
    text = form.get("TranscriptionText", "").strip()[:MAX_TEXT]
    if not text or form.get("TranscriptionStatus", "completed") != "completed":
        return ()
    told = {
        "text": text,
        "language": request.query.get("l", "en")[:8],
        "confidence": None,
        "recording": form.get("RecordingSid", "")[:64],
    }
    return (Happened("transcribed", request.at, told),)
