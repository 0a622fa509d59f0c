"""The menu of an account, as intake.yaml has it, and what one choice of it is called."""

import re
from collections.abc import Iterator

import msgspec

MAX_CHOICES = 4
MAX_LEVELS = 2
PERSON_KEY, REPEAT_KEY = "0", "*"
LANGUAGE_KEY = "9"  # where there are several languages
PERSON, OPEN_REQUEST, SOMETHING_ELSE = "person", "open_request", "something_else"
EMERGENCY, TEXT = "emergency", "text"  # while we are closed
RESERVED = frozenset({PERSON, OPEN_REQUEST, SOMETHING_ELSE})
ID = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One option. key: 1-9. id: what rules know it by (call.choice).

    say: language -> what stands in "For …, press 1." A text that has {key} in it is said as it is. A text instead of a
    table is said in every language. words: language -> what a caller may say for it; a word that ends in * is a beginning.
    menu: what is asked next.
    """

    key: str | int
    id: str
    say: dict[str, str] | str
    words: dict[str, tuple[str, ...] | str] = {}
    menu: tuple["Choice", ...] = ()

    @property
    def digit(self) -> str:
        return str(self.key)

    def said(self, language: str) -> str:
        """What it is called in a language; its id where nobody has written that."""
        return self.say if isinstance(self.say, str) else self.say.get(language, self.id)

    def heard(self, language: str) -> tuple[str, ...]:
        """Which words mean it in a language."""
        words = self.words.get(language, ())
        return (words,) if isinstance(words, str) else words


def at(menu: tuple[Choice, ...], path: tuple[str, ...]) -> tuple[Choice, ...]:
    """Give the choices that stand below those with the ids of `path`; the top's when one is not there (any more)."""
    choices = menu
    for name in path:
        found = next((choice.menu for choice in choices if choice.id == name), ())
        if not found:
            return menu
        choices = found
    return choices


def ids(menu: tuple[Choice, ...]) -> Iterator[str]:
    """Give the id of every choice, on all levels, in the order written."""
    for choice in menu:
        yield choice.id
        yield from ids(choice.menu)


def named(menu: tuple[Choice, ...], name: str) -> Choice | None:
    """Find a choice by its id, on any level."""
    for choice in menu:
        found = choice if choice.id == name else named(choice.menu, name)
        if found is not None:
            return found
    return None
