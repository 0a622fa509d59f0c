"""Taking a message: asked for, recorded, not recorded. What was recorded is told by Twilio's callback, not by the caller."""

import msgspec

from channels.twilio.phone import twiml
from channels.twilio.phone.moment import Answer, Line, Moment, number
from channels.twilio.phone.state import State

MAX_ATTEMPTS = 2
_replace = msgspec.structs.replace


def offer(moment: Moment, state: State, why: str, lead: tuple[Line, ...]) -> Answer:
    """Take a message. why: closed, unanswered, nobody, not_placed, asked, unreachable."""
    told = moment.happened("voicemail_offered", why=why)
    return _record(moment, _replace(state, why=why), lead).after(told)


def _record(moment: Moment, state: State, lead: tuple[Line, ...]) -> Answer:
    state = _replace(state, phase="voicemail", attempts=state.attempts + 1, ringing=(), claim=None)
    lines = (*lead, moment.line(state.language, "leave_message"))
    reply = twiml.voicemail(
        moment,
        lines,
        action=moment.turn_url("call/recorded", state),
        call=state.call,
        language=state.language,
    )
    return Answer(state, reply)


def recorded(moment: Moment, state: State) -> Answer:
    """Thank for a message; ask once more when there was none; then good-bye."""
    language = state.language
    if has_message(moment):
        said = twiml.good_bye(moment, [moment.line(language, "message_kept")])
        return Answer(leaving(state, "voicemail"), said)
    if state.attempts < MAX_ATTEMPTS:
        return _record(moment, state, (moment.line(language, "nothing_recorded"),))
    lines = [moment.line(language, key) for key in ("nothing_recorded", "goodbye")]
    return Answer(leaving(state, "no_message"), twiml.good_bye(moment, lines))


def has_message(moment: Moment) -> bool:
    form = moment.request.form
    return bool(form.get("RecordingSid")) and number(form.get("RecordingDuration")) > 0


def leaving(state: State, why: str) -> State:
    """The state of a call that we have said good-bye to."""
    return _replace(state, phase="leaving", why=why, ringing=())


def left(moment: Moment, state: State) -> Answer:
    """Say good-bye again to somebody who is still there."""
    return Answer(state, twiml.good_bye(moment, [moment.line(state.language, "goodbye")]))
