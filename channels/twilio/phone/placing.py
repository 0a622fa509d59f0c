"""Between the menu and the first ring: the consent to be recorded, and the wait until the rules have placed the call."""

import msgspec

from channels import recording
from channels.twilio.phone import patience, questions, ringing, twiml
from channels.twilio.phone.moment import Answer, Line, Moment
from channels.twilio.phone.state import State

MAX_LOOKS = 6  # a second each
_replace = msgspec.structs.replace


def begin(moment: Moment, state: State, lead: tuple[Line, ...] = ()) -> Answer:
    """Ask or tell about recording where the account records; else go on looking.

    Who found no right key is asked only while there is time for it: without a consent nothing is recorded.
    """
    record = recording.mode(moment.options.record, state.caller) if state.may_record is None else "off"
    if record == "ask" and _may_ask(moment, state, lead):
        asked = twiml.gather(
            moment,
            moment.turn_url("call/consent", state),
            (*lead, *questions.of_recording(moment.options, state.language)),
            language=state.language,
            timeout_s=patience.CONSENT_TIMEOUT_S,
        )
        return Answer(_replace(state, phase="consent", looks=0), str(asked))
    if record == "notice":
        told = moment.happened("consent", given=True, how="notice")
        lines = (*lead, moment.line(state.language, "record_notice"))
        return _wait(moment, _replace(state, may_record=True, looks=0), lines).after(told)
    return _wait(moment, _replace(state, looks=0), lead)


def _may_ask(moment: Moment, state: State, lead: tuple[Line, ...]) -> bool:
    lines = (*lead, *questions.of_recording(moment.options, state.language))
    timeout_s = patience.CONSENT_TIMEOUT_S
    return not state.misses or patience.is_left(moment, state, lines, timeout_s=timeout_s)


def consented(moment: Moment, state: State) -> Answer:
    """Only 1 is a yes."""
    is_given = moment.request.digit == "1"
    told = moment.happened("consent", given=is_given, how="key")
    return look(moment, _replace(state, may_record=is_given)).after(told)


def _wait(moment: Moment, state: State, lead: tuple[Line, ...]) -> Answer:
    """Ask us again right away: meanwhile the rules read what the caller chose."""
    lines = (*lead, moment.line(state.language, "connecting"))
    url = moment.turn_url("call/ring", state)
    return Answer(_replace(state, phase="placing"), twiml.going_on(moment, url, lines))


def look(moment: Moment, state: State) -> Answer:
    """Ring when the rules have placed the call; a second later else; after six, take a message."""
    if moment.view.placed is not None:
        return ringing.go_on(moment, state)
    if state.looks >= MAX_LOOKS:
        return ringing.give_up(moment, state, "not_placed")
    url = moment.turn_url("call/ring", state)
    waiting = _replace(state, phase="placing", looks=state.looks + 1)
    return Answer(waiting, twiml.going_on(moment, url, pause_s=1))
