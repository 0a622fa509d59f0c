"""What is wrong with a phone menu: one sentence each. Errors keep the account from being loaded, warnings do not.

The rules are those of phone menus that callers get through: no more than four choices, no more than two levels, the
greeting over after eight seconds, always a way to a person, and a person within half a minute for who finds no right key.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from channels import recording
from channels.contract import Problem
from channels.twilio.phone import menu, patience, questions, says, speech, voices
from channels.twilio.phone.moment import Line
from channels.twilio.phone.patience import CHARACTERS_A_SECOND

if TYPE_CHECKING:
    from channels.twilio.phone.options import Options

GREETING_MAX_S = 8
GREETING_MAX_CHARACTERS = GREETING_MAX_S * CHARACTERS_A_SECOND
MAX_LANGUAGES = 9
_MAX_TEXT = 400
_MAX_WHISPER = 60


def problems(options: "Options") -> list[Problem]:
    """Give everything that is wrong, errors first."""
    found = [
        *_languages(options),
        *_texts(options),
        *_sentences(options),
        *_whisper(options),
        *_level(options, options.menu, "the menu", 1),
        *_ids(options),
        *_recording(options),
        *_closed(options),
        *_advice(options),
    ]
    if not any(each.severity == "error" for each in found):  # what cannot be spoken cannot be timed
        found += _times(options)
    return sorted(found, key=lambda each: each.severity != "error")


def _languages(options: "Options") -> Iterator[Problem]:
    if not options.languages:
        yield Problem("languages is empty: name at least one", "languages: [en]")
    if len(options.languages) > MAX_LANGUAGES:
        yield Problem(f"there are {len(options.languages)} languages, but only {MAX_LANGUAGES} keys for them")
    for language, times in Counter(options.languages).items():
        if times > 1:
            yield Problem(f"language '{language}' stands in languages {times} times")
    named = {*options.languages, *([options.agents_language] if options.agents_language else [])}
    for language in sorted(named):
        if language not in voices.VOICES and language not in options.voices:
            yield Problem(
                f"no voice is known for language '{language}'",
                f"known are {', '.join(sorted(voices.VOICES))}; for another write voices: {{{language}: {{tag: …, voice: …}}}}",
            )
        elif language not in says.built_in():
            yield from _untranslated(options, language)


def _untranslated(options: "Options", language: str) -> Iterator[Problem]:
    missing = sorted(key for key in _needed(options) if language not in options.sentences.get(key, {}))
    if missing:
        yield Problem(
            f"there are no built-in sentences in '{language}', and sentences does not say {len(missing)} of them: "
            f"{', '.join(missing[:5])}{'…' if len(missing) > 5 else ''}",
        )


def _needed(options: "Options") -> frozenset[str]:
    """Give the sentences that such an account may say: what it does not offer need not be translated."""
    unsaid: set[str] = set()
    if not options.closed_text:
        unsaid |= {"text_offer", "text_coming"}
    if not options.emergency:
        unsaid |= {"emergency_offer"}
    return says.names() - unsaid


def _texts(options: "Options") -> Iterator[Problem]:
    for name, texts in (("greeting", options.greeting), ("closed_note", options.closed_note)):
        for language, text in texts.items():
            if language not in options.languages:
                yield Problem(f"{name} has '{language}', which is not one of languages", severity="warning")
            if not text.strip():
                yield Problem(f"{name} is empty in '{language}'")
        absent = [language for language in options.languages if texts and language not in texts]
        for language in absent:
            yield Problem(f"{name} is missing in '{language}'")
    for language, text in options.greeting.items():
        if len(text) > GREETING_MAX_CHARACTERS:
            seconds = len(text) / CHARACTERS_A_SECOND
            yield Problem(
                f"the greeting in '{language}' takes about {seconds:.0f} seconds, more than {GREETING_MAX_S}",
                f"keep it to {GREETING_MAX_CHARACTERS} characters: it has {len(text)}",
                severity="warning",
            )


def _sentences(options: "Options") -> Iterator[Problem]:
    known = says.names()
    for key, texts in options.sentences.items():
        if key not in known:
            yield Problem(
                f"there is no sentence '{key}' to override", f"there are: {', '.join(sorted(known))}"
            )
        for language, text in texts.items():
            if len(text) > _MAX_TEXT:
                yield Problem(f"sentence '{key}' in '{language}' has more than {_MAX_TEXT} characters")


def _whisper(options: "Options") -> Iterator[Problem]:
    spoken = options.agents_language or next(iter(options.languages), "")
    for tag, texts in options.whisper.items():
        text = texts.get(spoken, "")
        if not text.strip():
            yield Problem(f"whisper says nothing of '{tag}' in '{spoken}', the agents' language")
        elif len(text) > _MAX_WHISPER:
            yield Problem(
                f"what whisper says of '{tag}' has more than {_MAX_WHISPER} characters: an agent waits for it"
            )


def _level(options: "Options", choices: tuple[menu.Choice, ...], where: str, level: int) -> Iterator[Problem]:
    if len(choices) > menu.MAX_CHOICES:
        yield Problem(f"{where} has {len(choices)} options: nobody remembers more than {menu.MAX_CHOICES}")
    if choices and level > menu.MAX_LEVELS:
        yield Problem(f"{where} is on level {level}: a menu has {menu.MAX_LEVELS} at most")
        return
    for key, times in Counter(choice.digit for choice in choices).items():
        if times > 1:
            yield Problem(f"{where} has key {key} {times} times")
    yield from _shared_words(options, choices, where)
    for choice in choices:
        yield from _choice(options, choice, where)
        yield from _level(options, choice.menu, f"the menu of '{choice.id}'", level + 1)


def _shared_words(options: "Options", choices: tuple[menu.Choice, ...], where: str) -> Iterator[Problem]:
    """Warn of words that choose nothing, because they stand for two things."""
    for language in options.languages:
        heard = {choice.id: choice.heard(language) for choice in choices}
        always = {
            "a person": says.words(language, "person_words"),
            "once more": says.words(language, "repeat_words"),
        }
        means: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name, words in {**heard, **always}.items():
            for phrase in {speech.tokens(word) for word in words}:
                means[phrase].append(name)
        for phrase, names in means.items():
            if len(names) > 1:
                yield Problem(
                    f"{where} has '{' '.join(phrase)}' in '{language}' for {' and '.join(names)}: it chooses neither",
                    severity="warning",
                )


def _choice(options: "Options", choice: menu.Choice, where: str) -> Iterator[Problem]:
    if choice.digit in (menu.PERSON_KEY, menu.REPEAT_KEY):
        meant = "a person" if choice.digit == menu.PERSON_KEY else "hearing it again"
        yield Problem(f"{where} uses key {choice.digit}, which always means {meant}")
    elif choice.digit == menu.LANGUAGE_KEY and len(options.languages) > 1:
        yield Problem(f"{where} uses key {choice.digit}, which changes the language where there are several")
    elif choice.digit not in tuple("123456789"):
        yield Problem(f"{where} has key '{choice.digit}': a key is one of 1 to 9")
    if not menu.ID.fullmatch(choice.id):
        yield Problem(f"{where} has id '{choice.id}': an id is a-z, 0-9, _ and -, and begins with a letter")
    if choice.id in menu.RESERVED:
        yield Problem(f"{where} has id '{choice.id}', which has a meaning of its own")
    for language in options.languages:
        text = choice.said(language) if isinstance(choice.say, str) else choice.say.get(language, "")
        if not text.strip():
            yield Problem(f"option '{choice.id}' says nothing in '{language}'")
        elif len(text) > _MAX_TEXT:
            yield Problem(f"option '{choice.id}' has more than {_MAX_TEXT} characters in '{language}'")
        if not choice.heard(language):
            yield Problem(
                f"option '{choice.id}' has no words in '{language}': nobody can choose it by speaking",
                f"words: {{{language}: [invoice, billing]}}",
                severity="warning",
            )


def _ids(options: "Options") -> Iterator[Problem]:
    for name, times in Counter(menu.ids(options.menu)).items():
        if times > 1:
            yield Problem(
                f"the id '{name}' stands in the menu {times} times: rules could not tell them apart"
            )


def _recording(options: "Options") -> Iterator[Problem]:
    for fault in recording.faults(options.record):
        yield Problem(f"record: {fault}", "record: {DE: ask, PL: notice, default: off}")
    for doubt in recording.doubts(options.record):
        yield Problem(f"record: {doubt}", severity="warning")


def _closed(options: "Options") -> Iterator[Problem]:
    """Warn of what is never asked, because callers are put through outside opening hours as well."""
    asked = {"closed_text": bool(options.closed_text), "emergency": options.emergency}
    for name in [each for each, is_set in asked.items() if is_set and options.when_closed == "ring"]:
        yield Problem(
            f"{name} is offered outside opening hours, and when_closed: ring puts everybody through then",
            f"leave {name} out, or write when_closed: voicemail",
            severity="warning",
        )


def _advice(options: "Options") -> Iterator[Problem]:
    if options.transcription == "twilio" and set(options.languages) - {"en"}:
        yield Problem(
            "transcription: twilio understands English only: voicemail in other languages is not transcribed",
            "transcription: local",
            severity="warning",
        )


def _times(options: "Options") -> Iterator[Problem]:
    """Refuse a question that nobody can hear out, answer wrong, and ring a person in time all the same."""
    for language in options.languages:
        for what, lines in _asked(options, language):
            at_most_s = patience.at_most_s(options, language, lines)
            if at_most_s > patience.PERSON_WITHIN_S:
                over = math.ceil((at_most_s - patience.PERSON_WITHIN_S) * CHARACTERS_A_SECOND)
                yield Problem(
                    f"{what} in '{language}' is too long: who hears it out and presses a wrong key rings a person after "
                    f"{at_most_s:.0f} seconds, {patience.PERSON_WITHIN_S} at most: leave out {over} characters or an option"
                )


def _asked(options: "Options", language: str) -> Iterator[tuple[str, tuple[Line, ...]]]:
    """Give every question that a caller may be asked, with all that is said before it."""
    if len(options.languages) > 1 and language == options.languages[0]:
        yield "the question for the language", questions.of_language(options)
    greeting: tuple[Line, ...] = (questions.greeting(options, language),)
    if options.menu:
        greeting += questions.other_language(options, language)
    if options.offer_open_request:
        yield "what is asked about an open request", (*greeting, *questions.of_request(options, language))
    if options.menu:
        yield "the greeting with the menu", (*greeting, *questions.of_menu(options, language, options.menu))
    else:
        is_asked = "ask" in recording.used(options.record)
        consent = questions.of_recording(options, language) if is_asked else ()
        yield "the greeting", (*greeting, *consent)
    for choice in options.menu:
        if choice.menu:
            lines = questions.of_menu(options, language, choice.menu)
            yield f"the menu of '{choice.id}'", lines
