"""What a caller is asked, as the lines that are spoken: one place for the machine, which asks, and for lint, which times it."""

from collections.abc import Iterable

from channels import recording
from channels.twilio.phone import menu, says
from channels.twilio.phone.moment import Line
from channels.twilio.phone.options import Options


def line(options: Options, language: str, key: str, /, **values: object) -> Line:
    return Line(says.sentence(options.sentences, language, key, **values), language)


def of_language(options: Options) -> tuple[Line, ...]:
    """Each language in itself."""
    spoken = enumerate(options.languages, start=1)
    return tuple(line(options, language, "press_language", key=key) for key, language in spoken)


def greeting(options: Options, language: str) -> Line:
    own = options.greeting.get(language)
    return Line(own, language) if own else line(options, language, "hello")


def other_language(options: Options, language: str) -> tuple[Line, ...]:
    """Say in another language than the remembered one how it is changed; nothing where there is one language."""
    others = [each for each in options.languages if each != language]
    return tuple(line(options, each, "other_language") for each in others[:1])


def of_request(options: Options, language: str) -> tuple[Line, ...]:
    """Ask a known caller whether it is about the open request. Numbers can be forged: nothing of it is said aloud."""
    return (line(options, language, "open_request"),)


def of_menu(options: Options, language: str, choices: Iterable[menu.Choice]) -> tuple[Line, ...]:
    """The action first and the key after it; a person and hearing it again at the end of each menu."""
    named = (_option(options, language, choice) for choice in choices)
    return (*named, *(line(options, language, key) for key in ("person", "repeat")))


def _option(options: Options, language: str, choice: menu.Choice) -> Line:
    own = choice.said(language)
    if "{key}" in own:
        return Line(own.replace("{key}", choice.digit), language)
    return line(options, language, "option", what=own, key=choice.digit)


def of_recording(options: Options, language: str) -> tuple[Line, ...]:
    return (line(options, language, "record_ask"),)


def before_ringing(options: Options, language: str) -> tuple[Line, ...]:
    """What is at most said to somebody who is put through, besides a question about recording."""
    is_told = "notice" in recording.used(options.record)
    keys = ("record_notice", "connecting") if is_told else ("connecting",)
    return tuple(line(options, language, key) for key in keys)
