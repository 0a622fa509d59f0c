"""Answers that a visitor gives without typing: `quick_replies:` of a chat account, sets of buttons by name.

    quick_replies:
      opening: [{en: "Where is my order?", pl: "Gdzie jest moje zamówienie?"}, {en: "Something is broken", pl: "…"}]
      confirm: [{en: "Yes, thank you", pl: "Tak, dziękuję"}, {en: "No, not yet", pl: "Jeszcze nie"}]
      handoff: [{en: "I will wait", pl: "Poczekam"}, {en: "Answer by email", pl: "Proszę o mail"}]

`opening` stands in the empty panel; `handoff` under the line that says that nobody is free now. Every other set, `confirm` among
them, is offered where a text of ours ends with its name on a line of its own: [[confirm]]. Agents write it into an answer, and
so do canned replies and the templates of rules. What is pressed is said as a line like any other, in the visitor's language.
"""

import re
from collections.abc import Container, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Annotated

from msgspec import Meta

from channels.webchat import texts

OPENING, CONFIRM, HANDOFF = "opening", "confirm", "handoff"
EACH_MAX = 60
CHOICES_MAX = 8

Choice = Annotated[
    dict[texts.Language, Annotated[str, Meta(min_length=1, max_length=EACH_MAX)]], Meta(min_length=1)
]
Sets = dict[
    Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")],
    Annotated[tuple[Choice, ...], Meta(min_length=1, max_length=CHOICES_MAX)],
]

_NAMED = re.compile(r"\n?[ \t]{0,8}\[\[([a-z][a-z0-9_-]{0,31})\]\][ \t]{0,8}\n?\Z")


def parted(text: str, sets: Container[str]) -> tuple[str, str]:
    """Return a text of ours without the name of the set that it ends with, and that name; "" = it names none that there is.

    Where nothing can be pressed, in a mail or a file, the text alone is said.
    """
    found = _NAMED.search(text)
    if found is None or found[1] not in sets:
        return text, ""
    return text[: found.start()].rstrip(), found[1]


def choices(sets: Mapping[str, tuple[Mapping[str, str], ...]], name: str, locale: str) -> tuple[str, ...]:
    """Return the buttons of a set in a visitor's language, in the order written; () = there is no such set."""
    return tuple(texts.said_in(each, locale) for each in sets.get(name, ()))


def unsaid(
    sets: Mapping[str, tuple[Mapping[str, str], ...]], languages: AbstractSet[str]
) -> Iterator[tuple[str, list[str]]]:
    """Give the sets of which a button lacks one of these languages, with the languages that it lacks."""
    for name, buttons in sets.items():
        missing = sorted({each for button in buttons for each in languages - button.keys()})
        if missing:
            yield name, missing
