"""The beginning of a call: which language, what we say first, whether it is about something that is open already."""

import msgspec

from channels.contract import Happened
from channels.twilio.phone import choosing, closed, menu, says, speech, twiml
from channels.twilio.phone.moment import Answer, Line, Moment
from channels.twilio.phone.state import State

LANGUAGE_TRIES = 2
_replace = msgspec.structs.replace


def start(moment: Moment) -> Answer:
    """Answer a new call."""
    form, view, caller = moment.request.form, moment.view, moment.request.caller
    state = fresh(moment, moment.request.query.get("l"))
    started = moment.happened(
        "started",
        to=state.own,
        country=form.get("FromCountry", ""),
        known=view.is_known,
        **({"from": caller} if caller else {}),
    )
    if len(moment.options.languages) == 1 or view.language in moment.options.languages:
        return greet(moment, state).after(started)
    return ask_language(moment, state).after(started)


def fresh(moment: Moment, language: str | None = None) -> State:
    """What is known of a call about which nothing is remembered. language: of the address that was asked."""
    known = moment.options.languages
    spoken = next((each for each in (language, moment.view.language) if each in known), known[0])
    request = moment.request
    return State(
        call=request.call,
        phase="language",
        started_at=moment.at,
        language=spoken,
        n=request.n + 1,
        caller=request.caller,
        own=request.form.get("To", "")[:20],
    )


def ask_language(moment: Moment, state: State, lead: tuple[Line, ...] = ()) -> Answer:
    """Say each language in itself."""
    options = moment.options
    lines = [
        moment.line(language, "press_language", key=key)
        for key, language in enumerate(options.languages, start=1)
    ]
    hints = [moment.line(language, "language_name").text for language in options.languages]
    reply = twiml.gather(
        moment,
        moment.url("call/language", n=state.n),
        (*lead, *lines),
        language=state.language,
        hints=hints if state.speech_misses < choosing.SPEECH_TRIES else None,
    )
    return Answer(_replace(state, phase="language", was_asked=True, path=()), str(reply))


def language_chosen(moment: Moment, state: State) -> Answer:
    """Go on in the language that was chosen; in the first one when nobody could tell twice."""
    options, request = moment.options, moment.request
    keys = {str(key): language for key, language in enumerate(options.languages, start=1)}
    names = {
        language: (moment.line(language, "language_name").text, _english_name(moment, language))
        for language in options.languages
    }
    chosen = keys.get(request.digit) if request.digit else speech.chosen(request.said, names)
    if chosen is not None:
        told = moment.happened("language", language=chosen, by="digit" if request.digit else "speech")
        return greet(moment, _replace(state, language=chosen, misses=0, speech_misses=0)).after(told)
    if request.digit == menu.REPEAT_KEY:
        return (
            ask_language(moment, _replace(state, looks=state.looks + 1))
            if _may_repeat(state)
            else greet(moment, state)
        )
    state, missed = choosing.missed(moment, state)
    if state.misses >= LANGUAGE_TRIES:
        told = moment.happened("language", language=state.language, by="default")
        return greet(moment, state).after(missed, told)
    return ask_language(moment, state).after(missed)


def _may_repeat(state: State) -> bool:
    return state.looks < choosing.MAX_REPEATS


def _english_name(moment: Moment, language: str) -> str:
    return {"pl": "Polish", "el": "Greek", "pt": "Portuguese", "es": "Spanish", "de": "German"}.get(
        language
    ) or {
        "fr": "French",
        "it": "Italian",
        "nl": "Dutch",
    }.get(language, language)


def greet(moment: Moment, state: State) -> Answer:
    """Greet, tell what everybody has to know, and ask what it is about; or say that we are closed."""
    state = _replace(state, looks=0)
    lead, told = opening_words(moment, state)
    if not moment.view.is_open and moment.options.when_closed != "ring":
        return closed.say(moment, state, lead).after(*told)
    if moment.options.menu and _may_change_language(moment, state):
        lead = (*lead, _other_language(moment, state))
    if moment.options.offer_open_request and moment.view.open_refs and state.caller is not None:
        return offer(moment, state, lead).after(*told)
    return choosing.ask(moment, state, lead).after(*told)


def _may_change_language(moment: Moment, state: State) -> bool:
    """Whether the language was remembered: then it may be somebody else who calls, or was chosen by mistake."""
    return len(moment.options.languages) > 1 and not state.was_asked


def _other_language(moment: Moment, state: State) -> Line:
    """Say in another language than the remembered one how it is changed."""
    spoken = next(each for each in moment.options.languages if each != state.language)
    return moment.line(spoken, "other_language")


def menu_answered(moment: Moment, state: State) -> Answer:
    """Change the language, or go where the answer leads."""
    if moment.request.digit == menu.LANGUAGE_KEY and _may_change_language(moment, state):
        return ask_language(moment, _replace(state, looks=0))
    return choosing.chosen(moment, state)


def opening_words(moment: Moment, state: State) -> tuple[tuple[Line, ...], tuple[Happened, ...]]:
    """The greeting, and the incident's announcement while there is one."""
    language = state.language
    own = moment.options.greeting.get(language)
    lines = [Line(own, language) if own else moment.line(language, "hello")]
    told: list[Happened] = []
    incident = moment.view.incident
    if incident:
        spoken = language if language in incident else next(iter(incident))
        lines.append(Line(incident[spoken], spoken))
        told.append(moment.happened("announced", what="incident"))
    return tuple(lines), tuple(told)


def offer(moment: Moment, state: State, lead: tuple[Line, ...] = ()) -> Answer:
    """Ask a known caller whether it is about the open request. Numbers can be forged: nothing of it is said aloud."""
    reply = twiml.gather(
        moment,
        moment.url("call/offer", n=state.n, l=state.language),
        (*lead, moment.line(state.language, "open_request")),
        language=state.language,
        hints=choosing.hints(state, [word for _, words in _offered(state).values() for word in words]),
    )
    return Answer(_replace(state, phase="offer"), str(reply))


def _offered(state: State) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {
        "1": (menu.OPEN_REQUEST, says.words(state.language, "open_words")),
        "2": (menu.SOMETHING_ELSE, says.words(state.language, "other_words")),
    }


def offer_answered(moment: Moment, state: State) -> Answer:
    """About that, about something else, or a person; anything else is asked again."""
    if moment.request.digit == menu.LANGUAGE_KEY and _may_change_language(moment, state):
        return ask_language(moment, _replace(state, looks=0))
    name, by = choosing.heard(moment, state, _offered(state))
    refs = moment.view.open_refs
    if name == menu.PERSON:
        return choosing.person(moment, state, by)
    if name == choosing.REPEAT and _may_repeat(state):
        return offer(moment, _replace(state, looks=state.looks + 1))
    if name == menu.OPEN_REQUEST and refs:
        told = moment.happened("chose", id=name, by=by)
        chosen = _replace(state, choice=name, open_ref=refs[0], misses=0, speech_misses=0)
        return choosing.over(moment, chosen).after(told)
    if name in (menu.OPEN_REQUEST, menu.SOMETHING_ELSE):  # what was open is solved by now
        told = moment.happened("chose", id=menu.SOMETHING_ELSE, by=by)
        return choosing.ask(moment, _replace(state, misses=0, speech_misses=0, looks=0)).after(told)
    state, missed = choosing.missed(moment, state)
    if state.misses >= choosing.MAX_MISSES:
        return choosing.over(moment, state).after(missed)
    return offer(moment, state, choosing.regret(moment, state)).after(missed)
