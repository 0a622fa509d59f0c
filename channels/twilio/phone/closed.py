"""Outside opening hours: when we open again, in words, a text or whoever is on call by a key, and a message.

1 = a text with words of the admin's, offered to numbers that would get it; 2 = who is on call, where the account has
`emergency`. Whoever presses nothing is asked for a message, or hears good-bye.
"""

import msgspec

from channels.twilio.phone import choosing, menu, says, twiml, voicemail
from channels.twilio.phone.moment import Answer, Line, Moment
from channels.twilio.phone.state import State

WHY = "closed"
_replace = msgspec.structs.replace


def say(moment: Moment, state: State, lead: tuple[Line, ...]) -> Answer:
    """Say that we are closed, and ask what there is to ask; else take a message or hang up."""
    lines = (*lead, *words(moment, state.language))
    told = moment.happened("announced", what="closed")
    if not _offered(moment, state):
        return _go_on(moment, state, lines).after(told)
    return _ask(moment, _replace(state, misses=0, looks=0), lines).after(told)


def words(moment: Moment, language: str) -> tuple[Line, ...]:
    """We are closed, we open then, and whatever else the admin wants said."""
    lines = [moment.line(language, "closed")]
    opens = moment.view.next_open
    if opens is not None:
        text = says.opening(
            moment.options.sentences, language, now=moment.view.at, opens=opens, zone=moment.view.zone
        )
        lines.append(Line(text, language))
    note = moment.options.closed_note.get(language)
    return (*lines, Line(note, language)) if note else tuple(lines)


def _offered(moment: Moment, state: State) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Key -> its id and words, of what this caller may ask for."""
    offered = {}
    if moment.options.closed_text and moment.view.may_text:
        offered["1"] = (menu.TEXT, says.words(state.language, "text_words"))
    if moment.options.emergency:
        offered["2"] = (menu.EMERGENCY, says.words(state.language, "emergency_words"))
    return offered


def _ask(moment: Moment, state: State, lead: tuple[Line, ...]) -> Answer:
    offered = _offered(moment, state)
    reply = twiml.gather(
        moment,
        moment.turn_url("call/closed", state),
        (*lead, *(moment.line(state.language, f"{name}_offer") for name, _ in offered.values())),
        language=state.language,
        hints=choosing.hints(state, [word for _, heard in offered.values() for word in heard]),
    )
    return Answer(_replace(state, phase="closed", why=WHY), str(reply))


def answered(moment: Moment, state: State) -> Answer:
    """Send the text, put through to who is on call, or go on; what was not understood is asked once more."""
    name, by = choosing.heard(moment, state, _offered(moment, state))
    if name == menu.EMERGENCY or (name == menu.PERSON and moment.options.emergency):
        told = moment.happened("chose", id=menu.EMERGENCY, by=by)
        urgent = choosing.answered(moment, state, choice=menu.EMERGENCY, why="")
        return choosing.over(moment, urgent).after(told)
    if name == menu.TEXT:
        told = moment.happened("text_asked", by=by)
        return _go_on(moment, state, (moment.line(state.language, "text_coming"),)).after(told)
    if name == choosing.REPEAT and choosing.may_repeat(state):
        return _ask(moment, choosing.repeating(moment, state), words(moment, state.language))
    if not moment.request.digit and not moment.request.said:
        return _go_on(moment, state, ())
    state, missed = choosing.missed(moment, state)
    is_last = state.misses > 1 or not _offered(moment, state)
    after = _go_on(moment, state, ()) if is_last else _ask(moment, state, choosing.regret(moment, state))
    return after.after(missed)


def _go_on(moment: Moment, state: State, lead: tuple[Line, ...]) -> Answer:
    """Take a message, or hang up where the account does."""
    if moment.options.when_closed == "hang_up":
        good_bye = moment.line(state.language, "goodbye")
        return Answer(voicemail.leaving(state, WHY), twiml.good_bye(moment, (*lead, good_bye)))
    return voicemail.offer(moment, state, WHY, lead)
