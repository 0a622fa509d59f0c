"""What is answered when nothing can be kept: a ringing call is answered all the same, and a message is taken.

Twilio keeps the message, its callback or the reconciler brings it. `answer` looks at nothing but the request itself.
"""

import msgspec

from channels import contract
from channels.twilio.phone import twiml, voicemail
from channels.twilio.phone.moment import Answer, Line, Moment, Request
from channels.twilio.phone.options import Options
from channels.twilio.phone.state import State

PATH = "call/static"
_AGENTS = frozenset({"call/whisper", "call/accept", "call/connected"})
_RECORDED = frozenset({PATH, "call/recorded"})


def answer(account: str, options: Options, request: Request) -> str:
    """Give the TwiML for a request whose turn could not be kept."""
    at = Moment(account=account, options=options, request=request, view=contract.View(at=request.at))
    if request.path in _AGENTS:
        return twiml.good_bye(at, ())
    languages = _languages(at)
    if request.path in _RECORDED:
        key = "message_kept" if voicemail.has_message(at) else "goodbye"
        return twiml.good_bye(at, _lines(at, languages, key))
    if request.form.get("DialBridged") == "true":
        return twiml.good_bye(at, _lines(at, languages, "goodbye"))
    return message(at, languages)


def message(at: Moment, languages: tuple[str, ...]) -> str:
    """Say in each language that nobody can take the call, and take a message."""
    return twiml.voicemail(
        at,
        _lines(at, languages, "nobody", "leave_message"),
        action=at.url(PATH, l=languages[0] if len(languages) == 1 else ""),
        call=at.request.call,
        language=languages[0],
    )


def _languages(at: Moment) -> tuple[str, ...]:
    chosen = at.request.query.get("l")
    return (chosen,) if chosen in at.options.languages else at.options.languages


def _lines(at: Moment, languages: tuple[str, ...], *keys: str) -> list[Line]:
    return [at.line(language, key) for language in languages for key in keys]


def answered(at: Moment, known: State) -> Answer:
    """Go on, now that turns are kept again, with a call that was given the static answer."""
    told = at.happened("voicemail_offered", why="unreachable")
    state = msgspec.structs.replace(known, phase="voicemail", attempts=voicemail.MAX_ATTEMPTS, n=known.n + 1)
    return voicemail.recorded(at, state).after(told)
