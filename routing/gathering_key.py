"""The key by which messages are gathered: text with {fact} places, filled and folded."""

import re

from routing import folding
from routing.fact_table import field_named
from routing.view import View

_PLACE = re.compile(r"\{([^{}]+)\}")


def places(key: str) -> tuple[str, ...]:
    """The names of the facts in a key like "{subject}"."""
    return tuple(name.strip() for name in _PLACE.findall(key))


def filled(key: str, view: View) -> str | None:
    """The key of one message, without case and accents.

    None = it has places and every fact is empty: then nothing is said that could be the same.
    """
    said = [_said(name, view) for name in places(key)]
    if said and not any(said):
        return None
    answers = iter(said)
    return folding.fold(_PLACE.sub(lambda _: next(answers), key)).strip()


def _said(name: str, view: View) -> str:
    field = field_named(name)
    return "" if field is None else ", ".join(str(value) for value in view.raw(name, field))
