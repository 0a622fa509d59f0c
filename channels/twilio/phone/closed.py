"""Outside opening hours: when we open again, in words, and a message if there is one."""

from channels.twilio.phone import says, twiml, voicemail
from channels.twilio.phone.moment import Answer, Line, Moment
from channels.twilio.phone.state import State


def say(moment: Moment, state: State, lead: tuple[Line, ...]) -> Answer:
    """Say that we are closed, and take a message or hang up."""
    lines = (*lead, *words(moment, state.language))
    told = moment.happened("announced", what="closed")
    if moment.options.when_closed == "hang_up":
        leaving = voicemail.leaving(state, "closed")
        good_bye = moment.line(state.language, "goodbye")
        return Answer(leaving, twiml.good_bye(moment, (*lines, good_bye)), (told,))
    return voicemail.offer(moment, state, "closed", lines).after(told)


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
