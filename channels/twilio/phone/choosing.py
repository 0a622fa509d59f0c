"""The menu: asked, heard, repeated, given up. 0 is a person, * is once more, three misses are a person."""

from collections.abc import Iterable, Mapping

import msgspec

from channels.contract import Happened
from channels.twilio.phone import menu, patience, placing, questions, says, speech, twiml
from channels.twilio.phone.moment import Answer, Line, Moment
from channels.twilio.phone.state import State

MAX_MISSES = 3
SPEECH_TRIES = 2
MAX_REPEATS = 5  # then * is a miss like any other: a stuck key does not hold a line for ever
REPEAT = "\0repeat"
_replace = msgspec.structs.replace


def ask(moment: Moment, state: State, lead: tuple[Line, ...] = ()) -> Answer:
    """Read the menu of the level where the caller is; without any menu the call goes on at once."""
    choices = menu.at(moment.options.menu, state.path)
    if not choices:
        return over(moment, state, lead)
    lines = (*lead, *questions.of_menu(moment.options, state.language, choices))
    if state.misses and not patience.is_left(moment, state, lines):
        return over(moment, state)
    reply = twiml.gather(
        moment,
        moment.turn_url("call/menu", state),
        lines,
        language=state.language,
        hints=hints(state, (word for choice in choices for word in choice.heard(state.language))),
    )
    return Answer(_replace(state, phase="menu"), str(reply))


def hints(state: State, own: Iterable[str]) -> list[str] | None:
    """Give the words that may be said; None = words have failed, keys are left."""
    if state.speech_misses >= SPEECH_TRIES:
        return None
    return [*own, *says.words(state.language, "person_words"), *says.words(state.language, "repeat_words")]


def chosen(moment: Moment, state: State) -> Answer:
    """Go where a key or a word leads."""
    choices = menu.at(moment.options.menu, state.path)
    named = {choice.digit: (choice.id, choice.heard(state.language)) for choice in choices}
    name, by = heard(moment, state, named)
    if name == menu.PERSON:
        return person(moment, state, by)
    if name == REPEAT and may_repeat(state):
        return ask(moment, repeating(moment, state))
    choice = next((each for each in choices if each.id == name), None)
    if choice is None:
        return _not_chosen(moment, state)
    told = moment.happened("chose", id=choice.id, by=by)
    state = answered(moment, state, choice=choice.id)
    if choice.menu:
        return ask(moment, _replace(state, path=(*state.path, choice.id))).after(told)
    return over(moment, state).after(told)


def heard(
    moment: Moment,
    state: State,
    choices: Mapping[str, tuple[str, tuple[str, ...]]],
    *,
    languages: tuple[str, ...] = (),
) -> tuple[str | None, str]:
    """What was meant, and whether it was a digit or speech. choices: key -> its id and words.

    languages: in which a person and once more may be said, () = the caller's.
    """
    request = moment.request
    spoken = languages or (state.language,)
    always = {
        key: (name, tuple(word for language in spoken for word in says.words(language, words)))
        for key, name, words in (
            (menu.PERSON_KEY, menu.PERSON, "person_words"),
            (menu.REPEAT_KEY, REPEAT, "repeat_words"),
        )
    }
    known = {**choices, **always}
    if request.digit:
        return known[request.digit][0] if request.digit in known else None, "digit"
    return _said(request.said, known, spoken), "speech"


def _said(
    said: str, known: Mapping[str, tuple[str, tuple[str, ...]]], languages: tuple[str, ...]
) -> str | None:
    """What was meant by words, or by the number of a key."""
    meant = speech.chosen(said, dict(known.values()))
    if meant is not None:
        return meant
    numbers = {word: str(key) for each in languages for key, word in enumerate(says.words(each, "numbers"))}
    polite = [word for each in languages for word in says.words(each, "polite_words")]
    key = speech.number(said, {**numbers, **{each: each for each in known}}, polite=polite)
    return known[key][0] if key is not None and key in known else None


def may_repeat(state: State) -> bool:
    return state.looks < MAX_REPEATS


def repeating(moment: Moment, state: State) -> State:
    """The state of who has asked to hear it again, which is no miss."""
    return _replace(state, looks=state.looks + 1, answered_at=moment.at)


def answered(moment: Moment, state: State, **changed: object) -> State:
    """The state after a right answer: whoever gives one has all the time again."""
    return _replace(state, answered_at=moment.at, misses=0, speech_misses=0, looks=0, **changed)


def _not_chosen(moment: Moment, state: State) -> Answer:
    state, told = missed(moment, state)
    if state.misses >= MAX_MISSES:
        return over(moment, state).after(told)
    return ask(moment, state, regret(moment, state)).after(told)


def missed(moment: Moment, state: State) -> tuple[State, Happened]:
    """Count an answer that was none. Only a right one sets the count back, wherever in the call it is given."""
    is_speech = bool(moment.request.said) and not moment.request.digit
    state = _replace(
        state, misses=state.misses + 1, speech_misses=min(state.speech_misses + is_speech, SPEECH_TRIES)
    )
    return state, moment.happened("missed_key", n=state.misses)


def regret(moment: Moment, state: State) -> tuple[Line, ...]:
    """Say what went wrong, in as few words as it takes."""
    request, language = moment.request, state.language
    key = "not_used" if request.digit else "not_understood" if request.said else "not_heard"
    lines = [moment.line(language, key)]
    if request.said and state.speech_misses == SPEECH_TRIES:
        lines.append(moment.line(language, "keys_only"))
    return tuple(lines)


def person(moment: Moment, state: State, by: str, lead: tuple[Line, ...] = ()) -> Answer:
    """A person was asked for: what was chosen on the way stays."""
    told = moment.happened("chose", id=menu.PERSON, by=by)
    return over(moment, _replace(state, misses=0), lead).after(told)


def over(moment: Moment, state: State, lead: tuple[Line, ...] = ()) -> Answer:
    """End the menu: from here the rules decide, and meanwhile we speak of recording."""
    done = moment.happened("menu_done", choice=state.choice, open_ref=state.open_ref)
    return placing.begin(moment, state, lead).after(done)
