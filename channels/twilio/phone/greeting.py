"""The beginning of a call: which language, what we say first, whether it is about something that is open already."""

import msgspec

from channels.contract import Happened
from channels.twilio.phone import choosing, closed, menu, patience, questions, says, twiml
from channels.twilio.phone.moment import Answer, Line, Moment
from channels.twilio.phone.state import State

LANGUAGE_TRIES = 2
_ENGLISH = {
    "pl": "Polish", "el": "Greek", "pt": "Portuguese", "es": "Spanish", "de": "German", "fr": "French", "it": "Italian",
    "nl": "Dutch",
}  # fmt: skip
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
        is_guessed="g" in request.query,
        n=request.n + 1,
        caller=request.caller,
        own=request.form.get("To", "")[:20],
    )


def ask_language(moment: Moment, state: State) -> Answer:
    """Say each language in itself."""
    hints = [moment.line(language, "language_name").text for language in moment.options.languages]
    reply = twiml.gather(
        moment,
        moment.url("call/language", n=state.n),
        questions.of_language(moment.options),
        language=state.language,
        hints=hints if state.speech_misses < choosing.SPEECH_TRIES else None,
    )
    return Answer(_replace(state, phase="language", was_asked=True, path=()), str(reply))


def language_chosen(moment: Moment, state: State) -> Answer:
    """Go on in the language that was chosen, in the first one when nobody could tell twice; a person is one here, too."""
    languages = moment.options.languages
    named = {
        str(key): (language, (moment.line(language, "language_name").text, _ENGLISH.get(language, "")))
        for key, language in enumerate(languages, start=1)
    }
    name, by = choosing.heard(moment, state, named, languages=languages)
    if name == menu.PERSON:
        return _to_person(moment, state, by)
    if name == choosing.REPEAT and choosing.may_repeat(state):
        return ask_language(moment, choosing.repeating(moment, state))
    if name in languages:
        told = moment.happened("language", language=name, by=by)
        return greet(moment, choosing.answered(moment, state, language=name, is_guessed=False)).after(told)
    state, missed = choosing.missed(moment, state)
    is_left = patience.is_left(moment, state, questions.of_language(moment.options))
    if is_left and state.misses < LANGUAGE_TRIES:
        return ask_language(moment, state).after(missed)
    told = moment.happened("language", language=state.language, by="default")
    return greet(moment, _replace(state, looks=0, is_guessed=True)).after(missed, told)


def _to_person(moment: Moment, state: State, by: str) -> Answer:
    """Put somebody through who wants a person before anything else; outside opening hours say that there is none."""
    if _is_closed(moment):
        return greet(moment, _replace(state, is_guessed=True))
    lead, told = _incident(moment, state.language)
    return choosing.person(moment, _replace(state, is_guessed=True), by, lead).after(*told)


def greet(moment: Moment, state: State) -> Answer:
    """Greet, tell what everybody has to know, and ask what it is about; or say that we are closed.

    Who gave no right answer until there is no time left for a question is put through.
    """
    options, language = moment.options, state.language
    incident, told = _incident(moment, language)
    lead = (questions.greeting(options, language), *incident)
    if _is_closed(moment):
        return closed.say(moment, state, lead).after(*told)
    if options.menu and _may_change_language(moment, state):
        lead = (*lead, *questions.other_language(options, language))
    is_offered = options.offer_open_request and bool(moment.view.open_refs) and state.caller is not None
    asked = (
        questions.of_request(options, language)
        if is_offered
        else questions.of_menu(options, language, options.menu)
    )
    if state.misses and not patience.is_left(moment, state, (*lead, *asked)):
        return choosing.over(moment, state, incident).after(*told)
    ask = offer if is_offered else choosing.ask
    return ask(moment, state, lead).after(*told)


def _is_closed(moment: Moment) -> bool:
    return not moment.view.is_open and moment.options.when_closed != "ring"


def _may_change_language(moment: Moment, state: State) -> bool:
    """Whether the language was remembered: then it may be somebody else who calls, or was chosen by mistake."""
    return len(moment.options.languages) > 1 and not state.was_asked


def menu_answered(moment: Moment, state: State) -> Answer:
    """Change the language, or go where the answer leads."""
    if _changes_language(moment, state):
        return ask_language(moment, choosing.answered(moment, state))
    return choosing.chosen(moment, state)


def _changes_language(moment: Moment, state: State) -> bool:
    return moment.request.digit == menu.LANGUAGE_KEY and _may_change_language(moment, state)


def _incident(moment: Moment, language: str) -> tuple[tuple[Line, ...], tuple[Happened, ...]]:
    """What everybody is told while there is an incident, in another language where it has not been written in this one."""
    texts = moment.view.incident
    if not texts:
        return (), ()
    spoken = language if language in texts else next(iter(texts))
    return (Line(texts[spoken], spoken),), (moment.happened("announced", what="incident"),)


def offer(moment: Moment, state: State, lead: tuple[Line, ...] = ()) -> Answer:
    """Ask a known caller whether it is about the open request."""
    lines = (*lead, *questions.of_request(moment.options, state.language))
    if state.misses and not patience.is_left(moment, state, lines):
        return choosing.over(moment, state)
    reply = twiml.gather(
        moment,
        moment.turn_url("call/offer", state),
        lines,
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
    if _changes_language(moment, state):
        return ask_language(moment, choosing.answered(moment, state))
    name, by = choosing.heard(moment, state, _offered(state))
    refs = moment.view.open_refs
    if name == menu.PERSON:
        return choosing.person(moment, state, by)
    if name == choosing.REPEAT and choosing.may_repeat(state):
        return offer(moment, choosing.repeating(moment, state))
    if name == menu.OPEN_REQUEST and refs:
        told = moment.happened("chose", id=name, by=by)
        chosen = choosing.answered(moment, state, choice=name, open_ref=refs[0])
        return choosing.over(moment, chosen).after(told)
    if name in (menu.OPEN_REQUEST, menu.SOMETHING_ELSE):  # what was open is solved by now
        told = moment.happened("chose", id=menu.SOMETHING_ELSE, by=by)
        return choosing.ask(moment, choosing.answered(moment, state)).after(told)
    state, missed = choosing.missed(moment, state)
    if state.misses >= choosing.MAX_MISSES:
        return choosing.over(moment, state).after(missed)
    return offer(moment, state, choosing.regret(moment, state)).after(missed)
